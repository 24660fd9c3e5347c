//! The helper programs by themselves: what holds without a service.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a panic is a test's failure report, in its helpers too"
)]

use std::path::PathBuf;

use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use whimbrel_interop::{Pair, Peer, PeerError, Program, Start};

fn store(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

fn refusal(result: Result<(), PeerError>) -> String {
    match result {
        Err(PeerError::Refused { reason, .. }) => reason,
        other => panic!("not refused: {other:?}"),
    }
}

async fn port_nobody_listens_on() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

async fn introduces_itself_and_refuses_what_it_must(program: Program, client: &str, version: &str) {
    let peer = Peer::spawn(program).await.unwrap();
    let info = peer.info().await.unwrap();
    assert_eq!((info.client.as_str(), info.version.as_str()), (client, version));
    assert_eq!((info.jid, info.lid, info.connected), (None, None, false));

    assert_eq!(refusal(peer.disconnect().await), "not started");
    let store = store(&format!("refused-{client}"));
    let elsewhere = Start::new("ws://web.whatsapp.com/ws/chat", [1; 32], &store).pair(Pair::Qr);
    assert!(refusal(peer.start(&elsewhere).await).starts_with("not a loopback address"));
    let media_elsewhere = Start::new("ws://127.0.0.1:9/ws/chat", [1; 32], &store)
        .pair(Pair::Qr)
        .media("https://mmg.whatsapp.net");
    assert!(refusal(peer.start(&media_elsewhere).await).starts_with("not a loopback address"));
    let unlinked = Start::new("ws://127.0.0.1:9/ws/chat", [1; 32], &store);
    assert_eq!(refusal(peer.start(&unlinked).await), "not linked, and not told how to pair");
    peer.quit().await.unwrap();
}

#[tokio::test]
async fn baileys_introduces_itself_and_refuses_what_it_must() {
    introduces_itself_and_refuses_what_it_must(Program::Baileys, "baileys", "7.0.0-rc14").await;
}

#[tokio::test]
async fn whatsmeow_introduces_itself_and_refuses_what_it_must() {
    let version = "v0.0.0-20260821141805-33cfac511629";
    introduces_itself_and_refuses_what_it_must(Program::Whatsmeow, "whatsmeow", version).await;
}

async fn reports_that_nobody_listens(program: Program, tries_again: bool) {
    let url = format!("ws://127.0.0.1:{}/ws/chat", port_nobody_listens_on().await);
    let peer = Peer::spawn(program).await.unwrap();
    let start = Start::new(url, [1; 32], store(&format!("nobody-{program:?}"))).pair(Pair::Qr);
    peer.start(&start).await.unwrap();
    let disconnected = peer.disconnected().await.unwrap();
    assert_eq!(disconnected.will_reconnect, tries_again, "{}", disconnected.reason);
    assert_eq!(refusal(peer.start(&start).await), "already started");
    peer.quit().await.unwrap();
}

#[tokio::test]
async fn baileys_reports_that_nobody_listens_and_tries_again() {
    reports_that_nobody_listens(Program::Baileys, true).await;
}

#[tokio::test]
async fn whatsmeow_reports_that_nobody_listens_and_leaves_it_at_that() {
    reports_that_nobody_listens(Program::Whatsmeow, false).await;
}

/// What a client sends first is the same for both: the upgrade of the chat socket.
#[tokio::test]
async fn each_asks_for_the_chat_socket() {
    for program in Program::ALL {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/ws/chat", listener.local_addr().unwrap());
        let peer = Peer::spawn(program).await.unwrap();
        let start = Start::new(url, [1; 32], store(&format!("upgrade-{program:?}"))).pair(Pair::Qr);
        peer.start(&start).await.unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0, "{program:?} left");
        }
        let request = String::from_utf8_lossy(&request).to_ascii_lowercase();
        assert!(request.starts_with("get /ws/chat http/1.1\r\n"), "{program:?}: {request}");
        assert!(request.contains("\r\norigin: https://web.whatsapp.com\r\n"), "{program:?}: {request}");
        peer.kill().await.unwrap();
    }
}

#[tokio::test]
async fn a_wait_ends_when_the_program_does() {
    let peer = Peer::spawn(Program::Baileys).await.unwrap();
    let (waited, quit) = tokio::join!(peer.connected(), peer.quit());
    quit.unwrap();
    assert!(matches!(waited, Err(PeerError::Ended { .. })), "{waited:?}");
    assert!(peer.info().await.is_err());
}
