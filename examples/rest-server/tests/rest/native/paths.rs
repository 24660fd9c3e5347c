use reqwest::Method;
use serde_json::json;

use crate::support::{Json as _, World};

#[tokio::test]
async fn what_is_done_often_has_a_path_of_its_own() {
    let world = World::new().await;
    let (anna, ben) = (world.phone("31612345678", "Anna").await, world.phone("31687654321", "Ben").await);
    let (id, key) = world.linked("first", &anna).await;
    let path = |rest: &str| format!("/v1/accounts/{id}{rest}");
    let put = |rest: &'static str, body: serde_json::Value| {
        let request = world.request(Method::PUT, &path(rest)).bearer_auth(&key).json(&body);
        async move { World::send(request).await.expect(200) }
    };
    let mut events = world.events(&key, &id, None).await;
    let form = json!({"to": "31687654321", "text": "hello"});
    let sent = world.post(&key, &path("/messages?wait=ack"), &form).await.expect(201);
    let message = path(&format!("/messages/{}", sent["id"].as_str().unwrap()));
    let chat = "31687654321";
    let edited = world.patch(&key, &message, &json!({"chat": chat, "text": "better"})).await.expect(200);
    assert_eq!(World::arrived(&ben, &edited["messageId"]).await.id, edited["messageId"].as_str().unwrap());
    world
        .post(&key, &format!("{message}/reactions"), &json!({"chat": chat, "emoji": "👍"}))
        .await
        .expect(200);
    world.post(&key, &format!("{message}/revoke"), &json!({"chat": chat})).await.expect(200);

    put("/chats/31687654321/archive", json!({"archived": true})).await;
    // Told when it is written, which the answer does not wait for.
    events.until("chat.updated", |event| event["data"]["change"] == "archived").await;
    let found = world.get(&key, &path("/chats?archived=true&limit=5")).await.expect(200);
    assert_eq!(found["items"][0]["chat"]["phone"], "31687654321@s.whatsapp.net");
    let wrong = world.get(&key, &path("/chats?limit=many")).await.expect(400);
    assert_eq!(wrong["code"], "validation");
    put("/contacts/31687654321", json!({"name": "Ben Smith"})).await;
    events.until("contact.updated", |event| event["data"]["name"] == "Ben Smith").await;
    let found = world.get(&key, &path("/contacts?name=smith")).await.expect(200);
    assert_eq!(found["items"][0]["name"], "Ben Smith");

    let group = json!({"subject": "Birds", "participants": [chat]});
    let made = world.post(&key, &path("/groups"), &group).await.expect(200);
    let group = made["group"]["id"].as_str().unwrap().to_owned();
    let request = world.request(Method::PUT, &path(&format!("/groups/{group}/settings/announce")));
    World::send(request.bearer_auth(&key).json(&json!({"enabled": true}))).await.expect(200);
    let found = world.get(&key, &path(&format!("/groups/{group}?fresh=true"))).await.expect(200);
    assert_eq!(found["announce"], true);
    world.delete(&key, &path(&format!("/groups/{group}"))).await.expect(200);
    let local = json!({"name": "News", "picture": "/etc/passwd"});
    assert_eq!(world.post(&key, &path("/channels"), &local).await.expect(400)["code"], "validation");
    world.assert_clean();
}
