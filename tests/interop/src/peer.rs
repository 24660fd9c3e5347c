use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use crate::error::PeerError;
use crate::event::{Disconnected, Event, GroupChange, Identity, LoggedOut, Message, Receipt, Undecryptable};
use crate::inbox::{Inbox, Missing};
use crate::program::Program;

/// How long a test waits for an event or an answer: beyond the slowest step of either client (Baileys waits 20 s for
/// history after linking), so that a failure says something.
pub const DEADLINE: Duration = Duration::from_secs(40);

/// How a device without credentials is to be linked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "pair", rename_all = "snake_case")]
pub enum Pair {
    /// Not at all: the store holds credentials.
    None,
    /// By a code that a phone's camera reads.
    Qr,
    /// By a code that is typed on the phone with this number.
    Code {
        /// Digits with the country code.
        phone: String,
    },
}

/// Where a device connects and what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Start {
    url: String,
    root_key: String,
    root_serial: u32,
    store: PathBuf,
    #[serde(flatten)]
    pair: Pair,
    #[serde(skip_serializing_if = "Option::is_none")]
    media: Option<String>,
}

impl Start {
    /// A device that keeps its credentials in the folder `store` and trusts a service with this Noise root key.
    pub fn new(url: impl Into<String>, root_key: [u8; 32], store: impl Into<PathBuf>) -> Self {
        Self {
            url: url.into(),
            root_key: hex::encode(root_key),
            root_serial: 0,
            store: store.into(),
            pair: Pair::None,
            media: None,
        }
    }

    /// Link the device if it is not linked yet.
    #[must_use]
    pub fn pair(mut self, pair: Pair) -> Self {
        self.pair = pair;
        self
    }

    /// Fetch media and history from this origin, whatever host the client asks.
    #[must_use]
    pub fn media(mut self, origin: impl Into<String>) -> Self {
        self.media = Some(origin.into());
        self
    }
}

/// The message that another one answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Quote {
    /// Its id.
    pub id: String,
    /// Who sent it.
    pub sender: String,
    /// What it said.
    pub text: String,
}

/// A message that something is done to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// Its id.
    pub id: String,
    /// The peer wrote it.
    pub from_me: bool,
    /// Who wrote it.
    pub sender: String,
}

/// A message the service has taken.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sent {
    /// The id the client gave it.
    pub message_id: String,
    /// The service's time for it, seconds since 1970.
    pub timestamp: i64,
}

/// A group as the service describes it to the client.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct GroupInfo {
    /// What it is called.
    pub subject: String,
    /// `lid` or `pn`.
    pub addressing: String,
    /// Addresses of the members, as the group names them.
    pub members: Vec<String>,
}

/// A file on the media hosts. Bytes are hex.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MediaFile {
    /// Its address.
    pub url: String,
    /// Its path on any host.
    pub direct_path: String,
    /// Its key.
    pub media_key: String,
    /// Hash of the file.
    pub file_sha256: String,
    /// Hash of the encrypted file.
    pub file_enc_sha256: String,
    /// Length of the file.
    pub file_length: u64,
}

#[derive(Deserialize)]
struct Called {
    result: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Uploaded {
    direct_path: String,
}

#[derive(Deserialize)]
struct Created {
    group: String,
}

/// What a program says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Info {
    /// `baileys` or `whatsmeow`.
    pub client: String,
    /// The client library's version.
    pub version: String,
    /// The device's address by phone number, once linked.
    pub jid: Option<String>,
    /// The device's address by LID, once known.
    pub lid: Option<String>,
    /// Whether it is logged in and usable.
    pub connected: bool,
}

/// A running program around a client that is not ours; it ends when this is dropped.
#[derive(Debug)]
pub struct Peer {
    inbox: Arc<Inbox>,
    input: Mutex<ChildStdin>,
    child: Mutex<Child>,
    next_id: AtomicU64,
}

impl Peer {
    /// Starts the program, after building it if need be. It trusts the ordinary certificate authorities, which do for
    /// a `ws` address.
    pub async fn spawn(program: Program) -> Result<Self, PeerError> {
        Self::run(program.prepare().await?)
    }

