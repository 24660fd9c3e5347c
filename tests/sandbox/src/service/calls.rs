//! Calls as far as the service has part in them: it tells devices of each other's steps (features document
//! §12). Media would go elsewhere, and nobody has any here.

use std::collections::BTreeMap;

use serde::Serialize;
use whimbrel_wire::{Jid, Node};

use super::accounts::{AccountId, DeviceId, Space};
use super::{Service, StreamId};
use crate::stanza::{self, Refusal};

/// A call as the service knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CallState {
    /// Its id.
    pub id: String,
    /// Phone number of whoever calls.
    pub caller: String,
    /// Phone number of whoever is called.
    pub callee: String,
    /// With pictures.
    pub video: bool,
    /// How it is: `ringing`, `accepted`, `rejected` or `ended`.
    pub state: String,
    /// Which devices said that it rings there, or that they have it.
    pub answered_by: Vec<String>,
}

#[derive(Debug)]
struct Call {
    caller: AccountId,
    callee: AccountId,
    video: bool,
    state: &'static str,
    answered_by: Vec<String>,
}

/// Calls that go on or went on, and links to calls.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    by_id: BTreeMap<String, Call>,
    /// Who made which link, and whether it is one with pictures.
    links: BTreeMap<String, (AccountId, bool)>,
}

impl Service {
    /// A step of a call of a device. Every one is acknowledged.
    pub(super) fn call(&mut self, stream: StreamId, device: DeviceId, node: &Node) {
        let Some(action) = node.first_child() else {
            self.find_fault(Some(device), stream, "call without a step", String::new());
            return self.malformed(stream);
        };
        let kind = action.tag().to_owned();
        let ack = Node::new("ack")
            .attr("class", "call")
            .attr("id", stanza::id(node))
            .attr("from", node.attr_jid("to").unwrap_or(Jid::SERVER))
            .attr("type", kind.clone());
        let done = match kind.as_str() {
            "link_create" => self.create_call_link(device, action).map(Some),
            "link_query" => self.query_call_link(device, action).map(Some),
            "offer" => self.offered(device, node, action).map(|()| None),
            _ => self.step(device, node, action).map(|()| None),
        };
        let ack = match done {
            Ok(child) => ack.child_opt(child),
            Err(refusal) => ack.attr("error", refusal.code),
        };
        self.answer(stream, device, node, ack);
    }

    /// A device confirmed a step by a receipt. Tells whether it was one.
    pub(super) fn call_receipt(&mut self, device: DeviceId, node: &Node) -> bool {
        let steps = ["offer", "accept", "reject", "enc_rekey"];
        let Some(about) = node.first_child().filter(|about| steps.contains(&about.tag())) else {
            return false;
        };
        let label = self.accounts.label(device);
        if let Some(call) = self.calls.by_id.get_mut(&stanza::text(about, "call-id").unwrap_or_default()) {
            call.answered_by.push(label);
        }
        true
    }

    fn create_call_link(&mut self, device: DeviceId, action: &Node) -> Result<Node, Refusal> {
        let video = match stanza::plain(action, "media") {
            Some("audio") => false,
            Some("video") => true,
            _ => return Err(Refusal::code(400)),
        };
        let token = self.random_digits(22);
        self.calls.links.insert(token.clone(), (device.account, video));
        let media = if video { "video" } else { "audio" };
        Ok(Node::new("link_create").attr("token", token).attr("media", media))
    }

    fn query_call_link(&mut self, device: DeviceId, action: &Node) -> Result<Node, Refusal> {
        let token = stanza::text(action, "token").ok_or_else(|| Refusal::code(400))?;
        let (creator, video) = *self.calls.links.get(&token).ok_or_else(|| Refusal::code(404))?;
        let media = if video { "video" } else { "audio" };
        if stanza::plain(action, "media") != Some(media) {
            return Err(Refusal::code(404));
        }
        let address = |space| self.accounts.bare(creator, space);
        let own = if creator == device.account { "1" } else { "0" };
        Ok(Node::new("link_query")
            .attr("token", token)
            .attr("media", media)
            .attr_opt("link_creator", address(Space::Lid))
            .attr_opt("link_creator_pn", address(Space::Pn))
            .child(Node::new("waiting_room").attr("enabled", "0").attr("is_admin", own)))
    }

    /// A device calls somebody.
    fn offered(&mut self, device: DeviceId, node: &Node, action: &Node) -> Result<(), Refusal> {
        let callee = node.attr_jid("to").and_then(|to| self.accounts.find(&to));
        let callee = callee.ok_or_else(|| Refusal::code(404))?;
        if self.accounts.get(callee).is_some_and(|callee| callee.settings.blocks(device.account)) {
            return Err(Refusal::code(401));
        }
        let id = stanza::text(action, "call-id").ok_or_else(|| Refusal::code(400))?;
        let video = action.child_named("video").is_some();
        self.ring(device.account, callee, &id, video);
        Ok(())
    }

