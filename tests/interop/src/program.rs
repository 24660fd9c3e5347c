use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use tokio::sync::OnceCell;

use crate::error::PeerError;

/// Which client a peer runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// Baileys, under Node.
    Baileys,
    /// whatsmeow, compiled with Go.
    Whatsmeow,
}

impl Program {
    /// Both, for tests that hold for any client.
    pub const ALL: [Program; 2] = [Program::Baileys, Program::Whatsmeow];

    /// The environment variable by which the client learns of a certificate authority.
    pub(crate) fn ca_variable(self) -> &'static str {
        match self {
            Program::Baileys => "NODE_EXTRA_CA_CERTS",
            Program::Whatsmeow => "SSL_CERT_FILE",
        }
    }

    /// Builds or installs the program, once per process, and returns the command that runs it.
    pub(crate) async fn prepare(self) -> Result<Command, PeerError> {
        static BAILEYS: OnceCell<()> = OnceCell::const_new();
        static WHATSMEOW: OnceCell<()> = OnceCell::const_new();
        match self {
            Program::Baileys => {
                BAILEYS.get_or_try_init(|| blocking(install_baileys)).await?;
                let mut command = Command::new("node");
                command.arg(peers().join("baileys/peer.mjs"));
                Ok(command)
            }
            Program::Whatsmeow => {
                WHATSMEOW.get_or_try_init(|| blocking(build_whatsmeow)).await?;
                Ok(Command::new(whatsmeow_binary()))
            }
        }
    }
}

async fn blocking(work: fn() -> Result<(), PeerError>) -> Result<(), PeerError> {
    let done = tokio::task::spawn_blocking(move || {
        // Test programs may run side by side; only one of them installs.
        let lock = File::create(artifacts()?.join("lock"))?;
        lock.lock()?;
        work()
    });
    done.await.map_err(io::Error::other)?
}

fn install_baileys() -> Result<(), PeerError> {
    let folder = peers().join("baileys");
    let wanted = fs::read(folder.join("package-lock.json"))?;
    let installed = folder.join("node_modules/.installed-package-lock.json");
    if fs::read(&installed).is_ok_and(|lock| lock == wanted) {
        return Ok(());
    }
    run(Command::new("npm").args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder))?;
    fs::write(installed, wanted)?;
    Ok(())
}

fn build_whatsmeow() -> Result<(), PeerError> {
    run(Command::new("go")
        .args(["build", "-mod=readonly", "-trimpath", "-o"])
        .arg(whatsmeow_binary())
        .arg(".")
        .env("CGO_ENABLED", "0")
        .current_dir(peers().join("whatsmeow")))
}

fn run(command: &mut Command) -> Result<(), PeerError> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let output = [output.stdout, output.stderr].concat();
    Err(PeerError::Prepare {
        command: format!("{command:?}"),
        output: String::from_utf8_lossy(&output).into_owned(),
    })
}

fn peers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")
}

/// The folder for what is built, beside Cargo's own.
fn artifacts() -> io::Result<PathBuf> {
    let folder = target().join("interop");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn whatsmeow_binary() -> PathBuf {
    target().join("interop").join(format!("whatsmeow-peer{}", std::env::consts::EXE_SUFFIX))
}

fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"),
    }
}
