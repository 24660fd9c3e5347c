//! What a logged-in connection sets going.

use std::sync::Arc;

use super::Inner;
use crate::connection::{Connection, Inbound};
use crate::messages::inbound;

/// The client is logged in on a connection: its inbound lane begins, and ends with it.
pub(super) fn start(client: &Arc<Inner>, connection: &Arc<Connection>, inbound: Inbound) {
    client.spawn(inbound::run(Arc::clone(client), Arc::clone(connection), inbound));
}
