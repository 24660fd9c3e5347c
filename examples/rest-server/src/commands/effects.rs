//! What an account does by itself, as its settings say.

use std::sync::Arc;

use serde_json::json;
use whimbrel::events::{Event, EventKind};

use super::recipients::Recipient;
use super::sending::{Outgoing, send};
use crate::hosting::Account;
use crate::server::Server;

/// Acts on events that are in the log. Each effect runs by itself: none holds up the events behind it.
pub(crate) fn after(server: &Arc<Server>, account: &Arc<Account>, events: &[Event]) {
    let settings = account.row().settings;
    for event in events {
        match &event.kind {
            EventKind::Message(message) if !message.from_me => {
                let reads = if message.is_status { settings.read_status } else { settings.read_messages };
                if reads {
                    let sender = message.chat.id.is_group() || message.is_status;
                    let request = json!({
                        "chat": message.chat.id.to_string(),
                        "sender": sender.then(|| message.sender.id.to_string()),
                        "messageIds": [message.message_id],
                    });
                    run(account, "mark_read", request);
                }
            }
            EventKind::CallOffered(call) if settings.reject_calls => {
                let request = json!({"callId": call.call_id, "caller": call.caller.id.to_string()});
                run(account, "reject_call", request);
                if !settings.call_text.is_empty() && !call.offline {
                    let to = Recipient {
                        id: call.caller.id.to_string(),
                        phone: call.caller.phone.as_ref().map(ToString::to_string),
                        lid: call.caller.lid.as_ref().map(ToString::to_string),
                    };
                    say(server, account, to, &settings.call_text);
                }
            }
            EventKind::Connection(whimbrel::events::ConnectionState::Online) if settings.always_online => {
                run(account, "set_presence", json!({"availability": "available"}));
            }
            _ => {}
        }
    }
}

fn run(account: &Arc<Account>, name: &'static str, request: serde_json::Value) {
    let account = Arc::clone(account);
    tokio::spawn(async move {
        if let Err(failure) = account.operation(name, request).await {
            tracing::warn!(account = account.id, name, %failure, "A setting of the account could not be followed.");
        }
    });
}

fn say(server: &Arc<Server>, account: &Arc<Account>, to: Recipient, text: &str) {
    let (server, account) = (Arc::clone(server), Arc::clone(account));
    let outgoing = Outgoing::new(to, json!({"type": "text", "text": text}));
    tokio::spawn(async move {
        if let Err(failure) = send(&server, &account, outgoing).await {
            tracing::warn!(account = account.id, %failure, "A caller could not be answered.");
        }
    });
}
