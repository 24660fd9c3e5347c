use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Json as _, ROOT, World};

async fn tenant(world: &World, name: &str) -> (String, String) {
    let tenant = world.post(ROOT, "/v1/tenants", &json!({"name": name})).await.expect(201);
    let id = tenant["id"].as_str().unwrap().to_owned();
    let form = json!({"name": "company", "tenant": id, "scopes": ["read", "send", "manage", "link", "events", "admin"]});
    let key = world.post(ROOT, "/v1/keys", &form).await.expect(201);
    (id, key["key"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_tenant_reaches_nothing_of_another_by_any_route() {
    let world = World::new().await;
    let ((_, ours), (_, theirs)) = (tenant(&world, "ours").await, tenant(&world, "theirs").await);
    let account = world.post(&ours, "/v1/accounts", &json!({"name": "x"})).await.expect(201);
    let id = account["id"].as_str().unwrap().to_owned();
    let hook = json!({"url": "http://127.0.0.1:9/", "account": id});
    let webhook =
        world.post(&ours, "/v1/webhooks", &hook).await.expect(201)["id"].as_str().unwrap().to_owned();
    let form = json!({"name": "k", "account": id});
    let key = world.post(&ours, "/v1/keys", &form).await.expect(201)["id"].as_str().unwrap().to_owned();
    assert_eq!(world.get(&theirs, "/v1/accounts").await.expect(200)["items"], json!([]));
    assert_eq!(world.get(&theirs, "/v1/webhooks").await.expect(200)["items"], json!([]));

    let mut tried = 0;
    for (dialect, method, path, operation) in world.server.as_ref().unwrap().routes().collect::<Vec<_>>() {
        let named = ["{account}", "{webhook}", "{key}"].iter().any(|name| path.contains(name));
        if dialect != "native" || !named {
            continue;
        }
        let path = path.replace("{account}", &id).replace("{webhook}", &webhook).replace("{key}", &key);
        let path = path.replace("{message}", "x").replace("{delivery}", "1").replace("{id}", "x");
        let method: Method = method.parse().unwrap();
        let answer = World::send(world.request(method, &path).bearer_auth(&theirs).json(&json!({}))).await;
        assert_eq!(answer.status, 404, "{operation}: {}", String::from_utf8_lossy(&answer.body));
        tried += 1;
    }
    assert!(tried > 150, "{tried} routes");
    assert_eq!(world.get(&ours, &format!("/v1/accounts/{id}")).await.status, 200, "nothing happened to it");
}

#[tokio::test]
async fn keys_open_what_they_are_for_and_nothing_when_they_are_off() {
    let world = World::new().await;
    let ((one, one_key), (other, _)) = (world.account("one").await, world.account("other").await);
    assert_eq!(world.get(&one_key, &format!("/v1/accounts/{other}")).await.status, 404);
    assert_eq!(
        world.post(&one_key, "/v1/tenants", &json!({"name": "x"})).await.expect(403)["code"],
        "forbidden"
    );
    assert_eq!(world.post(&one_key, "/v1/accounts", &json!({"name": "x"})).await.status, 403);

    let form = json!({"name": "reader", "account": one, "scopes": ["read"]});
    let made = world.post(ROOT, "/v1/keys", &form).await.expect(201);
    let (id, reader) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    let path = format!("/v1/accounts/{one}");
    assert_eq!(world.get(reader, &path).await.status, 200);
    assert_eq!(world.post(reader, &format!("{path}/link"), &json!({"method": "qr"})).await.status, 403);
    world.patch(ROOT, &format!("/v1/keys/{id}"), &json!({"active": false})).await.expect(200);
    assert_eq!(world.get(reader, &path).await.expect(401)["code"], "unauthorized");
    world.patch(ROOT, &format!("/v1/keys/{id}"), &json!({"active": true})).await.expect(200);
    assert_eq!(world.get(reader, &path).await.status, 200);

    let renewed = world.post(&one_key, &format!("{path}/key"), &json!({})).await.expect(201);
    assert_eq!(world.get(&one_key, &path).await.status, 401, "the former key is gone");
    assert_eq!(world.get(renewed["key"].as_str().unwrap(), &path).await.status, 200);
    let listed = world.get(ROOT, "/v1/keys").await.expect(200).to_string();
    assert!(!listed.contains("whb_"), "no key is shown again");
}

#[tokio::test]
async fn wrong_keys_have_to_wait_after_a_few() {
    let world = World::new().await;
    let mut statuses = Vec::new();
    for _ in 0..7 {
        statuses.push(world.get("whb_acct_wrong", "/v1/accounts").await.status);
    }
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429, 429]);
    let refused = world.get("whb_acct_wrong", "/v1/accounts").await;
    assert!(refused.header("retry-after").is_some_and(|after| after.parse::<u64>().unwrap() <= 60));
}

#[tokio::test]
async fn a_key_that_asks_too_often_is_told_how_long_to_wait() {
    let world = World::with(|settings| settings.requests_per_minute = 3).await;
    for left in ["2", "1", "0"] {
        let answer = world.get(ROOT, "/v1/accounts").await;
        assert_eq!((answer.status, answer.header("x-ratelimit-remaining")), (200, Some(left)));
    }
    let refused = world.get(ROOT, "/v1/accounts").await;
    assert_eq!(refused.expect(429)["code"], "rate_limited");
    assert!(refused.header("retry-after").is_some());
}

#[tokio::test]
async fn requests_without_a_key_and_unknown_routes_are_problems() {
    let world = World::new().await;
    let bare = World::send(world.request(Method::GET, "/v1/accounts")).await;
    assert_eq!(bare.header("content-type"), Some("application/problem+json"));
    assert_eq!(bare.expect(401)["code"], "unauthorized");
    assert_eq!(world.get(ROOT, "/v1/nothing").await.expect(404)["code"], "no_route");
    let wrong = world.delete(ROOT, "/v1/accounts").await;
    assert_eq!((wrong.status, wrong.header("allow")), (404, Some("GET, POST")));
    let broken = World::send(world.request(Method::POST, "/v1/accounts").bearer_auth(ROOT).body("{")).await;
    assert_eq!(broken.expect(400)["code"], "validation");
}

#[tokio::test]
async fn every_route_is_in_a_file_and_every_operation_of_a_file_is_a_route() {
    let world = World::new().await;
    for name in ["native", "evolution"] {
        let file = world.get(ROOT, &format!("/openapi/{name}.json")).await.expect(200);
        let paths = file["paths"].as_object().unwrap();
        let operations: Vec<(String, &String, &Value)> = paths
            .iter()
            .flat_map(|(path, methods)| {
                let methods = methods.as_object().unwrap().iter();
                methods.map(move |(method, operation)| (method.to_uppercase(), path, operation))
            })
            .collect();
        let described: BTreeSet<_> =
            operations.iter().map(|(method, path, _)| (method.clone(), (*path).clone())).collect();
        let routes: BTreeSet<_> = world
            .server
            .as_ref()
            .unwrap()
            .routes()
            .filter(|(dialect, ..)| *dialect == name)
            .map(|(_, method, path, _)| (method, path))
            .collect();
        assert_eq!(described, routes);
        let ids: BTreeSet<_> =
            operations.iter().map(|(.., operation)| operation["operationId"].to_string()).collect();
        assert_eq!(ids.len(), operations.len(), "every operation of {name} has an id of its own");
        let text = file.to_string();
        let missing: Vec<_> = text
            .split("\"#/components/schemas/")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .filter(|schema| file["components"]["schemas"].get(schema).is_none())
            .collect();
        assert!(missing.is_empty(), "schemas of {name} that are not there: {missing:?}");
    }
}
