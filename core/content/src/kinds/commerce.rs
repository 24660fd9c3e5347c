//! Products, orders and payments (messages document §9.5). A price in thousandths is 1000 for one
//! unit of the currency. A companion cannot move money: payments are read, and written for tests.

use whimbrel_proto::e2e::message::product_message::{CatalogSnapshot, ProductSnapshot};
use whimbrel_proto::e2e::message::{InvoiceMessage, OrderMessage, ProductMessage};
use whimbrel_wire::Jid;

pub use crate::names::OrderStatus;

use super::media::{Image, Media};
use crate::key::{Key, jid};
use crate::secret::{Code, Secret};

/// A product of a business.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Product {
    /// Its picture.
    pub image: Option<Box<Image>>,
    /// Its id in the catalogue.
    pub id: String,
    /// Its name.
    pub title: Option<String>,
    /// About it.
    pub description: Option<String>,
    /// Currency of the price, ISO 4217.
    pub currency: Option<String>,
    /// Price in thousandths.
    pub price_thousandths: Option<i64>,
    /// Price of the moment, in thousandths.
    pub sale_price_thousandths: Option<i64>,
    /// The business's own id for it.
    pub retailer_id: Option<String>,
    /// More about it.
    pub url: Option<String>,
    /// How many pictures there are.
    pub image_count: Option<u32>,
    /// Id of the first picture.
    pub first_image_id: Option<String>,
    /// The business.
    pub business: Option<Jid>,
    /// Words below it.
    pub body: Option<String>,
    /// Small words below those.
    pub footer: Option<String>,
}

/// The catalogue of a business.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalog {
    /// Its picture.
    pub image: Option<Box<Image>>,
    /// Its name.
    pub title: Option<String>,
    /// About it.
    pub description: Option<String>,
    /// The business.
    pub business: Option<Jid>,
    /// Words below it.
    pub body: Option<String>,
    /// Small words below those.
    pub footer: Option<String>,
}

/// Either of the two that share a field.
pub(crate) enum Card {
    Product(Product),
    Catalog(Catalog),
}

pub(crate) fn read(message: ProductMessage) -> Card {
    let ProductMessage { product, business_owner_jid, catalog, body, footer, .. } = message;
    let business = jid(business_owner_jid);
    if let Some(catalog) = catalog.filter(|_| product.is_none()) {
        return Card::Catalog(Catalog {
            image: catalog.catalog_image.map(|image| Box::new(Image::read(*image))),
            title: catalog.title,
            description: catalog.description,
            business,
            body,
            footer,
        });
    }
    let product = product.map(|product| *product).unwrap_or_default();
    Card::Product(Product {
        image: product.product_image.map(|image| Box::new(Image::read(*image))),
        id: product.product_id.unwrap_or_default(),
        title: product.title,
        description: product.description,
        currency: product.currency_code,
        price_thousandths: product.price_amount1000,
        sale_price_thousandths: product.sale_price_amount1000,
        retailer_id: product.retailer_id,
        url: product.url,
        image_count: product.product_image_count,
        first_image_id: product.first_image_id,
        business,
        body,
        footer,
    })
}

impl Product {
    pub(crate) fn write(self) -> ProductMessage {
        let product = ProductSnapshot {
            product_image: self.image.map(|image| Box::new(image.write())),
            product_id: Some(self.id),
            title: self.title,
            description: self.description,
            currency_code: self.currency,
            price_amount1000: self.price_thousandths,
            sale_price_amount1000: self.sale_price_thousandths,
            retailer_id: self.retailer_id,
            url: self.url,
            product_image_count: self.image_count,
            first_image_id: self.first_image_id,
            ..ProductSnapshot::default()
        };
        ProductMessage {
            product: Some(Box::new(product)),
            business_owner_jid: self.business.as_ref().map(Jid::to_string),
            body: self.body,
            footer: self.footer,
            ..ProductMessage::default()
        }
    }
}

