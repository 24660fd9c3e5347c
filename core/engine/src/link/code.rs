//! The pairing code: linking by a phone number and eight characters that a person types on the
//! phone (pairing document §6).

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use whimbrel_crypto::curve::{KeyPair, PublicKey};
use whimbrel_crypto::pairing_code::{self, BundleRandom, Code as PairingCodeKey};
use whimbrel_wire::{Jid, Node, NodeRef};

use super::qr;
use crate::client::Inner;
use crate::connection::Connection;
use crate::error::{Code, Error};
use crate::events::{EventKind, PairingCodeFailed, PairingCodeText};
use crate::random;
use crate::store::Changes;

/// How long a code lives.
pub(crate) const LIFE: Duration = Duration::from_secs(180);

/// How long the service may take for the last step.
const FINISH_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the phone may take to prove the link after it had the right code.
const PROOF: Duration = Duration::from_secs(60);

/// How often a phone may try one code.
const MAX_TRIES: u8 = 3;

/// What the phone shows of this client; the service accepts known names only.
const PLATFORM: &str = "Chrome (Mac OS)";

/// A code that was handed out.
#[derive(Clone)]
pub(super) struct Attempt {
    phone: Jid,
    code: PairingCodeKey,
    ephemeral: KeyPair,
    /// The service's name for this attempt; empty until it answered.
    reference: Vec<u8>,
    tries: u8,
    ends_at: Instant,
}

/// Reads a phone number as people write it: digits with an optional `+`, blanks, dashes, dots
/// and brackets.
pub(crate) fn phone_number(typed: &str) -> Result<Jid, Error> {
    let invalid =
        || Error::new(Code::InvalidArgument, "the phone number must be digits with the country code");
    let trimmed = typed.trim();
    let digits = trimmed.strip_prefix('+').unwrap_or(trimmed);
    let mut number = String::with_capacity(digits.len());
    for character in digits.chars() {
        match character {
            '0'..='9' => number.push(character),
            ' ' | '-' | '.' | '(' | ')' => {}
            _ => return Err(invalid()),
        }
    }
    if number.starts_with('0') || !(7..=15).contains(&number.len()) {
        return Err(invalid());
    }
    Ok(Jid::pn(&number))
}

/// The first request: announces the code for a phone number.
fn hello(phone: &Jid, wrapped: Vec<u8>, noise: &PublicKey) -> Node {
    let child = |tag: &'static str| Node::new(tag);
    let registration = Node::new("link_code_companion_reg")
        .attr("jid", phone)
        .attr("stage", "companion_hello")
        .attr("should_show_push_notification", "true")
        .child(child("link_code_pairing_wrapped_companion_ephemeral_pub").bytes(wrapped))
        .child(child("companion_server_auth_key_pub").bytes(noise.as_bytes().to_vec()))
        .child(child("companion_platform_id").text(qr::CLIENT_TYPE))
        .child(child("companion_platform_display").text(PLATFORM))
        .child(child("link_code_pairing_nonce").bytes(vec![0]));
    request(registration)
}

/// The last request: the bundle that only a phone with the right code opens.
fn finish(phone: &Jid, bundle: Vec<u8>, identity: &PublicKey, reference: Vec<u8>) -> Node {
    let registration = Node::new("link_code_companion_reg")
        .attr("jid", phone)
        .attr("stage", "companion_finish")
        .child(Node::new("link_code_pairing_wrapped_key_bundle").bytes(bundle))
        .child(Node::new("companion_identity_public").bytes(identity.as_bytes().to_vec()))
        .child(Node::new("link_code_pairing_ref").bytes(reference));
    request(registration)
}

fn request(registration: Node) -> Node {
    Node::new("iq").attr("to", Jid::SERVER).attr("xmlns", "md").attr("type", "set").child(registration)
}

/// What the service relays from the phone.
#[derive(Debug, PartialEq, Eq)]
enum Notice {
    /// The phone's ephemeral and identity keys: somebody typed a code.
    PrimaryHello { reference: Vec<u8>, wrapped: Vec<u8>, identity: PublicKey },
    /// The code is over; a new one is wanted at once, unless the person has to ask for it.
    Refresh { reference: Vec<u8>, by_hand: bool },
    /// Something else, to be acknowledged only.
    Other,
}

fn notice(notification: &NodeRef<'_>) -> Notice {
    let parse = || {
        let registration = notification.child_named("link_code_companion_reg")?;
        let reference = registration.child_bytes("link_code_pairing_ref")?.to_vec();
        if registration.attr_is("stage", "refresh_code") {
            let by_hand = !registration.attr_is("force_manual_refresh", "false");
            return Some(Notice::Refresh { reference, by_hand });
        }
        let wrapped = registration.child_bytes("link_code_pairing_wrapped_primary_ephemeral_pub")?.to_vec();
        let identity = PublicKey::parse(registration.child_bytes("primary_identity_pub")?).ok()?;
        Some(Notice::PrimaryHello { reference, wrapped, identity })
    };
    parse().unwrap_or(Notice::Other)
}

