//! What goes wrong, at seeded points of the conversation.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use tokio::sync::watch;
use whimbrel_sandbox::phone::Phone;
use whimbrel_sandbox::{Event, Fault, FaultRule, Sandbox, StanzaMatch};

use crate::STUCK;
use crate::cast::{Cast, Device, Make};
use crate::member::Member;

/// Texts that the service takes between two misfortunes, at most.
const PEACE: u32 = 8;

const SPARED: &str = "spared: not there, or busy with an earlier one";

/// How often each misfortune happened, by name.
pub(crate) type Tally = BTreeMap<&'static str, u32>;

/// What a misfortune may hit.
struct Victim<'c> {
    label: String,
    phone: &'c Phone,
    ours: Option<&'c Arc<Member>>,
    /// Something already waits for its occasion.
    waits: bool,
}

impl<'c> Victim<'c> {
    /// Nothing, if the device is not there; with Baileys also if it has not recovered from the last
    /// misfortune: hit faster than it comes back, it would never say a word.
    fn of(cast: &'c Cast, device: &'c Device) -> Option<Self> {
        if !device.is_here() {
            return None;
        }
        let label = cast.label(device);
        let faults = cast.sandbox.state().faults;
        let waits = faults.iter().any(|rule| rule.device.as_ref() == Some(&label));
        let ours = match &device.make {
            Make::Ours(member) => Some(member),
            Make::Baileys(peer) if peer.is_connected() && !waits => None,
            Make::Baileys(_) => return None,
        };
        Some(Self { label, phone: cast.phone(device.account), ours, waits })
    }
}

/// Whenever the service has taken some more texts, something goes wrong; until it is over. What
/// has not struck by then is taken back.
pub(crate) async fn go_wrong(seed: u64, cast: &Cast, mut over: watch::Receiver<bool>) -> Tally {
    let mut rng = ChaCha20Rng::seed_from_u64(seed ^ 0x6d69_7363);
    let log = cast.sandbox.events();
    let mut tally = Tally::new();
    let mut newest = log.newest();
    loop {
        let texts = 1 + rng.next_u32() % PEACE;
        for _ in 0..texts {
            let accepted = |event: &Event| matches!(event, Event::Accepted { .. });
            let next = tokio::select! {
                _ = over.wait_for(|over| *over) => None,
                next = log.wait_for_after(newest, accepted, STUCK) => next.ok(),
            };
            let Some((number, _)) = next else {
                cast.sandbox.clear_faults();
                return tally;
            };
            newest = number;
        }
        let devices: Vec<_> = cast.devices().collect();
        let device = devices[rng.next_u32() as usize % devices.len()];
        let name = match Victim::of(cast, device) {
            Some(victim) => strike(&cast.sandbox, &victim, &mut rng).await,
            None => SPARED,
        };
        *tally.entry(name).or_default() += 1;
    }
}

async fn strike(sandbox: &Sandbox, victim: &Victim<'_>, rng: &mut ChaCha20Rng) -> &'static str {
    let skip = rng.next_u32() % 4;
    let pause = u64::from(rng.next_u32() % 300);
    let rule = |fault: Fault, tag: &str| {
        let rule = FaultRule::new(fault).device(&*victim.label).stanza(StanzaMatch::tag(tag)).skip(skip);
        sandbox.add_fault(rule);
    };
    let kind = rng.next_u32() % 18;
    // Only one at a time waits for its occasion; killing, cutting and forgetting happen at once.
    if victim.waits && (5..17).contains(&kind) {
        return SPARED;
    }
    match kind {
        0..4 => {
            let Some(member) = victim.ours else {
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
