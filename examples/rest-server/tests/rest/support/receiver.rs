//! A receiver of webhooks.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::DEADLINE;

/// A POST that came.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) raw: Vec<u8>,
    pub(crate) body: Value,
}

struct Shared {
    taken: Mutex<Vec<Delivery>>,
    came: Notify,
    answers: AtomicU16,
    /// Files that are served, by path.
    files: Mutex<BTreeMap<String, (&'static str, Vec<u8>)>>,
}

/// A receiver at a port of loopback.
pub(crate) struct Receiver {
    url: String,
    shared: Arc<Shared>,
    /// How many of them were looked at.
    seen: usize,
    serving: JoinHandle<()>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            taken: Mutex::default(),
            came: Notify::new(),
            answers: AtomicU16::new(200),
            files: Mutex::default(),
        });
        let app = Router::new().fallback(take).with_state(Arc::clone(&shared));
        let serving = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, shared, seen: 0, serving }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Answers with this status from now on.
    pub(crate) fn answer(&self, status: u16) {
        self.shared.answers.store(status, Ordering::SeqCst);
    }

    /// Serves a file.
    pub(crate) fn serve(&self, path: &str, mimetype: &'static str, content: &[u8]) {
        self.shared.files.lock().unwrap().insert(path.to_owned(), (mimetype, content.to_vec()));
    }

    /// Everything that came so far.
    pub(crate) fn all(&self) -> Vec<Delivery> {
        self.shared.taken.lock().unwrap().clone()
    }

    /// The next POST.
    pub(crate) async fn next(&mut self) -> Delivery {
        loop {
            let came = self.shared.came.notified();
            let next = self.shared.taken.lock().unwrap().get(self.seen).cloned();
            if let Some(delivery) = next {
                self.seen += 1;
                return delivery;
            }
            timeout(DEADLINE, came).await.expect("nothing was delivered in time");
        }
    }

    /// The next POST for which something holds; those before it are passed over.
    pub(crate) async fn until(&mut self, holds: impl Fn(&Delivery) -> bool) -> Delivery {
        loop {
            let delivery = self.next().await;
            if holds(&delivery) {
                return delivery;
            }
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn take(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let file = shared.files.lock().unwrap().get(parts.uri.path()).cloned();
    if let Some((mimetype, content)) = file {
        return ([(header::CONTENT_TYPE, mimetype)], content).into_response();
    }
    let raw = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
    let header = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        (name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned())
    };
    let delivery = Delivery {
        path: parts.uri.path().to_owned(),
        headers: parts.headers.iter().map(header).collect(),
        body: serde_json::from_slice(&raw).unwrap_or(Value::Null),
        raw,
    };
    shared.taken.lock().unwrap().push(delivery);
    shared.came.notify_waiters();
    StatusCode::from_u16(shared.answers.load(Ordering::SeqCst)).unwrap().into_response()
}
