//! Who a message goes to: numbers and addresses in every form that clients write them in.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::failure::{Failure, Problem};
use crate::hosting::Account;

/// How long it is remembered that a number is registered, and that it is not.
const REGISTERED: Duration = Duration::from_secs(24 * 3600);
const NOT_REGISTERED: Duration = Duration::from_secs(600);

/// How many numbers are remembered per account.
const REMEMBERED: usize = 10_000;

/// A recipient that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recipient {
    /// The address that identifies the chat.
    pub(crate) id: String,
    /// By phone number, if known.
    pub(crate) phone: Option<String>,
    /// By hidden id, if known.
    pub(crate) lid: Option<String>,
}

impl Recipient {
    /// The identity as the native dialect writes it.
    pub(crate) fn json(&self) -> Value {
        json!({"id": self.id, "phone": self.phone, "lid": self.lid})
    }

    /// The address that compatible clients expect: by phone number where it is known.
    pub(crate) fn shown(&self) -> &str {
        self.phone.as_deref().unwrap_or(&self.id)
    }
}

/// What is known of numbers.
#[derive(Default)]
pub(crate) struct Known {
    numbers: Mutex<BTreeMap<String, (Option<Recipient>, Instant)>>,
}

impl Known {
    fn get(&self, number: &str, now: Instant) -> Option<Option<Recipient>> {
        let numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let (found, at) = numbers.get(number)?;
        let lasts = if found.is_some() { REGISTERED } else { NOT_REGISTERED };
        (now.saturating_duration_since(*at) < lasts).then(|| found.clone())
    }

    fn put(&self, number: &str, found: Option<Recipient>, now: Instant) {
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        if numbers.len() >= REMEMBERED {
            numbers.clear();
        }
        numbers.insert(number.to_owned(), (found, now));
    }
}

/// What a text names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// An address as it is.
    Address(String),
    /// Digits with a country code.
    Number(String),
}

/// Reads a number or an address as clients write them; `None` if it is neither.
pub(crate) fn read(text: &str) -> Option<Named> {
    let text = text.trim();
    if let Some((user, server)) = text.split_once('@') {
        let user = user.split([':', '.']).next().unwrap_or(user);
        if user.is_empty() {
            return None;
        }
        return match server {
            "c.us" | "s.whatsapp.net" => {
                digits(user).map(|user| Named::Address(format!("{user}@s.whatsapp.net")))
            }
            "lid" | "g.us" | "newsletter" | "broadcast" => Some(Named::Address(format!("{user}@{server}"))),
            _ => None,
        };
    }
    // Old groups are called after their founder and time.
    if text.len() >= 24 && text.contains('-') && text.split('-').all(|part| digits(part).is_some()) {
        return Some(Named::Address(format!("{text}@g.us")));
    }
    let bare: String =
        text.chars().filter(|character| !matches!(character, '+' | ' ' | '-' | '(' | ')')).collect();
    let bare = digits(&bare)?;
    if bare.len() >= 18 { Some(Named::Address(format!("{bare}@g.us"))) } else { Some(Named::Number(bare)) }
}

fn digits(text: &str) -> Option<String> {
    (!text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit())).then(|| text.to_owned())
}

/// The other ways to write a number under which the same person may be registered: numbers of Brazil got a
/// digit more, those of Mexico and Argentina have one that may be left out.
pub(crate) fn spellings(number: &str) -> Vec<String> {
    let mut spellings = vec![number.to_owned()];
    let (code, rest) = number.split_at_checked(2).unwrap_or((number, ""));
    match (code, rest.len()) {
        // 55 AA 9 NNNNNNNN
        ("55", 11) if rest.get(2..3) == Some("9") => {
            spellings
                .extend(rest.get(..2).zip(rest.get(3..)).map(|(area, local)| format!("55{area}{local}")));
        }
        ("55", 10) => {
            spellings
                .extend(rest.get(..2).zip(rest.get(2..)).map(|(area, local)| format!("55{area}9{local}")));
        }
        ("52", 11) if rest.starts_with('1') => {
            spellings.extend(rest.get(1..).map(|rest| format!("52{rest}")))
        }
        ("52", 10) => spellings.push(format!("521{rest}")),
        ("54", 11) if rest.starts_with('9') => {
            spellings.extend(rest.get(1..).map(|rest| format!("54{rest}")))
        }
        ("54", 10) => spellings.push(format!("549{rest}")),
        _ => {}
    }
    spellings
}

/// What is known of one number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Looked {
    pub(crate) number: String,
    pub(crate) found: Option<Recipient>,
}

