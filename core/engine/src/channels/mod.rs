//! Channels (newsletters): posts that everybody may read, the service too (messages document §14,
//! features document §4).

mod acts;
mod channel;
mod directory;
mod events;
mod follow;
mod graph;
mod manage;
pub(crate) mod notify;
mod people;
mod reading;
pub(crate) mod receive;
pub(crate) mod send;
mod stanza;
mod terms;
#[cfg(test)]
mod tests;
pub(crate) mod watch;

use whimbrel_wire::Jid;

use crate::error::{Code, Error};

pub use channel::{
    Channel, ChannelActivity, ChannelPicture, ChannelReactions, ChannelRole, ChannelState, PinnedPost,
};
pub use directory::{ChannelCategory, ChannelPage, FindChannels};
pub use events::{
    ChannelChanged, ChannelCounts, ChannelJoined, ChannelLeft, ChannelMuted, ChannelPost, ChannelRoleChange,
    ChannelRoleChanged, PostChange, PostCounts,
};
pub use manage::{ChannelUpdate, NewChannel, NewPicture};
pub use people::{ChannelAdmins, ChannelFollower, PostReaction, PostVoter};
pub use reading::{FindPosts, OwnPostAct, Post};
pub use terms::ChannelTerms;

/// A channel that the host names.
fn address(channel: &Jid) -> Result<Jid, Error> {
    if channel.is_newsletter() && !channel.is_server() {
        return Ok(channel.to_bare());
    }
    Err(Error::new(Code::InvalidArgument, "the address is not that of a channel"))
}
