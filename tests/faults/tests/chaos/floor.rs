//! Who may speak now.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::watch;
use whimbrel_faults::Order;
use whimbrel_sandbox::EventLog;

use crate::plan::{AHEAD, Plan};

/// Hands the lines of the plan out, to every device in its order.
pub(crate) struct Floor {
    plan: Arc<Plan>,
    log: EventLog,
    state: Mutex<State>,
    /// Told when something has happened.
    moved: watch::Sender<()>,
}

struct State {
    /// Lines that each device has still to say.
    waiting: BTreeMap<usize, Vec<usize>>,
    by_id: BTreeMap<String, usize>,
    /// Newest event of the service when a line was handed out.
    given: BTreeMap<usize, u64>,
    sent: BTreeSet<usize>,
    /// Every line before this one has been sent.
    front: usize,
    /// Absences that are over.
    over: BTreeSet<usize>,
}

impl Floor {
    pub(crate) fn new(plan: Arc<Plan>, log: EventLog, moved: watch::Sender<()>) -> Self {
        let mut waiting: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut by_id = BTreeMap::new();
        for (index, line) in plan.lines.iter().enumerate().rev() {
            waiting.entry(line.speaker).or_default().push(index);
            by_id.insert(line.order.id.clone(), index);
        }
        let state = State {
            waiting,
            by_id,
            given: BTreeMap::new(),
            sent: BTreeSet::new(),
            front: 0,
            over: BTreeSet::new(),
        };
        Self { plan, log, state: Mutex::new(state), moved }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The next line of a device, if it is its turn already.
    pub(crate) fn next(&self, device: usize) -> Option<Order> {
        let mut state = self.state();
        let index = *state.waiting.get(&device)?.last()?;
        let line = &self.plan.lines[index];
        let early = index >= state.front + AHEAD;
        if early || line.after.is_some_and(|absence| !state.over.contains(&absence)) {
            return None;
        }
        state.waiting.get_mut(&device)?.pop();
        state.given.insert(index, self.log.newest());
        Some(line.order.clone())
    }

    /// As [`Self::next`], but waits for the turn. `None`: the device has said everything.
    pub(crate) async fn turn(&self, device: usize) -> Option<Order> {
        let mut moved = self.moved.subscribe();
        loop {
            if let Some(order) = self.next(device) {
                return Some(order);
            }
            if self.state().waiting.get(&device).is_none_or(Vec::is_empty) {
                return None;
            }
            moved.changed().await.ok()?;
        }
    }

    /// The service has a line.
    pub(crate) fn sent(&self, id: &str) {
        let mut state = self.state();
        let index = state.by_id[id];
        state.sent.insert(index);
        while state.sent.contains(&state.front) {
            state.front += 1;
        }
        drop(state);
        self.moved.send_replace(());
    }

    /// Whoever was absent may speak again.
    pub(crate) fn end_absence(&self, absence: usize) {
        self.state().over.insert(absence);
        self.moved.send_replace(());
    }

    /// Number of the first line that the service does not have.
    pub(crate) fn front(&self) -> usize {
        self.state().front
    }

    /// Lines that the service has.
    pub(crate) fn count_sent(&self) -> usize {
        self.state().sent.len()
    }

    /// Newest event of the service when a line was handed out.
    pub(crate) fn given_at(&self, line: usize) -> Option<u64> {
        self.state().given.get(&line).copied()
    }
}
