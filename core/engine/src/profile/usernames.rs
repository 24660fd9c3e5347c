//! User names: by which people are found without a number.

use serde_json::{Value, json};
use whimbrel_wire::Jid;

use super::stanza::Holder;
use super::username::{self, UsernameProblem};
use super::{left, stanza};
use crate::client::Client;
use crate::devices::identity::Source;
use crate::error::{Code, Error, Outcome};
use crate::events::Identity;
use crate::mex;
use crate::options::CallOptions;

/// The user name of this account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OwnUsername {
    /// The name; `None` if it has none.
    pub username: Option<String>,
    /// The service's word for how it stands, such as `ACTIVE`.
    pub state: Option<String>,
    /// The key that others need to find the account by it, if one is set.
    pub key: Option<String>,
}

/// Whether a user name can be had.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UsernameCheck {
    /// Whether it can.
    pub available: bool,
    /// What is wrong with it by the rules for all names; the service is not asked then.
    pub problem: Option<UsernameProblem>,
    /// Others that the service offers.
    pub suggestions: Vec<String>,
}

/// Who has a user name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FoundUsername {
    /// This person.
    Found(Identity),
    /// Its holder wants to be found only with a key, and this was none or another one.
    KeyNeeded,
    /// Nobody.
    Nobody,
}

impl Client {
    /// The user name of this account.
    ///
    /// # Errors
    /// [`Code::Refused`] where the service has no user names; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn username(&self, options: CallOptions) -> Result<OwnUsername, Error> {
        let answer =
            self.ask_about_names("get_username", "GetUsername", "xwa2_username_get", json!({}), options);
        Ok(own(&answer.await?))
    }

    /// Asks whether a user name can be had: 3 to 35 letters A-Z, digits, underscores and dots.
    ///
    /// # Errors
    /// As [`username`](Self::username). That it cannot be had is no error.
    pub async fn check_username(&self, name: &str, options: CallOptions) -> Result<UsernameCheck, Error> {
        if let Some(problem) = username::problem(name) {
            return Ok(UsernameCheck { problem: Some(problem), ..UsernameCheck::default() });
        }
        let variables = json!({ "input": name });
        let (operation, root) = ("UsernameAvailability", "xwa2_username_check");
        let answer = self.ask_about_names("check_username", operation, root, variables, options).await?;
        let suggestions = answer.get("suggestions").and_then(Value::as_array);
        let text = |suggestion: &Value| {
            suggestion.as_str().or_else(|| suggestion.get("username")?.as_str()).map(str::to_owned)
        };
        Ok(UsernameCheck {
            available: succeeded(&answer).is_ok(),
            problem: None,
            suggestions: suggestions.into_iter().flatten().filter_map(text).collect(),
        })
    }

    /// Sets the user name of this account. The account's other devices are told.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for what is no user name; [`Code::Refused`] if it cannot be had;
    /// [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn set_username(&self, name: &str, options: CallOptions) -> Result<(), Error> {
        let call = "set_username";
        if let Some(problem) = username::problem(name) {
            return Err(Error::new(Code::InvalidArgument, wrong(problem)).in_operation(call));
        }
        let variables = json!({ "input": name, "reserved": false, "session_id": "", "source": "USER_INPUT" });
        let answer =
            self.ask_about_names(call, "SetUsername", "xwa2_username_set", variables, options).await?;
        succeeded(&answer).map_err(|error| error.in_operation(call))
    }

    /// Takes the user name of this account away. That it has none is no error.
    ///
    /// # Errors
    /// [`Code::Refused`]; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn delete_username(&self, options: CallOptions) -> Result<(), Error> {
        let call = "delete_username";
        let answer =
            self.ask_about_names(call, "SetUsername", "xwa2_username_set", json!({}), options).await?;
        succeeded(&answer).map_err(|error| error.in_operation(call))
    }

    /// Sets the key without which nobody finds this account by its user name: four digits.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for anything else; [`Code::Refused`]; [`Code::NotLinked`];
    /// [`Code::TimedOut`].
    pub async fn set_username_key(&self, key: &str, options: CallOptions) -> Result<(), Error> {
        let call = "set_username_key";
        if !username::is_key(key) {
            let error = Error::new(Code::InvalidArgument, "the key of a user name is four digits");
            return Err(error.in_operation(call));
        }
        let (operation, root) = ("SetUsernameKey", "xwa2_username_pin_set");
        let answer = self.ask_about_names(call, operation, root, json!({ "pin": key }), options).await?;
        succeeded(&answer).map_err(|error| error.in_operation(call))
    }

    /// Finds a person by the user name, and the key if the person wants one.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for what is no user name or key; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn find_username(
        &self,
        name: &str,
        key: Option<&str>,
        options: CallOptions,
    ) -> Result<FoundUsername, Error> {
        let operation = "find_username";
        let invalid = |message| Error::new(Code::InvalidArgument, message).in_operation(operation);
        if let Some(problem) = username::problem(name) {
            return Err(invalid(wrong(problem)));
        }
        if key.is_some_and(|key| !username::is_key(key)) {
            return Err(invalid("the key of a user name is four digits"));
        }
        let (name, key) = (name.to_owned(), key.map(str::to_owned));
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let id = client.request_ids.next();
            let request = stanza::ask_username(&name, key.as_deref(), id.clone());
            let answer = connection.request(id, request, left(deadline)).await?;
            match stanza::holder(&answer) {
                Holder::KeyNeeded => Ok(FoundUsername::KeyNeeded),
                Holder::Nobody => Ok(FoundUsername::Nobody),
                Holder::Found { lid, phone } => {
                    let who = client.unit(|unit| {
                        if let Some(phone) = &phone {
                            unit.learn(&lid, phone, Source::Seed)?;
                        }
                        unit.identity_of(&lid)
                    });
                    who.await.map(FoundUsername::Found)
                }
            }
        })
        .await
    }

    async fn ask_about_names(
        &self,
        call: &'static str,
        operation: &'static str,
        root: &'static str,
        variables: Value,
        options: CallOptions,
    ) -> Result<Value, Error> {
        self.call(call, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            mex::ask(&client, &connection, operation, variables, root, left(deadline)).await
        })
        .await
    }
}

