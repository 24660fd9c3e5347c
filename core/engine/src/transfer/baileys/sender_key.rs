//! The sender keys that Baileys writes: JSON inside a buffer.

use serde_json::Value;
use whimbrel_signal::{Seed, SenderKeyParts, SenderKeyRecord};
use zeroize::Zeroizing;

use super::super::values::{array, at, number, octets, public_key};

const MALFORMED: &str = "the content is malformed";

/// Reads a record. The newest key is last in the file.
pub(super) fn record(value: &Value) -> Result<SenderKeyRecord, &'static str> {
    let inner: Value = match value {
        // Other stores of Baileys keep the list as it is.
        Value::Array(list) if list.iter().all(Value::is_object) => value.clone(),
        buffer => serde_json::from_slice(&octets(buffer).ok_or(MALFORMED)?).map_err(|_| MALFORMED)?,
    };
    let states = inner.as_array().ok_or(MALFORMED)?;
    let states: Vec<_> = states.iter().rev().map(state).collect::<Result<_, _>>()?;
    if states.is_empty() { Err("the record is empty") } else { Ok(SenderKeyRecord::from_parts(states)) }
}

fn state(state: &Value) -> Result<SenderKeyParts, &'static str> {
    let chain = at(state, &["senderChainKey"]);
    let mut skipped = Vec::new();
    for key in at(state, &["senderMessageKeys"]).as_array().into_iter().flatten() {
        let iteration = number(at(key, &["iteration"])).ok_or(MALFORMED)?;
        skipped.push((iteration, Seed::new(array(at(key, &["seed"])).ok_or(MALFORMED)?)));
    }
    Ok(SenderKeyParts {
        key_id: number(at(state, &["senderKeyId"])).ok_or(MALFORMED)?,
        signing_key: public_key(at(state, &["senderSigningKey", "public"])).ok_or(MALFORMED)?,
        chain_key: Zeroizing::new(array(at(chain, &["seed"])).ok_or(MALFORMED)?),
        next: number(at(chain, &["iteration"])).ok_or(MALFORMED)?,
        skipped,
    })
}
