//! Native events under Evolution's names, and the bodies that tell of them.

use serde_json::{Value, json};

use super::Profile;
use super::record::{address, key, record, said, status_word, text};
use crate::events::native::time;
use crate::hosting::Account;
use crate::store::accounts::AccountRow;
use crate::store::events::EventRow;

/// Names in configurations, on the wire, and when each event is told.
pub(super) const ALL: &[(&str, &str, &str)] = &[
    ("APPLICATION_STARTUP", "application.startup", "The server has started."),
    ("CALL", "call", "A call rings, was answered, or ended."),
    ("CHATS_DELETE", "chats.delete", "A chat was deleted."),
    ("CHATS_SET", "chats.set", "Chats of the history are there."),
    ("CHATS_UPDATE", "chats.update", "A chat changed."),
    ("CHATS_UPSERT", "chats.upsert", "A chat began."),
    ("CONNECTION_UPDATE", "connection.update", "The link of the instance changed."),
    ("CONTACTS_SET", "contacts.set", "Contacts of the history are there."),
    ("CONTACTS_UPDATE", "contacts.update", "A contact changed."),
    ("CONTACTS_UPSERT", "contacts.upsert", "The contact list was synchronised, or a contact changed."),
    ("GROUP_PARTICIPANTS_UPDATE", "group-participants.update", "Members of a group changed."),
    ("GROUP_UPDATE", "groups.update", "A group changed."),
    ("GROUPS_UPSERT", "groups.upsert", "A group was joined."),
    ("INSTANCE_CREATE", "instance.create", "The instance was made."),
    ("INSTANCE_DELETE", "instance.delete", "The instance was deleted."),
    ("LABELS_ASSOCIATION", "labels.association", "A label was put on a chat, or taken off."),
    ("LABELS_EDIT", "labels.edit", "A label changed."),
    ("LOGOUT_INSTANCE", "logout.instance", "The link ended."),
    ("MESSAGES_DELETE", "messages.delete", "A message was taken back."),
    ("MESSAGES_EDITED", "messages.edited", "A message has other words."),
    ("MESSAGES_SET", "messages.set", "Messages of the history are there."),
    ("MESSAGES_UPDATE", "messages.update", "The status of a message changed."),
    ("MESSAGES_UPSERT", "messages.upsert", "A message was received, or sent by another device."),
    ("PRESENCE_UPDATE", "presence.update", "Somebody came online, went offline, types or speaks."),
    ("QRCODE_UPDATED", "qrcode.updated", "There is a new QR code."),
    ("REMOVE_INSTANCE", "remove.instance", "The instance was removed."),
    ("SEND_MESSAGE", "send.message", "A message was sent through this instance."),
    (
        "SEND_MESSAGE_UPDATE",
        "send.message.update",
        "A message that was sent through this instance was edited.",
    ),
    ("STATUS_INSTANCE", "status.instance", "The instance was disconnected."),
    ("TYPEBOT_CHANGE_STATUS", "typebot.change-status", "Never: there are no typebots."),
    ("TYPEBOT_START", "typebot.start", "Never: there are no typebots."),
];

/// Whether a subscription has an event: an empty one has all.
pub(super) fn is_wanted(wire: &str, subscribed: &[String]) -> bool {
    if subscribed.is_empty() {
        return true;
    }
    let config = ALL.iter().find(|(_, name, _)| *name == wire).map(|(config, ..)| *config);
    subscribed
        .iter()
        .any(|name| Some(name.as_str()) == config || (wire == "groups.update" && name == "GROUPS_UPDATE"))
}

/// The names in configurations that there are; `GROUPS_UPDATE` is one that clients write for `GROUP_UPDATE`.
pub(super) fn is_config_name(name: &str) -> bool {
    name == "GROUPS_UPDATE" || ALL.iter().any(|(config, ..)| *config == name)
}

