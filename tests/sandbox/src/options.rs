//! What a sandbox can be told at its start.

use std::num::NonZeroUsize;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Clock;

/// Settings of a sandbox.
#[derive(Debug, Clone)]
pub struct Options {
    /// Source of everything random in the service; equal seeds give equal keys, numbers and ids.
    pub seed: u64,
    /// Refuse what no real client would send, besides reporting it.
    pub strict: bool,
    /// Port of the socket listener on loopback; 0 takes a free one.
    pub port: u16,
    /// Oldest version of the web client that is let in (failure 405).
    pub min_version: [u32; 3],
    /// The clock.
    pub clock: Clock,
    /// How the offline queue is handed out.
    pub pace: Pace,
    /// Time limits and sizes.
    pub limits: Limits,
    /// How frames are put on the wire.
    pub framing: Framing,
    /// Whether new accounts may address people by their LID, unless they are made otherwise
    /// (messages of others by LID get error 400).
    pub lid_migrated: bool,
    /// How groups name their members that clients make.
    pub group_addressing: Addressing,
}

/// How a group names its members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Addressing {
    /// By hidden numbers, as groups made since 2025 do.
    #[default]
    Lid,
    /// By phone numbers, as older groups do.
    Pn,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 0,
            strict: false,
            port: 0,
            min_version: [2, 2200, 0],
            clock: Clock::system(),
            pace: Pace::Everything,
            limits: Limits::default(),
            framing: Framing::default(),
            lid_migrated: true,
            group_addressing: Addressing::default(),
        }
    }
}

/// How the offline queue is handed out (transport document §6.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pace {
    /// All of it at once.
    #[default]
    Everything,
    /// Five stanzas, then as many as the client asks for; the rest after a second of silence.
    Batches,
    /// As `Batches`, but never without being asked.
    StrictBatches,
}

/// How the service puts frames on the wire. Anything but the default is more than some clients
/// can read (transport document §1.3, §3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Framing {
    /// Compress stanzas.
    pub compressed: bool,
    /// Cut every frame into messages of at most so many octets.
    pub pieces: Option<NonZeroUsize>,
}

/// Time limits and sizes.
#[derive(Debug, Clone)]
pub struct Limits {
    /// From the TCP connection to the upgrade, the connection header and the first handshake frame, each.
    pub handshake: Duration,
    /// For the client's last handshake message.
    pub client_finish: Duration,
    /// A logged-in connection without a single received byte is closed after this.
    pub idle: Duration,
    /// Life of a round of linking references.
    pub refs: Duration,
    /// Number of references per round.
    pub refs_per_round: usize,
    /// For the companion's answers to `pair-device` and `pair-success`.
    pub pairing_answer: Duration,
    /// Life of a pairing code's reference.
    pub code: Duration,
    /// Between a stream error and the closing of the socket.
    pub close_delay: Duration,
    /// Companions per account.
    pub companions: usize,
    /// Payload of a transport frame.
    pub frame: usize,
    /// Stanzas kept for a device that is away; the oldest are dropped.
    pub queue: usize,
    /// Stanzas under way to one connection; a client that reads slower is cut off.
    pub outgoing: usize,
    /// One-time pre-keys left that make the service ask for more.
    pub low_prekeys: usize,
    /// Whether clients that know the service's key may resume (otherwise they fall back).
    pub resumption: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            client_finish: Duration::from_secs(20),
            idle: Duration::from_secs(90),
            refs: Duration::from_secs(180),
            refs_per_round: 6,
            pairing_answer: Duration::from_secs(60),
            code: Duration::from_secs(180),
            close_delay: Duration::from_millis(100),
            companions: 4,
            frame: 4 << 20,
            queue: 50_000,
            outgoing: 65_536,
            low_prekeys: 10,
            resumption: true,
        }
    }
}

/// How an account stands with LIDs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LidStanding {
    /// Nobody is told the account's LID; it lives by its phone number.
    PnOnly,
    /// It has a LID that others are told, but may not itself address people by LID.
    Unmigrated,
    /// It addresses people by LID.
    Migrated,
}
