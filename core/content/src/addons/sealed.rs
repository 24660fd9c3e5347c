//! Envelopes under the secret of the message they belong to (messages document §8).

use whimbrel_crypto::aead::AeadError;
use whimbrel_crypto::message_secret::{Derivation, NONCE, SECRET, UseCase};
use whimbrel_proto::e2e::Message;
use whimbrel_proto::e2e::message::secret_encrypted_message::SecretEncType;
use whimbrel_proto::e2e::message::{
    EncCommentMessage, EncEventResponseMessage, EncReactionMessage, EventResponseMessage, PollEncValue,
    PollUpdateMessage, PollVoteMessage, ReactionMessage, SecretEncryptedMessage,
};
use whimbrel_proto::{Described, decode};
use whimbrel_wire::Jid;
use zeroize::Zeroizing;

use super::{Addon, Comment, Edit, EventAnswer, EventEdit, PollEdit, PollOption, Reaction, Vote};
use crate::key::Key;
use crate::kinds::event::Event;
use crate::kinds::poll::Poll;
use crate::unwrap;

/// What is in an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SealedKind {
    /// A vote.
    Vote,
    /// An answer to an event.
    EventAnswer,
    /// A reaction.
    Reaction,
    /// A comment.
    Comment,
    /// A new state of an event.
    EventEdit,
    /// New words.
    MessageEdit,
    /// New content of a poll.
    PollEdit,
    /// A new option of a poll.
    PollOption,
    /// A planned message. Nobody but official clients opens them.
    Schedule,
    /// Something that this version does not know, by its number.
    Other(i32),
}

impl SealedKind {
    /// What its key may be made for, the likeliest first.
    const fn use_cases(self) -> &'static [UseCase] {
        match self {
            Self::Vote => &[UseCase::PollVote],
            Self::EventAnswer => &[UseCase::EventResponse],
            Self::Reaction => &[UseCase::Reaction],
            Self::Comment => &[UseCase::Comment],
            Self::EventEdit => &[UseCase::EventEdit],
            Self::MessageEdit => &[UseCase::MessageEdit],
            Self::PollEdit => &[UseCase::PollEdit],
            // Some peers make no difference between the two.
            Self::PollOption => &[UseCase::PollAddOption, UseCase::PollEdit],
            Self::Schedule | Self::Other(_) => &[],
        }
    }

    fn of(number: Option<i32>) -> Self {
        let number = number.unwrap_or_default();
        match SecretEncType::try_from(number) {
            Ok(SecretEncType::EventEdit) => Self::EventEdit,
            Ok(SecretEncType::MessageEdit) => Self::MessageEdit,
            Ok(SecretEncType::MessageSchedule) => Self::Schedule,
            Ok(SecretEncType::PollEdit) => Self::PollEdit,
            Ok(SecretEncType::PollAddOption) => Self::PollOption,
            Ok(SecretEncType::Unknown) | Err(_) => Self::Other(number),
        }
    }

    const fn number(self) -> i32 {
        match self {
            Self::EventEdit => SecretEncType::EventEdit as i32,
            Self::MessageEdit => SecretEncType::MessageEdit as i32,
            Self::Schedule => SecretEncType::MessageSchedule as i32,
            Self::PollEdit => SecretEncType::PollEdit as i32,
            Self::PollOption => SecretEncType::PollAddOption as i32,
            Self::Other(number) => number,
            Self::Vote | Self::EventAnswer | Self::Reaction | Self::Comment => 0,
        }
    }
}

/// An envelope.
#[derive(Clone, Debug, PartialEq)]
pub struct Sealed {
    /// The message it belongs to.
    pub target: Key,
    /// What is in it.
    pub kind: SealedKind,
    /// The text, encrypted, with its tag.
    pub payload: Vec<u8>,
    /// Its nonce.
    pub nonce: Vec<u8>,
    /// Of votes, the sender's time in milliseconds since 1970; others have it inside.
    pub sent_at_ms: Option<i64>,
}

/// The message that an envelope belongs to.
#[derive(Clone, Copy)]
pub struct Parent<'a> {
    /// Its secret.
    pub secret: &'a [u8; SECRET],
    /// All known addresses of its author, the one it came with first.
    pub authors: &'a [Jid],
    /// All known addresses of the envelope's sender, the one it came with first.
    pub modifiers: &'a [Jid],
}

impl std::fmt::Debug for Parent<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Parent(..)")
    }
}