/// The names under which an event is told.
pub(super) fn names(event: &EventRow, account: &AccountRow) -> Vec<&'static str> {
    let profile = Profile::of(&account.profile);
    let data = &event.data;
    match event.kind.as_str() {
        "account.state" if is_same_word(data, profile) => Vec::new(),
        "account.state" => match text(data, "/state") {
            // Before a phone is found there is nothing to say, but in the forms that call it connecting.
            Some("linking") if profile == Profile::Nm => Vec::new(),
            Some("unlinked") if text(data, "/reason").is_some_and(|reason| reason != "expired") => {
                vec!["connection.update", "status.instance"]
            }
            _ => vec!["connection.update"],
        },
        "account.qr" => vec!["qrcode.updated"],
        "account.logged_out" => vec!["logout.instance"],
        "message.received" => vec!["messages.upsert"],
        "message.sent" => {
            let via_api = data.get("viaApi").and_then(Value::as_bool).unwrap_or(false);
            match (via_api, profile) {
                (false, _) => vec!["messages.upsert"],
                (true, Profile::Nm) => vec!["send.message", "messages.upsert"],
                (true, _) if account.settings.echo_api_sends => vec!["send.message", "messages.upsert"],
                (true, _) => vec!["send.message"],
            }
        }
        // A receipt may be for several messages, of which each has an event of its own.
        "message.status" => {
            let ids = data.get("messageIds").and_then(Value::as_array).map_or(1, Vec::len);
            vec!["messages.update"; ids]
        }
        "message.edited" => vec!["messages.edited"],
        "message.deleted" => vec!["messages.delete"],
        "message.reaction" => vec!["messages.upsert"],
        "message.poll_vote" => vec!["messages.update"],
        "history.batch" => history(data),
        "chat.updated" => match text(data, "/change") {
            Some("deleted") => vec!["chats.delete"],
            _ => vec!["chats.update"],
        },
        "presence" => vec!["presence.update"],
        "contact.updated" => match text(data, "/kind") {
            Some("contact_changed") => vec!["contacts.upsert", "contacts.update"],
            _ => vec!["contacts.update"],
        },
        "group.participants" => vec!["group-participants.update"],
        "group.updated" => match text(data, "/kind") {
            Some("group_joined") => vec!["groups.upsert"],
            _ => vec!["groups.update"],
        },
        "call" => vec!["call"],
        "label.updated" => match text(data, "/change") {
            Some("edited" | "deleted" | "changed") => vec!["labels.edit"],
            _ => vec!["labels.association"],
        },
        _ => Vec::new(),
    }
}

/// Whether a state and the one before it have the same word here.
fn is_same_word(data: &Value, profile: Profile) -> bool {
    let status = data.get("serviceStatus").and_then(Value::as_i64);
    let word = |name: &str, status| text(data, name).map(|state| state_word(state, status, profile));
    word("/state", status) == word("/former", None)
}

/// A piece of the history tells what it had.
fn history(data: &Value) -> Vec<&'static str> {
    let count = |name: &str| data.get(name).and_then(Value::as_u64).unwrap_or(0);
    let mut names = Vec::new();
    if count("messages") > 0 {
        names.push("messages.set");
    }
    if count("chats") > 0 {
        names.push("chats.set");
    }
    if matches!(text(data, "/history"), Some("push_names" | "initial" | "bootstrap" | "recent" | "full")) {
        names.push("contacts.upsert");
    }
    names
}

/// The word for the state of a link. `status`: the number that the service gave for it, if it did.
pub(super) fn state_word(state: &str, status: Option<i64>, profile: Profile) -> &'static str {
    // The service did not remove the link, it turns the account away.
    let turned_away = status.is_some_and(|status| (400..500).contains(&status) && status != 401);
    match (state, profile) {
        ("unlinked", Profile::Nm) if turned_away => "refused",
        ("online", _) => "open",
        ("pairing" | "connecting", _) => "connecting",
        ("linking", Profile::Nm) => "close",
        ("linking", _) => "connecting",
        ("refused", _) => "refused",
        _ => "close",
    }
}

/// Why an instance is as it is, by the number that Evolution gives.
fn status_reason(data: &Value) -> i64 {
    match (text(data, "/state"), data.get("serviceStatus").and_then(Value::as_i64)) {
        (Some("online" | "connecting" | "pairing" | "linking"), _) => 200,
        (_, Some(status)) if status != 0 => status,
        (Some("unlinked"), _) => 401,
        _ => 428,
    }
}

