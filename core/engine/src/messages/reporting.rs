//! The token by which a recipient can report a message without the service having seen it (delivery
//! document §3.12). Pure.

use whimbrel_crypto::kdf::{hkdf_sha256, hmac_sha256};
use whimbrel_wire::{Jid, Node};

/// Deepest nesting that is looked into.
const DEPTH: usize = 10;

/// What is kept of a field.
#[derive(Clone, Copy)]
enum Kept {
    /// Its bytes as they are.
    Whole,
    /// Some fields of the message in it.
    Parts(&'static [(u32, Kept)]),
    /// As of a message of its own.
    Content,
}

use Kept::{Content, Parts, Whole};

/// Whether it was forwarded, and how often.
const CONTEXT: Kept = Parts(&[(21, Whole), (22, Whole)]);
const WRAPPER: Kept = Parts(&[(1, Content)]);
const POLL: Kept = Parts(&[
    (2, Whole),
    (3, Parts(&[(1, Whole), (2, Whole)])),
    (5, CONTEXT),
    (8, Parts(&[(1, Whole), (2, Whole)])),
]);
const VIDEO: Kept = Parts(&[(2, Whole), (6, Whole), (7, Whole), (13, Whole), (20, Whole), (17, CONTEXT)]);

/// What is kept of a message, by the numbers of its fields.
const fn kept(field: u32) -> Option<Kept> {
    Some(match field {
        1 => Whole,
        3 => Parts(&[(2, Whole), (3, Whole), (8, Whole), (11, Whole), (25, Whole), (17, CONTEXT)]),
        4 => Parts(&[(1, Whole), (16, Whole), (17, CONTEXT)]),
        5 => Parts(&[(3, Whole), (4, Whole), (5, Whole), (16, Whole), (17, CONTEXT)]),
        6 => Parts(&[(1, Whole), (30, Whole), (17, CONTEXT)]),
        7 => Parts(&[(2, Whole), (7, Whole), (10, Whole), (20, Whole), (17, CONTEXT)]),
        8 => Parts(&[(2, Whole), (7, Whole), (9, Whole), (21, Whole), (17, CONTEXT)]),
        9 | 66 => VIDEO,
        12 => Parts(&[(1, Whole), (2, Whole), (15, Whole), (14, Content)]),
        18 => Parts(&[(6, Whole), (16, Whole), (17, CONTEXT)]),
        26 => Parts(&[(4, Whole), (5, Whole), (8, Whole), (13, Whole), (17, CONTEXT)]),
        28 => Parts(&[(1, Whole), (2, Whole), (4, Whole), (5, Whole), (6, Whole), (7, CONTEXT)]),
        37 | 53 | 55 | 58 | 59 | 74 | 87 | 92 | 93 | 94 => WRAPPER,
        49 | 60 | 64 => POLL,
        88 => Parts(&[(1, Whole), (2, Parts(&[(1, Whole)])), (3, CONTEXT)]),
        _ => return None,
    })
}

/// `messageContextInfo` of a message, and the secret in it.
const CONTEXT_INFO: u32 = 35;
const SECRET: u32 = 3;

/// Answers to polls and events, and reactions: nobody reports them.
const UNREPORTABLE: [u32; 4] = [46, 50, 56, 76];

/// The token of a message, given encoded and without padding; `None` if it has none. `sender` is
/// this account as the chat addresses it, `remote` the chat.
fn token(content: &[u8], id: &str, sender: &Jid, remote: &Jid) -> Option<[u8; 16]> {
    let secret = find(find(content, CONTEXT_INFO)?, SECRET)?;
    if Fields(content).any(|field| UNREPORTABLE.contains(&field.number)) {
        return None;
    }
    let info = format!("{id}{sender}{remote}Report Token");
    let key = hkdf_sha256::<32>(secret, &[], info.as_bytes());
    let mac = hmac_sha256(&*key, &[&reportable(content)]);
    mac.first_chunk().copied()
}

/// Adds the token to a message, if it has one.
pub(crate) fn attach(message: Node, content: &[u8], id: &str, sender: &Jid, remote: &Jid) -> Node {
    match token(content, id, sender, remote) {
        None => message,
        Some(token) => {
            let token = Node::new("reporting_token").attr("v", "2").bytes(token.to_vec());
            message.child(Node::new("reporting").child(token))
        }
    }
}

fn reportable(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len());
    extract(content, &kept, DEPTH, &mut out);
    out
}

