//! The user query for people (features document §7.3). Pure.

use std::collections::BTreeMap;

use whimbrel_proto::vname::VerifiedNameCertificate;
use whimbrel_proto::vname::verified_name_certificate::Details;
use whimbrel_wire::{Jid, Node};

use super::{About, DefaultTimer, NumberStatus};
use crate::connection::iq;
use crate::devices::usync::{self, Mode, UserAnswer};
use crate::error::Error;

/// Asks whether numbers are registered.
pub(super) fn check(numbers: &[&Jid], sid: String) -> Node {
    let protocols = Node::new("query").child(Node::new("contact")).child(Node::new("lid"));
    let users = numbers.iter().map(|number| {
        let text = format!("+{}", number.user());
        Node::new("user").child(Node::new("contact").bytes(text.into_bytes()))
    });
    usync::request(protocols, users, Mode::Query, "interactive", sid)
}

/// Asks about people.
pub(super) fn info(people: &[Jid], sid: String) -> Node {
    let protocols = Node::new("query").children([
        Node::new("business").child(Node::new("verified_name")),
        Node::new("status"),
        Node::new("picture"),
        Node::new("devices").attr("version", "2"),
        Node::new("lid"),
        Node::new("disappearing_mode"),
        Node::new("username"),
    ]);
    let mut people: Vec<&Jid> = people.iter().collect();
    people.sort_unstable();
    people.dedup();
    let users = people.into_iter().map(|person| Node::new("user").attr("jid", person));
    usync::request(protocols, users, Mode::Full, "background", sid)
}

/// Why a part of a query was not answered.
pub(super) fn failed(answer: &Node, protocol: &str) -> Option<Error> {
    let result = answer.child_named("usync")?.child_named("result")?.child_named(protocol)?;
    result.child_named("error").map(|_| iq::service_error(result))
}

fn users<'a>(answer: &'a Node) -> impl Iterator<Item = &'a Node> + 'a {
    let list = answer.child_named("usync").and_then(|usync| usync.child_named("list"));
    list.into_iter().flat_map(|list| list.children_named("user"))
}

/// What the answer says of numbers: the digits that were asked for, and who it is.
pub(super) fn checked(answer: &Node) -> Vec<(String, NumberStatus, Option<UserAnswer>)> {
    let checked = |node: &Node| {
        let contact = node.child_named("contact")?;
        let user = usync::user(node);
        // The question is repeated, as a rule; it is the number otherwise.
        let asked = contact.content_text().map(digits).filter(|digits| !digits.is_empty());
        let number = asked.or_else(|| {
            user.as_ref().map(|user| user.user.user().to_owned()).filter(|number| !number.is_empty())
        })?;
        let status = match (contact.attr_text("type").as_deref(), &user) {
            (Some("in"), Some(_)) => NumberStatus::Registered,
            (Some("in" | "out" | "invalid"), _) => NumberStatus::NotRegistered,
            _ => NumberStatus::Unknown,
        };
        Some((number, status, user))
    };
    users(answer).filter_map(checked).collect()
}

/// The digits of a question: `+55118888` or `+55118888@c.us`.
fn digits(question: &str) -> String {
    let number = question.split('@').next().unwrap_or_default();
    number.strip_prefix('+').unwrap_or(number).to_owned()
}

/// What the answer says of one person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) user: Option<UserAnswer>,
    pub(super) about: Option<About>,
    pub(super) picture_id: Option<String>,
    pub(super) is_business: bool,
    pub(super) verified_name: Option<String>,
    pub(super) username: Option<String>,
    pub(super) default_timer: Option<DefaultTimer>,
}

impl Told {
    /// Everybody has devices, or another address at least; of nobody there is an empty entry.
    pub(super) fn exists(&self) -> bool {
        self.user.as_ref().is_some_and(|user| user.devices.is_some() || user.lid.is_some())
    }
}

/// What the answer says of people, by the addresses that were asked for.
pub(super) fn told(answer: &Node) -> BTreeMap<Jid, Told> {
    users(answer)
        .filter_map(|node| {
            let user = usync::user(node)?;
            let business = node.child_named("business");
            let told = Told {
                about: node.child_named("status").and_then(about),
                picture_id: node
                    .child_named("picture")
                    .and_then(|picture| picture.attr_text("id"))
                    .map(std::borrow::Cow::into_owned)
                    .filter(|id| !id.is_empty()),
                is_business: business.is_some(),
                verified_name: business.and_then(verified_name),
                username: node.child_named("username").and_then(Node::content_text).and_then(filled),
                default_timer: node.child_named("disappearing_mode").and_then(default_timer),
                user: None,
            };
            Some((user.user.clone(), Told { user: Some(user), ..told }))
        })
        .collect()
}

