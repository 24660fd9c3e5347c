//! Stanzas that phones send and read: pure builders and parsers, one file per topic.

pub(crate) mod acks;
pub(crate) mod groups;
pub(crate) mod keys;
pub(crate) mod link;
pub(crate) mod messages;
pub(crate) mod retry;
pub(crate) mod usync;

use whimbrel_wire::{Jid, Node};

use super::PhoneError;

/// A request to the service; the id is added when it is sent.
pub(super) fn iq(kind: &'static str, namespace: &'static str) -> Node {
    Node::new("iq").attr("to", Jid::SERVER).attr("type", kind).attr("xmlns", namespace)
}

/// The answer to a request, if it is not an error.
pub(crate) fn result(answer: Node) -> Result<Node, PhoneError> {
    if !answer.attr_is("type", "error") {
        return Ok(answer);
    }
    let error = answer.child_named("error");
    Err(PhoneError::Refused {
        code: error
            .and_then(|error| error.attr_u32("code"))
            .and_then(|code| u16::try_from(code).ok())
            .unwrap_or(0),
        text: error.and_then(|error| error.attr_text("text")).unwrap_or_default().into_owned(),
    })
}

/// Three octets, most significant first, the form of all key ids.
pub(crate) fn be24(id: u32) -> Vec<u8> {
    id.to_be_bytes().iter().skip(1).copied().collect()
}

/// A number of one to four octets, most significant first.
pub(crate) fn be_number(bytes: &[u8]) -> Option<u32> {
    if bytes.is_empty() || bytes.len() > 4 {
        return None;
    }
    Some(bytes.iter().fold(0, |number, octet| number << 8 | u32::from(*octet)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_ids_have_three_octets() {
        assert_eq!(be24(0x0001_0203), [1, 2, 3]);
        assert_eq!(be_number(&[1, 2, 3]), Some(0x0001_0203));
        assert_eq!(be_number(&[0, 0, 0x2a, 0x7b]), Some(10_875));
        assert_eq!(be_number(&[]), None);
        assert_eq!(be_number(&[1; 5]), None);
    }

    #[test]
    fn an_error_answer_carries_code_and_text() {
        let error = Node::new("error").attr("code", 404_u32).attr("text", "item-not-found");
        let answer = Node::new("iq").attr("type", "error").child(error);
        assert_eq!(result(answer), Err(PhoneError::Refused { code: 404, text: "item-not-found".to_owned() }));
        assert!(result(Node::new("iq").attr("type", "result")).is_ok());
    }
}
