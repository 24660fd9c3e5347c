//! The scripted conversations of `signal-session.json`, byte for byte in both directions.

use std::collections::BTreeMap;

use crate::common::{Failure, Hex, Scripted, key_pair, vectors};
use serde::Deserialize;
use whimbrel_crypto::curve::{KeyPair, PublicKey};
use whimbrel_signal::{
    Bundle, CiphertextKind, DecryptError, Decrypted, MAX_JUMP, Origin, OurKeys, ParseError,
    PreKeySignalMessage, SessionRecord, SignalMessage,
};

#[derive(Deserialize)]
struct File {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    parties: BTreeMap<String, PartyKeys>,
    setup: Vec<Setup>,
    messages: Vec<Message>,
    script: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartyKeys {
    registration_id: u32,
    identity_priv: Hex,
    identity_pub: Hex,
    signed_pre_keys: Vec<PreKey>,
    one_time_pre_keys: Vec<PreKey>,
    drawn_key_pairs: Vec<Drawn>,
}

#[derive(Deserialize)]
struct PreKey {
    id: u32,
    #[serde(rename = "priv")]
    private: Hex,
    signature: Option<Hex>,
}

#[derive(Deserialize)]
struct Drawn {
    #[serde(rename = "priv")]
    private: Hex,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Setup {
    session: String,
    base_key_pub: Hex,
    initial_ratchet_pub: Hex,
    first_send_step: FirstStep,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FirstStep {
    root_key: Hex,
    chain_key: Hex,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    i: usize,
    from: String,
    to: String,
    #[serde(rename = "type")]
    kind: String,
    ciphertext: Hex,
    plaintext: Hex,
    ratchet_key: Hex,
    counter: u32,
    previous_counter: u32,
}

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case", rename_all_fields = "camelCase")]
enum Step {
    Init {
        session: String,
        at: String,
        peer: String,
        one_time_pre_key_id: Option<u32>,
    },
    Encrypt {
        i: usize,
    },
    EncryptSkip {
        at: String,
        count: u32,
        plaintext: Hex,
    },
    Deliver {
        i: usize,
        sessions_tried_index: usize,
        created_session: bool,
        current_after: String,
        archived_after: Vec<String>,
    },
    Reject {
        at: String,
        #[serde(rename = "type")]
        kind: String,
        ciphertext: Hex,
        expect: String,
    },
}

struct Party {
    identity: KeyPair,
    registration_id: u32,
    signed_prekeys: BTreeMap<u32, (KeyPair, Option<Hex>)>,
    one_time_prekeys: BTreeMap<u32, KeyPair>,
    rng: Scripted,
    record: SessionRecord,
}

impl Party {
    fn new(keys: &PartyKeys) -> Self {
        let identity = key_pair(&keys.identity_priv);
        assert_eq!(identity.public, keys.identity_pub.public());
        let mut rng = Scripted::default();
        keys.drawn_key_pairs.iter().for_each(|drawn| rng.push(&drawn.private.0));
        let signed = |key: &PreKey| (key.id, (key_pair(&key.private), key.signature.clone()));
        Party {
            identity,
            registration_id: keys.registration_id,
            signed_prekeys: keys.signed_pre_keys.iter().map(signed).collect(),
            one_time_prekeys: keys
                .one_time_pre_keys
                .iter()
                .map(|key| (key.id, key_pair(&key.private)))
                .collect(),
            rng,
            record: SessionRecord::new(),
        }
    }

    fn bundle(&self, one_time: Option<u32>) -> Bundle {
        let (signed_prekey_id, (signed_prekey, signature)) = self.signed_prekeys.iter().next().unwrap();
        Bundle {
            registration_id: self.registration_id,
            identity: self.identity.public,
            signed_prekey_id: *signed_prekey_id,
            signed_prekey: signed_prekey.public,
            signed_prekey_signature: signature.as_ref().unwrap().array(),
            one_time_prekey: one_time.map(|id| (id, self.one_time_prekeys[&id].public)),
        }
    }

    fn receive(&mut self, kind: &str, bytes: &[u8]) -> Result<Decrypted, Failure> {
        if kind == "msg" {
            let message = SignalMessage::parse(bytes).map_err(Failure::Parse)?;
            return self.record.decrypt_message(&message, MAX_JUMP, &mut self.rng).map_err(Failure::Decrypt);
        }
        let message = PreKeySignalMessage::parse(bytes).map_err(Failure::Parse)?;
        let mut keys = OurKeys { identity: &self.identity, signed_prekey: None, one_time_prekey: None };
        if !self.record.knows_base_key(message.base_key()) {
            keys.signed_prekey = self.signed_prekeys.get(&message.signed_prekey_id()).map(|(pair, _)| pair);
            keys.one_time_prekey = message.prekey_id().and_then(|id| self.one_time_prekeys.get(&id));
        }
        let decrypted = self.record.decrypt_prekey(&message, &keys, MAX_JUMP, &mut self.rng);
        let decrypted = decrypted.map_err(Failure::Decrypt)?;
        assert_eq!(decrypted.remote_identity, *message.identity());
        if let Origin::New { one_time_prekey } = decrypted.origin {
            assert_eq!(one_time_prekey, message.prekey_id());
        }
        if let Some(id) = decrypted.consumed_prekey() {
            self.one_time_prekeys.remove(&id).unwrap();
        }
        Ok(decrypted)
    }
}

fn name_of(failure: Failure) -> &'static str {
    match failure {
        Failure::Parse(ParseError::LegacyVersion(_) | ParseError::UnknownVersion(_)) => "InvalidVersion",
        Failure::Parse(_) => "Malformed",
        Failure::Decrypt(DecryptError::Duplicate { .. }) => "Duplicate",
        Failure::Decrypt(DecryptError::BadMac) => "BadMac",
        Failure::Decrypt(DecryptError::FutureMessage { .. }) => "FutureMessage",
        Failure::Decrypt(DecryptError::InvalidPreKeyId(_) | DecryptError::InvalidSignedPreKeyId(_)) => {
            "InvalidKeyId"
        }
        Failure::Decrypt(_) => "other",
    }
}

struct Run<'a> {
    case: &'a Case,
    parties: BTreeMap<&'a str, Party>,
    /// Label of a session by its base key.
    labels: BTreeMap<[u8; 32], &'a str>,
    /// Whether records are stored and read back after every step.
    restarts: bool,
}

impl<'a> Run<'a> {
    fn new(case: &'a Case, restarts: bool) -> Self {
        let parties = case.parties.iter().map(|(name, keys)| (name.as_str(), Party::new(keys)));
        let labels =
            case.setup.iter().map(|setup| (*setup.base_key_pub.public().as_bytes(), setup.session.as_str()));
        Run { case, parties: parties.collect(), labels: labels.collect(), restarts }
    }

