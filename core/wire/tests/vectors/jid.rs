//! Every address of `jid.json`.

use crate::reading::{bytes, effective_attrs, list, number, text, vectors};
use whimbrel_wire::{Jid, NodeRef, decode_frame, encode};

/// `<message from=…/>` as a frame.
fn stanza(value: &[u8]) -> Vec<u8> {
    [&[0, 0xf8, 3, 0x13, 0x06], value].concat()
}

#[test]
fn valid_addresses_have_their_parts_and_forms() {
    let file = vectors("jid.json");
    let valid = list(&file, "valid");
    assert_eq!(valid.len(), 34);
    for vector in valid {
        let input = text(vector, "input");
        let jid: Jid = input.parse().unwrap_or_else(|error| panic!("{input}: {error}"));
        let parts = vector.get("jid").unwrap();
        assert_eq!(jid.user(), text(parts, "user"), "{input}");
        assert_eq!(jid.server_name(), text(parts, "server"), "{input}");
        assert_eq!(jid.device(), number(parts, "device"), "{input}");
        assert_eq!(jid.integrator(), number(parts, "integrator"), "{input}");
        assert_eq!(jid.to_string(), text(vector, "canonical"), "{input}");
        assert_eq!(jid.to_bare().to_string(), text(vector, "bare"), "{input}");
        assert_eq!(jid.to_account().to_string(), text(vector, "account"), "{input}");
        assert_eq!(Jid::parse(&jid.to_string()), Ok(jid.clone()), "{input}");
    }
}

#[test]
fn valid_addresses_are_written_and_read_as_their_bytes() {
    for vector in list(&vectors("jid.json"), "valid") {
        let input = text(vector, "input");
        let jid: Jid = input.parse().unwrap();
        let frame = stanza(&bytes(vector, "wire_hex"));
        let node = NodeRef::new("message").attr("from", &jid);
        let mut out = Vec::new();
        encode(&node, &mut out).unwrap();
        assert_eq!(hex::encode(&out), hex::encode(&frame), "{input}");
        let decoded = decode_frame(&frame).unwrap();
        assert_eq!(effective_attrs(&decoded), effective_attrs(&node), "{input}");
    }
}

#[test]
fn invalid_addresses_are_refused_with_their_class() {
    let file = vectors("jid.json");
    let invalid = list(&file, "invalid");
    assert_eq!(invalid.len(), 29);
    for vector in invalid {
        let input = text(vector, "input");
        let error = Jid::parse(input).expect_err(input);
        assert_eq!(error.class(), text(vector, "error"), "{input}");
    }
}

#[test]
fn the_three_equalities_differ_where_they_should() {
    for vector in list(&vectors("jid.json"), "comparisons") {
        let (a, b) = (text(vector, "a"), text(vector, "b"));
        let (left, right) = (Jid::parse(a).unwrap(), Jid::parse(b).unwrap());
        let says = |key: &str| vector.get(key).and_then(serde_json::Value::as_bool).unwrap();
        assert_eq!(left == right, says("equal"), "{a} {b}");
        assert_eq!(left.same_bare(&right), says("same_bare"), "{a} {b}");
        assert_eq!(left.same_account(&right), says("same_account"), "{a} {b}");
        assert_eq!(left.to_account() == right.to_account(), says("same_account"), "{a} {b}");
        assert_eq!(left.cmp(&right).is_eq(), says("equal"), "{a} {b}");
    }
}
