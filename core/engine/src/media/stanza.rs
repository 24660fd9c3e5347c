//! Stanzas about media: the hosts (media document §6), and asking the phone to upload a file again
//! (§9). Pure.

use std::time::Duration;

use whimbrel_content::key::Key;
use whimbrel_crypto::media::RetryKey;
use whimbrel_proto::ProtoMessage as _;
use whimbrel_proto::media::{
    MediaRetryNotification, ServerErrorReceipt, media_retry_notification::ResultType,
};
use whimbrel_wire::{Jid, Node, NodeRef};
use zeroize::Zeroizing;

/// Numbers from here on are times, not durations.
const ABSOLUTE: u64 = 1_000_000_000;

/// The answer to a question for the media hosts.
pub(super) struct Connection {
    /// Lets uploads in.
    pub(super) auth: Zeroizing<String>,
    /// How long the list of hosts is good.
    pub(super) ttl: Duration,
    /// How long `auth` is good.
    pub(super) auth_ttl: Duration,
    /// The hosts in the order of preference.
    pub(super) hosts: Vec<ListedHost>,
}

/// A host as the service lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ListedHost {
    /// Name, perhaps with a port.
    pub(super) name: String,
    /// Takes uploads.
    pub(super) uploads: bool,
}

/// Asks for the media hosts.
pub(super) fn ask_for_hosts() -> Node {
    Node::new("iq")
        .attr("xmlns", "w:m")
        .attr("type", "set")
        .attr("to", Jid::SERVER)
        .child(Node::new("media_conn"))
}

/// Reads the media hosts. `now` is the service's time, in seconds.
pub(super) fn hosts(answer: &NodeRef<'_>, now: u64) -> Option<Connection> {
    let connection = answer.child_named("media_conn")?;
    let seconds = |name| {
        let seconds = connection.attr_u64(name)?;
        let seconds = if seconds >= ABSOLUTE { seconds.saturating_sub(now) } else { seconds };
        Some(Duration::from_secs(seconds))
    };
    let ttl = seconds("ttl")?;
    let mut hosts: Vec<(bool, ListedHost)> = connection
        .children_named("host")
        .filter_map(|host| {
            let name = host.attr_text("hostname")?.into_owned();
            let capable = |what| host.child_named(what).is_some();
            // A host that says nothing about itself does both.
            let uploads = capable("upload") || !capable("download");
            Some((host.attr_is("type", "fallback"), ListedHost { name, uploads }))
        })
        .collect();
    hosts.sort_by_key(|(fallback, _)| *fallback);
    if hosts.is_empty() {
        return None;
    }
    Some(Connection {
        auth: Zeroizing::new(connection.attr_text("auth")?.into_owned()),
        ttl,
        auth_ttl: seconds("auth_ttl").unwrap_or(ttl),
        hosts: hosts.into_iter().map(|(_, host)| host).collect(),
    })
}

/// Asks the own phone to upload the file of a message again.
pub(super) fn ask_phone(own: &Jid, message: &Key, key: &RetryKey, nonce: &[u8; 12]) -> Option<Node> {
    let chat = message.chat.as_ref()?;
    let which = Node::new("rmr")
        .attr("jid", chat)
        .attr("from_me", if message.from_me { "true" } else { "false" })
        .attr_opt("participant", message.participant.as_ref());
    Some(server_error(own, &message.id, key, nonce)?.child(which))
}

/// Asks the own phone for a piece of the history that is gone (§9.4).
pub(super) fn ask_for_piece(own: &Jid, id: &str, key: &RetryKey, nonce: &[u8; 12]) -> Option<Node> {
    Some(server_error(own, id, key, nonce)?.attr("category", "peer"))
}

fn server_error(own: &Jid, id: &str, key: &RetryKey, nonce: &[u8; 12]) -> Option<Node> {
    let request = ServerErrorReceipt { stanza_id: Some(id.to_owned()) }.encode_to_vec();
    let sealed = key.seal(nonce, id, &request).ok()?;
    Some(
        Node::new("receipt")
            .attr("id", id.to_owned())
            .attr("to", own.to_bare())
            .attr("type", "server-error")
            .child(
                Node::new("encrypt")
                    .child(Node::new("enc_p").bytes(sealed))
                    .child(Node::new("enc_iv").bytes(nonce.to_vec())),
            ),
    )
}

/// What a phone answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PhoneAnswer {
    /// The file is at this path now.
    Uploaded(String),
    /// The phone has not got the file.
    NotFound,
    /// The phone could not open the request: another key or id.
    Unopened,
    /// It did not work; it may another time.
    Failed,
}

/// Reads the answer of a phone, which only the holder of the file's key can make.
pub(super) fn phone_answer(notification: &NodeRef<'_>, key: &RetryKey) -> PhoneAnswer {
    if let Some(error) = notification.child_named("error") {
        return match error.attr_u64("code") {
            Some(2) => PhoneAnswer::NotFound,
            Some(3) => PhoneAnswer::Unopened,
            _ => PhoneAnswer::Failed,
        };
    }
    opened(notification, key).unwrap_or(PhoneAnswer::Failed)
}

