//! What the account's devices share: two companions and a phone, conflicts, and everything that can be
//! wrong with a collection.

#![expect(clippy::unwrap_used, reason = "a panic in a scenario is the report of its failure")]

use std::collections::BTreeSet;

use whimbrel::appstate::{
    Action, LabelEdit, MessageRange, Mute, Setting, StateChange, StateCollection, StateTrouble, StateWritten,
};
use whimbrel::events::{EventKind, EventStream};
use whimbrel::{CallOptions, Chat, Client, Code, Contact, FindChats, FindContacts, Jid, MessageKey};
use whimbrel_proto::sync_action::sync_action_value::{
    ArchiveChatAction, ContactAction, LabelAssociationAction, LabelEditAction, MuteAction, PinAction,
    SyncActionMessageRange,
};
use whimbrel_sandbox::phone::{KeySharing, PatchFault, Phone, SwitchChange};
use whimbrel_sandbox::{AppStateFault, AppStateFaultRule, AppStatePace};
use whimbrel_scenarios::{
    ANNA, BEN, CARA, DEADLINE, Wait as _, World, all_written, companion, go_away_with, next_kind,
    next_message, pn, quiet, written,
};

const ALL: usize = StateCollection::ALL.len();

/// The next change of a chat.
async fn chat_change(events: &mut EventStream) -> StateChange {
    next_kind(events, |kind| match kind {
        EventKind::ChatChanged(change) => Some(StateChange::clone(change)),
        _ => None,
    })
    .await
}

async fn trouble(events: &mut EventStream, wanted: StateTrouble) {
    next_kind(events, |kind| match kind {
        EventKind::StateTrouble(troubled) if troubled.trouble == wanted => Some(()),
        _ => None,
    })
    .await;
}

async fn chat(client: &Client, address: &Jid) -> Option<Chat> {
    let mut find = FindChats::default();
    find.chat = Some(address.clone());
    client.find_chats(find, CallOptions::default()).await.unwrap().items.pop()
}

async fn contact(client: &Client, address: &Jid) -> Option<Contact> {
    let mut find = FindContacts::default();
    find.person = Some(address.clone());
    client.find_contacts(find, CallOptions::default()).await.unwrap().items.pop()
}

fn archive(chat: &Jid, archived: bool) -> Action {
    let value = ArchiveChatAction { archived: Some(archived), message_range: None };
    Action::Archive { chat: chat.to_string(), value: Box::new(value) }
}

fn pin(chat: &Jid, pinned: bool) -> Action {
    Action::Pin { chat: chat.to_string(), value: Box::new(PinAction { pinned: Some(pinned) }) }
}

fn mute(chat: &Jid, end: i64) -> Action {
    let value = MuteAction { muted: Some(true), mute_end_timestamp: Some(end), ..MuteAction::default() };
    Action::Mute { chat: chat.to_string(), value: Box::new(value) }
}

fn is_archived(change: &StateChange) -> Option<bool> {
    match &change.action {
        Action::Archive { value, .. } => value.archived,
        _ => None,
    }
}

fn fault(collection: &str, times: u32, what: AppStateFault) -> AppStateFaultRule {
    AppStateFaultRule { collection: collection.to_owned(), writing: false, times: Some(times), what }
}

