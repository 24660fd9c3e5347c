//! From the engine to the log: an event is acknowledged to the engine when it is in the log together with
//! the deliveries that it makes.

use std::sync::Arc;

use serde_json::json;
use whimbrel::EventStream;
use whimbrel::events::{Event, EventKind};

use super::account::Account;
use super::outbox;
use super::state::State;
use crate::events::native;
use crate::failure::Failure;
use crate::server::Server;
use crate::store::accounts::{self, AccountRow};
use crate::store::events::{self, NewEvent};
use crate::store::now_ms;

/// How many events are written together.
const BATCH: usize = 256;

/// How long the pump waits when the store fails.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(1);

/// Carries the events of an account into the log until its client closes.
pub(crate) async fn run(server: Arc<Server>, account: Arc<Account>, mut stream: EventStream) {
    loop {
        let batch = stream.next_batch(BATCH).await;
        if batch.is_empty() {
            return;
        }
        // Nothing is given up: the engine keeps what is not acknowledged, and so does this batch.
        while let Err(failure) = take(&server, &account, &batch).await {
            tracing::error!(account = account.id, %failure, "Events could not be written.");
            tokio::time::sleep(PAUSE).await;
        }
        if let Some(sequence) = batch.iter().rev().find_map(|event| event.sequence) {
            account.client.acknowledge(sequence);
        }
    }
}

async fn take(server: &Arc<Server>, account: &Arc<Account>, batch: &[Event]) -> Result<(), Failure> {
    let row = account.row();
    let mut standing = row.clone();
    let mut state = account.state();
    let mut new = Vec::new();
    let mut states = Vec::new();
    let mut settled = Vec::new();
    for event in batch {
        follow(&mut standing, &event.kind, account);
        if let Some(next) = state.after(&event.kind, account.is_linked(), now_ms())
            && next != state
        {
            if next.link != state.link || next.reason != state.reason {
                new.push(state_event(&next, &state, account));
            }
            state = next.clone();
            states.push(next);
        }
        if row.settings.ignore_groups && native::is_of_group(&event.kind) {
            continue;
        }
        settled.extend(outbox::fate(&event.kind));
        new.extend(native::of(event));
    }
    let changed = (standing.standing != row.standing).then(|| standing.clone());
    write(server, account, new, changed, settled.clone()).await?;
    for state in states {
        account.set_state(state);
    }
    for (id, fate) in settled {
        account.fates.settle(&id, fate);
    }
    crate::commands::effects::after(server, account, batch);
    Ok(())
}

/// Writes events, what they change of the account, and what they say of messages, in one transaction.
async fn write(
    server: &Arc<Server>,
    account: &Arc<Account>,
    new: Vec<NewEvent>,
    changed: Option<AccountRow>,
    settled: Vec<(String, outbox::Fate)>,
) -> Result<(), Failure> {
    if let Some(row) = &changed {
        let standing = row.standing.clone();
        account.change(move |row| row.standing = standing).await?;
    }
    if new.is_empty() && settled.is_empty() {
        return Ok(());
    }
    let subscribers = server.deliveries.subscribers(account);
    let (id, tenant) = (account.id.clone(), account.tenant.clone());
    let rows = server.store.unit(move |unit| {
        if accounts::find(unit, &id)?.is_none() {
            // Deleted meanwhile: nobody is told.
            return Ok(Vec::new());
        }
        for (message, fate) in &settled {
            outbox::settle(unit, &id, message, fate)?;
        }
        let mut rows = Vec::new();
        for event in &new {
            rows.extend(events::append(unit, &id, &tenant, event, &subscribers)?);
        }
        Ok(rows)
    });
    let rows = rows.await?;
    server.metrics.events(rows.len());
    server.publish(rows);
    Ok(())
}

/// Puts events of the server's own into the log.
pub(crate) async fn tell(
    server: &Arc<Server>,
    account: &Arc<Account>,
    new: Vec<NewEvent>,
) -> Result<(), Failure> {
    write(server, account, new, None, Vec::new()).await
}

fn follow(row: &mut AccountRow, event: &EventKind, account: &Account) {
    match event {
        EventKind::Linked(linked) => {
            row.standing.phone = linked.account.phone.as_ref().map(ToString::to_string);
            row.standing.lid = linked.account.lid.as_ref().map(ToString::to_string);
            row.standing.device = linked.device;
            row.standing.push_name = account.client.account().and_then(|account| account.push_name);
            (row.standing.ended, row.standing.ended_status, row.standing.ended_at) = (None, None, None);
        }
        EventKind::Connection(whimbrel::events::ConnectionState::Online) => {
            if let Some(info) = account.client.account() {
                row.standing.push_name = info.push_name.or(row.standing.push_name.take());
                row.standing.phone = info.identity.phone.map(|phone| phone.to_bare().to_string());
                row.standing.lid = info.identity.lid.map(|lid| lid.to_bare().to_string());
            }
        }
        EventKind::LoggedOut(out) => {
            row.standing.ended = Some(out.reason.clone().into_owned());
            row.standing.ended_status = Some(out.service_status);
            row.standing.ended_at = Some(now_ms());
        }
        _ => {}
    }
}

/// What is told of a state.
fn state_event(state: &State, former: &State, account: &Account) -> NewEvent {
    let standing = account.row().standing;
    NewEvent {
        id: uuid::Uuid::new_v4().to_string(),
        kind: "account.state",
        lane: String::new(),
        at: now_ms(),
        data: json!({
            "state": state.link.name(),
            "former": former.link.name(),
            "reason": state.reason,
            "serviceStatus": state.status,
            "phone": account.own_phone().map(|phone| phone.to_string()).or(standing.phone),
            "lid": standing.lid,
            "pushName": standing.push_name,
        }),
        raw: None,
    }
}
