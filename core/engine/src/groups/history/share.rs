//! Handing on what was written before somebody joined.

use tokio::time::Instant;
use whimbrel_content::context::Context;
use whimbrel_content::kinds::special::GroupHistory;
use whimbrel_content::{Content, MediaKind};
use whimbrel_wire::Jid;

use super::super::exchange::invalid;
use super::super::{Addressing, fanout, group_address};
use super::bundle;
use crate::client::{Client, Inner};
use crate::error::{Code, Error};
use crate::media::{self, UploadOptions};
use crate::messages::compose::refused;
use crate::messages::route::Route;
use crate::messages::sending::Submission;
use crate::options::{CallOptions, SendWait};

/// Members who may get the history at once.
const PEOPLE: usize = 100;

/// What the file says it is.
const MIMETYPE: &str = "application/protobuf";

/// A history that was handed on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SharedHistory {
    /// Id of the message that brings it to the new members.
    pub message_id: String,
    /// How many messages are in it.
    pub messages: u32,
    /// When the oldest of them was written, seconds since 1970.
    pub oldest_at: i64,
}

/// What is on its way: the content for the new members and for the group, and how.
struct Ready {
    history: GroupHistory,
    members: Vec<Jid>,
}

impl Client {
    /// Hands members of a group, as a rule new ones, what was written there lately: the newest messages of
    /// this client's archive, at most 100 of the last two weeks. What disappears by itself and what may be
    /// seen once is left out. The group is told that they got it.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for nobody, for more than a hundred people, and for people who are not in the
    /// group; [`Code::NotSupported`] if the client has no archive; [`Code::NotFound`] if there is nothing to
    /// hand on; [`Code::Forbidden`] if this account is not in the group; [`Code::Refused`] if the service does
    /// not let this account do it; those of [`upload`](Self::upload) and [`send`](Self::send).
    pub async fn share_group_history(
        &self,
        group: &Jid,
        people: &[Jid],
        options: CallOptions,
    ) -> Result<SharedHistory, Error> {
        let operation = "share_group_history";
        let group = group_address(group).map_err(|error| error.in_operation(operation))?;
        if people.is_empty() || people.len() > PEOPLE || !people.iter().all(Jid::is_account) {
            return Err(invalid("between 1 and 100 people have to be named").in_operation(operation));
        }
        let (about, people) = (group.clone(), people.to_vec());
        let ready = self.call(operation, options.timeout, move |client, deadline| async move {
            let (members, messages) = gather(&client, &about, &people).await?;
            let (count, oldest_at) = (messages.len(), bundle::oldest(&messages));
            let file = bundle::write(messages)?;
            let uploaded = upload(&client, file, deadline).await?;
            let history = GroupHistory {
                media: Some(uploaded),
                receivers: members.clone(),
                message_count: i64::try_from(count).ok(),
                oldest_at,
            };
            Ok(Ready { history, members })
        });
        let Ready { history, members } = ready.await?;
        let submission = |route| Submission {
            message_id: None,
            wait: SendWait::Sent,
            timeout: options.timeout,
            cancel: None,
            route,
        };
        let bundle = history.clone();
        let make = move |_: &Inner, _: &Jid| made(Content::GroupHistory(bundle));
        let route = Some(Route::Members { people: members });
        let sent = self.send_made(operation, &group, submission(route), make).await?;
        let notice = GroupHistory { media: None, ..history.clone() };
        let make = move |_: &Inner, _: &Jid| made(Content::GroupHistoryNotice(notice));
        self.send_made(operation, &group, submission(None), make).await?;
        Ok(SharedHistory {
            message_id: sent.message_id,
            messages: history.message_count.and_then(|count| u32::try_from(count).ok()).unwrap_or_default(),
            oldest_at: history.oldest_at.unwrap_or_default(),
        })
    }
}

fn made(content: Content) -> Result<whimbrel_proto::e2e::Message, Error> {
    content
        .to_message(&Context::default())
        .map_err(|_| refused(&whimbrel_content::compose::Refused::ReadOnly))
}

/// The members as the group names them, and what they get.
async fn gather(
    client: &Inner,
    group: &Jid,
    people: &[Jid],
) -> Result<(Vec<Jid>, Vec<whimbrel_proto::web::WebMessageInfo>), Error> {
    let account = client.linked_account()?;
    if !client.options.archive {
        return Err(Error::new(Code::NotSupported, "this client has no archive to hand on"));
    }
    let named = client.unit(|unit| {
        let Some(row) = unit.group(group)?.filter(|row| fanout::is_member(unit, row)) else {
            return Ok(None);
        };
        let mut members = Vec::with_capacity(people.len());
        for person in people {
            let known = unit.canonical(&person.to_account())?;
            let member = row.member(&person.to_account()).or_else(|| row.member(&known)).cloned();
            let Some(member) = member.filter(|member| !unit.is_own(&member.id)) else {
                return Ok(Some((Vec::new(), row.addressing)));
            };
            let (_, wire) = fanout::addresses(unit, &member, row.addressing)?;
            if !members.contains(&wire) {
                members.push(wire);
            }
        }
        Ok(Some((members, row.addressing)))
    });
    let (members, addressing) = named.await?.ok_or_else(fanout::not_a_member)?;
    if members.is_empty() {
        return Err(invalid("somebody is not in the group"));
    }
    let own = match addressing {
        Addressing::Lid => account.lid.as_ref().or(account.phone.as_ref()),
        Addressing::PhoneNumber => account.phone.as_ref(),
    };
    let own = own.ok_or_else(crate::client::not_linked)?.to_bare();
    let now = client.server_now_ms().div_euclid(1000);
    let messages = bundle::choose(&*client.store, group, &own, now)?;
    if messages.is_empty() {
        return Err(Error::new(Code::NotFound, "nothing was written lately that may be handed on"));
    }
    Ok((members, messages))
}

async fn upload(
    client: &std::sync::Arc<Inner>,
    file: Vec<u8>,
    deadline: Instant,
) -> Result<whimbrel_content::kinds::media::Media, Error> {
    let options = UploadOptions { mimetype: Some(MIMETYPE.to_owned()), ..UploadOptions::default() };
    let key = crate::random::bytes(&mut client.rng());
    let kind = MediaKind::GroupHistory;
    let client = std::sync::Arc::clone(client);
    let uploaded = media::upload_with_key(client, file.into(), kind, options, key, deadline).await?;
    Ok(uploaded.reference.media)
}
