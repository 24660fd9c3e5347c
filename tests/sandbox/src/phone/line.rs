//! The phone's connection: requests and their answers over one [`PhoneLink`](crate::PhoneLink).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use whimbrel_wire::Node;

use super::{PhoneError, stanza};

/// How long the service may take for an answer. Linking needs the longest: there the companion has
/// a minute to sign.
const ANSWER: Duration = Duration::from_secs(75);

/// The way out, and whoever waits for an answer.
#[derive(Debug, Default)]
pub(crate) struct Line {
    out: Mutex<Option<mpsc::Sender<Node>>>,
    waiting: Mutex<BTreeMap<String, oneshot::Sender<Node>>>,
    last_id: AtomicU64,
}

/// Ends the waiting when it goes out of scope, also when the waiting task is dropped.
struct Waiting<'a> {
    line: &'a Line,
    id: &'a str,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.line.waiting().remove(self.id);
    }
}

impl Line {
    fn waiting(&self) -> MutexGuard<'_, BTreeMap<String, oneshot::Sender<Node>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn out(&self) -> MutexGuard<'_, Option<mpsc::Sender<Node>>> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is a connection.
    pub(crate) fn is_open(&self) -> bool {
        self.out().is_some()
    }

    /// Takes a new connection into use.
    pub(crate) fn open(&self, out: mpsc::Sender<Node>) {
        *self.out() = Some(out);
    }

    /// Ends the connection; whoever waits is told so.
    pub(crate) fn close(&self) {
        *self.out() = None;
        self.waiting().clear();
    }

    /// Sends a stanza that nobody answers.
    pub(crate) async fn send(&self, node: Node) -> Result<(), PhoneError> {
        let out = self.out().clone().ok_or(PhoneError::Offline)?;
        out.send(node).await.map_err(|_| PhoneError::Offline)
    }

    /// Sends a request and returns the answer, unless that is an error.
    pub(crate) async fn request(&self, request: Node) -> Result<Node, PhoneError> {
        let id = format!("phone-{}", self.last_id.fetch_add(1, Ordering::Relaxed) + 1);
        let answer = self.exchange(&id, request.attr("id", id.clone())).await?;
        stanza::result(answer)
    }

    /// Sends a message and returns its ack, unless that says that the message was refused.
    pub(crate) async fn post(&self, id: &str, message: Node) -> Result<Node, PhoneError> {
        let ack = self.exchange(id, message).await?;
        match ack.attr_u32("error").and_then(|code| u16::try_from(code).ok()) {
            Some(code) => Err(PhoneError::Refused { code, text: String::new() }),
            None => Ok(ack),
        }
    }

    async fn exchange(&self, id: &str, node: Node) -> Result<Node, PhoneError> {
        let (answered, answer) = oneshot::channel();
        self.waiting().insert(id.to_owned(), answered);
        let _waiting = Waiting { line: self, id };
        self.send(node).await?;
        match tokio::time::timeout(ANSWER, answer).await {
            Ok(answer) => answer.map_err(|_| PhoneError::Offline),
            Err(_) => Err(PhoneError::Timeout),
        }
    }

    /// Hands an answer to whoever waits for it. Tells whether somebody did.
    pub(crate) fn answered(&self, answer: Node) -> bool {
        let id = answer.attr_text("id").unwrap_or_default().into_owned();
        match self.waiting().remove(&id) {
            Some(waiting) => waiting.send(answer).is_ok(),
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[tokio::test]
    async fn answers_find_their_requests() {
        let line = Arc::new(Line::default());
        let (out, mut service) = mpsc::channel(4);
        line.open(out);
        let asking = tokio::spawn({
            let line = Arc::clone(&line);
            async move { line.request(Node::new("iq").attr("type", "get")).await }
        });
        let request = service.recv().await.unwrap();
        let id = request.attr_text("id").unwrap().into_owned();
        assert!(!line.answered(Node::new("iq").attr("id", "other").attr("type", "result")));
        assert!(line.answered(Node::new("iq").attr("id", id).attr("type", "result")));
        assert!(asking.await.unwrap().is_ok());
        assert!(line.waiting().is_empty());
    }

    #[tokio::test]
    async fn waiting_ends_with_the_connection() {
        let line = Arc::new(Line::default());
        assert_eq!(line.send(Node::new("presence")).await, Err(PhoneError::Offline));
        let (out, mut service) = mpsc::channel(4);
        line.open(out);
        let asking = tokio::spawn({
            let line = Arc::clone(&line);
            async move { line.post("M1", Node::new("message").attr("id", "M1")).await }
        });
        service.recv().await.unwrap();
        line.close();
        assert_eq!(asking.await.unwrap(), Err(PhoneError::Offline));
    }

    #[tokio::test]
    async fn a_refused_message_is_an_error() {
        let line = Arc::new(Line::default());
        let (out, mut service) = mpsc::channel(4);
        line.open(out);
        let posting = tokio::spawn({
            let line = Arc::clone(&line);
            async move { line.post("M1", Node::new("message").attr("id", "M1")).await }
        });
        service.recv().await.unwrap();
        line.answered(Node::new("ack").attr("id", "M1").attr("error", 479_u32));
        let refused = PhoneError::Refused { code: 479, text: String::new() };
        assert_eq!(posting.await.unwrap(), Err(refused));
    }
}
