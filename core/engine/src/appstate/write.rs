//! What hosts change: each call writes its wish down and returns; a `StateWritten` event tells what
//! became of it.

mod chats;
mod contacts;
mod labels;
mod settings;

pub use chats::Mute;
pub use labels::{LabelEdit, QuickReply};
pub use settings::Setting;

use std::sync::Arc;

use whimbrel_appstate::{Action, Collection, Kind, Operation};
use whimbrel_wire::Jid;

use super::rows::{AppStateChange, PendingRow, Standing};
use crate::client::{Client, Inner};
use crate::clock;
use crate::devices::identity;
use crate::error::{Code, Error};
use crate::store::Changes;

/// Wishes that may wait; a host that asks for more has to wait itself.
const WAITING: usize = 10_000;
/// Wishes of one call.
const AT_ONCE: usize = 1000;

/// The encoded form of a `SyncActionValue` in the JSON form of protobuf.
///
/// # Errors
/// [`Code::InvalidArgument`].
pub fn value_from_json(json: &str) -> Result<Vec<u8>, Error> {
    use whimbrel_proto::json::{UnknownFields, from_json};
    let malformed = || wrong("the value is no SyncActionValue");
    let json: serde_json::Value = serde_json::from_str(json).map_err(|_| malformed())?;
    let value: Result<whimbrel_proto::sync_action::SyncActionValue, _> =
        from_json(&json, UnknownFields::Refuse);
    value.map(|value| whimbrel_proto::encode(&value)).map_err(|_| malformed())
}

/// What a call looks things up in.
pub(super) struct Desk<'c> {
    pub(super) client: &'c Inner,
    pub(super) now_ms: i64,
}

impl Desk<'_> {
    /// The address under which an action names a chat or person: that of the entry that is there, else
    /// the one by which the account names people now (§10.1).
    pub(super) fn named(
        &self,
        subject: &Jid,
        collection: Collection,
        index: impl Fn(&str) -> Vec<String>,
    ) -> Result<String, Error> {
        let store = &*self.client.store;
        let bare = subject.to_bare().normalized();
        if !bare.is_account() {
            return Ok(bare.to_string());
        }
        let id = identity::canonical(store, &bare)?;
        let phone = if id.is_lid() { store.phone_of(&id)? } else { Some(id.clone()) };
        let migrated = store.lid_migration()?.migrated;
        let both = [Some(id.clone()).filter(|id| id.is_lid()), phone.clone()];
        let mut newest: Option<(i64, String)> = None;
        for address in both.iter().flatten().map(ToString::to_string) {
            let name = whimbrel_appstate::index_bytes(&index(&address));
            for held in store.app_state_by_name(collection, &name)? {
                let at = held.entry.timestamp();
                if newest.as_ref().is_none_or(|(newest, _)| *newest < at) {
                    newest = Some((at, address.clone()));
                }
            }
        }
        let usual = match phone {
            Some(phone) if !migrated => phone,
            _ => id,
        };
        Ok(newest.map_or_else(|| usual.to_string(), |(_, address)| address))
    }

    /// The address of a chat for an action whose index is its name and the chat.
    pub(super) fn chat(&self, chat: &Jid, kind: Kind) -> Result<String, Error> {
        if !chat.is_account() && !chat.is_group() && !chat.is_newsletter() && !chat.is_broadcast() {
            return Err(wrong("the address is not that of a chat"));
        }
        self.named(chat, kind.collection(), |chat| vec![kind.name().to_owned(), chat.to_owned()])
    }

    /// The address under which the archive keeps a chat.
    pub(super) fn canonical(&self, chat: &Jid) -> Result<Jid, Error> {
        let bare = chat.to_bare().normalized();
        Ok(if bare.is_account() { identity::canonical(&*self.client.store, &bare)? } else { bare })
    }

    /// Whether an address is one of this account.
    pub(super) fn is_own(&self, jid: &Jid) -> bool {
        self.client.account().is_some_and(|account| {
            [&account.phone, &account.lid].into_iter().flatten().any(|own| own.same_account(jid))
        })
    }
}

