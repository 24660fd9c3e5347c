//! SOCKS5 (RFC 1928) with user and password (RFC 1929). Names are resolved by the proxy.

use std::net::IpAddr;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use zeroize::Zeroizing;

use super::{Credentials, ProxyError};

const VERSION: u8 = 5;
const NO_CREDENTIALS: u8 = 0;
const USER_AND_PASSWORD: u8 = 2;
const NONE_ACCEPTABLE: u8 = 0xff;
const CREDENTIALS_VERSION: u8 = 1;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

pub(super) async fn connect(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    host: &str,
    port: u16,
    credentials: Option<&Credentials>,
) -> Result<(), ProxyError> {
    let greeting: &[u8] = match credentials {
        None => &[VERSION, 1, NO_CREDENTIALS],
        Some(_) => &[VERSION, 2, NO_CREDENTIALS, USER_AND_PASSWORD],
    };
    stream.write_all(greeting).await?;
    stream.flush().await?;
    expect(stream, VERSION).await?;
    match (stream.read_u8().await?, credentials) {
        (NO_CREDENTIALS, _) => {}
        (USER_AND_PASSWORD, Some(credentials)) => authenticate(stream, credentials).await?,
        (NONE_ACCEPTABLE, _) => return Err(ProxyError::Credentials),
        _ => return Err(ProxyError::Protocol),
    }
    let mut request = vec![VERSION, CONNECT, 0];
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => {
            request.push(IPV4);
            request.extend(address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            request.push(IPV6);
            request.extend(address.octets());
        }
        Err(_) => {
            request.push(NAME);
            append(&mut request, host.as_bytes())?;
        }
    }
    request.extend(port.to_be_bytes());
    stream.write_all(&request).await?;
    stream.flush().await?;
    answer(stream).await
}

async fn authenticate(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    credentials: &Credentials,
) -> Result<(), ProxyError> {
    // Room for both, so that no copy stays behind when it grows.
    let mut request = Zeroizing::new(Vec::with_capacity(3 + 2 * 255));
    request.push(CREDENTIALS_VERSION);
    append(&mut request, credentials.user.as_bytes())?;
    append(&mut request, credentials.password.as_bytes())?;
    stream.write_all(&request).await?;
    stream.flush().await?;
    expect(stream, CREDENTIALS_VERSION).await?;
    match stream.read_u8().await? {
        0 => Ok(()),
        _ => Err(ProxyError::Credentials),
    }
}

async fn answer(stream: &mut (impl AsyncRead + Unpin)) -> Result<(), ProxyError> {
    expect(stream, VERSION).await?;
    let reply = stream.read_u8().await?;
    expect(stream, 0).await?;
    if reply != 0 {
        return Err(ProxyError::Refused(reply.into()));
    }
    // The address that the proxy took is of no use here, and must be read all the same.
    let length = match stream.read_u8().await? {
        IPV4 => 4,
        IPV6 => 16,
        NAME => usize::from(stream.read_u8().await?),
        _ => return Err(ProxyError::Protocol),
    };
    let mut address_and_port = vec![0; length.saturating_add(2)];
    stream.read_exact(&mut address_and_port).await?;
    Ok(())
}

async fn expect(stream: &mut (impl AsyncRead + Unpin), expected: u8) -> Result<(), ProxyError> {
    if stream.read_u8().await? == expected { Ok(()) } else { Err(ProxyError::Protocol) }
}

/// A text with its length in one octet.
fn append(request: &mut Vec<u8>, text: &[u8]) -> Result<(), ProxyError> {
    request.push(u8::try_from(text.len()).map_err(|_| ProxyError::Protocol)?);
    request.extend_from_slice(text);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Proxy;
    use super::*;

    async fn answered(proxy: &str, host: &str, answer: &[u8]) -> (Result<(), ProxyError>, Vec<u8>) {
        let (mut ours, mut theirs) = tokio::io::duplex(4096);
        theirs.write_all(answer).await.unwrap();
        let proxy = Proxy::parse(proxy).unwrap();
        let result = connect(&mut ours, host, 0x1234, proxy.credentials.as_ref()).await;
        if result.is_ok() {
            assert_eq!(ours.read_u8().await.unwrap(), b'!', "nothing of the connection was read");
        }
        drop(ours);
        let mut said = Vec::new();
        theirs.read_to_end(&mut said).await.unwrap();
        (result, said)
    }

    #[tokio::test]
    async fn names_go_to_the_proxy_and_addresses_as_addresses() {
        let granted = b"\x05\x00\x05\x00\x00\x01\x01\x02\x03\x04\x00\x50!";
        let (result, said) = answered("socks5://h", "a.example", granted).await;
        assert!(result.is_ok());
        assert_eq!(said, b"\x05\x01\x00\x05\x01\x00\x03\x09a.example\x12\x34");
        let by_name = b"\x05\x00\x05\x00\x00\x03\x02ab\x00\x50!";
        let (result, said) = answered("socks5://h", "127.0.0.1", by_name).await;
        assert!(result.is_ok());
        assert_eq!(said, b"\x05\x01\x00\x05\x01\x00\x01\x7f\x00\x00\x01\x12\x34");
    }

    #[tokio::test]
    async fn credentials_are_given_when_asked_for() {
        let granted = b"\x05\x02\x01\x00\x05\x00\x00\x01\x01\x02\x03\x04\x00\x50!";
        let (result, said) = answered("socks5://bob:pw@h", "::1", granted).await;
        assert!(result.is_ok());
        assert!(said.starts_with(b"\x05\x02\x00\x02\x01\x03bob\x02pw\x05\x01\x00\x04\x00"), "{said:x?}");
        let not_asked = b"\x05\x00\x05\x00\x00\x01\x01\x02\x03\x04\x00\x50!";
        assert!(answered("socks5://bob:pw@h", "a", not_asked).await.0.is_ok());
    }

    #[tokio::test]
    async fn refusals_are_told_apart() {
        let refused = |proxy: &'static str, answer: &'static [u8]| async move {
            answered(proxy, "a", answer).await.0.unwrap_err()
        };
        assert!(matches!(refused("socks5://h", b"\x05\xff").await, ProxyError::Credentials));
        assert!(matches!(refused("socks5://a:b@h", b"\x05\x02\x01\x01").await, ProxyError::Credentials));
        assert!(matches!(refused("socks5://h", b"\x05\x00\x05\x05\x00").await, ProxyError::Refused(5)));
        assert!(matches!(refused("socks5://h", b"\x05\x02").await, ProxyError::Protocol));
        assert!(matches!(refused("socks5://h", b"HTTP").await, ProxyError::Protocol));
    }
}
