//! Linking this client to a phone, and ending the link (pairing document §3–§6, §10).

pub(crate) mod code;
pub(crate) mod logout;
pub(crate) mod pair;
pub(crate) mod passkey;
pub(crate) mod qr;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand_core::Rng as _;
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::Instant;
use whimbrel_crypto::curve::{KeyPair, PublicKey};
use whimbrel_crypto::passkey::RequestKey;

use crate::client::Inner;
use crate::connection::Connection;
use crate::error::Error;
use crate::events::QrText;
use crate::random;
use crate::store::{Account, Changes, DeviceKeys};
pub use passkey::PasskeyCode;

/// A QR code to be shown to the phone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QrCode {
    /// What the QR symbol has to hold.
    pub text: String,
    /// How long it is valid; the next one comes as an event.
    pub valid_for: Duration,
}

/// A pairing code to be typed on the phone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PairingCode {
    /// Eight characters as `XXXX-XXXX`.
    pub code: String,
    /// How long it is valid, from now.
    pub valid_for: std::time::Duration,
}

/// The code on show, and until when.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    reference: String,
    pub(crate) text: String,
    pub(crate) until: Instant,
}

/// What linking shares between the session and the calls of the host.
pub(crate) struct LinkState {
    /// The unlinked connection once the service has given its refs.
    ready: watch::Sender<Option<Arc<Connection>>>,
    shown: watch::Sender<Option<Shown>>,
    attempt: Mutex<Option<code::Attempt>>,
    passkey: Mutex<passkey::Stage>,
    wanted: AtomicBool,
    hurry: Notify,
}

impl Default for LinkState {
    fn default() -> Self {
        Self {
            ready: watch::Sender::new(None),
            shown: watch::Sender::new(None),
            attempt: Mutex::default(),
            passkey: Mutex::default(),
            wanted: AtomicBool::new(false),
            hurry: Notify::new(),
        }
    }
}

impl LinkState {
    fn attempt_slot(&self) -> MutexGuard<'_, Option<code::Attempt>> {
        self.attempt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn attempt(&self) -> Option<code::Attempt> {
        self.attempt_slot().clone()
    }

    fn set_attempt(&self, attempt: Option<code::Attempt>) {
        *self.attempt_slot() = attempt;
    }

    /// Ends the attempt if it fits. Whether it did.
    fn take_attempt(&self, fits: impl FnOnce(&code::Attempt) -> bool) -> bool {
        self.attempt_slot().take_if(|attempt| fits(attempt)).is_some()
    }

    fn edit_attempt(&self, edit: impl FnOnce(&mut code::Attempt)) {
        if let Some(attempt) = self.attempt_slot().as_mut() {
            edit(attempt);
        }
    }

    fn take_try(&self, reference: &[u8], max: u8) -> Option<code::Attempt> {
        self.attempt_slot().as_mut()?.take_try(reference, max)
    }

    fn passkey(&self) -> MutexGuard<'_, passkey::Stage> {
        self.passkey.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_passkey(&self, stage: passkey::Stage) {
        *self.passkey() = stage;
    }

    /// The service asks for a passkey; an attempt that is under way is over.
    fn passkey_asked(&self) {
        self.set_passkey(passkey::Stage::Asked);
    }

    /// An authenticator has answered. What ends with the phone's part; `None` if nobody had asked.
    fn offer_passkey(&self) -> Option<oneshot::Receiver<(PublicKey, [u8; 32])>> {
        let mut stage = self.passkey();
        if matches!(*stage, passkey::Stage::Idle) {
            return None;
        }
        let (phone, continued) = oneshot::channel();
        *stage = passkey::Stage::Offered { phone };
        Some(continued)
    }

    fn phone_continues(&self, part: (PublicKey, [u8; 32])) {
        let mut stage = self.passkey();
        match std::mem::replace(&mut *stage, passkey::Stage::Asked) {
            passkey::Stage::Offered { phone } => {
                // Whoever waited may have given up.
                let _ = phone.send(part);
            }
            other => *stage = other,
        }
    }

    /// The key of a code on show, once.
    fn take_compared(&self) -> Option<RequestKey> {
        let mut stage = self.passkey();
        match std::mem::replace(&mut *stage, passkey::Stage::Asked) {
            passkey::Stage::Compared(key) => Some(key),
            other => {
                *stage = other;
                None
            }
        }
    }

    /// Whether somebody is busy with a passkey, which keeps the connection when the QR codes have
    /// run out.
    pub(crate) fn passkey_is_alive(&self) -> bool {
        self.passkey().is_alive()
    }

    /// The code on show has been there for long enough.
    pub(crate) fn hurry(&self) {
        self.hurry.notify_one();
    }

    /// Ends when that was said.
    pub(crate) async fn hurried(&self) {
        self.hurry.notified().await;
    }

