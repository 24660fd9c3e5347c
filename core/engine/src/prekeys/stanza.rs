//! Stanzas about this device's own prekeys. Pure.

use whimbrel_crypto::curve::PublicKey;
use whimbrel_crypto::digest;
use whimbrel_wire::{Jid, Node, NodeRef};

use crate::connection::payload::be24;
use crate::store::{DeviceKeys, PreKeyRow, SignedPreKeyRow};

/// Type octet of curve keys.
const KEY_TYPE: u8 = 5;

fn query(kind: &'static str, child: Node) -> Node {
    Node::new("iq").attr("to", Jid::SERVER).attr("xmlns", "encrypt").attr("type", kind).child(child)
}

/// How many one-time keys the service still has.
pub(super) fn count() -> Node {
    query("get", Node::new("count"))
}

/// The answer to [`count`], and the content of the low notification.
pub(super) fn read_count(stanza: &NodeRef<'_>) -> Option<u64> {
    stanza.child_named("count")?.attr_u64("value")
}

/// What the service holds of this device.
pub(super) fn digest_query() -> Node {
    query("get", Node::new("digest"))
}

fn signed(row: &SignedPreKeyRow) -> Node {
    Node::new("skey")
        .child(Node::new("id").bytes(be24(row.id).to_vec()))
        .child(Node::new("value").bytes(row.pair.public.as_bytes().to_vec()))
        .child(Node::new("signature").bytes(row.signature.to_vec()))
}

/// A batch of one-time keys with the signed one.
pub(super) fn upload(keys: &DeviceKeys, signed_key: &SignedPreKeyRow, batch: &[PreKeyRow]) -> Node {
    let list = batch.iter().map(|row| {
        Node::new("key")
            .child(Node::new("id").bytes(be24(row.id).to_vec()))
            .child(Node::new("value").bytes(row.pair.public.as_bytes().to_vec()))
    });
    query("set", Node::new("registration").bytes(keys.registration_id.to_be_bytes().to_vec()))
        .child(Node::new("type").bytes(vec![KEY_TYPE]))
        .child(Node::new("identity").bytes(keys.identity.public.as_bytes().to_vec()))
        .child(Node::new("list").children(list))
        .child(signed(signed_key))
}

/// A new signed prekey.
pub(super) fn rotate(signed_key: &SignedPreKeyRow) -> Node {
    query("set", Node::new("rotate").child(signed(signed_key)))
}

/// What the service says that it holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Held {
    registration: Option<[u8; 4]>,
    identity: Option<[u8; 32]>,
    signed: Node,
    /// Ids of the one-time keys, in the order that counts for the hash.
    pub(super) ids: Vec<u32>,
    hash: Vec<u8>,
}

impl Held {
    /// Reads the answer to [`digest_query`]; `None` if there is nothing to compare.
    pub(super) fn parse(answer: &NodeRef<'_>) -> Option<Self> {
        let held = answer.child_named("digest")?;
        let array = |tag: &str| held.child_named(tag).and_then(|child| child.require_array().ok()).copied();
        let ids = held.child_named("list")?.children_named("id").filter_map(|id| {
            let [high, middle, low] = *id.require_array().ok()?;
            Some(u32::from_be_bytes([0, high, middle, low]))
        });
        Some(Self {
            registration: held
                .child_named("registration")
                .and_then(|child| child.require_array().ok())
                .copied(),
            identity: array("identity"),
            signed: held.child_named("skey")?.to_node(),
            ids: ids.collect(),
            hash: held.child_bytes("hash")?.to_vec(),
        })
    }

