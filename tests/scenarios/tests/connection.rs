//! Staying connected: reconnects, refusals, proofs of the server, deadlines, closing.

use std::time::{Duration, Instant};

use whimbrel::events::{ClosedReason, ConnectionState, EventKind};
use whimbrel::{CallOptions, Client, Code, Engine};
use whimbrel_sandbox::{Event, Fault, FaultRule, Pace, StanzaMatch};
use whimbrel_scenarios::{
    DEADLINE, NUMBER, Wait as _, World, device_label, next_kind, next_state, quiet, waiting_reason, within,
};

fn device(client: &Client) -> String {
    device_label(client, NUMBER)
}

#[tokio::test]
async fn the_second_login_resumes_and_a_changed_server_key_is_learned_anew() {
    for resumption in [true, false] {
        let world = World::start_with(|options| options.limits.resumption = resumption).await;
        let engine = world.engine();
        let (client, _) = world.linked(&engine, NUMBER).await;
        for _ in 0..2 {
            client.disconnect();
            client.wait_online().await;
        }
        world.assert_no_findings();
        engine.close(DEADLINE).await.unwrap();
    }
}

#[tokio::test]
async fn tls_with_the_sandboxs_authority_works_and_without_it_is_refused() {
    let world = World::start().await;
    let mut options = world.engine_options();
    options.endpoint.url = world.sandbox.wss_url();
    let authority = options.endpoint.extra_ca_pem.take();
    let strangers = Engine::new(options.clone()).unwrap();
    options.endpoint.extra_ca_pem = authority;
    let engine = Engine::new(options).unwrap();
    world.linked(&engine, NUMBER).await;
    engine.close(DEADLINE).await.unwrap();

    let client = strangers.open(world.store(NUMBER), quiet()).unwrap();
    assert_eq!(client.connect(within(DEADLINE)).await.unwrap_err().code(), Code::UntrustedServer);
    strangers.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_server_of_another_root_is_not_trusted() {
    let world = World::start().await;
    let mut options = world.engine_options();
    options.endpoint.noise_root = None;
    let engine = Engine::new(options).unwrap();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    let started = Instant::now();
    let error = client.link_with_qr(within(DEADLINE)).await.unwrap_err();
    assert_eq!(error.code(), Code::UntrustedServer);
    assert!(started.elapsed() < DEADLINE / 2, "told at once");
    let state = client.connection_state();
    assert!(matches!(state, ConnectionState::Waiting { reason: "untrusted_server", .. }), "{state:?}");
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn nobody_listening_is_told_at_the_deadline() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let world = World::start().await;
    let mut options = world.engine_options();
    options.endpoint.url = format!("ws://127.0.0.1:{port}/ws/chat");
    let engine = Engine::new(options).unwrap();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    let error = client.link_with_qr(within(Duration::from_millis(500))).await.unwrap_err();
    assert_eq!(error.code(), Code::ConnectFailed);
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_cut_connection_is_made_anew() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, NUMBER).await;
    let mut events = client.events().unwrap();
    next_state(&mut events, |state| *state == ConnectionState::Online).await;
    for _ in 0..2 {
        assert!(world.sandbox.disconnect(&device(&client)));
        waiting_reason(&mut events).await;
        next_state(&mut events, |state| *state == ConnectionState::Online).await;
    }
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_forced_restart_reconnects_without_a_wait() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, NUMBER).await;
    let mut events = client.events().unwrap();
    next_state(&mut events, |state| *state == ConnectionState::Online).await;
    assert!(world.sandbox.stream_error(&device(&client), Some(515), None));
    let mut waited = false;
    next_state(&mut events, |state| {
        waited |= matches!(state, ConnectionState::Waiting { .. });
        *state == ConnectionState::Online
    })
    .await;
    assert!(!waited);
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn stream_errors_that_pass_keep_the_link() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, NUMBER).await;
    let mut events = client.events().unwrap();
    next_state(&mut events, |state| *state == ConnectionState::Online).await;
    for (code, reason) in [(Some(503), "service_fault"), (Some(999), "stream_error"), (None, "stream_error")]
    {
        assert!(world.sandbox.stream_error(&device(&client), code, None));
        assert_eq!(waiting_reason(&mut events).await, reason);
        client.wait_online().await;
    }
    assert!(client.account().is_some());
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_rate_limit_of_the_stream_waits_longer() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, NUMBER).await;
    let mut events = client.events().unwrap();
    next_state(&mut events, |state| *state == ConnectionState::Online).await;
    assert!(world.sandbox.stream_error(&device(&client), Some(429), None));
    match next_state(&mut events, |state| matches!(state, ConnectionState::Waiting { .. })).await {
        ConnectionState::Waiting { retry_in, reason: "rate_limited" } => {
            assert!(retry_in >= Duration::from_secs(7), "{retry_in:?}");
        }
        other => panic!("{other:?}"),
    }
    // A wish of the host does not wait.
    client.wait_online().await;
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_replaced_connection_stays_down_until_the_host_asks() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, NUMBER).await;
    let mut events = client.events().unwrap();
    assert!(world.sandbox.stream_error(&device(&client), None, Some("replaced")));
    next_kind(&mut events, |kind| matches!(kind, EventKind::Replaced).then_some(())).await;
    if client.connection_state() != ConnectionState::Stopped {
        next_state(&mut events, |state| *state == ConnectionState::Stopped).await;
    }
    assert!(client.account().is_some());
    client.wait_online().await;
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn refused_logins_follow_the_table() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, NUMBER).await;
    let mut events = client.events().unwrap();
    for (reason, code) in [
        (400, Code::Refused),
        (402, Code::TemporaryBan),
        (405, Code::ClientOutdated),
        (409, Code::Refused),
        (501, Code::Refused),
    ] {
        client.disconnect();
        next_state(&mut events, |state| *state == ConnectionState::Stopped).await;
        world.sandbox.add_fault(FaultRule::new(Fault::Failure { reason }));
        let error = client.connect(within(DEADLINE)).await.unwrap_err();
        assert_eq!((error.code(), error.service_status()), (code, reason));
        let told = next_kind(&mut events, |kind| match kind {
            EventKind::ConnectionRefused(refused) => Some(refused.service_status),
            _ => None,
        })
        .await;
        assert_eq!(told, reason);
        assert_eq!(client.connection_state(), ConnectionState::Stopped);
        assert!(client.account().is_some(), "{reason} keeps the link");
        client.wait_online().await;
    }
    for reason in [500, 503] {
        client.disconnect();
        world.sandbox.add_fault(FaultRule::new(Fault::Failure { reason }));
        client.wait_online().await;
    }
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_locked_or_banned_account_ends_the_link() {
    for (reason, word) in [(403, "locked"), (406, "banned")] {
        let world = World::start().await;
        let engine = world.engine();
        let (client, _) = world.linked(&engine, NUMBER).await;
        let mut events = client.events().unwrap();
        client.disconnect();
        assert!(world.sandbox.bar(NUMBER, Some(reason)));
        let error = client.connect(within(DEADLINE)).await.unwrap_err();
        assert_eq!((error.code(), error.service_status()), (Code::LoggedOut, reason));
        let told = next_kind(&mut events, |kind| match kind {
            EventKind::LoggedOut(out) => Some(out.reason.to_string()),
            _ => None,
        })
        .await;
        assert_eq!(told, word);
        engine.close(DEADLINE).await.unwrap();
    }
}

