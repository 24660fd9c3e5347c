//! From an address to a byte stream: TCP, through a proxy or not, and TLS.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::SocketError;
use super::proxy::Proxy;

/// How connections get out.
#[derive(Clone)]
pub(crate) struct Route {
    /// Whom TLS trusts.
    pub(crate) tls: Arc<rustls::ClientConfig>,
    /// Through whom.
    pub(crate) proxy: Option<Proxy>,
}

impl Route {
    #[cfg(test)]
    pub(crate) fn direct(tls: Arc<rustls::ClientConfig>) -> Self {
        Self { tls, proxy: None }
    }
}

pub(crate) fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Connects; the caller bounds the time.
pub(crate) async fn open(host: &str, port: u16, tls: bool, route: &Route) -> Result<Stream, SocketError> {
    let tcp = match &route.proxy {
        Some(proxy) => proxy.connect(host, port).await?,
        None => TcpStream::connect((host, port)).await?,
    };
    tcp.set_nodelay(true)?;
    if !tls {
        return Ok(Stream::Plain(tcp));
    }
    let name = ServerName::try_from(host.to_owned())
        .map_err(|error| SocketError::Unreachable(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
    let connected = TlsConnector::from(Arc::clone(&route.tls)).connect(name, tcp).await;
    Ok(Stream::Tls(Box::new(connected.map_err(tls_error)?)))
}

/// Certificate errors are told apart: trying again does not help against them.
fn tls_error(error: io::Error) -> SocketError {
    let untrusted = error
        .get_ref()
        .and_then(|source| source.downcast_ref::<rustls::Error>())
        .is_some_and(|source| matches!(source, rustls::Error::InvalidCertificate(_)));
    if untrusted { SocketError::Untrusted(error) } else { SocketError::Unreachable(error) }
}

/// A byte stream to the service, with or without TLS.
pub(crate) enum Stream {
    /// To this machine.
    Plain(TcpStream),
    /// To the service.
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
