//! The page that names the present version, and how it does.

use hyper::Method;
use tokio_tungstenite::tungstenite::http::Uri;

use crate::connection::{Route, SocketError, is_loopback};
use crate::error::{Code, Error};
use crate::http::{self, Ask, Host, HttpError};

/// Longest page that is read.
const LONGEST: usize = 4 * 1024 * 1024;
/// The page is given to who opens it, not to other pages.
const HEADERS: &[(&str, &str)] = &[("sec-fetch-site", "none")];

/// Where the version is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: bool,
    /// What the request names as host: with the port if it is not the usual one.
    pub(super) authority: String,
    pub(super) path: String,
}

impl Page {
    /// Reads an `https://` address, or an `http://` one of this machine.
    pub(super) fn parse(url: &str) -> Result<Self, Error> {
        let invalid = |what: &'static str| Error::new(Code::InvalidArgument, what);
        let uri: Uri =
            url.parse().map_err(|error| invalid("the version's page is not a URL").because(error))?;
        let authority = uri.authority().ok_or_else(|| invalid("the version's page has no host"))?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if is_loopback(&host) => false,
            _ => return Err(invalid("the version's page must begin with https://")),
        };
        if host.is_empty() || authority.as_str().contains('@') {
            return Err(invalid("the version's page has no plain host"));
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        Ok(Self { authority: authority.as_str().to_owned(), host, port, tls, path })
    }
}

impl Page {
    /// Reads the page; the caller bounds the time.
    pub(super) async fn read(&self, route: &Route) -> Result<String, Error> {
        let host = Host { authority: &self.authority, name: &self.host, port: self.port, tls: self.tls };
        let ask =
            Ask { method: Method::GET, host, headers: HEADERS, target: &self.path, from: None, body: None };
        let answer = http::send(route, ask, || 0).await.map_err(unread)?;
        match answer.status() {
            200 => {}
            status => {
                let refused = Error::new(Code::Refused, "the page with the version was refused");
                return Err(refused.with_service_status(status));
            }
        }
        let text = answer.text(LONGEST).await.map_err(unread)?;
        text.ok_or_else(|| Error::new(Code::Refused, "the page with the version is longer than any"))
    }
}

fn unread(error: HttpError) -> Error {
    let code = match &error {
        HttpError::Connect(SocketError::Proxy(_)) => Code::ProxyFailed,
        HttpError::Connect(SocketError::Untrusted(_)) => Code::UntrustedServer,
        HttpError::Broken(error) if error.is_parse() || error.is_incomplete_message() => Code::Refused,
        _ => Code::ConnectFailed,
    };
    Error::new(code, "the page with the version could not be read").because(error)
}

/// The revision that a page names: the number behind `"client_revision":`, whose quotes may be
/// escaped, as in the service worker, or not, as in the page itself.
pub(super) fn revision(text: &str) -> Option<u32> {
    const NAME: &str = "client_revision";
    text.match_indices(NAME).find_map(|(at, name)| {
        let rest = text.get(at.checked_add(name.len())?..)?;
        let rest = rest.trim_start_matches('\\').strip_prefix('"')?.strip_prefix(':')?.trim_start();
        let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
        rest.get(..end)?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_the_page_name_their_revision() {
        assert_eq!(revision(r#"x({"a":1,"client_revision":1045649367,"b":2})"#), Some(1_045_649_367));
        assert_eq!(revision(r#"JSON.parse("{\"client_revision\": 1043028647}")"#), Some(1_043_028_647));
        assert_eq!(revision(r#"client_revision = 3; "client_revision":12"#), Some(12));
        for wrong in ["", "client_revision", r#""client_revision":"#, r#""client_revision":"x""#] {
            assert_eq!(revision(wrong), None, "{wrong}");
        }
        assert_eq!(revision(r#""client_revision":99999999999"#), None);
    }

    #[test]
    fn pages_without_tls_are_on_this_machine() {
        let page = Page::parse("https://web.whatsapp.com/sw.js").unwrap();
        assert_eq!((page.host.as_str(), page.port, page.tls), ("web.whatsapp.com", 443, true));
        let page = Page::parse("http://127.0.0.1:81").unwrap();
        assert_eq!((page.authority.as_str(), page.path.as_str(), page.port), ("127.0.0.1:81", "/", 81));
        for wrong in ["", "/sw.js", "http://example.com/", "ftp://127.0.0.1/", "https://a:b@c/"] {
            assert_eq!(Page::parse(wrong).unwrap_err().code(), Code::InvalidArgument, "{wrong:?}");
        }
    }
}
