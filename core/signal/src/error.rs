//! Errors, one type per activity that can fail.

/// Why no session could be built from a bundle. The record is as before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// The signed prekey is not signed by the bundle's identity.
    #[error("the signature of the signed prekey is not by the identity of the bundle")]
    InvalidSignature,
    /// One of the keys cannot take part in an agreement.
    #[error("a key of the bundle is unusable")]
    InvalidKey,
}

/// Why a message could not be encrypted. Nothing was used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncryptError {
    /// There is no current session; a bundle is needed first.
    #[error("there is no session")]
    NoSession,
    /// The sending chain has reached its last position; a new session or sender key is needed.
    #[error("the sending chain is used up")]
    ChainUsedUp,
    /// The plaintext is longer than [`MAX_PLAINTEXT`](crate::MAX_PLAINTEXT).
    #[error("the plaintext is too long")]
    TooLong,
}

/// Why a 1:1 message could not be decrypted. The record is as before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecryptError {
    /// The record has no session that could have been tried.
    #[error("there is no session")]
    NoSession,
    /// The message with this counter has been decrypted before, or its key was dropped for age.
    #[error("the message with counter {counter} has been decrypted before")]
    Duplicate {
        /// The message's position in its chain.
        counter: u32,
    },
    /// The message is further ahead in its chain than allowed.
    #[error("the message is {ahead} positions ahead of its chain")]
    FutureMessage {
        /// How many positions would have been skipped.
        ahead: u32,
    },
    /// The authentication code does not fit: another session, or altered bytes.
    #[error("the authentication code does not fit")]
    BadMac,
    /// The code fits, but what was encrypted does not end as every plaintext does.
    #[error("the authenticated ciphertext cannot be decrypted")]
    InvalidCiphertext,
    /// A public key in the message cannot take part in an agreement.
    #[error("a key of the message is unusable")]
    InvalidKey,
    /// The signed prekey that the message names is not (or no longer) ours.
    #[error("the signed prekey {0} is not known")]
    InvalidSignedPreKeyId(u32),
    /// The one-time prekey that the message names is not ours or has been consumed.
    #[error("the one-time prekey {0} is not known")]
    InvalidPreKeyId(u32),
    /// The message names a session of ours but claims another identity than that session's.
    #[error("the message claims another identity than its session's")]
    IdentityMismatch,
}

/// Why a group message could not be decrypted. The record is as before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GroupDecryptError {
    /// The sender has not handed us this key.
    #[error("the sender key {key_id} is not known")]
    NoSenderKey {
        /// The key that the message names.
        key_id: u32,
    },
    /// The signature is not by the key's owner.
    #[error("the signature is not by the owner of the sender key")]
    InvalidSignature,
    /// The message of this position has been decrypted before, precedes the key's distribution, or its
    /// key was dropped for age.
    #[error("the message of iteration {iteration} has been decrypted before or precedes the sender key")]
    Duplicate {
        /// The message's position.
        iteration: u32,
    },
    /// The message is further ahead in its chain than allowed.
    #[error("the message is {ahead} positions ahead of its chain")]
    FutureMessage {
        /// How many positions would have been skipped.
        ahead: u32,
    },
    /// The signature fits, but what was encrypted does not end as every plaintext does.
    #[error("the signed ciphertext cannot be decrypted")]
    InvalidCiphertext,
}

/// Why stored bytes are not a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The bytes were written by a later release than this one.
    #[error("the record has format {0}, written by a newer release")]
    NewerFormat(u8),
    /// The bytes end too early, go on too long or hold impossible values.
    #[error("the record is damaged: {0}")]
    Damaged(&'static str),
}
