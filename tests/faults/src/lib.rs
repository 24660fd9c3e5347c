//! What the programs have in common that the fault tests run and kill.

mod folder;
mod orders;

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use whimbrel::Endpoint;

pub use folder::Folder;
pub use orders::{Note, Order, Report};

/// Why a program under test stopped.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Where the sandbox is. `root` is its Noise root key in hex.
///
/// # Errors
/// When the key is not 32 octets in hex.
pub fn endpoint(url: String, root: &str) -> Result<Endpoint, Failure> {
    let bytes: Vec<u8> = root
        .as_bytes()
        .chunks(2)
        .map(|digits| u8::from_str_radix(std::str::from_utf8(digits)?, 16).map_err(Failure::from))
        .collect::<Result<_, _>>()?;
    let mut endpoint = Endpoint::default();
    endpoint.url = url;
    endpoint.noise_root = Some((bytes.try_into().map_err(|_| "the root key is not 32 octets")?, 0));
    Ok(endpoint)
}

/// Lines that survive a kill: written to the file before anything follows from them.
pub struct Notes(File);

impl Notes {
    /// Opens the file, and goes on at its end.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        Ok(Self(OpenOptions::new().create(true).append(true).open(path)?))
    }

    /// Adds a line.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&mut self, line: &str) -> Result<(), Failure> {
        // One write: a kill leaves the whole line or nothing.
        self.0.write_all(format!("{line}\n").as_bytes())?;
        Ok(())
    }
}
