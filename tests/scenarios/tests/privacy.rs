//! Privacy: who sees and may do what, the people who are left out, and the timer of new chats.

#![expect(clippy::unwrap_used, reason = "a panic in a scenario is the report of its failure")]

use whimbrel::content::context::{Context, Initiator, Trigger};
use whimbrel::events::{DefaultTimerChanged, EventKind, EventStream, PrivacyChanged};
use whimbrel::pictures::{FoundPicture, PictureOptions, PictureSize};
use whimbrel::privacy::{PrivacyCategory as Category, PrivacyValue as Value};
use whimbrel::{
    Availability, CallOptions, Client, Code, Engine, FindChats, Jid, LookupOptions, SendOptions,
    StatusAudienceKind,
};
use whimbrel_sandbox::phone::{Phone, ReceiptKind, Sign, SignKind};
use whimbrel_sandbox::{Event, Fault, FaultRule, StanzaMatch};
use whimbrel_scenarios::{
    ANNA, BEN, CARA, DAN, DEADLINE, Wait as _, World, device_label, go_away_with, next_kind, next_message,
    pn, quiet,
};
use whimbrel_wire::Node;

async fn next_privacy(events: &mut EventStream) -> PrivacyChanged {
    next_kind(events, |kind| match kind {
        EventKind::PrivacyChanged(changed) => Some(changed.clone()),
        _ => None,
    })
    .await
}

async fn next_timer(events: &mut EventStream) -> DefaultTimerChanged {
    next_kind(events, |kind| match kind {
        EventKind::DefaultTimerChanged(changed) => Some(changed.clone()),
        _ => None,
    })
    .await
}

async fn value_of(client: &Client, category: Category) -> Option<Value> {
    let settings = client.privacy(LookupOptions::default()).await.unwrap();
    settings.into_iter().find(|setting| setting.category == category).map(|setting| setting.value)
}

async fn set(client: &Client, category: Category, value: Value) {
    client.set_privacy(category, value, CallOptions::default()).await.unwrap();
}

/// Another device of somebody who is linked already.
async fn another(world: &World, engine: &Engine, phone: &Phone, name: &str) -> Client {
    let client = engine.open(world.store(name), quiet()).unwrap();
    let code = client.link_with_qr(CallOptions::default()).await.unwrap();
    phone.scan(&code.text).await.unwrap();
    client.wait_online().await;
    client
}

/// Lets two people exchange a message, so that they are contacts.
async fn meet(events: &mut EventStream, other: &Phone) {
    other.send_text(ANNA, "hello").await.unwrap();
    next_message(events).await;
}

