use reqwest::Method;
use serde_json::{Value, json};
use whimbrel_crypto::media::MediaType;
use whimbrel_sandbox::phone::{MediaToSend, ReceiptKind};

use crate::support::{DEADLINE, PIXEL, World};

/// Covers, C-005, C-050, C-052 to C-053.
#[tokio::test]
async fn numbers_are_looked_up_in_every_spelling() {
    let world = World::new().await;
    let (anna, _ben) = (world.phone("254700112233", "Anna").await, world.phone("1234567890", "Ben").await);
    let _brazil = world.phone("551199998888", "Cleo").await;
    let token = world.instance_as("7", &anna, "flow").await;
    let form = json!({"numbers": ["1234567890", "+254 (700) 00-00-00", "5511999998888"]});
    for name in ["whatsappNumbers", "checkNumbers"] {
        let found = world.epost(&token, &format!("/chat/{name}/7"), &form).await.expect(200);
        let told: Vec<_> =
            found.as_array().unwrap().iter().map(|entry| (&entry["exists"], &entry["jid"])).collect();
        assert_eq!(told[0], (&json!(true), &json!("1234567890@s.whatsapp.net")));
        assert_eq!(told[1], (&json!(false), &json!("254700000000@s.whatsapp.net")));
        // The one of both spellings that is registered.
        assert_eq!(told[2], (&json!(true), &json!("551199998888@s.whatsapp.net")));
    }
}

///
#[tokio::test]
async fn stored_messages_are_found_and_marked_as_read() {
    let world = World::new().await;
    let (anna, ben) = (world.phone("254700112233", "Anna").await, world.phone("254712345678", "Ben").await);
    let token = world.instance("sales", &anna).await;
    let id = world.eget(&token, "/instance/fetchInstances").await.expect(200)[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut events = world.events(&token, &id, None).await;
    let mut last = String::new();
    for text in ["one", "two", "three"] {
        last = ben.send_text("254700112233", text).await.unwrap();
        events.of("message.received").await;
    }
    let chat = "254712345678@s.whatsapp.net";
    let form = json!({"where": {"key": {"remoteJid": chat}}, "limit": 2});
    let found = world.epost(&token, "/chat/findMessages/sales", &form).await.expect(200);
    let texts: Vec<_> =
        found.as_array().unwrap().iter().map(|row| row["message"]["conversation"].clone()).collect();
    assert_eq!(texts, [json!("three"), json!("two")]);
    let paged = json!({"where": {"key": {"remoteJid": chat}}, "page": 2, "offset": 2});
    let found = world.epost(&token, "/chat/findMessages/sales", &paged).await.expect(200);
    assert_eq!((&found["messages"]["total"], &found["messages"]["pages"]), (&json!(3), &json!(2)));
    assert_eq!(found["messages"]["records"][0]["message"]["conversation"], "one");

    let form = json!({"readMessages": [{"remoteJid": chat, "fromMe": false, "id": last}]});
    let done = world.epost(&token, "/chat/markMessageAsRead/sales", &form).await.expect(201);
    assert_eq!(done["read"], "success");
    ben.wait_receipt(&last, ReceiptKind::Read, DEADLINE).await.unwrap();

    let path = "/chat/fetchProfilePictureUrl/sales?number=254712345678";
    let none = world.eget(&token, path).await.expect(200);
    assert_eq!((&none["wuid"], &none["profilePictureUrl"]), (&json!(chat), &Value::Null));
    let posted =
        world.epost(&token, "/chat/fetchProfilePictureUrl/sales", &json!({"number": "254712345678"})).await;
    assert_eq!(posted.expect(200), none);
    world.epost(&token, "/chat/updateProfilePicture/sales", &json!({"picture": PIXEL})).await.expect(200);
    let own = world.eget(&token, "/chat/fetchProfilePictureUrl/sales?number=254700112233").await.expect(200);
    assert!(own["profilePictureUrl"].is_string(), "{own}");
    world.assert_clean();
}

#[tokio::test]
async fn the_other_routes_of_chats_answer() {
    let world = World::new().await;
    let (anna, ben) = (world.phone("254700112233", "Anna").await, world.phone("254712345678", "Ben").await);
    let token = world.instance("sales", &anna).await;
    let id = world.eget(&token, "/instance/fetchInstances").await.expect(200)[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut events = world.events(&token, &id, None).await;
    let (kind, mimetype) = (MediaType::Document, "text/plain".to_owned());
    let media = MediaToSend { kind, mimetype, bytes: b"some words".to_vec(), caption: None };
    let file = ben.send_media("254700112233", &media).await.unwrap();
    events.of("message.received").await;
    let form = json!({"message": {"key": {"id": file}}});
    let got = world.epost(&token, "/chat/getBase64FromMediaMessage/sales", &form).await.expect(201);
    assert_eq!((&got["base64"], &got["mimetype"]), (&json!("c29tZSB3b3Jkcw=="), &json!("text/plain")));
    ben.send_text("254700112233", "hi").await.unwrap();
    events.of("message.received").await;
    let chat = "254712345678@s.whatsapp.net";
    let chats = world.epost(&token, "/chat/findChats/sales", &json!({})).await.expect(200);
    assert!(chats.as_array().unwrap().iter().any(|row| row["remoteJid"] == chat), "{chats}");
    let one =
        world.eget(&token, &format!("/chat/findChatByRemoteJid/sales?remoteJid={chat}")).await.expect(200);
    assert_eq!(one["lastMessage"]["message"]["conversation"], "hi");
    let none =
        world.eget(&token, "/chat/findChatByRemoteJid/sales?remoteJid=15550001111@s.whatsapp.net").await;
    assert_eq!(none.expect(200), Value::Null);
    let contacts = world
        .epost(&token, "/chat/findContacts/sales", &json!({"where": {"remoteJid": chat}}))
        .await
        .expect(200);
    assert_eq!(contacts[0]["pushName"], "Ben");
    let profile = world.epost(&token, "/chat/fetchProfile/sales", &json!({"number": chat})).await.expect(200);
    assert_eq!((&profile["numberExists"], &profile["name"]), (&json!(true), &json!("Ben")));
    for (path, body, answer) in [
        (
            "sendPresence",
            json!({"number": chat, "presence": "composing", "delay": 1}),
            json!({"presence": "composing"}),
        ),
        ("archiveChat", json!({"chat": chat, "archive": true}), json!({"chatId": chat, "archived": true})),
        (
            "markChatUnread",
            json!({"lastMessage": {"key": {"remoteJid": chat}}}),
            json!({"chatId": chat, "markedChatUnread": true}),
        ),
        ("updateBlockStatus", json!({"number": chat, "status": "block"}), json!({"block": "success"})),
    ] {
        let done = world.epost(&token, &format!("/chat/{path}/sales"), &body).await.expect(201);
        assert_eq!(done, answer, "{path}");
    }
    for (path, body) in
        [("updateProfileName", json!({"name": "Shop"})), ("updateProfileStatus", json!({"status": "open"}))]
    {
        assert_eq!(
            world.epost(&token, &format!("/chat/{path}/sales"), &body).await.expect(200)["update"],
            "success"
        );
    }
    let form = json!({"last": "contacts"});
    world.epost(&token, "/chat/updatePrivacySettings/sales", &form).await.expect(201);
    assert_eq!(world.eget(&token, "/chat/fetchPrivacySettings/sales").await.expect(200)["last"], "contacts");
    world.evolution(&token, Method::DELETE, "/chat/removeProfilePicture/sales", None).await.expect(200);
    world.assert_clean();
}
