//! The terms of service for channels (features document §4.6). Everybody has accepted everything, unless a
//! test says otherwise.

use whimbrel_wire::Node;

use super::super::Service;
use super::super::accounts::DeviceId;
use super::super::iq::Reply;
use super::By;
use crate::stanza::{self, Refusal};

impl Service {
    /// A device asks which notices were accepted.
    pub(in super::super) fn terms_query(&self, device: DeviceId, request: &Node) -> Result<Reply, Refusal> {
        let asked = request.child_named("request").ok_or_else(|| Refusal::code(400))?;
        let notices = asked.children_named("notice").map(|notice| {
            let id = stanza::id(notice);
            let open = self.channels.open_terms.contains(&(device.account, id.clone()));
            Node::new("notice").attr("id", id).attr("state", if open { "false" } else { "true" })
        });
        let notices: Vec<Node> = notices.collect();
        if notices.is_empty() {
            return Err(Refusal::code(400));
        }
        Ok(Reply::Child(Node::new("tos").attr("refresh", "86400").children(notices)))
    }

    /// A device accepts notices: the web client names several in a request, others one by itself.
    pub(in super::super) fn terms_change(
        &mut self,
        device: DeviceId,
        request: &Node,
    ) -> Result<Reply, Refusal> {
        let list = request.child_named("request").unwrap_or(request);
        let ids: Vec<String> = list.children_named("notice").map(stanza::id).collect();
        if ids.is_empty() || ids.iter().any(String::is_empty) {
            return Err(Refusal::code(400));
        }
        for id in ids {
            self.channels.open_terms.remove(&(device.account, id));
        }
        Ok(Reply::Empty)
    }

    /// What somebody has not accepted is not done.
    pub(super) fn accepted_terms(&self, by: By, notice: &str) -> Result<(), Refusal> {
        let open = self.channels.open_terms.contains(&(by.account, notice.to_owned()));
        if open { Err(Refusal::code(403)) } else { Ok(()) }
    }

    /// Somebody has to accept a notice before going on. Tells whether there is such a person.
    pub(crate) fn want_terms(&mut self, number: &str, notice: &str) -> bool {
        let Some(account) = self.accounts.by_pn(number) else { return false };
        self.channels.open_terms.insert((account, notice.to_owned()));
        true
    }
}
