//! Profiles: what people say of themselves, user names, and links to people.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::profile::{self, FoundUsername};
use whimbrel::{CallOptions, Client, Error, parse_address};

use super::{Done, Operation, StateChangeId};
use crate::events::Identity;

/// Changes the name that this account gives itself. People see it with the next message.
///
/// Answers and fails as `archive_chat` does; fails with `INVALID_ARGUMENT` also for a name that is empty or too
/// long.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetPushName {
    /// The name, 1 to 25 characters.
    pub name: String,
}

impl Operation for SetPushName {
    const NAME: &'static str = "set_push_name";
    type Output = StateChangeId;

    async fn run(self, client: &Client, _: CallOptions) -> Result<StateChangeId, Error> {
        client.set_push_name(&self.name).await.map(StateChangeId::of)
    }
}

/// Sets what this account says of itself. People who may see it are told.
///
/// Fails with `INVALID_ARGUMENT` for more than 139 characters.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetAbout {
    /// The words, at most 139 characters; empty for none.
    pub text: String,
    /// An emoji to show beside them.
    #[serde(default)]
    pub emoji: Option<String>,
    /// After how many seconds it disappears; absent: never.
    #[serde(default)]
    pub expires_in_seconds: Option<u32>,
}

impl Operation for SetAbout {
    const NAME: &'static str = "set_about";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        let mut about = profile::NewAbout::default();
        about.text = self.text;
        about.emoji = self.emoji;
        about.expires_in = self.expires_in_seconds;
        client.set_about(about, options).await.map(|()| Done {})
    }
}

/// Tells what a person says of itself, or what this account does. What is hidden is absent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetAbout {
    /// Address of the person: a JID, or a phone number with its country code; absent for this account.
    #[serde(default)]
    #[schemars(extend("format" = "address"))]
    pub person: Option<String>,
}

/// What somebody says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProfileAbout {
    /// The words; absent if there are none, or they are hidden.
    pub text: Option<String>,
    /// An emoji that is shown beside them.
    pub emoji: Option<String>,
    /// After how many seconds from its setting it disappears, if it does.
    pub expires_in_seconds: Option<u32>,
    /// When it was set, seconds since 1970, if the service said so.
    pub changed_at: Option<i64>,
}

impl From<&profile::ProfileAbout> for ProfileAbout {
    fn from(about: &profile::ProfileAbout) -> Self {
        Self {
            text: about.text.clone(),
            emoji: about.emoji.clone(),
            expires_in_seconds: about.expires_in,
            changed_at: about.changed_at,
        }
    }
}

impl Operation for GetAbout {
    const NAME: &'static str = "get_about";
    type Output = ProfileAbout;

    async fn run(self, client: &Client, options: CallOptions) -> Result<ProfileAbout, Error> {
        let person = self.person.as_deref().map(parse_address).transpose()?;
        client.about(person.as_ref(), options).await.map(|about| (&about).into())
    }
}

/// Tells the user name of this account.
///
/// Fails with `REFUSED` where the service has no user names.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetUsername {}

/// The user name of this account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OwnUsername {
    /// The name; absent if it has none.
    pub username: Option<String>,
    /// The service's word for how it stands, such as `ACTIVE`.
    pub state: Option<String>,
    /// The key that others need to find the account by it, if one is set.
    pub key: Option<String>,
}

impl Operation for GetUsername {
    const NAME: &'static str = "get_username";
    type Output = OwnUsername;

    async fn run(self, client: &Client, options: CallOptions) -> Result<OwnUsername, Error> {
        let own = client.username(options).await?;
        Ok(OwnUsername { username: own.username, state: own.state, key: own.key })
    }
}

/// Asks whether a user name can be had: 3 to 35 letters A-Z, digits, underscores and dots. That it cannot be had
/// is no error.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CheckUsername {
    /// The name.
    pub username: String,
}

/// Why something is no user name; the first that applies, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UsernameProblem {
    /// A character that is no letter A-Z, digit, underscore or dot.
    Character,
    /// Fewer than 3 or more than 35 characters.
    Length,
    /// No letter.
    Letters,
    /// A dot at the beginning, at the end, or behind another one.
    Periods,
    /// It begins with `www.`.
    Www,
    /// It ends like a web address.
    Suffix,
    /// It contains a name of the service.
    Word,
}

/// Whether a user name can be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UsernameCheck {
    /// Whether it can.
    pub available: bool,
    /// What is wrong with it by the rules for all names; the service is not asked then.
    pub problem: Option<UsernameProblem>,
    /// Others that the service offers.
    pub suggestions: Vec<String>,
}

impl Operation for CheckUsername {
    const NAME: &'static str = "check_username";
    type Output = UsernameCheck;

