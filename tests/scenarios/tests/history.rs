//! The history that a phone hands over, from its announcement into the archive.

#![expect(clippy::unwrap_used, reason = "a panic in a scenario is the report of its failure")]

use std::collections::BTreeSet;

use whimbrel::content::addons::{Addon, Going};
use whimbrel::content::compose::{self, Envelope};
use whimbrel::content::key::Key;
use whimbrel::content::kinds::Content;
use whimbrel::content::kinds::call::CallOutcome;
use whimbrel::events::{EventKind, EventStream, HistoryKind, HistorySync};
use whimbrel::{
    CallOptions, Chat, Client, Code, FindChats, FindContacts, FindMessages, Jid, LookupOptions, SentStatus,
    StoredMessage,
};
use whimbrel_sandbox::phone::{FullHistory, Past, Phone, ReceiptKind, SwitchChange};
use whimbrel_sandbox::{AppStatePace, Event, MediaFault, MediaFaultRule, MediaRequest};
use whimbrel_scenarios::{DEADLINE, NUMBER, Wait as _, World, next_kind, quiet};

/// Waits for the last piece of a kind.
async fn piece(events: &mut EventStream, kind: HistoryKind) -> HistorySync {
    next_kind(events, |event| match event {
        EventKind::History(sync) if sync.kind == kind && sync.chats > 0 => Some(sync.clone()),
        _ => None,
    })
    .await
}

async fn messages(client: &Client, find: FindMessages) -> Vec<StoredMessage> {
    client.find_messages(find, CallOptions::default()).await.unwrap().items
}

async fn chats(client: &Client) -> Vec<Chat> {
    let mut find = FindChats::default();
    find.limit = Some(500);
    client.find_chats(find, CallOptions::default()).await.unwrap().items
}

fn in_chat(address: &Jid) -> FindMessages {
    let mut find = FindMessages::default();
    find.chat = Some(address.clone());
    find.limit = Some(500);
    find
}

/// Waits until the phone knows that so many pieces were dealt with.
async fn told_the_phone(phone: &Phone, pieces: usize) {
    let (mut seen, mut after) = (BTreeSet::new(), 0);
    let end = tokio::time::Instant::now() + DEADLINE;
    while seen.len() < pieces {
        let left = end.saturating_duration_since(tokio::time::Instant::now());
        let receipts = phone.receipts_after(after, left).await;
        assert!(!receipts.is_empty(), "the phone was told of {} of {pieces} pieces", seen.len());
        for (number, receipt) in receipts {
            after = number;
            if receipt.kind == ReceiptKind::HistorySync {
                seen.insert(receipt.id);
            }
        }
    }
}

/// Links a client to a phone that has a past, and waits until it is in the archive.
async fn with_past(world: &World, client: &Client, past: &Past) -> HistorySync {
    let mut events = client.events().unwrap();
    let phone = world.sandbox.phone(NUMBER).await.unwrap();
    phone.remember(past.clone());
    let code = client.link_with_qr(CallOptions::default()).await.unwrap();
    phone.scan(&code.text).await.unwrap();
    piece(&mut events, HistoryKind::Recent).await
}

