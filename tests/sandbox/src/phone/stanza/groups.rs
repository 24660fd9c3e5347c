//! Group stanzas of a phone (delivery document §3.6, features document §2).

use std::collections::BTreeSet;

use whimbrel_crypto::phash::phash;
use whimbrel_signal::CiphertextMessage;
use whimbrel_wire::{Jid, Node};

use super::messages::{About, Resend, enc};

/// Who is in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GroupInfo {
    /// Whether members are named by hidden numbers.
    pub(crate) by_lid: bool,
    /// Each member and, if told, the other address.
    pub(crate) members: Vec<(Jid, Option<Jid>)>,
}

fn mode(by_lid: bool) -> &'static str {
    if by_lid { "lid" } else { "pn" }
}

/// Asks for a group.
pub(crate) fn query(group: &Jid) -> Node {
    Node::new("iq")
        .attr("to", group.clone())
        .attr("type", "get")
        .attr("xmlns", "w:g2")
        .child(Node::new("query").attr("request", "interactive"))
}

/// Reads the answer.
pub(crate) fn read_info(answer: &Node) -> Option<GroupInfo> {
    let group = answer.child_named("group")?;
    let members = group.children_named("participant").filter_map(|entry| {
        let twin = entry.attr_jid("phone_number").or_else(|| entry.attr_jid("lid"));
        Some((entry.attr_jid("jid")?, twin))
    });
    Some(GroupInfo { by_lid: group.attr_is("addressing_mode", "lid"), members: members.collect() })
}

/// A message to a group.
pub(crate) struct GroupMessage<'a, D> {
    pub(crate) id: &'a str,
    pub(crate) group: &'a Jid,
    pub(crate) by_lid: bool,
    /// All devices of all members, the sending one among them.
    pub(crate) devices: D,
    /// The sender key for devices that lack it.
    pub(crate) copies: Vec<(Jid, CiphertextMessage)>,
    pub(crate) ciphertext: &'a [u8],
    pub(crate) about: &'a About,
}

/// Writes a group message.
pub(crate) fn message<'a>(message: GroupMessage<'_, impl Iterator<Item = &'a Jid>>) -> Node {
    let devices: Vec<&Jid> = message.devices.collect();
    let users = devices.iter().map(|device| device.to_bare()).collect();
    let hash = phash(devices.iter().map(|device| (device.user(), device.device(), device.server_name())));
    let copies: Vec<Node> = message
        .copies
        .into_iter()
        .map(|(device, ciphertext)| {
            Node::new("to").attr("jid", device).child(message.about.keys(enc(ciphertext)))
        })
        .collect();
    let status = message.group.is_status();
    let others = if status { users_without(&copies, users) } else { Vec::new() };
    let named = !copies.is_empty() || !others.is_empty();
    let participants = named.then(|| Node::new("participants").children(copies).children(others));
    let body = Node::new("enc").attr("v", "2").attr("type", "skmsg").bytes(message.ciphertext.to_vec());
    let stanza = Node::new("message").attr("id", message.id.to_owned()).attr("to", message.group.clone());
    message
        .about
        .message(stanza)
        .attr_opt("addressing_mode", (!status).then_some(mode(message.by_lid)))
        .attr_opt("phash", (!status).then_some(hash))
        .child_opt(participants)
        .child(message.about.body(body))
}

/// Those of the audience of a status whose devices all have the key: they are named alone.
fn users_without(copies: &[Node], users: BTreeSet<Jid>) -> Vec<Node> {
    let has_copy = |user: &Jid| {
        copies.iter().any(|copy| copy.attr_jid("jid").is_some_and(|device| device.same_bare(user)))
    };
    users.into_iter().filter(|user| !has_copy(user)).map(|user| Node::new("to").attr("jid", user)).collect()
}

/// The answer to a device that could not read a group message.
pub(crate) fn resend(group: &Jid, by_lid: bool, resend: &Resend<'_>, ciphertext: CiphertextMessage) -> Node {
    Node::new("message")
        .attr("id", resend.id.to_owned())
        .attr("to", group.clone())
        .attr("participant", resend.device.clone())
        .attr("type", "text")
        .attr_opt("addressing_mode", group.is_group().then_some(mode(by_lid)))
        .attr("t", resend.timestamp)
        .child(enc(ciphertext).attr("count", resend.count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_read_with_both_addresses() {
        let entry = |jid: Jid| Node::new("participant").attr("jid", jid);
        let group = Node::new("group")
            .attr("id", "120363")
            .attr("addressing_mode", "lid")
            .child(entry(Jid::lid("1001")).attr("phone_number", Jid::pn("111")))
            .child(entry(Jid::lid("2002")));
        let info = read_info(&Node::new("iq").child(group)).unwrap();
        assert!(info.by_lid);
        assert_eq!(info.members, [(Jid::lid("1001"), Some(Jid::pn("111"))), (Jid::lid("2002"), None)]);
        assert_eq!(read_info(&Node::new("iq")), None);
    }

    #[test]
    fn a_message_without_new_holders_has_no_participants() {
        let devices = [Jid::lid("1001"), Jid::lid("2002").with_device(7)];
        let text = whimbrel_proto::e2e::Message { conversation: Some("x".into()), ..Default::default() };
        let written = message(GroupMessage {
            id: "M1",
            group: &Jid::group("120363"),
            by_lid: true,
            devices: devices.iter(),
            copies: Vec::new(),
            ciphertext: &[1, 2],
            about: &About::of(&whimbrel_proto::encode(&text)),
        });
        let hash = phash([("1001", 0, "lid"), ("2002", 7, "lid")]);
        assert_eq!(
            written.to_string(),
            format!(
                r#"<message id="M1" to=J:"120363@g.us" type="text" addressing_mode="lid" phash="{hash}"><enc v="2" type="skmsg">0102</enc></message>"#
            )
        );
    }
}