    /// All devices of whoever is called ring; those that are away find it later.
    fn ring(&mut self, caller: AccountId, callee: AccountId, id: &str, video: bool) {
        let call = Call { caller, callee, video, state: "ringing", answered_by: Vec::new() };
        self.calls.by_id.insert(id.to_owned(), call);
        let phone = self.accounts.bare(caller, Space::Pn);
        if !self.sees(callee, "calladd", caller) {
            // Whoever wants no calls of strangers hears of them, and nothing rings.
            let media = if video { "video" } else { "audio" };
            let notice = self.about(caller, "offer_notice", id);
            if let Some(notice) = notice {
                let notice = notice.attr_opt("caller_pn", phone).attr("media", media);
                self.tell_call(caller, callee, None, notice);
            }
            return;
        }
        let offer = self.about(caller, "offer", id).map(|offer| {
            offer
                .attr_opt("caller_pn", phone)
                .attr("joinable", "1")
                .child(Node::new("audio").attr("enc", "opus").attr("rate", "16000"))
                .children(video.then(|| Node::new("video").attr("dec", "H264")))
                .child(Node::new("net").attr("medium", "3"))
                .child(Node::new("encopt").attr("keygen", "2"))
        });
        if let Some(offer) = offer {
            self.tell_call(caller, callee, None, offer);
        }
    }

    fn about(&self, creator: AccountId, step: &'static str, id: &str) -> Option<Node> {
        let creator = self.accounts.bare(creator, Space::Lid)?;
        Some(Node::new(step).attr("call-id", id.to_owned()).attr("call-creator", creator))
    }

    fn tell_call(&mut self, from: AccountId, to: AccountId, except: Option<DeviceId>, action: Node) {
        let Some(address) = self.accounts.bare(from, Space::Lid) else { return };
        let name =
            self.accounts.get(from).map(|account| account.name.clone()).filter(|name| !name.is_empty());
        for device in self.accounts.devices(to) {
            if Some(device) == except || device.number == 0 {
                continue;
            }
            let stanza = Node::new("call")
                .attr("from", address.clone())
                .attr("id", self.next_id())
                .attr("t", self.now)
                .attr("platform", "android")
                .attr("version", "2.26.1")
                .attr_opt("notify", name.clone())
                .child(action.clone());
            self.push(device, stanza);
        }
    }

    /// A step of a call that goes on.
    fn step(&mut self, device: DeviceId, node: &Node, action: &Node) -> Result<(), Refusal> {
        let id = stanza::text(action, "call-id").ok_or_else(|| Refusal::code(400))?;
        let call = self.calls.by_id.get_mut(&id).ok_or_else(|| Refusal::code(404))?;
        let (caller, callee) = (call.caller, call.callee);
        if device.account != caller && device.account != callee {
            return Err(Refusal::code(403));
        }
        let other = if device.account == caller { callee } else { caller };
        let addressed = node.attr_jid("to").and_then(|to| self.accounts.find(&to));
        if addressed != Some(other) {
            return Err(Refusal::code(404));
        }
        let elsewhere = match action.tag() {
            "accept" => {
                call.state = "accepted";
                Some("accepted_elsewhere")
            }
            "reject" => {
                call.state = "rejected";
                Some("rejected_elsewhere")
            }
            "terminate" => {
                call.state = "ended";
                None
            }
            _ => None,
        };
        let account = device.account;
        self.tell_call(account, other, None, action.clone());
        if let Some(reason) = elsewhere
            && let Some(over) = self.about(caller, "terminate", &id)
        {
            self.tell_call(other, account, Some(device), over.attr("reason", reason));
        }
        Ok(())
    }

    /// Somebody calls from a phone. Returns the id of the call, if there are such people, and the one who is
    /// called has not blocked the other.
    pub(crate) fn call_somebody(&mut self, caller: &str, callee: &str, video: bool) -> Option<String> {
        let (caller, callee) = (self.accounts.by_pn(caller)?, self.accounts.by_pn(callee)?);
        if self.accounts.get(callee).is_some_and(|callee| callee.settings.blocks(caller)) {
            return None;
        }
        let id = hex::encode_upper(self.random::<16>());
        self.ring(caller, callee, &id, video);
        Some(id)
    }

    /// Whoever called gives it up, or whoever is called takes or refuses it on the phone. Tells whether there is
    /// such a call.
    pub(crate) fn act_on_call(&mut self, id: &str, step: CallStep) -> bool {
        let Some(call) = self.calls.by_id.get_mut(id) else { return false };
        let (caller, callee) = (call.caller, call.callee);
        let (state, tag, reason, duration) = match step {
            CallStep::Accept => ("accepted", "accept", Some("accepted_elsewhere"), None),
            CallStep::Reject => ("rejected", "reject", Some("rejected_elsewhere"), None),
            CallStep::GiveUp => ("ended", "terminate", None, None),
            CallStep::HangUp => ("ended", "terminate", None, Some(4_200_u64)),
        };
        call.state = state;
        let Some(action) = self.about(caller, tag, id) else { return false };
        match step {
            CallStep::GiveUp => self.tell_call(caller, callee, None, action.attr("reason", "timeout")),
            CallStep::HangUp => self.tell_call(caller, callee, None, action.attr_opt("duration", duration)),
            CallStep::Accept | CallStep::Reject => {
                self.tell_call(callee, caller, None, action);
                if let Some(over) = self.about(caller, "terminate", id) {
                    self.tell_call(caller, callee, None, over.attr_opt("reason", reason));
                }
            }
        }
        true
    }

    pub(crate) fn call_state(&self, id: &str) -> Option<CallState> {
        let call = self.calls.by_id.get(id)?;
        let number =
            |account| self.accounts.get(account).map(|account| account.pn.clone()).unwrap_or_default();
        Some(CallState {
            id: id.to_owned(),
            caller: number(call.caller),
            callee: number(call.callee),
            video: call.video,
            state: call.state.to_owned(),
            answered_by: call.answered_by.clone(),
        })
    }
}

/// What somebody does about a call on the phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallStep {
    Accept,
    Reject,
    /// The caller waits no longer.
    GiveUp,
    /// They have talked.
    HangUp,
}
