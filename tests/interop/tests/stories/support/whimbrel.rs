use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};
use whimbrel::events::{EventKind, ReceiptKind};
use whimbrel::{
    CallOptions, Client, ClientOptions, Engine, EngineOptions, EventStream, ExportOptions, MessageKey,
    SendOptions, parse_address,
};
use whimbrel_interop::DEADLINE;
use whimbrel_sandbox::Sandbox;

use super::Heard;

/// A client of ours as an application uses it: calls, and a task that takes the events.
pub(crate) struct Whimbrel {
    sandbox: Sandbox,
    store: PathBuf,
    events: Arc<Events>,
    running: Mutex<Running>,
}

#[derive(Clone)]
struct Running {
    client: Client,
    /// Its threads end with it.
    engine: Engine,
}

#[derive(Default)]
struct Events {
    unread: Mutex<VecDeque<EventKind>>,
    changed: Notify,
    /// Number of the newest event: after a restart the engine offers again what it does not know to have been taken.
    newest: AtomicU64,
}

impl Events {
    async fn take_from(self: Arc<Self>, mut stream: EventStream) {
        while let Some(event) = stream.next().await {
            if event.sequence.is_some_and(|number| self.newest.fetch_max(number, Ordering::Relaxed) >= number)
            {
                continue;
            }
            self.unread.lock().unwrap().push_back(event.kind);
            self.changed.notify_waiters();
        }
    }

    fn find<T>(&self, pick: &mut impl FnMut(&EventKind) -> Option<T>, take: bool) -> Option<T> {
        let mut unread = self.unread.lock().unwrap();
        let (at, picked) =
            unread.iter().enumerate().find_map(|(at, event)| pick(event).map(|picked| (at, picked)))?;
        if take {
            unread.remove(at);
        }
        Some(picked)
    }
}

impl Running {
    async fn begin(sandbox: &Sandbox, store: &Path, events: &Arc<Events>) -> Self {
        let engine = Whimbrel::engine(sandbox);
        let mut options = ClientOptions::default();
        options.auto_start = false;
        let client = engine.open_async(store, options).await.unwrap();
        tokio::spawn(Arc::clone(events).take_from(client.events().unwrap()));
        Self { client, engine }
    }
}

impl Whimbrel {
    pub(crate) async fn open(sandbox: &Sandbox, store: &Path) -> Self {
        let events = Arc::new(Events::default());
        let running = Mutex::new(Running::begin(sandbox, store, &events).await);
        Self { sandbox: sandbox.clone(), store: store.to_owned(), events, running }
    }

    pub(crate) fn client(&self) -> Client {
        self.running.lock().unwrap().client.clone()
    }

    /// Closes the engine, as the end of the host's process does.
    pub(crate) async fn close(&self) {
        let engine = self.running.lock().unwrap().engine.clone();
        engine.close(DEADLINE).await.unwrap();
    }

    /// Goes on with the same store in another engine, as after a start of the host's process.
    pub(crate) async fn reopen(&self) {
        let running = Running::begin(&self.sandbox, &self.store, &self.events).await;
        *self.running.lock().unwrap() = running;
        self.connect().await;
    }

    /// Gives the link up.
    pub(crate) async fn logout(&self) {
        self.client().logout(CallOptions::default()).await.unwrap();
    }

    pub(crate) async fn is_logged_out(&self) {
        self.wait_for("the end of the link", true, |event| {
            matches!(event, EventKind::LoggedOut(_)).then_some(())
        })
        .await;
    }

    /// The report that somebody's device has another identity.
    pub(crate) async fn sees_identity_change(&self, who: &[String], device: u16) {
        self.wait_for(&format!("another identity of {who:?}"), true, |event| match event {
            EventKind::IdentityChanged(changed) if changed.device == device => {
                who.contains(&changed.who.id.to_string()).then_some(())
            }
            _ => None,
        })
        .await;
    }

    /// So many pieces of the history with messages are in the archive.
    pub(crate) async fn has_history(&self, pieces: u32) {
        for _ in 0..pieces {
            self.wait_for("a piece of the history", true, |event| match event {
                EventKind::History(sync) if sync.messages > 0 => {
                    assert_eq!(sync.error, None);
                    Some(())
                }
                _ => None,
            })
            .await;
        }
    }

    /// An engine for the sandbox.
    pub(crate) fn engine(sandbox: &Sandbox) -> Engine {
        let root = sandbox.noise_root();
        let mut options = EngineOptions::default();
        options.endpoint.url = sandbox.ws_url();
        options.endpoint.noise_root = Some((root.public_key, root.serial));
        // The media hosts speak TLS only.
        options.endpoint.extra_ca_pem = Some(sandbox.ca_pem().to_owned());
        Engine::new(options).unwrap()
    }

