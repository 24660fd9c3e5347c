//! What can go wrong when a phone is told to do something.

use super::code::CodeError;
use super::qr::QrError;
use crate::attach::AttachError;

/// Why a phone could not do what it was told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    /// The scanned text is not a linking code that the phone takes.
    #[error("not a linking code: {0}")]
    Qr(#[from] QrError),
    /// The typed pairing code cannot be one, or is the wrong one.
    #[error("{0}")]
    Code(#[from] CodeError),
    /// The phone cannot join the service.
    #[error("{0}")]
    Attach(#[from] AttachError),
    /// No companion has asked to be linked by a pairing code.
    #[error("no companion asks for a pairing code")]
    NoRequest,
    /// An address is not one of a person.
    #[error("the address is not one of a person")]
    BadAddress,
    /// The number or address belongs to nobody.
    #[error("nobody has this number or address")]
    UnknownUser,
    /// The phone never saw the message that it shall act on.
    #[error("the phone has no such message")]
    UnknownMessage,
    /// No device of the recipient could be reached.
    #[error("no device of the recipient can be reached")]
    NoDevice,
    /// The service answered with an error.
    #[error("the service refused: {code} {text}")]
    Refused {
        /// Code of the error.
        code: u16,
        /// Text of the error, may be empty.
        text: String,
    },
    /// The answer of the service lacks something.
    #[error("the service's answer has no usable {0}")]
    Answer(&'static str),
    /// The service did not answer in time, or an awaited event did not happen.
    #[error("nothing happened in time")]
    Timeout,
    /// A piece of the past could not be written.
    #[error("a piece of the past could not be written: {0}")]
    Piece(String),
    /// The phone is not connected.
    #[error("the phone is offline")]
    Offline,
}

impl PhoneError {
    pub(super) fn piece(error: std::io::Error) -> Self {
        Self::Piece(error.to_string())
    }

    /// A short name for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Qr(_) => "bad_qr",
            Self::Code(CodeError::Wrong) => "wrong_code",
            Self::Code(_) => "bad_code",
            Self::NoRequest => "no_request",
            Self::Attach(AttachError::BadNumber) => "bad_number",
            Self::Attach(AttachError::Taken) => "number_taken",
            Self::Attach(_) => "cannot_attach",
            Self::BadAddress => "bad_address",
            Self::UnknownUser => "unknown_user",
            Self::UnknownMessage => "unknown_message",
            Self::NoDevice => "no_device",
            Self::Refused { .. } => "refused",
            Self::Answer(_) => "bad_answer",
            Self::Timeout => "timeout",
            Self::Piece(_) => "no_piece",
            Self::Offline => "offline",
        }
    }
}
