//! HTTP CONNECT (RFC 9110 §9.3.6) with basic credentials.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use zeroize::Zeroizing;

use super::{Credentials, ProxyError};

/// Longest head of an answer.
const LONGEST: usize = 16 * 1024;

pub(super) async fn connect(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    host: &str,
    port: u16,
    credentials: Option<&Credentials>,
) -> Result<(), ProxyError> {
    let authority = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let mut request = Zeroizing::new(format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n"));
    if let Some(Credentials { user, password }) = credentials {
        let both = Zeroizing::new(format!("{}:{}", user.as_str(), password.as_str()));
        let encoded = Zeroizing::new(STANDARD.encode(both.as_bytes()));
        request.push_str("Proxy-Authorization: Basic ");
        request.push_str(&encoded);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    match status(&head(stream).await?).ok_or(ProxyError::Protocol)? {
        200..=299 => Ok(()),
        407 => Err(ProxyError::Credentials),
        other => Err(ProxyError::Refused(other)),
    }
}

/// Reads the head of the answer and not a byte more: what follows is the connection's.
async fn head(stream: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>, ProxyError> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= LONGEST {
            return Err(ProxyError::Protocol);
        }
        head.push(stream.read_u8().await?);
    }
    Ok(head)
}

fn status(head: &[u8]) -> Option<u16> {
    let line = head.split(|byte| *byte == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?.strip_prefix("HTTP/1.")?;
    line.split(' ').nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::Proxy;
    use super::*;

    async fn answered(proxy: &str, answer: &str) -> (Result<(), ProxyError>, String) {
        let (mut ours, mut theirs) = tokio::io::duplex(4096);
        theirs.write_all(answer.as_bytes()).await.unwrap();
        let proxy = Proxy::parse(proxy).unwrap();
        let result = connect(&mut ours, "a.example", 443, proxy.credentials.as_ref()).await;
        // What came behind the head is still there.
        if result.is_ok() {
            assert_eq!(ours.read_u8().await.unwrap(), b'!');
        }
        drop(ours);
        let mut request = String::new();
        theirs.read_to_string(&mut request).await.unwrap();
        (result, request)
    }

    #[tokio::test]
    async fn a_tunnel_is_asked_for_by_name_and_with_credentials() {
        let (result, request) = answered("http://bob:pw@h", "HTTP/1.1 200 OK\r\nVia: x\r\n\r\n!").await;
        assert!(result.is_ok());
        assert!(
            request.starts_with("CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n"),
            "{request}"
        );
        assert!(request.contains("\r\nProxy-Authorization: Basic Ym9iOnB3\r\n\r\n"), "{request}");
        let (result, request) = answered("http://h", "HTTP/1.0 299 Well\r\n\r\n!").await;
        assert!(result.is_ok() && !request.contains("Authorization"));
    }

    #[tokio::test]
    async fn refusals_are_told_apart() {
        let refused = |answer: &'static str| async move { answered("http://h", answer).await.0.unwrap_err() };
        assert!(matches!(refused("HTTP/1.1 407 No\r\n\r\n").await, ProxyError::Credentials));
        assert!(matches!(refused("HTTP/1.1 502 No\r\n\r\n").await, ProxyError::Refused(502)));
        assert!(matches!(refused("SSH-2.0\r\n\r\n").await, ProxyError::Protocol));
    }
}