#[tokio::test]
async fn what_was_there_before_the_link_is_in_the_archive_without_a_flood_of_events() {
    let world = World::start().await;
    let phone = world.sandbox.phone(ANNA).await.unwrap();
    let (ben, cara) = (pn(BEN), pn(CARA));
    let named = ContactAction {
        full_name: Some("Ben Bird".to_owned()),
        first_name: Some("Ben".to_owned()),
        ..ContactAction::default()
    };
    let label =
        LabelEditAction { name: Some("friends".to_owned()), color: Some(3), ..LabelEditAction::default() };
    let labelled = LabelAssociationAction { labeled: Some(true), ..LabelAssociationAction::default() };
    let actions = [
        Action::Contact { person: ben.to_string(), value: Box::new(named) },
        archive(&ben, true),
        pin(&cara, true),
        mute(&cara, -1),
        Action::LabelEdit { label: "7".to_owned(), value: Box::new(label) },
        Action::LabelChat { label: "7".to_owned(), chat: cara.to_string(), value: Box::new(labelled) },
    ];
    phone.set_app_state(&actions).await.unwrap();

    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    let mut events = client.events().unwrap();
    world.link(&client, ANNA).await;
    let mut seen = 0;
    let mut first = BTreeSet::new();
    while first.len() < ALL {
        let kind = next_kind(&mut events, |kind| Some(kind.clone())).await;
        match kind {
            EventKind::StateSynced(synced) => {
                seen += synced.entries;
                first.insert(synced.collection);
            }
            EventKind::ChatChanged(_) | EventKind::ContactChanged(_) | EventKind::LabelChanged(_) => {
                panic!("the first reading is no news: {kind:?}")
            }
            _ => {}
        }
    }
    // Beside what is above, the phone writes six entries of its own.
    assert_eq!(seen, 12);

    assert_eq!(contact(&client, &ben).await.unwrap().name.as_deref(), Some("Ben Bird"));
    assert!(chat(&client, &ben).await.unwrap().archived);
    let shown = chat(&client, &cara).await.unwrap();
    assert!(shown.pinned_at.is_some() && !shown.archived);
    assert_eq!((shown.muted_until, shown.labels.as_slice()), (Some(-1), &["7".to_owned()][..]));
    let labels = client.labels(CallOptions::default()).await.unwrap();
    assert_eq!((labels.len(), labels[0].name.as_str(), labels[0].color), (1, "friends", Some(3)));
    for (edit, expected) in [
        (FindChats::default(), 2),
        (
            {
                let mut find = FindChats::default();
                find.archived = Some(true);
                find
            },
            1,
        ),
        (
            {
                let mut find = FindChats::default();
                find.pinned = Some(true);
                find
            },
            1,
        ),
        (
            {
                let mut find = FindChats::default();
                find.label = Some("7".to_owned());
                find
            },
            1,
        ),
        (
            {
                let mut find = FindChats::default();
                find.locked = Some(true);
                find
            },
            0,
        ),
    ] {
        let found = client.find_chats(edit.clone(), CallOptions::default()).await.unwrap();
        assert_eq!(found.items.len(), expected, "{edit:?}");
    }
    assert_eq!(client.account().unwrap().push_name.as_deref(), Some(phone.name()));
    world.assert_no_findings();
}

#[tokio::test]
async fn the_phone_and_a_companion_see_what_the_other_does() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, mut events, phone) = companion(&world, &engine, "a").await;
    let ben = pn(BEN);

    // From the phone.
    phone.set_app_state(&[archive(&ben, true)]).await.unwrap();
    let change = chat_change(&mut events).await;
    assert_eq!((is_archived(&change), change.own), (Some(true), false));
    assert_eq!(change.subject.unwrap().phone.as_ref(), Some(&ben));
    assert!(chat(&client, &ben).await.unwrap().archived);

    // From here: pinning takes it out of the archive.
    let id = client.pin_chat(&ben, true).await.unwrap();
    assert_eq!(written(&mut events, &id).await.error, None);
    let seen = phone.wait_app_state(|change| change.index[0] == "pin_v1", DEADLINE).await.unwrap();
    assert!(!seen.own && !seen.removed);
    assert_eq!(seen.index[1], ben.to_string());
    let Some(Action::Archive { value, .. }) = phone.app_state(&["archive", &ben.to_string()]) else {
        panic!("the phone has the entry")
    };
    assert_eq!(value.archived, Some(false));
    // It names up to which message this device saw the chat.
    assert!(MessageRange::read(value.message_range.as_ref()).end().is_some());
    let shown = chat(&client, &ben).await.unwrap();
    assert!(!shown.archived && shown.pinned_at.is_some());

    let until = 1_900_000_000_000;
    let changes = [
        client.mute_chat(&ben, Mute::Until(until)).await.unwrap(),
        client.mark_chat(&ben, false).await.unwrap(),
        client.save_contact(&ben, "Ben Bird", Some("Ben"), true).await.unwrap(),
        client.set_setting(Setting::PushName("Anna B".to_owned())).await.unwrap(),
        client
            .star_messages(&ben, vec![MessageKey { message_id: "3EB0AA".to_owned(), sender: None }], true)
            .await
            .unwrap(),
        client.mute_status(&ben, true).await.unwrap(),
        client.set_favorites(vec![ben.clone()]).await.unwrap(),
        client.lock_chat(&ben, true).await.unwrap(),
    ];
    all_written(&mut events, changes).await;
    phone.wait_app_state(|change| change.index[0] == "lock", DEADLINE).await.unwrap();
    let has = |index: &[&str]| phone.app_state(index).is_some();
    let text = ben.to_string();
    assert!(has(&["mute", &text]) && has(&["markChatAsRead", &text]) && has(&["userStatusMute", &text]));
    assert!(has(&["star", &text, "3EB0AA", "0", "0"]) && has(&["favorites"]));
    let Some(Action::PushName { value }) = phone.app_state(&["setting_pushName"]) else { panic!("a name") };
    assert_eq!(value.name.as_deref(), Some("Anna B"));
    assert_eq!(client.account().unwrap().push_name.as_deref(), Some("Anna B"));
    let shown = chat(&client, &ben).await.unwrap();
    assert_eq!((shown.muted_until, shown.marked_unread, shown.locked), (Some(until / 1000), true, true));
    assert_eq!(contact(&client, &ben).await.unwrap().first_name.as_deref(), Some("Ben"));

    // A contact goes by a removal.
    let id = client.remove_contact(&ben).await.unwrap();
    assert_eq!(written(&mut events, &id).await.error, None);
    phone.wait_app_state(|change| change.index[0] == "contact" && change.removed, DEADLINE).await.unwrap();
    assert_eq!(contact(&client, &ben).await.unwrap().name, None);
    // What holds already is done at once, and what is not there is not taken out.
    let changes = [client.remove_contact(&ben).await.unwrap(), client.mute_status(&ben, true).await.unwrap()];
    all_written(&mut events, changes).await;
    assert_eq!(phone.app_state_violations(), Vec::<String>::new());
    world.assert_no_findings();
}

