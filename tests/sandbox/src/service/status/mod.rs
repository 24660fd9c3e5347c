//! Who sees the statuses of an account (features document §5). The service keeps the setting; whom a
//! status goes to, its sender says in the status.

use std::collections::BTreeSet;

use whimbrel_wire::Node;

use super::Service;
use super::accounts::{AccountId, DeviceId, Space};
use super::iq::Reply;
use crate::stanza::Refusal;

/// Whom the setting of an account means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusAudience {
    /// Everybody in the address book.
    #[default]
    Contacts,
    /// Those who are named.
    Whitelist,
    /// Everybody in the address book but those who are named.
    Blacklist,
}

impl StatusAudience {
    const fn word(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Whitelist => "whitelist",
            Self::Blacklist => "blacklist",
        }
    }
}

/// The setting of an account.
#[derive(Debug, Default)]
pub(crate) struct StatusPrivacy {
    audience: StatusAudience,
    people: BTreeSet<AccountId>,
}

impl Service {
    /// An account asks for its setting.
    pub(super) fn status_privacy(&self, device: DeviceId, request: &Node) -> Result<Reply, Refusal> {
        request.child_named("privacy").ok_or_else(|| Refusal::code(400))?;
        let account = self.accounts.get(device.account).ok_or_else(|| Refusal::code(401))?;
        let setting = &account.settings.status;
        let list = |audience: StatusAudience| {
            let named = setting.people.iter().filter(|_| audience == setting.audience);
            let users = named.filter_map(|person| self.accounts.bare(*person, Space::Pn));
            Node::new("list")
                .attr("type", audience.word())
                .attr_opt("default", (audience == setting.audience).then_some("true"))
                .children(users.map(|user| Node::new("user").attr("jid", user)))
        };
        let lists = [StatusAudience::Contacts, StatusAudience::Whitelist, StatusAudience::Blacklist];
        Ok(Reply::Child(Node::new("privacy").children(lists.into_iter().map(list))))
    }

    /// The phone hands on what the account's devices share about it: who chose what, nobody else sees.
    pub(super) fn change_status_privacy(&mut self, device: DeviceId, asked: &Node) -> Result<Reply, Refusal> {
        let list = asked.child_named("list").filter(|_| device.number == 0);
        let list = list.ok_or_else(|| Refusal::code(400))?;
        let kinds = [StatusAudience::Contacts, StatusAudience::Whitelist, StatusAudience::Blacklist];
        let audience = kinds.into_iter().find(|kind| list.attr_is("type", kind.word()));
        let audience = audience.ok_or_else(|| Refusal::code(400))?;
        let people = list.children_named("user").filter_map(|user| user.attr_jid("jid"));
        let people: BTreeSet<AccountId> = people.filter_map(|person| self.accounts.find(&person)).collect();
        self.settings_mut(device)?.status = StatusPrivacy { audience, people };
        Ok(Reply::Empty)
    }

    /// The account's owner chooses on the phone.
    pub(crate) fn set_status_privacy(
        &mut self,
        number: &str,
        audience: StatusAudience,
        people: &[&str],
    ) -> bool {
        let people: Option<BTreeSet<AccountId>> =
            people.iter().map(|person| self.accounts.by_pn(person)).collect();
        let (Some(people), Some(account)) = (people, self.accounts.by_pn(number)) else { return false };
        let Some(account) = self.accounts.get_mut(account) else { return false };
        account.settings.status = StatusPrivacy { audience, people };
        true
    }
}
