//! What can be set about an account's privacy, and to what (features document §8.1). Pure.

use std::borrow::Cow;

/// Something about an account that others see or do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PrivacyCategory {
    /// Who sees when it was last online.
    LastSeen,
    /// Who sees that it is online.
    Online,
    /// Who sees its picture.
    Picture,
    /// Who sees what it says of itself.
    About,
    /// Who may add it to groups.
    GroupAdd,
    /// Who is told that it read messages.
    ReadReceipts,
    /// Whose calls ring.
    Calls,
    /// Who may write to it.
    Messages,
    /// Strict settings for those who are attacked.
    Defense,
    /// Who sees its packs of stickers.
    Stickers,
    /// Who sees the profiles elsewhere that it links to.
    LinkedProfiles,
    /// Who sees its key for payments by Pix.
    Pix,
    /// One that this version does not know, by the service's word.
    Other(String),
}

/// What a category is set to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PrivacyValue {
    /// Everybody.
    Everyone,
    /// The people in the address book.
    Contacts,
    /// The people in the address book but those who are named.
    ContactsExcept,
    /// Those of the address book who are named.
    ContactsOnly,
    /// Nobody.
    Nobody,
    /// The same people as for [`PrivacyCategory::LastSeen`].
    MatchLastSeen,
    /// People whom the account knows.
    Known,
    /// Off.
    Off,
    /// On, in the usual extent.
    OnStandard,
    /// One that this version does not know, by the service's word.
    Other(String),
}

use PrivacyCategory as C;
use PrivacyValue as V;

/// Each category with its word here, the service's word, and what it can be set to.
const CATEGORIES: &[(C, &str, &str, &[V])] = &[
    (C::LastSeen, "last_seen", "last", AUDIENCES),
    (C::Online, "online", "online", &[V::Everyone, V::MatchLastSeen, V::Nobody]),
    (C::Picture, "picture", "profile", AUDIENCES),
    (C::About, "about", "status", AUDIENCES),
    (C::GroupAdd, "group_add", "groupadd", AUDIENCES),
    (C::ReadReceipts, "read_receipts", "readreceipts", &[V::Everyone, V::Nobody]),
    (C::Calls, "calls", "calladd", &[V::Everyone, V::Known, V::Contacts]),
    (C::Messages, "messages", "messages", &[V::Everyone, V::Contacts]),
    (C::Defense, "defense", "defense", &[V::Off, V::OnStandard]),
    (C::Stickers, "stickers", "stickers", &[V::Contacts, V::ContactsOnly, V::Nobody]),
    (C::LinkedProfiles, "linked_profiles", "linked_profiles", AUDIENCES),
    (C::Pix, "pix", "pix", AUDIENCES),
];

const AUDIENCES: &[V] = &[V::Everyone, V::Contacts, V::ContactsExcept, V::Nobody];

/// Each value with its word here and the service's word.
const VALUES: &[(V, &str, &str)] = &[
    (V::Everyone, "everyone", "all"),
    (V::Contacts, "contacts", "contacts"),
    (V::ContactsExcept, "contacts_except", "contact_blacklist"),
    (V::ContactsOnly, "contacts_only", "contact_allowlist"),
    (V::Nobody, "nobody", "none"),
    (V::MatchLastSeen, "match_last_seen", "match_last_seen"),
    (V::Known, "known", "known"),
    (V::Off, "off", "off"),
    (V::OnStandard, "on_standard", "on_standard"),
];

