//! The universal user query (signal document §2.5, features document §7.3).

use whimbrel_wire::{Jid, Node};

use super::Service;
use super::accounts::{Account, AccountId, DeviceId, Space};
use super::iq::Reply;
use super::proof::KeyIndexList;
use crate::stanza::{self, Refusal};

/// Most users in one query.
const USER_LIMIT: usize = 5000;

impl Service {
    pub(super) fn usync(&mut self, asking: DeviceId, request: &Node) -> Result<Reply, Refusal> {
        let query = request.child_named("usync").ok_or_else(|| Refusal::code(400))?;
        let protocols = query.child_named("query").ok_or_else(|| Refusal::code(400))?;
        let users: Vec<&Node> =
            query.child_named("list").map_or_else(Vec::new, |list| list.children_named("user").collect());
        if protocols.child_nodes().is_empty() || users.len() > USER_LIMIT {
            return Err(Refusal::code(400));
        }
        let mut answered = Node::new("result");
        for protocol in protocols.child_nodes() {
            let node = Node::new(protocol.tag().to_owned());
            answered.push_child(if known(protocol.tag()) {
                node
            } else {
                let refusal = Refusal::code(501);
                node.child(Node::new("error").attr("code", refusal.code).attr("text", refusal.text))
            });
        }
        let list =
            Node::new("list").children(users.iter().filter_map(|user| self.user(asking, protocols, user)));
        if protocols.child_named("devices").is_some() {
            self.remember_listed(asking, &users);
        }
        let mut usync = Node::new("usync");
        for key in ["sid", "mode", "last", "index", "context"] {
            usync = usync.attr_opt(key, stanza::text(query, key));
        }
        Ok(Reply::Child(usync.child(answered).child(list)))
    }

    /// Notes in which form the asker keeps whose device list: changes are announced in the same.
    fn remember_listed(&mut self, asking: DeviceId, users: &[&Node]) {
        let listed: Vec<(AccountId, Space)> = users
            .iter()
            .filter_map(|user| user.attr_jid("jid"))
            .filter_map(|jid| Some((self.accounts.find(&jid)?, Space::of(&jid)?)))
            .collect();
        if let Some(device) = self.accounts.device_mut(asking) {
            device.listed.extend(listed);
        }
    }

    fn user(&self, asking: DeviceId, protocols: &Node, asked: &Node) -> Option<Node> {
        if let Some(found) = asked.child_named("contact").and_then(|contact| self.user_by_name(contact)) {
            return Some(found);
        }
        let contact = asked.child_named("contact").and_then(|contact| contact.content_text());
        let hint = asked.child_named("lid").and_then(|lid| lid.attr_jid("jid"));
        let jid = asked.attr_jid("jid").or_else(|| hint.filter(|_| contact.is_none()));
        if protocols.child_named("bot").is_some()
            && let Some(jid) = &jid
            && let Some(profile) = self.bot_profile(jid)
        {
            return Some(Node::new("user").attr("jid", jid).child(profile));
        }
        let found = match (&jid, contact) {
            (Some(jid), _) => self.accounts.find(jid),
            (None, Some(number)) => self.accounts.by_pn(digits(number)),
            (None, None) => None,
        };
        let wants_lid =
            protocols.child_named("contact").is_some_and(|node| node.attr_is("addressing_mode", "lid"));
        let by_lid = jid.as_ref().and_then(Space::of) == Some(Space::Lid);
        // Of an account that lives by its number, nobody else knows the hidden one.
        let known =
            |account: &&Account| !by_lid || account.id == asking.account || account.twin(Space::Pn).is_some();
        let Some(account) = found.and_then(|id| self.accounts.get(id)).filter(known) else {
            return unregistered(protocols, jid, contact);
        };
        let (pn, lid) = (account.bare(Space::Pn), account.twin(Space::Pn));
        let mut user = Node::new("user");
        user = match jid {
            Some(jid) if !wants_lid => user.attr("jid", jid.to_bare()),
            _ => match lid.filter(|_| wants_lid) {
                Some(lid) => user.attr("jid", lid).attr("pn_jid", pn),
                None => user.attr("jid", pn),
            },
        };
        let mut answers = Vec::new();
        for protocol in protocols.child_nodes() {
            let hash = asked.child_named("devices").and_then(|devices| stanza::text(devices, "device_hash"));
            match self.protocol(asking, account, protocol.tag(), contact, hash.as_deref()) {
                Some(answer) => answers.push(answer),
                // The asker has this list already; a user without any other answer is left out.
                None if protocol.tag() == "devices" && protocols.child_nodes().len() == 1 => return None,
                None => {}
            }
        }
        Some(user.children(answers))
    }

