//! What was written in a group before somebody joined.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::{CallOptions, Client, Error, Jid, parse_address};

use super::Operation;

/// Hands members of a group, as a rule new ones, what was written there lately: the newest messages of this
/// client's archive, at most 100 of the last two weeks. What disappears by itself and what may be seen once is
/// left out. The group is told that they got it. Their clients get a message with content `group_history`.
///
/// Fails with `INVALID_ARGUMENT` for nobody, for more than a hundred people, and for people who are not in the
/// group; with `NOT_SUPPORTED` if the client was opened without an archive; with `NOT_FOUND` if there is
/// nothing to hand on; with `FORBIDDEN` if this account is not in the group; and with `REFUSED` if the service
/// does not let this account do it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShareGroupHistory {
    /// Address of the group.
    #[schemars(extend("format" = "address"))]
    pub group: String,
    /// Addresses of the members.
    pub people: Vec<String>,
}

/// A history that was handed on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SharedHistory {
    /// Id of the message that brings it to the members.
    pub message_id: String,
    /// How many messages are in it.
    pub messages: u32,
    /// When the oldest of them was written, seconds since 1970.
    pub oldest_at: i64,
}

impl Operation for ShareGroupHistory {
    const NAME: &'static str = "share_group_history";
    type Output = SharedHistory;

    async fn run(self, client: &Client, options: CallOptions) -> Result<SharedHistory, Error> {
        let people: Vec<Jid> =
            self.people.iter().map(|person| parse_address(person)).collect::<Result<_, _>>()?;
        let shared = client.share_group_history(&parse_address(&self.group)?, &people, options).await?;
        Ok(SharedHistory {
            message_id: shared.message_id,
            messages: shared.messages,
            oldest_at: shared.oldest_at,
        })
    }
}

/// Takes the history of a group that a member handed to this account into the archive: downloads the file of a
/// message with content `group_history`, and keeps what may be believed of it. The words are the member's: who
/// wrote a message is not proved by anything else. What is there already stays; there are no events about the
/// messages, `find_messages` finds them.
///
/// Fails with `NOT_FOUND` if there is no such message, with `INVALID_ARGUMENT` if it brings no history, with
/// `FORBIDDEN` if it is for others, with `NOT_SUPPORTED` if the client was opened without an archive, with
/// `MEDIA_UNSUPPORTED` for a file that is none, and as `download_media` does. Repeating is safe.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FetchGroupHistory {
    /// Address of the group.
    #[schemars(extend("format" = "address"))]
    pub group: String,
    /// Id of the message that brings it.
    pub message_id: String,
}

/// A history that was taken into the archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FetchedHistory {
    /// How many messages of it are in the archive now.
    pub messages: u32,
    /// How many were left out: of other chats, too old, over, or not what a member hands on.
    pub left_out: u32,
}

impl Operation for FetchGroupHistory {
    const NAME: &'static str = "fetch_group_history";
    type Output = FetchedHistory;

    async fn run(self, client: &Client, options: CallOptions) -> Result<FetchedHistory, Error> {
        let group = parse_address(&self.group)?;
        let fetched = client.fetch_group_history(&group, &self.message_id, options).await?;
        Ok(FetchedHistory { messages: fetched.messages, left_out: fetched.left_out })
    }
}
