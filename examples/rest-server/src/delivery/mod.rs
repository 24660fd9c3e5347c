//! Webhooks: every event that one wants is delivered at least once, in order within each chat, over any
//! number of restarts, for as long as its schedule says; then it can be replayed.

mod schedule;
mod sign;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

use crate::dialects::Parcel;
use crate::failure::{Failure, Problem};
use crate::fetching::Received;
use crate::hosting::Account;
use crate::server::{Server, StartError};
use crate::store::events::{self, EventRow, NewEvent};
use crate::store::now_ms;
use crate::store::webhooks::{self, DeliveryRow, Subscriber, WebhookRow};

/// How many requests are under way at a time, to all webhooks.
const AT_ONCE: usize = 64;

/// How many lanes of one webhook are served at a time.
const LANES: u32 = 16;

/// After so long without any success a webhook is paused.
const PAUSED_AFTER_MS: i64 = 24 * 3600 * 1000;

/// The webhooks, as they are in the store.
#[derive(Default)]
pub(crate) struct Deliveries {
    webhooks: RwLock<BTreeMap<String, Arc<WebhookRow>>>,
    due: Notify,
}

impl Deliveries {
    /// Reads the webhooks at the start.
    pub(crate) async fn load(server: &Server) -> Result<(), StartError> {
        let rows = server.store.unit(webhooks::all).await?;
        let mut webhooks = server.deliveries.webhooks.write().unwrap_or_else(PoisonError::into_inner);
        webhooks.extend(rows.into_iter().map(|row| (row.id.clone(), Arc::new(row))));
        Ok(())
    }

