//! Who sees and may do what of an account, and the timer that it wants in new chats (features document §8.1,
//! §8.2).

use std::collections::{BTreeMap, BTreeSet};

use whimbrel_wire::Node;

use super::Service;
use super::accounts::{AccountId, DeviceId, Space};
use super::iq::Reply;
use crate::options::LidStanding;
use crate::stanza::{self, Refusal};

/// Categories of privacy, what they are set to at first, and what else they can be set to.
const CATEGORIES: [(&str, &str, &[&str]); 12] = [
    ("last", "all", AUDIENCES),
    ("online", "all", &["match_last_seen", "none"]),
    ("profile", "all", AUDIENCES),
    ("status", "all", AUDIENCES),
    ("groupadd", "all", AUDIENCES),
    ("readreceipts", "all", &["none"]),
    ("calladd", "all", &["known", "contacts"]),
    ("messages", "all", &["contacts"]),
    ("defense", "off", &["on_standard"]),
    ("stickers", "contacts", &["contact_allowlist", "none"]),
    ("linked_profiles", "contacts", &["all", "contact_blacklist", "none"]),
    ("pix", "contacts", &["all", "contact_blacklist", "none"]),
];
const AUDIENCES: &[&str] = &["contacts", "contact_blacklist", "none"];

/// The value with which people can be left out.
const EXCEPT: &str = "contact_blacklist";

/// Timers of new chats, seconds.
const TIMERS: [u32; 4] = [0, 86_400, 604_800, 7_776_000];

/// The settings of an account.
#[derive(Debug, Default)]
pub(crate) struct Privacy {
    values: BTreeMap<String, String>,
    /// The people who are left out, by category, and the hash of the list.
    exceptions: BTreeMap<String, (String, BTreeSet<AccountId>)>,
}

impl super::settings::Settings {
    pub(super) fn privacy(&self, category: &str) -> &str {
        let first =
            CATEGORIES.iter().find(|(name, ..)| *name == category).map_or("all", |(_, first, _)| first);
        self.privacy.values.get(category).map_or(first, String::as_str)
    }

    fn excepts(&self, category: &str, person: AccountId) -> bool {
        self.privacy.exceptions.get(category).is_some_and(|(_, people)| people.contains(&person))
    }

    fn set_privacy(&mut self, category: &str, value: &str) {
        self.privacy.values.insert(category.to_owned(), value.to_owned());
    }
}

impl Service {
    /// Whether the owner of something lets somebody see or do it, and has not blocked him.
    pub(super) fn sees(&self, owner: AccountId, category: &str, asking: AccountId) -> bool {
        let Some(person) = self.accounts.get(owner) else { return false };
        if owner == asking {
            return true;
        }
        let knows = person.contacts.contains(&asking);
        !person.settings.blocks(asking)
            && match person.settings.privacy(category) {
                "none" => false,
                "contacts" | "known" => knows,
                EXCEPT => knows && !person.settings.excepts(category, asking),
                "match_last_seen" => self.sees(owner, "last", asking),
                _ => true,
            }
    }

    pub(super) fn privacy(&mut self, device: DeviceId, request: &Node) -> Result<Reply, Refusal> {
        let asked = request.child_named("privacy").ok_or_else(|| Refusal::code(400))?;
        if let Some(list) = asked.child_named("list") {
            self.check_addressing(device, asked)?;
            return self.exceptions(device, list);
        }
        let account = self.accounts.get(device.account).ok_or_else(|| Refusal::code(401))?;
        let categories = CATEGORIES.iter().map(|(name, ..)| {
            Node::new("category").attr("name", *name).attr("value", account.settings.privacy(name).to_owned())
        });
        Ok(Reply::Child(Node::new("privacy").children(categories)))
    }

    /// An account that lives by its LID says so where lists of people are meant.
    fn check_addressing(&self, device: DeviceId, asked: &Node) -> Result<(), Refusal> {
        let standing = self.accounts.get(device.account).map(|account| account.standing);
        let by_lid = stanza::plain(asked, "addressing_mode") == Some("lid");
        if standing == Some(LidStanding::Migrated) && !by_lid { Err(Refusal::code(400)) } else { Ok(()) }
    }

