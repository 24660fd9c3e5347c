//! From an open socket to an encrypted channel (transport document §2): the full handshake, or a
//! resumption with the server key of an earlier one.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use whimbrel_crypto::curve::{KeyPair, PublicKey};
use whimbrel_noise::client::{Finish, Ik, IkAnswer, Xx};
use whimbrel_noise::{Certified, Transport, Trust};
use whimbrel_wire::{ConnectionHeader, FrameDecoder, FrameLimits, Node, encode_frame};

use super::Lost;
use super::dial::Route;
use super::dispatch::Router;
use super::reader::Reader;
use super::socket::{self, Socket, SocketError, Target};
use super::writer::Writer;

/// Time for TCP, TLS and the upgrade.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// Time for the server's answer.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(20);

/// A server key of an earlier handshake with the time for which it is certified, in seconds.
pub(crate) type ServerKey = ([u8; 32], i64, i64);

/// Who connects, and how.
pub(crate) struct Identify {
    /// The device's Noise key.
    pub(crate) noise: KeyPair,
    /// The `ClientPayload`.
    pub(crate) payload: Vec<u8>,
    /// A fresh key.
    pub(crate) ephemeral: KeyPair,
    /// Whom to believe.
    pub(crate) trust: Trust,
    /// Resume with this key.
    pub(crate) resume: Option<ServerKey>,
    /// Where the service wants this client to go.
    pub(crate) routing_info: Option<Vec<u8>>,
}

/// Why there is no channel.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HandshakeError {
    /// No socket.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// The socket ended or failed while shaking hands.
    #[error("the connection ended during the handshake: {0}")]
    Lost(#[from] Lost),
    /// The time ran out.
    #[error("the server did not answer in time")]
    TimedOut,
    /// The server's messages are not what they must be.
    #[error(transparent)]
    Noise(#[from] whimbrel_noise::HandshakeError),
}

/// An encrypted channel, and what a registered client remembers of the server.
pub(crate) struct Channel {
    socket: Socket,
    frames: FrameDecoder,
    transport: Transport,
    rest: Bytes,
    /// The server's key, if it was certified now rather than earlier.
    pub(crate) certified: Option<ServerKey>,
}

/// Opens a socket and shakes hands.
pub(crate) async fn connect(
    target: &Target,
    route: &Route,
    identify: Identify,
) -> Result<Channel, HandshakeError> {
    let opened = tokio::time::timeout(CONNECT_TIMEOUT, socket::connect(target, route)).await;
    let socket = opened.map_err(|_| HandshakeError::TimedOut)??;
    let hands = Hands { socket, frames: FrameDecoder::new(FrameLimits::HANDSHAKE), rest: Bytes::new() };
    tokio::time::timeout(HANDSHAKE_TIMEOUT, hands.shake(identify))
        .await
        .map_err(|_| HandshakeError::TimedOut)?
}

struct Hands {
    socket: Socket,
    frames: FrameDecoder,
    rest: Bytes,
}

impl Hands {
    async fn shake(mut self, identify: Identify) -> Result<Channel, HandshakeError> {
        let Identify { noise, payload, ephemeral, trust, resume, routing_info } = identify;
        let mut header = Vec::new();
        // Longer routing info than the service hands out is not worth a failure.
        let routing_info = routing_info.filter(|info| info.len() <= whimbrel_wire::header::MAX_ROUTING_INFO);
        let opening = ConnectionHeader { routing_info };
        if opening.write(&mut header).is_err() {
            header.clear();
            header.extend(whimbrel_wire::header::PROLOGUE);
        }
        let (transport, certified) = match resume {
            Some((key, ..)) => {
                let server = PublicKey::from_bytes(key);
                let (state, hello) = Ik::start(ephemeral, noise.clone(), &server, &payload)?;
                self.send(header, &hello).await?;
                match state.read(&self.receive().await?, &trust)? {
                    IkAnswer::Resumed(transport) => (transport, None),
                    IkAnswer::Fallback(state) => self.finish(state, &noise, &payload).await?,
                }
            }
            None => {
                let (state, hello) = Xx::start(ephemeral);
                self.send(header, &hello).await?;
                let state = state.read(&self.receive().await?, &trust)?;
                self.finish(state, &noise, &payload).await?
            }
        };
        self.frames.set_limits(FrameLimits::TRANSPORT);
        Ok(Channel { socket: self.socket, frames: self.frames, transport, rest: self.rest, certified })
    }

    async fn finish(
        &mut self,
        state: Finish,
        noise: &KeyPair,
        payload: &[u8],
    ) -> Result<(Transport, Option<ServerKey>), HandshakeError> {
        let certified = remember(state.server());
        let (transport, finish) = state.finish(noise, payload)?;
        self.send(Vec::new(), &finish).await?;
        Ok((transport, Some(certified)))
    }

    async fn send(&mut self, mut out: Vec<u8>, message: &[u8]) -> Result<(), HandshakeError> {
        encode_frame(message, &mut out).map_err(Lost::from)?;
        Ok(self.socket.send(Message::Binary(out.into())).await.map_err(Lost::from)?)
    }

    async fn receive(&mut self) -> Result<Vec<u8>, HandshakeError> {
        loop {
            let mut bytes: &[u8] = &self.rest;
            if let Some(frame) = self.frames.next_frame(&mut bytes).map_err(Lost::from)? {
                let frame = frame.to_vec();
                let used = self.rest.len().saturating_sub(bytes.len());
                bytes::Buf::advance(&mut self.rest, used);
                return Ok(frame);
            }
            self.rest = match self.socket.next().await {
                Some(Ok(Message::Binary(bytes))) => bytes,
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Bytes::new(),
                Some(Ok(Message::Text(_))) => return Err(Lost::NotBinary.into()),
                Some(Ok(Message::Close(_))) | None => return Err(Lost::Closed.into()),
                Some(Err(error)) => return Err(Lost::from(error).into()),
            };
        }
    }
}

/// The key with the time in which both certificates count.
fn remember(server: &Certified) -> ServerKey {
    let seconds = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX);
    let not_before = server.leaf.not_before.max(server.intermediate.not_before);
    let not_after = server.leaf.not_after.min(server.intermediate.not_after);
    (*server.key.as_bytes(), seconds(not_before), seconds(not_after))
}

