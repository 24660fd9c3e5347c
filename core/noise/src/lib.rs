#![forbid(unsafe_code)]
//! Noise as WhatsApp speaks it (transport document §2): the handshakes XX, IK and XXfallback, the
//! server's certificates, and the cipher of the frames that follow.
//!
//! Bytes in, bytes out: ephemeral keys, signature randomness and the time are parameters, and what
//! is sent and received are the contents of frames, without their length.
//!
//! A client that knows nothing of the server runs [`client::Xx`]; one that has a cached
//! [`Certified`] runs [`client::Ik`], which turns into the full handshake by itself when the server
//! has changed its key. A server answers either with [`server::Server::answer`]. All end in a
//! [`Transport`].

pub mod certificate;
pub mod client;
mod error;
mod message;
pub mod server;
mod symmetric;
mod transport;

pub use certificate::{Certified, NoiseRoot, Trust, Validity};
pub use error::{CertificateError, HandshakeError, Part, TransportError};
pub use transport::{Opener, Sealer, Transport};

/// What both sides mix in first: the connection header with the version of the dictionary.
pub const PROLOGUE: [u8; 4] = [b'W', b'A', 6, 3];
