//! Businesses and bots.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::{CallOptions, Client, Error, parse_address};

use super::{Done, Operation};

/// When a business is open on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BusinessHours {
    /// `sun`, `mon`, `tue`, `wed`, `thu`, `fri` or `sat`.
    pub day: String,
    /// `open_24h`, `specific_hours` or `appointment_only`.
    pub mode: String,
    /// Minutes after midnight, of specific hours.
    #[serde(default)]
    pub opens: Option<u32>,
    /// Minutes after midnight, of specific hours.
    #[serde(default)]
    pub closes: Option<u32>,
}

/// What a business is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BusinessCategory {
    /// The service's number for it.
    pub id: String,
    /// In words.
    pub name: String,
}

/// What a business says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BusinessProfile {
    /// Whether it is a business; if not, there is nothing below.
    pub is_business: bool,
    /// Where it is.
    pub address: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// Where it can be written to.
    pub email: Option<String>,
    /// Its websites.
    pub websites: Vec<String>,
    /// What it is.
    pub categories: Vec<BusinessCategory>,
    /// The time zone of its hours, such as `America/Sao_Paulo`.
    pub timezone: Option<String>,
    /// When it is open.
    pub hours: Vec<BusinessHours>,
}

/// Asks what a business says of itself. That a person is no business is no error.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetBusinessProfile {
    /// Address of the business.
    #[schemars(extend("format" = "address"))]
    pub business: String,
}

impl Operation for GetBusinessProfile {
    const NAME: &'static str = "get_business_profile";
    type Output = BusinessProfile;

    async fn run(self, client: &Client, options: CallOptions) -> Result<BusinessProfile, Error> {
        let told = client.business_profile(&parse_address(&self.business)?, options).await?;
        let is_business = told.is_some();
        let told = told.unwrap_or_default();
        let hours = told.hours.into_iter().map(|day| BusinessHours {
            day: day.day,
            mode: day.mode,
            opens: day.opens,
            closes: day.closes,
        });
        let categories = told.categories.into_iter().map(|(id, name)| BusinessCategory { id, name });
        Ok(BusinessProfile {
            is_business,
            address: told.address,
            description: told.description,
            email: told.email,
            websites: told.websites,
            categories: categories.collect(),
            timezone: told.timezone,
            hours: hours.collect(),
        })
    }
}

/// Changes what this business says of itself; what is absent stays as it was.
///
/// Fails with `FORBIDDEN` if this account is no business.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EditBusinessProfile {
    /// Where it is.
    #[serde(default)]
    pub address: Option<String>,
    /// What it does.
    #[serde(default)]
    pub description: Option<String>,
    /// Where it can be written to.
    #[serde(default)]
    pub email: Option<String>,
    /// All its websites, at most two.
    #[serde(default)]
    pub websites: Option<Vec<String>>,
    /// The time zone of its hours. Together with `hours`.
    #[serde(default)]
    pub timezone: Option<String>,
    /// All days on which it is open. Together with `timezone`.
    #[serde(default)]
    pub hours: Option<Vec<BusinessHours>>,
}

impl Operation for EditBusinessProfile {
    const NAME: &'static str = "edit_business_profile";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        let mut update = whimbrel::ProfileUpdate::default();
        update.address = self.address;
        update.description = self.description;
        update.email = self.email;
        update.websites = self.websites;
        update.hours = match (self.timezone, self.hours) {
            (None, None) => None,
            (Some(zone), Some(hours)) => {
                let day = |day: BusinessHours| whimbrel::BusinessHours {
                    day: day.day,
                    mode: day.mode,
                    opens: day.opens,
                    closes: day.closes,
                };
                Some((zone, hours.into_iter().map(day).collect()))
            }
            _ => {
                let message = "hours go with their time zone";
                return Err(Error::new(whimbrel::Code::InvalidArgument, message));
            }
        };
        client.edit_business_profile(update, options).await.map(|()| Done {})
    }
}

/// Sets the large picture of this business's profile, in the place of the one that is there. A JPEG, PNG, WebP
/// or GIF of at most 16 MiB and 25 megapixels is made at most 1280 pixels long and wide.
///
/// Fails with `MEDIA_UNSUPPORTED` for other files, with `FILE_FAILED` when the picture cannot be read, and
/// with `FORBIDDEN` if this account is no business. Repeating is safe.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetCoverPhoto {
    /// Path of the picture.
    pub path: String,
}