#[tokio::test]
async fn what_the_phone_remembers_can_be_looked_up() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    let past = Past { chats: 6, messages: 40, ..Past::default() };
    let recent = with_past(&world, &client, &past).await;
    assert_eq!((recent.progress, recent.messages, recent.damaged), (Some(100), 240, 0));
    assert_eq!((recent.chats, recent.error), (6, None));

    let all = chats(&client).await;
    assert_eq!(all.len(), 6);
    // People are known by their LID, though the history names them by number, and one chat each.
    let friend: Jid = "15560000001@s.whatsapp.net".parse().unwrap();
    let found = all.iter().find(|chat| chat.chat.phone.as_ref() == Some(&friend)).unwrap();
    assert!(found.chat.id.is_lid());
    assert_eq!((found.name.as_deref(), found.unread, found.timer), (Some("Friend 1"), 1, 86_400));
    assert_eq!((found.has_older, found.archived), (Some(false), false));
    assert!(all.iter().find(|chat| chat.name.as_deref() == Some("Friend 3")).unwrap().archived);

    let stored = messages(&client, in_chat(&friend)).await;
    assert_eq!(stored.len(), 40);
    let newest = &stored[0];
    assert_eq!(newest.message_id, Past::message_id(1, 39));
    assert_eq!(newest.text, Some(past.text(1, 39)));
    let mine = stored.iter().find(|message| message.from_me).unwrap();
    assert_eq!(mine.status, Some(SentStatus::Read));
    let details =
        client.stored_message(&friend, &mine.message_id, None, CallOptions::default()).await.unwrap();
    assert!(details.recipients[0].read_at > details.recipients[0].delivered_at);
    let group = all.iter().find(|chat| chat.chat.id.is_group()).unwrap();
    assert_eq!(group.name.as_deref(), Some("Group 4"));
    let in_group = messages(&client, in_chat(&group.chat.id)).await;
    assert!(in_group.iter().any(|message| !message.from_me && message.sender.id.is_lid()));

    let mut search = in_chat(&found.chat.id);
    search.text = Some(past.text(1, 7));
    let hits = messages(&client, search).await;
    assert!(hits.iter().any(|hit| hit.message_id == Past::message_id(1, 7)));
    let mut people = FindContacts::default();
    people.name = Some("friend 1".to_owned());
    let people = client.find_contacts(people, CallOptions::default()).await.unwrap().items;
    assert_eq!((people.len(), people[0].push_name.as_deref()), (1, Some("Person 1")));
    // Three pieces that every phone sends, and three of its past.
    told_the_phone(&world.sandbox.find_phone(NUMBER).unwrap(), 6).await;
    world.assert_no_findings();
}

#[tokio::test]
async fn pieces_on_the_media_hosts_are_downloaded_and_leave_nothing_behind() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    let past = Past { chats: 4, messages: 300, chats_in_piece: 2, uploaded: true, ..Past::default() };
    let first = with_past(&world, &client, &past).await;
    assert_eq!((first.chunk, first.messages, first.chats), (1, 600, 2));
    let phone = world.sandbox.find_phone(NUMBER).unwrap();
    told_the_phone(&phone, 7).await;
    assert_eq!(chats(&client).await.len(), 4);
    let folder = world.store("a").parent().unwrap().to_owned();
    client.close(DEADLINE).await.unwrap();
    let left: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("history")), "{left:?}");
    world.assert_no_findings();
}

#[tokio::test]
async fn a_piece_that_is_gone_is_handed_over_again_by_the_phone() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    let gone = MediaFault::Status { status: 404, retry_after_s: None };
    world.sandbox.set_app_state_pace(AppStatePace { snapshots: false, ..AppStatePace::default() });
    world.sandbox.add_media_fault(MediaFaultRule {
        request: MediaRequest::Download,
        host: None,
        times: 2,
        fault: gone,
    });
    let past = Past { uploaded: true, ..Past::default() };
    let mut events = client.events().unwrap();
    let phone = world.sandbox.phone(NUMBER).await.unwrap();
    phone.remember(past);
    let code = client.link_with_qr(CallOptions::default()).await.unwrap();
    phone.scan(&code.text).await.unwrap();
    // Both pieces come in the end, the one that was gone perhaps after the other.
    let (mut bootstrap, mut recent) = (false, false);
    while !(bootstrap && recent) {
        let sync = next_kind(&mut events, |event| match event {
            EventKind::History(sync) if sync.messages > 0 => Some(sync.clone()),
            _ => None,
        })
        .await;
        assert_eq!(sync.error, None);
        bootstrap |= sync.kind == HistoryKind::Bootstrap;
        recent |= sync.kind == HistoryKind::Recent;
    }
    assert_eq!(chats(&client).await.len(), 5);
    world.assert_no_findings();
}

#[tokio::test]
async fn older_messages_are_handed_over_on_request() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    let past = Past { chats: 2, messages: 90, recent: Some(10), ..Past::default() };
    with_past(&world, &client, &past).await;
    let friend: Jid = "15560000001@s.whatsapp.net".parse().unwrap();
    assert_eq!(messages(&client, in_chat(&friend)).await.len(), 10);
    for expected in [50, 30, 0] {
        let older = client.request_history(&friend, CallOptions::default()).await.unwrap();
        assert_eq!((older.kind, older.messages), (HistoryKind::OnDemand, expected));
    }
    let stored = messages(&client, in_chat(&friend)).await;
    assert_eq!(stored.len(), 90);
    assert_eq!(stored.last().unwrap().text, Some(past.text(1, 0)));
    let nobody: Jid = "99@lid".parse().unwrap();
    let error = client.request_history(&nobody, CallOptions::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    world.assert_no_findings();
}

