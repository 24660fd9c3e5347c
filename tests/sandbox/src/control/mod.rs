//! The control API: phones, time, faults and what happened, over HTTP on loopback.

mod appstate;
mod business;
mod calls;
mod channels;
mod error;
mod extract;
mod groups;
mod media;
mod passkey;
mod phones;
mod pictures;
mod presence;
mod service;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::Sandbox;
use error::ApiError;

/// Options of the control API.
#[derive(Debug, Clone, Copy, Default)]
pub struct ControlOptions {
    /// Port to listen on; 0 for any free one.
    pub port: u16,
    /// Whether phones made through the API send back every text they receive.
    pub echo: bool,
}

/// The running control API.
#[derive(Debug)]
pub struct Control {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<io::Result<()>>,
}

/// What every handler can reach.
#[derive(Clone)]
struct Api {
    sandbox: Sandbox,
    echo: bool,
    stop: watch::Sender<bool>,
}

/// Lists are objects, so that they can grow further members.
#[derive(Serialize)]
struct JsonList<T> {
    items: Vec<T>,
}

/// An entry of a list that is read in pieces.
#[derive(Serialize)]
struct Numbered<T> {
    seq: u64,
    #[serde(flatten)]
    entry: T,
}

fn numbered<T>(entries: Vec<(u64, T)>) -> JsonList<Numbered<T>> {
    JsonList { items: entries.into_iter().map(|(seq, entry)| Numbered { seq, entry }).collect() }
}

/// Starts the control API for a sandbox.
pub async fn serve(sandbox: Sandbox, options: ControlOptions) -> io::Result<Control> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
    let address = listener.local_addr()?;
    let stop = watch::Sender::new(false);
    let api = Api { sandbox, echo: options.echo, stop: stop.clone() };
    let routes = Router::new()
        .merge(appstate::routes())
        .merge(phones::routes())
        .merge(presence::routes())
        .merge(groups::routes())
        .merge(channels::routes())
        .merge(calls::routes())
        .merge(business::routes())
        .merge(media::routes())
        .merge(passkey::routes())
        .merge(pictures::routes())
        .merge(service::routes())
        .fallback(|| async { ApiError::not_found("there is no such route") })
        .method_not_allowed_fallback(|| async { ApiError::method_not_allowed() })
        .with_state(api);
    let mut stopped = stop.subscribe();
    let task = tokio::spawn(async move {
        axum::serve(listener, routes)
            .with_graceful_shutdown(async move {
                // The sender cannot go away before the server, which holds one.
                let _ = stopped.wait_for(|stop| *stop).await;
            })
            .await
    });
    Ok(Control { address, stop, task })
}

impl Control {
    /// Where the API listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Completes when somebody has asked the program to stop through the API.
    pub async fn stop_requested(&self) {
        let mut stopped = self.stop.subscribe();
        let _ = stopped.wait_for(|stop| *stop).await;
    }

    /// Stops serving. Requests that are still waiting for something are given up after a moment.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        let grace = std::time::Duration::from_millis(500);
        if tokio::time::timeout(grace, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}
