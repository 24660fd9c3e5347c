//! What can be done with an account: the commands that all dialects share.

pub(crate) mod effects;
pub(crate) mod linking;
pub(crate) mod media;
pub(crate) mod recipients;
pub(crate) mod sending;
