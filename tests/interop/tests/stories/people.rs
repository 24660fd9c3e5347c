//! Who is registered, what devices people have, who is online and who writes: asked and told between a client of ours
//! and Baileys or whatsmeow.

use serde_json::{Value, json};
use whimbrel::events::{ChatState, EventKind};
use whimbrel::{Availability, CallOptions, NumberStatus};
use whimbrel_interop::{Event, Program};

use crate::support::{Device, Stage};

const NOBODY: &str = "31600000000";

async fn lookups(program: Program, story: &str) {
    let stage = Stage::new(story).await;
    let (ana, ben) = (stage.person("15550001", "Ana").await, stage.person("15550002", "Ben").await);
    let (peer, ours) = (stage.peer(program, &ana).await, stage.whimbrel(&ben).await);
    let (client, them, options) = (ours.as_client(), peer.as_peer(), CallOptions::default);
    ben.set_about("on the pond").await.unwrap();
    match program {
        Program::Baileys => {
            let found = them.call("onWhatsApp", json!(["+15550002", format!("+{NOBODY}")])).await.unwrap();
            let found = found.as_array().unwrap();
            assert_eq!(found.len(), 1, "{found:?}");
            assert_eq!(found.first().and_then(|one| one.get("jid")), Some(&json!(ben.jid().to_string())));
            let about = them.call("fetchStatus", json!([ben.jid().to_string()])).await.unwrap();
            assert_eq!(about.pointer("/0/status/status"), Some(&json!("on the pond")), "{about}");
        }
        Program::Whatsmeow => {
            let found =
                them.call("IsOnWhatsApp", json!([["+15550002", format!("+{NOBODY}")]])).await.unwrap();
            let registered = |query: &str| {
                let mut answers = found.as_array().unwrap().iter();
                let answer = answers.find(|answer| answer.get("Query") == Some(&json!(query)));
                answer.is_some_and(|answer| answer.get("IsIn") == Some(&json!(true)))
            };
            assert!(registered("+15550002") && !registered(&format!("+{NOBODY}")), "{found}");
            let info = them.call("GetUserInfo", json!([[ben.jid().to_string()]])).await.unwrap();
            let info: Vec<&Value> = info.as_object().unwrap().values().collect();
            assert_eq!(
                info.first().and_then(|person| person.get("Status")),
                Some(&json!("on the pond")),
                "{info:?}"
            );
            // The phone and the companion.
            let devices = info.first().and_then(|person| person.get("Devices")?.as_array()).map(Vec::len);
            assert_eq!(devices, Some(2), "{info:?}");
        }
    }
    let checked = client.check_numbers(&["15550001".to_owned(), NOBODY.to_owned()], options()).await.unwrap();
    let statuses: Vec<NumberStatus> = checked.iter().map(|check| check.status).collect();
    assert_eq!(statuses, [NumberStatus::Registered, NumberStatus::NotRegistered]);
    let about = "by the river";
    ana.set_about(about).await.unwrap();
    let told = client.user_info(&[ana.jid()], options()).await.unwrap();
    assert_eq!(
        told.first().and_then(|person| person.about.as_ref()).map(|said| said.text.as_str()),
        Some(about)
    );
    assert_eq!(told.first().map(|person| person.devices.len()), Some(2));
    stage.is_quiet().await;
    stage.finish();
}

#[tokio::test]
async fn people_are_looked_up_between_whimbrel_and_baileys() {
    lookups(Program::Baileys, "people-baileys").await;
}

#[tokio::test]
async fn people_are_looked_up_between_whimbrel_and_whatsmeow() {
    lookups(Program::Whatsmeow, "people-whatsmeow").await;
}

/// Waits until a peer is told how somebody is.
async fn peer_sees(peer: &Device, wanted: &str) {
    let seen = |event: &Event| match event {
        Event::Presence { state, .. } if state == wanted => Some(()),
        _ => None,
    };
    peer.as_peer().wait_for(wanted, seen).await.unwrap();
}

async fn ours_sees(ours: &Device, wanted: bool) {
    let what = if wanted { "somebody online" } else { "somebody offline" };
    ours.event(what, |event| match event {
        EventKind::Presence(presence) if presence.available == wanted => Some(()),
        _ => None,
    })
    .await;
}

async fn ours_sees_writing(ours: &Device, wanted: ChatState) {
    ours.event("a sign of writing", |event| match event {
        EventKind::ChatState(told) if told.state == wanted => Some(()),
        _ => None,
    })
    .await;
}

async fn presence(program: Program, story: &str) {
    let stage = Stage::new(story).await;
    let (ana, ben) = (stage.person("15550001", "Ana").await, stage.person("15550002", "Ben").await);
    let (peer, ours) = (stage.peer(program, &ana).await, stage.whimbrel(&ben).await);
    // Who has written to each other may see each other.
    ours.hears_from(&peer, "first").await;
    let id = ours.say(&ana, "second").await;
    assert_eq!(peer.hear("the second text").await.id, id);
    let (client, them, options) = (ours.as_client(), peer.as_peer(), CallOptions::default);
    them.send_presence("available").await.unwrap();
    client.set_presence(Availability::Available, options()).await.unwrap();
    let subscribe = match program {
        Program::Baileys => "presenceSubscribe",
        Program::Whatsmeow => "SubscribePresence",
    };
    them.call(subscribe, json!([ben.jid().to_string()])).await.unwrap();
    peer_sees(&peer, "available").await;
    client.watch_presence(&ana.jid(), options()).await.unwrap();
    ours_sees(&ours, true).await;
    for (state, word) in [
        (ChatState::Composing, "composing"),
        (ChatState::Recording, "recording"),
        (ChatState::Paused, "paused"),
    ] {
        client.set_chat_state(&ana.jid(), state, options()).await.unwrap();
        // Baileys tells of a pause as of somebody who is there.
        let told = if program == Program::Baileys && word == "paused" { "available" } else { word };
        peer_sees(&peer, told).await;
        them.send_chat_presence(&ben.jid().to_string(), word).await.unwrap();
        ours_sees_writing(&ours, state).await;
    }
    // Who is offline is told nothing, so the last one to go sees the other go.
    them.send_presence("unavailable").await.unwrap();
    ours_sees(&ours, false).await;
    them.send_presence("available").await.unwrap();
    ours_sees(&ours, true).await;
    client.set_presence(Availability::Unavailable, options()).await.unwrap();
    peer_sees(&peer, "unavailable").await;
    stage.is_quiet().await;
    stage.finish();
}

#[tokio::test]
async fn presence_goes_between_whimbrel_and_baileys() {
    presence(Program::Baileys, "presence-baileys").await;
}

#[tokio::test]
async fn presence_goes_between_whimbrel_and_whatsmeow() {
    presence(Program::Whatsmeow, "presence-whatsmeow").await;
}
