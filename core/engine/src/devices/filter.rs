//! Which listed devices count (pairing document §9.1): those whose key index the account has
//! signed, and those that are newer than its signature. Pure.

use whimbrel_crypto::adv::{self, Hosting};
use whimbrel_crypto::curve::PublicKey;
use whimbrel_proto::adv::{AdvEncryptionType, AdvKeyIndexList, AdvSignedKeyIndexList};

use super::usync::Devices;
use crate::store::{DeviceList, DeviceListEntry};

/// Why a list is not taken. What was stored stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ListError {
    /// Its signature is older than that of the stored list.
    #[error("the device list is older than the known one")]
    Older,
}

/// A list that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checked {
    pub(crate) list: DeviceList,
    /// The account was registered anew since the stored list: what was known of its companions
    /// is void.
    pub(crate) registered_anew: bool,
}

/// A signed list that was verified.
struct Signed {
    raw_id: u32,
    timestamp: i64,
    current: u32,
    valid: Vec<u32>,
}

/// Checks a list. `account` is the identity key of the account's device 0, if known; without it
/// the key in the signed list counts, which must agree with that identity once it is known
/// (every companion's own proof is checked against it before a session is made).
pub(crate) fn check(
    devices: &Devices,
    account: Option<&[u8; 32]>,
    stored: Option<&DeviceList>,
    now: i64,
) -> Result<Checked, ListError> {
    let signed = devices.signed.as_deref().and_then(|signed| verify(signed, account));
    if let (Some(signed), Some(stored)) = (&signed, stored)
        && signed.raw_id == stored.raw_id
        && signed.timestamp < stored.signed_at
    {
        return Err(ListError::Older);
    }
    let mut kept: Vec<DeviceListEntry> = Vec::with_capacity(devices.listed.len().max(1));
    kept.push(DeviceListEntry { device: 0, key_index: 0, hosted: false });
    for listed in &devices.listed {
        let Some(key_index) = listed.key_index else { continue };
        let counts = signed
            .as_ref()
            .is_some_and(|signed| key_index > signed.current || signed.valid.contains(&key_index));
        if counts && kept.iter().all(|entry| entry.device != listed.device) {
            kept.push(DeviceListEntry { device: listed.device, key_index, hosted: listed.hosted });
        }
    }
    let raw_id =
        signed.as_ref().map_or_else(|| stored.map_or(0, |stored| stored.raw_id), |signed| signed.raw_id);
    let registered_anew = stored.is_some_and(|stored| stored.raw_id != 0 && stored.raw_id != raw_id);
    let signed_at = signed.map_or(0, |signed| signed.timestamp);
    let list = DeviceList { devices: kept, raw_id, signed_at, fetched_at: now };
    Ok(Checked { list, registered_anew })
}

/// Whether a companion whose proof states this key index counts by the known list of its account (pairing
/// document §9.5, step 5). One that is newer than everything in the list does: it was added since.
pub(crate) fn admits(list: &DeviceList, device: u16, key_index: u32) -> bool {
    let listed = |entry: &DeviceListEntry| entry.device == device && entry.key_index == key_index;
    list.signed_at == 0
        || list.devices.iter().any(listed)
        || list.devices.iter().all(|entry| entry.key_index < key_index)
}

/// Whether a list is signed, but not by the known key of the account: its phone may have been set up anew.
pub(crate) fn is_of_other_account(devices: &Devices, account: Option<&[u8; 32]>) -> bool {
    let signed = devices.signed.as_deref();
    account.is_some() && signed.is_some_and(|signed| verify(signed, account).is_none())
}

fn verify(bytes: &[u8], account: Option<&[u8; 32]>) -> Option<Signed> {
    let signed: AdvSignedKeyIndexList = whimbrel_proto::decode(bytes).ok()?;
    let details = signed.details?;
    let named = signed.account_signature_key.filter(|key| !key.is_empty());
    let key = match (account, named) {
        (Some(account), None) => PublicKey::from_bytes(*account),
        (Some(account), Some(named)) => {
            let named = PublicKey::parse(&named).ok()?;
            if named.as_bytes() != account {
                return None;
            }
            named
        }
        (None, Some(named)) => PublicKey::parse(&named).ok()?,
        (None, None) => return read(&details),
    };
    let list: AdvKeyIndexList = whimbrel_proto::decode(&details).ok()?;
    let hosting = match list.account_type() {
        AdvEncryptionType::Hosted => Hosting::Hosted,
        _ => Hosting::Own,
    };
    adv::verify_key_index_list(&key, hosting, &details, &signed.account_signature?).ok()?;
    read(&details)
}

