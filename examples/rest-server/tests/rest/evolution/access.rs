use reqwest::Method;
use serde_json::json;

use crate::support::{ROOT, World};

///
#[tokio::test]
async fn a_company_reaches_nothing_of_another_by_any_route() {
    let world = World::new().await;
    let mut keys = Vec::new();
    for name in ["ours", "theirs"] {
        let tenant = world.post(ROOT, "/v1/tenants", &json!({"name": name})).await.expect(201);
        let key =
            world.post(ROOT, "/v1/keys", &json!({"name": name, "tenant": tenant["id"]})).await.expect(201);
        keys.push(key["key"].as_str().unwrap().to_owned());
    }
    world.epost(&keys[0], "/instance/create", &json!({"instanceName": "x"})).await.expect(201);
    assert_eq!(world.eget(&keys[1], "/instance/fetchInstances").await.expect(200), json!([]));
    let mut tried = 0;
    for (dialect, method, path, operation) in world.server.as_ref().unwrap().routes().collect::<Vec<_>>() {
        if dialect != "evolution" || !path.contains("{instanceName}") {
            continue;
        }
        let path = path.replace("{instanceName}", "x");
        let method: Method = method.parse().unwrap();
        let answer = world.evolution(&keys[1], method, &path, Some(&json!({}))).await;
        assert_eq!(answer.status, 404, "{operation}: {}", String::from_utf8_lossy(&answer.body));
        tried += 1;
    }
    assert!(tried > 60, "{tried} routes");
    world.epost(&keys[1], "/instance/create", &json!({"instanceName": "x"})).await.expect(201);
    let upper = world.request(Method::GET, "/instance/fetchInstances").header("APIKEY", &keys[0]);
    assert_eq!(World::send(upper).await.status, 200, "in any letter case");
}

///
#[tokio::test]
async fn errors_have_the_words_of_the_description() {
    let world = World::new().await;
    world.epost(ROOT, "/instance/create", &json!({"instanceName": "x"})).await.expect(201);
    let missing =
        world.epost(ROOT, "/message/sendText/x", &json!({"number": "254712345678"})).await.expect(400);
    assert_eq!(
        (&missing["error"], &missing["response"]["message"][0]),
        (&json!("Bad Request"), &json!("text is required"))
    );
    let wrong = json!({"number": "254712345678", "text": "x", "delay": "soon"});
    assert_eq!(world.epost(ROOT, "/message/sendText/x", &wrong).await.expect(400)["error"], "Bad Request");
    let bare = World::send(world.request(Method::GET, "/instance/fetchInstances")).await;
    assert_eq!(bare.expect(401)["error"], "Unauthorized");
    assert_eq!(
        world.eget("a-key-that-is-wrong", "/instance/fetchInstances").await.expect(403)["error"],
        "Forbidden"
    );
    let made = world.post(ROOT, "/v1/keys", &json!({"name": "k"})).await.expect(201);
    world
        .patch(ROOT, &format!("/v1/keys/{}", made["id"].as_str().unwrap()), &json!({"active": false}))
        .await
        .expect(200);
    let off = world.eget(made["key"].as_str().unwrap(), "/instance/fetchInstances").await;
    assert_eq!(off.expect(403)["error"], "Forbidden");
    let unknown = world.eget(ROOT, "/instance/connectionState/nobody").await.expect(404);
    assert_eq!(unknown["error"], "Instance not found");
    assert_eq!(unknown["response"]["message"][0], "The \"nobody\" instance does not exist");
    let twice = world.epost(ROOT, "/instance/create", &json!({"instanceName": "x"})).await.expect(409);
    assert_eq!(twice["error"], "Instance exists");
    let route = world.eget(ROOT, "/instance/nothing/x/y").await.expect(404);
    assert_eq!(route["response"]["message"][0], "Cannot GET /instance/nothing/x/y");

    let slow = World::with(|settings| settings.requests_per_minute = 1).await;
    slow.eget(ROOT, "/instance/fetchInstances").await.expect(200);
    let refused = slow.eget(ROOT, "/instance/fetchInstances").await;
    assert!(refused.header("retry-after").is_some());
    assert_eq!(refused.expect(429)["error"], "Rate limit exceeded");

    // A fault of the server: its data are gone under it.
    let broken = World::new().await;
    broken.epost(ROOT, "/instance/create", &json!({"instanceName": "x"})).await.expect(201);
    broken.lose_files();
    let form = json!({
        "number": "254712345678", "mediatype": "document", "fileName": "a.txt", "media": "aGVsbG8=",
    });
    let fault = broken.epost(ROOT, "/message/sendMedia/x", &form).await.expect(500);
    assert_eq!(fault["error"], "Internal error");
    assert!(fault["response"]["id"].is_string());
}
