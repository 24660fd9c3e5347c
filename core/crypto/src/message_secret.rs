//! What is encrypted with the secret of an earlier message: votes, answers, edits, reactions and
//! comments (messages document §8), and the answers of bots (delivery document §4.3).
//!
//! Addresses are those of users, without device and agent, as text: this crate does not read them.
//! Which of a user's two addresses a sender took is for the caller to find out, by trying.

use zeroize::Zeroizing;

use crate::aead::{AeadError, Aes256Gcm};
use crate::kdf::hkdf_sha256;

/// Length of a message's secret, in octets.
pub const SECRET: usize = 32;
/// Length of the nonce beside every envelope, in octets.
pub const NONCE: usize = 12;

/// What keys of bots' answers are made with.
const BOT: &[u8] = b"Bot Message";

/// What an envelope is for. Every use has keys of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UseCase {
    /// The vote in `pollUpdateMessage`.
    PollVote,
    /// `encEventResponseMessage`.
    EventResponse,
    /// `encReactionMessage`.
    Reaction,
    /// `encCommentMessage`.
    Comment,
    /// `secretEncryptedMessage` that changes an event.
    EventEdit,
    /// `secretEncryptedMessage` that changes a text or a caption.
    MessageEdit,
    /// `secretEncryptedMessage` that changes a poll.
    PollEdit,
    /// `secretEncryptedMessage` that adds an option to a poll.
    PollAddOption,
}

impl UseCase {
    /// The words that its keys are made with.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::PollVote => "Poll Vote",
            Self::EventResponse => "Event Response",
            Self::Reaction => "Enc Reaction",
            Self::Comment => "Enc Comment",
            Self::EventEdit => "Event Edit",
            Self::MessageEdit => "Message Edit",
            Self::PollEdit => "Poll Edit",
            Self::PollAddOption => "Poll Add Option",
        }
    }

    /// Whether the envelope is bound to parent and modifier by additional data, too.
    const fn is_bound(self) -> bool {
        matches!(self, Self::PollVote | Self::EventResponse)
    }
}

/// What the key of one envelope is made from.
#[derive(Clone, Copy)]
pub struct Derivation<'a> {
    /// The secret of the message that the envelope belongs to.
    pub secret: &'a [u8; SECRET],
    /// That message's id.
    pub parent_id: &'a str,
    /// Who wrote that message.
    pub parent_author: &'a str,
    /// Who votes, answers, reacts, comments or edits.
    pub modifier: &'a str,
    /// What the envelope is for.
    pub use_case: UseCase,
}

impl Derivation<'_> {
    /// The key.
    #[must_use]
    pub fn key(&self) -> Zeroizing<[u8; 32]> {
        let parts = [self.parent_id, self.parent_author, self.modifier, self.use_case.label()];
        hkdf_sha256(self.secret, &[], parts.concat().as_bytes())
    }

    /// What is authenticated beside the text.
    fn additional(&self) -> Vec<u8> {
        if !self.use_case.is_bound() {
            return Vec::new();
        }
        [self.parent_id.as_bytes(), &[0], self.modifier.as_bytes()].concat()
    }

    /// Encrypts, with the tag appended. A nonce is random and used once.
    ///
    /// # Errors
    /// [`AeadError::Unavailable`] when the cipher's provider has no memory left.
    pub fn seal(&self, nonce: &[u8; NONCE], plaintext: &[u8]) -> Result<Vec<u8>, AeadError> {
        let mut sealed = plaintext.to_vec();
        let tag = Aes256Gcm::new(&self.key())?.seal(nonce, &self.additional(), &mut sealed)?;
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    /// Decrypts what [`seal`](Self::seal) made.
    ///
    /// # Errors
    /// [`AeadError::Tag`] when it was sealed with anything else.
    pub fn open(&self, nonce: &[u8; NONCE], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, AeadError> {
        let mut text = Zeroizing::new(sealed.to_vec());
        let cipher = Aes256Gcm::new(&self.key())?;
        let length = cipher.open(nonce, &self.additional(), &mut text)?.len();
        text.truncate(length);
        Ok(text)
    }
}

impl std::fmt::Debug for Derivation<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Derivation({})", self.use_case.label())
    }
}

/// The secret that a bot gets instead of the message's own.
#[must_use]
pub fn bot_secret(secret: &[u8; SECRET]) -> Zeroizing<[u8; SECRET]> {
    hkdf_sha256(secret, &[], BOT)
}

/// What the key of one answer of a bot is made from.
#[derive(Clone, Copy)]
pub struct BotAnswer<'a> {
    /// The secret of the question.
    pub secret: &'a [u8; SECRET],
    /// Id of the answer's stanza, or of the first one of an answer that comes in steps.
    pub salt_id: &'a str,
    /// Who asked.
    pub asker: &'a str,
    /// Who answers.
    pub bot: &'a str,
}

impl BotAnswer<'_> {
    /// Decrypts the answer.
    ///
    /// # Errors
    /// [`AeadError::Tag`] when it was sealed with anything else.
    pub fn open(&self, nonce: &[u8; NONCE], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, AeadError> {
        let info = [self.salt_id, self.asker, self.bot].concat();
        let key = hkdf_sha256::<32>(&*bot_secret(self.secret), &[], info.as_bytes());
        let additional = [self.salt_id.as_bytes(), &[0], self.bot.as_bytes()].concat();
        let mut text = Zeroizing::new(sealed.to_vec());
        let length = Aes256Gcm::new(&key)?.open(nonce, &additional, &mut text)?.len();
        text.truncate(length);
        Ok(text)
    }
}

impl std::fmt::Debug for BotAnswer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BotAnswer(..)")
    }
}
