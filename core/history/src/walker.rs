//! The records of an inflated chunk, of which the octets come in parts.
//!
//! Only the message that is cut by the end of a part is held, and of the current chat what is not
//! messages.

use std::ops::ControlFlow;
use std::{mem, str};

use whimbrel_proto::{Described, decode};

use crate::event::{Damage, Event};
use crate::message::RawMessage;
use crate::wire::{Fields, Head, Malformed, Value, head};

/// How much is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WalkLimits {
    /// Octets of one record; a larger one is left out.
    pub record: usize,
    /// Octets of a chat beside its messages.
    pub chat: usize,
    /// Messages that may stand before the address of their chat.
    pub parked: usize,
}

impl Default for WalkLimits {
    /// 16 MiB, 4 MiB, 1024.
    fn default() -> Self {
        Self { record: 16 << 20, chat: 4 << 20, parked: 1024 }
    }
}

/// Why a chunk was not walked to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WalkError {
    /// It is no protobuf at its outermost level, so that nothing behind this place can be found.
    #[error("the history is damaged at octet {offset}")]
    Damaged {
        /// Where, counted in inflated octets.
        offset: u64,
    },
    /// It ends within a record.
    #[error("the history is cut off")]
    Truncated,
    /// The receiver of the events wanted no more.
    #[error("reading was stopped")]
    Stopped,
}

/// Whoever gets the events.
type Give<'g> = dyn FnMut(Event<'_>) -> ControlFlow<()> + 'g;

/// A chat of which a part was read.
#[derive(Debug, Default)]
struct Chat {
    /// Octets that are still to come.
    rest: u64,
    id: Option<String>,
    /// All fields but the messages, as they came.
    other: Vec<u8>,
    messages: u64,
    /// Messages that came before the address, and how many octets they have.
    parked: Vec<Vec<u8>>,
    parked_length: usize,
}

/// Walks through an inflated chunk.
#[derive(Debug)]
pub struct Walker {
    limits: WalkLimits,
    messages_wanted: bool,
    /// Records that were given out before a crash.
    known: u64,
    records: u64,
    offset: u64,
    /// The beginning of what is not all there yet.
    partial: Vec<u8>,
    /// Octets to pass over.
    passed_over: u64,
    chat: Option<Chat>,
}

/// What is done with the next field.
enum Next {
    /// It is all there, with this length.
    Take(usize),
    /// So many octets are needed to decide.
    Need(usize),
    /// Only its key and length are taken; the field is walked through, as a chat.
    Enter { head: usize, length: u64 },
    /// It is left out, and so many octets with it.
    Pass { length: u64, damage: Option<Damage> },
}

impl Walker {
    /// Begins a chunk.
    pub fn new(limits: WalkLimits) -> Self {
        Self {
            limits,
            messages_wanted: true,
            known: 0,
            records: 0,
            offset: 0,
            partial: Vec::new(),
            passed_over: 0,
            chat: None,
        }
    }

    /// Leaves out the first records, which an earlier run gave out before it was interrupted. A chat
    /// begins and ends anew also then: both say nothing that a second time would change.
    #[must_use]
    pub fn skip_records(mut self, count: u64) -> Self {
        self.known = count;
        self
    }

    /// Leaves out all messages without holding any: for a first pass that only wants the addresses
    /// of accounts, which stand behind the messages that need them.
    #[must_use]
    pub fn without_messages(mut self) -> Self {
        self.messages_wanted = false;
        self
    }

