//! The receipt that a phone is owed for a piece that is done with (media document §18.3). It is written down
//! with the end of the piece, and said again with every connection until the service has it: otherwise a
//! phone that announces its pieces a few times only would never learn of one.

use whimbrel_wire::{Jid, Node, NodeRef};

use super::piece::HistoryChange;
use crate::client::Inner;
use crate::connection::Connection;
use crate::messages::Unit;

/// Says what the phone is owed.
pub(crate) async fn tell_phone(client: &Inner, connection: &Connection) {
    let owed = match client.store.owed_receipts() {
        Ok(owed) => owed,
        Err(error) => {
            tracing::warn!(%error, "The receipts that the phone is owed could not be read.");
            return;
        }
    };
    for id in owed {
        if !tell(client, connection, id).await {
            return;
        }
    }
}

/// Says that a piece is done with. Returns whether there is a connection on which more can be said.
pub(super) async fn tell(client: &Inner, connection: &Connection, id: String) -> bool {
    let Some(phone) = client.account().and_then(|account| account.phone.clone()) else { return false };
    if connection.send(receipt(&phone.to_bare(), id)).await.is_err() {
        tracing::debug!("The phone is told of the history with the next connection.");
        return false;
    }
    true
}

fn receipt(phone: &Jid, id: String) -> Node {
    Node::new("receipt").attr("id", id).attr("to", phone).attr("type", "hist_sync")
}

/// Takes the service's ack of such a receipt.
pub(crate) fn receipted(unit: &mut Unit<'_>, ack: &NodeRef<'_>) {
    if ack.attr_is("class", "receipt")
        && ack.attr_is("type", "hist_sync")
        && let Some(id) = ack.attr_text("id")
    {
        unit.changes.history.push(HistoryChange::Receipted(id.into_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_receipt_goes_to_the_account() {
        let node = receipt(&Jid::pn("7"), "A".to_owned());
        assert_eq!(node.to_string(), r#"<receipt id="A" to=J:"7@s.whatsapp.net" type="hist_sync"/>"#);
    }
}
