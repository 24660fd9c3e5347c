//! Stanzas in both directions after the handshake.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Bytes, Message};
use whimbrel_noise::{Opener, Sealer, Transport};
use whimbrel_wire::codec::{InteropForm, decode_frame_with};
use whimbrel_wire::frame::FRAME_HEADER_LEN;
use whimbrel_wire::{FrameDecoder, FrameLimits, Node, encode, encode_compressed, frame::frame_header};

use super::{Broken, GONE, PROTOCOL_ERROR, UNSUPPORTED};
use crate::hub::{Hub, Outgoing};
use crate::options::Framing;
use crate::service::{Closing, StreamId};

/// Most frames in one message.
const FRAMES_PER_MESSAGE: usize = 1024;
/// Between two WebSocket pings.
const PING_EVERY: Duration = Duration::from_secs(30);
/// How long the other side has to answer the closing of the socket.
const CLOSING: Duration = Duration::from_secs(1);

/// Exchanges stanzas until the connection ends. With `listen` false, what comes in is not read:
/// the client has been refused and only waits for its answer.
pub(super) async fn exchange<S>(
    hub: &Arc<Hub>,
    stream: StreamId,
    socket: WebSocketStream<S>,
    transport: Transport,
    rest: Vec<u8>,
    outgoing: mpsc::Receiver<Outgoing>,
    listen: bool,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let (sink, source) = socket.split();
    let framing = hub.options().framing;
    let writer = Writer { sink, sealer: transport.sealer, framing, frame: Vec::new() };
    let limits = &hub.options().limits;
    let reader = Reader {
        hub,
        stream,
        source,
        opener: transport.opener,
        frames: FrameDecoder::new(FrameLimits::transport(limits.frame)),
        idle: limits.idle,
    };
    let reading = async {
        if listen {
            let ended = reader.run(rest).await;
            tracing::debug!(stream = stream.0, ?ended, "the client's side of the connection ended");
            if let Err(Broken(code)) = ended {
                hub.run(|service| service.unreadable(stream, code));
            }
        } else {
            std::future::pending::<()>().await;
        }
    };
    let writing = writer.run(outgoing);
    tokio::pin!(reading, writing);
    tokio::select! {
        () = &mut writing => {}
        // Whatever the service still wants said, such as why it closes, is said.
        () = &mut reading => {
            let _ = timeout(CLOSING, &mut writing).await;
        }
    }
}

struct Writer<S> {
    sink: SplitSink<WebSocketStream<S>, Message>,
    sealer: Sealer,
    framing: Framing,
    frame: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Writer<S> {
    async fn run(mut self, mut outgoing: mpsc::Receiver<Outgoing>) {
        let mut pings = interval(PING_EVERY);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        pings.reset();
        loop {
            let next = tokio::select! {
                next = outgoing.recv() => next,
                _ = pings.tick() => {
                    if self.sink.send(Message::Ping(Bytes::new())).await.is_err() {
                        return;
                    }
                    continue;
                }
            };
            match next {
                Some(Outgoing::Node(node)) => {
                    if self.write(&node).await.is_err() {
                        return;
                    }
                }
                Some(Outgoing::Tear { node, bytes }) => {
                    // Whether it leaves or not: this is the end.
                    let _ = self.write_up_to(&node, bytes).await;
                    return;
                }
                Some(Outgoing::Close { how: Closing::Code(code), after }) => {
                    sleep(after).await;
                    self.close(code).await;
                    return;
                }
                Some(Outgoing::Close { how: Closing::Cut, .. }) | None => return,
            }
        }
    }

    /// Sends one stanza, by default as one frame in one message: some clients misread anything else.
    async fn write(&mut self, node: &Node) -> Result<(), Broken> {
        self.write_up_to(node, usize::MAX).await
    }

    async fn write_up_to(&mut self, node: &Node, limit: usize) -> Result<(), Broken> {
        self.frame.clear();
        self.frame.resize(FRAME_HEADER_LEN, 0);
        let write = if self.framing.compressed { encode_compressed } else { encode };
        write(node, &mut self.frame).map_err(|error| {
            tracing::error!(%error, tag = node.tag(), "the service made a stanza that cannot be written");
            PROTOCOL_ERROR
        })?;
        self.sealer.seal(&mut self.frame, FRAME_HEADER_LEN).map_err(|_| PROTOCOL_ERROR)?;
        let length = self.frame.len().saturating_sub(FRAME_HEADER_LEN);
        let header = frame_header(length).map_err(|_| PROTOCOL_ERROR)?;
        if let Some(start) = self.frame.first_chunk_mut() {
            *start = header;
        }
        let piece = self.framing.pieces.map_or(usize::MAX, NonZeroUsize::get);
        self.frame.truncate(limit);
        for piece in self.frame.chunks(piece) {
            self.sink.send(Message::Binary(Bytes::copy_from_slice(piece))).await.map_err(|_| GONE)?;
        }
        Ok(())
    }

    async fn close(&mut self, code: u16) {
        let frame = CloseFrame { code: CloseCode::from(code), reason: "".into() };
        let _ = timeout(CLOSING, self.sink.send(Message::Close(Some(frame)))).await;
        let _ = timeout(CLOSING, self.sink.close()).await;
    }
}

struct Reader<'h, S> {
    hub: &'h Arc<Hub>,
    stream: StreamId,
    source: SplitStream<WebSocketStream<S>>,
    opener: Opener,
    frames: FrameDecoder,
    idle: Duration,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Reader<'_, S> {
    async fn run(mut self, rest: Vec<u8>) -> Result<(), Broken> {
        self.take(&rest)?;
        loop {
            let next = timeout(self.idle, self.source.next()).await.map_err(|_| GONE)?;
            match next {
                Some(Ok(Message::Binary(message))) => self.take(&message)?,
                Some(Ok(Message::Text(_))) => return Err(UNSUPPORTED),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
            }
        }
    }

    fn take(&mut self, mut message: &[u8]) -> Result<(), Broken> {
        let mut frames = 0;
        while let Some(frame) =
            self.frames.next_frame(&mut message).map_err(|error| Broken(error.close_code()))?
        {
            frames += 1;
            if frames > FRAMES_PER_MESSAGE {
                return Err(PROTOCOL_ERROR);
            }
            let plaintext = self.opener.open(frame).map_err(|_| PROTOCOL_ERROR)?;
            match decode_frame_with(plaintext, InteropForm::ServerOptional) {
                Ok(node) => {
                    let node = node.into_owned();
                    tracing::trace!(stream = self.stream.0, %node, "received");
                    self.hub.run(|service| service.incoming(self.stream, &node));
                }
                Err(error) => {
                    tracing::warn!(stream = self.stream.0, %error, "a malformed stanza");
                    self.hub.run(|service| service.malformed(self.stream));
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}
