//! Requests and what answers them (transport document §6.9): IQs by their result, messages by
//! their ack.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use tokio::sync::oneshot;
use whimbrel_wire::{Jid, Node, NodeRef};

use crate::error::{Code, Error, Outcome};
use crate::random;

/// Ids of requests: a random prefix per client, then a count that goes on over connections.
#[derive(Debug)]
pub(crate) struct RequestIds {
    prefix: String,
    count: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new(rng: &mut ChaCha20Rng) -> Self {
        let [a, b, c, d] = random::bytes(rng);
        let prefix = format!("{}.{}-", u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        Self { prefix, count: AtomicU64::new(1) }
    }

    pub(crate) fn next(&self) -> String {
        format!("{}{}", self.prefix, self.count.fetch_add(1, Ordering::Relaxed))
    }
}

/// Those who wait for an answer on one connection.
#[derive(Default)]
pub(crate) struct Answers {
    waiting: Mutex<Option<Waiters>>,
}

/// Waiters by the id of what they wait for, in the order of their questions.
type Waiters = HashMap<String, VecDeque<Waiting>>;

/// One who waits, and for what.
struct Waiting {
    answer: oneshot::Sender<Node>,
    to: Question,
}

/// What an answer has to fit besides the id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// An IQ: its result or error.
    Iq,
    /// A stanza of this tag and type: its ack. Ids of receipts are those of messages, and so
    /// occur more than once.
    Acknowledged {
        /// The stanza's tag, which is the ack's class.
        class: String,
        /// The stanza's type, which an ack repeats or leaves out.
        kind: Option<String>,
    },
}

impl Question {
    /// The question that a stanza asks.
    pub(crate) fn of(stanza: &NodeRef<'_>) -> Self {
        match stanza.tag() {
            "iq" => Self::Iq,
            // The ack of a call says which of its steps is meant.
            "call" => Self::Acknowledged {
                class: "call".to_owned(),
                kind: stanza.first_child().map(|step| step.tag().to_owned()),
            },
            class => Self::Acknowledged {
                class: class.to_owned(),
                kind: stanza.attr_text("type").map(std::borrow::Cow::into_owned),
            },
        }
    }

    fn is_answered_by(&self, answer: &NodeRef<'_>) -> bool {
        match self {
            Self::Iq => answer.tag() == "iq",
            Self::Acknowledged { class, kind } => {
                let same = |repeated: std::borrow::Cow<'_, str>| Some(repeated.as_ref()) == kind.as_deref();
                answer.tag() == "ack"
                    && answer.attr_is("class", class)
                    && answer.attr_text("type").is_none_or(same)
            }
        }
    }
}

impl Answers {
    /// Makes the list of an open connection.
    pub(crate) fn open() -> Self {
        Self { waiting: Mutex::new(Some(HashMap::new())) }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Waiters>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a waiter. `None` when the connection is over. Several may wait under one id, as
    /// for receipts, whose ids are those of messages: they are answered in their order.
    pub(crate) fn expect(&self, id: &str, to: Question) -> Option<oneshot::Receiver<Node>> {
        let (answer, receiver) = oneshot::channel();
        self.lock().as_mut()?.entry(id.to_owned()).or_default().push_back(Waiting { answer, to });
        Some(receiver)
    }

    /// Forgets the waiters of an id that gave up: those whose receiver is gone.
    pub(crate) fn forget(&self, id: &str) {
        if let Some(waiting) = self.lock().as_mut()
            && let Some(queue) = waiting.get_mut(id)
        {
            queue.retain(|waiting| !waiting.answer.is_closed());
            if queue.is_empty() {
                waiting.remove(id);
            }
        }
    }

    /// Hands an answer to its waiter; gives it back if nobody waits.
    pub(crate) fn answer<'a>(&self, node: NodeRef<'a>) -> Option<NodeRef<'a>> {
        let waiter = match node.attr_text("id") {
            Some(id) => self.lock().as_mut().and_then(|waiting| {
                let queue = waiting.get_mut(id.as_ref())?;
                let fits = queue.iter().position(|waiting| waiting.to.is_answered_by(&node))?;
                let waiter = queue.remove(fits);
                if queue.is_empty() {
                    waiting.remove(id.as_ref());
                }
                waiter
            }),
            None => None,
        };
        match waiter {
            Some(waiter) => {
                // A waiter may have gone away meanwhile; then the answer is of no use.
                let _ = waiter.answer.send(node.into_owned());
                None
            }
            None => Some(node),
        }
    }

    /// Whether nobody waits.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().as_ref().is_none_or(HashMap::is_empty)
    }

    /// The connection is over: all waiters are told by their channel's end.
    pub(crate) fn close(&self) {
        self.lock().take();
    }
}

