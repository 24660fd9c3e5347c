use reqwest::Method;
use serde_json::json;

use crate::support::{ROOT, World};

///
#[tokio::test]
async fn the_whole_flow_of_the_quick_start_works_as_printed() {
    let world = World::new().await;
    let (anna, ben) = (world.phone("254700112233", "Anna").await, world.phone("254712345678", "Ben").await);
    let form = json!({"instanceName": "test-instance", "integration": "WHATSAPP-BAILEYS", "qrcode": true});
    let made = world.epost(ROOT, "/instance/create", &form).await.expect(201);
    let token = made["hash"]["apikey"].as_str().unwrap().to_owned();
    assert_ne!(token, ROOT);
    assert_eq!(made["instance"]["instanceName"], "test-instance");
    assert!(made["qrcode"]["base64"].as_str().unwrap().starts_with("data:image/png;base64,"));
    let state = || world.eget(ROOT, "/instance/connectionState/test-instance");
    let waiting = state().await.expect(200);
    assert_eq!((&waiting["status"], &waiting["instance"]["state"]), (&json!("close"), &json!("close")));

    let id = made["instance"]["instanceId"].as_str().unwrap();
    let mut events = world.events(&token, id, None).await;
    anna.scan(made["qrcode"]["code"].as_str().unwrap()).await.unwrap();
    let pairing = events.until("account.state", |event| event["data"]["state"] == "pairing").await;
    assert_eq!(pairing["data"]["reason"], json!(null));
    events.until("account.state", |event| event["data"]["state"] == "online").await;
    let open = state().await.expect(200);
    assert_eq!((&open["status"], &open["instance"]["status"]), (&json!("open"), &json!("open")));

    let hook = json!({"enabled": true, "url": "http://127.0.0.1:9/in", "events": ["MESSAGES_UPSERT"]});
    world.epost(&token, "/webhook/set/test-instance", &hook).await.expect(201);
    let form = json!({"number": "254712345678", "text": "Hello!", "delay": 1500});
    let asked = std::time::Instant::now();
    world.epost(&token, "/message/sendText/test-instance", &form).await.expect(201);
    let arrived = ben.next_message(crate::support::DEADLINE).await.unwrap();
    assert_eq!(arrived.text, "Hello!");
    assert!(asked.elapsed() >= std::time::Duration::from_millis(1500), "it leaves no earlier than told");

    // One company has several instances; a token opens its own only.
    let example = json!({
        "instanceName": "mycompany-sales", "integration": "WHATSAPP-BAILEYS", "qrcode": true, "number": "",
        "token": "optional-custom-token",
    });
    let second = world.epost(ROOT, "/instance/create", &example).await.expect(201);
    assert_eq!(second["hash"]["apikey"], "optional-custom-token");
    assert_eq!(world.eget(&token, "/instance/connectionState/mycompany-sales").await.status, 404);
    assert_eq!(
        world.eget("optional-custom-token", "/instance/connectionState/mycompany-sales").await.status,
        200
    );
    world.assert_clean();
}

///
#[tokio::test]
async fn instances_are_listed_restarted_logged_out_and_deleted() {
    let world = World::new().await;
    let anna = world.phone("254700112233", "Anna").await;
    let token = world.instance("sales", &anna).await;
    world.epost(ROOT, "/instance/create", &json!({"instanceName": "other"})).await.expect(201);
    let all = world.eget(ROOT, "/instance/fetchInstances").await.expect(200);
    assert_eq!(all.as_array().unwrap().len(), 2);
    let own = world.eget(&token, "/instance/fetchInstances").await.expect(200);
    assert_eq!((own.as_array().unwrap().len(), &own[0]["name"]), (1, &json!("sales")));
    assert_eq!((&own[0]["connectionStatus"], &own[0]["number"]), (&json!("open"), &json!("254700112233")));

    for method in [Method::PUT, Method::POST] {
        let restarted = world.evolution(&token, method, "/instance/restart/sales", None).await.expect(200);
        assert_eq!(restarted["instance"]["state"], "open");
    }
    assert_eq!(anna.companions().len(), 1, "a restart does not end the link");
    let out = world.evolution(&token, Method::PUT, "/instance/logout/sales", None).await.expect(200);
    assert_eq!(out["response"]["message"], "Instance logged out");
    assert!(anna.companions().is_empty());
    let again = world.evolution(&token, Method::DELETE, "/instance/logout/sales", None).await.expect(400);
    assert_eq!(again["response"]["message"][0], "The \"sales\" instance is not connected");
    let fresh = world.eget(&token, "/instance/connect/sales").await.expect(200);
    anna.scan(fresh["code"].as_str().unwrap()).await.unwrap();

    let gone = world.evolution(ROOT, Method::DELETE, "/instance/delete/sales", None).await.expect(200);
    assert_eq!(gone["status"], "SUCCESS");
    assert_eq!(world.eget(ROOT, "/instance/connectionState/sales").await.status, 404);
    world.epost(ROOT, "/instance/create", &json!({"instanceName": "sales"})).await.expect(201);
}

///
#[tokio::test]
async fn an_instance_that_the_service_refuses_says_so() {
    let world = World::new().await;
    let anna = world.phone("254700112233", "Anna").await;
    let token = world.instance("sales", &anna).await;
    let id = world.eget(&token, "/instance/fetchInstances").await.expect(200)[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut events = world.events(&token, &id, None).await;
    assert!(world.sandbox().bar("254700112233", Some(403)));
    world.sandbox().disconnect(&format!("254700112233:{}", anna.companions()[0]));
    events
        .until("account.state", |event| {
            ["refused", "unlinked"].contains(&event["data"]["state"].as_str().unwrap())
        })
        .await;
    let state = world.eget(&token, "/instance/connectionState/sales").await.expect(200);
    assert_eq!(state["status"], "refused");
}

#[tokio::test]
async fn a_pairing_code_comes_beside_the_picture() {
    let world = World::new().await;
    let anna = world.phone("254700112233", "Anna").await;
    let form = json!({"instanceName": "sales", "qrcode": true, "number": "254700112233"});
    let made = world.epost(ROOT, "/instance/create", &form).await.expect(201);
    let code = made["qrcode"]["pairingCode"].as_str().unwrap();
    assert_eq!(code.len(), 8);
    anna.enter_code(code).await.unwrap();
}

#[tokio::test]
async fn answers_follow_the_profile_of_the_instance() {
    let world = World::new().await;
    for (profile, pointer) in
        [("nm", "/hash/apikey"), ("v1", "/hash/apikey"), ("v2", "/hash"), ("flow", "/hash")]
    {
        let form = json!({"instanceName": profile, "profile": profile});
        let made = world.epost(ROOT, "/instance/create", &form).await.expect(201);
        assert!(made.pointer(pointer).unwrap().is_string(), "{profile}: {made}");
    }
    let twice = world.epost(ROOT, "/instance/create", &json!({"instanceName": "nm"})).await;
    assert_eq!(twice.status, 409);
    let settings = json!({"rejectCall": true, "msgCall": "later"});
    world.epost(ROOT, "/settings/set/v1", &settings).await.expect(201);
    let shown = world.eget(ROOT, "/settings/find/v1").await.expect(200);
    assert_eq!((&shown["reject_call"], &shown["msg_call"]), (&json!(true), &json!("later")));
}
