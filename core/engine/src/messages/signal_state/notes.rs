//! What is known of the account itself: one packed note for each subject.

use prost::Message;

use super::Unit;
use crate::store::StoreError;

impl Unit<'_> {
    /// What is noted about a subject. A note that this version cannot read counts as none: all of them are
    /// asked for again.
    pub(crate) fn note<M: Message + Default>(
        &mut self,
        subject: &'static str,
    ) -> Result<Option<M>, StoreError> {
        if !self.state.notes.contains_key(subject) {
            let note = self.store.note(subject)?;
            self.state.notes.insert(subject, note);
        }
        let note = self.state.notes.get(subject).and_then(Option::as_ref);
        Ok(note.and_then(|note| M::decode(note.as_slice()).ok()))
    }

    /// Notes something in the place of what was noted.
    pub(crate) fn set_note<M: Message>(&mut self, subject: &'static str, note: &M) {
        let note = Some(note.encode_to_vec());
        self.state.notes.insert(subject, note.clone());
        self.changes.notes.insert(subject, note);
    }
}