    /// As [`Peer::spawn`], but trusting the certificate authority in this PEM file, for `wss` and `https` addresses.
    pub async fn spawn_trusting(program: Program, ca: &Path) -> Result<Self, PeerError> {
        let mut command = program.prepare().await?;
        command.env(program.ca_variable(), ca);
        Self::run(command)
    }

    fn run(command: std::process::Command) -> Result<Self, PeerError> {
        let mut child = Command::from(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let (Some(input), Some(output), Some(log)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(std::io::Error::other("the program has no pipes").into());
        };
        let inbox = Arc::new(Inbox::default());
        tokio::spawn(read_output(Arc::clone(&inbox), output));
        tokio::spawn(read_log(Arc::clone(&inbox), log));
        Ok(Self { inbox, input: Mutex::new(input), child: Mutex::new(child), next_id: AtomicU64::new(1) })
    }

    /// Opens the store and begins to connect; how that goes comes as events.
    pub async fn start(&self, start: &Start) -> Result<(), PeerError> {
        self.command("start", start).await.map(drop)
    }

    /// What the program says about itself.
    pub async fn info(&self) -> Result<Info, PeerError> {
        read(self.command("info", json!({})).await?)
    }

    /// Sends a text and waits for the service's ack.
    pub async fn send_text(&self, to: &str, text: &str) -> Result<Sent, PeerError> {
        read(self.command("send_text", json!({"to": to, "text": text})).await?)
    }

    /// Sends a text under an id of the test's choice and waits for the service's ack. A repetition
    /// under the same id is never a second message.
    pub async fn send_text_as(&self, id: &str, to: &str, text: &str) -> Result<Sent, PeerError> {
        read(self.command("send_text", json!({"to": to, "text": text, "messageId": id})).await?)
    }

    /// Sends a text that quotes a message and waits for the service's ack.
    pub async fn send_reply(&self, to: &str, text: &str, quote: &Quote) -> Result<Sent, PeerError> {
        read(self.command("send_text", json!({"to": to, "text": text, "quote": quote})).await?)
    }

    /// Sends a message that is made already.
    pub async fn send_raw(&self, to: &str, raw: &[u8]) -> Result<Sent, PeerError> {
        read(self.command("send_raw", json!({"to": to, "raw": hex::encode(raw)})).await?)
    }

    /// Posts a status that is made already. Who sees it is said here to Baileys; whatsmeow asks the service.
    pub async fn post_status(&self, audience: &[String], raw: &[u8]) -> Result<Sent, PeerError> {
        let arguments = json!({"to": "status@broadcast", "raw": hex::encode(raw), "audience": audience});
        read(self.command("send_raw", arguments).await?)
    }

    /// Sends what the client's own builders make.
    pub async fn send_built(
        &self,
        to: &str,
        kind: &str,
        text: &str,
        target: Option<&Target>,
    ) -> Result<Sent, PeerError> {
        read(
            self.command("send_built", json!({"to": to, "kind": kind, "text": text, "target": target}))
                .await?,
        )
    }

    /// The message with this id.
    pub async fn message_of(&self, id: &str) -> Result<Message, PeerError> {
        self.wait_for(&format!("the message {id}"), |event| match event {
            Event::Message(message) if message.id == id => Some(message.clone()),
            _ => None,
        })
        .await
    }

    /// Tells the sender that messages of a direct chat have been read.
    pub async fn mark_read(&self, chat: &str, ids: &[&str]) -> Result<(), PeerError> {
        self.command("mark_read", json!({"chat": chat, "ids": ids})).await.map(drop)
    }

    /// Tells `sender` that its messages in a group have been read.
    pub async fn mark_read_in_group(&self, chat: &str, sender: &str, ids: &[&str]) -> Result<(), PeerError> {
        self.command("mark_read", json!({"chat": chat, "ids": ids, "sender": sender})).await.map(drop)
    }

    /// Becomes `available` or `unavailable`.
    pub async fn send_presence(&self, state: &str) -> Result<(), PeerError> {
        self.command("send_presence", json!({"state": state})).await.map(drop)
    }

    /// Shows `composing`, `recording` or `paused` in a chat.
    pub async fn send_chat_presence(&self, to: &str, state: &str) -> Result<(), PeerError> {
        self.command("send_presence", json!({"state": state, "to": to})).await.map(drop)
    }

    /// Makes a group of these people and returns its address.
    pub async fn create_group(&self, subject: &str, members: &[&str]) -> Result<String, PeerError> {
        let answer = self.command("create_group", json!({"subject": subject, "members": members})).await?;
        Ok(read::<Created>(answer)?.group)
    }

    /// What the service says of a group.
    pub async fn group_info(&self, group: &str) -> Result<GroupInfo, PeerError> {
        read(self.command("group_info", json!({"group": group})).await?)
    }

    /// Does `add`, `remove`, `promote` or `demote` to people in a group.
    pub async fn change_members(&self, group: &str, action: &str, members: &[&str]) -> Result<(), PeerError> {
        let args = json!({"group": group, "action": action, "members": members});
        self.command("change_members", args).await.map(drop)
    }

    /// Leaves a group.
    pub async fn leave_group(&self, group: &str) -> Result<(), PeerError> {
        self.command("leave_group", json!({"group": group})).await.map(drop)
    }

    /// Encrypts and uploads the file at `path`, of a kind as the protocol names it.
    pub async fn upload_media(&self, kind: &str, path: &Path) -> Result<MediaFile, PeerError> {
        read(self.command("upload_media", json!({"kind": kind, "path": path})).await?)
    }

    /// Downloads and decrypts a file to `path`.
    pub async fn download_media(&self, kind: &str, file: &MediaFile, path: &Path) -> Result<(), PeerError> {
        let args = json!({"kind": kind, "file": file, "path": path});
        self.command("download_media", args).await.map(drop)
    }

    /// Asks the device's phone to upload the file of a message again, and returns the path at which it is then.
    pub async fn ask_for_media(
        &self,
        file: &MediaFile,
        chat: &str,
        id: &str,
        from_me: bool,
    ) -> Result<String, PeerError> {
        let args = json!({"file": file, "chat": chat, "id": id, "fromMe": from_me});
        Ok(read::<Uploaded>(self.command("ask_for_media", args).await?)?.direct_path)
    }

    /// Runs any method of the client under the client's own name, with its arguments as a JSON array.
    pub async fn call(&self, method: &str, arguments: Value) -> Result<Value, PeerError> {
        let answer = self.command("call", json!({"method": method, "arguments": arguments})).await?;
        Ok(read::<Called>(answer)?.result)
    }

    /// Builds a change of app state with one of the client's own functions and uploads it (whatsmeow only).
    pub async fn write_app_state(&self, builder: &str, arguments: Value) -> Result<(), PeerError> {
        self.command("write_app_state", json!({"method": builder, "arguments": arguments})).await.map(drop)
    }

    /// Waits for an event of the client, under the client's own name, that fits. It stays unread: Baileys puts what
    /// comes in one go into one event.
    pub async fn was_told(&self, name: &str, mut fits: impl FnMut(&Value) -> bool) -> Result<(), PeerError> {
        self.wait_to_see(&format!("the event {name}"), |event| match event {
            Event::Told { r#type, value } => r#type == name && fits(value),
            _ => false,
        })
        .await
    }

    /// Closes the connection and keeps the credentials.
    pub async fn disconnect(&self) -> Result<(), PeerError> {
        self.command("disconnect", json!({})).await.map(drop)
    }

    /// Connects again.
    pub async fn connect(&self) -> Result<(), PeerError> {
        self.command("connect", json!({})).await.map(drop)
    }

    /// Throws away the sessions with all devices of this address.
    pub async fn forget_session(&self, with: &str) -> Result<(), PeerError> {
        self.command("forget_session", json!({"with": with})).await.map(drop)
    }

    /// Unlinks the device.
    pub async fn logout(&self) -> Result<(), PeerError> {
        self.command("logout", json!({})).await.map(drop)
    }

    /// Ends the program in good order, e.g. to start another one with the same store.
    pub async fn quit(&self) -> Result<(), PeerError> {
        self.command("quit", json!({})).await?;
        let Ok(ended) = timeout_at(Instant::now() + DEADLINE, self.child.lock().await.wait()).await else {
            return Err(self.deadline("the end of the program"));
        };
        ended?;
        Ok(())
    }

    /// Ends the program as a crash would.
    pub async fn kill(&self) -> Result<(), PeerError> {
        Ok(self.child.lock().await.kill().await?)
    }

    /// Waits for the first unread event from which `pick` makes something, and takes it out; other events stay unread,
    /// so the order in which a test asks does not matter. `what` is for the failure report.
    pub async fn wait_for<T>(
        &self,
        what: &str,
        pick: impl FnMut(&Event) -> Option<T>,
    ) -> Result<T, PeerError> {
        self.wait(what, pick, true).await
    }

    /// As [`Peer::wait_for`], but the event stays unread: one receipt, for example, speaks of many messages.
    pub async fn wait_to_see(
        &self,
        what: &str,
        mut fits: impl FnMut(&Event) -> bool,
    ) -> Result<(), PeerError> {
        self.wait(what, |event| fits(event).then_some(()), false).await
    }

    async fn wait<T>(
        &self,
        what: &str,
        mut pick: impl FnMut(&Event) -> Option<T>,
        take: bool,
    ) -> Result<T, PeerError> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            // Armed before looking, so that nothing slips in between.
            let mut changed = pin!(self.inbox.changed());
            changed.as_mut().enable();
            match self.inbox.find(&mut pick, take) {
                Ok(picked) => return Ok(picked),
                Err(Missing::Ended) => return Err(self.ended(what)),
                Err(Missing::NotYet) => {}
            }
            if timeout_at(deadline, changed).await.is_err() {
                return Err(self.deadline(what));
            }
        }
    }

