//! How accounts stand with LIDs, and people who get other numbers (delivery document §2.2, §5.10).

use whimbrel_wire::{Jid, Node};

use super::Service;
use super::accounts::{DeviceId, Space};
use crate::options::LidStanding;

impl Service {
    /// Changes how an account stands with LIDs. Tells whether the account exists.
    pub(crate) fn set_standing(&mut self, number: &str, standing: LidStanding) -> bool {
        let Some(account) = self.accounts.by_pn(number).and_then(|id| self.accounts.get_mut(id)) else {
            return false;
        };
        account.standing = standing;
        true
    }

    /// Gives an account without companions another LID, as after a registration anew. Nobody is
    /// told: others find out. `None` if there is no such account, or it has companions.
    pub(crate) fn renew_lid(&mut self, number: &str) -> Option<Jid> {
        let id = self.accounts.by_pn(number)?;
        if self.accounts.devices(id).iter().any(|device| device.number != 0) {
            return None;
        }
        let lid = self.free_lid();
        self.accounts.change_lid(id, lid);
        self.accounts.bare(id, Space::Lid)
    }

    /// Gives an account without companions another phone number, and tells everybody who knows
    /// it. `None` if there is no such account, it has companions, or the number is not free.
    pub(crate) fn change_number(&mut self, from: &str, to: &str) -> Option<Jid> {
        let id = self.accounts.by_pn(from)?;
        let fits = (7..=15).contains(&to.len()) && to.bytes().all(|octet| octet.is_ascii_digit());
        let companions = self.accounts.devices(id).iter().any(|device| device.number != 0);
        if companions || !fits || to.starts_with('0') || self.accounts.by_pn(to).is_some() {
            return None;
        }
        let old = self.accounts.bare(id, Space::Pn)?;
        self.accounts.change_pn(id, to.to_owned());
        let account = self.accounts.get(id)?;
        let (new, lid, contacts) =
            (account.bare(Space::Pn), account.twin(Space::Pn), account.contacts.clone());
        let change = Node::new("modify")
            .attr("old", old)
            .attr("new", new.clone())
            .attr_opt("old_lid", lid.clone())
            .attr_opt("new_lid", lid);
        for contact in contacts {
            // Companions only: the simulated phones ask anew whenever they write to a number.
            for device in self.accounts.devices(contact) {
                if device.number != 0 {
                    let stanza = self.notification("contacts", Jid::SERVER).child(change.clone());
                    self.push(DeviceId { ..device }, stanza);
                }
            }
        }
        Some(new)
    }
}
