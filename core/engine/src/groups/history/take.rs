//! Taking what a member handed on into the archive.

use whimbrel_content::classify::{Class, reread};
use whimbrel_content::kinds::special::GroupHistory;
use whimbrel_content::{Content, MediaKind, MediaReference};
use whimbrel_wire::Jid;

use super::super::group_address;
use super::bundle;
use crate::archive::row::{ArchiveChange, MessageRow};
use crate::client::{Client, Inner};
use crate::error::{Code, Error};
use crate::media;
use crate::messages::compose::known;
use crate::options::CallOptions;

/// A history that was taken into the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FetchedHistory {
    /// How many messages of it are in the archive now.
    pub messages: u32,
    /// How many were left out: of other chats, too old, over, or not what a member hands on.
    pub left_out: u32,
}

impl Client {
    /// Takes the history of a group that a member handed to this account into the archive: downloads the file
    /// of a [`GroupHistory`](Content::GroupHistory) message, and keeps what may be believed of it. The words
    /// are the member's: who wrote a message is not proved by anything else. What is there already stays.
    ///
    /// # Errors
    /// [`Code::NotFound`] if there is no such message; [`Code::InvalidArgument`] if it brings no history;
    /// [`Code::Forbidden`] if it is for others; [`Code::NotSupported`] if the client has no archive;
    /// [`Code::MediaUnsupported`] for a file that is none; those of [`download`](Self::download). Repeating is
    /// safe.
    pub async fn fetch_group_history(
        &self,
        group: &Jid,
        message_id: &str,
        options: CallOptions,
    ) -> Result<FetchedHistory, Error> {
        let operation = "fetch_group_history";
        let group = group_address(group).map_err(|error| error.in_operation(operation))?;
        let message_id = message_id.to_owned();
        self.call(operation, options.timeout, move |client, deadline| async move {
            let history = find(&client, &group, &message_id)?;
            let media = history.media.ok_or_else(not_there)?;
            let reference = MediaReference::new(MediaKind::GroupHistory, media);
            let file = media::fetch_bytes(&client, reference, deadline).await?;
            keep(&client, &group, &file).await
        })
        .await
    }
}

fn not_there() -> Error {
    Error::new(Code::InvalidArgument, "the message brings no history of a group")
}

/// The message that brings the history, if it is for this account.
fn find(client: &Inner, group: &Jid, id: &str) -> Result<GroupHistory, Error> {
    let account = client.linked_account()?;
    if !client.options.archive {
        return Err(Error::new(Code::NotSupported, "this client has no archive to keep it in"));
    }
    let found = known(client, group, id)?;
    let found = found.ok_or_else(|| Error::new(Code::NotFound, "there is no such message"))?;
    let history = match reread(found.message, group, found.own).class {
        Class::Message(shown) => match shown.content {
            Content::GroupHistory(history) => history,
            _ => return Err(not_there()),
        },
        _ => return Err(not_there()),
    };
    let is_own = |jid: &Jid| {
        let own = [&account.phone, &account.lid];
        own.into_iter().flatten().any(|own| own.same_account(jid))
    };
    if history.receivers.iter().any(is_own) {
        Ok(history)
    } else {
        Err(Error::new(Code::Forbidden, "the history is for other members"))
    }
}

async fn keep(client: &Inner, group: &Jid, file: &[u8]) -> Result<FetchedHistory, Error> {
    let now = client.server_now_ms().div_euclid(1000);
    let history = bundle::read(file)?;
    let told = history.messages.into_iter().chain(history.out_of_window_pinned_messages);
    let told: Vec<Option<bundle::Handed>> = told.map(|info| bundle::handed(info, group, now)).collect();
    let kept = client.unit(move |unit| {
        let mut counts = FetchedHistory { messages: 0, left_out: 0 };
        for handed in told {
            // What this account wrote, it knows better than anybody else.
            let handed = match handed {
                Some(handed) if !unit.is_own(&handed.author) => handed,
                _ => {
                    counts.left_out = counts.left_out.saturating_add(1);
                    continue;
                }
            };
            let row = MessageRow {
                chat: group.clone(),
                author: Some(unit.canonical(&handed.author)?),
                message_id: handed.id,
                timestamp: handed.timestamp,
                content: handed.content,
                status: None,
                starred: false,
                unread: false,
                notice: None,
            };
            unit.changes.archive.push(ArchiveChange::Message(Box::new(row)));
            counts.messages = counts.messages.saturating_add(1);
        }
        Ok(counts)
    });
    kept.await
}