/// Whether a change was made; the service's word for why not is for the log only.
pub(super) fn succeeded(answer: &Value) -> Result<(), Error> {
    let result = answer.get("result").and_then(Value::as_str).unwrap_or_default();
    if result.eq_ignore_ascii_case("SUCCESS") {
        return Ok(());
    }
    tracing::info!(result, "The service does not make a change of the profile.");
    Err(Error::new(Code::Refused, "the service does not make the change").with_outcome(Outcome::Refused))
}

fn own(answer: &Value) -> OwnUsername {
    let info = answer.get("username_info").unwrap_or(answer);
    let text = |name: &str| info.get(name).and_then(Value::as_str).map(str::to_owned);
    let filled = |name: &str| text(name).filter(|text| !text.is_empty());
    OwnUsername { username: filled("username"), state: filled("state"), key: filled("pin") }
}

const fn wrong(problem: UsernameProblem) -> &'static str {
    match problem {
        UsernameProblem::Character => "a user name has only letters A-Z, digits, underscores and dots",
        UsernameProblem::Length => "a user name has 3 to 35 characters",
        UsernameProblem::Letters => "a user name has a letter",
        UsernameProblem::Periods => "a user name does not begin or end with a dot, nor has two in a row",
        UsernameProblem::Www => "a user name does not begin like a web address",
        UsernameProblem::Suffix => "a user name does not end like a web address",
        UsernameProblem::Word => "a user name does not contain the name of the service",
    }
}

/// Who has another user name now, as an announcement says it; `None` for one that has none any more.
pub(super) fn announced(state: &Value) -> Option<(Jid, Option<String>)> {
    let who = state.get("lid").or_else(|| state.get("lid_jid"))?;
    let who: Jid = who.as_str()?.parse().ok()?;
    let name = state.get("username").or_else(|| state.get("username_info")?.get("username"));
    let name = name.and_then(Value::as_str).map(str::to_owned).filter(|name| !name.is_empty());
    Some((who.to_account(), name))
}
