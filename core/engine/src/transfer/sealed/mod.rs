//! The encryption of an export: a header that says how the key is derived from the passphrase,
//! then the content in sealed chunks. The form is written down in `docs/export-format.md`.

pub(crate) mod header;
pub(crate) mod stream;

/// Why a sealed file could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SealedError {
    /// It does not begin as an export does.
    #[error("the file is no export")]
    NotAnExport,
    /// A later version wrote it.
    #[error("the file was exported by a newer version")]
    TooNew,
    /// Header or content is not what was written.
    #[error("the exported file is damaged")]
    Damaged,
    /// The end is missing.
    #[error("the exported file is cut short")]
    CutShort,
    /// The key was derived from another passphrase.
    #[error("the passphrase is not the one that the file was exported with")]
    WrongPassphrase,
    /// The key derivation asks for more than this version grants.
    #[error("the key derivation asks for too much memory or time")]
    TooCostly,
    /// There was no memory for the key derivation.
    #[error("the key could not be derived")]
    NoMemory,
}
