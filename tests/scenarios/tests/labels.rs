//! Labels and quick replies, and the general call for what has none of its own, on two companions and a phone.

#![expect(clippy::unwrap_used, reason = "a panic in a scenario is the report of its failure")]

use whimbrel::appstate::{
    Action, LabelEdit, QuickReply, StateChange, StateCollection, StateWritten, value_from_json,
};
use whimbrel::events::{EventKind, EventStream};
use whimbrel::{CallOptions, Client, Code, MessageKey};
use whimbrel_sandbox::appstate::{Entry, Operation};
use whimbrel_scenarios::{
    BEN, DEADLINE, World, all_written, companion, next_kind, next_message, pn, written,
};

async fn label_change(events: &mut EventStream) -> StateChange {
    next_kind(events, |kind| match kind {
        EventKind::LabelChanged(change) => Some(StateChange::clone(change)),
        _ => None,
    })
    .await
}

async fn reply_change(events: &mut EventStream) -> StateChange {
    next_kind(events, |kind| match kind {
        EventKind::QuickReplyChanged(change) => Some(StateChange::clone(change)),
        _ => None,
    })
    .await
}

async fn names(client: &Client) -> Vec<String> {
    let labels = client.labels(CallOptions::default()).await.unwrap();
    labels.into_iter().map(|label| label.name).collect()
}

fn done(told: StateWritten) {
    assert_eq!(told.error, None, "{}", told.change);
}

fn reply(shortcut: &str, message: &str) -> QuickReply {
    let mut reply = QuickReply::default();
    reply.shortcut = shortcut.to_owned();
    reply.message = message.to_owned();
    reply.keywords = vec!["greeting".to_owned()];
    reply
}

#[tokio::test]
async fn labels_are_ordered_given_to_messages_and_deleted_on_all_devices() {
    let world = World::start().await;
    let engine = world.engine();
    let (one, mut events, phone) = companion(&world, &engine, "a").await;
    let (two, mut others, _) = companion(&world, &engine, "b").await;
    let mut labels = Vec::new();
    for name in ["family", "work", "later"] {
        let mut edit = LabelEdit::default();
        edit.name = name.to_owned();
        let (change, label) = one.edit_label(None, edit).await.unwrap();
        done(written(&mut events, &change).await);
        label_change(&mut others).await;
        labels.push(label);
    }
    assert_eq!(names(&two).await, ["family", "work", "later"]);

    // The order of one device is that of the others, and stays when a label gets another name.
    let order = [&labels[2], &labels[0], &labels[1]].map(String::clone).to_vec();
    let change = one.order_labels(order.clone()).await.unwrap();
    done(written(&mut events, &change).await);
    let told = label_change(&mut others).await;
    let Action::LabelReordering { value } = &told.action else { panic!("{told:?}") };
    let told: Vec<String> = value.sorted_label_ids.iter().map(ToString::to_string).collect();
    assert_eq!(told, order);
    let mut edit = LabelEdit::default();
    edit.name = "soon".to_owned();
    let (change, _) = two.edit_label(Some(&labels[2]), edit).await.unwrap();
    done(written(&mut others, &change).await);
    label_change(&mut events).await;
    for client in [&one, &two] {
        assert_eq!(names(client).await, ["soon", "family", "work"]);
    }
    assert_eq!(one.order_labels(vec!["x".to_owned()]).await.unwrap_err().code(), Code::InvalidArgument);

    let ben = world.sandbox.phone(BEN).await.unwrap();
    let id = ben.send_text(one.account().unwrap().identity.phone.unwrap().user(), "hello").await.unwrap();
    next_message(&mut events).await;
    let key = MessageKey { message_id: id.clone(), sender: None };
    let change = one.label_message(&labels[0], &pn(BEN), key, true).await.unwrap();
    done(written(&mut events, &change).await);
    let told = label_change(&mut others).await;
    let Action::LabelMessage { label, chat, id: about, value, .. } = &told.action else { panic!("{told:?}") };
    assert_eq!((label, about, value.labeled), (&labels[0], &id, Some(true)));
    assert_eq!(told.subject.as_ref().unwrap().phone, Some(pn(BEN)));
    let entry = ["label_message", &labels[0], chat, &id, "0", "0"].map(str::to_owned);
    phone.wait_app_state(|change| change.index == entry, DEADLINE).await.unwrap();

    // A chat loses a label that is deleted.
    let change = one.label_chat(&labels[1], &pn(BEN), true).await.unwrap();
    done(written(&mut events, &change).await);
    label_change(&mut others).await;
    let change = two.delete_label(&labels[1]).await.unwrap();
    done(written(&mut others, &change).await);
    let told = label_change(&mut events).await;
    let Action::LabelEdit { label, value } = &told.action else { panic!("{told:?}") };
    assert_eq!((label, value.deleted), (&labels[1], Some(true)));
    let mut find = whimbrel::FindChats::default();
    find.chat = Some(pn(BEN));
    for client in [&one, &two] {
        assert_eq!(names(client).await, ["soon", "family"]);
        let chats = client.find_chats(find.clone(), CallOptions::default()).await.unwrap().items;
        assert!(chats[0].labels.is_empty(), "{chats:?}");
    }
    let deleted = |change: &whimbrel_sandbox::phone::StateChange| {
        change.index == ["label_edit", labels[1].as_str()] && change.value.to_string().contains("deleted")
    };
    phone.wait_app_state(deleted, DEADLINE).await.unwrap();
    assert_eq!(phone.app_state_violations(), Vec::<String>::new());
    world.assert_no_findings();
}

