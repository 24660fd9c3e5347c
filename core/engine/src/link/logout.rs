//! Ending the link: by the host, or by the service (pairing document §10).

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;
use whimbrel_wire::{Jid, Node};

use crate::addons::waiting;
use crate::client::Inner;
use crate::error::{Code, Error, Outcome};
use crate::events::{EventKind, LoggedOut};
use crate::messages::SignalState;
use crate::store::Changes;

/// How long the service may take to confirm that it removed this device.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);

/// How long what was received may take to be confirmed before that.
const LAST_RECEIPTS: Duration = Duration::from_secs(1);

/// The request to remove this device from the account.
fn remove(device: &Jid) -> Node {
    let remove = Node::new("remove-companion-device").attr("jid", device).attr("reason", "user_initiated");
    Node::new("iq").attr("to", Jid::SERVER).attr("xmlns", "md").attr("type", "set").child(remove)
}

/// Removes this device from the account. That the host wants it is durable first: what is not
/// confirmed now is finished after the next login.
pub(crate) async fn by_host(client: &Arc<Inner>, deadline: Instant) -> Result<(), Error> {
    client.linked_account()?;
    client.commit_account(Changes::default(), |account| account.logging_out = true).await?;
    client.wish_connected()?;
    let connection = client.wait_for_connection(deadline).await;
    if matches!(&connection, Err(error) if error.code() == Code::LoggedOut) {
        return Ok(());
    }
    // Once removed the service takes nothing from this device any more. What has been received is
    // confirmed first, so that nobody is told less than the host was.
    let _ = tokio::time::timeout_at(deadline.min(Instant::now() + LAST_RECEIPTS), connection?.backlog.over())
        .await;
    let left = deadline.saturating_duration_since(Instant::now()).min(ANSWER_TIMEOUT);
    // A task of the client: a host that stops waiting does not stop it half way.
    let (done, finished) = oneshot::channel();
    let task = Arc::clone(client);
    client.spawn(async move {
        // Whoever does not wait any more need not be told.
        let _ = done.send(finish(&task, left).await);
    });
    finished.await.unwrap_or_else(|_| Err(crate::engine::closed().with_outcome(Outcome::Unknown)))
}

/// Asks the service, and sets the link aside when it confirms.
pub(crate) async fn finish(client: &Arc<Inner>, timeout: Duration) -> Result<(), Error> {
    let account = match client.linked_account() {
        Ok(account) => account,
        Err(error) if error.code() == Code::LoggedOut => return Ok(()),
        Err(error) => return Err(error),
    };
    let device = account.phone.as_ref().ok_or_else(crate::client::not_linked)?;
    match client.request(remove(device), timeout).await {
        Ok(_) => end(client, "host", 0, None).await,
        // The service may end the stream instead of answering; the session has seen why.
        Err(_) if client.account().is_some_and(|account| account.logged_out) => Ok(()),
        // It does not know this device any more.
        Err(error) if error.code() == Code::NotFound => end(client, "host", 404, None).await,
        Err(error) => Err(error),
    }
}

/// Sets the link aside: the keys are kept for the record and never used again. Durable before
/// the host is told, and told once.
///
/// When the service ends the link, receipts that are still owed are not sent: it has dropped the
/// device with its queue and takes nothing from it any more. Those that were written already leave
/// with the end of the connection; the account's other devices give their own.
pub(crate) async fn end(
    client: &Inner,
    reason: &'static str,
    service_status: u16,
    message: Option<String>,
) -> Result<(), Error> {
    // What waited for its message is told, since none will come.
    while matches!(client.unit(waiting::end).await, Ok(true)) {}
    let mut signal = client.signal.lock().await;
    // Looked at under the lock: the host's request and the service's word may come together.
    let Some(account) = client.account().filter(|account| !account.logged_out) else { return Ok(()) };
    let reason = if account.logging_out { "host" } else { reason };
    let reason = Cow::Borrowed(reason);
    let event = client.event(EventKind::LoggedOut(LoggedOut { reason, service_status, message }));
    let changes = Changes { forget_link: true, events: vec![event], ..Changes::default() };
    let ended = client.commit_account(changes, |account| {
        account.logged_out = true;
        account.logging_out = false;
        account.pairing_unconfirmed = false;
        account.server_has_pre_keys = false;
        account.server_key = None;
        account.routing_info = None;
    });
    ended.await?;
    *signal = SignalState::default();
    drop(signal);
    client.rest(None);
    Ok(())
}

/// The service did not accept a link that was just proved: the keys are set aside, and the host
/// links anew.
pub(crate) async fn discard_unconfirmed(client: &Inner) -> Result<(), Error> {
    let mut signal = client.signal.lock().await;
    let changes = Changes { forget_link: true, ..Changes::default() };
    let discarded = client.commit_account(changes, |account| {
        account.logged_out = true;
        account.pairing_unconfirmed = false;
        account.server_key = None;
        (account.phone, account.lid, account.signed_identity) = (None, None, None);
    });
    discarded.await?;
    *signal = SignalState::default();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_names_the_device_as_a_jid() {
        let request = remove(&Jid::pn("15550001111").with_device(7));
        let child = request.child_named("remove-companion-device").unwrap();
        assert!(child.attr_value("jid").unwrap().as_jid().is_some());
        assert!(
            child.attr_is("jid", "15550001111:7@s.whatsapp.net") && child.attr_is("reason", "user_initiated")
        );
    }
}
