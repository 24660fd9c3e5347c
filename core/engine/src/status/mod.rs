//! Statuses: posts to an audience that the poster chooses, for a day (messages document §13, features
//! document §5).
//!
//! A status goes out as a message to a group does, with a sender key, except that its audience is not the
//! service's to know: it is [decided](audience) when the status is taken in, and kept with it.

pub(crate) mod audience;
pub(crate) mod resend;
pub(crate) mod send;
pub(crate) mod setting;
mod stanza;

pub use setting::{StatusAudience, StatusAudienceKind};

pub(crate) use stanza::Setting;
