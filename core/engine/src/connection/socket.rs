//! From an address to an open WebSocket (transport document §1.1).

use std::io;

use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::{HeaderValue, Uri};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::dial::{self, Route, Stream, is_loopback};
use super::proxy::ProxyError;
use crate::error::{Code, Error};

/// What the service expects as origin.
const ORIGIN: &str = "https://web.whatsapp.com";

/// Largest WebSocket message: the largest frame with its length bytes.
const MAX_MESSAGE: usize = 16 * 1024 * 1024 + 16;

/// Buffers of the WebSocket layer. Small, since an idle client has one of each; a larger message
/// makes them grow while it passes.
const BUFFER: usize = 4 * 1024;

/// Where to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    url: String,
    host: String,
    port: u16,
    tls: bool,
}

impl Target {
    /// Reads a `wss://` address, or a `ws://` one of this machine.
    pub(crate) fn parse(url: &str) -> Result<Self, Error> {
        let invalid = |what: &'static str| Error::new(Code::InvalidArgument, what);
        let uri: Uri = url.parse().map_err(|error| invalid("the endpoint is not a URL").because(error))?;
        let host =
            uri.host().filter(|host| !host.is_empty()).ok_or_else(|| invalid("the endpoint has no host"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let tls = match uri.scheme_str() {
            Some("wss") => true,
            Some("ws") if is_loopback(&host) => false,
            Some("ws") => return Err(invalid("an endpoint without TLS must be on this machine")),
            _ => return Err(invalid("the endpoint must begin with wss://")),
        };
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        Ok(Self { url: url.to_owned(), host, port, tls })
    }
}

/// An open WebSocket to the service.
pub(crate) type Socket = WebSocketStream<Stream>;

/// Why no socket could be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SocketError {
    /// TCP did not connect, or broke.
    #[error("the service could not be reached: {0}")]
    Unreachable(#[from] io::Error),
    /// The TLS certificate is not for the service's name, or by nobody who is trusted.
    #[error("the server's TLS certificate is not trusted: {0}")]
    Untrusted(io::Error),
    /// The server answered the upgrade with something else.
    #[error("the server refused the WebSocket: {0}")]
    Upgrade(Box<tokio_tungstenite::tungstenite::Error>),
    /// The proxy did not let the connection through.
    #[error("the proxy did not connect: {0}")]
    Proxy(#[from] ProxyError),
}

/// Connects; the caller bounds the time.
pub(crate) async fn connect(target: &Target, route: &Route) -> Result<Socket, SocketError> {
    let stream = dial::open(&target.host, target.port, target.tls, route).await?;
    let upgrade = |error| SocketError::Upgrade(Box::new(error));
    let mut request = target.url.as_str().into_client_request().map_err(upgrade)?;
    request.headers_mut().insert("Origin", HeaderValue::from_static(ORIGIN));
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE));
    let (socket, _) =
        tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await.map_err(upgrade)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_without_tls_are_for_this_machine_only() {
        let real = Target::parse("wss://web.whatsapp.com/ws/chat").unwrap();
        assert_eq!((real.host.as_str(), real.port, real.tls), ("web.whatsapp.com", 443, true));
        let local = Target::parse("ws://127.0.0.1:4000/ws/chat").unwrap();
        assert_eq!((local.port, local.tls), (4000, false));
        assert_eq!(Target::parse("ws://[::1]:7/ws").unwrap().host, "::1");
        assert!(Target::parse("ws://localhost:7/").is_ok());
        for wrong in ["", "ws://example.com/", "ws://10.0.0.1/", "http://127.0.0.1/", "wss://", "/ws/chat"] {
            assert_eq!(Target::parse(wrong).unwrap_err().code(), Code::InvalidArgument, "{wrong:?}");
        }
    }

    #[tokio::test]
    async fn nobody_listening_is_unreachable() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let target = Target::parse(&format!("ws://127.0.0.1:{port}/ws/chat")).unwrap();
        let route = Route::direct(super::super::tls::config(None).unwrap());
        assert!(matches!(connect(&target, &route).await, Err(SocketError::Unreachable(_))));
    }
}
