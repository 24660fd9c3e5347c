//! Handshake messages with one fault each: what is missing, short, changed or of small order.
#![expect(clippy::unwrap_used, reason = "a panic is the test's report")]

use whimbrel_crypto::curve::{KeyPair, PrivateKey};
use whimbrel_noise::certificate::{Issuer, Statement, issue};
use whimbrel_noise::client::{Ik, Xx};
use whimbrel_noise::server::{Answer, Pending, Resumption, Server};
use whimbrel_noise::{HandshakeError, NoiseRoot, Part, Trust, Validity};
use whimbrel_proto::handshake::HandshakeMessage;
use whimbrel_proto::handshake::handshake_message::{ClientFinish, ClientHello, ServerHello};

const NOW: u64 = 1_800_000_000;

fn pair(seed: u8) -> KeyPair {
    KeyPair::from_private(PrivateKey::from_bytes([seed; 32]))
}

fn server() -> Server {
    let validity = Validity { not_before: NOW, not_after: NOW };
    let middle = Statement { serial: 1, issuer_serial: 0, key: pair(2).public, validity };
    let leaf = Statement { serial: 2, issuer_serial: 1, key: pair(3).public, validity };
    let chain = issue(
        (&middle, &Issuer { key: &pair(1).private, random: &[1; 64] }),
        (&leaf, &Issuer { key: &pair(2).private, random: &[1; 64] }),
    );
    Server { own: pair(3), chain }
}

fn trust() -> Trust {
    Trust::new(NoiseRoot { public_key: pair(1).public, serial: 0 }, NOW)
}

fn ik() -> (Ik, Vec<u8>) {
    Ik::start(pair(6), pair(5), &pair(3).public, b"payload").unwrap()
}

fn answer(hello: &[u8]) -> Result<(Vec<u8>, Option<Pending>), HandshakeError> {
    Ok(match server().answer(hello, pair(4), Resumption::Accept)? {
        Answer::Full { message, pending, .. } => (message, Some(pending)),
        Answer::Resumed { message, .. } => (message, None),
    })
}

fn change(message: &[u8], change: impl FnOnce(&mut HandshakeMessage)) -> Vec<u8> {
    let mut message = whimbrel_proto::decode(message).unwrap();
    change(&mut message);
    whimbrel_proto::encode(&message)
}

/// What a client says to a changed server hello, of the full handshake and of the resumption.
fn client_verdicts(fault: impl Fn(&mut ServerHello)) -> [HandshakeError; 2] {
    let changed = |message: &[u8]| change(message, |message| fault(message.server_hello.as_mut().unwrap()));
    let (xx, hello) = Xx::start(pair(6));
    let full = xx.read(&changed(&answer(&hello).unwrap().0), &trust()).unwrap_err();
    let (ik, hello) = ik();
    let (server_hello, pending) = answer(&hello).unwrap();
    assert!(pending.is_none());
    [full, ik.read(&changed(&server_hello), &trust()).unwrap_err()]
}

