//! What the service announces about channels (features document §4.5), in each of its forms: stanzas of
//! the channel itself, and JSON of the GraphQL interface.

use serde_json::Value;
use whimbrel_wire::{Jid, NodeRef};

use super::channel::{self, Channel, ChannelActivity, ChannelState};
use super::events::{
    ChannelChanged, ChannelJoined, ChannelLeft, ChannelMuted, ChannelRoleChange, ChannelRoleChanged,
    PostCounts,
};
use super::receive::{ENTRIES, counts, tell_counts, time};
use crate::events::EventKind;
use crate::messages::Unit;
use crate::mex;
use crate::store::StoreError;

/// Updates in one announcement of the older form.
const UPDATES: usize = 100;

/// Deals with a `<notification>` of a channel. The service says the counts twice: in a list, and for others
/// beside it.
pub(crate) fn notification(unit: &mut Unit<'_>, node: &NodeRef<'_>, channel: &Jid) -> Result<(), StoreError> {
    let at = time(node, unit.now());
    if let Some(live) = node.child_named("live_updates") {
        let list = live.child_named("messages").unwrap_or(live);
        let posts = list.children_named("message").take(ENTRIES).filter_map(counts);
        let posts: Vec<PostCounts> = posts.filter(PostCounts::tell).collect();
        if !posts.is_empty() {
            let at = time(list, at);
            tell_counts(unit, channel, posts, at);
        }
    }
    if let Some(participant) = node.child_named("participant")
        && let Some(who) = participant.attr_jid("jid").filter(Jid::is_account)
    {
        let role = participant.attr_text("new_role").unwrap_or_default().to_ascii_uppercase();
        let change = match role.as_str() {
            "OWNER" => ChannelRoleChange::BecameOwner,
            "ADMIN" => ChannelRoleChange::Promoted,
            _ => ChannelRoleChange::Demoted,
        };
        role_changed(unit, channel, &who, None, change, at)?;
    }
    if let Some(settings) = node.child_named("update").and_then(|update| update.child_named("settings")) {
        let text = |tag: &str| {
            settings.child_named(tag).map(|node| node.content_text().unwrap_or_default().to_owned())
        };
        let changed = ChannelChanged {
            name: text("name").filter(|name| !name.is_empty()),
            description: text("description"),
            ..unchanged(channel, at)
        };
        changed_to(unit, changed);
    }
    Ok(())
}

/// Deals with a `<notification>` of the GraphQL interface; what is not about channels has no effect here.
pub(crate) fn graph(unit: &mut Unit<'_>, node: &NodeRef<'_>) -> Result<(), StoreError> {
    let at = time(node, unit.now());
    let body = |tag: &str| {
        let child = node.child_named(tag)?;
        mex::body(child.content_bytes()?)
    };
    if let (Some(update), Some(body)) = (node.child_named("update"), body("update")) {
        let name = update.attr_text("op_name").unwrap_or_default();
        let data = body.get("data").and_then(Value::as_object);
        for (root, told) in data.into_iter().flatten() {
            heard(unit, &name, root, told, at)?;
        }
    } else if let Some(body) = body("mex") {
        let name = channel::word(&body, "operation").unwrap_or_default();
        let updates = body.get("updates").and_then(Value::as_array);
        for told in updates.into_iter().flatten().take(UPDATES) {
            heard_of_old(unit, &name, told, at)?;
        }
    }
    Ok(())
}

/// What an announcement is about: the name under which it stands says it, or else its own.
fn heard(unit: &mut Unit<'_>, name: &str, root: &str, told: &Value, at: i64) -> Result<(), StoreError> {
    let Some(channel) = channel::address(told, "id").or_else(|| channel::address(told, "jid")) else {
        return Ok(());
    };
    let about = told.get("thread_metadata").unwrap_or(&Value::Null);
    match (root.strip_prefix("xwa2_notify_newsletter_").unwrap_or_default(), name) {
        ("on_join", _) | (_, "NotificationNewsletterJoin") => {
            if let Some(channel) = Channel::read(told) {
                unit.event(EventKind::ChannelJoined(Box::new(ChannelJoined { channel, timestamp: at })));
            }
        }
        ("on_leave", _) | (_, "NotificationNewsletterLeave") => {
            unit.event(EventKind::ChannelLeft(ChannelLeft { channel, timestamp: at }));
        }
        ("on_mute_change" | "on_user_setting_change", _)
        | (_, "NotificationNewsletterUserSettingChange" | "NotificationNewsletterMuteChange") => {
            for (activity, muted) in settings(told) {
                let muted = ChannelMuted { channel: channel.clone(), activity, muted, timestamp: at };
                unit.event(EventKind::ChannelMuted(muted));
            }
        }
        ("on_metadata_update" | "on_admin_metadata_update", _)
        | (_, "NotificationNewsletterUpdate" | "NotificationNewsletterAdminMetadataUpdate") => {
            changed_to(unit, metadata(&channel, about, at));
        }
        ("on_state_change", _) | (_, "NotificationNewsletterStateChange") => {
            let state = channel::state(told);
            changed_to(unit, ChannelChanged { state, ..unchanged(&channel, at) });
        }
        (_, name) => {
            let who = channel::person(told, "user").or_else(|| channel::person(told, "user_id"));
            if let (Some(change), Some(who)) = (role_change(name), who) {
                role_changed(unit, &channel, &who, channel::person(told, "actor"), change, at)?;
            }
        }
    }
    Ok(())
}

