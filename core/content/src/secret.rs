//! Octets and words that must not end up in a log.

use std::fmt;

use zeroize::Zeroizing;

/// A key, or a message's secret: wiped when dropped, never printed. Peers decide about its length,
/// so that it may be of any.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the octets over.
    #[must_use]
    pub fn new(octets: Vec<u8>) -> Self {
        Self(Zeroizing::new(octets))
    }

    /// The octets.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The octets, if they are as many as a key has.
    #[must_use]
    pub fn key(&self) -> Option<&[u8; 32]> {
        self.0.as_slice().try_into().ok()
    }

    /// A copy for the wire.
    pub(crate) fn to_wire(&self) -> Vec<u8> {
        self.0.to_vec()
    }
}

impl From<[u8; 32]> for Secret {
    fn from(octets: [u8; 32]) -> Self {
        Self::new(octets.to_vec())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// A code that lets whoever knows it in: wiped when dropped, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(Zeroizing<String>);

impl Code {
    /// Takes the code over.
    #[must_use]
    pub fn new(code: String) -> Self {
        Self(Zeroizing::new(code))
    }

    /// The code.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// A copy for the wire.
    pub(crate) fn to_wire(&self) -> String {
        self.0.to_string()
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_is_printed() {
        assert_eq!(
            format!("{:?} {:?}", Secret::from([7; 32]), Code::new("AbC".to_owned())),
            "Secret(..) Code(..)"
        );
        assert_eq!(Secret::from([7; 32]).key(), Some(&[7; 32]));
        assert_eq!(Secret::new(vec![1]).key(), None);
    }
}
