//! Who is registered under which number.

use std::collections::BTreeMap;

use whimbrel_wire::Jid;

use super::{left, stanza};
use crate::address;
use crate::client::Client;
use crate::devices::{lists, usync};
use crate::error::{Code, Error};
use crate::events::Identity;
use crate::options::CallOptions;

/// Whether a number is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NumberStatus {
    /// Somebody is.
    Registered,
    /// Nobody is.
    NotRegistered,
    /// The service does not say.
    Unknown,
}

/// What is known of a number.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NumberCheck {
    /// The number as it was given.
    pub number: String,
    /// Whether it is registered.
    pub status: NumberStatus,
    /// Who it is. The number in it is the one that is registered, which may be spelled differently.
    pub who: Option<Identity>,
}

impl Client {
    /// Asks the service which phone numbers are registered, written with their country codes. Returns an
    /// entry for each, in order. Ask only for numbers of people who expect it, and few at a time: the
    /// service restricts accounts that try numbers out.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for no numbers, or one that is none; [`Code::RateLimited`] with the time
    /// to wait; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn check_numbers(
        &self,
        numbers: &[String],
        options: CallOptions,
    ) -> Result<Vec<NumberCheck>, Error> {
        let operation = "check_numbers";
        let asked = asked(numbers).map_err(|error| error.in_operation(operation))?;
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let mut wanted: Vec<&Jid> = asked.iter().map(|(_, number)| number).collect();
            wanted.sort_unstable();
            wanted.dedup();
            let mut known = BTreeMap::new();
            for numbers in wanted.chunks(usync::USERS) {
                let id = client.request_ids.next();
                let query = stanza::check(numbers, id.clone());
                let answer = connection.request(id, query, left(deadline)).await?;
                if let Some(error) = stanza::failed(&answer, "contact") {
                    return Err(error);
                }
                let found = stanza::checked(&answer);
                known.extend(
                    client
                        .unit(|unit| {
                            let mut known = Vec::new();
                            for (number, status, user) in found {
                                let who = match user.filter(|_| status == NumberStatus::Registered) {
                                    Some(user) => {
                                        lists::learn(unit, &user)?;
                                        Some(unit.identity_of(&user.user)?)
                                    }
                                    None => None,
                                };
                                known.push((number, (status, who)));
                            }
                            Ok(known)
                        })
                        .await?,
                );
            }
            let check = |(number, jid): (String, Jid)| {
                // Whom the service leaves out, it does not know.
                let (status, who) =
                    known.get(jid.user()).cloned().unwrap_or((NumberStatus::NotRegistered, None));
                NumberCheck { number, status, who }
            };
            Ok(asked.into_iter().map(check).collect())
        })
        .await
    }
}

/// The numbers as given, and as the service takes them.
fn asked(numbers: &[String]) -> Result<Vec<(String, Jid)>, Error> {
    if numbers.is_empty() {
        return Err(Error::new(Code::InvalidArgument, "no number is given"));
    }
    let number = |text: &String| Ok((text.clone(), address::phone_number(text)?));
    numbers.iter().map(number).collect()
}