#[tokio::test]
async fn two_companions_share_labels_messages_and_deletions() {
    let world = World::start().await;
    let engine = world.engine();
    let (one, mut events, phone) = companion(&world, &engine, "a").await;
    let (two, mut others, _) = companion(&world, &engine, "b").await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let first = ben.send_text(ANNA, "one").await.unwrap();
    ben.send_text(ANNA, "two").await.unwrap();
    for events in [&mut events, &mut others] {
        next_message(events).await;
        next_message(events).await;
    }
    let ben = pn(BEN);
    let key = || MessageKey { message_id: first.clone(), sender: None };

    let mut edit = LabelEdit::default();
    edit.name = "family".to_owned();
    let (change, label) = one.edit_label(None, edit).await.unwrap();
    assert_eq!(written(&mut events, &change).await.error, None);
    let change = one.label_chat(&label, &ben, true).await.unwrap();
    assert_eq!(written(&mut events, &change).await.error, None);
    let labelled = next_kind(&mut others, |kind| match kind {
        EventKind::LabelChanged(change) => match &change.action {
            Action::LabelChat { label, .. } => Some((label.clone(), change.subject.clone().unwrap())),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(labelled.await.0, label);
    assert_eq!(chat(&two, &ben).await.unwrap().labels, std::slice::from_ref(&label));

    let change = one.star_messages(&ben, vec![key()], true).await.unwrap();
    assert_eq!(written(&mut events, &change).await.error, None);
    let marked = next_kind(&mut others, |kind| match kind {
        EventKind::MessageMarked(change) => Some(change.message.clone().unwrap()),
        _ => None,
    });
    let marked = marked.await;
    assert_eq!((marked.message_id.as_str(), marked.from_me), (first.as_str(), false));
    let stored = two.stored_message(&ben, &first, None, CallOptions::default()).await.unwrap();
    assert!(stored.starred);

    // Clearing spares what has a star; deleting the message does not.
    let change = two.clear_chat(&ben, false, false).await.unwrap();
    assert_eq!(written(&mut others, &change).await.error, None);
    next_kind(&mut events, |kind| match kind {
        EventKind::ChatChanged(change) => matches!(change.action, Action::ClearChat { .. }).then_some(()),
        _ => None,
    })
    .await;
    let mut find = whimbrel::FindMessages::default();
    find.chat = Some(ben.clone());
    let left = one.find_messages(find.clone(), CallOptions::default()).await.unwrap().items;
    assert_eq!(left.iter().map(|message| message.message_id.as_str()).collect::<Vec<_>>(), [first.as_str()]);
    let change = two.delete_message_for_me(&ben, key(), true).await.unwrap();
    assert_eq!(written(&mut others, &change).await.error, None);
    next_kind(&mut events, |kind| match kind {
        EventKind::MessageMarked(change) => {
            matches!(change.action, Action::DeleteMessageForMe { .. }).then_some(())
        }
        _ => None,
    })
    .await;
    assert!(one.find_messages(find, CallOptions::default()).await.unwrap().items.is_empty());
    let change = one.delete_chat(&ben, false).await.unwrap();
    assert_eq!(written(&mut events, &change).await.error, None);
    assert_eq!(chat(&one, &ben).await, None);
    assert_eq!(phone.app_state_violations(), Vec::<String>::new());
    world.assert_no_findings();
}

#[tokio::test]
async fn two_companions_that_write_at_once_end_with_the_same() {
    let world = World::start().await;
    let engine = world.engine();
    let (one, mut events, phone) = companion(&world, &engine, "a").await;
    let (two, mut others, _) = companion(&world, &engine, "b").await;
    let chats: Vec<Jid> = (0..30).map(|number| pn(&format!("4915100000{number:02}"))).collect();
    let mut wished = (Vec::new(), Vec::new());
    for (number, chat) in chats.iter().enumerate() {
        // Half of them are about the same chat.
        let other = if number % 2 == 0 { chat.clone() } else { pn(&format!("4915200000{number:02}")) };
        wished.0.push(one.archive_chat(chat, true).await.unwrap());
        wished.1.push(two.pin_chat(&other, true).await.unwrap());
        phone.set_app_state(&[mute(chat, -1)]).await.unwrap();
    }
    let mut lost = 0;
    for (events, wished) in [(&mut events, wished.0), (&mut others, wished.1)] {
        // A wish that was overtaken is told before those that wait for their turn.
        let mut waiting: BTreeSet<String> = wished.into_iter().collect();
        while !waiting.is_empty() {
            let fate = next_kind(events, |kind| match kind {
                EventKind::StateWritten(written) => Some(written.clone()),
                _ => None,
            });
            let StateWritten { change, error, .. } = fate.await;
            assert!(waiting.remove(&change), "told once");
            match error {
                None => {}
                Some(Code::Superseded) => lost += 1,
                Some(error) => panic!("{error:?}"),
            }
        }
    }
    // Everybody reads what the last one wrote.
    let end = pn("4915399999999");
    phone.set_app_state(&[archive(&end, true)]).await.unwrap();
    for events in [&mut events, &mut others] {
        next_kind(events, |kind| match kind {
            EventKind::ChatChanged(change) => {
                let about = change.subject.as_ref().is_some_and(|subject| subject.id == end);
                (about && !change.own).then_some(())
            }
            _ => None,
        })
        .await;
    }
    for address in &chats {
        let (here, there) = (chat(&one, address).await.unwrap(), chat(&two, address).await.unwrap());
        assert_eq!((here.archived, here.pinned_at.is_some()), (there.archived, there.pinned_at.is_some()));
        let Some(Action::Archive { value, .. }) = phone.app_state(&["archive", &address.to_string()]) else {
            panic!("an entry")
        };
        assert_eq!(value.archived, Some(here.archived), "{lost} were superseded");
    }
    assert_eq!(phone.app_state_violations(), Vec::<String>::new());
    world.assert_no_findings();
}

#[tokio::test]
async fn a_change_outlives_the_process_and_a_lost_answer() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, mut events, phone) = companion(&world, &engine, "a").await;
    let ben = pn(BEN);
    go_away_with(&client, &mut events).await;
    let id = client.archive_chat(&ben, true).await.unwrap();
    client.close(DEADLINE).await.unwrap();

    let client = engine.open(world.store("a"), quiet()).unwrap();
    let mut events = client.events().unwrap();
    client.wait_online().await;
    assert_eq!(written(&mut events, &id).await.error, None);
    phone.wait_app_state(|change| change.index[0] == "archive", DEADLINE).await.unwrap();
    assert_eq!(phone.app_state_violations(), Vec::<String>::new());
    world.assert_no_findings();
}

#[tokio::test]
async fn a_collection_of_many_pages_and_a_long_patch_are_read() {
    let world = World::start().await;
    world.sandbox.set_app_state_pace(AppStatePace { page: 3, ..AppStatePace::default() });
    let engine = world.engine();
    let (client, mut events, phone) = companion(&world, &engine, "a").await;
    go_away_with(&client, &mut events).await;
    for number in 0..20 {
        phone.set_app_state(&[archive(&pn(&format!("49151000001{number:02}")), true)]).await.unwrap();
    }
    // This one goes into a file.
    let many: Vec<Action> =
        (0..300).map(|number| archive(&pn(&format!("4915100{number:05}")), true)).collect();
    phone.set_app_state(&many).await.unwrap();
    client.wait_online().await;
    let mut seen = 0;
    while seen < 320 {
        assert_eq!(is_archived(&chat_change(&mut events).await), Some(true));
        seen += 1;
    }
    // Ours goes into a file as well.
    let stars = (0..200).map(|number| MessageKey { message_id: format!("3EB0{number}"), sender: None });
    let id = client.star_messages(&pn(BEN), stars.collect(), true).await.unwrap();
    assert_eq!(written(&mut events, &id).await.error, None);
    phone
        .wait_app_state(|change| change.index[0] == "star" && change.index[2] == "3EB0199", DEADLINE)
        .await
        .unwrap();
    assert_eq!(phone.app_state_violations(), Vec::<String>::new());
    world.assert_no_findings();
}

#[tokio::test]
async fn without_snapshots_everything_is_read_as_patches() {
    let world = World::start().await;
    world.sandbox.set_app_state_pace(AppStatePace { page: 2, snapshots: false, snapshot_age: 0 });
    let phone = world.sandbox.phone(ANNA).await.unwrap();
    for number in 0..7 {
        phone.set_app_state(&[archive(&pn(BEN), number % 2 == 0)]).await.unwrap();
    }
    let engine = world.engine();
    let (client, ..) = companion(&world, &engine, "a").await;
    assert!(chat(&client, &pn(BEN)).await.unwrap().archived);

    // A snapshot that is older than what there is comes with the patches behind it.
    world.sandbox.set_app_state_pace(AppStatePace { page: 50, snapshots: true, snapshot_age: 3 });
    phone.set_app_state(&[archive(&pn(BEN), false)]).await.unwrap();
    let (other, ..) = companion(&world, &engine, "b").await;
    assert!(!chat(&other, &pn(BEN)).await.unwrap().archived);
    world.assert_no_findings();
}

#[tokio::test]
async fn a_key_that_comes_late_is_waited_for_and_asked_for() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, mut events, phone) = companion(&world, &engine, "a").await;
    // Another key, of which nobody is told.
    phone.rotate_app_state_key(false).await.unwrap();
    phone.set_app_state(&[archive(&pn(BEN), true)]).await.unwrap();
    // The client asks, and the phone answers.
    let change = chat_change(&mut events).await;
    assert_eq!(is_archived(&change), Some(true));

    // The next one is neither shared nor given, until the phone changes its mind.
    let keys = |keys| SwitchChange { app_state_keys: Some(keys), ..SwitchChange::default() };
    phone.set_switches(keys(KeySharing::Deny));
    phone.rotate_app_state_key(false).await.unwrap();
    phone.set_app_state(&[archive(&pn(BEN), false), mute(&pn(CARA), -1)]).await.unwrap();
    // Another collection goes on meanwhile: it is written with the key that is here.
    let id = client.set_setting(Setting::PushName("Anna C".to_owned())).await.unwrap();
    assert_eq!(written(&mut events, &id).await.error, None);
    assert!(chat(&client, &pn(BEN)).await.unwrap().archived);
    phone.set_switches(keys(KeySharing::Share));
    phone.share_app_state_keys().await.unwrap();
    let change = chat_change(&mut events).await;
    assert!(matches!(change.action, Action::Archive { .. } | Action::Mute { .. }), "{change:?}");
    chat_change(&mut events).await;
    assert!(!chat(&client, &pn(BEN)).await.unwrap().archived);

    // What is written now has the new key, and takes the entry under the old one out.
    let id = client.archive_chat(&pn(BEN), true).await.unwrap();
    assert_eq!(written(&mut events, &id).await.error, None);
    phone.wait_app_state(|change| change.index[0] == "archive" && !change.own, DEADLINE).await.unwrap();
    assert_eq!(phone.app_state_violations(), Vec::<String>::new());
    world.assert_no_findings();
}

