//! The server against the sandbox, over HTTP, as its clients see it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic in a test is the report of its failure"
)]

mod evolution;
mod must;
mod native;
mod program;
mod support;