    fn protocol(
        &self,
        asking: DeviceId,
        account: &Account,
        protocol: &str,
        contact: Option<&str>,
        known_hash: Option<&str>,
    ) -> Option<Node> {
        let settings = &account.settings;
        match protocol {
            "contact" => {
                let mut answer = Node::new("contact").attr("type", "in");
                if let Some(query) = contact {
                    answer = answer.bytes(query.as_bytes().to_vec());
                }
                Some(answer)
            }
            "lid" if account.id == asking.account => {
                Some(Node::new("lid").attr("val", account.bare(Space::Lid)))
            }
            "lid" => account.twin(Space::Pn).map(|lid| Node::new("lid").attr("val", lid)),
            "devices" => self.device_list(account.id, known_hash),
            "status" if !self.sees(account.id, "status", asking.account) => {
                Some(Node::new("status").attr("code", "401"))
            }
            "status" => {
                let (text, changed) = settings.about();
                Some(Node::new("status").attr("t", changed).bytes(text.as_bytes().to_vec()))
            }
            "business" => self.verified_name(account.id).map(|name| Node::new("business").child(name)),
            "disappearing_mode" => {
                let (duration, changed) = settings.disappearing_mode();
                Some(Node::new("disappearing_mode").attr("duration", duration).attr("t", changed))
            }
            "username" => {
                let name = self.names.of(account.id)?;
                Some(Node::new("username").text(name.to_owned()))
            }
            "text_status" if self.sees(account.id, "status", asking.account) => {
                self.names.text(account.id).map(super::usernames::TextStatus::node)
            }
            // What a person does not have is left out: some clients take the mere presence of an
            // element for an answer.
            _ => None,
        }
    }

    /// What was right about a person's devices before the last companion went.
    pub(super) fn former_devices(&self, user: &Jid) -> Option<Node> {
        self.accounts.get(self.accounts.find(user)?)?.former_devices.clone()
    }

    /// The signed device list of an account, or nothing if the asker has it already.
    pub(super) fn device_list(&self, id: AccountId, known_hash: Option<&str>) -> Option<Node> {
        let account = self.accounts.get(id)?;
        let hash = self.device_hash(id, Space::Pn);
        if known_hash.is_some_and(|known| known == hash || known == self.device_hash(id, Space::Lid)) {
            return None;
        }
        let devices = account.devices.iter().map(|(number, device)| {
            Node::new("device")
                .attr("id", *number)
                .attr_opt("key-index", (*number != 0).then_some(device.key_index))
                .attr_opt("is_hosted", device.hosted.then_some("true"))
        });
        let list = account.key_index_list.as_ref().map(KeyIndexList::node);
        Some(
            Node::new("devices")
                .child(Node::new("device-list").attr("hash", hash).children(devices))
                .child_opt(list),
        )
    }
}

fn known(protocol: &str) -> bool {
    matches!(
        protocol,
        "contact"
            | "lid"
            | "devices"
            | "status"
            | "picture"
            | "business"
            | "disappearing_mode"
            | "username"
            | "text_status"
            | "bot"
            | "feature"
            | "sidelist"
    )
}

/// The digits of `+55118888`, `55118888` or `+55118888@c.us`.
fn digits(number: &str) -> &str {
    let number = number.split('@').next().unwrap_or(number);
    number.strip_prefix('+').unwrap_or(number)
}

fn unregistered(protocols: &Node, jid: Option<Jid>, contact: Option<&str>) -> Option<Node> {
    let user = Node::new("user").attr_opt("jid", jid.map(|jid| jid.to_bare()));
    if protocols.child_named("contact").is_none() {
        return user.attr_value("jid").is_some().then_some(user);
    }
    let answer = Node::new("contact").attr("type", "out");
    Some(user.child(match contact {
        Some(query) => answer.bytes(query.as_bytes().to_vec()),
        None => answer,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_the_spellings_of_all_clients() {
        assert_eq!(digits("+5511999999999"), "5511999999999");
        assert_eq!(digits("+5511999999999@c.us"), "5511999999999");
        assert_eq!(digits("5511999999999"), "5511999999999");
    }
}
