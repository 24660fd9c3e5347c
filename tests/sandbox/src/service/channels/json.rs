//! Channels in the JSON of the GraphQL interface (features document §4.3). Every key is always there:
//! clients differ in which they cannot do without.

use serde_json::{Value, json};

use super::super::Service;
use super::super::accounts::AccountId;
use super::state::{Channel, Text};

impl Service {
    /// A channel, with what the viewer is in it if somebody is named.
    pub(super) fn channel_json(&self, channel: &Channel, viewer: Option<AccountId>) -> Value {
        json!({
            "id": channel.jid.to_string(),
            "state": state_json(channel),
            "thread_metadata": self.thread_json(channel),
            "viewer_metadata": viewer.map(|viewer| viewer_json(channel, viewer)),
            "status_metadata": null,
        })
    }

    pub(super) fn thread_json(&self, channel: &Channel) -> Value {
        let picture = |hash: fn(&super::state::Picture) -> &[u8; 32], kind: &str| match &channel.picture {
            Some(picture) => json!({
                "id": picture.id,
                "type": kind,
                "direct_path": self.shelf.path(hash(picture)),
            }),
            // Some clients cannot do without the object.
            None => json!({ "id": null, "type": kind, "direct_path": "" }),
        };
        let pinned = channel.pinned.iter().filter(|(_, until)| *until > self.now);
        let pinned: Vec<Value> =
            pinned.map(|(id, until)| json!({ "message_id": id, "expiry_ts": until.to_string() })).collect();
        json!({
            "creation_time": channel.created.to_string(),
            "name": text_json(&channel.name),
            "description": text_json(&channel.description),
            "picture": picture(|picture| &picture.full, "IMAGE"),
            "preview": picture(|picture| &picture.preview, "PREVIEW"),
            "invite": channel.invite,
            "handle": null,
            "subscribers_count": channel.followers.len().to_string(),
            "verification": if channel.verified { "VERIFIED" } else { "UNVERIFIED" },
            "settings": { "reaction_codes": { "value": channel.reactions } },
            "wamo_sub": null,
            "pinned_messages": pinned,
        })
    }
}

fn text_json(text: &Text) -> Value {
    json!({
        "id": text.changed.to_string(),
        "text": text.text,
        "update_time": text.changed.to_string(),
    })
}

pub(super) fn state_json(channel: &Channel) -> Value {
    json!({ "type": if channel.deleted { "DELETED" } else { "ACTIVE" } })
}

/// What somebody is in a channel, in the service's word.
pub(super) fn role(channel: &Channel, account: AccountId) -> &'static str {
    if channel.owner == account {
        "OWNER"
    } else if channel.admins.contains(&account) {
        "ADMIN"
    } else if channel.followers.contains_key(&account) {
        "SUBSCRIBER"
    } else {
        "GUEST"
    }
}

fn viewer_json(channel: &Channel, viewer: AccountId) -> Value {
    let follower = channel.followers.get(&viewer).cloned().unwrap_or_default();
    let word = |on: bool| if on { "ON" } else { "OFF" };
    json!({
        "role": role(channel, viewer),
        "settings": [
            { "type": "MUTE_ADMIN_ACTIVITY", "value": word(follower.posts_muted) },
            { "type": "MUTE_FOLLOWER_ACTIVITY", "value": word(follower.followers_muted) },
        ],
        "mute": word(follower.posts_muted),
        "wamo_sub_status": null,
    })
}