/// The large picture of a business.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CoverPhoto {
    /// Its id, by which `remove_cover_photo` takes it away.
    pub photo: String,
}

impl Operation for SetCoverPhoto {
    const NAME: &'static str = "set_cover_photo";
    type Output = CoverPhoto;

    async fn run(self, client: &Client, options: CallOptions) -> Result<CoverPhoto, Error> {
        let photo = client.set_cover_photo(PathBuf::from(self.path), options).await?;
        Ok(CoverPhoto { photo })
    }
}

/// Takes the large picture of this business's profile away.
///
/// Fails with `FORBIDDEN` if this account is no business.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RemoveCoverPhoto {
    /// Id of the picture.
    pub photo: String,
}

impl Operation for RemoveCoverPhoto {
    const NAME: &'static str = "remove_cover_photo";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        client.remove_cover_photo(&self.photo, options).await.map(|()| Done {})
    }
}

/// Something that a business sells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
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

impl From<whimbrel::Product> for Product {
    fn from(product: whimbrel::Product) -> Self {
        Self {
            id: product.id,
            name: product.name,
            description: product.description,
            retailer_id: product.retailer_id,
            url: product.url,
            price: product.price,
            currency: product.currency,
            is_hidden: product.is_hidden,
            status: product.status,
            images: product.images,
        }
    }
}

/// Fetches a part of what a business sells.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetCatalog {
    /// Address of the business.
    #[schemars(extend("format" = "address"))]
    pub business: String,
    /// At most so many, 1 to 100; 10 if it is absent.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Where to begin: `next` of the part before.
    #[serde(default)]
    pub after: Option<String>,
}

/// A part of what a business sells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CatalogPage {
    /// The products.
    pub products: Vec<Product>,
    /// Where the next part begins; absent: this is the last.
    pub next: Option<String>,
}

impl Operation for GetCatalog {
    const NAME: &'static str = "get_catalog";
    type Output = CatalogPage;

    async fn run(self, client: &Client, options: CallOptions) -> Result<CatalogPage, Error> {
        let business = parse_address(&self.business)?;
        let limit = self.limit.unwrap_or(10);
        let page = client.catalog(&business, limit, self.after.as_deref(), options).await?;
        Ok(CatalogPage { products: page.products.into_iter().map(Into::into).collect(), next: page.next })
    }
}

/// Fetches the collections into which a business sorts what it sells.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetCollections {
    /// Address of the business.
    #[schemars(extend("format" = "address"))]
    pub business: String,
}

/// Products that belong together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProductCollection {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The service's word on it.
    pub status: String,
    /// The products.
    pub products: Vec<Product>,
}

/// Collections of a business.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProductCollections {
    /// The collections.
    pub collections: Vec<ProductCollection>,
}

impl Operation for GetCollections {
    const NAME: &'static str = "get_collections";
    type Output = ProductCollections;

    async fn run(self, client: &Client, options: CallOptions) -> Result<ProductCollections, Error> {
        let told = client.collections(&parse_address(&self.business)?, options).await?;
        let collections = told.into_iter().map(|collection| ProductCollection {
            id: collection.id,
            name: collection.name,
            status: collection.status,
            products: collection.products.into_iter().map(Into::into).collect(),
        });
        Ok(ProductCollections { collections: collections.collect() })
    }
}

/// Adds a product to what this business sells, or changes one, all of it. Answers with the product as it is
/// then.
///
/// Fails with `FORBIDDEN` if this account is no business.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PutProduct {
    /// Id of the product that is changed; absent: a new one.
    #[serde(default)]
    pub product: Option<String>,
    /// Its name.
    pub name: String,
    /// What it is.
    #[serde(default)]
    pub description: String,
    /// The business's own number for it.
    #[serde(default)]
    pub retailer_id: String,
    /// Where more is said of it.
    #[serde(default)]
    pub url: String,
    /// Its price in thousandths of the currency's unit.
    pub price: u64,
    /// The currency, such as `BRL`.
    pub currency: String,
    /// Only the business sees it.
    #[serde(default)]
    pub is_hidden: bool,
    /// Addresses of its pictures, on the media hosts.
    #[serde(default)]
    pub images: Vec<String>,
    /// Where it was made, by the code of the country; absent where that need not be said.
    #[serde(default)]
    pub country: Option<String>,
}