#[tokio::test]
async fn what_does_not_fit_is_read_anew_once_and_told() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, mut events, phone) = companion(&world, &engine, "a").await;
    for (number, what) in
        [AppStateFault::PatchMac, AppStateFault::SkipPatch, AppStateFault::Garbage].into_iter().enumerate()
    {
        world.sandbox.add_app_state_fault(fault("regular_low", 1, what.clone()));
        let chat_of = pn(&format!("491510000000{number}"));
        phone.set_app_state(&[archive(&chat_of, true)]).await.unwrap();
        if what != AppStateFault::SkipPatch {
            trouble(&mut events, StateTrouble::StartedOver).await;
        } else {
            // An answer without the patch: the next one shows the gap.
            phone.set_app_state(&[archive(&chat_of, true), pin(&chat_of, true)]).await.unwrap();
        }
        next_kind(&mut events, |kind| match kind {
            EventKind::ChatChanged(change) => {
                let about = change.subject.as_ref().is_some_and(|subject| subject.id == chat_of);
                (about && is_archived(change) == Some(true)).then_some(())
            }
            _ => None,
        })
        .await;
        assert!(chat(&client, &chat_of).await.unwrap().archived);
    }
    world.assert_no_findings();
}

#[tokio::test]
async fn an_author_who_diverged_does_not_make_the_others_loop() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, mut events, phone) = companion(&world, &engine, "a").await;
    let entry = archive(&pn(BEN), true).entry(1_790_000_000_000);
    let write = vec![(whimbrel_sandbox::appstate::Operation::Set, entry)];
    phone.write_app_state(StateCollection::RegularLow, write, Some(PatchFault::SnapshotMac)).await.unwrap();
    // The patch counts; the whole is looked at once, and found to be wrong as well.
    assert_eq!(is_archived(&chat_change(&mut events).await), Some(true));
    trouble(&mut events, StateTrouble::StartedOver).await;
    // Everything goes on.
    phone.set_app_state(&[archive(&pn(BEN), false)]).await.unwrap();
    assert_eq!(is_archived(&chat_change(&mut events).await), Some(false));
    let id = client.archive_chat(&pn(CARA), true).await.unwrap();
    assert_eq!(written(&mut events, &id).await.error, None);
    world.assert_no_findings();
}

