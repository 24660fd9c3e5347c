//! Profiles: names, what people say of themselves, user names, and links to people.

#![expect(clippy::unwrap_used, reason = "a panic in a scenario is the report of its failure")]

use whimbrel::events::{AboutChanged, EventKind, EventStream, UsernameChanged};
use whimbrel::profile::{FoundUsername, NewAbout, UsernameProblem};
use whimbrel::{CallOptions, Client, Code};
use whimbrel_sandbox::phone::Phone;
use whimbrel_scenarios::{ANNA, BEN, DEADLINE, Wait as _, World, next_kind, next_message, pn, quiet};

async fn next_about(events: &mut EventStream) -> AboutChanged {
    next_kind(events, |kind| match kind {
        EventKind::AboutChanged(changed) => Some(changed.clone()),
        _ => None,
    })
    .await
}

async fn next_username(events: &mut EventStream) -> UsernameChanged {
    next_kind(events, |kind| match kind {
        EventKind::UsernameChanged(changed) => Some(changed.clone()),
        _ => None,
    })
    .await
}

/// Anna, another device of hers, and Ben, who knows her.
async fn cast(world: &World, engine: &whimbrel::Engine) -> (Client, Client, Client, Phone) {
    let (anna, phone) = world.linked(engine, ANNA).await;
    let other = engine.open(world.store("other"), quiet()).unwrap();
    world.link(&other, ANNA).await;
    let (ben, ben_phone) = world.linked(engine, BEN).await;
    ben_phone.send_text(ANNA, "hello").await.unwrap();
    next_message(&mut anna.events().unwrap()).await;
    other.wait_online().await;
    (anna, other, ben, phone)
}

fn words(text: &str) -> NewAbout {
    let mut about = NewAbout::default();
    about.text = text.to_owned();
    about
}

