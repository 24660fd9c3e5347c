//! The version of the web client: too old, set by the host, found on the page, kept.

#![expect(clippy::unwrap_used, reason = "a panic in a scenario is the report of its failure")]

use whimbrel::events::EventKind;
use whimbrel::{Client, Code, Engine, EngineOptions, VersionSource};
use whimbrel_sandbox::Event;
use whimbrel_scenarios::{DEADLINE, NUMBER, Wait as _, World, next_kind, quiet, within};

/// What the service wants from some day on, newer than any that was built in.
const WANTED: [u32; 3] = [2, 3000, 2_000_000_000];

fn options(world: &World) -> EngineOptions {
    let mut options = world.engine_options();
    options.endpoint.version_url = Some(world.sandbox.web_url());
    options
}

fn pages_read(world: &World) -> usize {
    world.count(|event| matches!(event, Event::VersionPageRead {}))
}

async fn outdated(client: &Client) {
    let error = client.connect(within(DEADLINE)).await.unwrap_err();
    assert_eq!((error.code(), error.service_status()), (Code::ClientOutdated, 405));
}

#[tokio::test]
async fn a_refused_version_is_replaced_by_the_one_on_the_page_and_kept() {
    let world = World::start().await;
    let engine = Engine::new(options(&world)).unwrap();
    let (client, _) = world.linked(&engine, NUMBER).await;
    assert_eq!(client.client_version().source, VersionSource::BuiltIn);
    client.disconnect();
    world.sandbox.set_min_version(WANTED);
    world.sandbox.set_web_revision(Some(2_000_000_001));
    client.wait_online().await;
    let version = client.client_version();
    assert_eq!((version.version, version.source), ([2, 3000, 2_000_000_001], VersionSource::Found));
    assert_eq!(pages_read(&world), 1);
    engine.close(DEADLINE).await.unwrap();

    // The next process knows it, without the page.
    world.sandbox.set_web_revision(None);
    let engine = Engine::new(options(&world)).unwrap();
    let client = engine.open(world.store(NUMBER), quiet()).unwrap();
    client.wait_online().await;
    assert_eq!(pages_read(&world), 1);
    // It helps an account that is linked for the first time as well.
    world.linked(&engine, "31612345679").await;
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn many_refused_clients_read_the_page_once() {
    let world = World::start().await;
    let engine = Engine::new(options(&world)).unwrap();
    world.sandbox.set_min_version(WANTED);
    world.sandbox.set_web_revision(Some(WANTED[2]));
    let clients: Vec<_> = (0..5).map(|_| engine.open(":memory:", quiet()).unwrap()).collect();
    let linking: Vec<_> = clients
        .iter()
        .map(|client| {
            let client = client.clone();
            tokio::spawn(async move { client.link_with_qr(within(DEADLINE)).await })
        })
        .collect();
    for call in linking {
        call.await.unwrap().unwrap();
    }
    assert_eq!(pages_read(&world), 1);
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn without_a_newer_version_the_host_is_told_and_can_set_one() {
    let world = World::start().await;
    let engine = Engine::new(options(&world)).unwrap();
    let (client, _) = world.linked(&engine, NUMBER).await;
    let mut events = client.events().unwrap();
    client.disconnect();
    world.sandbox.set_min_version(WANTED);
    // A page that names an older version than the built-in one is not believed.
    world.sandbox.set_web_revision(Some(5));
    outdated(&client).await;
    let status = next_kind(&mut events, |kind| match kind {
        EventKind::ConnectionRefused(refused) => Some(refused.service_status),
        _ => None,
    })
    .await;
    assert_eq!(status, 405);
    assert!(client.account().is_some());
    // Asked again within the hour, the page is left alone.
    outdated(&client).await;
    assert_eq!(pages_read(&world), 1);

    client.set_client_version(Some(WANTED));
    client.wait_online().await;
    assert_eq!(engine.client_version().source, VersionSource::Host);
    // What the host set is never replaced.
    client.disconnect();
    world.sandbox.set_min_version([2, 3000, 2_000_000_005]);
    world.sandbox.set_web_revision(Some(2_000_000_009));
    outdated(&client).await;
    assert_eq!(pages_read(&world), 1);
    // Unless the host leaves the choice to the engine again, and asks it to look.
    engine.set_client_version(None);
    let found = client.find_client_version(within(DEADLINE)).await.unwrap();
    assert_eq!(found.version, [2, 3000, 2_000_000_009]);
    client.wait_online().await;
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn looking_for_a_version_can_be_switched_off_and_fails_with_a_reason() {
    let world = World::start().await;
    let mut off = options(&world);
    off.find_version = false;
    let engine = Engine::new(off).unwrap();
    let (client, _) = world.linked(&engine, NUMBER).await;
    client.disconnect();
    world.sandbox.set_min_version(WANTED);
    outdated(&client).await;
    assert_eq!(pages_read(&world), 0);
    // Asked for by the host it is done all the same; here there is no page.
    let error = client.find_client_version(within(DEADLINE)).await.unwrap_err();
    assert_eq!((error.code(), error.service_status()), (Code::Refused, 404));
    engine.close(DEADLINE).await.unwrap();

    // Another endpoint than the service has no page unless the host names one.
    let engine = world.engine();
    let client = engine.open(world.store(NUMBER), quiet()).unwrap();
    outdated(&client).await;
    let error = client.find_client_version(within(DEADLINE)).await.unwrap_err();
    assert_eq!(error.code(), Code::NotSupported);
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn the_page_is_read_over_tls_too() {
    let world = World::start().await;
    let mut options = world.engine_options();
    options.endpoint.version_url = Some(world.sandbox.web_url().replace("http://", "https://"));
    options.endpoint.extra_ca_pem = Some(world.sandbox.ca_pem().to_owned());
    world.sandbox.set_min_version(WANTED);
    world.sandbox.set_web_revision(Some(WANTED[2]));
    let engine = Engine::new(options).unwrap();
    world.linked(&engine, NUMBER).await;
    engine.close(DEADLINE).await.unwrap();
}
