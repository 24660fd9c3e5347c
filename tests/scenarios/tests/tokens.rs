//! Tokens of trust: given after a message, kept, shown, and what they get past.

use whimbrel::appstate::{Action, StateCollection};
use whimbrel::events::EventKind;
use whimbrel::pictures::{FoundPicture, PictureOptions, PictureSize};
use whimbrel::{Availability, CallOptions, Client, Code, Error, SendOptions, SentMessage};
use whimbrel_proto::sync_action::sync_action_value::NctSaltSyncAction;
use whimbrel_sandbox::{Event, Restriction};
use whimbrel_scenarios::{ANNA, BEN, CARA, DEADLINE, Wait as _, World, next_kind, next_message, pn, quiet};

/// A week, in seconds: a bucket.
const WEEK: u64 = 604_800;

async fn send(client: &Client, to: &str, text: &str) -> Result<SentMessage, Error> {
    client.send_text(&pn(to), text, SendOptions::default()).await
}

fn given(world: &World, by: &'static str, to: &'static str) -> usize {
    world.count(
        move |event| matches!(event, Event::TokenGiven { from, to: whom, .. } if from == by && whom == to),
    )
}

async fn wait_given(world: &World, by: &'static str) {
    world.wait(move |event| matches!(event, Event::TokenGiven { from, .. } if from == by)).await;
}

#[tokio::test]
async fn who_is_written_to_gets_a_token_once_also_over_a_restart() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let ben = world.sandbox.phone(BEN).await.unwrap();
    send(&client, BEN, "first").await.unwrap();
    wait_given(&world, ANNA).await;
    send(&client, BEN, "second").await.unwrap();
    client.close(DEADLINE).await.unwrap();
    let client = engine.open(world.store(ANNA), quiet()).unwrap();
    client.wait_online().await;
    send(&client, BEN, "third").await.unwrap();
    // The token for somebody else comes after what would have been one for him.
    world.sandbox.phone(CARA).await.unwrap();
    send(&client, CARA, "hello").await.unwrap();
    world.wait(|event| matches!(event, Event::TokenGiven { to, .. } if to == CARA)).await;
    assert_eq!(given(&world, ANNA, BEN), 1);
    // His new keys make what he has void: he gets it again, as of the time when it was given.
    world.sandbox.reinstall(&ben).await.unwrap();
    world.wait(|event| matches!(event, Event::TokenGiven { to, .. } if to == BEN)).await;
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_token_gets_a_message_past_a_restriction_and_survives_a_restart() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    world.sandbox.phone(BEN).await.unwrap();
    assert!(world.sandbox.restrict(ANNA, Restriction::TokensOnly, None, false));
    let refused = send(&client, BEN, "first").await.unwrap_err();
    assert_eq!((refused.code(), refused.service_status()), (Code::Restricted, 463));
    // He is given one all the same, so that he can answer.
    wait_given(&world, ANNA).await;

    assert!(world.sandbox.give_token(BEN, ANNA, None));
    client.close(DEADLINE).await.unwrap();
    let client = engine.open(world.store(ANNA), quiet()).unwrap();
    client.wait_online().await;
    send(&client, BEN, "second").await.unwrap();
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn old_tokens_are_not_shown_and_the_newest_counts() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let mut events = client.events().unwrap();
    let ben = world.sandbox.phone(BEN).await.unwrap();
    assert!(world.sandbox.restrict(ANNA, Restriction::TokensOnly, None, false));
    let now = world.sandbox.clock().now();
    // Good for three weeks and what is left of the present one.
    assert!(world.sandbox.give_token(BEN, ANNA, Some(now - 5 * WEEK)));
    ben.send_text(ANNA, "after the token").await.unwrap();
    next_message(&mut events).await;
    assert_eq!(send(&client, BEN, "first").await.unwrap_err().service_status(), 463);
    assert!(world.sandbox.give_token(BEN, ANNA, Some(now - 2 * WEEK)));
    ben.send_text(ANNA, "after the next").await.unwrap();
    next_message(&mut events).await;
    send(&client, BEN, "second").await.unwrap();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_service_that_wants_no_tokens_gets_none() {
    let world = World::start().await;
    world.sandbox.set_property(10518, "0");
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let mut events = client.events().unwrap();
    let ben = world.sandbox.phone(BEN).await.unwrap();
    assert!(world.sandbox.restrict(ANNA, Restriction::TokensOnly, None, false));
    assert!(world.sandbox.give_token(BEN, ANNA, None));
    ben.send_text(ANNA, "after the token").await.unwrap();
    next_message(&mut events).await;
    assert_eq!(send(&client, BEN, "first").await.unwrap_err().service_status(), 463);
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn strangers_are_written_to_with_a_token_of_the_salt_where_the_service_wants_it() {
    let world = World::start().await;
    world.sandbox.set_property(24941, "1");
    let engine = world.engine();
    let (client, phone) = world.linked(&engine, ANNA).await;
    let mut events = client.events().unwrap();
    world.sandbox.phone(BEN).await.unwrap();
    // What is there at first is read in one go.
    next_kind(&mut events, |kind| match kind {
        EventKind::StateSynced(synced) => (synced.collection == StateCollection::RegularHigh).then_some(()),
        _ => None,
    })
    .await;
    let salt = vec![7; 32];
    assert!(world.sandbox.set_nct_salt(ANNA, &salt));
    let value = Box::new(NctSaltSyncAction { salt: Some(salt) });
    phone.set_app_state(&[Action::NctSalt { value }]).await.unwrap();
    next_kind(&mut events, |kind| matches!(kind, EventKind::StateChanged(_)).then_some(())).await;
    assert!(world.sandbox.restrict(ANNA, Restriction::TokensOnly, None, false));
    send(&client, BEN, "first").await.unwrap();
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn presences_and_pictures_are_shown_to_who_shows_a_token() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let mut events = client.events().unwrap();
    let ben = world.sandbox.phone(BEN).await.unwrap();
    ben.set_available(true).await.unwrap();
    assert!(world.sandbox.restrict(ANNA, Restriction::TokensOnly, None, false));
    let picture =
        || async { client.picture(&pn(BEN), PictureSize::Preview, PictureOptions::default()).await.unwrap() };
    assert_eq!(picture().await, FoundPicture::Hidden);
    client.set_presence(Availability::Available, CallOptions::default()).await.unwrap();
    client.watch_presence(&pn(BEN), CallOptions::default()).await.unwrap();
    assert!(world.sandbox.give_token(BEN, ANNA, None));
    ben.send_text(ANNA, "after the token").await.unwrap();
    // Nothing of him was told before.
    let before = next_kind(&mut events, |kind| match kind {
        EventKind::Presence(_) => Some(true),
        EventKind::Message(_) => Some(false),
        _ => None,
    });
    assert!(!before.await);
    assert_eq!(picture().await, FoundPicture::None);
    client.watch_presence(&pn(BEN), CallOptions::default()).await.unwrap();
    let shown = next_kind(&mut events, |kind| match kind {
        EventKind::Presence(presence) => Some(presence.available),
        _ => None,
    });
    assert!(shown.await);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}
