//! What a program has written and nobody has asked for yet.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Deserialize;
use serde_json::Value;
use tokio::sync::{Notify, oneshot};

use crate::event::Event;

/// A test that leaves more unread has lost its thread; the oldest go.
const UNREAD_EVENTS: usize = 8192;
const LOG_LINES: usize = 200;

/// The answer to a command: its result or the program's words.
pub(crate) type Answer = Result<Value, String>;

#[derive(Debug, Default)]
struct State {
    events: VecDeque<Event>,
    waiting: BTreeMap<u64, oneshot::Sender<Answer>>,
    log: VecDeque<String>,
    ended: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Inbox {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Ok { id: u64, ok: Value },
    Error { id: u64, error: String },
    Event(Box<Event>),
}

/// Why no event was taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    NotYet,
    /// And none will come: the program has ended.
    Ended,
}

impl Inbox {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sorts in one line of standard output.
    pub(crate) fn take_line(&self, line: &str) -> Result<(), serde_json::Error> {
        let parsed = serde_json::from_str(line)?;
        let mut state = self.state();
        let (id, answer) = match parsed {
            Line::Ok { id, ok } => (id, Ok(ok)),
            Line::Error { id, error } => (id, Err(error)),
            Line::Event(event) => {
                if state.events.len() == UNREAD_EVENTS {
                    state.events.pop_front();
                }
                state.events.push_back(*event);
                drop(state);
                self.changed.notify_waiters();
                return Ok(());
            }
        };
        if let Some(waiter) = state.waiting.remove(&id) {
            // The asker may have given up; then nobody wants the answer.
            let _ = waiter.send(answer);
        }
        Ok(())
    }

    /// Keeps one line of standard error.
    pub(crate) fn take_log(&self, line: String) {
        let mut state = self.state();
        if state.log.len() == LOG_LINES {
            state.log.pop_front();
        }
        state.log.push_back(line);
    }

    /// Notes that nothing more will come: every asker learns it.
    pub(crate) fn end(&self) {
        let mut state = self.state();
        state.ended = true;
        state.waiting.clear();
        drop(state);
        self.changed.notify_waiters();
    }

    /// The receiver of the answer to the command with this id.
    pub(crate) fn expect_answer(&self, id: u64) -> oneshot::Receiver<Answer> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.state();
        if !state.ended {
            state.waiting.insert(id, sender);
        }
        receiver
    }

    /// Finds the first unread event that fits, takes it out if told so, and leaves the others for later.
    pub(crate) fn find<T>(
        &self,
        mut pick: impl FnMut(&Event) -> Option<T>,
        take: bool,
    ) -> Result<T, Missing> {
        let mut state = self.state();
        let found = state.events.iter().enumerate().find_map(|(at, event)| pick(event).map(|t| (at, t)));
        match found {
            Some((at, picked)) => {
                if take {
                    state.events.remove(at);
                }
                Ok(picked)
            }
            None if state.ended => Err(Missing::Ended),
            None => Err(Missing::NotYet),
        }
    }

    /// Resolves at the next change after its creation.
    pub(crate) fn changed(&self) -> tokio::sync::futures::Notified<'_> {
        self.changed.notified()
    }

    pub(crate) fn unread(&self) -> Vec<Event> {
        self.state().events.iter().cloned().collect()
    }

    pub(crate) fn log(&self) -> String {
        self.state().log.iter().cloned().collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairing_code(event: &Event) -> Option<String> {
        match event {
            Event::PairingCode { code } => Some(code.clone()),
            _ => None,
        }
    }

    #[test]
    fn takes_the_first_event_that_fits_and_keeps_the_rest() {
        let inbox = Inbox::default();
        assert_eq!(inbox.find(pairing_code, true), Err(Missing::NotYet));
        inbox.take_line(r#"{"event":"qr","text":"2@"}"#).unwrap();
        inbox.take_line(r#"{"event":"pairing_code","code":"ABCD1234"}"#).unwrap();
        assert_eq!(inbox.find(pairing_code, false).unwrap(), "ABCD1234");
        assert_eq!(inbox.find(pairing_code, true).unwrap(), "ABCD1234");
        assert_eq!(inbox.unread(), [Event::Qr { text: "2@".into() }]);
        inbox.end();
        assert_eq!(inbox.find(pairing_code, true), Err(Missing::Ended));
    }

    #[test]
    fn gives_an_answer_to_the_one_who_asked() {
        let inbox = Inbox::default();
        let (mut first, mut second) = (inbox.expect_answer(1), inbox.expect_answer(2));
        inbox.take_line(r#"{"id":2,"error":"no"}"#).unwrap();
        inbox.take_line(r#"{"id":1,"ok":{"a":1}}"#).unwrap();
        assert_eq!(first.try_recv().unwrap(), Ok(serde_json::json!({"a": 1})));
        assert_eq!(second.try_recv().unwrap(), Err("no".to_owned()));
    }

    #[test]
    fn nobody_waits_for_an_answer_of_a_program_that_ended() {
        let inbox = Inbox::default();
        let mut before = inbox.expect_answer(1);
        inbox.end();
        let mut after = inbox.expect_answer(2);
        assert_eq!(before.try_recv(), Err(oneshot::error::TryRecvError::Closed));
        assert_eq!(after.try_recv(), Err(oneshot::error::TryRecvError::Closed));
    }
}
