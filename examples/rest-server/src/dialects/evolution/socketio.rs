//! Socket.IO: a namespace for each instance, and the root one for all that the key sees. Event names and bodies
//! are those of webhooks.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::connect_info::ConnectInfo;
use serde_json::Value;
use socketioxide::SocketIo;
use socketioxide::extract::SocketRef;
use socketioxide::handler::ConnectHandler as _;
use socketioxide::layer::SocketIoLayer;
use tokio::sync::broadcast;

use super::events::{envelope, is_wanted, names};
use crate::access::{Principal, Scope};
use crate::hosting::Account;
use crate::server::{Server, stopped};
use crate::store::events::EventRow;

/// Why a socket is not let in.
#[derive(Debug)]
struct Refused(&'static str);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

/// What answers under `/socket.io`.
pub(crate) fn layer(server: &Arc<Server>) -> SocketIoLayer {
    let (layer, io) = SocketIo::builder().build_layer();
    let admit = |server: Arc<Server>| {
        move |socket: SocketRef| {
            let server = Arc::clone(&server);
            async move {
                let principal = admit(&server, &socket).await?;
                socket.extensions.insert(principal);
                Ok::<(), Refused>(())
            }
        }
    };
    let follow = |server: Arc<Server>| {
        move |socket: SocketRef| {
            let server = Arc::clone(&server);
            async move {
                // The handler has to end; the socket lives on.
                tokio::spawn(follow(server, socket));
            }
        }
    };
    io.ns("/", follow(Arc::clone(server)).with(admit(Arc::clone(server))));
    let every = follow(Arc::clone(server)).with(admit(Arc::clone(server)));
    if let Err(error) = io.dyn_ns("/{instance}", every) {
        tracing::error!(%error, "Socket.IO has no namespaces for instances.");
    }
    layer
}

/// The instance that a socket's namespace names; `None`: the root.
fn instance(socket: &SocketRef) -> Option<&str> {
    Some(socket.ns().trim_start_matches('/')).filter(|name| !name.is_empty())
}

/// Finds out who connects, by a key in the query or a header.
async fn admit(server: &Arc<Server>, socket: &SocketRef) -> Result<Principal, Refused> {
    let parts = socket.req_parts();
    let query = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let in_query = query.into_iter().find(|(name, _)| name == "apikey").map(|(_, value)| value.into_owned());
    let in_header = parts.headers.get("apikey").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let key = in_header.or(in_query).ok_or(Refused("the key is missing"))?;
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
    let peer = server.client_address(peer, &parts.headers);
    let principal = server.principal(&key, peer).await.map_err(|_| Refused("too many wrong keys"))?;
    let principal = principal.filter(|principal| principal.may(Scope::Events));
    let principal = principal.ok_or(Refused("the key is not valid"))?;
    match instance(socket) {
        Some(name) if server.hosting.by_name(&principal, name).is_none() => {
            Err(Refused("there is no such instance"))
        }
        _ => Ok(principal),
    }
}

/// Tells a socket of events until it goes.
async fn follow(server: Arc<Server>, socket: SocketRef) {
    let Some(principal) = socket.extensions.get::<Principal>() else { return };
    let only = instance(&socket).map(str::to_owned);
    let mut live = server.feed.subscribe();
    let mut stopping = server.stopping();
    loop {
        let event = tokio::select! {
            () = stopped(&mut stopping) => break,
            event = live.recv() => event,
        };
        match event {
            Ok(event) => {
                let account = server.hosting.get(&event.account);
                let account = account.filter(|account| principal.sees(&account.tenant, &account.id));
                let account =
                    account.filter(|account| only.as_ref().is_none_or(|name| *name == account.name()));
                let Some(account) = account else { continue };
                if tell(&socket, &event, &account).is_err() {
                    return;
                }
            }
            // What was missed can be asked for; webhooks miss nothing.
            Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => break,
        }
    }
    // It may be gone already.
    let _ = socket.disconnect();
}

/// The events that the instance's subscription for sockets names; empty: all.
fn subscribed(account: &Account) -> Vec<String> {
    let kept = account.row().settings.dialects;
    let events = kept.get("websocket").and_then(|kept| kept.get("events")).and_then(Value::as_array);
    events.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Fails when the socket is gone.
fn tell(socket: &SocketRef, event: &EventRow, account: &Account) -> Result<(), ()> {
    if !socket.connected() {
        return Err(());
    }
    let subscribed = subscribed(account);
    for (part, name) in (0_u32..).zip(names(event, &account.row())) {
        if is_wanted(name, &subscribed)
            && let Err(error) = socket.emit(name, &envelope(name, part, event, account, "socket.io"))
        {
            // A reader that is too slow misses this one.
            tracing::debug!(%error, "A socket could not be told.");
        }
    }
    Ok(())
}