/// Makes a code for a phone number and announces it. The connection has had its `pair-device`.
pub(crate) async fn begin(
    client: &Arc<Inner>,
    connection: &Arc<Connection>,
    phone: Jid,
    timeout: Duration,
) -> Result<String, Error> {
    let account = client.account().ok_or_else(crate::client::not_linked)?;
    let (code, ephemeral, salt, counter) = {
        let mut rng = client.rng();
        let code = PairingCodeKey::from_random(random::bytes(&mut rng));
        let mut counter: [u8; 16] = random::bytes(&mut rng);
        // Implementations differ in the carry out of the low half: keep away from it.
        if let Some(last) = counter.last_mut() {
            *last &= 0x7f;
        }
        (code, KeyPair::generate(&mut *rng), random::bytes::<32>(&mut rng), counter)
    };
    let (key, public) = (code.clone(), ephemeral.public);
    let wrapped = derive(client, move || key.wrap(&public, &salt, &counter).to_vec()).await?;
    let attempt = Attempt {
        phone: phone.clone(),
        code: code.clone(),
        ephemeral,
        reference: Vec::new(),
        tries: 0,
        ends_at: Instant::now() + LIFE,
    };
    client.link.set_attempt(Some(attempt));
    let hello = hello(&phone, wrapped, &account.keys.noise.public);
    let answer = connection.request(client.request_ids.next(), hello, timeout).await.and_then(|answer| {
        let reference = answer
            .child_named("link_code_companion_reg")
            .and_then(|registration| registration.child_bytes("link_code_pairing_ref"));
        reference
            .map(<[u8]>::to_vec)
            .ok_or_else(|| Error::new(Code::LinkFailed, "the service gave no reference for the code"))
    });
    match answer {
        Ok(reference) => {
            client.link.edit_attempt(|attempt| attempt.reference.clone_from(&reference));
            client.spawn(watch_life(Arc::clone(client), Arc::clone(connection), reference));
            Ok(code.shown())
        }
        Err(error) => {
            client.link.set_attempt(None);
            Err(error)
        }
    }
}

/// Says when a code has expired that nobody typed.
async fn watch_life(client: Arc<Inner>, connection: Arc<Connection>, reference: Vec<u8>) {
    tokio::select! {
        () = tokio::time::sleep(LIFE) => {}
        () = connection.closed() => return,
        () = client.gate.closed() => return,
    }
    let waits = |attempt: &Attempt| attempt.reference == reference && !attempt.is_finishing();
    if client.link.take_attempt(waits) {
        failed(&client, "expired", 0);
    }
}

/// Tells the host that a code is over.
pub(super) fn failed(client: &Inner, reason: &'static str, service_status: u16) {
    tracing::info!(reason, "The pairing code is over.");
    client.events.pairing_code(EventKind::PairingCodeFailed(PairingCodeFailed { reason, service_status }));
}

/// Runs a key derivation, which takes tens of milliseconds, off the protocol's threads.
async fn derive<T: Send + 'static>(
    client: &Inner,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let task = client.engine.handle.spawn_blocking(work).await;
    task.map_err(|error| Error::new(Code::Internal, "the key derivation panicked").because(error))
}

/// Acts on a notification about the code, which was acknowledged already.
pub(crate) async fn on_notification(client: Arc<Inner>, connection: Arc<Connection>, notification: Node) {
    let result = match notice(&notification) {
        Notice::PrimaryHello { reference, wrapped, identity } => {
            on_primary_hello(&client, &connection, reference, wrapped, identity).await
        }
        Notice::Refresh { reference, by_hand } => on_refresh(&client, &connection, &reference, by_hand).await,
        Notice::Other => Ok(()),
    };
    if let Err(error) = result {
        tracing::warn!(%error, "The pairing code failed.");
        client.link.set_attempt(None);
        if !connection.is_closed() {
            let reason = if error.code() == Code::LinkFailed { "not_proved" } else { "refused" };
            failed(&client, reason, error.service_status());
        }
    }
}

/// The service wants another code than the one on show.
async fn on_refresh(
    client: &Arc<Inner>,
    connection: &Arc<Connection>,
    reference: &[u8],
    by_hand: bool,
) -> Result<(), Error> {
    let Some(attempt) = client.link.attempt().filter(|attempt| attempt.reference == reference) else {
        return Ok(());
    };
    if by_hand {
        client.link.set_attempt(None);
        failed(client, "ended", 0);
        return Ok(());
    }
    let code = begin(client, connection, attempt.phone, FINISH_TIMEOUT).await?;
    client.events.pairing_code(EventKind::PairingCode(PairingCodeText { code, valid_for: LIFE }));
    Ok(())
}

