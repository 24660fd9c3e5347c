//! What must hold in the end.

use std::collections::{BTreeMap, BTreeSet};

use whimbrel_faults::Note;
use whimbrel_sandbox::Event;

use crate::cast::{Cast, Device, Make};
use crate::member::Member;
use crate::mischief::Tally;
use crate::peer::Baileys;
use crate::plan::{Line, Plan};

/// Texts that a client of ours has to hear and has not heard. Not counted is what Baileys spoiled.
pub(crate) fn missing<'p>(cast: &Cast, plan: &'p Plan, index: usize, member: &Member) -> Vec<&'p Line> {
    let account = cast.devices().nth(index).expect("the device exists").account;
    let unheard: Vec<&Line> =
        plan.heard_by(index, account).filter(|line| !member.has_heard(&line.order.text)).collect();
    if unheard.is_empty() {
        return unheard;
    }
    let label = cast.label(cast.devices().nth(index).expect("the device exists"));
    let spoiled = spoiled(cast);
    let by_peer = |line: &Line| {
        let speaker = cast.devices().nth(line.speaker);
        speaker.is_some_and(|speaker| matches!(speaker.make, Make::Baileys(_)))
    };
    let excused = |line: &&Line| {
        by_peer(line) && (spoiled.contains(&line.order.id) || !queued(cast, &label, &line.order.id))
    };
    unheard.into_iter().filter(|line| !excused(line)).collect()
}

/// Ids of messages for which Baileys used a message key that it had used before: it encrypts under
/// another lock than it decrypts. It does not always answer when it is asked for the text again.
fn spoiled(cast: &Cast) -> BTreeSet<String> {
    let theirs: Vec<String> = peers(cast).map(|device| cast.label(device)).collect();
    let violations = cast.sandbox.violations().into_iter();
    violations.filter(|violation| theirs.contains(&violation.sender)).map(|violation| violation.id).collect()
}

/// Whether a message was encrypted for a device at all: when a request of Baileys' fails, as by a
/// cut, it leaves devices out and sends the rest.
fn queued(cast: &Cast, label: &str, message: &str) -> bool {
    cast.sandbox.events().after(0).iter().any(|(_, event)| {
        matches!(event, Event::Queued { device, class, id } if device == label && class == "message" && id == message)
    })
}

fn peers(cast: &Cast) -> impl Iterator<Item = &Device> {
    cast.devices().filter(|device| matches!(device.make, Make::Baileys(_)))
}

/// Asserts everything and prints the figures.
pub(crate) async fn pronounce(cast: &Cast, plan: &Plan, mischief: &Tally) {
    cast.write_events();
    for (index, device) in cast.devices().enumerate() {
        if let Make::Ours(member) = &device.make {
            // Nothing is written any more: what is read below is all there is.
            member.kill().await;
            journal(cast, plan, index, device, member);
        }
    }
    let theirs: Vec<String> = peers(cast).map(|device| cast.label(device)).collect();
    let ours: Vec<_> = cast
        .sandbox
        .violations()
        .into_iter()
        .filter(|violation| !theirs.contains(&violation.sender))
        .collect();
    assert_eq!(ours, [], "a message key was used twice");
    let unlinked = |event: &Event| matches!(event, Event::Unlinked { .. });
    let events = cast.sandbox.events().after(0);
    assert!(!events.iter().any(|(_, event)| unlinked(event)), "a link was lost");
    report(cast, plan, mischief, &events);
}

/// The journal of a client of ours: every text once, in the order of its sender, under one event.
fn journal(cast: &Cast, plan: &Plan, index: usize, device: &Device, member: &Member) {
    let name = member.name();
    let notes = member.notes();
    let mut events: BTreeMap<&str, u64> = BTreeMap::new();
    for note in &notes {
        let known = *events.entry(&note.event).or_insert(note.sequence);
        assert_eq!(known, note.sequence, "{name}: one event under two numbers: {note:?}");
    }
    let mut times: BTreeMap<&str, Vec<&Note>> = BTreeMap::new();
    for note in &notes {
        if let Some(text) = &note.text {
            times.entry(text).or_default().push(note);
        }
    }
    for (text, notes) in &times {
        assert_eq!(notes.len(), 1, "{name}: {text:?} came more than once: {notes:?}");
    }
    // A placeholder holds the place of the text that completes it.
    let place = |note: &Note| {
        let completed = note.completes.as_deref().and_then(|event| events.get(event));
        *completed.unwrap_or(&note.sequence)
    };
    let missing = missing(cast, plan, index, member);
    assert!(missing.is_empty(), "{name}: {} texts are missing", missing.len());
    let mut last: BTreeMap<(usize, &str), (u64, &str)> = BTreeMap::new();
    let mut expected = BTreeSet::new();
    for line in plan.heard_by(index, device.account) {
        let text = line.order.text.as_str();
        expected.insert(text);
        // Baileys hands texts that wait at a login over side by side, and what it spoiled is late.
        let Some(note) = times.get(text).and_then(|notes| notes.first()) else { continue };
        if matches!(cast.devices().nth(line.speaker).map(|speaker| &speaker.make), Some(Make::Baileys(_))) {
            continue;
        }
        let now = (place(note), text);
        if let Some(before) = last.insert((line.speaker, &line.order.chat), now) {
            assert!(before.0 < now.0, "{name}: {:?} came after {text:?}", before.1);
        }
    }
    let strange: Vec<_> = times.keys().filter(|text| !expected.contains(*text)).collect();
    assert!(strange.is_empty(), "{name}: texts for others: {strange:?}");
}

fn report(cast: &Cast, plan: &Plan, mischief: &Tally, events: &[(u64, Event)]) {
    let kills: u32 = cast.members().map(|member| member.kills()).sum();
    println!("{} texts, {kills} kills, {} misfortunes:", plan.lines.len(), mischief.values().sum::<u32>());
    for (name, times) in mischief {
        println!("  {times:>5} × {name}");
    }
    let retries =
        events.iter().filter(|(_, event)| matches!(event, Event::Receipt { kind, .. } if kind == "retry"));
    println!("  {} requests for a message again", retries.count());
    println!("  {} texts spoiled by Baileys' using a key twice", spoiled(cast).len());
    for (index, device) in cast.devices().enumerate() {
        let Make::Baileys(peer) = &device.make else { continue };
        let label = cast.label(device);
        let shown = peer.shown();
        let expected: Vec<_> = plan.heard_by(index, device.account).collect();
        let missed: Vec<_> = expected
            .iter()
            .filter(|line| !shown.contains_key(&line.order.text))
            .map(|line| &line.order.id)
            .collect();
        // It takes a text for a duplicate that it had decrypted, and not shown, when it was cut off.
        let taken_for_known = missed.iter().filter(|id| {
            events.iter().any(|(_, event)| {
                matches!(event, Event::Settled { device, id: settled, error: Some(error), .. }
                    if *device == label && settled == **id && error == "487")
            })
        });
        println!(
            "  {label} (Baileys) showed {} of {} texts, and took {} for known",
            expected.len() - missed.len(),
            expected.len(),
            taken_for_known.count()
        );
        for id in missed {
            assert!(queued(cast, &label, id), "{id} was not encrypted for {label}");
        }
    }
}

/// How many of the texts for it a client of Baileys has shown.
pub(crate) fn shown(plan: &Plan, index: usize, device: &Device, peer: &Baileys) -> usize {
    let shown = peer.shown();
    plan.heard_by(index, device.account).filter(|line| shown.contains_key(&line.order.text)).count()
}