fn opened(notification: &NodeRef<'_>, key: &RetryKey) -> Option<PhoneAnswer> {
    let id = notification.attr_text("id")?;
    let encrypt = notification.child_named("encrypt")?;
    let nonce: &[u8; 12] = encrypt.child_bytes("enc_iv")?.try_into().ok()?;
    let text = key.open(nonce, &id, encrypt.child_bytes("enc_p")?).ok()?;
    let answer: MediaRetryNotification = whimbrel_proto::decode(&text).ok()?;
    // The tag binds the id outside; the phone must have meant the same message.
    if answer.stanza_id.as_deref() != Some(&*id) {
        return None;
    }
    Some(match (answer.result.and_then(|result| ResultType::try_from(result).ok()), answer.direct_path) {
        (Some(ResultType::Success), Some(path)) => PhoneAnswer::Uploaded(path),
        (Some(ResultType::NotFound), _) => PhoneAnswer::NotFound,
        (Some(ResultType::DecryptionError), _) => PhoneAnswer::Unopened,
        _ => PhoneAnswer::Failed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vectors() -> serde_json::Value {
        serde_json::from_str(include_str!("../../../../tests/vectors/media-retry.json")).unwrap()
    }

    fn octets(value: &serde_json::Value) -> Vec<u8> {
        hex::decode(value.as_str().unwrap()).unwrap()
    }

    fn key(vector: &serde_json::Value) -> RetryKey {
        RetryKey::new(&octets(&vector["media_key"]).try_into().unwrap()).unwrap()
    }

    #[test]
    fn requests_are_those_of_the_vectors() {
        for vector in vectors()["requests"].as_array().unwrap() {
            let rmr = &vector["rmr_attrs"];
            let jid = |value: &serde_json::Value| value.as_str().map(|text| text.parse::<Jid>().unwrap());
            let message = Key {
                chat: jid(&rmr["jid"]),
                from_me: rmr["from_me"] == "true",
                id: vector["message_id"].as_str().unwrap().to_owned(),
                participant: jid(&rmr["participant"]),
            };
            let own = jid(&vector["own_jid_with_device"]).unwrap();
            let nonce = octets(&vector["iv"]).try_into().unwrap();
            let receipt = ask_phone(&own, &message, &key(vector), &nonce).unwrap();
            for name in ["id", "to", "type"] {
                assert_eq!(receipt.attr_text(name).unwrap(), vector["receipt_attrs"][name].as_str().unwrap());
            }
            let encrypt = receipt.child_named("encrypt").unwrap();
            assert_eq!(encrypt.child_bytes("enc_p").unwrap(), octets(&vector["enc_p"]));
            let written = receipt.child_named("rmr").unwrap();
            for name in ["jid", "from_me", "participant"] {
                assert_eq!(written.attr_text(name).as_deref(), rmr[name].as_str());
            }
        }
    }

    #[test]
    fn answers_of_the_vectors_are_read() {
        for vector in vectors()["notifications"].as_array().unwrap() {
            let notification = Node::new("notification")
                .attr("id", vector["message_id"].as_str().unwrap().to_owned())
                .attr("type", "mediaretry")
                .child(
                    Node::new("encrypt")
                        .child(Node::new("enc_p").bytes(octets(&vector["enc_p"])))
                        .child(Node::new("enc_iv").bytes(octets(&vector["iv"]))),
                );
            let expected = match (vector["result"].as_str().unwrap(), vector["direct_path"].as_str()) {
                ("SUCCESS" | "SUCCESS with messageSecret", Some(path)) => {
                    PhoneAnswer::Uploaded(path.to_owned())
                }
                ("NOT_FOUND", _) => PhoneAnswer::NotFound,
                ("DECRYPTION_ERROR", _) => PhoneAnswer::Unopened,
                _ => PhoneAnswer::Failed,
            };
            assert_eq!(phone_answer(&notification, &key(vector)), expected);
            let mut other = notification;
            other.set_attr("id", "3EB0OTHER");
            assert_eq!(phone_answer(&other, &key(vector)), PhoneAnswer::Failed);
        }
        let key = RetryKey::new(&[1; 32]).unwrap();
        let error = |code: u32| Node::new("notification").child(Node::new("error").attr("code", code));
        assert_eq!(phone_answer(&error(2), &key), PhoneAnswer::NotFound);
        assert_eq!(phone_answer(&error(3), &key), PhoneAnswer::Unopened);
        // The service must not say so; a client of another make falls over it.
        assert_eq!(phone_answer(&error(1), &key), PhoneAnswer::Failed);
        assert_eq!(phone_answer(&Node::new("notification"), &key), PhoneAnswer::Failed);
    }

    #[test]
    fn hosts_are_sorted_and_times_may_be_absolute() {
        let host = |name: &'static str, kind: &'static str| {
            Node::new("host").attr("hostname", name).attr("type", kind).child(Node::new("download"))
        };
        let answer = |ttl: u64| {
            Node::new("iq").child(
                Node::new("media_conn")
                    .attr("auth", "AWR")
                    .attr("ttl", ttl)
                    .child(host("b", "fallback"))
                    .child(host("a:7", "primary").child(Node::new("upload"))),
            )
        };
        let read = hosts(&answer(300), 0).unwrap();
        assert_eq!((read.ttl, read.auth_ttl), (Duration::from_secs(300), Duration::from_secs(300)));
        let named = |name: &str, uploads| ListedHost { name: name.to_owned(), uploads };
        assert_eq!(read.hosts, [named("a:7", true), named("b", false)]);
        assert_eq!(hosts(&answer(1_800_000_100), 1_800_000_000).unwrap().ttl, Duration::from_secs(100));
        assert!(hosts(&Node::new("iq").child(Node::new("media_conn").attr("auth", "A")), 0).is_none());
        assert_eq!(ask_for_hosts().first_child().unwrap().tag(), "media_conn");
    }
}
