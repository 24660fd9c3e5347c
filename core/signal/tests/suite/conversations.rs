//! Two devices that talk over a line which loses, delays and repeats.

use proptest::prelude::*;
use whimbrel_signal::{CiphertextKind, CiphertextMessage, DecryptError, Origin};

use crate::common::{Device, Failure};

/// What happens next on the line.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// The device encrypts one message.
    Send { by_ana: bool },
    /// The device receives one of the messages under way; which one, modulo their number.
    Deliver { to_ana: bool, which: usize },
    /// One of the messages under way is lost.
    Lose { to_ana: bool, which: usize },
    /// The device receives again something that it has received.
    Repeat { to_ana: bool, which: usize },
    /// The device starts a new session from a bundle.
    Restart { by_ana: bool, one_time: Option<u32> },
    /// The device stores its record and reads it back.
    Reload { ana: bool },
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => any::<bool>().prop_map(|by_ana| Event::Send { by_ana }),
        6 => (any::<bool>(), any::<usize>()).prop_map(|(to_ana, which)| Event::Deliver { to_ana, which }),
        2 => (any::<bool>(), any::<usize>()).prop_map(|(to_ana, which)| Event::Lose { to_ana, which }),
        1 => (any::<bool>(), any::<usize>()).prop_map(|(to_ana, which)| Event::Repeat { to_ana, which }),
        1 => (any::<bool>(), proptest::option::of(1u32..=20))
            .prop_map(|(by_ana, one_time)| Event::Restart { by_ana, one_time }),
        1 => any::<bool>().prop_map(|ana| Event::Reload { ana }),
    ]
}

struct Letter {
    text: String,
    message: CiphertextMessage,
}

/// One direction of the line.
#[derive(Default)]
struct Line {
    under_way: Vec<Letter>,
    received: Vec<Letter>,
}

struct World {
    /// Ana and Ben.
    devices: [Device; 2],
    /// To Ana, to Ben.
    lines: [Line; 2],
    written: u32,
}

const ANA: usize = 0;
const BEN: usize = 1;

fn index(ana: bool) -> usize {
    if ana { ANA } else { BEN }
}

impl World {
    fn new(seed: u64) -> Self {
        let devices = [Device::new(seed), Device::new(seed.wrapping_add(1))];
        World { devices, lines: Default::default(), written: 0 }
    }

    fn start(&mut self, by: usize, one_time: Option<u32>) {
        let peer = &self.devices[1 - by];
        // The service never hands out a key that has been used up; it may hand out one twice here.
        let one_time = one_time.filter(|id| peer.one_time.contains_key(id));
        let bundle = peer.bundle(one_time);
        self.devices[by].start(&bundle);
    }

    fn send(&mut self, by: usize) {
        if !self.devices[by].record.has_session() {
            self.start(by, Some(1 + by as u32));
        }
        self.written += 1;
        let text = format!("letter {}", self.written);
        let message = self.devices[by].record.encrypt(text.as_bytes()).unwrap();
        self.lines[1 - by].under_way.push(Letter { text, message });
    }

    /// Delivers and checks; only a prekey that was consumed in between may stand in the way.
    fn deliver(&mut self, to: usize, which: usize) -> Option<Origin> {
        let line = &mut self.lines[to];
        if line.under_way.is_empty() {
            return None;
        }
        let letter = line.under_way.remove(which % line.under_way.len());
        match self.devices[to].receive(&letter.message) {
            Ok(decrypted) => {
                assert_eq!(String::from_utf8(decrypted.plaintext).unwrap(), letter.text);
                line.received.push(letter);
                Some(decrypted.origin)
            }
            Err(failure) => {
                let consumed = matches!(failure, Failure::Decrypt(DecryptError::InvalidPreKeyId(_)));
                assert!(consumed && letter.message.kind == CiphertextKind::PreKey, "{failure:?}");
                None
            }
        }
    }

