//! Attribute values: text or a JID.

use crate::{jid::Jid, text::Text};
use std::borrow::Cow;

/// The value of an attribute. On the wire a JID has a form of its own, and peers that mean a JID accept no
/// other; so the two are kept apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttrValue<'a> {
    /// Text; numbers are decimal, booleans `true` or `false`.
    Text(Text<'a>),
    /// An address.
    Jid(Jid),
}

impl AttrValue<'_> {
    pub(crate) const EMPTY: Self = AttrValue::Text(Text::EMPTY);

    /// The text form. A JID reads as `user@server`: some peers write any text that contains an `@`, such as
    /// a push name, as a JID.
    pub fn as_text(&self) -> Cow<'_, str> {
        match self {
            AttrValue::Text(text) => Cow::Borrowed(text.as_str()),
            AttrValue::Jid(jid) => Cow::Owned(jid.to_string()),
        }
    }

    /// The address. Some peers write addresses as text; that is read strictly.
    pub fn to_jid(&self) -> Option<Jid> {
        match self {
            AttrValue::Text(text) => Jid::parse(text).ok(),
            AttrValue::Jid(jid) => Some(jid.clone()),
        }
    }

    /// The address, if the value has the form of one on the wire.
    pub fn as_jid(&self) -> Option<&Jid> {
        match self {
            AttrValue::Text(_) => None,
            AttrValue::Jid(jid) => Some(jid),
        }
    }

    /// The same value, borrowing nothing.
    pub fn into_owned(self) -> AttrValue<'static> {
        match self {
            AttrValue::Text(text) => AttrValue::Text(text.into_owned()),
            AttrValue::Jid(jid) => AttrValue::Jid(jid),
        }
    }
}

impl<'a> From<Text<'a>> for AttrValue<'a> {
    fn from(text: Text<'a>) -> Self {
        AttrValue::Text(text)
    }
}

impl<'a> From<&'a str> for AttrValue<'a> {
    #[inline]
    fn from(text: &'a str) -> Self {
        AttrValue::Text(Text::from(text))
    }
}

impl<'a> From<&'a String> for AttrValue<'a> {
    #[inline]
    fn from(text: &'a String) -> Self {
        AttrValue::Text(Text::from(text))
    }
}

impl From<String> for AttrValue<'_> {
    fn from(text: String) -> Self {
        AttrValue::Text(Text::from(text))
    }
}

impl<'a> From<Cow<'a, str>> for AttrValue<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        AttrValue::Text(Text::from(text))
    }
}

impl From<Jid> for AttrValue<'_> {
    #[inline]
    fn from(jid: Jid) -> Self {
        AttrValue::Jid(jid)
    }
}

impl From<&Jid> for AttrValue<'_> {
    #[inline]
    fn from(jid: &Jid) -> Self {
        AttrValue::Jid(jid.clone())
    }
}

impl From<bool> for AttrValue<'_> {
    fn from(value: bool) -> Self {
        AttrValue::Text(Text::literal(if value { "true" } else { "false" }))
    }
}

impl From<u64> for AttrValue<'_> {
    fn from(value: u64) -> Self {
        AttrValue::Text(Text::display(value))
    }
}

impl From<u32> for AttrValue<'_> {
    fn from(value: u32) -> Self {
        AttrValue::Text(Text::display(value))
    }
}

impl From<u16> for AttrValue<'_> {
    fn from(value: u16) -> Self {
        AttrValue::Text(Text::display(value))
    }
}

impl From<usize> for AttrValue<'_> {
    fn from(value: usize) -> Self {
        AttrValue::Text(Text::display(value))
    }
}

impl From<i32> for AttrValue<'_> {
    fn from(value: i32) -> Self {
        AttrValue::Text(Text::display(value))
    }
}

impl From<i64> for AttrValue<'_> {
    fn from(value: i64) -> Self {
        AttrValue::Text(Text::display(value))
    }
}
