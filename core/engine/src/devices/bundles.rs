//! Prekey bundles of other devices (pairing document §8.6), and the proof that a companion
//! belongs to its account (§9.5). Pure.

use whimbrel_crypto::adv::{self, Hosting};
use whimbrel_crypto::curve::PublicKey;
use whimbrel_proto::adv::{AdvDeviceIdentity, AdvEncryptionType, AdvSignedDeviceIdentity};
use whimbrel_signal::Bundle;
use whimbrel_wire::{Jid, Node, NodeRef};

/// Devices in one request.
pub(crate) const DEVICES: usize = 500;

/// The keys of a device, with its proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeviceBundle {
    pub(crate) bundle: Bundle,
    /// `ADVSignedDeviceIdentity`, encoded.
    pub(crate) proof: Option<Vec<u8>>,
}

/// Why there are no keys of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoBundle {
    /// The service said so.
    #[error("the service refused it with {0}")]
    Refused(u16),
    /// The answer lacks a part, or a part is malformed.
    #[error("the bundle is malformed")]
    Malformed,
}

impl NoBundle {
    /// The device does not exist any more: the list that named it is stale.
    pub(crate) const fn is_unregistered(self) -> bool {
        matches!(self, Self::Refused(404 | 406))
    }
}

/// Why keys are asked for; the service weighs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// There is no session.
    NoSession,
    /// An identity changed, or seems to have.
    Identity,
}

/// Asks for the keys of devices, each with its wire address.
pub(crate) fn query(devices: &[Jid], reason: Reason) -> Node {
    let reason = (reason == Reason::Identity).then_some("identity");
    let users = devices.iter().map(|device| Node::new("user").attr("jid", device).attr_opt("reason", reason));
    let key = Node::new("key").children(users);
    Node::new("iq").attr("to", Jid::SERVER).attr("type", "get").attr("xmlns", "encrypt").child(key)
}

/// Reads the answer: what there is for each device that it mentions.
pub(crate) fn parse(answer: &NodeRef<'_>) -> Vec<(Jid, Result<DeviceBundle, NoBundle>)> {
    let Some(list) = answer.child_named("list") else { return Vec::new() };
    list.children_named("user").filter_map(|user| Some((user.attr_jid("jid")?, device(user)))).collect()
}

fn device(user: &NodeRef<'_>) -> Result<DeviceBundle, NoBundle> {
    if let Some(error) = user.child_named("error") {
        let code = error.attr_u64("code").and_then(|code| u16::try_from(code).ok());
        return Err(NoBundle::Refused(code.unwrap_or(0)));
    }
    keys(user, user.child_named("registration")).ok_or(NoBundle::Malformed)
}

/// Reads the keys in `<user>` of an answer, or in `<keys>` of a retry receipt, whose
/// registration id stands beside it.
pub(crate) fn keys(node: &NodeRef<'_>, registration: Option<&NodeRef<'_>>) -> Option<DeviceBundle> {
    let signed = node.child_named("skey")?;
    let one_time_prekey = match node.child_named("key") {
        Some(key) => Some((key_id(key)?, public(key.child_bytes("value")?)?)),
        None => None,
    };
    let bundle = Bundle {
        registration_id: u32::from_be_bytes(*registration?.require_array().ok()?),
        identity: public(node.child_bytes("identity")?)?,
        signed_prekey_id: key_id(signed)?,
        signed_prekey: public(signed.child_bytes("value")?)?,
        signed_prekey_signature: *signed.child_named("signature")?.require_array().ok()?,
        one_time_prekey,
    };
    Some(DeviceBundle { bundle, proof: node.child_bytes("device-identity").map(<[u8]>::to_vec) })
}

fn key_id(node: &NodeRef<'_>) -> Option<u32> {
    let [high, middle, low] = *node.child_named("id")?.require_array().ok()?;
    Some(u32::from_be_bytes([0, high, middle, low]))
}

