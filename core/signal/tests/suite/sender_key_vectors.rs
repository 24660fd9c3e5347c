//! The scripts of `sender-key.json`.

use crate::common::{Hex, Scripted, key_pair, vectors};
use serde::Deserialize;
use whimbrel_signal::{
    GroupDecryptError, MAX_JUMP, OwnSenderKey, SenderKeyDistributionMessage, SenderKeyMessage,
    SenderKeyRecord,
};

#[derive(Deserialize)]
struct File {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    name: String,
    sender: Sender,
    #[serde(default)]
    xeddsa_random: Vec<Hex>,
    skdm_after_twelve_messages: Option<Hex>,
    messages: Vec<Message>,
    script: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sender {
    key_id: u32,
    chain_key: Hex,
    signing_priv: Hex,
    signing_pub: Hex,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    key_id: u32,
    iteration: u32,
    plaintext: Hex,
    skmsg: Hex,
}

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
enum Step {
    Process { skdm: Hex },
    Deliver { i: usize },
    Reject { skmsg: Hex, expect: String },
}

fn name_of(error: GroupDecryptError) -> &'static str {
    match error {
        GroupDecryptError::NoSenderKey { .. } => "NoSenderKey",
        GroupDecryptError::InvalidSignature => "InvalidSignature",
        GroupDecryptError::Duplicate { .. } => "Duplicate",
        GroupDecryptError::FutureMessage { .. } => "FutureMessage",
        GroupDecryptError::InvalidCiphertext => "InvalidCiphertext",
    }
}

fn decrypt(record: &mut SenderKeyRecord, bytes: &[u8]) -> Result<Vec<u8>, GroupDecryptError> {
    record.decrypt(&SenderKeyMessage::parse(bytes).unwrap(), MAX_JUMP)
}

#[test]
fn receivers_follow_every_script() {
    let file: File = vectors("sender-key.json");
    assert_eq!(file.cases.len(), 3);
    for case in &file.cases {
        let mut record = SenderKeyRecord::new();
        for (number, step) in case.script.iter().enumerate() {
            println!("{}: step {number}", case.name);
            match step {
                Step::Process { skdm } => {
                    let distribution = SenderKeyDistributionMessage::parse(&skdm.0).unwrap();
                    assert_eq!(distribution.to_bytes(), skdm.0);
                    record.process(&distribution);
                    assert!(record.knows_key(distribution.key_id()));
                }
                Step::Deliver { i } => {
                    let message = &case.messages[*i];
                    let parsed = SenderKeyMessage::parse(&message.skmsg.0).unwrap();
                    assert_eq!((parsed.key_id(), parsed.iteration()), (message.key_id, message.iteration));
                    assert_eq!(Hex(decrypt(&mut record, &message.skmsg.0).unwrap()), message.plaintext);
                }
                Step::Reject { skmsg, expect } => {
                    let before = record.serialize();
                    assert_eq!(name_of(decrypt(&mut record, &skmsg.0).unwrap_err()), expect);
                    assert_eq!(record.serialize(), before, "a rejected message has changed the record");
                }
            }
            record = SenderKeyRecord::deserialize(&record.serialize()).unwrap();
        }
    }
}

#[test]
fn our_messages_are_those_of_the_file() {
    let file: File = vectors("sender-key.json");
    let case = file.cases.iter().find(|case| case.name == "contiguous").unwrap();
    let mut rng = Scripted::default();
    rng.push(&case.sender.key_id.to_le_bytes());
    rng.push(&case.sender.chain_key.0);
    rng.push(&case.sender.signing_priv.0);
    case.xeddsa_random.iter().for_each(|random| rng.push(&random.0));

    let mut key = OwnSenderKey::generate(&mut rng);
    assert_eq!(key.signing_key().public, case.sender.signing_pub.public());
    let Some(Step::Process { skdm }) = case.script.first() else { panic!("the script begins with the key") };
    assert_eq!(Hex(key.distribution().to_bytes()), *skdm);
    for message in &case.messages {
        assert_eq!(key.iteration(), message.iteration);
        let sent = key.encrypt(&message.plaintext.0, &mut rng).unwrap();
        assert_eq!(hex::encode(sent), hex::encode(&message.skmsg.0));
        key = OwnSenderKey::deserialize(&key.serialize()).unwrap();
    }
    assert!(rng.is_used_up());
}

/// A sender that uses every other iteration: its later distribution states the iteration it will use next.
#[test]
fn a_key_taken_over_goes_on_where_its_owner_stopped() {
    let file: File = vectors("sender-key.json");
    let case = file.cases.iter().find(|case| case.name == "baileys-sender").unwrap();
    let expected = case.skdm_after_twelve_messages.as_ref().unwrap();
    let distribution = SenderKeyDistributionMessage::parse(&expected.0).unwrap();
    let signing = key_pair(&case.sender.signing_priv);
    let mut key = OwnSenderKey::from_parts(case.sender.key_id, case.sender.chain_key.array(), 0, signing);
    let mut rng = Scripted::default();
    rng.push(&[7; 64 * 23]);
    for _ in 0..distribution.iteration() {
        key.encrypt(b"x", &mut rng).unwrap();
    }
    assert_eq!(Hex(key.distribution().to_bytes()), *expected);
}
