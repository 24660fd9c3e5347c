//! Groups: who is in them and how they are set up (features document §2).

pub(crate) mod ack;
mod communities;
mod create;
mod events;
mod exchange;
pub(crate) mod fanout;
pub(crate) mod history;
mod holders;
mod info;
mod invites;
mod lookup;
mod members;
mod notice;
pub(crate) mod notify;
mod participants;
mod query;
mod reports;
mod requests;
pub(crate) mod resend;
mod row;
pub(crate) mod send;
mod sender_keys;
mod settings;
mod stanza;
mod switch;
#[cfg(test)]
pub(crate) mod tests;
mod timer;

use whimbrel_wire::Jid;

use crate::error::{Code, Error};
use crate::messages::Unit;
use crate::store::StoreError;

pub use communities::{CommunityGroup, CommunityOptions, GroupSize, LinkResult};
pub use create::{CreatedGroup, GroupOptions};
pub use events::{
    GroupChange, GroupChanged, GroupJoined, GroupLeft, GroupLinked, GroupRelation, GroupSuggested,
    GroupSuggestion, JoinRequest, JoinRequestState, LinkedGroup,
};
pub(crate) use exchange::{left, unclear};
pub(crate) use fanout::Manner;
pub use history::{FetchedHistory, SharedHistory};
pub use info::{Group, GroupDescription, Participant};
pub use invites::{Invitation, InviteLink, Joined};
pub use lookup::{GroupLookup, GroupPicture};
pub use participants::{InvitationCode, ParticipantResult};
pub(crate) use query::{query, query_all};
pub use reports::{ReportedMessage, UnreportedMessage};
pub use requests::WaitingRequest;
pub use row::{Addressing, GrowthLock, Role};
pub(crate) use row::{GroupRow, Member};
pub(crate) use send::HandedOut;
#[cfg(test)]
pub(crate) use send::compose_for_missing;
pub(crate) use sender_keys::SendingState;
pub use switch::GroupSetting;

/// Forgets a group that this account is in no more.
fn forget(unit: &mut Unit<'_>, group: &Jid) -> Result<(), StoreError> {
    unit.rotate(group)?;
    if unit.group(group)?.is_some() {
        unit.put_group(group, None);
    }
    Ok(())
}

/// Marks a group of which something is not true any more: it is asked for before it is used.
fn distrust(unit: &mut Unit<'_>, group: &Jid) -> Result<(), StoreError> {
    if let Some(row) = unit.group(group)?.filter(|row| !row.stale) {
        let mut row = (*row).clone();
        row.stale = true;
        unit.put_group(group, Some(row));
    }
    Ok(())
}

/// The address of a group, as it is kept.
fn group_address(jid: &Jid) -> Result<Jid, Error> {
    let group = jid.to_bare();
    if group.is_group() {
        Ok(group)
    } else {
        Err(Error::new(Code::InvalidArgument, "the address is not that of a group"))
    }
}
