//! The service's side of the WhatsApp protocol for tests: a listener that unmodified clients
//! link with and log in to, the rules that the real service applies to their stanzas, faults on
//! demand, and simulated phones that companions are linked to.
//!
//! The service stores only what the real one could see: public keys, ciphertexts and queues.
//! Plaintext exists in the simulated phones alone.

mod attach;
mod business;
mod calls;
mod channels;
mod clock;
mod connection;
pub mod control;
mod counters;
mod events;
mod faults;
mod gate;
mod groups;
mod hole;
mod hub;
mod journal;
mod listener;
mod media;
mod options;
mod page;
pub mod phone;
mod report;
mod restrictions;
mod sandbox;
mod service;
mod stanza;
mod tamper;

pub use attach::{AttachError, PhoneKeys, PhoneLink};
pub use calls::Call;
pub use channels::{Channel, ChannelError};
pub use clock::Clock;
pub use counters::Violation;
pub use events::{Event, EventLog, NotInTime, PasskeyStep};
pub use faults::{Fault, FaultRule, RandomFaults, StanzaMatch};
pub use gate::Handshakes;
pub use groups::{Group, GroupError, NewGroup};
pub use listener::ListenError;
pub use media::{MediaFault, MediaFaultRule, MediaRequest};
pub use options::{Addressing, Framing, LidStanding, Limits, Options, Pace};
pub use report::Finding;
pub use restrictions::Restriction;
pub use sandbox::{NoiseRoot, Sandbox, StartError, State};
/// Actions and entries of app state, as phones write them.
pub use whimbrel_appstate as appstate;
/// Addresses of people, devices and groups.
pub use whimbrel_wire::Jid;

pub use service::{
    AppStateFault, AppStateFaultRule, AppStatePace, CallState, ChannelState, DeviceState, GroupState,
    MemberState, PostState, StatusAudience,
};
