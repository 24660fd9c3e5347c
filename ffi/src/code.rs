//! Codes of errors, by number and name. They are append-only.
#![expect(missing_docs, reason = "safer-ffi makes a type beside each enum; the enums are documented")]

use safer_ffi::prelude::*;
use whimbrel::{Code, Outcome};

/// Error codes. Returned only; a newer library may return others.
#[derive_ReprC]
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum whimbrel_code {
    /// No error.
    Ok = 0,
    /// An argument has no valid meaning, such as a malformed address.
    InvalidArgument = 1,
    /// There is no operation of that name.
    UnknownOperation = 2,
    /// The call does not fit the present state.
    WrongState = 3,
    /// The client or engine is closed.
    Closed = 4,
    /// The handle was made before the process forked; make a new engine in the child.
    Forked = 5,
    /// A blocking call was made from a callback of the same engine.
    WouldDeadlock = 6,
    /// A field that this version does not know was set.
    UnknownFieldSet = 7,
    /// The engine does not do this yet.
    NotSupported = 8,
    /// There is no connection to the service.
    NotConnected = 100,
    /// The service could not be reached.
    ConnectFailed = 101,
    /// The deadline passed; the outcome says whether the request may have arrived.
    TimedOut = 102,
    /// The call was cancelled, or its client closed.
    Cancelled = 103,
    /// The server did not prove that it is the service: its certificate has another root or is not valid now, or this clock is wrong.
    UntrustedServer = 104,
    /// The proxy could not be reached, or refused.
    ProxyFailed = 105,
    /// The client is not linked to a phone; link it first.
    NotLinked = 200,
    /// The service removed this device from the account; link again.
    LoggedOut = 201,
    /// Another connection with the same keys took over.
    Replaced = 202,
    /// The service refuses this protocol version; set a newer client version.
    ClientOutdated = 203,
    /// The account is banned for some time.
    TemporaryBan = 204,
    /// Linking failed: the phone's proofs were wrong, or the codes ran out.
    LinkFailed = 205,
    /// The service refused the request.
    Refused = 300,
    /// What was asked for does not exist at the service.
    NotFound = 301,
    /// The account may not do this.
    Forbidden = 302,
    /// Too many requests; repeat after the time that the error says.
    RateLimited = 303,
    /// The service does not take interactive content from this account.
    InteractiveRefused = 304,
    /// The service restricts this class of sends for now.
    Restricted = 305,
    /// The account has not accepted the service's terms for this: show them, and accept them in its name.
    TermsNotAccepted = 315,
    /// Another device of the account changed the same meanwhile, and its word counts.
    Superseded = 320,
    /// No session with the device could be made.
    NoSession = 400,
    /// The other side's identity is not the expected one.
    IdentityChanged = 401,
    /// The recipient has no reachable device.
    NoDevice = 402,
    /// What the account's devices share cannot be read any more: link the client anew.
    AppStateLost = 403,
    /// The store could not be read or written.
    StoreFailed = 500,
    /// The store file is damaged or is no store of this engine.
    StoreCorrupt = 501,
    /// Another process or client has this store open.
    StoreLocked = 502,
    /// The store was written by a newer version.
    StoreTooNew = 503,
    /// The path is taken: an import, export or backup overwrites nothing.
    FileExists = 504,
    /// The store was exported: its link lives in the export now.
    StoreMoved = 505,
    /// What was to be imported cannot be; the text says what is wrong with it.
    ImportRefused = 506,
    /// The passphrase is not the one that the file was exported with.
    WrongPassphrase = 507,
    /// The exported file is damaged or cut short.
    ExportDamaged = 508,
    /// The file is gone from the service, and from the phone, or that was not asked.
    MediaGone = 600,
    /// What the media hosts have is not the file that the message names.
    MediaCorrupt = 601,
    /// The file was not made with the message's key, or was changed.
    MediaNotAuthentic = 602,
    /// The sender did not encrypt the file as it should be.
    MediaMalformed = 603,
    /// The decrypted file is not the one that the message announces.
    MediaMismatch = 604,
    /// The file is longer than allowed, here or at the service.
    MediaTooLarge = 605,
    /// Nothing is known of the file's format, or it is damaged; send it as a document.
    MediaUnsupported = 606,
    /// No media host could be reached, or the connection broke each time.
    MediaUnreachable = 607,
    /// A media host refused; the service's number says how.
    MediaRefused = 608,
    /// A local file could not be read or written.
    FileFailed = 609,
    /// The phone did not upload the file again: it did not answer, or could not now. Repeat later.
    PhoneNoAnswer = 610,
    /// A piece of the history is damaged.
    HistoryDamaged = 620,
    /// The phone does not hand its history over.
    HistoryDeclined = 621,
    /// A bug of the engine; the client refuses further calls.
    Internal = 900,
}