    /// Takes the oldest unread event out, whatever it is, and waits for as long as it takes; `None`
    /// when the program has ended.
    pub async fn next_event(&self) -> Option<Event> {
        loop {
            let mut changed = pin!(self.inbox.changed());
            changed.as_mut().enable();
            match self.inbox.find(|event| Some(event.clone()), true) {
                Ok(event) => return Some(event),
                Err(Missing::Ended) => return None,
                Err(Missing::NotYet) => changed.await,
            }
        }
    }

    /// The events that nobody has waited for, oldest first, e.g. to see that something did not happen.
    pub fn unread(&self) -> Vec<Event> {
        self.inbox.unread()
    }

    /// The next linking code to show.
    pub async fn qr(&self) -> Result<String, PeerError> {
        self.wait_for("a QR code", |event| match event {
            Event::Qr { text } => Some(text.clone()),
            _ => None,
        })
        .await
    }

    /// The code to type on the phone.
    pub async fn pairing_code(&self) -> Result<String, PeerError> {
        self.wait_for("a pairing code", |event| match event {
            Event::PairingCode { code } => Some(code.clone()),
            _ => None,
        })
        .await
    }

    /// The end of linking, with the addresses the device got.
    pub async fn linked(&self) -> Result<Identity, PeerError> {
        self.wait_for("the end of linking", |event| match event {
            Event::Linked(identity) => Some(identity.clone()),
            _ => None,
        })
        .await
    }

