//! Every frame of `binary-node.json`, both ways.

use crate::reading::{effective_attrs, frame, list, node, text, vectors};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::time::{Duration, Instant};
use whimbrel_wire::{
    DecodeError, Jid, NodeRef, Server,
    codec::{InteropForm, decode_frame_with},
    decode_frame, encode, encode_compressed,
};

fn encoded(node: &NodeRef<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    encode(node, &mut out).unwrap();
    out
}

#[test]
fn valid_frames_decode_to_their_node() {
    let file = vectors("binary-node.json");
    let valid = list(&file, "valid");
    assert_eq!(valid.len(), 89);
    for vector in valid {
        let (name, frame) = (text(vector, "name"), frame(vector));
        if let Some(recipe) = vector.get("frame_recipe") {
            assert_eq!(hex::encode(Sha256::digest(&frame)), text(recipe, "sha256_of_frame"), "{name}");
        }
        let decoded = decode_frame(&frame).unwrap_or_else(|error| panic!("{name}: {error}"));
        let expected = node(vector.get("node").unwrap());
        assert_eq!(decoded.tag(), expected.tag(), "{name}");
        assert_eq!(effective_attrs(&decoded), effective_attrs(&expected), "{name}");
        assert_eq!(decoded.content(), expected.content(), "{name}");
        assert_eq!(decoded.to_node(), decoded, "{name}");
    }
}

#[test]
fn canonical_frames_are_what_their_node_encodes_to() {
    let file = vectors("binary-node.json");
    let canonical = list(&file, "valid").iter().filter(|v| v.get("canonical") == Some(&Value::Bool(true)));
    let mut count = 0;
    for vector in canonical {
        let (name, frame) = (text(vector, "name"), frame(vector));
        let expected = node(vector.get("node").unwrap());
        // Not assert_eq: two of the frames are a mebibyte long.
        assert!(encoded(&expected) == frame, "{name}");
        assert!(encoded(&decode_frame(&frame).unwrap()) == frame, "{name}");
        count += 1;
    }
    assert_eq!(count, 66);
}

#[test]
fn compressed_frames_carry_the_same_node() {
    let file = vectors("binary-node.json");
    for vector in list(&file, "valid") {
        let expected = node(vector.get("node").unwrap());
        let mut out = vec![0xaa];
        encode_compressed(&expected, &mut out).unwrap();
        assert_eq!(out[..2], [0xaa, 0x02], "appended, with its flag");
        assert!(decode_frame(&out[1..]).unwrap() == expected, "{}", text(vector, "name"));
    }
}

#[test]
fn malformed_frames_are_refused_with_their_class() {
    let file = vectors("binary-node.json");
    let malformed = list(&file, "malformed");
    assert_eq!(malformed.len(), 80);
    for vector in malformed {
        let error = decode_frame(&frame(vector)).expect_err(text(vector, "name"));
        assert_eq!(error.class(), text(vector, "error"), "{}", text(vector, "name"));
    }
}

#[test]
fn every_prefix_of_a_valid_frame_is_an_error() {
    let file = vectors("binary-node.json");
    for vector in list(&file, "valid") {
        let frame = frame(vector);
        let compressed = frame[0] & 2 != 0;
        // All cuts of ordinary frames, the first and last thousand of long ones.
        let cuts = (0..frame.len()).filter(|cut| *cut < 1000 || frame.len() - cut < 1000);
        for cut in cuts {
            let class = decode_frame(&frame[..cut]).expect_err(text(vector, "name")).class();
            let expected = match (cut, compressed) {
                (0, _) => "empty_frame",
                (_, true) => "zlib",
                (_, false) => "eof",
            };
            assert_eq!(class, expected, "{} cut to {cut}", text(vector, "name"));
        }
    }
}

#[test]
fn interop_addresses_of_clients_may_lack_their_server() {
    let with = b"\x00\xf8\x04\x13\x06\xf5\xff\x04\x12\x34\x56\x78\x00\x03\x00\x02\xfc\x07interop\xfc\x01a";
    let without = b"\x00\xf8\x04\x13\x06\xf5\xff\x04\x12\x34\x56\x78\x00\x03\x00\x02\xfc\x01a";
    let jid = Jid::parse("2-12345678:3@interop").unwrap();
    assert_eq!(jid.server(), Server::Interop);
    for frame in [&with[..], without] {
        let node = decode_frame_with(frame, InteropForm::ServerOptional).unwrap();
        assert_eq!((node.attr_jid("from"), node.content_text()), (Some(jid.clone()), Some("a")));
    }
    assert!(decode_frame(with).is_ok());
    assert_eq!(decode_frame(without), Err(DecodeError::JidServer));
}

/// A list of `count` children, each a list with one short tag.
fn wide(count: u16) -> Vec<u8> {
    let mut list = vec![0xf9];
    list.extend(count.to_be_bytes());
    list.extend([0xf8, 1, 0x3f].repeat(count.into()));
    list
}

#[test]
fn two_million_items_are_the_end() {
    // 1 + 30 × (1 + 65535) items fit; 31 do not.
    for (groups, fits) in [(30_u8, true), (31, false)] {
        let mut frame = vec![0, 0xf8, 2, 0x71, 0xf8, groups];
        for _ in 0..groups {
            frame.extend([0xf8, 2, 0x71]);
            frame.extend(wide(u16::MAX));
        }
        let result = decode_frame(&frame).map(drop);
        assert_eq!(result, if fits { Ok(()) } else { Err(DecodeError::TooManyItems) });
    }
}

#[test]
fn announced_sizes_cost_nothing() {
    // Each level announces 65535 children and has one; each attribute list announces 32767.
    let mut frame = vec![0];
    frame.extend([0xf8, 2, 0x71, 0xf9, 0xff, 0xff].repeat(128));
    frame.extend([0xf9, 0xff, 0xff, 0x71]);
    let started = Instant::now();
    for _ in 0..1000 {
        assert_eq!(decode_frame(&frame), Err(DecodeError::Depth));
    }
    // A tenth of a second in practice; reserving what is announced would take minutes.
    assert!(started.elapsed() < Duration::from_secs(20));
}
