//! The one error type of the engine: a coarse category, a stable code, and whether repeating
//! the call is safe.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A stable error code. Numbers are never reused; retired ones stay here as comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[repr(u16)]
pub enum Code {
    /// An argument has no valid meaning, such as a malformed address.
    InvalidArgument = 1,
    /// There is no operation of that name.
    UnknownOperation = 2,
    /// The call does not fit the present state, such as a second event stream.
    WrongState = 3,
    /// The client or engine is closed.
    Closed = 4,
    /// The handle was made before the process forked.
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
    /// The deadline passed.
    TimedOut = 102,
    /// The call was cancelled, or its client closed.
    Cancelled = 103,
    /// The server did not prove that it is the service: its certificate has another root or is not valid now, or this clock is wrong.
    UntrustedServer = 104,
    /// The client's proxy could not be reached, did not accept the credentials, or did not connect.
    ProxyFailed = 105,

    /// The client is not linked to a phone.
    NotLinked = 200,
    /// The service removed this device from the account.
    LoggedOut = 201,
    /// Another connection with the same keys took over.
    Replaced = 202,
    /// The service refuses this protocol version and no newer one was found; set one, or update.
    ClientOutdated = 203,
    /// The account is banned for some time.
    TemporaryBan = 204,
    /// Linking failed: the phone's proofs were wrong, or the codes ran out.
    LinkFailed = 205,

    /// The service refused the request.
    Refused = 300,
    /// What was asked for does not exist there.
    NotFound = 301,
    /// The account may not do this.
    Forbidden = 302,
    /// Too many requests; `retry_after` says when to try again.
    RateLimited = 303,
    /// The service does not take buttons, lists and the like from this account.
    InteractiveRefused = 304,
    /// The account may not begin chats for now; `retry_after` says how long, if the service told. Chats
    /// that exist go on.
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
    /// Nothing is known of the file's format, or it is damaged; it can be sent as a document.
    MediaUnsupported = 606,
    /// No media host could be reached, or the connection broke each time.
    MediaUnreachable = 607,
    /// A media host refused; the service's number says how.
    MediaRefused = 608,
    /// A local file could not be read or written.
    FileFailed = 609,
    /// The phone did not upload the file again: it did not answer, or could not now. Ask later.
    PhoneNoAnswer = 610,
    /// A piece of the history is damaged.
    HistoryDamaged = 620,
    /// The phone does not hand its history over.
    HistoryDeclined = 621,

    /// A bug of the engine.
    Internal = 900,
}

/// The coarse kind of an error, by ranges of its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Category {
    /// The call was wrong: 1 to 99.
    Usage,
    /// The connection: 100 to 199.
    Network,
    /// The account: 200 to 299.
    Account,
    /// The service refused: 300 to 399.
    Service,
    /// Keys and sessions: 400 to 499.
    Crypto,
    /// Storage: 500 to 599.
    Store,
    /// Media: 600 to 699.
    Media,
    /// A bug of the engine: 900 to 999.
    Internal,
}

/// What happened to the request of a failed call; tells whether repeating may duplicate it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// Nothing left this process: repeating is safe.
    #[default]
    NotSent,
    /// It may have arrived. Repeat only with the same message id.
    Unknown,
    /// The service received and refused it.
    Refused,
}

impl Code {
    /// Every code, by number.
    pub const ALL: &[Self] = &[
        Self::InvalidArgument,
        Self::UnknownOperation,
        Self::WrongState,
        Self::Closed,
        Self::Forked,
        Self::WouldDeadlock,
        Self::UnknownFieldSet,
        Self::NotSupported,
        Self::NotConnected,
        Self::ConnectFailed,
        Self::TimedOut,
        Self::Cancelled,
        Self::UntrustedServer,
        Self::ProxyFailed,
        Self::NotLinked,
        Self::LoggedOut,
        Self::Replaced,
        Self::ClientOutdated,
        Self::TemporaryBan,
        Self::LinkFailed,
        Self::Refused,
        Self::NotFound,
        Self::Forbidden,
        Self::RateLimited,
        Self::InteractiveRefused,
        Self::Restricted,
        Self::TermsNotAccepted,
        Self::Superseded,
        Self::NoSession,
        Self::IdentityChanged,
        Self::NoDevice,
        Self::AppStateLost,
        Self::StoreFailed,
        Self::StoreCorrupt,
        Self::StoreLocked,
        Self::StoreTooNew,
        Self::FileExists,
        Self::StoreMoved,
        Self::ImportRefused,
        Self::WrongPassphrase,
        Self::ExportDamaged,
        Self::MediaGone,
        Self::MediaCorrupt,
        Self::MediaNotAuthentic,
        Self::MediaMalformed,
        Self::MediaMismatch,
        Self::MediaTooLarge,
        Self::MediaUnsupported,
        Self::MediaUnreachable,
        Self::MediaRefused,
        Self::FileFailed,
        Self::PhoneNoAnswer,
        Self::HistoryDamaged,
        Self::HistoryDeclined,
        Self::Internal,
    ];

    /// The number that stands for this code in every language.
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// The code of a number, if there is one.
    pub fn of_number(number: u16) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.number() == number)
    }

    /// The category, from the range of the number.
    pub const fn category(self) -> Category {
        match self.number() {
            1..=99 => Category::Usage,
            100..=199 => Category::Network,
            200..=299 => Category::Account,
            300..=399 => Category::Service,
            400..=499 => Category::Crypto,
            500..=599 => Category::Store,
            600..=699 => Category::Media,
            _ => Category::Internal,
        }
    }
}

/// Why a call failed. Cheap to clone; the text holds no user data.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    code: Code,
    message: Cow<'static, str>,
    operation: Option<&'static str>,
    service_status: u16,
    retry_after: Option<Duration>,
    outcome: Outcome,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    /// Makes an error from a code and a lowercase fragment that fits after "failed to …:".
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            code,
            message: message.into(),
            operation: None,
            service_status: 0,
            retry_after: None,
            outcome: Outcome::NotSent,
            source: None,
        }))
    }

    /// Adds the underlying error, for logs.
    #[must_use]
    pub fn because(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    /// Says what happened to the request.
    #[must_use]
    pub fn with_outcome(mut self, outcome: Outcome) -> Self {
        self.0.outcome = outcome;
        self
    }

    /// Adds the number that the service answered with.
    #[must_use]
    pub fn with_service_status(mut self, status: u16) -> Self {
        self.0.service_status = status;
        self
    }

    /// Says after what time a repetition makes sense.
    #[must_use]
    pub fn with_retry_after(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after);
        self
    }

    /// Names the operation that failed, unless one is named already.
    #[must_use]
    pub fn in_operation(mut self, operation: &'static str) -> Self {
        self.0.operation.get_or_insert(operation);
        self
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The coarse kind.
    pub fn category(&self) -> Category {
        self.0.code.category()
    }

    /// The text: a lowercase fragment without user data.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The operation that failed, if it was called by name.
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// The number that the service answered with, 0 if it did not.
    pub fn service_status(&self) -> u16 {
        self.0.service_status
    }

    /// After what time a repetition makes sense.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// What happened to the request.
    pub fn outcome(&self) -> Outcome {
        self.0.outcome
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Error");
        debug.field("code", &self.0.code).field("message", &self.0.message);
        if let Some(operation) = self.0.operation {
            debug.field("operation", &operation);
        }
        if self.0.service_status != 0 {
            debug.field("service_status", &self.0.service_status);
        }
        debug.field("outcome", &self.0.outcome);
        if let Some(source) = &self.0.source {
            debug.field("source", source);
        }
        debug.finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
