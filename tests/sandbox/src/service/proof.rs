//! The signatures that the service can check (pairing document §4.3, §9.3).

use whimbrel_crypto::adv::{self, Hosting};
use whimbrel_crypto::curve::PublicKey;
use whimbrel_proto::ProtoMessage as _;
use whimbrel_proto::adv::{AdvDeviceIdentity, AdvEncryptionType, AdvKeyIndexList, AdvSignedKeyIndexList};
use whimbrel_wire::Node;

use super::prekeys::SignedPrekey;

/// The type octet of a Curve25519 key.
pub(super) const KEY_TYPE: u8 = 5;

/// Which companions the phone admits, as it signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyIndexList {
    /// The `ADVSignedKeyIndexList`, byte for byte.
    pub(super) signed: Vec<u8>,
    pub(super) timestamp: u64,
    pub(super) raw_id: u32,
    pub(super) current_index: u32,
    pub(super) valid_indexes: Vec<u32>,
}

impl KeyIndexList {
    /// Whether a companion with this index is one of the account's.
    pub(super) fn admits(&self, index: u32) -> bool {
        index > self.current_index || self.valid_indexes.contains(&index)
    }

    /// The list as it is handed out.
    pub(super) fn node(&self) -> Node {
        Node::new("key-index-list").attr("ts", self.timestamp).bytes(self.signed.clone())
    }
}

/// Whether a signed pre-key is signed by its owner.
pub(super) fn signed_prekey(identity: &[u8; 32], key: &SignedPrekey) -> bool {
    let typed = PublicKey::from_bytes(key.public).to_typed();
    PublicKey::from_bytes(*identity).verify(&[&typed], &key.signature).is_ok()
}

/// Whether a companion has signed the identity that the phone made for it.
pub(super) fn device_signature(
    identity: &[u8; 32],
    details: &[u8],
    account_key: &[u8; 32],
    signature: &[u8],
) -> bool {
    let Ok(device) = AdvDeviceIdentity::decode(details) else { return false };
    let companion = PublicKey::from_bytes(*identity);
    let account = PublicKey::from_bytes(*account_key);
    adv::verify_device(&companion, hosting(device.device_type), details, &account, signature).is_ok()
}

fn hosting(kind: Option<i32>) -> Hosting {
    if kind == Some(AdvEncryptionType::Hosted as i32) { Hosting::Hosted } else { Hosting::Own }
}

/// Reads a key index list and checks that the phone with this identity signed it.
pub(super) fn key_index_list(identity: &[u8; 32], signed: &[u8]) -> Option<KeyIndexList> {
    let list = AdvSignedKeyIndexList::decode(signed).ok()?;
    let details = list.details?;
    if list.account_signature_key.is_some_and(|key| key != identity) {
        return None;
    }
    let decoded = AdvKeyIndexList::decode(details.as_slice()).ok()?;
    let phone = PublicKey::from_bytes(*identity);
    adv::verify_key_index_list(&phone, hosting(decoded.account_type), &details, &list.account_signature?)
        .ok()?;
    Some(KeyIndexList {
        signed: signed.to_vec(),
        timestamp: decoded.timestamp?,
        raw_id: decoded.raw_id?,
        current_index: decoded.current_index.unwrap_or_default(),
        valid_indexes: decoded.valid_indexes,
    })
}
