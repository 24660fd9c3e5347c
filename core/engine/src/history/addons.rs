//! What people did to a message of the history: phones put it into the record of the message, and some of
//! it stands for itself (media document §19.3, messages document §15.1).

use whimbrel_content::addons::{Addon, EventAnswer, Parent};
use whimbrel_content::classify::Class;
use whimbrel_content::key::Key as Name;
use whimbrel_content::reread;
use whimbrel_proto::e2e::Message;
use whimbrel_proto::e2e::message::EventResponseMessage;
use whimbrel_wire::Jid;

use super::message::{AddOn, Keep, Kept, Key, Pin};
use super::reading::Reading;
use crate::archive::project;
use crate::archive::row::{ArchiveChange, Author, KeepRow, PinRow, ReactionRow, Target, Times, VoteRow};
use crate::store::StoreError;

/// A pin of which the phone does not say how long it lasts, seconds (messages document §7.6).
const PINNED_FOR: u32 = 604_800;

/// A message, and who wrote it.
pub(super) struct Place<'p> {
    pub(super) chat: &'p Jid,
    pub(super) id: &'p str,
    pub(super) author: &'p Author,
    /// Milliseconds.
    pub(super) at_ms: i64,
}

impl Place<'_> {
    fn target(&self) -> Target {
        let (chat, message_id) = (self.chat.clone(), self.id.to_owned());
        Target { chat, message_id, author: Some(self.author.clone()) }
    }

    /// The message that a key in the record means, and who did something to it, if it is not the message
    /// itself: then that is not known.
    fn named(&self, key: Option<&Key>) -> (Target, Option<Author>) {
        match key.filter(|key| !key.id.is_empty() && key.id != self.id) {
            Some(key) => {
                let (chat, message_id) = (self.chat.clone(), key.id.clone());
                (Target { chat, message_id, author: None }, Some(self.author.clone()))
            }
            None => (self.target(), None),
        }
    }
}

impl Reading<'_> {
    /// Takes what stands in the record of a message.
    pub(super) fn folded(&mut self, place: &Place<'_>, kept: &mut Kept) -> Result<(), StoreError> {
        for receipt in std::mem::take(&mut kept.receipts) {
            let Some(who) = self.address(&receipt.user)? else { continue };
            let (delivered_at, read_at, played_at) =
                (receipt.delivered_at, receipt.read_at, receipt.played_at);
            let told = delivered_at.or(read_at).or(played_at).is_some();
            if place.author.is_none() && told && !self.is_own(&who) {
                self.changes.push(ArchiveChange::Times {
                    chat: place.chat.clone(),
                    message_ids: vec![place.id.to_owned()],
                    who: Some(who),
                    times: Times { delivered_at, read_at, played_at },
                });
            }
        }
        for reaction in std::mem::take(&mut kept.reactions) {
            let Some(sender) = self.modifier(place.chat, reaction.key.as_ref())? else { continue };
            let emoji = Some(reaction.emoji).filter(|emoji| !emoji.is_empty());
            let row = ReactionRow { sender, emoji, at_ms: reaction.at_ms };
            self.changes.push(ArchiveChange::Reaction(place.target(), row));
        }
        for update in std::mem::take(&mut kept.votes) {
            let Some(voter) = self.modifier(place.chat, update.key.as_ref())? else { continue };
            let options = update.vote.unwrap_or_default().options;
            let options = options.into_iter().filter_map(|hash| hash.try_into().ok()).collect();
            let row = VoteRow { voter, options, at_ms: update.at_ms };
            self.changes.push(ArchiveChange::Vote(place.target(), row));
        }
        for answer in std::mem::take(&mut kept.answers) {
            let Some(person) = self.modifier(place.chat, answer.key.as_ref())? else { continue };
            let Ok(said) = whimbrel_proto::decode::<EventResponseMessage>(&answer.answer) else { continue };
            let said = Addon::EventAnswer(EventAnswer::said(Name::default(), &said));
            project::annotated(place.target(), &said, (person, ""), answer.at_ms, &mut self.changes);
        }
        if let Some(pin) = kept.pin.take() {
            self.pin(place, &pin);
        }
        if let Some(keep) = kept.keep.take() {
            self.keep(place, &keep);
        }
        for addon in std::mem::take(&mut kept.addons) {
            self.addon(place, &kept.content, addon)?;
        }
        Ok(())
    }

    fn pin(&mut self, place: &Place<'_>, pin: &Pin) {
        let (target, sender) = place.named(pin.key.as_ref());
        let at_ms = pin.at_ms.or(pin.server_at_ms).unwrap_or(place.at_ms);
        let seconds = pin.context.as_ref().and_then(|context| context.seconds).unwrap_or(PINNED_FOR);
        let until = at_ms.div_euclid(1000).saturating_add(i64::from(seconds));
        let until = (pin.kind == 1).then_some(until);
        self.changes.push(ArchiveChange::Pinned(target, PinRow { sender, until, at_ms }));
    }

    fn keep(&mut self, place: &Place<'_>, keep: &Keep) {
        let (target, sender) = place.named(keep.key.as_ref());
        let at_ms = keep.at_ms.or(keep.server_at_ms).unwrap_or(place.at_ms);
        self.changes.push(ArchiveChange::Kept(target, KeepRow { sender, kept: keep.kind == 1, at_ms }));
    }

    /// Takes an add-on as it came, which may be sealed with the secret of the message.
    fn addon(&mut self, place: &Place<'_>, parent: &[u8], addon: AddOn) -> Result<(), StoreError> {
        let Some(who) = self.modifier(place.chat, addon.key.as_ref())? else { return Ok(()) };
        let Ok(message) = whimbrel_proto::decode::<Message>(&addon.content) else { return Ok(()) };
        let Class::Addon(mut what) = reread(message, place.chat, who.is_none()).class else { return Ok(()) };
        if let Addon::Sealed(sealed) = &*what {
            let Ok(parent) = whimbrel_proto::decode::<Message>(parent) else { return Ok(()) };
            let Some(secret) = reread(parent, place.chat, place.author.is_none()).secret else {
                return Ok(());
            };
            let Some(secret) = secret.key() else { return Ok(()) };
            let (authors, modifiers) = (self.names(place.author)?, self.names(&who)?);
            let opening = Parent { secret, authors: &authors, modifiers: &modifiers };
            match sealed.open(&opening) {
                Ok(opened) => *what = opened,
                Err(_) => return Ok(()),
            }
        }
        if let Addon::Pin(pin) = &mut *what {
            pin.duration = pin.duration.or(addon.context.as_ref().and_then(|context| context.seconds));
        }
        let at_ms = addon.at_ms.or(addon.server_at_ms).unwrap_or(place.at_ms);
        let id = addon.key.map(|key| key.id).unwrap_or_default();
        project::annotated(place.target(), &what, (who, &id), at_ms, &mut self.changes);
        Ok(())
    }

    /// Takes an add-on that stands for itself. Of others than pins, keeping and comments phones put the
    /// outcome into the record of the message.
    pub(super) fn standing(&mut self, place: &Place<'_>, content: &[u8]) {
        let Ok(message) = whimbrel_proto::decode::<Message>(content) else { return };
        let Class::Addon(what) = reread(message, place.chat, place.author.is_none()).class else { return };
        if matches!(*what, Addon::Pin(_) | Addon::Keep(_) | Addon::Comment(_)) {
            let message_id = what.target().id.clone();
            let target = Target { chat: place.chat.clone(), message_id, author: None };
            let who = (place.author.clone(), place.id);
            project::annotated(target, &what, who, place.at_ms, &mut self.changes);
        }
    }
}
