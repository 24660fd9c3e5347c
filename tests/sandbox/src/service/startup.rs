//! What clients ask for and change about their account at start-up and in its settings: server
//! properties, privacy, block list, disappearing mode, about (features document §8, §15.1, §7.1).

use std::collections::{BTreeMap, BTreeSet};

use whimbrel_wire::Node;

use super::Service;
use super::accounts::{AccountId, DeviceId, Space};
use super::iq::Reply;
use crate::stanza::{self, Refusal};

/// The hash of the (empty) table of server properties.
const PROPS_HASH: &str = "sandbox-1";
/// Privacy categories and what they are set to at first.
const CATEGORIES: [(&str, &str); 9] = [
    ("last", "all"),
    ("online", "all"),
    ("profile", "all"),
    ("status", "all"),
    ("groupadd", "all"),
    ("readreceipts", "all"),
    ("calladd", "all"),
    ("messages", "all"),
    ("defense", "off"),
];

/// Settings of an account that the service knows.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    blocked: BTreeSet<AccountId>,
    blocklist_version: u64,
    privacy: BTreeMap<String, String>,
    disappearing: (u32, u64),
    about: (String, u64),
    business: Option<String>,
    pub(super) status: super::status::StatusPrivacy,
}

impl Settings {
    pub(super) fn blocks(&self, other: AccountId) -> bool {
        self.blocked.contains(&other)
    }

    pub(super) fn about(&self) -> (&str, u64) {
        (&self.about.0, self.about.1)
    }

    pub(super) fn disappearing_mode(&self) -> (u32, u64) {
        self.disappearing
    }

    pub(super) fn business_name(&self) -> Option<&str> {
        self.business.as_deref()
    }

    pub(super) fn privacy(&self, category: &str) -> &str {
        let first = CATEGORIES.iter().find(|(name, _)| *name == category).map_or("all", |(_, value)| value);
        self.privacy.get(category).map_or(first, String::as_str)
    }

    fn dhash(&self) -> String {
        self.blocklist_version.to_string()
    }
}

/// Server properties: none, so clients keep their defaults.
pub(super) fn props(request: &Node) -> Node {
    let hash = request.child_named("props").and_then(|props| stanza::text(props, "hash"));
    let props = Node::new("props")
        .attr("protocol", "1")
        .attr("ab_key", "sandbox")
        .attr("hash", PROPS_HASH)
        .attr("refresh", "86400")
        .attr("refresh_id", "1");
    props.attr("delta_update", hash.as_deref() == Some(PROPS_HASH))
}

impl Service {
    pub(super) fn blocklist(&mut self, device: DeviceId) -> Result<Reply, Refusal> {
        let account = self.accounts.get(device.account).ok_or_else(|| Refusal::code(401))?;
        let items = account.settings.blocked.iter().filter_map(|id| self.accounts.get(*id)).map(|blocked| {
            Node::new("item").attr("jid", blocked.bare(Space::Lid)).attr("pn_jid", blocked.bare(Space::Pn))
        });
        let list = Node::new("list").attr("dhash", account.settings.dhash()).children(items);
        Ok(Reply::Child(list))
    }

    pub(super) fn change_blocklist(&mut self, device: DeviceId, request: &Node) -> Result<Reply, Refusal> {
        let item = request.child_named("item").ok_or_else(|| Refusal::code(400))?;
        let jid = item.attr_jid("jid").ok_or_else(|| Refusal::code(400))?;
        let block = match stanza::plain(item, "action") {
            Some("block") => true,
            Some("unblock") => false,
            _ => return Err(Refusal::code(400)),
        };
        if Space::of(&jid) != Some(Space::Lid) {
            return Err(Refusal::code(400));
        }
        let other = self.accounts.find(&jid).ok_or_else(|| Refusal::code(404))?;
        let settings = self.settings_mut(device)?;
        let prev_dhash = settings.dhash();
        if block {
            settings.blocked.insert(other);
        } else {
            settings.blocked.remove(&other);
        }
        settings.blocklist_version += 1;
        let dhash = settings.dhash();
        let action = if block { "block" } else { "unblock" };
        let item = Node::new("item").attr("jid", jid.to_bare()).attr("action", action);
        let change = Node::new("blocklist")
            .attr("dhash", dhash.clone())
            .attr("prev_dhash", prev_dhash)
            .child(item.clone());
        self.sync_account(device, change);
        Ok(Reply::Child(Node::new("list").attr("dhash", dhash).child(item)))
    }

    pub(super) fn privacy(&mut self, device: DeviceId, request: &Node) -> Result<Reply, Refusal> {
        let asked = request.child_named("privacy").ok_or_else(|| Refusal::code(400))?;
        if asked.child_named("list").is_some() {
            // Exception lists are kept empty, which the answer says by having none.
            return Ok(Reply::Child(Node::new("privacy")));
        }
        let account = self.accounts.get(device.account).ok_or_else(|| Refusal::code(401))?;
        let categories = CATEGORIES.iter().map(|(name, _)| {
            Node::new("category").attr("name", *name).attr("value", account.settings.privacy(name).to_owned())
        });
        Ok(Reply::Child(Node::new("privacy").children(categories)))
    }

