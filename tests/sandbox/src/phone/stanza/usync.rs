//! Who is this person, and which devices do they have? (delivery document §2.5)

use whimbrel_wire::{Jid, Node};

use super::iq;
use crate::phone::PhoneError;

fn usync(sid: String, query: Vec<Node>, users: Vec<Node>) -> Node {
    let usync = Node::new("usync")
        .attr("sid", sid)
        .attr("mode", "query")
        .attr("last", "true")
        .attr("index", "0")
        .attr("context", "message")
        .child(Node::new("query").children(query))
        .child(Node::new("list").children(users));
    iq("get", "usync").child(usync)
}

/// Asks for the devices of people.
pub(crate) fn devices(sid: String, users: &[Jid]) -> Node {
    let query = vec![Node::new("devices").attr("version", "2")];
    usync(sid, query, users.iter().map(|user| Node::new("user").attr("jid", user.clone())).collect())
}

/// Asks whether a phone number is registered, and for its hidden address.
pub(crate) fn number(sid: String, digits: &str) -> Node {
    let query = vec![Node::new("contact"), Node::new("lid")];
    let user = Node::new("user").child(Node::new("contact").text(format!("+{digits}")));
    usync(sid, query, vec![user])
}

/// Asks for the hidden address of a phone-number address.
pub(crate) fn lid(sid: String, pn: &Jid) -> Node {
    let query = vec![Node::new("lid")];
    usync(sid, query, vec![Node::new("user").attr("jid", pn.clone()).child(Node::new("lid"))])
}

fn users(answer: &Node) -> impl Iterator<Item = &Node> {
    let list = answer.child_named("usync").and_then(|usync| usync.child_named("list"));
    list.into_iter().flat_map(|list| list.children_named("user"))
}

/// The devices of each person in the answer, the phone's included.
pub(crate) fn read_devices(answer: &Node) -> Vec<(Jid, Vec<u16>)> {
    users(answer)
        .filter_map(|user| {
            let jid = user.attr_jid("jid")?;
            let list = user.child_named("devices")?.child_named("device-list")?;
            let devices =
                list.children_named("device").filter_map(|device| u16::try_from(device.attr_u32("id")?).ok());
            Some((jid, devices.collect()))
        })
        .collect()
}

/// A person's addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    /// The address that the answer is about.
    pub(crate) jid: Jid,
    /// The hidden one, unless the person lives by the number.
    pub(crate) lid: Option<Jid>,
}

/// Reads the answer to [`number`] and [`lid`].
pub(crate) fn read_person(answer: &Node) -> Result<Person, PhoneError> {
    let user = users(answer).next().ok_or(PhoneError::UnknownUser)?;
    if user.child_named("contact").is_some_and(|contact| !contact.attr_is("type", "in")) {
        return Err(PhoneError::UnknownUser);
    }
    let jid = user.attr_jid("jid").ok_or(PhoneError::UnknownUser)?;
    let lid = user.child_named("lid").and_then(|lid| lid.attr_jid("val"));
    Ok(Person { jid, lid })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(user: Node) -> Node {
        Node::new("iq").child(Node::new("usync").child(Node::new("list").child(user)))
    }

    #[test]
    fn reads_device_lists() {
        let list = Node::new("device-list")
            .child(Node::new("device").attr("id", "0"))
            .child(Node::new("device").attr("id", "7").attr("key-index", "1"));
        let user = Node::new("user").attr("jid", Jid::lid("2002")).child(Node::new("devices").child(list));
        assert_eq!(read_devices(&answer(user)), [(Jid::lid("2002"), vec![0, 7])]);
    }

    #[test]
    fn a_number_is_known_or_not() {
        let user = |kind: &'static str| {
            Node::new("user")
                .attr("jid", Jid::pn("222"))
                .child(Node::new("contact").attr("type", kind))
                .child(Node::new("lid").attr("val", Jid::lid("2002")))
        };
        let person = Person { jid: Jid::pn("222"), lid: Some(Jid::lid("2002")) };
        assert_eq!(read_person(&answer(user("in"))), Ok(person));
        assert_eq!(read_person(&answer(user("out"))), Err(PhoneError::UnknownUser));
        assert_eq!(read_person(&Node::new("iq")), Err(PhoneError::UnknownUser));
    }

    #[test]
    fn asks_in_the_documented_form() {
        assert_eq!(
            devices("9".to_owned(), &[Jid::lid("2002")]).to_string(),
            r#"<iq to=J:"s.whatsapp.net" type="get" xmlns="usync"><usync sid="9" mode="query" last="true" index="0" context="message"><query><devices version="2"/></query><list><user jid=J:"2002@lid"/></list></usync></iq>"#
        );
    }
}
