//! People who wait to be let into a group (features document §2.8).

use whimbrel_wire::Jid;

use super::exchange::somebody;
use super::notice::What;
use super::participants::{self, Entry, ParticipantResult};
use super::row::Addressing;
use super::stanza::requests as stanza;
use super::{exchange, group_address};
use crate::client::Client;
use crate::devices::identity::Source;
#[cfg(doc)]
use crate::error::Code;
use crate::error::Error;
use crate::events::Identity;
use crate::messages::Unit;
use crate::options::CallOptions;
use crate::store::StoreError;

/// Somebody who waits to be let into a group.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WaitingRequest {
    /// Who wants to get in.
    pub who: Identity,
    /// Since when, seconds since 1970; 0 if unknown.
    pub requested_at: i64,
    /// How it came about: `invite_link`, `linked_group_join`, `non_admin_add` or another word.
    pub method: Option<String>,
    /// The member who wanted to add this person, if it was one.
    pub requestor: Option<Identity>,
    /// The community through which it came.
    pub community: Option<Jid>,
}

impl Client {
    /// Returns who waits to be let into a group.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::Forbidden`] if this account is no admin; [`Code::NotFound`];
    /// [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn join_requests(
        &self,
        group: &Jid,
        options: CallOptions,
    ) -> Result<Vec<WaitingRequest>, Error> {
        let operation = "list_join_requests";
        let group = group_address(group).map_err(|error| error.in_operation(operation))?;
        self.ask_about_groups(
            operation,
            options,
            move |_| Ok(stanza::list(&group)),
            |unit, answer| stanza::waiting(answer).map(|waiting| told(unit, waiting)).transpose(),
        )
        .await
    }

    /// Lets people into a group who wait for it, or does not.
    ///
    /// # Errors
    /// As [`join_requests`](Self::join_requests). What failed for single people is in the results: 404
    /// whoever does not wait any more, 419 the group is full.
    pub async fn decide_join_requests(
        &self,
        group: &Jid,
        people: &[Jid],
        approve: bool,
        options: CallOptions,
    ) -> Result<Vec<ParticipantResult>, Error> {
        let operation = "decide_join_requests";
        let checked = group_address(group).and_then(|group| Ok((group, somebody(people)?)));
        let (group, people) = checked.map_err(|error| error.in_operation(operation))?;
        let asked = group.clone();
        let request = move |unit: &mut Unit<'_>| {
            let row = unit.group(&asked)?;
            let people = exchange::addressed(unit, row.as_deref(), &people)?;
            Ok(stanza::decide(&asked, approve, &people))
        };
        self.ask_about_groups(operation, options, request, move |unit, answer| {
            let Some(decided) = stanza::decided(answer, approve) else { return Ok(None) };
            // Who is in it already is as wanted.
            let wanted = |status: &u16| !(approve && *status == 409);
            let entry = |(member, refused): (_, Option<u16>)| Entry {
                member,
                refused: refused.filter(wanted),
                invitation: None,
            };
            let results: Vec<Entry> = decided.into_iter().map(entry).collect();
            if approve {
                participants::changed(unit, &group, What::Added, &results)?;
            }
            participants::tell(unit, results).map(Some)
        })
        .await
    }

    /// Takes back this account's request to be let into a group.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::NotFound`] if there is none; [`Code::NotLinked`];
    /// [`Code::TimedOut`].
    pub async fn cancel_join_request(&self, group: &Jid, options: CallOptions) -> Result<(), Error> {
        let operation = "cancel_join_request";
        let group = group_address(group).map_err(|error| error.in_operation(operation))?;
        let request = move |unit: &mut Unit<'_>| {
            let row = unit.group(&group)?;
            let by_phone = row.is_some_and(|row| row.addressing == Addressing::PhoneNumber);
            let (lid, phone) = (unit.account.lid.as_ref(), unit.account.phone.as_ref());
            let own = if by_phone { phone.or(lid) } else { lid.or(phone) };
            Ok(stanza::cancel(&group, &own.map(Jid::to_bare).unwrap_or(Jid::SERVER)))
        };
        self.ask_about_groups(operation, options, request, |_, _| Ok(Some(()))).await
    }
}

fn told(unit: &mut Unit<'_>, waiting: Vec<stanza::Waiting>) -> Result<Vec<WaitingRequest>, StoreError> {
    let mut told = Vec::with_capacity(waiting.len());
    for stanza::Waiting { who, since, method, requestor, community } in waiting {
        if let Some(twin) = &who.twin {
            unit.learn(&who.id, twin, Source::Seed)?;
        }
        told.push(WaitingRequest {
            who: unit.identity_of(&who.id)?,
            requested_at: since,
            method,
            requestor: requestor.map(|jid| unit.identity_of(&jid)).transpose()?,
            community,
        });
    }
    Ok(told)
}
