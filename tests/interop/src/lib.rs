//! Clients that we did not write, driven from tests.
//!
//! A [`Peer`] is a running helper program around Baileys or whatsmeow (`peers/` beside this crate, which also holds the
//! protocol they speak). A test starts it, gives it commands and waits for its events:
//!
//! ```no_run
//! use whimbrel_interop::{Pair, Peer, Program, Start};
//!
//! # async fn story(url: String, root_key: [u8; 32], folder: &std::path::Path) -> Result<(), whimbrel_interop::PeerError> {
//! let anna = Peer::spawn(Program::Baileys).await?;
//! anna.start(&Start::new(url, root_key, folder.join("anna")).pair(Pair::Qr)).await?;
//! let qr = anna.qr().await?;
//! // … a simulated phone scans it …
//! anna.linked().await?;
//! anna.connected().await?;
//! let hello = anna.send_text("4915112345678@s.whatsapp.net", "hello").await?;
//! anna.receipt(&hello.message_id, "read").await?;
//! # Ok(())
//! # }
//! ```

mod error;
mod event;
mod inbox;
mod peer;
mod program;

pub use error::PeerError;
pub use event::{
    Disconnected, Event, GroupChange, Identity, LoggedOut, Message, PastText, Receipt, Undecryptable,
};
pub use peer::{DEADLINE, GroupInfo, Info, MediaFile, Pair, Peer, Quote, Sent, Start, Target};
pub use program::Program;