    fn repeat(&mut self, to: usize, which: usize) {
        let received = &self.lines[to].received;
        let Some(letter) = received.get(which % received.len().max(1)) else { return };
        let before = self.devices[to].record.serialize();
        let failure = self.devices[to].receive(&letter.message).unwrap_err();
        // A chain that has been dropped for age looks like a new one whose code does not fit.
        let expected = matches!(
            failure,
            Failure::Decrypt(
                DecryptError::Duplicate { .. } | DecryptError::BadMac | DecryptError::InvalidPreKeyId(_)
            )
        );
        assert!(expected, "{failure:?}");
        assert_eq!(self.devices[to].record.serialize(), before);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Send { by_ana } => self.send(index(by_ana)),
            Event::Deliver { to_ana, which } => {
                self.deliver(index(to_ana), which);
            }
            Event::Lose { to_ana, which } => {
                let line = &mut self.lines[index(to_ana)].under_way;
                if !line.is_empty() {
                    line.remove(which % line.len());
                }
            }
            Event::Repeat { to_ana, which } => self.repeat(index(to_ana), which),
            Event::Restart { by_ana, one_time } => self.start(index(by_ana), one_time),
            Event::Reload { ana } => self.devices[index(ana)].restart(),
        }
    }

    /// The line becomes quiet, then both write in turns.
    fn converge(&mut self) {
        for to in [ANA, BEN] {
            self.lines[to].under_way.clear();
        }
        let mut origins = Vec::new();
        for _ in 0..3 {
            for by in [ANA, BEN] {
                self.send(by);
                origins.push(self.deliver(1 - by, 0));
            }
        }
        // The very first may name a prekey that is gone; whoever reads anything answers in that session.
        let settled = origins.split_off(2);
        assert!(settled.iter().all(|origin| *origin == Some(Origin::Current)), "{settled:?}");
        let [ana, ben] = &self.devices;
        assert_eq!(ana.record.base_key(), ben.record.base_key());
        assert!(!ana.record.is_unacknowledged() && !ben.record.is_unacknowledged());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 96, ..ProptestConfig::default() })]

    /// Receiving chains are kept for five steps, so fewer letters than would pass five are under way.
    #[test]
    fn whatever_the_line_does_letters_are_read_once_and_both_sides_converge(
        seed in 0u64..1000,
        events in proptest::collection::vec(event(), 1..60),
    ) {
        let mut world = World::new(seed);
        for event in events {
            // Old letters are lost before their chain is dropped.
            for line in &mut world.lines {
                if line.under_way.len() > 4 {
                    line.under_way.remove(0);
                }
            }
            world.happen(event);
        }
        world.converge();
    }
}

#[test]
fn sessions_started_at_the_same_moment_become_one() {
    let mut world = World::new(5);
    world.start(ANA, Some(1));
    world.start(BEN, Some(2));
    world.send(ANA);
    world.send(BEN);
    assert!(matches!(world.deliver(BEN, 0), Some(Origin::New { one_time_prekey: Some(1) })));
    assert!(matches!(world.deliver(ANA, 0), Some(Origin::New { one_time_prekey: Some(2) })));
    assert_ne!(world.devices[ANA].record.base_key(), world.devices[BEN].record.base_key());
    world.send(ANA);
    world.send(BEN);
    assert_eq!(world.deliver(BEN, 0), Some(Origin::Archived(0)));
    assert_eq!(world.deliver(ANA, 0), Some(Origin::Archived(0)));
    world.converge();
}

#[test]
fn a_message_after_another_of_the_same_session_needs_no_prekeys() {
    let mut world = World::new(6);
    world.start(ANA, Some(3));
    world.send(ANA);
    world.send(ANA);
    assert_eq!(world.deliver(BEN, 0), Some(Origin::New { one_time_prekey: Some(3) }));
    assert!(!world.devices[BEN].one_time.contains_key(&3));
    assert_eq!(world.deliver(BEN, 0), Some(Origin::Current));
}

#[test]
fn an_archived_current_session_still_reads_late_messages() {
    let mut world = World::new(7);
    world.send(ANA);
    world.deliver(BEN, 0);
    world.send(BEN);
    world.deliver(ANA, 0);
    world.send(ANA);
    world.devices[BEN].record.archive_current();
    assert!(!world.devices[BEN].record.has_session());
    assert_eq!(world.deliver(BEN, 0), Some(Origin::Archived(0)));
    assert!(world.devices[BEN].record.has_session());
}
