//! Businesses, what they sell, orders and bots, between a device of ours and one of Baileys or whatsmeow; and how far
//! an account may go, as both ask for it.

use std::time::Duration;

use serde_json::{Value, json};
use whimbrel::events::{BusinessChange, EventKind};
use whimbrel::{BusinessHours, CallOptions, Jid, ProductDraft, ProfileUpdate};
use whimbrel_interop::Program;
use whimbrel_sandbox::Restriction;

use crate::support::{Device, Stage};

const ANA: &str = "15550001";
const BEN: &str = "15550002";

fn by(program: Program, baileys: &'static str, whatsmeow: &'static str) -> &'static str {
    match program {
        Program::Baileys => baileys,
        Program::Whatsmeow => whatsmeow,
    }
}

async fn asked(peer: &Device, method: &str, arguments: Value) -> Value {
    peer.as_peer().call(method, arguments).await.unwrap()
}

fn says(value: &Value, words: &str) {
    assert!(value.to_string().contains(words), "{words}: {value}");
}

/// What a business of ours says and sells, a peer reads.
async fn business(program: Program, story: &str) {
    let stage = Stage::new(story).await;
    let (ana, ben) = (stage.person(ANA, "Ana").await, stage.person(BEN, "Ben").await);
    let (ours, peer) = (stage.whimbrel(&ana).await, stage.peer(program, &ben).await);
    let (client, options) = (ours.as_client(), CallOptions::default);
    assert!(stage.sandbox.make_business(ANA, "Finches Ltd"));
    let mut update = ProfileUpdate::default();
    update.address = Some("Pond 1".to_owned());
    update.email = Some("finch@example.org".to_owned());
    let day = BusinessHours {
        day: "mon".to_owned(),
        mode: "specific_hours".to_owned(),
        opens: Some(480),
        closes: Some(1080),
    };
    update.hours = Some(("Europe/Amsterdam".to_owned(), vec![day]));
    client.edit_business_profile(update, options()).await.unwrap();
    let read = by(program, "getBusinessProfile", "GetBusinessProfile");
    let profile = asked(&peer, read, json!([ana.jid().to_string()])).await;
    for words in ["Pond 1", "finch@example.org", "Europe/Amsterdam", "mon", "specific_hours"] {
        says(&profile, words);
    }

    let mut draft = ProductDraft::default();
    draft.name = "Seeds".to_owned();
    draft.price = 4_500;
    draft.currency = "EUR".to_owned();
    let product = client.put_product(None, draft, options()).await.unwrap();
    if program == Program::Baileys {
        let catalog = asked(&peer, "getCatalog", json!([{"jid": ana.jid().to_string(), "limit": 10}])).await;
        assert_eq!(catalog.pointer("/products/0/name"), Some(&json!("Seeds")));
        assert_eq!(catalog.pointer("/products/0/price"), Some(&json!(4_500)));
        let collections = asked(&peer, "getCollections", json!([ana.jid().to_string()])).await;
        says(&collections, "Seeds");
    }
    let token = stage.sandbox.order_product(ANA, "1234", &product.id).unwrap();
    let order = asked(&peer, by(program, "getOrderDetails", "GetOrderDetails"), json!(["1234", token])).await;
    says(&order, "Seeds");
    says(&order, "4500");
    let ours_reads = client.order("1234", &token, options()).await.unwrap();
    assert_eq!(ours_reads.total, 4_500);

    stage.sandbox.offer_bot(&Jid::parse("867051314767696@bot").unwrap(), "Finch");
    let bots = asked(&peer, by(program, "getBotListV2", "GetBotListV2"), json!([])).await;
    says(&bots, "867051314767696");
    stage.is_quiet().await;
    stage.finish();
}

#[tokio::test]
async fn a_business_of_ours_is_read_by_baileys() {
    business(Program::Baileys, "business-baileys").await;
}

#[tokio::test]
async fn a_business_of_ours_is_read_by_whatsmeow() {
    business(Program::Whatsmeow, "business-whatsmeow").await;
}

