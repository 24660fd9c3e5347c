//! A peer that loses again and again what it agreed on with us: every text is read in the end, and nobody asks for one
//! without end.

use whimbrel_interop::Program;

use crate::support::{Stage, Talk};
use crate::whimbrel_with;

/// How often the peer forgets.
const LOSSES: usize = 100;

/// The most that a reader may ask for one message.
const MOST_RETRIES: usize = 4;

#[tokio::test]
async fn every_text_is_read_though_baileys_forgets_its_sessions() {
    tell(Program::Baileys, "forgetful-baileys").await;
}

#[tokio::test]
async fn every_text_is_read_though_whatsmeow_forgets_its_sessions() {
    tell(Program::Whatsmeow, "forgetful-whatsmeow").await;
}

async fn tell(program: Program, story: &str) {
    let stage = Stage::new(story).await;
    let (whimbrel, peer) = whimbrel_with::ana_and_ben(&stage, program).await;
    let mut talk = Talk::between(&whimbrel, &peer);
    talk.both_say(3).await;
    for loss in 0..LOSSES {
        peer.forgets(whimbrel.phone()).await;
        match loss % 10 {
            // It cannot read what comes next.
            0 | 4 | 8 => {
                talk.left_says(1).await;
                talk.right_hears().await;
            }
            // It speaks first.
            1 | 3 | 5 | 7 => {
                talk.right_says(1).await;
                talk.left_hears().await;
            }
            // Several at once, which it asks for each.
            2 | 6 => {
                talk.left_says(3).await;
                talk.right_hears_somehow().await;
                talk.right_says(1).await;
                talk.left_hears().await;
            }
            // It speaks while ours is away, and forgets again before it hears an answer.
            _ => {
                whimbrel.leave().await;
                talk.right_says(1).await;
                whimbrel.come_back().await;
                talk.left_hears().await;
            }
        }
    }
    let (most, all) = stage.retries();
    assert!(most <= MOST_RETRIES, "a message was asked for {most} times");
    // It did forget; and each loss costs what was on its way, not more.
    assert!((LOSSES / 2..=LOSSES * MOST_RETRIES).contains(&all), "{all} retry receipts");
    talk.ends(&stage).await;
    stage.finish();
}
