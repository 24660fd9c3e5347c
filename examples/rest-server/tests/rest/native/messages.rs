use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{DEADLINE, Json as _, PIXEL, World};

#[tokio::test]
async fn a_text_goes_out_and_its_fate_is_told() {
    let world = World::new().await;
    let (anna, ben) = (world.phone("31612345678", "Anna").await, world.phone("31687654321", "Ben").await);
    let (id, key) = world.linked("first", &anna).await;
    let mut events = world.events(&key, &id, None).await;
    let path = format!("/v1/accounts/{id}/messages");
    let form = json!({"to": "+31 6 87654321", "text": "hello"});
    let sent = world.post(&key, &path, &form).await.expect(202);
    assert_eq!(sent["to"]["phone"], "31687654321@s.whatsapp.net");
    let arrived = ben.next_message(DEADLINE).await.unwrap();
    assert_eq!((arrived.text.as_str(), &json!(arrived.id)), ("hello", &sent["id"]));
    let told = events.of("message.sent").await;
    assert_eq!((&told["data"]["text"], &told["data"]["viaApi"]), (&json!("hello"), &json!(true)));
    events.until("message.status", |event| event["data"]["kind"] == "send_status").await;
    events.until("message.status", |event| event["data"]["receipt"] == "delivered").await;

    let waited = world.post(&key, &format!("{path}?wait=ack"), &form).await.expect(201);
    assert_eq!(waited["status"], "sent");
    let page = world.get(&key, &format!("{path}?chat=31687654321&limit=1")).await.expect(200);
    assert_eq!(page["items"][0]["messageId"], waited["id"]);
    let one = world.get(&key, &format!("{path}/{}", waited["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(one["text"], "hello");
    world.assert_clean();
}

#[tokio::test]
async fn a_message_that_comes_is_told_with_its_sender() {
    let world = World::new().await;
    let (anna, ben) = (world.phone("31612345678", "Anna").await, world.phone("31687654321", "Ben").await);
    let (id, key) = world.linked("first", &anna).await;
    let mut events = world.events(&key, &id, None).await;
    ben.send_text("31612345678", "good morning").await.unwrap();
    let told = events.of("message.received").await;
    assert_eq!(told["account"], json!(id));
    let data = &told["data"];
    assert_eq!((&data["text"], &data["pushName"]), (&json!("good morning"), &json!("Ben")));
    assert_eq!(data["sender"]["phone"], "31687654321@s.whatsapp.net");
}

#[tokio::test]
async fn a_picture_is_sent_from_base64_and_from_an_upload() {
    let world = World::new().await;
    let (anna, ben) = (world.phone("31612345678", "Anna").await, world.phone("31687654321", "Ben").await);
    let (id, key) = world.linked("first", &anna).await;
    let path = format!("/v1/accounts/{id}/messages");
    let form = json!({
        "to": "31687654321",
        "content": {"type": "image", "caption": "a dot"},
        "file": {"base64": PIXEL},
    });
    let sent = world.post(&key, &path, &form).await.expect(202);
    let opened = ben.wait_media(sent["id"].as_str().unwrap(), DEADLINE).await.unwrap();
    assert_eq!(&opened.bytes[..4], b"\x89PNG");

    let request = world.request(Method::POST, &format!("/v1/accounts/{id}/media")).bearer_auth(&key);
    let request = request.header("Content-Type", "text/plain").body("some words");
    let kept: Value = World::send(request).await.expect(201);
    let form = json!({
        "to": "31687654321",
        "content": {"type": "document"},
        "file": {"media": kept["id"], "name": "words.txt"},
    });
    let sent = world.post(&key, &path, &form).await.expect(202);
    let opened = ben.wait_media(sent["id"].as_str().unwrap(), DEADLINE).await.unwrap();
    assert_eq!(opened.bytes, b"some words");
    world.assert_clean();
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_before_anything_is_kept() {
    let world = World::new().await;
    let anna = world.phone("31612345678", "Anna").await;
    let (id, key) = world.account("first").await;
    let path = format!("/v1/accounts/{id}/messages");
    let text = json!({"to": "31687654321", "text": "x"});
    assert_eq!(world.post(&key, &path, &text).await.expect(409)["code"], "not_linked");
    world.link(&id, &key, &anna).await;
    assert_eq!(world.post(&key, &path, &text).await.expect(400)["code"], "recipient_not_on_whatsapp");
    let local = json!({"to": "31612345678", "content": {"type": "image", "media": {"path": "/etc/passwd"}}});
    assert_eq!(world.post(&key, &path, &local).await.expect(400)["code"], "validation");
    let private = json!({
        "to": "31612345678", "content": {"type": "image"}, "file": {"url": "http://10.0.0.1/x.png"},
    });
    assert_eq!(world.post(&key, &path, &private).await.expect(400)["code"], "validation");
    let wrong = world.post(&key, &path, &json!({"to": 7, "txt": "x"})).await.expect(400);
    assert_eq!(wrong["errors"].as_array().unwrap().len(), 2, "{wrong}");
}

#[tokio::test]
async fn a_repeated_request_sends_no_second_message() {
    let world = World::new().await;
    let (anna, ben) = (world.phone("31612345678", "Anna").await, world.phone("31687654321", "Ben").await);
    let (id, key) = world.linked("first", &anna).await;
    let path = format!("/v1/accounts/{id}/messages");
    let post = |text: &str| {
        let request =
            world.request(Method::POST, &path).bearer_auth(&key).header("Idempotency-Key", "order-7");
        World::send(request.json(&json!({"to": "31687654321", "text": text})))
    };
    let first = post("once").await;
    let again = post("once").await;
    assert_eq!((again.status, again.json()), (first.status, first.json()));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(post("other").await.expect(409)["code"], "idempotency_conflict");
    assert_eq!(ben.next_message(DEADLINE).await.unwrap().text, "once");
    // Whatever was sent twice would be before this one.
    world.post(&key, &path, &json!({"to": "31687654321", "text": "after"})).await.expect(202);
    assert_eq!(ben.next_message(DEADLINE).await.unwrap().text, "after");
}
