//! What the service announces about privacy and timers.

use whimbrel_wire::NodeRef;

use super::{PrivacySetting, stanza};
use crate::events::{EventKind, Identity};
use crate::messages::Unit;
use crate::store::StoreError;

/// Settings of this account's privacy have other values.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PrivacyChanged {
    /// Those that changed, as they are now.
    pub settings: Vec<PrivacySetting>,
}

/// Somebody wants another timer in new chats.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct DefaultTimerChanged {
    /// Who: this account, or another person.
    pub who: Identity,
    /// After how many seconds messages disappear; 0: never.
    pub seconds: u32,
    /// When it was set, seconds since 1970, if the service said so.
    pub changed_at: Option<i64>,
}

/// Deals with the `<privacy>` of an `account_sync` notification: with what changed, or with nothing, and
/// then everything is asked for.
pub(crate) fn changed_elsewhere(unit: &mut Unit<'_>, node: &NodeRef<'_>) -> Result<(), StoreError> {
    let changed = stanza::settings(node);
    if changed.is_empty() { unit.give_up_privacy() } else { unit.hear_of_privacy(&changed) }
}

/// Deals with a `<disappearing_mode>`: of this account in an `account_sync`, of others in a notification of
/// its own.
pub(crate) fn timer(unit: &mut Unit<'_>, node: &NodeRef<'_>) -> Result<(), StoreError> {
    let (Some(from), Some((seconds, changed_at))) = (node.attr_jid("from"), stanza::timer(node)) else {
        return Ok(());
    };
    let from = from.to_account();
    if unit.is_own(&from) {
        unit.keep_default_timer(seconds)?;
    }
    let who = unit.identity_of(&from)?;
    unit.event(EventKind::DefaultTimerChanged(DefaultTimerChanged { who, seconds, changed_at }));
    Ok(())
}
