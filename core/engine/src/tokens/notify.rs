//! Tokens that others give to this account.

use whimbrel_wire::NodeRef;

use super::stanza;
use crate::devices::identity::Source;
use crate::messages::Unit;
use crate::store::StoreError;

/// Deals with a `privacy_token` notification. Who gave it is kept under the LID.
pub(crate) fn notification(unit: &mut Unit<'_>, node: &NodeRef<'_>) -> Result<(), StoreError> {
    let Some(from) = node.attr_jid("from").map(|from| from.to_account()).filter(|from| from.is_account())
    else {
        return Ok(());
    };
    if let Some(lid) = node.attr_jid("sender_lid").map(|lid| lid.to_account()) {
        unit.learn(&from, &lid, Source::Seed)?;
    }
    // The addresses in them, if there are any, are those of this device.
    for (_, (token, time)) in stanza::given(node) {
        unit.take_token(&from, token, time)?;
    }
    Ok(())
}
