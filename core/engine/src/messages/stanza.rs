//! `<message>` and its ack, in both directions (delivery document §3.3, §3.14, §4.1). Pure.

use std::borrow::Cow;

use whimbrel_content::stanza::{Attributes, attributes};
use whimbrel_proto::e2e::Message as Content;
use whimbrel_signal::CiphertextKind;
use whimbrel_wire::{Jid, Node, NodeError, NodeRef};

use crate::groups::Addressing;

/// Version of the ciphertexts that this client makes: padded.
const VERSION: &str = "2";

/// A received `<message>`, borrowed from its node.
pub(crate) struct Received<'n> {
    pub(crate) node: &'n NodeRef<'n>,
    pub(crate) id: Cow<'n, str>,
    pub(crate) from: Jid,
    pub(crate) participant: Option<Jid>,
    /// Chat of a copy from an own device.
    pub(crate) recipient: Option<Jid>,
    /// The service's time, seconds.
    pub(crate) timestamp: i64,
    /// From device to device of one account, not for people.
    pub(crate) peer: bool,
    pub(crate) offline: bool,
}

/// How a ciphertext is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EncKind {
    /// By a session that the message itself may build.
    PreKey,
    /// By a session.
    Session,
    /// By the sender key of a group.
    SenderKey,
    /// By the secret of an earlier message: answers of bots.
    MessageSecret,
}

/// A ciphertext in a stanza.
pub(crate) struct Enc<'n> {
    pub(crate) kind: EncKind,
    pub(crate) bytes: &'n [u8],
    /// Whether the plaintext has padding.
    pub(crate) padded: bool,
    /// The sender does not want it to be shown if it cannot be opened.
    pub(crate) hide: bool,
    /// How often it was sent again.
    pub(crate) count: u8,
}

impl Enc<'_> {
    /// Whether it is opened by a session.
    pub(crate) fn is_of_session(&self) -> bool {
        matches!(self.kind, EncKind::PreKey | EncKind::Session)
    }
}

impl<'n> Received<'n> {
    pub(crate) fn parse(node: &'n NodeRef<'n>) -> Result<Self, NodeError> {
        let from = node.require_jid("from")?.normalized();
        let participant = node.attr_jid("participant").map(Jid::normalized);
        if (from.is_group() || from.is_broadcast()) && participant.is_none() {
            return Err(NodeError::MissingAttr { tag: "message".to_owned(), attr: "participant".to_owned() });
        }
        Ok(Self {
            node,
            id: node.require_text("id")?,
            from,
            participant,
            recipient: node.attr_jid("recipient").map(Jid::normalized),
            timestamp: i64::try_from(node.require_u64("t")?).unwrap_or(i64::MAX),
            peer: node.attr_is("category", "peer"),
            offline: node.attr_value("offline").is_some(),
        })
    }

    /// Device that wrote it.
    pub(crate) fn author(&self) -> &Jid {
        self.participant.as_ref().filter(|_| !self.from.is_account()).unwrap_or(&self.from)
    }

    /// Ciphertexts in the order in which they must be opened: sessions bring the sender keys.
    /// Unknown kinds are left out. Some services put them under the name of this device.
    pub(crate) fn encs(&self) -> impl Iterator<Item = Enc<'n>> + use<'n> {
        let node = self.node;
        let inner = node
            .child_named("participants")
            .filter(|_| node.child_named("enc").is_none())
            .and_then(|participants| participants.child_named("to"));
        let encs = inner.unwrap_or(node).child_nodes();
        let of = |late: bool| {
            encs.iter()
                .filter_map(enc)
                .filter(move |enc| (enc.kind != EncKind::PreKey && enc.kind != EncKind::Session) == late)
        };
        of(false).chain(of(true))
    }

    /// The address of the same person in the other form, as the stanza tells it: of the author
    /// of what others sent.
    pub(crate) fn author_twin(&self) -> Option<Jid> {
        let keys = if self.from.is_account() {
            ["sender_lid", "sender_pn"]
        } else {
            ["participant_lid", "participant_pn"]
        };
        self.twin(keys, self.author())
    }

    /// The other form of the chat's address, on copies from own devices.
    pub(crate) fn recipient_twin(&self) -> Option<Jid> {
        let recipient = self.recipient.as_ref()?;
        self.twin(["peer_recipient_lid", "peer_recipient_pn"], recipient)
            .or_else(|| self.twin(["recipient_lid", "recipient_pn"], recipient))
    }

