//! What the devices of an account share: a peer and a client of ours are companions of one phone, and each sees what
//! the other changes.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use whimbrel::appstate::{LabelEdit, Mute, Setting, StateChange, StateCollection};
use whimbrel::events::EventKind;
use whimbrel::{Jid, MessageKey};
use whimbrel_interop::{Peer, Program};

use crate::support::{Device, Stage};

/// Mutes end here, in milliseconds; the service's clock has not come so far.
const FAR: i64 = 4_000_000_000_000;

fn change_of(event: &EventKind) -> Option<&StateChange> {
    match event {
        EventKind::ChatChanged(change)
        | EventKind::MessageMarked(change)
        | EventKind::ContactChanged(change)
        | EventKind::SettingChanged(change)
        | EventKind::LabelChanged(change)
        | EventKind::QuickReplyChanged(change)
        | EventKind::StateChanged(change) => Some(change),
        _ => None,
    }
}

/// Waits until a client of ours is told of a change whose value says this.
async fn ours_is_told(ours: &Device, field: &str, wanted: &Value) -> StateChange {
    ours.event(&format!("{field} = {wanted}"), |event| {
        let change = change_of(event).filter(|change| !change.own)?;
        let value: Value = serde_json::from_str(&change.value_json()).ok()?;
        (value.pointer(field) == Some(wanted)).then(|| change.clone())
    })
    .await
}

/// What a peer changes: its method and arguments, and where the change says so.
type Deed = (&'static str, Value, &'static str, Value);

/// The message that chats end with, and that is starred.
struct Last {
    id: String,
    seconds: u64,
}

fn deeds(program: Program, chat: &str, last: &Last) -> Vec<Deed> {
    let Last { id, seconds } = last;
    match program {
        Program::Baileys => {
            let key = json!({"remoteJid": chat, "id": id, "fromMe": false});
            let range = json!([{"key": key, "messageTimestamp": seconds}]);
            vec![
                ("chatModify", json!([{"mute": FAR}, chat]), "/muteAction/muted", json!(true)),
                ("chatModify", json!([{"mute": null}, chat]), "/muteAction/muted", json!(false)),
                ("chatModify", json!([{"pin": true}, chat]), "/pinAction/pinned", json!(true)),
                ("chatModify", json!([{"pin": false}, chat]), "/pinAction/pinned", json!(false)),
                (
                    "chatModify",
                    json!([{"archive": true, "lastMessages": range}, chat]),
                    "/archiveChatAction/archived",
                    json!(true),
                ),
                (
                    "chatModify",
                    json!([{"archive": false, "lastMessages": range}, chat]),
                    "/archiveChatAction/archived",
                    json!(false),
                ),
                (
                    "chatModify",
                    json!([{"markRead": false, "lastMessages": range}, chat]),
                    "/markChatAsReadAction/read",
                    json!(false),
                ),
                (
                    "star",
                    json!([chat, [{"id": id, "fromMe": false}], true]),
                    "/starAction/starred",
                    json!(true),
                ),
                (
                    "addOrEditContact",
                    json!([chat, {"fullName": "Ben Bird", "firstName": "Ben", "saveOnPrimaryAddressbook": true}]),
                    "/contactAction/fullName",
                    json!("Ben Bird"),
                ),
                (
                    "addLabel",
                    json!(["", {"id": "7", "name": "birds", "color": 3, "deleted": false}]),
                    "/labelEditAction/name",
                    json!("birds"),
                ),
                ("addChatLabel", json!([chat, "7"]), "/labelAssociationAction/labeled", json!(true)),
                ("removeChatLabel", json!([chat, "7"]), "/labelAssociationAction/labeled", json!(false)),
                ("addMessageLabel", json!([chat, id, "7"]), "/labelAssociationAction/labeled", json!(true)),
                (
                    "addOrEditQuickReply",
                    json!([{"shortcut": "hi", "message": "hello there", "timestamp": "1700000000"}]),
                    "/quickReplyAction/message",
                    json!("hello there"),
                ),
                (
                    "updateDisableLinkPreviewsPrivacy",
                    json!([true]),
                    "/privacySettingDisableLinkPreviewsAction/isPreviewsDisabled",
                    json!(true),
                ),
                (
                    "chatModify",
                    json!([{"pushNameSetting": "Ana the second"}, ""]),
                    "/pushNameSetting/name",
                    json!("Ana the second"),
                ),
            ]
        }
        Program::Whatsmeow => {
            let time = "2026-01-01T00:00:00Z";
            vec![
                ("BuildMuteAbs", json!([chat, true, FAR]), "/muteAction/muted", json!(true)),
                ("BuildMuteAbs", json!([chat, false, null]), "/muteAction/muted", json!(false)),
                ("BuildPin", json!([chat, true]), "/pinAction/pinned", json!(true)),
                ("BuildPin", json!([chat, false]), "/pinAction/pinned", json!(false)),
                ("BuildArchive", json!([chat, true, time, null]), "/archiveChatAction/archived", json!(true)),
                (
                    "BuildArchive",
                    json!([chat, false, time, null]),
                    "/archiveChatAction/archived",
                    json!(false),
                ),
                (
                    "BuildMarkChatAsRead",
                    json!([chat, false, time, null]),
                    "/markChatAsReadAction/read",
                    json!(false),
                ),
                ("BuildStar", json!([chat, chat, id, false, true]), "/starAction/starred", json!(true)),
                ("BuildLabelEdit", json!(["7", "birds", 3, false]), "/labelEditAction/name", json!("birds")),
                ("BuildLabelChat", json!([chat, "7", true]), "/labelAssociationAction/labeled", json!(true)),
                (
                    "BuildLabelMessage",
                    json!([chat, "7", id, true]),
                    "/labelAssociationAction/labeled",
                    json!(true),
                ),
                (
                    "BuildSettingPushName",
                    json!(["Ana the second"]),
                    "/pushNameSetting/name",
                    json!("Ana the second"),
                ),
            ]
        }
    }
}

