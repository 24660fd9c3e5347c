//! Looking groups up (features document §2.2).

use whimbrel_wire::Jid;

use super::exchange::left;
use super::info::{self, Group};
use super::query::{self, unclear};
use super::stanza::Told;
use super::{exchange, fanout, group_address, stanza};
use crate::client::Client;
#[cfg(doc)]
use crate::error::Code;
use crate::error::Error;
use crate::options::CallOptions;

/// Groups in one batch of questions, and of questions for pictures.
const BATCH: usize = 10_000;
const PICTURES: usize = 1_000;

/// What is known of one of several groups that were asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupLookup {
    /// Its address.
    pub id: Jid,
    /// The group; of a very large one without some of its members.
    pub group: Option<Group>,
    /// Why there is none: the service's number, 403 this account is not in it, 404 there is no such group.
    pub refused: Option<u16>,
}

/// The small picture of a group, on the media hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupPicture {
    /// The group.
    pub group: Jid,
    /// Id of the picture: another one means another picture.
    pub id: String,
    /// Where it is, for some time.
    pub url: Option<String>,
    /// Its path on any media host.
    pub direct_path: Option<String>,
}

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
            let row = query::query(&client, &connection, &group, left(deadline)).await?;
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
            let rows = query::query_all(&client, &connection, left(deadline)).await?;
            client.unit(|unit| rows.iter().map(|(id, row)| info::group(unit, id, row)).collect()).await
        })
        .await
    }

    /// Returns a group after comparing its members with those that the service has; it is fetched only if
    /// they differ. Cheaper than a fresh [`group`](Self::group) where there are many members; settings
    /// that changed unheard do not show.
    ///
    /// # Errors
    /// As [`group`](Self::group).
    pub async fn check_group(&self, group: &Jid, options: CallOptions) -> Result<Group, Error> {
        let operation = "check_group";
        let group = group_address(group).map_err(|error| error.in_operation(operation))?;
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let known = client.unit(|unit| unit.group(&group)).await?;
            if let Some(known) = known.filter(|row| !row.stale) {
                let request = stanza::query(&group, Some(fanout::members_hash(&known)));
                let answer = connection.request(client.request_ids.next(), request, left(deadline)).await?;
                if answer.child_named("group").is_none() {
                    return client.unit(|unit| info::group(unit, &group, &known)).await;
                }
            }
            let row = query::query(&client, &connection, &group, left(deadline)).await?;
            client.unit(|unit| info::group(unit, &group, &row)).await
        })
        .await
    }

    /// Returns several groups, at most 10,000, as the service has them now.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::NotLinked`]; [`Code::TimedOut`]. What is wrong with single groups
    /// is in the results.
    pub async fn groups_named(&self, named: &[Jid], options: CallOptions) -> Result<Vec<GroupLookup>, Error> {
        let operation = "get_groups";
        let named = exchange::groups(named, BATCH).map_err(|error| error.in_operation(operation))?;
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let before = client.unit(|unit| Ok(unit.announcements())).await?;
            let request = stanza::batch(&named);
            let answer = connection.request(client.request_ids.next(), request, left(deadline)).await?;
            let now = client.server_now_ms().div_euclid(1000);
            let told = stanza::told(&answer, now).ok_or_else(unclear)?;
            client
                .unit(|unit| {
                    let mut lookups = Vec::with_capacity(told.len());
                    for one in told {
                        lookups.push(match one {
                            Told::Refused(id, status) => {
                                if matches!(status, 403 | 404) {
                                    super::forget(unit, &id)?;
                                }
                                GroupLookup { id, group: None, refused: Some(status) }
                            }
                            Told::Group(id, mut row) => {
                                let group = Some(info::group(unit, &id, &row)?);
                                row.stale |= unit.announced_since(&id, before);
                                query::store(unit, &id, *row)?;
                                GroupLookup { id, group, refused: None }
                            }
                        });
                    }
                    Ok(lookups)
                })
                .await
        })
        .await
    }

    /// Returns the small pictures of several groups, at most 1,000; groups without a picture are left out.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn group_pictures(
        &self,
        groups: &[Jid],
        options: CallOptions,
    ) -> Result<Vec<GroupPicture>, Error> {
        let operation = "get_group_pictures";
        let groups = exchange::groups(groups, PICTURES).map_err(|error| error.in_operation(operation))?;
        let request = stanza::pictures(&groups);
        self.ask_about_groups(
            operation,
            options,
            |_| Ok(request),
            |_, answer| {
                let told = stanza::told_pictures(answer);
                Ok(told.map(|told| {
                    let picture = |stanza::Picture { group, id, url, direct_path }| GroupPicture {
                        group,
                        id,
                        url,
                        direct_path,
                    };
                    told.into_iter().map(picture).collect()
                }))
            },
        )
        .await
    }
}