fn read(details: &[u8]) -> Option<Signed> {
    let list: AdvKeyIndexList = whimbrel_proto::decode(details).ok()?;
    Some(Signed {
        raw_id: list.raw_id?,
        timestamp: i64::try_from(list.timestamp?).ok()?,
        current: list.current_index.unwrap_or(0),
        valid: list.valid_indexes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devices::usync::Listed;
    use crate::random;
    use whimbrel_crypto::curve::KeyPair;
    use whimbrel_proto::encode;

    struct Account(KeyPair);

    impl Account {
        fn new(seed: u64) -> Self {
            Self(KeyPair::generate(&mut random::generator(Some(seed), 1).unwrap()))
        }

        fn key(&self) -> &[u8; 32] {
            self.0.public.as_bytes()
        }

        fn sign(&self, raw_id: u32, timestamp: u64, current: u32, valid: &[u32], name_key: bool) -> Vec<u8> {
            let details = encode(&AdvKeyIndexList {
                raw_id: Some(raw_id),
                timestamp: Some(timestamp),
                current_index: Some(current),
                valid_indexes: valid.to_vec(),
                account_type: None,
            });
            let signature = adv::sign_key_index_list(&self.0.private, Hosting::Own, &details, &[7; 64]);
            encode(&AdvSignedKeyIndexList {
                details: Some(details),
                account_signature: Some(signature.to_vec()),
                account_signature_key: name_key.then(|| self.key().to_vec()),
            })
        }
    }

    fn listed(devices: &[(u16, Option<u32>)], signed: Option<Vec<u8>>) -> Devices {
        let listed = devices.iter().map(|(device, key_index)| Listed {
            device: *device,
            key_index: *key_index,
            hosted: false,
        });
        Devices { listed: listed.collect(), signed }
    }

    fn kept(checked: &Checked) -> Vec<u16> {
        checked.list.devices.iter().map(|entry| entry.device).collect()
    }

    const DEVICES: &[(u16, Option<u32>)] = &[(0, None), (1, Some(1)), (2, Some(2)), (9, Some(9)), (3, None)];

    #[test]
    fn a_list_of_another_key_is_told_apart() {
        let (known, other) = (Account::new(1), Account::new(2));
        for name_key in [true, false] {
            let of = |account: &Account| Devices {
                listed: Vec::new(),
                signed: Some(account.sign(7, 100, 3, &[1], name_key)),
            };
            assert!(!is_of_other_account(&of(&known), Some(known.key())));
            assert!(is_of_other_account(&of(&other), Some(known.key())));
            assert!(!is_of_other_account(&of(&other), None));
        }
        assert!(!is_of_other_account(&Devices::default(), Some(known.key())));
    }

    #[test]
    fn signed_and_newer_indexes_are_kept() {
        let account = Account::new(1);
        for name_key in [true, false] {
            let signed = account.sign(5, 1000, 4, &[0, 2], name_key);
            for known in [Some(account.key()), None] {
                let checked = check(&listed(DEVICES, Some(signed.clone())), known, None, 77).unwrap();
                assert_eq!(kept(&checked), [0, 2, 9]);
                assert_eq!(
                    (checked.list.raw_id, checked.list.signed_at, checked.list.fetched_at),
                    (5, 1000, 77)
                );
            }
        }
    }

    #[test]
    fn without_a_good_signature_only_the_phone_is_left() {
        let (account, stranger) = (Account::new(1), Account::new(2));
        let mut altered = account.sign(5, 1000, 4, &[0, 2], false);
        if let Some(last) = altered.last_mut() {
            *last ^= 1;
        }
        for signed in [None, Some(altered), Some(stranger.sign(5, 1000, 4, &[0, 2], true)), Some(vec![0xff])]
        {
            let checked = check(&listed(DEVICES, signed), Some(account.key()), None, 0).unwrap();
            assert_eq!(kept(&checked), [0]);
        }
    }

    #[test]
    fn an_older_list_is_refused_and_a_new_registration_noticed() {
        let account = Account::new(1);
        let list = |raw_id, at| listed(DEVICES, Some(account.sign(raw_id, at, 0, &[], false)));
        let stored = check(&list(5, 1000), Some(account.key()), None, 0).unwrap().list;
        assert_eq!(check(&list(5, 999), Some(account.key()), Some(&stored), 0), Err(ListError::Older));
        let same = check(&list(5, 1000), Some(account.key()), Some(&stored), 0).unwrap();
        assert!(!same.registered_anew);
        let anew = check(&list(6, 1), Some(account.key()), Some(&stored), 0).unwrap();
        assert!(anew.registered_anew);
    }

    #[test]
    fn a_proof_of_a_removed_companion_does_not_count() {
        let account = Account::new(1);
        let signed = account.sign(5, 1000, 4, &[0, 2, 4], false);
        let devices = [(0, None), (2, Some(2)), (4, Some(4))];
        let list = check(&listed(&devices, Some(signed)), Some(account.key()), None, 0).unwrap().list;
        assert!(admits(&list, 2, 2) && admits(&list, 4, 4));
        assert!(admits(&list, 7, 5) && admits(&list, 2, 6), "added since, or its number was given again");
        assert!(!admits(&list, 1, 1) && !admits(&list, 3, 3), "removed");
        assert!(!admits(&list, 2, 1) && !admits(&list, 2, 4), "that of another device");
        let unsigned = check(&listed(&devices, None), Some(account.key()), None, 0).unwrap().list;
        assert!(admits(&unsigned, 1, 1), "nothing is known");
    }

    #[test]
    fn device_0_is_there_once_even_if_not_listed() {
        let checked = check(&listed(&[(7, None)], None), None, None, 0).unwrap();
        assert_eq!(kept(&checked), [0]);
    }
}
