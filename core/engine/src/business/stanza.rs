//! Requests about businesses and bots, and what is read of the answers (features document §10). Pure.

use whimbrel_wire::{Jid, Node, NodeRef};

use super::catalog::{CatalogPage, Collection, Order, OrderedProduct, Product, ProductDraft};
use super::profile::{Bot, BotCommand, BotProfile, BusinessHours, BusinessProfile, ProfileUpdate};
use crate::devices::usync::{self, Mode};
use crate::media::Posted;

/// Edge of pictures that answers name.
const EDGE: &str = "100";
/// Collections in an answer, and products in each, as other clients ask for.
const COLLECTIONS: &str = "51";

fn iq(kind: &'static str, space: &'static str, child: Node) -> Node {
    Node::new("iq").attr("to", Jid::SERVER).attr("type", kind).attr("xmlns", space).child(child)
}

fn leaf(tag: &'static str, text: impl Into<String>) -> Node {
    Node::new(tag).text(text.into())
}

fn text(node: &NodeRef<'_>, tag: &str) -> Option<String> {
    node.child_text(tag).map(ToOwned::to_owned).filter(|text| !text.is_empty())
}

fn word(node: &NodeRef<'_>, tag: &str) -> String {
    text(node, tag).unwrap_or_default()
}

fn number(node: &NodeRef<'_>, tag: &str) -> Option<u64> {
    node.child_text(tag)?.parse().ok()
}

fn attr(node: &NodeRef<'_>, name: &str) -> String {
    node.attr_text(name).map(std::borrow::Cow::into_owned).unwrap_or_default()
}

pub(super) fn profile(business: &Jid) -> Node {
    let asked = Node::new("profile").attr("jid", business);
    iq("get", "w:biz", Node::new("business_profile").attr("v", "244").child(asked))
}

/// Reads a profile; `None` for who is no business.
pub(super) fn read_profile(answer: &NodeRef<'_>) -> Option<BusinessProfile> {
    let told = answer.child_named("business_profile")?.child_named("profile")?;
    if told.child_nodes().is_empty() {
        return None;
    }
    let categories =
        told.child_named("categories").into_iter().flat_map(|all| all.children_named("category"));
    let hours = told.child_named("business_hours");
    let config = hours.into_iter().flat_map(|hours| hours.children_named("business_hours_config"));
    let options = told.child_named("profile_options").into_iter().flat_map(|all| all.child_nodes());
    Some(BusinessProfile {
        address: text(told, "address"),
        description: text(told, "description"),
        email: text(told, "email"),
        websites: told
            .children_named("website")
            .filter_map(|website| website.content_text().map(ToOwned::to_owned))
            .collect(),
        categories: categories
            .map(|one| (attr(one, "id"), one.content_text().unwrap_or_default().to_owned()))
            .collect(),
        timezone: hours.map(|hours| attr(hours, "timezone")).filter(|zone| !zone.is_empty()),
        hours: config
            .map(|day| BusinessHours {
                day: attr(day, "day_of_week"),
                mode: attr(day, "mode"),
                opens: day.attr_u32("open_time"),
                closes: day.attr_u32("close_time"),
            })
            .collect(),
        options: options
            .filter_map(|option| Some((option.tag().to_owned(), option.content_text()?.to_owned())))
            .collect(),
    })
}

fn change(children: impl IntoIterator<Item = Node>) -> Node {
    let delta = Node::new("business_profile").attr("v", "3").attr("mutation_type", "delta");
    iq("set", "w:biz", delta.children(children))
}

pub(super) fn edit_profile(update: &ProfileUpdate) -> Node {
    let mut changed = Vec::new();
    let texts =
        [("address", &update.address), ("email", &update.email), ("description", &update.description)];
    changed.extend(texts.into_iter().filter_map(|(tag, text)| Some(leaf(tag, text.clone()?))));
    changed.extend(update.websites.iter().flatten().map(|website| leaf("website", website.clone())));
    if let Some((zone, hours)) = &update.hours {
        let days = hours.iter().map(|day| {
            Node::new("business_hours_config")
                .attr("day_of_week", day.day.clone())
                .attr("mode", day.mode.clone())
                .attr_opt("open_time", day.opens)
                .attr_opt("close_time", day.closes)
        });
        changed.push(Node::new("business_hours").attr("timezone", zone.clone()).children(days));
    }
    change(changed)
}

