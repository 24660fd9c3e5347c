//! Events: read from the log, followed by SSE, or by WebSocket.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use axum::http::{Method, header};
use bytes::Bytes;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::sync::broadcast;

use super::forms::Page;
use super::{is_type, matches_type};
use crate::access::{Principal, Scope};
use crate::events::native::render;
use crate::failure::{Failure, Problem};
use crate::server::Server;
use crate::store::events::{self, EventRow};
use crate::web::call::{Answer, Call, Reply};
use crate::web::route::{Gate, Route, route};

/// How often a silent stream says that it lives.
const ALIVE: Duration = Duration::from_secs(15);

/// How many events are read from the log at a time.
const PAGE: u32 = 200;

/// How long a reader of a socket may take for one frame.
const SLOW: Duration = Duration::from_secs(20);

pub(super) fn routes() -> Vec<Route> {
    let described = |route: Route| {
        route.tag("Events").query::<String>(
            "types",
            "Types of events, or `message.*` for all under a word, joined by commas.",
        )
    };
    vec![
        described(
            route(Method::GET, "/v1/accounts/{account}/events/log", "list_events", Gate::Account(Scope::Events), list)
                .about("Reads the log of events, oldest first.")
                .query::<String>("after", "After the event of this id.")
                .query::<u32>("limit", "At most so many, 1 to 500; 100 if absent.")
                .answers::<Page<Value>>(200, "A page of events."),
        ),
        described(
            route(
                Method::GET,
                "/v1/accounts/{account}/events",
                "stream_account_events",
                Gate::Account(Scope::Events),
                stream_events,
            )
            .about("Follows an account's events as server-sent events; `Last-Event-ID` goes on where another ended.")
            .answers_with(200, "text/event-stream", "The events."),
        ),
        described(
            route(Method::GET, "/v1/events", "stream_events", Gate::Key(Scope::Events), stream_events)
                .about("Follows the events of all accounts that the key sees as server-sent events.")
                .answers_with(200, "text/event-stream", "The events."),
        ),
        described(
            route(Method::GET, "/v1/ws", "websocket", Gate::Key(Scope::Events), websocket)
                .about(
                    "Follows events by WebSocket: one JSON event a frame. `{\"subscribe\":{\"after\":\"<id>\",\
                     \"types\":[…],\"accounts\":[…]}}` changes what comes.",
                )
                .answers_nothing(101, "The socket is open."),
        ),
    ]
}

/// What a reader wants to see.
#[derive(Clone)]
struct Filter {
    principal: Principal,
    account: Option<String>,
    accounts: BTreeSet<String>,
    types: Vec<String>,
}

impl Filter {
    fn of(call: &Call) -> Result<Self, Failure> {
        let types: Vec<String> = call
            .query("types")
            .map(|names| names.split(',').map(|name| name.trim().to_owned()).collect())
            .unwrap_or_default();
        if let Some(unknown) = types.iter().find(|name| !is_type(name)) {
            return Err(Failure::field("types", format!("has an unknown type: {unknown}")));
        }
        let account = call.account.as_ref().map(|account| account.id.clone());
        Ok(Self { principal: call.principal()?.clone(), account, accounts: BTreeSet::new(), types })
    }

    fn wants(&self, event: &EventRow) -> bool {
        self.principal.sees(&event.tenant, &event.account)
            && self.account.as_ref().is_none_or(|account| *account == event.account)
            && (self.accounts.is_empty() || self.accounts.contains(&event.account))
            && (self.types.is_empty() || self.types.iter().any(|name| matches_type(name, &event.kind)))
    }
}

async fn list(call: Call) -> Answer {
    let filter = Filter::of(&call)?;
    let after = call.query_number::<i64>("after")?.unwrap_or(0);
    let limit = call.query_number::<u32>("limit")?.unwrap_or(100).clamp(1, 500);
    let account = filter.account.clone();
    let rows = call
        .server
        .store
        .unit(move |unit| events::after(unit, None, account.as_deref(), after, limit))
        .await?;
    let full = u32::try_from(rows.len()).is_ok_and(|count| count == limit);
    let next = rows.last().filter(|_| full).map(|row| row.sequence.to_string());
    let items: Vec<Value> = rows.iter().filter(|row| filter.wants(row)).map(render).collect();
    Reply::json(200, &Page { items, next })
}

/// A reader of events: first those of the log, then those that come, none left out and none twice.
struct Reader {
    server: Arc<Server>,
    filter: Filter,
    live: broadcast::Receiver<Arc<EventRow>>,
    /// The last event that was given out or passed over.
    last: i64,
    /// Read from the log, not given out yet.
    backlog: std::collections::VecDeque<EventRow>,
    /// Whether the log has more than was read of it.
    behind: bool,
}

impl Reader {
    async fn new(server: &Arc<Server>, filter: Filter, after: Option<i64>) -> Result<Self, Failure> {
        // First the feed, then the log: what falls between is in both, and seen by its number.
        let live = server.feed.subscribe();
        let newest = server.store.unit(events::newest).await?;
        let last = after.unwrap_or(newest);
        let server = Arc::clone(server);
        Ok(Self {
            server,
            filter,
            live,
            last,
            backlog: std::collections::VecDeque::new(),
            behind: last < newest,
        })
    }