impl Channel {
    /// The two halves for the traffic.
    pub(super) fn split(self, router: Router, queue: mpsc::Receiver<Node>) -> (Reader, Writer) {
        let (sink, stream) = self.socket.split();
        let Transport { sealer, opener } = self.transport;
        let reader = Reader { socket: stream, frames: self.frames, opener, router, rest: self.rest };
        (reader, Writer { socket: sink, sealer, queue })
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpStream};
    use whimbrel_crypto::curve::PrivateKey;
    use whimbrel_noise::certificate::{Issuer, Statement, issue};
    use whimbrel_noise::server::{Answer, Resumption, Server};
    use whimbrel_noise::{NoiseRoot, Validity};
    use whimbrel_wire::header::HeaderParser;

    use super::*;

    const NOW: u64 = 1_795_168_800;

    fn pair(seed: u8) -> KeyPair {
        KeyPair::from_private(PrivateKey::from_bytes([seed; 32]))
    }

    /// A server with its own static key under the root of seed 1.
    fn server(own: u8) -> Server {
        let (root, intermediate, own) = (pair(1), pair(2), pair(own));
        let validity = Validity { not_before: NOW - 1000, not_after: NOW + 1000 };
        let shorter = Validity { not_before: NOW - 10, not_after: NOW + 2000 };
        let by_root = Statement { serial: 3, issuer_serial: 0, key: intermediate.public, validity };
        let leaf = Statement { serial: 7, issuer_serial: 3, key: own.public, validity: shorter };
        let chain = issue(
            (&by_root, &Issuer { key: &root.private, random: &[1; 64] }),
            (&leaf, &Issuer { key: &intermediate.private, random: &[2; 64] }),
        );
        Server { own, chain }
    }

    fn identify(resume: Option<ServerKey>, routing_info: Option<Vec<u8>>) -> Identify {
        let root = NoiseRoot { public_key: pair(1).public, serial: 0 };
        Identify {
            noise: pair(9),
            payload: b"payload".to_vec(),
            ephemeral: pair(10),
            trust: Trust::new(root, NOW),
            resume,
            routing_info,
        }
    }

    /// What a server saw of one handshake.
    #[derive(Debug, PartialEq, Eq)]
    struct Seen {
        routing_info: Option<Vec<u8>>,
        tried_to_resume: bool,
        resumed: bool,
        noise: PublicKey,
        payload: Vec<u8>,
    }

    struct Peer {
        socket: tokio_tungstenite::WebSocketStream<TcpStream>,
        bytes: Vec<u8>,
        frames: FrameDecoder,
    }