    fn party(&mut self, name: &str) -> &mut Party {
        self.parties.get_mut(name).unwrap()
    }

    fn label(&self, base_key: &PublicKey) -> &'a str {
        self.labels[base_key.as_bytes()]
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Init { session, at, peer, one_time_pre_key_id } => {
                self.init(session, at, peer, *one_time_pre_key_id);
            }
            Step::Encrypt { i } => {
                let message = &self.case.messages[*i];
                let sent = self.party(&message.from).record.encrypt(&message.plaintext.0).unwrap();
                assert_eq!(sent.kind.enc_type(), message.kind);
                assert_eq!(hex::encode(sent.bytes), hex::encode(&message.ciphertext.0));
            }
            Step::EncryptSkip { at, count, plaintext } => {
                let party = self.party(at);
                for _ in 0..*count {
                    party.record.encrypt(&plaintext.0).unwrap();
                }
            }
            Step::Deliver { i, sessions_tried_index, created_session, current_after, archived_after } => {
                let message = &self.case.messages[*i];
                let party = self.party(&message.to);
                let decrypted = party.receive(&message.kind, &message.ciphertext.0).unwrap();
                assert_eq!(Hex(decrypted.plaintext), message.plaintext);
                let expected = match (created_session, sessions_tried_index) {
                    (true, _) => matches!(decrypted.origin, Origin::New { .. }),
                    (false, 0) => decrypted.origin == Origin::Current,
                    (false, n) => decrypted.origin == Origin::Archived(n - 1),
                };
                assert!(expected, "opened by {:?}", decrypted.origin);
                let record = &self.parties[message.to.as_str()].record;
                assert_eq!(self.label(record.base_key().unwrap()), current_after);
                let archived: Vec<_> = record.archived_base_keys().map(|key| self.label(key)).collect();
                assert_eq!(&archived, archived_after);
                self.check_fields(message);
            }
            Step::Reject { at, kind, ciphertext, expect } => {
                let party = self.party(at);
                let before = party.record.serialize();
                let failure = party.receive(kind, &ciphertext.0).unwrap_err();
                assert_eq!(name_of(failure), expect);
                assert_eq!(party.record.serialize(), before, "a rejected message has changed the record");
            }
        }
        if self.restarts {
            for party in self.parties.values_mut() {
                party.record = SessionRecord::deserialize(&party.record.serialize()).unwrap();
            }
        }
    }

    fn init(&mut self, session: &str, at: &str, peer: &str, one_time: Option<u32>) {
        let bundle = self.parties[peer].bundle(one_time);
        let party = self.party(at);
        party.record.process_bundle(&party.identity, party.registration_id, &bundle, &mut party.rng).unwrap();
        assert!(party.record.is_unacknowledged());
        assert_eq!(party.record.remote_registration_id(), Some(bundle.registration_id));
        let parts = party.record.current_parts().unwrap();
        let setup = self.case.setup.iter().find(|setup| setup.session == session).unwrap();
        assert_eq!(parts.base_key, setup.base_key_pub.public());
        assert_eq!(parts.ratchet.public, setup.initial_ratchet_pub.public());
        assert_eq!(parts.root_key[..], setup.first_send_step.root_key.0);
        assert_eq!(parts.sending_key[..], setup.first_send_step.chain_key.0);
    }

    fn check_fields(&self, message: &Message) {
        let prekey;
        let parsed = if message.kind == CiphertextKind::Message.enc_type() {
            SignalMessage::parse(&message.ciphertext.0).unwrap()
        } else {
            prekey = PreKeySignalMessage::parse(&message.ciphertext.0).unwrap();
            prekey.message().clone()
        };
        assert_eq!(*parsed.ratchet_key(), message.ratchet_key.public());
        assert_eq!(parsed.counter(), message.counter);
        assert_eq!(parsed.previous_counter(), message.previous_counter);
    }
}

fn run_all(restarts: bool) {
    let file: File = vectors("signal-session.json");
    assert_eq!(file.cases.len(), 5);
    for case in &file.cases {
        assert!(case.messages.iter().enumerate().all(|(index, message)| message.i == index));
        let mut run = Run::new(case, restarts);
        for (number, step) in case.script.iter().enumerate() {
            println!("{}: step {number}", case.name);
            run.step(step);
        }
        for (name, party) in &run.parties {
            assert!(party.rng.is_used_up(), "{}: {name} drew fewer keys than listed", case.name);
        }
    }
}

#[test]
fn every_conversation_runs_byte_for_byte() {
    run_all(false);
}

#[test]
fn records_may_be_stored_and_read_back_at_any_step() {
    run_all(true);
}
