//! Notifications of the service: what each kind of them is good for, in one table (features document §13).
//!
//! Every kind that any client was seen to deal with, or that the service is known to send, is in [`KINDS`]: with the
//! room that deals with it, or with the reason for which it has no effect. Each is acknowledged, those that this version
//! does not know as well: what is not would come again with every login.

#[cfg(test)]
mod tests;

use whimbrel_wire::{Jid, NodeRef};

use crate::messages::{Replies, Unit};
use crate::store::StoreError;
use crate::{
    account, appstate, business, channels, devices, groups, pictures, privacy, profile, restrictions, tokens,
};

/// What deals with a notification in the lane.
type Handler = fn(&mut Unit<'_>, &NodeRef<'_>, &mut Replies) -> Result<(), StoreError>;

/// What becomes of a notification.
#[derive(Clone, Copy)]
pub(crate) enum Deed {
    /// A room deals with it in the lane, durably before it is acknowledged.
    Lane(Handler),
    /// It is dealt with elsewhere, as told.
    Elsewhere(&'static str),
    /// It is acknowledged and has no effect, for this reason.
    Ignored(&'static str),
}

/// A kind of notifications, by its `type`.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) deed: Deed,
}

const fn lane(name: &'static str, handler: Handler) -> Kind {
    Kind { name, deed: Deed::Lane(handler) }
}

const fn elsewhere(name: &'static str, place: &'static str) -> Kind {
    Kind { name, deed: Deed::Elsewhere(place) }
}

const fn ignored(name: &'static str, reason: &'static str) -> Kind {
    Kind { name, deed: Deed::Ignored(reason) }
}

const OF_PHONES: &str = "only phones act on it";
const OF_META: &str = "about services beside the messenger that no companion takes part in";

/// All kinds, in the order of their names.
pub(crate) const KINDS: &[Kind] = &[
    lane("account_sync", account_sync),
    lane("business", |unit, node, _| business::notify::notification(unit, node)),
    elsewhere("companion_reg_refresh", "the session, which shows another code"),
    lane("contacts", contacts),
    elsewhere("crsc_continuation", "the session, which links by passkey"),
    lane("devices", of_devices),
    ignored("digital_commerce_subscription", OF_META),
    lane("disappearing_mode", timer),
    lane("encrypt", encrypt),
    ignored("fb:update", OF_META),
    ignored("fbid:devices", OF_META),
    lane("hosted", of_devices),
    elsewhere("link_code_companion_reg", "the session, which links by a typed code"),
    elsewhere("mediaretry", "whoever asked the phone for a file"),
    lane("mex", graph),
    lane("newsletter", channel),
    elsewhere("passkey_prologue_request", "the session, which links by passkey"),
    ignored("pay", "payments are beyond this engine"),
    lane("picture", |unit, node, _| pictures::notify::notification(unit, node)),
    lane("privacy_token", |unit, node, _| tokens::notify::notification(unit, node)),
    ignored("psa", "what the service announces to people comes as a message"),
    ignored("registration", OF_PHONES),
    ignored("server", "it says nothing that any client acts on"),
    lane("server_sync", |unit, node, _| appstate::announced(unit, node)),
    lane("status", about),
    lane("w:gp2", group),
    ignored("w:growth", "advertising for phones"),
    ignored("waffle", OF_META),
];

/// Deals with a `<notification>`, and acknowledges it.
pub(crate) fn notification(
    unit: &mut Unit<'_>,
    node: &NodeRef<'_>,
    replies: &mut Replies,
) -> Result<(), StoreError> {
    let name = node.attr_text("type").unwrap_or_default();
    match KINDS.iter().find(|kind| kind.name == name).map(|kind| kind.deed) {
        Some(Deed::Lane(handler)) => handler(unit, node, replies)?,
        Some(Deed::Elsewhere(place)) => {
            tracing::trace!(%name, place, "A notification is dealt with elsewhere.")
        }
        Some(Deed::Ignored(reason)) => tracing::trace!(%name, reason, "A notification has no effect."),
        None => tracing::debug!(%name, "A notification of an unknown kind has no effect."),
    }
    replies.ack(node, None);
    Ok(())
}

/// Who or what it is about.
fn from(node: &NodeRef<'_>) -> Option<Jid> {
    node.attr_jid("from").map(Jid::normalized)
}

/// Devices and identities (delivery document §1.9, §2.7).
fn of_devices(unit: &mut Unit<'_>, node: &NodeRef<'_>, _: &mut Replies) -> Result<(), StoreError> {
    from(node).map_or(Ok(()), |from| devices::notify::devices(unit, node, &from))
}

fn encrypt(unit: &mut Unit<'_>, node: &NodeRef<'_>, replies: &mut Replies) -> Result<(), StoreError> {
    match from(node).filter(|_| node.child_named("identity").is_some()) {
        Some(from) => devices::notify::identity(unit, node, &from, replies),
        // About own prekeys, which the session has dealt with.
        None => Ok(()),
    }
}

/// Who has another number. Names and hashes of address books are the phone's; who is who is looked up when it is
/// needed.
fn contacts(unit: &mut Unit<'_>, node: &NodeRef<'_>, _: &mut Replies) -> Result<(), StoreError> {
    match node.child_named("modify") {
        Some(change) => devices::notify::number_changed(unit, node, change),
        None => Ok(()),
    }
}

/// The account itself, as another of its devices changed it (features document §13.2).
fn account_sync(unit: &mut Unit<'_>, node: &NodeRef<'_>, replies: &mut Replies) -> Result<(), StoreError> {
    if let Some(list) = node.child_named("devices") {
        devices::notify::own_devices(unit, list, replies)?;
    }
    account::changed_elsewhere(unit, node)
}

/// What comes as JSON, by its root (features document §4.5, §13.3): the first room that knows it takes it.
fn graph(unit: &mut Unit<'_>, node: &NodeRef<'_>, _: &mut Replies) -> Result<(), StoreError> {
    if !from(node).is_some_and(|from| from.is_server()) || profile::notify::announced(unit, node)? {
        return Ok(());
    }
    devices::notify::lid_changed(unit, node)?;
    restrictions::notification(unit, node)?;
    channels::notify::graph(unit, node)
}

fn of_account(node: &NodeRef<'_>) -> bool {
    from(node).is_some_and(|from| from.is_account())
}

fn timer(unit: &mut Unit<'_>, node: &NodeRef<'_>, _: &mut Replies) -> Result<(), StoreError> {
    if of_account(node) { privacy::notify::timer(unit, node) } else { Ok(()) }
}

fn about(unit: &mut Unit<'_>, node: &NodeRef<'_>, _: &mut Replies) -> Result<(), StoreError> {
    if of_account(node) { profile::notify::about(unit, node) } else { Ok(()) }
}

fn channel(unit: &mut Unit<'_>, node: &NodeRef<'_>, _: &mut Replies) -> Result<(), StoreError> {
    match from(node).filter(Jid::is_newsletter) {
        Some(channel) => channels::notify::notification(unit, node, &channel.to_bare()),
        None => Ok(()),
    }
}

fn group(unit: &mut Unit<'_>, node: &NodeRef<'_>, _: &mut Replies) -> Result<(), StoreError> {
    match from(node).filter(Jid::is_group) {
        Some(group) => groups::notify::notification(unit, node, &group.to_bare()),
        None => Ok(()),
    }
}
