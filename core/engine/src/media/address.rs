//! Addresses of files: from what a message says to what a host is asked for (media document §7.1,
//! §8.1). The author of a message decides about the addresses in it, so they lead to media hosts only.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio_tungstenite::tungstenite::http::Uri;
use whimbrel_content::MediaKind;

use super::seal::Destination;
use crate::http;

/// Domains of the service's media hosts.
const DOMAINS: [&str; 2] = ["whatsapp.net", "fbcdn.net"];
/// Hosts to try where the service could not be asked for any.
const KNOWN: [&str; 2] = ["mmg.whatsapp.net", "mmg-fallback.whatsapp.net"];
/// What every request to a media host has (§7.2).
pub(super) const HEADERS: &[(&str, &str)] =
    &[("origin", "https://web.whatsapp.com"), ("referer", "https://web.whatsapp.com/")];
/// Longest path.
const LONGEST: usize = 4096;

/// A media host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Host {
    /// As in the `Host` header: with the port if it is not the usual one.
    pub(super) authority: String,
    pub(super) name: String,
    pub(super) port: u16,
}

impl Host {
    /// Reads `name` or `name:port`.
    pub(super) fn parse(authority: &str) -> Option<Self> {
        let legal = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-');
        let (name, port) = match authority.split_once(':') {
            Some((name, port)) => (name, port.parse().ok()?),
            None => (authority, 443),
        };
        if name.is_empty() || name.len() > 253 || !name.bytes().all(legal) {
            return None;
        }
        Some(Self { authority: authority.to_owned(), name: name.to_owned(), port })
    }

    /// The same for a request.
    pub(super) fn place(&self) -> http::Host<'_> {
        http::Host { authority: &self.authority, name: &self.name, port: self.port, tls: true }
    }

    /// Hosts to try where the service could not be asked for any.
    pub(super) fn known() -> Vec<Self> {
        KNOWN.into_iter().filter_map(Self::parse).collect()
    }

    /// Whether it is the service's, or one that the service named.
    pub(super) fn is_trusted(&self, named: &[Self]) -> bool {
        named.contains(self)
            || (self.port == 443
                && DOMAINS.iter().any(|domain| {
                    let lower = self.name.to_ascii_lowercase();
                    lower.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
                }))
    }
}

/// Splits an `https://` address of a media host.
pub(super) fn split(url: &str) -> Option<(Host, String)> {
    let rest = url.strip_prefix("https://")?;
    let end = rest.find('/')?;
    let (authority, path) = rest.split_at_checked(end)?;
    Some((Host::parse(authority)?, path.to_owned()))
}

/// The path that a message names, if it is one: its own, or that of its address.
pub(super) fn path(direct_path: Option<&str>, url: Option<&str>) -> Option<String> {
    if let Some(path) = direct_path.filter(|path| !path.is_empty()) {
        return is_path(path).then(|| path.to_owned());
    }
    let (_, path) = split(url?)?;
    // It marks addresses that are tried as they stand, which these are not.
    let path = path.replace("&mms3=true", "").replace("?mms3=true", "");
    is_path(&path).then_some(path)
}

/// A path on a host, and nothing that leads to another one.
pub(super) fn is_path(path: &str) -> bool {
    let plain = path.bytes().all(|octet| octet.is_ascii_graphic() && !matches!(octet, b'\\' | b'#' | b'"'));
    path.len() <= LONGEST
        && plain
        && path.starts_with('/')
        && !path.starts_with("//")
        && path.parse::<Uri>().is_ok()
}

/// What a host is asked for.
pub(super) fn download(path: &str, hash: Option<&[u8]>, kind: MediaKind) -> String {
    let joint = if path.contains('?') { '&' } else { '?' };
    let hash = hash.map(|hash| format!("hash={}&", URL_SAFE_NO_PAD.encode(hash))).unwrap_or_default();
    format!("{path}{joint}{hash}mms-type={}&__wa-mms=", mms_type(kind))
}

/// The kind as hosts name it on downloads.
fn mms_type(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image | MediaKind::Sticker | MediaKind::XmaImage => "image",
        MediaKind::Video | MediaKind::Gif | MediaKind::Ptv => "video",
        MediaKind::Audio | MediaKind::Ptt => "audio",
        other => other.name(),
    }
}

