//! Asking the own phone to upload files again (media document §9): once for each message at a time, a
//! few at a time, and answers count that come late.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;
use whimbrel_content::key::Key;
use whimbrel_crypto::media::RetryKey;
use whimbrel_wire::NodeRef;

use super::stanza::{self, PhoneAnswer};
use crate::client::Inner;
use crate::error::{Code, Error, Outcome};

/// How long a phone may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Requests at a time: phones upload over slow networks, and what is gone is often a whole history.
const AT_A_TIME: usize = 5;
/// Requests whose answers are still taken.
const KEPT: usize = 256;

/// Requests to the phone.
pub(crate) struct PhoneRequests {
    slots: Semaphore,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    asked: BTreeMap<String, Asked>,
    order: VecDeque<String>,
}

struct Asked {
    key: RetryKey,
    answer: watch::Sender<Option<PhoneAnswer>>,
    /// Somebody waits for the answer.
    until: Instant,
}

impl Default for PhoneRequests {
    fn default() -> Self {
        Self { slots: Semaphore::new(AT_A_TIME), state: Mutex::default() }
    }
}

impl PhoneRequests {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for the file of a message, and returns the path at which it is then.
    pub(super) async fn ask(
        &self,
        client: &Inner,
        message: &Key,
        key: &[u8; 32],
        deadline: Instant,
    ) -> Result<String, Error> {
        let closed = |_| crate::client::cancelled();
        let _slot = self.slots.acquire().await.map_err(closed)?;
        let unavailable = |error| Error::new(Code::Internal, "the cipher is not available").because(error);
        let (mut answer, is_new) = self.expect(&message.id, RetryKey::new(key).map_err(unavailable)?);
        if let Some(PhoneAnswer::Uploaded(path)) = &*answer.borrow() {
            // It came after an earlier call had given up. It counts once: it may be gone again.
            let path = path.clone();
            self.forget(&message.id, &answer);
            return Ok(path);
        }
        if is_new {
            let account = client.linked_account()?;
            let own = account.phone.as_ref().ok_or_else(crate::client::not_linked)?;
            let nonce = crate::random::bytes(&mut client.rng());
            let key = RetryKey::new(key).map_err(unavailable)?;
            let receipt = stanza::ask_phone(own, message, &key, &nonce).ok_or_else(|| {
                Error::new(Code::InvalidArgument, "the reference does not name the chat of its message")
            })?;
            let limit = deadline.min(Instant::now() + client.options.request_timeout);
            let connection = client.wait_for_connection(limit).await?;
            let acked = connection.send_awaiting_ack(receipt, TIMEOUT).await?;
            if let Some(status) = acked.attr_u64("error").and_then(|error| u16::try_from(error).ok()) {
                self.forget(&message.id, &answer);
                let refused = Error::new(Code::Refused, "the service did not pass the request to the phone");
                return Err(refused.with_service_status(status).with_outcome(Outcome::Refused));
            }
        }
        let answered = tokio::time::timeout(TIMEOUT, answer.wait_for(Option::is_some)).await;
        let answered = answered.map(|answered| answered.ok().and_then(|answer| answer.clone()));
        let Ok(answered) = answered else {
            // The answer may still come; it counts for the next call.
            return Err(Error::new(Code::PhoneNoAnswer, "the phone did not answer; it may be offline"));
        };
        self.forget(&message.id, &answer);
        match answered {
            Some(PhoneAnswer::Uploaded(path)) => Ok(path),
            Some(PhoneAnswer::NotFound) => {
                Err(Error::new(Code::MediaGone, "the file is gone, and the phone has not got it either"))
            }
            Some(PhoneAnswer::Unopened) => Err(Error::new(
                Code::MediaGone,
                "the file is gone, and the phone has another key for the message",
            )),
            Some(PhoneAnswer::Failed) | None => {
                Err(Error::new(Code::PhoneNoAnswer, "the phone could not upload the file now"))
            }
        }
    }

    /// Registers a request. Says whether it must be made: not while somebody else waits for the same.
    fn expect(&self, id: &str, key: RetryKey) -> (watch::Receiver<Option<PhoneAnswer>>, bool) {
        let mut state = self.state();
        let now = Instant::now();
        if let Some(asked) = state.asked.get_mut(id) {
            let answered = matches!(&*asked.answer.borrow(), Some(PhoneAnswer::Uploaded(_)));
            let waited_for = asked.until > now && asked.answer.borrow().is_none();
            if !answered && !waited_for {
                asked.answer.send_replace(None);
                asked.until = now + TIMEOUT;
            }
            return (asked.answer.subscribe(), !answered && !waited_for);
        }
        let answer = watch::Sender::new(None);
        let receiver = answer.subscribe();
        state.asked.insert(id.to_owned(), Asked { key, answer, until: now + TIMEOUT });
        state.order.push_back(id.to_owned());
        if state.order.len() > KEPT
            && let Some(oldest) = state.order.pop_front()
        {
            state.asked.remove(&oldest);
        }
        (receiver, true)
    }

    /// Forgets a request that is answered, unless another one was made meanwhile.
    fn forget(&self, id: &str, answer: &watch::Receiver<Option<PhoneAnswer>>) {
        let mut state = self.state();
        if state.asked.get(id).is_some_and(|asked| asked.answer.subscribe().same_channel(answer)) {
            state.asked.remove(id);
            state.order.retain(|asked| asked != id);
        }
    }

    /// Takes a notification, if it is the answer to a request.
    pub(crate) fn answered(&self, notification: &NodeRef<'_>) {
        if !notification.attr_is("type", "mediaretry") {
            return;
        }
        let Some(id) = notification.attr_text("id") else { return };
        let state = self.state();
        match state.asked.get(id.as_ref()) {
            Some(asked) => {
                let answer = stanza::phone_answer(notification, &asked.key);
                asked.answer.send_replace(Some(answer));
            }
            None => tracing::debug!("The phone uploaded a file again that nobody asked for."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use whimbrel_wire::Node;

    fn key() -> RetryKey {
        RetryKey::new(&[1; 32]).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_is_asked_for_once_at_a_time_and_late_answers_are_kept() {
        let requests = PhoneRequests::default();
        let (one, first) = requests.expect("A", key());
        let (_, second) = requests.expect("A", key());
        assert!(first && !second);
        tokio::time::advance(TIMEOUT * 2).await;
        assert!(requests.expect("A", key()).1, "nobody waits any more");
        let refusal = Node::new("notification").attr("type", "mediaretry").attr("id", "A");
        requests.answered(&refusal);
        assert_eq!(*one.borrow(), Some(PhoneAnswer::Failed));
        assert!(requests.expect("A", key()).1, "a failure is no answer for the next one");
        requests.answered(&Node::new("notification").attr("type", "mediaretry").attr("id", "B"));
        for number in 0..KEPT + 5 {
            requests.expect(&number.to_string(), key());
        }
        assert_eq!(requests.state().asked.len(), KEPT);
        let (answer, _) = requests.expect("100", key());
        requests.forget("101", &answer);
        assert_eq!(requests.state().order.len(), KEPT, "the request of somebody else stays");
        requests.forget("100", &answer);
        assert_eq!(requests.state().order.len(), KEPT - 1);
    }
}
