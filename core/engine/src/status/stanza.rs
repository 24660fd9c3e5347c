//! The account's own setting of who sees its statuses (features document §5). Pure.

use whimbrel_wire::{Jid, Node, NodeRef};

/// Who sees the statuses of an account, as the stanza of a status says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    /// Everybody in the address book.
    Contacts,
    /// Only those who are named.
    Allowlist,
    /// Everybody in the address book but those who are named.
    Denylist,
    /// Those whom the account calls its close friends.
    CloseFriends,
}

impl Setting {
    /// Its word in `status_setting`.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Allowlist => "allowlist",
            Self::Denylist => "denylist",
            Self::CloseFriends => "close_friends",
        }
    }

    /// The inverse of [`word`](Self::word).
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        let all = [Self::Contacts, Self::Allowlist, Self::Denylist, Self::CloseFriends];
        all.into_iter().find(|setting| setting.word() == word)
    }

    /// The setting by its word in the service's answer, which is another one. It has none for close friends:
    /// only the account's devices know of them.
    fn of_list(kind: &str) -> Option<Self> {
        match kind {
            "contacts" => Some(Self::Contacts),
            "whitelist" => Some(Self::Allowlist),
            "blacklist" => Some(Self::Denylist),
            _ => None,
        }
    }
}

/// Who sees the account's statuses, and whom that names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Privacy {
    pub(crate) setting: Setting,
    pub(crate) people: Vec<Jid>,
}

/// Asks for it.
pub(crate) fn query() -> Node {
    Node::new("iq")
        .attr("to", Jid::SERVER)
        .attr("type", "get")
        .attr("xmlns", "status")
        .child(Node::new("privacy"))
}

/// Reads the answer: the list that is in force, or the first where none is marked.
pub(crate) fn read(answer: &NodeRef<'_>) -> Option<Privacy> {
    let privacy = answer.child_named("privacy")?;
    let mut lists = privacy.children_named("list");
    let first = privacy.child_named("list");
    let list = lists.find(|list| list.attr_true("default")).or(first)?;
    let people = list.children_named("user").filter_map(|user| user.attr_jid("jid"));
    Some(Privacy {
        setting: Setting::of_list(list.attr_text("type")?.as_ref())?,
        people: people.map(|person| person.to_account()).filter(Jid::is_account).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(kind: &'static str, people: &[Jid]) -> Node {
        let users = people.iter().map(|person| Node::new("user").attr("jid", person));
        Node::new("list").attr("type", kind).children(users)
    }

    fn answer(lists: Vec<Node>) -> Option<Privacy> {
        read(&Node::new("iq").child(Node::new("privacy").children(lists)))
    }

    #[test]
    fn the_list_in_force_is_read() {
        let (anna, ben) = (Jid::lid("7"), Jid::pn("15550001"));
        let lists = vec![
            list("contacts", &[]),
            list("whitelist", &[anna.clone(), ben.clone()]).attr("default", "true"),
            list("blacklist", std::slice::from_ref(&ben)),
        ];
        let read = answer(lists).unwrap();
        assert_eq!(read, Privacy { setting: Setting::Allowlist, people: vec![anna, ben.clone()] });
        assert_eq!(answer(vec![list("blacklist", &[ben])]).unwrap().setting, Setting::Denylist);
        assert_eq!(answer(vec![list("friends", &[])]), None);
        assert_eq!(answer(Vec::new()), None);
    }

    #[test]
    fn settings_are_read_as_they_are_written() {
        for setting in [Setting::Contacts, Setting::Allowlist, Setting::Denylist, Setting::CloseFriends] {
            assert_eq!(Setting::of_word(setting.word()), Some(setting));
        }
        assert_eq!(Setting::of_word("whitelist"), None);
    }
}