pub(super) fn wrong(what: &'static str) -> Error {
    Error::new(Code::InvalidArgument, what)
}

/// One thing to be done.
pub(super) type Wish = (Operation, Action);

impl Client {
    /// Writes down what is wished for, and returns the id of the change.
    async fn wish(
        &self,
        operation: &'static str,
        make: impl FnOnce(&Desk<'_>) -> Result<Vec<Wish>, Error> + Send + 'static,
    ) -> Result<String, Error> {
        let wish = |client: Arc<Inner>, _| async move {
            client.linked_account()?;
            let now_ms = client.server_now_ms().max(clock::now_ms());
            let wishes = make(&Desk { client: &client, now_ms })?;
            let ticket = client.event_id();
            let rows = rows(&client, &ticket, wishes, now_ms)?;
            let app_state = rows.into_iter().map(AppStateChange::Pending).collect();
            client.commit.commit(Changes { app_state, ..Changes::default() }).await?;
            client.app_state.wished();
            Ok(ticket)
        };
        self.call(operation, None, wish).await
    }

    /// Changes an entry of app state of which this version knows nothing more: the index with the name
    /// of the action first, a `SyncActionValue` as protobuf (its time is set), and the version of the
    /// action. `None` as value takes the entry out.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for an empty index or a value that is none, and those of
    /// [`archive_chat`](Self::archive_chat).
    pub async fn change_state(
        &self,
        collection: Collection,
        index: Vec<String>,
        version: i32,
        value: Option<Vec<u8>>,
    ) -> Result<String, Error> {
        self.call("change_app_state", None, move |client: Arc<Inner>, _| async move {
            client.linked_account()?;
            if index.first().is_none_or(String::is_empty) || index.len() > 20 {
                return Err(wrong("an index begins with the name of an action"));
            }
            let removes = value.is_none();
            let value = value.unwrap_or_default();
            let read: Result<whimbrel_proto::sync_action::SyncActionValue, _> =
                whimbrel_proto::decode(&value);
            if read.is_err() {
                return Err(wrong("the value is no SyncActionValue"));
            }
            let now_ms = client.server_now_ms().max(clock::now_ms());
            let ticket = client.event_id();
            may_write(&client, collection, 1)?;
            let row = PendingRow {
                order: 0,
                ticket: ticket.clone(),
                collection,
                operation: if removes { Operation::Remove } else { Operation::Set },
                entry: whimbrel_appstate::Entry::new(&index, value, version),
                created_at_ms: now_ms,
            };
            let app_state = vec![AppStateChange::Pending(row)];
            client.commit.commit(Changes { app_state, ..Changes::default() }).await?;
            client.app_state.wished();
            Ok(ticket)
        })
        .await
    }
}

fn may_write(client: &Inner, collection: Collection, more: usize) -> Result<(), Error> {
    if client.store.app_state_collection(collection)?.standing == Standing::GivenUp {
        return Err(Error::new(Code::AppStateLost, "the account's devices do not agree any more"));
    }
    if more > AT_ONCE {
        return Err(wrong("too many changes at once"));
    }
    if client.store.app_state_pending()?.len().saturating_add(more) > WAITING {
        return Err(Error::new(Code::WrongState, "too many changes wait to be sent"));
    }
    Ok(())
}

/// What is wished for, as it is written down. All of it is in one collection.
fn rows(client: &Inner, ticket: &str, wishes: Vec<Wish>, now_ms: i64) -> Result<Vec<PendingRow>, Error> {
    let kinds: Vec<Kind> = wishes.iter().filter_map(|(_, action)| action.kind()).collect();
    let Some(collection) = kinds.first().map(|kind| kind.collection()) else {
        return Err(wrong("there is nothing to be changed"));
    };
    debug_assert!(kinds.iter().all(|kind| kind.collection() == collection));
    may_write(client, collection, wishes.len())?;
    let row = |(operation, action): Wish| PendingRow {
        order: 0,
        ticket: ticket.to_owned(),
        collection,
        operation,
        entry: action.entry(now_ms),
        created_at_ms: now_ms,
    };
    Ok(wishes.into_iter().map(row).collect())
}