pub(super) fn set_cover_photo(picture: &Posted) -> Node {
    let photo = Node::new("cover_photo")
        .attr("op", "update")
        .attr("id", picture.id.clone())
        .attr("token", picture.token.clone())
        .attr("ts", picture.time.clone());
    change([photo])
}

pub(super) fn remove_cover_photo(id: &str) -> Node {
    change([Node::new("cover_photo").attr("op", "delete").attr("id", id.to_owned())])
}

pub(super) fn catalog(business: &Jid, limit: u32, after: Option<&str>) -> Node {
    let asked = Node::new("product_catalog")
        .attr("jid", business)
        .attr("allow_shop_source", "true")
        .child(leaf("limit", limit.to_string()))
        .child(leaf("width", EDGE))
        .child(leaf("height", EDGE))
        .child_opt(after.map(|after| leaf("after", after)));
    iq("get", "w:biz:catalog", asked)
}

pub(super) fn read_catalog(answer: &NodeRef<'_>) -> Option<CatalogPage> {
    let told = answer.child_named("product_catalog")?;
    let next = told.child_named("paging").and_then(|paging| text(paging, "after"));
    Some(CatalogPage { products: told.children_named("product").filter_map(product).collect(), next })
}

fn product(node: &NodeRef<'_>) -> Option<Product> {
    let images = node.child_named("media").into_iter().flat_map(|media| media.children_named("image"));
    let url =
        |image: &NodeRef<'_>| text(image, "original_image_url").or_else(|| text(image, "request_image_url"));
    Some(Product {
        id: text(node, "id")?,
        name: word(node, "name"),
        description: word(node, "description"),
        retailer_id: word(node, "retailer_id"),
        url: word(node, "url"),
        price: number(node, "price"),
        currency: word(node, "currency"),
        is_hidden: node.attr_true("is_hidden"),
        status: node.child_named("status_info").map(|info| word(info, "status")).unwrap_or_default(),
        images: images.filter_map(url).collect(),
    })
}

pub(super) fn collections(business: &Jid) -> Node {
    let asked = Node::new("collections")
        .attr("biz_jid", business)
        .child(leaf("collection_limit", COLLECTIONS))
        .child(leaf("item_limit", COLLECTIONS))
        .child(leaf("width", EDGE))
        .child(leaf("height", EDGE));
    iq("get", "w:biz:catalog", asked).attr("smax_id", "35")
}

pub(super) fn read_collections(answer: &NodeRef<'_>) -> Option<Vec<Collection>> {
    let read = |node: &NodeRef<'_>| {
        Some(Collection {
            id: text(node, "id")?,
            name: word(node, "name"),
            status: node.child_named("status_info").map(|info| word(info, "status")).unwrap_or_default(),
            products: node.children_named("product").filter_map(product).collect(),
        })
    };
    Some(answer.child_named("collections")?.children_named("collection").filter_map(read).collect())
}

/// Makes a product, or with an id changes it.
pub(super) fn put_product(id: Option<&str>, draft: &ProductDraft) -> Node {
    let images = draft.images.iter().map(|url| Node::new("image").child(leaf("url", url.clone())));
    let origin = draft
        .country
        .as_ref()
        .map(|country| Node::new("compliance_info").child(leaf("country_code_origin", country.clone())));
    let exempt = draft.country.is_none().then_some("COUNTRY_ORIGIN_EXEMPT");
    let product = Node::new("product")
        .attr("is_hidden", if draft.is_hidden { "true" } else { "false" })
        .attr_opt("compliance_category", exempt)
        .child_opt(id.map(|id| leaf("id", id)))
        .child(leaf("name", draft.name.clone()))
        .child(leaf("description", draft.description.clone()))
        .child(leaf("retailer_id", draft.retailer_id.clone()))
        .child(leaf("url", draft.url.clone()))
        .child(Node::new("media").children(images))
        .child(leaf("price", draft.price.to_string()))
        .child(leaf("currency", draft.currency.clone()))
        .child_opt(origin);
    let tag = if id.is_some() { "product_catalog_edit" } else { "product_catalog_add" };
    let put =
        Node::new(tag).attr("v", "1").child(product).child(leaf("width", EDGE)).child(leaf("height", EDGE));
    iq("set", "w:biz:catalog", put)
}

