//! The web page that names the present version of the web client (pairing document §15), on the
//! same port as the socket endpoint.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};

/// Path of the page.
pub(crate) const PATH: &str = "/sw.js";

/// How a request for it begins.
const REQUEST: &[u8] = b"GET /sw.js ";

/// Longest head of a request.
const LONGEST: usize = 16 * 1024;

/// A stream whose first octets were read and are read again.
#[derive(Debug)]
pub(crate) struct Rewound<S> {
    first: Vec<u8>,
    stream: S,
}

/// Looks at how a connection begins. Whether it asks for the page.
pub(crate) async fn look<S: AsyncRead + Unpin>(mut stream: S) -> io::Result<(bool, Rewound<S>)> {
    let mut first = vec![0; REQUEST.len()];
    stream.read_exact(&mut first).await?;
    Ok((first == REQUEST, Rewound { first, stream }))
}

/// Answers a request for the page; without a revision there is none.
pub(crate) async fn answer<S>(mut stream: Rewound<S>, revision: Option<u32>) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < LONGEST {
        head.push(stream.read_u8().await?);
    }
    let answer = match revision {
        None => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned(),
        Some(revision) => {
            // The service worker holds its data as a string in a string.
            let page =
                format!("const data=JSON.parse(\"{{\\\"client_revision\\\":{revision},\\\"x\\\":1}}\");\n");
            let length = page.len();
            format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/javascript\r\nContent-Length: {length}\r\n\r\n{page}"
            )
        }
    };
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

impl<S: AsyncRead + Unpin> AsyncRead for Rewound<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.first.is_empty() {
            return Pin::new(&mut this.stream).poll_read(cx, buf);
        }
        let rest = this.first.split_off(this.first.len().min(buf.remaining()));
        buf.put_slice(&std::mem::replace(&mut this.first, rest));
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Rewound<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
