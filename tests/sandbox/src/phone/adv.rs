//! The phone's statements about its companions, and its check of those that others make
//! (pairing document §4.2, §4.3, §9.5).

use std::collections::BTreeMap;

use whimbrel_crypto::adv::{self, Hosting, ProofError};
use whimbrel_crypto::curve::{PrivateKey, PublicKey};
use whimbrel_proto::adv::{
    AdvDeviceIdentity, AdvEncryptionType, AdvKeyIndexList, AdvSignedDeviceIdentity,
    AdvSignedDeviceIdentityHmac, AdvSignedKeyIndexList,
};
use whimbrel_wire::Jid;

/// The companion that a statement is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) raw_id: u32,
    pub(crate) key_index: u32,
    pub(crate) identity: &'a PublicKey,
    /// When the statement is made, in seconds.
    pub(crate) timestamp: u64,
}

/// Phones write the zero of an enum out (as captured ones do), although protobuf need not.
const END_TO_END: Option<i32> = Some(AdvEncryptionType::E2ee as i32);

/// Encoded `ADVSignedDeviceIdentityHMAC` about a companion: signed by the account and keyed with the
/// secret that only somebody has who saw the linking code.
pub(crate) fn device_identity(
    account: &PrivateKey,
    adv_secret: &[u8; 32],
    subject: Subject<'_>,
    random: &[u8; 64],
) -> Vec<u8> {
    let details = whimbrel_proto::encode(&AdvDeviceIdentity {
        raw_id: Some(subject.raw_id),
        timestamp: Some(subject.timestamp),
        key_index: Some(subject.key_index),
        account_type: END_TO_END,
        device_type: END_TO_END,
    });
    let signature = adv::sign_account(account, Hosting::Own, &details, subject.identity, random);
    let signed = whimbrel_proto::encode(&AdvSignedDeviceIdentity {
        details: Some(details),
        account_signature_key: Some(account.public_key().as_bytes().to_vec()),
        account_signature: Some(signature.to_vec()),
        device_signature: None,
    });
    whimbrel_proto::encode(&AdvSignedDeviceIdentityHmac {
        hmac: Some(adv::hmac(adv_secret, Hosting::Own, &signed).to_vec()),
        details: Some(signed),
        account_type: END_TO_END,
    })
}

/// The key indexes that a list admits.
#[derive(Debug, Clone)]
pub(crate) struct Indexes {
    pub(crate) raw_id: u32,
    pub(crate) current: u32,
    pub(crate) valid: Vec<u32>,
    /// When the list is signed, in seconds.
    pub(crate) timestamp: u64,
}

/// Encoded `ADVSignedKeyIndexList`.
pub(crate) fn key_index_list(account: &PrivateKey, indexes: Indexes, random: &[u8; 64]) -> Vec<u8> {
    let details = whimbrel_proto::encode(&AdvKeyIndexList {
        raw_id: Some(indexes.raw_id),
        timestamp: Some(indexes.timestamp),
        current_index: Some(indexes.current),
        valid_indexes: indexes.valid,
        account_type: END_TO_END,
    });
    let signature = adv::sign_key_index_list(account, Hosting::Own, &details, random);
    whimbrel_proto::encode(&AdvSignedKeyIndexList {
        details: Some(details),
        account_signature: Some(signature.to_vec()),
        account_signature_key: None,
    })
}

/// Identities of other phones, which vouch for their companions.
#[derive(Debug, Default)]
pub(crate) struct Identities {
    /// Identity of device 0, by the account's address.
    accounts: BTreeMap<Jid, PublicKey>,
}

impl Identities {
    /// A phone's identity has been seen.
    pub(crate) fn learn(&mut self, device: &Jid, identity: PublicKey) {
        if !device.has_device() {
            self.accounts.insert(device.clone(), identity);
        }
    }

    /// An account is known by another address from now on.
    pub(crate) fn migrate(&mut self, old: &Jid, new: &Jid) {
        if let Some(identity) = self.accounts.remove(&old.to_bare()) {
            self.accounts.entry(new.to_bare()).or_insert(identity);
        }
    }

    /// A phone has got a new identity, which is still unknown.
    pub(crate) fn forget(&mut self, account: &Jid) {
        self.accounts.remove(account);
    }

