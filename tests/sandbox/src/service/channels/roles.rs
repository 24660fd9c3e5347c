//! Owners and admins of channels, and invitations to be one (features document §4.2, §4.7).

use whimbrel_wire::Jid;

use super::super::Service;
use super::super::accounts::AccountId;
use super::By;
use super::announce::RoleChange;
use super::state::Follower;
use crate::stanza::Refusal;

/// Admins of a channel besides its owner.
const ADMINS: usize = 16;

/// How long an invitation holds, in seconds.
const INVITATION: u64 = 7 * 86_400;

impl Service {
    pub(super) fn change_owner(&mut self, by: By, jid: &Jid, heir: AccountId) -> Result<(), Refusal> {
        let channel = self.living_channel_mut(jid)?;
        if channel.owner != by.account {
            return Err(Refusal::code(403));
        }
        if !channel.admins.remove(&heir) {
            return Err(Refusal::code(404));
        }
        channel.owner = heir;
        channel.admins.insert(by.account);
        self.tell_role(by, jid, heir, RoleChange::BecameOwner);
        Ok(())
    }

    /// Admins may give their own role up; the owner takes anybody's.
    pub(super) fn demote_admin(&mut self, by: By, jid: &Jid, admin: AccountId) -> Result<(), Refusal> {
        let channel = self.living_channel_mut(jid)?;
        if channel.owner != by.account && admin != by.account {
            return Err(Refusal::code(403));
        }
        if !channel.admins.remove(&admin) {
            return Err(Refusal::code(404));
        }
        self.tell_role(by, jid, admin, RoleChange::Demoted);
        Ok(())
    }

    /// Returns until when the invitation holds.
    pub(super) fn invite_admin(&mut self, by: By, jid: &Jid, person: AccountId) -> Result<u64, Refusal> {
        let until = self.now + INVITATION;
        let channel = self.living_channel_mut(jid)?;
        if channel.owner != by.account {
            return Err(Refusal::code(403));
        }
        if channel.is_admin(person) {
            return Err(Refusal::code(409));
        }
        if channel.admins.len() + channel.invited.len() >= ADMINS {
            return Err(Refusal::code(419));
        }
        channel.invited.insert(person, until);
        Ok(until)
    }

    pub(super) fn revoke_admin_invitation(
        &mut self,
        by: By,
        jid: &Jid,
        person: AccountId,
    ) -> Result<(), Refusal> {
        let channel = self.living_channel_mut(jid)?;
        if channel.owner != by.account {
            return Err(Refusal::code(403));
        }
        channel.invited.remove(&person).ok_or_else(|| Refusal::code(404))?;
        self.tell_role(by, jid, person, RoleChange::InvitationRevoked);
        Ok(())
    }

    /// Whoever becomes an admin follows the channel from then on.
    pub(super) fn accept_admin_role(&mut self, by: By, jid: &Jid) -> Result<(), Refusal> {
        self.accepted_terms(by, "20610101")?;
        let now = self.now;
        let channel = self.living_channel_mut(jid)?;
        let until = channel.invited.remove(&by.account).ok_or_else(|| Refusal::code(403))?;
        if until <= now {
            return Err(Refusal::code(410));
        }
        channel.admins.insert(by.account);
        let is_new = !channel.followers.contains_key(&by.account);
        channel.followers.entry(by.account).or_insert(Follower { since: now, ..Follower::default() });
        self.tell_role(by, jid, by.account, RoleChange::Promoted);
        if is_new {
            self.tell_joined(by, jid);
        }
        Ok(())
    }
}