    impl Peer {
        async fn frame(&mut self) -> Vec<u8> {
            loop {
                let mut input = self.bytes.as_slice();
                let frame = self.frames.next_frame(&mut input).unwrap().map(|frame| frame.to_vec());
                self.bytes = input.to_vec();
                match frame {
                    Some(frame) => return frame,
                    None => self.bytes = self.socket.next().await.unwrap().unwrap().into_data().to_vec(),
                }
            }
        }

        async fn send(&mut self, message: &[u8]) {
            let mut out = Vec::new();
            encode_frame(message, &mut out).unwrap();
            self.socket.send(Message::Binary(out.into())).await.unwrap();
        }
    }

    async fn serve(listener: TcpListener, server: Server, resumption: Resumption) -> Seen {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        let first = socket.next().await.unwrap().unwrap().into_data();
        let mut input: &[u8] = &first;
        let header = HeaderParser::new().parse(&mut input).unwrap().unwrap();
        let frames = FrameDecoder::new(FrameLimits::HANDSHAKE);
        let mut peer = Peer { socket, bytes: input.to_vec(), frames };
        let hello = peer.frame().await;
        let (client, tried_to_resume, resumed) = match server.answer(&hello, pair(20), resumption).unwrap() {
            Answer::Full { message, fallback, pending } => {
                peer.send(&message).await;
                (pending.read(&peer.frame().await).unwrap(), fallback, false)
            }
            Answer::Resumed { message, client } => {
                peer.send(&message).await;
                (client, true, true)
            }
        };
        Seen {
            routing_info: header.routing_info,
            tried_to_resume,
            resumed,
            noise: client.key,
            payload: client.payload,
        }
    }

    async fn shake(
        server: Server,
        resumption: Resumption,
        identify: Identify,
    ) -> (Result<Channel, HandshakeError>, Option<Seen>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = Target::parse(&format!("ws://{}/ws/chat", listener.local_addr().unwrap())).unwrap();
        let route = Route::direct(super::super::tls::config(None).unwrap());
        let serving = tokio::spawn(serve(listener, server, resumption));
        let channel = connect(&target, &route, identify).await;
        if channel.is_err() {
            serving.abort();
        }
        (channel, serving.await.ok())
    }

    #[tokio::test]
    async fn a_full_handshake_gives_the_key_for_the_next_one() {
        let (channel, seen) = shake(server(5), Resumption::Accept, identify(None, Some(vec![8, 2]))).await;
        let seen = seen.unwrap();
        assert_eq!((seen.noise, seen.payload.as_slice()), (pair(9).public, &b"payload"[..]));
        assert_eq!((seen.routing_info, seen.tried_to_resume), (Some(vec![8, 2]), false));
        let remembered = channel.unwrap().certified.unwrap();
        // The time in which both certificates count.
        assert_eq!(remembered, (*pair(5).public.as_bytes(), NOW as i64 - 10, NOW as i64 + 1000));

        let (channel, seen) = shake(server(5), Resumption::Accept, identify(Some(remembered), None)).await;
        let seen = seen.unwrap();
        assert!(seen.resumed && seen.payload == b"payload");
        assert_eq!(channel.unwrap().certified, None);
    }

    #[tokio::test]
    async fn a_server_with_another_key_falls_back_and_is_remembered() {
        let old = (*pair(5).public.as_bytes(), 0, i64::MAX);
        let (channel, seen) = shake(server(6), Resumption::Accept, identify(Some(old), None)).await;
        let seen = seen.unwrap();
        assert!(seen.tried_to_resume && !seen.resumed && seen.payload == b"payload");
        assert_eq!(channel.unwrap().certified.unwrap().0, *pair(6).public.as_bytes());
    }

    #[tokio::test]
    async fn a_server_of_another_root_is_refused() {
        let mut stranger = identify(None, None);
        stranger.trust.root.public_key = pair(99).public;
        let (channel, _) = shake(server(5), Resumption::Accept, stranger).await;
        let error = channel.err().unwrap();
        let certificate =
            matches!(error, HandshakeError::Noise(whimbrel_noise::HandshakeError::Certificate(_)));
        assert!(certificate, "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_says_nothing_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = Target::parse(&format!("ws://{}/ws/chat", listener.local_addr().unwrap())).unwrap();
        let route = Route::direct(super::super::tls::config(None).unwrap());
        let result = connect(&target, &route, identify(None, None)).await;
        assert!(matches!(result, Err(HandshakeError::TimedOut)));
    }
}