#[tokio::test]
async fn what_came_before_the_message_it_is_about_is_told_when_the_history_brings_that() {
    let world = World::start().await;
    let past = Past { chats: 2, messages: 90, recent: Some(10), ..Past::default() };
    // Number 40 of the chat with somebody who is at the service too.
    let friend = world.sandbox.phone("15560000001").await.unwrap();
    let id = Past::message_id(1, 40);
    let anna = world.sandbox.phone(NUMBER).await.unwrap();
    let author = if past.is_mine(1, 40) { anna.lid() } else { friend.lid() };
    let target = if past.is_mine(1, 40) {
        Key::foreign(&anna.lid(), &id, &anna.lid())
    } else {
        Key::own(&anna.lid(), &id)
    };
    let (secret, own) = (past.secret(1, 40), friend.lid());
    let envelope = Envelope { target: &target, secret: &secret, author: &author, own: &own, nonce: [1; 12] };
    let reaction = compose::sealed_reaction(&envelope, Some("⛵"), 5).unwrap();
    {
        let engine = world.engine();
        let client = engine.open(world.store("a"), quiet()).unwrap();
        with_past(&world, &client, &past).await;
        client.wait_online().await;
        let mut events = client.events().unwrap();
        friend.send_message(NUMBER, reaction.clone()).await.unwrap();
        friend.send_text(NUMBER, "look").await.unwrap();
        next_kind(&mut events, |event| match event {
            EventKind::Addon(addon) => panic!("it is sealed: {addon:?}"),
            EventKind::Message(message) => Some(message.message_id.clone()),
            _ => None,
        })
        .await;
        engine.close(DEADLINE).await.unwrap();
    }
    let engine = world.engine();
    let client = engine.open(world.store("a"), whimbrel::ClientOptions::default()).unwrap();
    client.wait_online().await;
    let mut events = client.events().unwrap();
    let person: Jid = "15560000001@s.whatsapp.net".parse().unwrap();
    client.request_history(&person, CallOptions::default()).await.unwrap();
    let told = next_kind(&mut events, |event| match event {
        EventKind::Addon(addon) => Some(addon.clone()),
        _ => None,
    })
    .await;
    assert_eq!((told.target.message_id.as_str(), &told.sender.id), (id.as_str(), &friend.lid()));
    assert!(matches!(&told.what, Addon::Reaction(it) if it.emoji.as_deref() == Some("⛵")));
    let stored = client.stored_message(&person, &id, None, CallOptions::default()).await.unwrap();
    assert!(stored.reactions.iter().any(|reaction| reaction.emoji == "⛵"), "{:?}", stored.reactions);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn all_of_the_history_is_handed_over_later_by_phones_of_businesses() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    // A message a day.
    let past =
        Past { chats: 4, messages: 60, recent: Some(5), pace: 86_400, chats_in_piece: 2, ..Past::default() };
    with_past(&world, &client, &past).await;
    client.wait_online().await;
    let phone = world.sandbox.find_phone(NUMBER).unwrap();
    let answers = |full_history| {
        phone.set_switches(SwitchChange { full_history: Some(full_history), ..SwitchChange::default() });
    };
    let refused = async |days| {
        let error = client.request_full_history(days, CallOptions::default()).await.unwrap_err();
        error.code()
    };
    assert_eq!(refused(None).await, Code::NotSupported);
    answers(FullHistory::Decline);
    assert_eq!(refused(None).await, Code::HistoryDeclined);
    assert_eq!(refused(Some(0)).await, Code::InvalidArgument);
    answers(FullHistory::Ignore);
    let soon = whimbrel_scenarios::within(std::time::Duration::from_millis(300));
    let error = client.request_full_history(None, soon).await.unwrap_err();
    assert_eq!(error.code(), Code::TimedOut);
    answers(FullHistory::Give);
    let mut events = client.events().unwrap();
    let mut counted = Vec::new();
    for days in [Some(30), None] {
        let id = client.request_full_history(days, CallOptions::default()).await.unwrap();
        for chunk in [1, 2] {
            let sync = next_kind(&mut events, |event| match event {
                EventKind::History(sync) if sync.kind == HistoryKind::Full => Some(sync.clone()),
                _ => None,
            })
            .await;
            assert_eq!((sync.chunk, sync.request_id.as_deref()), (chunk, Some(id.as_str())));
            assert_eq!((sync.progress, sync.error), (Some(chunk * 50), None));
            counted.push(sync.messages);
        }
    }
    assert_eq!(counted, [60, 60, 120, 120]);
    let friend: Jid = "15560000001@s.whatsapp.net".parse().unwrap();
    assert_eq!(messages(&client, in_chat(&friend)).await.len(), 60);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_history_is_read_on_after_the_client_was_closed_meanwhile() {
    let world = World::start().await;
    let engine = world.engine();
    let past = Past { chats: 10, messages: 400, uploaded: true, ..Past::default() };
    {
        let client = engine.open(world.store("a"), quiet()).unwrap();
        let mut events = client.events().unwrap();
        let phone = world.sandbox.phone(NUMBER).await.unwrap();
        phone.remember(past.clone());
        let code = client.link_with_qr(CallOptions::default()).await.unwrap();
        phone.scan(&code.text).await.unwrap();
        piece(&mut events, HistoryKind::Bootstrap).await;
        client.close(DEADLINE).await.unwrap();
    }
    let client = engine.open(world.store("a"), quiet()).unwrap();
    let mut events = client.events().unwrap();
    client.wait_online().await;
    let recent = piece(&mut events, HistoryKind::Recent).await;
    assert_eq!((recent.messages, recent.error), (4000, None));
    for chat in chats(&client).await {
        assert_eq!(messages(&client, in_chat(&chat.chat.id)).await.len(), 400);
    }
    world.assert_no_findings();
}

#[tokio::test]
async fn without_an_archive_the_history_only_teaches_who_is_who() {
    let world = World::start().await;
    let engine = world.engine();
    let mut options = quiet();
    options.archive = false;
    let client = engine.open(world.store("a"), options).unwrap();
    let recent = with_past(&world, &client, &Past::default()).await;
    assert_eq!((recent.chats, recent.error), (5, None));
    let error = client.find_chats(FindChats::default(), CallOptions::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::NotSupported);
    let error = client
        .request_history(&"15560000001@s.whatsapp.net".parse().unwrap(), CallOptions::default())
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::NotSupported);
    let known = client
        .identity(&"15560000001@s.whatsapp.net".parse().unwrap(), LookupOptions::default())
        .await
        .unwrap();
    assert_eq!(known.lid, Some("250000000000001@lid".parse().unwrap()));
}

