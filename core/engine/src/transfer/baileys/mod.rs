//! A folder of Baileys' multi-file auth state (pairing document §14.1).

mod sender_key;
mod session;

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use whimbrel_proto::ProtoMessage as _;
use whimbrel_proto::e2e::message::AppStateSyncKeyFingerprint;
use whimbrel_wire::Jid;
use zeroize::Zeroizing;

use super::problem::ImportProblem;
use super::taken::{self, Notes, OWN_SENDER_KEYS, SignedIdentity, Taken, pair};
use super::values::{array, at, integer, number, octets, public_key, text};
use crate::store::sqlite::{AppStateKey, Carried};
use crate::store::{PreKeyRow, SignedPreKeyRow};

/// Longest file that is read.
const MAX_FILE: u64 = 16 << 20;

const CREDS: &str = "creds.json";

/// What the names of the files begin with; of two that fit the longer one counts.
const KINDS: [&str; 10] = [
    "app-state-sync-version",
    "app-state-sync-key",
    "sender-key-memory",
    "sender-key",
    "identity-key",
    "device-list",
    "lid-mapping",
    "pre-key",
    "tctoken",
    "session",
];

/// Reads a folder.
pub(super) fn read(folder: &Path) -> Result<Taken, ImportProblem> {
    let names = fs::read_dir(folder).map_err(|error| ImportProblem::unreadable("the folder", &error))?;
    let creds = parse(&folder.join(CREDS)).map_err(|error| match error {
        Unreadable::Io(error) => ImportProblem::unreadable(CREDS, &error),
        Unreadable::NotJson => ImportProblem::Malformed { what: CREDS, field: "it is no JSON" },
    })?;
    let mut taken = credentials(&creds)?;
    let mut files: Vec<String> = Vec::new();
    for entry in names {
        let entry = entry.map_err(|error| ImportProblem::unreadable("the folder", &error))?;
        files.extend(entry.file_name().into_string().ok());
    }
    // The order of the folder is not the same everywhere.
    files.sort_unstable();
    for file in files {
        let Some(name) = file.strip_suffix(".json").filter(|_| file != CREDS) else { continue };
        let Some((kind, id)) =
            KINDS.iter().find_map(|kind| Some((*kind, name.strip_prefix(kind)?.strip_prefix('-')?)))
        else {
            taken.notes.leave_out("other files", "their names are not known");
            continue;
        };
        match parse(&folder.join(&file)) {
            Ok(value) => taken.file(kind, id, &value),
            Err(Unreadable::Io(error)) => {
                return Err(ImportProblem::unreadable("a file of the folder", &error));
            }
            Err(Unreadable::NotJson) => taken.notes.leave_out(kind, "the file is no JSON"),
        }
    }
    Ok(taken)
}

enum Unreadable {
    Io(std::io::Error),
    NotJson,
}

fn parse(path: &Path) -> Result<Value, Unreadable> {
    let file = File::open(path).map_err(Unreadable::Io)?;
    let mut content = Zeroizing::new(Vec::new());
    file.take(MAX_FILE).read_to_end(&mut content).map_err(Unreadable::Io)?;
    serde_json::from_slice(&content).map_err(|_| Unreadable::NotJson)
}