/// Whether a stanza answers something of ours: an IQ's result or error, or an ack.
pub(crate) fn is_answer(node: &NodeRef<'_>) -> bool {
    match node.tag() {
        "iq" => node.attr_is("type", "result") || node.attr_is("type", "error"),
        "ack" => true,
        _ => false,
    }
}

/// Turns an error answer into an error, any other into itself.
pub(crate) fn accept(answer: Node) -> Result<Node, Error> {
    if answer.tag() == "iq" && answer.attr_is("type", "error") {
        Err(service_error(&answer))
    } else {
        Ok(answer)
    }
}

/// What the service says with the `<error>` in a node.
pub(crate) fn service_error(answer: &NodeRef<'_>) -> Error {
    let error = answer.child_named("error");
    let status =
        error.and_then(|error| error.attr_u64("code")).and_then(|code| u16::try_from(code).ok()).unwrap_or(0);
    let refused = refusal(status);
    match error.and_then(|error| error.attr_u64("backoff")) {
        Some(seconds) => refused.with_retry_after(Duration::from_secs(seconds)),
        None => refused,
    }
}

/// The error of a request that the service refused with this number.
pub(crate) fn refusal(status: u16) -> Error {
    let (code, message) = match status {
        401 | 403 => (Code::Forbidden, "the service does not allow it"),
        404 | 410 => (Code::NotFound, "the service does not know it"),
        429 => (Code::RateLimited, "the service got too many requests"),
        _ => (Code::Refused, "the service refused the request"),
    };
    Error::new(code, message).with_service_status(status).with_outcome(Outcome::Refused)
}

/// The ack of a notification or another stanza that needs nothing else (transport document
/// §6.10). `type` and `participant` are echoed, never invented.
pub(crate) fn ack(stanza: &NodeRef<'_>, error: Option<u16>) -> Option<Node> {
    let id = stanza.attr_text("id")?.into_owned();
    let from = stanza.attr_jid("from")?;
    Some(
        Node::new("ack")
            .attr("id", id)
            .attr("class", stanza.tag().to_owned())
            .attr("to", from)
            .attr_opt("participant", stanza.attr_jid("participant"))
            .attr_opt("recipient", stanza.attr_jid("recipient"))
            .attr_opt("type", stanza.attr_text("type").map(std::borrow::Cow::into_owned))
            .attr_opt("error", error),
    )
}

/// The empty answer to a request of the service.
pub(crate) fn result(request: &NodeRef<'_>) -> Option<Node> {
    let id = request.attr_text("id")?.into_owned();
    Some(Node::new("iq").attr("id", id).attr("to", Jid::SERVER).attr("type", "result"))
}

/// An error answer to a request of the service.
pub(crate) fn error_result(request: &NodeRef<'_>, code: u16, text: &'static str) -> Option<Node> {
    let id = request.attr_text("id")?.into_owned();
    let error = Node::new("error").attr("code", code).attr("text", text);
    Some(Node::new("iq").attr("id", id).attr("to", Jid::SERVER).attr("type", "error").child(error))
}

/// Whether a request of the service is a ping, which wants an empty answer.
pub(crate) fn is_server_ping(node: &NodeRef<'_>) -> bool {
    node.tag() == "iq" && node.attr_is("type", "get") && node.attr_is("xmlns", "urn:xmpp:ping")
}

