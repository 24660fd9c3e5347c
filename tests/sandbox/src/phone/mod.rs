//! Simulated phones: device 0 of an account, with keys of their own. They link companions, sign,
//! encrypt, decrypt, answer retry receipts and send receipts, as real ones do.

mod adv;
mod appstate;
mod code;
mod companions;
mod content;
mod data;
mod error;
mod extras;
mod groups;
mod history;
mod keys;
mod line;
mod link;
mod media;
mod originals;
mod passkey;
mod past;
mod people;
mod phones;
mod presence;
mod qr;
mod receive;
mod records;
mod seen;
mod send;
mod sessions;
mod standing;
mod stanza;
mod state;
#[cfg(test)]
mod vectors;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand_core::Rng as _;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use whimbrel_wire::Jid;

use crate::hub::Hub;
use crate::journal::Journal;
use crate::media::Shelf;
use crate::{AttachError, Clock, EventLog, LidStanding, PhoneKeys, PhoneLink};
use line::Line;
use stanza::link::{CompanionFinish, CompanionHello};
use state::{Job, State};

pub use appstate::{KeySharing, PatchFault, StateChange};
pub use code::CodeError;
pub use error::PhoneError;
pub use media::{MediaRetry, MediaToSend, OpenedMedia};
pub use passkey::PasskeyLink;
pub use past::Past;
pub(crate) use phones::Phones;
pub use qr::{LinkingCode, QrError, parse as parse_qr};
pub use records::{FullHistory, Message, Receipt, ReceiptKind, Sign, SignKind, SwitchChange, Switches};

/// One-time prekeys that a phone uploads at a time.
const PREKEYS: usize = 100;

/// How a phone joins the service.
pub(crate) type Attach = Arc<dyn Fn(PhoneKeys) -> Result<PhoneLink, AttachError> + Send + Sync>;

/// A simulated phone. Clones are handles of the same one.
#[derive(Debug, Clone)]
pub struct Phone {
    inner: Arc<Inner>,
}

