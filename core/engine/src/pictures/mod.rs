//! Pictures of people and groups: looked up, downloaded, set and removed, and changes by others (features
//! document §7.2; media document §15).
//!
//! ```no_run
//! use whimbrel::pictures::{PictureOptions, PictureSize};
//! use whimbrel::{CallOptions, Client, Jid};
//! # async fn example(client: Client, friend: Jid) -> Result<(), whimbrel::Error> {
//! client.set_picture(None, std::path::Path::new("finch.png"), CallOptions::default()).await?;
//! let found = client.picture(&friend, PictureSize::Full, PictureOptions::default()).await?;
//! # drop(found);
//! # Ok(())
//! # }
//! ```

mod change;
mod download;
mod lookup;
pub(crate) mod notify;
mod stanza;
#[cfg(test)]
mod tests;

pub(crate) use change::square;
pub use download::DownloadedPicture;
pub use lookup::{FoundPicture, Picture, PictureOptions, PictureSize};
pub use notify::PictureChanged;

use whimbrel_wire::Jid;

use crate::error::{Code, Error};

/// Whose picture: a person's or a group's.
fn owner(jid: &Jid) -> Result<Jid, Error> {
    let bare = jid.to_bare();
    if bare.is_account() || bare.is_group() || bare.is_bot() {
        Ok(bare)
    } else {
        Err(Error::new(Code::InvalidArgument, "only people and groups have pictures"))
    }
}
