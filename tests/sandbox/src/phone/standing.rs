//! Phones whose account moves to LIDs, or that get other numbers (delivery document §2.2, §5.10).

use whimbrel_wire::Jid;

use super::{Phone, PhoneError, content};
use crate::{LidStanding, Sandbox};

impl Sandbox {
    /// Moves an account to LIDs: its phone tells the companions which addresses belong together, and
    /// writes to people by LID from now on.
    pub async fn migrate(&self, number: &str) -> Result<(), PhoneError> {
        let phone = self.find_phone(number).ok_or(PhoneError::UnknownUser)?;
        if !self.set_standing(phone.jid().user(), LidStanding::Migrated) {
            return Err(PhoneError::UnknownUser);
        }
        phone.tell_migration().await
    }

    /// Gives an account without companions another LID, as after a registration anew. Nobody is told.
    /// Returns the new one.
    pub fn renew_lid(&self, number: &str) -> Result<Jid, PhoneError> {
        let phone = self.find_phone(number).ok_or(PhoneError::UnknownUser)?;
        let lid = self.give_other_lid(phone.jid().user()).ok_or(PhoneError::UnknownUser)?;
        phone.moved(phone.jid(), lid.clone());
        Ok(lid)
    }

    /// Gives an account without companions another phone number; the companions of its contacts are
    /// told. The phone is still found under the number that it was made with. Returns the new
    /// address.
    pub fn change_number(&self, from: &str, to: &str) -> Result<Jid, PhoneError> {
        let phone = self.find_phone(from).ok_or(PhoneError::UnknownUser)?;
        let pn = self.give_other_number(phone.jid().user(), to).ok_or(PhoneError::UnknownUser)?;
        phone.moved(pn.clone(), phone.lid());
        Ok(pn)
    }
}

impl Phone {
    async fn tell_migration(&self) -> Result<(), PhoneError> {
        let (message, companions, own) = {
            let mut state = self.state();
            state.standing = LidStanding::Migrated;
            let pairs = state.people.pairs();
            (
                content::migration(&pairs, self.inner.clock.now()),
                state.companions.devices(),
                state.lid.clone(),
            )
        };
        for device in companions {
            self.send_peer(&own.with_device(device), &message).await?;
        }
        Ok(())
    }

    fn moved(&self, pn: Jid, lid: Jid) {
        let mut state = self.state();
        let standing = state.standing;
        state.attached(pn, lid, standing);
    }

    /// Tells the other person of a chat by LID the phone number behind it.
    pub async fn share_number(&self, to: &str) -> Result<String, PhoneError> {
        let chat = self.resolve(to).await?;
        self.deliver(&chat, content::shared_number()).await
    }
}
