//! What the service knows of a group (features document §2.1, delivery document §5.1).

use std::collections::{BTreeMap, BTreeSet};

use whimbrel_wire::Jid;

use super::super::accounts::{AccountId, Space};

/// What a member may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Member,
    Admin,
    /// Who made the group.
    SuperAdmin,
}

impl Role {
    /// The `type` attribute of a participant; ordinary members have none.
    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            Self::Member => None,
            Self::Admin => Some("admin"),
            Self::SuperAdmin => Some("superadmin"),
        }
    }

    pub(super) fn is_admin(self) -> bool {
        self != Self::Member
    }
}

/// A person in a group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member {
    pub(super) role: Role,
    /// Position in the order of joining.
    pub(super) joined: u64,
}

/// The longer text about a group.
#[derive(Debug, Clone)]
pub(super) struct Description {
    pub(super) id: String,
    pub(super) body: String,
    pub(super) author: AccountId,
    pub(super) time: u64,
}

/// Somebody who could not be added directly and may come by himself until the time is over.
#[derive(Debug, Clone)]
pub(super) struct Invitation {
    pub(super) code: String,
    pub(super) account: AccountId,
    pub(super) admin: AccountId,
    pub(super) expires: u64,
}

/// Somebody who waits for an admin.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub(super) since: u64,
    /// How it came about.
    pub(super) method: &'static str,
    /// Digits of the community through which it came.
    pub(super) community: Option<String>,
}

/// A message that was reported to the admins.
#[derive(Debug, Clone)]
pub(super) struct Report {
    pub(super) message: String,
    pub(super) by: AccountId,
    pub(super) time: u64,
}

/// A group that somebody suggests for a community.
#[derive(Debug, Clone)]
pub(super) struct Suggestion {
    /// Digits of its id.
    pub(super) id: String,
    pub(super) subject: String,
    pub(super) description: String,
    pub(super) creator: AccountId,
    pub(super) time: u64,
}

/// What makes a group a community.
#[derive(Debug, Clone, Default)]
pub(super) struct Community {
    /// Whoever joins one of its groups waits for an admin.
    pub(super) approval: bool,
    pub(super) suggestions: Vec<Suggestion>,
}

/// What a group is in its community.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Place {
    #[default]
    Ordinary,
    /// Where the admins announce.
    Announcements,
    /// The chat for everybody.
    General,
}

/// A group.
#[derive(Debug)]
pub(crate) struct Group {
    /// Digits before `@g.us`.
    pub(super) id: String,
    pub(super) subject: String,
    pub(super) subject_time: u64,
    pub(super) subject_owner: AccountId,
    pub(super) created: u64,
    pub(super) creator: AccountId,
    /// The space in which members are named.
    pub(super) mode: Space,
    pub(super) members: BTreeMap<AccountId, Member>,
    /// Everybody who was a member once: others may not have heard that they are gone.
    pub(super) former: BTreeSet<AccountId>,
    pub(super) description: Option<Description>,
    /// Only admins write.
    pub(super) announce: bool,
    /// Only admins change subject, description and the like.
    pub(super) locked: bool,
    /// Only admins add members.
    pub(super) admins_add: bool,
    /// Only admins hand out the link.
    pub(super) admins_link: bool,
    /// Seconds after which messages vanish, 0 for never.
    pub(super) ephemeral: u32,
    /// Whoever comes by the link waits for an admin.
    pub(super) approval: bool,
    /// Who waits for that, and since when.
    pub(super) waiting: BTreeMap<AccountId, Waiting>,
    /// Who was removed by an admin and may not come back by the link.
    pub(super) expelled: BTreeSet<AccountId>,
    /// Every member hands earlier messages to new ones.
    pub(super) members_share: bool,
    /// What is said may not be taken out.
    pub(super) sharing_limited: bool,
    /// The service lets nobody do anything.
    pub(super) suspended: bool,
    pub(super) appealed: bool,
    /// Until when nobody can join by the link, seconds.
    pub(super) growth_locked: Option<u64>,
    pub(super) reports: Vec<Report>,
    /// It is a community.
    pub(super) community: Option<Community>,
    /// Digits of the community that it belongs to.
    pub(super) parent: Option<String>,
    pub(super) place: Place,
    /// Only its members see it in the community.
    pub(super) hidden: bool,
    /// Switches that the service only stores.
    pub(super) switches: BTreeSet<&'static str>,
    /// Code of the invitation link.
    pub(super) link: String,
    /// Codes that the link had before.
    pub(super) void_links: BTreeSet<String>,
    pub(super) invitations: Vec<Invitation>,
    /// Version of the list of members.
    pub(super) members_version: u64,
    pub(super) announce_version: u64,
    pub(super) last_joined: u64,
}

impl Group {
    /// Whether only admins may change what it is called and shown by.
    pub(in crate::service) fn is_locked(&self) -> bool {
        self.locked
    }

    /// A group with its maker alone, everything else as it is without options.
    pub(super) fn new(
        id: String,
        subject: String,
        creator: AccountId,
        now: u64,
        mode: Space,
        link: String,
    ) -> Self {
        let mut group = Self {
            id,
            subject,
            subject_time: now,
            subject_owner: creator,
            created: now,
            creator,
            mode,
            members: BTreeMap::new(),
            former: BTreeSet::new(),
            description: None,
            announce: false,
            locked: false,
            admins_add: false,
            admins_link: false,
            ephemeral: 0,
            approval: false,
            waiting: BTreeMap::new(),
            expelled: BTreeSet::new(),
            members_share: false,
            sharing_limited: false,
            suspended: false,
            appealed: false,
            growth_locked: None,
            reports: Vec::new(),
            community: None,
            parent: None,
            place: Place::Ordinary,
            hidden: false,
            switches: BTreeSet::new(),
            link,
            void_links: BTreeSet::new(),
            invitations: Vec::new(),
            members_version: 1,
            announce_version: 1,
            last_joined: 0,
        };
        group.join(creator, Role::SuperAdmin);
        group
    }

