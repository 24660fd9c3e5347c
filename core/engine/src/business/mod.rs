//! Businesses and bots (features document §10): what businesses say of themselves, what they sell, what was
//! ordered, and which bots there are.

mod ask;
mod catalog;
mod cover;
pub(crate) mod notify;
mod profile;
mod stanza;

pub use catalog::{CatalogPage, Collection, Order, OrderedProduct, Product, ProductDraft};
pub use notify::{BusinessChange, BusinessChanged};
pub use profile::{Bot, BotCommand, BotProfile, BusinessHours, BusinessProfile, ProfileUpdate};
