//! Chats and messages.

use whimbrel_appstate::{Action, Kind, MessageRef, Operation};
use whimbrel_proto::sync_action::sync_action_value::{
    ArchiveChatAction, ClearChatAction, DeleteChatAction, DeleteMessageForMeAction, LockChatAction,
    MarkChatAsReadAction, MuteAction, PinAction, StarAction, UserStatusMuteAction,
};
use whimbrel_wire::Jid;

use super::super::range;
use super::{Desk, Wish, wrong};
use crate::archive::row::Target;
use crate::client::Client;
use crate::error::Error;
use crate::messages::MessageKey;

/// How long a chat is muted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mute {
    /// Not at all.
    Off,
    /// Until a time, milliseconds since 1970.
    Until(i64),
    /// Until it is taken back.
    Forever,
}

impl Client {
    /// Archives a chat, or brings it back. An archived chat is not pinned any more.
    ///
    /// This and the other calls that change what the account's devices share write the change down, so
    /// that it outlives a crash, and return its id. A
    /// [`StateWritten`](crate::events::EventKind::StateWritten) event tells when the devices see it, or
    /// why they do not. It leaves with the next connection.
    ///
    /// # Errors
    /// [`crate::Code::InvalidArgument`] for an address that is not that of a chat,
    /// [`crate::Code::AppStateLost`] when the account's devices do not agree any more and the
    /// client has to be linked anew, and those of a client without link.
    pub async fn archive_chat(&self, chat: &Jid, archived: bool) -> Result<String, Error> {
        let chat = chat.clone();
        self.wish("archive_chat", move |desk| {
            let mut wishes = vec![desk.archive(&chat, archived)?];
            if archived {
                wishes.push(desk.pin(&chat, false)?);
            }
            Ok(wishes)
        })
        .await
    }

    /// Pins a chat to the top of the list, or takes it off. A pinned chat is not archived any more.
    ///
    /// # Errors
    /// As [`archive_chat`](Self::archive_chat).
    pub async fn pin_chat(&self, chat: &Jid, pinned: bool) -> Result<String, Error> {
        let chat = chat.clone();
        self.wish("pin_chat", move |desk| {
            let mut wishes = vec![desk.pin(&chat, pinned)?];
            if pinned {
                wishes.push(desk.archive(&chat, false)?);
            }
            Ok(wishes)
        })
        .await
    }

    /// Mutes a chat.
    ///
    /// # Errors
    /// As [`archive_chat`](Self::archive_chat).
    pub async fn mute_chat(&self, chat: &Jid, mute: Mute) -> Result<String, Error> {
        let chat = chat.clone();
        self.wish("mute_chat", move |desk| {
            let (muted, end) = match mute {
                Mute::Off => (false, None),
                Mute::Until(until) if until <= 0 => return Err(wrong("the end is before 1970")),
                Mute::Until(until) => (true, Some(until)),
                Mute::Forever => (true, Some(-1)),
            };
            let value = MuteAction { muted: Some(muted), mute_end_timestamp: end, ..MuteAction::default() };
            let chat = desk.chat(&chat, Kind::Mute)?;
            Ok(vec![(Operation::Set, Action::Mute { chat, value: Box::new(value) })])
        })
        .await
    }

    /// Marks a chat as read up to its newest message, or as unread. This tells nobody but the account's
    /// own devices; [`mark_read`](Self::mark_read) tells the authors.
    ///
    /// # Errors
    /// As [`archive_chat`](Self::archive_chat).
    pub async fn mark_chat(&self, chat: &Jid, read: bool) -> Result<String, Error> {
        let chat = chat.clone();
        self.wish("mark_chat", move |desk| {
            let named = desk.chat(&chat, Kind::MarkChatAsRead)?;
            let range = range::of(&*desk.client.store, &desk.canonical(&chat)?, &named, desk.now_ms)?;
            let value = MarkChatAsReadAction { read: Some(read), message_range: Some(range.write()) };
            Ok(vec![(Operation::Set, Action::MarkChatAsRead { chat: named, value: Box::new(value) })])
        })
        .await
    }

    /// Puts a chat behind the lock of the phone, or takes it out. A locked chat is neither archived nor
    /// pinned.
    ///
    /// # Errors
    /// As [`archive_chat`](Self::archive_chat).
    pub async fn lock_chat(&self, chat: &Jid, locked: bool) -> Result<String, Error> {
        let chat = chat.clone();
        self.wish("lock_chat", move |desk| {
            let named = desk.chat(&chat, Kind::Lock)?;
            let value = Box::new(LockChatAction { locked: Some(locked) });
            let mut wishes = vec![(Operation::Set, Action::Lock { chat: named, value })];
            if locked {
                wishes.push(desk.archive(&chat, false)?);
                wishes.push(desk.pin(&chat, false)?);
            }
            Ok(wishes)
        })
        .await
    }

    /// Deletes the messages of a chat, on this account's devices only: up to the newest one that this
    /// client knows. With `starred` those with a star go too, with `media` the files of the messages.
    ///
    /// # Errors
    /// As [`archive_chat`](Self::archive_chat).
    pub async fn clear_chat(&self, chat: &Jid, starred: bool, media: bool) -> Result<String, Error> {
        let chat = chat.clone();
        self.wish("clear_chat", move |desk| {
            let kind = Kind::ClearChat;
            let flag = |on: bool| if on { "1" } else { "0" }.to_owned();
            let index =
                |chat: &str| vec![kind.name().to_owned(), chat.to_owned(), flag(starred), flag(media)];
            let named = desk.named(&chat, kind.collection(), index)?;
            let range = range::of(&*desk.client.store, &desk.canonical(&chat)?, &named, desk.now_ms)?;
            let value = Box::new(ClearChatAction { message_range: Some(range.write()) });
            let action =
                Action::ClearChat { chat: named, delete_starred: starred, delete_media: media, value };
            Ok(vec![(Operation::Set, action)])
        })
        .await
    }

