//! Accounts that stand with LIDs in different ways.

use std::slice;

use crate::support::{TestPhone, message, request, sandbox};
use whimbrel_sandbox::LidStanding;
use whimbrel_wire::{Jid, Node};

async fn error_of(phone: &mut TestPhone, message: Node) -> Option<u32> {
    let id = message.attr_text("id").unwrap().into_owned();
    phone.send(message).await;
    phone.expect_where(|node| node.tag() == "ack" && node.attr_is("id", &id)).await.attr_u32("error")
}

/// What the service says about a person, asked for in one of the forms of user queries.
async fn looked_up(phone: &mut TestPhone, id: &str, contact: Node, user: Node) -> Node {
    let query = Node::new("query").child(contact).child(Node::new("lid"));
    let usync = Node::new("usync")
        .attr("sid", id.to_owned())
        .attr("mode", "query")
        .attr("last", "true")
        .attr("index", "0")
        .attr("context", "interactive")
        .child(query)
        .child(Node::new("list").child(user));
    let answer = phone.ask(request(id, "get", "usync", usync)).await;
    answer.child_named("usync").unwrap().child_named("list").unwrap().first_child().unwrap().clone()
}

#[tokio::test]
async fn only_migrated_accounts_write_by_lid_and_only_to_who_has_one() {
    let sandbox = sandbox().await;
    let mut old = TestPhone::attach_standing(&sandbox, "15550001", Some(LidStanding::Unmigrated));
    let mut new = TestPhone::attach_standing(&sandbox, "15550002", Some(LidStanding::Migrated));
    let plain = TestPhone::attach_standing(&sandbox, "15550003", Some(LidStanding::PnOnly));
    let (to, by_lid) = (new.link.pn.clone(), new.link.lid.clone());
    assert_eq!(error_of(&mut old, message("A1", &by_lid, slice::from_ref(&by_lid))).await, Some(400));
    assert_eq!(error_of(&mut old, message("A2", &to, slice::from_ref(&to))).await, None);
    let got = new.expect("message").await;
    assert_eq!(got.attr_jid("from"), Some(old.link.pn.clone()));
    assert_eq!(got.attr_jid("sender_lid"), Some(old.link.lid.clone()));
    let (number, hidden) = (plain.link.pn.clone(), plain.link.lid.clone());
    assert_eq!(error_of(&mut new, message("B1", &hidden, slice::from_ref(&hidden))).await, Some(404));
    assert_eq!(error_of(&mut new, message("B2", &number, slice::from_ref(&number))).await, None);
    // Two kinds of addresses in one message.
    assert_eq!(error_of(&mut new, message("B3", &old.link.lid, &[old.link.pn.clone()])).await, Some(400));
}

#[tokio::test]
async fn people_are_looked_up_in_every_form() {
    let sandbox = sandbox().await;
    let mut ana = TestPhone::attach(&sandbox, "15550001");
    let ben = TestPhone::attach(&sandbox, "15550002");
    let plain = TestPhone::attach_standing(&sandbox, "15550003", Some(LidStanding::PnOnly));
    let lid_of = |user: &Node| user.child_named("lid").and_then(|lid| lid.attr_jid("val"));
    let kind = |user: &Node| user.child_named("contact").unwrap().attr_text("type").unwrap().into_owned();
    let number = |digits: &str| Node::new("user").child(Node::new("contact").text(format!("+{digits}")));
    let address = |jid: &Jid| Node::new("user").attr("jid", jid);
    let contact = || Node::new("contact");

    let user = looked_up(&mut ana, "1", contact(), number("15550002")).await;
    assert_eq!(
        (user.attr_jid("jid"), lid_of(&user)),
        (Some(ben.link.pn.clone()), Some(ben.link.lid.clone()))
    );
    let user = looked_up(&mut ana, "2", contact(), address(&ben.link.pn)).await;
    assert_eq!((kind(&user).as_str(), lid_of(&user)), ("in", Some(ben.link.lid.clone())));
    let by_lid = || contact().attr("addressing_mode", "lid");
    let user = looked_up(&mut ana, "3", by_lid(), address(&ben.link.lid)).await;
    assert_eq!(user.attr_jid("pn_jid"), Some(ben.link.pn.clone()));
    let hinted = Node::new("user").child(Node::new("lid").attr("jid", &ben.link.lid));
    let user = looked_up(&mut ana, "4", by_lid(), hinted).await;
    assert_eq!(user.attr_jid("pn_jid"), Some(ben.link.pn.clone()));

    // Nobody is told the LID of who lives by the number.
    let user = looked_up(&mut ana, "5", by_lid(), number("15550003")).await;
    assert_eq!((user.attr_jid("jid"), lid_of(&user)), (Some(plain.link.pn.clone()), None));
    let user = looked_up(&mut ana, "6", contact(), address(&plain.link.lid)).await;
    assert_eq!(kind(&user), "out");
    let user = looked_up(&mut ana, "7", contact(), number("15559999")).await;
    assert_eq!(kind(&user), "out");
}
