//! Placeholder of the first step.
