//! A link as it was found in the files of another client: the checks before it is accepted, and
//! what it becomes here.

use std::collections::BTreeMap;

use whimbrel_crypto::adv::{self, Hosting};
use whimbrel_crypto::curve::{KeyPair, PrivateKey, PublicKey};
use whimbrel_proto::ProtoMessage as _;
use whimbrel_proto::adv::{AdvDeviceIdentity, AdvEncryptionType, AdvSignedDeviceIdentity};
use whimbrel_signal::{SenderKeyRecord, SessionRecord};
use whimbrel_wire::Jid;

use super::problem::ImportProblem;
use super::report::{ImportReport, LeftOut, TakenOver};
use crate::clock;
use crate::error::Error;
use crate::store::sqlite::Carried;
use crate::store::{Account, Changes, DeviceKeys, PreKeyRow, SignedPreKeyRow};

/// Parts of an `ADVSignedDeviceIdentity`.
pub(super) struct SignedIdentity {
    pub(super) details: Vec<u8>,
    pub(super) account_key: PublicKey,
    pub(super) account_signature: Vec<u8>,
    pub(super) device_signature: Vec<u8>,
}

/// Everything that was found.
pub(super) struct Taken {
    pub(super) noise: KeyPair,
    pub(super) identity: KeyPair,
    pub(super) registration_id: u32,
    pub(super) adv_secret: [u8; 32],
    pub(super) signed_pre_key: SignedPreKeyRow,
    pub(super) pre_keys: Vec<PreKeyRow>,
    /// Ids from here on were not offered to anybody yet.
    pub(super) unoffered_from: u32,
    pub(super) next_pre_key_id: u32,
    pub(super) phone: Jid,
    pub(super) lid: Option<Jid>,
    pub(super) signed_identity: SignedIdentity,
    pub(super) platform: String,
    pub(super) business_name: Option<String>,
    pub(super) push_name: Option<String>,
    pub(super) routing_info: Option<Vec<u8>>,
    pub(super) sessions: BTreeMap<Jid, SessionRecord>,
    pub(super) identities: BTreeMap<Jid, [u8; 32]>,
    /// By group and owner, without our own.
    pub(super) sender_keys: BTreeMap<(Jid, Jid), SenderKeyRecord>,
    /// Phone number by LID, both bare.
    pub(super) phones: BTreeMap<Jid, Jid>,
    pub(super) carried: Carried,
    pub(super) notes: Notes,
}

/// What is reported.
#[derive(Default)]
pub(super) struct Notes {
    left_out: BTreeMap<(&'static str, String), u64>,
    warnings: Vec<String>,
}

impl Notes {
    /// One more of a kind was left out.
    pub(super) fn leave_out(&mut self, what: &'static str, why: impl Into<String>) {
        self.leave_out_many(what, 1, why);
    }

    /// A number of a kind was left out.
    pub(super) fn leave_out_many(&mut self, what: &'static str, count: u64, why: impl Into<String>) {
        if count > 0 {
            *self.left_out.entry((what, why.into())).or_default() += count;
        }
    }

