//! Linking after the account's owner has used a passkey (pairing document §7), the phone's side.

use std::fmt;
use std::time::Duration;

use whimbrel_crypto::curve::{KeyPair, PrivateKey, PublicKey};
use whimbrel_crypto::pairing_code::Code;
use whimbrel_crypto::passkey::{self, RequestKey};
use whimbrel_proto::companion::{
    CompanionEphemeralIdentity, EncryptedPairingRequest, PairingRequest, PrimaryEphemeralIdentity,
    ProloguePayload,
};
use whimbrel_wire::Jid;

use super::link::Candidate;
use super::{Phone, PhoneError, keys};
use crate::events::{Event, PasskeyStep};
use crate::sandbox::Sandbox;
use crate::service::StreamId;

/// How long a companion may take for each step.
const STEP: Duration = Duration::from_secs(30);

/// A companion whose code is on the phone's screen.
pub struct PasskeyLink {
    phone: Phone,
    sandbox: Sandbox,
    stream: StreamId,
    reference: String,
    key: RequestKey,
    code: Code,
}

impl fmt::Debug for PasskeyLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasskeyLink").field("stream", &self.stream).finish_non_exhaustive()
    }
}

impl Phone {
    /// Goes on with the companion that has offered what an authenticator answered; waits for one.
    /// Checks that the companion had committed itself, and returns with the code on the screen.
    pub async fn continue_passkey(&self, sandbox: &Sandbox) -> Result<PasskeyLink, PhoneError> {
        let stream = step(sandbox, None, PasskeyStep::Offered).await?;
        let offer = sandbox.with(|service| service.passkey_offer(stream)).ok_or(PhoneError::NoRequest)?;
        let prologue: ProloguePayload = decode(&offer.prologue)?;
        let committed = prologue.commitment.and_then(|commitment| commitment.hash);
        let committed = committed.ok_or(PhoneError::Answer("commitment"))?;
        let encoded = prologue.companion_ephemeral_identity.ok_or(PhoneError::Answer("identity"))?;
        let identity: CompanionEphemeralIdentity = decode(&encoded)?;
        if identity.r#ref.as_deref() != Some(&*offer.reference) {
            return Err(PhoneError::Answer("ref"));
        }
        let companion = identity.public_key.as_deref().and_then(|key| PublicKey::parse(key).ok());
        let companion = companion.ok_or(PhoneError::Answer("ephemeral key"))?;

        let (own, nonce): (PrivateKey, [u8; 32]) = {
            let rng = &mut self.state().rng;
            (PrivateKey::from_bytes(keys::draw(rng)), keys::draw(rng))
        };
        let own = KeyPair::from_private(own);
        let part = whimbrel_proto::encode(&PrimaryEphemeralIdentity {
            public_key: Some(own.public.as_bytes().to_vec()),
            nonce: Some(nonce.to_vec()),
        });
        if !sandbox.with(|service| service.continue_passkey(stream, part)) {
            return Err(PhoneError::NoRequest);
        }
        step(sandbox, Some(stream), PasskeyStep::Opened).await?;
        let opened = sandbox.with(|service| service.passkey_nonce(stream)).ok_or(PhoneError::NoRequest)?;
        if passkey::commitment(&encoded, &opened).as_slice() != committed {
            return Err(PhoneError::Answer("nonce"));
        }
        let kind = identity.device_type.ok_or(PhoneError::Answer("kind of device"))?;
        let key = RequestKey::derive(&own.private, &companion, kind, &offer.reference)
            .map_err(|_| PhoneError::Answer("ephemeral key"))?;
        let code = passkey::verification_code(&opened, &own.public, &nonce);
        let (phone, sandbox) = (self.clone(), sandbox.clone());
        Ok(PasskeyLink { phone, sandbox, stream, reference: offer.reference, key, code })
    }
}

impl PasskeyLink {
    /// The code on the screen, as `ABCD-EFGH`.
    #[must_use]
    pub fn code(&self) -> String {
        self.code.shown()
    }

    /// Waits for the companion's keys, vouches for them and has the service link the companion.
    pub async fn finish(self) -> Result<Jid, PhoneError> {
        step(&self.sandbox, Some(self.stream), PasskeyStep::Requested).await?;
        let request = self.sandbox.with(|service| service.passkey_keys(self.stream));
        let request: EncryptedPairingRequest = decode(&request.ok_or(PhoneError::NoRequest)?)?;
        let sealed = request.encrypted_payload.ok_or(PhoneError::Answer("request"))?;
        let iv = request.iv.and_then(|iv| iv.try_into().ok()).ok_or(PhoneError::Answer("iv"))?;
        let opened = self.key.open(&iv, &sealed).map_err(|_| PhoneError::Answer("request"))?;
        let keys: PairingRequest = decode(&opened)?;
        let key = |bytes: Option<Vec<u8>>| bytes.and_then(|bytes| bytes.try_into().ok());
        let candidate = Candidate {
            reference: self.reference.into_bytes(),
            noise_key: key(keys.companion_public_key).ok_or(PhoneError::Answer("noise key"))?,
            identity: key(keys.companion_identity_key).ok_or(PhoneError::Answer("identity"))?,
            adv_secret: key(keys.adv_secret).ok_or(PhoneError::Answer("secret"))?,
        };
        self.phone.link(candidate).await
    }
}

fn decode<M: whimbrel_proto::Described + Default>(bytes: &[u8]) -> Result<M, PhoneError> {
    whimbrel_proto::decode(bytes).map_err(|_| PhoneError::Answer("message"))
}

/// Waits until a companion has come to a step, and says which.
async fn step(
    sandbox: &Sandbox,
    stream: Option<StreamId>,
    wanted: PasskeyStep,
) -> Result<StreamId, PhoneError> {
    let fits = |event: &Event| match event {
        Event::Passkey { connection, step } => {
            *step == wanted && stream.is_none_or(|stream| stream.0 == *connection)
        }
        _ => false,
    };
    match sandbox.events().wait_for(fits, STEP).await {
        Ok(Event::Passkey { connection, .. }) => Ok(StreamId(connection)),
        _ => Err(PhoneError::Timeout),
    }
}
