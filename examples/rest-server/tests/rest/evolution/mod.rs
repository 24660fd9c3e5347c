//! The Evolution dialect, as its clients speak it.

mod access;
mod chats;
mod events;
mod groups;
mod instances;
mod messages;
mod per_number;

use reqwest::Method;
use serde_json::{Value, json};
use whimbrel_sandbox::phone::Phone;

use crate::support::{Answer, Json as _, ROOT, World};

impl World {
    /// A request of this dialect.
    pub(super) async fn evolution(
        &self,
        key: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Answer {
        let request = self.request(method, path).header("apikey", key);
        Self::send(match body {
            Some(body) => request.json(body),
            None => request,
        })
        .await
    }

    pub(super) async fn epost(&self, key: &str, path: &str, body: &Value) -> Answer {
        self.evolution(key, Method::POST, path, Some(body)).await
    }

    pub(super) async fn eget(&self, key: &str, path: &str) -> Answer {
        self.evolution(key, Method::GET, path, None).await
    }

    /// Makes an instance and links it to a phone: its token.
    pub(super) async fn instance(&self, name: &str, phone: &Phone) -> String {
        self.instance_as(name, phone, "nm").await
    }

    /// The same, with another profile.
    pub(super) async fn instance_as(&self, name: &str, phone: &Phone, profile: &str) -> String {
        let form = json!({"instanceName": name, "integration": "WHATSAPP-BAILEYS", "profile": profile});
        let made = self.epost(ROOT, "/instance/create", &form).await.expect(201);
        let token = made["hash"]["apikey"].as_str().or(made["hash"].as_str()).unwrap().to_owned();
        let id = made["instance"]["instanceId"].as_str().unwrap();
        let mut events = self.events(&token, id, None).await;
        let shown = self.eget(&token, &format!("/instance/connect/{name}")).await.expect(200);
        phone.scan(shown["code"].as_str().unwrap()).await.unwrap();
        events.until("account.state", |event| event["data"]["state"] == "online").await;
        token
    }
}