    /// All webhooks, in the order of their ids.
    pub(crate) fn all(&self) -> Vec<Arc<WebhookRow>> {
        self.webhooks.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    pub(crate) fn get(&self, id: &str) -> Option<Arc<WebhookRow>> {
        self.webhooks.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// The webhook of a dialect that an account has, if it has one.
    pub(crate) fn of_account(&self, account: &str, dialect: &str) -> Option<Arc<WebhookRow>> {
        let of = |webhook: &&Arc<WebhookRow>| {
            webhook.account.as_deref() == Some(account) && webhook.dialect == dialect
        };
        let webhooks = self.webhooks.read().unwrap_or_else(PoisonError::into_inner);
        webhooks.values().find(of).cloned()
    }

    /// Adds a webhook or writes it anew.
    pub(crate) async fn put(server: &Server, webhook: WebhookRow) -> Result<Arc<WebhookRow>, Failure> {
        if !webhook.url.is_empty() || webhook.enabled {
            server.fetcher.check(&webhook.url)?;
        }
        let row = webhook.clone();
        server.store.unit(move |unit| webhooks::put(unit, &row)).await?;
        let webhook = Arc::new(webhook);
        let mut webhooks = server.deliveries.webhooks.write().unwrap_or_else(PoisonError::into_inner);
        webhooks.insert(webhook.id.clone(), Arc::clone(&webhook));
        drop(webhooks);
        server.deliveries.wake();
        Ok(webhook)
    }

    /// Removes a webhook and what waits for it.
    pub(crate) async fn remove(server: &Server, id: &str) -> Result<(), Failure> {
        let row = id.to_owned();
        server.store.unit(move |unit| webhooks::delete(unit, &row)).await?;
        server.deliveries.webhooks.write().unwrap_or_else(PoisonError::into_inner).remove(id);
        Ok(())
    }

    pub(crate) fn forget_account(&self, account: &str) {
        let mut webhooks = self.webhooks.write().unwrap_or_else(PoisonError::into_inner);
        webhooks.retain(|_, webhook| webhook.account.as_deref() != Some(account));
    }

    /// The webhooks that may want an account's events.
    pub(crate) fn subscribers(&self, account: &Arc<Account>) -> Vec<Subscriber> {
        let Ok(server) = account.server() else { return Vec::new() };
        let wanted = |webhook: &Arc<WebhookRow>| {
            let named =
                webhook.account.as_ref().map_or(webhook.tenant == account.tenant, |id| *id == account.id);
            named && webhook.enabled && !webhook.url.is_empty()
        };
        let subscribers = self.all().into_iter().filter(wanted).filter_map(|webhook| {
            let dialect = server.dialects.get(webhook.dialect.as_str()).cloned()?;
            let (account, id) = (Arc::clone(account), webhook.id.clone());
            let wants = Arc::new(move |event: &EventRow| dialect.names(event, &account, &webhook));
            Some(Subscriber { webhook: id, wants })
        });
        subscribers.collect()
    }

    /// Something is due.
    pub(crate) fn wake(&self) {
        self.due.notify_one();
    }
}

/// A webhook of a dialect with nothing set.
pub(crate) fn new_webhook(tenant: &str, account: Option<&str>, dialect: &str, url: &str) -> WebhookRow {
    WebhookRow {
        id: uuid::Uuid::new_v4().to_string(),
        tenant: tenant.to_owned(),
        account: account.map(str::to_owned),
        dialect: dialect.to_owned(),
        url: url.to_owned(),
        enabled: true,
        events: Vec::new(),
        headers: BTreeMap::new(),
        options: Map::new(),
        secret: None,
        former_secret: None,
        failing_since: None,
        paused: false,
        created_at: now_ms(),
        updated_at: now_ms(),
    }
}

/// Delivers what is due, until the server stops.
pub(crate) async fn run(server: Arc<Server>) {
    let mut stopping = server.stopping();
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut under_way: JoinSet<i64> = JoinSet::new();
    let mut ids = std::collections::BTreeSet::new();
    loop {
        let next = match begin_due(&server, &places, &mut under_way, &mut ids).await {
            Ok(next) => next,
            Err(failure) => {
                tracing::error!(%failure, "Deliveries could not be read.");
                Some(now_ms() + 2000)
            }
        };
        let pause = next.map_or(Duration::from_secs(3600), |at| {
            Duration::from_millis(u64::try_from(at.saturating_sub(now_ms())).unwrap_or(0).max(5))
        });
        tokio::select! {
            () = crate::server::stopped(&mut stopping) => return,
            () = server.deliveries.due.notified() => {}
            () = tokio::time::sleep(pause) => {}
            Some(ended) = under_way.join_next() => {
                match ended {
                    Ok(id) => { ids.remove(&id); }
                    // A panic is reported by its thread; what it held may go again.
                    Err(_) => ids.clear(),
                }
            }
        }
    }
}

/// Begins what is due, and says when more will be.
async fn begin_due(
    server: &Arc<Server>,
    places: &Arc<Semaphore>,
    under_way: &mut JoinSet<i64>,
    ids: &mut std::collections::BTreeSet<i64>,
) -> Result<Option<i64>, Failure> {
    let mut next: Option<i64> = None;
    for webhook in server.deliveries.all() {
        if !webhook.enabled || webhook.paused || webhook.url.is_empty() {
            continue;
        }
        let id = webhook.id.clone();
        let (due, soonest) = server
            .store
            .unit(move |unit| {
                Ok((webhooks::due(unit, &id, now_ms(), LANES)?, webhooks::next_due(unit, &id)?))
            })
            .await?;
        if let Some(at) = soonest.filter(|at| *at > now_ms()) {
            next = Some(next.map_or(at, |next| next.min(at)));
        }
        for delivery in due {
            if !ids.insert(delivery.id) {
                continue;
            }
            let (server, webhook, places) = (Arc::clone(server), Arc::clone(&webhook), Arc::clone(places));
            under_way.spawn(async move {
                let id = delivery.id;
                let _place = places.acquire_owned().await;
                if let Err(failure) = deliver(&server, &webhook, delivery).await {
                    tracing::error!(webhook = webhook.id, %failure, "A delivery could not be made.");
                    // It stays due: not at once again.
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                id
            });
        }
    }
    Ok(next)
}

async fn deliver(
    server: &Arc<Server>,
    webhook: &Arc<WebhookRow>,
    mut delivery: DeliveryRow,
) -> Result<(), Failure> {
    let sequence = delivery.event;
    let event = server.store.unit(move |unit| events::find(unit, sequence)).await?;
    let account = event.as_ref().and_then(|event| server.hosting.get(&event.account));
    let dialect = server.dialects.get(webhook.dialect.as_str());
    let (Some(event), Some(account), Some(dialect)) = (event, account, dialect) else {
        delivery.state = "dead".to_owned();
        delivery.last_error = Some("the event is gone".to_owned());
        delivery.done_at = Some(now_ms());
        return settle(server, delivery).await;
    };
    let parcel = dialect.parcel(&delivery.name, delivery.part, &event, &account, webhook).await;
    let received = post(server, webhook, &delivery, &event, parcel).await;
    delivery.tries = delivery.tries.saturating_add(1);
    delivery.last_error = None;
    delivery.last_status = match &received {
        Received::Status(status) => Some(*status),
        Received::Failed(reason) => {
            delivery.last_error = Some(reason.clone());
            None
        }
    };
    let verdict =
        schedule::verdict(dialect.retrying(), delivery.tries, &received, now_ms() - delivery.created_at);
    match verdict {
        schedule::Verdict::Delivered => {
            server.metrics.delivery("delivered");
            delivery.state = "delivered".to_owned();
            delivery.done_at = Some(now_ms());
        }
        schedule::Verdict::Again(after) => {
            server.metrics.delivery("failed");
            delivery.due_at = now_ms() + schedule::jittered(after, &delivery);
        }
        schedule::Verdict::Dead | schedule::Verdict::Gone => {
            server.metrics.delivery("dead");
            delivery.state = "dead".to_owned();
            delivery.done_at = Some(now_ms());
        }
    }
    let delivered = verdict == schedule::Verdict::Delivered;
    settle(server, delivery).await?;
    stand(server, &account, webhook, delivered, verdict == schedule::Verdict::Gone).await
}

async fn settle(server: &Server, delivery: DeliveryRow) -> Result<(), Failure> {
    server.store.unit(move |unit| webhooks::settle(unit, &delivery)).await
}

/// Keeps in mind since when a webhook fails, and pauses it when that is too long.
async fn stand(
    server: &Arc<Server>,
    account: &Arc<Account>,
    webhook: &Arc<WebhookRow>,
    delivered: bool,
    gone: bool,
) -> Result<(), Failure> {
    let Some(now) = server.deliveries.get(&webhook.id) else { return Ok(()) };
    let mut row = (*now).clone();
    if delivered {
        row.failing_since = None;
    } else if row.failing_since.is_none() {
        row.failing_since = Some(now_ms());
    }
    let for_long = row.failing_since.is_some_and(|since| now_ms() - since > PAUSED_AFTER_MS);
    row.paused = row.paused || gone || for_long;
    if row == *now {
        return Ok(());
    }
    let paused = row.paused && !now.paused;
    let id = row.id.clone();
    Deliveries::put(server, row).await?;
    if paused {
        let event = NewEvent {
            id: uuid::Uuid::new_v4().to_string(),
            kind: "webhook.paused",
            lane: String::new(),
            at: now_ms(),
            data: json!({"webhook": id, "reason": if gone { "gone" } else { "failing" }}),
            raw: None,
        };
        crate::hosting::pump::tell(server, account, vec![event]).await?;
    }
    Ok(())
}

async fn post(
    server: &Server,
    webhook: &WebhookRow,
    delivery: &DeliveryRow,
    event: &EventRow,
    parcel: Parcel,
) -> Received {
    let body = parcel.body.to_string().into_bytes();
    let mut headers = vec![
        ("Content-Type".to_owned(), "application/json".to_owned()),
        ("Whimbrel-Event".to_owned(), event.kind.clone()),
        ("Whimbrel-Event-Id".to_owned(), format!("{}-{}", event.sequence, delivery.part)),
        ("Whimbrel-Delivery".to_owned(), format!("{}-{}", delivery.id, delivery.tries + 1)),
    ];
    let secrets: Vec<&str> =
        [&webhook.secret, &webhook.former_secret].into_iter().flatten().map(String::as_str).collect();
    if !secrets.is_empty() {
        headers.push(("Whimbrel-Signature".to_owned(), sign::header(&secrets, now_ms() / 1000, &body)));
    }
    headers.extend(parcel.headers);
    headers.extend(webhook.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
    server.fetcher.post(&format!("{}{}", webhook.url, parcel.suffix), &headers, body, parcel.timeout).await
}

/// Lets a paused webhook go on.
pub(crate) async fn resume(server: &Server, webhook: &WebhookRow) -> Result<Arc<WebhookRow>, Failure> {
    let mut row = webhook.clone();
    (row.paused, row.failing_since) = (false, None);
    Deliveries::put(server, row).await
}

/// A delivery as the native dialect shows it.
pub(crate) fn render(delivery: &DeliveryRow) -> Value {
    json!({
        "id": delivery.id.to_string(),
        "webhook": delivery.webhook,
        "event": delivery.event.to_string(),
        "name": delivery.name,
        "state": delivery.state,
        "tries": delivery.tries,
        "dueAt": crate::events::native::time(delivery.due_at),
        "lastStatus": delivery.last_status,
        "lastError": delivery.last_error,
        "createdAt": crate::events::native::time(delivery.created_at),
        "doneAt": delivery.done_at.map(crate::events::native::time),
    })
}

/// What a webhook fails with when it is not there, or another tenant's.
pub(crate) fn no_webhook() -> Failure {
    Failure::new(Problem::NotFound, "there is no such webhook")
}