fn credentials(creds: &Value) -> Result<Taken, ImportProblem> {
    let malformed = |field| ImportProblem::Malformed { what: CREDS, field };
    let key = |value: &Value, name| {
        let private = array(at(value, &["private"])).ok_or(malformed(name))?;
        let public = public_key(at(value, &["public"])).ok_or(malformed(name))?;
        pair(private, Some(public), name)
    };
    let signed = at(creds, &["signedPreKey"]);
    let account = at(creds, &["account"]);
    let phone = text(at(creds, &["me", "id"])).ok_or(ImportProblem::NotLinked)?;
    let phone = phone.parse::<Jid>().map_err(|_| malformed("me.id"))?.normalized();
    let lid = text(at(creds, &["me", "lid"])).map(|lid| lid.parse::<Jid>()).transpose();
    let lid = lid.map_err(|_| malformed("me.lid"))?.map(|lid| lid.with_device(phone.device()));
    if account.is_null() {
        return Err(ImportProblem::NotLinked);
    }
    let first_unuploaded = number(at(creds, &["firstUnuploadedPreKeyId"])).unwrap_or(1);
    Ok(Taken {
        noise: key(at(creds, &["noiseKey"]), "noiseKey")?,
        identity: key(at(creds, &["signedIdentityKey"]), "signedIdentityKey")?,
        registration_id: number(at(creds, &["registrationId"])).ok_or(malformed("registrationId"))?,
        adv_secret: array(at(creds, &["advSecretKey"])).ok_or(malformed("advSecretKey"))?,
        signed_pre_key: SignedPreKeyRow {
            id: number(at(signed, &["keyId"])).ok_or(malformed("signedPreKey"))?,
            pair: key(at(signed, &["keyPair"]), "signedPreKey")?,
            signature: array(at(signed, &["signature"])).ok_or(malformed("signedPreKey"))?,
            created_at: taken::now(),
        },
        pre_keys: Vec::new(),
        unoffered_from: first_unuploaded,
        next_pre_key_id: number(at(creds, &["nextPreKeyId"])).unwrap_or(1).max(first_unuploaded),
        phone,
        lid,
        signed_identity: SignedIdentity {
            details: octets(at(account, &["details"])).ok_or(malformed("account"))?.to_vec(),
            account_key: public_key(at(account, &["accountSignatureKey"])).ok_or(malformed("account"))?,
            account_signature: octets(at(account, &["accountSignature"]))
                .ok_or(malformed("account"))?
                .to_vec(),
            device_signature: octets(at(account, &["deviceSignature"])).ok_or(malformed("account"))?.to_vec(),
        },
        platform: text(at(creds, &["platform"])).unwrap_or_default(),
        business_name: None,
        push_name: text(at(creds, &["me", "name"])),
        routing_info: octets(at(creds, &["routingInfo"])).map(|info| info.to_vec()),
        sessions: Default::default(),
        identities: Default::default(),
        sender_keys: Default::default(),
        phones: Default::default(),
        carried: Carried::default(),
        notes: Notes::default(),
    })
}

impl Taken {
    fn file(&mut self, kind: &'static str, id: &str, value: &Value) {
        let done = match kind {
            "pre-key" => self.pre_key(id, value),
            "session" => self.session(id, value),
            "identity-key" => self.identity_key(id, value),
            "sender-key" => self.sender_key(id, value),
            "lid-mapping" => self.lid_mapping(id, value),
            "app-state-sync-key" => self.app_state_key(id, value),
            "app-state-sync-version" => self.app_state_version(id, value),
            "tctoken" => self.token(id, value),
            // Who has the key that is not continued, and lists that are asked for anyway.
            "sender-key-memory" => Ok(()),
            _ => Err("they are asked for again"),
        };
        if let Err(why) = done {
            self.notes.leave_out(kind, why);
        }
    }