/// Why an envelope stays closed. The message it came in is acknowledged as any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    /// Nothing known opens it: another secret, or other addresses.
    #[error("the secret does not open the envelope")]
    WrongSecret,
    /// What is in it is not what it should be.
    #[error("the envelope has no valid content")]
    Malformed,
    /// This version does not open envelopes of this kind.
    #[error("envelopes of this kind are not opened")]
    UnknownKind,
}

impl Parent<'_> {
    /// Pairs of addresses in the order in which they are likely: both by LID, both by number, both
    /// as received, then mixed ones.
    fn pairs(&self) -> Vec<(&Jid, &Jid)> {
        let mut pairs = Vec::new();
        for (at, author) in self.authors.iter().enumerate() {
            for (modifier_at, modifier) in self.modifiers.iter().enumerate() {
                let rank = match (author, modifier) {
                    (author, modifier) if author.is_lid() && modifier.is_lid() => 0,
                    (author, modifier) if author.is_pn() && modifier.is_pn() => 1,
                    _ if at == 0 && modifier_at == 0 => 2,
                    _ => 3,
                };
                pairs.push((rank, author, modifier));
            }
        }
        pairs.sort_by_key(|(rank, ..)| *rank);
        pairs.into_iter().map(|(_, author, modifier)| (author, modifier)).collect()
    }
}

fn read<M: Described + Default>(text: &[u8]) -> Result<M, NotOpened> {
    decode(text).map_err(|_| NotOpened::Malformed)
}

impl Sealed {
    /// Whether the secret of its message may open it: it is of a kind that is opened, and whole.
    #[must_use]
    pub const fn can_be_opened(&self) -> bool {
        !self.kind.use_cases().is_empty() && self.nonce.len() == NONCE && !self.payload.is_empty()
    }

    /// Opens the envelope.
    ///
    /// # Errors
    /// Why it stays closed.
    pub fn open(&self, parent: &Parent<'_>) -> Result<Addon, NotOpened> {
        self.read(&self.decrypt(parent)?)
    }

    /// Takes the text out of the envelope, for [`read`](Self::read).
    ///
    /// # Errors
    /// Why it stays closed.
    pub fn decrypt(&self, parent: &Parent<'_>) -> Result<Zeroizing<Vec<u8>>, NotOpened> {
        let use_cases = self.kind.use_cases();
        if use_cases.is_empty() {
            return Err(NotOpened::UnknownKind);
        }
        let nonce: &[u8; NONCE] = self.nonce.as_slice().try_into().map_err(|_| NotOpened::Malformed)?;
        for (author, modifier) in parent.pairs() {
            let (author, modifier) = (author.to_bare().to_string(), modifier.to_bare().to_string());
            for use_case in use_cases {
                let derivation = Derivation {
                    secret: parent.secret,
                    parent_id: &self.target.id,
                    parent_author: &author,
                    modifier: &modifier,
                    use_case: *use_case,
                };
                if let Ok(text) = derivation.open(nonce, &self.payload) {
                    return Ok(text);
                }
            }
        }
        Err(NotOpened::WrongSecret)
    }

    /// What the text of the envelope says.
    ///
    /// # Errors
    /// [`NotOpened::Malformed`], and [`NotOpened::UnknownKind`].
    pub fn read(&self, text: &[u8]) -> Result<Addon, NotOpened> {
        let target = self.target.clone();
        Ok(match self.kind {
            SealedKind::Vote => {
                Addon::Vote(Vote::read(target, read::<PollVoteMessage>(text)?, self.sent_at_ms))
            }
            SealedKind::EventAnswer => {
                Addon::EventAnswer(EventAnswer::read(target, &read::<EventResponseMessage>(text)?))
            }
            SealedKind::Reaction => {
                Addon::Reaction(Reaction { target, ..Reaction::read(read::<ReactionMessage>(text)?) })
            }
            SealedKind::Comment => Addon::Comment(Comment::new(target, read(text)?)),
            SealedKind::MessageEdit => Addon::Edit(Edit::read_sealed(target, read(text)?)),
            SealedKind::EventEdit => {
                let event = unwrap::open(read(text)?).content.event_message.ok_or(NotOpened::Malformed)?;
                Addon::EventEdit(EventEdit { target, event: Event::read(*event) })
            }
            SealedKind::PollEdit => {
                let poll = Poll::take(&mut unwrap::open(read(text)?).content).ok_or(NotOpened::Malformed)?;
                Addon::PollEdit(PollEdit { target, poll })
            }
            SealedKind::PollOption => {
                let added = unwrap::open(read(text)?).content.poll_add_option_message;
                let option = added.and_then(|added| added.add_option).ok_or(NotOpened::Malformed)?;
                Addon::PollOption(PollOption { target, option: option.option_name.unwrap_or_default() })
            }
            SealedKind::Schedule | SealedKind::Other(_) => return Err(NotOpened::UnknownKind),
        })
    }

