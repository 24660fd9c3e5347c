//! A reader of server-sent events.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use reqwest::RequestBuilder;
use serde_json::Value;
use tokio::time::timeout;

use super::DEADLINE;

type Chunks = Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>;

/// The events of a stream, in order.
pub(crate) struct Events {
    chunks: Chunks,
    text: String,
    /// What came and was not what was looked for, for failures.
    passed: Vec<Value>,
}

impl Events {
    /// Opens a stream; it is open when this returns.
    pub(crate) async fn follow(request: RequestBuilder) -> Self {
        // The client's own deadline is for whole answers, and this one has no end.
        let response = request.timeout(std::time::Duration::from_secs(600)).send().await.unwrap();
        assert_eq!(response.status().as_u16(), 200);
        let mut events =
            Self { chunks: Box::pin(response.bytes_stream()), text: String::new(), passed: Vec::new() };
        while !events.text.starts_with(": open\n\n") {
            events.read().await;
        }
        events.text.drain(..8);
        events
    }

    async fn read(&mut self) {
        let chunk = timeout(DEADLINE, self.chunks.next()).await;
        let chunk = chunk.unwrap_or_else(|_| panic!("no event in time; before: {:#?}", self.passed));
        self.text.push_str(std::str::from_utf8(&chunk.expect("the stream ended").unwrap()).unwrap());
    }

    /// The next event.
    pub(crate) async fn next(&mut self) -> Value {
        loop {
            let Some(end) = self.text.find("\n\n") else {
                self.read().await;
                continue;
            };
            let frame: String = self.text.drain(..end + 2).collect();
            let data: Vec<&str> = frame.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
            if !data.is_empty() {
                return serde_json::from_str(&data.join("\n")).unwrap();
            }
        }
    }

    /// The next event of a type for which something holds.
    pub(crate) async fn until(&mut self, kind: &str, holds: impl Fn(&Value) -> bool) -> Value {
        loop {
            let event = self.next().await;
            if event["type"] == kind && holds(&event) {
                return event;
            }
            self.passed.push(event);
        }
    }

    /// The next event of a type.
    pub(crate) async fn of(&mut self, kind: &str) -> Value {
        self.until(kind, |_| true).await
    }
}
