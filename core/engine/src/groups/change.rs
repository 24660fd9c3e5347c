//! What the host changes about groups.

use std::time::Duration;

use rand_core::Rng as _;
use tokio::time::Instant;
use whimbrel_content::compose::limits::CHAT_TIMERS;
use whimbrel_wire::{Jid, NodeRef};

use super::info::{self, Group};
use super::notice::What;
use super::notify;
use super::row::{Addressing, GroupRow, Member, Role};
use super::{group_address, query, stanza};
use crate::archive::row::{ArchiveChange, ChatRow};
use crate::client::Client;
use crate::error::{Code, Error, Outcome};
use crate::events::Identity;
use crate::messages::{SentMessage, Unit};
use crate::options::CallOptions;
use crate::store::StoreError;

/// Members in one request.
const PARTICIPANTS: usize = 1024;

/// How a new group is set up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupOptions {
    /// Only admins may send. Default `false`.
    pub announce: bool,
    /// Only admins may change subject, description and picture. Default `false`.
    pub locked: bool,
    /// Admins have to approve who joins. Default `false`.
    pub approval_required: bool,
    /// After how many seconds new messages disappear; 0 (default): never. The service knows 86,400,
    /// 604,800 and 7,776,000.
    pub ephemeral_seconds: u32,
}

/// What came of a change for one person.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParticipantResult {
    /// The person.
    pub who: Identity,
    /// `None`: it is as wanted. Otherwise the service's number: 403 the person's settings or this account's
    /// rights forbid it, 404 there is no such person or member, 408 left too recently, 419 the group is
    /// full.
    pub refused: Option<u16>,
}

/// A new group.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CreatedGroup {
    /// The group, with those who are in it.
    pub group: Group,
    /// Those who could not be added, and why.
    pub refused: Vec<ParticipantResult>,
}

impl Client {
    /// Makes a group of this account and the given people. People whose settings forbid it are left out
    /// and listed in `refused`.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for addresses that are no people's; [`Code::Refused`] when the service
    /// does not take the name or the number of people; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn create_group(
        &self,
        subject: &str,
        participants: &[Jid],
        setup: GroupOptions,
        options: CallOptions,
    ) -> Result<CreatedGroup, Error> {
        let operation = "create_group";
        let people = people(participants).map_err(|error| error.in_operation(operation))?;
        let subject = subject.to_owned();
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let members = client.unit(|unit| addressed(unit, None, &people)).await?;
            let key = format!("{:016X}", client.rng().next_u64());
            let request = stanza::create(&subject, &key, &members, &setup);
            let answer = connection.request(client.request_ids.next(), request, left(deadline)).await?;
            let now = client.server_now_ms().div_euclid(1000);
            let told = answer.child_named("group").and_then(|node| Some((node, stanza::group(node, now)?)));
            let Some((node, (id, row))) = told else {
                return Err(unclear("the service did not say what group it made"));
            };
            let refused = results(node).into_iter().filter(|(_, refused)| refused.is_some()).collect();
            client
                .unit(|unit| {
                    query::store(unit, &id, row.clone())?;
                    Ok(CreatedGroup { group: info::group(unit, &id, &row)?, refused: tell(unit, refused)? })
                })
                .await
        })
        .await
    }

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
        let checked = group_address(group).and_then(|group| Ok((group, people(participants)?)));
        let (group, people) = checked.map_err(|error| error.in_operation(operation))?;
        if people.is_empty() {
            return Err(Error::new(Code::InvalidArgument, "nobody is named").in_operation(operation));
        }
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let members = client
                .unit(|unit| {
                    let row = unit.group(&group)?;
                    addressed(unit, row.as_deref(), &people)
                })
                .await?;
            let request = stanza::participants(&group, what, &members);
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
            if let Some(status) = stanza::left_with(&answer, &group) {
                let code = match status {
                    403 => Code::Forbidden,
                    404 => Code::NotFound,
                    _ => Code::Refused,
                };
                return Err(Error::new(code, "the service did not let this account leave")
                    .with_service_status(status)
                    .with_outcome(Outcome::Refused));
            }
            client.unit(|unit| super::forget(unit, &group)).await
        })
        .await
    }

    /// Gives a group another name.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for an empty name; [`Code::Refused`] for one that is too long;
    /// [`Code::Forbidden`]; [`Code::NotFound`]; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn set_group_subject(
        &self,
        group: &Jid,
        subject: &str,
        options: CallOptions,
    ) -> Result<(), Error> {
        let operation = "set_group_subject";
        let group = group_address(group).map_err(|error| error.in_operation(operation))?;
        if subject.is_empty() {
            return Err(Error::new(Code::InvalidArgument, "the name is empty").in_operation(operation));
        }
        let subject = subject.to_owned();
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let request = stanza::subject(&group, &subject);
            connection.request(client.request_ids.next(), request, left(deadline)).await?;
            let now = client.server_now_ms().div_euclid(1000);
            client.unit(|unit| renamed(unit, &group, subject, now)).await
        })
        .await
    }
}

