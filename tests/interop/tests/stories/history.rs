//! What a phone remembers, as clients of other makes read it and as ours has it in its archive.

use std::collections::BTreeMap;

use whimbrel::{CallOptions, FindChats, FindContacts, FindMessages, Jid};
use whimbrel_interop::{Event, Pair, PastText, Peer, Program};
use whimbrel_sandbox::phone::Past;

use crate::support::{Device, Stage};

#[tokio::test]
async fn baileys_reads_the_same_history_as_whimbrel() {
    tell(Program::Baileys, "history-baileys").await;
}

#[tokio::test]
async fn whatsmeow_reads_the_same_history_as_whimbrel() {
    tell(Program::Whatsmeow, "history-whatsmeow").await;
}

/// Chats by the numbers of the past, with their names and texts; and the names that people give themselves.
#[derive(Debug, Default, PartialEq)]
struct Shown {
    names: BTreeMap<u32, String>,
    /// By chat and id: whether it is of this account, and what it says.
    texts: BTreeMap<(u32, String), (bool, String)>,
    people: BTreeMap<u32, String>,
}

/// Which chat of the past an address is, or which of its people.
fn number(past: &Past, address: &str) -> Option<u32> {
    (0..past.chats).find(|chat| Past::address(*chat) == address)
}

/// Messages of the first chat that are no texts: one is taken back, one an event.
const NO_TEXTS: [u32; 2] = [3, 4];

async fn tell(program: Program, story: &str) {
    let stage = Stage::new(story).await;
    let ana = stage.person("15550001", "Ana").await;
    // Pieces come with their announcements first, then from the media hosts.
    for uploaded in [false, true] {
        let past = Past {
            chats: 7,
            messages: 12,
            newest: 4,
            chats_in_piece: 4,
            extras: true,
            uploaded,
            ..Past::default()
        };
        ana.remember(past.clone());
        let whimbrel = stage.whimbrel(&ana).await;
        // The newest messages, and all of them in two pieces.
        whimbrel.has_history(3).await;
        let ours = of_whimbrel(&whimbrel, &past).await;
        let (peer, start) = stage.peer_by_tls(program, stage.new_store()).await;
        let media = format!("https://{}", stage.sandbox.media_hosts().remove(0));
        peer.start(&start.pair(Pair::Qr).media(media)).await.unwrap();
        let device = ana.scan(&peer.qr().await.unwrap()).await.unwrap();
        let theirs = of_peer(&peer, &past, ours.texts.len()).await;

        assert_eq!(theirs.names, ours.names);
        assert_eq!(theirs.texts, ours.texts);
        // One of the six gives no name.
        assert_eq!(theirs.people.len(), 5);
        for (person, name) in &theirs.people {
            assert_eq!(ours.people.get(person), Some(name));
        }
        for chat in 0..past.chats {
            for message in 0..past.messages {
                let text = ours.texts.get(&(chat, Past::message_id(chat, message)));
                match chat == 0 && NO_TEXTS.contains(&(past.messages - message)) {
                    true => assert_eq!(text, None),
                    false => assert_eq!(text.map(|(_, text)| text), Some(&past.text(chat, message))),
                }
            }
        }
        peer.quit().await.unwrap();
        ana.unlink(device.device()).await.unwrap();
        whimbrel.unlink().await;
    }
    stage.finish();
}

/// What a peer reads, until there are so many texts. It may put several pieces together.
async fn of_peer(peer: &Peer, past: &Past, texts: usize) -> Shown {
    let mut shown = Shown::default();
    while shown.texts.len() < texts || shown.people.len() < 5 {
        let piece = |event: &Event| match event {
            Event::History { names, people, texts, .. } => {
                Some((names.clone(), people.clone(), texts.clone()))
            }
            _ => None,
        };
        let (names, people, texts) = peer.wait_for("a piece of history", piece).await.unwrap();
        // There are pieces about the account itself as well.
        for (address, name) in names {
            shown.names.extend(number(past, &address).map(|chat| (chat, name)));
        }
        for (address, name) in people {
            shown.people.extend(number(past, &address).filter(|_| name != "-").map(|person| (person, name)));
        }
        for PastText { chat, id, from_me, text } in texts {
            if let (Some(chat), Some(text)) = (number(past, &chat), text) {
                shown.texts.insert((chat, id), (from_me, text));
            }
        }
    }
    shown
}

/// What ours has in its archive.
async fn of_whimbrel(device: &Device, past: &Past) -> Shown {
    let client = device.as_client();
    let all = CallOptions::default;
    let mut find = FindChats::default();
    find.limit = Some(500);
    let chats = client.find_chats(find, all()).await.unwrap().items;
    let mut shown = Shown::default();
    let address = |phone: Option<&Jid>, id: &Jid| phone.unwrap_or(id).to_string();
    for chat in chats {
        let Some(number) = number(past, &address(chat.chat.phone.as_ref(), &chat.chat.id)) else { continue };
        shown.names.insert(number, chat.name.unwrap());
        let mut find = FindMessages::default();
        (find.chat, find.limit) = (Some(chat.chat.id), Some(500));
        for message in client.find_messages(find, all()).await.unwrap().items {
            // Neither peer calls an event or a call a text.
            let is_text = matches!(message.content, Some(whimbrel::content::Content::Text(_)));
            if let Some(text) = message.text.filter(|_| is_text) {
                shown.texts.insert((number, message.message_id), (message.from_me, text));
            }
        }
    }
    let mut find = FindContacts::default();
    find.limit = Some(500);
    for person in client.find_contacts(find, all()).await.unwrap().items {
        let address = address(person.who.phone.as_ref(), &person.who.id);
        // What people call themselves in their messages is theirs also, where no piece names them.
        let person_and_name = number(past, &address).zip(person.push_name);
        shown.people.extend(person_and_name);
    }
    shown
}
