use serde_json::json;

use crate::support::World;

#[tokio::test]
async fn operations_of_the_engine_are_run_by_name() {
    let world = World::new().await;
    let (anna, _ben) = (world.phone("31612345678", "Anna").await, world.phone("31687654321", "Ben").await);
    let (id, key) = world.linked("first", &anna).await;
    let path = |name: &str| format!("/v1/accounts/{id}/operations/{name}");
    let checked =
        world.post(&key, &path("check_numbers"), &json!({"numbers": ["31687654321", "15550009999"]})).await;
    let checked = checked.expect(200);
    assert_eq!(checked["numbers"][0]["status"], "registered");
    assert_eq!(checked["numbers"][1]["status"], "not_registered");
    let group = json!({"subject": "Birds", "participants": ["31687654321"]});
    let made = world.post(&key, &path("create_group"), &group).await.expect(200);
    assert_eq!(made["group"]["subject"], "Birds");
    let wrong = world.post(&key, &path("create_group"), &json!({"name": "x"})).await.expect(400);
    assert_eq!(wrong["code"], "validation");
    assert_eq!(world.post(&key, &path("export"), &json!({})).await.expect(404)["code"], "no_route");
    let local =
        json!({"chat": "31687654321", "content": {"type": "image", "media": {"path": "/etc/passwd"}}});
    assert_eq!(world.post(&key, &path("send_message"), &local).await.status, 400);
    world.assert_clean();
}
