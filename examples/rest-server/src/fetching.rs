//! HTTP to addresses that clients name: files to send, and webhooks. Private addresses are refused, at every
//! step of the way: the name is resolved once, and the connection goes to an address that was looked at.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};

use crate::failure::{Failure, Problem};

const CONNECT: Duration = Duration::from_secs(10);
const WHOLE: Duration = Duration::from_secs(30);
const REDIRECTS: usize = 3;

/// Hosts that may be reached although their addresses are private.
#[derive(Debug, Default)]
struct Allowed {
    all: bool,
    hosts: BTreeSet<String>,
}

impl Allowed {
    fn host(&self, host: &str) -> bool {
        self.all || self.hosts.contains(host.trim_matches(['[', ']']))
    }
}

/// Resolves names to public addresses only.
struct Resolver {
    allowed: Arc<Allowed>,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = self.allowed.host(name.as_str());
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> =
                found.filter(|address| allowed || is_public(address.ip())).collect();
            if public.is_empty() {
                return Err("the address is private".into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is one of the open Internet.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_broadcast()
                || v4.is_multicast()
                || v4.is_documentation()
                || a == 0
                || a >= 240
                // Shared by carriers, benchmarks, and assignments of protocols.
                || (a == 100 && (64..128).contains(&b))
                || (a == 198 && (18..20).contains(&b))
                || (a == 192 && b == 0))
        }
        IpAddr::V6(v6) => match v6.to_ipv4_mapped().or_else(|| embedded_v4(v6.segments())) {
            Some(v4) => is_public(IpAddr::V4(v4)),
            None => {
                let [first, second, ..] = v6.segments();
                !(v6.is_loopback()
                    || v6.is_unspecified()
                    || v6.is_multicast()
                    || (first & 0xfe00) == 0xfc00
                    || (first & 0xffc0) == 0xfe80
                    || (first & 0xffc0) == 0xfec0
                    || (first == 0x2001 && second == 0xdb8))
            }
        },
    }
}

/// An address of the old kind inside one of the new: by translation (64:ff9b::/96) or 6to4 (2002::/16).
fn embedded_v4(segments: [u16; 8]) -> Option<std::net::Ipv4Addr> {
    let [first, second, third, _, _, _, seventh, last] = segments;
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        std::net::Ipv4Addr::new(a, b, c, d)
    };
    match (first, second) {
        (0x64, 0xff9b) => Some(v4(seventh, last)),
        (0x2002, _) => Some(v4(second, third)),
        _ => None,
    }
}

/// The client for addresses that others name.
pub(crate) struct Fetcher {
    files: Client,
    hooks: Client,
    allowed: Arc<Allowed>,
    max_file: u64,
}

/// A file that was fetched.
pub(crate) struct Fetched {
    pub(crate) content: Vec<u8>,
    pub(crate) mimetype: Option<String>,
    pub(crate) file_name: Option<String>,
}

/// What a receiver of a webhook answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    Status(u16),
    /// It could not be asked.
    Failed(String),
}

