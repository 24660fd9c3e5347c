//! Stanzas about profiles. Pure.

use serde_json::{Value, json};
use whimbrel_wire::{Jid, Node, NodeRef};

use super::about::ProfileAbout;
use super::links::{ContactLink, FoundContactLink, MessageLink};
use crate::devices::usync::{self, Mode};

fn text(node: &NodeRef<'_>, name: &str) -> Option<String> {
    node.attr_text(name).map(std::borrow::Cow::into_owned).filter(|text| !text.is_empty())
}

/// Sets what this account says of itself.
pub(super) fn set_about(about: &str) -> Node {
    Node::new("iq")
        .attr("to", Jid::SERVER)
        .attr("type", "set")
        .attr("xmlns", "status")
        .child(Node::new("status").text(about.to_owned()))
}

/// The variables of the newer form, which knows emoji and ends.
pub(super) fn text_status(about: &str, emoji: Option<&str>, seconds: Option<u32>) -> Value {
    json!({ "input": {
        "text": about,
        "emoji": { "content": emoji.unwrap_or_default() },
        "ephemeral_duration_sec": seconds.unwrap_or_default(),
    }})
}

/// Asks what somebody says of itself, in both forms.
pub(super) fn ask_about(who: &Jid, token: Option<Node>, sid: String) -> Node {
    let protocols = Node::new("query").child(Node::new("status")).child(Node::new("text_status"));
    usync::request(
        protocols,
        [Node::new("user").attr("jid", who).child_opt(token)],
        Mode::Query,
        "interactive",
        sid,
    )
}

fn only_user<'n>(answer: &'n NodeRef<'n>) -> Option<&'n NodeRef<'n>> {
    answer.child_named("usync")?.child_named("list")?.child_named("user")
}

/// What the answer says: nothing of what is hidden.
pub(super) fn about(answer: &NodeRef<'_>) -> ProfileAbout {
    let Some(user) = only_user(answer) else { return ProfileAbout::default() };
    let time = |node: &NodeRef<'_>, name| {
        node.attr_u64(name).and_then(|time| i64::try_from(time).ok()).filter(|time| *time > 0)
    };
    let plain = user.child_named("status").filter(|status| !status.attr_is("code", "401"));
    let rich = user.child_named("text_status");
    let words = plain.and_then(|status| status.content_text()).map(str::to_owned);
    ProfileAbout {
        text: rich.and_then(|rich| text(rich, "text")).or(words.filter(|words| !words.is_empty())),
        emoji: rich.and_then(|rich| text(rich.child_named("emoji")?, "content")),
        expires_in: rich
            .and_then(|rich| rich.attr_u32("ephemeral_duration_sec"))
            .filter(|seconds| *seconds > 0),
        changed_at: rich
            .and_then(|rich| time(rich, "last_update_time"))
            .or(plain.and_then(|status| time(status, "t"))),
    }
}

/// Says the name without anything else.
pub(super) fn named(name: &str) -> Node {
    Node::new("presence").attr("name", name.replace('@', ""))
}

/// Asks who has a user name.
pub(super) fn ask_username(name: &str, key: Option<&str>, sid: String) -> Node {
    let protocols = Node::new("query")
        .child(Node::new("contact").attr("addressing_mode", "lid"))
        .child(Node::new("business").child(Node::new("verified_name")));
    let contact =
        Node::new("contact").attr("username", name.to_owned()).attr_opt("pin", key.map(str::to_owned));
    let user = Node::new("user").child(contact);
    usync::request(protocols, [user], Mode::Query, "interactive", sid)
}

/// Who has a user name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    Found {
        lid: Jid,
        phone: Option<Jid>,
    },
    /// A key is needed, or it was another one.
    KeyNeeded,
    Nobody,
}

pub(super) fn holder(answer: &NodeRef<'_>) -> Holder {
    let Some(user) = only_user(answer) else { return Holder::Nobody };
    let kind = user.child_named("contact").and_then(|contact| text(contact, "type"));
    if matches!(kind.as_deref(), Some("out" | "error" | "invalid")) {
        return Holder::Nobody;
    }
    match user.attr_jid("jid") {
        Some(jid) => Holder::Found {
            lid: jid.to_account(),
            phone: user.attr_jid("pn_jid").map(|phone| phone.to_account()),
        },
        None => Holder::KeyNeeded,
    }
}

/// Asks for the code of the link to this account. `renew`: another one, and the old one is void.
pub(super) fn contact_code(renew: bool) -> Node {
    let action = if renew { "revoke" } else { "get" };
    let qr = Node::new("qr").attr("type", "contact").attr("action", action);
    Node::new("iq").attr("type", "set").attr("xmlns", "w:qr").child(qr)
}

