//! What the tests are made of.

pub(crate) mod compiler;
pub(crate) mod header;
pub(crate) mod layout;
pub(crate) mod library;
pub(crate) mod prototypes;
pub(crate) mod workspace;