#[tokio::test]
async fn an_outdated_client_says_so_and_a_newer_version_in_the_options_helps() {
    let world = World::start_with(|options| options.min_version = [2, 3000, 2_000_000_000]).await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    let error = client.link_with_qr(CallOptions::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::ClientOutdated);
    engine.close(DEADLINE).await.unwrap();

    let mut options = world.engine_options();
    options.client_version = Some([2, 3000, 2_000_000_001]);
    let engine = Engine::new(options).unwrap();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    world.link(&client, NUMBER).await;
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_service_that_falls_silent_is_left() {
    let world = World::start().await;
    let mut options = world.engine_options();
    options.keep_alive = Duration::from_millis(400);
    let engine = Engine::new(options).unwrap();
    let (client, _) = world.linked(&engine, NUMBER).await;
    let mut events = client.events().unwrap();
    next_state(&mut events, |state| *state == ConnectionState::Online).await;
    // All of them: something else may come after one ping, and is a sign of life too.
    world.sandbox.add_fault(FaultRule::new(Fault::Lose).stanza(StanzaMatch::request("w:p")).times(u32::MAX));
    assert_eq!(waiting_reason(&mut events).await, "silent");
    world.sandbox.clear_faults();
    client.wait_online().await;
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn an_answered_ping_keeps_the_connection() {
    let world = World::start().await;
    let mut options = world.engine_options();
    options.keep_alive = Duration::from_millis(100);
    let engine = Engine::new(options).unwrap();
    let (client, _) = world.linked(&engine, NUMBER).await;
    let mut events = client.events().unwrap();
    next_state(&mut events, |state| *state == ConnectionState::Online).await;
    // Ten pings are answered before those that are not.
    let lost = FaultRule::new(Fault::Lose).stanza(StanzaMatch::request("w:p")).skip(10).times(u32::MAX);
    world.sandbox.add_fault(lost);
    let started = Instant::now();
    assert_eq!(waiting_reason(&mut events).await, "silent");
    assert!(started.elapsed() >= Duration::from_millis(500), "{:?}", started.elapsed());
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn prekeys_are_uploaded_again_when_they_run_low() {
    let world = World::start_with(|options| options.limits.low_prekeys = 1000).await;
    let engine = world.engine();
    let (client, phone) = world.linked(&engine, NUMBER).await;
    let owner = device(&client);
    let uploads = |event: &Event| matches!(event, Event::PrekeysUploaded { device, .. } if *device == owner);
    let (first, _) = world.sandbox.events().wait_for_after(0, uploads, DEADLINE).await.unwrap();
    // A bundle is taken by another person's phone, which leaves the service with few.
    let other = world.sandbox.phone("31687654321").await.unwrap();
    other.send_text(&phone.jid().to_string(), "hello").await.unwrap();
    world.sandbox.events().wait_for_after(first, uploads, DEADLINE).await.unwrap();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_refused_upload_is_made_up_for() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    // The phone has uploaded its own before.
    world.sandbox.phone(NUMBER).await.unwrap();
    let upload = StanzaMatch::request("encrypt").kind("set");
    let refusal = Fault::Refuse { code: 503, text: None, backoff: None };
    world.sandbox.add_fault(FaultRule::new(refusal).stanza(upload));
    world.link(&client, NUMBER).await;
    world.wait(|event| matches!(event, Event::PrekeysUploaded { added: 812, .. })).await;
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn an_upload_whose_answer_is_lost_is_asked_after_and_not_made_again() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    // The phone has uploaded its own before.
    world.sandbox.phone(NUMBER).await.unwrap();
    let uploads = || world.count(|event| matches!(event, Event::PrekeysUploaded { .. }));
    let before = uploads();
    let upload = StanzaMatch::request("encrypt").kind("set");
    world.sandbox.add_fault(FaultRule::new(Fault::CutBeforeAnswer).stanza(upload));
    world.link(&client, NUMBER).await;
    // The service took the batch and cut; the next login asked, and saw that it is there.
    assert_eq!(uploads(), before + 1);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn the_offline_queue_is_asked_for_batch_by_batch() {
    let world = World::start_with(|options| options.pace = Pace::StrictBatches).await;
    let engine = world.engine();
    let (client, phone) = world.linked(&engine, NUMBER).await;
    client.disconnect();
    let owner = device(&client);
    world.wait(|event| matches!(event, Event::Disconnected { device } if *device == owner)).await;
    let other = world.sandbox.phone("31687654321").await.unwrap();
    for number in 0..12 {
        other.send_text(&phone.jid().to_string(), &format!("text {number}")).await.unwrap();
    }
    client.wait_online().await;
    world.wait(|event| matches!(event, Event::QueueDrained { device, count } if *device == owner && *count >= 12)).await;
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_store_goes_on_after_a_close_and_has_one_owner() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, NUMBER).await;
    assert_eq!(engine.open(world.store(NUMBER), quiet()).unwrap_err().code(), Code::StoreLocked);
    let account = client.account();
    client.close(DEADLINE).await.unwrap();
    // The old handle is still there, and does not keep the store.
    let again = engine.open(world.store(NUMBER), quiet()).unwrap();
    assert_eq!(again.account(), account);
    again.wait_online().await;
    assert_eq!(client.connect(CallOptions::default()).await.unwrap_err().code(), Code::Closed);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn closing_ends_the_events_and_whatever_is_under_way() {
    let world = World::start().await;
    for moment in 0..4 {
        let engine = world.engine();
        let client = engine.open(":memory:", quiet()).unwrap();
        let mut events = client.events().unwrap();
        let linking = {
            let client = client.clone();
            tokio::spawn(async move { client.link_with_qr(CallOptions::default()).await })
        };
        if moment > 0 {
            next_state(&mut events, |state| *state == ConnectionState::Connecting).await;
        }
        if moment > 1 {
            next_state(&mut events, |state| *state == ConnectionState::Linking).await;
        }
        if moment > 2 {
            linking.await.unwrap().unwrap();
        } else {
            drop(linking);
        }
        let started = Instant::now();
        client.close(Duration::from_secs(5)).await.unwrap();
        assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
        let reason = next_kind(&mut events, |kind| match kind {
            EventKind::Closed(reason) => Some(*reason),
            _ => None,
        })
        .await;
        assert_eq!(reason, ClosedReason::Host);
        assert!(events.next().await.is_none());
        assert_eq!(client.events().err().map(|error| error.code()), Some(Code::WrongState));
        engine.close(DEADLINE).await.unwrap();
        assert_eq!(engine.open(":memory:", quiet()).unwrap_err().code(), Code::Closed);
    }
}

#[tokio::test]
async fn a_call_that_outlives_the_close_is_cancelled_at_its_deadline() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, NUMBER).await;
    let remove = StanzaMatch::request("md").child("remove-companion-device");
    world.sandbox.add_fault(FaultRule::new(Fault::Lose).stanza(remove));
    let calling = {
        let client = client.clone();
        tokio::spawn(async move { client.logout(within(DEADLINE)).await })
    };
    world.wait(|event| matches!(event, Event::FaultApplied { .. })).await;
    assert_eq!(client.close(Duration::from_millis(200)).await.unwrap_err().code(), Code::TimedOut);
    assert_eq!(calling.await.unwrap().unwrap_err().code(), Code::Cancelled);
    // Closed all the same: the store is free.
    engine.open(world.store(NUMBER), quiet()).unwrap();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn disconnecting_ends_a_wait_and_a_wish_ends_it_too() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, NUMBER).await;
    let mut events = client.events().unwrap();
    next_state(&mut events, |state| *state == ConnectionState::Online).await;
    assert!(world.sandbox.stream_error(&device(&client), Some(429), None));
    waiting_reason(&mut events).await;
    client.disconnect();
    next_state(&mut events, |state| *state == ConnectionState::Stopped).await;
    let started = Instant::now();
    client.wait_online().await;
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn dropping_everything_inside_a_runtime_does_not_panic() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, NUMBER).await;
    let owner = device(&client);
    drop(engine);
    assert_eq!(client.connection_state(), ConnectionState::Online, "a client keeps its engine");
    drop(client);
    world.wait(|event| matches!(event, Event::Disconnected { device } if *device == owner)).await;
}

#[test]
fn dropping_everything_outside_a_runtime_does_not_panic() {
    let engine = Engine::new(whimbrel::EngineOptions::default()).unwrap();
    let client = engine.open(":memory:", quiet()).unwrap();
    drop(engine);
    drop(client);
    let engine = Engine::new(whimbrel::EngineOptions::default()).unwrap();
    engine.close_blocking(DEADLINE).unwrap();
}

#[tokio::test]
async fn a_host_that_takes_no_events_holds_up_neither_reconnects_nor_the_close() {
    let world = World::start().await;
    let engine = world.engine();
    let mut options = quiet();
    options.manual_acknowledge = true;
    options.journal_limit = 1;
    let client = engine.open(world.store(NUMBER), options.clone()).unwrap();
    // The link itself is an event, so the journal is full from now on.
    world.link(&client, NUMBER).await;
    world.sandbox.phone("31687654321").await.unwrap().send_text(NUMBER, "waits").await.unwrap();
    for _ in 0..3 {
        client.disconnect();
        client.wait_online().await;
    }
    client.close(DEADLINE).await.unwrap();
    engine.close(DEADLINE).await.unwrap();
}
