//! Businesses and bots, as tests make them.

use whimbrel_wire::Jid;

use crate::Sandbox;

impl Sandbox {
    /// Makes a business of an account that is given by number, with a name and a cover photo called `123`.
    /// Tells whether there is such an account.
    #[must_use]
    pub fn make_business(&self, number: &str, name: &str) -> bool {
        self.with(|service| service.make_business(number, name))
    }

    /// The id of the large picture of a business, and the picture, if it was uploaded.
    #[must_use]
    pub fn cover_photo(&self, number: &str) -> Option<(String, Vec<u8>)> {
        self.with(|service| service.cover_photo(number))
    }

    /// Somebody orders a product of a business. Returns the order's token, if there is such a product.
    #[must_use]
    pub fn order_product(&self, number: &str, order: &str, product: &str) -> Option<String> {
        self.with(|service| service.order_product(number, order, product))
    }

    /// Offers a bot to everybody.
    pub fn offer_bot(&self, jid: &Jid, name: &str) {
        self.with(|service| service.offer_bot(jid.clone(), name));
    }
}
