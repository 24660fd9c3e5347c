//! Baileys and whatsmeow chat with each other: the sandbox between two clients that know nothing of it.

use whimbrel_interop::Program;

use crate::support::{Stage, Talk};

#[tokio::test]
async fn fifty_texts_each_way_arrive_in_order_are_reported_and_reach_the_phones() {
    let stage = Stage::new("peers-chat").await;
    let ana = stage.person("15550001", "Ana").await;
    let ben = stage.person("15550002", "Ben").await;
    let baileys = stage.peer(Program::Baileys, &ana).await;
    let whatsmeow = stage.peer(Program::Whatsmeow, &ben).await;

    let mut talk = Talk::between(&baileys, &whatsmeow);
    for _ in 0..5 {
        talk.left_says(10).await;
        talk.right_hears().await;
        talk.right_says(10).await;
        talk.left_hears().await;
    }
    talk.both_quote().await;
    talk.ends(&stage).await;
    stage.finish();
}
