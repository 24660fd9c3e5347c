//! What goes wrong, at seeded points of the conversation.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use whimbrel_sandbox::phone::Phone;
use whimbrel_sandbox::{Event, Fault, FaultRule, Sandbox, StanzaMatch};

use crate::STUCK;
use crate::cast::{Cast, Make};
use crate::member::Member;

/// Texts that the service takes between two misfortunes, at most.
const PEACE: u32 = 8;

/// How often each misfortune happened, by name.
pub(crate) type Tally = BTreeMap<&'static str, u32>;

/// What a misfortune may hit.
struct Victim {
    label: String,
    phone: Phone,
    ours: Option<Arc<Member>>,
}

/// Misfortunes under way.
pub(crate) struct Mischief {
    over: watch::Sender<bool>,
    task: JoinHandle<Tally>,
    sandbox: Sandbox,
}

impl Mischief {
    /// Begins: whenever the service has taken some more texts, something goes wrong.
    pub(crate) fn begin(seed: u64, cast: &Cast) -> Self {
        let victims = cast.devices().map(|device| Victim {
            label: cast.label(device),
            phone: cast.phone(device.account).clone(),
            ours: match &device.make {
                Make::Ours(member) => Some(Arc::clone(member)),
                Make::Baileys(_) => None,
            },
        });
        let (over, ending) = watch::channel(false);
        let sandbox = cast.sandbox.clone();
        let rng = ChaCha20Rng::seed_from_u64(seed ^ 0x6d69_7363);
        let task = tokio::spawn(go_wrong(sandbox.clone(), victims.collect(), rng, ending));
        Self { over, task, sandbox }
    }

    /// Ends, and takes back what has not struck yet.
    pub(crate) async fn end(self) -> Tally {
        self.over.send_replace(true);
        let tally = self.task.await.unwrap();
        self.sandbox.clear_faults();
        tally
    }
}

async fn go_wrong(
    sandbox: Sandbox,
    victims: Vec<Victim>,
    mut rng: ChaCha20Rng,
    mut over: watch::Receiver<bool>,
) -> Tally {
    let log = sandbox.events();
    let mut tally = Tally::new();
    let mut newest = log.newest();
    loop {
        let texts = 1 + rng.next_u32() % PEACE;
        for _ in 0..texts {
            let accepted = |event: &Event| matches!(event, Event::Accepted { .. });
            let next = tokio::select! {
                _ = over.wait_for(|over| *over) => return tally,
                next = log.wait_for_after(newest, accepted, STUCK) => next,
            };
            match next {
                Ok((number, _)) => newest = number,
                Err(_) => return tally,
            }
        }
        let victim = &victims[rng.next_u32() as usize % victims.len()];
        let name = strike(&sandbox, victim, &mut rng).await;
        *tally.entry(name).or_default() += 1;
    }
}

async fn strike(sandbox: &Sandbox, victim: &Victim, rng: &mut ChaCha20Rng) -> &'static str {
    let skip = rng.next_u32() % 4;
    let pause = u64::from(rng.next_u32() % 300);
    let rule = |fault: Fault, tag: &str| {
        let rule = FaultRule::new(fault).device(&*victim.label).stanza(StanzaMatch::tag(tag)).skip(skip);
        sandbox.add_fault(rule);
    };
    match rng.next_u32() % 18 {
        0..4 => {
            let Some(member) = &victim.ours else {
                sandbox.disconnect(&victim.label);
                return "cut off";
            };
            member.kill_and_start().await;
            "killed"
        }
        4 => {
            sandbox.disconnect(&victim.label);
            "cut off"
        }
        5 => {
            rule(Fault::Cut, "message");
            "cut off before a message was taken"
        }
        6 => {
            rule(Fault::CutBeforeAnswer, "message");
            "cut off before a message was confirmed"
        }
        7 => {
            rule(Fault::Cut, "receipt");
            "cut off before a receipt was taken"
        }
        8 => {
            rule(Fault::Cut, "ack");
            "cut off before an ack was taken"
        }
        // Baileys waits a minute for an answer that got lost with its connection.
        9 if victim.ours.is_some() => {
            rule(Fault::Cut, "iq");
            "cut off at a request"
        }
        9 | 10 => {
            rule(Fault::StreamError { code: Some(515), conflict: None }, "receipt");
            "told to restart"
        }
        11 => {
            rule(Fault::StreamError { code: Some(503), conflict: None }, "message");
            "told that the service is unavailable"
        }
        12 => {
            rule(Fault::Repeat, "message");
            "given a message twice"
        }
        13 => {
            rule(Fault::Corrupt, "message");
            "given a damaged message"
        }
        14 => {
            rule(Fault::RepeatAnswer, "message");
            "given an ack twice"
        }
        15 => {
            rule(Fault::DelayAnswer { ms: pause }, "message");
            "given an ack late"
        }
        16 => {
            rule(Fault::Delay { ms: pause }, "receipt");
            "given a receipt late"
        }
        _ => {
            // The phone forgets what it shares with the device.
            let _ = victim.phone.reset_session(&victim.label);
            "forgotten by its phone"
        }
    }
}