impl Operation for PutProduct {
    const NAME: &'static str = "put_product";
    type Output = Product;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Product, Error> {
        let mut draft = whimbrel::ProductDraft::default();
        draft.name = self.name;
        draft.description = self.description;
        draft.retailer_id = self.retailer_id;
        draft.url = self.url;
        draft.price = self.price;
        draft.currency = self.currency;
        draft.is_hidden = self.is_hidden;
        draft.images = self.images;
        draft.country = self.country;
        client.put_product(self.product.as_deref(), draft, options).await.map(Into::into)
    }
}

/// Takes products out of what this business sells.
///
/// Fails with `FORBIDDEN` if this account is no business.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteProducts {
    /// Ids of the products.
    pub products: Vec<String>,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeletedProducts {
    /// How many there were.
    pub deleted: u32,
}

impl Operation for DeleteProducts {
    const NAME: &'static str = "delete_products";
    type Output = DeletedProducts;

    async fn run(self, client: &Client, options: CallOptions) -> Result<DeletedProducts, Error> {
        let deleted = client.delete_products(&self.products, options).await?;
        Ok(DeletedProducts { deleted })
    }
}

/// Fetches what was ordered of a business.
///
/// Fails with `NOT_FOUND` for an order that there is not, and with `FORBIDDEN` for a wrong token.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetOrder {
    /// Id of the order, from the message about it.
    pub order: String,
    /// Its token, from the message about it.
    pub token: String,
}

/// A product in an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
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

/// What was ordered of a business.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderDetails {
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

impl Operation for GetOrder {
    const NAME: &'static str = "get_order";
    type Output = OrderDetails;

    async fn run(self, client: &Client, options: CallOptions) -> Result<OrderDetails, Error> {
        let order = client.order(&self.order, &self.token, options).await?;
        let products = order.products.into_iter().map(|product| OrderedProduct {
            id: product.id,
            name: product.name,
            image: product.image,
            price: product.price,
            currency: product.currency,
            quantity: product.quantity,
        });
        Ok(OrderDetails {
            id: order.id,
            created_at: order.created_at,
            subtotal: order.subtotal,
            total: order.total,
            currency: order.currency,
            products: products.collect(),
        })
    }
}

/// Returns the bots that the service offers to this account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListBots {}

/// A bot that the service offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Bot {
    /// Its address.
    pub id: String,
    /// Which of its persons it is.
    pub persona: String,
}

/// Bots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BotList {
    /// The bots.
    pub bots: Vec<Bot>,
}

impl Operation for ListBots {
    const NAME: &'static str = "list_bots";
    type Output = BotList;

    async fn run(self, client: &Client, options: CallOptions) -> Result<BotList, Error> {
        let bots = client.bots(options).await?.into_iter();
        Ok(BotList { bots: bots.map(|bot| Bot { id: bot.id.to_string(), persona: bot.persona }).collect() })
    }
}

/// Returns what the bots that the service offers say of themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetBotProfiles {}

/// What one may begin with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BotPrompt {
    /// An emoji.
    pub emoji: String,
    /// Words.
    pub text: String,
}

/// Something that a bot can be told to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BotCommand {
    /// The word.
    pub name: String,
    /// What it does.
    pub description: String,
}

/// What a bot says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BotProfile {
    /// Its address.
    pub id: String,
    /// Which of its persons it is.
    pub persona: String,
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: String,
    /// What it is.
    pub category: String,
    /// It is the one that the service offers first.
    pub is_default: bool,
    /// What one may begin with.
    pub prompts: Vec<BotPrompt>,
    /// What it can be told to do.
    pub commands: Vec<BotCommand>,
}

/// What bots say of themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BotProfiles {
    /// The bots.
    pub bots: Vec<BotProfile>,
}

impl Operation for GetBotProfiles {
    const NAME: &'static str = "get_bot_profiles";
    type Output = BotProfiles;

    async fn run(self, client: &Client, options: CallOptions) -> Result<BotProfiles, Error> {
        let bots = client.bot_profiles(options).await?.into_iter().map(|bot| BotProfile {
            id: bot.id.to_string(),
            persona: bot.persona,
            name: bot.name,
            description: bot.description,
            category: bot.category,
            is_default: bot.is_default,
            prompts: bot.prompts.into_iter().map(|(emoji, text)| BotPrompt { emoji, text }).collect(),
            commands: bot
                .commands
                .into_iter()
                .map(|one| BotCommand { name: one.name, description: one.description })
                .collect(),
        });
        Ok(BotProfiles { bots: bots.collect() })
    }
}
