//! Linking to a phone, by QR code and by pairing code, and ending the link.

use std::time::Duration;

use whimbrel::events::{ConnectionState, EventKind};
use whimbrel::{CallOptions, Code};
use whimbrel_sandbox::{Event, Fault, FaultRule, StanzaMatch};
use whimbrel_scenarios::{DEADLINE, NUMBER, Wait as _, World, next_kind, quiet, within};

fn linked(kind: &EventKind) -> Option<whimbrel::events::Linked> {
    match kind {
        EventKind::Linked(linked) => Some(linked.clone()),
        _ => None,
    }
}

fn link_failed(kind: &EventKind) -> Option<&'static str> {
    match kind {
        EventKind::LinkFailed(failed) => Some(failed.reason),
        _ => None,
    }
}

fn logged_out(kind: &EventKind) -> Option<(String, u16)> {
    match kind {
        EventKind::LoggedOut(out) => Some((out.reason.to_string(), out.service_status)),
        _ => None,
    }
}

#[tokio::test]
async fn a_scanned_code_links_and_the_restart_logs_in() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    let mut events = client.events().unwrap();
    assert!(client.account().is_none());
    let phone = world.link(&client, NUMBER).await;

    let told = next_kind(&mut events, linked).await;
    assert_eq!(told.account.phone.as_ref(), Some(&phone.jid()));
    assert_eq!(told.account.lid.as_ref(), Some(&phone.lid()));
    assert_eq!(told.account.id, phone.lid());
    let account = client.account().unwrap();
    assert_eq!(account.identity, told.account);
    assert_eq!(phone.companions(), [account.device]);
    assert_eq!(client.connection_state(), ConnectionState::Online);

    let device = format!("{NUMBER}:{}", account.device);
    world.wait(|event| matches!(event, Event::PrekeysUploaded { device: owner, added: 812, .. } if *owner == device)).await;
    world.wait(|event| matches!(event, Event::Active { device: active } if *active == device)).await;
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_client_that_starts_by_itself_shows_codes_as_events() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), whimbrel::ClientOptions::default()).unwrap();
    let mut events = client.events().unwrap();
    let text = next_kind(&mut events, |kind| match kind {
        EventKind::Qr(qr) => Some(qr.text.clone()),
        _ => None,
    })
    .await;
    let phone = world.sandbox.phone(NUMBER).await.unwrap();
    phone.scan(&text).await.unwrap();
    next_kind(&mut events, linked).await;
    client.wait_online().await;
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_typed_code_links() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    let phone = world.sandbox.phone(NUMBER).await.unwrap();
    let code = client.link_with_code("+31 6 1234-5678", CallOptions::default()).await.unwrap().code;
    assert_eq!(code.len(), 9, "{code}");
    phone.enter_code(&code.to_lowercase().replace('-', " ")).await.unwrap();
    client.wait_online().await;
    assert_eq!(client.account().unwrap().identity.phone, Some(phone.jid()));
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_new_code_voids_the_one_before() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    let phone = world.sandbox.phone(NUMBER).await.unwrap();
    let first = client.link_with_code(NUMBER, CallOptions::default()).await.unwrap().code;
    let second = client.link_with_code(NUMBER, CallOptions::default()).await.unwrap().code;
    assert_ne!(first, second);
    assert!(phone.enter_code(&first).await.is_err());
    let third = client.link_with_code(NUMBER, CallOptions::default()).await.unwrap().code;
    phone.enter_code(&third).await.unwrap();
    client.wait_online().await;
    engine.close(DEADLINE).await.unwrap();
}

