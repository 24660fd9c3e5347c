//! Moving a link: in from another client's files, out into an encrypted file, and aside into a
//! backup.

mod baileys;
mod problem;
mod report;
pub(crate) mod sealed;
mod taken;
#[cfg(test)]
mod tests;
mod values;
mod whatsmeow;

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::client::{Client, LONGEST_TIMEOUT};
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::options::CallOptions;
use crate::store::sqlite::{self as files, PlaceError};
use crate::store::{SqliteStore, Store as _, StoreError};

pub use report::{ImportReport, LeftOut, TakenOver};

use problem::ImportProblem;
use sealed::SealedError;
use sealed::header::{Cost, HEADER, Header};
use sealed::stream::{Opener, Sealer, reason};

/// What a link is imported from.
///
/// An import makes a new store and never changes its source. From then on the link belongs to the
/// new store: **whatever used the source before must not use it again.** Two holders of one link
/// throw each other out, and break each other's sessions.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ImportSource {
    /// A folder of Baileys' multi-file auth state, with its `creds.json`.
    Baileys {
        /// The folder.
        folder: PathBuf,
    },
    /// An SQLite database of whatsmeow.
    Whatsmeow {
        /// The database file.
        database: PathBuf,
        /// Address or phone number of the account, needed if the database holds several.
        account: Option<String>,
    },
    /// A file that [`Client::export`] wrote.
    Export {
        /// The file.
        file: PathBuf,
        /// The passphrase that it was written with.
        passphrase: Passphrase,
    },
}

/// A passphrase: never printed, and wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Takes a passphrase.
    pub fn new(passphrase: impl Into<String>) -> Self {
        Self(Zeroizing::new(passphrase.into()))
    }
}

impl From<&str> for Passphrase {
    fn from(passphrase: &str) -> Self {
        Self::new(passphrase)
    }
}

impl From<String> for Passphrase {
    fn from(passphrase: String) -> Self {
        Self::new(passphrase)
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

/// Options of an export.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ExportOptions {
    /// Leave the link here as well. Default `false`: the client closes and its store refuses to
    /// open from then on, because the link has moved into the file. With `true` the file is a
    /// copy: it must not be used while this client is.
    pub keep: bool,
    /// Deadline, from the moment of the call. `None`: the client's `request_timeout`. When the
    /// client closes, other calls under way have half of it to finish; then they are cancelled.
    pub timeout: Option<Duration>,
}

impl Engine {
    /// Makes the store `store` of a link from elsewhere; open it afterwards. Nothing may be at
    /// that path. What fails leaves nothing there, and what succeeds is on the disk.
    ///
    /// Reads the disk on the calling thread; async callers use
    /// [`import_async`](Self::import_async).
    pub fn import(&self, source: ImportSource, store: impl AsRef<Path>) -> Result<ImportReport, Error> {
        self.refuse_if_closed()?;
        import(&source, store.as_ref()).map_err(|error| error.in_operation("import"))
    }

    /// [`import`](Self::import) without holding up the calling thread.
    pub async fn import_async(
        &self,
        source: ImportSource,
        store: impl AsRef<Path>,
    ) -> Result<ImportReport, Error> {
        let (engine, store) = (self.clone(), store.as_ref().to_owned());
        off_the_runtime(self, move || engine.import(source, store)).await
    }
}

impl Client {
    /// Writes everything that the link needs to go on elsewhere into one file, encrypted with a
    /// key that is derived from the passphrase: keys, sessions, events that are not acknowledged,
    /// messages that are not confirmed. [`Engine::import`] makes a store of it.
    ///
    /// Unless [`keep`](ExportOptions::keep) says otherwise this is a move: the client is closed
    /// first, and its store refuses to open afterwards ([`Code::StoreMoved`]). To undo it, import
    /// the file. If the call fails the client may be closed, but its store can be opened and there
    /// is no file; a call that has run out of time fails with [`Code::TimedOut`].
    pub async fn export(
        &self,
        path: impl AsRef<Path>,
        passphrase: Passphrase,
        options: ExportOptions,
    ) -> Result<(), Error> {
        let time = options.timeout.unwrap_or(self.inner().options.request_timeout).min(LONGEST_TIMEOUT);
        let deadline = Instant::now() + time;
        let export = async {
            let store = self.store_file()?;
            self.inner().linked_account()?;
            let path = path.as_ref().to_owned();
            if path.try_exists().unwrap_or(false) {
                return Err(PlaceError::Exists.into());
            }
            if !options.keep {
                if time.is_zero() {
                    return Err(late());
                }
                match self.close(time / 2).await {
                    // Calls were cancelled, which they were told. If it is not closed the lock says so.
                    Err(error) if error.code() == Code::TimedOut => {}
                    closed => closed?,
                }
            }
            let engine = self.engine();
            off_the_runtime(&engine, move || export(&store, &path, &passphrase, options.keep, deadline)).await
        };
        export.await.map_err(|error| error.in_operation("export"))
    }

    /// Copies the store into a file that opens as a store, while the client goes on.
    ///
    /// A backup is for the day when the store is lost. Opened, it notices that it is a copy of
    /// something that went on: sessions are begun anew, and no message key is used twice. For a
    /// move to another place use [`export`](Self::export), which loses nothing.
    pub async fn backup(&self, path: impl AsRef<Path>, options: CallOptions) -> Result<(), Error> {
        let path = path.as_ref().to_owned();
        let engine = self.engine();
        let store = self.store_file().map_err(|error| error.in_operation("backup"))?;
        let backup =
            |_, _| async move { off_the_runtime(&engine, move || Ok(files::backup(&store, &path)?)).await };
        self.call("backup", options.timeout, backup).await
    }