#[tokio::test]
async fn settings_are_known_after_the_login_and_follow_the_other_devices() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, phone) = world.linked(&engine, ANNA).await;
    let other = another(&world, &engine, &phone, "other").await;
    let (mut events, mut others) = (client.events().unwrap(), other.events().unwrap());
    // Known without a question.
    client.disconnect();
    assert_eq!(value_of(&client, Category::LastSeen).await, Some(Value::Everyone));
    assert_eq!(value_of(&client, Category::Defense).await, Some(Value::Off));
    client.wait_online().await;

    set(&client, Category::LastSeen, Value::Nobody).await;
    assert_eq!(value_of(&client, Category::LastSeen).await, Some(Value::Nobody));
    let told = next_privacy(&mut others).await;
    let told: Vec<_> = told.settings.into_iter().map(|set| (set.category, set.value)).collect();
    assert_eq!(told, [(Category::LastSeen, Value::Nobody)]);
    assert_eq!(value_of(&other, Category::LastSeen).await, Some(Value::Nobody));

    // The same again is no news; what follows is.
    set(&client, Category::LastSeen, Value::Nobody).await;
    phone.set_privacy("calladd", "known").await.unwrap();
    for events in [&mut events, &mut others] {
        let told = next_privacy(events).await;
        assert_eq!(told.settings.len(), 1);
        assert_eq!((&told.settings[0].category, &told.settings[0].value), (&Category::Calls, &Value::Known));
    }
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn what_changed_while_away_is_told_after_the_login_and_a_dirty_mark_has_all_asked_for() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, phone) = world.linked(&engine, ANNA).await;
    let mut events = client.events().unwrap();
    go_away_with(&client, &mut events).await;
    phone.set_privacy("profile", "contacts").await.unwrap();
    client.wait_online().await;
    let told = next_privacy(&mut events).await;
    assert_eq!((&told.settings[0].category, &told.settings[0].value), (&Category::Picture, &Value::Contacts));
    // Nobody announces this one.
    world.sandbox.set_privacy(ANNA, "messages", "contacts");
    let dirty = Node::new("dirty").attr("type", "account_sync").attr("timestamp", "1795176000");
    let device = device_label(&client, ANNA);
    assert!(world.sandbox.inject(&device, Node::new("ib").attr("from", Jid::SERVER).child(dirty)));
    let told = next_privacy(&mut events).await;
    assert_eq!(told.settings.len(), 1);
    assert_eq!(told.settings[0].category, Category::Messages);
    // Nor this one: asked for anew it is seen.
    world.sandbox.set_privacy(ANNA, "online", "match_last_seen");
    assert_eq!(value_of(&client, Category::Online).await, Some(Value::Everyone));
    let mut fresh = LookupOptions::default();
    fresh.fresh = true;
    let settings = client.privacy(fresh).await.unwrap();
    let online = settings.iter().find(|setting| setting.category == Category::Online).unwrap();
    assert_eq!(online.value, Value::MatchLastSeen);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn people_are_left_out_and_a_list_that_changed_meanwhile_is_read_again() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, phone) = world.linked(&engine, ANNA).await;
    let other = another(&world, &engine, &phone, "other").await;
    let mut others = other.events().unwrap();
    let (ben, cara) = (world.sandbox.phone(BEN).await.unwrap(), world.sandbox.phone(CARA).await.unwrap());
    let about = || Category::About;
    let empty = client.privacy_exceptions(about(), CallOptions::default()).await.unwrap();
    assert_eq!(empty, []);
    let change = |client: &Client, add: &[Jid], remove: &[Jid]| {
        let (client, add, remove) = (client.clone(), add.to_vec(), remove.to_vec());
        async move {
            let changed = client
                .change_privacy_exceptions(Category::About, &add, &remove, CallOptions::default())
                .await;
            changed.map(|people| people.into_iter().map(|who| who.id).collect::<Vec<_>>())
        }
    };
    assert_eq!(change(&client, &[pn(BEN)], &[]).await.unwrap(), [ben.lid()]);
    let told = next_privacy(&mut others).await;
    assert_eq!((&told.settings[0].category, &told.settings[0].value), (&about(), &Value::ContactsExcept));
    // The other device knows the list by asking; who is on it already is not added twice.
    assert_eq!(change(&other, &[cara.lid(), ben.jid()], &[]).await.unwrap(), [ben.lid(), cara.lid()]);
    assert_eq!(value_of(&other, about()).await, Some(Value::ContactsExcept));

    let rule = FaultRule::new(Fault::Refuse { code: 409, text: None, backoff: None });
    let lost = StanzaMatch::request("privacy").kind("set");
    world.sandbox.add_fault(rule.device(device_label(&client, ANNA)).stanza(lost));
    assert_eq!(change(&client, &[], &[ben.lid()]).await.unwrap(), [cara.lid()]);
    let left = client.privacy_exceptions(about(), CallOptions::default()).await.unwrap();
    assert_eq!(left.into_iter().map(|who| who.id).collect::<Vec<_>>(), [cara.lid()]);

    // What is kept while the category is set to something else.
    set(&client, about(), Value::Nobody).await;
    set(&client, about(), Value::ContactsExcept).await;
    let left = client.privacy_exceptions(about(), CallOptions::default()).await.unwrap();
    assert_eq!(left.len(), 1);

    let nobody = change(&client, &[pn("31600000000")], &[]).await.unwrap_err();
    assert_eq!(nobody.code(), Code::NotFound);
    let group = change(&client, &[Jid::group("1-2")], &[]).await.unwrap_err();
    assert_eq!(group.code(), Code::InvalidArgument);
    for (category, value) in
        [(Category::ReadReceipts, Value::ContactsExcept), (Category::Calls, Value::Nobody)]
    {
        let wrong = client.set_privacy(category, value, CallOptions::default()).await.unwrap_err();
        assert_eq!(wrong.code(), Code::InvalidArgument);
    }
    // Of a category that this version does not know, the service decides.
    let unknown = Category::Other("cover_photo".into());
    let refused = client.set_privacy(unknown, Value::Nobody, CallOptions::default()).await.unwrap_err();
    assert_eq!((refused.code(), refused.service_status()), (Code::Refused, 400));
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn others_see_what_the_settings_let_them() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let mut events = client.events().unwrap();
    let (ben, ben_phone) = world.linked(&engine, BEN).await;
    let (cara, cara_phone) = world.linked(&engine, CARA).await;
    meet(&mut events, &ben_phone).await;
    let about = |client: Client| async move {
        let told = client.user_info(&[pn(ANNA)], CallOptions::default()).await.unwrap();
        told[0].about.clone().map(|about| about.text)
    };
    let hidden = |client: Client| async move {
        let found = client.picture(&pn(ANNA), PictureSize::Preview, PictureOptions::default()).await.unwrap();
        found == FoundPicture::Hidden
    };
    world.sandbox.phone(ANNA).await.unwrap().set_about("by the lake").await.unwrap();
    set(&client, Category::About, Value::Contacts).await;
    set(&client, Category::Picture, Value::Contacts).await;
    assert_eq!(about(ben.clone()).await.as_deref(), Some("by the lake"));
    assert_eq!(about(cara.clone()).await, None);
    assert_eq!((hidden(ben.clone()).await, hidden(cara.clone()).await), (false, true));
    for category in [Category::About, Category::Picture] {
        let left_out =
            client.change_privacy_exceptions(category, &[pn(BEN)], &[], CallOptions::default()).await;
        assert_eq!(left_out.unwrap().len(), 1);
    }
    assert_eq!(about(ben.clone()).await, None);
    assert!(hidden(ben.clone()).await);

    // Last seen and online: the phone of a stranger sees nothing, that of a contact does.
    set(&client, Category::LastSeen, Value::Contacts).await;
    set(&client, Category::Online, Value::MatchLastSeen).await;
    for phone in [&ben_phone, &cara_phone] {
        phone.set_available(true).await.unwrap();
        phone.watch(ANNA).await.unwrap();
    }
    client.set_presence(Availability::Available, CallOptions::default()).await.unwrap();
    let seen = |sign: &Sign| sign.kind == SignKind::Available;
    ben_phone.wait_sign(seen, DEADLINE).await.unwrap();
    assert!(cara_phone.signs_after(0, std::time::Duration::ZERO).await.is_empty());

    // Who may write: what a stranger sends is taken and goes nowhere.
    set(&client, Category::Messages, Value::Contacts).await;
    cara_phone.send_text(ANNA, "buy this").await.unwrap();
    ben_phone.send_text(ANNA, "lunch?").await.unwrap();
    assert_eq!(next_message(&mut events).await.text.as_deref(), Some("lunch?"));
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn without_read_receipts_only_the_own_devices_hear_of_reading() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let mut events = client.events().unwrap();
    let ben = world.sandbox.phone(BEN).await.unwrap();
    ben.send_text(ANNA, "first").await.unwrap();
    let first = next_message(&mut events).await;
    set(&client, Category::ReadReceipts, Value::Nobody).await;
    let read = |message: whimbrel::events::Message| {
        let client = client.clone();
        async move {
            let ids = [message.message_id.clone()];
            client.mark_read(&message.chat.id, None, &ids, CallOptions::default()).await.unwrap();
        }
    };
    read(first.clone()).await;
    let device = device_label(&client, ANNA);
    let self_only = |event: &Event| matches!(event, Event::Receipt { device: from, kind, .. } if *from == device && kind == "read-self");
    world.wait(self_only).await;
    set(&client, Category::ReadReceipts, Value::Everyone).await;
    ben.send_text(ANNA, "second").await.unwrap();
    let second = next_message(&mut events).await;
    read(second.clone()).await;
    ben.wait_receipt(&second.message_id, ReceiptKind::Read, DEADLINE).await.unwrap();
    // What the client sent for the first one was no `read` that the service had to hold back.
    let told = |event: &Event| matches!(event, Event::Receipt { device: from, kind, .. } if *from == device && kind == "read");
    assert_eq!((world.count(told), world.count(self_only)), (1, 1));
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn the_timer_of_new_chats_is_set_read_and_told() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, phone) = world.linked(&engine, ANNA).await;
    let other = another(&world, &engine, &phone, "other").await;
    let (ben, ben_phone) = world.linked(&engine, BEN).await;
    let (mut events, mut others, mut bens) =
        (client.events().unwrap(), other.events().unwrap(), ben.events().unwrap());
    meet(&mut events, &ben_phone).await;
    assert_eq!(client.default_timer(CallOptions::default()).await.unwrap().seconds, 0);
    client.set_default_timer(604_800, CallOptions::default()).await.unwrap();
    let timer = client.default_timer(CallOptions::default()).await.unwrap();
    assert_eq!((timer.seconds, timer.changed_at.is_some()), (604_800, true));
    for events in [&mut others, &mut bens] {
        let told = next_timer(events).await;
        assert_eq!((told.who.phone, told.seconds), (Some(pn(ANNA)), 604_800));
        assert!(told.changed_at.is_some());
    }
    let wrong = client.set_default_timer(3, CallOptions::default()).await.unwrap_err();
    assert_eq!(wrong.code(), Code::InvalidArgument);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn chats_that_are_begun_have_the_timer_of_the_account() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, phone) = world.linked(&engine, ANNA).await;
    let cara = world.linked(&engine, CARA).await.0;
    let (ben, ben_phone) = world.linked(&engine, BEN).await;
    let (mut events, mut at_ben, mut at_cara) =
        (client.events().unwrap(), ben.events().unwrap(), cara.events().unwrap());
    meet(&mut events, &ben_phone).await;
    client.set_default_timer(86_400, CallOptions::default()).await.unwrap();
    let timer = |context: &Context| {
        context.timer.as_ref().map(|timer| (timer.seconds, timer.initiator, timer.trigger))
    };
    // A chat that was there stays as it is.
    client.send_text(&pn(BEN), "old", SendOptions::default()).await.unwrap();
    let old = loop {
        let told = next_message(&mut at_ben).await;
        if !told.from_me {
            break told;
        }
    };
    assert_eq!(timer(&old.context), None);
    client.send_text(&pn(CARA), "new", SendOptions::default()).await.unwrap();
    let told = next_message(&mut at_cara).await;
    let by_me = (Some(Initiator::InitiatedByMe), Some(Trigger::AccountSetting));
    assert_eq!(timer(&told.context), Some((86_400, by_me.0, by_me.1)));
    // It stays, on both sides, whatever the account wants from now on; and it was Anna who wanted it.
    client.set_default_timer(0, CallOptions::default()).await.unwrap();
    client.send_text(&pn(CARA), "more", SendOptions::default()).await.unwrap();
    let more = next_message(&mut at_cara).await;
    assert_eq!(timer(&more.context), Some((86_400, by_me.0, by_me.1)));
    cara.send_text(&pn(ANNA), "and back", SendOptions::default()).await.unwrap();
    let back = next_message(&mut events).await;
    let by_other = Some((86_400, Some(Initiator::InitiatedByOther), Some(Trigger::AccountSetting)));
    assert_eq!(timer(&back.context), by_other);
    let mut find = FindChats::default();
    find.chat = Some(pn(CARA));
    for (client, chat) in [(&client, pn(CARA)), (&cara, pn(ANNA))] {
        find.chat = Some(chat);
        let found = client.find_chats(find.clone(), CallOptions::default()).await.unwrap();
        assert_eq!(found.items[0].timer, 86_400);
    }
    // Another device knows it from the login on, or hears of it.
    client.set_default_timer(604_800, CallOptions::default()).await.unwrap();
    let other = another(&world, &engine, &phone, "other").await;
    let mut others = other.events().unwrap();
    let dan = world.linked(&engine, DAN).await.0;
    let mut at_dan = dan.events().unwrap();
    assert_eq!(other.default_timer(CallOptions::default()).await.unwrap().seconds, 604_800);
    client.set_default_timer(86_400, CallOptions::default()).await.unwrap();
    while next_timer(&mut others).await.seconds != 86_400 {}
    other.send_text(&pn(DAN), "hello", SendOptions::default()).await.unwrap();
    let told = next_message(&mut at_dan).await;
    assert_eq!(timer(&told.context), Some((86_400, by_me.0, by_me.1)));
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn who_sees_statuses_is_shared_by_the_devices() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, phone) = world.linked(&engine, ANNA).await;
    let mut events = client.events().unwrap();
    let ben = world.sandbox.phone(BEN).await.unwrap();
    let audience = client.status_audience(CallOptions::default()).await.unwrap();
    assert_eq!((audience.kind, audience.people.len()), (StatusAudienceKind::Contacts, 0));
    let change = client.set_status_audience(StatusAudienceKind::Only, vec![pn(BEN)]).await.unwrap();
    next_kind(&mut events, |kind| match kind {
        EventKind::StateWritten(written) if written.change == change => {
            assert!(written.error.is_none());
            Some(())
        }
        _ => None,
    })
    .await;
    phone.wait_app_state(|change| change.index == ["status_privacy"], DEADLINE).await.unwrap();
    // The phone tells the service, which cannot read what devices share.
    let shown = async {
        loop {
            let audience = client.status_audience(CallOptions::default()).await.unwrap();
            if audience.kind == StatusAudienceKind::Only {
                return audience;
            }
        }
    };
    let audience = tokio::time::timeout(DEADLINE, shown).await.unwrap();
    assert_eq!(audience.people.iter().map(|who| who.phone.clone()).collect::<Vec<_>>(), [Some(pn(BEN))]);
    let named = client.set_status_audience(StatusAudienceKind::Contacts, vec![ben.jid()]).await.unwrap_err();
    let nobody = client.set_status_audience(StatusAudienceKind::Only, Vec::new()).await.unwrap_err();
    assert_eq!((named.code(), nobody.code()), (Code::InvalidArgument, Code::InvalidArgument));
    engine.close(DEADLINE).await.unwrap();
}
