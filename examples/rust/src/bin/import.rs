//! Makes a store of a link from elsewhere, and says what was taken over.
//!
//! ```text
//! import baileys FOLDER STORE
//! import whatsmeow DATABASE STORE [PHONE NUMBER]
//! import export FILE STORE          (the passphrase is read from standard input)
//! ```
//!
//! Stop the program that used the link before, for good.

use std::error::Error;
use std::process::ExitCode;

use whimbrel::{Engine, EngineOptions, ImportSource};

const USAGE: &str =
    "usage: import baileys FOLDER STORE | import whatsmeow DATABASE STORE [PHONE] | import export FILE STORE";

fn run() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (source, store) = match *arguments.as_slice() {
        ["baileys", folder, store] => (ImportSource::Baileys { folder: folder.into() }, store),
        ["whatsmeow", database, store, ref account @ ..] if account.len() <= 1 => {
            let account = account.first().map(|account| (*account).to_owned());
            (ImportSource::Whatsmeow { database: database.into(), account }, store)
        }
        ["export", file, store] => {
            let mut line = String::new();
            std::io::stdin().read_line(&mut line)?;
            let passphrase = line.trim_end_matches(['\r', '\n']).into();
            (ImportSource::Export { file: file.into(), passphrase }, store)
        }
        _ => return Err(USAGE.into()),
    };
    let report = Engine::new(EngineOptions::default())?.import(source, store)?;
    println!("{store} is device {} of {}", report.device, report.identity.id);
    for taken in report.taken {
        println!("taken over: {} {}", taken.count, taken.what);
    }
    for left in report.left_out {
        println!("left out: {} {}: {}", left.count, left.what, left.why);
    }
    for warning in report.warnings {
        println!("warning: {warning}");
    }
    Ok(())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
