#![forbid(unsafe_code)]
//! Placeholder of the first step.
