//! `cargo xtask demo`: a sandbox, and a Python, a Node.js and a C program that link to simulated
//! phones and chat with each other and with a phone.

mod program;
mod sandbox;
mod setup;
mod transcript;

use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{TaskResult, workspace};
use program::{Notice, Running};
use sandbox::{Phone, Sandbox};
use setup::Scratch;
use transcript::Transcript;

/// How long everything after the build may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Builds what is needed and plays the demo.
pub(crate) fn run(arguments: &[String]) -> TaskResult {
    if let Some(argument) = arguments.first() {
        return Err(format!("\"{argument}\" is not understood; there is nothing to choose"));
    }
    play(&workspace::root()?)
}

/// The demo.
pub(crate) fn play(root: &Path) -> TaskResult {
    println!("Building the sandbox, the engine and its packages.");
    setup::build(root)?;
    let scratch = Scratch::new()?;
    let programs = [
        ("Python", setup::python_program(root)?),
        ("Node", setup::node_program(root)?),
        ("C", setup::c_program(root, &scratch)?),
    ];

    let started = Instant::now();
    let sandbox = Sandbox::start(&crate::test::build_folder(root).join("whimbrel-sandbox"))?;
    let ready = scratch.path("ready.json");
    std::fs::write(&ready, &sandbox.ready_line).map_err(|error| format!("{}: {error}", ready.display()))?;
    let (notices, noticed) = channel();
    let mut room = Room { people: Vec::new(), noticed, untold: Vec::new(), deadline: started + LIMIT };
    for (name, mut command) in programs {
        let store = scratch.path(&format!("{name}.db"));
        command.arg("--json").arg("--sandbox").arg(&ready).arg("--store").arg(store);
        room.seat_program(name, sandbox.phone(name)?, &mut command, &notices)?;
    }
    room.seat_phone("Dana", sandbox.phone("Dana")?, notices);

    room.link()?;
    let transcript = room.talk()?;
    room.leave()?;
    match sandbox.violations()?.first() {
        None => println!("\n{}", transcript.summary(started.elapsed())),
        Some(violation) => return Err(format!("the sandbox saw a breach of the protocol: {violation}")),
    }
    Ok(())
}

/// Somebody who sends and receives texts.
struct Person {
    name: &'static str,
    phone: Phone,
    /// The program that is linked to the phone; without one, the phone is used itself.
    program: Option<Running>,
}

/// Everybody, and what they tell.
struct Room {
    people: Vec<Person>,
    noticed: Receiver<Notice>,
    /// What was told while something else was waited for.
    untold: Vec<Notice>,
    deadline: Instant,
}

impl Room {
    fn seat_program(
        &mut self,
        name: &'static str,
        phone: Phone,
        command: &mut Command,
        notices: &Sender<Notice>,
    ) -> TaskResult {
        let mut program = Running::start(command)?;
        program.report(self.people.len(), notices.clone());
        self.people.push(Person { name, phone, program: Some(program) });
        Ok(())
    }

    fn seat_phone(&mut self, name: &'static str, phone: Phone, notices: Sender<Notice>) {
        let (who, watched) = (self.people.len(), phone.clone());
        std::thread::spawn(move || watch(&watched, who, &notices));
        self.people.push(Person { name, phone, program: None });
    }

    /// Shows every program's code, lets its phone scan it, and waits until all are online.
    fn link(&mut self) -> TaskResult {
        let programs = self.people.iter().enumerate().filter(|(_, person)| person.program.is_some());
        let programs: Vec<_> =
            programs.map(|(who, person)| (who, person.name, person.phone.clone())).collect();
        for (who, name, phone) in &programs {
            let qr = self.wait_for(*who, "a QR code", |told| member(told, "event") == "qr")?.1;
            println!("\n{}", member(&qr, "drawing"));
            println!("This is the {name} program's code; the phone {} scans it.", phone.number);
            phone.scan(member(&qr, "text"))?;
        }
        println!();
        for (who, name, _) in &programs {
            let online = self.wait_for(*who, "its link", |told| member(told, "event") == "online")?.1;
            println!("{name} is online as {}.", member(&online, "phone"));
        }
        Ok(())
    }

    /// Everybody sends a text to everybody else.
    fn talk(&mut self) -> Result<Transcript, String> {
        println!();
        let mut transcript = Transcript::default();
        for from in 0..self.people.len() {
            for to in 0..self.people.len() {
                if from != to {
                    self.exchange(from, to, &mut transcript)?;
                }
            }
        }
        Ok(transcript)
    }