struct Inner {
    number: String,
    name: String,
    /// How the account shall stand with LIDs when it is made.
    standing: Option<LidStanding>,
    attach: Attach,
    clock: Clock,
    /// Where its files are.
    media: Arc<Shelf>,
    events: EventLog,
    state: Mutex<State>,
    line: Line,
    /// Jobs wait for answers that only the reading task can take, so that task must never wait for
    /// room in this queue. It is bounded by what the test lets others send to the phone.
    jobs: mpsc::UnboundedSender<Job>,
    /// Held while a message is encrypted and sent: messages leave in the order of their ratchets.
    sending: tokio::sync::Mutex<()>,
    /// Held while a companion is linked: lists of key indexes leave in the order they are made.
    linking: tokio::sync::Mutex<()>,
    messages: Journal<Message>,
    media_seen: Journal<String>,
    receipts: Journal<Receipt>,
    /// What became of app state.
    state_changes: Journal<StateChange>,
    /// Held while app state is read or written.
    syncing: tokio::sync::Mutex<()>,
    signs: Journal<Sign>,
    hellos: Journal<CompanionHello>,
    finishes: Journal<CompanionFinish>,
    /// Last message that [`Phone::next_message`] has returned.
    taken: AtomicU64,
    /// Last companion's hello that led to a link.
    used_hello: AtomicU64,
    wanted_online: AtomicBool,
    has_uploaded: AtomicBool,
    reading: Mutex<Option<JoinHandle<()>>>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Phone").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Phone {
    /// Makes a phone and brings it online.
    async fn start(
        attach: Attach,
        hub: &Hub,
        number: &str,
        name: &str,
        standing: Option<LidStanding>,
    ) -> Result<Self, PhoneError> {
        let (jobs, queue) = mpsc::unbounded_channel();
        let clock = hub.options().clock.clone();
        let state = State::new(hub.options().seed, number, clock.now());
        let inner = Arc::new(Inner {
            media: Arc::clone(hub.media()),
            events: hub.events().clone(),
            number: number.to_owned(),
            name: name.to_owned(),
            standing,
            attach,
            clock,
            state: Mutex::new(state),
            line: Line::default(),
            jobs,
            sending: tokio::sync::Mutex::default(),
            linking: tokio::sync::Mutex::default(),
            messages: Journal::new(),
            media_seen: Journal::new(),
            receipts: Journal::new(),
            state_changes: Journal::new(),
            syncing: tokio::sync::Mutex::default(),
            signs: Journal::new(),
            hellos: Journal::new(),
            finishes: Journal::new(),
            taken: AtomicU64::new(0),
            used_hello: AtomicU64::new(0),
            wanted_online: AtomicBool::new(false),
            has_uploaded: AtomicBool::new(false),
            reading: Mutex::new(None),
        });
        tokio::spawn(receive::work(Arc::downgrade(&inner), queue));
        let phone = Self { inner };
        phone.go_online().await?;
        Ok(phone)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reading(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.inner.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The phone number under which the phone was made, digits only.
    #[must_use]
    pub fn number(&self) -> &str {
        &self.inner.number
    }

    /// The push name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// The account's phone-number address.
    #[must_use]
    pub fn jid(&self) -> Jid {
        self.state().pn.clone()
    }

    /// The account's hidden address.
    #[must_use]
    pub fn lid(&self) -> Jid {
        self.state().lid.clone()
    }

    /// Device numbers of the linked companions.
    #[must_use]
    pub fn companions(&self) -> Vec<u16> {
        self.state().companions.devices()
    }

    /// Whether the phone is connected.
    #[must_use]
    pub fn is_online(&self) -> bool {
        self.inner.line.is_open()
    }

    /// How the phone behaves.
    #[must_use]
    pub fn switches(&self) -> Switches {
        self.state().switches
    }

    /// Changes how the phone behaves.
    pub fn set_switches(&self, change: SwitchChange) {
        self.state().switches.change(change);
    }

    /// Connects the phone, if it is not. What waited for it comes in now.
    pub async fn go_online(&self) -> Result<(), PhoneError> {
        self.inner.wanted_online.store(true, Ordering::Relaxed);
        if self.is_online() {
            return Ok(());
        }
        self.connect()?;
        if !self.inner.has_uploaded.swap(true, Ordering::Relaxed) {
            self.upload_prekeys().await?;
        }
        Ok(())
    }

    /// Forgets everything, as a phone that is set up anew: it has other keys, no sessions and no companions.
    /// What its new keys are.
    pub(crate) fn renew(&self) -> PhoneKeys {
        let mut state = self.state();
        let seed = state.rng.next_u64();
        *state = State::new(seed, self.number(), self.inner.clock.now());
        self.inner.has_uploaded.store(false, Ordering::Relaxed);
        state.keys.public(self.number(), None, self.name())
    }

    fn connect(&self) -> Result<(), PhoneError> {
        let keys = {
            let state = self.state();
            // The number may be another than the one under which the phone was made.
            state.keys.public(state.pn.user(), self.inner.standing, self.name())
        };
        let link = (self.inner.attach)(keys)?;
        self.state().attached(link.pn, link.lid, link.standing);
        self.inner.line.open(link.send);
        *self.reading() = Some(tokio::spawn(receive::read(Arc::downgrade(&self.inner), link.recv)));
        Ok(())
    }

    /// Takes the phone off the net. What is sent to it waits at the service.
    pub async fn go_offline(&self) {
        self.inner.wanted_online.store(false, Ordering::Relaxed);
        let reading = self.reading().take();
        if let Some(reading) = reading {
            reading.abort();
            // Its end, by whatever cause, is all that is waited for.
            let _ = reading.await;
        }
        self.inner.line.close();
    }

    /// The next message that nobody has asked for yet, waiting for it if need be. Copies of what
    /// the account's companions send count too.
    pub async fn next_message(&self, deadline: Duration) -> Result<Message, PhoneError> {
        let after = self.inner.taken.load(Ordering::Relaxed);
        let next = self.inner.messages.wait_for(after, deadline, |_| true).await;
        let (number, message) = next.ok_or(PhoneError::Timeout)?;
        self.inner.taken.store(number, Ordering::Relaxed);
        Ok(message)
    }

    /// The first message that `wanted` accepts, of those already there and those to come.
    pub async fn wait_message(
        &self,
        wanted: impl FnMut(&Message) -> bool,
        deadline: Duration,
    ) -> Result<Message, PhoneError> {
        let found = self.inner.messages.wait_for(0, deadline, wanted).await;
        found.map(|(_, message)| message).ok_or(PhoneError::Timeout)
    }

    /// Messages with a number above `after`; waits for the first one if there is none.
    pub async fn messages_after(&self, after: u64, wait: Duration) -> Vec<(u64, Message)> {
        self.inner.messages.wait_after(after, wait).await
    }

    /// Receipts with a number above `after`; waits for the first one if there is none.
    pub async fn receipts_after(&self, after: u64, wait: Duration) -> Vec<(u64, Receipt)> {
        self.inner.receipts.wait_after(after, wait).await
    }

    /// Waits for a receipt of this kind for a message that the phone sent.
    pub async fn wait_receipt(
        &self,
        id: &str,
        kind: ReceiptKind,
        deadline: Duration,
    ) -> Result<Receipt, PhoneError> {
        let wanted = |receipt: &Receipt| receipt.id == id && receipt.kind == kind;
        let found = self.inner.receipts.wait_for(0, deadline, wanted).await;
        found.map(|(_, receipt)| receipt).ok_or(PhoneError::Timeout)
    }

    /// Forgets the session with a device (`user:device@server`), so that its next message cannot be
    /// read at first. Tells whether there was one.
    pub fn reset_session(&self, device: &str) -> Result<bool, PhoneError> {
        let device = Jid::parse(device).map_err(|_| PhoneError::BadAddress)?;
        let mut state = self.state();
        let address = state.people.session_address(&device);
        Ok(state.sessions.forget(&address))
    }
}
