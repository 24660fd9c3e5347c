//! Every kind of message, from an engine to another one and to a phone, and back.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper that fails is a test that fails")]

use whimbrel::addons::Addon;
use whimbrel::content::Content;
use whimbrel::content::addons::{self, Going};
use whimbrel::content::classify::reread;
use whimbrel::content::compose::{self, Draft};
use whimbrel::content::context::Context;
use whimbrel::content::key::Key;
use whimbrel::content::kinds::call::{CallLog, CallOutcome, ScheduledCall};
use whimbrel::content::kinds::choice::{Choice, ChoiceSource};
use whimbrel::content::kinds::commerce::{Catalog, Invoice, Order, Product};
use whimbrel::content::kinds::event::Event;
use whimbrel::content::kinds::interactive::{Action, Button, Interactive, NativeFlow};
use whimbrel::content::kinds::invite::{ChannelInvite, EventInvite, GroupInvite};
use whimbrel::content::kinds::media::{Audio, Document, Image, Media, Video};
use whimbrel::content::kinds::menu::{List, Row, Section};
use whimbrel::content::kinds::payment::Payment;
use whimbrel::content::kinds::place::{Contact, Contacts, LiveLocation, Location, Point};
use whimbrel::content::kinds::poll::{Poll, PollResult};
use whimbrel::content::kinds::special::{GroupHistory, Music, QuestionResponse, Scheduled, StatusNotice};
use whimbrel::content::kinds::sticker::{Album, Sticker, StickerPack};
use whimbrel::content::kinds::text::{Link, Text};
use whimbrel::content::protocol::Protocol;
use whimbrel::content::{Code as InviteCode, Secret};
use whimbrel::events::{Control, EventKind, EventStream, GroupChange};
use whimbrel::{Client, Code, Fallback, Jid, MessageKey, SendOptions};
use whimbrel_proto::e2e::Message as Plain;
use whimbrel_sandbox::NewGroup;
use whimbrel_sandbox::phone::{Message as Shown, Phone};
use whimbrel_scenarios::{ANNA, BEN, CARA, DEADLINE, World, next_group_change, next_kind, next_message, pn};