impl From<Code> for whimbrel_code {
    fn from(code: Code) -> Self {
        match code {
            Code::InvalidArgument => Self::InvalidArgument,
            Code::UnknownOperation => Self::UnknownOperation,
            Code::WrongState => Self::WrongState,
            Code::Closed => Self::Closed,
            Code::Forked => Self::Forked,
            Code::WouldDeadlock => Self::WouldDeadlock,
            Code::UnknownFieldSet => Self::UnknownFieldSet,
            Code::NotSupported => Self::NotSupported,
            Code::NotConnected => Self::NotConnected,
            Code::ConnectFailed => Self::ConnectFailed,
            Code::TimedOut => Self::TimedOut,
            Code::Cancelled => Self::Cancelled,
            Code::UntrustedServer => Self::UntrustedServer,
            Code::ProxyFailed => Self::ProxyFailed,
            Code::NotLinked => Self::NotLinked,
            Code::LoggedOut => Self::LoggedOut,
            Code::Replaced => Self::Replaced,
            Code::ClientOutdated => Self::ClientOutdated,
            Code::TemporaryBan => Self::TemporaryBan,
            Code::LinkFailed => Self::LinkFailed,
            Code::Refused => Self::Refused,
            Code::NotFound => Self::NotFound,
            Code::Forbidden => Self::Forbidden,
            Code::RateLimited => Self::RateLimited,
            Code::InteractiveRefused => Self::InteractiveRefused,
            Code::Restricted => Self::Restricted,
            Code::TermsNotAccepted => Self::TermsNotAccepted,
            Code::Superseded => Self::Superseded,
            Code::NoSession => Self::NoSession,
            Code::IdentityChanged => Self::IdentityChanged,
            Code::NoDevice => Self::NoDevice,
            Code::AppStateLost => Self::AppStateLost,
            Code::StoreFailed => Self::StoreFailed,
            Code::StoreCorrupt => Self::StoreCorrupt,
            Code::StoreLocked => Self::StoreLocked,
            Code::StoreTooNew => Self::StoreTooNew,
            Code::FileExists => Self::FileExists,
            Code::StoreMoved => Self::StoreMoved,
            Code::ImportRefused => Self::ImportRefused,
            Code::WrongPassphrase => Self::WrongPassphrase,
            Code::ExportDamaged => Self::ExportDamaged,
            Code::MediaGone => Self::MediaGone,
            Code::MediaCorrupt => Self::MediaCorrupt,
            Code::MediaNotAuthentic => Self::MediaNotAuthentic,
            Code::MediaMalformed => Self::MediaMalformed,
            Code::MediaMismatch => Self::MediaMismatch,
            Code::MediaTooLarge => Self::MediaTooLarge,
            Code::MediaUnsupported => Self::MediaUnsupported,
            Code::MediaUnreachable => Self::MediaUnreachable,
            Code::MediaRefused => Self::MediaRefused,
            Code::FileFailed => Self::FileFailed,
            Code::PhoneNoAnswer => Self::PhoneNoAnswer,
            Code::HistoryDamaged => Self::HistoryDamaged,
            Code::HistoryDeclined => Self::HistoryDeclined,
            _ => Self::Internal,
        }
    }
}

/// What became of the request of a failed call: whether repeating it may do it twice.
#[derive_ReprC]
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum whimbrel_outcome {
    /// Nothing left this process: repeating is safe.
    NotSent = 0,
    /// It may have arrived. Repeat only with the same message id.
    Unknown = 1,
    /// The service received and refused it.
    Refused = 2,
}

impl From<Outcome> for whimbrel_outcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::NotSent => Self::NotSent,
            Outcome::Refused => Self::Refused,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_number_here() {
        for code in Code::ALL {
            assert_eq!(whimbrel_code::from(*code) as u32, u32::from(code.number()), "{code:?}");
        }
    }
}