    async fn next(&mut self) -> Result<Option<EventRow>, Failure> {
        loop {
            if let Some(row) = self.backlog.pop_front() {
                self.last = row.sequence;
                if self.filter.wants(&row) {
                    return Ok(Some(row));
                }
                continue;
            }
            if self.behind {
                let (after, account) = (self.last, self.filter.account.clone());
                let unit = move |unit: &crate::store::Unit<'_>| {
                    events::after(unit, None, account.as_deref(), after, PAGE)
                };
                self.backlog = self.server.store.unit(unit).await?.into();
                self.behind = !self.backlog.is_empty();
                continue;
            }
            match self.live.recv().await {
                Ok(row) if row.sequence <= self.last => {}
                Ok(row) => {
                    self.last = row.sequence;
                    if self.filter.wants(&row) {
                        return Ok(Some((*row).clone()));
                    }
                }
                Err(broadcast::error::RecvError::Lagged(_)) => self.behind = true,
                Err(broadcast::error::RecvError::Closed) => return Ok(None),
            }
        }
    }
}

async fn stream_events(call: Call) -> Answer {
    let filter = Filter::of(&call)?;
    let after = call.header("last-event-id").map(str::to_owned);
    let after =
        after.map(|id| id.parse().map_err(|_| Failure::field("Last-Event-ID", "is not the id of an event")));
    let reader = Reader::new(&call.server, filter, after.transpose()?).await?;
    let stopping = call.server.stopping();
    let chunks = stream::unfold((reader, stopping, true), |(mut reader, mut stopping, first)| async move {
        if first {
            // Proxies pass the head on when there is something behind it.
            let open = Bytes::from_static(b": open\n\n");
            return Some((Ok::<_, std::convert::Infallible>(open), (reader, stopping, false)));
        }
        let chunk = tokio::select! {
            () = crate::server::stopped(&mut stopping) => return None,
            () = tokio::time::sleep(ALIVE) => Bytes::from_static(b": alive\n\n"),
            event = reader.next() => match event {
                Ok(Some(event)) => Bytes::from(frame(&event)),
                _ => return None,
            },
        };
        Some((Ok(chunk), (reader, stopping, false)))
    });
    let mut reply = Reply::octets(200, "text/event-stream", "").header(header::CACHE_CONTROL, "no-store");
    reply.body = Body::from_stream(chunks);
    Ok(reply)
}

fn frame(event: &EventRow) -> String {
    format!("id: {}\nevent: {}\ndata: {}\n\n", event.sequence, event.kind, render(event))
}

async fn websocket(mut call: Call) -> Answer {
    let Some(upgrade) = call.upgrade.take() else {
        return Err(Failure::new(Problem::Validation, "this route is for WebSocket"));
    };
    let filter = Filter::of(&call)?;
    let reader = Reader::new(&call.server, filter, call.query_number("after")?).await?;
    let stopping = call.server.stopping();
    let response = upgrade.on_upgrade(move |socket| talk(socket, reader, stopping));
    let (parts, body) = response.into_parts();
    Ok(Reply { status: parts.status, headers: parts.headers, body })
}

/// The code with which a reader that is too slow is closed; the reason is the id of its last event.
const TOO_SLOW: u16 = 4008;
const GOING_AWAY: u16 = 1001;

async fn talk(mut socket: WebSocket, mut reader: Reader, mut stopping: tokio::sync::watch::Receiver<bool>) {
    let mut ping = tokio::time::interval(ALIVE);
    loop {
        let frame = tokio::select! {
            () = crate::server::stopped(&mut stopping) => {
                close(socket, GOING_AWAY, "the server stops").await;
                return;
            }
            _ = ping.tick() => Message::Ping(Bytes::new()),
            event = reader.next() => match event {
                Ok(Some(event)) => Message::Text(render(&event).to_string().into()),
                _ => return,
            },
            received = socket.recv() => match received {
                Some(Ok(Message::Text(text))) => match order(&mut reader, &text).await {
                    Some(answer) => Message::Text(answer.to_string().into()),
                    None => continue,
                },
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => continue,
            },
        };
        match tokio::time::timeout(SLOW, socket.send(frame)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return,
            Err(_) => {
                let last = reader.last.to_string();
                close(socket, TOO_SLOW, &last).await;
                return;
            }
        }
    }
}

async fn close(mut socket: WebSocket, code: u16, reason: &str) {
    let frame = CloseFrame { code, reason: reason.to_owned().into() };
    // The other side may be gone.
    let _ = tokio::time::timeout(Duration::from_secs(1), socket.send(Message::Close(Some(frame)))).await;
}

/// Follows what a frame asks for, and answers it.
async fn order(reader: &mut Reader, text: &str) -> Option<Value> {
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        return Some(json!({"error": "the frame is not JSON"}));
    };
    let subscribe = value.get("subscribe")?;
    let names = |name: &str| -> Vec<String> {
        let names = subscribe.get(name).and_then(Value::as_array);
        names.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let types = names("types");
    if let Some(unknown) = types.iter().find(|name| !is_type(name)) {
        return Some(json!({"error": format!("unknown type {unknown}")}));
    }
    reader.filter.types = types;
    reader.filter.accounts = names("accounts").into_iter().collect();
    let after = subscribe.get("after").and_then(Value::as_str).and_then(|id| id.parse().ok());
    if let Some(after) = after {
        let (server, filter) = (Arc::clone(&reader.server), reader.filter.clone());
        match Reader::new(&server, filter, Some(after)).await {
            Ok(anew) => *reader = anew,
            Err(failure) => return Some(json!({"error": failure.detail})),
        }
    }
    Some(json!({"subscribed": true}))
}
