//! Groups, as tests make and change them: as if people did it on their phones.

use whimbrel_wire::{Jid, Node};

use crate::options::Addressing;
use crate::service::GroupState;
use crate::{Sandbox, stanza::Refusal};

/// What a group is made of.
#[derive(Debug, Clone, Default)]
pub struct NewGroup {
    /// Number of whoever makes it and is its first admin.
    pub creator: String,
    /// What it is called.
    pub subject: String,
    /// Numbers of the other members.
    pub members: Vec<String>,
    /// How it names its members; what the sandbox was started with if absent.
    pub addressing: Option<Addressing>,
}

/// Why a group could not be made or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the service refused: {code} {text}")]
pub struct GroupError {
    /// Code of the error: 403 for what the person may not do, 404 for unknown people and groups,
    /// 409 for what is the case already.
    pub code: u16,
    /// Its usual text.
    pub text: String,
}

impl From<Refusal> for GroupError {
    fn from(refusal: Refusal) -> Self {
        Self { code: refusal.code, text: refusal.text }
    }
}

/// A group of a sandbox. Clones are handles of the same one.
///
/// Changes are made in the name of a member, given by the phone number. All devices of all members
/// are told, the author's too.
#[derive(Debug, Clone)]
pub struct Group {
    sandbox: Sandbox,
    jid: Jid,
}

impl Sandbox {
    /// Makes a group of accounts that exist, whatever their privacy settings say.
    pub fn create_group(&self, group: &NewGroup) -> Result<Group, GroupError> {
        self.make_group(group, false)
    }

    /// Makes the announcement group of a new community: only its admins post there, and everybody reacts
    /// and comments. Of the community itself there is no more than its address.
    pub fn create_announcement_group(&self, group: &NewGroup) -> Result<Group, GroupError> {
        self.make_group(group, true)
    }

    fn make_group(&self, group: &NewGroup, announcements: bool) -> Result<Group, GroupError> {
        let mode = group.addressing.map(Into::into);
        let NewGroup { creator, subject, members, .. } = group;
        let made = self.with(|service| service.make_group(creator, subject, members, mode, announcements));
        Ok(Group { sandbox: self.clone(), jid: made? })
    }

    /// Makes people who only fill groups and returns their numbers. They have real keys, drawn from the
    /// seed when somebody asks for them, but no phones: what is sent to them is counted
    /// ([`DeviceState::counted`](crate::DeviceState::counted)) and forgotten.
    #[must_use]
    pub fn create_crowd(&self, count: usize) -> Vec<String> {
        self.with(|service| service.make_crowd(count))
    }

    /// Says who may add a person to groups: `all`, `contacts` or `none`. Whether there is such a person.
    pub fn let_add(&self, number: &str, who: &str) -> bool {
        self.with(|service| service.let_add(number, who))
    }

    /// The group with this address.
    #[must_use]
    pub fn find_group(&self, jid: &Jid) -> Option<Group> {
        let known = self.with(|service| service.group_state(jid).is_some());
        known.then(|| Group { sandbox: self.clone(), jid: jid.clone() })
    }
}

impl Group {
    /// Its address.
    #[must_use]
    pub fn jid(&self) -> Jid {
        self.jid.clone()
    }

    /// What the service knows of it.
    #[must_use]
    pub fn state(&self) -> Option<GroupState> {
        self.sandbox.with(|service| service.group_state(&self.jid))
    }

    fn change(&self, by: &str, change: &Node) -> Result<(), GroupError> {
        Ok(self.sandbox.with(|service| service.change_group(by, &self.jid, change))?)
    }

    fn change_members(&self, by: &str, what: &'static str, members: &[&str]) -> Result<(), GroupError> {
        let entries = members.iter().map(|number| Node::new("participant").attr("jid", Jid::pn(number)));
        self.change(by, &Node::new(what).children(entries))
    }

    /// Adds people. Those before the first that cannot be added are added all the same.
    pub fn add(&self, by: &str, members: &[&str]) -> Result<(), GroupError> {
        self.change_members(by, "add", members)
    }

    /// Removes people.
    pub fn remove(&self, by: &str, members: &[&str]) -> Result<(), GroupError> {
        self.change_members(by, "remove", members)
    }

    /// Makes members admins.
    pub fn promote(&self, by: &str, members: &[&str]) -> Result<(), GroupError> {
        self.change_members(by, "promote", members)
    }

    /// Makes admins ordinary members.
    pub fn demote(&self, by: &str, members: &[&str]) -> Result<(), GroupError> {
        self.change_members(by, "demote", members)
    }

    /// A member leaves.
    pub fn leave(&self, member: &str) -> Result<(), GroupError> {
        self.change(member, &Node::new("leave"))
    }

    /// Changes the subject.
    pub fn set_subject(&self, by: &str, subject: &str) -> Result<(), GroupError> {
        self.change(by, &Node::new("subject").bytes(subject.as_bytes().to_vec()))
    }

    /// Lets only admins write, or everybody.
    pub fn set_announce(&self, by: &str, on: bool) -> Result<(), GroupError> {
        self.change(by, &Node::new(if on { "announcement" } else { "not_announcement" }))
    }

    /// Lets only admins change subject and description, or everybody.
    pub fn set_locked(&self, by: &str, on: bool) -> Result<(), GroupError> {
        self.change(by, &Node::new(if on { "locked" } else { "unlocked" }))
    }

    /// Makes a change as a `w:g2` request asks for it, in the name of a member: for what has no method of
    /// its own.
    pub fn request(&self, by: &str, change: &Node) -> Result<(), GroupError> {
        self.change(by, change)
    }

    /// Suspends it, or lifts that.
    pub fn set_suspended(&self, on: bool) {
        self.sandbox.with(|service| service.suspend_group(&self.jid, on));
    }

    /// Lets nobody in by the link for some seconds; 0 ends that.
    pub fn lock_growth(&self, seconds: u64) {
        self.sandbox.with(|service| service.lock_growth(&self.jid, seconds));
    }

    /// Announces something to all members that nothing else here brings about.
    pub fn announce(&self, child: &Node) {
        self.sandbox.with(|service| service.tell_all(&self.jid, child));
    }

    /// A member of the community suggests a group for it; returns the address that it would have.
    pub fn suggest(&self, by: &str, subject: &str, description: &str) -> Result<Jid, GroupError> {
        Ok(self.sandbox.with(|service| service.suggest_group(by, &self.jid, subject, description))?)
    }

    /// A suggestion is over.
    pub fn end_suggestion(&self, by: &str, suggestion: &Jid, reason: &'static str) -> Result<(), GroupError> {
        Ok(self.sandbox.with(|service| service.end_suggestion(by, &self.jid, suggestion, reason))?)
    }

    /// Names the members in another way from now on. Nobody is told: clients notice by the next
    /// stanza of the group, or because what they send is refused (421).
    pub fn set_addressing(&self, addressing: Addressing) {
        self.sandbox.with(|service| service.switch_group(&self.jid, addressing.into()));
    }
}
