//! Properties by which the service steers clients (features document §15.1): asked for after a login, kept,
//! and asked for again when they are too old. Everything works without any of them: each has a default.

mod kept;
mod stanza;

pub(crate) use kept::{fetch, is_due};

/// The properties that this engine heeds; of thousands, only these are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Property {
    /// How long a bucket of received tokens is, in seconds.
    TokenSpan = 865,
    /// How many buckets a received token is good for.
    TokenBuckets = 909,
    /// How long a bucket of issued tokens is, in seconds.
    IssuedTokenSpan = 996,
    /// Tokens go with messages.
    TokenOnMessages = 10518,
    /// Tokens go with questions for pictures.
    TokenOnPictures = 9666,
    /// Tokens go with questions for what people say of themselves.
    TokenOnAbout = 20798,
    /// Tokens go with new groups.
    TokenOnGroupCreate = 11261,
    /// Tokens go with new members.
    TokenOnGroupAdd = 11262,
    /// Tokens are issued to LIDs.
    TokenToLid = 14303,
    /// Strangers are written to with a token made of a salt.
    TokenForStrangers = 24941,
    /// Tokens go with reports of spam.
    TokenOnReports = 4991,
}

impl Property {
    const ALL: [Self; 11] = [
        Self::TokenSpan,
        Self::TokenBuckets,
        Self::IssuedTokenSpan,
        Self::TokenOnMessages,
        Self::TokenOnPictures,
        Self::TokenOnAbout,
        Self::TokenOnGroupCreate,
        Self::TokenOnGroupAdd,
        Self::TokenToLid,
        Self::TokenForStrangers,
        Self::TokenOnReports,
    ];

    const fn code(self) -> u32 {
        self as u32
    }

    /// Whether this engine heeds a property.
    fn is_heeded(code: u32) -> bool {
        Self::ALL.iter().any(|property| property.code() == code)
    }
}
