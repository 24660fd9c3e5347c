//! The life of a peer's link, the same for every make.

use std::path::Path;

use whimbrel_interop::{Event, Pair, Peer, Program};
use whimbrel_sandbox::Event as ServiceEvent;
use whimbrel_sandbox::phone::Phone;

use crate::support::{DEADLINE, Stage};

/// Scans the peer's code, waits for the restart after linking and the login, loses a connection, starts the program
/// anew, and is thrown out by the phone at last.
pub(crate) async fn by_qr(program: Program, story: &str) {
    let stage = Stage::new(story).await;
    let phone = stage.person("15550001", "Ana").await;
    let store = stage.new_store();
    let peer = Peer::spawn(program).await.unwrap();
    peer.start(&stage.start(&store).pair(Pair::Qr)).await.unwrap();
    let device = phone.scan(&peer.qr().await.unwrap()).await.unwrap();
    assert_eq!(phone.companions(), [device.device()]);

    let identity = peer.linked().await.unwrap();
    assert_eq!(identity.jid, device.to_string());
    let identity = peer.connected().await.unwrap();
    assert_eq!(identity.jid, device.to_string());
    assert_eq!(identity.lid, Some(phone.lid().with_device(device.device()).to_string()));
    peer.caught_up().await.unwrap();
    history_arrives(&peer).await;

    cut_and_back(&stage, &peer, &label(device.device())).await;
    let peer = start_anew(&stage, peer, program, &store).await;
    thrown_out(&peer, &phone, device.device()).await;

    // What the program holds now is worthless, and it says so itself.
    peer.quit().await.unwrap();
    stage.finish();
}

/// Types the peer's code on the phone, which it made over TLS; the rest is as after a scan. The peer unlinks itself
/// at last.
pub(crate) async fn by_code(program: Program, story: &str) {
    let stage = Stage::new(story).await;
    let phone = stage.person("15550001", "Ana").await;
    let store = stage.new_store();
    let (peer, start) = stage.peer_by_tls(program, &store).await;
    peer.start(&start.pair(Pair::Code { phone: phone.number().to_owned() })).await.unwrap();
    let code = peer.pairing_code().await.unwrap();
    assert_eq!(code.len(), 8, "{code}");
    let device = phone.enter_code(&code).await.unwrap();
    assert_eq!(phone.companions(), [device.device()]);

    assert_eq!(peer.linked().await.unwrap().jid, device.to_string());
    assert_eq!(peer.connected().await.unwrap().jid, device.to_string());
    peer.caught_up().await.unwrap();
    history_arrives(&peer).await;

    let peer = start_anew(&stage, peer, program, &store).await;
    peer.logout().await.unwrap();
    // whatsmeow also reports the stream error that follows the service's answer, if it comes early enough.
    let own_wish = |event: &Event| matches!(event, Event::LoggedOut(left) if left.reason == "self");
    peer.wait_to_see("the end of the link by its own wish", own_wish).await.unwrap();
    let label = label(device.device());
    let unlinked = |event: &ServiceEvent| *event == ServiceEvent::Unlinked { device: label.clone() };
    stage.sandbox.events().wait_for(unlinked, DEADLINE).await.unwrap();
    peer.quit().await.unwrap();
    stage.finish();
}

fn label(device: u16) -> String {
    format!("15550001:{device}")
}

/// The phone tells a new companion about the account; clients call themselves ready only then.
async fn history_arrives(peer: &Peer) {
    peer.wait_to_see("a piece of history", |event| matches!(event, Event::History { .. })).await.unwrap();
}

async fn cut_and_back(stage: &Stage, peer: &Peer, device: &str) {
    assert!(stage.sandbox.disconnect(device), "{device} is not connected");
    // The restart after linking is a lost connection too, for peers that report it.
    let disconnected = |event: &Event| match event {
        Event::Disconnected(lost) if lost.code != Some(515) => Some(lost.clone()),
        _ => None,
    };
    let lost = peer.wait_for("the cut", disconnected).await.unwrap();
    assert!(lost.will_reconnect, "{lost:?}");
    peer.connected().await.unwrap();
    assert_not_linked_again(peer);
}

async fn start_anew(stage: &Stage, peer: Peer, program: Program, store: &Path) -> Peer {
    let before = peer.info().await.unwrap();
    peer.quit().await.unwrap();
    let peer = Peer::spawn(program).await.unwrap();
    peer.start(&stage.start(store)).await.unwrap();
    let identity = peer.connected().await.unwrap();
    assert_eq!(Some(identity.jid), before.jid);
    assert_not_linked_again(&peer);
    peer
}

fn assert_not_linked_again(peer: &Peer) {
    let linking = |event: &Event| matches!(event, Event::Linked(_) | Event::PairingFailed { .. });
    assert!(!peer.unread().iter().any(linking), "{:?}", peer.unread());
}

async fn thrown_out(peer: &Peer, phone: &Phone, device: u16) {
    phone.unlink(device).await.unwrap();
    let reason = peer.logged_out().await.unwrap().reason;
    assert_ne!(reason, "self");
    assert!(phone.companions().is_empty());
}