/// What is told of an event.
fn data(name: &str, part: u32, event: &EventRow, account: &Account) -> Value {
    let row = account.row();
    let profile = Profile::of(&row.profile);
    let data = &event.data;
    let status = data.get("serviceStatus").and_then(Value::as_i64);
    match name {
        "connection.update" => json!({
            "instance": row.name,
            "state": state_word(text(data, "/state").unwrap_or_default(), status, profile),
            "statusReason": status_reason(data),
            "wuid": data.get("phone"),
            "profileName": data.get("pushName"),
            "profilePictureUrl": null,
        }),
        "status.instance" => json!({
            "instance": row.name,
            "status": "closed",
            "disconnectionAt": time(event.at),
            "disconnectionReasonCode": status_reason(data),
            "disconnectionObject": data.get("reason"),
        }),
        "qrcode.updated" => json!({"qrcode": super::instances::qr_object(
            text(data, "/text").unwrap_or_default(), account.state().code.as_deref(), 1, Some(&row.name),
        )}),
        "logout.instance" | "remove.instance" | "instance.create" | "instance.delete" => json!({
            "instanceName": row.name, "instanceId": row.id, "reason": data.get("reason"),
        }),
        "messages.update" => update(data, part, &row),
        "messages.delete" => {
            let mut key = key(data);
            if let (Some(members), Some(target)) = (key.as_object_mut(), text(data, "/target/messageId")) {
                members.insert("id".to_owned(), Value::from(target));
            }
            key
        }
        "messages.edited" => {
            let said = super::record::of_content(data.get("content").unwrap_or(&Value::Null), None);
            let mut record = record(data, said, &row, None);
            if let (Some(place), Some(target)) =
                (record.pointer_mut("/key/id"), text(data, "/target/messageId"))
            {
                *place = Value::from(target);
            }
            record
        }
        "messages.upsert" | "send.message" => {
            let status = if name == "send.message" { Some("PENDING") } else { None };
            record(data, said(event), &row, status)
        }
        "presence.update" => presence(data),
        "contacts.upsert" | "contacts.update" => contacts(data, &row),
        "group-participants.update" => {
            let people = data.get("participants").and_then(Value::as_array).cloned().unwrap_or_default();
            let named: Vec<_> = people.iter().filter_map(|person| address(Some(person))).collect();
            let described: Vec<_> = people
                .iter()
                .map(|person| json!({
                    "jid": address(Some(person)), "phoneNumber": person.get("phone"), "name": null, "imgUrl": null,
                }))
                .collect();
            let action = match text(data, "/change") {
                Some("added") => "add",
                Some("removed" | "left") => "remove",
                Some("promoted") => "promote",
                Some("demoted") => "demote",
                _ => "modify",
            };
            json!({
                "id": address(data.get("chat")), "participants": named, "action": action,
                "author": address(data.get("author")), "participantsData": described,
            })
        }
        "groups.update" | "groups.upsert" => match data.get("group").filter(|group| group.is_object()) {
            Some(group) => json!([super::groups::metadata(group, true)]),
            None => {
                let mut changed =
                    json!({"id": address(data.get("chat")), "author": address(data.get("author"))});
                if let (Some(members), Some(change)) = (changed.as_object_mut(), text(data, "/change")) {
                    let name = match change {
                        "description" => "desc",
                        "locked" => "restrict",
                        other => other,
                    };
                    let value = ["text", "enabled", "seconds"]
                        .iter()
                        .find_map(|name| data.get(name).filter(|value| !value.is_null()));
                    members.insert(name.to_owned(), value.cloned().unwrap_or(Value::Null));
                }
                json!([changed])
            }
        },
        "chats.delete" => json!([address(data.get("chat"))]),
        "chats.update" | "chats.upsert" => {
            json!([{"remoteJid": address(data.get("chat")), "instanceId": row.id}])
        }
        "call" => json!({
            "id": data.get("callId"),
            "from": address(data.get("caller")),
            "status": match text(data, "/kind") {
                Some("call_offered") => "offer",
                Some("call_ended") => "terminate",
                _ => match text(data, "/step") {
                    Some("accepted") => "accept",
                    Some("rejected") => "reject",
                    _ => "ringing",
                },
            },
            "isVideo": data.get("video").and_then(Value::as_bool).unwrap_or(false),
            "isGroup": data.get("isGroup").and_then(Value::as_bool).unwrap_or(false),
            "date": time(event.at),
            "offline": data.get("offline").and_then(Value::as_bool).unwrap_or(false),
        }),
        "labels.edit" => json!({
            "id": data.get("label"), "name": data.get("name"), "color": data.get("color"),
            "deleted": text(data, "/change") == Some("deleted"), "predefinedId": null,
        }),
        "labels.association" => json!({
            "instance": row.name,
            "type": if text(data, "/change").is_some_and(|change| change.contains("remove")) { "remove" } else { "add" },
            "chatId": address(data.get("chat")), "labelId": data.get("label"),
        }),
        // What is in the archive can be asked for; the event says how much there is.
        _ => data.clone(),
    }
}