fn media(mimetype: &str) -> Media {
    Media {
        url: None,
        direct_path: Some("/v/t62.7118-24/0_n.enc?ccb=11-4".to_owned()),
        key: Some(Secret::from([9; 32])),
        key_timestamp: Some(1_795_168_800),
        sha256: Some(vec![1; 32]),
        encrypted_sha256: Some(vec![2; 32]),
        length: Some(4321),
        mimetype: Some(mimetype.to_owned()),
    }
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn point() -> Point {
    Point { latitude: 59.91, longitude: 10.75, ..Point::default() }
}

fn contact(name: &str) -> Contact {
    let vcard = format!("BEGIN:VCARD\nVERSION:3.0\nFN:{name}\nEND:VCARD");
    Contact { name: name.to_owned(), vcard, is_self: false }
}

fn poll() -> Poll {
    let options = ["Soup", "Bread", "Tea"].map(str::to_owned).to_vec();
    Poll { name: "Lunch?".to_owned(), options, selectable: 2, ..Poll::default() }
}

fn event() -> Event {
    Event { name: "Walk".to_owned(), starts_at: Some(1_900_000_000), ..Event::default() }
}

fn interactive() -> Interactive {
    let button = Button {
        name: "quick_reply".to_owned(),
        params_json: r#"{"display_text":"Yes","id":"y"}"#.to_owned(),
    };
    let flow = NativeFlow { buttons: vec![button], ..NativeFlow::default() };
    Interactive {
        body: "Shall we?".to_owned(),
        action: Some(Action::NativeFlow(flow)),
        ..Interactive::default()
    }
}

fn list() -> List {
    let row = Row { id: "r1".to_owned(), title: "One".to_owned(), description: None };
    List {
        description: "Choose".to_owned(),
        button: "Open".to_owned(),
        sections: vec![Section { title: some("All"), rows: vec![row] }],
        ..List::default()
    }
}

/// One of every kind that may be sent.
fn every_kind() -> Vec<Content> {
    let image =
        || Image { media: media("image/jpeg"), width: Some(640), height: Some(480), ..Image::default() };
    let video = || Video { media: media("video/mp4"), seconds: Some(3), ..Video::default() };
    let audio = || Audio { media: media("audio/ogg; codecs=opus"), seconds: Some(2), ..Audio::default() };
    let link = Link { matched: "https://example.org".to_owned(), title: some("Example"), ..Link::default() };
    let group = Some(Jid::group("120363000000000001"));
    let channel = || ChannelInvite {
        channel: Some(Jid::newsletter("120363000000000002")),
        name: some("News"),
        ..ChannelInvite::default()
    };
    vec![
        Content::Text(Text::new("*bold* words 🐦")),
        Content::Text(Text {
            text: "see https://example.org".to_owned(),
            link: Some(Box::new(link)),
            style: None,
        }),
        Content::Image(Image { caption: some("a picture"), ..image() }),
        Content::Video(Video { caption: some("a video"), ..video() }),
        Content::Gif(video()),
        Content::VideoNote(video()),
        Content::Audio(Audio { media: media("audio/mpeg"), ..audio() }),
        Content::Voice(Audio { waveform: Some(vec![50; 64]), ..audio() }),
        Content::Document(Document {
            media: media("application/pdf"),
            file_name: some("a.pdf"),
            caption: some("a document"),
            ..Document::default()
        }),
        Content::Sticker(Sticker { media: media("image/webp"), is_animated: true, ..Sticker::default() }),
        Content::StickerPack(StickerPack {
            id: "pack".to_owned(),
            name: "Birds".to_owned(),
            media: Media { mimetype: None, ..media("") },
            ..StickerPack::default()
        }),
        Content::Album(Album { images: 2, videos: 1 }),
        Content::Contact(contact("Zoë")),
        Content::Contacts(Contacts {
            name: some("2 contacts"),
            contacts: vec![contact("Zoë"), contact("Al")],
        }),
        Content::Location(Location { point: point(), name: some("Town hall"), ..Location::default() }),
        Content::LiveLocation(LiveLocation {
            point: point(),
            caption: some("here"),
            ..LiveLocation::default()
        }),
        Content::GroupInvite(GroupInvite {
            group: group.clone(),
            code: InviteCode::new("AbCd".to_owned()),
            expires_at: Some(1_900_000_000),
            name: some("Birds"),
            caption: None,
            thumbnail: None,
            is_community: false,
        }),
        Content::ChannelAdminInvite(ChannelInvite { expires_at: Some(1_900_000_000), ..channel() }),
        Content::ChannelFollowerInvite(channel()),
        Content::RequestPhone,
        Content::Poll(poll()),
        Content::Poll(Poll { selectable: 1, correct: some("Tea"), is_quiz: true, ..poll() }),
        Content::PollResult(PollResult {
            name: "Lunch?".to_owned(),
            votes: vec![("Soup".to_owned(), 2), ("Tea".to_owned(), 0)],
            is_quiz: false,
        }),
        Content::Event(Event {
            location: Some(Location { point: point(), ..Location::default() }),
            ..event()
        }),
        Content::Product(Product {
            id: "P1".to_owned(),
            title: some("Feeder"),
            business: Some(Jid::pn("15550009")),
            currency: some("EUR"),
            price_thousandths: Some(12_500),
            image: Some(Box::new(image())),
            image_count: Some(1),
            ..Product::default()
        }),
        Content::Catalog(Catalog {
            title: some("All feeders"),
            business: Some(Jid::pn("15550009")),
            image: Some(Box::new(image())),
            ..Catalog::default()
        }),
        Content::Order(Order {
            id: "O1".to_owned(),
            token: InviteCode::new("token".to_owned()),
            seller: Some(Jid::pn("15550009")),
            item_count: Some(2),
            status: None,
            surface: Some(1),
            message: some("please"),
            title: some("Two feeders"),
            total_thousandths: Some(25_000),
            currency: some("EUR"),
            thumbnail: None,
            request: None,
        }),
        Content::Interactive(interactive()),
        Content::List(list()),
        Content::Choice(Choice { id: some("b1"), text: some("Yes"), source: ChoiceSource::Buttons }),
        Content::Choice(Choice {
            id: some("t1"),
            text: some("Yes"),
            source: ChoiceSource::Template { index: Some(0), card: None },
        }),
        Content::Choice(Choice {
            id: some("r1"),
            text: some("One"),
            source: ChoiceSource::List { description: None },
        }),
        Content::Choice(Choice {
            id: some("y"),
            text: some("Yes"),
            source: ChoiceSource::NativeFlow {
                name: "quick_reply".to_owned(),
                params_json: r#"{"id":"y"}"#.to_owned(),
                version: Some(3),
            },
        }),
    ]
}

/// One of every kind that only phones, businesses and the service send, as far as it can be written.
fn every_other_kind() -> Vec<Content> {
    let question = Key::foreign(&Jid::newsletter("120363000000000002"), "Q1", &Jid::newsletter("1"));
    vec![
        Content::QuestionResponse(QuestionResponse { question, text: "because".to_owned() }),
        Content::EventInvite(EventInvite {
            id: "E1".to_owned(),
            title: some("Walk"),
            ..EventInvite::default()
        }),
        Content::Invoice(Invoice {
            note: some("for two feeders"),
            token: InviteCode::new("token".to_owned()),
            is_pdf: true,
            media: Media { length: None, ..media("application/pdf") },
            thumbnail: None,
        }),
        Content::CallLog(CallLog {
            is_video: true,
            outcome: Some(CallOutcome::Missed),
            ..CallLog::default()
        }),
        Content::ScheduledCall(ScheduledCall {
            at_ms: Some(1_900_000_000_000),
            is_video: false,
            title: some("Call"),
        }),
        Content::ScheduledCallCancelled(Key::own(&Jid::pn("1"), "C1")),
        Content::Music(Music { title: some("Song"), author: some("Somebody"), ..Music::default() }),
        Content::GroupHistoryNotice(GroupHistory {
            receivers: vec![Jid::lid("7")],
            message_count: Some(3),
            ..GroupHistory::default()
        }),
        Content::Payment(Payment::Declined { request: Key::own(&Jid::lid("7"), "R1") }),
        Content::StatusNotice(StatusNotice::Answer {
            status: Key::own(&Jid::STATUS, "S1"),
            text: "yes".to_owned(),
        }),
        Content::Scheduled(Scheduled { payload: vec![1; 20], nonce: vec![2; 12], key_id: some("K1") }),
        Content::Placeholder,
    ]
}

fn options(content: &Content) -> SendOptions {
    let mut options = SendOptions::default();
    if matches!(content, Content::Interactive(_) | Content::List(_)) {
        options.fallback = Some(Fallback::Nothing);
    }
    options
}

/// Content as its receiver has it: which field of the message a poll is in belongs to the poll.
fn received(content: Content) -> Content {
    match content {
        Content::Poll(poll) => Content::Poll(Poll { form: Default::default(), ..poll }),
        // The sender's file as it came is for its receiver; it has a length of its own.
        other => other,
    }
}

async fn next_shown(phone: &Phone, id: &str) -> Shown {
    loop {
        let shown = phone.next_message(DEADLINE).await.unwrap();
        if shown.id == id {
            return shown;
        }
    }
}

#[tokio::test]
async fn every_kind_arrives_as_it_was_sent() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let (ben, phone) = world.linked(&engine, BEN).await;
    let mut at_ben = ben.events().unwrap();
    let mut kinds = Vec::new();
    for content in every_kind() {
        let draft = Draft::new(content.clone());
        let sent = anna.send(&pn(BEN), draft, options(&content)).await.unwrap();
        let message = next_message(&mut at_ben).await;
        assert_eq!(message.message_id, sent.message_id, "{}", content.kind());
        assert_eq!(message.content.kind(), content.kind());
        assert_eq!(message.text, content.body(), "{}", content.kind());
        assert_eq!(received(message.content), received(content.clone()));
        assert_eq!(message.unread, content.counts_as_unread());
        let shown = next_shown(&phone, &sent.message_id).await;
        assert_eq!((shown.kind.as_str(), shown.text), (content.kind(), content.body().unwrap_or_default()));
        kinds.push(content.kind());
    }
    kinds.dedup();
    assert!(kinds.len() >= 28, "{kinds:?}");
    for content in every_other_kind() {
        let error = anna.send(&pn(BEN), Draft::new(content), SendOptions::default()).await.unwrap_err();
        assert_eq!(error.code(), Code::NotSupported);
    }
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn every_kind_of_a_phone_becomes_a_typed_event_in_chats_and_groups() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let group = anna.create_group("Birds", &[pn(BEN)], Default::default(), Default::default()).await.unwrap();
    let mut events = anna.events().unwrap();
    let in_group = group.group.id.to_string();
    let kinds = every_kind().into_iter().chain(every_other_kind());
    for (number, content) in kinds.enumerate() {
        let plain = || content.clone().to_message(&Context::default()).unwrap();
        let composed = Draft::new(content.clone()).compose([5; 32]).map_or_else(|_| plain(), |it| it.message);
        let to = if number % 2 == 0 { ANNA } else { in_group.as_str() };
        let id = ben.send_message(to, composed.clone()).await.unwrap();
        let message = next_message(&mut events).await;
        assert_eq!(message.message_id, id);
        assert_eq!(received(message.content), received(content));
        assert_eq!(message.raw, whimbrel_proto::encode(&composed));
    }
    engine.close(DEADLINE).await.unwrap();
}