fn public(bytes: &[u8]) -> Option<PublicKey> {
    PublicKey::parse(bytes).ok()
}

/// A companion's proof that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ProofInvalid {
    /// It may hold for another key of the account than the known one: the account's phone may have been set
    /// up anew.
    #[error("the companion is vouched for by another key than its account's known one")]
    OtherAccount,
    /// It holds for no key.
    #[error("the companion is not proved to belong to its account")]
    Forged,
}

/// Checks that the owner of `identity` is a companion of the account with the key `account`
/// (identity of its device 0, if known). Without either key there is nothing to check with.
pub(crate) fn check_proof(
    proof: &[u8],
    identity: &PublicKey,
    account: Option<&[u8; 32]>,
) -> Result<(), ProofInvalid> {
    let signed: AdvSignedDeviceIdentity = whimbrel_proto::decode(proof).map_err(|_| ProofInvalid::Forged)?;
    let named = match signed.account_signature_key.as_deref() {
        None | Some([]) => None,
        Some(named) => Some(public(named).ok_or(ProofInvalid::Forged)?),
    };
    let key = match (account, named) {
        (Some(account), Some(named)) if named.as_bytes() != account => {
            return Err(ProofInvalid::OtherAccount);
        }
        (Some(account), _) => PublicKey::from_bytes(*account),
        (None, Some(named)) => named,
        (None, None) => return Ok(()),
    };
    let forged = ProofInvalid::Forged;
    let details = signed.details.ok_or(forged)?;
    let by_account = signed.account_signature.ok_or(forged)?;
    let by_device = signed.device_signature.ok_or(forged)?;
    let described: AdvDeviceIdentity = whimbrel_proto::decode(&details).map_err(|_| forged)?;
    let hosting = match described.device_type() {
        AdvEncryptionType::Hosted => Hosting::Hosted,
        _ => Hosting::Own,
    };
    // Without its name, another key shows only in this.
    let by_other = if named.is_none() && account.is_some() { ProofInvalid::OtherAccount } else { forged };
    adv::verify_account(&key, hosting, &details, identity, &by_account).map_err(|_| by_other)?;
    adv::verify_device(identity, hosting, &details, &key, &by_device).map_err(|_| forged)
}