#[tokio::test]
async fn the_phone_hands_over_what_cannot_be_read() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, mut events, phone) = companion(&world, &engine, "a").await;
    // A patch that nobody wrote, and snapshots that are damaged as well.
    world.sandbox.add_app_state_fault(fault("regular_low", 1, AppStateFault::PatchMac));
    world.sandbox.add_app_state_fault(fault("regular_low", 100, AppStateFault::SnapshotRecord));
    phone.set_app_state(&[archive(&pn(BEN), true)]).await.unwrap();
    trouble(&mut events, StateTrouble::StartedOver).await;
    trouble(&mut events, StateTrouble::AskedPhone).await;
    assert_eq!(is_archived(&chat_change(&mut events).await), Some(true));
    trouble(&mut events, StateTrouble::Recovered).await;
    world.sandbox.clear_app_state_faults();
    phone.set_app_state(&[archive(&pn(BEN), false)]).await.unwrap();
    assert_eq!(is_archived(&chat_change(&mut events).await), Some(false));
    let id = client.archive_chat(&pn(CARA), true).await.unwrap();
    assert_eq!(written(&mut events, &id).await.error, None);
    phone
        .wait_app_state(|change| change.index.last() == Some(&pn(CARA).to_string()), DEADLINE)
        .await
        .unwrap();
    assert_eq!(phone.app_state_violations(), Vec::<String>::new());
    world.assert_no_findings();
}

