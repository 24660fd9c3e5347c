//! A client and a phone reduced to what tests of the service need: handshake, stanzas, keys.
//! Ciphertexts are made up, since the service cannot read them.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Bytes, Message};
use tokio_tungstenite::{WebSocketStream, client_async};
use whimbrel_crypto::adv::{self, Hosting};
use whimbrel_crypto::curve::{KeyPair, PublicKey};
use whimbrel_noise::{NoiseRoot, Transport, Trust, client};
use whimbrel_proto::adv::{
    AdvDeviceIdentity, AdvKeyIndexList, AdvSignedDeviceIdentity, AdvSignedDeviceIdentityHmac,
    AdvSignedKeyIndexList,
};
use whimbrel_proto::client::ClientPayload;
use whimbrel_proto::client::client_payload::user_agent::AppVersion;
use whimbrel_proto::client::client_payload::{DevicePairingRegistrationData, UserAgent};
use whimbrel_proto::companion::DeviceProps;
use whimbrel_proto::{ProtoMessage, encode as encode_proto};
use whimbrel_sandbox::{LidStanding, Options, PhoneKeys, PhoneLink, Sandbox};
use whimbrel_wire::{
    ConnectionHeader, FrameDecoder, FrameLimits, Jid, Node, decode_frame, encode, encode_frame,
};

pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

pub(crate) async fn sandbox() -> Sandbox {
    Sandbox::start(Options::default()).await.unwrap()
}

/// What a companion owns.
pub(crate) struct Keys {
    pub(crate) noise: KeyPair,
    pub(crate) identity: KeyPair,
    pub(crate) signed: KeyPair,
    pub(crate) signature: [u8; 64],
    pub(crate) registration_id: u32,
    pub(crate) adv_secret: [u8; 32],
}

impl Keys {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let [noise, identity, signed] = [(); 3].map(|()| KeyPair::generate(&mut rng));
        let signature = identity.private.sign(&[&signed.public.to_typed()], &[9; 64]);
        let mut adv_secret = [0; 32];
        rng.fill_bytes(&mut adv_secret);
        Self { noise, identity, signed, signature, registration_id: 4242, adv_secret }
    }

    pub(crate) fn ephemeral(&self) -> KeyPair {
        KeyPair::generate(&mut ChaCha20Rng::from_seed(*self.noise.private.as_bytes()))
    }

    /// A payload that registers these keys.
    pub(crate) fn registration(&self) -> ClientPayload {
        let data = DevicePairingRegistrationData {
            e_regid: Some(self.registration_id.to_be_bytes().to_vec()),
            e_keytype: Some(vec![5]),
            e_ident: Some(self.identity.public.as_bytes().to_vec()),
            e_skey_id: Some(vec![0, 0, 1]),
            e_skey_val: Some(self.signed.public.as_bytes().to_vec()),
            e_skey_sig: Some(self.signature.to_vec()),
            build_hash: Some(vec![7; 16]),
            device_props: Some(DeviceProps { os: Some("test".into()), ..Default::default() }.encode_to_vec()),
        };
        ClientPayload { device_pairing_data: Some(Box::new(data)), passive: Some(false), ..payload() }
    }

    /// The stanza that uploads `count` one-time keys.
    pub(crate) fn upload(&self, id: &str, count: u32) -> Node {
        let keys = (1..=count).map(|id| {
            Node::new("key")
                .child(Node::new("id").bytes(be24(id)))
                .child(Node::new("value").bytes(vec![3; 32]))
        });
        Node::new("iq")
            .attr("id", id.to_owned())
            .attr("xmlns", "encrypt")
            .attr("type", "set")
            .attr("to", Jid::SERVER)
            .child(Node::new("registration").bytes(self.registration_id.to_be_bytes().to_vec()))
            .child(Node::new("type").bytes(vec![5]))
            .child(Node::new("identity").bytes(self.identity.public.as_bytes().to_vec()))
            .child(Node::new("list").children(keys))
            .child(self.skey())
    }

    pub(crate) fn skey(&self) -> Node {
        Node::new("skey")
            .child(Node::new("id").bytes(be24(1)))
            .child(Node::new("value").bytes(self.signed.public.as_bytes().to_vec()))
            .child(Node::new("signature").bytes(self.signature.to_vec()))
    }
}

pub(crate) fn be24(id: u32) -> Vec<u8> {
    id.to_be_bytes()[1..].to_vec()
}

pub(crate) fn payload() -> ClientPayload {
    let version =
        AppVersion { primary: Some(2), secondary: Some(3000), tertiary: Some(1), ..Default::default() };
    let agent = UserAgent { platform: Some(14), app_version: Some(version), ..Default::default() };
    ClientPayload { user_agent: Some(Box::new(agent)), ..Default::default() }
}

