//! The inbound lane: takes what arrived, makes it durable, and then answers, in the order of
//! arrival.

use std::sync::Arc;

use tokio::sync::mpsc;
use whimbrel_wire::{Jid, Node, NodeRef};

use super::outbox::Settled;
use super::{receive, stanza};
use crate::calls;
use crate::client::Inner;
use crate::connection::{Connection, Inbound, iq};
use crate::devices::identity;
use crate::history;
use crate::messages::Unit;
use crate::notices;
use crate::presence;
use crate::receipts;
use crate::repair::{self, Repair};
use crate::retry::phone::{self, Missing};
use crate::store::StoreError;

/// Repairs that may wait; what is beyond is asked for again by those who need it.
const REPAIRS: usize = 1024;

/// What follows from stanzas once their unit of work is durable.
#[derive(Default)]
pub(crate) struct Replies {
    nodes: Vec<Node>,
    /// Sent messages about which the service said its word.
    pub(crate) settled: Vec<Settled>,
    /// Messages of chats that devices of others have.
    pub(crate) delivered: Vec<(Vec<Jid>, Vec<String>)>,
    /// What needs the service, and so must not hold the lane up.
    pub(crate) repairs: Vec<Repair>,
    /// A piece of the history was announced.
    pub(crate) history: bool,
    /// The phone's words on requests for all of its history.
    pub(crate) full_history: Vec<history::Answer>,
    /// What others do, for the host.
    pub(crate) signs: Vec<presence::Sign>,
    /// Somebody looks at what arrives, as the service was told.
    pub(crate) is_looked_at: bool,
    /// Messages that the phone is to be asked for.
    missing: Vec<Missing>,
}

impl Replies {
    /// Adds an answer.
    pub(crate) fn push(&mut self, node: Node) {
        self.nodes.push(node);
    }

    /// Acknowledges a stanza, with an error if it is refused.
    pub(crate) fn ack(&mut self, stanza: &NodeRef<'_>, error: Option<u16>) {
        self.nodes.extend(ack(stanza, error));
    }

    /// Asks the phone for a message, unless it comes by itself.
    pub(crate) fn ask_phone(&mut self, missing: Missing) {
        self.missing.push(missing);
    }

    /// What the phone is to be asked for.
    #[cfg(test)]
    pub(crate) fn missing(&self) -> &[Missing] {
        &self.missing
    }

    /// The answers, in order.
    #[cfg(test)]
    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }
}

/// The ack of a stanza. What is equal to the address it goes to is not repeated in acks of
/// receipts, and an ack of an identity change has no type (transport document §6.10).
fn ack(stanza: &NodeRef<'_>, error: Option<u16>) -> Option<Node> {
    let mut ack = iq::ack(stanza, error)?;
    if stanza.tag() == "receipt" && stanza.attr_jid("participant") == stanza.attr_jid("from") {
        ack.remove_attr("participant");
    }
    if stanza.tag() == "notification" && stanza.child_named("identity").is_some() {
        ack.remove_attr("type");
    }
    Some(ack)
}

/// Runs the inbound lane of a connection until the connection is over.
pub(crate) async fn run(client: Arc<Inner>, connection: Arc<Connection>, inbound: Inbound) {
    let (repairs, queue) = mpsc::channel(REPAIRS);
    tokio::join!(
        receive(&client, &connection, inbound, repairs),
        repair::run(&client, &connection, queue),
        phone::run(&client, &connection),
        presence::watch_writing(&client, &connection)
    );
}

async fn receive(
    client: &Arc<Inner>,
    connection: &Arc<Connection>,
    mut inbound: Inbound,
    repairs: mpsc::Sender<Repair>,
) {
    let mut batch = Vec::new();
    loop {
        if !client.events.has_room() {
            connection.backlog.hold_up(true);
            tokio::select! {
                biased;
                () = client.events.wait_for_room() => {}
                // What waits here is not acknowledged and comes again; to keep it for a host that is
                // slow would cost memory with every connection, and time at the close.
                () = connection.closed() => return,
            }
            connection.backlog.hold_up(false);
        }
        if !inbound.next_batch(&mut batch).await {
            return;
        }
        let handled = client.unit(|unit| {
            let is_looked_at = client.presence.is_available_on(connection.generation);
            let mut replies = Replies { is_looked_at, ..Replies::default() };
            for node in &batch {
                handle(client, unit, node, &mut replies)?;
            }
            replies.repairs.append(&mut unit.repairs);
            replies.repairs.extend(unit.take_doubts().into_iter().map(Repair::Addresses));
            Ok(replies)
        });
        let replies = match handled.await {
            Ok(replies) => replies,
            Err(error) => {
                tracing::error!(%error, "What arrived could not be made durable; it is not acknowledged.");
                client.outbox.unsettle();
                connection.close();
                return;
            }
        };
        let dealt_with = batch.len();
        batch.clear();
        for settled in replies.settled {
            client.outbox.settle(settled);
        }
        for (chat, ids) in replies.delivered {
            client.outbox.delivered(&chat, &ids);
        }
        for node in replies.nodes {
            if connection.send(node).await.is_err() {
                return;
            }
        }
        if replies.history {
            client.history.wake();
        }
        for answer in replies.full_history {
            client.history.answered(answer);
        }
        for sign in replies.signs {
            client.presence.tell(sign, &client.events);
        }
        for missing in replies.missing {
            client.phone.add(missing);
        }
        for repair in replies.repairs {
            if repairs.try_send(repair).is_err() {
                tracing::warn!("Too many repairs are waiting; one is left out.");
            }
        }
        connection.backlog.done(dealt_with);
    }
}

/// Deals with one stanza inside the unit of work of its batch.
fn handle(client: &Inner, unit: &mut Unit<'_>, node: &Node, replies: &mut Replies) -> Result<(), StoreError> {
    match node.tag() {
        "message" => receive::message(unit, node, replies),
        "receipt" => receipts::receive::receipt(unit, node, replies),
        "ack" => match stanza::ack(node) {
            Some(ack) => client.outbox.acknowledged(unit, &ack, replies),
            None => {
                history::receipted(unit, node);
                Ok(())
            }
        },
        "notification" => {
            client.media.phone.answered(node);
            notices::notification(unit, node, replies)
        }
        "call" => {
            identity::learn_from_call(unit, node)?;
            calls::receive::call(unit, node, replies)
        }
        "status" => {
            replies.ack(node, None);
            Ok(())
        }
        "presence" => presence::presence(unit, node, replies),
        "chatstate" => presence::chat_state(unit, node, replies),
        "error" | "iq" => Ok(()),
        tag => {
            tracing::debug!(tag, "A stanza of an unknown kind arrived.");
            replies.ack(node, Some(super::decrypt::UNKNOWN));
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acks_leave_out_what_the_service_does_not_want() {
        let from = Jid::lid("7");
        let receipt = Node::new("receipt").attr("id", "A").attr("from", &from).attr("participant", &from);
        assert!(ack(&receipt, None).unwrap().attr_value("participant").is_none());
        let other = receipt.attr("participant", Jid::lid("8"));
        assert!(ack(&other, None).unwrap().attr_value("participant").is_some());
        let identity = Node::new("notification").attr("id", "A").attr("from", &from).attr("type", "encrypt");
        assert!(ack(&identity, None).unwrap().attr_is("type", "encrypt"));
        assert!(ack(&identity.child(Node::new("identity")), None).unwrap().attr_value("type").is_none());
    }
}
