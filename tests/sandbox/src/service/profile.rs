//! What people say of themselves (features document §7.1).

use whimbrel_wire::Node;

use super::Service;
use super::accounts::{DeviceId, Space};
use super::iq::Reply;
use crate::stanza::Refusal;

impl Service {
    pub(super) fn change_about(&mut self, device: DeviceId, request: &Node) -> Result<Reply, Refusal> {
        if let Some(privacy) = request.child_named("privacy") {
            return self.change_status_privacy(device, privacy);
        }
        let status = request.child_named("status").ok_or_else(|| Refusal::code(400))?;
        let text = status.content_text().unwrap_or_default().to_owned();
        let now = self.now;
        self.settings_mut(device)?.about = (text.clone(), now);
        self.names.forget_text(device.account);
        self.sync_account(device, Node::new("status"));
        let Some(account) = self.accounts.get(device.account) else { return Ok(Reply::Empty) };
        let (pn, contacts) = (account.bare(Space::Pn), account.contacts.clone());
        for contact in contacts
            .into_iter()
            .filter(|contact| self.sees(device.account, "status", *contact))
            .collect::<Vec<_>>()
        {
            self.notify_account(contact, None, |service| {
                service.notification("status", pn.clone()).child(Node::new("set").text(text.clone()))
            });
        }
        Ok(Reply::Empty)
    }
}