fn update(data: &Value, part: u32, row: &AccountRow) -> Value {
    let chat = address(data.get("chat"));
    let (ids, status, from_me) = match text(data, "/kind") {
        Some("send_status") => {
            let failed = data.get("error").is_some_and(|error| !error.is_null());
            (vec![data.get("messageId").cloned()], if failed { "ERROR" } else { "SERVER_ACK" }, true)
        }
        Some("poll_vote") => {
            let voter = address(data.get("sender"));
            let votes = json!([{"voter": voter, "options": data.get("options")}]);
            return json!({
                "keyId": data.pointer("/target/messageId"), "remoteJid": chat,
                "fromMe": data.pointer("/target/fromMe"), "participant": voter, "status": "SERVER_ACK",
                "pollUpdates": votes, "instanceId": row.id, "messageId": data.pointer("/target/messageId"),
            });
        }
        _ => {
            let ids = data.get("messageIds").and_then(Value::as_array).cloned().unwrap_or_default();
            let word = status_word(text(data, "/receipt").unwrap_or_default());
            (ids.into_iter().map(Some).collect(), word, text(data, "/receipt") != Some("read_self"))
        }
    };
    let first = ids.into_iter().nth(usize::try_from(part).unwrap_or(0)).flatten();
    json!({
        "keyId": first, "remoteJid": chat, "fromMe": from_me, "participant": address(data.get("sender")),
        "status": status, "instanceId": row.id, "messageId": first,
    })
}

fn presence(data: &Value) -> Value {
    let (chat, who, known) = match text(data, "/kind") {
        Some("chat_state") => {
            let state = text(data, "/state").unwrap_or("available");
            (address(data.get("chat")), address(data.get("sender")), state.to_owned())
        }
        _ => {
            let who = address(data.get("who"));
            let available = data.get("available").and_then(Value::as_bool).unwrap_or(false);
            (who.clone(), who, if available { "available" } else { "unavailable" }.to_owned())
        }
    };
    let who = who.unwrap_or_default();
    json!({
        "id": chat,
        "presences": {who: {"lastKnownPresence": known, "lastSeen": data.get("lastSeen")}},
    })
}

fn contacts(data: &Value, row: &AccountRow) -> Value {
    let who = ["who", "owner", "chat", "person"].iter().find_map(|name| address(data.get(*name)));
    let name = ["name", "pushName", "firstName"]
        .iter()
        .find_map(|name| data.get(*name).filter(|name| !name.is_null()));
    json!([{"remoteJid": who, "pushName": name, "profilePicUrl": null, "instanceId": row.id}])
}

/// The body of a POST, of a frame, and of an event of the socket.
pub(super) fn envelope(
    name: &str,
    part: u32,
    event: &EventRow,
    account: &Account,
    destination: &str,
) -> Value {
    let row = account.row();
    let server = account.server().map(|server| server.url.clone()).unwrap_or_default();
    json!({
        "event": name,
        "instance": row.name,
        "data": data(name, part, event, account),
        "destination": destination,
        "date_time": time(event.at),
        "timestamp": time(event.at),
        "sender": row.standing.phone,
        "server_url": server,
        "apikey": null,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_an_empty_subscription_has_them_all() {
        let mut wires: Vec<_> = ALL.iter().map(|(_, wire, _)| wire).collect();
        wires.sort();
        wires.dedup();
        assert_eq!(wires.len(), ALL.len());
        assert!(is_wanted("call", &[]));
        assert!(is_wanted("groups.update", &["GROUPS_UPDATE".to_owned()]));
        assert!(!is_wanted("call", &["MESSAGES_UPSERT".to_owned()]));
    }

    #[test]
    fn the_words_for_states_are_those_of_each_source() {
        assert_eq!(state_word("linking", None, Profile::Nm), "close");
        assert_eq!(state_word("linking", None, Profile::V2), "connecting");
        assert_eq!(state_word("pairing", None, Profile::Nm), "connecting");
        assert_eq!(state_word("online", None, Profile::Flow), "open");
    }
}