#[tokio::test]
async fn a_collection_that_nothing_helps_is_given_up_and_the_host_is_told() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, mut events, phone) = companion(&world, &engine, "a").await;
    // Whatever the service gives is damaged, also after the phone has handed it over.
    world.sandbox.add_app_state_fault(AppStateFaultRule {
        collection: "regular_low".to_owned(),
        writing: false,
        times: None,
        what: AppStateFault::PatchMac,
    });
    world.sandbox.set_app_state_pace(AppStatePace { snapshots: false, ..AppStatePace::default() });
    phone.set_app_state(&[archive(&pn(BEN), true)]).await.unwrap();
    trouble(&mut events, StateTrouble::AskedPhone).await;
    trouble(&mut events, StateTrouble::Recovered).await;
    go_away_with(&client, &mut events).await;
    let id = client.archive_chat(&pn(CARA), true).await.unwrap();
    phone.set_app_state(&[archive(&pn(BEN), false)]).await.unwrap();
    client.wait_online().await;
    trouble(&mut events, StateTrouble::GivenUp).await;
    assert_eq!(written(&mut events, &id).await.error, Some(Code::AppStateLost));
    let refused = client.archive_chat(&pn(BEN), true).await.unwrap_err();
    assert_eq!(refused.code(), Code::AppStateLost);
    // The others go on.
    let id = client.mute_chat(&pn(BEN), Mute::Forever).await.unwrap();
    assert_eq!(written(&mut events, &id).await.error, None);
}