/// Where a file is uploaded to; `None` for kinds that clients do not upload.
pub(super) fn upload(kind: MediaKind, destination: Destination, hash: &[u8; 32]) -> Option<(String, String)> {
    let place = match (destination, kind) {
        (Destination::CoverPhotos, _) => "pps/biz-cover-photo".to_owned(),
        (Destination::Channels, MediaKind::LinkThumbnail) => {
            "newsletter/newsletter-thumbnail-link".to_owned()
        }
        (
            Destination::Channels,
            MediaKind::Image
            | MediaKind::Sticker
            | MediaKind::Video
            | MediaKind::Gif
            | MediaKind::Ptv
            | MediaKind::Audio
            | MediaKind::Ptt
            | MediaKind::Document
            | MediaKind::StickerPack,
        ) => format!("newsletter/newsletter-{}", kind.name()),
        (Destination::Channels, _)
        | (Destination::Messages, MediaKind::XmaImage | MediaKind::PaymentBackground) => return None,
        (Destination::Messages, kind) => format!("mms/{}", mms_type(kind)),
    };
    let token = URL_SAFE_NO_PAD.encode(hash);
    Some((format!("/{place}/{token}"), token))
}

/// A text as a value in a query.
pub(super) fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for octet in text.bytes() {
        if octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(octet));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{octet:02X}");
        }
    }
    out
}

/// When a path is said to expire, seconds since 1970 (`oe`, in hex).
pub(super) fn expiry(path: &str) -> Option<i64> {
    let (_, query) = path.split_once('?')?;
    let value = query.split(['&', '?']).find_map(|pair| pair.strip_prefix("oe="))?;
    i64::from_str_radix(value, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_elsewhere_is_no_path() {
        let url = "https://mmg.whatsapp.net/v/t62/1_n.enc?ccb=11-4&oe=6A181F5C&mms3=true";
        assert_eq!(path(None, Some(url)).unwrap(), "/v/t62/1_n.enc?ccb=11-4&oe=6A181F5C");
        assert_eq!(path(Some("/a?b=c"), Some(url)).unwrap(), "/a?b=c");
        assert_eq!(path(Some(""), Some(url)).unwrap(), "/v/t62/1_n.enc?ccb=11-4&oe=6A181F5C");
        for evil in
            ["//evil.example/x", "evil", "/a b", "/a\r\nHost: x", "/\\evil", "/a#b", "http://x/", "@evil/"]
        {
            assert_eq!(path(Some(evil), Some(url)), None, "{evil:?}");
        }
        assert_eq!(path(Some(&format!("/{}", "a".repeat(LONGEST))), None), None);
        assert_eq!(path(None, Some("http://mmg.whatsapp.net/a")), None);
    }

    #[test]
    fn only_the_services_hosts_and_named_ones_are_trusted() {
        let named = [Host::parse("127.0.0.1:8443").unwrap()];
        for (authority, trusted) in [
            ("mmg.whatsapp.net", true),
            ("media-gru1-1.cdn.whatsapp.net", true),
            ("scontent.xx.fbcdn.net", true),
            ("127.0.0.1:8443", true),
            ("127.0.0.1:8444", false),
            ("whatsapp.net.evil.example", false),
            ("evilwhatsapp.net", false),
            ("mmg.whatsapp.net:8443", false),
        ] {
            assert_eq!(Host::parse(authority).unwrap().is_trusted(&named), trusted, "{authority}");
        }
        for wrong in ["", "a:b", "user@host", "a/b", "[::1]:7", ":443"] {
            assert_eq!(Host::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Host::known().len(), 2);
    }

    #[test]
    fn requests_are_written_as_other_clients_do() {
        assert_eq!(
            download("/v/1_n.enc?ccb=1", Some(&[0xfb, 0xff]), MediaKind::Ptt),
            "/v/1_n.enc?ccb=1&hash=-_8&mms-type=audio&__wa-mms="
        );
        assert_eq!(download("/v", None, MediaKind::History), "/v?mms-type=md-msg-hist&__wa-mms=");
        let at = |kind, to| upload(kind, to, &[0; 32]).map(|(path, _)| path);
        let (messages, channels) = (Destination::Messages, Destination::Channels);
        let token = "A".repeat(43);
        assert_eq!(at(MediaKind::Sticker, messages).unwrap(), format!("/mms/image/{token}"));
        assert_eq!(at(MediaKind::Gif, messages).unwrap(), format!("/mms/video/{token}"));
        assert_eq!(at(MediaKind::LinkThumbnail, messages).unwrap(), format!("/mms/thumbnail-link/{token}"));
        assert_eq!(at(MediaKind::Ptt, channels).unwrap(), format!("/newsletter/newsletter-ptt/{token}"));
        assert_eq!(at(MediaKind::History, channels), None);
        let cover = at(MediaKind::Image, Destination::CoverPhotos).unwrap();
        assert_eq!(cover, format!("/pps/biz-cover-photo/{token}"));
        assert_eq!(encoded("a+/=Z"), "a%2B%2F%3DZ");
        assert_eq!(expiry("/a?x=1&oe=6A181F5C&y"), Some(0x6A18_1F5C));
        assert_eq!(expiry("/a"), None);
    }
}
