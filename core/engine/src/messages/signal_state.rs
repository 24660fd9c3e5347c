//! Sessions and keys of the Signal protocol that are in memory.

/// What the lanes of a client share under one lock.
#[derive(Default)]
pub(crate) struct SignalState {}
