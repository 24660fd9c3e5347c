//! User names, texts with emoji, and codes that lead to people (features document §7.1, §7.5, §7.7).

use std::collections::BTreeMap;

use serde_json::{Value, json};
use whimbrel_wire::{Jid, Node};

use super::Service;
use super::accounts::{AccountId, DeviceId, Space};
use super::iq::Reply;
use super::mex::Answer;
use crate::stanza::{self, Refusal};

/// What an account shows beside its words.
#[derive(Debug, Default, Clone)]
pub(super) struct TextStatus {
    text: String,
    emoji: String,
    seconds: u64,
    changed: u64,
}

/// What is known of user names and codes.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// In small letters.
    holders: BTreeMap<String, AccountId>,
    /// As they were written, and their keys.
    shown: BTreeMap<AccountId, (String, Option<String>)>,
    texts: BTreeMap<AccountId, TextStatus>,
    codes: BTreeMap<String, AccountId>,
    /// Codes of businesses: whose, and what is to be written.
    messages: BTreeMap<String, (AccountId, String)>,
}

impl Names {
    /// The user name of an account.
    pub(super) fn of(&self, account: AccountId) -> Option<&str> {
        self.shown.get(&account).map(|(name, _)| name.as_str())
    }

    pub(super) fn text(&self, account: AccountId) -> Option<&TextStatus> {
        self.texts.get(&account)
    }

    /// Words without an emoji are not what this was.
    pub(super) fn forget_text(&mut self, account: AccountId) {
        self.texts.remove(&account);
    }
}

impl TextStatus {
    /// As a query is answered.
    pub(super) fn node(&self) -> Node {
        let emoji = Node::new("emoji").attr("content", self.emoji.clone());
        Node::new("text_status")
            .attr("text", self.text.clone())
            .attr("ephemeral_duration_sec", self.seconds)
            .attr("last_update_time", self.changed)
            .child(emoji)
    }
}

impl Service {
    /// An operation of the GraphQL interface about profiles; `None` for others.
    pub(super) fn profile_graph(
        &mut self,
        device: DeviceId,
        name: &str,
        variables: &Value,
    ) -> Option<Answer> {
        let text = |name: &str| variables.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(match name {
            "UpdateTextStatus" => self.update_text(device, variables.get("input").unwrap_or(&Value::Null)),
            "FetchAboutStatus" => {
                let user = variables.get("user").and_then(|user| user.get("user_id")).and_then(Value::as_str);
                let user = user.map(|user| user.split('@').next().unwrap_or(user));
                let found = user.and_then(|user| self.accounts.by_pn(user));
                let shown = found.filter(|found| self.sees(*found, "status", device.account));
                let about =
                    shown.and_then(|found| self.accounts.get(found)).map(|found| found.settings.about());
                let about = about.map(|(text, time)| json!({ "text": text, "timestamp": time.to_string() }));
                Ok(("xwa2_users_updates_since", json!([{ "updates": [about] }])))
            }
            "GetUsername" => {
                let own = self.names.shown.get(&device.account);
                let info = own.map(|(name, key)| json!({ "username": name, "state": "ACTIVE", "pin": key }));
                Ok(("xwa2_username_get", json!({ "username_info": info })))
            }
            "UsernameAvailability" => {
                let free = text("input").is_some_and(|name| self.may_have(device.account, &name));
                let suggestions: Vec<String> = if free {
                    Vec::new()
                } else {
                    text("input").iter().map(|name| format!("{name}_1")).collect()
                };
                let result = if free { "SUCCESS" } else { "TAKEN" };
                Ok(("xwa2_username_check", json!({ "result": result, "suggestions": suggestions })))
            }
            "SetUsername" => {
                let done = self.set_username(device, text("input"));
                Ok(("xwa2_username_set", json!({ "result": if done { "SUCCESS" } else { "TAKEN" } })))
            }
            "SetUsernameKey" => {
                let key = text("pin")
                    .filter(|key| key.len() == 4 && key.bytes().all(|octet| octet.is_ascii_digit()));
                let own = self.names.shown.get_mut(&device.account).filter(|_| key.is_some());
                let done = own.map(|own| own.1 = key).is_some();
                Ok(("xwa2_username_pin_set", json!({ "result": if done { "SUCCESS" } else { "INVALID" } })))
            }
            _ => return None,
        })
    }

