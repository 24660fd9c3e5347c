//! Tests of the crate from outside: vectors, properties, stored forms, secrecy.

// The attribute tells lints that helpers without `#[test]` are tests too.
#[cfg(test)]
#[path = "../checks/mod.rs"]
mod checks;
#[cfg(test)]
mod common;
#[cfg(test)]
mod conversations;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod durability;
#[cfg(test)]
mod groups;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod moved_in;
#[cfg(test)]
mod no_change;
#[cfg(test)]
mod parts;
#[cfg(test)]
mod secrecy;
#[cfg(test)]
mod sender_key_vectors;
#[cfg(test)]
mod session_vectors;