/// Asks what is behind a code.
pub(super) fn resolve(code: &str) -> Node {
    Node::new("iq")
        .attr("type", "get")
        .attr("xmlns", "w:qr")
        .child(Node::new("qr").attr("code", code.to_owned()))
}

pub(super) fn own_link(answer: &NodeRef<'_>) -> Option<ContactLink> {
    let code = text(answer.child_named("qr")?, "code")?;
    Some(ContactLink { link: format!("{}{code}", super::links::CONTACT), code })
}

/// Who is behind the code of a person.
pub(super) fn contact(answer: &NodeRef<'_>) -> Option<(Jid, Option<String>)> {
    let qr = answer.child_named("qr")?;
    Some((qr.attr_jid("jid")?.to_account(), text(qr, "notify")))
}

/// What the code of a business asks to be written, and what is said of it.
pub(super) fn message(answer: &NodeRef<'_>, found: FoundContactLink) -> MessageLink {
    let qr = answer.child_named("qr");
    let business = qr.and_then(|qr| qr.child_named("business"));
    let words = qr.and_then(|qr| qr.child_named("message")).and_then(|message| message.content_text());
    MessageLink {
        who: found.who,
        name: found.name,
        text: words.map(str::to_owned).filter(|words| !words.is_empty()),
        verified_name: business.and_then(|business| text(business, "verified_name")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::groups::tests::forms::{comparable, from_json, vectors};
    use crate::mex;

    fn sent(client: &str, operation: &str) -> Node {
        from_json(&vectors("features-requests")["requests"][client][operation]["stanzas"][0])
    }

    #[test]
    fn requests_are_those_of_other_clients() {
        for (node, expected) in [
            (set_about("new about"), sent("whatsmeow_2025_12_differences", "SetStatusMessage")),
            (contact_code(false), sent("whatsmeow", "GetContactQRLink")),
            (contact_code(true), sent("whatsmeow", "GetContactQRLink(revoke)")),
            (resolve("ABCDEF"), sent("whatsmeow", "ResolveContactQRLink")),
        ] {
            assert_eq!(comparable(&node), comparable(&expected));
        }
        let variables = text_status("new about", Some("🙂"), Some(86_400));
        let body = |node: &Node| -> Value {
            serde_json::from_slice(node.child_named("query").unwrap().content_bytes().unwrap()).unwrap()
        };
        let ours = mex::request("UpdateTextStatus", &variables).unwrap();
        assert_eq!(body(&ours), body(&sent("whatsmeow", "SetStatusMessage")));
        let asked = ask_username("bob.smith", None, "s".into());
        let expected = sent("zapo", "profile.resolveUsername");
        let part = |node: &Node, name: &str| {
            comparable(node.child_named("usync").unwrap().child_named(name).unwrap())
        };
        assert_eq!(
            (part(&asked, "query"), part(&asked, "list")),
            (part(&expected, "query"), part(&expected, "list"))
        );
    }

    #[test]
    fn both_forms_of_an_about_are_read() {
        let answer = |children: Vec<Node>| {
            let user = Node::new("user").attr("jid", Jid::lid("7")).children(children);
            Node::new("iq").child(Node::new("usync").child(Node::new("list").child(user)))
        };
        let plain = || Node::new("status").attr("t", "17").text("on the pond".to_owned());
        let read = about(&answer(vec![plain()]));
        assert_eq!(
            (read.text.as_deref(), read.changed_at, read.emoji),
            (Some("on the pond"), Some(17), None)
        );
        let rich = Node::new("text_status")
            .attr("text", "away")
            .attr("ephemeral_duration_sec", "3600")
            .child(Node::new("emoji").attr("content", "🌊"));
        let read = about(&answer(vec![plain(), rich]));
        assert_eq!(
            (read.text.as_deref(), read.emoji.as_deref(), read.expires_in),
            (Some("away"), Some("🌊"), Some(3600))
        );
        assert_eq!(about(&answer(vec![Node::new("status").attr("code", "401")])), ProfileAbout::default());
        assert_eq!(about(&Node::new("iq")), ProfileAbout::default());
    }

    #[test]
    fn holders_of_user_names_are_told_apart() {
        let answer =
            |user: Node| Node::new("iq").child(Node::new("usync").child(Node::new("list").child(user)));
        let contact = |kind: &'static str| Node::new("contact").attr("type", kind);
        let found = Node::new("user").attr("jid", Jid::lid("7")).child(contact("in"));
        assert_eq!(holder(&answer(found)), Holder::Found { lid: Jid::lid("7"), phone: None });
        assert_eq!(holder(&answer(Node::new("user").child(contact("in")))), Holder::KeyNeeded);
        let out = Node::new("user").attr("jid", Jid::lid("7")).child(contact("out"));
        assert_eq!(holder(&answer(out)), Holder::Nobody);
        assert_eq!(holder(&Node::new("iq")), Holder::Nobody);
    }
}
