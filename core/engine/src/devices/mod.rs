//! Devices of users: who has which, their keys, and the two addresses of each person.

pub(crate) mod bundles;
pub(crate) mod fetching;
pub(crate) mod filter;
pub(crate) mod identity;
pub(crate) mod lists;
pub(crate) mod lookup;
mod many;
pub(crate) mod migration;
pub(crate) mod notify;
pub(crate) mod sessions;
pub(crate) mod usync;
