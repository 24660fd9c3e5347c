//! Requests: every one gets exactly one answer (transport document §6.9).

use whimbrel_wire::Node;

use super::accounts::DeviceId;
use super::{Service, StreamId};
use crate::stanza::{self, Refusal};

/// How a request was answered.
#[derive(Debug)]
pub(super) enum Reply {
    /// It succeeded; nothing to say.
    Empty,
    /// It succeeded with this content.
    Child(Node),
    /// The handler has answered itself, or will.
    Elsewhere,
}

impl Service {
    /// A request of a device that is logged in.
    pub(super) fn request(&mut self, stream: StreamId, device: DeviceId, request: &Node) {
        let kind = stanza::plain(request, "type");
        if matches!(kind, Some("result" | "error")) {
            // Answers to pings of the service; it asks for nothing else after login.
            return;
        }
        if stanza::id(request).is_empty() {
            self.find_fault(Some(device), stream, "request without id", namespace(request));
            self.malformed(stream);
            return;
        }
        let ping = matches!(stanza::plain(request, "xmlns"), Some("w:p" | "urn:xmpp:ping"));
        if let Some(device) = self.accounts.device_mut(device).filter(|_| !ping) {
            device.requests += 1;
        }
        let reply = self.dispatch(stream, device, request);
        let answer = match reply {
            Ok(Reply::Empty) => stanza::result(request),
            Ok(Reply::Child(child)) => stanza::result(request).child(child),
            Ok(Reply::Elsewhere) => return,
            Err(refusal) => {
                if matches!(refusal.code, 400 | 501) {
                    let what =
                        format!("{} {}: {}", namespace(request), kind.unwrap_or_default(), refusal.code);
                    self.find_fault(Some(device), stream, "request refused", what);
                }
                stanza::error(request, &refusal)
            }
        };
        self.answer(stream, device, request, answer);
    }

    fn dispatch(&mut self, stream: StreamId, device: DeviceId, request: &Node) -> Result<Reply, Refusal> {
        let get = stanza::plain(request, "type") == Some("get");
        match (stanza::plain(request, "xmlns").unwrap_or_default(), get) {
            ("w:p" | "urn:xmpp:ping", _) => {
                let pong = stanza::result(request).attr("t", self.now);
                self.answer(stream, device, request, pong);
                Ok(Reply::Elsewhere)
            }
            ("passive", false) => self.passive(stream, device, request),
            ("encrypt", true) => self.prekey_query(device, request),
            ("encrypt", false) => self.prekey_change(device, request),
            ("md", _) => self
                .md(stream, device, request)
                .map(|answered| if answered { Reply::Empty } else { Reply::Elsewhere }),
            ("usync", true) => self.usync(device, request),
            ("w:mex", true) => self.mex(device, request),
            ("w:g2", true) => self.group_query(device, request),
            ("w:g2", false) => self.group_change(device, request),
            ("w:profile:picture", true) => self.picture_query(device, request),
            ("w:profile:picture", false) => self.picture_change(device, request),
            ("w:m", false) => self.media_connection(device, request),
            ("abt", true) => Ok(Reply::Child(self.properties.answer(request))),
            ("blocklist", true) => self.blocklist(device),
            ("blocklist", false) => self.change_blocklist(device, request),
            ("privacy", true) => self.privacy(device, request),
            ("privacy", false) => self.change_privacy(device, request),
            ("disappearing_mode", false) => self.change_disappearing_mode(device, request),
            ("status", true) => self.status_privacy(device, request),
            ("newsletter", true) => self.channel_query(device, request),
            ("newsletter", false) => self.channel_change(device, request),
            ("w:biz", true) => self.business_query(request),
            ("w:biz", false) => self.business_change(device, request),
            ("w:biz:catalog", true) => self.catalog_query(request),
            ("w:biz:catalog", false) => self.catalog_change(device, request),
            ("fb:thrift_iq", true) => self.order_query(request),
            ("bot", true) => self.bot_query(request),
            ("tos", true) => self.terms_query(device, request),
            ("tos", false) => self.terms_change(device, request),
            ("status", false) => self.change_about(device, request),
            ("spam", false) => self.spam_report(device, request),
            ("w:qr", true) => self.resolve_code(request),
            ("w:qr", false) => self.own_code(device, request),
            ("w:sync:app:state", _) => self.app_state(device, request),
            // Nobody is woken here, so there is nothing to say of it.
            ("urn:xmpp:whatsapp:push", true) => Ok(Reply::Child(Node::new("settings"))),
            ("urn:xmpp:whatsapp:dirty", false) | ("w:stats" | "urn:xmpp:whatsapp:push", _) => {
                Ok(Reply::Empty)
            }
            _ => Err(Refusal::code(501)),
        }
    }

    fn passive(&mut self, stream: StreamId, device: DeviceId, request: &Node) -> Result<Reply, Refusal> {
        let wanted = request.first_child().map(|child| child.tag());
        if !matches!(wanted, Some("active" | "passive")) {
            return Err(Refusal::code(400));
        }
        let active = wanted == Some("active");
        self.answer(stream, device, request, stanza::result(request));
        if active {
            self.activate(stream, device);
        } else {
            self.deactivate(device);
        }
        Ok(Reply::Elsewhere)
    }
}

fn namespace(request: &Node) -> String {
    let child = request.first_child().map(|child| child.tag()).unwrap_or_default();
    format!("{}/{child}", stanza::plain(request, "xmlns").unwrap_or("no xmlns"))
}
