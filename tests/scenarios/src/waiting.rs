//! Waiting for what a client does and tells.

use std::time::Duration;

use whimbrel::events::{
    ConnectionState, Event, EventKind, EventStream, GroupChanged, GroupJoined, GroupLeft, GroupLinked,
    GroupSuggested, Identity, IdentityChanged, JoinRequest, LoggedOut, Message, Receipt, ReceiptKind,
    SendStatus, Undecryptable,
};
use whimbrel::{CallOptions, Client, Jid};

/// How long anything may take before a scenario has failed.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// A call with a deadline.
pub fn within(timeout: Duration) -> CallOptions {
    let mut options = CallOptions::default();
    options.timeout = Some(timeout);
    options
}

/// Waiting on a client.
pub trait Wait {
    /// Waits until the client is logged in and up to date.
    fn wait_online(&self) -> impl Future<Output = ()>;
}

impl Wait for Client {
    async fn wait_online(&self) {
        self.connect(within(DEADLINE)).await.unwrap();
    }
}

/// Takes events until one fits, and returns what was made of it.
pub async fn next_event<T>(events: &mut EventStream, mut wanted: impl FnMut(&Event) -> Option<T>) -> T {
    let mut seen = Vec::new();
    let searching = async {
        while let Some(event) = events.next().await {
            if let Some(found) = wanted(&event) {
                return found;
            }
            seen.push(event.kind);
        }
        panic!("the events ended before the awaited one");
    };
    match tokio::time::timeout(DEADLINE, searching).await {
        Ok(found) => found,
        Err(_) => panic!("the awaited event did not come; what came instead: {seen:?}"),
    }
}

/// Takes events until one of this kind.
pub async fn next_kind<T>(events: &mut EventStream, mut wanted: impl FnMut(&EventKind) -> Option<T>) -> T {
    next_event(events, |event| wanted(&event.kind)).await
}

/// Takes events until the connection is in a state that fits.
pub async fn next_state(
    events: &mut EventStream,
    mut wanted: impl FnMut(&ConnectionState) -> bool,
) -> ConnectionState {
    next_kind(events, |kind| match kind {
        EventKind::Connection(state) if wanted(state) => Some(state.clone()),
        _ => None,
    })
    .await
}

/// Waits until the client rests. The event may have been taken already: the state is written before it.
pub async fn stopped(client: &Client, events: &mut EventStream) {
    if client.connection_state() != ConnectionState::Stopped {
        next_state(events, |state| *state == ConnectionState::Stopped).await;
    }
}

/// Takes events until the connection waits before its next attempt; returns why.
pub async fn waiting_reason(events: &mut EventStream) -> &'static str {
    next_kind(events, |kind| match kind {
        EventKind::Connection(ConnectionState::Waiting { reason, .. }) => Some(*reason),
        _ => None,
    })
    .await
}

/// Disconnects, and waits until that is so.
pub async fn go_away(client: &Client) {
    go_away_with(client, &mut client.events().unwrap()).await;
}

/// Disconnects, and waits until these events tell so.
pub async fn go_away_with(client: &Client, events: &mut EventStream) {
    client.disconnect();
    next_state(events, |state| *state == ConnectionState::Stopped).await;
}

/// Takes events until a message.
pub async fn next_message(events: &mut EventStream) -> Message {
    next_kind(events, |kind| match kind {
        EventKind::Message(found) => Some(Message::clone(found)),
        _ => None,
    })
    .await
}

/// Takes events until a placeholder of a message. The event's id comes with it: a later message completes
/// that.
pub async fn next_placeholder(events: &mut EventStream) -> (String, Undecryptable) {
    next_event(events, |event| match &event.kind {
        EventKind::Undecryptable(placeholder) => Some((event.id.clone(), placeholder.clone())),
        _ => None,
    })
    .await
}

/// Takes events until a receipt of this kind.
pub async fn next_receipt(events: &mut EventStream, wanted: ReceiptKind) -> Receipt {
    next_kind(events, |kind| match kind {
        EventKind::Receipt(receipt) if receipt.kind == wanted => Some(receipt.clone()),
        _ => None,
    })
    .await
}

/// Takes events until the fate of a sent message.
pub async fn next_status(events: &mut EventStream) -> SendStatus {
    next_kind(events, |kind| match kind {
        EventKind::SendStatus(found) => Some(found.clone()),
        _ => None,
    })
    .await
}

/// Takes events until a chat moves: from where, and to what.
pub async fn next_moved(events: &mut EventStream) -> (Jid, Identity) {
    next_kind(events, |kind| match kind {
        EventKind::ChatMoved(moved) => Some((moved.former.clone(), moved.chat.clone())),
        _ => None,
    })
    .await
}

/// Takes events until somebody's identity changes.
pub async fn next_identity(events: &mut EventStream) -> IdentityChanged {
    next_kind(events, |kind| match kind {
        EventKind::IdentityChanged(found) => Some(found.clone()),
        _ => None,
    })
    .await
}

/// Takes events until the link ends.
pub async fn next_logout(events: &mut EventStream) -> LoggedOut {
    next_kind(events, |kind| match kind {
        EventKind::LoggedOut(found) => Some(found.clone()),
        _ => None,
    })
    .await
}

/// Takes events until the account joins a group.
pub async fn next_joined(events: &mut EventStream) -> GroupJoined {
    next_kind(events, |kind| match kind {
        EventKind::GroupJoined(found) => Some(found.clone()),
        _ => None,
    })
    .await
}

/// Takes events until the account leaves a group.
pub async fn next_left(events: &mut EventStream) -> GroupLeft {
    next_kind(events, |kind| match kind {
        EventKind::GroupLeft(found) => Some(found.clone()),
        _ => None,
    })
    .await
}

/// Takes events until a group changes.
pub async fn next_group_change(events: &mut EventStream) -> GroupChanged {
    next_kind(events, |kind| match kind {
        EventKind::GroupChanged(found) => Some(found.clone()),
        _ => None,
    })
    .await
}

/// Takes events until somebody wants to be let into a group, or no longer.
pub async fn next_join_request(events: &mut EventStream) -> JoinRequest {
    next_kind(events, |kind| match kind {
        EventKind::JoinRequest(found) => Some(found.clone()),
        _ => None,
    })
    .await
}

/// Takes events until groups are put into a community or taken out.
pub async fn next_linked(events: &mut EventStream) -> GroupLinked {
    next_kind(events, |kind| match kind {
        EventKind::GroupLinked(found) => Some(found.clone()),
        _ => None,
    })
    .await
}

/// Takes events until a group is suggested for a community, or no longer.
pub async fn next_suggested(events: &mut EventStream) -> GroupSuggested {
    next_kind(events, |kind| match kind {
        EventKind::GroupSuggested(found) => Some(found.clone()),
        _ => None,
    })
    .await
}
