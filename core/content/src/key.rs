//! Which message is meant (messages document §5): the key as its sender writes it, the same message
//! from our point of view, and who may do what to it.

use std::fmt;

use whimbrel_proto::common::MessageKey;
use whimbrel_wire::Jid;

/// Reads an address; what is not one is as good as absent.
pub(crate) fn jid(text: Option<String>) -> Option<Jid> {
    text.and_then(|text| text.parse::<Jid>().ok()).map(Jid::normalized)
}

/// Names a message from its **sender's** point of view (`MessageKey`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Key {
    /// The chat, as the sender sees it: in a direct chat the other person.
    pub chat: Option<Jid>,
    /// The sender of the key wrote the message that it names.
    pub from_me: bool,
    /// The message's id.
    pub id: String,
    /// Who wrote it, in groups and for statuses; without device.
    pub participant: Option<Jid>,
}

impl Key {
    pub(crate) fn read(key: Option<MessageKey>) -> Self {
        let MessageKey { remote_jid, from_me, id, participant } = key.unwrap_or_default();
        Self {
            chat: jid(remote_jid),
            from_me: from_me.unwrap_or_default(),
            id: id.unwrap_or_default(),
            participant: jid(participant),
        }
    }

    pub(crate) fn read_some(key: Option<MessageKey>) -> Option<Self> {
        key.map(|key| Self::read(Some(key)))
    }

    pub(crate) fn write(&self) -> MessageKey {
        MessageKey {
            remote_jid: self.chat.as_ref().map(Jid::to_string),
            from_me: Some(self.from_me),
            id: Some(self.id.clone()),
            participant: self.participant.as_ref().map(Jid::to_string),
        }
    }

    /// The key for a message of ours.
    #[must_use]
    pub fn own(chat: &Jid, id: &str) -> Self {
        Self { chat: Some(chat.clone()), from_me: true, id: id.to_owned(), participant: None }
    }

    /// The key for somebody else's message. In groups and for statuses it says who wrote it, in the
    /// namespace that the message was received with.
    #[must_use]
    pub fn foreign(chat: &Jid, id: &str, author: &Jid) -> Self {
        let named = chat.is_group() || chat.is_broadcast();
        Self {
            chat: Some(chat.clone()),
            from_me: false,
            id: id.to_owned(),
            participant: named.then(|| author.to_bare()),
        }
    }
}

/// Which addresses belong to the same person.
pub trait People {
    /// Whether the address is one of this account's.
    fn is_own(&self, user: &Jid) -> bool;

    /// This account in the namespace of a chat: what stands for it where nobody is named.
    fn own(&self) -> Option<&Jid>;

    /// Whether two addresses are the same person's. An implementation that knows which phone number
    /// belongs to which LID says more than the addresses themselves.
    fn same(&self, one: &Jid, other: &Jid) -> bool {
        one.to_account().same_account(&other.to_account()) || (self.is_own(one) && self.is_own(other))
    }
}

/// This account by its own two addresses; nothing is known of others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Own {
    /// By phone number.
    pub phone: Option<Jid>,
    /// By LID.
    pub lid: Option<Jid>,
}

impl People for Own {
    fn is_own(&self, user: &Jid) -> bool {
        let user = user.to_account();
        [&self.phone, &self.lid].into_iter().flatten().any(|own| own.to_account().same_account(&user))
    }

    fn own(&self) -> Option<&Jid> {
        self.lid.as_ref().or(self.phone.as_ref())
    }
}

/// How a message arrived.
#[derive(Clone, Copy)]
pub struct Arrival<'a> {
    /// The chat that it arrived in, from our point of view.
    pub chat: &'a Jid,
    /// Who sent it, with or without device.
    pub sender: &'a Jid,
    /// Which addresses are ours.
    pub people: &'a dyn People,
}

impl Arrival<'_> {
    /// Whether one of this account's devices sent it.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.people.is_own(self.sender)
    }
}

impl fmt::Debug for Arrival<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arrival").field("chat", self.chat).field("sender", self.sender).finish()
    }
}

/// Names a message from **our** point of view.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The chat that the key arrived in. What it names never leaves that chat, whatever it says.
    pub chat: Jid,
    /// The message's id.
    pub id: String,
    /// Who wrote it, without device; absent when nothing tells.
    pub author: Option<Jid>,
    /// It is this account's.
    pub from_me: bool,
}

