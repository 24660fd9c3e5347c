//! Prekeys: publishing one's own, fetching those of others (pairing document §8).

use whimbrel_crypto::curve::PublicKey;
use whimbrel_signal::Bundle;
use whimbrel_wire::{Jid, Node};

use super::{be_number, be24, iq};

/// The type of all identity keys: Curve25519.
const KEY_TYPE: [u8; 1] = [5];

/// Public half of the signed prekey.
#[derive(Debug, Clone)]
pub(crate) struct SignedPrekey {
    pub(crate) id: u32,
    pub(crate) public: PublicKey,
    pub(crate) signature: [u8; 64],
}

impl SignedPrekey {
    pub(crate) fn node(&self) -> Node {
        Node::new("skey")
            .child(Node::new("id").bytes(be24(self.id)))
            .child(Node::new("value").bytes(self.public.as_bytes().to_vec()))
            .child(Node::new("signature").bytes(self.signature.to_vec()))
    }
}

/// A one-time prekey as stanzas carry it.
pub(crate) fn one_time_node(id: u32, public: &PublicKey) -> Node {
    Node::new("key")
        .child(Node::new("id").bytes(be24(id)))
        .child(Node::new("value").bytes(public.as_bytes().to_vec()))
}

pub(crate) fn type_node() -> Node {
    Node::new("type").bytes(KEY_TYPE.to_vec())
}

/// Publishes one-time prekeys.
pub(crate) fn upload(
    registration_id: u32,
    identity: &PublicKey,
    signed: &SignedPrekey,
    one_time: &[(u32, PublicKey)],
) -> Node {
    iq("set", "encrypt")
        .child(Node::new("registration").bytes(registration_id.to_be_bytes().to_vec()))
        .child(type_node())
        .child(Node::new("identity").bytes(identity.as_bytes().to_vec()))
        .child(Node::new("list").children(one_time.iter().map(|(id, key)| one_time_node(*id, key))))
        .child(signed.node())
}

/// Asks for the bundles of devices.
pub(crate) fn fetch(devices: &[Jid]) -> Node {
    let users = devices.iter().map(|device| Node::new("user").attr("jid", device.clone()));
    iq("get", "encrypt").child(Node::new("key").children(users))
}

/// A device's bundle and, of a companion, the proof that its account vouches for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeviceBundle {
    pub(crate) device: Jid,
    pub(crate) bundle: Bundle,
    pub(crate) device_identity: Option<Vec<u8>>,
}

/// All usable bundles of an answer; devices with an error or without keys are left out.
pub(crate) fn read_bundles(answer: &Node) -> Vec<DeviceBundle> {
    let list = answer.child_named("list");
    list.into_iter()
        .flat_map(|list| list.children_named("user"))
        .filter_map(|user| {
            Some(DeviceBundle {
                device: user.attr_jid("jid")?,
                bundle: read_bundle(user)?,
                device_identity: user.child_bytes("device-identity").map(<[u8]>::to_vec),
            })
        })
        .collect()
}

/// Reads a bundle out of the node that holds its parts.
fn read_bundle(parts: &Node) -> Option<Bundle> {
    let registration_id = be_number(parts.child_bytes("registration")?)?;
    read_keys(parts, registration_id)
}

/// Reads the keys of a bundle whose registration id stands elsewhere.
pub(crate) fn read_keys(parts: &Node, registration_id: u32) -> Option<Bundle> {
    let signed = parts.child_named("skey")?;
    let one_time = match parts.child_named("key") {
        Some(key) => Some((be_number(key.child_bytes("id")?)?, public(key.child_bytes("value")?)?)),
        None => None,
    };
    Some(Bundle {
        registration_id,
        identity: public(parts.child_bytes("identity")?)?,
        signed_prekey_id: be_number(signed.child_bytes("id")?)?,
        signed_prekey: public(signed.child_bytes("value")?)?,
        signed_prekey_signature: signed.child_bytes("signature")?.try_into().ok()?,
        one_time_prekey: one_time,
    })
}

fn public(bytes: &[u8]) -> Option<PublicKey> {
    PublicKey::parse(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(jid: Jid) -> Node {
        let key = |byte: u8| PublicKey::from_bytes([byte; 32]);
        let signed = SignedPrekey { id: 1, public: key(2), signature: [3; 64] };
        Node::new("user")
            .attr("jid", jid)
            .child(Node::new("registration").bytes(vec![0, 0, 0x2a, 0x7b]))
            .child(type_node())
            .child(Node::new("identity").bytes(vec![1; 32]))
            .child(signed.node())
            .child(one_time_node(258, &key(4)))
    }

    #[test]
    fn bundles_are_read_and_errors_left_out() {
        let device = Jid::lid("2002").with_device(7);
        let refused = Node::new("user")
            .attr("jid", Jid::lid("2002").with_device(8))
            .child(Node::new("error").attr("code", "406"));
        let answer = Node::new("iq").child(Node::new("list").child(user(device.clone())).child(refused));
        let bundles = read_bundles(&answer);
        assert_eq!(bundles.len(), 1);
        assert_eq!(bundles[0].device, device);
        assert_eq!(bundles[0].bundle.registration_id, 10_875);
        assert_eq!(bundles[0].bundle.one_time_prekey, Some((258, PublicKey::from_bytes([4; 32]))));
    }

    #[test]
    fn a_bundle_without_a_one_time_key_is_good() {
        let mut parts = Node::new("user");
        for child in user(Jid::pn("1")).child_nodes() {
            if child.tag() != "key" {
                parts.push_child(child.clone());
            }
        }
        assert_eq!(read_bundle(&parts).map(|bundle| bundle.one_time_prekey), Some(None));
    }
}