    /// Who is left out of a category.
    fn exceptions(&self, device: DeviceId, asked: &Node) -> Result<Reply, Refusal> {
        let name = stanza::text(asked, "name").ok_or_else(|| Refusal::code(400))?;
        if !takes(&name, EXCEPT) || stanza::plain(asked, "value") != Some(EXCEPT) {
            return Err(Refusal::code(400));
        }
        let account = self.accounts.get(device.account).ok_or_else(|| Refusal::code(401))?;
        let list = account.settings.privacy.exceptions.get(&name).map(|(dhash, people)| {
            let users = people.iter().filter_map(|person| self.accounts.get(*person)).map(|person| {
                Node::new("user").attr("jid", person.bare(Space::Lid)).attr("pn_jid", person.bare(Space::Pn))
            });
            Node::new("list")
                .attr("name", name)
                .attr("value", EXCEPT)
                .attr("dhash", dhash.clone())
                .children(users)
        });
        Ok(Reply::Child(Node::new("privacy").child_opt(list)))
    }

    /// Somebody changes a setting of privacy on the phone. Tells whether there is such a person.
    pub(crate) fn set_privacy(&mut self, number: &str, name: &str, value: &str) -> bool {
        let account = self.accounts.by_pn(number).and_then(|account| self.accounts.get_mut(account));
        account.is_some_and(|account| {
            account.settings.set_privacy(name, value);
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
            if !takes(&name, &value) {
                return Err(Refusal::code(400));
            }
            if category.child_named("user").is_some() || stanza::text(category, "dhash").is_some() {
                self.check_addressing(device, asked)?;
                self.change_exceptions(device, &name, category)?;
            }
            changed.push((name, value));
        }
        if changed.is_empty() {
            return Err(Refusal::code(400));
        }
        let settings = self.settings_mut(device)?;
        let mut privacy = Node::new("privacy");
        for (name, value) in changed {
            settings.set_privacy(&name, &value);
            let dhash = settings.privacy.exceptions.get(&name).map(|(dhash, _)| dhash.clone());
            let dhash = dhash.filter(|_| value == EXCEPT);
            let category = Node::new("category").attr("name", name).attr("value", value);
            privacy.push_child(category.attr_opt("dhash", dhash));
        }
        self.sync_account(device, privacy.clone());
        Ok(Reply::Child(privacy))
    }

    /// Somebody leaves people out of a category, or takes them in again: refused with 409 unless the change
    /// names the list as it is now.
    fn change_exceptions(&mut self, device: DeviceId, name: &str, category: &Node) -> Result<(), Refusal> {
        let settings = &self.accounts.get(device.account).ok_or_else(|| Refusal::code(401))?.settings;
        let known = settings.privacy.exceptions.get(name);
        let (dhash, mut people) = known.cloned().unwrap_or_else(|| ("none".to_owned(), BTreeSet::new()));
        if stanza::plain(category, "value") != Some(EXCEPT) {
            return Err(Refusal::code(400));
        }
        if stanza::text(category, "dhash").as_deref() != Some(dhash.as_str()) {
            return Err(Refusal::code(409));
        }
        for user in category.children_named("user") {
            let jid = user.attr_jid("jid").ok_or_else(|| Refusal::code(400))?;
            let person = self.accounts.find(&jid).ok_or_else(|| Refusal::code(404))?;
            match stanza::plain(user, "action") {
                Some("add") => people.insert(person),
                Some("remove") => people.remove(&person),
                _ => return Err(Refusal::code(400)),
            };
        }
        // Opaque to clients; another one after each change.
        let (now, change) = (self.now, self.next_id());
        let dhash = format!("{now}{change}");
        self.settings_mut(device)?.privacy.exceptions.insert(name.to_owned(), (dhash, people));
        Ok(())
    }

    /// A person changes on the phone who may add him to groups: `all`, `contacts` or `none`.
    pub(crate) fn let_add(&mut self, number: &str, value: &str) -> bool {
        self.set_privacy(number, "groupadd", value)
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
        if !TIMERS.contains(&duration) {
            return Err(Refusal::code(406));
        }
        let now = self.now;
        self.settings_mut(device)?.disappearing = (duration, now);
        let mode = Node::new("disappearing_mode").attr("duration", duration).attr("t", now);
        self.sync_account(device, mode.clone());
        let account = self.accounts.get(device.account).ok_or_else(|| Refusal::code(401))?;
        let (pn, contacts) = (account.bare(Space::Pn), account.contacts.clone());
        for contact in contacts {
            self.notify_account(contact, None, |service| {
                service.notification("disappearing_mode", pn.clone()).child(mode.clone())
            });
        }
        Ok(Reply::Empty)
    }
}

/// Whether a category can be set to a value.
fn takes(category: &str, value: &str) -> bool {
    let row = CATEGORIES.iter().find(|(name, ..)| *name == category);
    row.is_some_and(|(_, first, others)| *first == value || others.contains(&value))
}
