//! Proxies: HTTP CONNECT and SOCKS5, each a short exchange before the connection proper.

mod http;
mod socks;

use std::fmt;
use std::io;

use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::http::Uri;
use zeroize::Zeroizing;

use crate::error::{Code, Error};

/// A proxy that a client's connections go through. Names are resolved there, not here.
///
/// Printing it shows neither user nor password.
#[derive(Clone)]
pub struct Proxy {
    kind: Kind,
    host: String,
    port: u16,
    credentials: Option<Credentials>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Http,
    Socks5,
}

#[derive(Clone)]
struct Credentials {
    user: Zeroizing<String>,
    password: Zeroizing<String>,
}

/// Why a proxy did not connect.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProxyError {
    /// It could not be reached, or broke.
    #[error("the proxy could not be reached: {0}")]
    Unreachable(#[from] io::Error),
    /// It wants other credentials, or some at all.
    #[error("the proxy did not accept the credentials")]
    Credentials,
    /// It does not want to connect, or cannot.
    #[error("the proxy refused to connect, with {0}")]
    Refused(u16),
    /// It speaks something else.
    #[error("the proxy answered in another protocol")]
    Protocol,
}

impl Proxy {
    /// Reads `http://host:port`, `socks5://host:port` or `socks5h://host:port`, each with
    /// `user:password@` before the host if the proxy wants that; characters with a meaning in
    /// URLs are written as `%XX` there. The ports are 80 and 1080 if absent.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::NotSupported`] for other kinds of proxies.
    pub fn parse(url: &str) -> Result<Self, Error> {
        // The URL holds a password, so no source is added to the error.
        let invalid = |what: &'static str| Error::new(Code::InvalidArgument, what);
        let uri: Uri = url.parse().map_err(|_| invalid("the proxy is not a URL"))?;
        let (kind, usual_port) = match uri.scheme_str() {
            Some("http") => (Kind::Http, 80),
            Some("socks5" | "socks5h") => (Kind::Socks5, 1080),
            Some(_) => {
                return Err(Error::new(
                    Code::NotSupported,
                    "proxies are supported as http:// and socks5:// only",
                ));
            }
            None => return Err(invalid("the proxy has no scheme")),
        };
        let authority = uri.authority().ok_or_else(|| invalid("the proxy has no host"))?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(invalid("the proxy has no host"));
        }
        if !matches!(uri.path_and_query().map_or("", |path| path.as_str()), "" | "/") {
            return Err(invalid("the proxy has a path"));
        }
        let given = authority.as_str().rsplit_once('@').map(|(given, _)| given);
        let credentials = given
            .map(|given| {
                let (user, password) = given.split_once(':').unwrap_or((given, ""));
                let decode = |text| {
                    decode(text).ok_or_else(|| invalid("the proxy's credentials are not percent-encoded"))
                };
                Ok::<_, Error>(Credentials { user: decode(user)?, password: decode(password)? })
            })
            .transpose()?;
        if let Some(Credentials { user, password }) = &credentials {
            // The limits of SOCKS5; a colon would end the user's name in HTTP.
            let long = user.len() > 255 || password.len() > 255;
            if long || user.is_empty() || (kind == Kind::Http && user.contains(':')) {
                return Err(invalid("the proxy's credentials have a form that it cannot be told"));
            }
        }
        let without_user = authority.as_str().rsplit_once('@').map_or(authority.as_str(), |(_, host)| host);
        let port = match without_user.strip_prefix(authority.host()) {
            Some("" | ":") => usual_port,
            Some(_) => uri.port_u16().ok_or_else(|| invalid("the proxy's port is no port"))?,
            None => return Err(invalid("the proxy has no host")),
        };
        Ok(Self { kind, host, port, credentials })
    }

    /// Connects to a host through the proxy.
    pub(super) async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, ProxyError> {
        let mut stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        stream.set_nodelay(true)?;
        let credentials = self.credentials.as_ref();
        match self.kind {
            Kind::Http => http::connect(&mut stream, host, port, credentials).await?,
            Kind::Socks5 => socks::connect(&mut stream, host, port, credentials).await?,
        }
        Ok(stream)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("kind", &self.kind)
            .field("host", &self.host)
            .field("port", &self.port)
            .field("with_credentials", &self.credentials.is_some())
            .finish()
    }
}

fn decode(text: &str) -> Option<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            let (high, low) = (digit()?, digit()?);
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    std::str::from_utf8(&bytes).ok().map(|text| Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Proxy, Code> {
        Proxy::parse(url).map_err(|error| error.code())
    }

    #[test]
    fn proxies_are_read_from_urls() {
        let proxy = parse("http://bob:p%40ss%3Aword@proxy.example:3128").unwrap();
        assert_eq!((proxy.kind, proxy.host.as_str(), proxy.port), (Kind::Http, "proxy.example", 3128));
        let credentials = proxy.credentials.unwrap();
        assert_eq!((credentials.user.as_str(), credentials.password.as_str()), ("bob", "p@ss:word"));
        let proxy = parse("socks5h://[::1]/").unwrap();
        assert_eq!((proxy.kind, proxy.host.as_str(), proxy.port), (Kind::Socks5, "::1", 1080));
        assert!(proxy.credentials.is_none());
        for wrong in
            ["", "proxy", "http://", "http://h/path", "http://%zz@h", "socks5://:p@h", "http://a%3Ab:c@h"]
        {
            assert_eq!(parse(wrong).unwrap_err(), Code::InvalidArgument, "{wrong:?}");
        }
        for other in ["https://h:1", "socks4://h:1"] {
            assert_eq!(parse(other).unwrap_err(), Code::NotSupported, "{other}");
        }
    }

    #[test]
    fn nothing_secret_is_printed() {
        let proxy = Some(Proxy::parse("socks5://alice:secret@127.0.0.1:9").unwrap());
        let options = crate::ClientOptions { proxy, ..crate::ClientOptions::default() };
        let printed = format!("{options:?}");
        assert!(printed.contains("127.0.0.1") && !printed.contains("secret") && !printed.contains("alice"));
        let error = Proxy::parse("http://alice:secret@h:99999").unwrap_err();
        assert!(!format!("{error:?}").contains("secret"));
    }
}
