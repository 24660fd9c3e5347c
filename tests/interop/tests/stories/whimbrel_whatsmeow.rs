//! A client of ours and whatsmeow understand each other.

use whimbrel_interop::Program;

use crate::whimbrel_with;

#[tokio::test]
async fn nothing_is_lost_or_comes_twice_while_both_come_and_go() {
    whimbrel_with::through_reconnects(Program::Whatsmeow, "whimbrel-whatsmeow").await;
}

#[tokio::test]
async fn damaged_messages_are_asked_for_again_and_come() {
    whimbrel_with::through_damage(Program::Whatsmeow, "whimbrel-whatsmeow-damage").await;
}

#[tokio::test]
async fn both_may_speak_at_once() {
    whimbrel_with::at_once(Program::Whatsmeow, "whimbrel-whatsmeow-at-once").await;
}