async fn next_addon(events: &mut EventStream) -> Addon {
    next_kind(events, |kind| match kind {
        EventKind::Addon(addon) => Some(Addon::clone(addon)),
        _ => None,
    })
    .await
}

async fn next_control(events: &mut EventStream) -> Control {
    next_kind(events, |kind| match kind {
        EventKind::Control(control) => Some(Control::clone(control)),
        _ => None,
    })
    .await
}

fn text(words: &str) -> Draft {
    Draft::new(Content::Text(Text::new(words)))
}

fn to(id: &str) -> MessageKey {
    MessageKey { message_id: id.to_owned(), sender: None }
}

fn lid(client: &Client) -> Jid {
    client.account().unwrap().identity.lid.unwrap()
}

/// Annotates messages of a chat in every way, there and back.
async fn annotate(anna: &Client, ben: &Client, chat_of_anna: &Jid, chat_of_ben: &Jid) {
    let (mut at_anna, mut at_ben) = (anna.events().unwrap(), ben.events().unwrap());
    let none = SendOptions::default;
    let sent = anna.send(chat_of_anna, text("first"), none()).await.unwrap().message_id;
    assert_eq!(next_message(&mut at_ben).await.message_id, sent);

    let carried = ben.react(chat_of_ben, &to(&sent), Some("👍"), none()).await.unwrap();
    let reaction = next_addon(&mut at_anna).await;
    assert_eq!(reaction.message_id, carried.message_id);
    assert_eq!((reaction.target.message_id.as_str(), reaction.target.from_me), (sent.as_str(), true));
    assert_eq!((reaction.target.author, reaction.sender.id), (Some(lid(anna)), lid(ben)));
    assert!(matches!(&reaction.what, addons::Addon::Reaction(it) if it.emoji.as_deref() == Some("👍")));
    ben.react(chat_of_ben, &to(&sent), None, none()).await.unwrap();
    let reaction = next_addon(&mut at_anna).await;
    assert!(matches!(&reaction.what, addons::Addon::Reaction(it) if it.emoji.is_none()));

    anna.edit_message(chat_of_anna, &sent, "second", &[], none()).await.unwrap();
    let edit = next_addon(&mut at_ben).await;
    assert_eq!((edit.target.message_id.as_str(), edit.target.author), (sent.as_str(), Some(lid(anna))));
    let addons::Addon::Edit(edit) = edit.what else { panic!("an edit") };
    assert_eq!(edit.content.body().as_deref(), Some("second"));

    let pinned = ben.pin_message(chat_of_ben, &to(&sent), Some(86_400), none()).await.unwrap();
    let pin = next_addon(&mut at_anna).await;
    assert_eq!(pin.message_id, pinned.message_id);
    assert!(matches!(&pin.what, addons::Addon::Pin(it) if it.pinned && it.duration == Some(86_400)));
    ben.pin_message(chat_of_ben, &to(&sent), None, none()).await.unwrap();
    assert!(matches!(next_addon(&mut at_anna).await.what, addons::Addon::Pin(it) if !it.pinned));
    ben.keep_message(chat_of_ben, &to(&sent), true, none()).await.unwrap();
    assert!(matches!(next_addon(&mut at_anna).await.what, addons::Addon::Keep(it) if it.kept));

    let draft = Draft::new(Content::Poll(Poll { open: true, ..poll() }));
    let asked = anna.send(chat_of_anna, draft, none()).await.unwrap().message_id;
    next_message(&mut at_ben).await;
    let choices = ["Tea".to_owned(), "Soup".to_owned()];
    ben.vote_poll(chat_of_ben, &to(&asked), &choices, none()).await.unwrap();
    let vote = next_addon(&mut at_anna).await;
    assert_eq!(
        (vote.target.message_id.as_str(), vote.options),
        (asked.as_str(), vec!["Soup".into(), "Tea".into()])
    );
    assert!(matches!(&vote.what, addons::Addon::Vote(it) if it.selected.len() == 2) && vote.opened.is_some());
    ben.add_poll_option(chat_of_ben, &to(&asked), "Cake", none()).await.unwrap();
    let added = next_addon(&mut at_anna).await;
    assert!(matches!(&added.what, addons::Addon::PollOption(it) if it.option == "Cake"));
    // Both know it now, and both may choose it.
    anna.vote_poll(chat_of_anna, &to(&asked), &["Cake".to_owned()], none()).await.unwrap();
    assert_eq!(next_addon(&mut at_ben).await.options, ["Cake"]);
    ben.vote_poll(chat_of_ben, &to(&asked), &[], none()).await.unwrap();
    assert!(next_addon(&mut at_anna).await.options.is_empty());
    let other = Poll { name: "Supper?".to_owned(), ..poll() };
    anna.edit_poll(chat_of_anna, &asked, other, none()).await.unwrap();
    let edited = next_addon(&mut at_ben).await;
    assert!(matches!(&edited.what, addons::Addon::PollEdit(it) if it.poll.name == "Supper?"));
    let error = ben.vote_poll(chat_of_ben, &to(&asked), &["Cake".to_owned()], none()).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);

    let planned =
        anna.send(chat_of_anna, Draft::new(Content::Event(event())), none()).await.unwrap().message_id;
    next_message(&mut at_ben).await;
    ben.answer_event(chat_of_ben, &to(&planned), Going::Maybe, Some(2), none()).await.unwrap();
    let answer = next_addon(&mut at_anna).await;
    let addons::Addon::EventAnswer(answer) = answer.what else { panic!("an answer") };
    assert_eq!((answer.answer, answer.extra_guests), (Some(Going::Maybe), Some(2)));
    let cancelled = Event { is_cancelled: true, ..event() };
    anna.edit_event(chat_of_anna, &planned, cancelled, none()).await.unwrap();
    assert!(
        matches!(next_addon(&mut at_ben).await.what, addons::Addon::EventEdit(it) if it.event.is_cancelled)
    );

    anna.revoke_message(chat_of_anna, &to(&sent), none()).await.unwrap();
    let revoked = next_addon(&mut at_ben).await;
    assert_eq!((revoked.target.message_id.as_str(), revoked.sender.id), (sent.as_str(), lid(anna)));
    assert!(matches!(&revoked.what, addons::Addon::Revoke(it) if it.target.from_me));
}

