//! Faults on demand: what goes wrong, for whom, at which stanza, and how often.
//!
//! Rules are data. They are asked in the order in which they were added; the first that fits is
//! used up by one. A rule belongs to the point at which its fault can happen.

use std::collections::BTreeMap;

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use serde::{Deserialize, Serialize};
use whimbrel_wire::Jid;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fault {
    /// The login is answered with `<failure>`.
    Failure {
        /// Its reason code.
        reason: u16,
    },
    /// The login is answered with `<failure>` with these attributes and no others.
    FailureSaying {
        /// Names and texts.
        attributes: BTreeMap<String, String>,
    },
    /// A stanza of the client is answered with a stream error instead of being handled.
    StreamError {
        /// The `code` attribute.
        #[serde(default)]
        code: Option<u16>,
        /// The type of the `<conflict>` child.
        #[serde(default)]
        conflict: Option<String>,
    },
    /// The connection is cut instead of handling a stanza of the client.
    Cut,
    /// The connection is cut after a stanza of the client was handled, before it is answered.
    CutBeforeAnswer,
    /// A stanza of the client is refused with an error.
    Refuse {
        /// Its code.
        code: u16,
        /// Its text; the usual one for the code if absent.
        #[serde(default)]
        text: Option<String>,
        /// Seconds that the client is asked to wait.
        #[serde(default)]
        backoff: Option<u32>,
    },
    /// A stanza of the client is lost: neither handled nor answered.
    Lose,
    /// A stanza of the client is handled but its answer never comes.
    SwallowAnswer,
    /// A stanza of the client is handled at once but answered late.
    DelayAnswer {
        /// How late.
        ms: u64,
    },
    /// The answer comes twice.
    RepeatAnswer,
    /// An attribute is added to the answer (`phash`, `refresh_lid`, `addressing_mode` …).
    MarkAnswer {
        /// Name of the attribute.
        name: String,
        /// Its text.
        value: String,
    },
    /// A stanza of the service never reaches the device and leaves its queue.
    Swallow,
    /// A stanza of the service reaches the device late, overtaken by later ones.
    Delay {
        /// How late.
        ms: u64,
    },
    /// A stanza of the service reaches the device twice.
    Repeat,
    /// A stanza of the service reaches the device, and once more later, although the device may have
    /// settled it.
    RepeatLater {
        /// How much later.
        ms: u64,
    },
    /// The connection is cut in the middle of a stanza's frame.
    CutInside {
        /// Octets of the frame that still leave.
        bytes: usize,
    },
    /// Every `<enc>` of a message claims to be of a version that nobody speaks.
    WrongVersion,
    /// Every `<enc>` of a message is of a type that no client knows.
    UnknownType,
    /// A message comes without its ciphertexts, as `<unavailable>`.
    Unavailable {
        /// Its type.
        #[serde(default)]
        kind: Option<String>,
    },
    /// A group message comes without the ciphertext that brings its sender key.
    NoSenderKey,
    /// A group message's common ciphertext stands before the one that brings its sender key.
    SenderKeyLast,
    /// An attribute of the stanza's first child is another one.
    MarkChild {
        /// Name of the attribute.
        name: String,
        /// Its text.
        value: String,
    },
    /// An answer about devices leaves companions out.
    MissingDevices,
    /// An answer about devices names a companion that does not exist.
    ExtraDevice,
    /// The signed part of an answer about devices does not verify.
    BadListSignature,
    /// An answer about devices is the one that was right before the last companion went: an old list,
    /// with the account's own old signature.
    FormerDevices,
    /// One bit of every `<enc>` of a message is flipped on its way to the device.
    Corrupt,
    /// A retry receipt claims another registration id than its sender's.
    OtherRegistration,
    /// The device's bundle holds no one-time pre-key.
    NoOneTimeKey,
    /// The device's bundle is refused.
    NoBundle {
        /// The code of the per-user error.
        code: u16,
    },
    /// The signature in the device's bundle is not its identity's.
    BadBundleSignature,
    /// The one-time pre-key in the device's bundle is handed out once more afterwards.
    ReusedOneTimeKey,
    /// The proof in a companion's bundle that its account vouches for it does not verify.
    BadBundleProof,
}