/// Asks the service which numbers are registered, each in all its spellings, but for those that are known.
pub(crate) async fn look_up(account: &Account, numbers: &[String]) -> Result<Vec<Looked>, Failure> {
    let now = Instant::now();
    let mut asked = Vec::new();
    for number in numbers {
        if account.numbers.get(number, now).is_none() {
            asked.extend(spellings(number));
        }
    }
    asked.sort_unstable();
    asked.dedup();
    let mut answers = BTreeMap::new();
    if !asked.is_empty() {
        account.demand_online().await?;
        let answer = account.operation("check_numbers", json!({"numbers": asked})).await?;
        for entry in answer.get("numbers").and_then(Value::as_array).into_iter().flatten() {
            let number = entry.get("number").and_then(Value::as_str).unwrap_or_default().to_owned();
            let registered = entry.get("status").and_then(Value::as_str) == Some("registered");
            let found = registered.then(|| recipient(entry.get("who"))).flatten();
            answers.insert(number.trim_start_matches('+').to_owned(), found);
        }
    }
    let looked = numbers.iter().map(|number| {
        let found = account.numbers.get(number, now).unwrap_or_else(|| {
            let found = spellings(number).iter().find_map(|spelling| answers.get(spelling)?.clone());
            account.numbers.put(number, found.clone(), now);
            found
        });
        Looked { number: number.clone(), found }
    });
    Ok(looked.collect())
}

/// An identity in the engine's JSON.
pub(crate) fn recipient(value: Option<&Value>) -> Option<Recipient> {
    let text = |name: &str| value?.get(name)?.as_str().map(str::to_owned);
    Some(Recipient { id: text("id")?, phone: text("phone"), lid: text("lid") })
}

/// Finds a recipient. A number that nobody is registered with fails before anything is queued.
pub(crate) async fn resolve(account: &Account, text: &str) -> Result<Recipient, Failure> {
    let named =
        read(text).ok_or_else(|| Failure::field("", "the recipient is neither a number nor an address"))?;
    let number = match named {
        Named::Address(address) => match address.strip_suffix("@s.whatsapp.net") {
            Some(number) => number.to_owned(),
            None if address.ends_with("@lid") => return known(account, &address).await,
            None => return Ok(Recipient { id: address, phone: None, lid: None }),
        },
        Named::Number(number) => number,
    };
    let looked = look_up(account, std::slice::from_ref(&number)).await?;
    let found = looked.into_iter().next().and_then(|looked| looked.found);
    found.ok_or_else(|| {
        Failure::new(Problem::RecipientNotOnWhatsapp, "the number is not on WhatsApp")
            .with(json!({"jid": format!("{number}@s.whatsapp.net"), "exists": false, "number": text}))
    })
}

/// Everything that is known of an address, without asking the service.
async fn known(account: &Account, address: &str) -> Result<Recipient, Failure> {
    let identity = account.operation("get_identity", json!({"address": address})).await;
    let found = identity.ok().and_then(|identity| recipient(Some(&identity)));
    Ok(found.unwrap_or_else(|| Recipient {
        id: address.to_owned(),
        phone: None,
        lid: Some(address.to_owned()),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_addresses_are_read_as_clients_write_them() {
        let number = |text: &str| Some(Named::Number(text.to_owned()));
        let address = |text: &str| Some(Named::Address(text.to_owned()));
        assert_eq!(read("+55 (11) 99999-9999"), number("5511999999999"));
        assert_eq!(read("1234567890"), number("1234567890"));
        assert_eq!(read("31612345678@c.us"), address("31612345678@s.whatsapp.net"));
        assert_eq!(read("31612345678:12@s.whatsapp.net"), address("31612345678@s.whatsapp.net"));
        assert_eq!(read("77@lid"), address("77@lid"));
        assert_eq!(read("120363000000000001"), address("120363000000000001@g.us"));
        assert_eq!(
            read("31612345678-1600000000"),
            number("316123456781600000000").filter(|_| false).or(address("316123456781600000000@g.us"))
        );
        assert_eq!(read("5511999999999-16000000000"), address("5511999999999-16000000000@g.us"));
        assert_eq!(read("status@broadcast"), address("status@broadcast"));
        for text in ["", "abc", "12a", "@g.us", "1@example.org"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn some_numbers_have_two_spellings() {
        assert_eq!(spellings("5511999998888"), ["5511999998888", "551199998888"]);
        assert_eq!(spellings("551199998888"), ["551199998888", "5511999998888"]);
        assert_eq!(spellings("5215512345678"), ["5215512345678", "525512345678"]);
        assert_eq!(spellings("5491112345678"), ["5491112345678", "541112345678"]);
        assert_eq!(spellings("31612345678"), ["31612345678"]);
    }
}
