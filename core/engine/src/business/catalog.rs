//! What businesses sell. The types.

/// Something that a business sells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Product {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// The business's own number for it.
    pub retailer_id: String,
    /// Where more is said of it.
    pub url: String,
    /// Its price in thousandths of the currency's unit, if it has one.
    pub price: Option<u64>,
    /// The currency, such as `BRL`.
    pub currency: String,
    /// Only the business sees it.
    pub is_hidden: bool,
    /// The service's word on it, such as `APPROVED`.
    pub status: String,
    /// Addresses of its pictures.
    pub images: Vec<String>,
}

/// A part of what a business sells.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CatalogPage {
    /// The products.
    pub products: Vec<Product>,
    /// Where the next part begins; `None`: this is the last.
    pub next: Option<String>,
}

/// Products that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Collection {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The service's word on it.
    pub status: String,
    /// The products.
    pub products: Vec<Product>,
}

/// A product that is to be made or changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProductDraft {
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// The business's own number for it.
    pub retailer_id: String,
    /// Where more is said of it.
    pub url: String,
    /// Its price in thousandths of the currency's unit.
    pub price: u64,
    /// The currency, such as `BRL`.
    pub currency: String,
    /// Only the business sees it.
    pub is_hidden: bool,
    /// Addresses of its pictures, on the media hosts.
    pub images: Vec<String>,
    /// Where it was made, by the code of the country; none where that need not be said.
    pub country: Option<String>,
}

/// What was ordered of a business.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Order {
    /// Its id.
    pub id: String,
    /// When it was made, seconds since 1970, if it was told.
    pub created_at: Option<i64>,
    /// Its price without tax and the like, in thousandths of the currency's unit.
    pub subtotal: u64,
    /// Its whole price.
    pub total: u64,
    /// The currency.
    pub currency: String,
    /// What was ordered.
    pub products: Vec<OrderedProduct>,
}

/// A product in an order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OrderedProduct {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Address of its picture, if it has one.
    pub image: Option<String>,
    /// Its price in thousandths of the currency's unit.
    pub price: u64,
    /// The currency.
    pub currency: String,
    /// How many.
    pub quantity: u64,
}