pub(crate) fn login(device: &Jid, passive: bool) -> ClientPayload {
    ClientPayload {
        username: Some(device.user().parse().unwrap()),
        device: Some(u32::from(device.device())),
        passive: Some(passive),
        ..payload()
    }
}

/// A byte stream under a WebSocket.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

pub(crate) type Socket = WebSocketStream<Box<dyn Wire>>;

/// A client's connection after the handshake.
pub(crate) struct Client {
    socket: Socket,
    transport: Transport,
    frames: FrameDecoder,
    waiting: VecDeque<Node>,
}

/// An upgraded connection over plain TCP.
pub(crate) async fn socket(sandbox: &Sandbox) -> Socket {
    let address = sandbox.ws_url().replace("ws://", "").replace("/ws/chat", "");
    let tcp: Box<dyn Wire> = Box::new(TcpStream::connect(address).await.unwrap());
    client_async(sandbox.ws_url(), tcp).await.unwrap().0
}

pub(crate) fn trust(sandbox: &Sandbox) -> Trust {
    let root = sandbox.noise_root();
    let root = NoiseRoot { public_key: PublicKey::from_bytes(root.public_key), serial: root.serial };
    Trust::new(root, sandbox.clock().now())
}

/// Sends a handshake frame, after the connection header if it is the first.
pub(crate) async fn send_frame(socket: &mut Socket, first: bool, payload: &[u8]) {
    let mut message = Vec::new();
    if first {
        ConnectionHeader::default().write(&mut message).unwrap();
    }
    encode_frame(payload, &mut message).unwrap();
    socket.send(Message::Binary(Bytes::from(message))).await.unwrap();
}

/// The next handshake frame.
pub(crate) async fn frame(socket: &mut Socket) -> Vec<u8> {
    let mut frames = FrameDecoder::new(FrameLimits::HANDSHAKE);
    loop {
        let message = timeout(DEADLINE, socket.next()).await.expect("nothing came in time");
        let Message::Binary(bytes) = message.unwrap().unwrap() else { continue };
        if let Some(frame) = frames.next_frame(&mut &bytes[..]).unwrap() {
            return frame.to_vec();
        }
    }
}

impl Client {
    pub(crate) async fn connect(sandbox: &Sandbox, keys: &Keys, payload: &ClientPayload) -> Self {
        Self::over(socket(sandbox).await, sandbox, keys, payload).await
    }

    /// Makes the full handshake over an upgraded connection.
    pub(crate) async fn over(
        mut socket: Socket,
        sandbox: &Sandbox,
        keys: &Keys,
        payload: &ClientPayload,
    ) -> Self {
        let (xx, hello) = client::Xx::start(keys.ephemeral());
        send_frame(&mut socket, true, &hello).await;
        let answer = frame(&mut socket).await;
        let finish = xx.read(&answer, &trust(sandbox)).unwrap();
        let (transport, message) = finish.finish(&keys.noise, &payload.encode_to_vec()).unwrap();
        send_frame(&mut socket, false, &message).await;
        Self::after(socket, transport)
    }

    /// A connection whose handshake was made elsewhere.
    pub(crate) fn after(socket: Socket, transport: Transport) -> Self {
        let frames = FrameDecoder::new(FrameLimits::TRANSPORT);
        Self { socket, transport, frames, waiting: VecDeque::new() }
    }

    pub(crate) async fn send(&mut self, node: &Node) {
        let mut body = Vec::new();
        encode(node, &mut body).unwrap();
        self.send_plaintext(body).await;
    }

    pub(crate) async fn send_plaintext(&mut self, mut body: Vec<u8>) {
        self.transport.sealer.seal(&mut body, 0).unwrap();
        let mut frame = Vec::new();
        encode_frame(&body, &mut frame).unwrap();
        self.socket.send(Message::Binary(Bytes::from(frame))).await.unwrap();
    }

    /// The next stanza, or nothing if the connection has ended.
    pub(crate) async fn next(&mut self) -> Option<Node> {
        timeout(DEADLINE, self.next_unlimited()).await.expect("nothing came in time")
    }