async fn on_primary_hello(
    client: &Arc<Inner>,
    connection: &Connection,
    reference: Vec<u8>,
    wrapped: Vec<u8>,
    identity: PublicKey,
) -> Result<(), Error> {
    let Some(attempt) = client.link.take_try(&reference, MAX_TRIES) else {
        tracing::warn!("A phone answered a pairing code that is not being shown.");
        return Ok(());
    };
    let account = client.account().ok_or_else(crate::client::not_linked)?;
    let random = {
        let mut rng = client.rng();
        BundleRandom {
            salt: random::bytes(&mut rng),
            nonce: random::bytes(&mut rng),
            secret: random::bytes(&mut rng),
        }
    };
    let keys = account.keys.clone();
    let ephemeral = attempt.ephemeral.private.clone();
    let (phone, tries) = (attempt.phone.clone(), attempt.tries);
    let finished = derive(client, move || {
        let primary = attempt.code.unwrap(&wrapped)?;
        pairing_code::companion_finish(&ephemeral, &keys.identity.private, &primary, &identity, &random)
    })
    .await?;
    let (bundle, secret) = finished.map_err(|error| {
        Error::new(Code::LinkFailed, "the phone's keys do not fit the code").because(error)
    })?;
    // Durable before the bundle leaves: the phone proves the link with this secret.
    client.commit_account(Changes::default(), |account| account.keys.adv_secret = *secret).await?;
    super::refresh(client);
    let finish = finish(&phone, bundle.to_vec(), &account.keys.identity.public, reference.clone());
    connection.request(client.request_ids.next(), finish, FINISH_TIMEOUT).await?;
    tokio::select! {
        () = tokio::time::sleep(PROOF) => {}
        () = connection.closed() => return Ok(()),
        () = client.gate.closed() => return Ok(()),
    }
    // Another try of the same code has a wait of its own.
    let waited = |attempt: &Attempt| attempt.reference == reference && attempt.tries == tries;
    if !connection.is_closed() && client.link.take_attempt(waited) {
        // The person mistyped: the QR code must work again, with a secret that nobody derived.
        super::renew_secret(client).await?;
        super::refresh(client);
        failed(client, "not_proved", 0);
    }
    Ok(())
}

impl Attempt {
    /// Whether the code can still be typed.
    pub(super) fn is_alive(&self) -> bool {
        Instant::now() < self.ends_at
    }

    /// Counts a try; `None` when this is another attempt's, or there were too many.
    pub(super) fn take_try(&mut self, reference: &[u8], max: u8) -> Option<Self> {
        if self.reference != reference || self.tries >= max || !self.is_alive() {
            return None;
        }
        self.tries += 1;
        Some(self.clone())
    }

