//! Which phone number belongs to which hidden number.

use std::collections::BTreeMap;

use whimbrel_wire::{Jid, Server};

/// One hidden address for each phone-number address, and the other way round.
#[derive(Debug, Default)]
pub(crate) struct People {
    lid_of: BTreeMap<String, String>,
    pn_of: BTreeMap<String, String>,
}

impl People {
    /// Notes that two addresses belong to one person; in either order, with or without devices.
    pub(crate) fn learn(&mut self, one: &Jid, other: &Jid) {
        let (pn, lid) = match (one.is_pn(), other.is_lid()) {
            (true, true) => (one, other),
            _ if one.is_lid() && other.is_pn() => (other, one),
            _ => return,
        };
        if let Some(former) = self.lid_of.insert(pn.user().to_owned(), lid.user().to_owned()) {
            self.pn_of.remove(&former);
        }
        let former = self.pn_of.insert(lid.user().to_owned(), pn.user().to_owned());
        if let Some(former) = former.filter(|former| former != pn.user()) {
            self.lid_of.remove(&former);
        }
    }

    /// The hidden form of a person's address, if it is known; the device stays.
    pub(crate) fn lid(&self, jid: &Jid) -> Option<Jid> {
        let account = jid.to_account();
        match account.server() {
            Server::Lid => Some(account.with_device(jid.device())),
            Server::Pn => Some(Jid::lid(self.lid_of.get(jid.user())?).with_device(jid.device())),
            _ => None,
        }
    }

    /// The phone-number form of a person's address, if it is known; the device stays.
    pub(crate) fn pn(&self, jid: &Jid) -> Option<Jid> {
        let account = jid.to_account();
        match account.server() {
            Server::Pn => Some(account.with_device(jid.device())),
            Server::Lid => Some(Jid::pn(self.pn_of.get(jid.user())?).with_device(jid.device())),
            _ => None,
        }
    }

    /// The address under which a device's session is kept: the hidden one once it is known
    /// (delivery document §2.1).
    pub(crate) fn session_address(&self, device: &Jid) -> Jid {
        self.lid(device).unwrap_or_else(|| device.clone())
    }

    /// Whether two addresses belong to the same person.
    pub(crate) fn same(&self, one: &Jid, other: &Jid) -> bool {
        self.session_address(one).same_account(&self.session_address(other))
    }

    /// All known pairs in text form.
    pub(crate) fn pairs(&self) -> Vec<(String, String)> {
        let text = |(pn, lid): (&String, &String)| (Jid::pn(pn).to_string(), Jid::lid(lid).to_string());
        self.lid_of.iter().map(text).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_learned_in_any_order_and_keep_the_device() {
        let mut people = People::default();
        people.learn(&Jid::lid("1001").with_device(3), &Jid::pn("111"));
        assert_eq!(people.lid(&Jid::pn("111").with_device(5)), Some(Jid::lid("1001").with_device(5)));
        assert_eq!(people.pn(&Jid::lid("1001")), Some(Jid::pn("111")));
        assert_eq!(people.session_address(&Jid::pn("222")), Jid::pn("222"));
        assert!(people.same(&Jid::pn("111"), &Jid::lid("1001").with_device(9)));
        assert!(!people.same(&Jid::pn("222"), &Jid::lid("1001")));
    }

    #[test]
    fn a_new_hidden_number_replaces_the_old_one() {
        let mut people = People::default();
        people.learn(&Jid::pn("111"), &Jid::lid("1001"));
        people.learn(&Jid::pn("111"), &Jid::lid("1002"));
        assert_eq!(people.pn(&Jid::lid("1001")), None);
        assert_eq!(people.pairs(), [("111@s.whatsapp.net".to_owned(), "1002@lid".to_owned())]);
        people.learn(&Jid::pn("1"), &Jid::pn("2"));
        assert_eq!(people.pairs().len(), 1);
    }
}