    /// A login.
    pub async fn connected(&self) -> Result<Identity, PeerError> {
        self.wait_for("a login", |event| match event {
            Event::Connected(identity) => Some(identity.clone()),
            _ => None,
        })
        .await
    }

    /// The delivery of everything that waited for the device.
    pub async fn caught_up(&self) -> Result<(), PeerError> {
        self.wait_for("the end of the offline queue", |event| {
            matches!(event, Event::CaughtUp { .. }).then_some(())
        })
        .await
    }

    /// A lost connection.
    pub async fn disconnected(&self) -> Result<Disconnected, PeerError> {
        self.wait_for("a lost connection", |event| match event {
            Event::Disconnected(disconnected) => Some(disconnected.clone()),
            _ => None,
        })
        .await
    }

    /// The end of the link.
    pub async fn logged_out(&self) -> Result<LoggedOut, PeerError> {
        self.wait_for("the end of the link", |event| match event {
            Event::LoggedOut(logged_out) => Some(logged_out.clone()),
            _ => None,
        })
        .await
    }

    /// The report of this change in a group.
    pub async fn group_change(&self, group: &str, change: &str) -> Result<GroupChange, PeerError> {
        self.wait_for(&format!("{change} in {group}"), |event| match event {
            Event::Group(reported) if reported.chat == group && reported.change == change => {
                Some(reported.clone())
            }
            _ => None,
        })
        .await
    }