impl Catalog {
    pub(crate) fn write(self) -> ProductMessage {
        let catalog = CatalogSnapshot {
            catalog_image: self.image.map(|image| Box::new(image.write())),
            title: self.title,
            description: self.description,
        };
        ProductMessage {
            catalog: Some(Box::new(catalog)),
            business_owner_jid: self.business.as_ref().map(Jid::to_string),
            body: self.body,
            footer: self.footer,
            ..ProductMessage::default()
        }
    }
}

/// An order, or a cart. Its details are asked for with id and token.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// Its id.
    pub id: String,
    /// Lets its receiver ask for the details.
    pub token: Code,
    /// Who sells.
    pub seller: Option<Jid>,
    /// How many things.
    pub item_count: Option<i32>,
    /// How far it is.
    pub status: Option<OrderStatus>,
    /// Where it was made: 1 in the catalogue.
    pub surface: Option<i32>,
    /// Words with it.
    pub message: Option<String>,
    /// Its name.
    pub title: Option<String>,
    /// Sum in thousandths.
    pub total_thousandths: Option<i64>,
    /// Currency of the sum, ISO 4217.
    pub currency: Option<String>,
    /// A small picture, JPEG.
    pub thumbnail: Option<Vec<u8>>,
    /// The message that asked for it.
    pub request: Option<Key>,
}

impl Order {
    pub(crate) fn read(order: OrderMessage) -> Self {
        Self {
            id: order.order_id.unwrap_or_default(),
            token: Code::new(order.token.unwrap_or_default()),
            seller: jid(order.seller_jid),
            item_count: order.item_count,
            status: order.status.and_then(|number| OrderStatus::try_from(number).ok()),
            surface: order.surface,
            message: order.message,
            title: order.order_title,
            total_thousandths: order.total_amount1000,
            currency: order.total_currency_code,
            thumbnail: order.thumbnail,
            request: Key::read_some(order.order_request_message_id),
        }
    }

    pub(crate) fn write(self) -> OrderMessage {
        OrderMessage {
            order_id: Some(self.id),
            token: Some(self.token.to_wire()),
            seller_jid: self.seller.as_ref().map(Jid::to_string),
            item_count: self.item_count,
            status: self.status.map(|status| status as i32),
            surface: self.surface,
            message: self.message,
            order_title: self.title,
            total_amount1000: self.total_thousandths,
            total_currency_code: self.currency,
            thumbnail: self.thumbnail,
            order_request_message_id: self.request.as_ref().map(Key::write),
            ..OrderMessage::default()
        }
    }
}

/// A bill. Nobody sends them any more.
#[derive(Clone, Debug, PartialEq)]
pub struct Invoice {
    /// Words with it.
    pub note: Option<String>,
    /// Names it.
    pub token: Code,
    /// It is a PDF, not a picture.
    pub is_pdf: bool,
    /// The file.
    pub media: Media,
    /// A small picture, JPEG.
    pub thumbnail: Option<Vec<u8>>,
}

impl Invoice {
    pub(crate) fn read(invoice: InvoiceMessage) -> Self {
        Self {
            note: invoice.note,
            token: Code::new(invoice.token.unwrap_or_default()),
            is_pdf: invoice.attachment_type == Some(1),
            media: Media {
                url: None,
                direct_path: invoice.attachment_direct_path,
                key: invoice.attachment_media_key.map(Secret::new),
                key_timestamp: invoice.attachment_media_key_timestamp,
                sha256: invoice.attachment_file_sha256,
                encrypted_sha256: invoice.attachment_file_enc_sha256,
                length: None,
                mimetype: invoice.attachment_mimetype,
            },
            thumbnail: invoice.attachment_jpeg_thumbnail,
        }
    }

    pub(crate) fn write(self) -> InvoiceMessage {
        InvoiceMessage {
            note: self.note,
            token: Some(self.token.to_wire()),
            attachment_type: Some(i32::from(self.is_pdf)),
            attachment_direct_path: self.media.direct_path,
            attachment_media_key: self.media.key.map(|key| key.to_wire()),
            attachment_media_key_timestamp: self.media.key_timestamp,
            attachment_file_sha256: self.media.sha256,
            attachment_file_enc_sha256: self.media.encrypted_sha256,
            attachment_mimetype: self.media.mimetype,
            attachment_jpeg_thumbnail: self.thumbnail,
        }
    }
}
