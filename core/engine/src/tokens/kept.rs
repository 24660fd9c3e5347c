//! The tokens that are kept, and which one goes with a stanza.

use std::collections::BTreeMap;

use whimbrel_wire::{Jid, Node};

use super::stanza;
use super::time::Buckets;
use crate::messages::Unit;
use crate::properties::Property;
use crate::repair::Repair;
use crate::store::{StoreError, Token};

/// What shows the service that somebody knows this account.
pub(crate) struct Credential(Vec<u8>);

impl Credential {
    /// As stanzas to a person carry it.
    pub(crate) fn node(self) -> Node {
        stanza::trusted(self.0)
    }
}

/// People of whom it is remembered how it stands.
const REMEMBERED: usize = 256;

/// What was last given to somebody, and by somebody.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(super) given: Option<(Vec<u8>, i64)>,
    pub(super) issued_at: Option<i64>,
}

impl Unit<'_> {
    fn buckets(&mut self) -> Result<Buckets, StoreError> {
        Ok(Buckets::of(self.number(Property::TokenSpan)?, self.number(Property::TokenBuckets)?))
    }

    /// Whether tokens are exchanged with somebody: with other people, not with bots and the service itself.
    pub(super) fn has_tokens(&self, who: &Jid) -> bool {
        who.is_account() && !who.is_bot() && who.user() != "0" && !self.is_own(who)
    }

    /// How it stands with a person, whichever address the tokens were given under.
    pub(super) fn token_standing(&mut self, who: &Jid) -> Result<Standing, StoreError> {
        let who = self.canonical(&who.to_account())?;
        if let Some(known) = self.known_tokens().get(&who) {
            return Ok(known.clone());
        }
        let mut addresses = self.other_addresses(&who)?;
        addresses.push(who.clone());
        let mut standing = Standing::default();
        for address in addresses {
            let stored = self.store.token(&address)?;
            let changed = self.changes.privacy_tokens.iter().filter(|(user, _)| *user == address);
            for token in changed.map(|(_, token)| token.clone()).chain(stored) {
                standing.issued_at = standing.issued_at.max(token.sender_timestamp);
                let newer = standing.given.as_ref().is_none_or(|(_, time)| token.timestamp > *time);
                if newer && !token.token.is_empty() {
                    standing.given = Some((token.token, token.timestamp));
                }
            }
        }
        let known = self.known_tokens();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(who, standing.clone());
        Ok(standing)
    }

    /// The token that a person gave, if it is still good.
    pub(crate) fn credential(&mut self, who: &Jid) -> Result<Option<Credential>, StoreError> {
        if !self.has_tokens(who) {
            return Ok(None);
        }
        let cutoff = self.buckets()?.cutoff(self.now());
        let given = self.token_standing(who)?.given.filter(|(_, time)| *time >= cutoff);
        Ok(given.map(|(token, _)| Credential(token)))
    }

    /// The same, if a property of the service lets it go along; `default`: while the service says nothing.
    pub(crate) fn credential_for(
        &mut self,
        who: &Jid,
        property: Property,
        default: bool,
    ) -> Result<Option<Credential>, StoreError> {
        if self.switch(property)?.unwrap_or(default) { self.credential(who) } else { Ok(None) }
    }

    /// A request about members of a group, with the tokens that they gave if a property of the service lets
    /// them go along.
    pub(crate) fn with_member_tokens(
        &mut self,
        request: Node,
        members: impl Iterator<Item = Jid>,
        property: Property,
    ) -> Result<Node, StoreError> {
        if self.switch(property)? != Some(true) {
            return Ok(request);
        }
        let mut tokens = BTreeMap::new();
        for member in members {
            if let Some(Credential(token)) = self.credential(&member)? {
                tokens.insert(member, token);
            }
        }
        Ok(stanza::on_members(&request, &tokens))
    }

    /// What goes with a direct message: the token of the person, else one for strangers. Peers send it
    /// unless the service says otherwise, which spares them refusals.
    pub(crate) fn token_on_message(&mut self, chat: &Jid) -> Result<Option<Node>, StoreError> {
        if let Some(token) = self.credential_for(chat, Property::TokenOnMessages, true)? {
            return Ok(Some(token.node()));
        }
        let chat = self.canonical(chat)?;
        if !self.has_tokens(&chat)
            || !chat.is_lid()
            || !self.switch(Property::TokenForStrangers)?.unwrap_or(false)
        {
            return Ok(None);
        }
        Ok(self.store.nct_salt()?.map(|salt| stanza::for_stranger(&salt, &chat)))
    }

    /// Takes a token that somebody gave; the newest counts.
    pub(super) fn take_token(
        &mut self,
        from: &Jid,
        token: Vec<u8>,
        timestamp: i64,
    ) -> Result<(), StoreError> {
        let from = self.canonical(&from.to_account())?;
        let known = self.token_standing(&from)?.given;
        if self.has_tokens(&from) && known.is_none_or(|(_, time)| timestamp > time) {
            let standing = self.known_tokens().entry(from.clone()).or_default();
            standing.given = Some((token.clone(), timestamp));
            let token = Token { token, timestamp, sender_timestamp: None };
            self.changes.privacy_tokens.push((from, token));
        }
        Ok(())
    }

    /// A message reached somebody, or will not: a token is given if the last one is of an earlier bucket.
    pub(crate) fn wish_token(&mut self, chat: &Jid) -> Result<(), StoreError> {
        if self.token_is_due(chat)? {
            let chat = self.canonical(chat)?;
            self.wish(Repair::Token(chat, None));
        }
        Ok(())
    }

    pub(super) fn token_is_due(&mut self, who: &Jid) -> Result<bool, StoreError> {
        if !self.has_tokens(who) {
            return Ok(false);
        }
        let span = self.number(Property::IssuedTokenSpan)?;
        let last = self.token_standing(who)?.issued_at;
        Ok(Buckets::of(span, None).is_due(last, self.now()))
    }

    /// Somebody has new keys: who had a token of this account gets it again, as of the time when it was given.
    pub(crate) fn wish_token_again(&mut self, who: &Jid) -> Result<(), StoreError> {
        if self.has_tokens(who)
            && let Some(time) = self.token_standing(who)?.issued_at
        {
            let who = self.canonical(who)?;
            self.wish(Repair::Token(who, Some(time)));
        }
        Ok(())
    }

    /// Notes that a token was given.
    pub(super) fn token_issued(&mut self, to: &Jid, time: i64) -> Result<(), StoreError> {
        let to = self.canonical(to)?;
        self.token_standing(&to)?;
        self.known_tokens().entry(to.clone()).or_default().issued_at = Some(time);
        self.changes.tokens_issued.insert(to, time);
        Ok(())
    }

    /// Forgets tokens that are good for nothing any more.
    pub(crate) fn forget_old_tokens(&mut self) -> Result<(), StoreError> {
        let cutoff = self.buckets()?.cutoff(self.now());
        self.changes.tokens_before = Some(cutoff);
        self.known_tokens().clear();
        Ok(())
    }

    /// Tokens become known in another way than by a notification.
    pub(crate) fn tokens_learned(&mut self) {
        self.known_tokens().clear();
    }
}
