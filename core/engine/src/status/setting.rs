//! The account's own setting of who sees its statuses, as the host reads and changes it.

use tokio::time::Instant;
use whimbrel_appstate::{Action, Kind};
use whimbrel_proto::sync_action::sync_action_value::StatusPrivacyAction;
use whimbrel_proto::sync_action::sync_action_value::status_privacy_action::StatusDistributionMode as Mode;
use whimbrel_wire::Jid;

use super::stanza::{self, Privacy, Setting};
use crate::client::{Client, Inner};
use crate::connection::Connection;
use crate::error::{Code, Error};
use crate::events::Identity;
use crate::options::CallOptions;
use crate::store::StoreError;

/// Most people that a list names.
const PEOPLE: usize = 5_000;

/// Who sees the statuses of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StatusAudienceKind {
    /// Everybody in the address book.
    Contacts,
    /// Everybody in the address book but those who are named.
    ContactsExcept,
    /// Only those who are named.
    Only,
    /// Those whom the account calls its close friends, who are named.
    CloseFriends,
}

impl From<Setting> for StatusAudienceKind {
    fn from(setting: Setting) -> Self {
        match setting {
            Setting::Contacts => Self::Contacts,
            Setting::Allowlist => Self::Only,
            Setting::Denylist => Self::ContactsExcept,
            Setting::CloseFriends => Self::CloseFriends,
        }
    }
}

/// The setting of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatusAudience {
    /// Who.
    pub kind: StatusAudienceKind,
    /// The people who are named, for the kinds that name some.
    pub people: Vec<Identity>,
}

impl Client {
    /// Who sees the statuses of this account, unless a status says otherwise.
    ///
    /// # Errors
    /// [`Code::Refused`]; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn status_audience(&self, options: CallOptions) -> Result<StatusAudience, Error> {
        self.call("get_status_audience", options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let privacy = in_force(&client, &connection, deadline).await?;
            let people = client.unit(|unit| {
                privacy.people.iter().map(|person| unit.identity_of(person)).collect::<Result<Vec<_>, _>>()
            });
            Ok(StatusAudience { kind: privacy.setting.into(), people: people.await? })
        })
        .await
    }
}

/// The setting that is in force: what the account's devices share if that is what the service has no word
/// for, else what the service says.
pub(super) async fn in_force(
    client: &Inner,
    connection: &Connection,
    deadline: Instant,
) -> Result<Privacy, Error> {
    if let Some(privacy) = close_friends(client)? {
        return Ok(privacy);
    }
    let left = deadline.saturating_duration_since(Instant::now());
    let privacy = match connection.request(client.request_ids.next(), stanza::query(), left).await {
        Ok(answer) => stanza::read(&answer),
        // Nothing was ever set.
        Err(error) if error.code() == Code::NotFound => None,
        Err(error) => return Err(error),
    };
    Ok(privacy.unwrap_or(Privacy { setting: Setting::Contacts, people: Vec::new() }))
}

fn close_friends(client: &Inner) -> Result<Option<Privacy>, StoreError> {
    let kind = Kind::StatusPrivacy;
    let name = whimbrel_appstate::index_bytes(&[kind.name()]);
    let held = client.store.app_state_by_name(kind.collection(), &name)?;
    let newest = held.into_iter().max_by_key(|held| held.entry.timestamp());
    let Some(Action::StatusPrivacy { value }) = newest.and_then(|held| Action::read(&held.entry, false))
    else {
        return Ok(None);
    };
    if value.mode != Some(Mode::CloseFriends.into()) {
        return Ok(None);
    }
    let people = value.user_jid.iter().filter_map(|person| person.parse::<Jid>().ok());
    let people = people.map(|person| person.to_account()).filter(Jid::is_account).collect();
    Ok(Some(Privacy { setting: Setting::CloseFriends, people }))
}

/// What the account's devices share of it.
pub(crate) fn action(kind: StatusAudienceKind, people: Vec<String>) -> StatusPrivacyAction {
    let mode = match kind {
        StatusAudienceKind::Contacts => Mode::Contacts,
        StatusAudienceKind::ContactsExcept => Mode::DenyList,
        StatusAudienceKind::Only => Mode::AllowList,
        StatusAudienceKind::CloseFriends => Mode::CloseFriends,
    };
    StatusPrivacyAction { mode: Some(mode.into()), user_jid: people, ..StatusPrivacyAction::default() }
}

/// Whether the people go with the kind.
pub(crate) fn check(kind: StatusAudienceKind, people: &[Jid]) -> Result<(), Error> {
    let wrong = |message| Err(Error::new(Code::InvalidArgument, message));
    if people.len() > PEOPLE {
        return wrong("the audience is more than 5,000 people");
    }
    if !people.iter().all(Jid::is_account) {
        return wrong("somebody of the audience is no person");
    }
    if (kind == StatusAudienceKind::Contacts) != people.is_empty() {
        return wrong("people are named just for the kinds that name some");
    }
    Ok(())
}