    /// Deletes a chat with its messages, on this account's devices only. With `media` the files of the
    /// messages go too. A message that comes later brings the chat back.
    ///
    /// # Errors
    /// As [`archive_chat`](Self::archive_chat).
    pub async fn delete_chat(&self, chat: &Jid, media: bool) -> Result<String, Error> {
        let chat = chat.clone();
        self.wish("delete_chat", move |desk| {
            let kind = Kind::DeleteChat;
            let flag = if media { "1" } else { "0" };
            let index = |chat: &str| vec![kind.name().to_owned(), chat.to_owned(), flag.to_owned()];
            let named = desk.named(&chat, kind.collection(), index)?;
            let range = range::of(&*desk.client.store, &desk.canonical(&chat)?, &named, desk.now_ms)?;
            let value = Box::new(DeleteChatAction { message_range: Some(range.write()) });
            let action = Action::DeleteChat { chat: named, delete_media: media, value };
            Ok(vec![(Operation::Set, action)])
        })
        .await
    }

    /// Gives messages of a chat a star, or takes it away.
    ///
    /// # Errors
    /// As [`archive_chat`](Self::archive_chat); also for no message or more than a thousand.
    pub async fn star_messages(
        &self,
        chat: &Jid,
        messages: Vec<MessageKey>,
        starred: bool,
    ) -> Result<String, Error> {
        let chat = chat.clone();
        self.wish("star_messages", move |desk| {
            let star = |key: MessageKey| {
                let message = desk.message(&chat, &key, Kind::Star)?;
                let value = Box::new(StarAction { starred: Some(starred) });
                Ok((Operation::Set, Action::Star { message, value }))
            };
            messages.into_iter().map(star).collect()
        })
        .await
    }

    /// Deletes a message, on this account's devices only. With `media` its file goes too.
    ///
    /// # Errors
    /// As [`archive_chat`](Self::archive_chat).
    pub async fn delete_message_for_me(
        &self,
        chat: &Jid,
        message: MessageKey,
        media: bool,
    ) -> Result<String, Error> {
        let chat = chat.clone();
        self.wish("delete_message_for_me", move |desk| {
            let target =
                Target { chat: desk.canonical(&chat)?, message_id: message.message_id.clone(), author: None };
            let known = desk.client.store.message_details(&target)?;
            let sent_at = known.map(|details| details.message.position.timestamp);
            let value = Box::new(DeleteMessageForMeAction {
                delete_media: Some(media),
                message_timestamp: Some(sent_at.unwrap_or_else(|| desk.now_ms.div_euclid(1000))),
            });
            let message = desk.message(&chat, &message, Kind::DeleteMessageForMe)?;
            Ok(vec![(Operation::Set, Action::DeleteMessageForMe { message, value })])
        })
        .await
    }

    /// Mutes the status posts of a person, or shows them again.
    ///
    /// # Errors
    /// As [`archive_chat`](Self::archive_chat).
    pub async fn mute_status(&self, person: &Jid, muted: bool) -> Result<String, Error> {
        let person = person.clone();
        self.wish("mute_status", move |desk| {
            if !person.is_account() {
                return Err(wrong("the address is not that of a person"));
            }
            let person = desk.chat(&person, Kind::UserStatusMute)?;
            let value = Box::new(UserStatusMuteAction { muted: Some(muted) });
            Ok(vec![(Operation::Set, Action::UserStatusMute { person, value })])
        })
        .await
    }
}

impl Desk<'_> {
    fn archive(&self, chat: &Jid, archived: bool) -> Result<Wish, Error> {
        let named = self.chat(chat, Kind::Archive)?;
        let range = range::of(&*self.client.store, &self.canonical(chat)?, &named, self.now_ms)?;
        let value = ArchiveChatAction { archived: Some(archived), message_range: Some(range.write()) };
        Ok((Operation::Set, Action::Archive { chat: named, value: Box::new(value) }))
    }

    fn pin(&self, chat: &Jid, pinned: bool) -> Result<Wish, Error> {
        let named = self.chat(chat, Kind::Pin)?;
        let value = Box::new(PinAction { pinned: Some(pinned) });
        Ok((Operation::Set, Action::Pin { chat: named, value }))
    }

    /// How an action names a message: without author for own ones and in chats with a person.
    fn message(&self, chat: &Jid, key: &MessageKey, kind: Kind) -> Result<MessageRef, Error> {
        if key.message_id.is_empty() {
            return Err(wrong("a message has an id"));
        }
        let from_me = key.sender.as_ref().is_some_and(|sender| self.is_own(sender));
        let others = key.sender.as_ref().filter(|_| !from_me && !chat.is_account());
        if others.is_none() && !from_me && !chat.is_account() {
            return Err(wrong("messages of groups are named with their sender"));
        }
        let participant = others.map(|sender| sender.to_bare().to_string());
        let tail = participant.clone().unwrap_or_else(|| "0".to_owned());
        let flag = if from_me { "1" } else { "0" };
        let index =
            |chat: &str| [kind.name(), chat, &key.message_id, flag, &tail].map(str::to_owned).to_vec();
        let named = self.named(chat, kind.collection(), index)?;
        Ok(MessageRef { chat: named, id: key.message_id.clone(), from_me, participant })
    }
}