#[tokio::test]
async fn a_client_closes_at_once_though_a_piece_does_not_come() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    world.sandbox.set_app_state_pace(AppStatePace { snapshots: false, ..AppStatePace::default() });
    world.sandbox.add_media_fault(MediaFaultRule {
        request: MediaRequest::Download,
        host: None,
        times: 100,
        fault: MediaFault::Stall { bytes: 100 },
    });
    let phone = world.sandbox.phone(NUMBER).await.unwrap();
    phone.remember(Past { uploaded: true, ..Past::default() });
    let code = client.link_with_qr(CallOptions::default()).await.unwrap();
    phone.scan(&code.text).await.unwrap();
    world.wait(|event| matches!(event, Event::MediaDownloaded { .. })).await;
    let start = tokio::time::Instant::now();
    client.close(DEADLINE).await.unwrap();
    assert!(start.elapsed() < DEADLINE / 2, "{:?}", start.elapsed());
}

/// Links a client to a phone with a past, without waiting for it.
async fn link(world: &World, client: &Client, past: Past, switches: SwitchChange) -> Phone {
    let phone = world.sandbox.phone(NUMBER).await.unwrap();
    phone.remember(past);
    phone.set_switches(switches);
    let code = client.link_with_qr(CallOptions::default()).await.unwrap();
    phone.scan(&code.text).await.unwrap();
    phone
}

