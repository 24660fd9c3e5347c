use reqwest::Method;
use serde_json::json;

use crate::support::World;

/// Covers, C-006.
#[tokio::test]
async fn groups_are_made_listed_and_changed() {
    let world = World::new().await;
    let anna = world.phone("254700000001", "Anna").await;
    let (_ben, _cara) = (world.phone("254712345678", "Ben").await, world.phone("254700112233", "Cara").await);
    let token = world.instance("sales", &anna).await;
    let form = json!({
        "subject": "Team Updates", "description": "Company-wide announcements",
        "participants": ["254712345678", "254700112233"],
    });
    let made = world.epost(&token, "/group/create/sales", &form).await.expect(201);
    let group = made["id"].as_str().unwrap().to_owned();
    assert_eq!(
        (&made["subject"], made["participants"].as_array().unwrap().len()),
        (&json!("Team Updates"), 3)
    );
    let bare = world.eget(&token, "/group/fetchAllGroups/sales?getParticipants=false").await.expect(200);
    assert_eq!((&bare[0]["id"], bare[0].get("participants")), (&json!(group), None));
    let full = world.eget(&token, "/group/fetchAllGroups/sales?getParticipants=true").await.expect(200);
    assert_eq!(full[0]["participants"].as_array().unwrap().len(), 3);

    let path = format!("/group/updateParticipant/sales?groupJid={group}");
    for (action, members) in [("remove", 2), ("add", 3)] {
        let form = json!({"action": action, "participants": ["254700112233"]});
        let done = world.evolution(&token, Method::PUT, &path, Some(&form)).await.expect(201);
        assert_eq!(done["updateParticipants"][0]["status"], "200", "{done}");
        let now =
            world.eget(&token, &format!("/group/findGroupInfos/sales?groupJid={group}")).await.expect(200);
        assert_eq!(
            (now["participants"].as_array().unwrap().len(), &now["desc"]),
            (members, &json!("Company-wide announcements"))
        );
    }
    for (path, body) in [
        ("updateGroupSubject", json!({"subject": "News"})),
        ("updateGroupDescription", json!({"description": "less"})),
        ("updateSetting", json!({"action": "announcement"})),
        ("toggleEphemeral", json!({"expiration": 86400})),
    ] {
        world.epost(&token, &format!("/group/{path}/sales?groupJid={group}"), &body).await.expect(201);
    }
    let link = world.eget(&token, &format!("/group/inviteCode/sales?groupJid={group}")).await.expect(200);
    let code = link["inviteCode"].as_str().unwrap().to_owned();
    let info = world.eget(&token, &format!("/group/inviteInfo/sales?inviteCode={code}")).await.expect(200);
    assert_eq!(info["subject"], "News");
    let revoked = world
        .epost(&token, &format!("/group/revokeInviteCode/sales?groupJid={group}"), &json!({}))
        .await
        .expect(201);
    assert_ne!(revoked["inviteCode"], json!(code));
    let invited = json!({"groupJid": group, "description": "come in", "numbers": ["254712345678"]});
    world.epost(&token, "/group/sendInvite/sales", &invited).await.expect(200);
    let members =
        world.eget(&token, &format!("/group/participants/sales?groupJid={group}")).await.expect(200);
    assert_eq!(members["participants"].as_array().unwrap().len(), 3);
    let missing = world.eget(&token, "/group/findGroupInfos/sales").await.expect(400);
    assert_eq!(missing["response"]["message"][0], "The group id needs to be informed in the query");
    world
        .evolution(&token, Method::DELETE, &format!("/group/leaveGroup/sales?groupJid={group}"), None)
        .await
        .expect(200);
    world.assert_clean();
}
