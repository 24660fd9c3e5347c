//! Products, orders, bills and payments. A price in thousandths is 1000 for one unit of the currency.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::Error;
use whimbrel::content::Code;
use whimbrel::content::kinds::commerce::{Catalog, Invoice, Order, OrderStatus, Product};
use whimbrel::content::kinds::media::Image;
use whimbrel::content::kinds::payment::{self, Payment};
use whimbrel::content::reference::MediaKind;

use super::{MediaFile, NamedMessage, Source, address, read_address, wrong};

fn picture(image: Option<MediaFile>) -> Result<Option<Box<Image>>, Error> {
    let Some(file) = image else { return Ok(None) };
    Ok(Some(Box::new(Image { media: file.media()?, ..Image::default() })))
}

/// A product of a business.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProductContent {
    /// Its id in the catalogue.
    pub id: String,
    /// The business; needed to send it.
    #[serde(default)]
    pub business: Option<String>,
    /// Its name.
    #[serde(default)]
    pub title: Option<String>,
    /// About it.
    #[serde(default)]
    pub description: Option<String>,
    /// Its picture.
    #[serde(default)]
    pub image: Option<MediaFile>,
    /// Currency of the price, ISO 4217.
    #[serde(default)]
    pub currency: Option<String>,
    /// Price in thousandths.
    #[serde(default)]
    pub price_thousandths: Option<i64>,
    /// Price of the moment, in thousandths.
    #[serde(default)]
    pub sale_price_thousandths: Option<i64>,
    /// The business's own id for it.
    #[serde(default)]
    pub retailer_id: Option<String>,
    /// More about it.
    #[serde(default)]
    pub url: Option<String>,
    /// Words below it.
    #[serde(default)]
    pub body: Option<String>,
    /// Small words below those.
    #[serde(default)]
    pub footer: Option<String>,
}

impl ProductContent {
    pub(super) fn of(product: &Product, source: Source<'_>) -> Self {
        let image = product.image.as_ref();
        Self {
            id: product.id.clone(),
            business: address(&product.business),
            title: product.title.clone(),
            description: product.description.clone(),
            image: image.and_then(|image| MediaFile::of(&image.media, MediaKind::Image, source)),
            currency: product.currency.clone(),
            price_thousandths: product.price_thousandths,
            sale_price_thousandths: product.sale_price_thousandths,
            retailer_id: product.retailer_id.clone(),
            url: product.url.clone(),
            body: product.body.clone(),
            footer: product.footer.clone(),
        }
    }
}

impl TryFrom<ProductContent> for Product {
    type Error = Error;

    fn try_from(content: ProductContent) -> Result<Self, Error> {
        let image = picture(content.image)?;
        Ok(Self {
            image_count: image.is_some().then_some(1),
            image,
            id: content.id,
            title: content.title,
            description: content.description,
            currency: content.currency,
            price_thousandths: content.price_thousandths,
            sale_price_thousandths: content.sale_price_thousandths,
            retailer_id: content.retailer_id,
            url: content.url,
            first_image_id: None,
            business: read_address(content.business.as_deref())?,
            body: content.body,
            footer: content.footer,
        })
    }
}

/// The catalogue of a business.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CatalogContent {
    /// The business; needed to send it.
    #[serde(default)]
    pub business: Option<String>,
    /// Its name.
    #[serde(default)]
    pub title: Option<String>,
    /// About it.
    #[serde(default)]
    pub description: Option<String>,
    /// Its picture.
    #[serde(default)]
    pub image: Option<MediaFile>,
    /// Words below it.
    #[serde(default)]
    pub body: Option<String>,
    /// Small words below those.
    #[serde(default)]
    pub footer: Option<String>,
}

impl CatalogContent {
    pub(super) fn of(catalog: &Catalog, source: Source<'_>) -> Self {
        let image = catalog.image.as_ref();
        Self {
            business: address(&catalog.business),
            title: catalog.title.clone(),
            description: catalog.description.clone(),
            image: image.and_then(|image| MediaFile::of(&image.media, MediaKind::Image, source)),
            body: catalog.body.clone(),
            footer: catalog.footer.clone(),
        }
    }
}

impl TryFrom<CatalogContent> for Catalog {
    type Error = Error;

    fn try_from(content: CatalogContent) -> Result<Self, Error> {
        Ok(Self {
            image: picture(content.image)?,
            title: content.title,
            description: content.description,
            business: read_address(content.business.as_deref())?,
            body: content.body,
            footer: content.footer,
        })
    }
}

/// An order, or a cart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrderContent {
    /// Its id.
    pub id: String,
    /// Lets its receiver ask for the details: a secret.
    pub token: String,
    /// Who sells.
    #[serde(default)]
    pub seller: Option<String>,
    /// How many things.
    #[serde(default)]
    pub item_count: Option<i32>,
    /// How far it is: `inquiry`, `accepted`, `declined`.
    #[serde(default)]
    pub status: Option<String>,
    /// Words with it.
    #[serde(default)]
    pub message: Option<String>,
    /// Its name.
    #[serde(default)]
    pub title: Option<String>,
    /// Sum in thousandths.
    #[serde(default)]
    pub total_thousandths: Option<i64>,
    /// Currency of the sum, ISO 4217.
    #[serde(default)]
    pub currency: Option<String>,
    /// The message that asked for it.
    #[serde(default)]
    pub request: Option<NamedMessage>,
}

