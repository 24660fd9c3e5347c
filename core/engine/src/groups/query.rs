//! Asking the service about groups, and writing down what it says.

use std::time::Duration;

use tokio::time::Instant;
use whimbrel_wire::Jid;

use super::row::GroupRow;
use super::stanza::{self, Told};
use crate::client::Inner;
use crate::connection::Connection;
use crate::devices::identity::Source;
use crate::error::{Code, Error, Outcome};
use crate::messages::Unit;
use crate::store::StoreError;

/// How often a group is asked for while it keeps changing.
const ATTEMPTS: u32 = 3;

/// Asks for a group and writes it down. A group of which the service says that it does not exist or
/// that this account is not in it is forgotten.
pub(crate) async fn query(
    client: &Inner,
    connection: &Connection,
    group: &Jid,
    timeout: Duration,
) -> Result<GroupRow, Error> {
    let deadline = Instant::now() + timeout;
    for attempt in 1..=ATTEMPTS {
        let before = client.unit(|unit| Ok(unit.announcements())).await?;
        let Some(mut row) = ask(client, connection, group, before, deadline).await? else { continue };
        let stored = client.unit(|unit| {
            // An answer that was overtaken by an announcement may be older than it.
            let overtaken = unit.announced_since(group, before);
            row.stale |= overtaken;
            if overtaken && attempt < ATTEMPTS {
                return Ok(None);
            }
            store(unit, group, row.clone())?;
            Ok(Some(row))
        });
        if let Some(row) = stored.await? {
            return Ok(row);
        }
    }
    Err(unclear())
}

/// Asks for a group; `None` if the answer that it is not this account's was overtaken by an announcement since
/// `before`.
async fn ask(
    client: &Inner,
    connection: &Connection,
    group: &Jid,
    before: u64,
    deadline: Instant,
) -> Result<Option<GroupRow>, Error> {
    let left = deadline.saturating_duration_since(Instant::now());
    let answer = match connection.request(client.request_ids.next(), stanza::query(group, None), left).await {
        Ok(answer) => answer,
        Err(error) => {
            if !matches!(error.code(), Code::NotFound | Code::Forbidden) {
                return Err(error);
            }
            // This account may have been added while the service answered that it is no member.
            let overtaken = client.unit(|unit| {
                let overtaken = unit.announced_since(group, before);
                if !overtaken {
                    super::forget(unit, group)?;
                }
                Ok(overtaken)
            });
            return if overtaken.await? { Ok(None) } else { Err(error) };
        }
    };
    let now = client.server_now_ms().div_euclid(1000);
    let told = answer.child_named("group").and_then(|node| stanza::group(node, now));
    told.filter(|(id, _)| id == group).map(|(_, row)| Some(row)).ok_or_else(unclear)
}

pub(super) fn unclear() -> Error {
    Error::new(Code::Refused, "the service did not say what the group is").with_outcome(Outcome::Refused)
}

/// Asks for all groups of this account and writes them down. What is known of others is forgotten.
pub(crate) async fn query_all(
    client: &Inner,
    connection: &Connection,
    timeout: Duration,
) -> Result<Vec<(Jid, GroupRow)>, Error> {
    let before = client.unit(|unit| Ok(unit.announcements())).await?;
    let answer = connection.request(client.request_ids.next(), stanza::participating(), timeout).await?;
    let now = client.server_now_ms().div_euclid(1000);
    let told = stanza::told(&answer, now).ok_or_else(unclear)?;
    let group = |told| match told {
        Told::Group(id, row) => Some((id, *row)),
        Told::Refused(..) => None,
    };
    let mut told: Vec<_> = told.into_iter().filter_map(group).collect();
    client
        .unit(|unit| {
            for known in unit.store.groups()? {
                if told.iter().all(|(group, _)| *group != known) && !unit.announced_since(&known, before) {
                    super::forget(unit, &known)?;
                }
            }
            for (group, row) in &mut told {
                row.stale |= unit.announced_since(group, before);
                store(unit, group, row.clone())?;
            }
            Ok(told)
        })
        .await
}

/// Writes down what the service said of a group, and the addresses of its members where none are known.
pub(crate) fn store(unit: &mut Unit<'_>, group: &Jid, row: GroupRow) -> Result<(), StoreError> {
    for member in &row.members {
        if let Some(twin) = &member.twin {
            unit.learn(&member.id, twin, Source::Seed)?;
        }
    }
    unit.put_group(group, Some(row));
    Ok(())
}
