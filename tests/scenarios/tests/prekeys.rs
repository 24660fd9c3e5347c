//! Prekeys over the life of a link: rotation, comparison, refill, loss.

#![expect(clippy::unwrap_used, reason = "a panic in a scenario is the report of its failure")]

use std::time::Duration;

use whimbrel::{Client, Engine, SendOptions};
use whimbrel_sandbox::phone::Phone;
use whimbrel_sandbox::{DeviceState, Event, Fault, FaultRule, StanzaMatch};
use whimbrel_scenarios::{BEN, DEADLINE, NUMBER, Wait as _, World, device_label, next_message, quiet};
use whimbrel_wire::{Jid, Node};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn rotation() -> StanzaMatch {
    StanzaMatch::request("encrypt").child("rotate")
}

fn keys(world: &World, client: &Client) -> DeviceState {
    let label = device_label(client, NUMBER);
    world.sandbox.state().devices.into_iter().find(|device| device.device == label).unwrap()
}

async fn reconnect(client: &Client) {
    client.disconnect();
    client.wait_online().await;
}

async fn linked(world: &World) -> (Engine, Client, Phone) {
    let engine = world.engine();
    let (client, phone) = world.linked(&engine, NUMBER).await;
    (engine, client, phone)
}

async fn rotated(world: &World, id: u32) {
    world.wait(|event| matches!(event, Event::SignedPrekeyRotated { id: new, .. } if *new == id)).await;
}

