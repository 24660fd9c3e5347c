//! Tokens in stanzas. Pure.

use std::collections::BTreeMap;

use whimbrel_crypto::kdf::hmac_sha256;
use whimbrel_wire::{Jid, Node, NodeRef};

/// The only kind of tokens.
const KIND: &str = "trusted_contact";

/// Gives somebody a token as of a time in seconds.
pub(super) fn issue(to: &Jid, time: i64) -> Node {
    let token = Node::new("token").attr("jid", to).attr("t", time).attr("type", KIND);
    Node::new("iq")
        .attr("to", Jid::SERVER)
        .attr("type", "set")
        .attr("xmlns", "privacy")
        .child(Node::new("tokens").child(token))
}

/// A token, and when it was given, seconds.
pub(super) type Given = (Vec<u8>, i64);

/// The tokens in a notification or answer, with whom they name.
pub(super) fn given(node: &NodeRef<'_>) -> Vec<(Option<Jid>, Given)> {
    let tokens = node.child_named("tokens");
    let tokens = tokens.into_iter().flat_map(|tokens| tokens.children_named("token"));
    tokens
        .filter(|token| token.attr_is("type", KIND))
        .filter_map(|token| {
            let bytes = token.content_bytes().filter(|bytes| !bytes.is_empty())?.to_vec();
            let time = i64::try_from(token.attr_u64("t")?).ok()?;
            Some((token.attr_jid("jid").map(|jid| jid.to_account()), (bytes, time)))
        })
        .collect()
}

/// A token that somebody gave, where stanzas carry one.
pub(super) fn trusted(token: Vec<u8>) -> Node {
    Node::new("tctoken").bytes(token)
}

/// The token for a stranger, which the service makes in the same way.
pub(super) fn for_stranger(salt: &[u8], recipient: &Jid) -> Node {
    let recipient = recipient.to_bare().to_string();
    Node::new("cstoken").bytes(hmac_sha256(salt, &[recipient.as_bytes()]).to_vec())
}

/// A request about members of a group with the tokens that they gave.
pub(super) fn on_members(request: &Node, tokens: &BTreeMap<Jid, Vec<u8>>) -> Node {
    if request.tag() == "participant" {
        let token = request.attr_jid("jid").and_then(|jid| tokens.get(&jid));
        return request.clone().child_opt(token.map(|token| Node::new("privacy").bytes(token.clone())));
    }
    let mut made = Node::new(request.tag().to_owned());
    for attr in request.attrs() {
        made.set_attr(attr.key.clone(), attr.value.clone());
    }
    made.children(request.child_nodes().iter().map(|child| match child.tag() {
        "add" | "create" | "participant" => on_members(child, tokens),
        _ => child.clone(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::groups::tests::forms::{comparable, from_json, vectors};

    fn bytes(digits: &str) -> Vec<u8> {
        hex::decode(digits).unwrap()
    }

    #[test]
    fn tokens_are_issued_as_by_other_clients() {
        let mut expected = from_json(
            &vectors("features-requests")["requests"]["baileys"]["issuePrivacyTokens"]["stanzas"][0],
        );
        let token = expected.child_named("tokens").unwrap().child_named("token").unwrap().clone();
        expected = Node::new("iq")
            .attr("to", Jid::SERVER)
            .attr("type", "set")
            .attr("xmlns", "privacy")
            .child(Node::new("tokens").child(token.attr("t", 17_u32)));
        let made = issue(&Jid::lid("999888777666555"), 17);
        assert_eq!(comparable(&made), comparable(&expected));
    }

    #[test]
    fn tokens_for_strangers_are_those_of_the_vectors() {
        let vectors = vectors("features");
        let rule = &vectors["cstoken"];
        let salt = bytes(rule["salt_hex"].as_str().unwrap());
        for case in rule["cases"].as_array().unwrap() {
            let recipient: Jid = case["recipient_lid"].as_str().unwrap().parse().unwrap();
            let token = for_stranger(&salt, &recipient.with_device(3));
            assert_eq!(token.content_bytes().unwrap(), bytes(case["cstoken_hex"].as_str().unwrap()));
        }
    }

    #[test]
    fn members_are_named_with_the_tokens_that_they_gave() {
        let member = |user: &str| Node::new("participant").attr("jid", Jid::lid(user));
        let described = Node::new("description").child(Node::new("body").text("x".to_owned()));
        let create = Node::new("create").attr("subject", "s").children([member("7"), member("8"), described]);
        let request = Node::new("iq").attr("type", "set").child(create);
        let made = on_members(&request, &[(Jid::lid("8"), vec![1])].into());
        let made = made.child_named("create").unwrap();
        assert!(made.attr_is("subject", "s") && made.child_named("description").is_some());
        let tokens: Vec<_> =
            made.children_named("participant").map(|node| node.child_bytes("privacy")).collect();
        assert_eq!(tokens, [None, Some(&[1][..])]);
        assert_eq!(comparable(&on_members(&request, &BTreeMap::new())), comparable(&request));
    }

    #[test]
    fn what_is_no_token_is_left_out() {
        let token = |kind: &'static str| Node::new("token").attr("type", kind).attr("t", 5_u32);
        let tokens = Node::new("tokens").children([
            token(KIND).bytes(vec![1]).attr("jid", Jid::lid("7").with_device(2)),
            token(KIND),
            token("other").bytes(vec![2]),
            Node::new("token").attr("type", KIND).bytes(vec![3]),
        ]);
        let read = given(&Node::new("notification").child(tokens));
        assert_eq!(read, [(Some(Jid::lid("7")), (vec![1], 5))]);
        assert!(given(&Node::new("notification")).is_empty());
    }
}
