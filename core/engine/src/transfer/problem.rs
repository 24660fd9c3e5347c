//! What can be wrong with the files of another client.

use std::io;

use crate::error::{Code, Error};

/// Why a link could not be taken over. The text names files, tables and fields, never addresses
/// or content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ImportProblem {
    #[error("{what} is not there")]
    Missing { what: &'static str },
    #[error("{what} could not be read: {why}")]
    Unreadable { what: &'static str, why: String },
    #[error("{what} is malformed: {field}")]
    Malformed { what: &'static str, field: &'static str },
    #[error("it holds no link: pairing was never finished")]
    NotLinked,
    #[error("the public and the private half of {key} do not belong together")]
    KeyHalves { key: &'static str },
    #[error("the signature of the signed prekey does not verify")]
    SignedPreKey,
    #[error("the database holds {count} accounts: say which")]
    Several { count: usize },
    #[error("the database does not hold that account")]
    NoSuchAccount,
    #[error("the database has schema {version}, which this version does not know")]
    Schema { version: i64 },
}

impl ImportProblem {
    pub(crate) fn unreadable(what: &'static str, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing { what },
            kind => Self::Unreadable { what, why: kind.to_string() },
        }
    }
}

impl From<ImportProblem> for Error {
    fn from(problem: ImportProblem) -> Self {
        Self::new(Code::ImportRefused, problem.to_string()).because(problem)
    }
}
