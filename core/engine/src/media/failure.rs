//! What can go wrong with a file, as the host is told. Repeating is safe in every case: nothing that
//! failed leaves anything behind but an upload that nobody knows of.

use std::io;

use whimbrel_crypto::media::MediaError;

use crate::connection::SocketError;
use crate::error::{Code, Error};
use crate::http::HttpError;

/// The local file.
pub(crate) fn local(error: io::Error) -> Error {
    Error::new(Code::FileFailed, "the file could not be read or written").because(error)
}

/// A worker of the engine is gone: it is closing, or has a bug.
pub(crate) fn worker(error: tokio::task::JoinError) -> Error {
    if error.is_panic() {
        Error::new(Code::Internal, "dealing with the file panicked")
    } else {
        crate::client::cancelled()
    }
}

/// No host could be reached, or none went through with it.
pub(super) fn unreachable(error: HttpError) -> Error {
    let (code, message) = match &error {
        HttpError::Connect(SocketError::Proxy(_)) => {
            (Code::ProxyFailed, "the proxy did not connect to the media host")
        }
        HttpError::Connect(SocketError::Untrusted(_)) => {
            (Code::UntrustedServer, "the media host's certificate is not trusted")
        }
        HttpError::Address => (Code::InvalidArgument, "the file's address cannot be asked for"),
        _ => (Code::MediaUnreachable, "no media host could be reached, or the connection broke each time"),
    };
    Error::new(code, message).because(error)
}

/// The host answered with something that ends it.
pub(super) fn refused(status: u16) -> Error {
    let (code, message) = match status {
        413 => (Code::MediaTooLarge, "the file is larger than the service takes"),
        429 | 507 => (Code::RateLimited, "the media hosts want to be asked less often"),
        _ => (Code::MediaRefused, "the media host refused"),
    };
    Error::new(code, message).with_service_status(status)
}

/// What came is not what the message announced.
pub(super) fn wrong(error: MediaError) -> Error {
    let code = match error {
        MediaError::EncryptedHash | MediaError::TooShort => Code::MediaCorrupt,
        MediaError::Mac => Code::MediaNotAuthentic,
        MediaError::Length | MediaError::Padding => Code::MediaMalformed,
        MediaError::PlainHash => Code::MediaMismatch,
    };
    let message = match error {
        MediaError::EncryptedHash => "the file on the media hosts is not the one that was announced",
        MediaError::TooShort => "the file on the media hosts is too short",
        MediaError::Mac => "the file was not made with the message's key, or was changed",
        MediaError::Length | MediaError::Padding => "the file was not encrypted as it should be",
        MediaError::PlainHash => "the file is not the one that the message announces",
    };
    Error::new(code, message).because(error)
}

pub(super) fn too_large() -> Error {
    Error::new(Code::MediaTooLarge, "the file is longer than allowed")
}