    fn may_have(&self, account: AccountId, name: &str) -> bool {
        let legal = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'_' | b'.');
        let held = self.names.holders.get(&name.to_ascii_lowercase());
        (3..=35).contains(&name.len())
            && name.bytes().all(legal)
            && held.is_none_or(|holder| *holder == account)
    }

    /// Gives an account a user name, or takes it away. Those who know the account are told.
    fn set_username(&mut self, device: DeviceId, name: Option<String>) -> bool {
        let account = device.account;
        if name.as_ref().is_some_and(|name| !self.may_have(account, name)) {
            return false;
        }
        let former = self.names.shown.remove(&account);
        if let Some((former, _)) = &former {
            self.names.holders.remove(&former.to_ascii_lowercase());
        }
        if let Some(name) = &name {
            self.names.holders.insert(name.to_ascii_lowercase(), account);
            let key = former.and_then(|(_, key)| key);
            self.names.shown.insert(account, (name.clone(), key));
        }
        let Some(person) = self.accounts.get(account) else { return true };
        let (lid, contacts) = (person.bare(Space::Lid).to_string(), person.contacts.clone());
        let (operation, data) = match &name {
            Some(name) => (
                "UsernameSetNotification",
                json!({ "xwa2_notify_username_on_change": { "username": name, "lid": lid } }),
            ),
            None => ("UsernameDeleteNotification", json!({ "xwa2_notify_username_delete": { "lid": lid } })),
        };
        for contact in contacts {
            self.notify_graph(contact, None, operation, &data);
        }
        let change = Node::new("username").attr_opt("username", name.clone());
        let action = if name.is_some() { "modify" } else { "delete" };
        self.sync_account(device, change.attr("action", action));
        true
    }

    fn update_text(&mut self, device: DeviceId, input: &Value) -> Answer {
        let text = input.get("text").and_then(Value::as_str).unwrap_or_default().to_owned();
        let emoji = input.get("emoji").and_then(|emoji| emoji.get("content")).and_then(Value::as_str);
        let status = TextStatus {
            text: text.clone(),
            emoji: emoji.unwrap_or_default().to_owned(),
            seconds: input.get("ephemeral_duration_sec").and_then(Value::as_u64).unwrap_or_default(),
            changed: self.now,
        };
        let now = self.now;
        self.settings_mut(device)?.about = (text, now);
        self.names.texts.insert(device.account, status.clone());
        self.sync_account(device, Node::new("status"));
        let account = self.accounts.get(device.account).ok_or_else(|| Refusal::code(401))?;
        let data = json!({ "xwa2_notify_text_status_on_update": {
            "jid": account.bare(Space::Lid).to_string(),
            "text": status.text,
            "emoji": { "content": status.emoji },
            "ephemeral_duration_sec": status.seconds,
            "last_update_time": status.changed.to_string(),
        }});
        let contacts = account.contacts.clone();
        for contact in contacts {
            if self.sees(device.account, "status", contact) {
                self.notify_graph(contact, None, "TextStatusUpdateNotification", &data);
            }
        }
        Ok(("xwa2_update_text_status", json!({ "result": "SUCCESS" })))
    }

    /// Announces something over the GraphQL interface to the companions of an account.
    pub(super) fn notify_graph(
        &mut self,
        account: AccountId,
        except: Option<DeviceId>,
        operation: &'static str,
        data: &Value,
    ) {
        let json = json!({ "data": data }).to_string();
        self.notify_account(account, except, |service| {
            let update = Node::new("update").attr("op_name", operation).text(json.clone());
            service.notification("mex", Jid::SERVER).child(update)
        });
    }

    /// Who has a user name, as a query is answered: nobody, somebody who wants a key, or who it is.
    pub(super) fn user_by_name(&self, contact: &Node) -> Option<Node> {
        let name = stanza::text(contact, "username")?;
        let holder = self.names.holders.get(&name.to_ascii_lowercase());
        let shown = holder.and_then(|holder| Some((*holder, self.names.shown.get(holder)?)));
        let Some((holder, (shown, key))) = shown else {
            let out = Node::new("contact").attr("type", "out").attr("username", name);
            return Some(Node::new("user").child(out));
        };
        let found = Node::new("contact").attr("type", "in").attr("username", shown.clone());
        if key.is_some() && *key != stanza::text(contact, "pin") {
            return Some(Node::new("user").child(found));
        }
        let lid = self.accounts.get(holder)?.bare(Space::Lid);
        Some(Node::new("user").attr("jid", lid).child(found))
    }

    /// Codes that lead to people: who is behind one.
    pub(super) fn resolve_code(&mut self, request: &Node) -> Result<Reply, Refusal> {
        let code = request.child_named("qr").and_then(|qr| stanza::text(qr, "code"));
        let code = code.ok_or_else(|| Refusal::code(400))?;
        let message = self.names.messages.get(&code).cloned();
        let holder =
            message.as_ref().map(|(holder, _)| *holder).or_else(|| self.names.codes.get(&code).copied());
        let holder = holder.and_then(|holder| self.accounts.get(holder)).ok_or_else(|| Refusal::code(404))?;
        let qr = Node::new("qr").attr("jid", holder.bare(Space::Pn)).attr("notify", holder.name.clone());
        Ok(Reply::Child(match message {
            None => qr.attr("type", "contact"),
            Some((_, words)) => {
                let business = Node::new("business")
                    .attr("is_signed", "true")
                    .attr("verified_name", holder.name.clone())
                    .attr("verified_level", "high");
                qr.child(Node::new("message").text(words)).child(business)
            }
        }))
    }

    /// The code of an account's own link: the one there is, or another one.
    pub(super) fn own_code(&mut self, device: DeviceId, request: &Node) -> Result<Reply, Refusal> {
        let qr = request.child_named("qr").filter(|qr| qr.attr_is("type", "contact"));
        let renew = match qr.and_then(|qr| stanza::text(qr, "action")).as_deref() {
            Some("get") => false,
            Some("revoke") => true,
            _ => return Err(Refusal::code(400)),
        };
        let own = self.names.codes.iter().find(|(_, holder)| **holder == device.account);
        let known = own.map(|(code, _)| code.clone());
        let code = match known {
            Some(code) if !renew => code,
            known => {
                known.and_then(|code| self.names.codes.remove(&code));
                let code = hex::encode(self.random::<8>());
                self.names.codes.insert(code.clone(), device.account);
                code
            }
        };
        Ok(Reply::Child(Node::new("qr").attr("code", code)))
    }

    /// A business makes a link to a message. Its code, if there is such an account.
    pub(crate) fn make_message_link(&mut self, number: &str, words: &str) -> Option<String> {
        let account = self.accounts.by_pn(number)?;
        let code = hex::encode(self.random::<8>());
        self.names.messages.insert(code.clone(), (account, words.to_owned()));
        Some(code)
    }
}
