//! Privacy: who sees and may do what.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::privacy::{self, PrivacyCategory, PrivacyValue};
use whimbrel::{CallOptions, Client, Error, Jid, LookupOptions, StatusAudienceKind, parse_address};

use super::{DefaultTimer, Done, Operation, StateChangeId};
use crate::events::Identity;

/// What one category of privacy is set to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PrivacySetting {
    /// `last_seen`, `online`, `picture`, `about`, `group_add`, `read_receipts`, `calls`, `messages`, `defense`,
    /// `stickers`, `linked_profiles`, `pix`; or the service's word for one that this version does not know.
    pub category: String,
    /// `everyone`, `contacts`, `contacts_except` (those of `get_privacy_exceptions`), `contacts_only`, `nobody`,
    /// `match_last_seen`, `known`, `off`, `on_standard`; or the service's word for one that this version
    /// does not know.
    pub value: String,
}

impl From<&privacy::PrivacySetting> for PrivacySetting {
    fn from(setting: &privacy::PrivacySetting) -> Self {
        Self { category: setting.category.name().into_owned(), value: setting.value.name().into_owned() }
    }
}

/// Tells what this account lets others see and do. It is known from the login on and kept up to date.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetPrivacy {
    /// Whether the service is asked even so.
    #[serde(default)]
    pub fresh: bool,
}

/// What an account lets others see and do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PrivacySettings {
    /// An entry for each category.
    pub settings: Vec<PrivacySetting>,
}

impl Operation for GetPrivacy {
    const NAME: &'static str = "get_privacy";
    type Output = PrivacySettings;

    async fn run(self, client: &Client, options: CallOptions) -> Result<PrivacySettings, Error> {
        let mut lookup = LookupOptions::default();
        lookup.fresh = self.fresh;
        lookup.timeout = options.timeout;
        let settings = client.privacy(lookup).await?;
        Ok(PrivacySettings { settings: settings.iter().map(Into::into).collect() })
    }
}

/// Sets what others see or may do. The account's other devices are told.
///
/// Fails with `INVALID_ARGUMENT` for a value that the category does not take.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetPrivacy {
    /// `last_seen`, `picture`, `about`, `group_add`, `linked_profiles` and `pix` take `everyone`, `contacts`,
    /// `contacts_except` and `nobody`; `online` takes `everyone`, `match_last_seen` and `nobody`;
    /// `read_receipts` takes `everyone` and `nobody`; `calls` takes `everyone`, `known` and `contacts`; `messages`
    /// takes `everyone` and `contacts`; `defense` takes `off` and `on_standard`; `stickers` takes `contacts`,
    /// `contacts_only` and `nobody`. Other words are handed to the service as they are.
    pub category: String,
    /// The value. For `contacts_except` those are left out who were last time;
    /// `change_privacy_exceptions` names others.
    pub value: String,
}

impl Operation for SetPrivacy {
    const NAME: &'static str = "set_privacy";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        let (category, value) = (PrivacyCategory::named(&self.category), PrivacyValue::named(&self.value));
        client.set_privacy(category, value, options).await.map(|()| Done {})
    }
}

/// Tells who is left out where a category is set to `contacts_except`.
///
/// Fails with `INVALID_ARGUMENT` for a category that knows no exceptions.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetPrivacyExceptions {
    /// `last_seen`, `picture`, `about`, `group_add`, `linked_profiles` or `pix`.
    pub category: String,
}

/// Who is left out of a category.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PrivacyExceptions {
    /// The people.
    pub people: Vec<Identity>,
}

impl PrivacyExceptions {
    fn of(people: &[whimbrel::Identity]) -> Self {
        Self { people: people.iter().map(Into::into).collect() }
    }
}

impl Operation for GetPrivacyExceptions {
    const NAME: &'static str = "get_privacy_exceptions";
    type Output = PrivacyExceptions;

    async fn run(self, client: &Client, options: CallOptions) -> Result<PrivacyExceptions, Error> {
        let people = client.privacy_exceptions(PrivacyCategory::named(&self.category), options).await?;
        Ok(PrivacyExceptions::of(&people))
    }
}

/// Leaves people out of a category, takes others in again, and sets it to `contacts_except`. Answers who is
/// left out now.
///
/// Fails with `INVALID_ARGUMENT` for a category that knows no exceptions, and with `NOT_FOUND` if nobody is
/// registered under a number.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChangePrivacyExceptions {
    /// `last_seen`, `picture`, `about`, `group_add`, `linked_profiles` or `pix`.
    pub category: String,
    /// Addresses of people to leave out; at most 1,000.
    #[serde(default)]
    pub add: Vec<String>,
    /// Addresses of people to take in again; at most 1,000. Who is not left out stays as it is.
    #[serde(default)]
    pub remove: Vec<String>,
}

