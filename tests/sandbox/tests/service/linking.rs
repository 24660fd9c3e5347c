//! Linking: references, what the service checks, and the first login.

use crate::support::{Client, DEADLINE, Keys, TestPhone, link, login, pair_device_sign, payload, sandbox};
use whimbrel_proto::client::ClientPayload;
use whimbrel_sandbox::Event;
use whimbrel_wire::{Jid, Node};

async fn offered(client: &mut Client) -> Vec<String> {
    let offer = client.expect("iq").await;
    assert_eq!(offer.attr_jid("from"), Some(Jid::SERVER));
    let id = offer.attr_text("id").unwrap().into_owned();
    client.send(&Node::new("iq").attr("type", "result").attr("to", Jid::SERVER).attr("id", id)).await;
    let refs = offer.child_named("pair-device").unwrap();
    refs.children_named("ref").map(|node| node.content_text().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_companion_links_and_logs_in_with_its_device_number() {
    let sandbox = sandbox().await;
    let mut phone = TestPhone::attach(&sandbox, "15550001");
    let keys = Keys::new(1);
    let device = link(&sandbox, &mut phone, &keys).await;
    assert_eq!(device, Jid::pn("15550001").with_device(1));
    let mut client = Client::connect(&sandbox, &keys, &login(&device, false)).await;
    let success = client.expect("success").await;
    assert_eq!(success.attr_jid("lid"), Some(phone.link.lid.with_device(1)));
    assert!(success.attr_u64("t").is_some());
    let ended = client.expect("ib").await;
    assert_eq!(ended.to_string(), r#"<ib from=J:"s.whatsapp.net"><offline count="0"/></ib>"#);
}

#[tokio::test]
async fn six_different_references_are_offered_and_one_is_good_for_one_link() {
    let sandbox = sandbox().await;
    let mut phone = TestPhone::attach(&sandbox, "15550001");
    let keys = Keys::new(1);
    let mut client = Client::connect(&sandbox, &keys, &keys.registration()).await;
    let mut refs = offered(&mut client).await;
    refs.dedup();
    assert_eq!(refs.len(), 6);
    let upload = phone.pair_device(&keys, &refs[2]);
    phone.send(upload).await;
    client.expect_where(|node| node.child_named("pair-success").is_some()).await;
    let again = phone.pair_device(&keys, &refs[3]);
    let refused = phone.ask(again).await;
    assert!(refused.child_named("error").unwrap().attr_is("code", "404"), "{refused}");
}

#[tokio::test]
async fn an_upload_for_another_key_or_an_unknown_reference_is_refused() {
    let sandbox = sandbox().await;
    let mut phone = TestPhone::attach(&sandbox, "15550001");
    let (keys, others) = (Keys::new(1), Keys::new(2));
    let mut client = Client::connect(&sandbox, &keys, &keys.registration()).await;
    let refs = offered(&mut client).await;
    let foreign = phone.pair_device(&others, &refs[0]);
    assert!(phone.ask(foreign).await.child_named("error").unwrap().attr_is("code", "400"));
    let unknown = phone.pair_device(&keys, "2@nonsense");
    assert!(phone.ask(unknown).await.child_named("error").unwrap().attr_is("code", "404"));
    // The companion is unaffected.
    let upload = phone.pair_device(&keys, &refs[0]);
    phone.send(upload).await;
    client.expect_where(|node| node.child_named("pair-success").is_some()).await;
}

#[tokio::test]
async fn a_list_that_the_phone_did_not_sign_is_refused() {
    let sandbox = sandbox().await;
    let mut phone = TestPhone::attach(&sandbox, "15550001");
    let mut thief = TestPhone::attach(&sandbox, "15550002");
    let keys = Keys::new(1);
    let mut client = Client::connect(&sandbox, &keys, &keys.registration()).await;
    let refs = offered(&mut client).await;
    let stolen = phone.pair_device(&keys, &refs[0]);
    assert!(thief.ask(stolen).await.child_named("error").unwrap().attr_is("code", "400"));
}

#[tokio::test]
async fn what_the_companion_signs_is_checked() {
    let sandbox = sandbox().await;
    let mut phone = TestPhone::attach(&sandbox, "15550001");
    let (keys, others) = (Keys::new(1), Keys::new(2));
    let mut client = Client::connect(&sandbox, &keys, &keys.registration()).await;
    let refs = offered(&mut client).await;
    let upload = phone.pair_device(&keys, &refs[0]);
    phone.send(upload).await;
    let success = client.expect_where(|node| node.child_named("pair-success").is_some()).await;
    client.send(&pair_device_sign(&others, &success)).await;
    let failed = phone.expect_where(|node| node.tag() == "iq").await;
    assert!(failed.attr_is("type", "error"), "{failed}");
    let rest = client.rest().await;
    assert!(rest.iter().any(|node| node.attr_is("code", "500")), "{rest:?}");
    assert!(!sandbox.state().devices.iter().any(|device| device.device == "15550001:1"));
    assert_eq!(sandbox.findings().len(), 1);
}

#[tokio::test]
async fn an_error_of_the_companion_reaches_the_phone() {
    let sandbox = sandbox().await;
    let mut phone = TestPhone::attach(&sandbox, "15550001");
    let keys = Keys::new(1);
    let mut client = Client::connect(&sandbox, &keys, &keys.registration()).await;
    let refs = offered(&mut client).await;
    let upload = phone.pair_device(&keys, &refs[0]);
    phone.send(upload).await;
    let success = client.expect_where(|node| node.child_named("pair-success").is_some()).await;
    let error = Node::new("error").attr("code", "401").attr("text", "hmac-mismatch");
    let id = success.attr_text("id").unwrap().into_owned();
    client
        .send(&Node::new("iq").attr("type", "error").attr("to", Jid::SERVER).attr("id", id).child(error))
        .await;
    let failed = phone.expect_where(|node| node.tag() == "iq").await;
    assert!(failed.child_named("error").unwrap().attr_is("text", "hmac-mismatch"), "{failed}");
}

async fn refused(sandbox: &whimbrel_sandbox::Sandbox, keys: &Keys, payload: &ClientPayload) -> String {
    let client = Client::connect(sandbox, keys, payload).await;
    let rest = client.rest().await;
    let failure = rest.iter().find(|node| node.tag() == "failure").expect("no failure");
    failure.attr_text("reason").unwrap().into_owned()
}

#[tokio::test]
async fn logins_are_refused_with_the_reason_that_clients_act_on() {
    let sandbox = sandbox().await;
    let mut phone = TestPhone::attach(&sandbox, "15550001");
    let keys = Keys::new(1);
    let device = link(&sandbox, &mut phone, &keys).await;
    let good = login(&device, true);

    assert_eq!(refused(&sandbox, &Keys::new(2), &good).await, "401", "another noise key");
    assert_eq!(refused(&sandbox, &keys, &login(&device.with_device(2), true)).await, "401", "unknown device");
    assert_eq!(refused(&sandbox, &keys, &login(&device.to_bare(), true)).await, "401", "the phone's place");
    assert_eq!(refused(&sandbox, &keys, &payload()).await, "400", "neither login nor registration");
    let both = ClientPayload { username: good.username, ..keys.registration() };
    assert_eq!(refused(&sandbox, &keys, &both).await, "400", "both");
    let mut android = good.clone();
    android.user_agent.as_mut().unwrap().platform = None;
    assert_eq!(refused(&sandbox, &keys, &android).await, "409", "no web client");
    let mut old = good.clone();
    old.user_agent.as_mut().unwrap().app_version.as_mut().unwrap().secondary = Some(2000);
    assert_eq!(refused(&sandbox, &keys, &old).await, "405", "too old");
    let mut forged = keys.registration();
    forged.device_pairing_data.as_mut().unwrap().e_skey_sig = Some(vec![1; 64]);
    assert_eq!(refused(&sandbox, &keys, &forged).await, "400", "forged signature");
    assert!(sandbox.bar("15550001", Some(403)));
    assert_eq!(refused(&sandbox, &keys, &good).await, "403", "barred");
    assert!(sandbox.bar("15550001", None));
    assert!(sandbox.unlink("15550001:1"));
    assert_eq!(refused(&sandbox, &keys, &good).await, "401", "unlinked");
}

#[tokio::test]
async fn the_older_of_two_connections_of_a_device_is_replaced() {
    let sandbox = sandbox().await;
    let mut phone = TestPhone::attach(&sandbox, "15550001");
    let keys = Keys::new(1);
    let device = link(&sandbox, &mut phone, &keys).await;
    let older = Client::connect(&sandbox, &keys, &login(&device, true)).await;
    let logged_in = |event: &Event| matches!(event, Event::LoggedIn { device, .. } if device == "15550001:1");
    sandbox.events().wait_for(logged_in, DEADLINE).await.unwrap();
    let mut newer = Client::connect(&sandbox, &keys, &login(&device, true)).await;
    newer.expect("success").await;
    let rest = older.rest().await;
    let error = rest.iter().find(|node| node.tag() == "stream:error").unwrap();
    assert_eq!(error.to_string(), r#"<stream:error><conflict type="replaced"/></stream:error>"#);
    // The newer one goes on.
    let answer = newer.ask(crate::support::request("1", "get", "w:p", Node::new("ping"))).await;
    assert!(answer.attr_is("type", "result"));
}

#[tokio::test]
async fn an_unlinked_companion_is_told_and_everybody_else_too() {
    let sandbox = sandbox().await;
    let mut phone = TestPhone::attach(&sandbox, "15550001");
    let keys = Keys::new(1);
    let device = link(&sandbox, &mut phone, &keys).await;
    let mut client = crate::support::enter(&sandbox, &keys, &device).await;
    let foreign = Node::new("remove-companion-device").attr("jid", Jid::pn("15550009").with_device(1));
    let answer = client.ask(crate::support::request("1", "set", "md", foreign)).await;
    assert!(answer.child_named("error").unwrap().attr_is("code", "404"), "{answer}");
    let remove = Node::new("remove-companion-device").attr("jid", &device).attr("reason", "user_initiated");
    let answer = client.ask(crate::support::request("2", "set", "md", remove)).await;
    assert!(answer.attr_is("type", "result"), "{answer}");
    let rest = client.rest().await;
    let error = rest.iter().find(|node| node.tag() == "stream:error").unwrap();
    assert_eq!(
        error.to_string(),
        r#"<stream:error code="401"><conflict type="device_removed"/></stream:error>"#
    );
    let removed =
        phone.expect_where(|node| node.first_child().is_some_and(|child| child.tag() == "remove")).await;
    assert_eq!(removed.child_nodes()[0].child_named("device").unwrap().attr_jid("jid"), Some(device));
}
