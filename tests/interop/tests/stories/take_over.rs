//! A link changes hands and its peers notice nothing: not one of them has to ask for a message again.

use whimbrel::ImportSource;
use whimbrel_interop::Program;
use whimbrel_sandbox::{Addressing, Event, Group, NewGroup};

use crate::support::{Circle, Device, Stage, Talk};

const ANA: &str = "15550001";
const BEN: &str = "15550002";
const CLEO: &str = "15550003";

#[tokio::test]
async fn what_baileys_began_whimbrel_goes_on_with() {
    take_over(Program::Baileys, "take-over-baileys").await;
}

#[tokio::test]
async fn what_whatsmeow_began_whimbrel_goes_on_with() {
    take_over(Program::Whatsmeow, "take-over-whatsmeow").await;
}

#[tokio::test]
async fn what_whimbrel_began_another_engine_goes_on_with() {
    let stage = Stage::new("take-over-whimbrel").await;
    let ana = stage.person(ANA, "Ana").await;
    let ben = stage.person(BEN, "Ben").await;
    let peer = stage.peer(Program::Baileys, &ben).await;
    let old = stage.whimbrel(&ana).await;
    Talk::between(&old, &peer).both_say(10).await;
    let groups = groups(&stage, &[BEN]).await;
    for group in &groups {
        Circle::new(group, &[&old, &peer], &[]).all_say(2).await;
    }

    let file = stage.new_store();
    old.export(&file, "eight wading birds").await;
    let waiting = peer.say(&ana, "while you move").await;
    let waiting_too = say_in_each(&peer, &groups).await;
    let source = ImportSource::Export { file, passphrase: "eight wading birds".into() };
    let new = stage.imported(source, &ana, old.number()).await;
    assert_eq!(new.hear("what came meanwhile").await.id, waiting);
    hears_in_each(&new, &waiting_too).await;
    Talk::between(&new, &peer).both_say(10).await;
    for group in &groups {
        Circle::new(group, &[&new, &peer], &[]).all_say(2).await;
    }
    nobody_asked_again(&stage);
    stage.finish();
}

/// A program that is not ours chats with both makes of peers, and stops; its files are imported.
async fn take_over(program: Program, story: &str) {
    let stage = Stage::new(story).await;
    let ana = stage.person(ANA, "Ana").await;
    let ben = stage.person(BEN, "Ben").await;
    let cleo = stage.person(CLEO, "Cleo").await;
    let store = stage.new_store();
    let old = stage.peer_at(&store, program, &ana).await;
    let baileys = stage.peer(Program::Baileys, &ben).await;
    let whatsmeow = stage.peer(Program::Whatsmeow, &cleo).await;
    for peer in [&baileys, &whatsmeow] {
        Talk::between(&old, peer).both_say(5).await;
    }
    let groups = groups(&stage, &[BEN, CLEO]).await;
    for group in &groups {
        Circle::new(group, &[&old, &baileys, &whatsmeow], &[]).all_say(2).await;
    }
    // The last word is the old program's, so that its sending chain is in use when it stops; with the other
    // peer it is the peer's.
    let last = old.say(&ben, "the last word").await;
    assert_eq!(baileys.hear("the last word").await.id, last);
    old.leave().await;
    old.quit().await;

    let waiting = whatsmeow.say(&ana, "while you move").await;
    let waiting_too = say_in_each(&baileys, &groups).await;
    hears_in_each(&whatsmeow, &waiting_too).await;
    let new = stage.imported(source(program, store), &ana, old.number()).await;
    assert_eq!(new.hear("what came meanwhile").await.id, waiting);
    hears_in_each(&new, &waiting_too).await;
    for peer in [&baileys, &whatsmeow] {
        let mut talk = Talk::between(&new, peer);
        talk.both_say(10).await;
        talk.both_quote().await;
    }
    // And the other way round: the peer speaks first.
    for peer in [&whatsmeow, &baileys] {
        Talk::between(peer, &new).both_say(5).await;
    }
    // In groups what the others say opens with the keys that they gave to the old program.
    for group in &groups {
        let mut circle = Circle::new(group, &[&baileys, &new, &whatsmeow], &[]);
        circle.all_say(3).await;
        circle.all_quote().await;
    }
    nobody_asked_again(&stage);
    stage.finish();
}

fn source(program: Program, store: std::path::PathBuf) -> ImportSource {
    match program {
        Program::Baileys => ImportSource::Baileys { folder: store },
        Program::Whatsmeow => ImportSource::Whatsmeow { database: store.join("whatsmeow.db"), account: None },
    }
}

/// Groups of Ana's, one for each way of naming members; all know of them.
async fn groups(stage: &Stage, others: &[&str]) -> [Group; 2] {
    let groups = [Addressing::Lid, Addressing::Pn].map(|addressing| {
        let group = NewGroup {
            creator: ANA.to_owned(),
            subject: "Birds".to_owned(),
            members: others.iter().map(|number| (*number).to_owned()).collect(),
            addressing: Some(addressing),
        };
        stage.sandbox.create_group(&group).unwrap()
    });
    stage.is_quiet().await;
    groups
}

async fn say_in_each(device: &Device, groups: &[Group]) -> Vec<String> {
    let mut ids = Vec::new();
    for group in groups {
        ids.push(device.say_in(&group.jid().to_string(), "while you move").await);
    }
    ids
}

async fn hears_in_each(device: &Device, ids: &[String]) {
    for id in ids {
        assert_eq!(device.hear("what was said in a group").await.id, *id);
    }
}

fn nobody_asked_again(stage: &Stage) {
    let asked: Vec<_> = stage
        .sandbox
        .events()
        .after(0)
        .into_iter()
        .filter(|(_, event)| matches!(event, Event::Receipt { kind, .. } if kind == "retry"))
        .collect();
    assert!(asked.is_empty(), "{asked:?}");
}

impl Device {
    /// The number of the device in its account.
    fn number(&self) -> u16 {
        self.label().rsplit(':').next().unwrap().parse().unwrap()
    }
}
