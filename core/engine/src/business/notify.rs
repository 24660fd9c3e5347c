//! What the service announces about businesses (features document §13.1).

use whimbrel_wire::NodeRef;

use crate::events::{EventKind, Identity};
use crate::messages::Unit;
use crate::store::StoreError;

/// Something about a business changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BusinessChanged {
    /// The business.
    pub who: Identity,
    /// What changed.
    pub change: BusinessChange,
    /// Ids of products and collections, if it is about some.
    pub ids: Vec<String>,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
}

/// What changed about a business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BusinessChange {
    /// Its verified name.
    Name,
    /// It is no business any more.
    Removed,
    /// What it says of itself.
    Profile,
    /// What it sells.
    Catalog,
    /// What this account subscribed to of the service, or what it may use of it.
    Subscription,
}

/// Deals with a `<notification>` about a business.
pub(crate) fn notification(unit: &mut Unit<'_>, node: &NodeRef<'_>) -> Result<(), StoreError> {
    let (Some(from), Some(told)) = (node.attr_jid("from"), node.first_child()) else { return Ok(()) };
    let change = match told.tag() {
        "verified_name" => BusinessChange::Name,
        "remove" => BusinessChange::Removed,
        "profile" => BusinessChange::Profile,
        "product_catalog" => BusinessChange::Catalog,
        "subscriptions" | "feature_flags" => BusinessChange::Subscription,
        _ => return Ok(()),
    };
    let who = told.attr_jid("jid").unwrap_or(from);
    if !who.is_account() {
        return Ok(());
    }
    let id = |child: &NodeRef<'_>| {
        let id = child.attr_text("id").map(std::borrow::Cow::into_owned);
        id.or_else(|| child.child_text("id").map(ToOwned::to_owned))
    };
    let ids = match change {
        BusinessChange::Catalog | BusinessChange::Subscription => {
            told.child_nodes().iter().filter_map(id).collect()
        }
        _ => Vec::new(),
    };
    let timestamp = node.attr_u64("t").and_then(|time| i64::try_from(time).ok());
    let timestamp = timestamp.unwrap_or_else(|| unit.now());
    let who = unit.identity_of(&who.to_account())?;
    unit.event(EventKind::BusinessChanged(BusinessChanged { who, change, ids, timestamp }));
    Ok(())
}
