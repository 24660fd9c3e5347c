//! What the host does to messages: each is a message of its own, with a fate of its own (messages
//! document §7, §8).

use whimbrel_content::addons::{Addon, EventAnswer, Going, PollEdit, PollOption};
use whimbrel_content::compose::{self, Draft, Original, Refused, SECRET};
use whimbrel_content::context::{Initiator, Timer, Trigger};
use whimbrel_content::key::Key;
use whimbrel_content::kinds::event::Event;
use whimbrel_content::kinds::poll::Poll;
use whimbrel_proto::e2e::Message;
use whimbrel_wire::Jid;

use super::parents::poll_of;
use super::receive::remember;
use super::target::{Done, Named};
use crate::client::{Client, Inner};
use crate::clock;
use crate::error::{Code, Error};
use crate::messages::compose::{Known, canonical, known, person, refused, secret};
use crate::messages::sending::Submission;
use crate::messages::{MessageKey, SentMessage};
use crate::options::SendOptions;
use crate::random;

fn submission(options: SendOptions) -> Submission {
    let SendOptions { message_id, wait, timeout, cancel, .. } = options;
    Submission { message_id, wait, timeout, cancel, route: None }
}

fn made(message: Result<Message, Refused>) -> Result<Message, Error> {
    message.map_err(|reason| refused(&reason))
}

/// The secret of a parent, which is one by the check when it was kept.
fn key_of(parent: &crate::store::ParentRow) -> Result<&[u8; SECRET], Error> {
    parent.secret.key().ok_or_else(|| Error::new(Code::NotFound, "the message has no secret"))
}

fn poll(parent: &crate::store::ParentRow) -> Result<Poll, Error> {
    poll_of(parent).ok_or_else(|| Error::new(Code::InvalidArgument, "the message is no poll"))
}

impl Client {
    /// Reacts to a message with one emoji; `None` takes the reaction back. Of the options, those about
    /// quotes and fallbacks have no meaning here.
    ///
    /// # Errors
    /// Those of [`send`](Self::send); [`Code::NotFound`] where reactions are encrypted and the message never
    /// came.
    pub async fn react(
        &self,
        chat: &Jid,
        message: &MessageKey,
        emoji: Option<&str>,
        options: SendOptions,
    ) -> Result<SentMessage, Error> {
        let make = |client: &Inner, chat: &Jid| {
            let named = Named::find(client, chat, message)?;
            let now = clock::now_ms();
            let sealed =
                chat.is_group() && client.store.group(chat)?.is_some_and(|group| group.is_announcements);
            if !sealed {
                return made(compose::reaction(named.key, emoji, now));
            }
            let parent = named.parent(client, chat)?;
            let nonce = random::bytes(&mut client.rng());
            made(compose::sealed_reaction(&named.envelope(key_of(&parent)?, nonce), emoji, now))
        };
        self.send_made("react", chat, submission(options), make).await
    }

    /// Gives a text or a caption of this account new words. `mentions`: users in them.
    ///
    /// # Errors
    /// Those of [`send`](Self::send); [`Code::NotFound`] if this client does not have the message any more.
    pub async fn edit_message(
        &self,
        chat: &Jid,
        message_id: &str,
        text: &str,
        mentions: &[Jid],
        options: SendOptions,
    ) -> Result<SentMessage, Error> {
        let make = |client: &Inner, chat: &Jid| {
            let Some(Known { message, sent_at, own }) = known(client, chat, message_id)? else {
                return Err(Error::new(Code::NotFound, "this client does not have the message"));
            };
            if !own {
                return made(Err(Refused::NotOwn));
            }
            let mentions = mentions.iter().map(|user| person(client, chat, user));
            let mentions = mentions.collect::<Result<Vec<Jid>, Error>>()?;
            let target = Key::own(chat, message_id);
            let age = clock::now_seconds().saturating_sub(sent_at);
            let original = Original { message: &message, target: &target, age };
            made(compose::edit(&original, text, &mentions, clock::now_ms()))
        };
        self.send_made("edit_message", chat, submission(options), make).await
    }

