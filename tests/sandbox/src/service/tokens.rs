//! Trusted-contact tokens (features document §9).

use whimbrel_wire::Node;

use super::Service;
use super::accounts::{DeviceId, Space};
use super::iq::Reply;
use crate::stanza::Refusal;

impl Service {
    /// Trusted-contact tokens: an opaque token for the other person, who is told (features document §9).
    pub(super) fn issue_tokens(&mut self, device: DeviceId, tokens: &Node) -> Result<Reply, Refusal> {
        let own = self.accounts.get(device.account).ok_or_else(|| Refusal::code(401))?;
        let (pn, lid) = (own.bare(Space::Pn), own.bare(Space::Lid));
        for token in tokens.children_named("token") {
            let jid = token.attr_jid("jid").ok_or_else(|| Refusal::code(400))?;
            let time = token.attr_u64("t").ok_or_else(|| Refusal::code(400))?;
            let Some(peer) = self.accounts.find(&jid) else { return Err(Refusal::code(404)) };
            let value = self.random::<16>();
            let issued =
                Node::new("token").attr("type", "trusted_contact").attr("t", time).bytes(value.to_vec());
            let issued = Node::new("tokens").child(issued);
            self.notify_account(peer, None, |service| {
                service
                    .notification("privacy_token", pn.clone())
                    .attr("sender_lid", lid.clone())
                    .child(issued.clone())
            });
        }
        Ok(Reply::Empty)
    }
}