    fn twin(&self, [lid, phone]: [&str; 2], of: &Jid) -> Option<Jid> {
        if of.to_account().is_pn() {
            self.node.attr_jid(lid).map(|twin| twin.to_account()).filter(Jid::is_lid)
        } else {
            self.node.attr_jid(phone).map(|twin| twin.to_account()).filter(Jid::is_pn)
        }
    }
}

fn enc<'n>(node: &'n NodeRef<'n>) -> Option<Enc<'n>> {
    if node.tag() != "enc" {
        return None;
    }
    let kind = match node.attr_text("type")?.as_ref() {
        "pkmsg" => EncKind::PreKey,
        "msg" => EncKind::Session,
        "skmsg" => EncKind::SenderKey,
        "msmsg" => EncKind::MessageSecret,
        _ => return None,
    };
    Some(Enc {
        kind,
        bytes: node.content_bytes().unwrap_or_default(),
        padded: !node.attr_is("v", "3"),
        hide: node.attr_is("decrypt-fail", "hide"),
        count: node.attr_u64("count").and_then(|count| u8::try_from(count).ok()).unwrap_or(0),
    })
}

/// A ciphertext for one device.
pub(crate) struct Sealed {
    /// The device as the stanza addresses it.
    pub(crate) device: Jid,
    pub(crate) kind: CiphertextKind,
    pub(crate) bytes: Vec<u8>,
}

impl Sealed {
    pub(super) fn enc(self, count: Option<u8>) -> Node {
        Node::new("enc")
            .attr("v", VERSION)
            .attr("type", self.kind.enc_type())
            .attr_opt("count", count.map(u16::from))
            .bytes(self.bytes)
    }
}

/// What a stanza says about the content that nobody on the way can read (messages document §3).
pub(crate) struct About {
    attributes: Attributes,
    /// Whose address books see a status.
    status_setting: Option<&'static str>,
    /// Seconds since 1970.
    now: i64,
}

impl About {
    /// What is to be said about an encoded content.
    pub(crate) fn of(content: &[u8], now: i64) -> Self {
        let message: Content = whimbrel_proto::decode(content).unwrap_or_default();
        Self { attributes: attributes(&message), status_setting: None, now }
    }

    /// The same about what is posted as a status.
    pub(crate) fn of_status(self, status_setting: Option<&'static str>) -> Self {
        Self { status_setting, ..self }
    }

    /// What is said of a content without a wish of its own: words.
    #[cfg(test)]
    fn text() -> Self {
        let words = Content { conversation: Some("hi".to_owned()), ..Content::default() };
        Self { attributes: attributes(&words), status_setting: None, now: 0 }
    }

    fn message(&self, message: Node) -> Node {
        let kind = self.attributes.kind.name();
        message.attr("type", kind).attr_opt("edit", self.attributes.edit.map(|edit| u16::from(edit.number())))
    }

    /// Marks what carries the content itself.
    fn body(&self, enc: Node) -> Node {
        let flow = self.attributes.native_flow_name.clone();
        self.keys(enc.attr_opt("mediatype", self.attributes.mediatype).attr_opt("native_flow_name", flow))
    }

    /// Marks what carries keys for the content: it is shown as missing, or not, as the content is.
    fn keys(&self, enc: Node) -> Node {
        enc.attr_opt("decrypt-fail", self.attributes.hide.then_some("hide"))
    }

    fn children(&self, message: Node) -> Node {
        let biz = self.attributes.biz.as_ref().map(|biz| biz.node(self.now));
        let meta = match (self.attributes.meta.node(), self.status_setting) {
            (None, Some(_)) => Some(Node::new("meta")),
            (meta, _) => meta,
        };
        let meta = meta.map(|meta| meta.attr_opt("status_setting", self.status_setting));
        message.child_opt(meta).child_opt(biz)
    }
}

/// A new direct message.
pub(crate) struct Direct<'a> {
    pub(crate) id: &'a str,
    /// The chat in the stanza's namespace.
    pub(crate) to: &'a Jid,
    /// Phone number of the chat, for a stanza by LID.
    pub(crate) peer_phone: Option<&'a Jid>,
    /// Proof of this device, for whoever meets it for the first time.
    pub(crate) proof: Option<&'a [u8]>,
    pub(crate) about: &'a About,
    /// What shows that the recipient knows this account.
    pub(crate) token: Option<Node>,
}

impl Direct<'_> {
    /// Builds the stanza.
    pub(crate) fn build(self, sealed: Vec<Sealed>) -> Node {
        let (participants, proof) = participants(sealed, self.proof, |enc| self.about.body(enc));
        let message = Node::new("message").attr("id", self.id.to_owned()).attr("to", self.to);
        let message = self.about.message(message).attr_opt("peer_recipient_pn", self.peer_phone);
        self.about.children(message.child_opt(participants)).child_opt(proof).child_opt(self.token)
    }
}