    fn store_file(&self) -> Result<PathBuf, Error> {
        let file = self.inner().store.file().map(Path::to_owned);
        file.ok_or_else(|| Error::new(Code::NotSupported, "a store in memory cannot be copied"))
    }
}

async fn off_the_runtime<T: Send + 'static>(
    engine: &Engine,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match engine.handle().spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) if error.is_cancelled() => Err(crate::engine::closed()),
        Err(error) => Err(Error::new(Code::Internal, "the transfer panicked").because(error)),
    }
}

fn import(source: &ImportSource, store: &Path) -> Result<ImportReport, Error> {
    let taken = match source {
        ImportSource::Baileys { folder } => baileys::read(folder)?,
        ImportSource::Whatsmeow { database, account } => {
            whatsmeow::read(database, account.as_deref(), store)?
        }
        ImportSource::Export { file, passphrase } => return import_export(file, passphrase, store),
    };
    let (changes, carried, report) = taken.finish()?;
    files::create(store, &changes, &carried)?;
    Ok(report)
}

fn import_export(file: &Path, passphrase: &Passphrase, store: &Path) -> Result<ImportReport, Error> {
    let unreadable = |error: std::io::Error| ImportProblem::unreadable("the file", &error);
    let mut input = BufReader::new(File::open(file).map_err(unreadable)?);
    let mut header = Vec::with_capacity(HEADER);
    input.by_ref().take(HEADER as u64).read_to_end(&mut header).map_err(unreadable)?;
    let (header, key) = Header::open(&header, &passphrase.0)?;
    let mut content = Opener::new(&header, &key, input).map_err(unreadable)?;
    files::import(store, &mut content)?;
    // Opening it is what makes the copy safe; it is whole already.
    let opened = SqliteStore::open(store, true)?;
    let account = opened.account()?.ok_or(ImportProblem::NotLinked)?;
    opened.close();
    ImportReport::of(&account)
}

fn export(
    store: &Path,
    path: &Path,
    passphrase: &Passphrase,
    keep: bool,
    deadline: Instant,
) -> Result<(), Error> {
    // After the close nobody else may open it until it is marked.
    let lock = if keep { None } else { Some(files::lock_file(store)?) };
    let mut salt = [0; 16];
    getrandom::fill(&mut salt)
        .map_err(|error| Error::new(Code::Internal, "the system gave no randomness").because(error))?;
    let (header, key) = Header::new(&passphrase.0, Cost::USUAL, &salt)?;
    files::place_file(path, |new| {
        let file = BufWriter::new(Until { deadline, out: files::private_file(new)? });
        let mut out = Sealer::new(&header, &key, file)?;
        files::export(store, &mut out)?;
        out.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(())
    })?;
    if !keep {
        // The file is on the disk: from here on it is the link.
        files::mark_moved(store)?;
    }
    drop(lock);
    Ok(())
}

/// Refuses what is written after the deadline.
struct Until<W> {
    deadline: Instant,
    out: W,
}

impl<W: Write> Write for Until<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if Instant::now() >= self.deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn late() -> Error {
    Error::new(Code::TimedOut, "the file was not written in time")
}

impl From<SealedError> for Error {
    fn from(error: SealedError) -> Self {
        let code = match error {
            SealedError::NotAnExport | SealedError::TooCostly => Code::ImportRefused,
            SealedError::TooNew => Code::StoreTooNew,
            SealedError::Damaged | SealedError::CutShort => Code::ExportDamaged,
            SealedError::WrongPassphrase => Code::WrongPassphrase,
            SealedError::NoMemory => Code::Internal,
        };
        Self::new(code, error.to_string()).because(error)
    }
}

impl From<PlaceError> for Error {
    fn from(error: PlaceError) -> Self {
        use crate::store::sqlite::DumpError;
        match error {
            PlaceError::Exists => Self::new(Code::FileExists, "there is a file at the path already"),
            PlaceError::Store(error) | PlaceError::Dump(DumpError::Store(error)) => error.into(),
            PlaceError::Dump(DumpError::TooNew(layout)) => StoreError::TooNew(layout).into(),
            PlaceError::Dump(DumpError::Io(error)) if reason(&error).is_some() => {
                reason(&error).unwrap_or(SealedError::Damaged).into()
            }
            PlaceError::Io(error) | PlaceError::Dump(DumpError::Io(error))
                if error.kind() == io::ErrorKind::TimedOut =>
            {
                late().because(error)
            }
            PlaceError::Dump(error @ DumpError::Malformed(_)) => {
                Self::new(Code::ExportDamaged, "the exported file is damaged").because(error)
            }
            PlaceError::Dump(error @ DumpError::Io(_)) => {
                Self::new(Code::StoreFailed, "the file could not be read or written").because(error)
            }
            PlaceError::Io(error) => {
                Self::new(Code::StoreFailed, "the file could not be written").because(error)
            }
        }
    }
}

/// What the fuzz targets call.
#[doc(hidden)]
pub mod fuzzing {
    use super::sealed::header::Header;

    /// Reads the header of an export. Returns whether it is one.
    pub fn export_header(bytes: &[u8]) -> bool {
        Header::parse(bytes).is_ok()
    }

    /// Reads the decrypted content of an export. Returns whether it is one.
    pub fn export_rows(bytes: &[u8]) -> bool {
        crate::store::sqlite::rehearse(bytes).is_ok()
    }
}
