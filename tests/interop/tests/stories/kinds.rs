//! Every kind of message between a client of ours and Baileys or whatsmeow, in both directions: a table of
//! what arrived as what.

use std::collections::BTreeMap;

use whimbrel::content::addons::{Addon, Going};
use whimbrel::content::classify::{Class, Received, reread};
use whimbrel::content::compose::Draft;
use whimbrel::content::kinds::event::Event as Planned;
use whimbrel::content::kinds::poll::{Poll, option_hash};
use whimbrel::content::kinds::text::Text;
use whimbrel::content::protocol::Protocol;
use whimbrel::content::{Content, unwrap};
use whimbrel::events::EventKind;
use whimbrel::{Code, Fallback, Jid, MessageKey, SendOptions};
use whimbrel_interop::{Program, Target};
use whimbrel_proto::e2e::Message as Wire;

use crate::support::{Device, Stage};

/// The messages of the vectors, by name.
fn vectors() -> Vec<(String, Wire)> {
    let text = include_str!("../../../vectors/messages.json");
    let vectors: serde_json::Value = serde_json::from_str(text).unwrap();
    let messages = vectors.get("messages").unwrap().as_array().unwrap().iter();
    let read = messages.map(|message| {
        let text = |name: &str| message.get(name).unwrap().as_str().unwrap();
        let octets = hex::decode(text("hex")).unwrap();
        (text("id").to_owned(), whimbrel_proto::decode(&octets).unwrap())
    });
    read.collect()
}

fn typed(message: &Wire) -> Received {
    reread(unwrap::for_host(message.clone()), &Jid::SERVER, false)
}

/// The word for what a message is, if it may go from person to person as it is.
fn kind_of(message: &Wire) -> Option<&'static str> {
    if message.device_sent_message.is_some() || message.sender_key_distribution_message.is_some() {
        return None;
    }
    match typed(message).class {
        Class::Message(shown) => Some(shown.content.kind()),
        // What is sealed belongs to messages that nobody has here: it is kept until they come.
        Class::Addon(addon) => match *addon {
            Addon::Reaction(_) | Addon::Pin(_) | Addon::Keep(_) => Some(addon.kind()),
            _ => None,
        },
        Class::Protocol(protocol) => match *protocol {
            Protocol::ChatTimer { is_answer: false, .. } => Some("chat_timer"),
            Protocol::ChatPrivacy { .. } => Some("chat_privacy"),
            Protocol::MemberLabel { .. } => Some("member_label"),
            _ => None,
        },
        _ => None,
    }
}

fn kind_of_event(kind: &EventKind) -> Option<&'static str> {
    Some(match kind {
        EventKind::Message(message) => message.content.kind(),
        EventKind::Addon(addon) => addon.what.kind(),
        EventKind::Control(control) => match control.what {
            Protocol::ChatTimer { .. } => "chat_timer",
            Protocol::ChatPrivacy { .. } => "chat_privacy",
            Protocol::MemberLabel { .. } => "member_label",
            _ => "control",
        },
        _ => return None,
    })
}

/// One line of the table: what the peer's message became here, and what ours became there.
#[derive(Default)]
struct Line {
    kind: &'static str,
    to_us: &'static str,
    to_peer: &'static str,
}

/// Sends a vector's content by our own means; `None` if this client does not send such a thing.
async fn send_ours(device: &Device, to: &Jid, message: &Wire) -> Option<(String, Content)> {
    let Class::Message(shown) = typed(message).class else { return None };
    let draft = Draft { view_once: shown.view_once, ..Draft::new(shown.content.clone()) };
    let mut options = SendOptions::default();
    options.fallback = Some(Fallback::Nothing);
    match device.as_client().send(to, draft, options).await {
        Ok(sent) => Some((sent.message_id, shown.content)),
        Err(error) if matches!(error.code(), Code::NotSupported | Code::InvalidArgument) => None,
        Err(error) => panic!("{}: {error}", shown.content.kind()),
    }
}

fn same(one: &Content, other: &Content) -> bool {
    match (one, other) {
        // Which field a poll is in depends on where it is sent.
        (Content::Poll(one), Content::Poll(other)) => {
            (&one.name, &one.options) == (&other.name, &other.options)
        }
        _ => one == other,
    }
}

