//! `/ws`: the bodies of webhooks as frames, in place of polling.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use axum::http::Method;
use bytes::Bytes;
use serde_json::json;
use tokio::sync::{broadcast, watch};

use super::Profile;
use super::events::{envelope, names};
use super::instances::word;
use crate::access::{Principal, Scope};
use crate::events::native::time;
use crate::failure::{Failure, Problem};
use crate::server::{Server, stopped};
use crate::store::events::EventRow;
use crate::store::now_ms;
use crate::web::call::{Answer, Call, Reply};
use crate::web::route::{Gate, Origin, Route, route};

/// How often a silent socket says that it lives.
const ALIVE: Duration = Duration::from_secs(25);

/// What is told unless everything is asked for.
const USUAL: [&str; 2] = ["connection.update", "qrcode.updated"];

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/ws", "socket", Gate::Key(Scope::Events), socket)
            .tag("Events")
            .about("Tells of connections and QR codes as they change, by WebSocket; of everything with `events=*`.")
            .origin(Origin::Stated)
            .query::<String>("apikey", "The key, for clients that cannot set headers.")
            .query::<String>("instance", "Only this instance.")
            .query::<String>("events", "`*`, or names on the wire joined by commas.")
            .answers_nothing(101, "The socket is open."),
    ]
}

struct Follower {
    server: std::sync::Arc<Server>,
    principal: Principal,
    instance: Option<String>,
    /// Names on the wire; empty: all.
    wanted: BTreeSet<String>,
}

impl Follower {
    /// The frames of an event.
    fn frames(&self, event: &EventRow) -> Vec<String> {
        let account = self.server.hosting.get(&event.account);
        let Some(account) = account.filter(|account| self.principal.sees(&account.tenant, &account.id))
        else {
            return Vec::new();
        };
        let row = account.row();
        if self.instance.as_ref().is_some_and(|name| *name != row.name) {
            return Vec::new();
        }
        let told = (0_u32..)
            .zip(names(event, &row))
            .filter(|(_, name)| self.wanted.is_empty() || self.wanted.contains(*name));
        told.map(|(part, name)| envelope(name, part, event, &account, "websocket").to_string()).collect()
    }

    /// The states as they are, which every socket begins with.
    fn now(&self) -> Vec<String> {
        if !self.wanted.is_empty() && !self.wanted.contains("connection.update") {
            return Vec::new();
        }
        let seen = self.server.hosting.seen_by(&self.principal).into_iter();
        let seen = seen.filter(|account| self.instance.as_ref().is_none_or(|name| *name == account.name()));
        seen.map(|account| {
            let row = account.row();
            let word = word(&account, Profile::of(&row.profile));
            json!({
                "event": "connection.update", "instance": row.name,
                "data": {"instance": row.name, "state": word, "statusReason": 200, "wuid": row.standing.phone},
                "date_time": time(now_ms()), "timestamp": time(now_ms()), "sender": row.standing.phone,
                "server_url": self.server.url, "apikey": null,
            })
            .to_string()
        })
        .collect()
    }
}

async fn socket(mut call: Call) -> Answer {
    let Some(upgrade) = call.upgrade.take() else {
        return Err(Failure::new(Problem::Validation, "this route is for WebSocket"));
    };
    let principal = call.principal()?.clone();
    let instance = call.query("instance").map(str::to_owned);
    if let Some(name) = &instance
        && call.server.hosting.by_name(&principal, name).is_none()
    {
        return Err(Failure::new(
            Problem::AccountNotFound,
            format!("The \"{name}\" instance does not exist"),
        ));
    }
    let wanted = match call.query("events") {
        None => USUAL.iter().map(|name| (*name).to_owned()).collect(),
        Some("*") => BTreeSet::new(),
        Some(names) => names.split(',').map(|name| name.trim().to_owned()).collect(),
    };
    let live = call.server.feed.subscribe();
    let stopping = call.server.stopping();
    let follower = Follower { server: call.server.clone(), principal, instance, wanted };
    let response = upgrade.on_upgrade(move |socket| talk(socket, follower, live, stopping));
    let (parts, body) = response.into_parts();
    Ok(Reply { status: parts.status, headers: parts.headers, body })
}

async fn talk(
    mut socket: WebSocket,
    follower: Follower,
    mut live: broadcast::Receiver<std::sync::Arc<EventRow>>,
    mut stopping: watch::Receiver<bool>,
) {
    let mut ping = tokio::time::interval(ALIVE);
    let mut frames = follower.now();
    loop {
        for frame in frames.drain(..) {
            if socket.send(Message::Text(frame.into())).await.is_err() {
                return;
            }
        }
        tokio::select! {
            () = stopped(&mut stopping) => return,
            _ = ping.tick() => {
                if socket.send(Message::Ping(Bytes::new())).await.is_err() {
                    return;
                }
            }
            event = live.recv() => match event {
                Ok(event) => frames = follower.frames(&event),
                // It has missed some: the states as they are now make up for it.
                Err(broadcast::error::RecvError::Lagged(_)) => frames = follower.now(),
                Err(broadcast::error::RecvError::Closed) => return,
            },
            received = socket.recv() => match received {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                // Clients subscribe by the address.
                Some(Ok(_)) => {}
            },
        }
    }
}