    pub(crate) fn jid(&self) -> Jid {
        Jid::group(&self.id)
    }

    pub(crate) fn mode(&self) -> Space {
        self.mode
    }

    pub(super) fn role(&self, account: AccountId) -> Option<Role> {
        self.members.get(&account).map(|member| member.role)
    }

    pub(in crate::service) fn is_admin(&self, account: AccountId) -> bool {
        self.role(account).is_some_and(Role::is_admin)
    }

    pub(crate) fn is_member(&self, account: AccountId) -> bool {
        self.members.contains_key(&account)
    }

    /// Whether the person is or ever was a member.
    pub(crate) fn has_known(&self, account: AccountId) -> bool {
        self.is_member(account) || self.former.contains(&account)
    }

    /// Whether the person may write to the group.
    pub(crate) fn lets_write(&self, account: AccountId) -> bool {
        self.is_member(account) && (!self.announce || self.is_admin(account))
    }

    /// Who owns it.
    pub(super) fn owner(&self) -> Option<AccountId> {
        let owners = self.members.iter().filter(|(_, member)| member.role == Role::SuperAdmin);
        owners.map(|(account, _)| *account).next()
    }

    /// How many may be in it.
    pub(super) fn limit(&self) -> usize {
        match self.place {
            Place::Announcements => super::ANNOUNCEMENTS_LIMIT,
            _ if self.community.is_some() => super::ANNOUNCEMENTS_LIMIT,
            _ => super::SIZE_LIMIT,
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.members.len() >= self.limit()
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = AccountId> {
        self.members.keys().copied()
    }

    /// Whether it is the announcement group of a community.
    pub(in crate::service) fn is_announcements(&self) -> bool {
        self.place == Place::Announcements
    }

    pub(super) fn join(&mut self, account: AccountId, role: Role) {
        self.last_joined += 1;
        self.members.insert(account, Member { role, joined: self.last_joined });
        self.waiting.remove(&account);
        self.expelled.remove(&account);
        self.invitations.retain(|invitation| invitation.account != account);
    }

    /// Takes a person out. A group without its maker goes to the oldest admin, or else the oldest
    /// member.
    pub(super) fn part(&mut self, account: AccountId) {
        let Some(gone) = self.members.remove(&account) else { return };
        self.former.insert(account);
        if gone.role != Role::SuperAdmin {
            return;
        }
        let heir = self.members.values_mut().min_by_key(|member| (!member.role.is_admin(), member.joined));
        if let Some(heir) = heir {
            heir.role = Role::SuperAdmin;
        }
    }
}

/// All groups, by the digits of their ids.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    by_id: BTreeMap<String, Group>,
}

impl Groups {
    pub(crate) fn get(&self, id: &str) -> Option<&Group> {
        self.by_id.get(id)
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Group> {
        self.by_id.get_mut(id)
    }

    pub(crate) fn find(&self, jid: &Jid) -> Option<&Group> {
        if jid.is_group() { self.get(jid.user()) } else { None }
    }

    pub(super) fn add(&mut self, group: Group) {
        self.by_id.insert(group.id.clone(), group);
    }

    pub(super) fn remove(&mut self, id: &str) {
        self.by_id.remove(id);
    }

    /// The groups of a community, by its digits: where the admins announce comes first.
    pub(super) fn within(&self, community: &str) -> Vec<&Group> {
        let mut all: Vec<&Group> =
            self.by_id.values().filter(|group| group.parent.as_deref() == Some(community)).collect();
        all.sort_by_key(|group| group.place != Place::Announcements);
        all
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Group> {
        self.by_id.values()
    }

    /// The groups that a person is in.
    pub(crate) fn of(&self, account: AccountId) -> impl Iterator<Item = &Group> {
        self.by_id.values().filter(move |group| group.is_member(account))
    }

    /// Everybody who shares a group with this person.
    pub(crate) fn companions_of(&self, account: AccountId) -> BTreeSet<AccountId> {
        self.of(account).flat_map(Group::members).filter(|member| *member != account).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(number: usize) -> AccountId {
        AccountId(number)
    }

    fn group() -> Group {
        let (id, subject) = ("120363000000000001".to_owned(), "Birds".to_owned());
        let mut group = Group::new(id, subject, account(0), 1, Space::Lid, String::new());
        group.join(account(2), Role::Member);
        group.join(account(1), Role::Admin);
        group
    }

    #[test]
    fn a_group_always_has_somebody_at_its_head() {
        let mut group = group();
        group.part(account(0));
        assert_eq!(group.role(account(1)), Some(Role::SuperAdmin));
        group.part(account(1));
        assert_eq!(group.role(account(2)), Some(Role::SuperAdmin));
        assert!(group.has_known(account(0)) && !group.is_member(account(0)));
    }

    #[test]
    fn only_admins_write_where_that_is_the_rule() {
        let mut group = group();
        assert!(group.lets_write(account(2)) && !group.lets_write(account(9)));
        group.announce = true;
        assert!(!group.lets_write(account(2)) && group.lets_write(account(1)));
    }
}