#[tokio::test]
async fn a_refused_collection_is_read_later_and_does_not_hold_the_others_up() {
    let world = World::start().await;
    let engine = world.engine();
    world.sandbox.add_app_state_fault(fault("regular_low", 1, AppStateFault::Refuse { code: 503 }));
    world.sandbox.add_app_state_fault(fault("regular", 1, AppStateFault::SnapshotGone));
    world.sandbox.add_app_state_fault(fault("critical_block", 1, AppStateFault::SnapshotMac));
    let (client, mut events, phone) = companion(&world, &engine, "a").await;
    phone.set_app_state(&[archive(&pn(BEN), true)]).await.unwrap();
    assert_eq!(is_archived(&chat_change(&mut events).await), Some(true));
    let id = client.set_setting(Setting::PushName("Anna D".to_owned())).await.unwrap();
    assert_eq!(written(&mut events, &id).await.error, None);
    world.assert_no_findings();
}

/// Somebody writes, and both devices hear it.
async fn say(phone: &Phone, text: &str, both: &mut [EventStream; 2]) {
    phone.send_text(ANNA, text).await.unwrap();
    for events in both {
        next_message(events).await;
    }
}

#[tokio::test]
async fn a_message_takes_a_chat_out_of_the_archive_where_the_account_wants_it() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, events, phone) = companion(&world, &engine, "a").await;
    let (other, others, _) = companion(&world, &engine, "b").await;
    let mut both = [events, others];
    let (ben, cara) = (world.sandbox.phone(BEN).await.unwrap(), world.sandbox.phone(CARA).await.unwrap());
    let archived = async |address: &Jid| {
        let here = chat(&client, address).await.unwrap().archived;
        let there = chat(&other, address).await.unwrap().archived;
        (here, there)
    };
    // From the phone; both devices have read it when it returns.
    let set = async |actions: &[Action], both: &mut [EventStream; 2]| {
        phone.set_app_state(actions).await.unwrap();
        for events in both {
            for _ in actions {
                chat_change(events).await;
            }
        }
    };
    let (bens, caras, marker) = (pn(BEN), pn(CARA), pn("4915399999999"));
    say(&ben, "first", &mut both).await;
    say(&cara, "first", &mut both).await;
    set(&[archive(&bens, true), archive(&caras, true)], &mut both).await;
    // Chats stay where they are as long as nobody wants it otherwise.
    say(&ben, "second", &mut both).await;
    assert_eq!(archived(&bens).await, (true, true));
    let id = client.set_setting(Setting::UnarchiveChats(true)).await.unwrap();
    assert_eq!(written(&mut both[0], &id).await.error, None);
    phone.wait_app_state(|change| change.index == ["setting_unarchiveChats"], DEADLINE).await.unwrap();
    // It is behind the setting in the same collection.
    set(&[archive(&marker, true)], &mut both).await;
    say(&ben, "third", &mut both).await;
    assert_eq!(archived(&bens).await, (false, false));
    assert_eq!(archived(&caras).await, (true, true));
    // Whoever puts a chat away without having seen its latest message has not put it away.
    let range = SyncActionMessageRange { last_message_timestamp: Some(1_000), ..Default::default() };
    let value = ArchiveChatAction { archived: Some(true), message_range: Some(range) };
    let unseen = Action::Archive { chat: bens.to_string(), value: Box::new(value) };
    set(&[unseen, archive(&marker, false)], &mut both).await;
    assert_eq!(archived(&bens).await, (false, false));
    let id = client.archive_chat(&bens, true).await.unwrap();
    assert_eq!(written(&mut both[0], &id).await.error, None);
    assert!(chat(&client, &bens).await.unwrap().archived);
    assert_eq!(phone.app_state_violations(), Vec::<String>::new());
    world.assert_no_findings();
}
