//! Many clients on one engine: the trouble of one is no other's, and all of them together are no
//! trouble for the service.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic in a scenario is the report of its failure")]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use whimbrel::events::{ConnectionState, EventKind, EventStream};
use whimbrel::testing;
use whimbrel::{Client, ClientOptions, Engine, Jid, Proxy, SendOptions};
use whimbrel_sandbox::{Event, Restriction};
use whimbrel_scenarios::proxies::{self, Kind};
use whimbrel_scenarios::{ANNA, BEN, DEADLINE, Wait as _, World, device_label, next_kind, next_state, quiet};

/// Takes events until this text. What comes before may be the other one's texts, what happens to own
/// messages, and the history of the own phone, and nothing else.
async fn only_texts(events: &mut EventStream, peer: &str, last: &str) {
    next_kind(events, |kind| match kind {
        EventKind::Message(message) => {
            let from = message.sender.phone.as_ref().map(ToString::to_string);
            assert_eq!(from, Some(Jid::pn(peer).to_string()), "{:?}", message.text);
            (message.text.as_deref() == Some(last)).then_some(())
        }
        EventKind::Receipt(_) | EventKind::SendStatus(_) | EventKind::History(_) => None,
        other => panic!("not this client's: {other:?}"),
    })
    .await;
}

/// Takes events until one of this kind of trouble.
async fn trouble(events: &mut EventStream, wanted: impl FnMut(&EventKind) -> bool) {
    let mut wanted = wanted;
    next_kind(events, |kind| wanted(kind).then_some(())).await;
}

fn waits(kind: &EventKind, word: &str) -> bool {
    matches!(kind, EventKind::Connection(ConnectionState::Waiting { reason, .. }) if *reason == word)
}

fn through(proxy: &proxies::Proxy) -> ClientOptions {
    let mut options = quiet();
    options.proxy = Some(Proxy::parse(&format!("socks5://{}", proxy.address())).unwrap());
    options
}

#[tokio::test]
async fn the_trouble_of_one_client_is_no_other_ones() {
    let world = World::start().await;
    let elsewhere = World::start_with(|options| options.seed += 1).await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let (ben, _) = world.linked(&engine, BEN).await;
    // One whose disk will fail, one behind a network that will die, one that will be restricted and one
    // that will be thrown out.
    let (sick, disk) = testing::open(&engine, quiet()).unwrap();
    let sick_phone = world.link(&sick, "31612345101").await;
    let network = proxies::Proxy::start(Kind::Socks(false)).await.unwrap();
    let holed = engine.open(world.store("holed"), through(&network)).unwrap();
    let holed_phone = world.link(&holed, "31612345102").await;
    let (bound, _) = world.linked(&engine, "31612345103").await;
    let (gone, gone_phone) = world.linked(&engine, "31612345104").await;
    let friend = world.sandbox.phone("31612345105").await.unwrap();
    anna.send_text(&Jid::pn(BEN), "hello", SendOptions::default()).await.unwrap();
    let (mut at_anna, mut at_ben) = (anna.events().unwrap(), ben.events().unwrap());
    let hello = |kind: &EventKind| matches!(kind, EventKind::Message(_));
    trouble(&mut at_ben, hello).await;
    trouble(&mut at_anna, |kind| matches!(kind, EventKind::Receipt(_))).await;

    disk.fail(true);
    network.black_hole(true);
    for (phone, words) in [(&sick_phone, "to a full disk"), (&holed_phone, "into the void")] {
        friend.send_text(&phone.jid().to_string(), words).await.unwrap();
    }
    let hour = Duration::from_secs(3600);
    assert!(world.sandbox.restrict("31612345103", Restriction::ReachoutTimelock, Some(hour), true));
    gone_phone.unlink(gone.account().unwrap().device).await.unwrap();
    // And one that is led to somebody else's service.
    let target = elsewhere.sandbox.ws_url();
    let target = target.trim_start_matches("ws://").split('/').next().unwrap().parse().unwrap();
    let astray = proxies::Proxy::start(Kind::Astray(target)).await.unwrap();
    let mut options = through(&astray);
    options.auto_start = true;
    let astray = engine.open(world.store("astray"), options).unwrap();

    // Each has its own trouble …
    let mut of_gone = gone.events().unwrap();
    trouble(&mut of_gone, |kind| matches!(kind, EventKind::LoggedOut(_))).await;
    let mut of_bound = bound.events().unwrap();
    trouble(&mut of_bound, |kind| matches!(kind, EventKind::Restriction(_))).await;
    let mut of_astray = astray.events().unwrap();
    trouble(&mut of_astray, |kind| waits(kind, "untrusted_server")).await;
    let mut of_sick = sick.events().unwrap();
    trouble(&mut of_sick, |kind| waits(kind, "store_failed")).await;

    // … and the others write to each other as ever, and hear nothing of it.
    const COUNT: u32 = 20;
    let mut slowest = Duration::ZERO;
    for number in 0..COUNT {
        for (client, peer) in [(&anna, BEN), (&ben, ANNA)] {
            let began = Instant::now();
            client.send_text(&Jid::pn(peer), &number.to_string(), SendOptions::default()).await.unwrap();
            slowest = slowest.max(began.elapsed());
        }
    }
    println!("the slowest of {} sends took {slowest:?}", 2 * COUNT);
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    let last = (COUNT - 1).to_string();
    only_texts(&mut at_anna, BEN, &last).await;
    only_texts(&mut at_ben, ANNA, &last).await;

    // What can end well does, and nothing was lost meanwhile.
    disk.fail(false);
    network.black_hole(false);
    engine.wake();
    for (client, events, words) in
        [(&sick, of_sick, "to a full disk"), (&holed, holed.events().unwrap(), "into the void")]
    {
        let mut events = events;
        client.wait_online().await;
        let text = next_kind(&mut events, |kind| match kind {
            EventKind::Message(message) => message.text.clone(),
            _ => None,
        });
        assert_eq!(text.await, words);
    }
    engine.close(DEADLINE).await.unwrap();
}