#[tokio::test]
async fn quick_replies_are_made_listed_and_deleted_on_all_devices() {
    let world = World::start().await;
    let engine = world.engine();
    let (one, mut events, phone) = companion(&world, &engine, "a").await;
    // Both within one second.
    let (first, hi) = one.edit_quick_reply(None, reply("hi", "good morning")).await.unwrap();
    let (second, bye) = one.edit_quick_reply(None, reply("bye", "good night")).await.unwrap();
    assert_ne!(hi, bye);
    all_written(&mut events, [first, second]).await;
    let (change, same) = one.edit_quick_reply(Some(&hi), reply("hi", "good day")).await.unwrap();
    assert_eq!(same, hi);
    done(written(&mut events, &change).await);
    // There are no events about what was there before a device was linked, but a list.
    let (two, mut others, _) = companion(&world, &engine, "b").await;
    let expected = vec![(hi.clone(), reply("hi", "good day")), (bye.clone(), reply("bye", "good night"))];
    assert_eq!(two.quick_replies().await.unwrap(), expected);

    let change = two.delete_quick_reply(&hi).await.unwrap();
    done(written(&mut others, &change).await);
    let told = loop {
        let told = reply_change(&mut events).await;
        if !told.own {
            break told;
        }
    };
    let Action::QuickReply { id, value } = &told.action else { panic!("{told:?}") };
    assert_eq!((id, value.deleted), (&hi, Some(true)));
    for client in [&one, &two] {
        assert_eq!(client.quick_replies().await.unwrap(), expected[1..]);
    }
    let index = ["quick_reply", bye.as_str()];
    phone.wait_app_state(|change| change.index == index, DEADLINE).await.unwrap();
    let Some(Action::QuickReply { value, .. }) = phone.app_state(&["quick_reply", &bye]) else {
        panic!("the phone has it")
    };
    assert_eq!((value.shortcut.as_deref(), value.message.as_deref()), (Some("bye"), Some("good night")));
    let empty = one.edit_quick_reply(None, reply(" ", "x")).await.unwrap_err();
    assert_eq!(empty.code(), Code::InvalidArgument);
    assert_eq!(phone.app_state_violations(), Vec::<String>::new());
    world.assert_no_findings();
}

#[tokio::test]
async fn what_has_no_call_of_its_own_is_changed_and_told_all_the_same() {
    let world = World::start().await;
    let engine = world.engine();
    let (one, mut events, phone) = companion(&world, &engine, "a").await;
    let (_two, mut others, _) = companion(&world, &engine, "b").await;
    let index = || vec!["business_broadcast_list".to_owned(), "77".to_owned()];
    let value = r#"{"businessBroadcastListAction": {"listName": "friends of birds", "deleted": false}}"#;
    let value = value_from_json(value).unwrap();
    let regular = StateCollection::Regular;
    let change = one.change_state(regular, index(), 1, Some(value)).await.unwrap();
    done(written(&mut events, &change).await);
    let told = next_kind(&mut others, |kind| match kind {
        EventKind::StateChanged(change) => Some(StateChange::clone(change)),
        _ => None,
    });
    let told = told.await;
    assert_eq!((told.collection, told.removed, told.own), (regular, false, false));
    let seen = phone.wait_app_state(|change| change.index == index(), DEADLINE).await.unwrap();
    assert_eq!(seen.value["businessBroadcastListAction"]["listName"], "friends of birds");
    assert_eq!(seen.action_version, 1);

    let change = one.change_state(regular, index(), 1, None).await.unwrap();
    done(written(&mut events, &change).await);
    let gone = |change: &whimbrel_sandbox::phone::StateChange| change.index == index() && change.removed;
    phone.wait_app_state(gone, DEADLINE).await.unwrap();

    // What nobody knows is kept and told as well.
    let entry = Entry::new(&["a_thing_of_tomorrow", "1"], vec![0x08, 0x01], 9);
    phone.write_app_state(StateCollection::RegularHigh, vec![(Operation::Set, entry)], None).await.unwrap();
    let told = next_kind(&mut others, |kind| match kind {
        EventKind::StateChanged(change) if !change.removed => Some(StateChange::clone(change)),
        _ => None,
    });
    assert!(matches!(told.await.action, Action::Unknown { .. }));
    let nothing = one.change_state(regular, Vec::new(), 1, None).await.unwrap_err();
    assert_eq!(nothing.code(), Code::InvalidArgument);
    let wrong = one.change_state(regular, index(), 1, Some(vec![0xff])).await.unwrap_err();
    assert_eq!(wrong.code(), Code::InvalidArgument);
    assert!(value_from_json(r#"{"nothing": 1}"#).is_err());
    assert_eq!(phone.app_state_violations(), Vec::<String>::new());
    world.assert_no_findings();
}