#[tokio::test]
async fn messages_of_a_direct_chat_are_annotated_in_every_way() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let (ben, phone) = world.linked(&engine, BEN).await;
    annotate(&anna, &ben, &pn(BEN), &pn(ANNA)).await;
    let mut seen = Vec::new();
    while !seen.contains(&"message_revoked".to_owned()) {
        seen.push(phone.next_message(DEADLINE).await.unwrap().kind);
    }
    for kind in ["reaction", "message_edited", "pinned", "kept", "poll", "sealed", "event"] {
        assert!(seen.iter().any(|one| one == kind), "{kind}: {seen:?}");
    }
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn messages_of_a_group_are_annotated_in_every_way_and_taken_back_by_an_admin() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let (ben, _) = world.linked(&engine, BEN).await;
    let created =
        anna.create_group("Birds", &[pn(BEN)], Default::default(), Default::default()).await.unwrap();
    let group = created.group.id;
    annotate(&anna, &ben, &group, &group).await;

    let (mut at_anna, mut at_ben) = (anna.events().unwrap(), ben.events().unwrap());
    let none = SendOptions::default;
    let sent = ben.send(&group, text("not nice"), none()).await.unwrap().message_id;
    while next_message(&mut at_anna).await.message_id != sent {}
    anna.revoke_message(&group, &to(&sent), none()).await.unwrap();
    let revoked = next_kind(&mut at_ben, |kind| match kind {
        EventKind::Addon(addon) if addon.target.message_id == sent => Some(Addon::clone(addon)),
        _ => None,
    });
    let revoked = revoked.await;
    assert_eq!((revoked.sender.id, revoked.target.author), (lid(&anna), Some(lid(&ben))));
    assert!(matches!(&revoked.what, addons::Addon::Revoke(it) if !it.target.from_me));
    // A member who is none is refused by the service.
    let sent = anna.send(&group, text("nice"), none()).await.unwrap().message_id;
    while next_message(&mut at_ben).await.message_id != sent {}
    let error = ben.revoke_message(&group, &to(&sent), none()).await.unwrap_err();
    assert_eq!(error.service_status(), 479);
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn nobody_changes_what_another_one_wrote() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let (ben, cara) = (world.sandbox.phone(BEN).await.unwrap(), world.sandbox.phone(CARA).await.unwrap());
    let people = [pn(BEN), pn(CARA)];
    let created = anna.create_group("Birds", &people, Default::default(), Default::default()).await.unwrap();
    let group = created.group.id;
    let mut events = anna.events().unwrap();
    let message = text("by ben").compose([6; 32]).unwrap().message;
    let id = ben.send_message(&group.to_string(), message.clone()).await.unwrap();
    next_message(&mut events).await;

    // Cara claims that the message is hers, then names its author and edits it all the same.
    let claims = [Key::own(&group, &id), Key::foreign(&group, &id, &ben.lid())];
    let edit = |target: &Key| {
        let target_of_ben = Key { from_me: true, ..target.clone() };
        let original = compose::Original { message: &message, target: &target_of_ben, age: 0 };
        let mut edit = compose::edit(&original, "by cara", &[], 1).unwrap();
        if let Some(key) = edit.protocol_message.as_mut().and_then(|protocol| protocol.key.as_mut()) {
            key.from_me = Some(target.from_me);
        }
        edit
    };
    for claim in &claims {
        cara.send_message(&group.to_string(), edit(claim)).await.unwrap();
    }
    let revoke = compose::revoke(&Key::own(&group, &id)).unwrap();
    cara.send_message(&group.to_string(), revoke).await.unwrap();
    // None of it is told; what anybody may do is.
    let reaction = compose::reaction(claims[1].clone(), Some("🙂"), 5).unwrap();
    cara.send_message(&group.to_string(), reaction).await.unwrap();
    let told = next_addon(&mut events).await;
    assert_eq!((told.sender.id, told.target.author), (cara.lid(), Some(ben.lid())));
    assert!(matches!(told.what, addons::Addon::Reaction(_)));
    // Its author may.
    ben.send_message(&group.to_string(), edit(&claims[0])).await.unwrap();
    assert!(matches!(next_addon(&mut events).await.what, addons::Addon::Edit(_)));
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn what_needs_a_message_that_never_came_is_told_sealed() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let mut events = anna.events().unwrap();
    let target = Key::own(&ben.lid(), "3EB0NEVER");
    let envelope = compose::Envelope {
        target: &target,
        secret: &[8; 32],
        author: &ben.lid(),
        own: &ben.lid(),
        nonce: [1; 12],
    };
    let vote = compose::vote(&envelope, &poll(), &["Tea".to_owned()], 9).unwrap();
    ben.send_message(ANNA, vote.clone()).await.unwrap();
    ben.send_text(ANNA, "vote please").await.unwrap();
    // The message may come with the history, or because it is asked for: so long the vote waits.
    let next = next_kind(&mut events, |kind| match kind {
        EventKind::Addon(_) | EventKind::Message(_) => Some(kind.clone()),
        _ => None,
    });
    assert!(matches!(next.await, EventKind::Message(_)));
    let none = SendOptions::default;
    let error = anna.vote_poll(&pn(BEN), &to("3EB0NEVER"), &["Tea".to_owned()], none()).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    // After the end of the link nothing can come.
    anna.logout(Default::default()).await.unwrap();
    let told = next_addon(&mut events).await;
    assert!(
        matches!(told.what, addons::Addon::Sealed(_)) && told.options.is_empty() && told.opened.is_none()
    );
    assert_eq!(told.family(), whimbrel::addons::Family::Vote);
    assert_eq!(whimbrel_proto::decode::<Plain>(&told.raw).unwrap(), vote);
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn secrets_of_messages_outlive_the_process() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let sent = anna.send(&pn(BEN), Draft::new(Content::Poll(poll())), SendOptions::default()).await.unwrap();
    let shown = next_shown(&ben, &sent.message_id).await;
    engine.close(DEADLINE).await.unwrap();

    let engine = world.engine();
    let anna = engine.open(world.store(ANNA), Default::default()).unwrap();
    let mut events = anna.events().unwrap();
    let poll_message: Plain = whimbrel_proto::decode(&shown.raw).unwrap();
    let secret = reread(poll_message, &ben.lid(), false).secret.unwrap();
    let target = Key::foreign(&anna_lid(&anna), &sent.message_id, &anna_lid(&anna));
    let envelope = compose::Envelope {
        target: &target,
        secret: secret.key().unwrap(),
        author: &anna_lid(&anna),
        own: &ben.lid(),
        nonce: [1; 12],
    };
    let vote = compose::vote(&envelope, &poll(), &["Bread".to_owned()], 9).unwrap();
    ben.send_message(ANNA, vote).await.unwrap();
    assert_eq!(next_addon(&mut events).await.options, ["Bread"]);
    engine.close(DEADLINE).await.unwrap();
}

