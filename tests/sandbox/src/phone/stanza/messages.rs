//! Message stanzas (delivery document §3.3, §3.8, §4.1).

use whimbrel_content::stanza::{Attributes, StanzaType, attributes};
use whimbrel_proto::e2e::Message;
use whimbrel_signal::CiphertextMessage;
use whimbrel_wire::{Jid, Node};

/// What a stanza says about its content (messages document §3).
pub(crate) struct About(Attributes, Option<&'static str>);

impl About {
    /// What is to be said about an encoded content.
    pub(crate) fn of(content: &[u8]) -> Self {
        let mut message: Message = whimbrel_proto::decode(content).unwrap_or_default();
        if message == Message::default() {
            // Of a later version: what it says is as good as any other.
            message.conversation = Some(String::new());
        }
        let mut about = attributes(&message);
        if about.kind == StanzaType::Media && about.mediatype.is_none() {
            // What only phones send, or the service itself: a client of ours could not.
            about.kind = StanzaType::Text;
        }
        Self(about, None)
    }

    /// The same about what goes to `status@broadcast`: whose setting it is, is said of posts only.
    pub(crate) fn of_status(self) -> Self {
        let is_post = self.0.edit.is_none() && self.0.kind != StanzaType::Reaction;
        Self(self.0, is_post.then_some("allowlist"))
    }

    /// Marks the stanza.
    pub(crate) fn message(&self, message: Node) -> Node {
        message
            .attr("type", self.0.kind.name())
            .attr_opt("edit", self.0.edit.map(|edit| u32::from(edit.number())))
            .child_opt(self.meta())
            .child_opt(self.0.biz.as_ref().map(|biz| biz.node(0)))
    }

    fn meta(&self) -> Option<Node> {
        let meta = self.0.meta.node().or_else(|| self.1.map(|_| Node::new("meta")))?;
        Some(meta.attr_opt("status_setting", self.1))
    }

    /// Marks what carries the content.
    pub(crate) fn body(&self, enc: Node) -> Node {
        self.keys(
            enc.attr_opt("mediatype", self.0.mediatype)
                .attr_opt("native_flow_name", self.0.native_flow_name.clone()),
        )
    }

    /// Marks what carries keys for the content.
    pub(super) fn keys(&self, enc: Node) -> Node {
        enc.attr_opt("decrypt-fail", self.0.hide.then_some("hide"))
    }
}

pub(super) fn enc(ciphertext: CiphertextMessage) -> Node {
    Node::new("enc").attr("v", "2").attr("type", ciphertext.kind.enc_type()).bytes(ciphertext.bytes)
}

/// A direct message: one ciphertext for each device of both sides.
pub(crate) fn direct(
    id: &str,
    chat: &Jid,
    chat_pn: Option<&Jid>,
    copies: Vec<(Jid, CiphertextMessage)>,
    about: &About,
) -> Node {
    let copies = copies
        .into_iter()
        .map(|(device, ciphertext)| Node::new("to").attr("jid", device).child(about.body(enc(ciphertext))));
    let message = Node::new("message").attr("id", id.to_owned()).attr("to", chat.clone());
    let message = about.message(message).attr_opt("peer_recipient_pn", chat_pn);
    message.child(Node::new("participants").children(copies))
}

/// A message from the phone to one of its companions.
pub(crate) fn peer(id: &str, device: &Jid, ciphertext: CiphertextMessage) -> Node {
    Node::new("message")
        .attr("id", id.to_owned())
        .attr("to", device.clone())
        .attr("type", "text")
        .attr("category", "peer")
        .attr("push_priority", "high")
        .child(Node::new("meta").attr("appdata", "default"))
        .child(enc(ciphertext))
}

/// What was sent before, once more for the one device that could not read it.
#[derive(Debug)]
pub(crate) struct Resend<'a> {
    pub(crate) id: &'a str,
    pub(crate) device: &'a Jid,
    /// Chat, when the device is one of the own account.
    pub(crate) recipient: Option<&'a Jid>,
    /// Whether it was a message from device to device.
    pub(crate) peer: bool,
    /// Which attempt of the reader this answers.
    pub(crate) count: u32,
    pub(crate) timestamp: u64,
}

/// The answer to a retry receipt (delivery document §4.9).
pub(crate) fn resend(resend: &Resend<'_>, ciphertext: CiphertextMessage) -> Node {
    let message = Node::new("message")
        .attr("id", resend.id.to_owned())
        .attr("to", resend.device.clone())
        .attr("type", "text")
        .attr("t", resend.timestamp)
        .attr_opt("recipient", resend.recipient)
        .attr_opt("category", resend.peer.then_some("peer"))
        .attr("device_fanout", "false");
    let message =
        if resend.peer { message.child(Node::new("meta").attr("appdata", "default")) } else { message };
    message.child(enc(ciphertext).attr("count", resend.count))
}

