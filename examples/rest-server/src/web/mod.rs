//! From a request to a handler and back: routing, bodies, keys, limits and repetitions, once for all dialects.

pub(crate) mod body;
pub(crate) mod call;
pub(crate) mod gateway;
pub(crate) mod openapi;
pub(crate) mod route;
pub(crate) mod schema;
pub(crate) mod table;
