use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::json;

use whimbrel_sandbox::phone::SignKind;

use crate::support::{DEADLINE, PIXEL, Receiver, World};

/// Covers, C-007.
#[tokio::test]
async fn texts_go_to_people_and_groups() {
    let world = World::new().await;
    let (anna, ben) = (world.phone("254700112233", "Anna").await, world.phone("254712345678", "Ben").await);
    let token = world.instance("sales", &anna).await;
    let form = json!({"number": "254712345678", "text": "Hello from NextMavens API!", "delay": 1200});
    let sent = world.epost(&token, "/message/sendText/sales", &form).await.expect(201);
    assert_eq!((&sent["status"], &sent["messageType"]), (&json!("PENDING"), &json!("conversation")));
    assert_eq!(sent["key"]["remoteJid"], "254712345678@s.whatsapp.net");
    ben.wait_sign(|sign| sign.kind == SignKind::Composing, DEADLINE).await.unwrap();
    let arrived = ben.next_message(DEADLINE).await.unwrap();
    assert_eq!(
        (arrived.text.as_str(), &json!(arrived.id)),
        ("Hello from NextMavens API!", &sent["key"]["id"])
    );

    let form = json!({"subject": "Team", "participants": ["254712345678"]});
    let group = world.epost(&token, "/group/create/sales", &form).await.expect(201);
    let group = group["id"].as_str().unwrap().to_owned();
    let sent = world
        .epost(&token, "/message/sendText/sales", &json!({"number": group, "text": "Hello team!"}))
        .await;
    let sent = sent.expect(201);
    assert_eq!(sent["key"]["remoteJid"], json!(group));
    assert_eq!(World::arrived(&ben, &sent["key"]["id"]).await.text, "Hello team!");

    // The form of version 1, with a quote and a mention.
    let form = json!({
        "number": "254712345678", "textMessage": {"text": "as before"},
        "options": {"quoted": {"key": {"id": arrived.id}}, "linkPreview": true},
    });
    let old = world.epost(&token, "/message/sendText/sales", &form).await;
    let old = old.expect(201);
    assert_eq!(old["contextInfo"]["stanzaId"], json!(arrived.id));
    assert_eq!(World::arrived(&ben, &old["key"]["id"]).await.text, "as before");
    let unknown =
        world.epost(&token, "/message/sendText/sales", &json!({"number": "15550001111", "text": "x"})).await;
    let unknown = unknown.expect(400);
    let expected = json!({"jid": "15550001111@s.whatsapp.net", "exists": false, "number": "15550001111"});
    assert_eq!(unknown["response"]["message"][0], expected);
    world.assert_clean();
}

