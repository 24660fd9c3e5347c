//! Presence and chat state (features document §6): who is online and who is typing, in both directions.
//! Nothing of it is kept, neither here nor at the service.
//!
//! The engine says nothing of it by itself. What the host says, and whom it watches, is said again after
//! each login, because the service forgets it with the connection.

mod chat_state;
mod events;
mod own;
mod receive;
mod restore;
mod stanza;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;
use whimbrel_wire::Jid;

pub use events::{ChatState, ChatStateChanged, LastSeen, PresenceChanged};
pub use own::Availability;
pub(crate) use receive::{Sign, chat_state, presence};
pub(crate) use restore::restore;

use crate::journal::EventQueue;

/// People and groups that are watched at a time.
const WATCHED: usize = 512;

/// Chats in which somebody is known to be writing.
const WRITING: usize = 512;

/// How long somebody counts as writing who does not say so again, as in the official clients.
const WRITING_LIFE: std::time::Duration = std::time::Duration::from_secs(25);

/// What a client says of itself, and whom it watches.
#[derive(Default)]
pub(crate) struct PresenceState {
    known: Mutex<Known>,
    /// Held while the service is told: the last word is the one that is remembered.
    saying: tokio::sync::Mutex<()>,
    /// Somebody else is the next who stops writing.
    changed: Notify,
}

#[derive(Default)]
struct Known {
    /// What the host said last.
    own: Option<Availability>,
    /// The connection on which the service was told that this account is available.
    available_on: Option<u64>,
    /// People and groups, by the addresses that identify them.
    watched: BTreeSet<Jid>,
    /// Who writes in which chat, and until when that is believed.
    writing: BTreeMap<(Jid, Jid), (Instant, ChatStateChanged)>,
}

impl PresenceState {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the service was told on this connection that somebody looks at the messages.
    pub(crate) fn is_available_on(&self, connection: u64) -> bool {
        self.known().available_on == Some(connection)
    }

    fn said(&self, own: Availability, connection: u64) {
        let mut known = self.known();
        known.own = Some(own);
        known.available_on = (own == Availability::Available).then_some(connection);
    }

    /// Tells the host what came, and takes note of who writes.
    pub(crate) fn tell(&self, sign: Sign, events: &EventQueue) {
        match sign {
            Sign::Presence(presence) => events.presence(presence),
            Sign::ChatState(state) => {
                self.note(&state, Instant::now());
                events.chat_state(state);
            }
        }
    }

    fn note(&self, state: &ChatStateChanged, now: Instant) {
        let mut known = self.known();
        let key = (state.chat.id.clone(), state.sender.id.clone());
        if state.state == ChatState::Paused {
            known.writing.remove(&key);
        } else if known.writing.len() < WRITING || known.writing.contains_key(&key) {
            known.writing.insert(key, (now + WRITING_LIFE, state.clone()));
        }
        drop(known);
        self.changed.notify_one();
    }

    /// When the next person stops to count as writing.
    fn next_end(&self) -> Option<Instant> {
        self.known().writing.values().map(|(until, _)| *until).min()
    }

    /// Those who count as writing no more; without a time, all.
    fn ended(&self, now: Option<Instant>) -> Vec<ChatStateChanged> {
        let mut known = self.known();
        let over = |until: Instant| now.is_none_or(|now| until <= now);
        let ended: Vec<_> = known
            .writing
            .values()
            .filter(|(until, _)| over(*until))
            .map(|(_, state)| ChatStateChanged { state: ChatState::Paused, ..state.clone() })
            .collect();
        known.writing.retain(|_, (until, _)| !over(*until));
        ended
    }
}

/// Tells the host when people count as writing no more: they did not say so again, or the connection is
/// over on which they would.
pub(crate) async fn watch_writing(client: &crate::client::Inner, connection: &crate::connection::Connection) {
    let state = &client.presence;
    loop {
        let end = state.next_end();
        let now = tokio::select! {
            () = connection.closed() => None,
            () = state.changed.notified() => continue,
            () = at(end) => Some(Instant::now()),
        };
        for ended in state.ended(now) {
            client.events.chat_state(ended);
        }
        if now.is_none() {
            return;
        }
    }
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::Identity;

    fn state(who: &str, state: ChatState) -> ChatStateChanged {
        let lid = Jid::lid(who);
        let who = Identity { id: lid.clone(), phone: None, lid: Some(lid) };
        ChatStateChanged { chat: who.clone(), sender: who, state }
    }

    #[test]
    fn whoever_does_not_write_on_counts_as_paused() {
        let presence = PresenceState::default();
        let begin = Instant::now();
        let later = begin + WRITING_LIFE / 2;
        presence.note(&state("1", ChatState::Composing), begin);
        presence.note(&state("2", ChatState::Recording), begin);
        presence.note(&state("3", ChatState::Composing), begin);
        // One goes on, and one says that it stopped.
        presence.note(&state("1", ChatState::Composing), later);
        presence.note(&state("3", ChatState::Paused), later);
        assert_eq!(presence.next_end(), Some(begin + WRITING_LIFE));
        assert_eq!(presence.ended(Some(later)), []);
        assert_eq!(presence.ended(Some(begin + WRITING_LIFE)), [state("2", ChatState::Paused)]);
        assert_eq!(presence.next_end(), Some(later + WRITING_LIFE));
        assert_eq!(presence.ended(None), [state("1", ChatState::Paused)]);
        assert_eq!(presence.next_end(), None);
    }

    #[test]
    fn what_is_known_of_writers_is_bounded() {
        let presence = PresenceState::default();
        for who in 0..=WRITING {
            presence.note(&state(&who.to_string(), ChatState::Composing), Instant::now());
        }
        assert_eq!(presence.ended(None).len(), WRITING);
    }

    #[test]
    fn available_is_what_was_said_on_the_present_connection() {
        let presence = PresenceState::default();
        assert!(!presence.is_available_on(1));
        presence.said(Availability::Available, 1);
        assert!(presence.is_available_on(1) && !presence.is_available_on(2));
        presence.said(Availability::Unavailable, 1);
        assert!(!presence.is_available_on(1));
    }
}
