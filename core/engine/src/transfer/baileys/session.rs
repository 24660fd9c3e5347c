//! The session records that Baileys' Signal library writes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use whimbrel_crypto::curve::PublicKey;
use whimbrel_signal::{PendingPreKey, ReceivingParts, Seed, SessionParts, SessionRecord, SkippedKey};
use zeroize::Zeroizing;

use super::super::taken::pair;
use super::super::values::{array, at, integer, number, public_key};

type Malformed = &'static str;

const MALFORMED: Malformed = "the content is malformed";

/// Reads a record: the open session is current, closed ones are archived, the newest first.
pub(super) fn record(
    value: &Value,
    own: &PublicKey,
    registration_id: u32,
) -> Result<SessionRecord, Malformed> {
    if at(value, &["version"]) != "v1" {
        return Err("the record has an old form");
    }
    let sessions = at(value, &["_sessions"]).as_object().ok_or(MALFORMED)?;
    let mut found = Vec::with_capacity(sessions.len());
    for session in sessions.values() {
        let closed = integer(at(session, &["indexInfo", "closed"])).unwrap_or(-1);
        let used = integer(at(session, &["indexInfo", "used"])).unwrap_or(0);
        // Of several open ones the one that was used last; after them those closed last.
        let rank = if closed == -1 { (1, used) } else { (0, closed) };
        found.push((rank, parts(session, own, registration_id)?));
    }
    if found.is_empty() {
        return Err("the record is empty");
    }
    found.sort_by_key(|(rank, _)| std::cmp::Reverse(*rank));
    let has_open = found.first().is_some_and(|((open, _), _)| *open == 1);
    let mut sessions = found.into_iter().map(|(_, parts)| parts);
    let current = if has_open { sessions.next() } else { None };
    Ok(SessionRecord::from_parts(current, sessions.collect()))
}

fn parts(session: &Value, own: &PublicKey, registration_id: u32) -> Result<SessionParts, Malformed> {
    let ratchet = at(session, &["currentRatchet"]);
    let private = array(at(ratchet, &["ephemeralKeyPair", "privKey"])).ok_or(MALFORMED)?;
    let public = public_key(at(ratchet, &["ephemeralKeyPair", "pubKey"]));
    let ours =
        pair(private, public, "a ratchet").map_err(|_| "the halves of a key do not belong together")?;
    let last = public_key(at(ratchet, &["lastRemoteEphemeralKey"]));

    let mut sending = None;
    let mut receiving = Vec::new();
    for (name, chain) in at(session, &["_chains"]).as_object().ok_or(MALFORMED)? {
        let key = STANDARD.decode(name).ok().and_then(|key| PublicKey::parse(&key).ok()).ok_or(MALFORMED)?;
        if key == ours.public {
            let chain_key = array(at(chain, &["chainKey", "key"])).ok_or(MALFORMED)?;
            sending = Some((Zeroizing::new(chain_key), next(chain)?));
        } else if integer(at(chain, &["chainType"])) == Some(2) {
            receiving.push(receiving_chain(key, chain)?);
        }
    }
    // The order is not written; the chain in use is the newest.
    receiving.sort_by_key(|chain| Some(chain.ratchet_key) == last);
    let (sending_key, next_counter) = sending.ok_or("a session has no sending chain")?;
    let index = at(session, &["indexInfo"]);
    Ok(SessionParts {
        local_identity: *own,
        remote_identity: public_key(at(index, &["remoteIdentityKey"])).ok_or(MALFORMED)?,
        remote_registration_id: number(at(session, &["registrationId"])).unwrap_or(0),
        base_key: public_key(at(index, &["baseKey"])).ok_or(MALFORMED)?,
        root_key: Zeroizing::new(array(at(ratchet, &["rootKey"])).ok_or(MALFORMED)?),
        ratchet: ours,
        sending_key,
        next_counter,
        // Written as −1 where nothing was sent before.
        previous_counter: number(at(ratchet, &["previousCounter"])).unwrap_or(0),
        receiving,
        pending: pending(at(session, &["pendingPreKey"]), registration_id)?,
    })
}

/// The counter is that of the last key, −1 at the beginning.
fn next(chain: &Value) -> Result<u32, Malformed> {
    let last = integer(at(chain, &["chainKey", "counter"])).ok_or(MALFORMED)?;
    last.checked_add(1).and_then(|next| u32::try_from(next).ok()).ok_or(MALFORMED)
}

fn receiving_chain(ratchet_key: PublicKey, chain: &Value) -> Result<ReceivingParts, Malformed> {
    let mut skipped = Vec::new();
    for (position, seed) in at(chain, &["messageKeys"]).as_object().into_iter().flatten() {
        let position = position.parse().map_err(|_| MALFORMED)?;
        let seed = Seed::new(array(seed).ok_or(MALFORMED)?);
        skipped.push((position, SkippedKey::Seed(seed)));
    }
    let chain_key = match at(chain, &["chainKey", "key"]) {
        // The chain has ended and its key was thrown away. One that nobody knows stands in:
        // anything else would let others make messages for it.
        Value::Null => {
            let mut unknown = Zeroizing::new([0; 32]);
            getrandom::fill(&mut *unknown).map_err(|_| "the system gave no randomness")?;
            unknown
        }
        key => Zeroizing::new(array(key).ok_or(MALFORMED)?),
    };
    Ok(ReceivingParts { ratchet_key, chain_key, next: next(chain)?, skipped })
}

fn pending(value: &Value, registration_id: u32) -> Result<Option<PendingPreKey>, Malformed> {
    if value.is_null() {
        return Ok(None);
    }
    Ok(Some(PendingPreKey {
        registration_id,
        signed_prekey_id: number(at(value, &["signedKeyId"])).ok_or(MALFORMED)?,
        one_time_prekey_id: number(at(value, &["preKeyId"])),
    }))
}