pub(super) fn addresses(people: &[String]) -> Result<Vec<Jid>, Error> {
    people.iter().map(|person| parse_address(person)).collect()
}

impl Operation for ChangePrivacyExceptions {
    const NAME: &'static str = "change_privacy_exceptions";
    type Output = PrivacyExceptions;

    async fn run(self, client: &Client, options: CallOptions) -> Result<PrivacyExceptions, Error> {
        let category = PrivacyCategory::named(&self.category);
        let (add, remove) = (addresses(&self.add)?, addresses(&self.remove)?);
        let people = client.change_privacy_exceptions(category, &add, &remove, options).await?;
        Ok(PrivacyExceptions::of(&people))
    }
}

/// Sets the timer that this account wants in new chats. Chats that exist keep theirs. The account's other
/// devices and people who know it are told.
///
/// Fails with `INVALID_ARGUMENT` for another number than those below.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetDefaultTimer {
    /// After how many seconds messages disappear: 0 for never, 86400 for a day, 604800 for a week, 7776000 for
    /// 90 days.
    pub seconds: u32,
}

impl Operation for SetDefaultTimer {
    const NAME: &'static str = "set_default_timer";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        client.set_default_timer(self.seconds, options).await.map(|()| Done {})
    }
}

/// Tells the timer that this account wants in new chats. That of others is in `get_user_info`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetDefaultTimer {}

impl Operation for GetDefaultTimer {
    const NAME: &'static str = "get_default_timer";
    type Output = DefaultTimer;

    async fn run(self, client: &Client, options: CallOptions) -> Result<DefaultTimer, Error> {
        let timer = client.default_timer(options).await?;
        Ok(DefaultTimer { seconds: timer.seconds, changed_at: timer.changed_at })
    }
}

/// Who sees the statuses of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatusAudienceType {
    /// Everybody in the address book.
    Contacts,
    /// Everybody in the address book but those who are named.
    ContactsExcept,
    /// Only those who are named.
    Only,
    /// Those whom the account calls its close friends, who are named.
    CloseFriends,
}

/// Tells who sees the statuses of this account, unless a status says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetStatusAudience {}

/// Who sees the statuses of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatusAudience {
    /// Who.
    pub audience: StatusAudienceType,
    /// The people who are named, for the kinds that name some.
    pub people: Vec<Identity>,
}

impl Operation for GetStatusAudience {
    const NAME: &'static str = "get_status_audience";
    type Output = StatusAudience;

    async fn run(self, client: &Client, options: CallOptions) -> Result<StatusAudience, Error> {
        let found = client.status_audience(options).await?;
        Ok(StatusAudience {
            audience: match found.kind {
                StatusAudienceKind::ContactsExcept => StatusAudienceType::ContactsExcept,
                StatusAudienceKind::Only => StatusAudienceType::Only,
                StatusAudienceKind::CloseFriends => StatusAudienceType::CloseFriends,
                _ => StatusAudienceType::Contacts,
            },
            people: found.people.iter().map(Into::into).collect(),
        })
    }
}

/// Sets who sees the statuses of this account.
///
/// Answers and fails as `archive_chat` does; fails with `INVALID_ARGUMENT` also for people with `contacts`, and
/// for none with the other kinds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetStatusAudience {
    /// Who.
    pub audience: StatusAudienceType,
    /// Addresses of the people who are named; at most 5,000.
    #[serde(default)]
    pub people: Vec<String>,
}

impl Operation for SetStatusAudience {
    const NAME: &'static str = "set_status_audience";
    type Output = StateChangeId;

    async fn run(self, client: &Client, _: CallOptions) -> Result<StateChangeId, Error> {
        let kind = match self.audience {
            StatusAudienceType::Contacts => StatusAudienceKind::Contacts,
            StatusAudienceType::ContactsExcept => StatusAudienceKind::ContactsExcept,
            StatusAudienceType::Only => StatusAudienceKind::Only,
            StatusAudienceType::CloseFriends => StatusAudienceKind::CloseFriends,
        };
        client.set_status_audience(kind, addresses(&self.people)?).await.map(StateChangeId::of)
    }
}
