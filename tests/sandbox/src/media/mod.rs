//! The media host (media document §24): takes encrypted files, gives them out again, and never sees a
//! key. It listens with TLS on loopback, under as many addresses as it has hosts.

mod answer;
mod blob;
mod download;
mod faults;
mod request;
mod server;
mod shelf;
mod upload;

pub use faults::{MediaFault, MediaFaultRule, MediaRequest};

pub(crate) use blob::Incoming;
pub(crate) use request::Kind;
pub(crate) use server::MediaListener;
pub(crate) use shelf::Shelf;

/// Hosts that clients are told of: one that all should use, and one that stands in.
pub(crate) const HOSTS: usize = 2;

impl Kind {
    /// A picture of a person or group.
    pub(crate) fn picture() -> Self {
        Self { name: "photo".to_owned(), plain: true, profile: true }
    }

    /// The kind of an encrypted file, by its name on the wire.
    pub(crate) fn encrypted(name: &str) -> Self {
        Self { name: name.to_owned(), plain: false, profile: false }
    }
}