    /// Whether the phone has typed the code: the ADV secret is derived then, not random.
    pub(super) fn is_finishing(&self) -> bool {
        self.tries > 0
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;
    use crate::client::Client;
    use crate::engine::Engine;
    use crate::options::{ClientOptions, EngineOptions};

    /// A client that shows a code which nobody has typed yet, and its connection.
    fn showing(engine: &Engine) -> (Client, Arc<Connection>, mpsc::Receiver<Node>) {
        let quiet = ClientOptions { auto_start: false, ..ClientOptions::default() };
        let client = engine.open(":memory:", quiet).unwrap();
        let (connection, queue) = Connection::idle(1);
        let attempt = Attempt {
            phone: Jid::pn("31612345678"),
            code: PairingCodeKey::from_random([1, 2, 3, 4, 5]),
            ephemeral: KeyPair::generate(&mut random::generator(Some(1), 1).unwrap()),
            reference: b"3@ref".to_vec(),
            tries: 0,
            ends_at: Instant::now() + LIFE,
        };
        client.inner().link.set_attempt(Some(attempt));
        (client, Arc::new(connection), queue)
    }

    async fn watch(client: &Client, connection: &Arc<Connection>) {
        watch_life(Arc::clone(client.inner()), Arc::clone(connection), b"3@ref".to_vec()).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_code_that_nobody_types_expires_after_three_minutes_and_the_host_is_told() {
        let engine = Engine::new(EngineOptions::default()).unwrap();
        let (client, connection, _queue) = showing(&engine);
        let mut events = client.events().unwrap();
        let shown = Instant::now();
        let link = &client.inner().link;
        let (told, ()) = tokio::join!(events.next(), async {
            tokio::time::sleep(LIFE - Duration::from_secs(1)).await;
            assert!(link.code_is_alive());
            tokio::time::sleep(Duration::from_secs(1)).await;
            watch(&client, &connection).await;
        });
        let EventKind::PairingCodeFailed(failed) = told.unwrap().kind else { panic!("something else") };
        assert_eq!((failed.reason, failed.service_status), ("expired", 0));
        assert!(shown.elapsed() >= Duration::from_secs(180));
        assert!(!link.code_is_alive() && link.attempt().is_none(), "another one can be asked for");
        assert!(link.take_try(b"3@ref", MAX_TRIES).is_none(), "typed too late");
    }

    #[tokio::test(start_paused = true)]
    async fn a_code_that_was_typed_or_replaced_does_not_expire() {
        let engine = Engine::new(EngineOptions::default()).unwrap();
        let (client, connection, _queue) = showing(&engine);
        let link = &client.inner().link;
        assert!(link.take_try(b"3@ref", MAX_TRIES).is_some());
        watch(&client, &connection).await;
        assert!(link.attempt().is_some(), "the phone's proof has a time of its own");
        link.edit_attempt(|attempt| (attempt.tries, attempt.reference) = (0, b"3@other".to_vec()));
        watch(&client, &connection).await;
        assert!(link.attempt().is_some(), "this is another code");
    }

    #[tokio::test(start_paused = true)]
    async fn three_tries_are_all_that_a_code_has() {
        let engine = Engine::new(EngineOptions::default()).unwrap();
        let (client, _connection, _queue) = showing(&engine);
        let link = &client.inner().link;
        assert!(link.take_try(b"3@wrong", MAX_TRIES).is_none());
        assert_eq!((0..5).filter(|_| link.take_try(b"3@ref", MAX_TRIES).is_some()).count(), 3);
    }

    #[test]
    fn phone_numbers_are_read_as_people_write_them() {
        let number = Jid::pn("31612345678");
        for typed in ["31612345678", "+31612345678", " +31 6 1234-5678 ", "+31 (6) 12.34.56.78"] {
            assert_eq!(phone_number(typed).unwrap(), number, "{typed:?}");
        }
        let wrong =
            ["", "+", "123456", "0612345678", "+0031612345678", "31612345678x", "1234567890123456", "a"];
        for typed in wrong {
            assert_eq!(phone_number(typed).unwrap_err().code(), Code::InvalidArgument, "{typed:?}");
        }
    }

    #[test]
    fn requests_have_the_documented_children() {
        let key = PublicKey::from_bytes([7; 32]);
        let hello = hello(&Jid::pn("31612345678"), vec![1; 80], &key);
        let registration = hello.child_named("link_code_companion_reg").unwrap();
        assert!(registration.attr_is("stage", "companion_hello"));
        assert!(
            registration.attr_value("jid").unwrap().as_jid().is_some(),
            "the number is a JID on the wire"
        );
        assert_eq!(registration.child_text("companion_platform_id"), Some("1"));
        assert_eq!(registration.child_bytes("link_code_pairing_nonce"), Some(&[0][..]));
        let finish = finish(&Jid::pn("31612345678"), vec![2; 156], &key, b"ref".to_vec());
        let registration = finish.child_named("link_code_companion_reg").unwrap();
        assert_eq!(registration.child_bytes("link_code_pairing_ref"), Some(&b"ref"[..]));
        assert_eq!(registration.child_nodes().len(), 3);
    }

    #[test]
    fn notices_without_keys_are_only_acknowledged() {
        let reference = || Node::new("link_code_pairing_ref").bytes(b"ref".to_vec());
        let wrap = |registration: Node| Node::new("notification").child(registration);
        let registration = |stage: &'static str| Node::new("link_code_companion_reg").attr("stage", stage);
        assert_eq!(notice(&wrap(registration("primary_hello").child(reference()))), Notice::Other);
        assert_eq!(notice(&Node::new("notification")), Notice::Other);
        assert_eq!(
            notice(&wrap(registration("refresh_code").child(reference()))),
            Notice::Refresh { reference: b"ref".to_vec(), by_hand: true }
        );
        let at_once = registration("refresh_code").attr("force_manual_refresh", "false").child(reference());
        assert_eq!(notice(&wrap(at_once)), Notice::Refresh { reference: b"ref".to_vec(), by_hand: false });
        let full = registration("primary_hello")
            .child(reference())
            .child(Node::new("link_code_pairing_wrapped_primary_ephemeral_pub").bytes(vec![1; 80]))
            .child(Node::new("primary_identity_pub").bytes(vec![7; 32]));
        assert!(matches!(notice(&wrap(full)), Notice::PrimaryHello { .. }));
    }
}