    async fn run(self, client: &Client, options: CallOptions) -> Result<UsernameCheck, Error> {
        let check = client.check_username(&self.username, options).await?;
        let problem = |problem| match problem {
            profile::UsernameProblem::Length => UsernameProblem::Length,
            profile::UsernameProblem::Letters => UsernameProblem::Letters,
            profile::UsernameProblem::Periods => UsernameProblem::Periods,
            profile::UsernameProblem::Www => UsernameProblem::Www,
            profile::UsernameProblem::Suffix => UsernameProblem::Suffix,
            profile::UsernameProblem::Word => UsernameProblem::Word,
            _ => UsernameProblem::Character,
        };
        Ok(UsernameCheck {
            available: check.available,
            problem: check.problem.map(problem),
            suggestions: check.suggestions,
        })
    }
}

/// Sets the user name of this account. The account's other devices are told.
///
/// Fails with `INVALID_ARGUMENT` for what is no user name, and with `REFUSED` if it cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetUsername {
    /// The name: 3 to 35 letters A-Z, digits, underscores and dots.
    pub username: String,
}

impl Operation for SetUsername {
    const NAME: &'static str = "set_username";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        client.set_username(&self.username, options).await.map(|()| Done {})
    }
}

/// Takes the user name of this account away. That it has none is no error.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteUsername {}

impl Operation for DeleteUsername {
    const NAME: &'static str = "delete_username";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        client.delete_username(options).await.map(|()| Done {})
    }
}

/// Sets the key without which nobody finds this account by its user name.
///
/// Fails with `INVALID_ARGUMENT` for anything but four digits.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetUsernameKey {
    /// Four digits.
    pub key: String,
}

impl Operation for SetUsernameKey {
    const NAME: &'static str = "set_username_key";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        client.set_username_key(&self.key, options).await.map(|()| Done {})
    }
}

/// Finds a person by the user name, and the key if the person wants one.
///
/// Fails with `INVALID_ARGUMENT` for what is no user name or key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FindUsername {
    /// The name.
    pub username: String,
    /// The key: four digits.
    #[serde(default)]
    pub key: Option<String>,
}

/// Who has a user name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UsernameHolder {
    /// Who has it; absent if nobody does, or a key is needed.
    pub who: Option<Identity>,
    /// Its holder wants to be found only with a key, and this was none or another one.
    pub key_needed: bool,
}

impl Operation for FindUsername {
    const NAME: &'static str = "find_username";
    type Output = UsernameHolder;

    async fn run(self, client: &Client, options: CallOptions) -> Result<UsernameHolder, Error> {
        let found = client.find_username(&self.username, self.key.as_deref(), options).await?;
        Ok(match found {
            FoundUsername::Found(who) => UsernameHolder { who: Some((&who).into()), key_needed: false },
            FoundUsername::KeyNeeded => UsernameHolder { who: None, key_needed: true },
            _ => UsernameHolder { who: None, key_needed: false },
        })
    }
}

/// Tells the link by which others find this account, to be shown as it is or as a QR symbol.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetContactLink {
    /// Whether another one is made; the old one leads nowhere then.
    #[serde(default)]
    pub renew: bool,
}

/// The link to this account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ContactLink {
    /// The link.
    pub link: String,
    /// Its last part.
    pub code: String,
}

impl Operation for GetContactLink {
    const NAME: &'static str = "get_contact_link";
    type Output = ContactLink;

    async fn run(self, client: &Client, options: CallOptions) -> Result<ContactLink, Error> {
        let found = client.contact_link(self.renew, options).await?;
        Ok(ContactLink { link: found.link, code: found.code })
    }
}

/// Looks up who is behind a link to a person.
///
/// Fails with `INVALID_ARGUMENT` for what is no such link, and with `NOT_FOUND` if it leads nowhere any more.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResolveContactLink {
    /// The link (`https://wa.me/qr/…`) or its last part.
    pub link: String,
}

/// Who is behind a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FoundContactLink {
    /// The person.
    pub who: Identity,
    /// The name that the person gives itself, if the service said it.
    pub name: Option<String>,
}

impl Operation for ResolveContactLink {
    const NAME: &'static str = "resolve_contact_link";
    type Output = FoundContactLink;

    async fn run(self, client: &Client, options: CallOptions) -> Result<FoundContactLink, Error> {
        let found = client.resolve_contact_link(&self.link, options).await?;
        Ok(FoundContactLink { who: (&found.who).into(), name: found.name })
    }
}

/// Looks up what is behind a link to a message for a business.
///
/// Fails as `resolve_contact_link` does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResolveMessageLink {
    /// The link (`https://wa.me/message/…`) or its last part.
    pub link: String,
}

/// What is behind a link to a message for a business.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageLink {
    /// The business.
    pub who: Identity,
    /// The name that it gives itself, if the service said it.
    pub name: Option<String>,
    /// The words that it wants to be written.
    pub text: Option<String>,
    /// The name that the service has verified.
    pub verified_name: Option<String>,
}

impl Operation for ResolveMessageLink {
    const NAME: &'static str = "resolve_message_link";
    type Output = MessageLink;

    async fn run(self, client: &Client, options: CallOptions) -> Result<MessageLink, Error> {
        let found = client.resolve_message_link(&self.link, options).await?;
        Ok(MessageLink {
            who: (&found.who).into(),
            name: found.name,
            text: found.text,
            verified_name: found.verified_name,
        })
    }
}