    /// Takes a message back: one of this account, or as an administrator of a group one of another member.
    ///
    /// # Errors
    /// Those of [`send`](Self::send).
    pub async fn revoke_message(
        &self,
        chat: &Jid,
        message: &MessageKey,
        options: SendOptions,
    ) -> Result<SentMessage, Error> {
        let make = |client: &Inner, chat: &Jid| {
            let Named { key, .. } = Named::find(client, chat, message)?;
            made(if key.from_me { compose::revoke(&key) } else { compose::revoke_as_admin(&key) })
        };
        self.send_made("revoke_message", chat, submission(options), make).await
    }

    /// Votes for options of a poll, in their own words; none takes the vote back.
    ///
    /// # Errors
    /// Those of [`send`](Self::send); [`Code::NotFound`] if the poll never came.
    pub async fn vote_poll(
        &self,
        chat: &Jid,
        message: &MessageKey,
        choices: &[String],
        options: SendOptions,
    ) -> Result<SentMessage, Error> {
        let make = |client: &Inner, chat: &Jid| {
            let named = Named::find(client, chat, message)?;
            let parent = named.parent(client, chat)?;
            let nonce = random::bytes(&mut client.rng());
            let envelope = named.envelope(key_of(&parent)?, nonce);
            made(compose::vote(&envelope, &poll(&parent)?, choices, clock::now_ms()))
        };
        self.send_made("vote_poll", chat, submission(options), make).await
    }

    /// Gives a poll of this account other words or options.
    ///
    /// # Errors
    /// Those of [`send`](Self::send); [`Code::NotFound`] if this client does not know the poll.
    pub async fn edit_poll(
        &self,
        chat: &Jid,
        message_id: &str,
        poll: Poll,
        options: SendOptions,
    ) -> Result<SentMessage, Error> {
        let mut done = None;
        let key = MessageKey { message_id: message_id.to_owned(), sender: None };
        let make = |client: &Inner, chat: &Jid| {
            let named = Named::find(client, chat, &key)?;
            let parent = named.parent(client, chat)?;
            let nonce = random::bytes(&mut client.rng());
            let message = made(compose::poll_edit(&named.envelope(key_of(&parent)?, nonce), poll.clone()))?;
            done = Some(Done { parent, what: Addon::PollEdit(PollEdit { target: named.key, poll }) });
            Ok(message)
        };
        let sent = self.send_made("edit_poll", chat, submission(options), make).await;
        self.remember(done, sent).await
    }

    /// Adds an option to a poll that lets its voters do so, or to one of this account.
    ///
    /// # Errors
    /// Those of [`send`](Self::send); [`Code::NotFound`] if the poll never came.
    pub async fn add_poll_option(
        &self,
        chat: &Jid,
        message: &MessageKey,
        option: &str,
        options: SendOptions,
    ) -> Result<SentMessage, Error> {
        let mut done = None;
        let make = |client: &Inner, chat: &Jid| {
            let named = Named::find(client, chat, message)?;
            let parent = named.parent(client, chat)?;
            let nonce = random::bytes(&mut client.rng());
            let envelope = named.envelope(key_of(&parent)?, nonce);
            let message = made(compose::poll_option(&envelope, &poll(&parent)?, option))?;
            let added = PollOption { target: named.key, option: option.to_owned() };
            done = Some(Done { parent, what: Addon::PollOption(added) });
            Ok(message)
        };
        let sent = self.send_made("add_poll_option", chat, submission(options), make).await;
        self.remember(done, sent).await
    }

    /// Answers an event. `extra_guests`: how many others come along.
    ///
    /// # Errors
    /// Those of [`send`](Self::send); [`Code::NotFound`] if the event never came.
    pub async fn answer_event(
        &self,
        chat: &Jid,
        message: &MessageKey,
        going: Going,
        extra_guests: Option<u16>,
        options: SendOptions,
    ) -> Result<SentMessage, Error> {
        let make = |client: &Inner, chat: &Jid| {
            let named = Named::find(client, chat, message)?;
            let parent = named.parent(client, chat)?;
            let nonce = random::bytes(&mut client.rng());
            let answer = EventAnswer {
                target: named.key.clone(),
                answer: Some(going),
                sent_at_ms: Some(clock::now_ms()),
                extra_guests: extra_guests.map(i32::from),
            };
            made(compose::event_answer(&named.envelope(key_of(&parent)?, nonce), &answer))
        };
        self.send_made("answer_event", chat, submission(options), make).await
    }