/// A new message to a group (delivery document §3.6).
pub(crate) struct ToGroup<'a> {
    pub(crate) id: &'a str,
    pub(crate) to: &'a Jid,
    /// How members are addressed.
    pub(crate) addressing: &'static str,
    /// Hash over the devices of all members, this one too.
    pub(crate) phash: &'a str,
    /// Proof of this device, for whoever meets it for the first time.
    pub(crate) proof: Option<&'a [u8]>,
    pub(crate) about: &'a About,
}

impl ToGroup<'_> {
    /// Builds the stanza: `keys` hands the key to those who lack it, `body` is for all.
    pub(crate) fn build(self, keys: Vec<Sealed>, body: Vec<u8>) -> Node {
        let (participants, proof) = participants(keys, self.proof, |enc| self.about.keys(enc));
        let message = Node::new("message").attr("id", self.id.to_owned()).attr("to", self.to);
        let message = self
            .about
            .message(message)
            .attr("addressing_mode", self.addressing)
            .attr("phash", self.phash.to_owned())
            .child_opt(participants);
        let body = Node::new("enc").attr("v", VERSION).attr("type", "skmsg").bytes(body);
        self.about.children(message).child_opt(proof).child(self.about.body(body))
    }
}

/// A new message in a group for some members alone (delivery document §3.6).
pub(crate) struct ToMembers<'a> {
    pub(crate) id: &'a str,
    pub(crate) to: &'a Jid,
    /// How members are addressed.
    pub(crate) addressing: &'static str,
    /// Proof of this device, for whoever meets it for the first time.
    pub(crate) proof: Option<&'a [u8]>,
    pub(crate) about: &'a About,
}

impl ToMembers<'_> {
    /// Builds the stanza. It has no hash of participants: they are not all of them.
    pub(crate) fn build(self, sealed: Vec<Sealed>) -> Node {
        let (participants, proof) = participants(sealed, self.proof, |enc| self.about.body(enc));
        let message = Node::new("message").attr("id", self.id.to_owned()).attr("to", self.to);
        let message = self.about.message(message).attr("addressing_mode", self.addressing);
        self.about.children(message.child_opt(participants)).child_opt(proof)
    }
}

/// A new message to `status@broadcast` (delivery document §3.7).
pub(crate) struct ToStatus<'a> {
    pub(crate) id: &'a str,
    /// Those of the audience of whom no device is named: by this the service knows them.
    pub(crate) others: &'a [Jid],
    /// Proof of this device, for whoever meets it for the first time.
    pub(crate) proof: Option<&'a [u8]>,
    pub(crate) about: &'a About,
}

impl ToStatus<'_> {
    /// Builds the stanza: of a post, `sealed` hands the key to those who lack it, and `body` is for all;
    /// without a body, `sealed` is the content itself. With `addressing_mode` the service refuses it.
    pub(crate) fn build(self, sealed: Vec<Sealed>, body: Option<Vec<u8>>) -> Node {
        let (named, proof) = participants(sealed, self.proof, |enc| match body {
            Some(_) => self.about.keys(enc),
            None => self.about.body(enc),
        });
        let others = self.others.iter().map(|user| Node::new("to").attr("jid", user));
        let audience = named.or_else(|| (!self.others.is_empty()).then(|| Node::new("participants")));
        let audience = audience.map(|audience| audience.children(others));
        let message = Node::new("message").attr("id", self.id.to_owned()).attr("to", Jid::STATUS);
        let message = self.about.message(message).child_opt(audience).child_opt(proof);
        let body = body.map(|body| {
            self.about.body(Node::new("enc").attr("v", VERSION).attr("type", "skmsg").bytes(body))
        });
        self.about.children(message.child_opt(body))
    }
}

/// What is for single devices, and the proof of this one if any of them needs it.
fn participants(
    sealed: Vec<Sealed>,
    proof: Option<&[u8]>,
    mark: impl Fn(Node) -> Node,
) -> (Option<Node>, Option<Node>) {
    if sealed.is_empty() {
        return (None, None);
    }
    let first_contact = sealed.iter().any(|sealed| sealed.kind == CiphertextKind::PreKey);
    let targets = sealed.into_iter().map(|sealed| {
        let device = sealed.device.clone();
        Node::new("to").attr("jid", device).child(mark(sealed.enc(None)))
    });
    let proof = proof.filter(|_| first_contact);
    (
        Some(Node::new("participants").children(targets)),
        proof.map(|proof| Node::new("device-identity").bytes(proof.to_vec())),
    )
}

