//! Clients that get out through proxies, each through its own.

#![expect(clippy::unwrap_used, reason = "a panic in a scenario is the report of its failure")]

use std::time::Instant;

use whimbrel::events::ConnectionState;
use whimbrel::{Client, ClientOptions, Code, Engine, Proxy as ProxyOption};
use whimbrel_scenarios::proxies::{Kind, PASSWORD, Proxy, USER};
use whimbrel_scenarios::{DEADLINE, NUMBER, Wait as _, World, next_state, quiet, within};

fn through(url: &str) -> ClientOptions {
    let mut options = quiet();
    options.proxy = Some(ProxyOption::parse(url).unwrap());
    options
}

/// An engine whose service has a name, over TLS.
fn named(world: &World) -> Engine {
    let mut options = world.engine_options();
    options.endpoint.url = world.sandbox.wss_url().replace("127.0.0.1", "localhost");
    options.endpoint.extra_ca_pem = Some(world.sandbox.ca_pem().to_owned());
    options.endpoint.version_url = Some(world.sandbox.web_url());
    Engine::new(options).unwrap()
}

#[tokio::test]
async fn every_kind_of_proxy_carries_a_client_and_resolves_the_name() {
    let world = World::start().await;
    let engine = named(&world);
    let kinds = [
        (Kind::Http(false), "http://".to_owned()),
        (Kind::Http(true), format!("http://{USER}:{PASSWORD}@")),
        (Kind::Socks(false), "socks5://".to_owned()),
        (Kind::Socks(true), format!("socks5h://{USER}:{PASSWORD}@")),
    ];
    for (at, (kind, prefix)) in kinds.into_iter().enumerate() {
        let proxy = Proxy::start(kind).await.unwrap();
        let options = through(&format!("{prefix}{}", proxy.address()));
        let number = format!("3161234567{at}");
        let client = engine.open(world.store(&number), options).unwrap();
        world.link(&client, &number).await;
        let asked = proxy.asked();
        assert!(asked.len() >= 2, "{kind:?}: linking and login: {asked:?}");
        assert!(asked.iter().all(|target| target.starts_with("localhost:")), "{kind:?}: {asked:?}");
    }
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn the_version_is_looked_for_through_the_proxy() {
    let world = World::start().await;
    let engine = named(&world);
    world.sandbox.set_min_version([2, 3000, 2_000_000_000]);
    world.sandbox.set_web_revision(Some(2_000_000_000));
    let proxy = Proxy::start(Kind::Socks(false)).await.unwrap();
    let client = engine.open(world.store("a"), through(&format!("socks5://{}", proxy.address()))).unwrap();
    world.link(&client, NUMBER).await;
    let asked = proxy.asked();
    assert!(asked.iter().any(|target| target.starts_with("127.0.0.1:")), "{asked:?}");
    engine.close(DEADLINE).await.unwrap();
}

async fn refused(client: &Client, reason: &'static str) {
    let mut events = client.events().unwrap();
    let linking = {
        let client = client.clone();
        tokio::spawn(async move { client.link_with_qr(within(DEADLINE / 10)).await })
    };
    next_state(
        &mut events,
        |state| matches!(state, ConnectionState::Waiting { reason: given, .. } if *given == reason),
    )
    .await;
    assert_eq!(linking.await.unwrap().unwrap_err().code(), Code::ProxyFailed, "{reason}");
}

#[tokio::test]
async fn proxies_that_fail_are_told_apart_and_touch_nobody_else() {
    let world = World::start().await;
    let engine = named(&world);
    let (http, socks) =
        (Proxy::start(Kind::Http(true)).await.unwrap(), Proxy::start(Kind::Socks(true)).await.unwrap());
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (url, reason) in [
        (format!("http://{USER}:wrong@{}", http.address()), "proxy_credentials"),
        (format!("http://{}", http.address()), "proxy_credentials"),
        (format!("socks5://{USER}:wrong@{}", socks.address()), "proxy_credentials"),
        (format!("socks5://{}", socks.address()), "proxy_credentials"),
        (format!("socks5://{closed}"), "proxy_unreachable"),
        // The sandbox is no proxy, and says so in its own way.
        (
            format!(
                "http://{}",
                world.sandbox.web_url().trim_start_matches("http://").trim_end_matches("/sw.js")
            ),
            "proxy_unreachable",
        ),
    ] {
        let client = engine.open(":memory:", through(&url)).unwrap();
        refused(&client, reason).await;
    }
    let (client, _) = world.linked(&engine, NUMBER).await;
    let began = Instant::now();
    client.disconnect();
    client.wait_online().await;
    assert!(began.elapsed() < DEADLINE / 3);
    engine.close(DEADLINE).await.unwrap();
}