async fn every_kind(program: Program, story: &str) {
    let stage = Stage::new(story).await;
    let (ana, ben) = (stage.person("15550001", "Ana").await, stage.person("15550002", "Ben").await);
    let (peer, ours) = (stage.peer(program, &ana).await, stage.whimbrel(&ben).await);
    // Sessions in both directions.
    ours.hears_from(&peer, "first").await;
    let (to_us, to_peer) = (ben.jid().to_string(), ana.jid());
    let mut table: BTreeMap<String, Line> = BTreeMap::new();
    for (name, message) in vectors() {
        let Some(kind) = kind_of(&message) else { continue };
        let mut line = Line { kind, to_us: "-", to_peer: "-" };
        match peer.as_peer().send_raw(&to_us, &whimbrel_proto::encode(&message)).await {
            Ok(sent) => {
                let arrived = kind_of_event(&ours.event_of(&sent.message_id).await).unwrap();
                assert_eq!(arrived, kind, "{name} from {program:?}");
                line.to_us = arrived;
            }
            Err(error) => println!("{name} is not sent by {program:?}: {error}"),
        }
        if let Some((id, content)) = send_ours(&ours, &to_peer, &message).await {
            let shown = peer.as_peer().message_of(&id).await.unwrap();
            let wire: Wire = whimbrel_proto::decode(&hex::decode(&shown.raw).unwrap()).unwrap();
            match typed(&wire).class {
                Class::Message(read) if same(&read.content, &content) => line.to_peer = read.content.kind(),
                // A peer that does not know a kind gives its application an empty message.
                _ if line.to_us == "-" => line.to_peer = "(not known there)",
                other => panic!("{name}: {other:?}\n{content:?}"),
            }
        }
        table.insert(name, line);
    }
    println!("{:<36} {:<24} {:<24} {program:?} <-", "message", "kind", "-> whimbrel");
    for (name, Line { kind, to_us, to_peer }) in &table {
        println!("{name:<36} {kind:<24} {to_us:<24} {to_peer}");
    }
    let both = table.values().filter(|line| line.to_us != "-" && line.to_peer != "-").count();
    assert!(table.len() > 100 && both > 60, "{} lines, {both} in both directions", table.len());
    assert!(stage.sandbox.violations().is_empty());
}

#[tokio::test]
async fn every_kind_goes_between_whimbrel_and_baileys() {
    every_kind(Program::Baileys, "kinds-baileys").await;
}

#[tokio::test]
async fn every_kind_goes_between_whimbrel_and_whatsmeow() {
    every_kind(Program::Whatsmeow, "kinds-whatsmeow").await;
}