fn filled(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

/// Hidden is the same as empty.
fn about(node: &Node) -> Option<About> {
    if node.attr_is("code", "401") {
        return None;
    }
    let text = filled(node.content_text()?)?;
    Some(About { text, changed_at: time(node) })
}

fn default_timer(node: &Node) -> Option<DefaultTimer> {
    Some(DefaultTimer { seconds: node.attr_u32("duration")?, changed_at: time(node) })
}

/// When something was set; 0 is never.
fn time(node: &Node) -> Option<i64> {
    node.attr_u64("t").and_then(|time| i64::try_from(time).ok()).filter(|time| *time > 0)
}

fn verified_name(business: &Node) -> Option<String> {
    let certificate: VerifiedNameCertificate =
        whimbrel_proto::decode(business.child_bytes("verified_name")?).ok()?;
    let details: Details = whimbrel_proto::decode(&certificate.details?).ok()?;
    details.verified_name.as_deref().and_then(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    use crate::groups::tests::forms::{comparable, from_json, vectors};

    fn answer(users: impl IntoIterator<Item = Node>) -> Node {
        Node::new("iq").child(Node::new("usync").child(Node::new("list").children(users)))
    }

    #[test]
    fn people_are_asked_about_as_another_client_does() {
        let expected =
            from_json(&vectors("features-requests")["requests"]["whatsmeow"]["GetUserInfo"]["stanzas"][0]);
        let ours = info(&[Jid::pn("5511888888888")], "$SID".to_owned());
        let (ours, expected) = (comparable(&ours), comparable(&expected));
        let part = |node: &serde_json::Value, part: usize| node["children"][0]["children"][part].clone();
        assert_eq!(ours["children"][0]["attrs"], expected["children"][0]["attrs"]);
        assert_eq!(part(&ours, 1), part(&expected, 1));
        // The rest is ours.
        let (ours, expected) = (part(&ours, 0), part(&expected, 0));
        let expected = expected["children"].as_array().unwrap();
        assert_eq!(&ours["children"].as_array().unwrap()[..expected.len()], expected);
    }

    #[test]
    fn numbers_are_told_apart_in_every_form_that_occurs() {
        let contact = |kind: &'static str, text: &'static str| {
            Node::new("contact").attr("type", kind).bytes(text.as_bytes().to_vec())
        };
        let user = |jid: &Jid| Node::new("user").attr("jid", jid);
        let (ben, lid) = (Jid::pn("31612345678"), Jid::lid("42"));
        let told = checked(&answer([
            // Spelled differently than it is registered.
            user(&ben).child(contact("in", "+310612345678")).child(Node::new("lid").attr("val", &lid)),
            user(&lid).attr("pn_jid", &ben).child(contact("in", "+31687654321@c.us")),
            Node::new("user").child(contact("out", "+31600000001")),
            user(&Jid::pn("31600000002")).child(contact("out", "")),
            Node::new("user").attr("jid", "undefined").child(contact("invalid", "+31600000003")),
            user(&Jid::pn("31600000004")).child(contact("error", "+31600000004")),
            user(&Jid::pn("31600000005")),
        ]));
        let short: Vec<_> = told.iter().map(|(number, status, _)| (number.as_str(), *status)).collect();
        use NumberStatus::{NotRegistered, Registered, Unknown};
        assert_eq!(
            short,
            [
                ("310612345678", Registered),
                ("31687654321", Registered),
                ("31600000001", NotRegistered),
                ("31600000002", NotRegistered),
                ("31600000003", NotRegistered),
                ("31600000004", Unknown),
            ]
        );
        let who = |entry: usize| told[entry].2.clone().unwrap();
        assert_eq!((who(0).user, who(0).lid), (ben.clone(), Some(lid.clone())));
        assert_eq!((who(1).user, who(1).phone), (lid, Some(ben)));
    }

    #[test]
    fn what_people_say_of_themselves_is_read() {
        let details = Details { verified_name: Some("Bakery".to_owned()), ..Details::default() };
        let certificate = VerifiedNameCertificate {
            details: Some(whimbrel_proto::encode(&details)),
            ..VerifiedNameCertificate::default()
        };
        let name = Node::new("verified_name").bytes(whimbrel_proto::encode(&certificate));
        let full = Node::new("user")
            .attr("jid", Jid::pn("1"))
            .child(Node::new("lid").attr("val", Jid::lid("42")))
            .child(Node::new("business").child(name))
            .child(Node::new("status").attr("t", "7").bytes(b"busy".to_vec()))
            .child(Node::new("picture").attr("id", "99"))
            .child(Node::new("username").bytes(b"bob".to_vec()))
            .child(Node::new("disappearing_mode").attr("duration", "86400").attr("t", "0"));
        let hidden = Node::new("user")
            .attr("jid", Jid::pn("2"))
            .child(Node::new("business"))
            .child(Node::new("status").attr("code", "401").bytes(b"x".to_vec()))
            .child(Node::new("username"));
        let told = told(&answer([full, hidden]));
        let one = &told[&Jid::pn("1")];
        assert!(one.exists() && one.is_business);
        assert_eq!(one.about, Some(About { text: "busy".to_owned(), changed_at: Some(7) }));
        assert_eq!(one.picture_id.as_deref(), Some("99"));
        assert_eq!(one.verified_name.as_deref(), Some("Bakery"));
        assert_eq!(one.username.as_deref(), Some("bob"));
        assert_eq!(one.default_timer, Some(DefaultTimer { seconds: 86_400, changed_at: None }));
        let two = &told[&Jid::pn("2")];
        assert!(!two.exists() && two.is_business);
        assert_eq!((&two.about, &two.verified_name, &two.username), (&None, &None, &None));
    }

    #[test]
    fn a_part_that_is_refused_is_an_error() {
        let error = Node::new("error").attr("code", "429").attr("backoff", "30");
        let result = Node::new("result").child(Node::new("contact").child(error));
        let answer = Node::new("iq").child(Node::new("usync").child(result));
        let error = failed(&answer, "contact").unwrap();
        assert_eq!((error.code(), error.service_status()), (Code::RateLimited, 429));
        assert_eq!(error.retry_after(), Some(std::time::Duration::from_secs(30)));
        assert!(failed(&answer, "devices").is_none());
    }
}
