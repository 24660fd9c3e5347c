//! A client of ours and Baileys understand each other.

use whimbrel_interop::Program;

use crate::whimbrel_with;

#[tokio::test]
async fn nothing_is_lost_or_comes_twice_while_both_come_and_go() {
    whimbrel_with::through_reconnects(Program::Baileys, "whimbrel-baileys").await;
}

#[tokio::test]
async fn damaged_messages_are_asked_for_again_and_come() {
    whimbrel_with::through_damage(Program::Baileys, "whimbrel-baileys-damage").await;
}
