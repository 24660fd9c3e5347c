//! The no-I/O crates beside those of whatsapp-rust, in one run. Prints one JSON object a line:
//! `{"name", "whimbrel", "whatsapp-rust"}`, in nanoseconds per call. `cargo xtask bench` runs it
//! together with Baileys' numbers and writes the table.

mod ours;
mod theirs;
mod timing;

use std::hint::black_box;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use timing::{Row, Timed, calls, compare};
use wacore_binary::builder::NodeBuilder;
use wacore_binary::marshal::{marshal_auto, unmarshal_ref};
use wacore_libsignal::protocol::CiphertextMessageType;
use wacore_libsignal::store::sender_key_name::SenderKeyName;
use wacore_noise::NoiseCipher;
use whimbrel_signal::{MAX_JUMP, OwnSenderKey, SenderKeyMessage, SenderKeyRecord, SignalMessage};
use whimbrel_wire::{Jid, Node, decode_frame, encode};

/// A short text, padded as messages are.
const TEXT: [u8; 64] = [0x41; 64];

fn main() {
    let rows = [
        warm_encrypt(),
        warm_decrypt(),
        session_from_bundle(),
        sender_key_encrypt(),
        sender_key_decrypt(),
        node_encode(),
        node_decode(),
        frame("frame_1500", 1500, 2000),
        frame("frame_64k", 65_536, 100),
    ];
    for Row { name, ours, other } in rows {
        println!("{}", serde_json::json!({ "name": name, "whimbrel": ours, "whatsapp-rust": other }));
    }
}

fn warm_encrypt() -> Row {
    let (mut here, _, _) = ours::acquainted();
    let (mut ana, ben) = theirs::acquainted();
    let to = ben.address();
    compare(
        "warm_encrypt",
        500,
        calls(move || {
            black_box(here.encrypt(black_box(&TEXT)).unwrap());
        }),
        calls(move || {
            black_box(ana.encrypt(&to, black_box(&TEXT)));
        }),
    )
}

/// Makes messages outside of the clock, then times reading them.
fn prepared<'a, M: 'a>(mut make: impl FnMut() -> M + 'a, mut read: impl FnMut(&M) + 'a) -> Timed<'a> {
    Box::new(move |calls| -> Duration {
        let messages: Vec<M> = (0..calls).map(|_| make()).collect();
        let start = Instant::now();
        for message in &messages {
            read(message);
        }
        start.elapsed()
    })
}

fn warm_decrypt() -> Row {
    let (mut here, mut there, mut rng) = ours::acquainted();
    let (mut ana, mut ben) = theirs::acquainted();
    let (from, to) = (ana.address(), ben.address());
    compare(
        "warm_decrypt",
        500,
        prepared(
            move || here.encrypt(&TEXT).unwrap().bytes,
            move |bytes| {
                let message = SignalMessage::parse(black_box(bytes)).unwrap();
                black_box(there.decrypt_message(&message, MAX_JUMP, &mut rng).unwrap());
            },
        ),
        prepared(
            move || ana.encrypt(&to, &TEXT).serialize().to_vec(),
            move |bytes| {
                black_box(ben.decrypt(&from, CiphertextMessageType::Whisper, black_box(bytes)));
            },
        ),
    )
}

fn session_from_bundle() -> Row {
    let (mut ana, ben) = (ours::Device::new(1), ours::Device::new(2));
    let (mut their_ana, their_ben) = (theirs::Device::new("ana", 1), theirs::Device::new("ben", 2));
    compare(
        "session_from_bundle",
        5,
        calls(move || {
            black_box(ana.open_session(black_box(&ben.bundle)));
        }),
        calls(move || their_ana.open_session(black_box(&their_ben))),
    )
}

fn group() -> SenderKeyName {
    SenderKeyName::new("1203630@g.us".to_owned(), "ana".to_owned())
}

fn sender_key_encrypt() -> Row {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let mut own = OwnSenderKey::generate(&mut rng);
    let (mut ana, mut ben) = (theirs::Device::new("ana", 1), theirs::Device::new("ben", 2));
    ana.share_sender_key(&group(), &mut ben);
    compare(
        "sender_key_encrypt",
        50,
        calls(move || {
            black_box(own.encrypt(black_box(&TEXT), &mut rng).unwrap());
        }),
        calls(move || {
            black_box(ana.encrypt_for_group(&group(), black_box(&TEXT)));
        }),
    )
}

fn sender_key_decrypt() -> Row {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let mut own = OwnSenderKey::generate(&mut rng);
    let mut received = SenderKeyRecord::new();
    received.process(&own.distribution());
    let (mut ana, mut ben) = (theirs::Device::new("ana", 1), theirs::Device::new("ben", 2));
    ana.share_sender_key(&group(), &mut ben);
    compare(
        "sender_key_decrypt",
        50,
        prepared(
            move || own.encrypt(&TEXT, &mut rng).unwrap(),
            move |bytes| {
                let message = SenderKeyMessage::parse(black_box(bytes)).unwrap();
                black_box(received.decrypt(&message, MAX_JUMP).unwrap());
            },
        ),
        prepared(
            move || ana.encrypt_for_group(&group(), &TEXT),
            move |bytes| {
                black_box(ben.decrypt_in_group(&group(), black_box(bytes)));
            },
        ),
    )
}

/// The most frequent small stanza: the ack of a message.
fn our_node() -> Node {
    Node::new("ack")
        .attr("from", Jid::pn("15550001000"))
        .attr("id", "3EB0A1B2C3D4E5F60718")
        .attr("class", "message")
        .attr("t", "1795168800")
}

fn their_node() -> wacore_binary::node::Node {
    NodeBuilder::new("ack")
        .attr("from", "15550001000@s.whatsapp.net".parse::<wacore_binary::jid::Jid>().unwrap())
        .attr("id", "3EB0A1B2C3D4E5F60718")
        .attr("class", "message")
        .attr("t", "1795168800")
        .build()
}

fn our_bytes() -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(&our_node(), &mut bytes).unwrap();
    bytes
}

fn node_encode() -> Row {
    let (node, other) = (our_node(), their_node());
    let mut bytes = Vec::new();
    compare(
        "node_encode",
        5000,
        calls(move || {
            bytes.clear();
            encode(black_box(&node), &mut bytes).unwrap();
            black_box(&bytes);
        }),
        calls(move || {
            black_box(marshal_auto(black_box(&other)).unwrap());
        }),
    )
}

fn node_decode() -> Row {
    let bytes = our_bytes();
    // Theirs takes the body; ours takes the flag octet too.
    let body = bytes[1..].to_vec();
    compare(
        "node_decode",
        5000,
        calls(move || {
            black_box(decode_frame(black_box(&bytes)).unwrap());
        }),
        calls(move || {
            black_box(unmarshal_ref(black_box(&body)).unwrap());
        }),
    )
}

fn frame(name: &'static str, size: usize, count: u32) -> Row {
    let (mut here, _) = ours::connected();
    let cipher = NoiseCipher::new(&[7; 32]).unwrap();
    let (mut frame, mut other) = (vec![0x5a; size], vec![0x5a; size]);
    frame.reserve(32);
    other.reserve(32);
    let mut counter = 0;
    compare(
        name,
        count,
        calls(move || {
            frame.truncate(size);
            here.sealer.seal(black_box(&mut frame), 0).unwrap();
        }),
        calls(move || {
            other.truncate(size);
            cipher.encrypt_in_place_with_counter(counter, black_box(&mut other)).unwrap();
            counter += 1;
        }),
    )
}
