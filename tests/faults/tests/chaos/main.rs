//! Four clients of ours and two of Baileys chat in direct chats and groups while connections are
//! cut, messages damaged and doubled, our clients killed, members of the groups come and go, and one
//! more device of ours joins and another one leaves: every text arrives exactly once in every journal
//! that it belongs in, in the order of its sender, no link is lost, and no message key is used twice.
//!
//! `WHIMBREL_SEED` replaces the fixed seeds, `WHIMBREL_MESSAGES` the number of texts.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is the report of a failed test"
)]

mod attendance;
mod cast;
mod floor;
mod ledger;
mod member;
mod mischief;
mod peer;
mod plan;
mod turnover;
mod verdict;

use std::sync::Arc;
use std::time::{Duration, Instant};

use cast::Cast;
use floor::Floor;
use plan::Plan;

/// Texts of a run that CI makes.
const TEXTS: usize = 600;

/// Seeds of the runs that CI makes.
const SEEDS: [u64; 1] = [1];

/// How long nothing may move before the run is stuck.
const STUCK: Duration = Duration::from_secs(90);

async fn run(seed: u64, texts: usize) {
    println!("WHIMBREL_SEED={seed} WHIMBREL_MESSAGES={texts}");
    let started = Instant::now();
    let cast = Cast::assemble(seed).await;
    println!("linked {} devices in {:.1} s", cast.count_here(), started.elapsed().as_secs_f32());
    let plan = Arc::new(Plan::new(seed, texts, &cast));
    let floor = Arc::new(Floor::new(Arc::clone(&plan), cast.sandbox.events(), cast.moved.clone()));
    let speaking = Instant::now();
    let (over, ending) = tokio::sync::watch::channel(false);
    let conversation = async {
        tokio::join!(cast.say_everything(&plan, &floor), turnover::go_on(&cast, &plan, &floor));
        over.send_replace(true);
    };
    let (mischief, ()) = tokio::join!(mischief::go_wrong(seed, &cast, ending), conversation);
    println!("said everything in {:.1} s", speaking.elapsed().as_secs_f32());
    cast.hear_everything(&plan, &floor).await;
    println!("heard everything in {:.1} s", speaking.elapsed().as_secs_f32());
    verdict::pronounce(&cast, &plan, &floor, &mischief).await;
    println!("seed {seed}: {texts} texts in {:.1} s", started.elapsed().as_secs_f32());
    cast.dismiss().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_loses_nothing_and_doubles_nothing() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let texts = number("WHIMBREL_MESSAGES").map_or(TEXTS, |texts| usize::try_from(texts).unwrap());
    match number("WHIMBREL_SEED") {
        Some(seed) => run(seed, texts).await,
        None => {
            for seed in SEEDS {
                run(seed, texts).await;
            }
        }
    }
}