#[tokio::test]
async fn what_stands_beside_the_messages_gets_into_the_archive_too() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    let mut events = client.events().unwrap();
    let past = Past { extras: true, chats: 6, messages: 20, ..Past::default() };
    link(&world, &client, past.clone(), SwitchChange::default()).await;
    let other = next_kind(&mut events, |event| match event {
        EventKind::History(sync) if sync.kind == HistoryKind::Other => Some(sync.clone()),
        _ => None,
    })
    .await;
    assert_eq!((other.calls, other.stickers, other.error), (2, 2, None));
    piece(&mut events, HistoryKind::Recent).await;

    let friend: Jid = Past::address(0).parse().unwrap();
    let details = async |number: u32| {
        let id = Past::message_id(0, number);
        client.stored_message(&friend, &id, None, CallOptions::default()).await.unwrap()
    };
    let pinned = details(19).await.pinned.unwrap();
    assert!(pinned.by.is_none() && pinned.until * 1000 > pinned.at_ms);
    let mut find = in_chat(&friend);
    find.pinned = true;
    let found = messages(&client, find).await;
    assert_eq!(found.iter().map(|it| it.message_id.clone()).collect::<Vec<_>>(), [Past::message_id(0, 19)]);
    assert!(details(18).await.kept.is_some());
    let revoked = details(17).await;
    assert!(revoked.revoked.is_some() && revoked.content.is_none() && revoked.notice.is_none());
    let regatta = details(16).await;
    assert_eq!(regatta.text.as_deref(), Some("regatta"));
    let answer = &regatta.answers[0];
    assert_eq!((answer.answer, answer.guests), (Some(Going::Going), 2));
    assert_eq!(answer.who.phone.as_ref(), Some(&friend));
    assert_eq!(details(15).await.reactions[0].emoji, "⛵");

    // Calls stand in their chats, and a phone is not asked to count from one.
    let missed = client.stored_message(&friend, "CALL1", None, CallOptions::default()).await.unwrap();
    let Some(Content::CallLog(log)) = missed.content else { panic!("{missed:?}") };
    assert_eq!((log.outcome, missed.from_me), (Some(CallOutcome::Missed), false));
    let called: Jid = Past::address(1).parse().unwrap();
    let made = client.stored_message(&called, "CALL2", None, CallOptions::default()).await.unwrap();
    let Some(Content::CallLog(log)) = made.content else { panic!("{made:?}") };
    assert_eq!((log.duration_seconds, log.is_video, made.from_me), (Some(61), true, true));

    let group: Jid = Past::address(4).parse().unwrap();
    let left = client.past_members(&group, CallOptions::default()).await.unwrap();
    let left: Vec<_> = left.iter().map(|member| (member.who.phone.clone(), member.removed)).collect();
    assert_eq!(left, [(Some(friend), false), (Some(called), true)]);
    world.assert_no_findings();
}

#[tokio::test]
async fn pieces_that_were_read_are_deleted_from_the_media_hosts_if_these_let_them_be() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    world.sandbox.add_media_fault(MediaFaultRule {
        request: MediaRequest::Delete,
        host: None,
        times: 1,
        fault: MediaFault::Status { status: 500, retry_after_s: None },
    });
    let mut events = client.events().unwrap();
    let past = Past { uploaded: true, ..Past::default() };
    let phone = link(&world, &client, past, SwitchChange::default()).await;
    assert_eq!(piece(&mut events, HistoryKind::Recent).await.error, None);
    let mut deleted = BTreeSet::new();
    world
        .wait(|event| {
            if let Event::MediaDeleted { hash } = event {
                deleted.insert(hash.clone());
            }
            deleted.len() == 2
        })
        .await;
    told_the_phone(&phone, 6).await;
    assert_eq!(chats(&client).await.len(), 5);
    world.assert_no_findings();
}

