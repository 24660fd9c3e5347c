//! Keeps a client connected for as long as the host wants it: connect, run, wait, again
//! (transport document §6.12).

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::session::{self, End, Memory};
use super::status::{Goal, Wish};
use super::{Inner, versions};
use crate::connection::backoff::Backoff;
use crate::connection::stream::{Refusal, Verdict};
use crate::error::{Code, Error};
use crate::events::{ConnectionRefused, ConnectionState, Event, EventKind, LinkFailed};
use crate::link::logout;
use crate::store::Changes;

/// The service's number for a version that is too old.
const OUTDATED: u16 = 405;

/// Restarts without a login between them that happen at once.
const PROMPT_RESTARTS: u32 = 3;

/// How long a store that cannot be read is left alone while there is no connection.
const REREAD: Duration = Duration::from_secs(1);

/// What follows a session.
enum Next {
    /// Again, at once.
    Now,
    /// Again, after the back-off.
    Later { reason: &'static str, error: Error },
    /// Not before the host asks.
    Never(Error),
    /// What the host wants has changed.
    Ask,
}

/// The supervising task of a client.
pub(super) async fn run(client: Arc<Inner>) {
    let mut goal = client.watch_goal();
    let mut memory = Memory::default();
    let mut backoff = Backoff::default();
    let mut restarts = 0;
    loop {
        let wanted = *goal.borrow_and_update();
        let wish = match wanted {
            Goal::Closed => {
                client.set_status(ConnectionState::Stopped, None, client.status().wish);
                return;
            }
            Goal::Rest(last) => {
                let status = client.status();
                // Also for wishes that were taken back before anybody worked on them.
                if status.state != ConnectionState::Stopped || status.wish.number < last.number {
                    client.set_status(ConnectionState::Stopped, None, last);
                }
                backoff.reset();
                tokio::select! {
                    changed = goal.changed() => if changed.is_err() { return },
                    () = client.commit.failed() => recover_at_rest(&client, &mut goal).await,
                }
                continue;
            }
            Goal::Connected(wish) => wish,
        };
        // Nothing is said to the service that may not be durable.
        if client.commit.has_failed()
            && let Next::Later { reason, error } = store_failed(&client, End::Interrupted).await
            && client.commit.has_failed()
        {
            pause(&client, &mut goal, &mut backoff, reason, error, wish).await;
            continue;
        }
        let end = match refuse_to_link_unasked(&client) {
            Ok(()) => session::run(&client, &mut memory, wish).await,
            Err(error) => {
                client.rest(Some(wish));
                client.set_status(ConnectionState::Stopped, Some(error), wish);
                continue;
            }
        };
        // A wish that came meanwhile was fulfilled or answered by this session.
        let wish = match *goal.borrow_and_update() {
            Goal::Connected(newer) if newer.epoch == wish.epoch => newer,
            _ => wish,
        };
        if let Some(since) = memory.logged_in_at {
            restarts = 0;
            backoff.logged_in_for(since.elapsed());
        }
        match judge(&client, &mut memory, &mut backoff, end, wish).await {
            Next::Ask => {}
            Next::Now if restarts < PROMPT_RESTARTS => restarts += 1,
            Next::Now => {
                let error =
                    Error::new(Code::ConnectFailed, "the service restarts the stream again and again");
                pause(&client, &mut goal, &mut backoff, "restarting", error, wish).await;
            }
            Next::Later { reason, error } => {
                pause(&client, &mut goal, &mut backoff, reason, error, wish).await;
            }
            Next::Never(error) => {
                client.rest(Some(wish));
                client.set_status(ConnectionState::Stopped, Some(error), wish);
            }
        }
    }
}

/// Codes are shown only if the host, or the start of the client, asked for a link: a wish to
/// connect that crosses the end of a link does not begin another one.
fn refuse_to_link_unasked(client: &Inner) -> Result<(), Error> {
    match client.linked_account() {
        Err(error) if !client.link.is_wanted() => Err(error),
        _ => Ok(()),
    }
}

/// Waits for the next attempt, or for a new wish.
async fn pause(
    client: &Inner,
    goal: &mut tokio::sync::watch::Receiver<Goal>,
    backoff: &mut Backoff,
    reason: &'static str,
    error: Error,
    wish: Wish,
) {
    // From before the host hears of the wait: it may wake the engine at once.
    let mut wakes = client.engine.watch_wakes();
    let retry_in = backoff.next(&mut *client.rng());
    tracing::info!(reason, ?retry_in, "The next attempt to connect follows.");
    client.set_status(ConnectionState::Waiting { retry_in, reason }, Some(error), wish);
    let due = Instant::now() + retry_in;
    tokio::select! {
        () = tokio::time::sleep_until(due) => {}
        // A new wish is worked on at once.
        _ = goal.changed() => {}
        // What failed may work after a sleep of the machine.
        _ = wakes.changed() => {}
    }
}

async fn judge(
    client: &Arc<Inner>,
    memory: &mut Memory,
    backoff: &mut Backoff,
    end: End,
    wish: Wish,
) -> Next {
    if client.tasks.has_panicked() {
        client.fail(crate::events::ClosedReason::Internal);
        return Next::Ask;
    }
    // Somebody else's commit may have failed, and the session ended for want of it.
    if client.commit.has_failed() || matches!(end, End::StoreFailed(_)) {
        return store_failed(client, end).await;
    }
    match end {
        End::Interrupted => Next::Ask,
        End::Lost { reason, error } => Next::Later { reason, error },
        End::Said { verdict, at_login } => {
            match said(client, memory, backoff, verdict, at_login, wish).await {
                Ok(next) => next,
                Err(error) => store_failed(client, End::StoreFailed(error)).await,
            }
        }
        End::LinkFailed(reason) => link_failed(client, reason, "the phone did not prove the link"),
        End::CodesExpired => link_failed(client, "codes_expired", "nobody scanned a code"),
        End::StoreFailed(error) => Next::Later { reason: "store_failed", error },
    }
}

fn link_failed(client: &Inner, reason: &'static str, message: &'static str) -> Next {
    client.events.link_failed(LinkFailed { reason });
    Next::Never(Error::new(Code::LinkFailed, message))
}

/// Nothing was acknowledged that is not durable, so the service sends it again: forget what is
/// in memory, and try again later.
async fn store_failed(client: &Inner, end: End) -> Next {
    let error = match end {
        End::StoreFailed(error) => error,
        _ => session::store_failed(),
    };
    if let Err(error) = client.recover_store().await {
        tracing::error!(%error, "The store cannot be read.");
    }
    Next::Later { reason: "store_failed", error }
}

/// A commit failed while there is no connection: what comes later shall not fail with it.
async fn recover_at_rest(client: &Inner, goal: &mut tokio::sync::watch::Receiver<Goal>) {
    if let Err(error) = client.recover_store().await {
        tracing::error!(%error, "The store cannot be read.");
        tokio::select! {
            () = tokio::time::sleep(REREAD) => {}
            _ = goal.changed() => goal.mark_changed(),
        }
    }
}

/// The consequences of what the service said.
async fn said(
    client: &Arc<Inner>,
    memory: &mut Memory,
    backoff: &mut Backoff,
    verdict: Verdict,
    at_login: bool,
    wish: Wish,
) -> Result<Next, Error> {
    match verdict {
        Verdict::Restart => Ok(Next::Now),
        Verdict::Retry { reason, extra_steps } => {
            backoff.rate_limited(extra_steps);
            let code = if reason == "rate_limited" { Code::RateLimited } else { Code::ConnectFailed };
            Ok(Next::Later { reason, error: Error::new(code, "the service ended the connection") })
        }
        Verdict::LoggedOut { reason, status, message, confirmed } => {
            let doubt = (!confirmed).then_some(if at_login { "login_refused" } else { "link_in_doubt" });
            logged_out(client, memory, Removal { reason, status, message }, doubt).await
        }
        Verdict::Replaced => {
            journal(client, client.event(EventKind::Replaced)).await?;
            Ok(Next::Never(Error::new(
                Code::Replaced,
                "another connection with this client's keys took over",
            )))
        }
        Verdict::Refused(refusal)
            if refusal.status == OUTDATED && versions::renew(client, memory.version, wish).await? =>
        {
            tracing::info!("The service does not accept the client's version; trying a newer one.");
            Ok(Next::Now)
        }
        Verdict::Refused(refusal) => {
            let error = refusal_error(&refusal);
            let event = ConnectionRefused {
                service_status: refusal.status,
                detail: refusal.detail,
                expires_in: refusal.expires_in,
                conflict: refusal.conflict,
                message: refusal.message,
                url: refusal.url,
            };
            journal(client, client.event(EventKind::ConnectionRefused(event))).await?;
            Ok(Next::Never(error))
        }
    }
}

async fn journal(client: &Inner, event: Event) -> Result<(), Error> {
    client.commit.commit(Changes { events: vec![event], ..Changes::default() }).await
}

/// What the service says of a link that is over.
struct Removal {
    reason: &'static str,
    status: u16,
    message: Option<String>,
}

/// The service says that this device is not linked, or that the account may not be used. A refusal
/// that stays alone may be a disturbance (`doubt` names it); only a second one in a row, or a removal
/// by name on a live stream, ends the link.
async fn logged_out(
    client: &Arc<Inner>,
    memory: &mut Memory,
    removal: Removal,
    doubt: Option<&'static str>,
) -> Result<Next, Error> {
    let status = removal.status;
    let Some(account) = client.account() else { return Ok(Next::Ask) };
    if account.phone.is_none() {
        // Nothing is linked, so nothing can be removed.
        return Ok(Next::Later { reason: "refused", error: removed(status) });
    }
    if let Some(reason) = doubt.filter(|_| !memory.denied && !account.logging_out) {
        memory.denied = true;
        return Ok(Next::Later { reason, error: removed(status) });
    }
    memory.denied = false;
    if account.pairing_unconfirmed {
        logout::discard_unconfirmed(client).await?;
        return Ok(link_failed(client, "refused", "the service did not complete the link"));
    }
    logout::end(client, removal.reason, status, removal.message).await?;
    Ok(Next::Never(removed(status)))
}

fn removed(status: u16) -> Error {
    Error::new(Code::LoggedOut, "the service removed this device from the account")
        .with_service_status(status)
}

fn refusal_error(refusal: &Refusal) -> Error {
    let (code, message) = match refusal.status {
        402 => (Code::TemporaryBan, "the account is banned for some time"),
        OUTDATED => (
            Code::ClientOutdated,
            "the service does not accept this client version any more and no newer one was found: set one, or update the engine",
        ),
        _ => (Code::Refused, "the service refused the connection"),
    };
    let error = Error::new(code, message).with_service_status(refusal.status);
    match refusal.expires_in {
        Some(time) => error.with_retry_after(time),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_have_codes_of_their_own() {
        let code = |status| refusal_error(&Refusal { status, ..Refusal::default() }).code();
        assert_eq!(code(405), Code::ClientOutdated);
        assert_eq!(code(409), Code::Refused);
        let hour = Some(Duration::from_secs(3600));
        let ban = Refusal { status: 402, detail: 101, expires_in: hour, ..Refusal::default() };
        let ban = refusal_error(&ban);
        assert_eq!((ban.code(), ban.retry_after(), ban.service_status()), (Code::TemporaryBan, hour, 402));
    }
}