    async fn next_unlimited(&mut self) -> Option<Node> {
        loop {
            if let Some(node) = self.waiting.pop_front() {
                return Some(node);
            }
            match self.socket.next().await {
                Some(Ok(Message::Binary(bytes))) => {
                    let mut input = &bytes[..];
                    while let Some(frame) = self.frames.next_frame(&mut input).unwrap() {
                        let plaintext = self.transport.opener.open(frame).unwrap();
                        self.waiting.push_back(decode_frame(plaintext).unwrap().into_owned());
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// The next stanza with this tag; others are skipped.
    pub(crate) async fn expect(&mut self, tag: &str) -> Node {
        self.expect_where(|node| node.tag() == tag).await
    }

    pub(crate) async fn expect_where(&mut self, mut wanted: impl FnMut(&Node) -> bool) -> Node {
        loop {
            let node = self.next().await.expect("the connection ended");
            if wanted(&node) {
                return node;
            }
        }
    }

    /// Sends a request and returns its answer.
    pub(crate) async fn ask(&mut self, request: Node) -> Node {
        self.send(&request).await;
        let id = request.attr_text("id").unwrap().into_owned();
        self.expect_where(|node| node.tag() == "iq" && node.attr_is("id", &id)).await
    }

    /// What is left until the service closes.
    pub(crate) async fn rest(mut self) -> Vec<Node> {
        let mut rest = Vec::new();
        while let Some(node) = self.next().await {
            rest.push(node);
        }
        rest
    }
}

/// A request with one child.
pub(crate) fn request(id: &str, kind: &'static str, xmlns: &'static str, child: Node) -> Node {
    Node::new("iq")
        .attr("id", id.to_owned())
        .attr("type", kind)
        .attr("xmlns", xmlns)
        .attr("to", Jid::SERVER)
        .child(child)
}

/// A phone without a will of its own.
pub(crate) struct TestPhone {
    pub(crate) link: PhoneLink,
    pub(crate) identity: KeyPair,
    pub(crate) keys: PhoneKeys,
    list: Vec<u32>,
}

impl TestPhone {
    pub(crate) fn attach(sandbox: &Sandbox, number: &str) -> Self {
        Self::attach_standing(sandbox, number, None)
    }

    /// A phone whose account stands with LIDs as told.
    pub(crate) fn attach_standing(sandbox: &Sandbox, number: &str, standing: Option<LidStanding>) -> Self {
        let keys = Keys::new(number.parse().unwrap());
        let keys_of_phone = PhoneKeys {
            number: number.to_owned(),
            lid: None,
            standing,
            name: format!("Phone {number}"),
            identity: *keys.identity.public.as_bytes(),
            registration_id: keys.registration_id,
            signed_prekey_id: 1,
            signed_prekey: *keys.signed.public.as_bytes(),
            signed_prekey_signature: keys.signature,
        };
        let link = sandbox.attach(keys_of_phone.clone()).unwrap();
        Self { link, identity: keys.identity, keys: keys_of_phone, list: vec![0] }
    }

    pub(crate) async fn send(&self, node: Node) {
        self.link.send.send(node).await.unwrap();
    }

    pub(crate) async fn expect_where(&mut self, mut wanted: impl FnMut(&Node) -> bool) -> Node {
        loop {
            let node = timeout(DEADLINE, self.link.recv.recv()).await.expect("nothing came in time");
            let node = node.expect("the phone was thrown off");
            if wanted(&node) {
                return node;
            }
        }
    }

    pub(crate) async fn expect(&mut self, tag: &str) -> Node {
        self.expect_where(|node| node.tag() == tag).await
    }

    pub(crate) async fn ask(&mut self, request: Node) -> Node {
        let id = request.attr_text("id").unwrap().into_owned();
        self.send(request).await;
        self.expect_where(|node| node.tag() == "iq" && node.attr_is("id", &id)).await
    }

    /// Ones that others can write to need one-time keys.
    pub(crate) async fn upload(&mut self) {
        let keys = Keys::new(self.keys.number.parse().unwrap());
        let answer = self.ask(keys.upload("upload", 20)).await;
        assert!(answer.attr_is("type", "result"), "{answer}");
    }

    /// The upload for a companion with these keys that shows this reference.
    pub(crate) fn pair_device(&mut self, companion: &Keys, reference: &str) -> Node {
        let index = u32::try_from(self.list.len()).unwrap();
        self.list.push(index);
        let details = encode_proto(&AdvDeviceIdentity {
            raw_id: Some(77),
            timestamp: Some(1),
            key_index: Some(index),
            account_type: Some(0),
            device_type: Some(0),
        });
        let signature = adv::sign_account(
            &self.identity.private,
            Hosting::Own,
            &details,
            &companion.identity.public,
            &[1; 64],
        );
        let signed = encode_proto(&AdvSignedDeviceIdentity {
            details: Some(details),
            account_signature_key: Some(self.identity.public.as_bytes().to_vec()),
            account_signature: Some(signature.to_vec()),
            device_signature: None,
        });
        let container = encode_proto(&AdvSignedDeviceIdentityHmac {
            hmac: Some(adv::hmac(&companion.adv_secret, Hosting::Own, &signed).to_vec()),
            details: Some(signed),
            account_type: Some(0),
        });
        let upload = Node::new("pair-device")
            .child(Node::new("ref").text(reference.to_owned()))
            .child(Node::new("pub-key").bytes(companion.noise.public.as_bytes().to_vec()))
            .child(Node::new("device-identity").bytes(container))
            .child(self.key_index_list());
        request(&format!("pair-{index}"), "set", "md", upload)
    }

    /// The signed list of indexes.
    pub(crate) fn key_index_list(&self) -> Node {
        let details = encode_proto(&AdvKeyIndexList {
            raw_id: Some(77),
            timestamp: Some(self.list.len() as u64),
            current_index: self.list.last().copied(),
            valid_indexes: self.list.clone(),
            account_type: Some(0),
        });
        let signature = adv::sign_key_index_list(&self.identity.private, Hosting::Own, &details, &[2; 64]);
        let list = AdvSignedKeyIndexList {
            details: Some(details),
            account_signature: Some(signature.to_vec()),
            account_signature_key: None,
        };
        Node::new("key-index-list").attr("ts", "1").bytes(encode_proto(&list))
    }
}

/// The answer that signs what `pair-success` brought.
pub(crate) fn pair_device_sign(keys: &Keys, success: &Node) -> Node {
    let container = success.child_named("pair-success").unwrap().child_bytes("device-identity").unwrap();
    let container = AdvSignedDeviceIdentityHmac::decode(container).unwrap();
    let mut signed = AdvSignedDeviceIdentity::decode(container.details.unwrap().as_slice()).unwrap();
    let details = signed.details.clone().unwrap();
    let account = PublicKey::parse(&signed.account_signature_key.take().unwrap()).unwrap();
    let signature =
        adv::sign_device(&keys.identity.private, &keys.identity.public, &details, &account, &[3; 64]);
    signed.device_signature = Some(signature.to_vec());
    let index = AdvDeviceIdentity::decode(details.as_slice()).unwrap().key_index.unwrap();
    let identity = Node::new("device-identity").attr("key-index", index).bytes(encode_proto(&signed));
    Node::new("iq")
        .attr("type", "result")
        .attr("to", Jid::SERVER)
        .attr("id", success.attr_text("id").unwrap().into_owned())
        .child(Node::new("pair-device-sign").child(identity))
}

/// Links a companion and returns its address.
pub(crate) async fn link(sandbox: &Sandbox, phone: &mut TestPhone, keys: &Keys) -> Jid {
    let mut client = Client::connect(sandbox, keys, &keys.registration()).await;
    let offer = client.expect("iq").await;
    let id = offer.attr_text("id").unwrap().into_owned();
    client.send(&Node::new("iq").attr("type", "result").attr("to", Jid::SERVER).attr("id", id)).await;
    let refs = offer.child_named("pair-device").unwrap();
    let reference = refs.child_nodes()[0].content_text().unwrap().to_owned();
    let upload = phone.pair_device(keys, &reference);
    phone.send(upload).await;
    let success = client.expect("iq").await;
    client.send(&pair_device_sign(keys, &success)).await;
    let result = phone.expect_where(|node| node.tag() == "iq").await;
    assert!(result.attr_is("type", "result"), "{result}");
    let rest = client.rest().await;
    assert!(rest.first().is_some_and(|node| node.attr_is("code", "515")), "{rest:?}");
    result.child_named("device").unwrap().attr_jid("jid").unwrap()
}

/// Logs a linked companion in, uploads keys and becomes active; returns after the offline marker.
pub(crate) async fn enter(sandbox: &Sandbox, keys: &Keys, device: &Jid) -> Client {
    let mut client = Client::connect(sandbox, keys, &login(device, true)).await;
    client.expect("success").await;
    let answer = client.ask(keys.upload("up-1", 30)).await;
    assert!(answer.attr_is("type", "result"), "{answer}");
    client.send(&request("act-1", "set", "passive", Node::new("active"))).await;
    client.expect_where(|node| node.child_named("offline").is_some()).await;
    client
}

/// A direct message with made-up ciphertexts for these devices.
pub(crate) fn message(id: &str, to: &Jid, devices: &[Jid]) -> Node {
    let copies = devices.iter().map(|jid| {
        Node::new("to").attr("jid", jid).child(
            Node::new("enc").attr("v", "2").attr("type", "msg").bytes(format!("for {jid}").into_bytes()),
        )
    });
    Node::new("message")
        .attr("id", id.to_owned())
        .attr("to", to)
        .attr("type", "text")
        .child(Node::new("participants").children(copies))
}