const fn status_word(status: OrderStatus) -> Option<&'static str> {
    match status {
        OrderStatus::Inquiry => Some("inquiry"),
        OrderStatus::Accepted => Some("accepted"),
        OrderStatus::Declined => Some("declined"),
        _ => None,
    }
}

impl From<&Order> for OrderContent {
    fn from(order: &Order) -> Self {
        Self {
            id: order.id.clone(),
            token: order.token.expose().to_owned(),
            seller: address(&order.seller),
            item_count: order.item_count,
            status: order.status.and_then(status_word).map(str::to_owned),
            message: order.message.clone(),
            title: order.title.clone(),
            total_thousandths: order.total_thousandths,
            currency: order.currency.clone(),
            request: order.request.as_ref().map(Into::into),
        }
    }
}

impl TryFrom<OrderContent> for Order {
    type Error = Error;

    fn try_from(content: OrderContent) -> Result<Self, Error> {
        Ok(Self {
            id: content.id,
            token: Code::new(content.token),
            seller: read_address(content.seller.as_deref())?,
            item_count: content.item_count,
            status: match content.status.as_deref() {
                None => None,
                Some("inquiry") => Some(OrderStatus::Inquiry),
                Some("accepted") => Some(OrderStatus::Accepted),
                Some("declined") => Some(OrderStatus::Declined),
                Some(_) => return Err(wrong("an order has no such status")),
            },
            // In the catalogue.
            surface: Some(1),
            message: content.message,
            title: content.title,
            total_thousandths: content.total_thousandths,
            currency: content.currency,
            thumbnail: None,
            request: content.request.map(TryInto::try_into).transpose()?,
        })
    }
}

/// A bill.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InvoiceContent {
    /// The file.
    #[serde(default)]
    pub media: Option<MediaFile>,
    /// Names it: a secret.
    pub token: String,
    /// Words with it.
    #[serde(default)]
    pub note: Option<String>,
    /// It is a PDF, not a picture.
    #[serde(default)]
    pub pdf: bool,
}

impl InvoiceContent {
    pub(super) fn of(invoice: &Invoice, source: Source<'_>) -> Self {
        let kind = if invoice.is_pdf { MediaKind::Document } else { MediaKind::Image };
        Self {
            media: MediaFile::of(&invoice.media, kind, source),
            token: invoice.token.expose().to_owned(),
            note: invoice.note.clone(),
            pdf: invoice.is_pdf,
        }
    }
}

/// An amount: `value` divided by `offset`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Money {
    /// The amount in parts of a unit.
    pub value: i64,
    /// How many parts a unit has.
    pub offset: u32,
    /// ISO 4217.
    #[serde(default)]
    pub currency: Option<String>,
}

impl From<&payment::Money> for Money {
    fn from(money: &payment::Money) -> Self {
        Self { value: money.value, offset: money.offset, currency: money.currency.clone() }
    }
}

/// What happened to a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStep {
    /// Something was paid.
    Sent,
    /// Somebody is asked to pay.
    Requested,
    /// The one who was asked does not pay.
    Declined,
    /// The one who asked takes it back.
    Cancelled,
    /// Somebody is invited to set payments up.
    Invited,
    /// Somebody is reminded to pay.
    Reminder,
    /// A bill is split.
    Split,
    /// Somebody has paid their share.
    SplitPaid,
    /// Something that this version does not know.
    Unknown,
}

/// A step of a payment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PaymentContent {
    /// What happened.
    pub step: PaymentStep,
    /// Words with it.
    #[serde(default)]
    pub note: Option<String>,
    /// How much.
    #[serde(default)]
    pub amount: Option<Money>,
    /// The message that asked for it.
    #[serde(default)]
    pub request: Option<NamedMessage>,
    /// Who is asked, or who has paid.
    #[serde(default)]
    pub from: Option<String>,
    /// Until when, seconds since 1970.
    #[serde(default)]
    pub expires_at: Option<i64>,
}

impl From<&Payment> for PaymentContent {
    fn from(payment: &Payment) -> Self {
        let mut read = Self {
            step: PaymentStep::Unknown,
            note: payment.note().map(str::to_owned),
            amount: None,
            request: None,
            from: None,
            expires_at: None,
        };
        match payment {
            Payment::Sent { request, .. } => {
                read.step = PaymentStep::Sent;
                read.request = request.as_ref().map(Into::into);
            }
            Payment::Requested { thousandths, currency, amount, from, expires_at, .. } => {
                read.step = PaymentStep::Requested;
                read.amount = amount.as_ref().map(Into::into).or_else(|| {
                    let value = i64::try_from((*thousandths)?).ok()?;
                    Some(Money { value, offset: 1000, currency: currency.clone() })
                });
                read.from = address(from);
                read.expires_at = *expires_at;
            }
            Payment::Declined { request } => {
                read.step = PaymentStep::Declined;
                read.request = Some(request.into());
            }
            Payment::Cancelled { request } => {
                read.step = PaymentStep::Cancelled;
                read.request = Some(request.into());
            }
            Payment::Invited { expires_at, .. } => {
                read.step = PaymentStep::Invited;
                read.expires_at = *expires_at;
            }
            Payment::Reminder { amount, payer, .. } => {
                read.step = PaymentStep::Reminder;
                read.amount = amount.as_ref().map(Into::into);
                read.from = address(payer);
            }
            Payment::Split { total, .. } => {
                read.step = PaymentStep::Split;
                read.amount = total.as_ref().map(Into::into);
            }
            Payment::SplitPaid { user, .. } => {
                read.step = PaymentStep::SplitPaid;
                read.from = address(user);
            }
            _ => {}
        }
        read
    }
}