/// How long a client says that it waits before it comes back.
async fn pause_of(events: &mut EventStream) -> Duration {
    match next_state(events, |state| matches!(state, ConnectionState::Waiting { .. })).await {
        ConnectionState::Waiting { retry_in, .. } => retry_in,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn hundreds_of_clients_come_back_from_a_restart_of_the_service_without_a_storm() {
    const LINKED: usize = 10;
    const SHOWING: usize = 290;
    const PLACES: usize = 8;
    let world = World::start().await;
    let mut options = world.engine_options();
    options.connect_limit = PLACES;
    let engine = Engine::new(options).unwrap();
    // Most of them show codes: their handshakes are the same, and they are cheap to set up.
    let mut clients: Vec<Client> = Vec::new();
    for number in 0..LINKED {
        let (client, _) = world.linked(&engine, &format!("3161234{number:04}")).await;
        clients.push(client);
    }
    for _ in 0..SHOWING {
        clients.push(engine.open(":memory:", ClientOptions::default()).unwrap());
    }
    let mut ready = 0;
    let all_ready = |event: &Event| {
        ready += usize::from(matches!(event, Event::ReadyToLink { .. }));
        ready == LINKED + SHOWING
    };
    world.wait(all_ready).await;

    let mut events: Vec<EventStream> = clients.iter().map(|client| client.events().unwrap()).collect();
    let first = world.sandbox.take_handshakes();
    assert!(first.most <= 2 * PLACES, "{first:?}");
    world.sandbox.set_down(true);
    let began = Instant::now();
    let pauses = join_all(events.iter_mut().map(pause_of)).await;
    world.sandbox.set_down(false);
    for (number, events) in events.iter_mut().enumerate() {
        next_state(events, |state| match state {
            ConnectionState::Online => number < LINKED,
            ConnectionState::Linking => number >= LINKED,
            _ => false,
        })
        .await;
    }
    let took = began.elapsed();
    let back = world.sandbox.take_handshakes();
    println!("{} clients were back after {took:?}: {back:?}", clients.len());
    assert!(back.total >= clients.len(), "{back:?}");
    // A client is done before the service has read its last word, and the next one takes its place.
    assert!(back.most <= 2 * PLACES, "{back:?}");
    // They do not wait for the same moment.
    let distinct: BTreeSet<Duration> = pauses.iter().copied().collect();
    assert!(distinct.len() > clients.len() / 4, "{} different pauses", distinct.len());
    let (shortest, longest) = (pauses.iter().min().unwrap(), pauses.iter().max().unwrap());
    assert!(*longest - *shortest > Duration::from_millis(150), "{shortest:?} to {longest:?}");
    // Nobody has lost anything.
    let label = device_label(clients.first().unwrap(), "31612340000");
    assert!(world.sandbox.state().devices.iter().any(|device| device.device == label));
    engine.close(DEADLINE).await.unwrap();
}
