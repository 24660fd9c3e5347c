//! A client of ours and Baileys understand each other.

use whimbrel_interop::Program;
use whimbrel_sandbox::LidStanding;

use crate::whimbrel_with;

#[tokio::test]
async fn nothing_is_lost_or_comes_twice_while_both_come_and_go() {
    whimbrel_with::through_reconnects(Program::Baileys, "whimbrel-baileys").await;
}

#[tokio::test]
async fn damaged_messages_are_asked_for_again_and_come() {
    whimbrel_with::through_damage(Program::Baileys, "whimbrel-baileys-damage").await;
}

#[tokio::test]
async fn the_own_account_moves_to_lids_in_the_middle_of_a_chat() {
    let (ana, ben) = (LidStanding::Unmigrated, LidStanding::Migrated);
    whimbrel_with::through_migration(Program::Baileys, ana, ben, "whimbrel-baileys-own-lid").await;
}

/// (Not told with whatsmeow, which sends to LIDs only and so cannot write from an account that may not.)
#[tokio::test]
async fn the_other_account_moves_to_lids_in_the_middle_of_a_chat() {
    let (ana, ben) = (LidStanding::Migrated, LidStanding::PnOnly);
    whimbrel_with::through_migration(Program::Baileys, ana, ben, "whimbrel-baileys-other-lid").await;
}