fn anna_lid(client: &Client) -> Jid {
    lid(client)
}

#[tokio::test]
async fn what_is_sent_to_a_chat_with_a_timer_says_it() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let (ben, phone) = world.linked(&engine, BEN).await;
    let (mut at_anna, mut at_ben) = (anna.events().unwrap(), ben.events().unwrap());
    anna.set_chat_timer(&pn(BEN), 86_400, SendOptions::default()).await.unwrap();
    let set = next_control(&mut at_ben).await;
    assert!(matches!(&set.what, Protocol::ChatTimer { timer, .. } if timer.seconds == 86_400));
    for (from, to, events) in [(&anna, BEN, &mut at_ben), (&ben, ANNA, &mut at_anna)] {
        from.send(&pn(to), text("soon gone"), SendOptions::default()).await.unwrap();
        let timer = next_message(events).await.context.timer.unwrap();
        assert_eq!(timer.seconds, 86_400);
    }
    // The phone of the other side takes it away.
    let off = compose::chat_timer(0, i64::MAX / 1_000_000_000).unwrap();
    phone.send_message(ANNA, off).await.unwrap();
    let set = next_control(&mut at_anna).await;
    assert!(matches!(&set.what, Protocol::ChatTimer { timer, .. } if timer.seconds == 0));
    anna.send(&pn(BEN), text("stays"), SendOptions::default()).await.unwrap();
    assert_eq!(next_message(&mut at_ben).await.context.timer, None);
    let error = anna.set_chat_timer(&pn(BEN), 77, SendOptions::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn the_timer_of_a_group_is_set_for_all_members() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let (ben, _) = world.linked(&engine, BEN).await;
    let group = world.group(ANNA, &[BEN], None);
    let mut at_ben = ben.events().unwrap();
    anna.send(&group.jid(), text("stays"), SendOptions::default()).await.unwrap();
    assert_eq!(next_message(&mut at_ben).await.context.timer, None);
    let set = anna.set_chat_timer(&group.jid(), 604_800, SendOptions::default()).await.unwrap();
    assert_eq!((set.message_id.as_str(), set.chat.id), ("", group.jid()));
    let changed = next_group_change(&mut at_ben).await;
    assert_eq!(changed.change, GroupChange::Ephemeral(604_800));
    for client in [&anna, &ben] {
        client.send(&group.jid(), text("soon gone"), SendOptions::default()).await.unwrap();
    }
    assert_eq!(next_message(&mut at_ben).await.context.timer.unwrap().seconds, 604_800);
    let mut at_anna = anna.events().unwrap();
    assert_eq!(next_message(&mut at_anna).await.context.timer.unwrap().seconds, 604_800);
    anna.set_chat_timer(&group.jid(), 0, SendOptions::default()).await.unwrap();
    assert_eq!(next_group_change(&mut at_ben).await.change, GroupChange::Ephemeral(0));
    anna.send(&group.jid(), text("stays again"), SendOptions::default()).await.unwrap();
    assert_eq!(next_message(&mut at_ben).await.context.timer, None);
    let error = anna.set_chat_timer(&group.jid(), 77, SendOptions::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    group.set_locked(ANNA, true).unwrap();
    let error = ben.set_chat_timer(&group.jid(), 86_400, SendOptions::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::Forbidden);
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn posts_of_announcement_groups_are_commented_on_and_reacted_to_under_seal() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let (ben, phone) = world.linked(&engine, BEN).await;
    let new = NewGroup {
        creator: ANNA.to_owned(),
        subject: "Announcements".to_owned(),
        members: vec![BEN.to_owned()],
        addressing: None,
    };
    let group = world.sandbox.create_announcement_group(&new).unwrap();
    let (mut at_anna, mut at_ben) = (anna.events().unwrap(), ben.events().unwrap());
    let post = anna.send(&group.jid(), text("meeting"), SendOptions::default()).await.unwrap();
    let came = next_message(&mut at_ben).await;
    assert_eq!(came.message_id, post.message_id);
    // Members do not post, but they react and comment.
    let error = ben.send(&group.jid(), text("me too"), SendOptions::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::Forbidden);
    let key = MessageKey { message_id: post.message_id.clone(), sender: Some(came.sender.id) };
    ben.react(&group.jid(), &key, Some("👍"), SendOptions::default()).await.unwrap();
    let reaction = next_addon(&mut at_anna).await;
    let addons::Addon::Reaction(what) = &reaction.what else { panic!("a reaction: {reaction:?}") };
    assert_eq!((what.emoji.as_deref(), reaction.target.from_me), (Some("👍"), true));
    assert!(reaction.opened.is_some(), "it came in an envelope");
    ben.comment(&group.jid(), &key, text("when?"), SendOptions::default()).await.unwrap();
    let comment = next_addon(&mut at_anna).await;
    let addons::Addon::Comment(what) = &comment.what else { panic!("a comment: {comment:?}") };
    assert_eq!(
        (what.content.body().as_deref(), comment.target.message_id.as_str()),
        (Some("when?"), post.message_id.as_str())
    );
    // The phone sees that there is something, under its seal.
    phone
        .wait_message(|message| message.kind == "reaction" || message.kind == "sealed", DEADLINE)
        .await
        .unwrap();
    anna.react(
        &group.jid(),
        &MessageKey { message_id: post.message_id.clone(), sender: None },
        None,
        SendOptions::default(),
    )
    .await
    .unwrap();
    let removed = next_addon(&mut at_ben).await;
    assert!(matches!(&removed.what, addons::Addon::Reaction(what) if what.emoji.is_none()), "{removed:?}");
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn what_receivers_would_not_show_is_refused_before_it_is_sent() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let code = async |draft: Draft, options: SendOptions| {
        anna.send(&pn(BEN), draft, options).await.unwrap_err().code()
    };
    let none = SendOptions::default;
    let wrong = [
        Content::Text(Text::new("")),
        Content::Text(Text::new("x".repeat(65_537))),
        Content::Poll(Poll { options: vec!["one".to_owned()], ..poll() }),
        Content::Event(Event { starts_at: None, ..event() }),
        Content::VideoNote(Video { caption: some("no"), media: media("video/mp4"), ..Video::default() }),
        Content::Location(Location { point: Point { latitude: 91.0, ..point() }, ..Location::default() }),
    ];
    for content in wrong {
        assert_eq!(code(Draft::new(content.clone()), none()).await, Code::InvalidArgument, "{content:?}");
    }
    assert_eq!(code(Draft::new(Content::Unsupported), none()).await, Code::NotSupported);
    let once = Draft { view_once: true, ..Draft::new(Content::Contact(contact("Zoë"))) };
    assert_eq!(code(once, none()).await, Code::InvalidArgument);
    // Nobody may see these, which the host has to know.
    assert_eq!(code(Draft::new(Content::Interactive(interactive())), none()).await, Code::InvalidArgument);
    let error = anna.react(&pn(BEN), &to("X"), Some("no emoji"), none()).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    let error = anna.edit_message(&pn(BEN), "X", "new", &[], none()).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn buttons_come_with_words_for_those_who_do_not_see_them() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let mut options = SendOptions::default();
    options.fallback = Some(Fallback::Composed);
    let sent = anna.send(&pn(BEN), Draft::new(Content::Interactive(interactive())), options).await.unwrap();
    assert_eq!(next_shown(&ben, &sent.message_id).await.kind, "interactive");
    let words = ben.next_message(DEADLINE).await.unwrap();
    assert_eq!((words.kind.as_str(), words.text.as_str()), ("text", "Shall we?\n- Yes"));
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn context_quotes_mentions_and_forwards_arrive() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let (ben, _) = world.linked(&engine, BEN).await;
    let mut at_ben = ben.events().unwrap();
    let picture = Content::Image(Image { media: media("image/jpeg"), ..Image::default() });
    let once = Draft { view_once: true, ..Draft::new(picture.clone()) };
    anna.send(&pn(BEN), once, SendOptions::default()).await.unwrap();
    assert!(next_message(&mut at_ben).await.view_once);

    let first = anna.send(&pn(BEN), Draft::new(picture), SendOptions::default()).await.unwrap();
    next_message(&mut at_ben).await;
    let mut draft = text("@you, this");
    draft.context.mentions = vec![pn(BEN)];
    let mut options = SendOptions::default();
    options.quote = Some(MessageKey {
        message_id: first.message_id.clone(),
        sender: anna.account().unwrap().identity.lid,
    });
    anna.send(&pn(BEN), draft, options).await.unwrap();
    let message = next_message(&mut at_ben).await;
    assert!(message.mentions_me);
    let quote = message.context.quote.unwrap();
    assert_eq!(quote.content().map(|content| content.kind()), Some("image"));
    assert_eq!(message.quoted.unwrap().sender, Some(lid(&anna)));

    anna.forward_stored(&pn(BEN), &pn(BEN), &first.message_id, SendOptions::default()).await.unwrap();
    let forwarded = next_message(&mut at_ben).await;
    assert_eq!((forwarded.content.kind(), forwarded.context.forwarded.is_some()), ("image", true));
    ben.forward_message(&pn(ANNA), &forwarded.raw, SendOptions::default()).await.unwrap();
    // What came is in the archive: it is forwarded by its id, and a quote of it has its content.
    ben.forward_stored(&pn(ANNA), &pn(ANNA), &first.message_id, SendOptions::default()).await.unwrap();
    let mut options = SendOptions::default();
    options.quote = Some(MessageKey { message_id: first.message_id.clone(), sender: None });
    let mut at_anna = anna.events().unwrap();
    ben.send(&pn(ANNA), text("nice"), options).await.unwrap();
    let answer = next_kind(&mut at_anna, |kind| match kind {
        EventKind::Message(message) if message.text.as_deref() == Some("nice") => {
            Some(message.context.clone())
        }
        _ => None,
    });
    let quote = answer.await.quote.unwrap();
    assert_eq!(quote.content().map(|content| content.kind()), Some("image"));
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn content_of_a_later_version_is_told_with_its_raw_form() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let mut events = anna.events().unwrap();
    // Field 9000 with two octets, which no version knows.
    let unknown = vec![0xc2, 0xb2, 0x04, 0x02, 0x68, 0x69];
    ben.send_raw(ANNA, unknown.clone()).await.unwrap();
    let message = next_message(&mut events).await;
    assert_eq!((message.content, message.text, message.raw), (Content::Unsupported, None, unknown));
    engine.close(DEADLINE).await.unwrap();
}
