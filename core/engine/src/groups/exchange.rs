//! One request about groups and its answer.

use std::time::Duration;

use tokio::time::Instant;
use whimbrel_wire::{Jid, Node};

use super::row::{Addressing, GroupRow, Member, Role};
use crate::client::Client;
use crate::error::{Code, Error, Outcome};
use crate::messages::Unit;
use crate::mex;
use crate::options::CallOptions;
use crate::store::StoreError;

/// Members in one request.
const PARTICIPANTS: usize = 1024;

impl Client {
    /// Makes a request, and makes something of the answer; `None`: it does not say what it should.
    pub(super) async fn ask_about_groups<T: Send + 'static>(
        &self,
        operation: &'static str,
        options: CallOptions,
        request: impl FnOnce(&mut Unit<'_>) -> Result<Node, StoreError> + Send + 'static,
        take: impl FnOnce(&mut Unit<'_>, &Node) -> Result<Option<T>, StoreError> + Send + 'static,
    ) -> Result<T, Error> {
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let request = client.unit(request).await?;
            let answer = connection.request(client.request_ids.next(), request, left(deadline)).await?;
            let taken = client.unit(|unit| take(unit, &answer)).await?;
            taken.ok_or_else(|| unclear("the service did not say what became of the request"))
        })
        .await
    }

    /// As [`ask_about_groups`](Self::ask_about_groups), over the GraphQL interface: what stands under
    /// the operation's root in the answer is read.
    pub(crate) async fn ask_graph<T: Send + 'static>(
        &self,
        operation: &'static str,
        options: CallOptions,
        (name, root): (&'static str, &'static str),
        variables: impl FnOnce(&mut Unit<'_>) -> Result<serde_json::Value, StoreError> + Send + 'static,
        take: impl FnOnce(&mut Unit<'_>, serde_json::Value) -> Result<Option<T>, StoreError> + Send + 'static,
    ) -> Result<T, Error> {
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let variables = client.unit(variables).await?;
            let answer = mex::ask(&client, &connection, name, variables, root, left(deadline)).await?;
            let taken = client.unit(|unit| take(unit, answer)).await?;
            taken.ok_or_else(|| unclear("the service did not say what became of the request"))
        })
        .await
    }
}

pub(crate) fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// It was done, but nobody knows how.
pub(crate) fn unclear(message: &'static str) -> Error {
    Error::new(Code::Refused, message).with_outcome(Outcome::Unknown)
}

pub(super) fn invalid(message: &'static str) -> Error {
    Error::new(Code::InvalidArgument, message)
}

/// The people that the host names, each once.
pub(super) fn people(participants: &[Jid]) -> Result<Vec<Jid>, Error> {
    if participants.len() > PARTICIPANTS {
        return Err(invalid("more than 1,024 people are named"));
    }
    let mut people = Vec::with_capacity(participants.len());
    for jid in participants {
        if !jid.is_account() && !jid.is_bot() {
            return Err(invalid("an address is not that of a person"));
        }
        let account = jid.to_account();
        if !people.contains(&account) {
            people.push(account);
        }
    }
    Ok(people)
}

/// The people that the host names, at least one.
pub(super) fn somebody(participants: &[Jid]) -> Result<Vec<Jid>, Error> {
    match people(participants) {
        Ok(people) if people.is_empty() => Err(invalid("nobody is named")),
        people => people,
    }
}

/// The groups that the host names, each once and at least one.
pub(super) fn groups(named: &[Jid], most: usize) -> Result<Vec<Jid>, Error> {
    let mut groups = Vec::with_capacity(named.len());
    for jid in named {
        let group = super::group_address(jid)?;
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    match groups.len() {
        0 => Err(invalid("no group is named")),
        count if count > most => Err(invalid("too many groups are named")),
        _ => Ok(groups),
    }
}

/// People under the addresses that the group's stanzas have them by; in a new group by LID.
pub(super) fn addressed(
    unit: &mut Unit<'_>,
    row: Option<&GroupRow>,
    people: &[Jid],
) -> Result<Vec<Member>, StoreError> {
    let addressing = row.map_or(Addressing::Lid, |row| row.addressing);
    let mut members: Vec<Member> = Vec::with_capacity(people.len());
    for jid in people {
        let known = row.and_then(|row| row.members.iter().find(|member| member.is(jid)));
        let member = match known {
            Some(member) => member.clone(),
            None => under(unit, addressing, jid)?,
        };
        if !members.iter().any(|listed| listed.is_same(&member)) {
            members.push(member);
        }
    }
    Ok(members)
}

fn under(unit: &mut Unit<'_>, addressing: Addressing, jid: &Jid) -> Result<Member, StoreError> {
    let (lid, phone) = if jid.is_lid() {
        (Some(jid.clone()), unit.phone_of(jid)?)
    } else if jid.is_pn() {
        (unit.lid_of(jid)?, Some(jid.clone()))
    } else {
        (None, None)
    };
    Ok(match (addressing, lid, phone) {
        (Addressing::Lid, Some(lid), phone) => Member { id: lid, twin: phone, role: Role::Member },
        (Addressing::PhoneNumber, lid, Some(phone)) => Member { id: phone, twin: lid, role: Role::Member },
        _ => Member { id: jid.clone(), twin: None, role: Role::Member },
    })
}
