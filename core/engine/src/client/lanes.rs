//! What a logged-in connection sets going.

use std::sync::Arc;

use super::Inner;
use crate::connection::{Connection, Inbound, iq};

/// The client is logged in on a connection: its inbound lane begins, and ends with it.
pub(super) fn start(client: &Arc<Inner>, connection: &Arc<Connection>, inbound: Inbound) {
    client.spawn(run(Arc::clone(client), Arc::clone(connection), inbound));
}

/// What waited at the service has arrived.
pub(super) fn offline_ended(_client: &Arc<Inner>, _connection: &Arc<Connection>) {}

async fn run(client: Arc<Inner>, connection: Arc<Connection>, mut inbound: Inbound) {
    let mut batch = Vec::new();
    loop {
        client.events.wait_for_room().await;
        if !inbound.next_batch(&mut batch).await {
            return;
        }
        for stanza in batch.drain(..) {
            let ack = match stanza.tag() {
                "notification" | "receipt" | "call" | "status" => iq::ack(&stanza, None),
                _ => None,
            };
            if let Some(ack) = ack {
                if connection.send(ack).await.is_err() {
                    return;
                }
            }
        }
    }
}
