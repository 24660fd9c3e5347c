//! Restrictions of the account.

use super::Unit;
use crate::restrictions::{Lock, RestrictionKind};
use crate::store::StoreError;

impl Unit<'_> {
    /// Restrictions of the account, also those that are over but not known to be lifted.
    pub(crate) fn locks(&mut self) -> Result<Vec<Lock>, StoreError> {
        if self.state.locks.is_none() {
            self.state.locks = Some(self.store.restrictions()?);
        }
        Ok(self.state.locks.clone().unwrap_or_default())
    }

    /// Puts a restriction in the place of one of its kind.
    pub(crate) fn set_lock(&mut self, lock: Lock) -> Result<(), StoreError> {
        self.drop_lock(lock.kind)?;
        self.state.locks.get_or_insert_default().push(lock);
        self.changes.restrictions.insert(lock.kind, Some(lock));
        Ok(())
    }

    /// Forgets a restriction.
    pub(crate) fn drop_lock(&mut self, kind: RestrictionKind) -> Result<(), StoreError> {
        let mut locks = self.locks()?;
        locks.retain(|lock| lock.kind != kind);
        self.state.locks = Some(locks);
        self.changes.restrictions.insert(kind, None);
        Ok(())
    }

    /// When the service was last asked about a restriction, seconds; far in the past if it was not.
    pub(crate) fn restriction_asked(&mut self, kind: RestrictionKind) -> &mut i64 {
        self.state.restrictions_asked.entry(kind).or_insert(i64::MIN)
    }
}