    /// Something may cause trouble.
    pub(super) fn warn(&mut self, warning: &str) {
        self.warnings.push(warning.to_owned());
    }
}

/// Sender keys of this device are not continued: nobody can say who holds them and how far a
/// lost write went, and a new one reaches everybody with the next message.
pub(super) const OWN_SENDER_KEYS: (&str, &str) =
    ("own sender keys", "new ones are made and handed out with the next message");

impl Taken {
    /// Checks, brings everything of a person under one address, and makes rows of it.
    pub(super) fn finish(mut self) -> Result<(Changes, Carried, ImportReport), Error> {
        self.check()?;
        self.prefer_lids();
        let (phone, lid) = (self.phone.to_account(), self.lid.as_ref().map(Jid::to_account));
        let account_key = self.signed_identity.account_key;
        if let Some(lid) = lid.clone() {
            self.phones.insert(lid, phone.clone());
        }
        self.identities.insert(lid.unwrap_or(phone), *account_key.as_bytes());
        // What was proved in a session is the identity where nothing else is written.
        for (device, record) in &self.sessions {
            if let Some(identity) = record.remote_identity() {
                self.identities.entry(device.clone()).or_insert(*identity.as_bytes());
            }
        }

        let account = self.account();
        let mut report = ImportReport::of(&account)?;
        report.taken = self.counts();
        let mut notes = self.notes;
        // They are hints, and are asked for before they are needed.
        for ((what, why), count) in std::mem::take(&mut notes.left_out) {
            report.left_out.push(LeftOut { what: what.to_owned(), count, why });
        }
        report.warnings = notes.warnings;

        let mut changes = Changes { account: Some(account), ..Changes::default() };
        changes.signed_pre_keys.insert(self.signed_pre_key.id, Some(self.signed_pre_key));
        changes.pre_keys.extend(self.pre_keys.into_iter().map(|row| (row.id, Some(row))));
        let sessions = self.sessions.into_iter().map(|(device, record)| (device, Some(record.serialize())));
        changes.sessions.extend(sessions);
        changes.identities.extend(self.identities.into_iter().map(|(device, key)| (device, Some(key))));
        let sender_keys = self.sender_keys.into_iter().map(|(key, record)| (key, Some(record.serialize())));
        changes.sender_keys.extend(sender_keys);
        changes.lid_pairs.extend(self.phones);
        Ok((changes, self.carried, report))
    }

    fn account(&self) -> Account {
        let keys = DeviceKeys {
            noise: self.noise.clone(),
            identity: self.identity.clone(),
            registration_id: self.registration_id,
            adv_secret: self.adv_secret,
        };
        let mut account = crate::link::new_account(keys);
        account.signed_pre_key_id = self.signed_pre_key.id;
        account.last_signed_pre_key_id = self.signed_pre_key.id;
        account.next_pre_key_id = self.next_pre_key_id;
        account.phone = Some(self.phone.clone());
        account.lid.clone_from(&self.lid);
        let signed = AdvSignedDeviceIdentity {
            details: Some(self.signed_identity.details.clone()),
            account_signature_key: Some(self.signed_identity.account_key.as_bytes().to_vec()),
            account_signature: Some(self.signed_identity.account_signature.clone()),
            device_signature: Some(self.signed_identity.device_signature.clone()),
        };
        account.signed_identity = Some(signed.encode_to_vec());
        account.platform.clone_from(&self.platform);
        account.business_name.clone_from(&self.business_name);
        account.push_name.clone_from(&self.push_name);
        account.routing_info.clone_from(&self.routing_info);
        // The number of logins is not known; the service asks for no more than that it grows.
        account.login_counter = 1;
        // Keys that the service has are never offered again; it says when it runs low.
        account.server_has_pre_keys = self.pre_keys.iter().any(|key| key.offered) || self.next_pre_key_id > 1;
        account
    }

    /// What must be right, and what had better be (pairing document §14).
    fn check(&mut self) -> Result<(), ImportProblem> {
        if self.phone.device() == 0 || !self.phone.is_pn() {
            return Err(ImportProblem::NotLinked);
        }
        let signed = &self.signed_pre_key;
        self.identity
            .public
            .verify(&[&signed.pair.public.to_typed()], &signed.signature)
            .map_err(|_| ImportProblem::SignedPreKey)?;
        let SignedIdentity { details, account_key, account_signature, device_signature } =
            &self.signed_identity;
        let kind = whimbrel_proto::decode::<AdvDeviceIdentity>(details).ok().and_then(|d| d.device_type);
        let hosting =
            if kind == Some(AdvEncryptionType::Hosted.into()) { Hosting::Hosted } else { Hosting::Own };
        let own = &self.identity.public;
        let account = adv::verify_account(account_key, hosting, details, own, account_signature).is_ok();
        let device = adv::verify_device(own, hosting, details, account_key, device_signature).is_ok();
        if !account {
            self.notes.warn("the account's signature over this device does not verify");
        }
        if !device {
            self.notes.warn("this device's signature over its account does not verify");
        }
        Ok(())
    }

