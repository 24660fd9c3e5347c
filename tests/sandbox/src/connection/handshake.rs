//! The service's side of the handshake over a socket (transport document §1.2, §2, §6.14).

use futures_util::{SinkExt as _, StreamExt as _};
use rand_core::UnwrapErr;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Bytes, Message};
use whimbrel_crypto::curve::KeyPair;
use whimbrel_noise::Transport;
use whimbrel_noise::server::{Answer, Client, Resumption};
use whimbrel_wire::{FrameDecoder, FrameLimits, HeaderParser, encode_frame};

use super::certificates::Certificates;
use super::{Broken, GONE, PROTOCOL_ERROR, UNSUPPORTED};
use crate::options::Limits;

/// A client that has proved its key.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) client_key: [u8; 32],
    /// The login payload, not decoded.
    pub(super) payload: Vec<u8>,
    pub(super) transport: Transport,
    /// Octets that came behind the last handshake frame in the same message.
    pub(super) rest: Vec<u8>,
}

/// A handshake about to be made.
pub(super) struct Handshake<'c> {
    certificates: &'c Certificates,
    limits: &'c Limits,
    frames: FrameDecoder,
    /// What came and was not needed yet.
    pending: Vec<u8>,
}

impl<'c> Handshake<'c> {
    pub(super) fn new(certificates: &'c Certificates, limits: &'c Limits) -> Self {
        let frames = FrameDecoder::new(FrameLimits::HANDSHAKE);
        Self { certificates, limits, frames, pending: Vec::new() }
    }

    pub(super) async fn run<S>(mut self, socket: &mut WebSocketStream<S>) -> Result<Done, Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let limits = self.limits;
        timeout(limits.handshake, self.header(socket)).await.map_err(|_| GONE)??;
        let hello = timeout(limits.handshake, self.frame(socket)).await.map_err(|_| GONE)??;
        let resumption = if limits.resumption { Resumption::Accept } else { Resumption::Refuse };
        let ephemeral = KeyPair::generate(&mut UnwrapErr(getrandom::SysRng));
        let answer = self.certificates.server().answer(&hello, ephemeral, resumption);
        let client = match answer.map_err(refused)? {
            Answer::Resumed { message, client } => {
                send(socket, &message).await?;
                client
            }
            Answer::Full { message, pending, .. } => {
                send(socket, &message).await?;
                let finish = timeout(limits.client_finish, self.frame(socket)).await.map_err(|_| GONE)??;
                pending.read(&finish).map_err(refused)?
            }
        };
        let Client { key, payload, transport } = client;
        Ok(Done { client_key: *key.as_bytes(), payload, transport, rest: self.pending })
    }

    async fn header<S>(&mut self, socket: &mut WebSocketStream<S>) -> Result<(), Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut parser = HeaderParser::new();
        loop {
            let mut input = self.pending.as_slice();
            let header = parser.parse(&mut input).map_err(|_| PROTOCOL_ERROR)?;
            self.pending = input.to_vec();
            if header.is_some() {
                return Ok(());
            }
            self.receive(socket).await?;
        }
    }

    async fn frame<S>(&mut self, socket: &mut WebSocketStream<S>) -> Result<Vec<u8>, Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        loop {
            let mut input = self.pending.as_slice();
            let frame = self.frames.next_frame(&mut input).map_err(|error| Broken(error.close_code()))?;
            let frame = frame.map(|frame| frame.to_vec());
            self.pending = input.to_vec();
            if let Some(frame) = frame {
                return Ok(frame);
            }
            self.receive(socket).await?;
        }
    }

    async fn receive<S>(&mut self, socket: &mut WebSocketStream<S>) -> Result<(), Broken>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        loop {
            match socket.next().await {
                Some(Ok(Message::Binary(message))) => {
                    self.pending.extend_from_slice(&message);
                    return Ok(());
                }
                Some(Ok(Message::Text(_))) => return Err(UNSUPPORTED),
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(GONE),
            }
        }
    }
}

fn refused(error: whimbrel_noise::HandshakeError) -> Broken {
    tracing::debug!(%error, "the handshake failed");
    PROTOCOL_ERROR
}

async fn send<S>(socket: &mut WebSocketStream<S>, message: &[u8]) -> Result<(), Broken>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut frame = Vec::new();
    encode_frame(message, &mut frame).map_err(|_| PROTOCOL_ERROR)?;
    socket.send(Message::Binary(Bytes::from(frame))).await.map_err(|_| GONE)
}
