//! `kill -9` while messages are sent and events delivered.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use whimbrel_rest::sandbox;
use whimbrel_sandbox::Options;
use whimbrel_sandbox::phone::Phone;

use super::Program;
use crate::support::{DEADLINE, Json as _, ROOT, Receiver};

/// How often the server is killed, and how many messages go each way between.
const ROUNDS: usize = 4;
const MESSAGES: usize = 12;

/// Posts until there is an answer that is final: what a careful client does.
async fn insist(http: &reqwest::Client, url: &str, idempotency: Option<&str>, body: &Value) -> Option<Value> {
    let mut request = http.post(url).bearer_auth(ROOT).json(body);
    if let Some(key) = idempotency {
        request = request.header("Idempotency-Key", key);
    }
    let response = request.send().await.ok()?;
    let status = response.status();
    let text = response.text().await.ok()?;
    assert!(status.as_u16() < 500 || status == 503, "{status}: {text}");
    status.is_success().then(|| serde_json::from_str(&text).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_twice_and_no_event_is_lost() {
    let folder = std::env::temp_dir().join(format!("whimbrel-rest-killed-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let beside = sandbox::start(Options { strict: true, ..Options::default() }).await.unwrap();
    let anna = beside.sandbox().create_phone(Some("31612345678"), Some("Anna")).await.unwrap();
    let ben = beside.sandbox().create_phone(Some("31687654321"), Some("Ben")).await.unwrap();
    let root = beside.sandbox().noise_root();
    let ca = folder.join("ca.pem");
    std::fs::write(&ca, beside.sandbox().ca_pem()).unwrap();
    let (service, key) =
        (beside.sandbox().ws_url(), format!("{}:{}", hex::encode(root.public_key), root.serial));
    let arguments = [
        "--root-key",
        ROOT,
        "--service-url",
        &service,
        "--service-root",
        &key,
        "--service-ca",
        ca.to_str().unwrap(),
        "--allow-hosts",
        "127.0.0.1",
        "--requests-per-minute",
        "100000",
    ];
    let data = folder.join("data");
    let mut program = Program::start(&arguments, &data);
    let http = reqwest::Client::builder().no_proxy().timeout(DEADLINE).build().unwrap();
    let made = insist(&http, &format!("{}/v1/accounts", program.url), None, &json!({"name": "first"}))
        .await
        .unwrap();
    let account = format!("/v1/accounts/{}", made["id"].as_str().unwrap());
    let link = format!("{}{account}/link", program.url);
    let shown = insist(&http, &link, None, &json!({"method": "qr"})).await.unwrap();
    anna.scan(shown["qr"].as_str().unwrap()).await.unwrap();
    let online = format!("{}{account}/connect", program.url);
    while insist(&http, &online, None, &json!({})).await.is_none_or(|link| link["state"] != "online") {}
    let mut receiver = Receiver::start().await;
    let hook = json!({"url": receiver.url("/"), "account": made["id"], "events": ["message.received"]});
    insist(&http, &format!("{}/v1/webhooks", program.url), None, &hook).await.unwrap();

    let mut expected = Vec::new();
    for round in 0..ROUNDS {
        let texts: Vec<String> = (0..MESSAGES).map(|number| format!("{round}-{number}")).collect();
        let from_ben = say(&ben, &texts);
        let first = send_all(&http, &program.url, &account, &texts, MESSAGES / 2);
        let ((), ()) = tokio::join!(from_ben, first);
        program.kill();
        program = Program::start(&arguments, &data);
        // The client does not know which of its requests were done: it repeats them all.
        send_all(&http, &program.url, &account, &texts, MESSAGES).await;
        expected.extend(texts);
    }
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut order = Vec::new();
    while order.len() < expected.len() {
        let message =
            ben.wait_message(|message| !message.from_me && !order.contains(&message.text), DEADLINE).await;
        order.push(message.unwrap().text);
    }
    for (_, message) in ben.messages_after(0, std::time::Duration::ZERO).await {
        if !message.from_me {
            *counts.entry(message.text).or_default() += 1;
        }
    }
    let expected_counts: BTreeMap<String, usize> = expected.iter().map(|text| (text.clone(), 1)).collect();
    assert_eq!(counts, expected_counts, "every text reached Ben once");

    let mut told: Vec<(String, String)> = Vec::new();
    while told.len() < expected.len() {
        let delivery = receiver.next().await;
        let id = delivery.headers["whimbrel-event-id"].clone();
        if told.iter().all(|(known, _)| *known != id) {
            told.push((id, delivery.body["data"]["text"].as_str().unwrap().to_owned()));
        }
    }
    let told: Vec<String> = told.into_iter().map(|(_, text)| text).collect();
    assert_eq!(told, expected, "every text of Ben was delivered, in order");
    assert!(beside.sandbox().violations().is_empty(), "{:?}", beside.sandbox().violations());
    drop(program);
    let _ = std::fs::remove_dir_all(&folder);
}

async fn say(phone: &Phone, texts: &[String]) {
    for text in texts {
        phone.send_text("31612345678", text).await.unwrap();
    }
}

/// Sends the first of some texts, each under a key of its own, until each is accepted.
async fn send_all(http: &reqwest::Client, url: &str, account: &str, texts: &[String], count: usize) {
    for text in texts.iter().take(count) {
        let body = json!({"to": "31687654321", "text": text});
        while insist(http, &format!("{url}{account}/messages"), Some(text), &body).await.is_none() {}
    }
}
