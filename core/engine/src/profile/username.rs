//! What may be a user name (features document §7.5). The service has rules of its own beside these. Pure.

/// Fewest and most characters.
const SHORTEST: usize = 3;
const LONGEST: usize = 35;

/// What looks like the end of a web address.
const SUFFIXES: &[&str] = &[
    ".com", ".net", ".org", ".info", ".biz", ".edu", ".gov", ".mil", ".int", ".io", ".co", ".app", ".dev",
    ".me", ".html", ".htm", ".php",
];

/// Words that nobody's name may contain.
const WORDS: &[&str] = &["whatsapp"];

/// Why something is no user name; the first that applies, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UsernameProblem {
    /// A character that is no letter A-Z, digit, underscore or dot.
    Character,
    /// Fewer than 3 or more than 35 characters.
    Length,
    /// No letter.
    Letters,
    /// A dot at the beginning, at the end, or behind another one.
    Periods,
    /// It begins with `www.`.
    Www,
    /// It ends like a web address.
    Suffix,
    /// It contains a name of the service.
    Word,
}

/// What is wrong with a user name, if anything.
pub(super) fn problem(name: &str) -> Option<UsernameProblem> {
    let legal = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'_' | b'.');
    let lower = name.to_ascii_lowercase();
    if !name.bytes().all(legal) {
        Some(UsernameProblem::Character)
    } else if !(SHORTEST..=LONGEST).contains(&name.len()) {
        Some(UsernameProblem::Length)
    } else if !name.bytes().any(|octet| octet.is_ascii_alphabetic()) {
        Some(UsernameProblem::Letters)
    } else if name.starts_with('.') || name.ends_with('.') || name.contains("..") {
        Some(UsernameProblem::Periods)
    } else if lower.starts_with("www.") {
        Some(UsernameProblem::Www)
    } else if SUFFIXES.iter().any(|suffix| lower.ends_with(suffix)) {
        Some(UsernameProblem::Suffix)
    } else if WORDS.iter().any(|word| lower.contains(word)) {
        Some(UsernameProblem::Word)
    } else {
        None
    }
}

/// Whether something is a key that protects a user name: four digits.
pub(super) fn is_key(key: &str) -> bool {
    key.len() == 4 && key.bytes().all(|octet| octet.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::groups::tests::forms::vectors;

    #[test]
    fn names_are_judged_as_in_the_vectors() {
        let vectors = vectors("features");
        let cases = vectors["username"]["cases"].as_array().unwrap();
        assert!(cases.len() > 10);
        for case in cases {
            let name = case["username"].as_str().unwrap();
            assert_eq!(problem(name).is_none(), case["valid"].as_bool().unwrap(), "{name}");
        }
    }

    #[test]
    fn the_first_problem_counts() {
        for (name, expected) in [
            ("a-", UsernameProblem::Character),
            ("1", UsernameProblem::Length),
            ("1..1", UsernameProblem::Letters),
            ("www..com", UsernameProblem::Periods),
            ("WWW.whatsapp.com", UsernameProblem::Www),
            ("whatsapp.com", UsernameProblem::Suffix),
            ("WhatsApp_1", UsernameProblem::Word),
        ] {
            assert_eq!(problem(name), Some(expected), "{name}");
        }
        assert!(is_key("0123") && !is_key("012") && !is_key("12a4") && !is_key("12345"));
    }
}
