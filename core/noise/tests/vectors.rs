//! The vectors of the handshakes: every message of both roles, and the frames that follow.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is the test's report"
)]

use serde_json::Value;
use whimbrel_crypto::curve::{KeyPair, PrivateKey, PublicKey};
use whimbrel_noise::certificate::{Issuer, Statement, issue};
use whimbrel_noise::client::{Ik, IkAnswer, Xx};
use whimbrel_noise::server::{Answer, Client, Resumption, Server};
use whimbrel_noise::{
    CertificateError, HandshakeError, NoiseRoot, PROLOGUE, Part, Transport, Trust, Validity,
};

/// Within the validity of the vectors' certificates.
const NOW: u64 = 1_800_000_000;

fn vectors(name: &str) -> Value {
    let path = format!("{}/../../tests/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().unwrap()
}

fn pair(vectors: &Value, name: &str) -> KeyPair {
    let pair = KeyPair::from_private(PrivateKey::from_bytes(array(&vectors["keys"][name]["private"])));
    assert_eq!(pair.public.as_bytes()[..], bytes(&vectors["keys"][name]["public"]));
    pair
}

fn trust(root: &Value) -> Trust {
    Trust::new(NoiseRoot { public_key: PublicKey::from_bytes(array(root)), serial: 0 }, NOW)
}

fn message(handshake: &Value, number: usize) -> Vec<u8> {
    bytes(&handshake["messages"][number]["handshake_message"])
}

fn server(vectors: &Value, chain: &Value) -> Server {
    Server { own: pair(vectors, "server_static"), chain: bytes(chain) }
}

/// Sends frames of one direction and compares them with the vectors.
fn frames(list: &Value, from: &mut Transport, to: &mut Transport) {
    for frame in list.as_array().unwrap() {
        let mut sealed = bytes(&frame["plaintext"]);
        from.sealer.seal(&mut sealed, 0).unwrap();
        assert_eq!(sealed, bytes(&frame["ciphertext"]));
        assert_eq!(to.opener.open(&mut sealed).unwrap(), bytes(&frame["plaintext"]));
    }
}

/// The first frame of the client, which the vectors show with its length before it.
fn first_frame(frame: &Value, client: &mut Transport, server: &mut Transport) {
    let wire = bytes(&frame["wire"]);
    let mut sealed = wire[..3].to_vec();
    sealed.extend(bytes(&frame["plaintext"]));
    client.sealer.seal(&mut sealed, 3).unwrap();
    assert_eq!(sealed, wire);
    assert_eq!(server.opener.open(&mut sealed[3..]).unwrap(), bytes(&frame["plaintext"]));
}

fn full(answer: Answer) -> (Vec<u8>, bool, whimbrel_noise::server::Pending) {
    match answer {
        Answer::Full { message, fallback, pending } => (message, fallback, pending),
        other @ Answer::Resumed { .. } => panic!("{other:?}"),
    }
}

fn check_client(client: &Client, vectors: &Value) {
    assert_eq!(client.key, pair(vectors, "client_static").public);
    assert_eq!(client.payload, bytes(&vectors["client_payload"]));
    assert!(!format!("{client:?}").contains("payload"));
}

#[test]
fn both_roles_of_xx_are_the_ones_of_the_vectors() {
    let vectors = vectors("noise-xx.json");
    assert_eq!(bytes(&vectors["prologue"]), PROLOGUE);
    let chain = &vectors["certificate"]["cert_chain"];

    let (xx, hello) = Xx::start(pair(&vectors, "client_ephemeral"));
    assert_eq!(hello, message(&vectors, 0));
    let answer =
        server(&vectors, chain).answer(&hello, pair(&vectors, "server_ephemeral"), Resumption::Accept);
    let (server_hello, fallback, pending) = full(answer.unwrap());
    assert_eq!(server_hello, message(&vectors, 1));
    assert!(!fallback);
    let finish = xx.read(&server_hello, &trust(&vectors["certificate"]["root_public"])).unwrap();
    assert_eq!(finish.server().key, pair(&vectors, "server_static").public);
    let payload = bytes(&vectors["client_payload"]);
    let (mut transport, client_finish) = finish.finish(&pair(&vectors, "client_static"), &payload).unwrap();
    assert_eq!(client_finish, message(&vectors, 2));
    let mut client = pending.read(&client_finish).unwrap();
    check_client(&client, &vectors);

    frames(&vectors["transport"]["client_to_server"], &mut transport, &mut client.transport);
    frames(&vectors["transport"]["server_to_client"], &mut client.transport, &mut transport);
}

#[test]
fn both_roles_of_ik_are_the_ones_of_the_vectors() {
    let vectors = vectors("noise-ik.json");
    let (ik, client_ephemeral) = (&vectors["ik"], pair(&vectors, "client_ephemeral"));
    let server = server(&vectors, &vectors["certificate_chain"]);
    let payload = bytes(&vectors["client_payload"]);

    let own = pair(&vectors, "client_static");
    let (state, hello) = Ik::start(client_ephemeral, own, &server.own.public, &payload).unwrap();
    assert_eq!(hello, message(ik, 0));
    let answer = server.answer(&hello, pair(&vectors, "server_ephemeral"), Resumption::Accept).unwrap();
    let Answer::Resumed { message: server_hello, mut client } = answer else { panic!("{answer:?}") };
    assert_eq!(server_hello, message(ik, 1));
    check_client(&client, &vectors);
    // The content of the answer does not count, so neither does the root.
    let answer = state.read(&server_hello, &Trust::new(NoiseRoot::PRODUCTION, NOW)).unwrap();
    let IkAnswer::Resumed(mut transport) = answer else { panic!("{answer:?}") };
    first_frame(&ik["first_frame"], &mut transport, &mut client.transport);
}

#[test]
fn both_roles_of_the_fallback_are_the_ones_of_the_vectors() {
    let vectors = vectors("noise-ik.json");
    let fallback = &vectors["fallback"];
    let payload = bytes(&vectors["client_payload"]);
    let server = server(&vectors, &vectors["certificate_chain"]);

    let old = pair(&vectors, "server_static_old").public;
    let (ephemeral, own) = (pair(&vectors, "client_ephemeral"), pair(&vectors, "client_static"));
    let (state, hello) = Ik::start(ephemeral, own.clone(), &old, &payload).unwrap();
    assert_eq!(hello, message(fallback, 0));
    let answer = server.answer(&hello, pair(&vectors, "server_ephemeral"), Resumption::Accept).unwrap();
    let (server_hello, fell_back, pending) = full(answer);
    assert!(fell_back);
    assert_eq!(server_hello, message(fallback, 1));
    let answer = state.read(&server_hello, &trust(&vectors["root_public"])).unwrap();
    let IkAnswer::Fallback(finish) = answer else { panic!("{answer:?}") };
    assert_eq!(finish.server().key, server.own.public);
    let (mut transport, client_finish) = finish.finish(&own, &payload).unwrap();
    assert_eq!(client_finish, message(fallback, 2));
    let mut client = pending.read(&client_finish).unwrap();
    check_client(&client, &vectors);
    first_frame(&fallback["first_frame"], &mut transport, &mut client.transport);
}

#[test]
fn a_server_may_refuse_to_resume() {
    let vectors = vectors("noise-ik.json");
    let server = server(&vectors, &vectors["certificate_chain"]);
    let (ephemeral, own) = (pair(&vectors, "client_ephemeral"), pair(&vectors, "client_static"));
    let (state, hello) = Ik::start(ephemeral, own, &server.own.public, b"payload").unwrap();
    let answer = server.answer(&hello, pair(&vectors, "server_ephemeral"), Resumption::Refuse).unwrap();
    let (server_hello, fallback, _) = full(answer);
    assert!(fallback);
    let answer = state.read(&server_hello, &trust(&vectors["root_public"])).unwrap();
    assert!(matches!(answer, IkAnswer::Fallback(_)), "{answer:?}");
}

#[test]
fn the_chain_is_issued_as_in_the_vectors() {
    let vectors = vectors("noise-xx.json");
    let certificate = &vectors["certificate"];
    let number = |value: &Value| value.as_u64().unwrap();
    let statement = |name: &str| Statement {
        serial: number(&certificate[name]["serial"]).try_into().unwrap(),
        issuer_serial: number(&certificate[name]["issuer_serial"]).try_into().unwrap(),
        key: PublicKey::from_bytes(array(&certificate[name]["key"])),
        validity: Validity {
            not_before: number(&certificate[name]["not_before"]),
            not_after: number(&certificate[name]["not_after"]),
        },
    };
    let (root, middle) = (pair(&vectors, "root"), pair(&vectors, "intermediate"));
    let issued = issue(
        (&statement("intermediate"), &Issuer { key: &root.private, random: &[1; 64] }),
        (&statement("leaf"), &Issuer { key: &middle.private, random: &[2; 64] }),
    );
    // The signatures are random; all the rest is not.
    let expected = bytes(&certificate["cert_chain"]);
    assert_eq!(issued.len(), expected.len());
    for name in ["intermediate", "leaf"] {
        let details = bytes(&certificate[name]["details"]);
        assert!(issued.windows(details.len()).any(|window| window == details), "{name}");
    }
    let server = PublicKey::from_bytes(array(&certificate["leaf"]["key"]));
    let trust = trust(&certificate["root_public"]);
    let certified = whimbrel_noise::certificate::verify(&issued, &server, &trust).unwrap();
    assert_eq!(certified, whimbrel_noise::certificate::verify(&expected, &server, &trust).unwrap());
    assert!(certified.valid_at(NOW));
}

#[test]
fn an_uncertified_server_is_refused_in_both_shapes() {
    let vectors = vectors("noise-ik.json");
    let production = Trust::new(NoiseRoot::default(), NOW);
    let refused = HandshakeError::Certificate(CertificateError::IntermediateSignature);
    let fallback = message(&vectors["fallback"], 1);
    let old = pair(&vectors, "server_static_old").public;
    let (ephemeral, own) = (pair(&vectors, "client_ephemeral"), pair(&vectors, "client_static"));
    let (state, _) = Ik::start(ephemeral, own, &old, b"").unwrap();
    assert_eq!(state.read(&fallback, &production).unwrap_err(), refused);

    let xx = self::vectors("noise-xx.json");
    let (state, _) = Xx::start(pair(&xx, "client_ephemeral"));
    assert_eq!(state.read(&message(&xx, 1), &production).unwrap_err(), refused);
    // A genuine chain that somebody else shows: what Baileys would accept.
    let thief = Server { own: pair(&xx, "client_static"), chain: bytes(&xx["certificate"]["cert_chain"]) };
    let (state, hello) = Xx::start(pair(&xx, "client_ephemeral"));
    let answer = thief.answer(&hello, pair(&xx, "server_ephemeral"), Resumption::Accept).unwrap();
    let replayed = state.read(&full(answer).0, &trust(&xx["certificate"]["root_public"]));
    assert_eq!(replayed.unwrap_err(), HandshakeError::Certificate(CertificateError::LeafKey));
}

#[test]
fn an_answer_of_another_handshake_is_refused() {
    let vectors = vectors("noise-ik.json");
    let trust = trust(&vectors["root_public"]);
    let start = || {
        let (ephemeral, own) = (pair(&vectors, "client_ephemeral"), pair(&vectors, "client_static"));
        Ik::start(ephemeral, own, &pair(&vectors, "server_static").public, b"other payload").unwrap().0
    };
    let refused = start().read(&message(&vectors["ik"], 1), &trust).unwrap_err();
    assert_eq!(refused, HandshakeError::Decrypt(Part::Payload));
    let xx = self::vectors("noise-xx.json");
    let refused = start().read(&message(&xx, 1), &trust).unwrap_err();
    assert_eq!(refused, HandshakeError::Decrypt(Part::Static));
}
