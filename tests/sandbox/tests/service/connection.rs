//! Upgrade, TLS, header, handshakes, framing, and stanzas of the test's making.

use std::num::NonZeroUsize;
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};
use tokio_tungstenite::{client_async, connect_async};
use whimbrel_noise::client::{Ik, IkAnswer, Xx};
use whimbrel_proto::ProtoMessage;
use whimbrel_sandbox::{Framing, Limits, Options, Sandbox};
use whimbrel_wire::{Jid, Node};

use crate::support::{
    Client, Keys, Socket, TestPhone, Wire, enter, frame, link, login, sandbox, send_frame, socket, trust,
};

async fn linked(options: Options) -> (Sandbox, TestPhone, Keys, Jid) {
    let sandbox = Sandbox::start(options).await.unwrap();
    let mut phone = TestPhone::attach(&sandbox, "15550001");
    let keys = Keys::new(1);
    let device = link(&sandbox, &mut phone, &keys).await;
    (sandbox, phone, keys, device)
}

async fn refused_with(url: String, origin: Option<&str>) -> Option<u16> {
    let mut request = url.into_client_request().unwrap();
    if let Some(origin) = origin {
        request.headers_mut().insert("origin", origin.parse().unwrap());
    }
    match connect_async(request).await {
        Ok(_) => None,
        Err(Error::Http(response)) => Some(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn only_the_endpoints_path_and_in_strict_mode_its_origin_are_let_in() {
    let strict = Sandbox::start(Options { strict: true, ..Options::default() }).await.unwrap();
    let elsewhere = strict.ws_url().replace("/ws/chat", "/ws/chatter");
    assert_eq!(refused_with(elsewhere, None).await, Some(404));
    assert_eq!(refused_with(strict.ws_url(), Some("https://example.com")).await, Some(403));
    assert_eq!(refused_with(strict.ws_url(), Some("https://web.whatsapp.com")).await, None);
    assert_eq!(refused_with(strict.ws_url(), None).await, None);
    assert_eq!(refused_with(sandbox().await.ws_url(), Some("https://example.com")).await, None);
}

#[tokio::test]
async fn the_same_port_speaks_tls_for_the_names_that_clients_use() {
    let (sandbox, _phone, keys, device) = linked(Options::default()).await;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(sandbox.ca_pem().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    for name in ["web.whatsapp.com", "127.0.0.1"] {
        let address = sandbox.wss_url().replace("wss://", "").replace("/ws/chat", "");
        let tcp = TcpStream::connect(address).await.unwrap();
        let tls = connector.connect(ServerName::try_from(name).unwrap(), tcp).await.unwrap();
        let stream: Box<dyn Wire> = Box::new(tls);
        let (socket, _) = client_async(sandbox.ws_url(), stream).await.unwrap();
        let mut client = Client::over(socket, &sandbox, &keys, &login(&device, true)).await;
        client.expect("success").await;
    }
}

#[tokio::test]
async fn header_and_frames_may_come_in_pieces() {
    let (sandbox, _phone, keys, device) = linked(Options::default()).await;
    let mut socket = socket(&sandbox).await;
    let (xx, hello) = Xx::start(keys.ephemeral());
    let mut bytes = vec![b'E', b'D', 0, 1, 0, 0, 2, 8, 9, b'W', b'A', 6, 3];
    whimbrel_wire::encode_frame(&hello, &mut bytes).unwrap();
    for piece in bytes.chunks(5) {
        socket.send(Message::Binary(Bytes::copy_from_slice(piece))).await.unwrap();
    }
    let answer = frame(&mut socket).await;
    let finish = xx.read(&answer, &trust(&sandbox)).unwrap();
    let (transport, message) = finish.finish(&keys.noise, &login(&device, true).encode_to_vec()).unwrap();
    send_frame(&mut socket, false, &message).await;
    Client::after(socket, transport).expect("success").await;
}

async fn close_code(mut socket: Socket) -> u16 {
    loop {
        match socket.next().await {
            Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
            Some(Ok(_)) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn what_is_no_handshake_is_closed_with_the_reason() {
    let sandbox = sandbox().await;
    for (message, code) in [
        (Message::Binary(Bytes::from_static(b"WA\x05\x03")), 1002),
        (Message::Binary(Bytes::from_static(b"WA\x06\x03\x00\x00\x00")), 1002),
        (Message::Binary(Bytes::from_static(b"WA\x06\x03\x10\x00\x00")), 1009),
        (Message::Binary(Bytes::from_static(b"WA\x06\x03\x00\x00\x01\x07")), 1002),
        (Message::Text("hello".into()), 1003),
    ] {
        let mut socket = socket(&sandbox).await;
        socket.send(message.clone()).await.unwrap();
        assert_eq!(close_code(socket).await, code, "{message:?}");
    }
}

/// Tries to resume after a full handshake; tells whether the service agreed.
async fn resumed(limits: Limits) -> bool {
    let (sandbox, _phone, keys, device) = linked(Options { limits, ..Options::default() }).await;
    let payload = login(&device, true).encode_to_vec();
    let mut first = socket(&sandbox).await;
    let (xx, hello) = Xx::start(keys.ephemeral());
    send_frame(&mut first, true, &hello).await;
    let server = *xx.read(&frame(&mut first).await, &trust(&sandbox)).unwrap().server();
    drop(first);

    let mut socket = socket(&sandbox).await;
    let (ik, hello) = Ik::start(Keys::new(9).ephemeral(), keys.noise.clone(), &server.key, &payload).unwrap();
    send_frame(&mut socket, true, &hello).await;
    let (transport, agreed) = match ik.read(&frame(&mut socket).await, &trust(&sandbox)).unwrap() {
        IkAnswer::Resumed(transport) => (transport, true),
        IkAnswer::Fallback(finish) => {
            let (transport, message) = finish.finish(&keys.noise, &payload).unwrap();
            send_frame(&mut socket, false, &message).await;
            (transport, false)
        }
    };
    Client::after(socket, transport).expect("success").await;
    agreed
}

#[tokio::test]
async fn a_known_client_may_resume_or_is_told_to_start_over() {
    assert!(resumed(Limits::default()).await);
    assert!(!resumed(Limits { resumption: false, ..Limits::default() }).await);
}

#[tokio::test]
async fn frames_are_compressed_and_cut_on_demand() {
    let framing = Framing { compressed: true, pieces: NonZeroUsize::new(7) };
    let (sandbox, _phone, keys, device) = linked(Options { framing, ..Options::default() }).await;
    enter(&sandbox, &keys, &device).await;
}

#[tokio::test]
async fn tests_can_send_what_they_like() {
    let (sandbox, _phone, keys, device) = linked(Options::default()).await;
    let mut client = enter(&sandbox, &keys, &device).await;
    let bulletin = Node::new("ib").attr("from", Jid::SERVER).child(Node::new("tos"));
    assert!(sandbox.inject("15550001:1", bulletin.clone()));
    assert_eq!(client.expect_where(|node| node.child_named("tos").is_some()).await, bulletin);
    let news = Node::new("notification").attr("type", "x").attr("id", "77").attr("from", Jid::SERVER);
    assert!(sandbox.enqueue("15550001:1", news.clone()));
    assert_eq!(client.expect("notification").await, news);
    drop(client);
    // It was not settled, so it comes again.
    let mut client = Client::connect(&sandbox, &keys, &login(&device, false)).await;
    let again = client.expect("notification").await;
    assert!(again.attr_is("id", "77") && again.attr_is("offline", "1"), "{again}");
    assert!(!sandbox.inject("15550009", bulletin));
}

#[tokio::test]
async fn a_phone_set_up_anew_loses_its_companions_and_its_friends_hear_of_it() {
    let (sandbox, ana, keys, device) = linked(Options::default()).await;
    let mut ben = TestPhone::attach(&sandbox, "15550002");
    let mut client = enter(&sandbox, &keys, &device).await;
    client.send(&crate::support::message("M1", &ben.link.lid, &[ben.link.lid.clone()])).await;
    client.expect("ack").await;
    let fresh = Keys::new(99);
    let anew = whimbrel_sandbox::PhoneKeys {
        identity: *fresh.identity.public.as_bytes(),
        signed_prekey: *fresh.signed.public.as_bytes(),
        signed_prekey_signature: fresh.signature,
        ..ana.keys.clone()
    };
    let link = sandbox.attach_anew(anew).unwrap();
    assert_eq!(link.lid, ana.link.lid);
    let rest = client.rest().await;
    assert!(rest.iter().any(|node| node.child_named("conflict").is_some()), "{rest:?}");
    let told = ben.expect_where(|node| node.child_named("identity").is_some()).await;
    assert!(told.attr_is("type", "encrypt"), "{told}");
    assert_eq!(told.attr_jid("from"), Some(ana.link.pn.clone()));
}
