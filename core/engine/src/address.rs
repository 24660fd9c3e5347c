//! Addresses as people write them.

use whimbrel_wire::jid::Jid;

use crate::error::{Code, Error};

/// Reads an address: a JID such as `15550001@s.whatsapp.net`, `4242@lid` or `1203…@g.us`, or a
/// phone number with its country code, with or without `+`, blanks, dashes, dots and brackets.
///
/// # Errors
/// [`Code::InvalidArgument`] for anything else.
pub fn parse_address(text: &str) -> Result<Jid, Error> {
    if text.contains('@') {
        return text
            .parse()
            .map_err(|error| Error::new(Code::InvalidArgument, "the address is malformed").because(error));
    }
    phone_number(text)
}

/// Reads a phone number with its country code.
pub(crate) fn phone_number(text: &str) -> Result<Jid, Error> {
    phone_digits(text).map(|digits| Jid::pn(&digits))
}

/// The digits of a phone number: 7 to 15, country code first.
fn phone_digits(text: &str) -> Result<String, Error> {
    let wrong = || {
        Error::new(
            Code::InvalidArgument,
            "the phone number is malformed: digits with the country code are needed",
        )
    };
    let number = text.trim();
    let number = number.strip_prefix('+').unwrap_or(number);
    let mut digits = String::with_capacity(number.len());
    for character in number.chars() {
        match character {
            '0'..='9' => digits.push(character),
            ' ' | '-' | '.' | '(' | ')' | '\u{a0}' => {}
            _ => return Err(wrong()),
        }
    }
    if !(7..=15).contains(&digits.len()) || digits.starts_with('0') {
        return Err(wrong());
    }
    Ok(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phone_numbers_are_read_as_people_write_them() {
        for text in ["15550001234", "+1 555-000-1234", " +1 (555) 000.1234 "] {
            assert_eq!(parse_address(text).unwrap().to_string(), "15550001234@s.whatsapp.net");
        }
        for text in ["", "+", "0155500012", "12345", "1234567890123456", "+1555x0001", "++15550001234"] {
            assert_eq!(parse_address(text).unwrap_err().code(), Code::InvalidArgument, "{text}");
        }
    }

    #[test]
    fn jids_are_read_as_they_are() {
        for text in ["15550001@s.whatsapp.net", "4242@lid", "120363000000@g.us"] {
            assert_eq!(parse_address(text).unwrap().to_string(), text);
        }
        assert!(parse_address("1@@lid").is_err());
        assert!(parse_address("1@example.org").is_err());
    }
}