    /// Checks that an account vouches for a companion with this identity.
    pub(crate) fn check(
        &self,
        companion: &Jid,
        identity: &PublicKey,
        proof: &[u8],
    ) -> Result<(), ProofError> {
        let unreadable = |_| ProofError::Signature;
        let signed: AdvSignedDeviceIdentity = whimbrel_proto::decode(proof).map_err(unreadable)?;
        let details = signed.details.unwrap_or_default();
        let device: AdvDeviceIdentity = whimbrel_proto::decode(&details).map_err(unreadable)?;
        let hosting = match device.device_type() {
            AdvEncryptionType::Hosted => Hosting::Hosted,
            _ => Hosting::Own,
        };
        let claimed = signed.account_signature_key.and_then(|key| PublicKey::parse(&key).ok());
        let account = match (self.accounts.get(&companion.to_bare()), claimed) {
            (Some(known), Some(claimed)) if *known != claimed => return Err(ProofError::Signature),
            (Some(known), _) => *known,
            (None, Some(claimed)) => claimed,
            // Without any key there is nothing to check against (pairing document §9.5, step 1).
            (None, None) => return Ok(()),
        };
        let account_signature = signed.account_signature.unwrap_or_default();
        adv::verify_account(&account, hosting, &details, identity, &account_signature)?;
        adv::verify_device(
            identity,
            hosting,
            &details,
            &account,
            &signed.device_signature.unwrap_or_default(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::vectors::{self, array, octets};
    use serde_json::Value;

    fn number(value: &Value) -> u32 {
        u32::try_from(value.as_u64().unwrap()).unwrap()
    }

    #[test]
    fn statements_are_those_of_the_vectors() {
        let vectors = vectors::load("pairing-qr.json");
        let account = PrivateKey::from_bytes(array(&vectors["primary"]["account_identity"]["private"]));
        let identity = PublicKey::from_bytes(array(&vectors["companion"]["identity"]["public"]));
        let case = &vectors["cases"][0];
        let subject = Subject {
            raw_id: number(&case["fields"]["rawId"]),
            key_index: number(&case["fields"]["keyIndex"]),
            identity: &identity,
            timestamp: case["fields"]["timestamp"].as_u64().unwrap(),
        };
        let secret = array(&vectors["companion"]["adv_secret"]);
        let built = device_identity(&account, &secret, subject, &array(&case["account_signature_random"]));
        let upload = &vectors["primary_upload"]["pair_device"];
        assert_eq!(hex::encode(built), upload["device-identity"].as_str().unwrap());

        let list = &vectors["key_index_list"][0];
        let indexes = Indexes {
            raw_id: number(&list["rawId"]),
            current: number(&list["currentIndex"]),
            valid: list["validIndexes"].as_array().unwrap().iter().map(number).collect(),
            timestamp: list["timestamp"].as_u64().unwrap(),
        };
        let built = key_index_list(&account, indexes, &array(&list["random"]));
        assert_eq!(hex::encode(built), upload["key-index-list"]["content"].as_str().unwrap());
    }

    #[test]
    fn a_companion_is_believed_only_with_a_proof_of_its_account() {
        let vectors = vectors::load("pairing-qr.json");
        let identity = PublicKey::from_bytes(array(&vectors["companion"]["identity"]["public"]));
        let account = PublicKey::from_bytes(array(&vectors["primary"]["account_identity"]["public"]));
        let case = &vectors["cases"][0];
        let proof = whimbrel_proto::encode(&AdvSignedDeviceIdentity {
            details: Some(octets(&case["adv_device_identity"])),
            account_signature_key: Some(account.as_bytes().to_vec()),
            account_signature: Some(octets(&case["account_signature"])),
            device_signature: Some(octets(&case["device_signature"])),
        });
        let companion = Jid::lid("1001").with_device(7);
        let mut known = Identities::default();
        assert_eq!(known.check(&companion, &identity, &proof), Ok(()));
        known.learn(&Jid::lid("1001"), account);
        assert_eq!(known.check(&companion, &identity, &proof), Ok(()));
        assert_eq!(known.check(&companion, &account, &proof), Err(ProofError::Signature));
        assert_eq!(known.check(&companion, &identity, b"\xff"), Err(ProofError::Signature));
        known.learn(&Jid::lid("1001"), identity);
        assert_eq!(known.check(&companion, &identity, &proof), Err(ProofError::Signature));
        known.forget(&Jid::lid("1001"));
        assert_eq!(known.check(&companion, &identity, &proof), Ok(()));
    }
}
