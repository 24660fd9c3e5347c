//! People, as the service knows them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::{CallOptions, Client, Error, parse_address};

use super::Operation;
use crate::events::Identity;

/// Asks the service which phone numbers are registered. Answers with an entry for each, in order.
///
/// Ask only for numbers of people who expect it, and few at a time: the service restricts accounts that
/// try numbers out. Fails with `RATE_LIMITED` and the time to wait if it was too much.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CheckNumbers {
    /// Phone numbers with their country codes; at least one.
    pub numbers: Vec<String>,
}

/// Whether a number is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NumberStatus {
    /// Somebody is.
    Registered,
    /// Nobody is.
    NotRegistered,
    /// The service does not say.
    Unknown,
}

/// What is known of a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NumberCheck {
    /// The number as it was given.
    pub number: String,
    /// Whether it is registered.
    pub status: NumberStatus,
    /// Who it is; absent unless somebody is. The number in it is the one that is registered, which may
    /// be spelled differently.
    pub who: Option<Identity>,
}

/// What is known of numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckedNumbers {
    /// One entry for each number, in order.
    pub numbers: Vec<NumberCheck>,
}

impl Operation for CheckNumbers {
    const NAME: &'static str = "check_numbers";
    type Output = CheckedNumbers;

    async fn run(self, client: &Client, options: CallOptions) -> Result<CheckedNumbers, Error> {
        let checked = client.check_numbers(&self.numbers, options).await?;
        let numbers = checked.into_iter().map(|check| NumberCheck {
            number: check.number,
            status: match check.status {
                whimbrel::NumberStatus::Registered => NumberStatus::Registered,
                whimbrel::NumberStatus::NotRegistered => NumberStatus::NotRegistered,
                _ => NumberStatus::Unknown,
            },
            who: check.who.as_ref().map(Into::into),
        });
        Ok(CheckedNumbers { numbers: numbers.collect() })
    }
}

/// Asks the service about people. Answers with an entry for each, in order.
///
/// What a person does not let this account see is absent. Fails with `RATE_LIMITED` and the time to wait
/// if it was too much.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetUserInfo {
    /// Addresses of people; at least one.
    pub people: Vec<String>,
}

/// What a person says of itself in the profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserAbout {
    /// The text.
    pub text: String,
    /// When it was set, seconds since 1970, if the service said so.
    pub changed_at: Option<i64>,
}

/// The timer that a person wants in new chats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DefaultTimer {
    /// After how many seconds messages disappear; 0: never.
    pub seconds: u32,
    /// When it was set, seconds since 1970, if the service said so.
    pub changed_at: Option<i64>,
}

/// What the service tells of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserInfo {
    /// The address that was asked for.
    pub address: String,
    /// The person.
    pub who: Identity,
    /// Whether there is such a person; if not, there is nothing below.
    pub exists: bool,
    /// What the person says of itself; absent if it is hidden or empty.
    pub about: Option<UserAbout>,
    /// Id of the picture, which changes with it; absent if there is none or it is hidden.
    pub picture_id: Option<String>,
    /// Whether it is a business.
    pub is_business: bool,
    /// The name of the business that the service has verified. Its signature is not checked.
    pub verified_name: Option<String>,
    /// The name under which the person can be found instead of the number.
    pub username: Option<String>,
    /// The timer that the person wants in new chats.
    pub default_timer: Option<DefaultTimer>,
    /// Numbers of the person's devices as the service lists them; 0 is the phone.
    pub devices: Vec<u16>,
}

/// What the service tells of people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserInfoList {
    /// One entry for each address, in order.
    pub people: Vec<UserInfo>,
}

impl Operation for GetUserInfo {
    const NAME: &'static str = "get_user_info";
    type Output = UserInfoList;

    async fn run(self, client: &Client, options: CallOptions) -> Result<UserInfoList, Error> {
        let people = self.people.iter().map(|text| parse_address(text)).collect::<Result<Vec<_>, _>>()?;
        let told = client.user_info(&people, options).await?;
        Ok(UserInfoList { people: told.into_iter().map(Into::into).collect() })
    }
}

impl From<whimbrel::UserInfo> for UserInfo {
    fn from(info: whimbrel::UserInfo) -> Self {
        Self {
            address: info.address.to_string(),
            who: (&info.who).into(),
            exists: info.exists,
            about: info.about.map(|about| UserAbout { text: about.text, changed_at: about.changed_at }),
            picture_id: info.picture_id,
            is_business: info.is_business,
            verified_name: info.verified_name,
            username: info.username,
            default_timer: info
                .default_timer
                .map(|timer| DefaultTimer { seconds: timer.seconds, changed_at: timer.changed_at }),
            devices: info.devices,
        }
    }
}