/// What the peer's own builders make, and what is done to messages of either side.
async fn built(program: Program, story: &str) {
    let stage = Stage::new(story).await;
    let (ana, ben) = (stage.person("15550001", "Ana").await, stage.person("15550002", "Ben").await);
    let (peer, ours) = (stage.peer(program, &ana).await, stage.whimbrel(&ben).await);
    ours.hears_from(&peer, "first").await;
    let (to_us, to_peer) = (ben.jid().to_string(), ana.jid());
    let client = ours.as_client();
    let none = SendOptions::default;

    for (kind, expected) in [("text", "text"), ("location", "location"), ("contact", "contact")] {
        let sent = peer.as_peer().send_built(&to_us, kind, "Zoë", None).await.unwrap();
        let EventKind::Message(message) = ours.event_of(&sent.message_id).await else { panic!("{kind}") };
        assert_eq!((message.content.kind(), message.text.as_deref()), (expected, Some("Zoë")));
    }
    // The peer's text, edited and taken back.
    let text = peer.as_peer().send_built(&to_us, "text", "before", None).await.unwrap().message_id;
    ours.event_of(&text).await;
    let own = |id: &str| Target { id: id.to_owned(), from_me: true, sender: ana.jid().to_string() };
    let edit = peer.as_peer().send_built(&to_us, "edit", "after", Some(&own(&text))).await.unwrap();
    let EventKind::Addon(addon) = ours.event_of(&edit.message_id).await else { panic!("an edit") };
    assert_eq!(addon.target.message_id, text);
    assert!(matches!(&addon.what, Addon::Edit(it) if it.content.body().as_deref() == Some("after")));
    let revoke = peer.as_peer().send_built(&to_us, "revoke", "", Some(&own(&text))).await.unwrap();
    let EventKind::Addon(addon) = ours.event_of(&revoke.message_id).await else { panic!("a revoke") };
    assert!(matches!(&addon.what, Addon::Revoke(_)) && addon.target.message_id == text);

    // A text of ours, reacted to, pinned, edited, taken back.
    let draft = Draft::new(Content::Text(Text::new("ours")));
    let sent = client.send(&to_peer, draft, none()).await.unwrap().message_id;
    peer.as_peer().message_of(&sent).await.unwrap();
    let foreign = Target { id: sent.clone(), from_me: false, sender: ben.jid().to_string() };
    let reacted = peer.as_peer().send_built(&to_us, "reaction", "👍", Some(&foreign)).await.unwrap();
    let EventKind::Addon(addon) = ours.event_of(&reacted.message_id).await else { panic!("a reaction") };
    assert!(addon.target.from_me && addon.target.message_id == sent);
    assert!(matches!(&addon.what, Addon::Reaction(it) if it.emoji.as_deref() == Some("👍")));
    let pinned = peer.as_peer().send_built(&to_us, "pin", "", Some(&foreign)).await.unwrap();
    let EventKind::Addon(addon) = ours.event_of(&pinned.message_id).await else { panic!("a pin") };
    assert!(matches!(&addon.what, Addon::Pin(it) if it.pinned && it.duration == Some(86_400)));
    let reacted = client
        .react(&to_peer, &MessageKey { message_id: sent.clone(), sender: None }, Some("🐦"), none())
        .await
        .unwrap();
    assert_eq!(peer.as_peer().message_of(&reacted.message_id).await.unwrap().content, "reactionMessage");

    // Polls both ways; votes are read with the secret of the poll.
    let poll = peer.as_peer().send_built(&to_us, "poll", "Lunch?", None).await.unwrap().message_id;
    let EventKind::Message(message) = ours.event_of(&poll).await else { panic!("a poll") };
    assert!(matches!(&message.content, Content::Poll(poll) if poll.options == ["Soup", "Tea"]));
    let key = MessageKey { message_id: poll, sender: None };
    let vote = client.vote_poll(&to_peer, &key, &["Tea".to_owned()], none()).await.unwrap();
    let heard = peer.as_peer().message_of(&vote.message_id).await.unwrap();
    assert_eq!(heard.content, "pollUpdateMessage");
    if program == Program::Whatsmeow {
        assert_eq!(heard.vote, Some(vec![hex::encode(option_hash("Tea"))]));
        let options = ["Soup", "Tea"].map(str::to_owned).to_vec();
        let draft = Draft::new(Content::Poll(Poll { name: "?".to_owned(), options, ..Poll::default() }));
        let asked = client.send(&to_peer, draft, none()).await.unwrap().message_id;
        let seen = peer.as_peer().message_of(&asked).await.unwrap();
        let foreign = Target { id: asked.clone(), from_me: false, sender: seen.sender };
        let vote = peer.as_peer().send_built(&to_us, "vote", "Soup", Some(&foreign)).await.unwrap();
        let EventKind::Addon(addon) = ours.event_of(&vote.message_id).await else { panic!("a vote") };
        assert_eq!((addon.target.message_id, addon.options), (asked, vec!["Soup".to_owned()]));
    }
    if program == Program::Baileys {
        let planned = peer.as_peer().send_built(&to_us, "event", "Walk", None).await.unwrap().message_id;
        let EventKind::Message(message) = ours.event_of(&planned).await else { panic!("an event") };
        let Content::Event(Planned { name, starts_at, .. }) = &message.content else { panic!("an event") };
        assert_eq!((name.as_str(), *starts_at), ("Walk", Some(1_900_000_000)));
        let key = MessageKey { message_id: planned, sender: None };
        let answer = client.answer_event(&to_peer, &key, Going::Going, None, none()).await.unwrap();
        let heard = peer.as_peer().message_of(&answer.message_id).await.unwrap();
        assert_eq!(heard.content, "encEventResponseMessage");
    }
    assert!(stage.sandbox.violations().is_empty());
}

#[tokio::test]
async fn what_baileys_builds_and_does_is_understood() {
    built(Program::Baileys, "built-baileys").await;
}

#[tokio::test]
async fn what_whatsmeow_builds_and_does_is_understood() {
    built(Program::Whatsmeow, "built-whatsmeow").await;
}
