//! Who is in a group, as the host changes it (features document §2.5, §2.9).

use whimbrel_wire::{Jid, Node, NodeRef};

use super::exchange::{left, somebody, unclear};
use super::notice::What;
use super::row::Member;
use super::{exchange, group_address, members, notify, stanza};
use crate::client::{Client, Inner};
use crate::connection::iq;
use crate::devices::identity::Source;
#[cfg(doc)]
use crate::error::Code;
use crate::error::Error;
use crate::events::Identity;
use crate::messages::Unit;
use crate::options::CallOptions;
use crate::properties::Property;
use crate::store::StoreError;

/// What came of a change for one person.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParticipantResult {
    /// The person.
    pub who: Identity,
    /// `None`: it is as wanted. Otherwise the service's number: 401 the person blocked this account, 403 the
    /// person's settings or this account's rights forbid it, 404 there is no such person or member, 408
    /// left too recently, 419 the group is full.
    pub refused: Option<u16>,
    /// With it the person can be invited instead: send it in a group invitation. Only when the person's
    /// settings forbid to be added.
    pub invitation: Option<InvitationCode>,
}

/// What the service gives for somebody who cannot be added.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvitationCode {
    /// The code, which is for this person alone.
    pub code: String,
    /// Until when it can be used, seconds since 1970; 0 if the service did not say.
    pub expires_at: i64,
}

/// What an answer says of one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) member: Member,
    pub(super) refused: Option<u16>,
    pub(super) invitation: Option<InvitationCode>,
}

impl Client {
    /// Adds people to a group.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::Forbidden`] if this account may not add anybody;
    /// [`Code::NotFound`]; [`Code::NotLinked`]; [`Code::TimedOut`]. What failed for single people is in the
    /// results.
    pub async fn add_participants(
        &self,
        group: &Jid,
        participants: &[Jid],
        options: CallOptions,
    ) -> Result<Vec<ParticipantResult>, Error> {
        self.change_participants("add_participants", What::Added, group, participants, options).await
    }

    /// Removes members from a group.
    ///
    /// # Errors
    /// As [`add_participants`](Self::add_participants).
    pub async fn remove_participants(
        &self,
        group: &Jid,
        participants: &[Jid],
        options: CallOptions,
    ) -> Result<Vec<ParticipantResult>, Error> {
        self.change_participants("remove_participants", What::Removed, group, participants, options).await
    }

    /// Makes members of a group admins.
    ///
    /// # Errors
    /// As [`add_participants`](Self::add_participants).
    pub async fn promote_participants(
        &self,
        group: &Jid,
        participants: &[Jid],
        options: CallOptions,
    ) -> Result<Vec<ParticipantResult>, Error> {
        self.change_participants("promote_participants", What::Promoted, group, participants, options).await
    }

    /// Makes admins of a group ordinary members.
    ///
    /// # Errors
    /// As [`add_participants`](Self::add_participants).
    pub async fn demote_participants(
        &self,
        group: &Jid,
        participants: &[Jid],
        options: CallOptions,
    ) -> Result<Vec<ParticipantResult>, Error> {
        self.change_participants("demote_participants", What::Demoted, group, participants, options).await
    }

    async fn change_participants(
        &self,
        operation: &'static str,
        what: What,
        group: &Jid,
        participants: &[Jid],
        options: CallOptions,
    ) -> Result<Vec<ParticipantResult>, Error> {
        let checked = group_address(group).and_then(|group| Ok((group, somebody(participants)?)));
        let (group, people) = checked.map_err(|error| error.in_operation(operation))?;
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let members = client
                .unit(|unit| {
                    let row = unit.group(&group)?;
                    exchange::addressed(unit, row.as_deref(), &people)
                })
                .await?;
            let request = stanza::participants(&group, what, &members);
            let request = match what {
                What::Added => with_tokens(&client, request, &members, Property::TokenOnGroupAdd).await?,
                _ => request,
            };
            let answer = connection.request(client.request_ids.next(), request, left(deadline)).await?;
            let Some(done) = answer.child_named(stanza::action(what)) else {
                return Err(unclear("the service did not say what became of the change"));
            };
            let results = results(done);
            client
                .unit(|unit| {
                    changed(unit, &group, what, &results)?;
                    tell(unit, results)
                })
                .await
        })
        .await
    }

    /// Leaves a group.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::NotFound`] or [`Code::Forbidden`] if this account is not in it;
    /// [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn leave_group(&self, group: &Jid, options: CallOptions) -> Result<(), Error> {
        let operation = "leave_group";
        let group = group_address(group).map_err(|error| error.in_operation(operation))?;
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let request = stanza::leave(&group);
            let answer = connection.request(client.request_ids.next(), request, left(deadline)).await?;
            stanza::left_with(&answer, &group).map_err(iq::refusal)?;
            client.unit(|unit| super::forget(unit, &group)).await
        })
        .await
    }
}

/// A request about members with what shows that they know this account.
pub(super) async fn with_tokens(
    client: &Inner,
    request: Node,
    members: &[Member],
    property: Property,
) -> Result<Node, Error> {
    let members = members.iter().map(|member| member.id.clone());
    client.unit(|unit| unit.with_member_tokens(request, members, property)).await
}

/// What an answer says of each participant. Some answer a success with 200; who has the wanted role or
/// membership already is as wanted.
pub(super) fn results(answer: &NodeRef<'_>) -> Vec<Entry> {
    let read = |node: &NodeRef<'_>| {
        let request = node.child_named("add_request");
        let invitation = request.and_then(|request| {
            let expires_at = stanza::time(request, "expiration");
            Some(InvitationCode { code: stanza::text(request, "code")?, expires_at })
        });
        let refused = stanza::error(node).filter(|status| *status != 409);
        Some(Entry { member: stanza::member(node)?, refused, invitation })
    };
    answer.children_named("participant").filter_map(read).collect()
}

/// The same, as the host sees it.
pub(super) fn tell(unit: &mut Unit<'_>, results: Vec<Entry>) -> Result<Vec<ParticipantResult>, StoreError> {
    let tell = |Entry { member, refused, invitation }: Entry| {
        Ok(ParticipantResult { who: unit.identity_of(&member.id)?, refused, invitation })
    };
    results.into_iter().map(tell).collect()
}

/// Applies what was done to the list that is known. This device is not told by an announcement.
pub(super) fn changed(
    unit: &mut Unit<'_>,
    group: &Jid,
    what: What,
    results: &[Entry],
) -> Result<(), StoreError> {
    let done: Vec<&Member> =
        results.iter().filter(|entry| entry.refused.is_none()).map(|entry| &entry.member).collect();
    for member in &done {
        if let Some(twin) = &member.twin {
            unit.learn(&member.id, twin, Source::Seed)?;
        }
    }
    if what == What::Removed {
        if done.iter().any(|member| notify::is_own(unit, member)) {
            return super::forget(unit, group);
        }
        if !done.is_empty() {
            unit.rotate(group)?;
        }
    }
    let Some(known) = unit.group(group)? else { return Ok(()) };
    let mut row = (*known).clone();
    for member in &done {
        let mut member = (*member).clone();
        if what == What::Added
            && let Some(known) = row.members.iter().find(|known| known.is_same(&member))
        {
            member.role = known.role;
        }
        // Somebody who is not in the list that is known was a member nevertheless: it is out of date.
        row.stale |= !members::change(&mut row, what, &member);
    }
    // The version after it is not told; the next announcement is applied by its time.
    row.version = None;
    unit.put_group(group, Some(row));
    Ok(())
}