/// Where a fault can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Point {
    /// A login payload came.
    Login,
    /// A stanza of a client came.
    Incoming,
    /// A client's stanza was handled and is about to be answered.
    Answer,
    /// A stanza of the service is about to leave.
    Outgoing,
    /// A bundle of the device is about to be handed out.
    Bundle,
}

impl Fault {
    fn point(&self) -> Point {
        match self {
            Self::Failure { .. } | Self::FailureSaying { .. } => Point::Login,
            Self::StreamError { .. } | Self::Cut | Self::Refuse { .. } | Self::Lose => Point::Incoming,
            Self::CutBeforeAnswer
            | Self::SwallowAnswer
            | Self::DelayAnswer { .. }
            | Self::RepeatAnswer
            | Self::MarkAnswer { .. }
            | Self::MissingDevices
            | Self::ExtraDevice
            | Self::BadListSignature
            | Self::FormerDevices => Point::Answer,
            Self::Swallow
            | Self::Delay { .. }
            | Self::Repeat
            | Self::RepeatLater { .. }
            | Self::CutInside { .. }
            | Self::WrongVersion
            | Self::UnknownType
            | Self::Unavailable { .. }
            | Self::NoSenderKey
            | Self::SenderKeyLast
            | Self::MarkChild { .. }
            | Self::Corrupt
            | Self::OtherRegistration => Point::Outgoing,
            Self::NoOneTimeKey
            | Self::NoBundle { .. }
            | Self::BadBundleSignature
            | Self::ReusedOneTimeKey
            | Self::BadBundleProof => Point::Bundle,
        }
    }
}

/// Which stanza a fault waits for; absent parts fit everything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StanzaMatch {
    /// Its tag.
    pub tag: Option<String>,
    /// Its `xmlns`.
    pub xmlns: Option<String>,
    /// Its `type`; the empty text fits a stanza without one.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Its `id`.
    pub id: Option<String>,
    /// Tag of its first child.
    pub child: Option<String>,
    /// User part of whom it comes from: a phone number, or the digits of a LID or of a group.
    pub from: Option<String>,
}

impl StanzaMatch {
    /// Fits stanzas with this tag.
    #[must_use]
    pub fn tag(tag: impl Into<String>) -> Self {
        Self { tag: Some(tag.into()), ..Self::default() }
    }

    /// Fits requests in this namespace.
    #[must_use]
    pub fn request(xmlns: impl Into<String>) -> Self {
        Self { tag: Some("iq".to_owned()), xmlns: Some(xmlns.into()), ..Self::default() }
    }

    /// Narrows to stanzas of this type.
    #[must_use]
    pub fn kind(self, kind: impl Into<String>) -> Self {
        Self { kind: Some(kind.into()), ..self }
    }

    /// Narrows to stanzas with this first child.
    #[must_use]
    pub fn child(self, child: impl Into<String>) -> Self {
        Self { child: Some(child.into()), ..self }
    }

    /// Narrows to stanzas that come from this person, whatever the device, or from this group.
    #[must_use]
    pub fn from(self, from: &Jid) -> Self {
        Self { from: Some(from.user().to_owned()), ..self }
    }

    fn fits(&self, seen: &Seen<'_>) -> bool {
        fn part(wanted: Option<&String>, seen: Option<&str>) -> bool {
            wanted.is_none_or(|wanted| seen.unwrap_or_default() == wanted)
        }
        part(self.tag.as_ref(), Some(seen.tag))
            && part(self.xmlns.as_ref(), seen.xmlns)
            && part(self.kind.as_ref(), seen.kind)
            && part(self.id.as_ref(), seen.id)
            && part(self.child.as_ref(), seen.child)
            && part(self.from.as_ref(), seen.from)
    }
}

/// What a rule looks at.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seen<'a> {
    pub(crate) tag: &'a str,
    pub(crate) xmlns: Option<&'a str>,
    pub(crate) kind: Option<&'a str>,
    pub(crate) id: Option<&'a str>,
    pub(crate) child: Option<&'a str>,
    pub(crate) from: Option<&'a str>,
}

