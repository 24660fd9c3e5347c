//! The crates of this project.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use whimbrel_crypto::curve::KeyPair;
use whimbrel_noise::certificate::{Issuer, NoiseRoot, Statement, Trust, Validity, issue};
use whimbrel_noise::server::{Answer, Resumption, Server};
use whimbrel_noise::{Transport, client};
use whimbrel_signal::{Bundle, MAX_JUMP, OurKeys, PreKeySignalMessage, SessionRecord, SignalMessage};

/// A device's long-lived keys, and what it publishes.
pub struct Device {
    pub identity: KeyPair,
    pub signed: KeyPair,
    pub one_time: KeyPair,
    pub bundle: Bundle,
    pub rng: ChaCha20Rng,
}

impl Device {
    pub fn new(seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let (identity, signed, one_time) =
            (KeyPair::generate(&mut rng), KeyPair::generate(&mut rng), KeyPair::generate(&mut rng));
        let bundle = Bundle {
            registration_id: 7,
            identity: identity.public,
            signed_prekey_id: 1,
            signed_prekey: signed.public,
            signed_prekey_signature: identity.private.sign(&[&signed.public.to_typed()], &[3; 64]),
            one_time_prekey: Some((9, one_time.public)),
        };
        Self { identity, signed, one_time, bundle, rng }
    }

    /// A session from the other's bundle; the signature is verified.
    pub fn open_session(&mut self, other: &Bundle) -> SessionRecord {
        let mut record = SessionRecord::new();
        record.process_bundle(&self.identity, 7, other, &mut self.rng).unwrap();
        record
    }
}

/// The records of two devices that have both spoken.
pub fn acquainted() -> (SessionRecord, SessionRecord, ChaCha20Rng) {
    let (mut ana, mut ben) = (Device::new(1), Device::new(2));
    let mut here = ana.open_session(&ben.bundle);
    let first = here.encrypt(b"hello").unwrap();
    let first = PreKeySignalMessage::parse(&first.bytes).unwrap();
    let keys = OurKeys {
        identity: &ben.identity,
        signed_prekey: Some(&ben.signed),
        one_time_prekey: Some(&ben.one_time),
    };
    let mut there = SessionRecord::new();
    there.decrypt_prekey(&first, &keys, MAX_JUMP, &mut ben.rng).unwrap();
    let answer = there.encrypt(b"hello").unwrap();
    here.decrypt_message(&SignalMessage::parse(&answer.bytes).unwrap(), MAX_JUMP, &mut ana.rng).unwrap();
    (here, there, ben.rng)
}

/// Both ends of a connection after a whole handshake: client, server.
pub fn connected() -> (Transport, Transport) {
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let [root, intermediate, server, client] = std::array::from_fn(|_| KeyPair::generate(&mut rng));
    let validity = Validity { not_before: 0, not_after: 10 };
    let chain = issue(
        (
            &Statement { serial: 1, issuer_serial: 0, key: intermediate.public, validity },
            &Issuer { key: &root.private, random: &[1; 64] },
        ),
        (
            &Statement { serial: 2, issuer_serial: 1, key: server.public, validity },
            &Issuer { key: &intermediate.private, random: &[2; 64] },
        ),
    );
    let trust = Trust::new(NoiseRoot { public_key: root.public, serial: 0 }, 5);
    let (hello, message) = client::Xx::start(KeyPair::generate(&mut rng));
    let server = Server { own: server, chain };
    let Answer::Full { message, pending, .. } =
        server.answer(&message, KeyPair::generate(&mut rng), Resumption::Accept).unwrap()
    else {
        unreachable!("the client asked for the full handshake")
    };
    let finish = hello.read(&message, &trust).unwrap();
    let (here, message) = finish.finish(&client, b"payload").unwrap();
    (here, pending.read(&message).unwrap().transport)
}
