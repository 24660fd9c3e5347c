//! Who is to see a status: whom the host names, or whom the account's own setting means.

use std::sync::Arc;
use std::time::Duration;

use whimbrel_content::addons::Addon;
use whimbrel_content::classify::{Class, reread};
use whimbrel_proto::e2e::Message;
use whimbrel_wire::Jid;

use super::setting;
use super::stanza::{Privacy, Setting};
use crate::archive::query::ContactQuery;
use crate::client::{Client, Inner};
use crate::error::{Code, Error};
use crate::messages::outbox;
use crate::messages::route::Route;
use crate::store::{Store, StoreError};

/// Most people that a host may name.
const PEOPLE: usize = 5_000;

/// People read from the archive at once.
const PAGE: u32 = 500;

/// The people that the host named.
pub(crate) fn named(people: &[Jid]) -> Result<Route, Error> {
    let wrong = |message| Err(Error::new(Code::InvalidArgument, message));
    if people.is_empty() {
        return wrong("the audience is empty");
    }
    if people.len() > PEOPLE {
        return wrong("the audience is more than 5,000 people");
    }
    if people.iter().any(|person| !person.is_account()) {
        return wrong("somebody of the audience is no person");
    }
    Ok(Route::Audience { people: each_once(people), setting: Setting::Allowlist })
}

fn each_once(people: &[Jid]) -> Vec<Jid> {
    let mut people: Vec<Jid> = people.iter().map(Jid::to_account).collect();
    people.sort_unstable();
    people.dedup();
    people
}

impl Client {
    /// Asks the service for the account's setting, and finds out whom it means.
    pub(crate) async fn own_audience(
        &self,
        operation: &'static str,
        timeout: Option<Duration>,
    ) -> Result<Route, Error> {
        let find = move |client: Arc<Inner>, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let privacy = setting::in_force(&client, &connection, deadline).await?;
            let people = meant(&client, &privacy)?;
            if people.is_empty() {
                let message = "no contact is known whom the setting of statuses means: name an audience";
                return Err(Error::new(Code::InvalidArgument, message));
            }
            Ok(Route::Audience { people: each_once(&people), setting: privacy.setting })
        };
        self.call(operation, timeout, find).await
    }
}

/// The people that a setting means. The service knows no address books: contacts are those whose names
/// the phone handed over.
fn meant(client: &Inner, privacy: &Privacy) -> Result<Vec<Jid>, Error> {
    match privacy.setting {
        Setting::Allowlist | Setting::CloseFriends => Ok(privacy.people.clone()),
        Setting::Contacts => Ok(contacts(client)?),
        Setting::Denylist => {
            let mut left_out = Vec::with_capacity(privacy.people.len());
            for person in &privacy.people {
                left_out.push(crate::devices::identity::canonical(&*client.store, person)?);
            }
            let people = contacts(client)?.into_iter();
            Ok(people.filter(|person| !left_out.iter().any(|out| out.same_account(person))).collect())
        }
    }
}

fn contacts(client: &Inner) -> Result<Vec<Jid>, StoreError> {
    let mut query = ContactQuery { limit: PAGE, ..ContactQuery::default() };
    let mut people = Vec::new();
    if !client.options.archive {
        return Ok(people);
    }
    let own = client.account();
    let own: Vec<Jid> = own.iter().flat_map(|own| [own.phone.clone(), own.lid.clone()]).flatten().collect();
    loop {
        let page = client.store.find_contacts(&query)?;
        let Some(last) = page.last().map(|contact| contact.row) else { return Ok(people) };
        query.from = Some(last);
        let saved = page.into_iter().filter(|contact| contact.name.is_some()).map(|contact| contact.address);
        for person in saved.filter(Jid::is_account) {
            let person = crate::devices::identity::canonical(&*client.store, &person)?;
            if !own.iter().any(|own| own.same_account(&person)) && people.len() < PEOPLE {
                people.push(person);
            }
        }
    }
}

/// How what another part of the engine made of a status gets where it goes: what takes a status of this
/// account back, to those whom that went to; a reaction, to the poster.
pub(crate) fn of_act(store: &dyn Store, message: &Message) -> Result<Option<Route>, Error> {
    let acts = match reread(message.clone(), &Jid::STATUS, true).class {
        Class::Addon(addon) => *addon,
        _ => return Err(Error::new(Code::InvalidArgument, "this is not done to statuses")),
    };
    match acts {
        Addon::Revoke(revoke) => {
            let row = outbox::find(store, &Jid::STATUS, &revoke.target.id)?;
            let Some(route) = row.and_then(|row| row.route) else {
                return Err(Error::new(Code::NotFound, "this client did not post the status"));
            };
            Ok(Some(route))
        }
        Addon::Reaction(reaction) if reaction.target.participant.is_some() => Ok(None),
        Addon::Reaction(_) => {
            Err(Error::new(Code::InvalidArgument, "an account does not react to its own statuses"))
        }
        _ => Err(Error::new(Code::InvalidArgument, "this is not done to statuses")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audience_is_people_each_once() {
        let (anna, ben) = (Jid::lid("7"), Jid::pn("15550001"));
        let route = named(&[ben.clone(), anna.clone(), ben.with_device(3)]).unwrap();
        let mut people = [anna.clone(), ben];
        people.sort();
        assert_eq!(route.audience(), people);
        for wrong in [vec![], vec![Jid::group("1-2")], vec![anna; PEOPLE + 1]] {
            assert_eq!(named(&wrong).unwrap_err().code(), Code::InvalidArgument);
        }
    }
}
