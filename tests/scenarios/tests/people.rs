//! People: who is registered, what they say of themselves, who is online and who writes.

#![expect(clippy::unwrap_used, reason = "a panic in a scenario is the report of its failure")]

use std::slice;

use whimbrel::events::{ChatState, ChatStateChanged, EventKind, EventStream, LastSeen, PresenceChanged};
use whimbrel::{
    Availability, CallOptions, Client, Code, Jid, LookupOptions, NumberCheck, NumberStatus, UserInfo,
};
use whimbrel_sandbox::phone::{Phone, SignKind};
use whimbrel_sandbox::{Event, Fault, FaultRule, LidStanding, StanzaMatch};
use whimbrel_scenarios::{
    ANNA, BEN, CARA, DEADLINE, Wait as _, World, device_label, go_away, next_kind, next_message, pn,
};

async fn check(client: &Client, numbers: &[&str]) -> Vec<NumberCheck> {
    let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    client.check_numbers(&numbers, CallOptions::default()).await.unwrap()
}

async fn info(client: &Client, people: &[Jid]) -> Vec<UserInfo> {
    client.user_info(people, CallOptions::default()).await.unwrap()
}

async fn next_presence(events: &mut EventStream, available: bool) -> PresenceChanged {
    next_kind(events, |kind| match kind {
        EventKind::Presence(presence) if presence.available == available => Some(presence.clone()),
        _ => None,
    })
    .await
}

async fn next_chat_state(events: &mut EventStream, state: ChatState) -> ChatStateChanged {
    next_kind(events, |kind| match kind {
        EventKind::ChatState(found) if found.state == state => Some(found.clone()),
        _ => None,
    })
    .await
}

async fn be(client: &Client, availability: Availability) {
    client.set_presence(availability, CallOptions::default()).await.unwrap();
}

async fn watch(client: &Client, who: &Phone) {
    client.watch_presence(&who.jid(), CallOptions::default()).await.unwrap();
}

// --- who is registered (features document §7.3) ---

#[tokio::test]
async fn numbers_are_checked_together_and_learned() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let cara = world.sandbox.create_phone_standing(Some(CARA), None, LidStanding::PnOnly).await.unwrap();
    let typed = format!("+{BEN}");
    let checked = check(&client, &[CARA, &typed, "31600000000", BEN]).await;
    let short: Vec<_> = checked
        .iter()
        .map(|check| (check.number.as_str(), check.status, check.who.as_ref().map(|who| who.id.clone())))
        .collect();
    let registered = NumberStatus::Registered;
    assert_eq!(
        short,
        [
            (CARA, registered, Some(cara.jid())),
            (typed.as_str(), registered, Some(ben.lid())),
            ("31600000000", NumberStatus::NotRegistered, None),
            (BEN, registered, Some(ben.lid())),
        ]
    );
    // The pair is known from now on: nobody is asked.
    client.disconnect();
    let known = client.identity(&ben.lid(), LookupOptions::default()).await.unwrap();
    assert_eq!(known.phone, Some(ben.jid()));
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn many_numbers_are_asked_for_in_pieces() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    world.sandbox.phone(BEN).await.unwrap();
    let mut numbers: Vec<String> = (0..600).map(|number| format!("3165{number:07}")).collect();
    numbers.push(BEN.to_owned());
    let checked = client.check_numbers(&numbers, CallOptions::default()).await.unwrap();
    let given: Vec<_> = checked.iter().map(|check| check.number.clone()).collect();
    assert_eq!(given, numbers);
    let registered: Vec<_> =
        checked.iter().filter(|check| check.status == NumberStatus::Registered).collect();
    assert!(matches!(registered[..], [ben] if ben.number == BEN));
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_asked_and_what_is_refused_is_told_apart() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    for numbers in [&[][..], &["0612".to_owned()][..], &["a@b".to_owned()][..]] {
        let error = client.check_numbers(numbers, CallOptions::default()).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
    }
    for people in [&[][..], &[Jid::group("1-2")][..]] {
        let error = client.user_info(people, CallOptions::default()).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        if let [group] = people {
            assert!(client.watch_presence(group, CallOptions::default()).await.is_ok());
        }
    }
    let status = client.watch_presence(&Jid::STATUS, CallOptions::default()).await.unwrap_err();
    let typing = client.set_chat_state(&Jid::STATUS, ChatState::Composing, CallOptions::default()).await;
    assert_eq!((status.code(), typing.unwrap_err().code()), (Code::InvalidArgument, Code::InvalidArgument));
    let rule = FaultRule::new(Fault::Refuse { code: 429, text: None, backoff: Some(30) });
    let asked = rule.device(device_label(&client, ANNA)).stanza(StanzaMatch::tag("iq"));
    world.sandbox.add_fault(asked);
    let error = client.check_numbers(&[BEN.to_owned()], CallOptions::default()).await.unwrap_err();
    assert_eq!((error.code(), error.retry_after().map(|wait| wait.as_secs())), (Code::RateLimited, Some(30)));
    engine.close(DEADLINE).await.unwrap();
}

