//! Text of tags, attribute keys and attribute values.

use crate::inline::Inline;
use std::{
    borrow::{Borrow, Cow},
    cmp::Ordering,
    fmt::{self, Write as _},
    hash::{Hash, Hasher},
    ops::Deref,
    sync::Arc,
};

/// A text that borrows from a frame or from the program where it can.
///
/// Tokens and string literals are borrowed for ever; up to 22 bytes are stored in place, which covers ids,
/// numbers and phone numbers; longer texts that are owned are shared by their clones. `Text<'static>` borrows
/// from nothing that goes away.
#[derive(Clone)]
pub struct Text<'a>(Repr<'a>);

#[derive(Clone)]
enum Repr<'a> {
    Borrowed(&'a str),
    Static(&'static str),
    Inline(Inline),
    Shared(Arc<str>),
}

impl<'a> Text<'a> {
    pub(crate) const EMPTY: Self = Text(Repr::Static(""));

    /// A copy of `text`; nothing is allocated up to 22 bytes.
    pub fn copied(text: &str) -> Text<'static> {
        Text(match Inline::copied(text) {
            Some(inline) => Repr::Inline(inline),
            None => Repr::Shared(Arc::from(text)),
        })
    }

    /// A text that lives as long as the program, such as a token.
    #[inline]
    pub const fn literal(text: &'static str) -> Self {
        Text(Repr::Static(text))
    }

    /// The text.
    #[inline]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Repr::Borrowed(text) | Repr::Static(text) => text,
            Repr::Inline(inline) => inline.as_str(),
            Repr::Shared(text) => text,
        }
    }

    /// The bytes of the text.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Borrowed(text) | Repr::Static(text) => text.as_bytes(),
            Repr::Inline(inline) => inline.as_bytes(),
            Repr::Shared(text) => text.as_bytes(),
        }
    }

    /// Whether there is no text.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.as_bytes().is_empty()
    }

    /// The same text, borrowing nothing.
    pub fn into_owned(self) -> Text<'static> {
        Text(match self.0 {
            Repr::Borrowed(text) => return Text::copied(text),
            Repr::Static(text) => Repr::Static(text),
            Repr::Inline(inline) => Repr::Inline(inline),
            Repr::Shared(text) => Repr::Shared(text),
        })
    }

    #[inline]
    pub(crate) const fn borrowed(text: &'a str) -> Self {
        Text(Repr::Borrowed(text))
    }

    /// What `value` displays as; numbers do so in place.
    pub(crate) fn display(value: impl fmt::Display) -> Text<'static> {
        let mut inline = Inline::EMPTY;
        match write!(inline, "{value}") {
            Ok(()) => Text(Repr::Inline(inline)),
            Err(_) => Text::from(value.to_string()),
        }
    }

    /// Makes this an empty text that is stored in place, and returns the place.
    #[inline]
    pub(crate) fn make_inline(&mut self) -> Option<&mut Inline> {
        *self = Text(Repr::Inline(Inline::EMPTY));
        match &mut self.0 {
            Repr::Inline(inline) => Some(inline),
            _ => None,
        }
    }

    /// The bytes, borrowed for `'a` where the text itself is.
    pub(crate) fn into_bytes(self) -> Cow<'a, [u8]> {
        match self.0 {
            Repr::Borrowed(text) | Repr::Static(text) => Cow::Borrowed(text.as_bytes()),
            Repr::Inline(inline) => Cow::Owned(inline.as_bytes().to_vec()),
            Repr::Shared(text) => Cow::Owned(text.as_bytes().to_vec()),
        }
    }
}

impl<'a> From<&'a str> for Text<'a> {
    #[inline]
    fn from(text: &'a str) -> Self {
        Text(Repr::Borrowed(text))
    }
}

impl<'a> From<&'a String> for Text<'a> {
    #[inline]
    fn from(text: &'a String) -> Self {
        Text(Repr::Borrowed(text))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Text::copied(&text)
    }
}

impl<'a> From<Cow<'a, str>> for Text<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        match text {
            Cow::Borrowed(text) => Text(Repr::Borrowed(text)),
            Cow::Owned(text) => Text::from(text),
        }
    }
}

impl Deref for Text<'_> {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Text<'_> {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Text<'_> {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq for Text<'_> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Text<'_> {}

impl PartialEq<str> for Text<'_> {
    #[inline]
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<&str> for Text<'_> {
    #[inline]
    fn eq(&self, other: &&str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialOrd for Text<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for Text<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_as_small_as_a_string() {
        assert_eq!(size_of::<Text<'_>>(), 24);
    }

    #[test]
    fn texts_compare_by_content_whatever_holds_them() {
        for len in [0, 1, 21, 22, 23, 60] {
            let text = "é".repeat(len / 2) + if len % 2 == 1 { "e" } else { "" };
            let text = text.as_str();
            let forms =
                [Text::from(text), Text::copied(text), Text::from(text.to_owned()), Text::display(text)];
            for form in &forms {
                assert_eq!(form, &forms[0]);
                assert_eq!(form.clone().into_owned(), text);
                assert_eq!(form.clone().into_bytes(), text.as_bytes());
            }
        }
    }
}