    /// Makes an envelope. `author` and `modifier` are in the namespace in which the parent was
    /// addressed; a nonce is random and used once.
    ///
    /// # Errors
    /// [`AeadError::Unavailable`], also for kinds that are never sent.
    pub(crate) fn seal(
        kind: SealedKind,
        target: Key,
        secret: &[u8; SECRET],
        [author, modifier]: [&Jid; 2],
        nonce: [u8; NONCE],
        text: &[u8],
    ) -> Result<Self, AeadError> {
        let derivation = Derivation {
            secret,
            parent_id: &target.id,
            parent_author: &author.to_bare().to_string(),
            modifier: &modifier.to_bare().to_string(),
            use_case: *kind.use_cases().first().ok_or(AeadError::Unavailable)?,
        };
        let payload = derivation.seal(&nonce, text)?;
        Ok(Self { target, kind, payload, nonce: nonce.to_vec(), sent_at_ms: None })
    }

    pub(crate) fn take(content: &mut Message) -> Option<Self> {
        let sealed = |target, kind, payload: Option<Vec<u8>>, nonce: Option<Vec<u8>>| Self {
            target: Key::read(target),
            kind,
            payload: payload.unwrap_or_default(),
            nonce: nonce.unwrap_or_default(),
            sent_at_ms: None,
        };
        if let Some(update) = content.poll_update_message.take() {
            let vote = update.vote.unwrap_or_default();
            let read =
                sealed(update.poll_creation_message_key, SealedKind::Vote, vote.enc_payload, vote.enc_iv);
            return Some(Self { sent_at_ms: update.sender_timestamp_ms, ..read });
        }
        if let Some(reaction) = content.enc_reaction_message.take() {
            let kind = SealedKind::Reaction;
            return Some(sealed(reaction.target_message_key, kind, reaction.enc_payload, reaction.enc_iv));
        }
        if let Some(comment) = content.enc_comment_message.take() {
            let kind = SealedKind::Comment;
            return Some(sealed(comment.target_message_key, kind, comment.enc_payload, comment.enc_iv));
        }
        if let Some(answer) = content.enc_event_response_message.take() {
            let kind = SealedKind::EventAnswer;
            return Some(sealed(answer.event_creation_message_key, kind, answer.enc_payload, answer.enc_iv));
        }
        let other = content.secret_encrypted_message.take()?;
        let kind = SealedKind::of(other.secret_enc_type);
        Some(sealed(other.target_message_key, kind, other.enc_payload, other.enc_iv))
    }

    /// The message with this envelope.
    pub(crate) fn write(self) -> Message {
        let key = Some(self.target.write());
        let (payload, nonce) = (Some(self.payload), Some(self.nonce));
        let mut message = Message::default();
        match self.kind {
            SealedKind::Vote => {
                message.poll_update_message = Some(Box::new(PollUpdateMessage {
                    poll_creation_message_key: key,
                    vote: Some(PollEncValue { enc_payload: payload, enc_iv: nonce }),
                    metadata: None,
                    sender_timestamp_ms: self.sent_at_ms,
                }));
            }
            SealedKind::Reaction => {
                message.enc_reaction_message = Some(Box::new(EncReactionMessage {
                    target_message_key: key,
                    enc_payload: payload,
                    enc_iv: nonce,
                }));
            }
            SealedKind::Comment => {
                message.enc_comment_message = Some(Box::new(EncCommentMessage {
                    target_message_key: key,
                    enc_payload: payload,
                    enc_iv: nonce,
                }));
            }
            SealedKind::EventAnswer => {
                message.enc_event_response_message = Some(Box::new(EncEventResponseMessage {
                    event_creation_message_key: key,
                    enc_payload: payload,
                    enc_iv: nonce,
                }));
            }
            kind => {
                message.secret_encrypted_message = Some(Box::new(SecretEncryptedMessage {
                    target_message_key: key,
                    enc_payload: payload,
                    enc_iv: nonce,
                    secret_enc_type: Some(kind.number()),
                    remote_key_id: None,
                }));
            }
        }
        message
    }
}
