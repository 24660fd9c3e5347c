//! Linking to a phone, by QR code and by pairing code, and ending the link.

#![expect(clippy::unwrap_used, reason = "a panic in a scenario is the report of its failure")]

use std::time::Duration;

use whimbrel::events::{ConnectionState, EventKind, EventStream};
use whimbrel::{CallOptions, Client, Code, testing};
use whimbrel_sandbox::phone::{CodeError, PhoneError, ReceiptKind};
use whimbrel_sandbox::{Event, Fault, FaultRule, StanzaMatch};
use whimbrel_scenarios::{DEADLINE, NUMBER, Wait as _, World, next_kind, quiet, stopped, within};
use whimbrel_wire::{Jid, Node};

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

/// What an authenticator answers, in WebAuthn's form.
const ASSERTION: &str = r#"{"id":"AQID","rawId":"AQID","type":"public-key","response":{"clientDataJSON":"e30","authenticatorData":"AA","signature":"AA","userHandle":"AA"}}"#;

async fn passkey_required(events: &mut EventStream) {
    next_kind(events, |kind| matches!(kind, EventKind::PasskeyRequired(_)).then_some(())).await;
}

#[tokio::test]
async fn a_passkey_links_when_both_screens_show_the_same_code() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    let mut events = client.events().unwrap();
    let refused = |error: whimbrel::Error| (error.code(), error.operation());
    let early = client.answer_passkey(ASSERTION, within(DEADLINE)).await.unwrap_err();
    assert_eq!(refused(early), (Code::WrongState, Some("answer_passkey")));
    let phone = world.sandbox.phone(NUMBER).await.unwrap();
    let shown = client.link_with_qr(CallOptions::default()).await.unwrap().text;
    let early = client.answer_passkey(ASSERTION, within(DEADLINE)).await.unwrap_err();
    assert_eq!(early.code(), Code::WrongState, "nobody has asked");

    assert_eq!(world.sandbox.demand_passkey(true), 1);
    passkey_required(&mut events).await;
    for wrong in ["", "{}", "yes", r#"{"rawId":"AQID"}"#] {
        let error = client.answer_passkey(wrong, within(DEADLINE)).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "{wrong}");
    }
    let early = client.confirm_passkey(within(DEADLINE)).await.unwrap_err();
    assert_eq!(refused(early), (Code::WrongState, Some("confirm_passkey")));

    let (code, link) = tokio::join!(
        client.answer_passkey(ASSERTION, within(DEADLINE)),
        phone.continue_passkey(&world.sandbox)
    );
    let (code, link) = (code.unwrap(), link.unwrap());
    assert_eq!(code.code, link.code());
    let (confirmed, device) = tokio::join!(client.confirm_passkey(within(DEADLINE)), link.finish());
    confirmed.unwrap();
    client.wait_online().await;
    assert_eq!(client.account().unwrap().device, device.unwrap().device());
    assert!(phone.scan(&shown).await.is_err(), "the code was made with another secret");
    let again = client.confirm_passkey(within(DEADLINE)).await.unwrap_err();
    assert_eq!(again.code(), Code::WrongState);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_passkey_that_the_phone_does_not_follow_up_leaves_the_codes() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    let mut events = client.events().unwrap();
    let phone = world.sandbox.phone(NUMBER).await.unwrap();
    let shown = client.link_with_qr(CallOptions::default()).await.unwrap().text;
    world.sandbox.demand_passkey(false);
    passkey_required(&mut events).await;
    let error = client.answer_passkey(ASSERTION, within(Duration::from_millis(500))).await.unwrap_err();
    assert_eq!(error.code(), Code::TimedOut);
    // The service does not take the authenticator's answer: that is told, and may be tried again.
    let prologue = StanzaMatch::request("md").child("passkey_prologue");
    let refusal = Fault::Refuse { code: 400, text: None, backoff: None };
    world.sandbox.add_fault(linking(refusal, prologue));
    let error = client.answer_passkey(ASSERTION, within(DEADLINE)).await.unwrap_err();
    assert_eq!(error.service_status(), 400);
    phone.scan(&shown).await.unwrap();
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

/// A fault that hits a companion which is being linked.
fn linking(fault: Fault, stanza: StanzaMatch) -> FaultRule {
    FaultRule::new(fault).device("linking").stanza(stanza)
}

