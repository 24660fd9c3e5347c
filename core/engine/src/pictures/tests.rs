use whimbrel_wire::{Jid, Node};

use super::stanza::*;

fn jid(text: &str) -> Jid {
    text.parse().unwrap()
}

#[test]
fn requests_are_those_of_peers() {
    let person = jid("31612345678@s.whatsapp.net");
    let ask = ask(&person, "preview", Some("17"), None);
    assert!(ask.attr_is("xmlns", "w:profile:picture") && ask.attr_is("type", "get"));
    assert_eq!((ask.attr_jid("to"), ask.attr_jid("target")), (Some(Jid::SERVER), Some(person)));
    let picture = ask.child_named("picture").unwrap();
    assert!(
        picture.attr_is("query", "url") && picture.attr_is("type", "preview") && picture.attr_is("id", "17")
    );
    let own = set(None, vec![1, 2]);
    assert_eq!(own.attr_jid("target"), None, "a target would be another account");
    assert_eq!(own.child_named("picture").unwrap().content_bytes(), Some(&[1, 2][..]));
    let group = jid("120363000000000001@g.us");
    let removal = remove(Some(&group));
    assert_eq!(removal.attr_jid("target"), Some(group));
    assert!(removal.first_child().is_none() && removal.attr_is("type", "set"));
}

#[test]
fn every_form_of_an_answer_is_told_apart() {
    let answered = |child: Option<Node>, known| answer(&Node::new("iq").child_opt(child), known);
    let picture = || Node::new("picture");
    assert_eq!(answered(None, true), Answer::Unchanged);
    assert_eq!(answered(None, false), Answer::None);
    assert_eq!(answered(Some(picture().attr("status", "304")), true), Answer::Unchanged);
    assert_eq!(answered(Some(picture().attr("status", "204")), false), Answer::None);
    let error = |code: u32| Some(picture().child(Node::new("error").attr("code", code)));
    assert_eq!(answered(error(404), false), Answer::None);
    assert_eq!(answered(error(401), false), Answer::Hidden);
    assert_eq!(answered(error(500), false), Answer::Refused(500));
    let found = picture().attr("id", "7").attr("url", "https://x/y").attr("direct_path", "/y?z");
    let expected =
        Answer::Found { id: "7".into(), url: "https://x/y".into(), direct_path: Some("/y?z".into()) };
    assert_eq!(answered(Some(found), true), expected);
}

#[test]
fn notifications_say_who_changed_what() {
    let group = jid("120363000000000001@g.us");
    let author = jid("31612345678:3@s.whatsapp.net");
    let notified = |child: Option<Node>| {
        let node = Node::new("notification").attr("type", "picture").attr("from", group.clone());
        notice(&node.child_opt(child))
    };
    let set = Node::new("set").attr("jid", group.clone()).attr("id", "9").attr("author", author.clone());
    let read = notified(Some(set)).unwrap();
    assert_eq!((read.id.as_deref(), read.author), (Some("9"), Some(author.to_account())));
    assert_eq!(notified(Some(Node::new("set"))).unwrap().id.as_deref(), Some(""));
    let delete = Node::new("delete").attr("jid", group.clone()).attr("author", author);
    let read = notified(Some(delete)).unwrap();
    assert_eq!((read.owner.clone(), read.id), (group.clone(), None));
    assert_eq!(notified(None).unwrap().id, None);
    assert_eq!(notified(Some(Node::new("request"))), None);
    assert_eq!(notified(Some(Node::new("set_avatar"))), None);
}
