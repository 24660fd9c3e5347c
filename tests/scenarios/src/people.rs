//! The people of the scenarios, by their numbers.

use whimbrel::{Client, Jid};

/// Somebody, mostly with an engine beside the phone.
pub const ANNA: &str = "31612345678";
/// Somebody else.
pub const BEN: &str = "31687654321";
/// A third person.
pub const CARA: &str = "31611112222";
/// Another one.
pub const CLEO: &str = "31611223344";
/// And another one.
pub const DAN: &str = "31633334444";
/// The number of a client in scenarios about nobody in particular.
pub const NUMBER: &str = ANNA;

/// The address of a person by number.
pub fn pn(number: &str) -> Jid {
    Jid::pn(number)
}

/// A linked client's device as the sandbox writes it: `number:device`.
pub fn device_label(client: &Client, number: &str) -> String {
    format!("{number}:{}", client.account().unwrap().device)
}
