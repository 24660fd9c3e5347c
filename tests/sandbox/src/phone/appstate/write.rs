//! Writing changes.

use std::collections::BTreeMap;
use std::time::Duration;

use whimbrel_appstate::{Action, Built, Collection, Draft, Entry, Kind, Limits, Operation, build};
use whimbrel_proto::ProtoMessage as _;
use whimbrel_proto::sync_action::SyncActionValue;
use whimbrel_proto::sync_action::sync_action_value::{
    AndroidUnsupportedActions, LocaleSetting, NctSaltSyncAction, PrimaryFeature, PrimaryVersionAction,
    PushNameSetting,
};
use whimbrel_wire::Node;

use super::patch::{self, PatchFault};
use super::{held, sync};
use crate::phone::keys::draw;
use crate::phone::state::State;
use crate::phone::{Phone, PhoneError, content};

/// Attempts at a patch that somebody else's came before.
const ATTEMPTS: usize = 20;
/// Mutations that go into one patch.
const MOST: usize = 2000;

impl Phone {
    /// Changes app state as the phone's user would: one patch for each collection.
    pub async fn set_app_state(&self, actions: &[Action]) -> Result<(), PhoneError> {
        let mut by_collection: BTreeMap<Collection, Vec<(Operation, Entry)>> = BTreeMap::new();
        for action in actions {
            let kind = action.kind().map(Kind::collection).unwrap_or(Collection::RegularLow);
            let entry = self.timed(kind, action);
            by_collection.entry(kind).or_default().push((Operation::Set, entry));
        }
        for (collection, mutations) in by_collection {
            for part in mutations.chunks(MOST) {
                self.write_app_state(collection, part.to_vec(), None).await?;
            }
        }
        Ok(())
    }

    /// Takes the entry of an action out of app state.
    pub async fn remove_app_state(&self, action: &Action) -> Result<(), PhoneError> {
        let collection = action.kind().map(Kind::collection).unwrap_or(Collection::RegularLow);
        let timed = self.timed(collection, action);
        let value = SyncActionValue { timestamp: Some(timed.timestamp()), ..SyncActionValue::default() };
        let entry = Entry { value: value.encode_to_vec(), ..timed };
        self.write_app_state(collection, vec![(Operation::Remove, entry)], None).await
    }

    /// The entry of an action, later than what is there.
    fn timed(&self, collection: Collection, action: &Action) -> Entry {
        let now = i64::try_from(self.inner.clock.now_ms()).unwrap_or(i64::MAX);
        let entry = action.entry(now);
        let state = self.state();
        let present = state.app_state.books.get(&collection).and_then(|book| book.find(&entry.index));
        let present = present.map_or(0, |held| held.entry.timestamp());
        if present < now { entry } else { action.entry(present + 1) }
    }

    /// Writes one patch, perhaps a wrong one. The phone itself goes on as if it were right.
    pub async fn write_app_state(
        &self,
        collection: Collection,
        mutations: Vec<(Operation, Entry)>,
        fault: Option<PatchFault>,
    ) -> Result<(), PhoneError> {
        let _order = self.inner.syncing.lock().await;
        for _ in 0..ATTEMPTS {
            let (built, bytes, base) = self.built(collection, &mutations, fault)?;
            let node = sync::collection(collection, base).child(Node::new("patch").bytes(bytes));
            let answer = self.inner.line.request(sync::request([node])).await?;
            let answer = answer.child_named("sync").and_then(|sync| sync.child_named("collection"));
            let answer = answer.ok_or(PhoneError::Answer("collection"))?;
            if answer.attr_is("type", "result") {
                let changes = held::changes(collection, &built.applied, true);
                self.state().app_state.books.entry(collection).or_default().take(&built.applied);
                changes.into_iter().for_each(|change| {
                    self.inner.state_changes.push(change);
                });
                return Ok(());
            }
            let code = answer.child_named("error").and_then(|error| error.attr_u32("code")).unwrap_or(0);
            if code != 409 {
                let code = u16::try_from(code).unwrap_or(0);
                return Err(PhoneError::Refused { code, text: "app state".to_owned() });
            }
            self.take_collection(collection, answer);
            self.pull(&[collection]).await?;
        }
        Err(PhoneError::Timeout)
    }

