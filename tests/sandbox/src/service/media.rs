//! Who may use the media host (media document §6), and requests to phones to upload a file again (§9).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use whimbrel_wire::Node;

use super::Service;
use super::accounts::{DeviceId, Space};
use super::iq::Reply;
use crate::stanza::Refusal;

/// Seconds that a list of hosts is valid, and a token, as public dumps show them.
const TTL: u64 = 300;
const AUTH_TTL: u64 = 21_600;
/// Tokens kept; the oldest go first.
const TOKENS: usize = 10_000;

/// The media hosts as clients know them.
#[derive(Debug, Default)]
pub(super) struct MediaHosts {
    names: Vec<String>,
    tokens: BTreeMap<String, Token>,
    given: u64,
    /// Other times than the usual ones.
    ttl: Option<u64>,
    auth_ttl: Option<u64>,
}

#[derive(Debug)]
struct Token {
    owner: DeviceId,
    until: u64,
    number: u64,
}

impl Service {
    /// Which hosts clients are told of, the one to be preferred first.
    pub(crate) fn set_media_hosts(&mut self, names: Vec<String>) {
        self.media.names = names;
    }

    /// The host that is named first.
    pub(super) fn first_media_host(&self) -> String {
        self.media.names.first().cloned().unwrap_or_default()
    }

    /// How long lists of hosts and tokens are valid from now on, in seconds.
    pub(crate) fn set_media_life(&mut self, ttl: Option<u64>, auth_ttl: Option<u64>) {
        self.media.ttl = ttl;
        self.media.auth_ttl = auth_ttl;
    }

    /// Takes all tokens back that were given.
    pub(crate) fn revoke_media_tokens(&mut self) {
        self.media.tokens.clear();
    }

    /// Whose token this is, as long as it is valid and its device is linked.
    pub(crate) fn media_owner(&self, token: &str) -> Option<String> {
        let token = self.media.tokens.get(token).filter(|token| token.until > self.now)?;
        self.accounts.device(token.owner)?;
        Some(self.accounts.label(token.owner))
    }

    /// A device asks for the media hosts.
    pub(super) fn media_connection(&mut self, device: DeviceId, request: &Node) -> Result<Reply, Refusal> {
        if request.first_child().is_none_or(|child| child.tag() != "media_conn") {
            return Err(Refusal::code(400));
        }
        let random: [u8; 24] = self.random();
        let auth = format!("AWR{}", URL_SAFE_NO_PAD.encode(random));
        let (ttl, auth_ttl) = (self.media.ttl.unwrap_or(TTL), self.media.auth_ttl.unwrap_or(AUTH_TTL));
        self.media.given += 1;
        let token =
            Token { owner: device, until: self.now.saturating_add(auth_ttl), number: self.media.given };
        self.media.tokens.insert(auth.clone(), token);
        if self.media.tokens.len() > TOKENS {
            let oldest = self.media.given.saturating_sub(TOKENS as u64);
            self.media.tokens.retain(|_, token| token.number > oldest);
        }
        let hosts = self.media.names.iter().enumerate().map(|(number, name)| {
            Node::new("host")
                .attr("hostname", name.clone())
                .attr("type", if number == 0 { "primary" } else { "fallback" })
                .child(Node::new("upload"))
                .child(Node::new("download"))
        });
        let connection = Node::new("media_conn")
            .attr("auth", auth)
            .attr("ttl", ttl)
            .attr("auth_ttl", auth_ttl)
            .attr("max_buckets", "12")
            .children(hosts);
        Ok(Reply::Child(connection))
    }

    /// What is wrong with a request to upload a file again, as the error of its ack.
    pub(super) fn wrong_media_retry(&self, device: DeviceId, node: &Node) -> Option<u16> {
        let own = node.attr_jid("to").and_then(|to| self.accounts.find(&to)) == Some(device.account);
        let named = node.attr_is("category", "peer")
            || node.child_named("rmr").is_some_and(|rmr| rmr.attr_jid("jid").is_some());
        (!own || !named).then_some(400)
    }

    /// A phone answers such a request; only the device that asked hears of it.
    pub(super) fn phone_notifies(&mut self, device: DeviceId, node: &Node) {
        let (Some(to), true) = (node.attr_jid("to"), node.attr_is("type", "mediaretry")) else { return };
        let target = DeviceId { number: to.device(), ..device };
        if target.number == 0 || self.accounts.device(target).is_none() {
            return;
        }
        let Some(from) = self.accounts.bare(device.account, Space::Pn) else { return };
        let notification = Node::new("notification")
            .attr("id", crate::stanza::id(node))
            .attr("type", "mediaretry")
            .attr("from", from)
            .attr("t", self.now)
            .children(node.child_nodes().iter().cloned());
        self.push(target, notification);
    }
}