/// A fault, whom and what it hits, and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultRule {
    /// `number` (the phone), `number:device`, `number:*` (every device of the account), `linking` (every
    /// companion that is being linked), or everybody who is linked.
    #[serde(default)]
    pub device: Option<String>,
    /// The stanza.
    #[serde(default)]
    pub stanza: StanzaMatch,
    /// What happens.
    #[serde(flatten)]
    pub fault: Fault,
    /// How many fitting stanzas go by unharmed first.
    #[serde(default)]
    pub skip: u32,
    /// How often it happens.
    #[serde(default = "once")]
    pub count: u32,
}

fn once() -> u32 {
    1
}

impl FaultRule {
    /// A fault that hits the first stanza it can.
    #[must_use]
    pub fn new(fault: Fault) -> Self {
        Self { device: None, stanza: StanzaMatch::default(), fault, skip: 0, count: 1 }
    }

    /// Only this device (`number`, `number:device` or `number:*`).
    #[must_use]
    pub fn device(self, device: impl Into<String>) -> Self {
        Self { device: Some(device.into()), ..self }
    }

    /// Only this stanza.
    #[must_use]
    pub fn stanza(self, stanza: StanzaMatch) -> Self {
        Self { stanza, ..self }
    }

    /// Lets so many fitting stanzas go by first.
    #[must_use]
    pub fn skip(self, skip: u32) -> Self {
        Self { skip, ..self }
    }

    /// So many times.
    #[must_use]
    pub fn times(self, count: u32) -> Self {
        Self { count, ..self }
    }

    fn hits(&self, point: Point, device: &str, seen: &Seen<'_>) -> bool {
        is_meant(self.device.as_deref(), device) && self.fault.point() == point && self.stanza.fits(seen)
    }
}

/// What stands for a companion that is being linked, and so has no number yet.
pub(crate) const LINKING: &str = "linking";

/// Whether a device is the one, or one of those, that a fault is for.
fn is_meant(wanted: Option<&str>, device: &str) -> bool {
    wanted.map_or(device != LINKING, |wanted| match wanted.strip_suffix(":*") {
        Some(number) => device.split(':').next() == Some(number),
        None => wanted == device,
    })
}

/// Faults that strike by chance, from a seed: those after which nothing may be lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomFaults {
    /// How many of a thousand stanzas are hit.
    pub per_mille: u16,
    /// What the choices are made from.
    pub seed: u64,
    /// Whom they hit, as in [`FaultRule::device`].
    #[serde(default)]
    pub device: Option<String>,
}

/// Longest delay that strikes by chance, in milliseconds.
const RANDOM_DELAY: u64 = 400;

/// Most octets of a frame that leave before a cut that strikes by chance.
const RANDOM_BYTES: u64 = 64;

/// Faults by chance, and the state of the dice.
#[derive(Debug)]
struct Dice {
    faults: RandomFaults,
    rng: ChaCha20Rng,
}

impl Dice {
    /// A number below a limit; the tiny inequality of the remainder does not matter here.
    fn below(&mut self, limit: u64) -> u64 {
        self.rng.next_u64().checked_rem(limit).unwrap_or(0)
    }

    fn roll(&mut self, point: Point, device: &str, seen: &Seen<'_>) -> Option<Fault> {
        let whom = is_meant(self.faults.device.as_deref(), device);
        let of_traffic = matches!(seen.tag, "message" | "receipt" | "notification");
        let here = match point {
            Point::Incoming | Point::Outgoing => of_traffic,
            Point::Answer => of_traffic || seen.tag == "iq",
            Point::Login | Point::Bundle => false,
        };
        if !whom || !here || self.below(1000) >= u64::from(self.faults.per_mille) {
            return None;
        }
        let ms = 1 + self.below(RANDOM_DELAY);
        let bytes = usize::try_from(self.below(RANDOM_BYTES)).unwrap_or_default();
        let choices = match (point, seen.tag) {
            (Point::Incoming, _) => vec![Fault::Cut],
            (Point::Answer, _) => {
                vec![Fault::CutBeforeAnswer, Fault::DelayAnswer { ms }, Fault::RepeatAnswer]
            }
            (_, "message") => vec![
                Fault::Corrupt,
                Fault::Repeat,
                Fault::RepeatLater { ms },
                Fault::Delay { ms },
                Fault::CutInside { bytes },
                Fault::NoSenderKey,
                Fault::SenderKeyLast,
            ],
            _ => vec![Fault::Repeat, Fault::Delay { ms }, Fault::CutInside { bytes }],
        };
        let at = usize::try_from(self.below(choices.len() as u64)).unwrap_or_default();
        choices.into_iter().nth(at)
    }
}

