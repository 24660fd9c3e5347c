//! What changes or annotates another message (messages document §7).

use whimbrel_crypto::message_secret::{NONCE, SECRET};
use whimbrel_proto::e2e::message::poll_creation_message::Option as WireOption;
use whimbrel_proto::e2e::message::protocol_message::Type;
use whimbrel_proto::e2e::message::{ExtendedTextMessage, PollAddOptionMessage, ProtocolMessage};
use whimbrel_proto::e2e::{Message, MessageContextInfo};
use whimbrel_proto::encode;
use whimbrel_wire::Jid;

use super::control::control;
use super::limits::{self, Refused};
use crate::addons::{EventAnswer, Keep, Pin, Reaction, Sealed, SealedKind, Vote};
use crate::context::{Context, slot};
use crate::key::{EDIT_WINDOW, Key};
use crate::kinds::Content;
use crate::kinds::event::Event;
use crate::kinds::poll::{Poll, option_hash};
use crate::unwrap;

/// Reacts to a message; `None` removes the reaction. `now_ms`: milliseconds since 1970.
///
/// # Errors
/// [`Refused::NotOneEmoji`].
pub fn reaction(target: Key, emoji: Option<&str>, now_ms: i64) -> Result<Message, Refused> {
    let reaction = react(target, emoji, now_ms)?;
    Ok(Message { reaction_message: Some(Box::new(reaction.write())), ..Message::default() })
}

fn react(target: Key, emoji: Option<&str>, now_ms: i64) -> Result<Reaction, Refused> {
    emoji.map_or(Ok(()), limits::emoji)?;
    Ok(Reaction { target, emoji: emoji.map(str::to_owned), grouping: None, sent_at_ms: Some(now_ms) })
}

/// A message that is to be edited.
#[derive(Clone, Copy, Debug)]
pub struct Original<'a> {
    /// It, as it was sent last.
    pub message: &'a Message,
    /// Which message it is.
    pub target: &'a Key,
    /// Seconds between the service's time of the message and now.
    pub age: i64,
}

/// Replaces the words of a text, or the caption of a picture, video or document, by new ones.
/// `mentions`: users in the new words. `now_ms`: milliseconds since 1970.
///
/// # Errors
/// Why the message is not edited.
pub fn edit(original: &Original<'_>, words: &str, mentions: &[Jid], now_ms: i64) -> Result<Message, Refused> {
    if !original.target.from_me {
        return Err(Refused::NotOwn);
    }
    if original.age > EDIT_WINDOW {
        return Err(Refused::TooLate);
    }
    limits::words(words)?;
    let mut content = unwrap::open(original.message.clone()).content;
    replace(&mut content, words)?;
    let mentions: Vec<String> = mentions.iter().map(|user| user.to_bare().to_string()).collect();
    if let Some(text) = content.conversation.take() {
        if mentions.is_empty() {
            content.conversation = Some(text);
        } else {
            let text = ExtendedTextMessage { text: Some(text), ..ExtendedTextMessage::default() };
            content.extended_text_message = Some(Box::new(text));
        }
    }
    if let Some(slot) = slot::slot(&mut content)
        && (slot.is_some() || !mentions.is_empty())
    {
        slot.get_or_insert_default().mentioned_jid = mentions;
    }
    let protocol = ProtocolMessage {
        key: Some(original.target.write()),
        edited_message: Some(Box::new(content)),
        timestamp_ms: Some(now_ms),
        ..ProtocolMessage::default()
    };
    Ok(control(Type::MessageEdit, protocol))
}

fn replace(content: &mut Message, words: &str) -> Result<(), Refused> {
    let words = Some(words.to_owned());
    if content.conversation.is_some() {
        content.conversation = words;
    } else if let Some(text) = &mut content.extended_text_message {
        text.text = words;
    } else if let Some(image) = &mut content.image_message {
        image.caption = words;
    } else if let Some(video) = &mut content.video_message {
        video.caption = words;
    } else if let Some(document) = &mut content.document_message {
        document.caption = words;
    } else {
        return Err(Refused::NotEditable);
    }
    Ok(())
}

/// Takes an own message back.
///
/// # Errors
/// [`Refused::NotOwn`].
pub fn revoke(target: &Key) -> Result<Message, Refused> {
    if !target.from_me {
        return Err(Refused::NotOwn);
    }
    Ok(control(Type::Revoke, ProtocolMessage { key: Some(target.write()), ..ProtocolMessage::default() }))
}

/// Takes another member's message back, as an administrator of the group.
///
/// # Errors
/// [`Refused::RevokeInDirectChat`], and [`Refused::Missing`] if the key does not say who wrote it.
pub fn revoke_as_admin(target: &Key) -> Result<Message, Refused> {
    if !target.chat.as_ref().is_some_and(Jid::is_group) {
        return Err(Refused::RevokeInDirectChat);
    }
    target.participant.as_ref().ok_or(Refused::Missing("participant"))?;
    let key = Key { from_me: false, ..target.clone() }.write();
    Ok(control(Type::Revoke, ProtocolMessage { key: Some(key), ..ProtocolMessage::default() }))
}

/// Pins a message for so many seconds, or unpins it (`None`). `now_ms`: milliseconds since 1970.
///
/// # Errors
/// [`Refused::PinDuration`].
pub fn pin(target: Key, duration: Option<u32>, now_ms: i64) -> Result<Message, Refused> {
    duration.map_or(Ok(()), limits::pin)?;
    let pin = Pin { target, pinned: duration.is_some(), duration, sent_at_ms: Some(now_ms) };
    let info = MessageContextInfo {
        message_add_on_duration_in_secs: Some(duration.unwrap_or_default()),
        ..MessageContextInfo::default()
    };
    Ok(Message {
        pin_in_chat_message: Some(Box::new(pin.write())),
        message_context_info: Some(Box::new(info)),
        ..Message::default()
    })
}