// --- what people say of themselves ---

#[tokio::test]
async fn people_are_looked_up_as_they_let_others_see_them() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let (_, ben) = world.linked(&engine, BEN).await;
    ben.set_about("on the \u{1f986} pond").await.unwrap();
    let people = [pn(BEN), pn("31600000000"), pn(BEN)];
    let told = info(&client, &people).await;
    assert_eq!(told.iter().map(|info| info.address.clone()).collect::<Vec<_>>(), people);
    let [found, missing, again] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((found.exists, found.who.id.clone()), (true, ben.lid()));
    assert_eq!(found, again);
    let about = found.about.clone().unwrap();
    assert_eq!(about.text, "on the \u{1f986} pond");
    assert!(about.changed_at.is_some());
    assert_eq!(found.devices, [&[0][..], &ben.companions()].concat());
    assert!(!found.is_business && found.verified_name.is_none());
    assert_eq!(found.default_timer.map(|timer| timer.seconds), Some(0));
    assert!(!missing.exists && missing.about.is_none() && missing.devices.is_empty());
    // By the other address, and hidden.
    ben.set_privacy("status", "none").await.unwrap();
    let told = info(&client, slice::from_ref(&ben.lid())).await;
    assert!(matches!(&told[..], [hidden] if hidden.exists && hidden.about.is_none()));
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

// --- presence (features document §6.1 to §6.3) ---

#[tokio::test]
async fn a_watched_person_comes_and_goes() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let mut events = client.events().unwrap();
    be(&client, Availability::Available).await;
    watch(&client, &ben).await;
    // At once, and at each change.
    let first = next_presence(&mut events, false).await;
    assert_eq!((first.who.id, first.members_online), (ben.lid(), None));
    assert!(matches!(first.last_seen, LastSeen::At(time) if time > 0));
    ben.set_available(true).await.unwrap();
    assert_eq!(next_presence(&mut events, true).await.who.phone, Some(ben.jid()));
    ben.set_privacy("last", "none").await.unwrap();
    ben.set_available(false).await.unwrap();
    assert_eq!(next_presence(&mut events, false).await.last_seen, LastSeen::Hidden);
    // Not any more: what came instead of it is the message after it.
    client.unwatch_presence(&ben.lid(), CallOptions::default()).await.unwrap();
    // An answer tells that the service has taken what went before it.
    check(&client, &[BEN]).await;
    ben.set_available(true).await.unwrap();
    ben.send_text(ANNA, "here").await.unwrap();
    let mut signs = 0;
    next_kind(&mut events, |kind| match kind {
        EventKind::Presence(_) => {
            signs += 1;
            None
        }
        EventKind::Message(_) => Some(()),
        _ => None,
    })
    .await;
    assert_eq!(signs, 0);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_client_is_seen_online_only_while_it_says_so() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let device = device_label(&client, ANNA);
    ben.set_available(true).await.unwrap();
    ben.watch(ANNA).await.unwrap();
    let saw = async |kind, number| {
        let mut left = number;
        let wanted = move |sign: &whimbrel_sandbox::phone::Sign| {
            left -= usize::from(sign.kind == kind);
            left == 0
        };
        ben.wait_sign(wanted, DEADLINE).await.unwrap();
    };
    // It is online at the service, and nobody sees it so.
    saw(SignKind::Unavailable, 1).await;
    let kind_of = async |text: &str| {
        let id = ben.send_text(ANNA, text).await.unwrap();
        let receipt = world
            .wait(|event| {
                matches!(event, Event::Receipt { device: of, ids, .. } if *of == device && ids.contains(&id))
            })
            .await;
        let Event::Receipt { kind, .. } = receipt else { panic!("another event was waited for") };
        kind
    };
    assert_eq!(kind_of("one").await, "inactive");
    be(&client, Availability::Available).await;
    saw(SignKind::Available, 1).await;
    assert_eq!(kind_of("two").await, "");
    be(&client, Availability::Unavailable).await;
    saw(SignKind::Unavailable, 2).await;
    assert_eq!(kind_of("three").await, "inactive");
    let signs = ben.signs_after(0, DEADLINE).await;
    assert_eq!(signs.len(), 3, "{signs:?}");
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn what_was_said_and_watched_is_said_again_after_a_login() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    ben.set_available(true).await.unwrap();
    ben.watch(ANNA).await.unwrap();
    be(&client, Availability::Available).await;
    watch(&client, &ben).await;
    go_away(&client).await;
    let mut events = client.events().unwrap();
    client.wait_online().await;
    assert_eq!(next_presence(&mut events, true).await.who.id, ben.lid());
    let mut seen = 0;
    let twice = |sign: &whimbrel_sandbox::phone::Sign| {
        seen += usize::from(sign.kind == SignKind::Available);
        seen == 2
    };
    ben.wait_sign(twice, DEADLINE).await.unwrap();
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