/// Appends what is kept of a message, in the order of the fields' numbers.
fn extract(content: &[u8], kept: &dyn Fn(u32) -> Option<Kept>, depth: usize, out: &mut Vec<u8>) {
    let mut fields: Vec<(Field<'_>, Kept)> =
        Fields(content).filter_map(|field| Some((field, kept(field.number)?))).collect();
    fields.sort_by_key(|(field, _)| field.number);
    for (field, kept) in fields {
        let inner = match (kept, field.inner) {
            (Whole, _) => {
                out.extend_from_slice(field.whole);
                continue;
            }
            (_, None) => continue,
            (_, Some(_)) if depth == 0 => continue,
            (Parts(parts), Some(inner)) => {
                let part = |number| parts.iter().find(|(part, _)| *part == number).map(|(_, kept)| *kept);
                let mut kept = Vec::new();
                extract(inner, &part, depth.saturating_sub(1), &mut kept);
                kept
            }
            (Content, Some(inner)) => {
                let mut kept_inside = Vec::new();
                extract(inner, &self::kept, depth.saturating_sub(1), &mut kept_inside);
                kept_inside
            }
        };
        if !inner.is_empty() {
            put_varint(out, u64::from(field.number) << 3 | 2);
            put_varint(out, inner.len() as u64);
            out.extend_from_slice(&inner);
        }
    }
}

/// The content of the last field with this number.
fn find(content: &[u8], number: u32) -> Option<&[u8]> {
    Fields(content).filter(|field| field.number == number).last()?.inner
}

/// A field of an encoded message.
#[derive(Clone, Copy)]
struct Field<'a> {
    number: u32,
    /// With its number.
    whole: &'a [u8],
    /// What is in it, if it has a length.
    inner: Option<&'a [u8]>,
}

/// The fields of an encoded message; ends where it is malformed.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let start = self.0;
        let (tag, rest) = varint(start)?;
        let (inner, rest) = match tag & 7 {
            0 => (None, varint(rest)?.1),
            1 => (None, rest.get(8..)?),
            2 => {
                let (length, rest) = varint(rest)?;
                let (inner, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
                (Some(inner), rest)
            }
            5 => (None, rest.get(4..)?),
            _ => return None,
        };
        self.0 = rest;
        let whole = start.get(..start.len().checked_sub(rest.len())?)?;
        Some(Field { number: u32::try_from(tag >> 3).ok()?, whole, inner })
    }
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (at, octet) in bytes.iter().take(10).enumerate() {
        value |= u64::from(octet & 0x7f) << (7 * at).min(63);
        if octet & 0x80 == 0 {
            return Some((value, bytes.get(at.saturating_add(1)..)?));
        }
    }
    None
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while let [octet, ..] = value.to_le_bytes()
        && value > 0x7f
    {
        out.push(octet | 0x80);
        value >>= 7;
    }
    let [octet, ..] = value.to_le_bytes();
    out.push(octet);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_those_of_the_vectors() {
        let vectors = include_str!("../../../../tests/vectors/reporting-token.json");
        let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
        let cases = vectors["cases"].as_array().unwrap();
        assert!(cases.len() >= 4);
        for case in cases {
            let text = |key: &str| case[key].as_str().unwrap();
            let bytes = |key: &str| hex::decode(text(key)).unwrap();
            let message = bytes("message");
            assert_eq!(hex::encode(reportable(&message)), text("content"), "{}", text("name"));
            let (sender, remote) = (text("sender").parse().unwrap(), text("remote").parse().unwrap());
            let token = token(&message, text("messageId"), &sender, &remote);
            assert_eq!(token.map(hex::encode).as_deref(), Some(text("token")), "{}", text("name"));
        }
    }

    #[test]
    fn what_cannot_be_reported_has_no_token() {
        use whimbrel_proto::e2e::Message;
        use whimbrel_proto::encode;

        let secret = crate::messages::tests::words("x", [3; 32]);
        let (ana, ben) = (Jid::lid("1"), Jid::lid("2"));
        assert!(token(&encode(&secret), "A", &ana, &ben).is_some());
        let without = Message { message_context_info: None, ..secret.clone() };
        assert_eq!(token(&encode(&without), "A", &ana, &ben), None);
        let reaction = Message { reaction_message: Some(Default::default()), ..secret };
        assert_eq!(token(&encode(&reaction), "A", &ana, &ben), None);
        assert_eq!(token(&[0xff], "A", &ana, &ben), None);
    }
}