    /// Whether codes may be shown.
    pub(crate) fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Acquire)
    }

    /// The host wants a link, or has got one.
    pub(crate) fn set_wanted(&self, wanted: bool) {
        self.wanted.store(wanted, Ordering::Release);
    }

    /// Whether a pairing code can still be typed, which keeps the connection when the QR codes
    /// have run out.
    pub(crate) fn code_is_alive(&self) -> bool {
        self.attempt_slot().as_ref().is_some_and(code::Attempt::is_alive)
    }

    /// Whether the phone has got the ADV secret by a typed code or after a passkey, so that it must not
    /// be replaced.
    fn secret_is_derived(&self) -> bool {
        if matches!(*self.passkey(), passkey::Stage::Confirmed) {
            return true;
        }
        self.attempt_slot().as_ref().is_some_and(|attempt| attempt.is_alive() && attempt.is_finishing())
    }

    pub(crate) fn watch_ready(&self) -> watch::Receiver<Option<Arc<Connection>>> {
        self.ready.subscribe()
    }

    pub(crate) fn watch_shown(&self) -> watch::Receiver<Option<Shown>> {
        self.shown.subscribe()
    }

    /// The service is ready for codes on this connection.
    pub(crate) fn set_ready(&self, connection: &Arc<Connection>) {
        self.ready.send_replace(Some(Arc::clone(connection)));
    }

    /// The unlinked connection is over: nothing is shown any more. Whether a pairing code was.
    pub(crate) fn clear(&self) -> bool {
        self.ready.send_replace(None);
        self.shown.send_replace(None);
        self.set_passkey(passkey::Stage::Idle);
        self.attempt_slot().take().is_some()
    }

    fn show(&self, shown: Option<Shown>) {
        self.shown.send_replace(shown);
    }
}

/// A row without a link, around fresh keys.
pub(crate) fn new_account(keys: DeviceKeys) -> Account {
    Account {
        keys,
        signed_pre_key_id: 1,
        next_pre_key_id: 1,
        phone: None,
        lid: None,
        signed_identity: None,
        platform: String::new(),
        business_name: None,
        push_name: None,
        pairing_unconfirmed: false,
        logging_out: false,
        logged_out: false,
        adv_secret_shown: false,
        server_has_pre_keys: false,
        login_counter: 0,
        routing_info: None,
        server_key: None,
        found_version: None,
        version_expires: None,
        staged_signed_pre_key_id: None,
        last_signed_pre_key_id: 1,
    }
}

/// The keys of this device; new ones, durable before they are used, if there are none or the
/// former link is over. Those of a former link were set aside when it ended.
pub(crate) async fn prepare_account(client: &Inner) -> Result<Arc<Account>, Error> {
    let former = client.account();
    if let Some(account) = former.clone().filter(|account| !account.logged_out) {
        return Ok(account);
    }
    let (account, signed) = {
        let mut rng = client.rng();
        let keys = DeviceKeys {
            noise: KeyPair::generate(&mut *rng),
            identity: KeyPair::generate(&mut *rng),
            registration_id: rng.next_u32() % 16_380 + 1,
            adv_secret: random::bytes(&mut rng),
        };
        let found_version = former.and_then(|former| former.found_version);
        let account = Account { found_version, ..new_account(keys) };
        let signed = crate::prekeys::sign(&account.keys.identity, account.signed_pre_key_id, &mut rng);
        (account, signed)
    };
    let mut changes = Changes::default();
    changes.signed_pre_keys.insert(signed.id, Some(signed));
    client.commit_new_account(changes, account.clone()).await?;
    Ok(Arc::new(account))
}

/// Makes a new ADV secret durable, unless the present one is needed for a code being typed.
pub(crate) async fn renew_secret(client: &Inner) -> Result<(), Error> {
    if client.link.secret_is_derived() {
        return Ok(());
    }
    let secret = random::bytes(&mut client.rng());
    client
        .commit_account(Changes::default(), |account| {
            account.keys.adv_secret = secret;
            account.adv_secret_shown = false;
        })
        .await
}

/// Before a round of codes: a secret that was on show in an earlier round is not shown again.
pub(crate) async fn begin_round(client: &Inner) -> Result<(), Error> {
    let shown = client.account().is_some_and(|account| account.adv_secret_shown);
    if shown && !client.link.secret_is_derived() {
        renew_secret(client).await?;
    }
    client.commit_account(Changes::default(), |account| account.adv_secret_shown = true).await
}

/// Shows the code of a ref, made with the secret that is valid now.
pub(crate) fn show(client: &Inner, reference: String, valid_for: Duration) {
    let Some(account) = client.account() else { return };
    let text = qr::text(&reference, &account.keys);
    client.link.show(Some(Shown { reference, text: text.clone(), until: Instant::now() + valid_for }));
    client.events.qr(QrText { text, valid_for });
}

/// The connection is over on which codes were shown, with a link proved or not.
pub(crate) fn end_codes(client: &Inner, paired: bool) {
    if client.link.clear() && !paired {
        code::failed(client, "disconnected", 0);
    }
}

/// Shows the present code again, with a secret that has changed; its time goes on.
pub(crate) fn refresh(client: &Inner) {
    let shown = client.link.shown.borrow().clone();
    if let Some(shown) = shown {
        show(client, shown.reference, shown.until.saturating_duration_since(Instant::now()));
    }
}