/// The rules that are still to be applied.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Vec<FaultRule>,
    dice: Option<Dice>,
}

impl Faults {
    pub(crate) fn add(&mut self, rule: FaultRule) {
        self.rules.push(rule);
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
        self.dice = None;
    }

    /// Lets faults strike by chance from now on.
    pub(crate) fn randomize(&mut self, faults: RandomFaults) {
        let rng = ChaCha20Rng::seed_from_u64(faults.seed);
        self.dice = Some(Dice { faults, rng });
    }

    pub(crate) fn pending(&self) -> &[FaultRule] {
        &self.rules
    }

    /// The fault for this occasion, if any; it is used up by one.
    pub(crate) fn take(&mut self, point: Point, device: &str, seen: &Seen<'_>) -> Option<Fault> {
        for at in 0..self.rules.len() {
            let rule = self.rules.get_mut(at)?;
            if !rule.hits(point, device, seen) {
                continue;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            if rule.count <= 1 {
                return Some(self.rules.remove(at).fault);
            }
            rule.count -= 1;
            return Some(rule.fault.clone());
        }
        self.dice.as_mut().and_then(|dice| dice.roll(point, device, seen))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: &str) -> Seen<'_> {
        Seen { tag: "message", kind: Some("text"), id: Some(id), ..Seen::default() }
    }

    #[test]
    fn a_rule_skips_hits_and_ends() {
        let mut faults = Faults::default();
        faults.add(FaultRule::new(Fault::Lose).stanza(StanzaMatch::tag("message")).skip(1).times(2));
        let mut take = |id| faults.take(Point::Incoming, "1:2", &message(id));
        assert_eq!(take("a"), None);
        assert_eq!(take("b"), Some(Fault::Lose));
        assert_eq!(take("c"), Some(Fault::Lose));
        assert_eq!(take("d"), None);
    }

    #[test]
    fn a_rule_hits_only_its_device_point_and_stanza() {
        let mut faults = Faults::default();
        faults.add(
            FaultRule::new(Fault::Swallow)
                .device("1:*")
                .stanza(StanzaMatch::tag("notification").kind("devices")),
        );
        let devices = Seen { tag: "notification", kind: Some("devices"), ..Seen::default() };
        assert_eq!(faults.take(Point::Outgoing, "1:2", &message("a")), None);
        assert_eq!(faults.take(Point::Outgoing, "11:2", &devices), None);
        assert_eq!(faults.take(Point::Incoming, "1:2", &devices), None);
        assert_eq!(faults.take(Point::Outgoing, "1", &devices), Some(Fault::Swallow));
    }

    #[test]
    fn chance_is_the_same_for_the_same_seed_and_hits_about_as_often_as_asked() {
        let strike = |seed| -> Vec<Option<Fault>> {
            let mut faults = Faults::default();
            faults.randomize(RandomFaults { per_mille: 100, seed, device: Some("1:*".to_owned()) });
            let one = |_| faults.take(Point::Outgoing, "1:2", &message("a"));
            (0..2000).map(one).collect()
        };
        let struck = strike(7);
        assert_eq!(struck, strike(7));
        assert_ne!(struck, strike(8));
        let count = struck.iter().flatten().count();
        assert!((120..300).contains(&count), "{count}");
        let mut faults = Faults::default();
        faults.randomize(RandomFaults { per_mille: 1000, seed: 7, device: Some("1:*".to_owned()) });
        assert_eq!(faults.take(Point::Outgoing, "2:2", &message("a")), None);
        assert!(faults.take(Point::Incoming, "1", &message("a")).is_some());
        faults.clear();
        assert_eq!(faults.take(Point::Incoming, "1", &message("a")), None);
    }

    #[test]
    fn rules_are_written_as_flat_json() {
        let rule: FaultRule = serde_json::from_str(
            r#"{"device":"1:2","stanza":{"tag":"iq","xmlns":"encrypt"},"fault":"refuse","code":503}"#,
        )
        .unwrap();
        let expected = FaultRule::new(Fault::Refuse { code: 503, text: None, backoff: None })
            .device("1:2")
            .stanza(StanzaMatch::request("encrypt"));
        assert_eq!(rule, expected);
    }
}
