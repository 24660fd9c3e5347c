//! Stanzas about pictures (features document §7.2). Pure.

use whimbrel_wire::{Jid, Node, NodeRef};

/// The namespace of every request.
const NAMESPACE: &str = "w:profile:picture";

/// What the service says of a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Here it is: its id, its address, its path on the media hosts.
    Found { id: String, url: String, direct_path: Option<String> },
    /// It is the one that is known.
    Unchanged,
    /// There is none.
    None,
    /// It is not for this account.
    Hidden,
    /// A number that no client knows.
    Refused(u16),
}

/// Asks for a picture. `known`: the id of the one that is known; `token`: what shows that the owner knows
/// this account.
pub(super) fn ask(target: &Jid, kind: &'static str, known: Option<&str>, token: Option<Node>) -> Node {
    let picture =
        Node::new("picture").attr("type", kind).attr("query", "url").attr_opt("id", known.map(str::to_owned));
    request("get", Some(target)).child(picture.child_opt(token))
}

/// Sets a picture; without a target it is the own one.
pub(super) fn set(target: Option<&Jid>, jpeg: Vec<u8>) -> Node {
    request("set", target).child(Node::new("picture").attr("type", "image").bytes(jpeg))
}

/// Removes a picture; without a target it is the own one.
pub(super) fn remove(target: Option<&Jid>) -> Node {
    request("set", target)
}

fn request(kind: &'static str, target: Option<&Jid>) -> Node {
    Node::new("iq")
        .attr("xmlns", NAMESPACE)
        .attr("type", kind)
        .attr("to", Jid::SERVER)
        .attr_opt("target", target.cloned())
}

/// Reads what came of a question. An answer without a picture says, if one was known, that it is the same.
pub(super) fn answer(answer: &NodeRef<'_>, known: bool) -> Answer {
    let Some(picture) = answer.child_named("picture") else {
        return if known { Answer::Unchanged } else { Answer::None };
    };
    let number = |node: &NodeRef<'_>, name| node.attr_u32(name).and_then(|number| u16::try_from(number).ok());
    let refused = picture.child_named("error").and_then(|error| number(error, "code"));
    match number(picture, "status").or(refused) {
        Some(304) => return Answer::Unchanged,
        Some(204 | 404) => return Answer::None,
        Some(401 | 403) => return Answer::Hidden,
        Some(other) if other != 200 => return Answer::Refused(other),
        _ => {}
    }
    let text = |name| picture.attr_text(name).map(std::borrow::Cow::into_owned);
    match (text("id"), text("url")) {
        (Some(id), Some(url)) => Answer::Found { id, url, direct_path: text("direct_path") },
        _ => Answer::None,
    }
}

/// The id of a picture that was set.
pub(super) fn set_id(answer: &NodeRef<'_>) -> Option<String> {
    answer.child_named("picture")?.attr_text("id").map(std::borrow::Cow::into_owned)
}

/// What a notification says: whose picture, who changed it, its id; none is a removal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Notice {
    pub(super) owner: Jid,
    pub(super) author: Option<Jid>,
    pub(super) id: Option<String>,
}

/// Reads a notification; `None` for those that change no picture.
pub(super) fn notice(node: &NodeRef<'_>) -> Option<Notice> {
    let from = node.attr_jid("from")?;
    let of = |child: &NodeRef<'_>, id| Notice {
        owner: child.attr_jid("jid").unwrap_or_else(|| from.clone()).to_bare(),
        author: child.attr_jid("author").map(|author| author.to_account()),
        id,
    };
    if let Some(set) = node.child_named("set") {
        let id = set.attr_text("id").map(std::borrow::Cow::into_owned);
        // The id may be left out where the picture is hidden; it is another one all the same.
        return Some(of(set, Some(id.unwrap_or_default())));
    }
    match node.first_child() {
        Some(delete) if delete.tag() == "delete" => Some(of(delete, None)),
        // Without a word about it the picture is gone.
        None => Some(Notice { owner: from.to_bare(), author: None, id: None }),
        Some(_) => None,
    }
}