/// Asks the service for a sign of life.
pub(crate) fn ping() -> Node {
    Node::new("iq").attr("to", Jid::SERVER).attr("type", "get").attr("xmlns", "w:p")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_count_up_behind_a_random_prefix() {
        let ids = RequestIds::new(&mut random::generator(Some(1), 1).unwrap());
        let (first, second) = (ids.next(), ids.next());
        let (prefix, count) = first.rsplit_once('-').unwrap();
        assert_eq!((count, second), ("1", format!("{prefix}-2")));
        let (left, right) = prefix.split_once('.').unwrap();
        assert!(left.parse::<u16>().is_ok() && right.parse::<u16>().is_ok());
    }

    #[tokio::test]
    async fn answers_reach_the_one_who_waits() {
        let answers = Answers::open();
        let one = answers.expect("1", Question::Iq).unwrap();
        let two = answers.expect("2", Question::Iq).unwrap();
        assert!(answers.answer(Node::new("iq").attr("id", "2").attr("type", "result")).is_none());
        assert!(answers.answer(Node::new("ack").attr("id", "3")).is_some());
        assert!(answers.answer(Node::new("ack")).is_some());
        assert_eq!(two.await.unwrap().tag(), "iq");
        answers.close();
        assert!(one.await.is_err());
        assert!(answers.expect("4", Question::Iq).is_none() && answers.is_empty());
    }

    #[tokio::test]
    async fn an_ack_answers_only_the_receipt_that_it_is_for() {
        let answers = Answers::open();
        let read = Node::new("receipt").attr("id", "A").attr("type", "read");
        let mut waiting = answers.expect("A", Question::of(&read)).unwrap();
        let ack = |class: &'static str| Node::new("ack").attr("id", "A").attr("class", class);
        for other in [
            ack("message"),
            ack("receipt").attr("type", "inactive"),
            Node::new("iq").attr("id", "A").attr("type", "result"),
        ] {
            assert!(answers.answer(other.clone()).is_some(), "{other}");
        }
        assert!(waiting.try_recv().is_err());
        assert!(answers.answer(ack("receipt").attr("type", "read")).is_none());
        assert!(waiting.await.unwrap().attr_is("class", "receipt"));
        let _again = answers.expect("A", Question::of(&read)).unwrap();
        assert!(answers.answer(ack("receipt")).is_none(), "a type is not repeated by everybody");
    }

    #[test]
    fn error_answers_carry_the_number_and_the_wait() {
        let answer = |code: u16| {
            let error = Node::new("error").attr("code", code).attr("backoff", "30");
            accept(Node::new("iq").attr("type", "error").child(error)).unwrap_err()
        };
        for (status, code) in [
            (403, Code::Forbidden),
            (404, Code::NotFound),
            (429, Code::RateLimited),
            (406, Code::Refused),
            (500, Code::Refused),
        ] {
            let error = answer(status);
            assert_eq!((error.code(), error.service_status()), (code, status));
            assert_eq!(
                (error.outcome(), error.retry_after()),
                (Outcome::Refused, Some(Duration::from_secs(30)))
            );
        }
        assert!(accept(Node::new("iq").attr("type", "result")).is_ok());
        assert_eq!(accept(Node::new("iq").attr("type", "error")).unwrap_err().service_status(), 0);
    }

    #[test]
    fn acks_echo_and_invent_nothing() {
        let stanza = Node::new("notification")
            .attr("id", "5")
            .attr("from", Jid::SERVER)
            .attr("type", "encrypt")
            .attr("t", "1")
            .child(Node::new("count"));
        let expected = Node::new("ack")
            .attr("id", "5")
            .attr("class", "notification")
            .attr("to", Jid::SERVER)
            .attr("type", "encrypt");
        assert_eq!(ack(&stanza, None), Some(expected));
        assert_eq!(ack(&Node::new("x").attr("id", "5"), None), None);
        let unknown = ack(&Node::new("x").attr("id", "5").attr("from", Jid::SERVER), Some(488)).unwrap();
        assert!(unknown.attr_is("error", "488") && unknown.attr_value("type").is_none());
    }

    #[test]
    fn pings_of_the_service_are_known() {
        let ping = Node::new("iq").attr("type", "get").attr("xmlns", "urn:xmpp:ping").attr("id", "9");
        assert!(is_server_ping(&ping) && !is_answer(&ping));
        let answer = Node::new("iq").attr("id", "9").attr("to", Jid::SERVER).attr("type", "result");
        assert_eq!(result(&ping), Some(answer));
    }

    #[test]
    fn several_who_wait_under_one_id_are_answered_in_their_order() {
        let answers = Answers::open();
        let read = Node::new("receipt").attr("type", "read");
        let mut one = answers.expect("A", Question::of(&read)).unwrap();
        let given_up = answers.expect("A", Question::of(&read)).unwrap();
        let mut three = answers.expect("A", Question::of(&read)).unwrap();
        drop(given_up);
        answers.forget("A");
        let ack = || Node::new("ack").attr("class", "receipt").attr("id", "A");
        assert!(answers.answer(ack()).is_none());
        assert!(one.try_recv().is_ok() && three.try_recv().is_err());
        assert!(answers.answer(ack()).is_none());
        assert!(three.try_recv().is_ok() && answers.is_empty());
        assert!(answers.answer(ack()).is_some());
    }
}
