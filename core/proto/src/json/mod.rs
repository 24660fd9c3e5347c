//! Messages as JSON, in the spellings that users of other clients know.
//!
//! Writing and reading work on the wire form and the descriptor table, so no code is generated per
//! type. [`View`] implements [`serde::Serialize`]: it goes straight into a string, keeps the order
//! of the fields, and may stand inside a larger structure.

mod read;
mod write;

pub use read::{ReadError, UnknownFields, from_json};
pub use write::{Form, View, to_json};

#[cfg(test)]
mod tests;