impl Client {
    /// Sets the timer of a group; see [`set_chat_timer`](Client::set_chat_timer).
    pub(crate) async fn set_group_timer(
        &self,
        group: &Jid,
        seconds: u32,
        timeout: Option<Duration>,
    ) -> Result<SentMessage, Error> {
        let operation = "set_chat_timer";
        let group = group_address(group).map_err(|error| error.in_operation(operation))?;
        if !CHAT_TIMERS.contains(&seconds) {
            let error = Error::new(Code::InvalidArgument, "no client offers such a timer");
            return Err(error.in_operation(operation));
        }
        self.call(operation, timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let request = stanza::timer(&group, seconds);
            connection.request(client.request_ids.next(), request, left(deadline)).await?;
            let now = client.server_now_ms().div_euclid(1000);
            client
                .unit(|unit| {
                    if let Some(known) = unit.group(&group)? {
                        let row = GroupRow { ephemeral: seconds, ..(*known).clone() };
                        unit.put_group(&group, Some(row));
                    }
                    // Nobody tells this device what it did itself.
                    let chat = ChatRow { timer: Some(seconds), ..ChatRow::default() };
                    unit.changes.archive.push(ArchiveChange::Chat(group.clone(), Box::new(chat)));
                    let chat = unit.identity_of(&group)?;
                    Ok(SentMessage { message_id: String::new(), chat, timestamp: now, server_id: None })
                })
                .await
        })
        .await
    }
}

fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// It was done, but nobody knows how.
fn unclear(message: &'static str) -> Error {
    Error::new(Code::Refused, message).with_outcome(Outcome::Unknown)
}

/// The people that the host names, each once.
fn people(participants: &[Jid]) -> Result<Vec<Jid>, Error> {
    if participants.len() > PARTICIPANTS {
        return Err(Error::new(Code::InvalidArgument, "more than 1,024 people are named"));
    }
    let mut people = Vec::with_capacity(participants.len());
    for jid in participants {
        if !jid.is_account() && !jid.is_bot() {
            return Err(Error::new(Code::InvalidArgument, "an address is not that of a person"));
        }
        let account = jid.to_account();
        if !people.contains(&account) {
            people.push(account);
        }
    }
    Ok(people)
}

/// People under the addresses that the group's stanzas have them by; in a new group by LID.
fn addressed(unit: &mut Unit<'_>, row: Option<&GroupRow>, people: &[Jid]) -> Result<Vec<Member>, StoreError> {
    let addressing = row.map_or(Addressing::Lid, |row| row.addressing);
    let mut members: Vec<Member> = Vec::with_capacity(people.len());
    for jid in people {
        let known = row.and_then(|row| row.members.iter().find(|member| member.is(jid)));
        let member = match known {
            Some(member) => member.clone(),
            None => {
                let (lid, phone) = if jid.is_lid() {
                    (Some(jid.clone()), unit.phone_of(jid)?)
                } else if jid.is_pn() {
                    (unit.lid_of(jid)?, Some(jid.clone()))
                } else {
                    (None, None)
                };
                match (addressing, lid, phone) {
                    (Addressing::Lid, Some(lid), phone) => {
                        Member { id: lid, twin: phone, role: Role::Member }
                    }
                    (Addressing::PhoneNumber, lid, Some(phone)) => {
                        Member { id: phone, twin: lid, role: Role::Member }
                    }
                    _ => Member { id: jid.clone(), twin: None, role: Role::Member },
                }
            }
        };
        if !members.iter().any(|listed| listed.is_same(&member)) {
            members.push(member);
        }
    }
    Ok(members)
}

/// What an answer says of each participant. Some answer a success with 200; who has the wanted role or
/// membership already is as wanted.
fn results(answer: &NodeRef<'_>) -> Vec<(Member, Option<u16>)> {
    let read = |node: &NodeRef<'_>| {
        let status = stanza::error(node).filter(|status| *status != 409);
        Some((stanza::member(node)?, status))
    };
    answer.children_named("participant").filter_map(read).collect()
}

fn tell(
    unit: &mut Unit<'_>,
    results: Vec<(Member, Option<u16>)>,
) -> Result<Vec<ParticipantResult>, StoreError> {
    results
        .into_iter()
        .map(|(member, refused)| Ok(ParticipantResult { who: unit.identity_of(&member.id)?, refused }))
        .collect()
}

/// Applies what was done to the list that is known. This device is not told by an announcement.
fn changed(
    unit: &mut Unit<'_>,
    group: &Jid,
    what: What,
    results: &[(Member, Option<u16>)],
) -> Result<(), StoreError> {
    let done: Vec<&Member> =
        results.iter().filter(|(_, refused)| refused.is_none()).map(|(member, _)| member).collect();
    for member in &done {
        if let Some(twin) = &member.twin {
            unit.learn(&member.id, twin, crate::devices::identity::Source::Seed)?;
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
        row.stale |= !notify::change(&mut row, what, &member);
    }
    // The version after it is not told; the next announcement is applied by its time.
    row.version = None;
    unit.put_group(group, Some(row));
    Ok(())
}

fn renamed(unit: &mut Unit<'_>, group: &Jid, subject: String, now: i64) -> Result<(), StoreError> {
    let Some(known) = unit.group(group)? else { return Ok(()) };
    let author = match known.addressing {
        Addressing::Lid => unit.account.lid.as_ref(),
        Addressing::PhoneNumber => unit.account.phone.as_ref(),
    };
    let subject_author = author.map(Jid::to_bare);
    let row = GroupRow { subject, subject_author, subject_changed_at: now, ..(*known).clone() };
    unit.put_group(group, Some(row));
    Ok(())
}