    /// A message with this text.
    pub async fn message(&self, text: &str) -> Result<Message, PeerError> {
        self.wait_for(&format!("the message {text:?}"), |event| match event {
            Event::Message(message) if message.text.as_deref() == Some(text) => Some(message.clone()),
            _ => None,
        })
        .await
    }

    /// The report that the message with this id could not be decrypted.
    pub async fn undecryptable(&self, id: &str) -> Result<Undecryptable, PeerError> {
        self.wait_for(&format!("a failed decryption of {id}"), |event| match event {
            Event::Undecryptable(message) if message.id == id => Some(message.clone()),
            _ => None,
        })
        .await
    }

    /// A receipt of this type (`delivered`, `read`, …) for the message with this id.
    pub async fn receipt(&self, id: &str, r#type: &str) -> Result<Receipt, PeerError> {
        self.wait_for(&format!("a {type} receipt for {id}"), |event| match event {
            Event::Receipt(receipt) if receipt.r#type == r#type && receipt.ids.iter().any(|i| i == id) => {
                Some(receipt.clone())
            }
            _ => None,
        })
        .await
    }

    async fn command(&self, cmd: &str, args: impl Serialize) -> Result<Value, PeerError> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let answer = self.inbox.expect_answer(id);
        let line = format!("{}\n", json!({"id": id, "cmd": cmd, "args": args}));
        self.input.lock().await.write_all(line.as_bytes()).await?;
        let what = format!("an answer to {cmd}");
        match timeout_at(Instant::now() + DEADLINE, answer).await {
            Ok(Ok(Ok(answer))) => Ok(answer),
            Ok(Ok(Err(reason))) => Err(PeerError::Refused { command: cmd.to_owned(), reason }),
            Ok(Err(_)) => Err(self.ended(&what)),
            Err(_) => Err(self.deadline(&what)),
        }
    }

    fn deadline(&self, what: &str) -> PeerError {
        let (what, unread, log) = self.report(what);
        PeerError::Deadline { what, unread, log }
    }

    fn ended(&self, what: &str) -> PeerError {
        let (what, unread, log) = self.report(what);
        PeerError::Ended { what, unread, log }
    }

    fn report(&self, what: &str) -> (String, String, String) {
        let mut unread = String::new();
        for event in self.inbox.unread() {
            // Writing to a string does not fail.
            let _ = write!(unread, "\n  {event:?}");
        }
        (what.to_owned(), unread, self.inbox.log())
    }
}

fn read<T: DeserializeOwned>(answer: Value) -> Result<T, PeerError> {
    T::deserialize(&answer).map_err(|source| PeerError::Protocol { line: answer.to_string(), source })
}

async fn read_output(inbox: Arc<Inbox>, output: impl AsyncRead + Unpin) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Err(error) = inbox.take_line(&line) {
            inbox.take_log(format!("unreadable line on standard output ({error}): {line}"));
            break;
        }
    }
    inbox.end();
}

async fn read_log(inbox: Arc<Inbox>, log: impl AsyncRead + Unpin) {
    // Who asks for more than the default wants to read it.
    let echo = std::env::var_os("PEER_LOG").is_some();
    let mut lines = BufReader::new(log).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if echo {
            eprintln!("{line}");
        }
        inbox.take_log(line);
    }
}
