//! A sandbox and a server on it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use whimbrel_rest::sandbox::{self, Beside};
use whimbrel_rest::{RestServer, Settings};
use whimbrel_sandbox::phone::{Message, Phone};
use whimbrel_sandbox::{Options, Sandbox};

use super::{DEADLINE, Events};

/// The root key of every test's server.
pub(crate) const ROOT: &str = "root-key-of-the-tests";

static WORLDS: AtomicU32 = AtomicU32::new(0);

/// Everything that a test has.
pub(crate) struct World {
    pub(crate) beside: Beside,
    pub(crate) server: Option<RestServer>,
    pub(crate) http: Client,
    folder: PathBuf,
    url: String,
}

/// An answer whose body was read.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The JSON of the body; `Null` if it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The JSON of the body, of an answer with this status.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// A body of JSON.
pub(crate) trait Json {
    fn json(self, body: &Value) -> Self;
}

impl Json for RequestBuilder {
    fn json(self, body: &Value) -> Self {
        self.header("Content-Type", "application/json").body(body.to_string())
    }
}

impl World {
    /// A world with the usual settings.
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A world with other settings.
    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let number = WORLDS.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("whimbrel-rest-test-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let options = Options { strict: true, ..Options::default() };
        let beside = sandbox::start(options).await.unwrap();
        let mut settings = Settings::at(folder.clone());
        settings.root_key = Some(ROOT.to_owned());
        settings.requests_per_minute = 100_000;
        let mut settings = beside.settings(settings, &folder);
        change(&mut settings);
        let server = RestServer::start(settings).await.unwrap();
        let url = server.url().to_owned();
        let http = Client::builder().no_proxy().timeout(DEADLINE).build().unwrap();
        Self { beside, server: Some(server), http, folder, url }
    }

    /// Stops the server and starts it again in the same folder, at another port.
    pub(crate) async fn restart(&mut self) {
        self.server.take().unwrap().stop().await;
        let mut settings = Settings::at(self.folder.clone());
        settings.root_key = Some(ROOT.to_owned());
        settings.requests_per_minute = 100_000;
        let settings = self.beside.settings(settings, &self.folder);
        let server = RestServer::start(settings).await.unwrap();
        self.url = server.url().to_owned();
        self.server = Some(server);
    }

    pub(crate) fn sandbox(&self) -> &Sandbox {
        self.beside.sandbox()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// A request without a key.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.url(path))
    }

    /// Sends a request and reads the answer.
    pub(crate) async fn send(request: RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, body: response.bytes().await.unwrap().to_vec() }
    }

    pub(crate) async fn get(&self, key: &str, path: &str) -> Answer {
        Self::send(self.request(Method::GET, path).bearer_auth(key)).await
    }

    pub(crate) async fn post(&self, key: &str, path: &str, body: &Value) -> Answer {
        Self::send(self.request(Method::POST, path).bearer_auth(key).json(body)).await
    }

    pub(crate) async fn patch(&self, key: &str, path: &str, body: &Value) -> Answer {
        Self::send(self.request(Method::PATCH, path).bearer_auth(key).json(body)).await
    }

    pub(crate) async fn delete(&self, key: &str, path: &str) -> Answer {
        Self::send(self.request(Method::DELETE, path).bearer_auth(key)).await
    }

    /// A phone of the sandbox.
    pub(crate) async fn phone(&self, number: &str, name: &str) -> Phone {
        self.sandbox().create_phone(Some(number), Some(name)).await.unwrap()
    }

    /// Makes an account by the native dialect: its id and key.
    pub(crate) async fn account(&self, name: &str) -> (String, String) {
        let made = self.post(ROOT, "/v1/accounts", &json!({"name": name})).await.expect(201);
        (made["id"].as_str().unwrap().to_owned(), made["key"].as_str().unwrap().to_owned())
    }

    /// Makes an account and links it to a phone: its id and key.
    pub(crate) async fn linked(&self, name: &str, phone: &Phone) -> (String, String) {
        let (id, key) = self.account(name).await;
        self.link(&id, &key, phone).await;
        (id, key)
    }

    /// Links an account to a phone, and waits until it is online.
    pub(crate) async fn link(&self, id: &str, key: &str, phone: &Phone) {
        let mut events = self.events(key, id, None).await;
        let path = format!("/v1/accounts/{id}/link");
        let shown = self.post(key, &path, &json!({"method": "qr"})).await.expect(202);
        phone.scan(shown["qr"].as_str().unwrap()).await.unwrap();
        events.until("account.state", |event| event["data"]["state"] == "online").await;
    }

    /// Follows an account's events.
    pub(crate) async fn events(&self, key: &str, account: &str, after: Option<&str>) -> Events {
        let request = self.request(Method::GET, &format!("/v1/accounts/{account}/events")).bearer_auth(key);
        let request = match after {
            Some(id) => request.header("Last-Event-ID", id),
            None => request,
        };
        Events::follow(request).await
    }

    /// A message that a phone got, by its id.
    pub(crate) async fn arrived(phone: &Phone, id: &Value) -> Message {
        let id = id.as_str().unwrap();
        phone.wait_message(|message| message.id == id, DEADLINE).await.unwrap()
    }

    /// What a phone got, as JSON of the protocol.
    pub(crate) async fn wire(phone: &Phone, id: &Value) -> Value {
        let message: whimbrel_proto::e2e::Message =
            whimbrel_proto::decode(&Self::arrived(phone, id).await.raw).unwrap();
        whimbrel_proto::json::to_json(&message, whimbrel_proto::json::Form::Named).unwrap()
    }

    /// The folder for files goes: what needs it is a fault of the server.
    pub(crate) fn lose_files(&self) {
        std::fs::remove_dir_all(self.folder.join("files")).unwrap();
    }

    /// Nothing that no real client would do has been done.
    pub(crate) fn assert_clean(&self) {
        assert!(self.sandbox().violations().is_empty(), "{:?}", self.sandbox().violations());
    }
}

impl Drop for World {
    fn drop(&mut self) {
        drop(self.server.take());
        // What is left of it is in the system's temporary folder.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
