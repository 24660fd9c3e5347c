//! Programs that run beside this one: they take lines, print lines, and end when their input does.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::TaskResult;

/// How long a program may take to end after its input has.
const END: Duration = Duration::from_secs(10);

/// What somebody in the demo told.
pub(super) struct Notice {
    /// Who: a place in the list of people.
    pub(super) who: usize,
    /// When the line was here.
    pub(super) at: Instant,
    /// The line; or, at the end, why there are no more.
    pub(super) what: Result<Value, String>,
}

/// A running program. If it still runs when this value is dropped, it is killed.
pub(super) struct Running {
    name: String,
    child: Child,
    input: Option<ChildStdin>,
    output: Option<BufReader<ChildStdout>>,
}

impl Running {
    /// Starts a program.
    pub(super) fn start(command: &mut Command) -> Result<Self, String> {
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("{name}: {error}"))?;
        let (input, output) = (child.stdin.take(), child.stdout.take().map(BufReader::new));
        Ok(Self { name, child, input, output })
    }

    /// The first line that it prints.
    pub(super) fn first_line(&mut self) -> Result<String, String> {
        let mut line = String::new();
        if let Some(output) = &mut self.output {
            output.read_line(&mut line).map_err(|error| format!("{}: {error}", self.name))?;
        }
        if line.is_empty() { Err(format!("{} ended at once", self.name)) } else { Ok(line) }
    }

    /// Reports the lines of JSON that it prints from now on.
    pub(super) fn report(&mut self, who: usize, notices: Sender<Notice>) {
        let Some(output) = self.output.take() else { return };
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let at = Instant::now();
                let what = serde_json::from_str(&line).map_err(|_| format!("it printed no JSON: {line}"));
                if notices.send(Notice { who, at, what }).is_err() {
                    return;
                }
            }
            // Whoever is gone does not miss this.
            let _ = notices.send(Notice { who, at: Instant::now(), what: Err("it ended".into()) });
        });
    }

    /// Gives it a line.
    pub(super) fn command(&mut self, line: &str) -> TaskResult {
        let Some(input) = &mut self.input else { return Err(format!("{} has no input", self.name)) };
        // In one write, so that it comes in one read.
        input.write_all(format!("{line}\n").as_bytes()).map_err(|error| format!("{}: {error}", self.name))
    }

    /// Ends its input and waits until it has ended by itself.
    pub(super) fn finish(mut self) -> TaskResult {
        drop(self.input.take());
        let deadline = Instant::now() + END;
        while Instant::now() < deadline {
            match self.child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => return Err(format!("{} ended with {status}", self.name)),
                Ok(None) => std::thread::sleep(Duration::from_millis(5)),
                Err(error) => return Err(format!("{}: {error}", self.name)),
            }
        }
        Err(format!("{} did not end within {} s", self.name, END.as_secs()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only if it has ended, and been waited for, already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    fn script(text: &str) -> Running {
        Running::start(Command::new("sh").args(["-c", text])).unwrap()
    }

    #[test]
    fn takes_lines_tells_lines_and_ends_with_its_input() {
        let mut program = script("echo ready; cat");
        assert_eq!(program.first_line().unwrap(), "ready\n");
        let (notices, noticed) = channel();
        program.report(7, notices);
        program.command(r#"{"event":"online"}"#).unwrap();
        let notice = noticed.recv_timeout(END).unwrap();
        assert_eq!((notice.who, notice.what.unwrap().to_string()), (7, r#"{"event":"online"}"#.into()));
        program.finish().unwrap();
        assert_eq!(noticed.recv_timeout(END).unwrap().what.unwrap_err(), "it ended");
    }

    #[test]
    fn a_program_that_fails_is_named() {
        assert_eq!(script("exit 3").first_line().unwrap_err(), "sh ended at once");
        assert!(script("exit 3").finish().unwrap_err().starts_with("sh ended with exit status: 3"));
        assert!(Running::start(&mut Command::new("/nowhere/chat")).is_err());
    }
}
