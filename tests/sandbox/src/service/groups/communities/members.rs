//! Who is in a community follows from who is in its groups, and the other way round.

use whimbrel_wire::{Jid, Node};

use super::super::super::Service;
use super::super::super::accounts::AccountId;
use super::super::super::iq::Reply;
use super::super::Actor;
use super::super::participants::Change;
use super::super::state::{Place, Role};
use crate::stanza::Refusal;

impl Service {
    /// Whoever is in a group of a community is in the community and in its group for announcements.
    pub(in super::super) fn join_community_of(&mut self, jid: &Jid, people: &[AccountId]) {
        let Some(community) = self.community_of(jid) else { return };
        let mut ids = vec![community.clone()];
        let with_all = self.groups.within(&community);
        ids.extend(
            with_all.into_iter().filter(|group| group.place != Place::Ordinary).map(|group| group.id.clone()),
        );
        for id in ids.into_iter().filter(|id| id != jid.user()) {
            let Some(group) = self.groups.get_mut(&id) else { continue };
            let mut come: Vec<AccountId> =
                people.iter().copied().filter(|account| !group.is_member(*account)).collect();
            come.sort();
            come.dedup();
            come.truncate(group.limit().saturating_sub(group.members.len()));
            for account in &come {
                group.join(*account, Role::Member);
            }
            // In the name of whoever comes, but nobody asked for it: all devices are told.
            let Some(first) = come.first().copied() else { continue };
            let actor = Actor { account: first, device: None };
            let reason = Some("linked_group_join");
            self.announce_change_of_members(Change::Add, actor, &Jid::group(&id), &come, reason);
        }
    }

    /// A change of members in one group of a community, and what follows from it in the others.
    pub(in super::super) fn follow_in_community(
        &mut self,
        change: Change,
        actor: Actor,
        jid: &Jid,
        people: &[AccountId],
        everywhere: bool,
    ) {
        let Some(community) = self.community_of(jid) else { return };
        let for_all = self
            .groups
            .find(jid)
            .is_some_and(|group| group.community.is_some() || group.place == Place::Announcements);
        match change {
            Change::Add => self.join_community_of(jid, people),
            Change::Remove if for_all || everywhere => self.part_with_all(actor, &community, people),
            Change::Promote | Change::Demote if for_all => {
                let role = if change == Change::Promote { Role::Admin } else { Role::Member };
                let mut ids = vec![community.clone()];
                let announcements = self.groups.within(&community).into_iter();
                ids.extend(
                    announcements
                        .filter(|group| group.place == Place::Announcements)
                        .map(|group| group.id.clone()),
                );
                for id in ids.into_iter().filter(|id| id != jid.user()) {
                    self.follow_role(change, actor, &id, people, role);
                }
            }
            Change::Remove | Change::Promote | Change::Demote => {}
        }
    }

    fn follow_role(&mut self, change: Change, actor: Actor, id: &str, people: &[AccountId], role: Role) {
        let Some(group) = self.groups.get_mut(id) else { return };
        let mut changed = Vec::new();
        for account in people {
            if let Some(member) = group.members.get_mut(account)
                && member.role != role
            {
                member.role = role;
                changed.push(*account);
            }
        }
        let actor = Actor { device: None, ..actor };
        self.announce_change_of_members(change, actor, &Jid::group(id), &changed, None);
    }

    /// Whoever leaves a community, or its group for announcements, leaves all of its groups.
    pub(in super::super) fn leave_community_of(&mut self, actor: Actor, jid: &Jid) {
        self.follow_in_community(Change::Remove, actor, jid, &[actor.account], false);
    }

    /// A member of a community joins one of its groups.
    pub(in super::super) fn join_linked(
        &mut self,
        actor: Actor,
        jid: &Jid,
        asked: &Node,
    ) -> Result<Reply, Refusal> {
        let group = asked.attr_jid("jid").ok_or_else(|| Refusal::code(400))?;
        let found = self.groups.find(&group).ok_or_else(|| Refusal::code(404))?;
        if found.parent.as_deref() != Some(jid.user()) || found.hidden {
            return Err(Refusal::code(404));
        }
        let answer = self.come_in(actor, &group, "linked_group_join", Some(jid.user().to_owned()))?;
        Ok(if answer.tag() == "membership_approval_request" { Reply::Child(answer) } else { Reply::Empty })
    }

    /// Makes somebody the owner in the place of the present one.
    pub(super) fn transfer_community(
        &mut self,
        actor: Actor,
        jid: &Jid,
        heir: AccountId,
    ) -> Result<(), Refusal> {
        let community = self.groups.find(jid).ok_or_else(|| Refusal::code(404))?;
        if community.owner() != Some(actor.account) {
            return Err(Refusal::code(403));
        }
        if !community.is_member(heir) {
            return Err(Refusal::code(404));
        }
        let mut ids = vec![jid.user().to_owned()];
        let within = self.groups.within(jid.user()).into_iter();
        ids.extend(within.filter(|group| group.place == Place::Announcements).map(|group| group.id.clone()));
        for id in ids {
            let Some(group) = self.groups.get_mut(&id) else { continue };
            for (account, role) in [(actor.account, Role::Admin), (heir, Role::SuperAdmin)] {
                if let Some(member) = group.members.get_mut(&account) {
                    member.role = role;
                }
            }
            self.announce_change_of_members(Change::Promote, actor, &Jid::group(&id), &[heir], None);
        }
        Ok(())
    }
}
