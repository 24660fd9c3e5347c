//! What must hold for any octets; the fuzz target and the ordinary tests share it.

use whimbrel_appstate::{Action, Collection, Entry, Keys, Patch, Recovery, Snapshot, State, SyncError};

/// Reads the octets as everything that comes from elsewhere.
pub(crate) fn app_state(data: &[u8]) {
    let keys = Keys::expand(&[7; 32]);
    // Everything is opened as if its keys were there: what nobody wrote must fail at a code.
    let any = |_| Some(&keys);
    if let Ok(mut patch) = Patch::decode(data) {
        let _ = patch.add(data);
        assert!(patch.key_ids().len() <= patch.index_macs().count() + 1);
        let refused = patch.clone().check(Collection::Regular, &State::default(), |_| None, |_| None);
        assert!(!matches!(refused, Ok(Some(_))));
        let version = patch.version().unwrap_or(1).saturating_sub(1);
        let state = State { version, ..State::default() };
        if let Ok(Some(applied)) = patch.check(Collection::Regular, &state, any, |_| None) {
            assert_eq!(applied.state.version, version.saturating_add(1));
        }
    }
    if let Ok(snapshot) = Snapshot::decode(data) {
        let refused = snapshot.clone().check(Collection::Regular, |_| None);
        assert!(matches!(refused, Err(SyncError::MissingKeys(_))));
        drop(snapshot.check(Collection::Regular, any));
    }
    if let Ok(recovery) = Recovery::decode(data) {
        drop(recovery.check(any));
    }
    if let Ok(entry) = Entry::decode(data) {
        assert_eq!(Entry::decode(&entry.encode()), Ok(entry.clone()));
        for removed in [false, true] {
            if let Some(action) = Action::read(&entry, removed) {
                // What was understood is understood again, whatever it was.
                let again = action.entry(entry.timestamp());
                assert_eq!(Action::read(&again, removed).as_ref(), Some(&action));
                assert_eq!(again.timestamp(), entry.timestamp());
            }
        }
    }
}
