//! What is known of the account itself: one packed note for each subject.

use prost::Message;

use super::Unit;
use crate::store::StoreError;

impl Unit<'_> {
    /// What is noted about a subject. A note that this version cannot read counts as none: all of them are
    /// asked for again.
    pub(crate) fn note<M: Message + Default>(&self, subject: &'static str) -> Result<Option<M>, StoreError> {
        let note = match self.changes.notes.get(subject) {
            Some(changed) => changed.clone(),
            None => self.store.note(subject)?,
        };
        Ok(note.and_then(|note| M::decode(note.as_slice()).ok()))
    }

    /// Notes something in the place of what was noted.
    pub(crate) fn set_note<M: Message>(&mut self, subject: &'static str, note: &M) {
        self.changes.notes.insert(subject, Some(note.encode_to_vec()));
    }
}