#[tokio::test]
async fn the_signed_prekey_changes_after_27_days_and_the_old_one_still_opens_messages() {
    let world = World::start().await;
    let (engine, client, phone) = linked(&world).await;
    let mut events = client.events().unwrap();
    reconnect(&client).await;
    assert_eq!(keys(&world, &client).signed_prekey, 1);
    client.disconnect();
    let label = device_label(&client, NUMBER);
    world.wait(|event| matches!(event, Event::Disconnected { device } if *device == label)).await;
    // Built on the first key, delivered when the second is there.
    let friend = world.sandbox.phone(BEN).await.unwrap();
    friend.send_text(&phone.jid().to_string(), "written long ago").await.unwrap();
    world.sandbox.clock().advance(28 * DAY);
    client.wait_online().await;
    rotated(&world, 2).await;
    assert_eq!(next_message(&mut events).await.text.as_deref(), Some("written long ago"));
    // Not again before the time has come, and then with the next id.
    reconnect(&client).await;
    assert_eq!(keys(&world, &client).signed_prekey, 2);
    world.sandbox.clock().advance(28 * DAY);
    reconnect(&client).await;
    rotated(&world, 3).await;
    // Somebody new builds on the third.
    let other = world.sandbox.phone("31687650000").await.unwrap();
    other.send_text(&phone.jid().to_string(), "written today").await.unwrap();
    assert_eq!(next_message(&mut events).await.text.as_deref(), Some("written today"));
    assert_eq!(keys(&world, &client).reused_prekeys, 0);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_rotation_whose_result_is_lost_is_repeated_with_the_same_key() {
    let world = World::start().await;
    let (engine, client, _) = linked(&world).await;
    world.sandbox.clock().advance(28 * DAY);
    world.sandbox.add_fault(FaultRule::new(Fault::CutBeforeAnswer).stanza(rotation()));
    client.disconnect();
    client.wait_online().await;
    let twice = |count: &mut u32, event: &Event| {
        *count += u32::from(matches!(event, Event::SignedPrekeyRotated { id: 2, .. }));
        *count == 2
    };
    let mut count = 0;
    world.wait(|event| twice(&mut count, event)).await;
    let keys = keys(&world, &client);
    assert_eq!((keys.signed_prekey, keys.reused_prekeys), (2, 0));
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_key_that_the_service_does_not_take_is_never_offered_under_its_id_again() {
    let world = World::start().await;
    let (engine, client, _) = linked(&world).await;
    world.sandbox.clock().advance(28 * DAY);
    let refusal = Fault::Refuse { code: 406, text: None, backoff: None };
    world.sandbox.add_fault(FaultRule::new(refusal).stanza(rotation()));
    reconnect(&client).await;
    world.wait(|event| matches!(event, Event::FaultApplied { .. })).await;
    // The answers to texts come behind the refusal, so the client has heard of it then.
    let friend = world.sandbox.phone(BEN).await.unwrap();
    for _ in 0..2 {
        client.send_text(&friend.jid(), "meanwhile", SendOptions::default()).await.unwrap();
    }
    // The next login tries with another key.
    reconnect(&client).await;
    rotated(&world, 3).await;
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn lost_keys_are_noticed_at_login_and_refilled() {
    let world = World::start().await;
    let (engine, client, phone) = linked(&world).await;
    let label = device_label(&client, NUMBER);
    for keep in [0, 4] {
        assert!(world.sandbox.lose_prekeys(&label, keep));
        let before = world.sandbox.events().newest();
        reconnect(&client).await;
        let uploaded =
            |event: &Event| matches!(event, Event::PrekeysUploaded { device, .. } if *device == label);
        world.sandbox.events().wait_for_after(before, uploaded, DEADLINE).await.unwrap();
    }
    // While there is none, a session is begun without one.
    let mut events = client.events().unwrap();
    world.sandbox.add_fault(FaultRule::new(Fault::NoOneTimeKey).device(label.clone()));
    let friend = world.sandbox.phone(BEN).await.unwrap();
    friend.send_text(&phone.jid().to_string(), "without").await.unwrap();
    assert_eq!(next_message(&mut events).await.text.as_deref(), Some("without"));
    assert_eq!(keys(&world, &client).reused_prekeys, 0);
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn keys_that_the_service_does_not_take_are_compared_and_repaired() {
    let world = World::start().await;
    let (engine, client, _) = linked(&world).await;
    let label = device_label(&client, NUMBER);
    assert!(world.sandbox.lose_prekeys(&label, 0));
    let upload = StanzaMatch::request("encrypt").kind("set").child("registration");
    let refusal = Fault::Refuse { code: 406, text: None, backoff: None };
    world.sandbox.add_fault(FaultRule::new(refusal).device(label.clone()).stanza(upload));
    let before = world.sandbox.events().newest();
    reconnect(&client).await;
    let uploaded = |event: &Event| matches!(event, Event::PrekeysUploaded { device, .. } if *device == label);
    world.sandbox.events().wait_for_after(before, uploaded, DEADLINE).await.unwrap();
    assert!(keys(&world, &client).prekeys > 0);
    assert_eq!(keys(&world, &client).reused_prekeys, 0);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_service_that_holds_other_keys_gets_new_ones_once() {
    let world = World::start().await;
    let (engine, client, _) = linked(&world).await;
    let label = device_label(&client, NUMBER);
    engine.close(DEADLINE).await.unwrap();
    assert!(world.sandbox.damage_prekey(&label));

    // The first login of a process compares.
    let engine = world.engine();
    let client = engine.open(world.store(NUMBER), quiet()).unwrap();
    let before = world.sandbox.events().newest();
    client.wait_online().await;
    let uploaded = |event: &Event| matches!(event, Event::PrekeysUploaded { device, .. } if *device == label);
    world.sandbox.events().wait_for_after(before, uploaded, DEADLINE).await.unwrap();
    let held = keys(&world, &client).prekeys;
    // The count follows the service's answer.
    let deadline = std::time::Instant::now() + DEADLINE;
    while client.statistics().await.prekeys_replaced == 0 {
        assert!(std::time::Instant::now() < deadline, "the repair is not counted");
        tokio::task::yield_now().await;
    }

    // So does a demand of the service; what still differs does not lead to one batch after the other.
    let asked = StanzaMatch::request("encrypt").child("digest");
    world.sandbox.add_fault(FaultRule::new(Fault::RepeatAnswer).stanza(asked));
    let demand = Node::new("notification")
        .attr("type", "encrypt")
        .attr("from", Jid::SERVER)
        .attr("id", "77001")
        .child(Node::new("digest"));
    assert!(world.sandbox.inject(&label, demand));
    world.wait(|event| matches!(event, Event::FaultApplied { .. })).await;
    reconnect(&client).await;
    // The own phone may have taken one meanwhile; a batch would show.
    assert!(keys(&world, &client).prekeys <= held);
    assert_eq!(client.statistics().await.prekeys_replaced, 1);
    assert_eq!(keys(&world, &client).reused_prekeys, 0);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}
