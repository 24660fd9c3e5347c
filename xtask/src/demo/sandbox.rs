//! The sandbox program and its control API.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::program::Running;

/// How long an answer may take; linking and sending are done when it comes.
const ANSWER: Duration = Duration::from_secs(30);

/// How long a request for messages waits for the next one.
const LONG_POLL: Duration = Duration::from_secs(20);

/// The running sandbox. It ends with this value, or with this process.
pub(super) struct Sandbox {
    _running: Running,
    /// What it printed when it was ready.
    pub(super) ready_line: String,
    control: Control,
}

/// The control API's address.
#[derive(Clone)]
pub(super) struct Control(String);

/// A simulated phone.
#[derive(Clone)]
pub(super) struct Phone {
    control: Control,
    /// Its number.
    pub(super) number: String,
    /// Its account's address, by hidden id.
    lid: String,
}

impl Sandbox {
    /// Starts the program.
    pub(super) fn start(program: &Path) -> Result<Self, String> {
        let mut running = Running::start(Command::new(program).args(["--exit-with-parent", "--strict"]))?;
        let ready_line = running.first_line()?;
        let ready: Value = serde_json::from_str(&ready_line)
            .map_err(|error| format!("the sandbox's first line: {error}"))?;
        let control = text(&ready, "control")?;
        let control = Control(control.trim_start_matches("http://").to_owned());
        Ok(Self { _running: running, ready_line, control })
    }

    /// Makes a phone.
    pub(super) fn phone(&self, name: &str) -> Result<Phone, String> {
        let view = self.control.ask("POST", "/phones", Some(&json!({ "name": name })))?;
        Ok(Phone { control: self.control.clone(), number: text(&view, "phone")?, lid: text(&view, "lid")? })
    }

    /// What a strict service would not have accepted.
    pub(super) fn violations(&self) -> Result<Vec<Value>, String> {
        items(self.control.ask("GET", "/violations", None)?)
    }
}

impl Phone {
    /// Scans a QR code, and returns when the device is linked.
    pub(super) fn scan(&self, qr: &str) -> Result<(), String> {
        self.ask("POST", "scan", Some(&json!({ "qr": qr }))).map(drop)
    }

    /// Sends a text, and returns when the service has it.
    pub(super) fn send(&self, to: &str, text: &str) -> Result<(), String> {
        self.ask("POST", "send", Some(&json!({ "to": to, "text": text }))).map(drop)
    }

    /// Whether this is the phone's number, or an address of its account or one of its devices.
    pub(super) fn is(&self, who: &str) -> bool {
        let account = |address: &str| address.split(['@', ':']).next().map(str::to_owned);
        who == self.number || account(who) == account(&self.lid)
    }

    /// The messages after the one with this number, waiting a while if there are none.
    pub(super) fn messages(&self, after: u64) -> Result<Vec<Value>, String> {
        let what = format!("messages?after={after}&wait_ms={}", LONG_POLL.as_millis());
        items(self.ask("GET", &what, None)?)
    }

    fn ask(&self, method: &str, what: &str, body: Option<&Value>) -> Result<Value, String> {
        self.control.ask(method, &format!("/phones/{}/{what}", self.number), body)
    }
}

impl Control {
    /// One request, on a connection of its own.
    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, String> {
        let wrong = |reason: String| format!("the sandbox's {method} {path}: {reason}");
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.0,
            body.len()
        );
        let exchange = || {
            let mut stream = TcpStream::connect(&self.0)?;
            stream.set_read_timeout(Some(ANSWER))?;
            stream.write_all(request.as_bytes())?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        let answer: String = exchange().map_err(|error: std::io::Error| wrong(error.to_string()))?;
        parse(&answer).map_err(wrong)
    }
}

/// The JSON of an answer, or the reason of a refusal.
fn parse(answer: &str) -> Result<Value, String> {
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("the answer has no end of headers")?;
    let status = head.split(' ').nth(1).unwrap_or_default();
    if !status.starts_with('2') {
        return Err(format!("{status} {body}"));
    }
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(body).map_err(|error| error.to_string())
}

fn text(value: &Value, name: &str) -> Result<String, String> {
    let found = value.get(name).and_then(Value::as_str).map(str::to_owned);
    found.ok_or_else(|| format!("the sandbox's answer has no {name}"))
}

fn items(mut answer: Value) -> Result<Vec<Value>, String> {
    match answer.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => Ok(items),
        _ => Err(String::from("the sandbox's answer is no list")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_a_phone_by_every_address() {
        let control = Control(String::new());
        let phone = Phone { control, number: "15550101".into(), lid: "1001@lid".into() };
        assert!(["15550101", "1001@lid", "1001:3@lid"].iter().all(|who| phone.is(who)));
        assert!(["", "15550102", "10010@lid"].iter().all(|who| !phone.is(who)));
    }

    #[test]
    fn reads_answers_and_refusals() {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json";
        assert_eq!(parse(&format!("{head}\r\n\r\n{{\"id\":\"1\"}}")).unwrap(), json!({ "id": "1" }));
        assert_eq!(parse("HTTP/1.1 204 No Content\r\n\r\n").unwrap(), Value::Null);
        assert_eq!(parse("HTTP/1.1 404 Not Found\r\n\r\nno phone").unwrap_err(), "404 no phone");
        assert!(parse("HTTP/1.1 200 OK\r\n").is_err());
    }
}
