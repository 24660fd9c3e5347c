//! Asking the service about groups, and writing down what it says.

use std::time::Duration;

use whimbrel_wire::Jid;

use super::row::GroupRow;
use super::stanza;
use crate::client::Inner;
use crate::connection::Connection;
use crate::devices::identity::Source;
use crate::error::{Code, Error, Outcome};
use crate::messages::Unit;
use crate::store::StoreError;

/// Asks for a group and writes it down. A group of which the service says that it does not exist or
/// that this account is not in it is forgotten.
pub(crate) async fn query(
    client: &Inner,
    connection: &Connection,
    group: &Jid,
    timeout: Duration,
) -> Result<GroupRow, Error> {
    let request = stanza::query(group);
    let answer = match connection.request(client.request_ids.next(), request, timeout).await {
        Ok(answer) => answer,
        Err(error) => {
            if matches!(error.code(), Code::NotFound | Code::Forbidden) {
                client
                    .unit(|unit| {
                        if unit.group(group)?.is_some() {
                            unit.put_group(group, None);
                        }
                        Ok(())
                    })
                    .await?;
            }
            return Err(error);
        }
    };
    let now = crate::clock::now_seconds();
    let told = answer.child_named("group").and_then(|node| stanza::group(node, now));
    let Some((_, row)) = told.filter(|(id, _)| id == group) else {
        return Err(Error::new(Code::Refused, "the service did not say what the group is")
            .with_outcome(Outcome::Refused));
    };
    client.unit(|unit| store(unit, group, row.clone())).await?;
    Ok(row)
}

/// Asks for all groups of this account and writes them down. What is known of others is forgotten.
pub(crate) async fn query_all(
    client: &Inner,
    connection: &Connection,
    timeout: Duration,
) -> Result<Vec<(Jid, GroupRow)>, Error> {
    let answer = connection.request(client.request_ids.next(), stanza::participating(), timeout).await?;
    let Some(groups) = answer.child_named("groups") else {
        return Err(Error::new(Code::Refused, "the service did not say which groups there are")
            .with_outcome(Outcome::Refused));
    };
    let now = crate::clock::now_seconds();
    let told: Vec<_> = groups.children_named("group").filter_map(|node| stanza::group(node, now)).collect();
    client
        .unit(|unit| {
            for known in unit.store.groups()? {
                if !told.iter().any(|(group, _)| *group == known) {
                    unit.put_group(&known, None);
                }
            }
            told.iter().try_for_each(|(group, row)| store(unit, group, row.clone()))
        })
        .await?;
    Ok(told)
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
