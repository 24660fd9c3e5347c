//! What people say of themselves, as far as they let this account see it.

use whimbrel_wire::Jid;

use super::{left, stanza};
use crate::client::Client;
use crate::devices::{lists, sessions, usync};
use crate::error::{Code, Error};
use crate::events::Identity;
use crate::options::CallOptions;

/// What a person says of itself in the profile.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct About {
    /// The text.
    pub text: String,
    /// When it was set, seconds since 1970, if the service said so.
    pub changed_at: Option<i64>,
}

/// The timer that a person wants in new chats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DefaultTimer {
    /// After how many seconds messages disappear; 0: never.
    pub seconds: u32,
    /// When it was set, seconds since 1970, if the service said so.
    pub changed_at: Option<i64>,
}

/// What the service tells of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserInfo {
    /// The address that was asked for.
    pub address: Jid,
    /// The person.
    pub who: Identity,
    /// Whether there is such a person; if not, there is nothing below.
    pub exists: bool,
    /// What the person says of itself; `None` if it is hidden or empty.
    pub about: Option<About>,
    /// Id of the picture, which changes with it; `None` if there is none or it is hidden.
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

impl Client {
    /// Asks the service about people. Returns an entry for each, in order.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for nobody, or an address that is no person's; [`Code::RateLimited`] with
    /// the time to wait; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn user_info(&self, people: &[Jid], options: CallOptions) -> Result<Vec<UserInfo>, Error> {
        let operation = "get_user_info";
        let asked = asked(people).map_err(|error| error.in_operation(operation))?;
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let mut people = Vec::new();
            for addresses in asked.chunks(usync::USERS) {
                let wanted = client
                    .unit(|unit| {
                        let by_phone = unit.prefers_phone()?;
                        let wire = |user: &Jid| sessions::wire_user(unit, user, by_phone);
                        addresses.iter().map(wire).collect::<Result<Vec<_>, _>>()
                    })
                    .await?;
                let id = client.request_ids.next();
                let query = stanza::info(&wanted, id.clone());
                let answer = connection.request(id, query, left(deadline)).await?;
                if let Some(error) = stanza::failed(&answer, "devices") {
                    return Err(error);
                }
                let told = stanza::told(&answer);
                let found = client.unit(|unit| {
                    let mut found = Vec::new();
                    for (address, wanted) in addresses.iter().zip(&wanted) {
                        let told = told.get(wanted).filter(|told| told.exists()).cloned().unwrap_or_default();
                        if let Some(user) = &told.user {
                            // A list that somebody else signed is looked into before the next message.
                            if lists::is_of_other_account(unit, user)? {
                                lists::learn(unit, user)?;
                            } else {
                                lists::take(unit, user)?;
                            }
                        }
                        let devices = told.user.as_ref().and_then(|user| user.devices.as_ref());
                        found.push(UserInfo {
                            address: address.clone(),
                            who: unit.identity_of(address)?,
                            exists: told.exists(),
                            devices: devices.map_or_else(Vec::new, |devices| {
                                devices.listed.iter().map(|device| device.device).collect()
                            }),
                            about: told.about,
                            picture_id: told.picture_id,
                            is_business: told.is_business,
                            verified_name: told.verified_name,
                            username: told.username,
                            default_timer: told.default_timer,
                        });
                    }
                    Ok(found)
                });
                people.extend(found.await?);
            }
            Ok(people)
        })
        .await
    }
}

/// The people, without devices.
fn asked(people: &[Jid]) -> Result<Vec<Jid>, Error> {
    let people: Vec<Jid> = people.iter().map(Jid::to_account).collect();
    if people.is_empty() || people.iter().any(|person| !person.is_account()) {
        return Err(Error::new(Code::InvalidArgument, "addresses of people are needed"));
    }
    Ok(people)
}