    /// One text, from the command to its arrival.
    fn exchange(&mut self, from: usize, to: usize, transcript: &mut Transcript) -> TaskResult {
        let (Some(receiver), Some(sender)) = (self.people.get(to), self.people.get(from)) else {
            return Err(String::from("somebody left"));
        };
        let (author, number) = (sender.phone.clone(), receiver.phone.number.clone());
        let (sender_name, receiver_name) = (sender.name, receiver.name);
        let text = format!("Hello {receiver_name}, \"{sender_name}\" here 👋");

        let begun = Instant::now();
        let sender = self.people.get_mut(from).and_then(|person| person.program.as_mut());
        let by_program = sender.is_some();
        match sender {
            Some(program) => program.command(&format!("{number} {text}"))?,
            None => author.send(&number, &text)?,
        }
        let arrived = |told: &Value| {
            member(told, "event") == "message"
                && member(told, "text") == text
                && author.is(member(told, "from"))
        };
        let (at, _) = self.wait_for(to, &format!("the text from {sender_name}"), arrived)?;
        transcript.arrived(sender_name, receiver_name, &text, at.saturating_duration_since(begun));
        if by_program {
            let sent = |told: &Value| member(told, "event") == "sent" && member(told, "text") == text;
            self.wait_for(from, &format!("the service to have the text to {receiver_name}"), sent)?;
        }
        Ok(())
    }

    /// Ends the programs.
    fn leave(&mut self) -> TaskResult {
        self.people.iter_mut().filter_map(|person| person.program.take()).try_for_each(Running::finish)
    }

    /// Waits until somebody tells something; that is returned with its time.
    fn wait_for(
        &mut self,
        who: usize,
        what: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Result<(Instant, Value), String> {
        let is_it = |notice: &Notice| notice.who == who && notice.what.as_ref().is_ok_and(&wanted);
        loop {
            if let Some(place) = self.untold.iter().position(is_it) {
                let Notice { at, what, .. } = self.untold.swap_remove(place);
                return what.map(|told| (at, told));
            }
            let left = self.deadline.saturating_duration_since(Instant::now());
            let notice = self.noticed.recv_timeout(left).map_err(|_| {
                format!("{} waits for {what}, and {} s are over", self.name(who), LIMIT.as_secs())
            })?;
            match &notice.what {
                Err(reason) => {
                    return Err(format!(
                        "{}: {reason} ({} waits for {what})",
                        self.name(notice.who),
                        self.name(who)
                    ));
                }
                Ok(told) if member(told, "event").starts_with("not_") => {
                    return Err(format!("{}: {told}", self.name(notice.who)));
                }
                Ok(_) => self.untold.push(notice),
            }
        }
    }

    fn name(&self, who: usize) -> &'static str {
        self.people.get(who).map_or("somebody", |person| person.name)
    }
}

/// Reports the texts that a phone receives, as the programs report theirs.
fn watch(phone: &Phone, who: usize, notices: &Sender<Notice>) {
    let mut after = 0;
    loop {
        let found = phone.messages(after);
        let at = Instant::now();
        let told = match found {
            Ok(messages) => messages,
            Err(reason) => {
                // Nobody listens any more if the demo is over.
                let _ = notices.send(Notice { who, at, what: Err(reason) });
                return;
            }
        };
        for message in told {
            after = message.get("seq").and_then(Value::as_u64).unwrap_or(after);
            let what = json!({
                "event": "message",
                "from": member(&message, "author"),
                "text": member(&message, "text"),
            });
            if notices.send(Notice { who, at, what: Ok(what) }).is_err() {
                return;
            }
        }
    }
}

/// A member of an object that is text; empty if there is none.
fn member<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(limit: Duration) -> (Room, Sender<Notice>) {
        let (notices, noticed) = channel();
        let deadline = Instant::now() + limit;
        (Room { people: Vec::new(), noticed, untold: Vec::new(), deadline }, notices)
    }

    fn tell(notices: &Sender<Notice>, who: usize, what: Result<Value, String>) {
        notices.send(Notice { who, at: Instant::now(), what }).unwrap();
    }

    #[test]
    fn what_is_told_early_is_kept_for_whoever_waits_for_it_later() {
        let (mut room, notices) = room(LIMIT);
        tell(&notices, 1, Ok(json!({ "event": "qr", "text": "second" })));
        tell(&notices, 0, Ok(json!({ "event": "qr", "text": "first" })));
        for (who, text) in [(0, "first"), (1, "second")] {
            let (_, told) = room.wait_for(who, "a QR code", |told| member(told, "event") == "qr").unwrap();
            assert_eq!(member(&told, "text"), text);
        }
    }

    #[test]
    fn a_failure_of_anybody_ends_the_wait() {
        let failures = [
            Err("it ended".into()),
            Ok(json!({ "event": "not_sent", "reason": "no connection" })),
            Ok(json!({ "event": "not_linked", "reason": "codes_expired" })),
        ];
        for failure in failures {
            let (mut room, notices) = room(LIMIT);
            tell(&notices, 1, failure);
            assert!(room.wait_for(0, "a text", |_| true).is_err());
        }
        let (mut room, _notices) = room(Duration::ZERO);
        let late = room.wait_for(0, "a text", |_| true).unwrap_err();
        assert_eq!(late, "somebody waits for a text, and 60 s are over");
    }
}
