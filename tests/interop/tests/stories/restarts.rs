//! The host's process ends and starts again in the middle of a chat, while the peer goes on.

use whimbrel_interop::Program;

use crate::support::{Stage, Talk};
use crate::whimbrel_with;

#[tokio::test]
async fn what_baileys_sends_while_our_process_is_down_comes_once() {
    tell(Program::Baileys, "restarts-baileys").await;
}

#[tokio::test]
async fn what_whatsmeow_sends_while_our_process_is_down_comes_once() {
    tell(Program::Whatsmeow, "restarts-whatsmeow").await;
}

async fn tell(program: Program, story: &str) {
    let stage = Stage::new(story).await;
    let (whimbrel, peer) = whimbrel_with::ana_and_ben(&stage, program).await;
    let mut talk = Talk::between(&whimbrel, &peer);
    talk.both_say(5).await;
    for restart in 0..5 {
        // What comes just before the end may be on its way, recorded, or shown.
        talk.right_says(restart).await;
        whimbrel.is_restarted(async { talk.right_says(20).await }).await;
        talk.left_hears().await;
        talk.both_say(3).await;
        talk.both_quote().await;
    }
    // In the middle of the offline queue: closed again as soon as it is connected.
    whimbrel.is_restarted(async { talk.right_says(40).await }).await;
    whimbrel.is_restarted(async {}).await;
    talk.left_hears().await;
    talk.both_say(30).await;
    talk.ends(&stage).await;
    stage.finish();
}
