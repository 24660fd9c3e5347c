//! The form with one id per number.

use serde_json::{Value, json};

use crate::support::{ROOT, Receiver, World};

/// Covers C-003, C-008 to C-012, C-014 to C-024, C-026 to C-030.
#[tokio::test]
async fn a_number_is_connected_polled_and_forwards_what_comes() {
    let world = World::new().await;
    let (anna, ben) = (world.phone("254700112233", "Anna").await, world.phone("254712345678", "Ben").await);
    let made = world
        .epost(ROOT, "/instance/create", &json!({"instanceName": "num-1", "profile": "flow"}))
        .await
        .expect(201);
    let key = made["hash"].as_str().unwrap().to_owned();
    let mut receiver = Receiver::start().await;
    world.epost(&key, "/webhook/set/num-1", &json!({"url": receiver.url("/hook")})).await.expect(201);
    let shown = world.eget(&key, "/instance/getQR/num-1").await.expect(200);
    assert_eq!(shown["qr"], shown["base64"]);
    assert!(shown["qr"].as_str().unwrap().starts_with("data:image/png;base64,"));
    let event =
        |name: &'static str| move |delivery: &crate::support::Delivery| delivery.body["event"] == name;
    let told = receiver.until(event("qrcode.updated")).await;
    assert_eq!(told.body["data"]["qrcode"]["code"], shown["code"]);
    anna.scan(shown["code"].as_str().unwrap()).await.unwrap();
    let open = |delivery: &crate::support::Delivery| delivery.body["data"]["state"] == "open";
    receiver.until(open).await;
    let state = world.eget(&key, "/instance/connectionState/num-1").await.expect(200);
    assert_eq!(state["instance"]["state"], "open");

    ben.send_text("254700112233", "it's me, Ben!").await.unwrap();
    let delivery = receiver.until(event("messages.upsert")).await;
    let body = &delivery.body;
    assert_eq!(body["instance"], "num-1");
    assert_eq!(body["data"]["key"]["remoteJid"], "254712345678@s.whatsapp.net");
    assert_eq!(
        (&body["data"]["key"]["fromMe"], body["data"]["key"]["id"].is_string()),
        (&json!(false), true)
    );
    assert_eq!(body["data"]["message"]["conversation"], "it's me, Ben!");
    assert!(body["data"]["messageTimestamp"].as_str().unwrap().parse::<i64>().unwrap() > 1_600_000_000);
    let stamp = body["timestamp"].as_str().unwrap();
    assert!(stamp.len() == 24 && stamp.ends_with('Z') && stamp.as_bytes()[19] == b'.', "{stamp}");

    world.sandbox().disconnect(&format!("254700112233:{}", anna.companions()[0]));
    receiver.until(|delivery| delivery.body["data"]["state"] == "connecting").await;
    receiver.until(open).await;
    anna.unlink(anna.companions()[0]).await.unwrap();
    receiver.until(|delivery| delivery.body["data"]["state"] == "close").await;
    let again = world.eget(&key, "/instance/getQR/num-1").await.expect(200);
    receiver.until(event("qrcode.updated")).await;
    anna.scan(again["code"].as_str().unwrap()).await.unwrap();
    receiver.until(open).await;
    assert_eq!(world.eget(&key, "/instance/connectionState/num-1").await.status, 200, "the key is the same");
    assert_eq!(world.epost(&key, "/instance/create", &json!({"instanceName": "x"})).await.status, 403);
}

/// The sender without the suffix, as flows compute it.
fn number_of(body: &Value) -> String {
    body["data"]["key"]["remoteJid"].as_str().unwrap().replace("@s.whatsapp.net", "")
}

/// Covers C-025, C-033 to C-039, C-042 to C-044.
#[tokio::test]
async fn a_chatbot_of_three_nodes_answers_people_and_groups_and_never_itself() {
    let world = World::new().await;
    let (anna, ben) = (world.phone("254700112233", "Anna").await, world.phone("254712345678", "Ben").await);
    let key = world.instance_as("num-1", &anna, "flow").await;
    let mut receiver = Receiver::start().await;
    world.epost(&key, "/webhook/set/num-1", &json!({"url": receiver.url("/")})).await.expect(201);
    let upsert = |delivery: &crate::support::Delivery| delivery.body["event"] == "messages.upsert";
    let group = json!({"subject": "Team", "participants": ["254712345678"]});
    let group =
        world.epost(&key, "/group/create/num-1", &group).await.expect(201)["id"].as_str().unwrap().to_owned();

    ben.send_text("254700112233", "hello").await.unwrap();
    ben.send_text(&group, "hello all").await.unwrap();
    // What is said in two chats comes in any order.
    let mut answered = Vec::new();
    for _ in 0..2 {
        let told = receiver.until(upsert).await;
        let text = told.body["data"]["message"]["conversation"].as_str().unwrap().to_owned();
        let reply = json!({"number": number_of(&told.body), "text": format!("you said: it's '{text}'.")});
        let sent = world.epost(&key, "/message/sendText/num-1", &reply).await.expect(201);
        let arrived = World::arrived(&ben, &sent["key"]["id"]).await;
        assert_eq!(
            (arrived.text, arrived.chat == group),
            (format!("you said: it's '{text}'."), text == "hello all")
        );
        answered.push(text);
    }
    answered.sort_unstable();
    assert_eq!(answered, ["hello", "hello all"]);
    // Replies and links are texts too.
    let quoting = whimbrel_proto::e2e::Message {
        extended_text_message: Some(Box::new(whimbrel_proto::e2e::message::ExtendedTextMessage {
            text: Some("see https://example.org".to_owned()),
            ..Default::default()
        })),
        ..Default::default()
    };
    ben.send_raw("254700112233", whimbrel_proto::encode(&quoting)).await.unwrap();
    let told = receiver.until(upsert).await;
    assert_eq!(told.body["data"]["message"]["conversation"], "see https://example.org");
    // Nothing of what the bot sent came back to it.
    let own = receiver.all().iter().filter(|delivery| delivery.body["data"]["key"]["fromMe"] == true).count();
    assert_eq!(own, 0);
    anna.send_text("254712345678", "by hand").await.unwrap();
    let told = receiver.until(upsert).await;
    assert_eq!(told.body["data"]["key"]["fromMe"], true);
    let id =
        world.eget(&key, "/instance/fetchInstances").await.expect(200)[0]["id"].as_str().unwrap().to_owned();
    world
        .patch(&key, &format!("/v1/accounts/{id}"), &json!({"settings": {"echoApiSends": true}}))
        .await
        .expect(200);
    world
        .epost(&key, "/message/sendText/num-1", &json!({"number": "254712345678", "text": "echoed"}))
        .await
        .expect(201);
    let told = receiver.until(upsert).await;
    assert_eq!(told.body["data"]["message"]["conversation"], "echoed");
}

/// Covers, C-045, C-047 to C-049, C-051.
#[test]
fn the_advice_is_written_down() {
    let advice = include_str!("../../../WHATSAPP_BEST_PRACTICES.md");
    for words in [
        "1000 to 3000 ms",
        "1 to 2 seconds",
        "250 messages a day",
        "10 to 20",
        "unsolicited",
        "number of its own",
        "checkNumbers",
        "history",
    ] {
        assert!(advice.contains(words), "{words}");
    }
}
