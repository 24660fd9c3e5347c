//! The life of a connection, row by row: every stream error, failure and bulletin of the
//! transport document §6, connections that die without a word, and clients in trouble beside
//! others.

#![expect(clippy::unwrap_used, reason = "a panic in a scenario is the report of its failure")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use whimbrel::events::{ConnectionState, EventKind, EventStream};
use whimbrel::{Client, ClientOptions, Code, Engine, Proxy, SendOptions};
use whimbrel_sandbox::{Event, Fault, FaultRule, StanzaMatch};
use whimbrel_scenarios::proxies::{self, Kind};
use whimbrel_scenarios::{
    DEADLINE, NUMBER, Wait as _, World, device_label, next_kind, next_state, quiet, stopped, within,
};
use whimbrel_wire::{Jid, Node};

/// What a row of the tables leads to.
#[derive(Clone, Copy, Debug)]
enum Then {
    /// A new connection without a wait.
    AtOnce,
    /// A new connection after about so many seconds, with this word.
    After(&'static str, u64),
    /// No connection until the host asks: another one took over.
    Replaced,
    /// No connection until the host asks, with this number and raw conflict.
    Refused(u16, Option<&'static str>),
    /// The link is over, with this word and number.
    Ended(&'static str, u16),
}

async fn waiting(events: &mut EventStream) -> (&'static str, Duration) {
    match next_state(events, |state| matches!(state, ConnectionState::Waiting { .. })).await {
        ConnectionState::Waiting { reason, retry_in } => (reason, retry_in),
        other => unreachable!("{other:?}"),
    }
}

/// Checks state, event, link and timing after a row. The host comes back by itself where it must.
async fn check(row: &str, then: Then, client: &Client, events: &mut EventStream) {
    match then {
        Then::AtOnce => {
            let mut waited = false;
            next_state(events, |state| matches!(state, ConnectionState::Connecting)).await;
            next_state(events, |state| {
                waited |= matches!(state, ConnectionState::Waiting { .. });
                *state == ConnectionState::Online
            })
            .await;
            assert!(!waited, "{row}: no wait");
        }
        Then::After(word, seconds) => {
            let (reason, retry_in) = waiting(events).await;
            assert_eq!(reason, word, "{row}");
            let usual = Duration::from_secs(seconds);
            assert!(retry_in >= usual * 9 / 10 && retry_in <= usual * 11 / 10, "{row}: {retry_in:?}");
        }
        Then::Replaced => {
            next_kind(events, |kind| matches!(kind, EventKind::Replaced).then_some(())).await;
        }
        Then::Refused(status, conflict) => {
            let told = next_kind(events, |kind| match kind {
                EventKind::ConnectionRefused(refused) => Some(refused.clone()),
                _ => None,
            })
            .await;
            assert_eq!((told.service_status, told.conflict.as_deref()), (status, conflict), "{row}");
        }
        Then::Ended(word, status) => {
            let told = next_kind(events, |kind| match kind {
                EventKind::LoggedOut(out) => Some((out.reason.to_string(), out.service_status)),
                _ => None,
            })
            .await;
            assert_eq!(told, (word.to_owned(), status), "{row}");
            assert!(client.account().is_none(), "{row}: the link is over");
            let error = client.connect(within(DEADLINE)).await.unwrap_err();
            assert_eq!(error.code(), Code::LoggedOut, "{row}");
            return;
        }
    }
    if matches!(then, Then::Replaced | Then::Refused(..)) {
        let deadline = Instant::now() + DEADLINE;
        while client.connection_state() != ConnectionState::Stopped {
            assert!(Instant::now() < deadline, "{row}: the client does not stop");
            tokio::task::yield_now().await;
        }
    }
    assert!(client.account().is_some(), "{row}: the link is kept");
    client.wait_online().await;
}

/// Forgets earlier failures: a client at rest begins its back-off anew.
async fn fresh(client: &Client, events: &mut EventStream) {
    client.disconnect();
    next_state(events, |state| *state == ConnectionState::Stopped).await;
    client.wait_online().await;
    next_state(events, |state| *state == ConnectionState::Online).await;
}

fn stream_error(code: Option<u16>, child: Option<Node>) -> Node {
    Node::new("stream:error").attr_opt("code", code).child_opt(child)
}

fn conflict(kind: &'static str) -> Option<Node> {
    Some(Node::new("conflict").attr("type", kind))
}

#[tokio::test]
async fn every_stream_error_has_its_consequence() {
    let ack = Node::new("ack").attr("id", "7").attr("class", "message");
    let rows: Vec<(&str, Node, Then)> = vec![
        ("515", stream_error(Some(515), None), Then::AtOnce),
        ("515 with a removal", stream_error(Some(515), conflict("device_removed")), Then::AtOnce),
        ("429", stream_error(Some(429), None), Then::After("rate_limited", 8)),
        ("500", stream_error(Some(500), None), Then::After("service_fault", 1)),
        ("503", stream_error(Some(503), None), Then::After("service_fault", 1)),
        ("413", stream_error(Some(413), None), Then::After("stream_error", 1)),
        ("414", stream_error(Some(414), None), Then::After("stream_error", 1)),
        ("999", stream_error(Some(999), None), Then::After("stream_error", 1)),
        ("nothing", stream_error(None, None), Then::After("stream_error", 1)),
        ("missing ack", stream_error(None, Some(ack)), Then::After("missing_ack", 1)),
        (
            "bad stanza",
            stream_error(None, Some(Node::new("xml-not-well-formed"))),
            Then::After("bad_stanza", 1),
        ),
        ("401", stream_error(Some(401), None), Then::After("link_in_doubt", 1)),
        (
            "401 with another conflict",
            stream_error(Some(401), conflict("moon")),
            Then::After("link_in_doubt", 1),
        ),
        ("516", stream_error(Some(516), None), Then::After("link_in_doubt", 1)),
        ("end of stream", Node::new("xmlstreamend"), Then::After("closed", 1)),
        ("replaced", stream_error(None, conflict("replaced")), Then::Replaced),
        ("409", stream_error(Some(409), None), Then::Replaced),
        ("unknown conflict", stream_error(None, conflict("moon")), Then::Refused(0, Some("moon"))),
    ];
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, NUMBER).await;
    let mut events = client.events().unwrap();
    for (row, stanza, then) in rows {
        fresh(&client, &mut events).await;
        assert!(world.sandbox.inject(&device_label(&client, NUMBER), stanza), "{row}");
        check(row, then, &client, &mut events).await;
    }
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_removal_ends_the_link_at_once_by_name_and_otherwise_when_the_login_confirms_it() {
    let rows = [
        ("by name", stream_error(Some(401), conflict("device_removed"))),
        ("401, then 401 at the login", stream_error(Some(401), None)),
        ("516, then 401 at the login", stream_error(Some(516), None)),
    ];
    let world = World::start().await;
    let engine = world.engine();
    for (at, (row, stanza)) in rows.into_iter().enumerate() {
        let number = format!("3161234500{at}");
        let (client, _) = world.linked(&engine, &number).await;
        let mut events = client.events().unwrap();
        let label = device_label(&client, &number);
        if at > 0 {
            world.sandbox.add_fault(FaultRule::new(Fault::Failure { reason: 401 }).device(&*label));
        }
        assert!(world.sandbox.inject(&label, stanza), "{row}");
        check(row, Then::Ended("removed", 401), &client, &mut events).await;
    }
    engine.close(DEADLINE).await.unwrap();
}

fn failure(attributes: &[(&str, &str)]) -> FaultRule {
    let attributes: BTreeMap<String, String> =
        attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    FaultRule::new(Fault::FailureSaying { attributes })
}

#[tokio::test]
async fn every_login_failure_has_its_consequence() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, NUMBER).await;
    let mut events = client.events().unwrap();
    let refused = ["400", "402", "405", "409", "413", "414", "415", "418", "501", "999"];
    let refused = refused.into_iter().map(|reason| (reason, Then::Refused(reason.parse().unwrap(), None)));
    // A refusal of the keys that stays alone is a disturbance.
    let alone = ["401", "403", "406"].into_iter().map(|reason| (reason, Then::After("login_refused", 1)));
    let faults = ["500", "503"].into_iter().map(|reason| (reason, Then::After("service_fault", 1)));
    let missing = [("", Then::Refused(0, None))];
    for (reason, then) in refused.chain(alone).chain(faults).chain(missing) {
        fresh(&client, &mut events).await;
        client.disconnect();
        next_state(&mut events, |state| *state == ConnectionState::Stopped).await;
        let attributes = [("reason", reason)];
        let attributes = if reason.is_empty() { &[][..] } else { &attributes[..] };
        world.sandbox.add_fault(failure(attributes));
        let connecting = {
            let client = client.clone();
            tokio::spawn(async move { client.connect(within(DEADLINE)).await })
        };
        let told = async { connecting.await.unwrap().map_err(|error| error.service_status()) };
        match then {
            Then::Refused(status, _) => {
                // The answer first: the check connects again, which another waiting call would see.
                assert_eq!(told.await, Err(status));
                check(reason, then, &client, &mut events).await;
            }
            _ => {
                check(reason, then, &client, &mut events).await;
                assert_eq!(told.await, Ok(()), "{reason}");
            }
        }
    }
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn repeated_refusals_end_the_link_and_keep_the_services_words() {
    let world = World::start().await;
    let engine = world.engine();
    for (at, (reason, word)) in
        [("401", "removed"), ("403", "locked"), ("406", "banned")].into_iter().enumerate()
    {
        let number = format!("3161234510{at}");
        let (client, _) = world.linked(&engine, &number).await;
        let mut events = client.events().unwrap();
        client.disconnect();
        let words =
            [("reason", reason), ("logout_message_header", "Sorry"), ("logout_message_subtext", "Ask")];
        world.sandbox.add_fault(failure(&words).times(2));
        let error = client.connect(within(DEADLINE)).await.unwrap_err();
        assert_eq!((error.code(), error.service_status().to_string().as_str()), (Code::LoggedOut, reason));
        let told = next_kind(&mut events, |kind| match kind {
            EventKind::LoggedOut(out) => Some((out.reason.to_string(), out.message.clone())),
            _ => None,
        })
        .await;
        assert_eq!(told, (word.to_owned(), Some("Sorry\nAsk".to_owned())));
    }
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_ban_says_why_and_how_long() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, NUMBER).await;
    let mut events = client.events().unwrap();
    client.disconnect();
    world.sandbox.add_fault(failure(&[
        ("reason", "402"),
        ("code", "104"),
        ("expire", "3600"),
        ("url", "https://faq"),
    ]));
    let error = client.connect(within(DEADLINE)).await.unwrap_err();
    assert_eq!((error.code(), error.retry_after()), (Code::TemporaryBan, Some(Duration::from_secs(3600))));
    let told = next_kind(&mut events, |kind| match kind {
        EventKind::ConnectionRefused(refused) => Some((refused.detail, refused.url.clone())),
        _ => None,
    })
    .await;
    assert_eq!(told, (104, Some("https://faq".to_owned())));
    engine.close(DEADLINE).await.unwrap();
}

fn bulletin(child: Node) -> Node {
    Node::new("ib").attr("from", Jid::SERVER).child(child)
}

async fn expiry(events: &mut EventStream) -> Option<i64> {
    next_kind(events, |kind| match kind {
        EventKind::VersionExpires(expires) => Some(expires.at),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn bulletins_are_acted_on_or_survived() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, phone) = world.linked(&engine, NUMBER).await;
    let mut events = client.events().unwrap();
    let owner = device_label(&client, NUMBER);
    let say = |child: Node| assert!(world.sandbox.inject(&owner, bulletin(child)));

    // Those without a consequence, late ones and nonsense.
    let item = Node::new("item").attr("from", Jid::pn("31687654321")).attr("t", 5_u64);
    say(Node::new("priority_offline_complete"));
    say(Node::new("thread_metadata").child(item));
    say(Node::new("tos"));
    say(Node::new("recovery_nonce").bytes(vec![1, 2]));
    say(Node::new("something_new").attr("x", "y"));
    say(Node::new("offline").attr("count", 0_u64));
    say(Node::new("offline_preview").attr("count", 0_u64));
    say(Node::new("downgrade_webclient"));
    say(Node::new("client_expiration").attr("t", "soon"));
    assert!(world.sandbox.inject(&owner, Node::new("ib").attr("from", Jid::SERVER)));
    assert!(world.sandbox.inject(&owner, Node::new("error").attr("code", "479")));

    // A dirty bit is cleared.
    let clean = StanzaMatch::request("urn:xmpp:whatsapp:dirty");
    world.sandbox.add_fault(FaultRule::new(Fault::RepeatAnswer).stanza(clean));
    say(Node::new("dirty").attr("type", "account_sync").attr("timestamp", "5"));
    world.wait(|event| matches!(event, Event::FaultApplied { device, .. } if *device == owner)).await;

    // The end of the version: told once, an earlier date again, a later one not, and its end.
    for time in [2_000_000_000_u64, 2_000_000_000, 1_900_000_000, 1_950_000_000] {
        say(Node::new("client_expiration").attr("t", time));
    }
    assert_eq!(expiry(&mut events).await, Some(2_000_000_000));
    assert_eq!(expiry(&mut events).await, Some(1_900_000_000));
    assert_eq!(client.client_version().expires_at, Some(1_900_000_000));
    say(Node::new("client_expiration"));
    assert_eq!(expiry(&mut events).await, None);
    assert_eq!(client.client_version().expires_at, None);

    // Where to connect next time.
    say(Node::new("edge_routing").child(Node::new("routing_info").bytes(vec![8, 2, 8, 5])));
    client.wait_online().await;
    client.disconnect();
    client.wait_online().await;
    let friend = world.sandbox.phone("31687654321").await.unwrap();
    friend.send_text(&phone.jid().to_string(), "still there?").await.unwrap();
    next_kind(&mut events, |kind| matches!(kind, EventKind::Message(_)).then_some(())).await;
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_phone_without_companions_ends_the_linking() {
    let world = World::start().await;
    let engine = world.engine();
    let client = engine.open(world.store("a"), quiet()).unwrap();
    let mut events = client.events().unwrap();
    client.link_with_qr(within(DEADLINE)).await.unwrap();
    assert_eq!(world.sandbox.inject_into_linking(&bulletin(Node::new("downgrade_webclient"))), 1);
    let reason = next_kind(&mut events, |kind| match kind {
        EventKind::LinkFailed(failed) => Some(failed.reason),
        _ => None,
    })
    .await;
    assert_eq!(reason, "phone_too_old");
    engine.close(DEADLINE).await.unwrap();
}

fn engine_with_keep_alive(world: &World, keep_alive: Duration) -> Engine {
    let mut options = world.engine_options();
    options.keep_alive = keep_alive;
    Engine::new(options).unwrap()
}

#[tokio::test]
async fn a_dead_network_is_noticed_within_two_keepalives_and_nothing_is_missed() {
    const KEEP_ALIVE: Duration = Duration::from_secs(2);
    let world = World::start().await;
    let engine = engine_with_keep_alive(&world, KEEP_ALIVE);
    let (client, phone) = world.linked(&engine, NUMBER).await;
    let mut events = client.events().unwrap();
    next_state(&mut events, |state| *state == ConnectionState::Online).await;
    let friend = world.sandbox.phone("31687654321").await.unwrap();

    world.sandbox.black_hole(true);
    let began = Instant::now();
    friend.send_text(&phone.jid().to_string(), "into the void").await.unwrap();
    // The socket takes what is written to it, and nothing comes back.
    let sending = {
        let (client, chat) = (client.clone(), friend.jid());
        tokio::spawn(async move { client.send_text(&chat, "from the void", SendOptions::default()).await })
    };
    let mut seen = Vec::new();
    next_state(&mut events, |state| {
        seen.push(state.clone());
        matches!(state, ConnectionState::Waiting { reason: "silent", .. })
    })
    .await;
    assert!(seen.contains(&ConnectionState::Unresponsive), "{seen:?}");
    assert!(!seen.contains(&ConnectionState::Online), "{seen:?}");
    // A second for the scheduling of a busy machine.
    assert!(began.elapsed() < 2 * KEEP_ALIVE + Duration::from_secs(1), "{:?}", began.elapsed());

    world.sandbox.black_hole(false);
    let text = next_kind(&mut events, |kind| match kind {
        EventKind::Message(message) => message.text.clone(),
        _ => None,
    })
    .await;
    assert_eq!(text, "into the void");
    sending.await.unwrap().unwrap();
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

/// Whoever is let in again and again is not kept away for minutes because the network is bad.
#[tokio::test]
async fn cuts_soon_after_logins_cost_less_than_half_a_minute_each() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, NUMBER).await;
    let mut events = client.events().unwrap();
    for cut in 0..12 {
        next_state(&mut events, |state| *state == ConnectionState::Online).await;
        assert!(world.sandbox.disconnect(&device_label(&client, NUMBER)));
        let (_, retry_in) = waiting(&mut events).await;
        assert!(retry_in < Duration::from_secs(30), "{retry_in:?} after cut {cut}");
        client.wait_online().await;
    }
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn an_end_of_what_waited_that_is_never_said_holds_nothing_up_for_ever() {
    const KEEP_ALIVE: Duration = Duration::from_secs(2);
    let world = World::start().await;
    let engine = engine_with_keep_alive(&world, KEEP_ALIVE);
    let friend = world.sandbox.phone("31687654321").await.unwrap();
    let without = |lost: &'static [&'static str], number: &'static str| {
        let (world, engine, friend) = (&world, &engine, friend.clone());
        async move {
            let (client, phone) = world.linked(engine, number).await;
            let mut events = client.events().unwrap();
            let label = device_label(&client, number);
            client.disconnect();
            world.wait(|event| matches!(event, Event::Disconnected { device } if *device == label)).await;
            let id = friend.send_text(&phone.jid().to_string(), number).await.unwrap();
            for part in lost {
                let bulletin = StanzaMatch::tag("ib").child(*part);
                world.sandbox.add_fault(FaultRule::new(Fault::Swallow).device(&*label).stanza(bulletin));
            }
            let began = Instant::now();
            let online = {
                let client = client.clone();
                tokio::spawn(async move { client.connect(within(DEADLINE)).await })
            };
            // What waited is told, and confirmed, though the end of it is still waited for.
            let text = next_kind(&mut events, |kind| match kind {
                EventKind::Message(message) => message.text.clone(),
                _ => None,
            });
            assert_eq!(text.await, number);
            let confirmed = |event: &Event| match event {
                Event::Receipt { device, ids, .. } => *device == label && ids.contains(&id),
                _ => false,
            };
            world.wait(confirmed).await;
            client.send_text(&friend.jid(), number, SendOptions::default()).await.unwrap();
            online.await.unwrap().unwrap();
            assert!(began.elapsed() >= 2 * KEEP_ALIVE, "{:?}", began.elapsed());
        }
    };
    tokio::join!(
        without(&["offline"], "31612345001"),
        without(&["offline_preview", "offline"], "31612345002")
    );
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn two_holders_of_one_link_throw_each_other_out_and_lose_nothing() {
    let world = World::start().await;
    let engine = world.engine();
    let (first, phone) = world.linked(&engine, NUMBER).await;
    let mut events = first.events().unwrap();
    first.backup(world.store("copy"), within(DEADLINE)).await.unwrap();
    let second = engine.open(world.store("copy"), quiet()).unwrap();
    second.wait_online().await;
    next_kind(&mut events, |kind| matches!(kind, EventKind::Replaced).then_some(())).await;
    stopped(&first, &mut events).await;
    assert!(first.account().is_some(), "the link is kept");
    let mut events = second.events().unwrap();
    let friend = world.sandbox.phone("31687654321").await.unwrap();
    friend.send_text(&phone.jid().to_string(), "to whom?").await.unwrap();
    next_kind(&mut events, |kind| matches!(kind, EventKind::Message(_)).then_some(())).await;
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn after_a_sleep_connections_are_looked_at_and_waits_are_cut_short() {
    let world = World::start().await;
    // Long enough to have nothing to do with what follows.
    let engine = engine_with_keep_alive(&world, Duration::from_secs(300));
    let (client, _) = world.linked(&engine, NUMBER).await;
    let mut events = client.events().unwrap();
    next_state(&mut events, |state| *state == ConnectionState::Online).await;

    assert!(world.sandbox.stream_error(&device_label(&client, NUMBER), Some(429), None));
    assert!(waiting(&mut events).await.1 > Duration::from_secs(5));
    let woken = Instant::now();
    engine.wake();
    next_state(&mut events, |state| *state == ConnectionState::Online).await;
    assert!(woken.elapsed() < Duration::from_secs(5), "{:?}", woken.elapsed());

    world.sandbox.black_hole(true);
    engine.wake();
    next_state(&mut events, |state| *state == ConnectionState::Unresponsive).await;
    next_state(&mut events, |state| matches!(state, ConnectionState::Waiting { reason: "silent", .. })).await;
    world.sandbox.black_hole(false);
    client.wait_online().await;
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn clients_in_trouble_do_not_slow_down_the_others() {
    let world = World::start().await;
    let mut options = world.engine_options();
    options.connect_limit = 2;
    let engine = Engine::new(options).unwrap();
    let (good, _) = world.linked(&engine, NUMBER).await;
    let friend = world.sandbox.phone("31687654321").await.unwrap();

    // A host that takes no events, whose phone gets many messages.
    let mut deaf = quiet();
    (deaf.manual_acknowledge, deaf.journal_limit) = (true, 1);
    let deaf = engine.open(world.store("deaf"), deaf).unwrap();
    let deaf_phone = world.link(&deaf, "31612345001").await;
    for number in 0..20 {
        friend.send_text(&deaf_phone.jid().to_string(), &format!("unheard {number}")).await.unwrap();
    }
    // Proxies that never answer: more clients than may connect at a time.
    let mute = proxies::Proxy::start(Kind::Mute).await.unwrap();
    let mut stuck = Vec::new();
    for number in 0..6 {
        let mut options = ClientOptions::default();
        options.proxy = Some(Proxy::parse(&format!("socks5://{}", mute.address())).unwrap());
        stuck.push(engine.open(world.store(&format!("stuck{number}")), options).unwrap());
    }
    // Streams that break again and again, one by a frame that is not the service's.
    let (broken, _) = world.linked(&engine, "31612345002").await;
    let label = device_label(&broken, "31612345002");
    let breaking = {
        let sandbox = world.sandbox.clone();
        tokio::spawn(async move {
            loop {
                let nonsense = Node::new("notification").attr("type", "devices").child(Node::new("what"));
                sandbox.inject(&label, nonsense);
                sandbox.stream_error(&label, Some(515), None);
                tokio::task::yield_now().await;
                sandbox.disconnect(&label);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
    };
    // A device whose keys the service does not take.
    let (denied, _) = world.linked(&engine, "31612345003").await;
    assert!(world.sandbox.bar("31612345003", Some(503)));
    assert!(world.sandbox.disconnect(&device_label(&denied, "31612345003")));

    let mut slowest = Duration::ZERO;
    for number in 0..30 {
        let began = Instant::now();
        good.send_text(&friend.jid(), &format!("text {number}"), SendOptions::default()).await.unwrap();
        slowest = slowest.max(began.elapsed());
    }
    println!("the slowest of 30 sends took {slowest:?}");
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    // One that has to come back finds a place, though the stuck ones hold some.
    let began = Instant::now();
    good.disconnect();
    good.wait_online().await;
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    breaking.abort();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn connecting_and_disconnecting_in_any_order_ends_as_was_asked_last() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, NUMBER).await;
    for round in 0..20_u64 {
        let calls: Vec<_> = (0..3)
            .map(|_| {
                let client = client.clone();
                tokio::spawn(async move { client.connect(within(DEADLINE)).await })
            })
            .collect();
        for _ in 0..round % 4 {
            tokio::task::yield_now().await;
        }
        client.disconnect();
        for call in calls {
            // Whoever asked before the end of it is told, whoever was quicker was online.
            match call.await.unwrap() {
                Ok(()) => {}
                Err(error) => assert_eq!(error.code(), Code::NotConnected, "round {round}"),
            }
        }
    }
    client.wait_online().await;
    assert_eq!(client.connection_state(), ConnectionState::Online);
    let racing = {
        let client = client.clone();
        tokio::spawn(async move {
            client.disconnect();
            client.connect(within(DEADLINE)).await
        })
    };
    client.close(DEADLINE).await.unwrap();
    match racing.await.unwrap() {
        Ok(()) => {}
        Err(error) => {
            assert!(matches!(error.code(), Code::Closed | Code::Cancelled | Code::NotConnected), "{error:?}");
        }
    }
    engine.close(DEADLINE).await.unwrap();
}