    fn pre_key(&mut self, id: &str, value: &Value) -> Result<(), &'static str> {
        let id: u32 = id.parse().map_err(|_| "the name is malformed")?;
        let private = array(at(value, &["private"])).ok_or("the content is malformed")?;
        let public = public_key(at(value, &["public"]));
        let pair = pair(private, public, "a prekey").map_err(|_| "the halves do not belong together")?;
        self.next_pre_key_id = self.next_pre_key_id.max(id.saturating_add(1));
        self.pre_keys.push(PreKeyRow { id, pair, offered: id < self.unoffered_from });
        Ok(())
    }

    fn session(&mut self, id: &str, value: &Value) -> Result<(), &'static str> {
        let device = id.rsplit_once('.').and_then(|(user, number)| taken::device(user, number));
        let device = device.ok_or("the address is not known")?;
        let record = session::record(value, &self.identity.public, self.registration_id)?;
        self.sessions.insert(device, record);
        Ok(())
    }

    fn identity_key(&mut self, id: &str, value: &Value) -> Result<(), &'static str> {
        let device = id.rsplit_once('.').and_then(|(user, number)| taken::device(user, number));
        let key = public_key(value).ok_or("the content is malformed")?;
        self.identities.insert(device.ok_or("the address is not known")?, *key.as_bytes());
        Ok(())
    }

    fn sender_key(&mut self, id: &str, value: &Value) -> Result<(), &'static str> {
        let (rest, number) = id.rsplit_once("--").ok_or("the name is malformed")?;
        let (group, user) = rest.rsplit_once("--").ok_or("the name is malformed")?;
        let group: Jid = group.parse().map_err(|_| "the name is malformed")?;
        let device = taken::device(user, number).ok_or("the address is not known")?;
        if [Some(&self.phone), self.lid.as_ref()].into_iter().flatten().any(|own| *own == device) {
            self.notes.leave_out(OWN_SENDER_KEYS.0, OWN_SENDER_KEYS.1);
            return Ok(());
        }
        self.sender_keys.insert((group, device), sender_key::record(value)?);
        Ok(())
    }

    fn lid_mapping(&mut self, id: &str, value: &Value) -> Result<(), &'static str> {
        let other = value.as_str().ok_or("the content is malformed")?;
        let (phone, lid) = match id.strip_suffix("_reverse") {
            Some(lid) => (other, lid),
            None => (id, other),
        };
        // What is written with its server or device is the same person.
        let user = |text: &str| text.split(['@', ':', '-']).next().unwrap_or_default().to_owned();
        let (phone, lid) = (user(phone), user(lid));
        if phone.is_empty() || lid.is_empty() {
            return Err("the content is malformed");
        }
        self.phones.insert(Jid::lid(&lid), Jid::pn(&phone));
        Ok(())
    }

    fn app_state_key(&mut self, id: &str, value: &Value) -> Result<(), &'static str> {
        let id = STANDARD.decode(id.replace("__", "/")).map_err(|_| "the name is malformed")?;
        let data = octets(at(value, &["keyData"])).ok_or("the content is malformed")?;
        let timestamp_ms = integer(at(value, &["timestamp"])).unwrap_or(0);
        let fingerprint = at(value, &["fingerprint"]);
        let indexes = at(fingerprint, &["deviceIndexes"]).as_array().into_iter().flatten();
        let fingerprint = AppStateSyncKeyFingerprint {
            raw_id: number(at(fingerprint, &["rawId"])),
            current_index: number(at(fingerprint, &["currentIndex"])),
            device_indexes: indexes.filter_map(number).collect(),
        };
        let fingerprint = Some(fingerprint.encode_to_vec());
        self.carried.app_state_keys.push(AppStateKey { id, data: data.to_vec(), timestamp_ms, fingerprint });
        Ok(())
    }

    fn app_state_version(&mut self, id: &str, value: &Value) -> Result<(), &'static str> {
        let version = integer(at(value, &["version"])).ok_or("the content is malformed")?;
        let hash: [u8; 128] = array(at(value, &["hash"])).ok_or("the content is malformed")?;
        let values = at(value, &["indexValueMap"]).as_object();
        for (index, value) in values.into_iter().flatten() {
            let index = STANDARD.decode(index).map_err(|_| "the content is malformed")?;
            let mac = octets(at(value, &["valueMac"])).ok_or("the content is malformed")?;
            self.carried.app_state_macs.push((id.to_owned(), index, mac.to_vec()));
        }
        self.carried.app_state_versions.push((id.to_owned(), version, hash.to_vec()));
        Ok(())
    }

    fn token(&mut self, id: &str, value: &Value) -> Result<(), &'static str> {
        // An index of the others, which is not needed.
        if id == "__index" {
            return Ok(());
        }
        let user: Jid = id.parse().map_err(|_| "the name is malformed")?;
        let token = octets(at(value, &["token"])).filter(|token| !token.is_empty());
        let token = token.ok_or("the content is malformed")?.to_vec();
        let timestamp = integer(at(value, &["timestamp"])).unwrap_or(0);
        let sender = integer(at(value, &["senderTimestamp"]));
        self.carried.privacy_tokens.push((user.to_account(), token, timestamp, sender));
        Ok(())
    }
}