#[tokio::test]
async fn a_business_of_baileys_is_read_and_heard_by_ours() {
    let stage = Stage::new("business-of-baileys").await;
    let (ana, ben) = (stage.person(ANA, "Ana").await, stage.person(BEN, "Ben").await);
    let (peer, same, other) =
        (stage.peer(Program::Baileys, &ana).await, stage.whimbrel(&ana).await, stage.whimbrel(&ben).await);
    assert!(stage.sandbox.make_business(ANA, "Finches Ltd"));
    let change = |wanted: BusinessChange| {
        same.event("a change of the business", move |event| match event {
            EventKind::BusinessChanged(changed) if changed.change == wanted => Some(()),
            _ => None,
        })
    };
    change(BusinessChange::Name).await;
    let hours = json!({"timezone": "Europe/Amsterdam", "days": [{"day": "tue", "mode": "open_24h"}]});
    let profile = json!([{"address": "Pond 2", "websites": ["https://b.example"], "hours": hours}]);
    asked(&peer, "updateBussinesProfile", profile).await;
    change(BusinessChange::Profile).await;
    let (client, options) = (other.as_client(), CallOptions::default);
    let told = client.business_profile(&ana.jid(), options()).await.unwrap().unwrap();
    assert_eq!((told.address.as_deref(), told.websites.len()), (Some("Pond 2"), 1));
    let hours: Vec<_> = told.hours.iter().map(|day| (day.day.as_str(), day.mode.as_str())).collect();
    assert_eq!(hours, [("tue", "open_24h")]);
    let product = json!([{"name": "Nests", "description": "warm", "price": 900, "currency": "EUR", "images": [], "isHidden": false}]);
    let made = asked(&peer, "productCreate", product).await;
    let page = client.catalog(&ana.jid(), 10, None, options()).await.unwrap();
    let sold: Vec<_> = page.products.iter().map(|one| (one.id.as_str(), one.name.as_str())).collect();
    let id = made.get("id").and_then(Value::as_str).unwrap();
    assert_eq!(sold, [(id, "Nests")]);
    let gone = asked(&peer, "productDelete", json!([[id]])).await;
    assert_eq!(gone.get("deleted"), Some(&json!(1)));
    assert!(client.catalog(&ana.jid(), 10, None, options()).await.unwrap().products.is_empty());
    stage.is_quiet().await;
    stage.finish();
}

/// How far the account may go: told to both devices, and asked for by both.
async fn limits(program: Program, story: &str) {
    let stage = Stage::new(story).await;
    let ana = stage.person(ANA, "Ana").await;
    let (ours, peer) = (stage.whimbrel(&ana).await, stage.peer(program, &ana).await);
    let hour = Some(Duration::from_secs(3600));
    assert!(stage.sandbox.restrict(ANA, Restriction::ReachoutTimelock, hour, true));
    let (event, marker) = match program {
        Program::Baileys => ("connection.update", "reachoutTimeLock"),
        Program::Whatsmeow => ("NotifyAccountReachoutTimelock", ""),
    };
    peer.as_peer().was_told(event, |value| value.to_string().contains(marker)).await.unwrap();
    ours.event("a restriction", |event| matches!(event, EventKind::Restriction(_)).then_some(())).await;
    let limits = ours.as_client().limits(CallOptions::default()).await.unwrap();
    assert!(limits.reachout_locked);
    if program == Program::Baileys {
        let lock = asked(&peer, "fetchAccountReachoutTimelock", json!([])).await;
        assert_eq!(lock.get("isActive"), Some(&json!(true)), "{lock}");
        let cap = asked(&peer, "fetchNewChatMessageCap", json!([])).await;
        let used = cap.get("used_quota").unwrap();
        let used = used.as_i64().or_else(|| used.as_str()?.parse().ok());
        assert_eq!(used, limits.new_chats.unwrap().used, "{cap}");
    }
    stage.is_quiet().await;
    stage.finish();
}

#[tokio::test]
async fn limits_are_told_to_whimbrel_and_baileys() {
    limits(Program::Baileys, "limits-baileys").await;
}

#[tokio::test]
async fn limits_are_told_to_whimbrel_and_whatsmeow() {
    limits(Program::Whatsmeow, "limits-whatsmeow").await;
}
