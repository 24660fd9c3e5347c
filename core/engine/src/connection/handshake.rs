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
    tls: &std::sync::Arc<rustls::ClientConfig>,
    identify: Identify,
) -> Result<Channel, HandshakeError> {
    let opened = tokio::time::timeout(CONNECT_TIMEOUT, socket::connect(target, tls)).await;
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
