//! From stanzas to the socket: nodes, cipher, frames. What waits together leaves together.

use bytes::Bytes;
use futures_util::SinkExt as _;
use futures_util::stream::SplitSink;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use whimbrel_noise::Sealer;
use whimbrel_wire::frame::{FRAME_HEADER_LEN, frame_header};
use whimbrel_wire::{Node, encode};

use super::socket::Socket;
use super::{Connection, Lost, OUTGOING};

/// Bytes after which a batch goes out, though more stanzas wait.
const BATCH_BYTES: usize = 64 * 1024;

/// The sending half of a connection.
pub(super) struct Writer {
    pub(super) socket: SplitSink<Socket, Message>,
    pub(super) sealer: Sealer,
    pub(super) queue: mpsc::Receiver<Node>,
}

impl Writer {
    /// Writes until the connection is to be closed, or breaks.
    pub(super) async fn run(&mut self, connection: &Connection) -> Result<(), Lost> {
        let mut batch = Vec::new();
        loop {
            tokio::select! {
                taken = self.queue.recv_many(&mut batch, OUTGOING) => if taken == 0 {
                    return Ok(());
                },
                () = connection.closing.notified() => {
                    self.queue.close();
                    while let Ok(node) = self.queue.try_recv() {
                        batch.push(node);
                    }
                    return self.write(&mut batch).await;
                }
            }
            self.write(&mut batch).await?;
        }
    }

    async fn write(&mut self, batch: &mut Vec<Node>) -> Result<(), Lost> {
        let mut out = Vec::new();
        for node in batch.drain(..) {
            append(&node, &mut self.sealer, &mut out)?;
            if out.len() >= BATCH_BYTES {
                let full = std::mem::take(&mut out);
                self.socket.feed(Message::Binary(Bytes::from(full))).await?;
            }
        }
        if !out.is_empty() {
            self.socket.feed(Message::Binary(Bytes::from(out))).await?;
        }
        batch.shrink_to(8);
        Ok(self.socket.flush().await?)
    }

    /// Ends the WebSocket with a code.
    pub(super) async fn close(&mut self, code: u16) -> Result<(), Lost> {
        self.queue.close();
        let frame = CloseFrame { code: code.into(), reason: "".into() };
        self.socket.send(Message::Close(Some(frame))).await?;
        Ok(self.socket.close().await?)
    }
}

/// Appends a stanza as a sealed frame. A stanza that cannot be encoded is a bug and is left out:
/// it must not take the connection with it.
fn append(node: &Node, sealer: &mut Sealer, out: &mut Vec<u8>) -> Result<(), Lost> {
    let start = out.len();
    out.extend([0; FRAME_HEADER_LEN]);
    let body = start.saturating_add(FRAME_HEADER_LEN);
    if let Err(error) = encode(node, out) {
        tracing::error!(%error, tag = node.tag(), "A stanza could not be encoded and was not sent.");
        out.truncate(start);
        return Ok(());
    }
    sealer.seal(out, body).map_err(|_| Lost::Cipher)?;
    let header = frame_header(out.len().saturating_sub(body))?;
    if let Some(place) = out.get_mut(start..body) {
        place.copy_from_slice(&header);
    }
    tracing::trace!(tag = node.tag(), size = out.len().saturating_sub(start), "A stanza leaves.");
    Ok(())
}
