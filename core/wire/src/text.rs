//! Text of tags, attribute keys and attribute values.

use smol_str::SmolStr;
use std::{
    borrow::{Borrow, Cow},
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    ops::Deref,
};

/// A text that borrows from a frame or from the program where it can.
///
/// Tokens and string literals are borrowed for ever; up to 23 bytes are stored in place, which covers ids,
/// numbers and phone numbers. `Text<'static>` owns what it holds.
#[derive(Clone)]
pub struct Text<'a>(Repr<'a>);

#[derive(Clone)]
enum Repr<'a> {
    Borrowed(&'a str),
    Owned(SmolStr),
}

impl<'a> Text<'a> {
    pub(crate) const EMPTY: Self = Text(Repr::Borrowed(""));

    /// A copy of `text`; nothing is allocated up to 23 bytes.
    pub fn copied(text: &str) -> Text<'static> {
        Text(Repr::Owned(SmolStr::new(text)))
    }

    /// The text.
    #[inline]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Repr::Borrowed(text) => text,
            Repr::Owned(text) => text.as_str(),
        }
    }

    /// The same text, borrowing nothing.
    pub fn into_owned(self) -> Text<'static> {
        match self.0 {
            Repr::Borrowed(text) => Text(Repr::Owned(SmolStr::new(text))),
            Repr::Owned(text) => Text(Repr::Owned(text)),
        }
    }

    /// A token: owned in the sense of [`Text::into_owned`] without ever being copied.
    #[inline]
    pub(crate) const fn token(token: &'static str) -> Self {
        Text(Repr::Owned(SmolStr::new_static(token)))
    }

    #[inline]
    pub(crate) const fn borrowed(text: &'a str) -> Self {
        Text(Repr::Borrowed(text))
    }

    #[inline]
    pub(crate) fn into_smol(self) -> SmolStr {
        match self.0 {
            Repr::Borrowed(text) => SmolStr::new(text),
            Repr::Owned(text) => text,
        }
    }

    /// The bytes, borrowed for `'a` where the text itself is.
    pub(crate) fn into_bytes(self) -> Cow<'a, [u8]> {
        match self.0 {
            Repr::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Repr::Owned(text) => Cow::Owned(text.as_bytes().to_vec()),
        }
    }
}

impl From<SmolStr> for Text<'_> {
    #[inline]
    fn from(text: SmolStr) -> Self {
        Text(Repr::Owned(text))
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
        Text(Repr::Owned(SmolStr::from(text)))
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
        self.as_str() == other.as_str()
    }
}

impl Eq for Text<'_> {}

impl PartialEq<str> for Text<'_> {
    #[inline]
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Text<'_> {
    #[inline]
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialOrd for Text<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
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
        let long = "a text that does not fit in place".to_owned();
        for text in ["", "id", long.as_str()] {
            let forms = [Text::from(text), Text::copied(text), Text::from(text.to_owned())];
            for form in &forms {
                assert_eq!(form, &forms[0]);
                assert_eq!(form.clone().into_owned(), text);
                assert_eq!(form.clone().into_bytes(), text.as_bytes());
            }
        }
    }
}