pub(super) fn read_put(answer: &NodeRef<'_>) -> Option<Product> {
    let told =
        answer.child_named("product_catalog_add").or_else(|| answer.child_named("product_catalog_edit"));
    told?.child_named("product").and_then(product)
}

pub(super) fn delete_products(ids: &[String]) -> Node {
    let products = ids.iter().map(|id| Node::new("product").child(leaf("id", id.clone())));
    iq("set", "w:biz:catalog", Node::new("product_catalog_delete").attr("v", "1").children(products))
}

pub(super) fn read_deleted(answer: &NodeRef<'_>) -> Option<u32> {
    answer.child_named("product_catalog_delete")?.attr_u32("deleted_count")
}

pub(super) fn order(id: &str, token: &str) -> Node {
    let edges = Node::new("image_dimensions").child(leaf("width", EDGE)).child(leaf("height", EDGE));
    let asked = Node::new("order").attr("op", "get").attr("id", id.to_owned()).child(edges);
    iq("get", "fb:thrift_iq", asked.child(leaf("token", token))).attr("smax_id", "5")
}

pub(super) fn read_order(answer: &NodeRef<'_>) -> Option<Order> {
    let told = answer.child_named("order")?;
    let price = told.child_named("price")?;
    let products = told.children_named("product").filter_map(|node| {
        Some(OrderedProduct {
            id: text(node, "id")?,
            name: word(node, "name"),
            image: node.child_named("image").and_then(|image| text(image, "url")),
            price: number(node, "price").unwrap_or_default(),
            currency: word(node, "currency"),
            quantity: number(node, "quantity").unwrap_or(1),
        })
    });
    Some(Order {
        id: attr(told, "id"),
        created_at: told.attr_u64("creation_ts").and_then(|time| i64::try_from(time).ok()),
        subtotal: number(price, "subtotal").unwrap_or_default(),
        total: number(price, "total").unwrap_or_default(),
        currency: word(price, "currency"),
        products: products.collect(),
    })
}

pub(super) fn bots() -> Node {
    iq("get", "bot", Node::new("bot").attr("v", "2"))
}

/// Reads the bots of the section that has all.
pub(super) fn read_bots(answer: &NodeRef<'_>) -> Option<Vec<Bot>> {
    let told = answer.child_named("bot")?;
    let all = told.children_named("section").find(|section| section.attr_is("type", "all"));
    let read = |node: &NodeRef<'_>| {
        Some(Bot { id: node.attr_jid("jid")?.to_bare(), persona: attr(node, "persona_id") })
    };
    Some(all.into_iter().flat_map(|all| all.children_named("bot")).filter_map(read).collect())
}

pub(super) fn bot_profiles(bots: &[Bot], sid: String) -> Node {
    let query = Node::new("query").child(Node::new("bot").child(Node::new("profile").attr("v", "1")));
    let users = bots.iter().map(|bot| {
        let persona = Some(bot.persona.clone()).filter(|persona| !persona.is_empty());
        let profile = Node::new("profile").attr_opt("persona_id", persona);
        Node::new("user").attr("jid", &bot.id).child(Node::new("bot").child(profile))
    });
    usync::request(query, users, Mode::Query, "interactive", sid)
}

