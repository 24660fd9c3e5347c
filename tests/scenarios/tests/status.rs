//! Statuses: posted to an audience, seen, answered and taken back (messages document §13, features
//! document §5).

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::time::Duration;

use whimbrel::addons::Addon;
use whimbrel::appstate::Action;
use whimbrel::content::addons::Addon as What;
use whimbrel::content::compose::{self, Draft};
use whimbrel::content::context::Context;
use whimbrel::content::key::Key;
use whimbrel::content::kinds::media::{Image, Media};
use whimbrel::content::kinds::text::{FontType, Style, Text};
use whimbrel::content::{Content, Secret};
use whimbrel::events::{EventKind, EventStream, ReceiptKind};
use whimbrel::{
    CallOptions, Client, Code, FindMessages, Jid, MessageKey, SendOptions, SendWait, StatusAudienceKind,
};
use whimbrel_proto::e2e::Message as Plain;
use whimbrel_sandbox::phone::{Phone, ReceiptKind as Got, SwitchChange};
use whimbrel_sandbox::{Event, StatusAudience};
use whimbrel_scenarios::{
    ANNA, BEN, CARA, CLEO, DEADLINE, Wait as _, World, companion, device_label, go_away, next_kind,
    next_message, next_receipt, pn, quiet, written,
};

/// Options of a status for these people.
fn for_people(people: &[&str]) -> SendOptions {
    let mut options = SendOptions::default();
    options.audience = Some(people.iter().map(|number| pn(number)).collect());
    options
}

/// Posts words; the id of the status.
async fn post(client: &Client, text: &str, people: &[&str]) -> String {
    client.send_text(&Jid::STATUS, text, for_people(people)).await.unwrap().message_id
}

/// Waits until a phone shows a status with these words.
async fn seen(phone: &Phone, text: &str) {
    let shown = phone.wait_message(|message| message.text == text, DEADLINE).await.unwrap();
    assert_eq!(shown.chat, "status@broadcast");
}

/// Id of the key of a status, and who was given the key with it.
fn key_of(world: &World, message: &str) -> (u32, Vec<String>) {
    let events = world.sandbox.events().after(0).into_iter();
    let mut keys = events.filter_map(|(_, event)| match event {
        Event::SenderKeyUsed { id, key_id, handed_to, .. } if id == message => Some((key_id, handed_to)),
        _ => None,
    });
    keys.next().unwrap()
}

async fn next_addon(events: &mut EventStream) -> Addon {
    next_kind(events, |kind| match kind {
        EventKind::Addon(addon) => Some(Addon::clone(addon)),
        _ => None,
    })
    .await
}

fn words(text: &str) -> Plain {
    let text = Text { style: Some(Style::default()), ..Text::new(text) };
    Content::Text(text).to_message(&Context::default()).unwrap()
}