/// Keeps a disappearing message, or no longer. `now_ms`: milliseconds since 1970.
#[must_use]
pub fn keep(target: Key, kept: bool, now_ms: i64) -> Message {
    let keep = Keep { target, kept, sent_at_ms: Some(now_ms) };
    Message { keep_in_chat_message: Some(Box::new(keep.write())), ..Message::default() }
}

/// What an envelope to another message is made with.
#[derive(Clone, Copy)]
pub struct Envelope<'a> {
    /// The message it belongs to.
    pub target: &'a Key,
    /// That message's secret.
    pub secret: &'a [u8; SECRET],
    /// Who wrote that message, in the namespace in which it was addressed.
    pub author: &'a Jid,
    /// This account in the same namespace.
    pub own: &'a Jid,
    /// Random, used once.
    pub nonce: [u8; NONCE],
}

impl std::fmt::Debug for Envelope<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Envelope").field("target", self.target).finish_non_exhaustive()
    }
}

impl Envelope<'_> {
    fn seal(&self, kind: SealedKind, text: &[u8]) -> Result<Sealed, Refused> {
        let people = [self.author, self.own];
        Sealed::seal(kind, self.target.clone(), self.secret, people, self.nonce, text)
            .map_err(|_| Refused::Cipher)
    }

    fn only_author(&self) -> Result<(), Refused> {
        if self.target.from_me { Ok(()) } else { Err(Refused::NotOwn) }
    }
}

/// Votes for options of a poll; none takes the vote back. `now_ms`: milliseconds since 1970.
///
/// # Errors
/// [`Refused::NotAnOption`].
pub fn vote(to: &Envelope<'_>, poll: &Poll, options: &[String], now_ms: i64) -> Result<Message, Refused> {
    let allowed = usize::try_from(poll.selectable).unwrap_or(usize::MAX);
    if options.iter().any(|option| !poll.options.contains(option))
        || (allowed != 0 && options.len() > allowed)
    {
        return Err(Refused::NotAnOption);
    }
    let selected = options.iter().map(|option| option_hash(option)).collect();
    let vote = Vote { target: to.target.clone(), selected, sent_at_ms: None };
    let sealed = to.seal(SealedKind::Vote, &encode(&vote.write()))?;
    Ok(Sealed { sent_at_ms: Some(now_ms), ..sealed }.write())
}

/// Answers an event. The answer's own target is not looked at.
///
/// # Errors
/// [`Refused::Missing`] for an answer that says nothing.
pub fn event_answer(to: &Envelope<'_>, answer: &EventAnswer) -> Result<Message, Refused> {
    answer.answer.ok_or(Refused::Missing("answer"))?;
    Ok(to.seal(SealedKind::EventAnswer, &encode(&answer.write()))?.write())
}

/// Reacts where reactions are encrypted: in announcement groups of communities. `None` removes the
/// reaction. `now_ms`: milliseconds since 1970.
///
/// # Errors
/// [`Refused::NotOneEmoji`].
pub fn sealed_reaction(to: &Envelope<'_>, emoji: Option<&str>, now_ms: i64) -> Result<Message, Refused> {
    let reaction = react(to.target.clone(), emoji, now_ms)?;
    Ok(to.seal(SealedKind::Reaction, &encode(&reaction.write_without_key()))?.write())
}

/// Comments on a post. `comment` is a composed message; its secret stays outside the envelope, too,
/// so that the comment can be reacted to.
///
/// # Errors
/// [`Refused::Cipher`].
pub fn comment(to: &Envelope<'_>, mut comment: Message) -> Result<Message, Refused> {
    let message_context_info = comment.message_context_info.take();
    let sealed = to.seal(SealedKind::Comment, &encode(&comment))?.write();
    Ok(Message { message_context_info, ..sealed })
}

/// Gives an event a new state; cancelling it is one.
///
/// # Errors
/// [`Refused::NotOwn`], or what is wrong with the event.
pub fn event_edit(to: &Envelope<'_>, event: Event) -> Result<Message, Refused> {
    to.only_author()?;
    limits::event(&event)?;
    seal_content(to, SealedKind::EventEdit, Content::Event(event))
}

/// Gives a poll new content.
///
/// # Errors
/// [`Refused::NotOwn`], or what is wrong with the poll.
pub fn poll_edit(to: &Envelope<'_>, poll: Poll) -> Result<Message, Refused> {
    to.only_author()?;
    limits::poll(&poll)?;
    seal_content(to, SealedKind::PollEdit, Content::Poll(poll))
}

fn seal_content(to: &Envelope<'_>, kind: SealedKind, content: Content) -> Result<Message, Refused> {
    let content = content.to_message(&Context::default()).map_err(|_| Refused::ReadOnly)?;
    Ok(to.seal(kind, &encode(&content))?.write())
}

/// Adds an option to a poll: to an own one, or to one that lets anyone.
///
/// # Errors
/// Why the poll does not take it.
pub fn poll_option(to: &Envelope<'_>, poll: &Poll, option: &str) -> Result<Message, Refused> {
    if !poll.open {
        to.only_author()?;
    }
    let mut extended = poll.clone();
    extended.options.push(option.to_owned());
    limits::poll(&extended)?;
    let added = PollAddOptionMessage {
        poll_creation_message_key: Some(to.target.write()),
        add_option: Some(WireOption { option_name: Some(option.to_owned()), option_hash: None }),
        metadata: None,
    };
    let content = Message { poll_add_option_message: Some(Box::new(added)), ..Message::default() };
    Ok(to.seal(SealedKind::PollOption, &encode(&content))?.write())
}