impl Key {
    /// The same message from our point of view.
    #[must_use]
    pub fn resolve(&self, arrival: &Arrival<'_>) -> Target {
        let direct = !(arrival.chat.is_group() || arrival.chat.is_broadcast());
        let author = match &self.participant {
            Some(participant) => Some(participant.clone()),
            None if self.from_me => Some(arrival.sender.clone()),
            // An own device means the other person; that person means us.
            None if direct && arrival.is_own() => Some(arrival.chat.clone()),
            None if direct => arrival.people.own().cloned(),
            None => None,
        };
        let author = author.map(|author| author.to_bare().normalized());
        let from_me = author.as_ref().is_some_and(|author| arrival.people.is_own(author))
            || (author.is_none() && self.from_me);
        Target { chat: arrival.chat.clone(), id: self.id.clone(), author, from_me }
    }
}

/// Why somebody may not do to a message what they try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAllowed {
    /// Only its author may.
    #[error("only the author of the message may do this")]
    NotTheAuthor,
    /// Only an administrator of the group may.
    #[error("only an administrator of the group may do this")]
    NotAnAdmin,
    /// Nobody has this right in a direct chat.
    #[error("nobody may do this in a direct chat")]
    DirectChat,
    /// Only members of the group may.
    #[error("only members of the group may do this")]
    NotAMember,
    /// The time for it is over.
    #[error("the time for this is over")]
    TooLate,
    /// Messages of this kind are not changed this way.
    #[error("a message of this kind is not changed this way")]
    NotEditable,
}

/// What is known of somebody who acts on a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    /// They wrote the message that they act on.
    pub is_author: bool,
    /// They are, or were at the time, an administrator of the group.
    pub is_admin: bool,
    /// They are a member of the group, or one of the two of a direct chat.
    pub is_member: bool,
    /// The chat is a group.
    pub in_group: bool,
}

/// How long after a message its edits are accepted, by the service's times, in seconds.
pub const EDIT_WINDOW: i64 = 1200;
/// How long after a message its author is offered to edit it, in seconds.
pub const EDIT_OFFERED: i64 = 900;

impl Actor {
    /// Whether an edit of text or caption counts. `age`: seconds between the service's times of the
    /// message and of the edit.
    ///
    /// # Errors
    /// What speaks against it.
    pub fn may_edit(self, editable: bool, age: i64) -> Result<(), NotAllowed> {
        if !self.is_author {
            Err(NotAllowed::NotTheAuthor)
        } else if !editable {
            Err(NotAllowed::NotEditable)
        } else if age > EDIT_WINDOW {
            Err(NotAllowed::TooLate)
        } else {
            Ok(())
        }
    }

    /// Whether a revoke counts. `by_author` is what the key says with `fromMe`.
    ///
    /// # Errors
    /// What speaks against it.
    pub fn may_revoke(self, by_author: bool) -> Result<(), NotAllowed> {
        match (by_author, self.in_group) {
            (true, _) if self.is_author => Ok(()),
            (true, _) => Err(NotAllowed::NotTheAuthor),
            (false, false) => Err(NotAllowed::DirectChat),
            (false, true) if self.is_admin => Ok(()),
            (false, true) => Err(NotAllowed::NotAnAdmin),
        }
    }

    /// Whether a pin, a reaction, a vote, an answer to an event or a comment counts.
    ///
    /// # Errors
    /// What speaks against it.
    pub fn may_annotate(self) -> Result<(), NotAllowed> {
        if self.is_member { Ok(()) } else { Err(NotAllowed::NotAMember) }
    }

    /// Whether keeping a disappearing message, or undoing that, counts. `undone_by_author`: its
    /// author has undone it before, which is for ever.
    ///
    /// # Errors
    /// What speaks against it.
    pub fn may_keep(self, undone_by_author: bool) -> Result<(), NotAllowed> {
        if undone_by_author && !self.is_author { Err(NotAllowed::NotTheAuthor) } else { self.may_annotate() }
    }

    /// Whether a change of an event or of a poll counts.
    ///
    /// # Errors
    /// What speaks against it.
    pub fn may_change(self) -> Result<(), NotAllowed> {
        if self.is_author { Ok(()) } else { Err(NotAllowed::NotTheAuthor) }
    }

