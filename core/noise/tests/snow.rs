//! Another implementation of Noise agrees with IK in full, and with XX up to what WhatsApp leaves
//! out of it (transport document §2.3).
#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is the test's report")]

use whimbrel_crypto::curve::{KeyPair, PrivateKey};
use whimbrel_noise::client::{Ik, IkAnswer, Xx};
use whimbrel_noise::server::{Answer, Resumption, Server};
use whimbrel_noise::{HandshakeError, NoiseRoot, PROLOGUE, Part, Trust};
use whimbrel_proto::handshake::HandshakeMessage;
use whimbrel_proto::handshake::handshake_message::ServerHello;

fn pair(seed: u8) -> KeyPair {
    KeyPair::from_private(PrivateKey::from_bytes([seed; 32]))
}

fn snow<'b>(name: &str, own: &'b KeyPair, ephemeral: &'b KeyPair) -> snow::Builder<'b> {
    snow::Builder::new(name.parse().unwrap())
        .prologue(&PROLOGUE)
        .unwrap()
        .local_private_key(own.private.as_bytes())
        .unwrap()
        .fixed_ephemeral_key_for_testing_only(ephemeral.private.as_bytes())
}

const IK: &str = "Noise_IK_25519_AESGCM_SHA256";
const XX: &str = "Noise_XX_25519_AESGCM_SHA256";

/// The fields of a hello, in the order in which Noise writes them.
fn joined(message: &[u8]) -> Vec<u8> {
    let message: HandshakeMessage = whimbrel_proto::decode(message).unwrap();
    let parts = match (message.client_hello, message.server_hello) {
        (Some(hello), None) => [hello.ephemeral, hello.r#static, hello.payload],
        (None, Some(hello)) => [hello.ephemeral, hello.r#static, hello.payload],
        other => panic!("{other:?}"),
    };
    parts.into_iter().flatten().flatten().collect()
}

#[test]
fn ik_is_noise_to_the_letter() {
    let (own, server, ephemeral, server_ephemeral) = (pair(1), pair(2), pair(3), pair(4));
    let trust = Trust::new(NoiseRoot::PRODUCTION, 0);

    // Our client, their server.
    let mut theirs = snow(IK, &server, &server_ephemeral).build_responder().unwrap();
    let (ours, hello) = Ik::start(ephemeral.clone(), own.clone(), &server.public, b"payload").unwrap();
    let mut buffer = vec![0; 1000];
    let length = theirs.read_message(&joined(&hello), &mut buffer).unwrap();
    assert_eq!(buffer[..length], *b"payload");
    let length = theirs.write_message(b"anything", &mut buffer).unwrap();
    let server_hello = whimbrel_proto::encode(&HandshakeMessage {
        server_hello: Some(Box::new(ServerHello {
            ephemeral: Some(buffer[..32].to_vec()),
            payload: Some(buffer[32..length].to_vec()),
            ..Default::default()
        })),
        ..Default::default()
    });
    let answer = ours.read(&server_hello, &trust).unwrap();
    let IkAnswer::Resumed(mut transport) = answer else { panic!("{answer:?}") };
    let mut theirs = theirs.into_transport_mode().unwrap();
    for round in 0..3_u8 {
        let mut frame = vec![round; 50];
        transport.sealer.seal(&mut frame, 0).unwrap();
        let length = theirs.read_message(&frame, &mut buffer).unwrap();
        assert_eq!(buffer[..length], [round; 50]);
        let length = theirs.write_message(&[round; 60], &mut buffer).unwrap();
        assert_eq!(transport.opener.open(&mut buffer[..length]).unwrap(), [round; 60]);
    }

    // Their client gets the same bytes from our server as from theirs.
    let mut theirs = snow(IK, &own, &ephemeral)
        .remote_public_key(server.public.as_bytes())
        .unwrap()
        .build_initiator()
        .unwrap();
    let length = theirs.write_message(b"payload", &mut buffer).unwrap();
    assert_eq!(buffer[..length], joined(&hello));
    let ours = Server { own: server, chain: b"chain".to_vec() };
    let answer = ours.answer(&hello, server_ephemeral, Resumption::Accept).unwrap();
    let Answer::Resumed { message, mut client } = answer else { panic!("{answer:?}") };
    let length = theirs.read_message(&joined(&message), &mut buffer).unwrap();
    assert_eq!(buffer[..length], *b"chain");
    let mut theirs = theirs.into_transport_mode().unwrap();
    let length = theirs.write_message(b"frame", &mut buffer).unwrap();
    assert_eq!(client.transport.opener.open(&mut buffer[..length]).unwrap(), b"frame");
}

#[test]
fn xx_differs_from_noise_by_the_empty_payload_of_its_first_message() {
    let (server, ephemeral, server_ephemeral) = (pair(2), pair(3), pair(4));
    let (ours, hello) = Xx::start(ephemeral);
    let mut theirs = snow(XX, &server, &server_ephemeral).build_responder().unwrap();
    let mut buffer = vec![0; 1000];
    theirs.read_message(&joined(&hello), &mut buffer).unwrap();
    let length = theirs.write_message(b"chain", &mut buffer).unwrap();
    let their_hello = &buffer[..length];

    let chain = b"chain".to_vec();
    let answer = Server { own: server, chain }.answer(&hello, server_ephemeral, Resumption::Accept).unwrap();
    let Answer::Full { message, .. } = answer else { panic!("{answer:?}") };
    let our_hello = joined(&message);
    // Ephemeral key and encrypted static key are the same; the tag covers the transcript.
    assert_eq!(our_hello[..64], their_hello[..64]);
    assert_ne!(our_hello[64..80], their_hello[64..80]);

    let theirs = whimbrel_proto::encode(&HandshakeMessage {
        server_hello: Some(Box::new(ServerHello {
            ephemeral: Some(their_hello[..32].to_vec()),
            r#static: Some(their_hello[32..80].to_vec()),
            payload: Some(their_hello[80..].to_vec()),
            ..Default::default()
        })),
        ..Default::default()
    });
    let refused = ours.read(&theirs, &Trust::new(NoiseRoot::PRODUCTION, 0)).unwrap_err();
    assert_eq!(refused, HandshakeError::Decrypt(Part::Static));
}