///
#[tokio::test]
async fn files_are_sent_from_addresses_base64_and_forms() {
    let world = World::new().await;
    let (anna, ben) = (world.phone("254700112233", "Anna").await, world.phone("254712345678", "Ben").await);
    let token = world.instance("sales", &anna).await;
    let host = Receiver::start().await;
    let picture = STANDARD.decode(PIXEL).unwrap();
    host.serve("/image.jpg", "image/jpeg", &picture);
    let form = json!({
        "number": "254712345678", "mediatype": "image", "mimetype": "image/jpeg", "caption": "Check this out!",
        "media": host.url("/image.jpg"), "delay": 200,
    });
    let sent = world.epost(&token, "/message/sendMedia/sales", &form).await.expect(201);
    assert_eq!(sent["messageType"], "imageMessage");
    let opened = ben.wait_media(sent["key"]["id"].as_str().unwrap(), DEADLINE).await.unwrap();
    assert_eq!((opened.bytes, opened.mimetype.as_str()), (picture, "image/jpeg"));
    assert_eq!(World::wire(&ben, &sent["key"]["id"]).await["imageMessage"]["caption"], "Check this out!");

    let form = json!({
        "number": "254712345678", "mediatype": "document", "mimetype": "application/pdf", "caption": "Invoice #1234",
        "fileName": "invoice_1234.pdf", "media": STANDARD.encode(b"%PDF-1.7 nothing"),
    });
    let sent = world.epost(&token, "/message/sendMedia/sales", &form).await.expect(201);
    let opened = ben.wait_media(sent["key"]["id"].as_str().unwrap(), DEADLINE).await.unwrap();
    assert_eq!(
        (opened.bytes.as_slice(), opened.mimetype.as_str()),
        (b"%PDF-1.7 nothing".as_slice(), "application/pdf")
    );
    let wire = World::wire(&ben, &sent["key"]["id"]).await.to_string();
    assert!(wire.contains("Invoice #1234") && wire.contains("invoice_1234.pdf"), "{wire}");

    let form = json!({"number": "254712345678", "mediatype": "video", "media": STANDARD.encode(b"\0\0\0\x18ftypmp42")});
    let sent = world.epost(&token, "/message/sendMedia/sales", &form).await.expect(201);
    assert_eq!(sent["messageType"], "videoMessage");

    let body = "--x\r\nContent-Disposition: form-data; name=\"number\"\r\n\r\n254712345678\r\n\
                --x\r\nContent-Disposition: form-data; name=\"mediatype\"\r\n\r\ndocument\r\n\
                --x\r\nContent-Disposition: form-data; name=\"delay\"\r\nContent-Type: text/plain; type=number\r\n\r\n1\r\n\
                --x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\
                Content-Type: application/octet-stream\r\n\r\nwords\r\n--x--\r\n";
    let request = world.request(Method::POST, "/message/sendMedia/sales").header("apikey", &token);
    let request = request.header("Content-Type", "multipart/form-data; boundary=x").body(body);
    let sent = World::send(request).await.expect(201);
    let opened = ben.wait_media(sent["key"]["id"].as_str().unwrap(), DEADLINE).await.unwrap();
    assert_eq!(opened.bytes, b"words");
    assert_eq!(World::wire(&ben, &sent["key"]["id"]).await["documentMessage"]["fileName"], "a.txt");

    let nameless = json!({"number": "254712345678", "mediatype": "document", "media": "aGk="});
    let refused = world.epost(&token, "/message/sendMedia/sales", &nameless).await.expect(400);
    assert_eq!(refused["response"]["message"][0], "For base64 the file name must be informed.");
    let neither = json!({"number": "254712345678", "mediatype": "image", "media": "!!"});
    let refused = world.epost(&token, "/message/sendMedia/sales", &neither).await.expect(400);
    assert_eq!(refused["response"]["message"][0], "Owned media must be a url or base64");
    let unreachable =
        json!({"number": "254712345678", "mediatype": "image", "media": host.url("/nothing.jpg")});
    host.answer(404);
    assert_eq!(world.epost(&token, "/message/sendMedia/sales", &unreachable).await.status, 400);
}

///
#[tokio::test]
async fn voice_notes_are_sent_with_and_without_a_head() {
    let world = World::new().await;
    let (anna, ben) = (world.phone("254700112233", "Anna").await, world.phone("254712345678", "Ben").await);
    let token = world.instance("sales", &anna).await;
    let note = STANDARD.encode(OGG);
    for audio in [note.clone(), format!("data:audio/ogg;base64,{note}")] {
        let form = json!({"number": "254712345678", "audio": audio, "encoding": true});
        let sent = world.epost(&token, "/message/sendWhatsAppAudio/sales", &form).await.expect(201);
        assert_eq!(sent["message"]["audioMessage"]["ptt"], true);
        let opened = ben.wait_media(sent["key"]["id"].as_str().unwrap(), DEADLINE).await.unwrap();
        assert_eq!(opened.mimetype, "audio/ogg; codecs=opus");
    }
    let form = json!({"number": "254712345678", "audio": STANDARD.encode(b"RIFF....WAVE"), "encoding": true});
    let refused = world.epost(&token, "/message/sendWhatsAppAudio/sales", &form).await.expect(400);
    assert_eq!(refused["response"]["message"][0], "audio cannot be converted");
}