    /// Gives an event of this account a new state, all of it; cancelling is one.
    ///
    /// # Errors
    /// Those of [`send`](Self::send); [`Code::NotFound`] if this client does not know the event.
    pub async fn edit_event(
        &self,
        chat: &Jid,
        message_id: &str,
        event: Event,
        options: SendOptions,
    ) -> Result<SentMessage, Error> {
        let key = MessageKey { message_id: message_id.to_owned(), sender: None };
        let make = |client: &Inner, chat: &Jid| {
            let named = Named::find(client, chat, &key)?;
            let parent = named.parent(client, chat)?;
            let nonce = random::bytes(&mut client.rng());
            made(compose::event_edit(&named.envelope(key_of(&parent)?, nonce), event))
        };
        self.send_made("edit_event", chat, submission(options), make).await
    }

    /// Pins a message for so many seconds (a day, a week or thirty days); `None` unpins it.
    ///
    /// # Errors
    /// Those of [`send`](Self::send).
    pub async fn pin_message(
        &self,
        chat: &Jid,
        message: &MessageKey,
        seconds: Option<u32>,
        options: SendOptions,
    ) -> Result<SentMessage, Error> {
        let make = |client: &Inner, chat: &Jid| {
            let named = Named::find(client, chat, message)?;
            made(compose::pin(named.key, seconds, clock::now_ms()))
        };
        self.send_made("pin_message", chat, submission(options), make).await
    }

    /// Keeps a message of a chat with a timer, or no longer.
    ///
    /// # Errors
    /// Those of [`send`](Self::send).
    pub async fn keep_message(
        &self,
        chat: &Jid,
        message: &MessageKey,
        kept: bool,
        options: SendOptions,
    ) -> Result<SentMessage, Error> {
        let make = |client: &Inner, chat: &Jid| {
            let named = Named::find(client, chat, message)?;
            Ok(compose::keep(named.key, kept, clock::now_ms()))
        };
        self.send_made("keep_message", chat, submission(options), make).await
    }

    /// Comments on a post of a community's announcement group.
    ///
    /// # Errors
    /// Those of [`send`](Self::send); [`Code::NotFound`] if the post never came.
    pub async fn comment(
        &self,
        chat: &Jid,
        message: &MessageKey,
        draft: Draft,
        options: SendOptions,
    ) -> Result<SentMessage, Error> {
        let make = |client: &Inner, chat: &Jid| {
            let named = Named::find(client, chat, message)?;
            let parent = named.parent(client, chat)?;
            let comment = draft.compose(secret(client)).map_err(|reason| refused(&reason))?;
            let nonce = random::bytes(&mut client.rng());
            made(compose::comment(&named.envelope(key_of(&parent)?, nonce), comment.message))
        };
        self.send_made("comment", chat, submission(options), make).await
    }

    /// Forwards a message to a chat. `raw` is its protobuf as an event has it. Its media are not sent
    /// again: the receiver gets the keys of those that are there.
    ///
    /// # Errors
    /// Those of [`send`](Self::send); [`Code::InvalidArgument`] for what must not be forwarded.
    pub async fn forward_message(
        &self,
        to: &Jid,
        raw: &[u8],
        options: SendOptions,
    ) -> Result<SentMessage, Error> {
        let make = |client: &Inner, _: &Jid| {
            let message: Message = whimbrel_proto::decode(raw)
                .map_err(|_| Error::new(Code::InvalidArgument, "the message is no valid protobuf"))?;
            made(compose::forward(&message, secret(client)))
        };
        self.send_made("forward_message", to, submission(options), make).await
    }

