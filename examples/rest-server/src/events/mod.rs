//! Events: what the engine tells, under native names, in a log that feeds and webhooks follow.

pub(crate) mod feed;
pub(crate) mod native;