    /// Somebody changes a setting of privacy on the phone. Tells whether there is such a person.
    pub(crate) fn set_privacy(&mut self, number: &str, name: &str, value: &str) -> bool {
        let account = self.accounts.by_pn(number).and_then(|account| self.accounts.get_mut(account));
        account.is_some_and(|account| {
            account.settings.privacy.insert(name.to_owned(), value.to_owned());
            true
        })
    }

    pub(super) fn change_privacy(&mut self, device: DeviceId, request: &Node) -> Result<Reply, Refusal> {
        if let Some(tokens) = request.child_named("tokens") {
            return self.issue_tokens(device, tokens);
        }
        let asked = request.child_named("privacy").ok_or_else(|| Refusal::code(400))?;
        let mut changed = Vec::new();
        for category in asked.children_named("category") {
            let (Some(name), Some(value)) = (stanza::text(category, "name"), stanza::text(category, "value"))
            else {
                return Err(Refusal::code(400));
            };
            changed.push((name, value));
        }
        if changed.is_empty() {
            return Err(Refusal::code(400));
        }
        let settings = self.settings_mut(device)?;
        settings.privacy.extend(changed.iter().cloned());
        let categories = changed
            .into_iter()
            .map(|(name, value)| Node::new("category").attr("name", name).attr("value", value));
        let privacy = Node::new("privacy").children(categories);
        self.sync_account(device, privacy.clone());
        Ok(Reply::Child(privacy))
    }

    /// A person changes on the phone who may add him to groups: `all`, `contacts` or `none`.
    pub(crate) fn let_add(&mut self, number: &str, value: &str) -> bool {
        let Some(account) = self.accounts.by_pn(number).and_then(|id| self.accounts.get_mut(id)) else {
            return false;
        };
        account.settings.privacy.insert("groupadd".to_owned(), value.to_owned());
        true
    }

    /// Trusted-contact tokens: an opaque token for the other person, who is told (features document §9).
    fn issue_tokens(&mut self, device: DeviceId, tokens: &Node) -> Result<Reply, Refusal> {
        let own = self.accounts.get(device.account).ok_or_else(|| Refusal::code(401))?;
        let (pn, lid) = (own.bare(Space::Pn), own.bare(Space::Lid));
        for token in tokens.children_named("token") {
            let jid = token.attr_jid("jid").ok_or_else(|| Refusal::code(400))?;
            let time = token.attr_u64("t").ok_or_else(|| Refusal::code(400))?;
            let Some(peer) = self.accounts.find(&jid) else { return Err(Refusal::code(404)) };
            let value = self.random::<16>();
            let issued =
                Node::new("token").attr("type", "trusted_contact").attr("t", time).bytes(value.to_vec());
            let issued = Node::new("tokens").child(issued);
            self.notify_account(peer, None, |service| {
                service
                    .notification("privacy_token", pn.clone())
                    .attr("sender_lid", lid.clone())
                    .child(issued.clone())
            });
        }
        Ok(Reply::Empty)
    }

    pub(super) fn change_disappearing_mode(
        &mut self,
        device: DeviceId,
        request: &Node,
    ) -> Result<Reply, Refusal> {
        let duration = request
            .child_named("disappearing_mode")
            .and_then(|mode| mode.attr_u32("duration"))
            .ok_or_else(|| Refusal::code(400))?;
        let now = self.now;
        self.settings_mut(device)?.disappearing = (duration, now);
        self.sync_account(device, Node::new("disappearing_mode").attr("duration", duration).attr("t", now));
        Ok(Reply::Empty)
    }

    pub(super) fn change_about(&mut self, device: DeviceId, request: &Node) -> Result<Reply, Refusal> {
        let status = request.child_named("status").ok_or_else(|| Refusal::code(400))?;
        let text = status.content_text().unwrap_or_default().to_owned();
        let now = self.now;
        self.settings_mut(device)?.about = (text.clone(), now);
        let Some(account) = self.accounts.get(device.account) else { return Ok(Reply::Empty) };
        let (pn, contacts) = (account.bare(Space::Pn), account.contacts.clone());
        for contact in contacts {
            self.notify_account(contact, None, |service| {
                service.notification("status", pn.clone()).child(Node::new("set").text(text.clone()))
            });
        }
        Ok(Reply::Empty)
    }

    fn settings_mut(&mut self, device: DeviceId) -> Result<&mut Settings, Refusal> {
        let account = self.accounts.get_mut(device.account).ok_or_else(|| Refusal::code(401))?;
        Ok(&mut account.settings)
    }

    /// Tells the account's other devices what was changed on this one.
    fn sync_account(&mut self, device: DeviceId, change: Node) {
        let Some(own) = self.accounts.bare(device.account, Space::Pn) else { return };
        self.notify_account(device.account, Some(device), |service| {
            service.notification("account_sync", own.clone()).child(change.clone())
        });
    }
}
