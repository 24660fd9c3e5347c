//! Calls as far as they are signalling (features document §12).

use whimbrel::events::{CallEnded, CallOffered, CallProgress, CallStep, EventKind, EventStream};
use whimbrel::privacy::{PrivacyCategory, PrivacyValue};
use whimbrel::{CallOptions, Code, Jid};
use whimbrel_sandbox::Event;
use whimbrel_scenarios::{
    ANNA, BEN, CARA, DEADLINE, Wait as _, World, go_away_with, next_kind, next_message, quiet,
};

fn call() -> CallOptions {
    CallOptions::default()
}

async fn next_offer(events: &mut EventStream) -> CallOffered {
    next_kind(events, |kind| match kind {
        EventKind::CallOffered(event) => Some(event.as_ref().clone()),
        _ => None,
    })
    .await
}

async fn next_step(events: &mut EventStream) -> CallProgress {
    next_kind(events, |kind| match kind {
        EventKind::CallProgress(event) => Some(event.clone()),
        _ => None,
    })
    .await
}

async fn next_end(events: &mut EventStream) -> CallEnded {
    next_kind(events, |kind| match kind {
        EventKind::CallEnded(event) => Some(event.as_ref().clone()),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn a_call_is_told_and_refused_on_all_devices() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let (ben, _) = world.linked(&engine, BEN).await;
    let tablet = engine.open(world.store("tablet"), quiet()).unwrap();
    world.link(&tablet, BEN).await;
    let (mut at_ben, mut at_tablet) = (ben.events().unwrap(), tablet.events().unwrap());
    let mut at_anna = anna.events().unwrap();
    let ringing = world.sandbox.call(ANNA, BEN, true).unwrap();
    let offer = next_offer(&mut at_ben).await;
    assert_eq!((offer.call_id.as_str(), offer.caller.phone.clone()), (ringing.id(), Some(Jid::pn(ANNA))));
    assert_eq!((offer.video, offer.is_group, offer.is_notice, offer.offline), (true, false, false, false));
    next_offer(&mut at_tablet).await;
    ben.reject_call(&offer.caller.id, &offer.call_id, call()).await.unwrap();
    let said = next_step(&mut at_anna).await;
    let ben_lid = ben.account().unwrap().identity.lid;
    assert_eq!((said.step, said.who.lid), (CallStep::Rejected, ben_lid));
    let elsewhere = next_end(&mut at_tablet).await;
    assert_eq!((elsewhere.reason.as_str(), elsewhere.is_elsewhere), ("rejected_elsewhere", true));
    assert!(!elsewhere.missed);
    let state = ringing.state().unwrap();
    assert_eq!((state.state.as_str(), state.answered_by.len() >= 2), ("rejected", true), "{state:?}");
    let gone = ben.reject_call(&offer.caller.id, "0000", call()).await.unwrap_err();
    assert_eq!(gone.code(), Code::NotFound);
    let nobody = ben.reject_call(&Jid::group("1"), "0000", call()).await.unwrap_err();
    assert_eq!(nobody.code(), Code::InvalidArgument);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn calls_are_missed_taken_elsewhere_and_ended() {
    let world = World::start().await;
    let engine = world.engine();
    world.sandbox.phone(ANNA).await.unwrap();
    let (ben, _) = world.linked(&engine, BEN).await;
    let mut events = ben.events().unwrap();
    let missed = world.sandbox.call(ANNA, BEN, false).unwrap();
    assert!(!next_offer(&mut events).await.video);
    missed.give_up();
    let end = next_end(&mut events).await;
    assert_eq!((end.call_id.as_str(), end.reason.as_str()), (missed.id(), "timeout"));
    assert_eq!((end.missed, end.is_elsewhere, end.duration_ms), (true, false, None));
    let taken = world.sandbox.call(ANNA, BEN, false).unwrap();
    next_offer(&mut events).await;
    taken.accept();
    let end = next_end(&mut events).await;
    assert_eq!((end.reason.as_str(), end.missed), ("accepted_elsewhere", false));
    taken.hang_up();
    let end = next_end(&mut events).await;
    assert_eq!((end.missed, end.duration_ms), (false, Some(4_200)));
    // What came while nobody was there is told, and is not to be rung for.
    go_away_with(&ben, &mut events).await;
    world.wait(|event| matches!(event, Event::Disconnected { .. })).await;
    let late = world.sandbox.call(ANNA, BEN, true).unwrap();
    late.give_up();
    ben.wait_online().await;
    let offer = next_offer(&mut events).await;
    assert_eq!((offer.call_id.as_str(), offer.offline), (late.id(), true));
    let end = next_end(&mut events).await;
    assert!(end.offline && end.missed);
    // Everything was acknowledged: nothing comes again.
    go_away_with(&ben, &mut events).await;
    ben.wait_online().await;
    let again = world.sandbox.call(ANNA, BEN, false).unwrap();
    assert_eq!(next_offer(&mut events).await.call_id, again.id());
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn strangers_do_not_ring_where_they_are_not_wanted_and_the_blocked_nowhere() {
    let world = World::start().await;
    let engine = world.engine();
    let anna = world.sandbox.phone(ANNA).await.unwrap();
    world.sandbox.phone(CARA).await.unwrap();
    let (ben, _) = world.linked(&engine, BEN).await;
    let mut events = ben.events().unwrap();
    anna.send_text(BEN, "hello").await.unwrap();
    next_message(&mut events).await;
    ben.set_privacy(PrivacyCategory::Calls, PrivacyValue::Known, call()).await.unwrap();
    let strange = world.sandbox.call(CARA, BEN, true).unwrap();
    let told = next_offer(&mut events).await;
    assert_eq!((told.call_id.as_str(), told.is_notice, told.video), (strange.id(), true, true));
    let known = world.sandbox.call(ANNA, BEN, false).unwrap();
    let told = next_offer(&mut events).await;
    assert_eq!((told.call_id.as_str(), told.is_notice), (known.id(), false));
    ben.block(&Jid::pn(CARA), call()).await.unwrap();
    assert!(world.sandbox.call(CARA, BEN, false).is_none());
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn links_to_calls_are_made_and_looked_up() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let (ben, _) = world.linked(&engine, BEN).await;
    let link = anna.create_call_link(true, Some(1_900_000_000), call()).await.unwrap();
    assert!(link.video && link.url.starts_with("https://call.whatsapp.com/video/"));
    let preview = ben.preview_call_link(&link.url, call()).await.unwrap();
    assert_eq!((preview.link.clone(), preview.is_admin), (link.clone(), false));
    assert_eq!(preview.creator.and_then(|who| who.lid), anna.account().unwrap().identity.lid);
    assert!(anna.preview_call_link(&link.url, call()).await.unwrap().is_admin);
    let voice = link.url.replace("/video/", "/voice/");
    assert_eq!(ben.preview_call_link(&voice, call()).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(ben.preview_call_link("x", call()).await.unwrap_err().code(), Code::InvalidArgument);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}