    /// Whether it is what this device has. `one_time` are the public keys of `ids`, in order.
    pub(super) fn matches(
        &self,
        keys: &DeviceKeys,
        signed_key: &SignedPreKeyRow,
        one_time: &[PublicKey],
    ) -> bool {
        let public = &signed_key.pair.public;
        let hash = digest::pre_key_digest(&keys.identity.public, public, &signed_key.signature, one_time);
        let ours = signed(signed_key);
        let same = |tag: &str| self.signed.child_bytes(tag) == ours.child_bytes(tag);
        self.registration == Some(keys.registration_id.to_be_bytes())
            && self.identity == Some(*keys.identity.public.as_bytes())
            && ["id", "value", "signature"].into_iter().all(same)
            && one_time.len() == self.ids.len()
            && self.hash == hash
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use whimbrel_crypto::curve::{KeyPair, PrivateKey};

    use super::*;

    fn vectors(name: &str) -> Value {
        let path = format!("{}/../../tests/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }

    fn bytes(value: &Value) -> Vec<u8> {
        hex::decode(value.as_str().unwrap()).unwrap()
    }

    fn pair(value: &Value) -> KeyPair {
        KeyPair::from_private(PrivateKey::from_bytes(bytes(&value["private"]).try_into().unwrap()))
    }

    fn ours() -> (DeviceKeys, SignedPreKeyRow, Vec<PreKeyRow>) {
        let (pairing, prekeys) = (vectors("pairing-qr"), vectors("prekeys"));
        let companion = &pairing["companion"];
        let keys = DeviceKeys {
            noise: pair(&companion["noise"]),
            identity: pair(&companion["identity"]),
            registration_id: 10_875,
            adv_secret: [0; 32],
        };
        let signed = SignedPreKeyRow {
            id: 1,
            pair: pair(&companion["signed_prekey"]),
            signature: bytes(&companion["signed_prekey"]["signature"]).try_into().unwrap(),
            created_at: 0,
        };
        let batch = prekeys["pre_keys"].as_array().unwrap().iter().map(|key| PreKeyRow {
            id: u32::try_from(key["id"].as_u64().unwrap()).unwrap(),
            pair: pair(key),
            offered: true,
        });
        (keys, signed, batch.collect())
    }

    fn held(ids: &[u32], hash: &str) -> Node {
        let (keys, signed_key, _) = ours();
        let ids = ids.iter().map(|id| Node::new("id").bytes(be24(*id).to_vec()));
        let digest = Node::new("digest")
            .child(Node::new("registration").bytes(keys.registration_id.to_be_bytes().to_vec()))
            .child(Node::new("type").bytes(vec![5]))
            .child(Node::new("identity").bytes(keys.identity.public.as_bytes().to_vec()))
            .child(signed(&signed_key))
            .child(Node::new("list").children(ids))
            .child(Node::new("hash").bytes(hex::decode(hash).unwrap()));
        Node::new("iq").attr("type", "result").child(digest)
    }

    #[test]
    fn an_upload_is_the_captured_one() {
        let (keys, signed_key, batch) = ours();
        let prekeys = vectors("prekeys");
        let frame = bytes(&prekeys["upload"]["binary"]);
        let captured = whimbrel_wire::decode_frame(&frame).unwrap();
        let ours = upload(&keys, &signed_key, &batch);
        for attr in ["xmlns", "type", "to"] {
            assert_eq!(ours.attr_text(attr), captured.attr_text(attr), "{attr}");
        }
        for child in ours.child_nodes() {
            assert_eq!(captured.child_named(child.tag()), Some(child), "{}", child.tag());
        }
        assert_eq!(ours.child_nodes().len(), captured.child_nodes().len());
    }

    #[test]
    fn the_digest_is_compared_over_the_listed_keys() {
        let (keys, signed_key, batch) = ours();
        let hashes = &vectors("prekeys")["digest"];
        let public = |id: u32| batch.iter().find(|row| row.id == id).unwrap().pair.public;
        for (ids, hash) in
            [(&[1, 2, 3, 4][..], "all_four_in_order"), (&[4, 2], "listed_4_2"), (&[], "no_one_time_keys")]
        {
            let hash = hashes[hash].as_str().unwrap();
            let answer = Held::parse(&held(ids, hash)).unwrap();
            let keys_listed: Vec<_> = ids.iter().map(|id| public(*id)).collect();
            assert_eq!(answer.ids, ids);
            assert!(answer.matches(&keys, &signed_key, &keys_listed));
            assert!(!answer.matches(
                &DeviceKeys { registration_id: 1, ..keys.clone() },
                &signed_key,
                &keys_listed
            ));
            let other = SignedPreKeyRow { id: 2, ..signed_key.clone() };
            assert!(!answer.matches(&keys, &other, &keys_listed));
        }
        let wrong = Held::parse(&held(&[4, 2], hashes["all_four_in_order"].as_str().unwrap())).unwrap();
        assert!(!wrong.matches(&keys, &signed_key, &[public(4), public(2)]));
        assert_eq!(Held::parse(&Node::new("iq")), None);
    }

    #[test]
    fn counts_are_read_from_answers_and_notifications() {
        let stanza = Node::new("notification").child(Node::new("count").attr("value", "9"));
        assert_eq!(read_count(&stanza), Some(9));
        assert_eq!(read_count(&Node::new("notification")), None);
        let (_, signed_key, _) = ours();
        let rotate = rotate(&signed_key);
        let skey = rotate.child_named("rotate").and_then(|rotate| rotate.child_named("skey")).unwrap();
        assert_eq!(skey.child_bytes("id"), Some(&[0, 0, 1][..]));
        assert!(rotate.attr_is("type", "set"));
        assert!(count().child_named("count").is_some() && digest_query().child_named("digest").is_some());
    }
}