impl Fetcher {
    pub(crate) fn new(allow_hosts: &[String], max_file: u64) -> Result<Self, reqwest::Error> {
        let hosts: BTreeSet<String> = allow_hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
        let allowed = Arc::new(Allowed { all: hosts.contains("*"), hosts });
        let base = || {
            Client::builder()
                .dns_resolver(Arc::new(Resolver { allowed: Arc::clone(&allowed) }))
                // A proxy would resolve names itself.
                .no_proxy()
                .user_agent(concat!("whimbrel-rest/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(CONNECT)
                .timeout(WHOLE)
        };
        let seen = Arc::clone(&allowed);
        let files = Policy::custom(move |attempt| {
            if attempt.previous().len() > REDIRECTS {
                return attempt.error("too many redirects");
            }
            match literal(attempt.url(), &seen) {
                Ok(()) => attempt.follow(),
                Err(reason) => attempt.error(reason),
            }
        });
        let hooks = Policy::none();
        Ok(Self {
            files: base().redirect(files).build()?,
            hooks: base().redirect(hooks).build()?,
            allowed,
            max_file,
        })
    }

    /// Refuses an address that may not be reached, as far as it can be seen without resolving it.
    pub(crate) fn check(&self, text: &str) -> Result<Url, Failure> {
        let url = Url::parse(text).map_err(|_| Failure::field("url", "is not an address"))?;
        literal(&url, &self.allowed).map_err(|reason| Failure::field("url", reason))?;
        Ok(url)
    }

    /// Fetches a file.
    pub(crate) async fn file(&self, text: &str) -> Result<Fetched, Failure> {
        let url = self.check(text)?;
        let unreachable = |error: &dyn std::fmt::Display| {
            tracing::info!(%error, "A file could not be fetched.");
            Failure::new(Problem::MediaUnreachable, "the file could not be fetched")
        };
        let mut response = self.files.get(url).send().await.map_err(|error| unreachable(&error))?;
        if !response.status().is_success() {
            let status = response.status().as_u16();
            return Err(Failure::new(
                Problem::MediaUnreachable,
                format!("the file's host answered with {status}"),
            ));
        }
        let too_large = || Failure::new(Problem::MediaTooLarge, "the file is too large");
        if response.content_length().is_some_and(|length| length > self.max_file) {
            return Err(too_large());
        }
        let header = |name: &str| response.headers().get(name)?.to_str().ok().map(str::to_owned);
        let mimetype =
            header("content-type").and_then(|kind| kind.split(';').next().map(|kind| kind.trim().to_owned()));
        let file_name =
            response.url().path_segments().and_then(|mut parts| parts.next_back().map(str::to_owned));
        let file_name = file_name.filter(|name| name.contains('.'));
        let mut content = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&error))? {
            content.extend_from_slice(&chunk);
            if u64::try_from(content.len()).unwrap_or(u64::MAX) > self.max_file {
                return Err(too_large());
            }
        }
        Ok(Fetched { content, mimetype, file_name })
    }

    /// Posts a body to a webhook.
    pub(crate) async fn post(
        &self,
        url: &str,
        headers: &[(String, String)],
        body: Vec<u8>,
        timeout: Duration,
    ) -> Received {
        let url = match self.check(url) {
            Ok(url) => url,
            Err(failure) => return Received::Failed(failure.detail),
        };
        let mut request = self.hooks.post(url).timeout(timeout.min(WHOLE)).body(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        match request.send().await {
            Ok(response) => Received::Status(response.status().as_u16()),
            Err(error) => Received::Failed(reason(&error)),
        }
    }
}

/// What is wrong, without the address, which may have secrets in it.
fn reason(error: &reqwest::Error) -> String {
    let kind = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the request failed"
    };
    let mut source = std::error::Error::source(error);
    let mut last = None;
    while let Some(inner) = source {
        last = Some(inner.to_string());
        source = inner.source();
    }
    last.map_or_else(|| kind.to_owned(), |last| format!("{kind}: {last}"))
}

fn literal(url: &Url, allowed: &Allowed) -> Result<(), &'static str> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err("is neither http nor https");
    }
    let Some(host) = url.host_str() else { return Err("has no host") };
    // Names are looked at when they are resolved; addresses never are.
    match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(address) if !is_public(address) && !allowed.host(host) => Err("is a private address"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_told_from_public_ones() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.1",
            "172.20.0.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.1.1",
            "224.0.0.1",
            "::1",
            "fe80::1",
            "fd00::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8"] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn addresses_are_refused_before_anything_is_asked() {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let fetcher = Fetcher::new(&["10.0.0.1".to_owned()], 1).unwrap();
        for url in ["ftp://example.org/", "http://127.0.0.1/", "http://[::1]/", "file:///etc/passwd", "x"] {
            assert!(fetcher.check(url).is_err(), "{url}");
        }
        for url in ["https://example.org/a", "http://10.0.0.1/"] {
            assert!(fetcher.check(url).is_ok(), "{url}");
        }
    }
}
