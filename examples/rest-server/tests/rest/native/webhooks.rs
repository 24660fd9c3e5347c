use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{Receiver, World};

async fn hook(world: &World, key: &str, form: Value) -> String {
    world.post(key, "/v1/webhooks", &form).await.expect(201)["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn events_are_posted_signed_and_in_order() {
    let world = World::new().await;
    let (anna, ben) = (world.phone("31612345678", "Anna").await, world.phone("31687654321", "Ben").await);
    let (id, key) = world.linked("first", &anna).await;
    let mut receiver = Receiver::start().await;
    let form = json!({
        "url": receiver.url("/in"), "account": id, "events": ["message.*"], "secret": "s3cret",
        "headers": {"X-Mine": "yes"},
    });
    hook(&world, &key, form).await;
    for number in 0..5 {
        ben.send_text("31612345678", &number.to_string()).await.unwrap();
    }
    for number in 0..5 {
        let delivery = receiver.until(|delivery| delivery.body["type"] == "message.received").await;
        assert_eq!(delivery.body["data"]["text"], number.to_string());
        assert_eq!((delivery.path.as_str(), delivery.headers["x-mine"].as_str()), ("/in", "yes"));
        let signature = &delivery.headers["whimbrel-signature"];
        let (time, signed) = signature.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(b"s3cret").unwrap();
        mac.update(format!("{time}.").as_bytes());
        mac.update(&delivery.raw);
        assert_eq!(signed, hex::encode(mac.finalize().into_bytes()));
    }
}

#[tokio::test]
async fn what_could_not_be_delivered_comes_after_a_restart_and_in_order() {
    let mut world = World::new().await;
    let (anna, ben) = (world.phone("31612345678", "Anna").await, world.phone("31687654321", "Ben").await);
    let (id, key) = world.linked("first", &anna).await;
    let mut receiver = Receiver::start().await;
    receiver.answer(500);
    let form = json!({"url": receiver.url("/"), "account": id, "events": ["message.received"]});
    let webhook = hook(&world, &key, form).await;
    let mut events = world.events(&key, &id, None).await;
    for text in ["one", "two"] {
        ben.send_text("31612345678", text).await.unwrap();
        events.of("message.received").await;
    }
    receiver.next().await;
    drop(events);
    world.restart().await;
    receiver.answer(200);
    // The schedule waits for seconds: a replay does not.
    let path = format!("/v1/webhooks/{webhook}/deliveries");
    let waiting = world.get(&key, &path).await.expect(200);
    let states: Vec<_> =
        waiting["items"].as_array().unwrap().iter().map(|item| item["state"].clone()).collect();
    assert_eq!(states, [json!("pending"), json!("pending")]);
    for text in ["one", "two"] {
        let delivery = receiver.until(|delivery| delivery.body["data"]["text"] == text).await;
        assert_eq!(delivery.headers["whimbrel-event"], "message.received");
    }
}

#[tokio::test]
async fn a_receiver_that_is_gone_pauses_its_webhook_until_somebody_resumes_it() {
    let world = World::new().await;
    let (anna, ben) = (world.phone("31612345678", "Anna").await, world.phone("31687654321", "Ben").await);
    let (id, key) = world.linked("first", &anna).await;
    let mut receiver = Receiver::start().await;
    receiver.answer(410);
    let mut events = world.events(&key, &id, None).await;
    let form = json!({"url": receiver.url("/"), "account": id, "events": ["message.received"]});
    let webhook = hook(&world, &key, form).await;
    ben.send_text("31612345678", "one").await.unwrap();
    let paused = events.of("webhook.paused").await;
    assert_eq!(paused["data"], json!({"webhook": webhook, "reason": "gone"}));
    let path = format!("/v1/webhooks/{webhook}");
    assert_eq!(world.get(&key, &path).await.expect(200)["paused"], true);
    let dead = world.get(&key, &format!("{path}/deliveries?state=dead")).await.expect(200);
    assert_eq!(dead["items"][0]["lastStatus"], 410);

    receiver.answer(204);
    world.post(&key, &format!("{path}/resume"), &json!({})).await.expect(200);
    let replayed = world.post(&key, &format!("{path}/replay"), &json!({})).await.expect(202);
    assert_eq!(replayed["deliveries"], 1);
    receiver.next().await;
    assert_eq!(receiver.next().await.body["data"]["text"], "one");
}

#[tokio::test]
async fn webhooks_are_checked_when_they_are_made() {
    let world = World::new().await;
    let (id, key) = world.account("first").await;
    for form in [
        json!({"account": id}),
        json!({"url": "ftp://example.org/", "account": id}),
        json!({"url": "http://10.1.2.3/", "account": id}),
        json!({"url": "http://127.0.0.1/", "account": id, "events": ["messages.upsert"]}),
        json!({"url": "http://127.0.0.1/", "account": id, "headers": {"a b": "c"}}),
    ] {
        assert_eq!(world.post(&key, "/v1/webhooks", &form).await.expect(400)["code"], "validation", "{form}");
    }
}
