//! Making communities, and what is in them.

use whimbrel_wire::Jid;

use super::super::create::{self, CreatedGroup};
use super::super::exchange::{self, invalid};
use super::super::row::GroupRow;
use super::super::stanza::Shape;
use super::super::{distrust, forget, group_address};
use super::{CommunityOptions, LinkResult, known_groups, stanza};
use crate::client::Client;
#[cfg(doc)]
use crate::error::Code;
use crate::error::Error;
use crate::messages::Unit;
use crate::options::CallOptions;
use crate::store::StoreError;

/// Groups in one request, as many as a community may have.
const GROUPS: usize = 100;

impl Client {
    /// Makes a community. The service makes the group for its announcements by itself, which is told as a
    /// group that this account joined.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for an empty name; [`Code::Refused`] when the service does not take the
    /// name or description; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn create_community(
        &self,
        subject: &str,
        setup: CommunityOptions,
        options: CallOptions,
    ) -> Result<CreatedGroup, Error> {
        let operation = "create_community";
        if subject.is_empty() {
            return Err(invalid("the name is empty").in_operation(operation));
        }
        let subject = subject.to_owned();
        self.call(operation, options.timeout, move |client, deadline| async move {
            let about = setup.description.as_deref();
            create::make(&client, deadline, &subject, about, &[], Shape::Community(&setup)).await
        })
        .await
    }

    /// Puts groups into a community, at most 100; this account has to be an admin of all. Their members
    /// become members of the community. With `hidden` only their members see them in it.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::Forbidden`] if this account is no admin of the community;
    /// [`Code::NotFound`]; [`Code::NotLinked`]; [`Code::TimedOut`]. What failed for single groups is in the
    /// results.
    pub async fn link_groups(
        &self,
        community: &Jid,
        groups: &[Jid],
        hidden: bool,
        options: CallOptions,
    ) -> Result<Vec<LinkResult>, Error> {
        let operation = "link_groups";
        let checked = group_address(community).and_then(|jid| Ok((jid, exchange::groups(groups, GROUPS)?)));
        let (community, groups) = checked.map_err(|error| error.in_operation(operation))?;
        let request = stanza::link(&community, &groups, hidden);
        self.ask_about_groups(
            operation,
            options,
            |_| Ok(request),
            move |unit, answer| {
                let Some(results) = stanza::linked(answer) else { return Ok(None) };
                for (group, _) in results.iter().filter(|(_, refused)| refused.is_none()) {
                    edit(unit, group, |row| {
                        row.community = Some(community.clone());
                        row.is_hidden = hidden;
                    })?;
                }
                Ok(Some(told(results)))
            },
        )
        .await
    }

    /// Takes groups out of a community. With `remove_orphans`, members who are in no other of its groups
    /// leave the community with them.
    ///
    /// # Errors
    /// As [`link_groups`](Self::link_groups).
    pub async fn unlink_groups(
        &self,
        community: &Jid,
        groups: &[Jid],
        remove_orphans: bool,
        options: CallOptions,
    ) -> Result<Vec<LinkResult>, Error> {
        let operation = "unlink_groups";
        let checked = group_address(community).and_then(|jid| Ok((jid, exchange::groups(groups, GROUPS)?)));
        let (community, groups) = checked.map_err(|error| error.in_operation(operation))?;
        let request = stanza::unlink(&community, &groups, remove_orphans);
        self.ask_about_groups(
            operation,
            options,
            |_| Ok(request),
            move |unit, answer| {
                let Some(results) = stanza::linked(answer) else { return Ok(None) };
                for (group, _) in results.iter().filter(|(_, refused)| refused.is_none()) {
                    edit(unit, group, |row| {
                        row.community = None;
                        row.is_hidden = false;
                    })?;
                }
                if remove_orphans {
                    distrust(unit, &community)?;
                }
                Ok(Some(told(results)))
            },
        )
        .await
    }

    /// Ends a community. Its groups go on without it, but for the one for announcements.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::Forbidden`] if this account does not own it;
    /// [`Code::NotFound`]; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn deactivate_community(&self, community: &Jid, options: CallOptions) -> Result<(), Error> {
        let operation = "deactivate_community";
        let community = group_address(community).map_err(|error| error.in_operation(operation))?;
        let request = stanza::deactivate(&community);
        self.ask_about_groups(
            operation,
            options,
            |_| Ok(request),
            move |unit, _| {
                for group in known_groups(unit, &community)? {
                    if unit.group(&group)?.is_some_and(|row| row.is_announcements) {
                        forget(unit, &group)?;
                    } else {
                        edit(unit, &group, |row| row.community = None)?;
                    }
                }
                forget(unit, &community)?;
                Ok(Some(()))
            },
        )
        .await
    }
}

fn told(results: Vec<(Jid, Option<u16>)>) -> Vec<LinkResult> {
    results.into_iter().map(|(group, refused)| LinkResult { group, refused }).collect()
}

/// Changes what is known of a group, if anything is.
fn edit(unit: &mut Unit<'_>, group: &Jid, change: impl FnOnce(&mut GroupRow)) -> Result<(), StoreError> {
    if let Some(known) = unit.group(group)? {
        let mut row = (*known).clone();
        change(&mut row);
        unit.put_group(group, Some(row));
    }
    Ok(())
}
