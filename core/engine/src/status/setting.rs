//! The account's own setting of who sees its statuses, as the host reads and changes it.

use tokio::time::Instant;
use whimbrel_proto::sync_action::sync_action_value::StatusPrivacyAction;
use whimbrel_proto::sync_action::sync_action_value::status_privacy_action::StatusDistributionMode as Mode;
use whimbrel_wire::Jid;

use super::stanza::{self, Privacy, Setting};
use crate::client::Client;
use crate::error::{Code, Error};
use crate::events::Identity;
use crate::options::CallOptions;

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
}

impl From<Setting> for StatusAudienceKind {
    fn from(setting: Setting) -> Self {
        match setting {
            Setting::Contacts => Self::Contacts,
            Setting::Allowlist => Self::Only,
            Setting::Denylist => Self::ContactsExcept,
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
            let left = deadline.saturating_duration_since(Instant::now());
            let privacy = match connection.request(client.request_ids.next(), stanza::query(), left).await {
                Ok(answer) => stanza::read(&answer),
                // Nothing was ever set.
                Err(error) if error.code() == Code::NotFound => None,
                Err(error) => return Err(error),
            };
            let privacy = privacy.unwrap_or(Privacy { setting: Setting::Contacts, people: Vec::new() });
            let people = client.unit(|unit| {
                privacy.people.iter().map(|person| unit.identity_of(person)).collect::<Result<Vec<_>, _>>()
            });
            Ok(StatusAudience { kind: privacy.setting.into(), people: people.await? })
        })
        .await
    }
}

/// What the account's devices share of it.
pub(crate) fn action(kind: StatusAudienceKind, people: Vec<String>) -> StatusPrivacyAction {
    let mode = match kind {
        StatusAudienceKind::Contacts => Mode::Contacts,
        StatusAudienceKind::ContactsExcept => Mode::DenyList,
        StatusAudienceKind::Only => Mode::AllowList,
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