async fn pairing_code(events: &mut whimbrel::events::EventStream) -> Result<String, &'static str> {
    next_kind(events, |kind| match kind {
        EventKind::PairingCode(code) => Some(Ok(code.code.clone())),
        EventKind::PairingCodeFailed(failed) => Some(Err(failed.reason)),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn the_service_can_ask_for_another_code_and_for_none() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    let mut events = client.events().unwrap();
    let phone = world.sandbox.phone(NUMBER).await.unwrap();
    let first = client.link_with_code(NUMBER, CallOptions::default()).await.unwrap().code;
    assert!(world.sandbox.refresh_code(NUMBER, false));
    let second = pairing_code(&mut events).await.unwrap();
    assert_ne!(first, second);
    assert!(phone.enter_code(&first).await.is_err());
    // A mistyped code is not the end of it, but this phone has used up the second one.
    assert!(world.sandbox.refresh_code(NUMBER, true));
    assert_eq!(pairing_code(&mut events).await, Err("ended"));
    let third = client.link_with_code(NUMBER, CallOptions::default()).await.unwrap().code;
    phone.enter_code(&third).await.unwrap();
    client.wait_online().await;
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_code_dies_with_its_connection_and_the_host_is_told() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    let mut events = client.events().unwrap();
    world.sandbox.phone(NUMBER).await.unwrap();
    client.link_with_code(NUMBER, CallOptions::default()).await.unwrap();
    client.disconnect();
    assert_eq!(pairing_code(&mut events).await, Err("disconnected"));
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_demand_for_a_passkey_is_passed_on_and_the_codes_go_on() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    let mut events = client.events().unwrap();
    let code = client.link_with_qr(CallOptions::default()).await.unwrap();
    for with_options in [true, false] {
        assert_eq!(world.sandbox.demand_passkey(with_options), 1);
        let options = next_kind(&mut events, |kind| match kind {
            EventKind::PasskeyRequired(required) => Some(required.options.clone()),
            _ => None,
        })
        .await;
        assert!(options.unwrap().contains("challenge"), "asked for when it was not there: {with_options}");
    }
    world.sandbox.phone(NUMBER).await.unwrap().scan(&code.text).await.unwrap();
    client.wait_online().await;
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_wrong_phone_number_is_refused_before_anything_is_sent() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    for number in ["", "12ab5678", "0612345678", "123"] {
        let error = client.link_with_code(number, CallOptions::default()).await.unwrap_err();
        assert_eq!((error.code(), error.operation()), (Code::InvalidArgument, Some("link_with_code")));
    }
    assert_eq!(client.connection_state(), ConnectionState::Stopped);
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_linked_client_is_not_linked_twice() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, NUMBER).await;
    for error in [
        client.link_with_qr(CallOptions::default()).await.unwrap_err(),
        client.link_with_code(NUMBER, CallOptions::default()).await.unwrap_err(),
    ] {
        assert_eq!(error.code(), Code::WrongState);
    }
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn an_unlinked_client_cannot_connect() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    assert_eq!(client.connect(CallOptions::default()).await.unwrap_err().code(), Code::NotLinked);
    assert_eq!(client.logout(CallOptions::default()).await.unwrap_err().code(), Code::NotLinked);
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_cut_before_the_restart_still_leads_to_a_login() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    let code = client.link_with_qr(CallOptions::default()).await.unwrap();
    // The answer that carries the signed identity is handled, then the connection is cut.
    let phone = world.sandbox.phone(NUMBER).await.unwrap();
    let scanned = phone.scan(&code.text);
    let (device, ()) = tokio::join!(scanned, async {
        let _ = world.sandbox.disconnect(NUMBER);
    });
    drop(device);
    if client.account().is_none() {
        // The phone itself was cut too early; it scans what is shown now.
        phone.go_online().await.unwrap();
        let code = client.link_with_qr(CallOptions::default()).await;
        if let Ok(code) = code {
            phone.scan(&code.text).await.unwrap();
        }
    }
    client.wait_online().await;
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn one_refused_login_after_the_restart_does_not_end_the_link() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    world.sandbox.add_fault(FaultRule::new(Fault::Failure { reason: 401 }));
    world.link(&client, NUMBER).await;
    assert!(client.account().is_some());
    world.wait(|event| matches!(event, Event::FaultApplied { .. })).await;
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_link_that_the_service_does_not_complete_is_reported_and_can_be_made_anew() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    let mut events = client.events().unwrap();
    let phone = world.sandbox.phone(NUMBER).await.unwrap();
    world.sandbox.add_fault(FaultRule::new(Fault::Failure { reason: 401 }).times(2));
    let code = client.link_with_qr(CallOptions::default()).await.unwrap();
    phone.scan(&code.text).await.unwrap();
    assert_eq!(next_kind(&mut events, link_failed).await, "refused");
    assert!(client.account().is_none());
    assert_eq!(client.connect(CallOptions::default()).await.unwrap_err().code(), Code::NotLinked);
    world.link(&client, NUMBER).await;
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn codes_that_nobody_scans_run_out() {
    let world = World::start_with(|options| options.limits.refs = Duration::from_millis(300)).await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    let first = client.link_with_qr(CallOptions::default()).await.unwrap();
    // The service ends the round; the client comes back with another one by itself.
    let mut events = client.events().unwrap();
    let next = next_kind(&mut events, |kind| match kind {
        EventKind::Qr(qr) if qr.text != first.text => Some(qr.text.clone()),
        _ => None,
    })
    .await;
    let secret = |text: &str| text.rsplit(',').nth(1).map(str::to_owned);
    assert_ne!(secret(&first.text), secret(&next), "a secret is shown in one round only");
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn the_host_logs_out_and_links_anew() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, phone) = world.linked(&engine, NUMBER).await;
    let mut events = client.events().unwrap();
    let first = client.account().unwrap().device;
    client.logout(CallOptions::default()).await.unwrap();
    assert_eq!(next_kind(&mut events, logged_out).await.0, "host");
    assert!(client.account().is_none());
    let device = format!("{NUMBER}:{first}");
    world.wait(|event| matches!(event, Event::Unlinked { device: gone } if *gone == device)).await;
    assert_eq!(client.connect(CallOptions::default()).await.unwrap_err().code(), Code::LoggedOut);

    let code = client.link_with_qr(CallOptions::default()).await.unwrap();
    phone.scan(&code.text).await.unwrap();
    client.wait_online().await;
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_logout_without_an_answer_is_finished_after_the_next_login() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, NUMBER).await;
    let mut events = client.events().unwrap();
    let remove = StanzaMatch::request("md").child("remove-companion-device");
    world.sandbox.add_fault(FaultRule::new(Fault::Lose).stanza(remove));
    let error = client.logout(CallOptions::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::TimedOut);
    assert!(client.account().is_some(), "nothing is given up without the service's word");
    client.disconnect();
    // The next login finishes what the host began, so the connection itself is not kept.
    let _ = client.connect(CallOptions::default()).await;
    assert_eq!(next_kind(&mut events, logged_out).await.0, "host");
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_removal_by_the_phone_ends_the_link_and_keeps_the_store_usable() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, phone) = world.linked(&engine, NUMBER).await;
    let mut events = client.events().unwrap();
    phone.unlink(client.account().unwrap().device).await.unwrap();
    assert_eq!(next_kind(&mut events, logged_out).await, ("removed".to_owned(), 401));
    assert!(client.account().is_none());
    let stopped =
        |kind: &EventKind| matches!(kind, EventKind::Connection(ConnectionState::Stopped)).then_some(());
    if client.connection_state() != ConnectionState::Stopped {
        next_kind(&mut events, stopped).await;
    }
    let error = client.connect(within(DEADLINE)).await.unwrap_err();
    assert_eq!(error.code(), Code::LoggedOut);
    world.link(&client, NUMBER).await;
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_removal_while_away_ends_the_link_at_the_next_login() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, phone) = world.linked(&engine, NUMBER).await;
    let mut events = client.events().unwrap();
    client.disconnect();
    let device = format!("{NUMBER}:{}", client.account().unwrap().device);
    world.wait(|event| matches!(event, Event::Disconnected { device: gone } if *gone == device)).await;
    phone.unlink(client.account().unwrap().device).await.unwrap();
    let error = client.connect(within(DEADLINE)).await.unwrap_err();
    assert_eq!((error.code(), error.service_status()), (Code::LoggedOut, 401));
    assert_eq!(next_kind(&mut events, logged_out).await, ("removed".to_owned(), 401));
    engine.close(DEADLINE).await.unwrap();
}