#[test]
fn faults_of_a_server_hello_have_their_errors() {
    use HandshakeError::{Agreement, Decrypt, Length, Missing};

    let missing = client_verdicts(|hello| hello.ephemeral = None);
    assert_eq!(missing, [Missing(Part::Ephemeral); 2]);
    let short = client_verdicts(|hello| hello.ephemeral.as_mut().unwrap().truncate(31));
    assert_eq!(short, [Length(Part::Ephemeral); 2]);
    let typed = client_verdicts(|hello| hello.ephemeral.as_mut().unwrap().insert(0, 5));
    assert_eq!(typed, [Length(Part::Ephemeral); 2]);
    let small = client_verdicts(|hello| hello.ephemeral.as_mut().unwrap().fill(0));
    assert_eq!(small, [Agreement; 2]);
    let other = client_verdicts(|hello| hello.ephemeral = Some(pair(9).public.as_bytes().to_vec()));
    assert_eq!(other, [Decrypt(Part::Static), Decrypt(Part::Payload)]);
    let missing = client_verdicts(|hello| hello.payload = None);
    assert_eq!(missing, [Missing(Part::Payload); 2]);
    let changed = client_verdicts(|hello| hello.payload.as_mut().unwrap()[0] ^= 1);
    assert_eq!(changed, [Decrypt(Part::Payload); 2]);
    let empty = client_verdicts(|hello| hello.payload.as_mut().unwrap().clear());
    assert_eq!(empty, [Decrypt(Part::Payload); 2]);
    // With a static key the answer to a resumption is one in the shape of the full handshake.
    let changed = client_verdicts(|hello| hello.r#static.get_or_insert(vec![0; 48])[0] ^= 1);
    assert_eq!(changed, [Decrypt(Part::Static); 2]);
}

#[test]
fn a_full_answer_without_static_key_is_refused() {
    let (xx, hello) = Xx::start(pair(6));
    let changed =
        change(&answer(&hello).unwrap().0, |message| message.server_hello.as_mut().unwrap().r#static = None);
    assert_eq!(xx.read(&changed, &trust()).unwrap_err(), HandshakeError::Missing(Part::Static));
}

#[test]
fn other_messages_are_no_server_hello() {
    let read = |bytes: &[u8]| Xx::start(pair(6)).0.read(bytes, &trust()).unwrap_err();
    assert_eq!(read(&[]), HandshakeError::Missing(Part::ServerHello));
    assert_eq!(read(&Xx::start(pair(6)).1), HandshakeError::Missing(Part::ServerHello));
    assert_eq!(read(&[0xff, 0xff]), HandshakeError::Undecodable);
    assert_eq!(ik().0.read(&[0x1a, 0x7f], &trust()).unwrap_err(), HandshakeError::Undecodable);
}

fn hello(fault: impl FnOnce(&mut ClientHello)) -> Result<(Vec<u8>, Option<Pending>), HandshakeError> {
    answer(&change(&ik().1, |message| fault(message.client_hello.as_mut().unwrap())))
}

#[test]
fn faults_of_a_client_hello_have_their_errors() {
    let refused = |fault: fn(&mut ClientHello)| hello(fault).unwrap_err();
    assert_eq!(refused(|hello| hello.ephemeral = None), HandshakeError::Missing(Part::Ephemeral));
    let short = refused(|hello| hello.ephemeral.as_mut().unwrap().truncate(31));
    assert_eq!(short, HandshakeError::Length(Part::Ephemeral));
    assert_eq!(refused(|hello| hello.r#static = None), HandshakeError::Missing(Part::Static));
    assert_eq!(refused(|hello| hello.payload = None), HandshakeError::Missing(Part::Payload));
    let small = refused(|hello| hello.ephemeral.as_mut().unwrap().fill(0));
    assert_eq!(small, HandshakeError::Agreement);
    assert_eq!(answer(&[]).unwrap_err(), HandshakeError::Missing(Part::ClientHello));
    assert_eq!(answer(&[0xff]).unwrap_err(), HandshakeError::Undecodable);
}

#[test]
fn an_unreadable_resumption_falls_back() {
    let falls_back = |fault: fn(&mut ClientHello)| hello(fault).unwrap().1.is_some();
    assert!(!falls_back(|_| ()));
    assert!(falls_back(|hello| hello.r#static.as_mut().unwrap()[0] ^= 1));
    assert!(falls_back(|hello| hello.payload.as_mut().unwrap()[0] ^= 1));
    assert!(falls_back(|hello| hello.payload.as_mut().unwrap().clear()));
}

#[test]
fn fields_of_later_versions_are_ignored() {
    let (message, pending) = hello(|hello| {
        hello.use_extended = Some(true);
        hello.extended_ciphertext = Some(vec![1; 1088]);
        hello.padded_bytes = Some(vec![2; 20]);
        hello.pq_mode = Some(4);
    })
    .unwrap();
    assert!(pending.is_none());
    let message = change(&message, |message| {
        let hello = message.server_hello.as_mut().unwrap();
        hello.extended_static = Some(vec![3; 32]);
        hello.padding_bytes = Some(vec![4; 20]);
    });
    assert!(ik().0.read(&message, &trust()).is_ok());
}

fn finish(fault: impl FnOnce(&mut ClientFinish)) -> Result<(), HandshakeError> {
    let (xx, hello) = Xx::start(pair(6));
    let (server_hello, pending) = answer(&hello).unwrap();
    let (_, message) = xx.read(&server_hello, &trust()).unwrap().finish(&pair(5), b"payload").unwrap();
    let client =
        pending.unwrap().read(&change(&message, |message| fault(message.client_finish.as_mut().unwrap())))?;
    assert_eq!(client.payload, b"payload");
    Ok(())
}

#[test]
fn faults_of_a_client_finish_have_their_errors() {
    assert_eq!(finish(|_| ()), Ok(()));
    assert_eq!(finish(|finish| finish.r#static = None), Err(HandshakeError::Missing(Part::Static)));
    assert_eq!(finish(|finish| finish.payload = None), Err(HandshakeError::Missing(Part::Payload)));
    let changed = finish(|finish| finish.r#static.as_mut().unwrap()[47] ^= 1);
    assert_eq!(changed, Err(HandshakeError::Decrypt(Part::Static)));
    let changed = finish(|finish| finish.payload.as_mut().unwrap()[0] ^= 1);
    assert_eq!(changed, Err(HandshakeError::Decrypt(Part::Payload)));

    let (_, pending) = answer(&Xx::start(pair(6)).1).unwrap();
    let refused = pending.unwrap().read(&ik().1).unwrap_err();
    assert_eq!(refused, HandshakeError::Missing(Part::ClientFinish));
}

#[test]
fn debug_prints_no_secret() {
    let (ik, hello) = ik();
    let (xx, xx_hello) = Xx::start(pair(6));
    let (server_hello, pending) = answer(&xx_hello).unwrap();
    let mut printed = format!("{ik:?} {xx:?} {pending:?} {:?}", server());
    let finish = xx.read(&server_hello, &trust()).unwrap();
    printed += &format!("{finish:?}");
    let (transport, message) = finish.finish(&pair(5), b"the payload").unwrap();
    printed += &format!("{transport:?} {:?}", pending.unwrap().read(&message).unwrap());
    printed += &format!("{:?}", server().answer(&hello, pair(4), Resumption::Accept).unwrap());
    for seed in 1..=6_u8 {
        let secret = PrivateKey::from_bytes([seed; 32]);
        // As hexadecimal digits, and as the list that a derived `Debug` would print.
        let octets = format!("{:?}", &secret.as_bytes()[..31]);
        for secret in [hex::encode(secret.as_bytes()), octets.trim_matches(['[', ']']).to_owned()] {
            assert!(!printed.contains(&secret), "{printed}");
        }
    }
    assert!(printed.contains("PrivateKey(..)") && printed.contains("Aes256Gcm(..)"), "{printed}");
}
