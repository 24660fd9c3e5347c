//! The session and sender key records that whatsmeow's Signal library writes.

use serde_json::Value;
use whimbrel_signal::{
    MessageKeys, PendingPreKey, ReceivingParts, Seed, SenderKeyParts, SenderKeyRecord, SessionParts,
    SessionRecord, SkippedKey,
};
use zeroize::Zeroizing;

use super::super::taken::pair;
use super::super::values::{array, at, number, public_key};

type Malformed = &'static str;

const MALFORMED: Malformed = "the content is malformed";

/// Reads a session record.
pub(super) fn session(json: &[u8]) -> Result<SessionRecord, Malformed> {
    let value: Value = serde_json::from_slice(json).map_err(|_| "the content is no JSON")?;
    let current = at(&value, &["SessionState"]);
    let current = if is_used(current) { Some(parts(current)?) } else { None };
    let previous = at(&value, &["PreviousStates"]).as_array().into_iter().flatten();
    // One that was never used is no session; one that cannot be read is not worth the others.
    let archived: Vec<_> =
        previous.filter(|state| is_used(state)).filter_map(|state| parts(state).ok()).collect();
    if current.is_none() && archived.is_empty() {
        return Err("the record is empty");
    }
    Ok(SessionRecord::from_parts(current, archived))
}

fn is_used(state: &Value) -> bool {
    !at(state, &["SenderChain"]).is_null()
}

fn parts(state: &Value) -> Result<SessionParts, Malformed> {
    if number(at(state, &["SessionVersion"])) != Some(3) {
        return Err("the session has another version");
    }
    let sending = at(state, &["SenderChain"]);
    let private = array(at(sending, &["SenderRatchetKeyPrivate"])).ok_or(MALFORMED)?;
    let public = public_key(at(sending, &["SenderRatchetKeyPublic"]));
    let ratchet =
        pair(private, public, "a ratchet").map_err(|_| "the halves of a key do not belong together")?;
    let receiving = at(state, &["ReceiverChains"]).as_array().into_iter().flatten();
    let pending = at(state, &["PendingPreKey"]);
    let registration_id = number(at(state, &["LocalRegistrationID"])).unwrap_or(0);
    Ok(SessionParts {
        local_identity: public_key(at(state, &["LocalIdentityPublic"])).ok_or(MALFORMED)?,
        remote_identity: public_key(at(state, &["RemoteIdentityPublic"])).ok_or(MALFORMED)?,
        remote_registration_id: number(at(state, &["RemoteRegistrationID"])).unwrap_or(0),
        base_key: public_key(at(state, &["SenderBaseKey"])).ok_or(MALFORMED)?,
        root_key: Zeroizing::new(array(at(state, &["RootKey"])).ok_or(MALFORMED)?),
        ratchet,
        sending_key: Zeroizing::new(array(at(sending, &["ChainKey", "Key"])).ok_or(MALFORMED)?),
        next_counter: number(at(sending, &["ChainKey", "Index"])).ok_or(MALFORMED)?,
        previous_counter: number(at(state, &["PreviousCounter"])).unwrap_or(0),
        receiving: receiving.map(receiving_chain).collect::<Result<_, _>>()?,
        pending: if pending.is_null() {
            None
        } else {
            let one_time = at(pending, &["PreKeyID"]);
            let absent = at(one_time, &["IsEmpty"]) == &Value::Bool(true);
            Some(PendingPreKey {
                registration_id,
                signed_prekey_id: number(at(pending, &["SignedPreKeyID"])).ok_or(MALFORMED)?,
                one_time_prekey_id: number(at(one_time, &["Value"])).filter(|_| !absent),
            })
        },
    })
}

fn receiving_chain(chain: &Value) -> Result<ReceivingParts, Malformed> {
    let mut skipped = Vec::new();
    for key in at(chain, &["MessageKeys"]).as_array().into_iter().flatten() {
        let position = number(at(key, &["Index"])).ok_or(MALFORMED)?;
        let keys = MessageKeys {
            cipher: array(at(key, &["CipherKey"])).ok_or(MALFORMED)?,
            mac: array(at(key, &["MacKey"])).ok_or(MALFORMED)?,
            iv: array(at(key, &["IV"])).ok_or(MALFORMED)?,
        };
        skipped.push((position, SkippedKey::Derived(Box::new(keys))));
    }
    Ok(ReceivingParts {
        ratchet_key: public_key(at(chain, &["SenderRatchetKeyPublic"])).ok_or(MALFORMED)?,
        chain_key: Zeroizing::new(array(at(chain, &["ChainKey", "Key"])).ok_or(MALFORMED)?),
        next: number(at(chain, &["ChainKey", "Index"])).ok_or(MALFORMED)?,
        skipped,
    })
}

/// Reads a record of somebody else's sender keys. The order is that of the library: newest first.
pub(super) fn sender_key(json: &[u8]) -> Result<SenderKeyRecord, Malformed> {
    let value: Value = serde_json::from_slice(json).map_err(|_| "the content is no JSON")?;
    let states = at(&value, &["SenderKeyStates"]).as_array().ok_or(MALFORMED)?;
    let states: Vec<_> = states.iter().map(sender_key_state).collect::<Result<_, _>>()?;
    if states.is_empty() { Err("the record is empty") } else { Ok(SenderKeyRecord::from_parts(states)) }
}

fn sender_key_state(state: &Value) -> Result<SenderKeyParts, Malformed> {
    let chain = at(state, &["SenderChainKey"]);
    let mut skipped = Vec::new();
    for key in at(state, &["Keys"]).as_array().into_iter().flatten() {
        let iteration = number(at(key, &["Iteration"])).ok_or(MALFORMED)?;
        skipped.push((iteration, Seed::new(array(at(key, &["Seed"])).ok_or(MALFORMED)?)));
    }
    Ok(SenderKeyParts {
        key_id: number(at(state, &["KeyID"])).ok_or(MALFORMED)?,
        signing_key: public_key(at(state, &["SigningKeyPublic"])).ok_or(MALFORMED)?,
        chain_key: Zeroizing::new(array(at(chain, &["ChainKey"])).ok_or(MALFORMED)?),
        next: number(at(chain, &["Iteration"])).ok_or(MALFORMED)?,
        skipped,
    })
}