    /// Whether a new option of a poll counts. `open`: the poll lets anyone add options.
    ///
    /// # Errors
    /// What speaks against it.
    pub fn may_add_option(self, open: bool) -> Result<(), NotAllowed> {
        if open { self.may_annotate() } else { self.may_change() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> Own {
        Own { phone: Some(Jid::pn("1555")), lid: Some(Jid::lid("9")) }
    }

    #[test]
    fn keys_are_seen_from_our_side() {
        let (people, ben, group) = (own(), Jid::lid("7"), Jid::group("1-2"));
        let resolve = |key: Key, chat: &Jid, sender: &Jid| {
            let target = key.resolve(&Arrival { chat, sender, people: &people });
            (target.chat, target.author, target.from_me)
        };
        // Ben names his own message, with himself as he sees the chat: us.
        let his = Key::own(&Jid::lid("9"), "A");
        assert_eq!(resolve(his, &ben, &ben.with_device(3)), (ben.clone(), Some(ben.clone()), false));
        let ours = Key { from_me: false, ..Key::own(&Jid::lid("9"), "A") };
        assert_eq!(resolve(ours.clone(), &ben, &ben), (ben.clone(), Some(Jid::lid("9")), true));
        // The same key from our phone names Ben's message.
        let phone = Jid::pn("1555").with_device(0);
        assert_eq!(resolve(ours, &ben, &phone), (ben.clone(), Some(ben.clone()), false));
        let in_group = Key::foreign(&group, "A", &Jid::pn("1555"));
        assert_eq!(resolve(in_group, &group, &ben), (group.clone(), Some(Jid::pn("1555")), true));
        // Whatever chat a key names, it acts where it arrived.
        let astray = Key::foreign(&group, "A", &ben);
        assert_eq!(resolve(astray, &ben, &ben), (ben.clone(), Some(ben), false));
        let unnamed = Key { participant: None, ..Key::foreign(&group, "A", &Jid::lid("8")) };
        assert_eq!(resolve(unnamed, &group, &Jid::lid("7")), (group, None, false));
    }

    #[test]
    fn people_are_compared_in_both_namespaces_as_far_as_known() {
        let people = own();
        assert!(people.same(&Jid::pn("1555").with_device(2), &Jid::lid("9")));
        assert!(people.same(&Jid::lid("7").with_device(2), &Jid::lid("7")));
        assert!(!people.same(&Jid::lid("7"), &Jid::pn("7")));
    }

    #[test]
    fn rights_are_those_of_the_document() {
        let author = Actor { is_author: true, is_admin: false, is_member: true, in_group: true };
        let member = Actor { is_author: false, ..author };
        let admin = Actor { is_admin: true, ..member };
        let stranger = Actor { is_member: false, ..member };
        assert_eq!(author.may_edit(true, EDIT_WINDOW), Ok(()));
        assert_eq!(author.may_edit(true, EDIT_WINDOW + 1), Err(NotAllowed::TooLate));
        assert_eq!(author.may_edit(false, 0), Err(NotAllowed::NotEditable));
        assert_eq!(admin.may_edit(true, 0), Err(NotAllowed::NotTheAuthor));
        assert_eq!((author.may_revoke(true), admin.may_revoke(false)), (Ok(()), Ok(())));
        assert_eq!(admin.may_revoke(true), Err(NotAllowed::NotTheAuthor));
        assert_eq!(member.may_revoke(false), Err(NotAllowed::NotAnAdmin));
        let direct = Actor { in_group: false, is_admin: true, ..member };
        assert_eq!(direct.may_revoke(false), Err(NotAllowed::DirectChat));
        assert_eq!((member.may_annotate(), stranger.may_annotate()), (Ok(()), Err(NotAllowed::NotAMember)));
        assert_eq!(member.may_keep(true), Err(NotAllowed::NotTheAuthor));
        assert_eq!((member.may_keep(false), author.may_keep(true)), (Ok(()), Ok(())));
        assert_eq!((author.may_change(), member.may_change()), (Ok(()), Err(NotAllowed::NotTheAuthor)));
        assert_eq!((member.may_add_option(true), author.may_add_option(false)), (Ok(()), Ok(())));
        assert_eq!(member.may_add_option(false), Err(NotAllowed::NotTheAuthor));
    }
}
