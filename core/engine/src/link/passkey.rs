//! The service's demand for a passkey of the account's owner (pairing document §7). Nobody has
//! seen the whole exchange on the wire, so this client does not take part in it: it tells the
//! host, and the codes go on.

use std::sync::Arc;
use std::time::Duration;

use whimbrel_wire::{Jid, Node, NodeRef};

use crate::client::Inner;
use crate::connection::Connection;
use crate::events::PasskeyRequired;

/// How long the service may take to say what it wants.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Longest options that are passed on.
const LONGEST: usize = 64 * 1024;

/// Whether a notification belongs to the exchange.
pub(crate) fn is_about(notification: &NodeRef<'_>) -> bool {
    is_demand(notification) || notification.attr_is("type", "crsc_continuation")
}

fn is_demand(notification: &NodeRef<'_>) -> bool {
    notification.attr_is("type", "passkey_prologue_request")
}

/// Asks for the options of a demand that came without them.
fn query() -> Node {
    Node::new("iq")
        .attr("to", Jid::SERVER)
        .attr("xmlns", "md")
        .attr("type", "get")
        .child(Node::new("passkey_request_options"))
}

fn options(stanza: &NodeRef<'_>) -> Option<String> {
    let bytes = stanza.child_named("passkey_request_options")?;
    let text = bytes.content_text().map(str::to_owned);
    let text = text.or_else(|| String::from_utf8(bytes.content_bytes()?.to_vec()).ok());
    text.filter(|text| !text.is_empty() && text.len() <= LONGEST)
}

/// Acts on a notification, which was acknowledged already.
pub(crate) async fn on_notification(client: Arc<Inner>, connection: Arc<Connection>, notification: Node) {
    if !is_demand(&notification) {
        tracing::debug!("The service continues an exchange that this client does not take part in.");
        return;
    }
    tracing::warn!("The service demands a passkey for this link, which this client cannot give.");
    let mut wanted = options(&notification);
    if wanted.is_none() {
        match connection.request(client.request_ids.next(), query(), TIMEOUT).await {
            Ok(answer) => wanted = options(&answer),
            Err(error) => tracing::debug!(%error, "The service does not say what it wants."),
        }
    }
    client.events.passkey_required(PasskeyRequired { options: wanted });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_from_text_and_bytes() {
        let demand =
            |child: Node| Node::new("notification").attr("type", "passkey_prologue_request").child(child);
        let child = || Node::new("passkey_request_options");
        assert_eq!(options(&demand(child().text("{}"))).as_deref(), Some("{}"));
        assert_eq!(options(&demand(child().bytes(b"{\"a\":1}".to_vec()))).as_deref(), Some("{\"a\":1}"));
        assert_eq!(options(&demand(child())), None);
        assert!(is_about(&demand(child())) && is_about(&Node::new("x").attr("type", "crsc_continuation")));
        assert!(!is_about(&Node::new("notification").attr("type", "devices")));
    }
}
