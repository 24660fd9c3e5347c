use reqwest::Method;
use serde_json::json;

use crate::support::{ROOT, World};

#[tokio::test]
async fn an_account_is_made_linked_unlinked_and_deleted() {
    let world = World::new().await;
    let phone = world.phone("31612345678", "Anna").await;
    let (id, key) = world.account("first").await;
    let path = format!("/v1/accounts/{id}");
    assert_eq!(world.get(&key, &path).await.expect(200)["state"], "unlinked");

    let mut events = world.events(&key, &id, None).await;
    let shown = world.post(&key, &format!("{path}/link"), &json!({"method": "qr"})).await.expect(202);
    assert_eq!((&shown["state"], &shown["qrCount"]), (&json!("linking"), &json!(1)));
    let told = events.of("account.qr").await;
    assert_eq!(told["data"]["text"], shown["qr"]);
    let request = world.request(Method::GET, &format!("{path}/link")).bearer_auth(&key);
    let picture = World::send(request.header("Accept", "image/png")).await;
    assert_eq!((picture.status, &picture.body[..4]), (200, b"\x89PNG".as_slice()));

    phone.scan(shown["qr"].as_str().unwrap()).await.unwrap();
    let linked = events.of("account.linked").await;
    assert_eq!(linked["data"]["account"]["phone"], "31612345678@s.whatsapp.net");
    events.until("account.state", |event| event["data"]["state"] == "online").await;
    let account = world.get(&key, &path).await.expect(200);
    assert_eq!(account["phone"], "31612345678@s.whatsapp.net");
    assert_eq!(
        world.post(&key, &format!("{path}/link"), &json!({"method": "qr"})).await.expect(409)["code"],
        "conflict"
    );

    let away = world.post(&key, &format!("{path}/disconnect"), &json!({})).await.expect(200);
    assert_eq!(away["state"], "offline");
    let back = world.post(&key, &format!("{path}/connect"), &json!({})).await.expect(200);
    assert_eq!(back["state"], "online");

    world.post(&key, &format!("{path}/unlink"), &json!({})).await.expect(200);
    events.of("account.logged_out").await;
    assert_eq!(world.get(&key, &path).await.expect(200)["state"], "unlinked");
    assert!(phone.companions().is_empty());

    assert_eq!(world.delete(&key, &path).await.status, 204);
    assert_eq!(world.get(ROOT, &path).await.expect(404)["code"], "account_not_found");
    assert_eq!(world.get(&key, &path).await.expect(401)["code"], "unauthorized");
    world.assert_clean();
}

#[tokio::test]
async fn an_account_is_linked_by_a_code_and_comes_back_after_a_restart() {
    let mut world = World::new().await;
    let phone = world.phone("31612345678", "Anna").await;
    let (id, key) = world.account("first").await;
    let mut events = world.events(&key, &id, None).await;
    let form = json!({"method": "code", "phone": "+31 6 12345678"});
    let shown = world.post(&key, &format!("/v1/accounts/{id}/link"), &form).await.expect(202);
    phone.enter_code(shown["code"].as_str().unwrap()).await.unwrap();
    let online = events.until("account.state", |event| event["data"]["state"] == "online").await;

    world.restart().await;
    let last = online["id"].as_str().unwrap();
    let mut events = world.events(&key, &id, Some(last)).await;
    events.until("account.state", |event| event["data"]["state"] == "online").await;
    world.assert_clean();
}

#[tokio::test]
async fn names_are_unique_and_lists_have_pages() {
    let world = World::new().await;
    for name in ["a", "b", "c"] {
        world.account(name).await;
    }
    let twice = world.post(ROOT, "/v1/accounts", &json!({"name": "b"})).await.expect(409);
    assert_eq!(twice["code"], "conflict");
    let mut names = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = world.get(ROOT, &format!("/v1/accounts?limit=2&cursor={cursor}")).await.expect(200);
        names.extend(
            page["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()),
        );
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    assert_eq!(names, ["a", "b", "c"]);
}

#[tokio::test]
async fn settings_are_changed_one_by_one_and_a_proxy_keeps_its_password() {
    let world = World::new().await;
    let (id, key) = world.account("first").await;
    let path = format!("/v1/accounts/{id}");
    let proxy = "socks5://bob:secret@127.0.0.1:1080";
    let form = json!({"settings": {"rejectCalls": true, "callText": "later", "proxy": proxy}});
    world.patch(&key, &path, &form).await.expect(200);
    let changed = world.patch(&key, &path, &json!({"settings": {"readMessages": true}})).await.expect(200);
    let settings = &changed["settings"];
    assert_eq!((&settings["rejectCalls"], &settings["readMessages"]), (&json!(true), &json!(true)));
    assert_eq!(settings["proxy"], "socks5://***@127.0.0.1:1080");
    let wrong = world.patch(&key, &path, &json!({"settings": {"rejectCall": true}})).await.expect(400);
    assert_eq!(wrong["errors"][0]["field"], "settings");
}