/// Waits until a peer is told of something, under these names of its own.
async fn peer_is_told(peer: &Peer, event: &str, field: &str, wanted: impl Fn(&Value) -> bool) {
    let told = |value: &Value| value.pointer(field).is_some_and(&wanted);
    peer.was_told(event, told).await.unwrap_or_else(|error| panic!("{event} {field}: {error}"));
}

async fn tell(program: Program, story: &str) {
    let stage = Stage::new(story).await;
    let (ana, ben) = (stage.person("15550001", "Ana").await, stage.person("15550002", "Ben").await);
    let peer = stage.peer(program, &ana).await;
    let ours = stage.whimbrel(&ana).await;
    // What is there before is not told one by one.
    for _ in StateCollection::ALL {
        let read = |event: &EventKind| matches!(event, EventKind::StateSynced(_)).then_some(());
        ours.event("a collection read for the first time", read).await;
    }
    let id = ben.send_text("15550001", "a text from Ben").await.unwrap();
    let heard = ours.hear("a text from Ben").await;
    assert_eq!(heard.id, id);
    peer.hear("a text from Ben").await;
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let last = Last { id: id.clone(), seconds };
    let them = peer.as_peer();
    let chat = ben.jid().to_string();
    for (method, arguments, field, wanted) in deeds(program, &chat, &last) {
        match program {
            Program::Baileys => drop(them.call(method, arguments).await.unwrap()),
            Program::Whatsmeow => them.write_app_state(method, arguments).await.unwrap(),
        }
        let change = ours_is_told(&ours, field, &wanted).await;
        if let Some(subject) = change.subject.filter(|_| !field.starts_with("/label")) {
            let addresses = [Some(subject.id), subject.phone, subject.lid];
            assert!(
                addresses.iter().flatten().any(|address| *address == ben.jid()),
                "{method} is about {addresses:?}"
            );
        }
    }
    ours_changes(program, them, &ours, &ben.jid(), &id).await;
    stage.is_quiet().await;
    stage.finish();
}

/// A change of ours, as a peer is told of it: the event, the field and what it says.
struct Told {
    baileys: (&'static str, &'static str, Value),
    whatsmeow: (&'static str, &'static str, Value),
}