#[tokio::test]
async fn a_status_goes_to_its_audience_and_to_nobody_else() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, annas_phone) = world.linked(&engine, ANNA).await;
    let (ben, bens_phone) = world.linked(&engine, BEN).await;
    let cara = world.sandbox.phone(CARA).await.unwrap();
    let mut at_ben = ben.events().unwrap();
    let style = Style { background: Some(0xFF20_4060), colour: None, font: Some(FontType::CalistogaRegular) };
    let content = Content::Text(Text { style: Some(style), ..Text::new("one") });
    let first = anna.send(&Jid::STATUS, Draft::new(content), for_people(&[BEN, CARA])).await.unwrap();
    let message = next_message(&mut at_ben).await;
    assert!(message.is_status && !message.unread && !message.from_me);
    assert_eq!((message.message_id, message.chat.id), (first.message_id.clone(), Jid::STATUS));
    assert_eq!(message.sender.id, anna.account().unwrap().identity.id);
    let Content::Text(text) = message.content else { panic!("words") };
    let shown = text.style.unwrap();
    assert_eq!((shown.background, shown.font), (style.background, style.font));
    assert_eq!(shown.colour, Some(0xFFFF_FFFF));
    for phone in [&annas_phone, &bens_phone, &cara] {
        seen(phone, "one").await;
    }
    // Nobody lacks the key: they are named without it, and read with it.
    let second = post(&anna, "two", &[BEN, CARA]).await;
    let ((first, handed), (again, none)) = (key_of(&world, &first.message_id), key_of(&world, &second));
    let ben_too = device_label(&ben, BEN);
    assert!(handed.contains(&ben_too) && handed.contains(&CARA.to_owned()), "{handed:?}");
    assert_eq!((first, none), (again, Vec::new()));
    assert_eq!(next_message(&mut at_ben).await.text.as_deref(), Some("two"));
    seen(&cara, "two").await;
    // Cara has the key, so that a smaller audience needs another one.
    let third = post(&anna, "three", &[BEN]).await;
    let (fresh, handed) = key_of(&world, &third);
    assert_ne!(fresh, again);
    assert!(handed.contains(&ben_too) && !handed.contains(&CARA.to_owned()), "{handed:?}");
    assert_eq!(next_message(&mut at_ben).await.text.as_deref(), Some("three"));
    seen(&annas_phone, "three").await;
    // A larger one does not.
    let fourth = post(&anna, "four", &[BEN, CARA]).await;
    assert_eq!(key_of(&world, &fourth).0, fresh);
    seen(&cara, "four").await;
    let shown = cara.messages_after(0, Duration::ZERO).await;
    assert!(!shown.iter().any(|(_, message)| message.text == "three"));
    let mut find = FindMessages::default();
    find.chat = Some(Jid::STATUS);
    let stored = anna.find_messages(find, CallOptions::default()).await.unwrap();
    assert_eq!(stored.items.len(), 4);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn files_are_posted_and_what_is_no_status_is_refused() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let (ben, _) = world.linked(&engine, BEN).await;
    let mut at_ben = ben.events().unwrap();
    let media = Media {
        direct_path: Some("/v/t62.7118-24/0_n.enc".to_owned()),
        key: Some(Secret::from([9; 32])),
        sha256: Some(vec![1; 32]),
        encrypted_sha256: Some(vec![2; 32]),
        length: Some(4321),
        mimetype: Some("image/jpeg".to_owned()),
        ..Media::default()
    };
    let image = Content::Image(Image { media, caption: Some("a bird".to_owned()), ..Image::default() });
    anna.send(&Jid::STATUS, Draft::new(image), for_people(&[BEN])).await.unwrap();
    let message = next_message(&mut at_ben).await;
    assert_eq!((message.content.kind(), message.text.as_deref()), ("image", Some("a bird")));
    let refused = |result: Result<whimbrel::SentMessage, whimbrel::Error>| result.unwrap_err().code();
    let once = Draft { view_once: true, ..Draft::new(message.content.clone()) };
    assert_eq!(refused(anna.send(&Jid::STATUS, once, for_people(&[BEN])).await), Code::InvalidArgument);
    let nobody = anna.send_text(&Jid::STATUS, "x", for_people(&[])).await;
    assert_eq!(refused(nobody), Code::InvalidArgument);
    let own = MessageKey { message_id: "A".to_owned(), sender: None };
    let unknown = anna.revoke_message(&Jid::STATUS, &own, SendOptions::default()).await;
    assert_eq!(refused(unknown), Code::InvalidArgument);
    let list: Jid = "1234@broadcast".parse().unwrap();
    assert_eq!(refused(anna.send_text(&list, "x", SendOptions::default()).await), Code::NotSupported);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn without_an_audience_the_setting_of_the_account_counts() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let (cara, cleo) = (world.sandbox.phone(CARA).await.unwrap(), world.sandbox.phone(CLEO).await.unwrap());
    // Everybody in the address book, of which nothing is known.
    let error = anna.send_text(&Jid::STATUS, "x", SendOptions::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    assert!(world.sandbox.set_status_privacy(ANNA, StatusAudience::Whitelist, &[CARA]));
    let sent = anna.send_text(&Jid::STATUS, "for Cara", SendOptions::default()).await.unwrap();
    seen(&cara, "for Cara").await;
    let (_, handed) = key_of(&world, &sent.message_id);
    assert!(!handed.contains(&CLEO.to_owned()), "{handed:?}");
    post(&anna, "for both", &[CARA, CLEO]).await;
    seen(&cleo, "for both").await;
    let shown = cleo.messages_after(0, Duration::ZERO).await;
    assert!(!shown.iter().any(|(_, message)| message.text == "for Cara"));
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn close_friends_are_known_to_the_devices_and_named_in_the_status() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, mut events, _) = companion(&world, &engine, "a").await;
    let (tablet, mut at_tablet, _) = companion(&world, &engine, "b").await;
    let (cara, cleo) = (world.sandbox.phone(CARA).await.unwrap(), world.sandbox.phone(CLEO).await.unwrap());
    let kind = StatusAudienceKind::CloseFriends;
    let nobody = anna.set_status_audience(kind, Vec::new()).await.unwrap_err();
    assert_eq!(nobody.code(), Code::InvalidArgument);
    let change = anna.set_status_audience(kind, vec![pn(CARA)]).await.unwrap();
    assert_eq!(written(&mut events, &change).await.error, None);
    next_kind(&mut at_tablet, |event| match event {
        EventKind::SettingChanged(change) => {
            matches!(change.action, Action::StatusPrivacy { .. }).then_some(())
        }
        _ => None,
    })
    .await;
    // The service has no word for it, but the devices of the account know.
    let audience = tablet.status_audience(CallOptions::default()).await.unwrap();
    assert_eq!((audience.kind, audience.people.len()), (kind, 1));
    let sent = tablet.send_text(&Jid::STATUS, "for few", SendOptions::default()).await.unwrap();
    seen(&cara, "for few").await;
    let (_, handed) = key_of(&world, &sent.message_id);
    assert!(!handed.contains(&CLEO.to_owned()), "{handed:?}");
    let told = cara.messages_after(0, Duration::ZERO).await;
    assert_eq!(told.len(), 1);
    post(&tablet, "for both", &[CARA, CLEO]).await;
    seen(&cleo, "for both").await;
    let shown = cleo.messages_after(0, Duration::ZERO).await;
    assert!(!shown.iter().any(|(_, message)| message.text == "for few"));
    let change = tablet.set_status_audience(StatusAudienceKind::Only, vec![pn(CLEO)]).await.unwrap();
    assert_eq!(written(&mut at_tablet, &change).await.error, None);
    let audience = tablet.status_audience(CallOptions::default()).await.unwrap();
    assert_ne!(audience.kind, kind);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn statuses_are_seen_reacted_to_answered_and_taken_back() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, annas_phone) = world.linked(&engine, ANNA).await;
    let (ben, bens_phone) = world.linked(&engine, BEN).await;
    let (mut at_anna, mut at_ben) = (anna.events().unwrap(), ben.events().unwrap());
    let id = post(&anna, "look", &[BEN]).await;
    let status = next_message(&mut at_ben).await;
    let poster = status.sender.id.clone();
    ben.mark_read(&Jid::STATUS, Some(&poster), std::slice::from_ref(&id), CallOptions::default())
        .await
        .unwrap();
    let view = next_receipt(&mut at_anna, ReceiptKind::Read).await;
    assert_eq!((view.chat.id, view.message_ids), (Jid::STATUS, vec![id.clone()]));
    assert_eq!(view.sender.id, ben.account().unwrap().identity.id);
    let key = MessageKey { message_id: id.clone(), sender: Some(poster.clone()) };
    ben.react(&Jid::STATUS, &key, Some("💚"), SendOptions::default()).await.unwrap();
    let reaction = next_addon(&mut at_anna).await;
    let What::Reaction(what) = &reaction.what else { panic!("a reaction") };
    assert_eq!((what.emoji.as_deref(), reaction.target.from_me), (Some("💚"), true));
    assert_eq!((reaction.chat.id, reaction.target.message_id), (Jid::STATUS, id.clone()));
    for phone in [&annas_phone, &bens_phone] {
        phone
            .wait_message(|message| message.kind == "reaction" && message.text == "💚", DEADLINE)
            .await
            .unwrap();
    }
    // An answer is a message to the poster.
    let mut options = SendOptions::default();
    options.quote = Some(MessageKey { message_id: id.clone(), sender: None });
    options.quoted_chat = Some(Jid::STATUS);
    ben.send_text(&poster, "nice", options.clone()).await.unwrap();
    let answer = next_message(&mut at_anna).await;
    let quote = answer.context.quote.clone().unwrap();
    assert_eq!((answer.text.as_deref(), quote.id, quote.chat), (Some("nice"), id.clone(), Some(Jid::STATUS)));
    assert!(!answer.is_status && quote.copy.is_some());
    options.quoted_chat = Some(Jid::group("1-2"));
    assert_eq!(ben.send_text(&poster, "x", options).await.unwrap_err().code(), Code::InvalidArgument);
    let own = MessageKey { message_id: id.clone(), sender: None };
    anna.revoke_message(&Jid::STATUS, &own, SendOptions::default()).await.unwrap();
    let revoked = next_addon(&mut at_ben).await;
    assert!(matches!(revoked.what, What::Revoke(_)));
    assert_eq!((revoked.chat.id, revoked.target.message_id), (Jid::STATUS, id));
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn what_phones_post_arrives_and_is_taken_back() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, annas_phone) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let mut events = anna.events().unwrap();
    let id = ben.post_status(&[ANNA], words("from Ben")).await.unwrap();
    let message = next_message(&mut events).await;
    assert_eq!((message.text.as_deref(), message.is_status), (Some("from Ben"), true));
    // What is received is said so as for statuses.
    ben.wait_receipt(&id, Got::Delivered, DEADLINE).await.unwrap();
    let revoke = compose::revoke(&Key::own(&Jid::STATUS, &id)).unwrap();
    ben.follow_status(revoke).await.unwrap();
    let revoked = next_addon(&mut events).await;
    assert_eq!((revoked.target.message_id, revoked.sender.id), (id, message.sender.id));
    // The own phone's post is this account's.
    annas_phone.post_status(&[BEN], words("from Anna")).await.unwrap();
    let own = next_message(&mut events).await;
    assert_eq!((own.text.as_deref(), own.from_me, own.is_status), (Some("from Anna"), true, true));
    let posted = post(&anna, "and more", &[BEN]).await;
    seen(&ben, "and more").await;
    let key = Key::foreign(&Jid::STATUS, &posted, &anna.account().unwrap().identity.id);
    ben.react_to_status(ANNA, compose::reaction(key, Some("👏"), 1_795_168_800_000).unwrap()).await.unwrap();
    let reaction = next_addon(&mut events).await;
    assert_eq!((reaction.target.message_id, reaction.target.from_me), (posted, true));
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn who_cannot_open_a_status_gets_it_again() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    post(&anna, "one", &[BEN]).await;
    seen(&ben, "one").await;
    assert!(ben.forget_group_keys(&Jid::STATUS));
    let lost = post(&anna, "two", &[BEN]).await;
    seen(&ben, "two").await;
    assert_eq!(key_of(&world, &lost).1, Vec::<String>::new(), "Ben was thought to have the key");
    assert_eq!(anna.statistics().await.retries_answered, 1);
    let mut events = anna.events().unwrap();
    ben.set_switches(SwitchChange { damage_next: Some(1), ..Default::default() });
    ben.post_status(&[ANNA], words("three")).await.unwrap();
    assert_eq!(next_message(&mut events).await.text.as_deref(), Some("three"));
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_status_survives_the_process_with_its_audience() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let cara = world.sandbox.phone(CARA).await.unwrap();
    go_away(&anna).await;
    let mut options = for_people(&[CARA]);
    options.wait = SendWait::Queued;
    let sent = anna.send_text(&Jid::STATUS, "later", options).await.unwrap();
    engine.close(DEADLINE).await.unwrap();
    let engine = world.engine();
    let anna = engine.open(world.store(ANNA), quiet()).unwrap();
    anna.wait_online().await;
    let shown = cara.wait_message(|message| message.id == sent.message_id, DEADLINE).await.unwrap();
    assert_eq!((shown.chat.as_str(), shown.text.as_str()), ("status@broadcast", "later"));
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}
