//! A network that swallows everything without closing anything, as a dead link does.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::sync::watch;

/// Whether the network swallows everything. Odd numbers: it does.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hole {
    changes: Arc<watch::Sender<u64>>,
}

impl Hole {
    /// Opens or closes it. Connections that lived while it was open stay dead.
    pub(crate) fn set(&self, open: bool) {
        self.changes.send_if_modified(|changes| {
            let other = *changes % 2 == u64::from(!open);
            *changes += u64::from(other);
            other
        });
    }

    pub(crate) fn is_open(&self) -> bool {
        *self.changes.borrow() % 2 == 1
    }

    /// Reads and forgets what comes until the other side has enough of it, or the hole closes.
    pub(crate) async fn swallow(&self, mut stream: impl AsyncRead + Unpin) {
        let mut closed = self.changes.subscribe();
        let mut octet = [0];
        tokio::select! {
            () = async { while matches!(stream.read(&mut octet).await, Ok(1)) {} } => {}
            // The sender is this hole's.
            _ = closed.wait_for(|changes| changes % 2 == 0) => {}
        }
    }

    /// A stream through this network.
    pub(crate) fn carry<S>(&self, stream: S) -> Carried<S> {
        Carried { stream, hole: self.clone(), since: *self.changes.borrow() }
    }
}

/// A stream that is swallowed when the hole opens.
#[derive(Debug)]
pub(crate) struct Carried<S> {
    stream: S,
    hole: Hole,
    since: u64,
}

impl<S> Carried<S> {
    fn is_dead(&self) -> bool {
        self.since % 2 == 1 || *self.hole.changes.borrow() != self.since
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Carried<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        loop {
            std::task::ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
            let came = buf.filled().len() > before;
            if !came || !this.is_dead() {
                return Poll::Ready(Ok(()));
            }
            buf.set_filled(before);
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Carried<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.is_dead() {
            return Poll::Ready(Ok(buf.len()));
        }
        Pin::new(&mut this.stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.is_dead() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.is_dead() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut this.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn what_lives_while_the_hole_is_open_stays_dead() {
        let hole = Hole::default();
        let (mut client, server) = tokio::io::duplex(64);
        let mut server = hole.carry(server);
        client.write_all(b"a").await.unwrap();
        assert_eq!(server.read_u8().await.unwrap(), b'a');
        hole.set(true);
        hole.set(true);
        assert!(hole.is_open());
        hole.set(false);
        assert!(!hole.is_open());
        server.write_all(b"lost").await.unwrap();
        client.write_all(b"lost").await.unwrap();
        drop(client);
        // Only the end gets through: that the other side is gone shows in the end.
        assert!(server.read_u8().await.is_err());

        let (mut client, server) = tokio::io::duplex(64);
        hole.carry(server).write_all(b"b").await.unwrap();
        assert_eq!(client.read_u8().await.unwrap(), b'b');
    }
}