/// A message that one device asked for again (delivery document §4.9).
pub(crate) struct Again<'a> {
    pub(crate) id: &'a str,
    /// The group, and how its members are addressed; `status@broadcast` has no way of its own.
    pub(crate) group: Option<(&'a Jid, Option<&'static str>)>,
    /// Chat, for an own device.
    pub(crate) recipient: Option<&'a Jid>,
    /// Of the retry receipt.
    pub(crate) count: u8,
    pub(crate) timestamp: i64,
    /// Not for people.
    pub(crate) peer: bool,
    pub(crate) proof: Option<&'a [u8]>,
    pub(crate) about: &'a About,
}

impl Again<'_> {
    pub(crate) fn build(self, sealed: Sealed) -> Node {
        let proof = self.proof.filter(|_| sealed.kind == CiphertextKind::PreKey);
        let device = sealed.device.clone();
        let (to, participant) = match self.group {
            Some((group, _)) => (group.clone(), Some(device)),
            None => (device, None),
        };
        let alone = participant.is_none();
        let message = Node::new("message").attr("id", self.id.to_owned()).attr("to", to);
        let message = self
            .about
            .message(message)
            .attr_opt("t", Some(self.timestamp).filter(|time| *time > 0))
            .attr_opt("participant", participant)
            .attr_opt("recipient", self.recipient)
            .attr_opt("category", self.peer.then_some("peer"))
            .attr_opt("addressing_mode", self.group.and_then(|(_, addressing)| addressing))
            .attr_opt("device_fanout", alone.then_some("false"))
            .child(self.about.body(sealed.enc(Some(self.count))));
        self.about
            .children(message)
            .child_opt(proof.map(|proof| Node::new("device-identity").bytes(proof.to_vec())))
    }
}

/// The service's word on a message of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ack {
    pub(crate) id: String,
    /// The chat as the message addressed it.
    pub(crate) chat: Jid,
    pub(crate) timestamp: i64,
    /// The number that it was refused with.
    pub(crate) error: Option<u16>,
    /// Hash over the devices that the service has in mind; it tells when they are others than the
    /// message was for.
    pub(crate) phash: Option<String>,
    /// How members of the group are to be addressed.
    pub(crate) addressing: Option<Addressing>,
    /// The LID of the chat is not the one that the service knows.
    pub(crate) refresh_lid: bool,
    /// The number that a channel gave its post.
    pub(crate) server_id: Option<u64>,
}

