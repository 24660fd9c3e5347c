use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// Asks a server that answers with these octets and hangs up. The request, and what was made of the answer.
async fn asked(answer: &'static str, most: usize) -> (String, Result<(u16, Option<String>), HttpError>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8(request).unwrap()
    });
    let route = Route::direct(crate::connection::tls::config(None).unwrap());
    let host = Host { authority: "127.0.0.1", name: "127.0.0.1", port, tls: false };
    let headers = &[("origin", "https://example.org")];
    let ask =
        Ask { method: Method::GET, host, headers, target: "/a?b", from: Some((3, Some(9))), body: None };
    let read = async {
        let answer = send(&route, ask, || 0).await?;
        Ok((answer.status(), answer.text(most).await?))
    };
    let read = read.await;
    (server.await.unwrap(), read)
}

#[tokio::test]
async fn the_three_ways_of_saying_how_long_a_body_is_are_read() {
    for (answer, text) in [
        ("HTTP/1.1 200 OK\r\n\r\nto the end", "to the end"),
        ("HTTP/1.0 200 OK\r\ncontent-LENGTH: 2\r\n\r\nab", "ab"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nA;x=1\r\n0123456789\r\n0\r\n\r\n",
            "ab0123456789",
        ),
    ] {
        let (request, read) = asked(answer, 100).await;
        assert_eq!(read.unwrap(), (200, Some(text.to_owned())), "{answer:?}");
        let request = request.to_ascii_lowercase();
        assert!(request.starts_with("get /a?b http/1.1\r\nhost: 127.0.0.1\r\n"), "{request}");
        for header in ["origin: https://example.org", "range: bytes=3-8", "accept-encoding: identity"] {
            assert!(request.contains(&format!("\r\n{header}\r\n")), "{header}");
        }
    }
}

#[tokio::test]
async fn what_is_cut_short_or_no_http_is_an_error() {
    for cut in [
        "",
        "HTTP/1.1 200 OK\r\n",
        "nonsense\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ] {
        assert!(matches!(asked(cut, 100).await.1, Err(HttpError::Broken(_))), "{cut:?}");
    }
}

#[tokio::test]
async fn answers_are_bounded_and_redirects_are_left_to_whoever_asked() {
    let (_, read) = asked("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123456789", 8).await;
    assert_eq!(read.unwrap(), (200, None));
    let (_, read) = asked("HTTP/1.1 302 Found\r\nLocation: x\r\nContent-Length: 0\r\n\r\n", 8).await;
    assert_eq!(read.unwrap(), (302, Some(String::new())));
}