/// Addresses of a received message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub(crate) id: String,
    /// Device that wrote the message.
    pub(crate) author: Jid,
    /// The group that it came from.
    pub(crate) group: Option<Jid>,
    /// The chat, when a device of the own account wrote it.
    pub(crate) recipient: Option<Jid>,
    pub(crate) timestamp: u64,
    pub(crate) push_name: Option<String>,
    pub(crate) offline: bool,
    pub(crate) peer: bool,
    /// The author's other address, if the service told it.
    pub(crate) author_twin: Option<Jid>,
    /// The other address of the chat of an own device's message, if the service told it.
    pub(crate) recipient_twin: Option<Jid>,
}

/// Reads the addresses of a direct or group message; `None` if it is not one or lacks what every
/// message has.
pub(crate) fn read_envelope(message: &Node) -> Option<Envelope> {
    let from = message.attr_jid("from")?;
    let (author, group) = if from.is_group() || from.is_status() {
        (message.attr_jid("participant").filter(Jid::is_account)?, Some(from))
    } else {
        (Some(from).filter(Jid::is_account)?, None)
    };
    let twins =
        if group.is_some() { ["participant_pn", "participant_lid"] } else { ["sender_pn", "sender_lid"] };
    Some(Envelope {
        id: message.attr_text("id").filter(|id| !id.is_empty())?.into_owned(),
        timestamp: message.attr_u64("t")?,
        recipient: message.attr_jid("recipient"),
        push_name: message.attr_text("notify").map(|name| name.into_owned()),
        offline: message.attr_value("offline").is_some(),
        peer: message.attr_is("category", "peer"),
        author_twin: twins.into_iter().find_map(|twin| message.attr_jid(twin)),
        recipient_twin: ["peer_recipient_pn", "peer_recipient_lid"]
            .into_iter()
            .find_map(|twin| message.attr_jid(twin)),
        author,
        group,
    })
}

/// The two forms of ciphertext that a direct message can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ciphertext<'a> {
    PreKey(&'a [u8]),
    Message(&'a [u8]),
}

impl<'a> Ciphertext<'a> {
    pub(crate) fn bytes(self) -> &'a [u8] {
        match self {
            Self::PreKey(bytes) | Self::Message(bytes) => bytes,
        }
    }
}

/// What was encrypted for a whole group.
pub(crate) fn read_shared(message: &Node) -> Option<&[u8]> {
    message.children_named("enc").find(|enc| enc.attr_is("type", "skmsg"))?.content_bytes()
}

/// The first ciphertext of a kind that a phone can read, and the attempt that it answers.
pub(crate) fn read_ciphertext(message: &Node) -> Option<(Ciphertext<'_>, u32)> {
    message.children_named("enc").find_map(|enc| {
        let bytes = enc.content_bytes()?;
        let ciphertext = match enc.attr_text("type")?.as_ref() {
            "pkmsg" => Ciphertext::PreKey(bytes),
            "msg" => Ciphertext::Message(bytes),
            _ => return None,
        };
        Some((ciphertext, enc.attr_u32("count").unwrap_or(0)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use whimbrel_signal::CiphertextKind;

    fn ciphertext() -> CiphertextMessage {
        CiphertextMessage { kind: CiphertextKind::Message, bytes: vec![0x33, 1] }
    }

    #[test]
    fn every_device_gets_its_own_copy() {
        let copies = vec![(Jid::lid("2002"), ciphertext()), (Jid::lid("2002").with_device(7), ciphertext())];
        let words = whimbrel_proto::e2e::Message { conversation: Some("x".into()), ..Default::default() };
        let about = About::of(&whimbrel_proto::encode(&words));
        let node = direct("AC01", &Jid::lid("2002"), Some(&Jid::pn("222")), copies, &about);
        assert_eq!(
            node.to_string(),
            r#"<message id="AC01" to=J:"2002@lid" type="text" peer_recipient_pn=J:"222@s.whatsapp.net"><participants><to jid=J:"2002@lid"><enc v="2" type="msg">3301</enc></to><to jid=J:"2002:7@lid"><enc v="2" type="msg">3301</enc></to></participants></message>"#
        );
    }

    #[test]
    fn a_resend_names_the_attempt() {
        let device = Jid::lid("2002").with_device(7);
        let again =
            Resend { id: "AC01", device: &device, recipient: None, peer: false, count: 2, timestamp: 9 };
        assert_eq!(
            resend(&again, ciphertext()).to_string(),
            r#"<message id="AC01" to=J:"2002:7@lid" type="text" t="9" device_fanout="false"><enc v="2" type="msg" count="2">3301</enc></message>"#
        );
    }

    #[test]
    fn reads_what_a_message_says_about_itself() {
        let author = Jid::lid("1001").with_device(3);
        let message = Node::new("message")
            .attr("id", "M1")
            .attr("from", author.clone())
            .attr("t", 7_u64)
            .attr("sender_pn", Jid::pn("111"))
            .child(
                Node::new("enc").attr("v", "2").attr("type", "pkmsg").attr("count", 1_u32).bytes(vec![0x33]),
            );
        let envelope = read_envelope(&message).unwrap();
        assert_eq!((envelope.author, envelope.author_twin), (author, Some(Jid::pn("111"))));
        assert_eq!(read_ciphertext(&message), Some((Ciphertext::PreKey(&[0x33]), 1)));
        let mut group = message.clone();
        group.set_attr("from", Jid::group("120363000000000001"));
        assert_eq!(read_envelope(&group), None);
    }
}
