//! The server as a program: its README, and its sudden death.

mod killed;
mod readme;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A program that runs. Dropping it kills it.
struct Program {
    child: Child,
    /// Where it listens.
    url: String,
    /// The sandbox's control API, if it has one.
    control: Option<String>,
}

impl Program {
    /// Starts the program and waits until it listens.
    fn start(arguments: &[&str], data: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_whimbrel-rest"))
            .args(arguments)
            .args(["--listen", "127.0.0.1:0", "--log-format", "text", "--data"])
            .arg(data)
            .env("WHIMBREL_LOG", "error")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut said = |words: &str| {
            let line = lines.next().expect("it ended").unwrap();
            line.strip_prefix(words).unwrap_or_else(|| panic!("{line}")).to_owned()
        };
        let url = said("listening at ");
        let control = arguments.contains(&"--sandbox").then(|| said("sandbox control at "));
        Self { child, url, control }
    }

    /// Ends it without a word.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have been killed already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