    /// How many records were given out or skipped so far. Messages, ends of chats, and what stands
    /// beside the chats are records. The same octets always have the same records.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Takes the next octets and gives out what they hold.
    ///
    /// # Errors
    /// [`WalkError`]; the walker is then of no more use.
    pub fn update(&mut self, mut chunk: &[u8], give: &mut Give<'_>) -> Result<(), WalkError> {
        loop {
            let passed = self.passed_over.min(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
            self.passed_over = self.passed_over.saturating_sub(passed);
            chunk = chunk.get(usize::try_from(passed).unwrap_or(0)..).unwrap_or_default();
            self.advance(passed, give)?;
            if chunk.is_empty() {
                return Ok(());
            }
            chunk = if self.partial.is_empty() {
                self.direct(chunk, give)?
            } else {
                self.completed(chunk, give)?
            };
        }
    }

    /// Ends the chunk.
    ///
    /// # Errors
    /// [`WalkError::Truncated`].
    pub fn finish(self) -> Result<(), WalkError> {
        let complete = self.partial.is_empty() && self.passed_over == 0 && self.chat.is_none();
        if complete { Ok(()) } else { Err(WalkError::Truncated) }
    }

    /// Reads fields where they stand; returns what is left once something is to be passed over.
    fn direct<'c>(&mut self, mut chunk: &'c [u8], give: &mut Give<'_>) -> Result<&'c [u8], WalkError> {
        while !chunk.is_empty() && self.passed_over == 0 {
            match self.next(chunk, give)? {
                Some(taken) => chunk = chunk.get(taken..).unwrap_or_default(),
                None => {
                    self.partial.extend_from_slice(chunk);
                    chunk = &[];
                }
            }
        }
        Ok(chunk)
    }

    /// Completes the field whose beginning is held.
    fn completed<'c>(&mut self, mut chunk: &'c [u8], give: &mut Give<'_>) -> Result<&'c [u8], WalkError> {
        let mut held = mem::take(&mut self.partial);
        while let Next::Need(needed) = self.decide(&held)? {
            let missing = needed.saturating_sub(held.len()).max(1);
            let (taken, rest) = chunk.split_at(chunk.len().min(missing));
            held.extend_from_slice(taken);
            chunk = rest;
            if taken.len() < missing {
                self.partial = held;
                return Ok(chunk);
            }
        }
        // No more was taken than one field, or the head of one.
        let taken = self.next(&held, give)?;
        debug_assert_eq!(taken, Some(held.len()));
        // Keep the room for the next one, unless this one was uncommonly large.
        if held.capacity() <= 1 << 20 {
            held.clear();
            self.partial = held;
        }
        Ok(chunk)
    }

    /// Reads the field at the start of `bytes` and returns its length; `None` if it is not all there.
    fn next(&mut self, bytes: &[u8], give: &mut Give<'_>) -> Result<Option<usize>, WalkError> {
        match self.decide(bytes)? {
            Next::Need(_) => Ok(None),
            Next::Enter { head, length } => {
                self.advance(u64::try_from(head).unwrap_or(u64::MAX), give)?;
                self.chat = Some(Chat { rest: length, ..Chat::default() });
                self.advance(0, give)?;
                Ok(Some(head))
            }
            Next::Pass { length, damage } => {
                let here = length.min(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
                self.passed_over = length.saturating_sub(here);
                match (damage, &mut self.chat) {
                    (Some(Damage::Chat), _) => self.chat = None,
                    // Unwanted, or too large.
                    (_, Some(chat)) => chat.messages = chat.messages.saturating_add(1),
                    (_, None) => {}
                }
                if let Some(damage) = damage {
                    self.damaged(damage, give)?;
                }
                self.advance(here, give)?;
                Ok(usize::try_from(here).ok())
            }
            Next::Take(length) => {
                let field = bytes.get(..length).unwrap_or_default();
                if self.chat.is_some() {
                    self.chat_field(field, give)?
                } else {
                    self.record(field, give)?
                }
                self.advance(u64::try_from(length).unwrap_or(u64::MAX), give)?;
                Ok(Some(length))
            }
        }
    }

    /// What to do with the field at the start of `bytes`.
    fn decide(&self, bytes: &[u8]) -> Result<Next, WalkError> {
        let rest = self.chat.as_ref().map(|chat| chat.rest);
        let broken = || match rest {
            // The length of the chat is known, so that only the chat is lost.
            Some(rest) => Ok(Next::Pass { length: rest, damage: Some(Damage::Chat) }),
            None => Err(WalkError::Damaged { offset: self.offset }),
        };
        let (number, value, head) = match head(bytes) {
            Err(Malformed) => return broken(),
            Ok(None) => {
                let exhausted = rest.is_some_and(|rest| holds(bytes.len(), rest));
                return if exhausted { broken() } else { Ok(Next::Need(bytes.len().saturating_add(1))) };
            }
            Ok(Some(found)) => found,
        };
        let content = match value {
            Head::Varint(_) => 0,
            Head::Fixed(length) | Head::Bytes(length) => length,
        };
        let Some(whole) = u64::try_from(head).ok().and_then(|head| head.checked_add(content)) else {
            return broken();
        };
        if rest.is_some_and(|rest| whole > rest) {
            return broken();
        }
        let bytes_follow = matches!(value, Head::Bytes(_));
        if rest.is_none() && number == 2 && bytes_follow {
            return Ok(Next::Enter { head, length: content });
        }
        let unwanted = match rest {
            Some(_) => number == 2 && bytes_follow && !self.messages_wanted,
            None => !matches!(number, 1..=3 | 5..=21),
        };
        if unwanted {
            return Ok(Next::Pass { length: whole, damage: None });
        }
        match usize::try_from(whole) {
            Ok(length) if length <= self.limits.record => {
                Ok(if length <= bytes.len() { Next::Take(length) } else { Next::Need(length) })
            }
            _ => match rest {
                None => Ok(Next::Pass { length: whole, damage: Some(Damage::Record(number)) }),
                Some(_) if number == 2 => Ok(Next::Pass { length: whole, damage: Some(Damage::Message) }),
                Some(_) => broken(),
            },
        }
    }

    /// Counts octets as read; ends the chat when they were its last.
    fn advance(&mut self, length: u64, give: &mut Give<'_>) -> Result<(), WalkError> {
        self.offset = self.offset.saturating_add(length);
        let Some(chat) = &mut self.chat else { return Ok(()) };
        chat.rest = chat.rest.saturating_sub(length);
        if chat.rest > 0 {
            return Ok(());
        }
        let chat = self.chat.take().unwrap_or_default();
        let Some(id) = chat.id else { return self.damaged(Damage::Chat, give) };
        let Ok(mut conversation) = decode::<whimbrel_proto::history::Conversation>(&chat.other) else {
            return self.damaged(Damage::Chat, give);
        };
        conversation.id = Some(id);
        self.tell(Event::ChatEnds { chat: Box::new(conversation), messages: chat.messages }, give)
    }

    /// Gives out a record, unless an earlier run did.
    fn tell(&mut self, event: Event<'_>, give: &mut Give<'_>) -> Result<(), WalkError> {
        self.records = self.records.saturating_add(1);
        if self.records <= self.known { Ok(()) } else { pass(event, give) }
    }

    fn damaged(&mut self, damage: Damage, give: &mut Give<'_>) -> Result<(), WalkError> {
        self.tell(Event::Damaged(damage), give)
    }

    /// A field of a chat.
    fn chat_field(&mut self, field: &[u8], give: &mut Give<'_>) -> Result<(), WalkError> {
        let (limits, mut fields) = (self.limits, Fields(field));
        let (Some(chat), Ok(Some((number, value)))) = (&mut self.chat, fields.next()) else { return Ok(()) };
        match (number, value) {
            (1, Value::Bytes(id)) => {
                let Ok(id) = str::from_utf8(id) else { return Ok(()) };
                let first = chat.id.replace(id.to_owned()).is_none();
                if first {
                    let parked = mem::take(&mut chat.parked);
                    pass(Event::ChatBegins { id }, give)?;
                    for message in parked {
                        self.message(id, &message, give)?;
                    }
                }
                Ok(())
            }
            (2, Value::Bytes(message)) => {
                chat.messages = chat.messages.saturating_add(1);
                match chat.id.take() {
                    Some(id) => {
                        let told = self.message(&id, message, give);
                        if let Some(chat) = &mut self.chat {
                            chat.id = Some(id);
                        }
                        told
                    }
                    None => {
                        let length = chat.parked_length.saturating_add(message.len());
                        if chat.parked.len() >= limits.parked || length > limits.record {
                            return self.give_up(field.len(), give);
                        }
                        chat.parked_length = length;
                        chat.parked.push(message.to_vec());
                        Ok(())
                    }
                }
            }
            _ => {
                if chat.other.len().saturating_add(field.len()) > limits.chat {
                    return self.give_up(field.len(), give);
                }
                chat.other.extend_from_slice(field);
                Ok(())
            }
        }
    }

    /// Leaves out what of the chat stands behind the current field, which the caller counts.
    fn give_up(&mut self, field: usize, give: &mut Give<'_>) -> Result<(), WalkError> {
        if let Some(chat) = self.chat.take() {
            self.passed_over = chat.rest.saturating_sub(u64::try_from(field).unwrap_or(u64::MAX));
        }
        self.damaged(Damage::Chat, give)
    }

    /// A message with its place in the chat.
    fn message(&mut self, chat: &str, bytes: &[u8], give: &mut Give<'_>) -> Result<(), WalkError> {
        let (mut message, mut order) = (None, None);
        let mut fields = Fields(bytes);
        loop {
            match fields.next() {
                Ok(Some((1, Value::Bytes(bytes)))) => message = Some(RawMessage(bytes)),
                Ok(Some((2, Value::Varint(number)))) => order = Some(number),
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(Malformed) => return self.damaged(Damage::Message, give),
            }
        }
        match message {
            Some(message) => self.tell(Event::Message { chat, message, order }, give),
            None => self.damaged(Damage::Message, give),
        }
    }

    /// A field of the chunk itself.
    fn record(&mut self, field: &[u8], give: &mut Give<'_>) -> Result<(), WalkError> {
        let Ok(Some((number, value))) = Fields(field).next() else { return Ok(()) };
        // The head of a chunk is told also when it is read again.
        if let (1 | 5 | 6, Value::Varint(value)) = (number, value) {
            let Ok(value) = u32::try_from(value) else { return self.damaged(Damage::Record(number), give) };
            return match number {
                1 => pass(Event::SyncType(value.cast_signed()), give),
                5 => pass(Event::ChunkOrder(value), give),
                _ => pass(Event::Progress(value), give),
            };
        }
        match event(number, value) {
            Some(event) => self.tell(event, give),
            None => self.damaged(Damage::Record(number), give),
        }
    }
}

fn pass(event: Event<'_>, give: &mut Give<'_>) -> Result<(), WalkError> {
    match give(event) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(WalkError::Stopped),
    }
}

fn holds(length: usize, rest: u64) -> bool {
    u64::try_from(length).is_ok_and(|length| length >= rest)
}

/// The event of a field beside the chats; `None` if it is not what it should be.
fn event(number: u32, value: Value<'_>) -> Option<Event<'_>> {
    match value {
        Value::Varint(value) => {
            let short = u32::try_from(value).ok();
            match number {
                10 => short.map(Event::ThreadTimeframeOffset),
                14 => short.map(|state| Event::AiWaitListState(state.cast_signed())),
                21 => Some(Event::InlineContactsProvided(value != 0)),
                _ => None,
            }
        }
        Value::Fixed => None,
        Value::Bytes(bytes) => match number {
            3 => Some(Event::Status(RawMessage(bytes))),
            7 => message(bytes).map(Event::PushName),
            8 => message(bytes).map(|settings| Event::GlobalSettings(Box::new(settings))),
            9 => Some(Event::ThreadIdUserSecret(bytes)),
            11 => message(bytes).map(|sticker| Event::RecentSticker(Box::new(sticker))),
            12 => message(bytes).map(Event::PastParticipants),
            13 => message(bytes).map(|call| Event::CallLog(Box::new(call))),
            15 => message(bytes).map(Event::LidMapping),
            16 => str::from_utf8(bytes).ok().map(Event::CompanionMetaNonce),
            17 => Some(Event::ShareableChatKey(bytes)),
            18 => message(bytes).map(Event::Account),
            19 => Some(Event::NctSalt(bytes)),
            20 => message(bytes).map(Event::InlineContact),
            _ => None,
        },
    }
}

fn message<M: Described + Default>(bytes: &[u8]) -> Option<M> {
    decode(bytes).ok()
}
