//! Trusted-contact tokens (features document §9): what people give those whom they wrote to, and by which these
//! get past restrictions.

use std::collections::{BTreeMap, BTreeSet};

use whimbrel_crypto::kdf::hmac_sha256;
use whimbrel_wire::{Jid, Node};

use super::Service;
use super::accounts::{AccountId, DeviceId, Space};
use super::iq::Reply;
use crate::Restriction;
use crate::events::Event;
use crate::stanza::Refusal;

/// How long a bucket is, in seconds, and for how many a token is good.
const SPAN: u64 = 604_800;
const BUCKETS: u64 = 4;

/// The tokens that were given, the latest of each pair of giver and holder.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    given: BTreeMap<(AccountId, AccountId), (Vec<u8>, u64)>,
    /// Salts of accounts, which only their devices and the service know.
    salts: BTreeMap<AccountId, Vec<u8>>,
    /// Who watches whom with a good token.
    watching: BTreeSet<(AccountId, AccountId)>,
}

impl Service {
    pub(super) fn issue_tokens(&mut self, device: DeviceId, tokens: &Node) -> Result<Reply, Refusal> {
        let mut given = Vec::new();
        for token in tokens.children_named("token") {
            let jid = token.attr_jid("jid").ok_or_else(|| Refusal::code(400))?;
            let time = token.attr_u64("t").ok_or_else(|| Refusal::code(400))?;
            let peer = self.accounts.find(&jid).ok_or_else(|| Refusal::code(404))?;
            if !token.attr_is("type", "trusted_contact") || peer == device.account {
                return Err(Refusal::code(400));
            }
            given.push((peer, time));
        }
        for (peer, time) in given {
            self.give(device.account, peer, time);
        }
        Ok(Reply::Empty)
    }

    /// Somebody gives another person a token, who is told.
    fn give(&mut self, from: AccountId, to: AccountId, time: u64) {
        let value = self.random::<16>().to_vec();
        let label = |service: &Self, id| service.accounts.get(id).map(|account| account.pn.clone());
        let names = (label(self, from).unwrap_or_default(), label(self, to).unwrap_or_default());
        self.log(Event::TokenGiven { from: names.0, to: names.1, time });
        self.tokens.given.insert((from, to), (value.clone(), time));
        let Some(giver) = self.accounts.get(from) else { return };
        let (pn, lid) = (giver.bare(Space::Pn), giver.twin(Space::Pn));
        let issued = Node::new("token").attr("type", "trusted_contact").attr("t", time).bytes(value);
        let issued = Node::new("tokens").child(issued);
        self.notify_account(to, None, |service| {
            service
                .notification("privacy_token", pn.clone())
                .attr_opt("sender_lid", lid.clone())
                .child(issued.clone())
        });
    }

    /// A person gives another one a token on the phone. Tells whether there are such people.
    pub(crate) fn give_token(&mut self, from: &str, to: &str, time: Option<u64>) -> bool {
        let (Some(from), Some(to)) = (self.accounts.by_pn(from), self.accounts.by_pn(to)) else {
            return false;
        };
        self.give(from, to, time.unwrap_or(self.now));
        true
    }

    /// The service draws a salt for an account. Its phone tells the devices of it.
    pub(crate) fn set_nct_salt(&mut self, number: &str, salt: &[u8]) -> bool {
        let Some(account) = self.accounts.by_pn(number) else { return false };
        self.tokens.salts.insert(account, salt.to_vec());
        true
    }

    /// Whether what a stanza carries shows that the other person knows the sender, or that the sender is who
    /// may write to strangers.
    pub(super) fn is_trusted(&self, sender: AccountId, other: AccountId, stanza: &Node) -> bool {
        let bytes = |name: &str| stanza.child_named(name).and_then(|token| token.content_bytes());
        let cutoff = (self.now / SPAN).saturating_sub(BUCKETS - 1) * SPAN;
        let given = self.tokens.given.get(&(other, sender)).filter(|(_, time)| *time >= cutoff);
        if given.is_some_and(|(token, _)| bytes("tctoken") == Some(token.as_slice())) {
            return true;
        }
        let recipient = self.accounts.bare(other, Space::Lid).map(|lid: Jid| lid.to_string());
        match (self.tokens.salts.get(&sender), recipient, bytes("cstoken")) {
            (Some(salt), Some(recipient), Some(token)) => {
                hmac_sha256(salt, &[recipient.as_bytes()]) == *token
            }
            _ => false,
        }
    }

    /// Whether an account sees and reaches only those whose token it shows.
    pub(super) fn needs_tokens(&self, account: AccountId) -> bool {
        let restricted =
            self.accounts.get(account).and_then(|own| own.restrictions.get(&Restriction::TokensOnly));
        restricted.is_some_and(|until| until.is_none_or(|until| until > self.now))
    }

    /// Notes whether somebody watches another person with a good token.
    pub(super) fn watches(&mut self, watcher: AccountId, target: AccountId, stanza: &Node) {
        if self.is_trusted(watcher, target, stanza) {
            self.tokens.watching.insert((watcher, target));
        } else {
            self.tokens.watching.remove(&(watcher, target));
        }
    }

    /// Whether somebody is told of the presence of another person at all.
    pub(super) fn may_watch(&self, watcher: AccountId, target: AccountId) -> bool {
        !self.needs_tokens(watcher) || self.tokens.watching.contains(&(watcher, target))
    }
}