/// The number that the account gave a companion, as its proof states it.
pub(crate) fn key_index(proof: &[u8]) -> Option<u32> {
    let signed: AdvSignedDeviceIdentity = whimbrel_proto::decode(proof).ok()?;
    let described: AdvDeviceIdentity = whimbrel_proto::decode(&signed.details?).ok()?;
    described.key_index
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::random;
    use whimbrel_crypto::curve::KeyPair;
    use whimbrel_proto::encode;

    /// A proof made by an account for a companion.
    pub(crate) fn proof(account: &KeyPair, companion: &KeyPair, index: u32, name_key: bool) -> Vec<u8> {
        let details =
            encode(&AdvDeviceIdentity { raw_id: Some(1), key_index: Some(index), ..Default::default() });
        let by_account =
            adv::sign_account(&account.private, Hosting::Own, &details, &companion.public, &[1; 64]);
        let by_device =
            adv::sign_device(&companion.private, &companion.public, &details, &account.public, &[2; 64]);
        encode(&AdvSignedDeviceIdentity {
            details: Some(details),
            account_signature_key: name_key.then(|| account.public.as_bytes().to_vec()),
            account_signature: Some(by_account.to_vec()),
            device_signature: Some(by_device.to_vec()),
        })
    }

    fn key(tag: &'static str, id: u8) -> Node {
        Node::new(tag)
            .child(Node::new("id").bytes(vec![0, 1, id]))
            .child(Node::new("value").bytes(vec![id; 32]))
    }

    fn user(jid: Jid) -> Node {
        Node::new("user")
            .attr("jid", jid)
            .child(Node::new("registration").bytes(vec![0, 0, 1, 2]))
            .child(Node::new("type").bytes(vec![5]))
            .child(Node::new("identity").bytes(vec![9; 32]))
            .child(key("skey", 3).child(Node::new("signature").bytes(vec![4; 64])))
    }

    #[test]
    fn a_query_names_devices_by_jid() {
        let node = query(&[Jid::lid("1"), Jid::lid("1").with_device(7)], Reason::NoSession);
        let named: Vec<_> = node
            .child_named("key")
            .unwrap()
            .children_named("user")
            .map(|u| u.attr_jid("jid").unwrap())
            .collect();
        assert_eq!(named, [Jid::lid("1"), Jid::lid("1").with_device(7)]);
        assert!(node.attr_is("xmlns", "encrypt") && node.attr_is("type", "get"));
        let reason = |node: &Node| {
            let user = node.child_named("key").unwrap().first_child().unwrap();
            user.attr_text("reason").map(std::borrow::Cow::into_owned)
        };
        assert_eq!(reason(&node), None);
        let renewed = query(&[Jid::lid("1")], Reason::Identity);
        assert_eq!(reason(&renewed).as_deref(), Some("identity"));
    }

    #[test]
    fn bundles_come_with_or_without_a_one_time_key() {
        let (one, two) = (Jid::lid("1"), Jid::lid("1").with_device(7));
        let list = Node::new("list")
            .child(user(one.clone()).child(key("key", 8)).child(Node::new("device-identity").bytes(vec![1])))
            .child(user(two.clone()));
        let parsed = parse(&Node::new("iq").child(list));
        let first = parsed[0].1.clone().unwrap();
        assert_eq!((first.bundle.registration_id, first.bundle.signed_prekey_id), (0x102, 0x103));
        assert_eq!(first.bundle.one_time_prekey, Some((0x108, PublicKey::from_bytes([8; 32]))));
        assert_eq!(first.proof, Some(vec![1]));
        assert_eq!((&parsed[0].0, &parsed[1].0), (&one, &two));
        let second = parsed[1].1.clone().unwrap();
        assert_eq!((second.bundle.one_time_prekey, second.proof), (None, None));
    }

    #[test]
    fn refusals_and_missing_parts_concern_one_device() {
        let refused =
            Node::new("user").attr("jid", Jid::lid("1")).child(Node::new("error").attr("code", "406"));
        let empty = Node::new("user").attr("jid", Jid::lid("2"));
        let parsed = parse(
            &Node::new("iq").child(Node::new("list").child(refused).child(empty).child(user(Jid::lid("3")))),
        );
        let errors: Vec<_> = parsed.iter().map(|(_, bundle)| bundle.clone().err()).collect();
        assert_eq!(errors, [Some(NoBundle::Refused(406)), Some(NoBundle::Malformed), None]);
        assert!(NoBundle::Refused(406).is_unregistered() && !NoBundle::Malformed.is_unregistered());
        assert!(parse(&Node::new("iq")).is_empty());
    }

    #[test]
    fn proofs_hold_only_for_their_account_and_companion() {
        let mut rng = random::generator(Some(1), 1).unwrap();
        let mut pair = || KeyPair::generate(&mut rng);
        let (account, companion, other) = (pair(), pair(), pair());
        for name_key in [true, false] {
            let good = proof(&account, &companion, 3, name_key);
            assert_eq!(check_proof(&good, &companion.public, Some(account.public.as_bytes())), Ok(()));
            assert_eq!(check_proof(&good, &companion.public, None), Ok(()));
            assert_eq!(
                check_proof(&good, &companion.public, Some(other.public.as_bytes())),
                Err(ProofInvalid::OtherAccount)
            );
        }
        let good = proof(&account, &companion, 3, true);
        assert_eq!((key_index(&good), key_index(&[0xff])), (Some(3), None));
        assert_eq!(check_proof(&good, &other.public, None), Err(ProofInvalid::Forged));
        assert_eq!(check_proof(&[0xff], &companion.public, None), Err(ProofInvalid::Forged));
    }
}