    pub(crate) async fn export(&self, file: &Path, passphrase: &str) {
        self.client().export(file, passphrase.into(), ExportOptions::default()).await.unwrap();
    }

    async fn wait_for<T>(&self, what: &str, take: bool, mut pick: impl FnMut(&EventKind) -> Option<T>) -> T {
        let deadline = Instant::now() + DEADLINE;
        loop {
            // Armed before looking, so that nothing slips in between.
            let mut changed = pin!(self.events.changed.notified());
            changed.as_mut().enable();
            if let Some(picked) = self.events.find(&mut pick, take) {
                return picked;
            }
            if timeout_at(deadline, changed).await.is_err() {
                let state = self.client().connection_state();
                panic!(
                    "whimbrel did not see {what} in time; connection {state:?}; unread:\n{}",
                    self.unread()
                );
            }
        }
    }

    /// An event from which `pick` makes something; it is taken out, and what came before stays.
    pub(crate) async fn event<T>(&self, what: &str, pick: impl FnMut(&EventKind) -> Option<T>) -> T {
        self.wait_for(what, true, pick).await
    }

    /// The event that a message of this id brought.
    pub(crate) async fn event_of(&self, id: &str) -> EventKind {
        self.wait_for(&format!("what the message {id} brought"), true, |event| {
            let found = match event {
                EventKind::Message(message) => &message.message_id,
                EventKind::Addon(addon) => &addon.message_id,
                EventKind::Control(control) => &control.message_id,
                EventKind::ChannelPost(post) => &post.message_id,
                _ => return None,
            };
            (found == id).then(|| event.clone())
        })
        .await
    }

    pub(crate) fn unread(&self) -> String {
        self.events.unread.lock().unwrap().iter().map(|event| format!("  {event:?}\n")).collect()
    }

    pub(crate) async fn link_with_qr(&self) -> String {
        self.client().link_with_qr(CallOptions::default()).await.unwrap().text
    }

    pub(crate) async fn linked(&self) {
        self.wait_for("the end of linking", true, |event| {
            matches!(event, EventKind::Linked(_)).then_some(())
        })
        .await;
    }

    /// Connects unless connected, and returns when caught up.
    pub(crate) async fn connect(&self) {
        self.client().connect(CallOptions::default()).await.unwrap();
    }

    pub(crate) fn disconnect(&self) {
        self.client().disconnect();
    }

    pub(crate) async fn send_text(&self, to: &str, text: &str, quote: Option<&Heard>) -> String {
        let mut options = SendOptions::default();
        options.quote = quote.map(|heard| MessageKey {
            message_id: heard.id.clone(),
            sender: Some(parse_address(&heard.sender).unwrap()),
        });
        self.client().send_text(&parse_address(to).unwrap(), text, options).await.unwrap().message_id
    }

    pub(crate) async fn mark_read(&self, chat: &str, ids: &[&str]) {
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        self.client()
            .mark_read(&parse_address(chat).unwrap(), None, &ids, CallOptions::default())
            .await
            .unwrap();
    }

    pub(crate) async fn mark_read_in(&self, group: &str, author: &str, ids: &[&str]) {
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        let (group, author) = (parse_address(group).unwrap(), parse_address(author).unwrap());
        self.client().mark_read(&group, Some(&author), &ids, CallOptions::default()).await.unwrap();
    }

    /// Texts that nobody has asked for.
    pub(crate) fn unread_texts(&self) -> Vec<String> {
        let unread = self.events.unread.lock().unwrap();
        let text = |event: &EventKind| match event {
            EventKind::Message(message) => message.text.clone(),
            _ => None,
        };
        unread.iter().filter_map(text).collect()
    }

    pub(crate) async fn next_text(&self, what: &str) -> Heard {
        self.wait_for(what, true, |event| match event {
            EventKind::Message(message) => message.text.clone().map(|text| Heard {
                id: message.message_id.clone(),
                chat: message.chat.id.to_string(),
                sender: message.sender.id.to_string(),
                from_me: message.from_me,
                text,
                quoted: message.quoted.as_ref().map(|quoted| quoted.message_id.clone()),
            }),
            _ => None,
        })
        .await
    }

    pub(crate) async fn wait_receipt(&self, what: &str, id: &str, kinds: &[&str]) {
        self.wait_for(what, false, |event| match event {
            EventKind::Receipt(receipt) if receipt.message_ids.iter().any(|about| about == id) => {
                kinds.contains(&word(receipt.kind)).then_some(())
            }
            _ => None,
        })
        .await;
    }
}

fn word(kind: ReceiptKind) -> &'static str {
    match kind {
        ReceiptKind::Delivered => "delivered",
        ReceiptKind::Read => "read",
        ReceiptKind::Played => "played",
        ReceiptKind::ReadSelf => "read-self",
        _ => "another kind",
    }
}
