//! Who is in a community, as the host changes it.

use whimbrel_wire::Jid;

use super::super::exchange::{self, somebody};
use super::super::invites::Joined;
use super::super::notice::What;
use super::super::participants::{self, ParticipantResult};
use super::super::{distrust, forget, group_address};
use super::{known_groups, stanza};
use crate::client::Client;
use crate::connection::iq;
#[cfg(doc)]
use crate::error::Code;
use crate::error::Error;
use crate::messages::Unit;
use crate::options::CallOptions;

impl Client {
    /// Joins a group of a community that this account is in.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::Forbidden`] if this account is not in the community;
    /// [`Code::NotFound`]; [`Code::Refused`] with the service's number 409 if it is in the group already,
    /// 419 if that is full; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn join_community_group(
        &self,
        community: &Jid,
        group: &Jid,
        options: CallOptions,
    ) -> Result<Joined, Error> {
        let operation = "join_community_group";
        let checked = group_address(community).and_then(|jid| Ok((jid, group_address(group)?)));
        let (community, group) = checked.map_err(|error| error.in_operation(operation))?;
        let request = stanza::join(&community, &group);
        self.join_group(operation, options, Some(group), move || request).await
    }

    /// Removes people from a community and all groups in it.
    ///
    /// # Errors
    /// As [`remove_participants`](Self::remove_participants).
    pub async fn remove_from_community(
        &self,
        community: &Jid,
        people: &[Jid],
        options: CallOptions,
    ) -> Result<Vec<ParticipantResult>, Error> {
        let operation = "remove_from_community";
        let checked = group_address(community).and_then(|jid| Ok((jid, somebody(people)?)));
        let (community, people) = checked.map_err(|error| error.in_operation(operation))?;
        let asked = community.clone();
        let request = move |unit: &mut Unit<'_>| {
            let row = unit.group(&asked)?;
            let people = exchange::addressed(unit, row.as_deref(), &people)?;
            Ok(super::super::stanza::participants_everywhere(&asked, &people))
        };
        self.ask_about_groups(operation, options, request, move |unit, answer| {
            let Some(done) = answer.child_named("remove") else { return Ok(None) };
            let results = participants::results(done);
            for group in known_groups(unit, &community)? {
                // Whoever was in it may not read on; who is in it still is told by the service.
                unit.rotate(&group)?;
                distrust(unit, &group)?;
            }
            participants::changed(unit, &community, What::Removed, &results)?;
            participants::tell(unit, results).map(Some)
        })
        .await
    }

    /// Makes another admin of a community its owner, in the place of this account.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::Forbidden`] if this account does not own it;
    /// [`Code::NotFound`] if the other one is not in it; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn transfer_community(
        &self,
        community: &Jid,
        to: &Jid,
        options: CallOptions,
    ) -> Result<(), Error> {
        let operation = "transfer_community";
        let named = std::slice::from_ref(to);
        let checked = group_address(community).and_then(|jid| Ok((jid, somebody(named)?)));
        let (community, heir) = checked.map_err(|error| error.in_operation(operation))?;
        let asked = community.clone();
        let variables = move |unit: &mut Unit<'_>| {
            let row = unit.group(&asked)?;
            let heir = exchange::addressed(unit, row.as_deref(), &heir)?;
            let heir = heir.first().map(|member| member.id.clone());
            Ok(stanza::transfer(&asked, &heir.unwrap_or(Jid::SERVER)))
        };
        self.ask_graph(operation, options, stanza::TRANSFER, variables, move |unit, answer| {
            distrust(unit, &community)?;
            Ok(stanza::transferred(&answer))
        })
        .await
    }

    /// Leaves a community and all groups in it.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::NotFound`] or [`Code::Forbidden`] if this account is not in it;
    /// [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn leave_community(&self, community: &Jid, options: CallOptions) -> Result<(), Error> {
        let operation = "leave_community";
        let community = group_address(community).map_err(|error| error.in_operation(operation))?;
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let request = super::super::stanza::leave_community(&community);
            let left = exchange::left(deadline);
            let answer = connection.request(client.request_ids.next(), request, left).await?;
            super::super::stanza::left_with(&answer, &community).map_err(iq::refusal)?;
            client
                .unit(|unit| {
                    for group in known_groups(unit, &community)? {
                        forget(unit, &group)?;
                    }
                    forget(unit, &community)
                })
                .await
        })
        .await
    }
}