/// Reads an ack of class `message`; `None` for others.
pub(crate) fn ack(node: &NodeRef<'_>) -> Option<Ack> {
    if !node.attr_is("class", "message") {
        return None;
    }
    Some(Ack {
        id: node.attr_text("id")?.into_owned(),
        chat: node.attr_jid("from")?.normalized(),
        timestamp: node.attr_u64("t").and_then(|time| i64::try_from(time).ok()).unwrap_or(0),
        error: node
            .attr_value("error")
            .map(|_| node.attr_u64("error").and_then(|error| u16::try_from(error).ok()).unwrap_or(0)),
        phash: node.attr_text("phash").map(Cow::into_owned),
        addressing: node.attr_text("addressing_mode").as_deref().and_then(Addressing::from_name),
        refresh_lid: node.attr_true("refresh_lid"),
        server_id: node.attr_u64("server_id"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Node {
        Node::new("message").attr("id", "A1").attr("from", Jid::lid("7").with_device(3)).attr("t", 1000_u64)
    }

    fn enc(kind: &'static str) -> Node {
        Node::new("enc").attr("v", "2").attr("type", kind).bytes(vec![1])
    }

    #[test]
    fn what_must_be_there_must_be_there() {
        assert!(Received::parse(&message()).is_ok());
        for missing in ["id", "from", "t"] {
            let mut node = message();
            node.remove_attr(missing);
            assert!(Received::parse(&node).is_err(), "{missing}");
        }
        let group = message().attr("from", Jid::group("1-2"));
        assert!(Received::parse(&group).is_err());
        let group = group.attr("participant", Jid::lid("7"));
        assert_eq!(*Received::parse(&group).unwrap().author(), Jid::lid("7"));
    }

    #[test]
    fn sessions_are_opened_before_sender_keys() {
        let node = message().child(enc("skmsg")).child(enc("unknown")).child(enc("pkmsg").attr("count", "2"));
        let received = Received::parse(&node).unwrap();
        let kinds: Vec<_> = received.encs().map(|enc| (enc.kind, enc.count)).collect();
        assert_eq!(kinds, [(EncKind::PreKey, 2), (EncKind::SenderKey, 0)]);
        let to = Node::new("to").attr("jid", Jid::lid("1")).child(enc("msg").attr("decrypt-fail", "hide"));
        let node = message().child(Node::new("participants").child(to));
        let encs: Vec<_> = Received::parse(&node).unwrap().encs().map(|enc| (enc.kind, enc.hide)).collect();
        assert_eq!(encs, [(EncKind::Session, true)]);
    }

    #[test]
    fn twins_are_read_in_the_other_namespace_only() {
        let by_lid = message().attr("sender_pn", Jid::pn("1555")).attr("sender_lid", Jid::lid("9"));
        assert_eq!(Received::parse(&by_lid).unwrap().author_twin(), Some(Jid::pn("1555")));
        let by_phone = message().attr("from", Jid::pn("1555")).attr("sender_lid", Jid::lid("7"));
        assert_eq!(Received::parse(&by_phone).unwrap().author_twin(), Some(Jid::lid("7")));
        let wrong = message().attr("sender_pn", Jid::lid("9"));
        assert_eq!(Received::parse(&wrong).unwrap().author_twin(), None);
        let copy = message().attr("recipient", Jid::pn("2")).attr("peer_recipient_lid", Jid::lid("4"));
        assert_eq!(Received::parse(&copy).unwrap().recipient_twin(), Some(Jid::lid("4")));
    }

    fn sealed(device: Jid, kind: CiphertextKind) -> Sealed {
        Sealed { device, kind, bytes: vec![9] }
    }

    #[test]
    fn the_proof_goes_only_to_first_contacts() {
        let (to, phone) = (Jid::lid("7"), Jid::pn("1555"));
        let build = |kind| {
            let about = About::text();
            let direct = Direct {
                id: "A1",
                to: &to,
                peer_phone: Some(&phone),
                proof: Some(&[1]),
                about: &about,
                token: None,
            };
            direct.build(vec![sealed(to.clone(), CiphertextKind::Message), sealed(to.with_device(5), kind)])
        };
        let node = build(CiphertextKind::PreKey);
        assert_eq!(node.child_bytes("device-identity"), Some(&[1][..]));
        assert!(node.attr_is("type", "text") && node.attr_is("peer_recipient_pn", "1555@s.whatsapp.net"));
        let targets = node.child_named("participants").unwrap();
        let kinds: Vec<_> = targets
            .children_named("to")
            .map(|to| {
                (
                    to.attr_jid("jid").unwrap().device(),
                    to.first_child().unwrap().attr_text("type").unwrap().into_owned(),
                )
            })
            .collect();
        assert_eq!(kinds, [(0, "msg".to_owned()), (5, "pkmsg".to_owned())]);
        assert!(build(CiphertextKind::Message).child_named("device-identity").is_none());
    }

    #[test]
    fn an_answer_to_a_retry_goes_to_one_device() {
        let device = Jid::lid("7").with_device(5);
        let chat = Jid::lid("8");
        let again = Again {
            id: "A1",
            group: None,
            recipient: Some(&chat),
            count: 2,
            timestamp: 1000,
            peer: false,
            proof: Some(&[1]),
            about: &About::text(),
        };
        let node = again.build(sealed(device.clone(), CiphertextKind::PreKey));
        assert_eq!((node.attr_jid("to"), node.attr_jid("recipient")), (Some(device), Some(chat)));
        assert!(node.attr_is("device_fanout", "false") && node.attr_is("t", "1000"));
        let enc = node.child_named("enc").unwrap();
        assert!(
            enc.attr_is("count", "2")
                && enc.attr_is("type", "pkmsg")
                && node.child_named("device-identity").is_some()
        );
    }

    #[test]
    fn acks_say_what_became_of_a_message() {
        let node = Node::new("ack")
            .attr("class", "message")
            .attr("id", "A1")
            .attr("from", Jid::lid("7"))
            .attr("t", "5");
        let good = ack(&node).unwrap();
        assert_eq!(
            (good.id.as_str(), good.timestamp, good.error, good.phash, good.addressing),
            ("A1", 5, None, None, None)
        );
        let bad = node.clone().attr("error", "479").attr("phash", "2:x").attr("refresh_lid", true);
        let bad = ack(&bad.attr("addressing_mode", "lid")).unwrap();
        assert_eq!((bad.error, bad.phash.as_deref(), bad.refresh_lid), (Some(479), Some("2:x"), true));
        assert_eq!(bad.addressing, Some(Addressing::Lid));
        assert_eq!(ack(&node.attr("class", "receipt")), None);
    }
}