// --- chat state (features document §6.4) ---

#[tokio::test]
async fn writing_is_seen_both_ways() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, own) = world.linked(&engine, ANNA).await;
    let (ben, cara) = (world.sandbox.phone(BEN).await.unwrap(), world.sandbox.phone(CARA).await.unwrap());
    let group = world.group(ANNA, &[BEN, CARA], None).jid();
    let mut events = client.events().unwrap();
    // Both know each other's hidden address, so all is told by it.
    check(&client, &[BEN]).await;
    for (state, seen) in [
        (ChatState::Composing, SignKind::Composing),
        (ChatState::Recording, SignKind::Recording),
        (ChatState::Paused, SignKind::Paused),
    ] {
        client.set_chat_state(&pn(BEN), state, CallOptions::default()).await.unwrap();
        let sign = ben.wait_sign(|sign| sign.kind == seen, DEADLINE).await.unwrap();
        assert_eq!((sign.chat, sign.from), (own.lid().to_string(), own.lid().to_string()));
        ben.set_chat_state(ANNA, seen).await.unwrap();
        let told = next_chat_state(&mut events, state).await;
        assert_eq!((told.chat.id, told.sender.id), (ben.lid(), ben.lid()));
    }
    client.set_chat_state(&group, ChatState::Composing, CallOptions::default()).await.unwrap();
    let in_group = group.to_string();
    let sign = cara.wait_sign(|sign| sign.chat == in_group, DEADLINE).await.unwrap();
    assert_eq!((sign.from, sign.kind), (own.lid().to_string(), SignKind::Composing));
    cara.set_chat_state(&in_group, SignKind::Recording).await.unwrap();
    let told = next_chat_state(&mut events, ChatState::Recording).await;
    assert_eq!((told.chat.id, told.sender.id), (group, cara.lid()));
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn whoever_wrote_when_the_connection_ended_writes_no_more() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let mut events = client.events().unwrap();
    ben.set_chat_state(ANNA, SignKind::Composing).await.unwrap();
    assert_eq!(next_chat_state(&mut events, ChatState::Composing).await.sender.id, ben.lid());
    client.disconnect();
    assert_eq!(next_chat_state(&mut events, ChatState::Paused).await.sender.id, ben.lid());
    // It is a moment: whoever is away misses it, and nothing of it waits.
    client.wait_online().await;
    ben.send_text(ANNA, "written").await.unwrap();
    assert_eq!(next_message(&mut events).await.text.as_deref(), Some("written"));
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}