#[tokio::test]
async fn what_an_account_says_of_itself_is_told_to_those_who_may_see_it() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, other, ben, _) = cast(&world, &engine).await;
    let (mut others, mut bens) = (other.events().unwrap(), ben.events().unwrap());
    anna.set_about(words("on the pond"), CallOptions::default()).await.unwrap();
    let own = anna.about(None, CallOptions::default()).await.unwrap();
    assert_eq!((own.text.as_deref(), own.changed_at.is_some()), (Some("on the pond"), true));
    let seen = ben.about(Some(&pn(ANNA)), CallOptions::default()).await.unwrap();
    assert_eq!(seen, own);
    for events in [&mut others, &mut bens] {
        let told = next_about(events).await;
        assert_eq!((told.who.phone, told.about.text.as_deref()), (Some(pn(ANNA)), Some("on the pond")));
    }
    let mut about = words("away");
    about.emoji = Some("\u{1f30a}".into());
    about.expires_in = Some(3600);
    anna.set_about(about, CallOptions::default()).await.unwrap();
    for events in [&mut others, &mut bens] {
        let told = next_about(events).await;
        assert_eq!(
            (told.about.text.as_deref(), told.about.emoji.as_deref()),
            (Some("away"), Some("\u{1f30a}"))
        );
        assert_eq!(told.about.expires_in, Some(3600));
    }
    let long = anna.set_about(words(&"x".repeat(140)), CallOptions::default()).await.unwrap_err();
    assert_eq!(long.code(), Code::InvalidArgument);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn the_name_of_an_account_is_shared_and_put_on_its_messages() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, phone) = world.linked(&engine, ANNA).await;
    let mut events = client.events().unwrap();
    let (ben, _) = world.linked(&engine, BEN).await;
    let change = client.set_push_name("Anna the Heron").await.unwrap();
    // What is written one after the other is dealt with in that order: once the second is told, the first is done.
    let next = client.pin_chat(&pn(BEN), true).await.unwrap();
    for change in [change, next] {
        let error = next_kind(&mut events, |kind| match kind {
            EventKind::StateWritten(written) if written.change == change => Some(written.error),
            _ => None,
        });
        assert_eq!(error.await, None);
    }
    phone.wait_app_state(|change| change.index == ["setting_pushName"], DEADLINE).await.unwrap();
    assert_eq!(client.account().unwrap().push_name.as_deref(), Some("Anna the Heron"));
    client.send_text(&pn(BEN), "hello", whimbrel::SendOptions::default()).await.unwrap();
    let message = next_message(&mut ben.events().unwrap()).await;
    assert_eq!(message.push_name.as_deref(), Some("Anna the Heron"));
    let empty = client.set_push_name(" ").await.unwrap_err();
    assert_eq!(empty.code(), Code::InvalidArgument);
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn people_are_found_by_user_names() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, other, ben, phone) = cast(&world, &engine).await;
    let (mut others, mut bens) = (other.events().unwrap(), ben.events().unwrap());
    let options = CallOptions::default;
    assert_eq!(anna.username(options()).await.unwrap().username, None);
    assert!(anna.check_username("anna.heron", options()).await.unwrap().available);
    anna.set_username("anna.heron", options()).await.unwrap();
    assert_eq!(anna.username(options()).await.unwrap().username.as_deref(), Some("anna.heron"));
    for events in [&mut others, &mut bens] {
        let told = next_username(events).await;
        assert_eq!((told.who.phone, told.username.as_deref()), (Some(pn(ANNA)), Some("anna.heron")));
    }
    let taken = ben.check_username("Anna.Heron", options()).await.unwrap();
    assert!(!taken.available && taken.problem.is_none() && !taken.suggestions.is_empty());
    let refused = ben.set_username("anna.heron", options()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Refused);
    let find = |key: Option<&'static str>| {
        let ben = ben.clone();
        async move { ben.find_username("anna.heron", key, CallOptions::default()).await.unwrap() }
    };
    assert!(matches!(find(None).await, FoundUsername::Found(who) if who.id == phone.lid()));
    anna.set_username_key("1234", options()).await.unwrap();
    assert_eq!(find(None).await, FoundUsername::KeyNeeded);
    assert_eq!(find(Some("9999")).await, FoundUsername::KeyNeeded);
    assert!(matches!(find(Some("1234")).await, FoundUsername::Found(_)));
    let told = ben.user_info(&[pn(ANNA)], options()).await.unwrap();
    assert_eq!(told[0].username.as_deref(), Some("anna.heron"));
    anna.delete_username(options()).await.unwrap();
    assert_eq!(next_username(&mut bens).await.username, None);
    assert_eq!(find(None).await, FoundUsername::Nobody);

    // What is no user name is not asked for.
    let wrong = ben.check_username("www.heron", options()).await.unwrap();
    assert_eq!((wrong.available, wrong.problem), (false, Some(UsernameProblem::Www)));
    for error in [
        ben.set_username("ab", options()).await.unwrap_err(),
        ben.set_username_key("12", options()).await.unwrap_err(),
        ben.find_username("ab", None, options()).await.unwrap_err(),
        ben.find_username("anna.heron", Some("x"), options()).await.unwrap_err(),
    ] {
        assert_eq!(error.code(), Code::InvalidArgument);
    }
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn links_lead_to_people_until_they_are_renewed() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, phone) = world.linked(&engine, ANNA).await;
    let (ben, _) = world.linked(&engine, BEN).await;
    let options = CallOptions::default;
    let link = anna.contact_link(false, options()).await.unwrap();
    assert_eq!(anna.contact_link(false, options()).await.unwrap(), link);
    let found = ben.resolve_contact_link(&link.link, options()).await.unwrap();
    assert_eq!(found.who.phone, Some(phone.jid()));
    let renewed = anna.contact_link(true, options()).await.unwrap();
    assert_ne!(renewed.code, link.code);
    let gone = ben.resolve_contact_link(&link.code, options()).await.unwrap_err();
    assert_eq!(gone.code(), Code::NotFound);
    let wrong = ben.resolve_contact_link("https://example.com/x y", options()).await.unwrap_err();
    assert_eq!(wrong.code(), Code::InvalidArgument);

    let code = world.sandbox.make_message_link(ANNA, "I would like a boat").unwrap();
    let found = ben.resolve_message_link(&format!("https://wa.me/message/{code}"), options()).await.unwrap();
    assert_eq!(found.text.as_deref(), Some("I would like a boat"));
    assert_eq!(found.who.phone, Some(phone.jid()));
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}
