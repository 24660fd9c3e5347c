#![forbid(unsafe_code)]
//! Signal sessions and sender keys as WhatsApp uses them.
//!
//! Pure state machines: bytes in, bytes out. Storage, time and randomness belong to the caller; every
//! function that draws random octets takes the generator and says what it draws.
//!
//! | State | For | Encrypts | Decrypts |
//! | --- | --- | --- | --- |
//! | [`SessionRecord`] | one remote device | [`encrypt`](SessionRecord::encrypt) | [`decrypt_message`](SessionRecord::decrypt_message), [`decrypt_prekey`](SessionRecord::decrypt_prekey) |
//! | [`OwnSenderKey`] | one group | [`encrypt`](OwnSenderKey::encrypt) | |
//! | [`SenderKeyRecord`] | one group and one remote device | | [`decrypt`](SenderKeyRecord::decrypt) |
//!
//! Two promises hold for all of them. A call that returns an error has changed nothing. And a stored
//! state never uses a position again that an earlier copy of it may have used, as long as the rule in
//! [Durability](SessionRecord#durability) is kept.

mod cipher;
mod error;
mod kdf;
mod message;
mod sender_key;
mod sending;
mod session;
mod skipped;
mod store;
mod x3dh;

pub use error::{BundleError, DecryptError, EncryptError, GroupDecryptError, RecordError};
pub use kdf::{GroupKeys, MessageKeys, Seed};
pub use message::{
    CiphertextKind, CiphertextMessage, ParseError, PreKeySignalMessage, SenderKeyDistributionMessage,
    SenderKeyMessage, SignalMessage,
};
pub use sender_key::{MAX_SENDER_KEY_STATES, OwnSenderKey, SenderKeyParts, SenderKeyRecord};
pub use session::{
    Decrypted, MAX_ARCHIVED_SESSIONS, Origin, PendingPreKey, ReceivingParts, SessionParts, SessionRecord,
    SkippedKey,
};
pub use x3dh::{Bundle, OurKeys};

/// How many positions of a chain a message may pass at once.
pub const MAX_JUMP: u32 = 2000;

/// [`MAX_JUMP`] for devices of our own account: they have more reason to be far ahead, and are trusted.
pub const MAX_JUMP_OWN_DEVICE: u32 = 25_000;

/// Longest lease: far below [`MAX_JUMP`], so that a gap of this size is no reason to refuse a message.
pub const MAX_LEASE: u32 = 500;

/// Longest plaintext that is encrypted, in octets. The service takes far less.
pub const MAX_PLAINTEXT: usize = 16 << 20;