/// Covers, C-004.
#[tokio::test]
async fn every_other_kind_is_sent_and_taken_back() {
    let world = World::new().await;
    let (anna, ben) = (world.phone("254700112233", "Anna").await, world.phone("254712345678", "Ben").await);
    let token = world.instance("sales", &anna).await;
    let number = "254712345678";
    let buttons = json!({
        "number": number, "title": "Choose an option", "description": "Please select below:",
        "footer": "NextMavens",
        "buttons": [
            {"type": "reply", "displayText": "Yes", "id": "btn_yes"},
            {"type": "reply", "displayText": "No", "id": "btn_no"},
        ],
    });
    let sent = world.epost(&token, "/message/sendButtons/sales", &buttons).await.expect(201);
    let shown = &sent["message"]["interactiveMessage"];
    assert_eq!(shown["footer"]["text"], "NextMavens");
    let body = shown["body"]["text"].as_str().unwrap();
    assert!(body.contains("Choose an option") && body.contains("Please select below:"));
    let pressed: Vec<serde_json::Value> = shown["nativeFlowMessage"]["buttons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|button| serde_json::from_str(button["buttonParamsJson"].as_str().unwrap()).unwrap())
        .collect();
    assert_eq!(
        pressed,
        [json!({"display_text": "Yes", "id": "btn_yes"}), json!({"display_text": "No", "id": "btn_no"})]
    );
    World::arrived(&ben, &sent["key"]["id"]).await;

    let rows = json!([{"title": "One", "description": "1", "rowId": "a"}, {"title": "Two", "rowId": "b"}]);
    let kinds = [
        (
            "sendList",
            json!({
                "number": number, "title": "Menu", "description": "Pick", "buttonText": "Open", "footerText": "f",
                "sections": [{"title": "S", "rows": rows}],
            }),
            "listMessage",
        ),
        (
            "sendLocation",
            json!({"number": number, "latitude": "-1.28", "longitude": 36.8, "name": "Nairobi"}),
            "locationMessage",
        ),
        (
            "sendContact",
            json!({"number": number, "contact": [{"fullName": "Cara", "phoneNumber": "+254 711 000111"}]}),
            "contactMessage",
        ),
        (
            "sendPoll",
            json!({"number": number, "name": "Tea?", "selectableCount": 1, "values": ["yes", "no"]}),
            "pollCreationMessage",
        ),
    ];
    for (endpoint, form, kind) in kinds {
        let sent = world.epost(&token, &format!("/message/{endpoint}/sales"), &form).await.expect(201);
        assert_eq!(sent["messageType"], kind, "{endpoint}");
        World::arrived(&ben, &sent["key"]["id"]).await;
    }
    let text = world
        .epost(&token, "/message/sendText/sales", &json!({"number": number, "text": "oops"}))
        .await
        .expect(201);
    let key = text["key"].clone();
    let arrived = World::arrived(&ben, &key["id"]).await;
    assert_eq!(arrived.text, "oops");
    let reaction = json!({"key": key, "reaction": "👍"});
    let sent = world.epost(&token, "/message/sendReaction/sales", &reaction).await.expect(201);
    assert_eq!(sent["messageType"], "reactionMessage");
    let edit = json!({"number": number, "key": key, "text": "better"});
    assert_eq!(
        world.epost(&token, "/chat/updateMessage/sales", &edit).await.expect(200)["message"]["conversation"],
        "better"
    );
    let gone = json!({"id": key["id"], "remoteJid": key["remoteJid"], "fromMe": true});
    let sent =
        world.evolution(&token, Method::DELETE, "/message/delete/sales", Some(&gone)).await.expect(201);
    assert_eq!(sent["message"]["protocolMessage"]["type"], "REVOKE");
    assert_eq!(sent["message"]["protocolMessage"]["key"]["id"], key["id"]);
    for wrong in
        [json!({"number": number, "title": "t", "buttons": []}), json!({"number": number, "title": "t"})]
    {
        assert_eq!(world.epost(&token, "/message/sendButtons/sales", &wrong).await.status, 400);
    }
    world.assert_clean();
}

/// A voice note.
const OGG: &[u8] = include_bytes!("../../../../../tests/vectors/media/voice.opus");