pub(super) fn read_bot_profiles(answer: &NodeRef<'_>) -> Option<Vec<BotProfile>> {
    let list = answer.child_named("usync")?.child_named("list")?;
    let read = |user: &NodeRef<'_>| {
        let told = user.child_named("bot")?.child_named("profile")?;
        let prompts = told.child_named("prompts").into_iter().flat_map(|all| all.children_named("prompt"));
        let commands = told.child_named("commands").into_iter().flat_map(|all| all.children_named("command"));
        Some(BotProfile {
            id: user.attr_jid("jid")?.to_bare(),
            persona: attr(told, "persona_id"),
            name: word(told, "name"),
            description: word(told, "description"),
            category: word(told, "category"),
            is_default: told.child_named("default").is_some(),
            prompts: prompts.map(|prompt| (word(prompt, "emoji"), word(prompt, "text"))).collect(),
            commands: commands
                .map(|one| BotCommand { name: word(one, "name"), description: word(one, "description") })
                .collect(),
        })
    };
    Some(list.children_named("user").filter_map(read).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::groups::tests::forms::{comparable, from_json, vectors};

    #[test]
    fn a_picture_is_shown_by_the_words_of_the_host_that_has_it() {
        let (id, time, token) = ("77".to_owned(), "1790000000".to_owned(), "AbC".to_owned());
        let ours = set_cover_photo(&Posted { id, time, token });
        // As Baileys sends it, of which there is no vector.
        let photo = ours.child_named("business_profile").and_then(|delta| delta.child_named("cover_photo"));
        let photo = photo.unwrap();
        let is = |name, value| assert!(photo.attr_is(name, value), "{name}");
        is("op", "update");
        is("id", "77");
        is("token", "AbC");
        is("ts", "1790000000");
    }

    #[test]
    fn requests_are_those_of_other_clients() {
        let vectors = vectors("features-requests");
        let business = Jid::pn("5511888888888");
        let day = |day: &str, mode: &str, opens, closes| BusinessHours {
            day: day.to_owned(),
            mode: mode.to_owned(),
            opens,
            closes,
        };
        let hours =
            vec![day("mon", "specific_hours", Some(480), Some(1080)), day("sun", "open_24h", None, None)];
        let update = ProfileUpdate {
            address: Some("A".to_owned()),
            email: Some("e@example.com".to_owned()),
            description: Some("D".to_owned()),
            websites: Some(vec!["https://a.example".to_owned()]),
            hours: Some(("America/Sao_Paulo".to_owned(), hours)),
        };
        for (client, operation, built) in [
            ("baileys", "getBusinessProfile", profile(&business)),
            ("whatsmeow", "GetBusinessProfile", profile(&business)),
            ("baileys", "updateBussinesProfile", edit_profile(&update)),
            ("baileys", "removeCoverPhoto", remove_cover_photo("123")),
            ("baileys", "getCatalog", catalog(&business, 10, None)),
            ("baileys", "getCollections", collections(&business)),
            ("baileys", "productDelete", delete_products(&["987".to_owned()])),
            ("baileys", "getOrderDetails", order("1234", "TOKENB64")),
            ("baileys", "getBotListV2", bots()),
        ] {
            let theirs = from_json(&vectors["requests"][client][operation]["stanzas"][0]);
            assert_eq!(comparable(&built), comparable(&theirs), "{client} {operation}");
        }
    }

    #[test]
    fn answers_to_other_clients_are_read() {
        let vectors = vectors("features-answers");
        let answer = |client: &str, operation: &str| from_json(&vectors[client][operation]["answers"][0]);
        let told = read_profile(&answer("whatsmeow", "GetBusinessProfile")).unwrap();
        assert_eq!((told.address.as_deref(), told.email.as_deref()), (Some("Street"), Some("a@example.com")));
        assert_eq!(told.categories, [("1".to_owned(), "Shop".to_owned())]);
        assert_eq!((told.hours[0].opens, told.hours[0].closes), (Some(480), Some(1080)));
        assert!(told.options.contains(&("cart_enabled".to_owned(), "true".to_owned())));
        assert_eq!(read_profile(&answer("whatsmeow", "GetBusinessProfile(no business)")), None);
        let page = read_catalog(&answer("baileys", "getCatalog")).unwrap();
        assert_eq!((page.products[0].name.as_str(), page.products[0].price), ("Shoe", Some(1000)));
        assert_eq!((page.next.as_deref(), page.products[0].status.as_str()), (Some("CUR"), "APPROVED"));
        assert_eq!(page.products[0].images, ["https://x/2"]);
        let collections = read_collections(&answer("baileys", "getCollections")).unwrap();
        assert_eq!((collections[0].name.as_str(), collections[0].products.len()), ("Col", 1));
        assert_eq!(read_deleted(&answer("baileys", "productDelete")), Some(1));
        let order = read_order(&answer("baileys", "getOrderDetails")).unwrap();
        assert_eq!((order.id.as_str(), order.total, order.currency.as_str()), ("1234", 1000, "BRL"));
        assert_eq!((order.created_at, order.products[0].quantity), (Some(1_795_176_000), 1));
        let bots = read_bots(&answer("whatsmeow", "GetBotListV2")).unwrap();
        assert_eq!(bots[0].id.to_string(), "867051314767696@bot");
        let profiles = read_bot_profiles(&answer("whatsmeow", "GetBotProfiles")).unwrap();
        assert_eq!((profiles[0].name.as_str(), profiles[0].is_default), ("Meta AI", true));
        assert_eq!(profiles[0].commands[0].name, "imagine");
    }
}
