//! A client of ours and whatsmeow understand each other.

use whimbrel_interop::Program;
use whimbrel_sandbox::LidStanding;

use crate::support::{Stage, Talk};
use crate::whimbrel_with;

#[tokio::test]
async fn nothing_is_lost_or_comes_twice_while_both_come_and_go() {
    whimbrel_with::through_reconnects(Program::Whatsmeow, "whimbrel-whatsmeow").await;
}

#[tokio::test]
async fn damaged_messages_are_asked_for_again_and_come() {
    whimbrel_with::through_damage(Program::Whatsmeow, "whimbrel-whatsmeow-damage").await;
}

/// whatsmeow uses message keys twice when it sends while it receives. Ours never does, and asks again for what it
/// cannot read for that reason. (Not told with Baileys, which gives up answering when that happens often.)
#[tokio::test]
async fn both_may_speak_at_once() {
    let stage = Stage::new("whimbrel-whatsmeow-at-once").await;
    let (whimbrel, peer) = whimbrel_with::ana_and_ben(&stage, Program::Whatsmeow).await;
    let mut talk = Talk::between(&whimbrel, &peer);
    talk.both_say(1).await;
    talk.both_say_at_once(50).await;
    assert!(stage.sandbox.violations().iter().all(|twice| twice.sender != whimbrel.label()));
}

#[tokio::test]
async fn the_own_account_moves_to_lids_in_the_middle_of_a_chat() {
    let (ana, ben) = (LidStanding::Unmigrated, LidStanding::Migrated);
    whimbrel_with::through_migration(Program::Whatsmeow, ana, ben, "whimbrel-whatsmeow-own-lid").await;
}