/// The code on show once so many connections have been ready for one.
async fn code_of_connection(world: &World, client: &Client, ready: usize) -> String {
    let mut count = 0;
    let enough = |event: &Event| {
        count += usize::from(matches!(event, Event::ReadyToLink { .. }));
        count == ready
    };
    world.wait(enough).await;
    client.link_with_qr(CallOptions::default()).await.unwrap().text
}

/// The Noise key and the identity in a code.
fn keys(text: &str) -> Vec<String> {
    text.rsplit(',').skip(2).take(2).map(str::to_owned).collect()
}

#[tokio::test]
async fn a_cut_before_the_refs_are_acknowledged_costs_a_code_and_no_keys() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    let phone = world.sandbox.phone(NUMBER).await.unwrap();
    world.sandbox.add_fault(linking(Fault::Cut, StanzaMatch::tag("iq").kind("result")));
    let first = client.link_with_qr(CallOptions::default()).await.unwrap().text;
    // The first connection was never ready.
    let code = code_of_connection(&world, &client, 1).await;
    assert_eq!(keys(&first), keys(&code));
    phone.scan(&code).await.unwrap();
    client.wait_online().await;
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_cut_under_the_phones_proof_links_nothing_and_the_next_code_does() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    let phone = world.sandbox.phone(NUMBER).await.unwrap();
    let proof = StanzaMatch::tag("iq").kind("set").child("pair-success");
    world.sandbox.add_fault(linking(Fault::CutInside { bytes: 5 }, proof));
    client.link_with_qr(CallOptions::default()).await.unwrap();
    let first = code_of_connection(&world, &client, 1).await;
    assert!(matches!(phone.scan(&first).await, Err(PhoneError::Refused { code: 404, .. })));
    let second = code_of_connection(&world, &client, 2).await;
    assert!(client.account().is_none());
    assert_eq!(keys(&first), keys(&second));
    phone.scan(&second).await.unwrap();
    client.wait_online().await;
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_cut_instead_of_the_restart_leads_to_the_login_all_the_same() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    let restart = StanzaMatch::tag("stream:error");
    world.sandbox.add_fault(linking(Fault::CutInside { bytes: 0 }, restart));
    world.link(&client, NUMBER).await;
    world.wait(|event| matches!(event, Event::FaultApplied { .. })).await;
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_signature_that_does_not_arrive_is_noticed_at_the_login_and_the_link_made_anew() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    let mut events = client.events().unwrap();
    let phone = world.sandbox.phone(NUMBER).await.unwrap();
    let signed = StanzaMatch::tag("iq").kind("result").child("pair-device-sign");
    world.sandbox.add_fault(linking(Fault::Cut, signed));
    let code = client.link_with_qr(CallOptions::default()).await.unwrap().text;
    assert!(matches!(phone.scan(&code).await, Err(PhoneError::Refused { code: 404, .. })));
    assert_eq!(next_kind(&mut events, link_failed).await, "refused");
    assert!(client.account().is_none());
    world.link(&client, NUMBER).await;
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_proof_that_is_none_is_refused_and_the_person_scans_again() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    let mut events = client.events().unwrap();
    // An identity whose HMAC was made with another secret, and something that is no identity.
    let forged: Vec<u8> = [&[0x0a, 1, 0, 0x12, 32][..], &[7; 32]].concat();
    for (container, reason) in [(forged, "hmac_mismatch"), (vec![0xff], "refused")] {
        client.link_with_qr(CallOptions::default()).await.unwrap();
        let proof = Node::new("pair-success").child(Node::new("device-identity").bytes(container));
        let request = Node::new("iq").attr("type", "set").attr("xmlns", "md").attr("id", "4711");
        let request = request.attr("from", Jid::SERVER).child(proof);
        // The connection of the round before may still be going down, and gets it as well.
        assert_ne!(world.sandbox.inject_into_linking(&request), 0);
        assert_eq!(next_kind(&mut events, link_failed).await, reason);
        // The next wish is worked on once this one is over.
        stopped(&client, &mut events).await;
    }
    world.link(&client, NUMBER).await;
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_code_that_the_service_refuses_is_an_error_and_the_qr_code_goes_on() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    let phone = world.sandbox.phone(NUMBER).await.unwrap();
    let hello = StanzaMatch::request("md").child("link_code_companion_reg");
    let refusal = Fault::Refuse { code: 429, text: None, backoff: Some(7) };
    world.sandbox.add_fault(linking(refusal, hello));
    let error = client.link_with_code(NUMBER, CallOptions::default()).await.unwrap_err();
    assert_eq!((error.service_status(), error.retry_after()), (429, Some(Duration::from_secs(7))));
    let code = client.link_with_qr(CallOptions::default()).await.unwrap();
    phone.scan(&code.text).await.unwrap();
    client.wait_online().await;
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_code_that_ends_at_the_service_while_it_is_typed_is_over_and_another_one_links() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    let mut events = client.events().unwrap();
    let phone = world.sandbox.phone(NUMBER).await.unwrap();
    let finish = StanzaMatch::request("md").child("link_code_companion_reg");
    let gone = Fault::Refuse { code: 404, text: None, backoff: None };
    world.sandbox.add_fault(linking(gone, finish).skip(1));
    let first = client.link_with_code(NUMBER, CallOptions::default()).await.unwrap().code;
    let typing = {
        let phone = phone.clone();
        tokio::spawn(async move { phone.enter_code(&first).await })
    };
    assert_eq!(pairing_code(&mut events).await, Err("refused"));
    typing.abort();
    let second = client.link_with_code(NUMBER, CallOptions::default()).await.unwrap().code;
    phone.enter_code(&second).await.unwrap();
    client.wait_online().await;
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_code_is_worth_nothing_after_three_minutes_or_three_wrong_tries() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    let phone = world.sandbox.phone(NUMBER).await.unwrap();
    for expires in [true, false] {
        let old = client.link_with_code(NUMBER, CallOptions::default()).await.unwrap();
        assert_eq!(old.valid_for, Duration::from_secs(180));
        if expires {
            world.sandbox.clock().advance(old.valid_for);
        } else {
            for _ in 0..3 {
                let wrong = phone.enter_code("1111-1111").await;
                assert!(matches!(wrong, Err(PhoneError::Code(CodeError::Wrong))), "{wrong:?}");
            }
        }
        // The phone does not get through any more, and waits for a companion that asks anew.
        let late = {
            let phone = phone.clone();
            tokio::spawn(async move { phone.enter_code(&old.code).await })
        };
        let mut refusals = 0;
        let refused = |event: &Event| {
            refusals += usize::from(matches!(event, Event::CodeRefused { .. }));
            refusals == if expires { 1 } else { 2 }
        };
        world.wait(refused).await;
        assert!(client.account().is_none());
        let _new = client.link_with_code(NUMBER, CallOptions::default()).await.unwrap();
        let late = late.await.unwrap();
        assert!(matches!(late, Err(PhoneError::Code(CodeError::Wrong))), "{late:?}");
    }
    let code = client.link_with_code(NUMBER, CallOptions::default()).await.unwrap().code;
    phone.enter_code(&code).await.unwrap();
    client.wait_online().await;
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn whichever_of_both_codes_is_used_first_ends_the_other_in_silence() {
    let world = World::start().await;
    let engine = world.engine();
    for scans in [true, false] {
        let number = if scans { "31612345001" } else { "31612345002" };
        let client = engine.open(world.store(number), quiet()).unwrap();
        let mut events = client.events().unwrap();
        let phone = world.sandbox.phone(number).await.unwrap();
        let typed = client.link_with_code(number, CallOptions::default()).await.unwrap().code;
        let shown = client.link_with_qr(CallOptions::default()).await.unwrap().text;
        if scans {
            phone.scan(&shown).await.unwrap();
        } else {
            phone.enter_code(&typed).await.unwrap();
        }
        client.wait_online().await;
        let online = next_kind(&mut events, |kind| match kind {
            EventKind::PairingCodeFailed(failed) => Some(Err(failed.reason)),
            EventKind::LinkFailed(failed) => Some(Err(failed.reason)),
            EventKind::Connection(ConnectionState::Online) => Some(Ok(())),
            _ => None,
        });
        assert_eq!(online.await, Ok(()));
    }
    world.assert_no_findings();
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

/// Lets the time of the present code be over, and returns the next one.
async fn next_code(client: &Client, events: &mut EventStream, present: &str) -> String {
    testing::next_code(client);
    next_kind(events, |kind| match kind {
        EventKind::Qr(qr) if qr.text != present => Some(qr.text.clone()),
        _ => None,
    })
    .await
}

/// The code with another public Noise key.
fn of_another_device(text: &str) -> String {
    let noise = keys(text).pop().unwrap();
    let other = if noise.starts_with('A') { "B" } else { "A" };
    text.replace(&noise, &format!("{other}{}", noise.split_at(1).1))
}

#[tokio::test]
async fn the_third_code_of_a_round_links_and_none_links_twice() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    let mut events = client.events().unwrap();
    let phone = world.sandbox.phone(NUMBER).await.unwrap();
    let first = client.link_with_qr(CallOptions::default()).await.unwrap().text;
    let second = next_code(&client, &mut events, &first).await;
    let third = next_code(&client, &mut events, &second).await;
    assert_eq!(keys(&first), keys(&third));
    assert_eq!(client.link_with_qr(CallOptions::default()).await.unwrap().text, third);
    phone.scan(&third).await.unwrap();
    client.wait_online().await;
    for used in [&first, &third] {
        let refused = phone.scan(used).await;
        assert!(matches!(refused, Err(PhoneError::Refused { code: 404, .. })), "{refused:?}");
    }
    assert_eq!(phone.companions(), [client.account().unwrap().device]);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_code_with_the_key_of_another_device_links_nothing_and_disturbs_nobody() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    let phone = world.sandbox.phone(NUMBER).await.unwrap();
    let code = client.link_with_qr(CallOptions::default()).await.unwrap().text;
    let refused = phone.scan(&of_another_device(&code)).await;
    assert!(matches!(refused, Err(PhoneError::Refused { code: 400, .. })), "{refused:?}");
    phone.scan(&code).await.unwrap();
    client.wait_online().await;
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn after_the_last_code_of_a_round_the_host_begins_another() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    let mut events = client.events().unwrap();
    let phone = world.sandbox.phone(NUMBER).await.unwrap();
    let mut code = client.link_with_qr(CallOptions::default()).await.unwrap().text;
    for _ in 1..6 {
        code = next_code(&client, &mut events, &code).await;
    }
    testing::next_code(&client);
    assert_eq!(next_kind(&mut events, link_failed).await, "codes_expired");
    stopped(&client, &mut events).await;
    assert!(phone.scan(&code).await.is_err(), "nobody is there");
    world.link(&client, NUMBER).await;
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_code_that_the_service_has_given_up_is_refused_and_the_next_round_links() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    let mut events = client.events().unwrap();
    let phone = world.sandbox.phone(NUMBER).await.unwrap();
    let old = client.link_with_qr(CallOptions::default()).await.unwrap().text;
    world.sandbox.clock().advance(Duration::from_secs(180));
    let refused = phone.scan(&old).await;
    assert!(matches!(refused, Err(PhoneError::Refused { code: 404, .. })), "{refused:?}");
    // The client has not noticed anything; the service says when the round is over.
    assert_eq!(client.connection_state(), ConnectionState::Linking);
    assert_ne!(world.sandbox.inject_into_linking(&Node::new("xmlstreamend")), 0);
    let new = next_kind(&mut events, |kind| match kind {
        EventKind::Qr(qr) if qr.text != old => Some(qr.text.clone()),
        _ => None,
    })
    .await;
    assert_eq!(keys(&old), keys(&new));
    phone.scan(&new).await.unwrap();
    client.wait_online().await;
    world.assert_no_findings();
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
async fn what_was_received_before_a_logout_is_confirmed_before_it() {
    const COUNT: usize = 30;
    let world = World::start().await;
    let engine = world.engine();
    let (client, phone) = world.linked(&engine, NUMBER).await;
    let mut events = client.events().unwrap();
    let friend = world.sandbox.phone("31687654321").await.unwrap();
    let mut sent = Vec::new();
    for number in 0..COUNT {
        sent.push(friend.send_text(&phone.jid().to_string(), &number.to_string()).await.unwrap());
    }
    for _ in 0..COUNT {
        next_kind(&mut events, |kind| matches!(kind, EventKind::Message(_)).then_some(())).await;
    }
    client.logout(CallOptions::default()).await.unwrap();
    // The phone's receipts have no device.
    let mut confirmed = std::collections::BTreeSet::new();
    let mut after = 0;
    while !sent.iter().all(|id| confirmed.contains(id)) {
        let receipts = friend.receipts_after(after, DEADLINE).await;
        assert!(!receipts.is_empty(), "{} of {COUNT} were confirmed", confirmed.len());
        for (number, receipt) in receipts {
            after = number;
            if receipt.kind == ReceiptKind::Delivered && receipt.from.contains(':') {
                confirmed.insert(receipt.id);
            }
        }
    }
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