/// The same in the form that Baileys reads.
fn heard_of_old(unit: &mut Unit<'_>, name: &str, told: &Value, at: i64) -> Result<(), StoreError> {
    let Some(channel) = channel::address(told, "jid") else { return Ok(()) };
    if let (Some(change), Some(who)) = (role_change(name), channel::person(told, "user")) {
        return role_changed(unit, &channel, &who, channel::person(told, "actor"), change, at);
    }
    if name == "NotificationNewsletterUpdate" {
        let settings = told.get("settings").unwrap_or(&Value::Null);
        let text = |name| channel::word(settings, name);
        let (name, description) = (text("name").filter(|name| !name.is_empty()), text("description"));
        changed_to(unit, ChannelChanged { name, description, ..unchanged(&channel, at) });
    }
    Ok(())
}

fn role_change(name: &str) -> Option<ChannelRoleChange> {
    match name {
        "NotificationNewsletterAdminPromote" => Some(ChannelRoleChange::Promoted),
        "NotificationNewsletterAdminDemote" => Some(ChannelRoleChange::Demoted),
        "NotificationNewsletterOwnerUpdate" => Some(ChannelRoleChange::BecameOwner),
        "NotificationNewsletterAdminInviteRevoke" => Some(ChannelRoleChange::InvitationRevoked),
        _ => None,
    }
}

/// What is muted: one word for posts, or settings with a type each.
fn settings(told: &Value) -> Vec<(ChannelActivity, bool)> {
    let on =
        |told: &Value, name: &str| channel::word(told, name).map(|value| value.eq_ignore_ascii_case("ON"));
    if let Some(muted) = on(told, "mute") {
        return vec![(ChannelActivity::Posts, muted)];
    }
    let one = |setting: &Value| {
        let kind = channel::word(setting, "type")?;
        Some((ChannelActivity::of(&kind)?, on(setting, "value")?))
    };
    let listed = told.get("settings").and_then(Value::as_array);
    listed.into_iter().flatten().chain(told.get("setting")).filter_map(one).collect()
}

fn unchanged(channel: &Jid, at: i64) -> ChannelChanged {
    ChannelChanged {
        channel: channel.clone(),
        state: None,
        name: None,
        description: None,
        picture: None,
        picture_removed: false,
        reactions: None,
        pinned: None,
        timestamp: at,
    }
}

fn metadata(channel: &Jid, about: &Value, at: i64) -> ChannelChanged {
    let picture = channel::picture(about, "picture");
    // A picture that is named and empty is gone; one that is not named is as it was.
    let picture_removed = about.get("picture").is_some() && picture.is_none();
    let pinned = about.get("pinned_messages").is_some_and(Value::is_array);
    ChannelChanged {
        name: channel::text_of(about, "name").filter(|name| !name.is_empty()),
        description: channel::text_of(about, "description"),
        picture,
        picture_removed,
        reactions: channel::reactions(about),
        pinned: pinned.then(|| channel::pinned(about)),
        ..unchanged(channel, at)
    }
}

/// Tells of a change, if it is one that this version knows.
fn changed_to(unit: &mut Unit<'_>, changed: ChannelChanged) {
    if changed != unchanged(&changed.channel, changed.timestamp)
        && changed.state != Some(ChannelState::Unknown)
    {
        unit.event(EventKind::ChannelChanged(Box::new(changed)));
    }
}

fn role_changed(
    unit: &mut Unit<'_>,
    channel: &Jid,
    who: &Jid,
    author: Option<Jid>,
    change: ChannelRoleChange,
    at: i64,
) -> Result<(), StoreError> {
    let author = author.map(|author| unit.identity_of(&author)).transpose()?;
    let who = unit.identity_of(who)?;
    let changed = ChannelRoleChanged { channel: channel.clone(), who, author, change, timestamp: at };
    unit.event(EventKind::ChannelRoleChanged(changed));
    Ok(())
}
