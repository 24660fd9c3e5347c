//! What is known of groups, and what was announced about them.

use std::sync::Arc;

use whimbrel_wire::Jid;

use super::Unit;
use crate::groups::{GroupRow, SendingState};
use crate::store::StoreError;

/// Announcements about groups that are remembered.
const ANNOUNCED: usize = 32;

impl Unit<'_> {
    /// What is kept in memory about sending to groups.
    pub(crate) fn sending(&mut self) -> &mut SendingState {
        &mut self.state.sending
    }

    /// What is known of a group; look at its `stale` before relying on the members.
    pub(crate) fn group(&mut self, group: &Jid) -> Result<Option<Arc<GroupRow>>, StoreError> {
        let known = self.state.groups.iter().position(|(id, _)| id == group);
        let (id, row) = match known {
            Some(at) => self.state.groups.remove(at),
            None => (group.clone(), self.store.group(group)?),
        };
        self.state.groups.push((id, row.clone()));
        Ok(row)
    }

    /// Writes down what is known of a group; `None` when this account is in it no more.
    pub(crate) fn put_group(&mut self, group: &Jid, row: Option<GroupRow>) {
        let row = row.map(Arc::new);
        self.state.groups.retain(|(id, _)| id != group);
        self.state.groups.push((group.clone(), row.clone()));
        self.changes.groups.insert(group.clone(), row);
    }

    /// Remembers that the service announced something about a group.
    pub(crate) fn group_announced(&mut self, group: &Jid) {
        let (groups, count) = &mut self.state.announced;
        *count = count.saturating_add(1);
        groups.push_back(group.clone());
        if groups.len() > ANNOUNCED {
            groups.pop_front();
        }
    }

    /// How often something was announced about any group; for [`announced_since`](Self::announced_since).
    pub(crate) fn announcements(&self) -> u64 {
        self.state.announced.1
    }

    /// Whether something may have been announced about a group since a count: an answer of the service
    /// that was asked for then may be older.
    pub(crate) fn announced_since(&self, group: &Jid, count: u64) -> bool {
        let (groups, now) = &self.state.announced;
        let Some(missed) = now.checked_sub(count).and_then(|missed| usize::try_from(missed).ok()) else {
            return true;
        };
        missed > groups.len() || groups.iter().rev().take(missed).any(|announced| announced == group)
    }
}