    /// Moves what is kept by phone number to the LID where that is known (delivery document §2.4).
    fn prefer_lids(&mut self) {
        let mut lids: BTreeMap<Jid, Jid> =
            self.phones.iter().map(|(lid, phone)| (phone.clone(), lid.clone())).collect();
        if let Some(lid) = &self.lid {
            lids.insert(self.phone.to_account(), lid.to_account());
        }
        let lid_of = |device: &Jid| {
            let lid = if device.is_pn() { lids.get(&device.to_bare()) } else { None };
            lid.map(|lid| lid.with_device(device.device()))
        };
        for (device, record) in std::mem::take(&mut self.sessions) {
            let to = lid_of(&device);
            let moved = to.is_some();
            match self.sessions.entry(to.unwrap_or(device)) {
                std::collections::btree_map::Entry::Vacant(place) => {
                    place.insert(record);
                }
                std::collections::btree_map::Entry::Occupied(mut place) => {
                    // The one by LID is what both sides moved on to.
                    let (first, second) = if moved { (place.get(), &record) } else { (&record, place.get()) };
                    let merged = one_after_the_other(first, second);
                    place.insert(merged);
                }
            }
        }
        for (device, key) in std::mem::take(&mut self.identities) {
            match lid_of(&device) {
                Some(lid) => {
                    self.identities.entry(lid).or_insert(key);
                }
                None => {
                    self.identities.insert(device, key);
                }
            }
        }
        for ((group, device), record) in std::mem::take(&mut self.sender_keys) {
            match lid_of(&device) {
                Some(lid) => {
                    self.sender_keys.entry((group, lid)).or_insert(record);
                }
                None => {
                    self.sender_keys.insert((group, device), record);
                }
            }
        }
    }

    fn counts(&self) -> Vec<TakenOver> {
        let carried = &self.carried;
        let counts = [
            ("one-time prekeys", self.pre_keys.len()),
            ("signed prekeys", 1),
            ("sessions", self.sessions.len()),
            ("identities", self.identities.len()),
            ("sender keys", self.sender_keys.len()),
            ("LID pairs", self.phones.len()),
            ("app state keys", carried.app_state_keys.len()),
            ("app state versions", carried.app_state_versions.len()),
            ("app state values", carried.app_state_macs.len()),
            ("privacy tokens", carried.privacy_tokens.len()),
            ("message secrets", carried.message_secrets.len()),
        ];
        let present = counts.into_iter().filter(|(_, count)| *count > 0);
        present.map(|(what, count)| TakenOver { what: what.to_owned(), count: count as u64 }).collect()
    }
}

/// The sessions of both records, those of the first in front.
fn one_after_the_other(first: &SessionRecord, second: &SessionRecord) -> SessionRecord {
    let archived = first.archived_parts().chain(second.current_parts()).chain(second.archived_parts());
    match first.current_parts() {
        Some(current) => SessionRecord::from_parts(Some(current), archived.collect()),
        None => SessionRecord::from_parts(second.current_parts(), {
            first.archived_parts().chain(second.archived_parts()).collect()
        }),
    }
}

/// Whether two halves are a pair; the pair.
pub(super) fn pair(
    private: [u8; 32],
    public: Option<PublicKey>,
    key: &'static str,
) -> Result<KeyPair, ImportProblem> {
    let pair = KeyPair::from_private(PrivateKey::from_bytes(private));
    match public {
        Some(public) if public != pair.public => Err(ImportProblem::KeyHalves { key }),
        _ => Ok(pair),
    }
}

/// The device of a Signal address: the user carries the domain behind an underscore.
pub(super) fn device(user: &str, device: &str) -> Option<Jid> {
    let device: u16 = device.parse().ok()?;
    let (name, domain) = user.split_once('_').unwrap_or((user, "0"));
    if name.is_empty() || !name.bytes().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    // Hosted devices are kept with the account that they belong to.
    let account = match domain {
        "0" | "128" => Jid::pn(name),
        "1" | "129" => Jid::lid(name),
        _ => return None,
    };
    Some(account.with_device(device))
}

/// Seconds since 1970.
pub(super) fn now() -> i64 {
    clock::now_seconds()
}