#[tokio::test]
async fn a_damaged_piece_is_made_anew_by_the_phone() {
    let world = World::start().await;
    let engine = world.engine();
    for (store, uploaded) in [("a", false), ("b", true)] {
        let client = engine.open(world.store(store), quiet()).unwrap();
        let mut events = client.events().unwrap();
        // The first one, with the newest messages.
        let switches = SwitchChange { damage_pieces: Some(1), ..SwitchChange::default() };
        let past = Past { uploaded, ..Past::default() };
        link(&world, &client, past, switches).await;
        let (mut bootstrap, mut recent) = (0, 0);
        while bootstrap == 0 || recent == 0 {
            let sync = next_kind(&mut events, |event| match event {
                EventKind::History(sync) if sync.messages > 0 => Some(sync.clone()),
                _ => None,
            })
            .await;
            assert_eq!((sync.error, sync.damaged), (None, 0));
            bootstrap += u32::from(sync.kind == HistoryKind::Bootstrap);
            recent += u32::from(sync.kind == HistoryKind::Recent);
        }
        assert_eq!((bootstrap, recent), (1, 1));
        client.close(DEADLINE).await.unwrap();
    }
    world.assert_no_findings();
}

#[tokio::test]
async fn a_piece_that_stays_damaged_is_told_once_and_no_more_asked_for() {
    let world = World::start().await;
    let engine = world.engine();
    let refusing =
        SwitchChange { damage_pieces: Some(9), refuse_pieces: Some(true), ..SwitchChange::default() };
    let careless = SwitchChange { damage_pieces: Some(9), refuse_pieces: Some(false), ..refusing };
    for (store, switches) in [("a", refusing), ("b", careless)] {
        let client = engine.open(world.store(store), quiet()).unwrap();
        let mut events = client.events().unwrap();
        let phone = link(&world, &client, Past::default(), switches).await;
        let mut kinds = BTreeSet::new();
        while kinds.len() < 3 {
            let sync = next_kind(&mut events, |event| match event {
                EventKind::History(sync) if sync.error.is_some() => Some(sync.clone()),
                _ => None,
            })
            .await;
            assert_eq!(sync.error, Some(Code::HistoryDamaged));
            assert!(kinds.insert(sync.kind as u8), "told twice: {sync:?}");
        }
        // The phone is told of those as well: three that every phone sends, and these.
        told_the_phone(&phone, 6).await;
        client.close(DEADLINE).await.unwrap();
    }
    world.assert_no_findings();
}

#[tokio::test]
async fn how_far_a_piece_is_is_told() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    let mut events = client.events().unwrap();
    let past = Past { chats: 4, messages: 500, uploaded: true, ..Past::default() };
    link(&world, &client, past, SwitchChange::default()).await;
    let mut latest = 0;
    loop {
        let told = next_kind(&mut events, |event| match event {
            EventKind::HistoryProgress(progress) if progress.kind == HistoryKind::Recent => Some((
                progress.downloading,
                progress.messages,
                progress.done,
                progress.total,
                progress.progress,
            )),
            _ => None,
        })
        .await;
        let (downloading, messages, done, total, percent) = told;
        assert!(done <= total || downloading, "{told:?}");
        assert!(messages >= latest, "{told:?} after {latest}");
        latest = messages;
        if !downloading && done == total && messages == 2000 {
            assert_eq!(percent, Some(100));
            break;
        }
    }
}

#[tokio::test]
async fn what_is_older_than_wanted_is_not_kept() {
    let world = World::start().await;
    let engine = world.engine();
    let days = |days: Option<u32>| {
        let mut options = quiet();
        options.archive_days = days;
        options
    };
    // A little more than a message a day, the newest of yesterday.
    let past = Past { chats: 2, messages: 30, pace: 86_000, ..Past::default() };
    let client = engine.open(world.store("a"), days(Some(20))).unwrap();
    with_past(&world, &client, &past).await;
    let friend: Jid = Past::address(1).parse().unwrap();
    assert_eq!(messages(&client, in_chat(&friend)).await.len(), 20);
    client.close(DEADLINE).await.unwrap();
    let client = engine.open(world.store("a"), days(Some(5))).unwrap();
    assert_eq!(messages(&client, in_chat(&friend)).await.len(), 5);
    client.close(DEADLINE).await.unwrap();
    // Gone is gone.
    let client = engine.open(world.store("a"), days(None)).unwrap();
    assert_eq!(messages(&client, in_chat(&friend)).await.len(), 5);
    assert_eq!(chats(&client).await.len(), 2);
}
