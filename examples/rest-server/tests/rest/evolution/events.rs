use futures_util::StreamExt as _;
use serde_json::{Value, json};
use whimbrel_crypto::media::MediaType;
use whimbrel_sandbox::phone::{MediaToSend, Phone, SignKind};

use crate::support::{DEADLINE, Delivery, ROOT, Receiver, World};

async fn hook(world: &World, token: &str, receiver: &Receiver, events: &[&str], by_events: bool) {
    let form = json!({
        "enabled": true, "url": receiver.url("/in"), "webhookByEvents": by_events, "webhookBase64": false,
        "events": events,
    });
    world.epost(token, "/webhook/set/sales", &form).await.expect(201);
}

fn is(event: &'static str) -> impl Fn(&Delivery) -> bool {
    move |delivery| delivery.body["event"] == event
}

///
#[tokio::test]
async fn messages_and_their_statuses_are_posted() {
    let world = World::new().await;
    let (anna, ben) =
        (world.phone("254700112233", "Anna").await, world.phone("254712345678", "John Doe").await);
    let token = world.instance("sales", &anna).await;
    let mut receiver = Receiver::start().await;
    let names = ["MESSAGES_UPSERT", "MESSAGES_UPDATE", "CONNECTION_UPDATE", "QRCODE_UPDATED", "SEND_MESSAGE"];
    hook(&world, &token, &receiver, &names, false).await;
    let shown = world.eget(&token, "/webhook/find/sales").await.expect(200);
    assert_eq!((&shown["url"], &shown["events"]), (&json!(receiver.url("/in")), &json!(names)));

    let id = ben.send_text("254700112233", "Hello! I need help with my order.").await.unwrap();
    let delivery = receiver.until(is("messages.upsert")).await;
    assert_eq!((delivery.path.as_str(), &delivery.body["instance"]), ("/in", &json!("sales")));
    let data = &delivery.body["data"];
    assert_eq!(data["key"]["remoteJid"], "254712345678@s.whatsapp.net");
    assert_eq!((&data["key"]["fromMe"], &data["key"]["id"]), (&json!(false), &json!(id)));
    assert_eq!((&data["pushName"], &data["messageType"]), (&json!("John Doe"), &json!("conversation")));
    assert_eq!(data["message"]["conversation"], "Hello! I need help with my order.");
    assert!(data["messageTimestamp"].as_i64().unwrap() > 1_600_000_000);

    let form = json!({"number": "254712345678", "text": "on its way"});
    let sent = world.epost(&token, "/message/sendText/sales", &form).await.expect(201);
    let told = receiver.until(is("send.message")).await;
    assert_eq!(told.body["data"]["key"], sent["key"]);
    let told = receiver.until(is("messages.upsert")).await;
    assert_eq!(
        (&told.body["data"]["key"]["id"], &told.body["data"]["key"]["fromMe"]),
        (&sent["key"]["id"], &json!(true))
    );
    World::arrived(&ben, &sent["key"]["id"]).await;
    let mut statuses = Vec::new();
    ben.mark_read("254700112233", &[sent["key"]["id"].as_str().unwrap().to_owned()]).await.unwrap();
    while statuses.len() < 3 {
        let told = receiver.until(is("messages.update")).await;
        assert_eq!(told.body["data"]["keyId"], sent["key"]["id"]);
        statuses.push(told.body["data"]["status"].as_str().unwrap().to_owned());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, ["DELIVERY_ACK", "READ", "SERVER_ACK"]);

    // Sent by the phone itself.
    anna.send_text("254712345678", "from the phone").await.unwrap();
    let told = receiver.until(is("messages.upsert")).await;
    assert_eq!(
        (&told.body["data"]["key"]["fromMe"], &told.body["data"]["message"]["conversation"]),
        (&json!(true), &json!("from the phone"))
    );

    // Only what is in the list, and each at an address of its own.
    hook(&world, &token, &receiver, &["SEND_MESSAGE"], true).await;
    ben.send_text("254700112233", "not told").await.unwrap();
    world.epost(&token, "/message/sendText/sales", &form).await.expect(201);
    let told = receiver.until(is("send.message")).await;
    assert_eq!(told.path, "/in/send-message");
    let text = |delivery: &Delivery| delivery.body["data"]["message"]["conversation"].clone();
    assert!(receiver.all().iter().all(|delivery| text(delivery) != "not told"));
    world
        .epost(&token, "/webhook/set/sales", &json!({"webhook": {"enabled": false, "url": "vazio"}}))
        .await
        .expect(201);
    assert_eq!(world.eget(&token, "/webhook/find/sales").await.expect(200)["enabled"], false);
    let unknown = json!({"enabled": true, "url": receiver.url("/"), "events": ["NOTHING"]});
    assert_eq!(world.epost(&token, "/webhook/set/sales", &unknown).await.status, 400);
}

///
#[tokio::test]
async fn files_are_in_the_body_when_that_is_asked_for() {
    let world = World::new().await;
    let (anna, ben) = (world.phone("254700112233", "Anna").await, world.phone("254712345678", "Ben").await);
    let token = world.instance("sales", &anna).await;
    let mut receiver = Receiver::start().await;
    for wanted in [true, false] {
        let form = json!({"url": receiver.url("/"), "webhookBase64": wanted, "events": ["MESSAGES_UPSERT"]});
        world.epost(&token, "/webhook/set/sales", &form).await.expect(201);
        let media = document(b"some words");
        ben.send_media("254700112233", &media).await.unwrap();
        let told = receiver.until(is("messages.upsert")).await;
        let base64 = &told.body["data"]["message"]["base64"];
        assert_eq!(base64.as_str(), wanted.then_some("c29tZSB3b3Jkcw=="), "{}", told.body);
    }
}

