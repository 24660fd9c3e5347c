//! What devices are told about channels themselves (features document §4.5). Each notification has the
//! form of today, and beside it the one that Baileys reads.

use serde_json::{Map, Value, json};
use whimbrel_wire::{Jid, Node};

use super::super::Service;
use super::super::accounts::{AccountId, DeviceId, Space};
use super::By;
use super::json::{role, state_json};

/// What changed about somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RoleChange {
    Promoted,
    Demoted,
    BecameOwner,
    InvitationRevoked,
}

impl Service {
    /// The other devices of whoever follows a channel now.
    pub(super) fn tell_joined(&mut self, by: By, jid: &Jid) {
        let Some(channel) = self.channels.get(jid) else { return };
        let told = self.channel_json(channel, Some(by.account));
        let body = json!({ "xwa2_notify_newsletter_on_join": told });
        self.tell_companions(by.account, by.device, "NotificationNewsletterJoin", &body, None);
    }

    pub(super) fn tell_left(&mut self, by: By, jid: &Jid) {
        let Some(channel) = self.channels.get(jid) else { return };
        let told = json!({ "id": jid.to_string(), "role": role(channel, by.account) });
        let body = json!({ "xwa2_notify_newsletter_on_leave": told });
        self.tell_companions(by.account, by.device, "NotificationNewsletterLeave", &body, None);
    }

    pub(super) fn tell_muted(&mut self, by: By, jid: &Jid, kind: &str, muted: bool) {
        let value = if muted { "ON" } else { "OFF" };
        let setting = json!({ "type": kind, "value": value });
        // The older word is about posts only.
        let told = match kind {
            "MUTE_ADMIN_ACTIVITY" => json!({ "id": jid.to_string(), "setting": setting, "mute": value }),
            _ => json!({ "id": jid.to_string(), "setting": setting }),
        };
        let body = json!({ "xwa2_notify_newsletter_on_mute_change": told });
        self.tell_companions(by.account, by.device, "NotificationNewsletterUserSettingChange", &body, None);
    }

    /// Everybody who reads the channel, of what is in `changed`; what is null there is looked up.
    pub(super) fn tell_changed(&mut self, by: By, jid: &Jid, mut changed: Map<String, Value>) {
        let Some(channel) = self.channels.get(jid) else { return };
        let thread = self.thread_json(channel);
        let mut now = Map::new();
        for name in changed.keys() {
            let name = if name == "reaction_codes" { "settings" } else { name.as_str() };
            now.insert(name.to_owned(), thread.get(name).cloned().unwrap_or_default());
        }
        changed.retain(|_, value| value.is_string());
        let legacy = (!changed.is_empty()).then(|| {
            json!({
                "operation": "NotificationNewsletterUpdate",
                "updates": [{ "jid": jid.to_string(), "settings": changed }],
            })
        });
        let told = json!({ "id": jid.to_string(), "thread_metadata": now });
        let body = json!({ "xwa2_notify_newsletter_on_metadata_update": told });
        let readers: Vec<AccountId> = channel.readers().collect();
        for reader in readers {
            self.tell_companions(reader, by.device, "NotificationNewsletterUpdate", &body, legacy.as_ref());
        }
    }

    pub(super) fn tell_state(&mut self, by: By, jid: &Jid) {
        let Some(channel) = self.channels.get(jid) else { return };
        let (state, readers) = (state_json(channel), channel.readers().collect::<Vec<_>>());
        for reader in readers {
            let told = json!({ "id": jid.to_string(), "is_requestor": reader == by.account, "state": state });
            let body = json!({ "xwa2_notify_newsletter_on_state_change": told });
            self.tell_companions(reader, by.device, "NotificationNewsletterStateChange", &body, None);
        }
    }

    /// Those who post, and whoever it is about.
    pub(super) fn tell_role(&mut self, by: By, jid: &Jid, who: AccountId, change: RoleChange) {
        let Some(channel) = self.channels.get(jid) else { return };
        let mut people: Vec<AccountId> = channel.admins.iter().copied().chain([channel.owner, who]).collect();
        people.sort_unstable();
        people.dedup();
        let (Some(user), Some(actor)) =
            (self.accounts.bare(who, Space::Lid), self.accounts.bare(by.account, Space::Lid))
        else {
            return;
        };
        let (name, root) = match change {
            RoleChange::Promoted => ("NotificationNewsletterAdminPromote", "admin_promote"),
            RoleChange::Demoted => ("NotificationNewsletterAdminDemote", "admin_demote"),
            RoleChange::BecameOwner => ("NotificationNewsletterOwnerUpdate", "owner_update"),
            RoleChange::InvitationRevoked => {
                ("NotificationNewsletterAdminInviteRevoke", "admin_invite_revoke")
            }
        };
        let (user, actor) = (user.to_string(), actor.to_string());
        let told = json!({ "id": jid.to_string(), "user": { "id": user }, "actor": { "id": actor } });
        let body = json!({ format!("xwa2_notify_newsletter_{root}"): told });
        let legacy = json!({ "operation": name, "updates": [{ "jid": jid.to_string(), "user": user }] });
        for person in people {
            self.tell_companions(person, by.device, name, &body, Some(&legacy));
        }
    }

    fn tell_companions(
        &mut self,
        account: AccountId,
        except: Option<DeviceId>,
        name: &'static str,
        body: &Value,
        legacy: Option<&Value>,
    ) {
        let body = json!({ "data": body }).to_string();
        let devices = self.accounts.devices(account);
        for device in devices.into_iter().filter(|device| device.number != 0 && Some(*device) != except) {
            let update = Node::new("update").attr("op_name", name).text(body.clone());
            let legacy = legacy.map(|legacy| Node::new("mex").text(legacy.to_string()));
            let notification = self.notification("mex", Jid::SERVER).child(update).child_opt(legacy);
            self.push(device, notification);
        }
    }
}
