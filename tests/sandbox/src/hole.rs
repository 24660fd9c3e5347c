//! A network that swallows everything without closing anything, as a dead link does.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Whether the network swallows everything. Odd numbers: it does.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hole {
    changes: Arc<AtomicU64>,
}

impl Hole {
    /// Opens or closes it. Connections that lived while it was open stay dead.
    pub(crate) fn set(&self, open: bool) {
        // Nothing to do if it is so already.
        let _ = self.changes.fetch_update(Ordering::AcqRel, Ordering::Acquire, |changes| {
            (changes % 2 == u64::from(!open)).then(|| changes.wrapping_add(1))
        });
    }

    pub(crate) fn is_open(&self) -> bool {
        self.changes.load(Ordering::Acquire) % 2 == 1
    }

    /// A stream through this network.
    pub(crate) fn carry<S>(&self, stream: S) -> Carried<S> {
        Carried { stream, hole: self.clone(), since: self.changes.load(Ordering::Acquire) }
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
        self.since % 2 == 1 || self.hole.changes.load(Ordering::Acquire) != self.since
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
