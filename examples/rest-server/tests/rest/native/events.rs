use serde_json::json;

use crate::support::{ROOT, World};

#[tokio::test]
async fn a_stream_goes_on_where_another_ended() {
    let world = World::new().await;
    let (anna, ben) = (world.phone("31612345678", "Anna").await, world.phone("31687654321", "Ben").await);
    let (id, key) = world.linked("first", &anna).await;
    let mut events = world.events(&key, &id, None).await;
    ben.send_text("31612345678", "one").await.unwrap();
    let one = events.of("message.received").await;
    drop(events);
    for text in ["two", "three"] {
        ben.send_text("31612345678", text).await.unwrap();
    }
    let mut events = world.events(&key, &id, one["id"].as_str()).await;
    for text in ["two", "three"] {
        assert_eq!(events.of("message.received").await["data"]["text"], text);
    }
    let log =
        world.get(&key, &format!("/v1/accounts/{id}/events/log?types=message.received")).await.expect(200);
    let texts: Vec<_> =
        log["items"].as_array().unwrap().iter().map(|event| event["data"]["text"].clone()).collect();
    assert_eq!(texts, [json!("one"), json!("two"), json!("three")]);
    assert_eq!(world.get(&key, &format!("/v1/accounts/{id}/events/log?types=messages")).await.status, 400);
    assert_eq!(world.get(ROOT, "/v1/events?types=nothing.*").await.status, 400);
}
