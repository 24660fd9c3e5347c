//! Businesses and bots (features document §10): what businesses say of themselves and sell, orders, and the
//! bots that a test offers.

use std::collections::BTreeMap;
use std::sync::Arc;

use whimbrel_proto::vname::VerifiedNameCertificate;
use whimbrel_proto::vname::verified_name_certificate::Details;
use whimbrel_wire::{Jid, Node};

use super::Service;
use super::accounts::{AccountId, DeviceId, Space};
use super::iq::Reply;
use crate::stanza::{self, Refusal};

/// What can be changed of a profile, and how.
const TEXTS: [&str; 3] = ["address", "email", "description"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const MODES: [&str; 3] = ["open_24h", "specific_hours", "appointment_only"];

/// A business.
#[derive(Debug, Default)]
struct Business {
    name: String,
    /// Children of its profile, by tag.
    profile: BTreeMap<String, Vec<Node>>,
    /// Its id, and which file it is, if it is one.
    cover_photo: Option<(String, Option<[u8; 32]>)>,
    products: BTreeMap<String, Node>,
    /// Orders, each with its token.
    orders: BTreeMap<String, (String, Node)>,
}

/// All businesses, and the bots that are offered.
#[derive(Debug, Default)]
pub(crate) struct Businesses {
    by_account: BTreeMap<AccountId, Business>,
    bots: Vec<(Jid, String)>,
}

fn leaf(tag: &'static str, text: &str) -> Node {
    Node::new(tag).text(text.to_owned())
}

impl Service {
    /// Makes a business of an account. Tells whether there is such an account.
    pub(crate) fn make_business(&mut self, number: &str, name: &str) -> bool {
        let Some(account) = self.accounts.by_pn(number) else { return false };
        let category = Node::new("category").attr("id", "1").text("Shop");
        let business = Business {
            name: name.to_owned(),
            profile: BTreeMap::from([(
                "categories".to_owned(),
                vec![Node::new("categories").child(category)],
            )]),
            cover_photo: Some(("123".to_owned(), None)),
            ..Business::default()
        };
        self.businesses.by_account.insert(account, business);
        let told = self.verified_name(account);
        self.tell_of_business(account, None, told.unwrap_or_else(|| Node::new("verified_name")));
        true
    }

    /// The id of the large picture of a business, and the picture, if it was uploaded.
    pub(crate) fn cover_photo(&self, number: &str) -> Option<(String, Vec<u8>)> {
        let business = self.businesses.by_account.get(&self.accounts.by_pn(number)?)?;
        let (id, hash) = business.cover_photo.as_ref()?;
        let picture = hash.and_then(|hash| self.shelf.content(&hash));
        Some((id.clone(), picture.unwrap_or_default()))
    }

    /// Somebody ordered a product of a business. Returns the token, if there is such a product.
    pub(crate) fn order_product(&mut self, number: &str, order: &str, product: &str) -> Option<String> {
        let account = self.accounts.by_pn(number)?;
        let token = self.random_digits(16);
        let now = self.now;
        let business = self.businesses.by_account.get_mut(&account)?;
        let sold = business.products.get(product)?;
        let text = |tag: &str| sold.child_text(tag).unwrap_or_default().to_owned();
        let (price, currency) = (text("price"), text("currency"));
        let sum = Node::new("price")
            .child(leaf("subtotal", &price))
            .child(leaf("total", &price))
            .child(leaf("currency", &currency))
            .child(leaf("price_status", "PRE"));
        let image = Node::new("image").child(leaf("id", "i")).child(leaf("url", "https://example.org/i"));
        let ordered = Node::new("product")
            .child(leaf("id", product))
            .child(leaf("name", &text("name")))
            .child(image)
            .child(leaf("price", &price))
            .child(leaf("currency", &currency))
            .child(leaf("quantity", "1"));
        let node = Node::new("order")
            .attr("id", order.to_owned())
            .attr("creation_ts", now)
            .child(sum)
            .child(Node::new("catalog").child(leaf("id", "9")))
            .child(ordered);
        business.orders.insert(order.to_owned(), (token.clone(), node));
        Some(token)
    }

    /// Offers a bot to everybody.
    pub(crate) fn offer_bot(&mut self, jid: Jid, name: &str) {
        self.businesses.bots.push((jid, name.to_owned()));
    }

    /// The certificate of a business's name. Nobody signs it here.
    pub(super) fn verified_name(&self, account: AccountId) -> Option<Node> {
        let business = self.businesses.by_account.get(&account)?;
        let details = Details { verified_name: Some(business.name.clone()), ..Details::default() };
        let certificate = VerifiedNameCertificate {
            details: Some(whimbrel_proto::encode(&details)),
            ..VerifiedNameCertificate::default()
        };
        let name = Node::new("verified_name").attr_opt("jid", self.accounts.bare(account, Space::Pn));
        Some(name.attr("v", "2").bytes(whimbrel_proto::encode(&certificate)))
    }

    pub(super) fn business_query(&mut self, request: &Node) -> Result<Reply, Refusal> {
        if let Some(asked) = request.child_named("verified_name") {
            let account = asked.attr_jid("jid").and_then(|jid| self.accounts.find(&jid));
            let name = account.and_then(|account| self.verified_name(account));
            return name.map(Reply::Child).ok_or_else(|| Refusal::code(404));
        }
        let asked = request.child_named("business_profile").ok_or_else(|| Refusal::code(400))?;
        let profile = |node: &Node| {
            let jid = node.attr_jid("jid")?;
            let business = self.businesses.by_account.get(&self.accounts.find(&jid)?);
            let told = Node::new("profile").attr("jid", jid);
            Some(match business {
                Some(business) => {
                    told.attr("tag", "1").children(business.profile.values().flatten().cloned())
                }
                None => told,
            })
        };
        let profiles: Vec<Node> = asked.children_named("profile").filter_map(profile).collect();
        Ok(Reply::Child(Node::new("business_profile").children(profiles)))
    }

    fn own_business(&mut self, device: DeviceId) -> Result<&mut Business, Refusal> {
        self.businesses.by_account.get_mut(&device.account).ok_or_else(|| Refusal::code(403))
    }

    pub(super) fn business_change(&mut self, device: DeviceId, request: &Node) -> Result<Reply, Refusal> {
        let delta = request.child_named("business_profile").ok_or_else(|| Refusal::code(400))?;
        if !delta.attr_is("mutation_type", "delta") {
            return Err(Refusal::code(400));
        }
        for day in delta.child_named("business_hours").into_iter().flat_map(|hours| hours.child_nodes()) {
            let known =
                |key, words: &[&str]| stanza::plain(day, key).is_some_and(|word| words.contains(&word));
            if !known("day_of_week", &DAYS) || !known("mode", &MODES) {
                return Err(Refusal::code(406));
            }
        }
        if delta.children_named("website").count() > 2 {
            return Err(Refusal::code(406));
        }
        let shelf = Arc::clone(&self.shelf);
        let business = self.own_business(device)?;
        let mut changed: BTreeMap<String, Vec<Node>> = BTreeMap::new();
        for child in delta.child_nodes() {
            match child.tag() {
                "cover_photo" if child.attr_is("op", "delete") => {
                    if business.cover_photo.as_ref().map(|(id, _)| id.as_str()) != stanza::plain(child, "id")
                    {
                        return Err(Refusal::code(404));
                    }
                    business.cover_photo = None;
                }
                "cover_photo" if child.attr_is("op", "update") => {
                    let told = |name| stanza::text(child, name).ok_or_else(|| Refusal::code(400));
                    let id = told("id")?;
                    // What a media host said of a picture that it has.
                    let hash = shelf.posted(&id, &told("ts")?, &told("token")?);
                    let hash = hash.ok_or_else(|| Refusal::code(406))?;
                    business.cover_photo = Some((id, Some(hash)));
                }
                tag @ ("website" | "categories" | "business_hours") => {
                    changed.entry(tag.to_owned()).or_default().push(child.clone());
                }
                tag if TEXTS.contains(&tag) => {
                    changed.entry(tag.to_owned()).or_default().push(child.clone());
                }
                _ => return Err(Refusal::code(400)),
            }
        }
        business.profile.extend(changed);
        self.tell_of_business(device.account, Some(device), Node::new("profile").attr("hash", "ab=="));
        Ok(Reply::Empty)
    }

    pub(super) fn catalog_query(&mut self, request: &Node) -> Result<Reply, Refusal> {
        if let Some(asked) = request.child_named("product_catalog") {
            let business = self.seller(asked, "jid")?;
            let limit = asked.child_text("limit").and_then(|limit| limit.parse::<usize>().ok());
            let limit = limit.filter(|limit| (1..=100).contains(limit)).ok_or_else(|| Refusal::code(400))?;
            let after = asked.child_text("after");
            let rest =
                business.products.iter().filter(|(id, _)| after.is_none_or(|after| id.as_str() > after));
            let mut rest: Vec<(&String, &Node)> = rest.collect();
            let more = rest.len() > limit;
            rest.truncate(limit);
            let next = rest.last().filter(|_| more).map(|(id, _)| leaf("after", id));
            let products: Vec<Node> = rest.into_iter().map(|(_, product)| product.clone()).collect();
            let paging = Node::new("paging").child_opt(next);
            return Ok(Reply::Child(Node::new("product_catalog").children(products).child(paging)));
        }
        let asked = request.child_named("collections").ok_or_else(|| Refusal::code(501))?;
        let business = self.seller(asked, "biz_jid")?;
        let status = Node::new("status_info").child(leaf("status", "APPROVED"));
        let all = Node::new("collection")
            .child(leaf("id", "all"))
            .child(leaf("name", "All"))
            .children(business.products.values().cloned())
            .child(status);
        let some = !business.products.is_empty();
        Ok(Reply::Child(Node::new("collections").children(some.then_some(all))))
    }

    fn seller(&self, asked: &Node, key: &str) -> Result<&Business, Refusal> {
        let account = asked.attr_jid(key).and_then(|jid| self.accounts.find(&jid));
        let account = account.ok_or_else(|| Refusal::code(404))?;
        self.businesses.by_account.get(&account).ok_or_else(|| Refusal::code(404))
    }

    pub(super) fn catalog_change(&mut self, device: DeviceId, request: &Node) -> Result<Reply, Refusal> {
        if let Some(asked) = request.child_named("product_catalog_delete") {
            let ids: Vec<String> = asked
                .children_named("product")
                .filter_map(|one| one.child_text("id").map(str::to_owned))
                .collect();
            let business = self.own_business(device)?;
            let gone = ids.iter().filter(|id| business.products.remove(*id).is_some()).count();
            self.tell_of_catalog(device, &ids);
            return Ok(Reply::Child(Node::new("product_catalog_delete").attr("deleted_count", gone)));
        }
        let (asked, is_new) = match request.child_named("product_catalog_add") {
            Some(asked) => (asked, true),
            None => (request.child_named("product_catalog_edit").ok_or_else(|| Refusal::code(501))?, false),
        };
        let put = asked.child_named("product").ok_or_else(|| Refusal::code(400))?;
        let word = |tag: &str| put.child_text(tag).unwrap_or_default().to_owned();
        if word("name").is_empty() || word("currency").is_empty() || word("price").parse::<u64>().is_err() {
            return Err(Refusal::code(406));
        }
        let fresh = self.random_digits(16);
        let business = self.own_business(device)?;
        let id = if is_new { fresh } else { word("id") };
        if !is_new && !business.products.contains_key(&id) {
            return Err(Refusal::code(404));
        }
        let images = put.child_named("media").into_iter().flat_map(|media| media.children_named("image"));
        let images = images.filter_map(|image| image.child_text("url")).map(|url| {
            Node::new("image")
                .child(leaf("id", "i"))
                .child(leaf("request_image_url", url))
                .child(leaf("original_image_url", url))
        });
        let product = Node::new("product")
            .attr("is_hidden", stanza::text(put, "is_hidden").unwrap_or_else(|| "false".to_owned()))
            .child(leaf("id", &id))
            .child(leaf("name", &word("name")))
            .child(leaf("description", &word("description")))
            .child(leaf("retailer_id", &word("retailer_id")))
            .child(leaf("url", &word("url")))
            .child(leaf("price", &word("price")))
            .child(leaf("currency", &word("currency")))
            .child(Node::new("media").children(images))
            .child(Node::new("status_info").child(leaf("status", "APPROVED")));
        business.products.insert(id.clone(), product.clone());
        self.tell_of_catalog(device, &[id]);
        let tag = if is_new { "product_catalog_add" } else { "product_catalog_edit" };
        Ok(Reply::Child(Node::new(tag).child(product)))
    }

    pub(super) fn order_query(&mut self, request: &Node) -> Result<Reply, Refusal> {
        let asked = request.child_named("order").ok_or_else(|| Refusal::code(501))?;
        let (id, token) = (stanza::text(asked, "id").unwrap_or_default(), asked.child_text("token"));
        let found = self.businesses.by_account.values().find_map(|business| business.orders.get(&id));
        let (wanted, order) = found.ok_or_else(|| Refusal::code(404))?;
        if token == Some(wanted.as_str()) { Ok(Reply::Child(order.clone())) } else { Err(Refusal::code(401)) }
    }

    pub(super) fn bot_query(&self, request: &Node) -> Result<Reply, Refusal> {
        request.child_named("bot").ok_or_else(|| Refusal::code(400))?;
        let bots = self.businesses.bots.iter().map(|(jid, _)| {
            Node::new("bot").attr("jid", jid.clone()).attr("persona_id", format!("{}$1", jid.user()))
        });
        let all = Node::new("section").attr("type", "all").children(bots);
        Ok(Reply::Child(Node::new("bot").attr("v", "2").child(all)))
    }

    /// What a bot says of itself, for a question about users. whatsmeow needs every part of it.
    pub(super) fn bot_profile(&self, jid: &Jid) -> Option<Node> {
        let (jid, name) = self.businesses.bots.iter().find(|(known, _)| known == jid)?;
        let prompt = Node::new("prompt").child(leaf("emoji", "🐦")).child(leaf("text", "Which bird is it?"));
        let command = Node::new("command").child(leaf("name", "imagine")).child(leaf("description", "draw"));
        let profile = Node::new("profile")
            .attr("persona_id", format!("{}$1", jid.user()))
            .child(leaf("name", name))
            .child(leaf("attributes", "a"))
            .child(leaf("description", "knows birds"))
            .child(leaf("category", "nature"))
            .child(Node::new("default"))
            .child(Node::new("prompts").child(prompt))
            .child(Node::new("commands").child(leaf("description", "what it does")).child(command));
        Some(Node::new("bot").child(profile))
    }

    fn tell_of_catalog(&mut self, device: DeviceId, ids: &[String]) {
        let products = ids.iter().map(|id| Node::new("product").child(leaf("id", id)));
        let told = Node::new("product_catalog").children(products.collect::<Vec<_>>());
        self.tell_of_business(device.account, Some(device), told);
    }

    /// Tells those who know the business, and its own other devices.
    fn tell_of_business(&mut self, account: AccountId, except: Option<DeviceId>, told: Node) {
        let Some(known) = self.accounts.get(account) else { return };
        let from = known.bare(Space::Pn);
        let people: Vec<AccountId> = known.contacts.iter().copied().chain([account]).collect();
        for person in people {
            let devices = self.accounts.devices(person);
            for device in devices.into_iter().filter(|device| device.number != 0 && Some(*device) != except) {
                let notification = self.notification("business", from.clone()).child(told.clone());
                self.push(device, notification);
            }
        }
    }
}