impl Told {
    /// Waits for it: Baileys puts together what it is told in one go, so that the last word remains.
    async fn by(self, program: Program, them: &Peer) {
        let (event, field, wanted) = match program {
            Program::Baileys => self.baileys,
            Program::Whatsmeow => self.whatsmeow,
        };
        peer_is_told(them, event, field, |found| *found == wanted).await;
    }
}

/// What ours changes, and the peer is told.
async fn ours_changes(program: Program, them: &Peer, ours: &Device, chat: &Jid, id: &str) {
    let client = ours.as_client();
    client.mute_chat(chat, Mute::Until(FAR)).await.unwrap();
    let mute = Told {
        baileys: ("chats.update", "/0/muteEndTime", json!(FAR)),
        whatsmeow: ("Mute", "/Action/muteEndTimestamp", json!(FAR)),
    };
    mute.by(program, them).await;
    client.archive_chat(chat, true).await.unwrap();
    let archive = Told {
        baileys: ("chats.update", "/0/archived", json!(true)),
        whatsmeow: ("Archive", "/Action/archived", json!(true)),
    };
    archive.by(program, them).await;
    client.mark_chat(chat, false).await.unwrap();
    let mark = Told {
        baileys: ("chats.update", "/0/unreadCount", json!(-1)),
        whatsmeow: ("MarkChatAsRead", "/Action/read", json!(false)),
    };
    mark.by(program, them).await;
    let key = MessageKey { message_id: id.to_owned(), sender: Some(chat.clone()) };
    client.star_messages(chat, vec![key], false).await.unwrap();
    let star = Told {
        baileys: ("messages.update", "/0/update/starred", json!(false)),
        whatsmeow: ("Star", "/Action/starred", json!(false)),
    };
    star.by(program, them).await;
    // whatsmeow tells of the first entry of a collection as of what was there before.
    client.save_contact(chat, "Ben", None, false).await.unwrap();
    client.save_contact(chat, "Benjamin Bird", Some("Benjamin"), true).await.unwrap();
    let contact = Told {
        baileys: ("contacts.upsert", "/0/name", json!("Benjamin Bird")),
        whatsmeow: ("Contact", "/Action/fullName", json!("Benjamin Bird")),
    };
    contact.by(program, them).await;
    let mut edit = LabelEdit::default();
    (edit.name, edit.color) = ("owls".to_owned(), 5);
    let (_, label) = client.edit_label(None, edit).await.unwrap();
    let labelled = Told {
        baileys: ("labels.edit", "/name", json!("owls")),
        whatsmeow: ("LabelEdit", "/Action/name", json!("owls")),
    };
    labelled.by(program, them).await;
    client.label_chat(&label, chat, true).await.unwrap();
    let associated = Told {
        baileys: ("labels.association", "/association/labelId", json!(label)),
        whatsmeow: ("LabelAssociationChat", "/LabelID", json!(label)),
    };
    associated.by(program, them).await;
    // Baileys keeps the name in its credentials, and tells of previews what whatsmeow does not.
    client.set_setting(Setting::DisableLinkPreviews(false)).await.unwrap();
    client.set_setting(Setting::PushName("Ana the third".to_owned())).await.unwrap();
    let setting = Told {
        baileys: ("settings.update", "/value/isPreviewsDisabled", json!(false)),
        whatsmeow: ("PushNameSetting", "/Action/name", json!("Ana the third")),
    };
    setting.by(program, them).await;
    client.delete_chat(chat, true).await.unwrap();
    match program {
        Program::Baileys => peer_is_told(them, "chats.delete", "/0", Value::is_string).await,
        Program::Whatsmeow => peer_is_told(them, "DeleteChat", "/JID", Value::is_string).await,
    }
}

#[tokio::test]
async fn whimbrel_and_baileys_share_app_state() {
    tell(Program::Baileys, "app-state-baileys").await;
}

#[tokio::test]
async fn whimbrel_and_whatsmeow_share_app_state() {
    tell(Program::Whatsmeow, "app-state-whatsmeow").await;
}
