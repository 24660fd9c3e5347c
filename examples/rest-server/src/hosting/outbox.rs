//! What waits to be sent: handed to the engine in the order in which it was accepted within each chat, not
//! before it is due, and under its id however often the server is stopped on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use whimbrel::CallOptions;
use whimbrel::events::EventKind;

use super::account::Account;
use crate::failure::{Failure, Problem};
use crate::server::Server;
use crate::store::outbox::{self as rows, OutboxRow};
use crate::store::{Unit, now_ms};

/// How many chats of an account are sent to at a time.
const CHATS_AT_ONCE: usize = 8;

/// For how long a typing sign is shown before it is shown again.
const SIGN: Duration = Duration::from_secs(10);

/// How long the sender waits when the engine or the store fails.
const PAUSE: Duration = Duration::from_secs(2);

/// What became of a message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fate {
    /// The engine has it; it leaves as soon as it can.
    Handed,
    /// The service has it.
    Sent,
    /// It will not be sent: the name of the engine's error, and what it says.
    Failed(String, Failed),
}

/// A failure that can be told again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failed {
    pub(crate) problem: Problem,
    pub(crate) detail: String,
}

/// Requests that wait for what becomes of their messages.
#[derive(Default)]
pub(crate) struct Fates {
    waiting: Mutex<BTreeMap<String, Vec<oneshot::Sender<Fate>>>>,
}

impl Fates {
    /// Waits for the next thing that becomes of a message.
    pub(crate) fn wait(&self, message_id: &str) -> oneshot::Receiver<Fate> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let senders = waiting.entry(message_id.to_owned()).or_default();
        senders.retain(|sender| !sender.is_closed());
        senders.push(sender);
        receiver
    }

    pub(crate) fn settle(&self, message_id: &str, fate: Fate) {
        let senders = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(message_id);
        for sender in senders.into_iter().flatten() {
            // Whoever waited has given up.
            let _ = sender.send(fate.clone());
        }
    }
}

/// What an event says of a message that was sent.
pub(crate) fn fate(event: &EventKind) -> Option<(String, Fate)> {
    match event {
        EventKind::SendStatus(status) => {
            let fate = match status.error {
                None => Fate::Sent,
                Some(code) => {
                    let failure = Failure::from(whimbrel::Error::new(code, "the message could not be sent"));
                    let failed = Failed { problem: failure.problem, detail: failure.detail };
                    Fate::Failed(whimbrel_api::codes::info(code).name.to_owned(), failed)
                }
            };
            Some((status.message_id.clone(), fate))
        }
        _ => None,
    }
}

/// Writes what became of a message.
pub(crate) fn settle(unit: &Unit<'_>, account: &str, message_id: &str, fate: &Fate) -> Result<(), Failure> {
    match fate {
        Fate::Handed => rows::set_state(unit, account, message_id, "handed", None)?,
        Fate::Sent => rows::set_state(unit, account, message_id, "sent", None)?,
        Fate::Failed(error, _) => rows::set_state(unit, account, message_id, "failed", Some(error))?,
    };
    Ok(())
}

/// Sends what waits, until the account closes.
pub(crate) async fn run(server: Arc<Server>, account: Arc<Account>) {
    let mut busy: BTreeSet<String> = BTreeSet::new();
    let mut sending: JoinSet<String> = JoinSet::new();
    loop {
        let id = account.id.clone();
        let waiting = match server.store.unit(move |unit| rows::waiting(unit, &id)).await {
            Ok(waiting) => waiting,
            Err(failure) => {
                tracing::error!(account = account.id, %failure, "The outbox could not be read.");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let mut soonest = None;
        let mut seen = BTreeSet::new();
        for row in waiting {
            // What was handed over is the engine's business, which keeps the order too.
            if row.state == "handed" {
                continue;
            }
            if !seen.insert(row.chat.clone()) || busy.contains(&row.chat) {
                continue;
            }
            let now = now_ms();
            if row.due_at > now && row.shows.is_empty() {
                soonest = Some(soonest.map_or(row.due_at, |at: i64| at.min(row.due_at)));
                continue;
            }
            if sending.len() >= CHATS_AT_ONCE {
                break;
            }
            busy.insert(row.chat.clone());
            let (server, account) = (Arc::clone(&server), Arc::clone(&account));
            sending.spawn(async move {
                let chat = row.chat.clone();
                send(&server, &account, row).await;
                chat
            });
        }
        let until = soonest.map_or(Duration::from_secs(3600), |at| {
            Duration::from_millis(u64::try_from(at.saturating_sub(now_ms())).unwrap_or(0))
        });
        tokio::select! {
            () = account.outbox.notified() => {}
            () = tokio::time::sleep(until) => {}
            Some(ended) = sending.join_next() => {
                if let Ok(chat) = ended {
                    busy.remove(&chat);
                }
            }
        }
    }
}

/// Hands a message to the engine, after its delay. Should the server stop before that is written, it is done
/// again, which under the same id is no second message.
async fn send(server: &Arc<Server>, account: &Arc<Account>, row: OutboxRow) {
    show(account, &row).await;
    let fate = match hand_over(account, &row).await {
        Ok(()) => Fate::Handed,
        Err(failure) if is_passing(failure.problem) => {
            tracing::info!(account = account.id, %failure, "A message waits.");
            tokio::time::sleep(PAUSE).await;
            return;
        }
        Err(failure) => {
            let failed = Failed { problem: failure.problem, detail: failure.detail.clone() };
            Fate::Failed(failure.problem.code().to_owned(), failed)
        }
    };
    let (id, message, written) = (account.id.clone(), row.message_id.clone(), fate.clone());
    let unit = server.store.unit(move |unit| settle(unit, &id, &message, &written));
    if let Err(failure) = unit.await {
        tracing::error!(account = account.id, %failure, "The state of a message could not be written.");
    }
    if let Fate::Failed(error, _) = &fate {
        let event = crate::events::native::not_sent(&row, error);
        if let Err(failure) = super::pump::tell(server, account, vec![event]).await {
            tracing::error!(account = account.id, %failure, "A failed message could not be told.");
        }
    }
    account.fates.settle(&row.message_id, fate);
}

/// What goes away by itself: the message stays in its place.
fn is_passing(problem: Problem) -> bool {
    matches!(
        problem,
        Problem::Unavailable | Problem::NotConnected | Problem::Timeout | Problem::MediaUnreachable
    )
}

/// Waits until a message is due, and shows meanwhile that somebody types or speaks.
async fn show(account: &Arc<Account>, row: &OutboxRow) {
    let left = || u64::try_from(row.due_at.saturating_sub(now_ms())).unwrap_or(0);
    let sign = |state: &str| json!({"chat": row.chat, "state": state});
    let shown = !row.shows.is_empty() && left() > 0;
    while left() > 0 {
        if shown {
            // A sign is a courtesy: the message goes without it too.
            let _ = account.operation("set_chat_state", sign(&row.shows)).await;
        }
        tokio::time::sleep(Duration::from_millis(left()).min(SIGN)).await;
    }
    if shown {
        let _ = account.operation("set_chat_state", sign("paused")).await;
    }
}

async fn hand_over(account: &Arc<Account>, row: &OutboxRow) -> Result<(), Failure> {
    let entry = whimbrel_api::operations::find(&row.operation)?;
    let mut request = row.request.clone();
    if let Some(members) = request.as_object_mut() {
        members.insert("messageId".to_owned(), Value::from(row.message_id.as_str()));
        members.insert("wait".to_owned(), Value::from("queued"));
    }
    entry.start(&account.client, &request.to_string(), CallOptions::default())?.await?;
    Ok(())
}
