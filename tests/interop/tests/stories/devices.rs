//! Two persons with two devices each, of ours and of both peers: devices are linked and unlinked in the middle of the
//! conversation, and every device shows every text once.

use whimbrel_interop::Program;
use whimbrel_sandbox::{Addressing, Group, NewGroup};

use crate::support::{Circle, Stage};

const ANA: &str = "15550001";
const BEN: &str = "15550002";

#[tokio::test]
async fn devices_are_linked_and_unlinked_in_the_middle_of_a_direct_chat() {
    tell(None, "devices-direct").await;
}

#[tokio::test]
async fn devices_are_linked_and_unlinked_in_the_middle_of_a_group_that_names_hidden_numbers() {
    tell(Some(Addressing::Lid), "devices-group-lid").await;
}

#[tokio::test]
async fn devices_are_linked_and_unlinked_in_the_middle_of_a_group_that_names_phone_numbers() {
    tell(Some(Addressing::Pn), "devices-group-pn").await;
}

async fn tell(group: Option<Addressing>, story: &str) {
    let stage = Stage::new(story).await;
    let (ana, ben) = (stage.person(ANA, "Ana").await, stage.person(BEN, "Ben").await);
    let (baileys, whatsmeow) =
        tokio::join!(stage.peer(Program::Baileys, &ben), stage.peer(Program::Whatsmeow, &ben));
    let (first, second) = (stage.whimbrel(&ana).await, stage.whimbrel(&ana).await);
    let group = group.map(|addressing| group_of_both(&stage, addressing));
    stage.is_quiet().await;
    let devices = [&first, &second, &baileys, &whatsmeow];
    let mut circle = match &group {
        Some(group) => Circle::new(group, &devices, &[&ana, &ben]),
        None => Circle::direct([&ana, &ben], &devices),
    };
    circle.all_say(3).await;

    // One more on each side, and the newcomer speaks first. (All hear of it before; see `whimbrel_group`.)
    let third = stage.whimbrel(&ana).await;
    stage.is_quiet().await;
    circle.joins(&third);
    circle.says(&third.label(), 2).await;
    circle.hear().await;
    circle.all_say(2).await;
    // The list that comes with the last one says that the account was made anew: ours begins with all of its
    // companions anew, the peers do not mind.
    ben.change_raw_id().await.unwrap();
    let other_baileys = stage.peer(Program::Baileys, &ben).await;
    stage.is_quiet().await;
    circle.joins(&other_baileys);
    circle.all_say(2).await;

    // One leaves on each side, by its own will.
    for leaves in [&first, &whatsmeow] {
        circle.drops_out(leaves).await;
        stage.is_quiet().await;
        leaves.unlink().await;
        stage.is_quiet().await;
        circle.all_say(2).await;
    }

    // A device is away while others come and go.
    circle.goes_away(&second).await;
    let other_whatsmeow = stage.peer(Program::Whatsmeow, &ben).await;
    stage.is_quiet().await;
    circle.joins(&other_whatsmeow);
    circle.says(&other_whatsmeow.label(), 2).await;
    circle.hear().await;
    circle.drops_out(&baileys).await;
    stage.is_quiet().await;
    baileys.unlink().await;
    stage.is_quiet().await;
    circle.says(&other_baileys.label(), 2).await;
    circle.says(&third.label(), 2).await;
    circle.hear().await;
    circle.comes_back(&second).await;
    circle.all_say(2).await;
    circle.ends(60).await;
    stage.finish();
}

fn group_of_both(stage: &Stage, addressing: Addressing) -> Group {
    let group = NewGroup {
        creator: ANA.to_owned(),
        subject: "Birds".to_owned(),
        members: vec![BEN.to_owned()],
        addressing: Some(addressing),
    };
    stage.sandbox.create_group(&group).unwrap()
}