    /// A patch for the present state: with the newest key, and with that of the entry where one is
    /// removed or gets another key (app-state document §4.5).
    fn built(
        &self,
        collection: Collection,
        mutations: &[(Operation, Entry)],
        fault: Option<PatchFault>,
    ) -> Result<(Built, Vec<u8>, u64), PhoneError> {
        let mut state = self.state();
        let State { app_state, rng, .. } = &mut *state;
        let (active, keys) = app_state.keys.active().ok_or(PhoneError::Answer("key"))?;
        let book = app_state.books.entry(collection).or_default();
        let mut drafts = Vec::new();
        for (operation, entry) in mutations {
            let present = book.find(&entry.index);
            let former = present.and_then(|held| Some((held.key_id, app_state.keys.get(held.key_id)?)));
            let removed = former.filter(|(id, _)| *operation == Operation::Remove || *id != active);
            if let Some(key) = removed {
                let value =
                    SyncActionValue { timestamp: Some(entry.timestamp()), ..SyncActionValue::default() };
                let entry = Entry { value: value.encode_to_vec(), ..entry.clone() };
                drafts.push(Draft { operation: Operation::Remove, entry, key });
            } else if *operation == Operation::Remove {
                // Removing what is not there happens to real phones too.
                let key = (active, keys);
                drafts.push(Draft { operation: Operation::Remove, entry: entry.clone(), key });
            }
            if *operation == Operation::Set {
                let key = (active, keys);
                drafts.push(Draft { operation: Operation::Set, entry: entry.clone(), key });
            }
        }
        let base = book.state;
        let media_key = draw(rng);
        let built = build(collection, &base, (active, keys), drafts, |mac| book.value_mac(mac), || draw(rng));
        let built = built.map_err(|_| PhoneError::Answer("patch"))?;
        let external = fault == Some(PatchFault::FileGone);
        let bytes = match built.inline(Limits::default()).filter(|_| !external) {
            Some(inline) => inline,
            None if fault.is_none() || external => {
                patch::upload(&built, media_key, &self.inner.media).ok_or(PhoneError::Answer("file"))?
            }
            None => patch::inline(&built),
        };
        let spoilt = fault.and_then(|fault| patch::spoil(&bytes, fault, keys, &base, collection));
        Ok((built, spoilt.unwrap_or(bytes), base.version))
    }

    /// Writes what a phone has in its app state before it links anybody (app-state document §12).
    pub(in crate::phone) async fn begin_app_state(&self) -> Result<(), PhoneError> {
        let salt: [u8; 32] = {
            let mut state = self.state();
            if std::mem::replace(&mut state.app_state.begun, true) {
                return Ok(());
            }
            draw(&mut state.rng)
        };
        let written = self.set_app_state(&first(self.name(), &salt)).await;
        if written.is_err() {
            self.state().app_state.begun = false;
        }
        written
    }

    /// Makes another key. With `share`, all companions get it before it is used.
    pub async fn rotate_app_state_key(&self, share: bool) -> Result<(), PhoneError> {
        let now = Duration::from_secs(self.inner.clock.now());
        let id = {
            let mut state = self.state();
            let State { app_state, rng, .. } = &mut *state;
            app_state.keys.rotate(rng, now)
        };
        if share {
            for device in self.companions() {
                let (address, keys) = {
                    let state = self.state();
                    let keys = state.app_state.keys.share_one(id, &state.companions);
                    (state.lid.with_device(device), keys)
                };
                self.send_peer(&address, &content::key_share(keys)).await?;
            }
        }
        Ok(())
    }

    /// Hands all keys of app state to all companions.
    pub async fn share_app_state_keys(&self) -> Result<(), PhoneError> {
        for device in self.companions() {
            let (address, keys) = {
                let state = self.state();
                (state.lid.with_device(device), state.app_state.keys.share_all(&state.companions))
            };
            self.send_peer(&address, &content::key_share(keys)).await?;
        }
        Ok(())
    }
}

/// What a phone writes first.
fn first(name: &str, salt: &[u8]) -> [Action; 6] {
    let flags = ["md_forward_v2", "chat_pinning"].map(str::to_owned).to_vec();
    let text = |text: &str| Some(text.to_owned());
    [
        Action::PushName { value: Box::new(PushNameSetting { name: text(name) }) },
        Action::Locale { value: Box::new(LocaleSetting { locale: text("en_GB") }) },
        Action::PrimaryVersion {
            key: "current".to_owned(),
            value: Box::new(PrimaryVersionAction { version: text("2.26.40.1") }),
        },
        Action::PrimaryFeature { value: Box::new(PrimaryFeature { flags }) },
        Action::AndroidUnsupportedActions {
            value: Box::new(AndroidUnsupportedActions { allowed: Some(true) }),
        },
        Action::NctSalt { value: Box::new(NctSaltSyncAction { salt: Some(salt.to_vec()) }) },
    ]
}
