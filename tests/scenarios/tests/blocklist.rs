//! Blocking: who is on the list, what other devices do with it, and what blocked people still see.

#![expect(clippy::unwrap_used, reason = "a panic in a scenario is the report of its failure")]

use whimbrel::events::{BlockedChanged, EventKind, EventStream};
use whimbrel::pictures::{FoundPicture, PictureOptions, PictureSize};
use whimbrel::{CallOptions, Client, Code, Jid, LookupOptions};
use whimbrel_sandbox::{Fault, FaultRule};
use whimbrel_sandbox::{LidStanding, NewGroup, StanzaMatch};
use whimbrel_scenarios::{
    ANNA, BEN, CARA, DEADLINE, Wait as _, World, device_label, go_away_with, next_kind, next_message, pn,
    quiet,
};
use whimbrel_wire::Node;

async fn next_blocked(events: &mut EventStream) -> BlockedChanged {
    next_kind(events, |kind| match kind {
        EventKind::BlockedChanged(changed) => Some(changed.clone()),
        _ => None,
    })
    .await
}

async fn blocked(client: &Client) -> Vec<Jid> {
    let people = client.blocked(LookupOptions::default()).await.unwrap();
    people.into_iter().map(|who| who.id).collect()
}

#[tokio::test]
async fn people_are_blocked_and_other_devices_follow() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, phone) = world.linked(&engine, ANNA).await;
    let other = engine.open(world.store("other"), quiet()).unwrap();
    world.link(&other, ANNA).await;
    let mut others = other.events().unwrap();
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let cara = world.sandbox.create_phone_standing(Some(CARA), None, LidStanding::PnOnly).await.unwrap();
    assert_eq!(blocked(&client).await, []);
    client.block(&pn(BEN), CallOptions::default()).await.unwrap();
    client.block(&ben.lid(), CallOptions::default()).await.unwrap();
    client.block(&pn(CARA), CallOptions::default()).await.unwrap();
    assert_eq!(blocked(&client).await, [ben.lid(), cara.jid()]);
    let told = next_blocked(&mut others).await;
    assert_eq!((told.blocked[0].id.clone(), told.unblocked.len()), (ben.lid(), 0));
    // The second time changed nothing.
    assert_eq!(next_blocked(&mut others).await.blocked[0].id, cara.jid());
    assert_eq!(blocked(&other).await, [ben.lid(), cara.jid()]);

    phone.set_blocked(BEN, false).await.unwrap();
    let told = next_blocked(&mut others).await;
    assert_eq!((told.blocked.len(), told.unblocked[0].id.clone()), (0, ben.lid()));
    client.unblock(&pn(CARA), CallOptions::default()).await.unwrap();
    let told = next_blocked(&mut others).await;
    assert_eq!(told.unblocked[0].id, cara.jid());
    assert_eq!((blocked(&client).await, blocked(&other).await), (vec![], vec![]));

    for nobody in [Jid::group("1-2"), pn(ANNA)] {
        let error = client.block(&nobody, CallOptions::default()).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
    }
    let error = client.block(&pn("31600000000"), CallOptions::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_list_that_does_not_fit_the_known_one_is_asked_for() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, phone) = world.linked(&engine, ANNA).await;
    let mut events = client.events().unwrap();
    let (ben, cara) = (world.sandbox.phone(BEN).await.unwrap(), world.sandbox.phone(CARA).await.unwrap());
    // One change does not arrive: the next one is of another list than the known one.
    let lost = FaultRule::new(Fault::Swallow).device(device_label(&client, ANNA));
    world.sandbox.add_fault(lost.stanza(StanzaMatch::tag("notification").kind("account_sync")));
    phone.set_blocked(BEN, true).await.unwrap();
    phone.set_blocked(CARA, true).await.unwrap();
    let told = next_blocked(&mut events).await;
    let told: Vec<Jid> = told.blocked.into_iter().map(|who| who.id).collect();
    assert_eq!(told, [ben.lid(), cara.lid()]);
    // Without details, and while away.
    go_away_with(&client, &mut events).await;
    world.sandbox.clear_faults();
    phone.set_blocked(CARA, false).await.unwrap();
    let device = device_label(&client, ANNA);
    let modified = Node::new("blocklist").attr("action", "modify").attr("dhash", "9");
    let sync = Node::new("notification").attr("type", "account_sync").attr("id", "sync-1");
    assert!(world.sandbox.enqueue(&device, sync.attr("from", pn(ANNA)).child(modified)));
    client.wait_online().await;
    let told = next_blocked(&mut events).await;
    assert_eq!(told.unblocked[0].id, cara.lid());
    let mut fresh = LookupOptions::default();
    fresh.fresh = true;
    assert_eq!(client.blocked(fresh).await.unwrap().len(), 1);
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn the_list_is_kept_over_a_restart() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    client.block(&pn(BEN), CallOptions::default()).await.unwrap();
    client.close(DEADLINE).await.unwrap();
    let again = engine.open(world.store(ANNA), quiet()).unwrap();
    assert_eq!(blocked(&again).await, [ben.lid()]);
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn what_blocked_people_send_goes_nowhere_and_they_see_nothing() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, phone) = world.linked(&engine, ANNA).await;
    let mut events = client.events().unwrap();
    let (ben, ben_phone) = world.linked(&engine, BEN).await;
    ben_phone.send_text(ANNA, "first").await.unwrap();
    assert_eq!(next_message(&mut events).await.text.as_deref(), Some("first"));
    phone.set_about("by the lake").await.unwrap();
    client.block(&pn(BEN), CallOptions::default()).await.unwrap();

    // It is taken like any other, as it would be seen from there.
    let sent = ben.send_text(&pn(ANNA), "second", whimbrel::SendOptions::default()).await.unwrap();
    assert!(!sent.message_id.is_empty());
    let told = ben.user_info(&[pn(ANNA)], CallOptions::default()).await.unwrap();
    assert!(told[0].exists && told[0].about.is_none());
    let picture = ben.picture(&pn(ANNA), PictureSize::Preview, PictureOptions::default()).await.unwrap();
    assert_eq!(picture, FoundPicture::Hidden);
    let group = world.sandbox.create_group(&NewGroup {
        creator: BEN.to_owned(),
        subject: "pond".to_owned(),
        members: vec![],
        addressing: None,
    });
    let added =
        ben.add_participants(&group.unwrap().jid(), &[pn(ANNA)], CallOptions::default()).await.unwrap();
    assert_eq!(added[0].refused, Some(401));

    client.unblock(&pn(BEN), CallOptions::default()).await.unwrap();
    ben_phone.send_text(ANNA, "third").await.unwrap();
    assert_eq!(next_message(&mut events).await.text.as_deref(), Some("third"));
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}
