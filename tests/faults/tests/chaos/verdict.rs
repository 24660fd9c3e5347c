//! What must hold in the end.

use std::collections::{BTreeMap, BTreeSet};

use whimbrel_faults::Note;

use crate::attendance::Due;
use crate::cast::{Account, Cast, Device};
use crate::floor::Floor;
use crate::member::Member;
use crate::mischief::Tally;
use crate::peer::Baileys;
use crate::plan::{Line, Plan};

/// Texts that may be uncertain because of comings and goings, of a hundred.
const UNCERTAIN: usize = 10;

/// Texts that a client of ours has to hear and has not heard.
pub(crate) fn missing<'p>(
    cast: &Cast,
    plan: &'p Plan,
    floor: &Floor,
    index: usize,
    member: &Member,
) -> Vec<&'p Line> {
    let meant = plan.meant_for(index, cast.device(index).account);
    let missing = meant.filter(|(number, line)| {
        // Of what is due for certain, its device is linked.
        !member.has_heard(&line.order.text)
            && cast.due(index, plan, floor, *number) == Due::Must
            && lacks(cast, index, member, line)
    });
    missing.map(|(_, line)| line).collect()
}

/// Whether a client of ours has not heard a text. Not counted is what Baileys spoiled.
pub(crate) fn lacks(cast: &Cast, index: usize, member: &Member, line: &Line) -> bool {
    if member.has_heard(&line.order.text) {
        return false;
    }
    let id = &line.order.id;
    cast.device(line.speaker).is_ours()
        || (queued(cast, cast.device(index), id) && !spoiled(cast).contains(id))
}

/// Ids of messages for which Baileys used a message key that it had used before: it encrypts under
/// another lock than it decrypts. It does not always answer when it is asked for the text again.
fn spoiled(cast: &Cast) -> BTreeSet<String> {
    let theirs: Vec<String> = cast.peers().map(|(_, device, _)| cast.label(device)).collect();
    let violations = cast.sandbox.violations().into_iter();
    violations.filter(|violation| theirs.contains(&violation.sender)).map(|violation| violation.id).collect()
}

/// Whether a message was encrypted for a device at all: when a request of Baileys' fails, as by a
/// cut, it leaves devices out and sends the rest.
fn queued(cast: &Cast, device: &Device, message: &str) -> bool {
    let key = (cast.label(device), message.to_owned());
    cast.clerk.ledger().queued.contains(&key)
}

/// Texts that a client of Baileys has to show and has not shown. What it says itself is its own
/// affair.
pub(crate) fn unshown<'p>(
    cast: &Cast,
    plan: &'p Plan,
    floor: &Floor,
    index: usize,
    peer: &Baileys,
) -> Vec<&'p Line> {
    let meant = plan.meant_for(index, cast.device(index).account);
    let due = meant.filter(|(number, line)| {
        cast.device(line.speaker).is_ours()
            && !peer.has_shown(&line.order.text)
            && cast.due(index, plan, floor, *number) == Due::Must
    });
    due.map(|(_, line)| line).collect()
}

/// Asserts everything and prints the figures.
pub(crate) async fn pronounce(cast: &Cast, plan: &Plan, floor: &Floor, mischief: &Tally) {
    println!("should it fail: stores, notes and events are in {}", cast.folder().display());
    for (index, device, member) in cast.ours() {
        // Nothing is written any more: what is read below is all there is.
        member.kill().await;
        journal(cast, plan, floor, (index, device.account), member);
    }
    let theirs: Vec<String> = cast.peers().map(|(_, device, _)| cast.label(device)).collect();
    let ours: Vec<_> = cast
        .sandbox
        .violations()
        .into_iter()
        .filter(|violation| !theirs.contains(&violation.sender))
        .collect();
    assert_eq!(ours, [], "a message key was used twice");
    let left = cast.ours().filter(|(_, device, _)| !device.is_here());
    let left: Vec<String> = left.map(|(_, device, _)| cast.label(device)).collect();
    assert_eq!(cast.clerk.ledger().unlinked, left, "links were lost");
    report(cast, plan, floor, mischief);
}

/// The journal of a client of ours: every text once, in the order of its sender, under one event.
fn journal(cast: &Cast, plan: &Plan, floor: &Floor, (index, account): (usize, Account), member: &Member) {
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
    let missing = missing(cast, plan, floor, index, member);
    assert!(missing.is_empty(), "{name}: {} texts are missing", missing.len());
    let mut last: BTreeMap<(usize, &str), (u64, &str)> = BTreeMap::new();
    let mut expected = BTreeSet::new();
    for (number, line) in plan.meant_for(index, account) {
        let text = line.order.text.as_str();
        if cast.due(index, plan, floor, number) != Due::Never {
            expected.insert(text);
        }
        // Baileys hands texts that wait at a login over side by side, and what it spoiled is late.
        let Some(note) = times.get(text).and_then(|notes| notes.first()) else { continue };
        if !cast.device(line.speaker).is_ours() {
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

/// How many texts were meant for devices of ours, and how many of these were said across a coming or
/// going.
fn uncertain(cast: &Cast, plan: &Plan, floor: &Floor) -> (usize, usize) {
    let mut counts = (0, 0);
    for (index, device, _) in cast.ours() {
        for (number, _) in plan.meant_for(index, device.account) {
            counts.0 += 1;
            counts.1 += usize::from(cast.due(index, plan, floor, number) == Due::May);
        }
    }
    counts
}

fn report(cast: &Cast, plan: &Plan, floor: &Floor, mischief: &Tally) {
    let kills: u32 = cast.ours().map(|(_, _, member)| member.kills()).sum();
    println!("{} texts, {kills} kills, {} misfortunes:", plan.lines.len(), mischief.values().sum::<u32>());
    for (name, times) in mischief {
        println!("  {times:>5} × {name}");
    }
    let (all, open) = uncertain(cast, plan, floor);
    println!("  {} absences from groups, one device linked, one unlinked", plan.absences.len());
    println!("  {all} deliveries to ours judged, {open} of them across a coming or going");
    assert!(open * 100 <= all * UNCERTAIN, "{open} of {all} deliveries were uncertain");
    println!("  {} faults struck", cast.clerk.ledger().struck);
    println!("  {} requests for a message again", cast.clerk.ledger().retries);
    println!("  {} texts spoiled by Baileys' using a key twice", spoiled(cast).len());
    for (index, device, peer) in cast.peers() {
        let label = cast.label(device);
        let due = plan.meant_for(index, device.account);
        let due = due.filter(|(number, _)| cast.due(index, plan, floor, *number) == Due::Must);
        let (shown, missed): (Vec<_>, Vec<_>) =
            due.map(|(_, line)| line).partition(|line| peer.has_shown(&line.order.text));
        // It takes a text for a duplicate that it had decrypted, and not shown, when it was cut off.
        let known = missed.iter().filter(|line| {
            let key = (label.clone(), line.order.id.clone());
            cast.clerk.ledger().taken_for_known.contains(&key)
        });
        let all = shown.len() + missed.len();
        println!(
            "  {label} (Baileys) showed {} of {all} texts, and took {} for known",
            shown.len(),
            known.count()
        );
        for line in unshown(cast, plan, floor, index, peer) {
            assert!(queued(cast, device, &line.order.id), "{} was not encrypted for {label}", line.order.id);
        }
    }
}