impl PrivacyCategory {
    fn row(&self) -> Option<&'static (C, &'static str, &'static str, &'static [V])> {
        CATEGORIES.iter().find(|(category, ..)| category == self)
    }

    /// The category by its name in this engine, such as `last_seen`; what is not known is taken for a word of
    /// the service.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let known = CATEGORIES.iter().find(|(_, own, ..)| *own == name);
        known.map_or_else(|| Self::of_wire(name), |(category, ..)| category.clone())
    }

    /// Its name in this engine; of one that is not known, the service's word.
    #[must_use]
    pub fn name(&self) -> Cow<'_, str> {
        match (self, self.row()) {
            (Self::Other(word), _) => Cow::Borrowed(word),
            (_, Some((_, own, ..))) => Cow::Borrowed(own),
            (_, None) => Cow::Borrowed(""),
        }
    }

    pub(crate) fn of_wire(word: &str) -> Self {
        let known = CATEGORIES.iter().find(|(_, _, wire, _)| *wire == word);
        known.map_or_else(|| Self::Other(word.to_owned()), |(category, ..)| category.clone())
    }

    pub(crate) fn wire(&self) -> Cow<'_, str> {
        match (self, self.row()) {
            (Self::Other(word), _) => Cow::Borrowed(word),
            (_, Some((_, _, wire, _))) => Cow::Borrowed(wire),
            (_, None) => Cow::Borrowed(""),
        }
    }

    /// Whether the service takes this value for it. Of what this version does not know, the service decides.
    pub(crate) fn takes(&self, value: &PrivacyValue) -> bool {
        match (self.row(), value) {
            (None, _) | (_, V::Other(_)) => true,
            (Some((.., values)), value) => values.contains(value),
        }
    }

    /// Whether people can be left out of it.
    pub(crate) fn has_exceptions(&self) -> bool {
        self.row().is_some_and(|(.., values)| values.contains(&V::ContactsExcept))
    }
}

impl PrivacyValue {
    fn row(&self) -> Option<&'static (V, &'static str, &'static str)> {
        VALUES.iter().find(|(value, ..)| value == self)
    }

    /// The value by its name in this engine, such as `everyone`; what is not known is taken for a word of the
    /// service.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let known = VALUES.iter().find(|(_, own, _)| *own == name);
        known.map_or_else(|| Self::of_wire(name), |(value, ..)| value.clone())
    }

    /// Its name in this engine; of one that is not known, the service's word.
    #[must_use]
    pub fn name(&self) -> Cow<'_, str> {
        match (self, self.row()) {
            (Self::Other(word), _) => Cow::Borrowed(word),
            (_, Some((_, own, _))) => Cow::Borrowed(own),
            (_, None) => Cow::Borrowed(""),
        }
    }

    pub(crate) fn of_wire(word: &str) -> Self {
        let known = VALUES.iter().find(|(_, _, wire)| *wire == word);
        known.map_or_else(|| Self::Other(word.to_owned()), |(value, ..)| value.clone())
    }

    pub(crate) fn wire(&self) -> Cow<'_, str> {
        match (self, self.row()) {
            (Self::Other(word), _) => Cow::Borrowed(word),
            (_, Some((_, _, wire))) => Cow::Borrowed(wire),
            (_, None) => Cow::Borrowed(""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_leads_back_to_where_it_came_from() {
        for (category, ..) in CATEGORIES {
            assert_eq!(&C::named(&category.name()), category);
            assert_eq!(&C::of_wire(&category.wire()), category);
        }
        for (value, ..) in VALUES {
            assert_eq!(&V::named(&value.name()), value);
            assert_eq!(&V::of_wire(&value.wire()), value);
        }
        let other = C::named("cover_photo");
        assert_eq!((other.name(), other.wire()), ("cover_photo".into(), "cover_photo".into()));
        assert_eq!(V::named("all"), V::Everyone, "the service's words are understood too");
    }

    #[test]
    fn what_a_category_takes_is_known_and_the_rest_is_left_to_the_service() {
        assert!(C::LastSeen.takes(&V::ContactsExcept) && C::LastSeen.has_exceptions());
        assert!(!C::ReadReceipts.takes(&V::Contacts) && !C::ReadReceipts.has_exceptions());
        assert!(!C::Online.takes(&V::Known) && C::Online.takes(&V::MatchLastSeen));
        assert!(C::Other("new".into()).takes(&V::Known) && C::Online.takes(&V::Other("new".into())));
        assert!(!C::Stickers.has_exceptions());
    }
}
