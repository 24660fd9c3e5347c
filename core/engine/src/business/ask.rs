//! What the host asks about businesses and bots, and changes in its own business.

use whimbrel_wire::{Jid, Node, NodeRef};

use super::catalog::{CatalogPage, Collection, Order, Product, ProductDraft};
use super::profile::{Bot, BotProfile, BusinessProfile, ProfileUpdate};
use super::stanza;
use crate::client::Client;
use crate::error::{Code, Error};
use crate::groups::{left, unclear};
use crate::options::CallOptions;

/// Products in one answer.
const PRODUCTS: u32 = 100;

/// Websites of a business.
const WEBSITES: usize = 2;

/// What hours of a business may be.
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const MODES: [&str; 3] = ["open_24h", "specific_hours", "appointment_only"];

impl Client {
    /// What a business says of itself; `None` for a person who is none.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for an address that is no person's; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn business_profile(
        &self,
        business: &Jid,
        options: CallOptions,
    ) -> Result<Option<BusinessProfile>, Error> {
        let operation = "get_business_profile";
        let business = person(business).map_err(|error| error.in_operation(operation))?;
        let read = |answer: &NodeRef<'_>| Some(stanza::read_profile(answer));
        self.ask_business(operation, stanza::profile(&business), read, options).await
    }

    /// Changes what this business says of itself. Websites are replaced as a whole, and so are the hours.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] if nothing shall change, for more than two websites, and for days and modes
    /// that there are not; [`Code::Forbidden`] if this account is no business; [`Code::NotLinked`];
    /// [`Code::TimedOut`].
    pub async fn edit_business_profile(
        &self,
        update: ProfileUpdate,
        options: CallOptions,
    ) -> Result<(), Error> {
        let operation = "edit_business_profile";
        let invalid = |message| Err(Error::new(Code::InvalidArgument, message).in_operation(operation));
        if update == ProfileUpdate::default() {
            return invalid("nothing is to be changed");
        }
        if update.websites.as_ref().is_some_and(|websites| websites.len() > WEBSITES) {
            return invalid("a business has at most two websites");
        }
        let hours = update.hours.iter().flat_map(|(_, hours)| hours);
        let known = |day: &super::BusinessHours| {
            DAYS.contains(&day.day.as_str()) && MODES.contains(&day.mode.as_str())
        };
        if !hours.into_iter().all(known) {
            return invalid("there is no such day or mode");
        }
        self.ask_business(operation, stanza::edit_profile(&update), |_| Some(()), options).await
    }

    /// A part of what a business sells: at most so many, 1 to 100, from where the part before ended.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::NotFound`]; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn catalog(
        &self,
        business: &Jid,
        limit: u32,
        after: Option<&str>,
        options: CallOptions,
    ) -> Result<CatalogPage, Error> {
        let operation = "get_catalog";
        let business = person(business).map_err(|error| error.in_operation(operation))?;
        if !(1..=PRODUCTS).contains(&limit) {
            let message = "the limit is not between 1 and 100";
            return Err(Error::new(Code::InvalidArgument, message).in_operation(operation));
        }
        let request = stanza::catalog(&business, limit, after);
        self.ask_business(operation, request, stanza::read_catalog, options).await
    }

    /// The collections into which a business sorts what it sells.
    ///
    /// # Errors
    /// Those of [`catalog`](Self::catalog).
    pub async fn collections(&self, business: &Jid, options: CallOptions) -> Result<Vec<Collection>, Error> {
        let operation = "get_collections";
        let business = person(business).map_err(|error| error.in_operation(operation))?;
        self.ask_business(operation, stanza::collections(&business), stanza::read_collections, options).await
    }

    /// Adds a product to what this business sells, or with an id changes one. Returns it as it is then.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] without a name or currency; [`Code::Forbidden`] if this account is no
    /// business; [`Code::NotFound`]; [`Code::Refused`]; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn put_product(
        &self,
        id: Option<&str>,
        draft: ProductDraft,
        options: CallOptions,
    ) -> Result<Product, Error> {
        let operation = "put_product";
        if draft.name.is_empty() || draft.currency.is_empty() {
            let message = "the product has no name or no currency";
            return Err(Error::new(Code::InvalidArgument, message).in_operation(operation));
        }
        self.ask_business(operation, stanza::put_product(id, &draft), stanza::read_put, options).await
    }

    /// Takes products out of what this business sells. Returns how many there were.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] if none is named; [`Code::Forbidden`]; [`Code::NotLinked`];
    /// [`Code::TimedOut`].
    pub async fn delete_products(&self, ids: &[String], options: CallOptions) -> Result<u32, Error> {
        let operation = "delete_products";
        if ids.is_empty() || ids.iter().any(String::is_empty) {
            return Err(Error::new(Code::InvalidArgument, "no product is named").in_operation(operation));
        }
        self.ask_business(operation, stanza::delete_products(ids), stanza::read_deleted, options).await
    }

    /// What was ordered: the id and token are those of the message about the order.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::NotFound`]; [`Code::Forbidden`] for a wrong token;
    /// [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn order(&self, id: &str, token: &str, options: CallOptions) -> Result<Order, Error> {
        let operation = "get_order";
        if id.is_empty() || token.is_empty() {
            let message = "the order or its token is not named";
            return Err(Error::new(Code::InvalidArgument, message).in_operation(operation));
        }
        self.ask_business(operation, stanza::order(id, token), stanza::read_order, options).await
    }

    /// The bots that the service offers to this account.
    ///
    /// # Errors
    /// [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn bots(&self, options: CallOptions) -> Result<Vec<Bot>, Error> {
        self.ask_business("list_bots", stanza::bots(), stanza::read_bots, options).await
    }

    /// What all bots that the service offers say of themselves; those of which nothing is told are left out.
    ///
    /// # Errors
    /// [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn bot_profiles(&self, options: CallOptions) -> Result<Vec<BotProfile>, Error> {
        self.call("get_bot_profiles", options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let id = client.request_ids.next();
            let answer = connection.request(id, stanza::bots(), left(deadline)).await?;
            let bots = stanza::read_bots(&answer).ok_or_else(not_told)?;
            if bots.is_empty() {
                return Ok(Vec::new());
            }
            let id = client.request_ids.next();
            let query = stanza::bot_profiles(&bots, id.clone());
            let answer = connection.request(id, query, left(deadline)).await?;
            stanza::read_bot_profiles(&answer).ok_or_else(not_told)
        })
        .await
    }

    pub(super) async fn ask_business<T: Send + 'static>(
        &self,
        operation: &'static str,
        request: Node,
        read: impl FnOnce(&NodeRef<'_>) -> Option<T> + Send + 'static,
        options: CallOptions,
    ) -> Result<T, Error> {
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let answer = connection.request(client.request_ids.next(), request, left(deadline)).await?;
            read(&answer).ok_or_else(not_told)
        })
        .await
    }
}

fn not_told() -> Error {
    unclear("the service's answer could not be read")
}

fn person(jid: &Jid) -> Result<Jid, Error> {
    let account = jid.to_account();
    if account.is_account() {
        return Ok(account);
    }
    Err(Error::new(Code::InvalidArgument, "the address is not that of a person"))
}
