//! The address book.

use whimbrel_appstate::{Action, Kind, Operation};
use whimbrel_proto::sync_action::sync_action_value::ContactAction;
use whimbrel_wire::Jid;

use super::{Desk, wrong};
use crate::client::Client;
use crate::error::Error;

impl Client {
    /// Saves a person in the account's address book, or changes the names there. With `on_phone` the
    /// phone takes the contact into its own address book as well.
    ///
    /// # Errors
    /// [`crate::Code::InvalidArgument`] for an address that is not that of a person and for an empty
    /// name, and those of [`archive_chat`](Self::archive_chat).
    pub async fn save_contact(
        &self,
        person: &Jid,
        name: &str,
        first_name: Option<&str>,
        on_phone: bool,
    ) -> Result<String, Error> {
        let (person, name) = (person.clone(), name.to_owned());
        let first_name = first_name.map(str::to_owned);
        self.wish("save_contact", move |desk| {
            if name.trim().is_empty() {
                return Err(wrong("a contact has a name"));
            }
            let (named, lid, phone) = desk.person(&person)?;
            let value = ContactAction {
                full_name: Some(name),
                first_name,
                lid_jid: lid.map(|lid| lid.to_string()),
                save_on_primary_addressbook: Some(on_phone),
                pn_jid: phone.map(|phone| phone.to_string()),
                username: None,
            };
            Ok(vec![(Operation::Set, Action::Contact { person: named, value: Box::new(value) })])
        })
        .await
    }

    /// Takes a person out of the account's address book.
    ///
    /// # Errors
    /// As [`save_contact`](Self::save_contact).
    pub async fn remove_contact(&self, person: &Jid) -> Result<String, Error> {
        let person = person.clone();
        self.wish("remove_contact", move |desk| {
            let (named, ..) = desk.person(&person)?;
            Ok(vec![(Operation::Remove, Action::Contact { person: named, value: Box::default() })])
        })
        .await
    }
}

impl Desk<'_> {
    /// How the address book names a person, and the person's two addresses.
    fn person(&self, person: &Jid) -> Result<(String, Option<Jid>, Option<Jid>), Error> {
        if !person.is_account() {
            return Err(wrong("the address is not that of a person"));
        }
        let id = self.canonical(person)?;
        let (lid, phone) =
            if id.is_lid() { (Some(id.clone()), self.client.store.phone_of(&id)?) } else { (None, Some(id)) };
        let kind = Kind::Contact;
        let index = |person: &str| vec![kind.name().to_owned(), person.to_owned()];
        Ok((self.named(person, kind.collection(), index)?, lid, phone))
    }
}
