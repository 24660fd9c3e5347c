//! Linking that the account's owner confirms with a passkey, which the service may demand of a
//! companion (pairing document §7).
//!
//! The service asks, the host's authenticator answers, and the phone goes on: both screens show a code
//! that the person compares. Then the phone is told this device's keys, and vouches for them as after
//! a scan. Nobody has seen the whole exchange with the service itself; the codes go on beside it. The
//! proof that spares the comparison belongs to a link that is being renewed with its former keys, and
//! those are never used again here.

mod stanza;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;
use whimbrel_crypto::curve::{KeyPair, PublicKey};
use whimbrel_crypto::passkey::{self, RequestKey};
use whimbrel_wire::{Node, NodeRef};

use crate::client::Inner;
use crate::connection::Connection;
use crate::error::{Code, Error};
use crate::events::PasskeyRequired;
use crate::random;
use crate::store::Changes;

/// How long the service may take for a request.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A code to be compared with the phone's.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PasskeyCode {
    /// Eight characters as `XXXX-XXXX`.
    pub code: String,
}

/// How far the exchange is.
#[derive(Default)]
pub(super) enum Stage {
    /// Nobody asked for a passkey.
    #[default]
    Idle,
    /// The service did.
    Asked,
    /// The authenticator has answered; the phone is waited for.
    Offered {
        /// Gets the phone's key and nonce.
        phone: oneshot::Sender<(PublicKey, [u8; 32])>,
    },
    /// The code is on show.
    Compared(RequestKey),
    /// The phone gets to know this device's keys, and proves the link with them.
    Confirmed,
}

/// Whether a notification belongs to the exchange.
pub(crate) fn is_about(notification: &NodeRef<'_>) -> bool {
    stanza::is_about(notification)
}

/// Acts on a notification, which was acknowledged already.
pub(crate) async fn on_notification(client: Arc<Inner>, connection: Arc<Connection>, notification: Node) {
    if !stanza::is_demand(&notification) {
        match stanza::continuation(&notification) {
            Some(part) => client.link.phone_continues(part),
            None => tracing::warn!("The phone's part of the passkey exchange cannot be read."),
        }
        return;
    }
    tracing::info!("The service demands a passkey for this link.");
    let mut wanted = stanza::options(&notification);
    if wanted.is_none() {
        match connection.request(client.request_ids.next(), stanza::options_query(), TIMEOUT).await {
            Ok(answer) => wanted = stanza::options(&answer),
            Err(error) => tracing::debug!(%error, "The service does not say what it wants."),
        }
    }
    client.link.passkey_asked();
    client.events.passkey_required(PasskeyRequired { options: wanted });
}

/// Tells the service what the authenticator answered, waits for the phone, and returns the code that
/// the person compares.
pub(crate) async fn answer(
    client: &Arc<Inner>,
    connection: &Connection,
    assertion: String,
    deadline: Instant,
) -> Result<PasskeyCode, Error> {
    let credential = stanza::credential(&assertion)
        .ok_or_else(|| Error::new(Code::InvalidArgument, "the assertion is no answer of an authenticator"))?;
    // From here on another answer is a new attempt; one without a demand is none.
    let continued = client
        .link
        .offer_passkey()
        .ok_or_else(|| Error::new(Code::WrongState, "the service has not asked for a passkey"))?;
    let left = || deadline.saturating_duration_since(Instant::now()).min(TIMEOUT);
    let attempt = async {
        let answer = connection.request(client.request_ids.next(), stanza::reference_query(), left()).await?;
        let reference = stanza::reference(&answer)
            .ok_or_else(|| Error::new(Code::LinkFailed, "the service gave no reference for the passkey"))?;
        let (ephemeral, nonce) = {
            let mut rng = client.rng();
            (KeyPair::generate(&mut *rng), random::bytes::<32>(&mut rng))
        };
        let payload = stanza::prologue_payload(&ephemeral.public, &reference, &nonce);
        let prologue = stanza::prologue(credential, &assertion, payload);
        connection.request(client.request_ids.next(), prologue, left()).await?;
        let (phone, phone_nonce) = tokio::select! {
            continued = continued => continued.map_err(|_| ended())?,
            () = connection.closed() => return Err(ended()),
            () = tokio::time::sleep_until(deadline) => {
                return Err(Error::new(Code::TimedOut, "the phone did not go on in time"));
            }
        };
        let key = RequestKey::derive(&ephemeral.private, &phone, stanza::KIND.into(), &reference);
        let key = key.map_err(|error| {
            Error::new(Code::LinkFailed, "the phone's part of the exchange is worthless").because(error)
        })?;
        connection.request(client.request_ids.next(), stanza::nonce(&nonce), left()).await?;
        let code = passkey::verification_code(&nonce, &phone, &phone_nonce).shown();
        Ok((code, key))
    };
    match attempt.await {
        Ok((code, key)) => {
            client.link.set_passkey(Stage::Compared(key));
            Ok(PasskeyCode { code })
        }
        Err(error) => {
            // The service's demand stands: the person may try again.
            client.link.set_passkey(Stage::Asked);
            Err(error)
        }
    }
}

/// The person has seen the same code on the phone: it is told this device's keys.
pub(crate) async fn confirm(
    client: &Arc<Inner>,
    connection: &Connection,
    timeout: Duration,
) -> Result<(), Error> {
    let Some(key) = client.link.take_compared() else {
        return Err(Error::new(Code::WrongState, "there is no code that could have been compared"));
    };
    let account = client.account().ok_or_else(crate::client::not_linked)?;
    let (secret, iv) = {
        let mut rng = client.rng();
        (random::bytes::<32>(&mut rng), random::bytes::<12>(&mut rng))
    };
    let request = stanza::pairing_request(&account.keys, &secret);
    let sealed = key.seal(&iv, &request).map_err(|error| {
        Error::new(Code::Internal, "the request for the phone could not be encrypted").because(error)
    })?;
    // Durable before the request leaves: the phone proves the link with this secret. It was never in a
    // code; those on show are made again with it.
    let renewing = client.commit_account(Changes::default(), |account| {
        account.keys.adv_secret = secret;
        account.adv_secret_shown = true;
    });
    renewing.await?;
    super::refresh(client);
    client.link.set_passkey(Stage::Confirmed);
    let request = stanza::encrypted_request(sealed, iv);
    let answer = connection.request(client.request_ids.next(), request, timeout.min(TIMEOUT)).await;
    if answer.is_err() {
        client.link.set_passkey(Stage::Asked);
    }
    answer.map(drop)
}

impl Stage {
    /// Whether somebody is busy with the exchange.
    pub(super) fn is_alive(&self) -> bool {
        match self {
            Self::Idle | Self::Asked => false,
            // A call that nobody waits for any more does not go on.
            Self::Offered { phone } => !phone.is_closed(),
            Self::Compared(_) | Self::Confirmed => true,
        }
    }
}

fn ended() -> Error {
    Error::new(Code::LinkFailed, "the exchange ended before the phone went on")
}