    /// Forwards a message that this client has: one that it sent, or one of its archive.
    ///
    /// # Errors
    /// Those of [`forward_message`](Self::forward_message); [`Code::NotFound`] if this client does not have
    /// the message any more.
    pub async fn forward_stored(
        &self,
        to: &Jid,
        from: &Jid,
        message_id: &str,
        options: SendOptions,
    ) -> Result<SentMessage, Error> {
        let make = |client: &Inner, _: &Jid| {
            let from = canonical(client, &*client.linked_account()?, &from.to_account())?;
            let Some(Known { message, .. }) = known(client, &from, message_id)? else {
                return Err(Error::new(Code::NotFound, "this client does not have the message"));
            };
            made(compose::forward(&message, secret(client)))
        };
        self.send_made("forward_message", to, submission(options), make).await
    }

    /// Sets the timer of a chat: 0, a day, a week or ninety days, in seconds. What is sent there from now on
    /// says it. A person is told by a message; of a group the service is told, which tells the members: no
    /// message is sent then, and the answer has no id.
    ///
    /// # Errors
    /// Those of [`send`](Self::send); for a group [`Code::Forbidden`] if this account may not change it, and
    /// [`Code::NotFound`].
    pub async fn set_chat_timer(
        &self,
        chat: &Jid,
        seconds: u32,
        options: SendOptions,
    ) -> Result<SentMessage, Error> {
        if chat.is_group() {
            return self.set_group_timer(chat, seconds, options.timeout).await;
        }
        let now = clock::now_seconds();
        let make = |_: &Inner, _: &Jid| made(compose::chat_timer(seconds, now));
        let sent = self.send_made("set_chat_timer", chat, submission(options), make).await?;
        let timer = Timer {
            seconds,
            set_at: Some(now),
            initiator: Some(Initiator::ChangedInChat),
            trigger: Some(Trigger::ChatSetting),
            initiated_by_me: Some(true),
            initiator_device: None,
        };
        self.inner().unit(|unit| unit.learn_timer(&sent.chat.id, &timer)).await?;
        Ok(sent)
    }

    /// Says whether content of a chat with a person may be shared.
    ///
    /// # Errors
    /// Those of [`send`](Self::send).
    pub async fn set_chat_privacy(
        &self,
        chat: &Jid,
        limited: bool,
        options: SendOptions,
    ) -> Result<SentMessage, Error> {
        let make = |_: &Inner, _: &Jid| Ok(compose::chat_privacy(limited, clock::now_ms()));
        self.send_made("set_chat_privacy", chat, submission(options), make).await
    }

    /// Tells the other person of a chat this account's phone number.
    ///
    /// # Errors
    /// Those of [`send`](Self::send).
    pub async fn share_phone_number(&self, chat: &Jid, options: SendOptions) -> Result<SentMessage, Error> {
        let make = |_: &Inner, _: &Jid| Ok(compose::share_phone_number());
        self.send_made("share_phone_number", chat, submission(options), make).await
    }

    /// Sets this account's label in a group; an empty one removes it.
    ///
    /// # Errors
    /// Those of [`send`](Self::send).
    pub async fn set_member_label(
        &self,
        group: &Jid,
        label: &str,
        options: SendOptions,
    ) -> Result<SentMessage, Error> {
        let make = |_: &Inner, chat: &Jid| {
            if !chat.is_group() {
                return Err(Error::new(Code::InvalidArgument, "the address is not that of a group"));
            }
            made(compose::member_label(label, clock::now_seconds()))
        };
        self.send_made("set_member_label", group, submission(options), make).await
    }

    /// Keeps a poll as this client has just changed it.
    async fn remember(
        &self,
        done: Option<Done>,
        sent: Result<SentMessage, Error>,
    ) -> Result<SentMessage, Error> {
        let sent = sent?;
        if let Some(Done { parent, what }) = done {
            self.inner()
                .unit(|unit| {
                    remember(unit, &what, Some(parent));
                    Ok(())
                })
                .await?;
        }
        Ok(sent)
    }
}
