//! One plain GET over HTTP/1.1: no redirects, no compression, a bounded answer.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::page::Page;
use crate::connection::{Route, SocketError, dial};
use crate::error::{Code, Error};

/// Longest answer that is read.
const LONGEST: u64 = 4 * 1024 * 1024;

/// The page is made for browsers and is given to nothing else.
const USER_AGENT: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 \
    (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

/// Reads a page; the caller bounds the time.
pub(super) async fn get(page: &Page, route: &Route) -> Result<String, Error> {
    let mut stream = dial::open(&page.host, page.port, page.tls, route).await.map_err(unreachable)?;
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {USER_AGENT}\r\nAccept: */*\r\n\
         Accept-Encoding: identity\r\nSec-Fetch-Site: none\r\nConnection: close\r\n\r\n",
        page.path, page.authority
    );
    let mut answer = Vec::new();
    let exchange = async {
        stream.write_all(request.as_bytes()).await?;
        stream.flush().await?;
        match (&mut stream).take(LONGEST).read_to_end(&mut answer).await {
            // Many servers end TLS without saying so; the answer's own length tells what is missing.
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(()),
            other => other.map(drop),
        }
    };
    exchange.await.map_err(|error| unreachable(SocketError::Unreachable(error)))?;
    let body = body(&answer)?;
    Ok(String::from_utf8_lossy(&body).into_owned())
}

fn unreachable(error: SocketError) -> Error {
    let code = match &error {
        SocketError::Proxy(_) => Code::ProxyFailed,
        SocketError::Untrusted(_) => Code::UntrustedServer,
        _ => Code::ConnectFailed,
    };
    Error::new(code, "the page with the version could not be read").because(error)
}

fn malformed() -> Error {
    Error::new(Code::Refused, "the page with the version came in a form that is no HTTP")
}

/// The body of an answer with status 200.
fn body(answer: &[u8]) -> Result<Vec<u8>, Error> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(malformed)?;
    let (head, rest) = answer.split_at(end);
    let body = rest.get(4..).unwrap_or_default();
    let head = String::from_utf8_lossy(head);
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1."));
    let status = status.and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
    match status {
        Some(200) => {}
        Some(other) => {
            let refused = Error::new(Code::Refused, "the page with the version was refused");
            return Err(refused.with_service_status(other));
        }
        None => return Err(malformed()),
    }
    let headers: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(':')).collect();
    let header = |name: &str| {
        headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    };
    if header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        return unchunked(body).ok_or_else(malformed);
    }
    match header("content-length").map(str::parse::<usize>) {
        None => Ok(body.to_vec()),
        Some(Ok(length)) => body.get(..length).map(<[u8]>::to_vec).ok_or_else(malformed),
        Some(Err(_)) => Err(malformed()),
    }
}

fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        let size = std::str::from_utf8(rest.get(..end)?).ok()?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        rest = rest.get(end.checked_add(2)?..)?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size..)?.strip_prefix(b"\r\n")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(answer: &str) -> Result<String, u16> {
        let body = body(answer.as_bytes()).map_err(|error| error.service_status());
        body.map(|body| String::from_utf8(body).unwrap())
    }

    #[test]
    fn the_three_ways_of_saying_how_long_a_body_is_are_read() {
        assert_eq!(read("HTTP/1.1 200 OK\r\n\r\nto the end").unwrap(), "to the end");
        assert_eq!(read("HTTP/1.0 200 OK\r\ncontent-LENGTH: 2\r\n\r\nabc").unwrap(), "ab");
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nA;x=1\r\n0123456789\r\n0\r\n\r\n";
        assert_eq!(read(chunked).unwrap(), "ab0123456789");
    }

    #[test]
    fn what_is_cut_short_or_refused_is_no_page() {
        for cut in [
            "",
            "HTTP/1.1 200 OK\r\n",
            "nonsense\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        ] {
            assert_eq!(read(cut), Err(0), "{cut:?}");
        }
        assert_eq!(read("HTTP/1.1 302 Found\r\nLocation: x\r\n\r\n"), Err(302));
    }
}
