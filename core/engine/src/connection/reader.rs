//! From the socket to stanzas: frames, cipher, nodes.

use futures_util::StreamExt as _;
use futures_util::stream::SplitStream;
use tokio_tungstenite::tungstenite::Message;
use whimbrel_noise::Opener;
use whimbrel_wire::{FrameDecoder, decode_frame};

use super::dispatch::Router;
use super::socket::Socket;
use super::{Connection, Lost};

/// The receiving half of a connection.
pub(super) struct Reader {
    pub(super) socket: SplitStream<Socket>,
    pub(super) frames: FrameDecoder,
    pub(super) opener: Opener,
    pub(super) router: Router,
    /// What came behind the last frame of the handshake.
    pub(super) rest: bytes::Bytes,
}

impl Reader {
    /// Reads until the connection ends.
    pub(super) async fn run(&mut self, connection: &Connection) -> Lost {
        match self.read_all(connection).await {
            Ok(()) => Lost::Closed,
            Err(lost) => lost,
        }
    }

    async fn read_all(&mut self, connection: &Connection) -> Result<(), Lost> {
        let rest = std::mem::take(&mut self.rest);
        self.take(connection, &rest).await?;
        while let Some(message) = self.socket.next().await {
            let message = message?;
            connection.activity.received_now();
            match message {
                Message::Binary(bytes) => self.take(connection, &bytes).await?,
                Message::Close(_) => return Ok(()),
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
                Message::Text(_) => return Err(Lost::NotBinary),
            }
        }
        Ok(())
    }

    async fn take(&mut self, connection: &Connection, mut bytes: &[u8]) -> Result<(), Lost> {
        while let Some(frame) = self.frames.next_frame(&mut bytes)? {
            let size = frame.len();
            let plaintext = self.opener.open(frame).map_err(|_| Lost::Cipher)?;
            let node = decode_frame(plaintext)?;
            tracing::trace!(tag = node.tag(), size, "A stanza arrived.");
            if !self.router.route(connection, node, size).await {
                return Ok(());
            }
        }
        Ok(())
    }
}
