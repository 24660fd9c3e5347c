//! The people who are left out of a category.

use std::sync::Arc;

use tokio::time::Instant;
use whimbrel_wire::Jid;

use super::change::left;
use super::stanza::{self, List, Listed};
use super::{PrivacyCategory, PrivacyValue};
use crate::client::{Client, Inner};
use crate::connection::Connection;
use crate::devices::identity::Source;
use crate::devices::lookup;
use crate::error::{Code, Error};
use crate::events::Identity;
use crate::messages::Unit;
use crate::options::CallOptions;
use crate::store::StoreError;

/// Most people that are named at once.
const PEOPLE: usize = 1000;

/// The service's number for a change of a list that is another one by now.
const CONFLICT: u16 = 409;

impl Client {
    /// Who is left out where a category is set to [`PrivacyValue::ContactsExcept`].
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for a category that knows no exceptions; [`Code::NotLinked`];
    /// [`Code::TimedOut`].
    pub async fn privacy_exceptions(
        &self,
        category: PrivacyCategory,
        options: CallOptions,
    ) -> Result<Vec<Identity>, Error> {
        let operation = "get_privacy_exceptions";
        check(&category, &[], &[]).map_err(|error| error.in_operation(operation))?;
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let list = read(&client, &connection, &category, deadline).await?;
            client.unit(|unit| identities(unit, &list.people)).await
        })
        .await
    }

    /// Leaves people out of a category, and takes others in again, and sets it to
    /// [`PrivacyValue::ContactsExcept`]. Returns who is left out now.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for a category that knows no exceptions, or an address that is no person's;
    /// [`Code::NotFound`] if nobody is registered under a number; [`Code::Refused`] when another device
    /// changes the list all the time; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn change_privacy_exceptions(
        &self,
        category: PrivacyCategory,
        add: &[Jid],
        remove: &[Jid],
        options: CallOptions,
    ) -> Result<Vec<Identity>, Error> {
        self.set_exceptions("change_privacy_exceptions", category, add, remove, options).await
    }

    pub(super) async fn set_exceptions(
        &self,
        operation: &'static str,
        category: PrivacyCategory,
        add: &[Jid],
        remove: &[Jid],
        options: CallOptions,
    ) -> Result<Vec<Identity>, Error> {
        check(&category, add, remove).map_err(|error| error.in_operation(operation))?;
        let (add, remove) = (add.to_vec(), remove.to_vec());
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let add = listed(&client, &connection, &add, deadline).await?;
            let remove = listed(&client, &connection, &remove, deadline).await?;
            let people = match change(&client, &connection, &category, &add, &remove, deadline).await {
                // Another device was faster: the difference is another one now.
                Err(error) if error.service_status() == CONFLICT => {
                    change(&client, &connection, &category, &add, &remove, deadline).await?
                }
                other => other?,
            };
            client
                .unit(|unit| {
                    unit.set_own_privacy(&category, &PrivacyValue::ContactsExcept)?;
                    identities(unit, &people)
                })
                .await
        })
        .await
    }
}

/// Changes the list as it is now. Returns who is on it then.
async fn change(
    client: &Inner,
    connection: &Connection,
    category: &PrivacyCategory,
    add: &[Listed],
    remove: &[Listed],
    deadline: Instant,
) -> Result<Vec<Listed>, Error> {
    let List { dhash, mut people } = read(client, connection, category, deadline).await?;
    let on = |people: &[Listed], (jid, phone): &Listed| {
        people.iter().any(|(other, other_phone)| {
            let same =
                |one: &Jid| other.same_account(one) || other_phone.as_ref().is_some_and(|phone| phone == one);
            same(jid) || phone.as_ref().is_some_and(same)
        })
    };
    let add: Vec<Listed> = add.iter().filter(|who| !on(&people, who)).cloned().collect();
    let remove: Vec<Listed> = people.iter().filter(|who| on(remove, who)).cloned().collect();
    let by_lid = client.linked_account()?.lid.is_some();
    let request = stanza::change_list(&category.wire(), &dhash, &add, &remove, by_lid);
    connection.request(client.request_ids.next(), request, left(deadline)).await?;
    people.retain(|who| !remove.contains(who));
    people.extend(add);
    Ok(people)
}

async fn read(
    client: &Inner,
    connection: &Connection,
    category: &PrivacyCategory,
    deadline: Instant,
) -> Result<List, Error> {
    let by_lid = client.linked_account()?.lid.is_some();
    let request = stanza::ask_list(&category.wire(), by_lid);
    let answer = connection.request(client.request_ids.next(), request, left(deadline)).await?;
    Ok(stanza::list(&answer))
}

/// People as lists name them: by LID with the number beside it, as far as they have one.
pub(crate) async fn listed(
    client: &Arc<Inner>,
    connection: &Connection,
    people: &[Jid],
    deadline: Instant,
) -> Result<Vec<Listed>, Error> {
    let mut listed = Vec::with_capacity(people.len());
    for person in people {
        let person = person.to_account();
        let known = client.unit(|unit| unit.identity_of(&person)).await?;
        let known = match known.lid {
            Some(_) => known,
            None => lookup::ask(client, connection, &person, deadline).await?,
        };
        listed.push((known.lid.unwrap_or(person), known.phone));
    }
    Ok(listed)
}

/// Who somebody on a list is. What the service says of both addresses is learned.
fn identities(unit: &mut Unit<'_>, people: &[Listed]) -> Result<Vec<Identity>, StoreError> {
    let mut identities = Vec::with_capacity(people.len());
    for (jid, phone) in people {
        if let Some(phone) = phone {
            unit.learn(jid, phone, Source::Seed)?;
        }
        identities.push(unit.identity_of(jid)?);
    }
    Ok(identities)
}

fn check(category: &PrivacyCategory, add: &[Jid], remove: &[Jid]) -> Result<(), Error> {
    let wrong = |message| Err(Error::new(Code::InvalidArgument, message));
    if !category.has_exceptions() {
        return wrong("the category knows no exceptions");
    }
    if add.len().max(remove.len()) > PEOPLE {
        return wrong("more than 1,000 people are named");
    }
    if !add.iter().chain(remove).all(Jid::is_account) {
        return wrong("an address is not that of a person");
    }
    Ok(())
}