fn document(bytes: &[u8]) -> MediaToSend {
    let (kind, mimetype) = (MediaType::Document, "text/plain".to_owned());
    MediaToSend { kind, mimetype, bytes: bytes.to_vec(), caption: None }
}

///
#[tokio::test]
async fn the_link_is_told_from_the_first_code_to_its_end() {
    let world = World::new().await;
    let anna = world.phone("254700112233", "Anna").await;
    let mut receiver = Receiver::start().await;
    let form = json!({
        "instanceName": "sales", "webhook": {"enabled": true, "url": receiver.url("/"), "events": ["CONNECTION_UPDATE", "QRCODE_UPDATED"]},
    });
    let made = world.epost(ROOT, "/instance/create", &form).await.expect(201);
    let token = made["hash"]["apikey"].as_str().unwrap().to_owned();
    let shown = world.eget(&token, "/instance/connect/sales").await.expect(200);
    let told = receiver.until(is("qrcode.updated")).await;
    assert_eq!(told.body["data"]["qrcode"]["code"], shown["code"]);
    anna.scan(shown["code"].as_str().unwrap()).await.unwrap();
    let mut words = Vec::new();
    while words.last().is_none_or(|word| word != "open") {
        let told = receiver.until(is("connection.update")).await;
        words.push(told.body["data"]["state"].as_str().unwrap().to_owned());
    }
    assert_eq!(words, ["connecting", "open"]);
    anna.unlink(anna.companions()[0]).await.unwrap();
    let told = receiver.until(is("connection.update")).await;
    assert_eq!(told.body["data"]["state"], "close");
    world.eget(&token, "/instance/connect/sales").await.expect(200);
    receiver.until(is("qrcode.updated")).await;
}

async fn two(world: &World) -> (Phone, Phone, String) {
    let (anna, ben) = (world.phone("254700112233", "Anna").await, world.phone("254712345678", "Ben").await);
    let token = world.instance("sales", &anna).await;
    (anna, ben, token)
}

///
#[tokio::test]
async fn presence_and_contacts_are_told() {
    let world = World::new().await;
    let (_anna, ben, token) = two(&world).await;
    let id = world.eget(&token, "/instance/fetchInstances").await.expect(200)[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut receiver = Receiver::start().await;
    hook(&world, &token, &receiver, &["PRESENCE_UPDATE", "CONTACTS_UPSERT", "CONTACTS_UPDATE"], false).await;
    let operation = |name: &'static str, body: Value| {
        let path = format!("/v1/accounts/{id}/operations/{name}");
        let (world, token) = (&world, &token);
        async move { world.post(token, &path, &body).await.expect(200) }
    };
    operation("set_presence", json!({"availability": "available"})).await;
    operation("watch_presence", json!({"address": "254712345678"})).await;
    ben.set_available(true).await.unwrap();
    let known = |word: &'static str| {
        move |delivery: &Delivery| {
            let presences = &delivery.body["data"]["presences"];
            presences
                .as_object()
                .is_some_and(|people| people.values().any(|one| one["lastKnownPresence"] == word))
        }
    };
    receiver.until(known("available")).await;
    ben.set_chat_state("254700112233", SignKind::Composing).await.unwrap();
    receiver.until(known("composing")).await;
    ben.set_chat_state("254700112233", SignKind::Paused).await.unwrap();
    receiver.until(known("paused")).await;
    ben.set_available(false).await.unwrap();
    receiver.until(known("unavailable")).await;
    operation("save_contact", json!({"person": "254712345678", "name": "Ben Smith"})).await;
    let named = |delivery: &Delivery| {
        delivery.body["event"] == "contacts.upsert" && delivery.body["data"][0]["pushName"] == "Ben Smith"
    };
    let told = receiver.until(named).await;
    assert_eq!(told.body["data"][0]["remoteJid"], "254712345678@s.whatsapp.net");
}

///
#[tokio::test]
async fn a_socket_tells_of_connections_at_once() {
    let world = World::new().await;
    let anna = world.phone("254700112233", "Anna").await;
    let made = world.epost(ROOT, "/instance/create", &json!({"instanceName": "sales"})).await.expect(201);
    let token = made["hash"]["apikey"].as_str().unwrap().to_owned();
    let url = world.url(&format!("/ws?apikey={token}")).replacen("http", "ws", 1);
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    let mut words = Vec::new();
    let shown = world.eget(&token, "/instance/connect/sales").await.expect(200);
    anna.scan(shown["code"].as_str().unwrap()).await.unwrap();
    while words.last().is_none_or(|word| word != "open") {
        let frame = tokio::time::timeout(DEADLINE, socket.next()).await.unwrap().unwrap().unwrap();
        let Ok(text) = frame.into_text() else { continue };
        let Ok(told) = serde_json::from_str::<Value>(&text) else { continue };
        if told["event"] == "connection.update" {
            words.push(told["data"]["state"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(words, ["close", "connecting", "open"]);
    let refused =
        tokio_tungstenite::connect_async(world.url("/ws?apikey=wrong").replacen("http", "ws", 1)).await;
    assert!(refused.is_err());
}
