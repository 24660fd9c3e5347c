//! Groups: who is in them and how they are set up (features document §2).

pub(crate) mod ack;
mod change;
mod events;
pub(crate) mod fanout;
mod holders;
mod info;
mod notice;
pub(crate) mod notify;
mod query;
pub(crate) mod resend;
mod row;
pub(crate) mod send;
mod sender_keys;
mod stanza;
#[cfg(test)]
pub(crate) mod tests;

use tokio::time::Instant;
use whimbrel_wire::Jid;

use crate::client::Client;
use crate::error::{Code, Error};
use crate::messages::Unit;
use crate::options::CallOptions;
use crate::store::StoreError;

pub use change::{CreatedGroup, GroupOptions, ParticipantResult};
pub use events::{GroupChange, GroupChanged, GroupJoined, GroupLeft};
pub(crate) use fanout::Manner;
pub use info::{Group, GroupDescription, Participant};
pub(crate) use query::{query, query_all};
pub use row::{Addressing, Role};
pub(crate) use row::{GroupRow, Member};
pub(crate) use send::HandedOut;
#[cfg(test)]
pub(crate) use send::compose_for_missing;
pub(crate) use sender_keys::SendingState;

impl Client {
    /// Returns a group that this account is in. With `fresh` the service is asked in any case,
    /// otherwise only when nothing reliable is known.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for an address that is no group's; [`Code::NotFound`] if there is no
    /// such group; [`Code::Forbidden`] if this account is not in it; [`Code::NotLinked`];
    /// [`Code::TimedOut`].
    pub async fn group(&self, group: &Jid, fresh: bool, options: CallOptions) -> Result<Group, Error> {
        let operation = "get_group";
        let group = group_address(group).map_err(|error| error.in_operation(operation))?;
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            if !fresh {
                let known = client.unit(|unit| match unit.group(&group)? {
                    Some(row) if !row.stale => info::group(unit, &group, &row).map(Some),
                    _ => Ok(None),
                });
                if let Some(known) = known.await? {
                    return Ok(known);
                }
            }
            let connection = client.wait_for_connection(deadline).await?;
            let left = deadline.saturating_duration_since(Instant::now());
            let row = query::query(&client, &connection, &group, left).await?;
            client.unit(|unit| info::group(unit, &group, &row)).await
        })
        .await
    }

    /// Returns all groups that this account is in, as the service has them now.
    ///
    /// # Errors
    /// [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn groups(&self, options: CallOptions) -> Result<Vec<Group>, Error> {
        self.call("list_groups", options.timeout, |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let left = deadline.saturating_duration_since(Instant::now());
            let rows = query::query_all(&client, &connection, left).await?;
            client.unit(|unit| rows.iter().map(|(id, row)| info::group(unit, id, row)).collect()).await
        })
        .await
    }
}

/// Forgets a group that this account is in no more.
fn forget(unit: &mut Unit<'_>, group: &Jid) -> Result<(), StoreError> {
    unit.rotate(group)?;
    if unit.group(group)?.is_some() {
        unit.put_group(group, None);
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
