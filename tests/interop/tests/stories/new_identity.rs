//! A phone is set up anew, or a device is linked again: the other side is told, and nothing is lost afterwards.

use whimbrel_interop::Program;
use whimbrel_sandbox::{Addressing, Group, NewGroup};

use crate::support::{Circle, Device, Stage};

const ANA: &str = "15550001";
const BEN: &str = "15550002";
const CLEO: &str = "15550003";

#[tokio::test]
async fn a_phone_that_baileys_is_linked_to_is_set_up_anew() {
    tell(Program::Baileys, "new-identity-baileys").await;
}

#[tokio::test]
async fn a_phone_that_whatsmeow_is_linked_to_is_set_up_anew() {
    tell(Program::Whatsmeow, "new-identity-whatsmeow").await;
}

/// Ana has a client of ours, Ben the peer; Cleo's phone is in the groups. (A third peer is not: Baileys answers a phone
/// that cannot read a group's text with copies for the phone's companions too, and whatsmeow shows the text twice.)
async fn tell(program: Program, story: &str) {
    let stage = Stage::new(story).await;
    let ana = stage.person(ANA, "Ana").await;
    let ben = stage.person(BEN, "Ben").await;
    let cleo = stage.person(CLEO, "Cleo").await;
    let peer = stage.peer(program, &ben).await;
    let whimbrel = stage.whimbrel(&ana).await;
    let groups = [Addressing::Lid, Addressing::Pn].map(|addressing| group(&stage, addressing));
    stage.is_quiet().await;
    let mut chats = Chats(vec![Circle::direct([&ana, &ben], &[&whimbrel, &peer])]);
    for group in &groups {
        chats.0.push(Circle::new(group, &[&whimbrel, &peer], &[&ana, &ben, &cleo]));
    }
    chats.all_say().await;

    // Ben's phone is another one now; his companion is no more.
    chats.drops_out(&peer).await;
    stage.is_quiet().await;
    stage.sandbox.reinstall(&ben).await.unwrap();
    peer.as_peer().logged_out().await.unwrap();
    whimbrel.sees_identity_change(&ben).await;
    stage.is_quiet().await;
    chats.all_say().await;
    let second = stage.peer(program, &ben).await;
    stage.is_quiet().await;
    chats.joins(&second);
    chats.all_say().await;

    // The companion alone is linked again, with new keys of its own.
    chats.drops_out(&second).await;
    stage.is_quiet().await;
    second.unlink().await;
    let third = stage.peer(program, &ben).await;
    stage.is_quiet().await;
    chats.joins(&third);
    chats.all_say().await;

    // While ours is away.
    chats.drops_out(&third).await;
    stage.is_quiet().await;
    for chat in &mut chats.0 {
        chat.is_away(&whimbrel, true);
    }
    whimbrel.leave().await;
    stage.sandbox.reinstall(&ben).await.unwrap();
    third.as_peer().logged_out().await.unwrap();
    let fourth = stage.peer(program, &ben).await;
    stage.is_quiet().await;
    chats.joins(&fourth);
    for chat in &mut chats.0 {
        chat.says(&fourth.label(), 1).await;
        chat.hear().await;
    }
    whimbrel.come_back().await;
    for chat in &mut chats.0 {
        chat.is_away(&whimbrel, false);
        chat.hear().await;
    }
    whimbrel.sees_identity_change(&ben).await;
    stage.is_quiet().await;
    chats.all_say().await;

    // Our own phone, and with it our link.
    chats.drops_out(&whimbrel).await;
    stage.is_quiet().await;
    stage.sandbox.reinstall(&ana).await.unwrap();
    whimbrel.is_logged_out().await;
    let ours = stage.whimbrel(&ana).await;
    stage.is_quiet().await;
    if program == Program::Baileys {
        // It goes on to ask for keys of the device that is no more, and sends nothing since there are none, until it
        // makes another socket, with another list of devices.
        fourth.leave().await;
        fourth.come_back().await;
    }
    chats.joins(&ours);
    chats.all_say().await;
    // A device that is unlinked may take receipts with it that it still had to send.
    for mut chat in chats.0 {
        chat.all_say(1).await;
        chat.ends_with_texts(30).await;
    }
    stage.finish();
}

/// All chats of the story.
struct Chats<'a>(Vec<Circle<'a>>);

impl<'a> Chats<'a> {
    async fn all_say(&mut self) {
        for chat in &mut self.0 {
            chat.all_say(2).await;
        }
    }

    fn joins(&mut self, device: &'a Device) {
        for chat in &mut self.0 {
            chat.joins(device);
        }
    }

    async fn drops_out(&mut self, device: &Device) {
        for chat in &mut self.0 {
            chat.drops_out(device).await;
        }
    }
}

fn group(stage: &Stage, addressing: Addressing) -> Group {
    let group = NewGroup {
        creator: ANA.to_owned(),
        subject: "Birds".to_owned(),
        members: vec![BEN.to_owned(), CLEO.to_owned()],
        addressing: Some(addressing),
    };
    stage.sandbox.create_group(&group).unwrap()
}
