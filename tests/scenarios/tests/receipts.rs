//! Receipts in both directions: delivered, read, and what the account's own devices read.

use whimbrel::events::{EventKind, EventStream, ReceiptKind};
use whimbrel::{CallOptions, Code, Jid, SendOptions};
use whimbrel_sandbox::Event;
use whimbrel_sandbox::phone::{Phone, ReceiptKind as Seen, SwitchChange};
use whimbrel_scenarios::{
    ANNA, BEN, CARA, DEADLINE, World, device_label, next_kind, next_message, next_receipt, quiet,
};
use whimbrel_wire::Node;

#[tokio::test]
async fn a_sent_message_is_delivered_and_read() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let mut events = client.events().unwrap();
    let sent = client.send_text(&Jid::pn(BEN), "hi", SendOptions::default()).await.unwrap();
    let delivered = next_receipt(&mut events, ReceiptKind::Delivered).await;
    assert_eq!(delivered.message_ids, std::slice::from_ref(&sent.message_id));
    assert_eq!((delivered.chat.id, delivered.sender.id, delivered.sender_device), (ben.lid(), ben.lid(), 0));
    ben.next_message(DEADLINE).await.unwrap();
    ben.mark_read(ANNA, std::slice::from_ref(&sent.message_id)).await.unwrap();
    let read = next_receipt(&mut events, ReceiptKind::Read).await;
    assert_eq!((read.message_ids, read.chat.id), (vec![sent.message_id], ben.lid()));
    assert!(read.timestamp > 0);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn many_messages_are_marked_as_read_at_once() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let mut events = client.events().unwrap();
    let mut ids = Vec::new();
    for number in 0..300 {
        ids.push(ben.send_text(ANNA, &format!("n{number}")).await.unwrap());
    }
    for id in &ids {
        assert_eq!(next_message(&mut events).await.message_id, *id);
    }
    // Either address of the chat will do.
    client.mark_read(&Jid::pn(BEN), None, &ids, CallOptions::default()).await.unwrap();
    for id in [&ids[0], &ids[255], &ids[256], &ids[299]] {
        ben.wait_receipt(id, Seen::Read, DEADLINE).await.unwrap();
    }
    let error = client.mark_read(&Jid::pn(BEN), None, &[], CallOptions::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_read_on_another_own_device_is_told() {
    let world = World::start().await;
    let engine = world.engine();
    let (one, _) = world.linked(&engine, ANNA).await;
    let other = engine.open(world.store("other"), quiet()).unwrap();
    world.link(&other, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let mut events = one.events().unwrap();
    let mut at_other = other.events().unwrap();
    let id = ben.send_text(ANNA, "hi").await.unwrap();
    let message = next_message(&mut at_other).await;
    other.mark_read(&message.chat.id, None, std::slice::from_ref(&id), CallOptions::default()).await.unwrap();
    let read = next_receipt(&mut events, ReceiptKind::ReadSelf).await;
    assert_eq!((read.message_ids, read.chat.id), (vec![id], ben.lid()));
    assert_eq!(read.sender.id, one.account().unwrap().identity.id);
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_reader_who_reads_at_once_is_told_after_the_delivery() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    ben.set_switches(SwitchChange { auto_read: Some(true), ..SwitchChange::default() });
    let mut events = client.events().unwrap();
    client.send_text(&Jid::pn(BEN), "hi", SendOptions::default()).await.unwrap();
    let kinds = [next_any(&mut events).await, next_any(&mut events).await];
    assert_eq!(kinds, [ReceiptKind::Delivered, ReceiptKind::Read]);
    engine.close(DEADLINE).await.unwrap();
}

async fn next_any(events: &mut EventStream) -> ReceiptKind {
    next_kind(events, |kind| match kind {
        EventKind::Receipt(receipt) => Some(receipt.kind),
        _ => None,
    })
    .await
}

/// Every type of receipt from somebody else and from an own device, and what the host is told.
#[tokio::test]
async fn every_type_of_receipt_has_its_meaning() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, anna) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let mut events = client.events().unwrap();
    let device = device_label(&client, ANNA);
    let table = [
        (false, None, Some(ReceiptKind::Delivered)),
        (false, Some("inactive"), Some(ReceiptKind::Delivered)),
        (false, Some("read"), Some(ReceiptKind::Read)),
        (false, Some("played"), Some(ReceiptKind::Played)),
        (false, Some("view"), None),
        (false, Some("of-the-future"), None),
        (true, None, None),
        (true, Some("sender"), None),
        (true, Some("peer_msg"), None),
        (true, Some("hist_sync"), None),
        (true, Some("server-error"), None),
        (true, Some("read"), Some(ReceiptKind::ReadSelf)),
        (true, Some("read-self"), Some(ReceiptKind::ReadSelf)),
        (true, Some("played-self"), Some(ReceiptKind::ReadSelf)),
    ];
    let mut expected = Vec::new();
    for (number, (own, kind, told)) in table.into_iter().enumerate() {
        let id = format!("3EB0{number:016}");
        let receipt = Node::new("receipt")
            .attr("id", id.clone())
            .attr("from", if own { anna.lid() } else { ben.lid() })
            .attr_opt("recipient", own.then(|| ben.lid()))
            .attr_opt("type", kind)
            .attr("t", "1795176000");
        assert!(world.sandbox.enqueue(&device, receipt));
        // Whatever it means, it is taken.
        world.wait(|event| matches!(event, Event::Settled { id: settled, .. } if *settled == id)).await;
        expected.extend(told.map(|told| (id, told)));
    }
    for (id, told) in expected {
        let receipt = next_receipt(&mut events, told).await;
        assert_eq!((receipt.message_ids, receipt.chat.id), (vec![id], ben.lid()), "{told:?}");
    }
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn one_receipt_of_many_readers_is_told_for_each() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let (ben, cara) = (world.sandbox.phone(BEN).await.unwrap(), world.sandbox.phone(CARA).await.unwrap());
    let group = world.group(ANNA, &[BEN, CARA], None).jid();
    ben.set_switches(SwitchChange { silent: Some(true), ..SwitchChange::default() });
    cara.set_switches(SwitchChange { silent: Some(true), ..SwitchChange::default() });
    let mut events = client.events().unwrap();
    let sent = client.send_text(&group, "to all", SendOptions::default()).await.unwrap().message_id;
    let reader =
        |phone: &Phone, time: &'static str| Node::new("user").attr("jid", phone.lid()).attr("t", time);
    let receipt = Node::new("receipt")
        .attr("id", "grouped-1")
        .attr("from", group.clone())
        .attr("type", "read")
        .attr("t", "1795176000")
        .child(
            Node::new("participants")
                .attr("key", sent.clone())
                .child(reader(&ben, "1795176001"))
                .child(reader(&cara, "1795176002").attr("type", "played")),
        );
    assert!(world.sandbox.enqueue(&device_label(&client, ANNA), receipt));
    for (phone, kind, time) in
        [(&ben, ReceiptKind::Read, 1_795_176_001), (&cara, ReceiptKind::Played, 1_795_176_002)]
    {
        let told = next_receipt(&mut events, kind).await;
        assert_eq!((told.sender.id, told.chat.id, told.timestamp), (phone.lid(), group.clone(), time));
        assert_eq!(told.message_ids, std::slice::from_ref(&sent));
    }
    engine.close(DEADLINE).await.unwrap();
}
