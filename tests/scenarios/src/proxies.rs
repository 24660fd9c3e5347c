//! Small real proxies on loopback, for clients that get out through one.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// User and password that the proxies accept, if they want any.
pub const USER: &str = "bob";
/// The password.
pub const PASSWORD: &str = "pw";
/// Both, as HTTP wants them.
const BASIC: &str = "Proxy-Authorization: Basic Ym9iOnB3\r\n";

/// What a proxy does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// HTTP CONNECT; whether it wants credentials.
    Http(bool),
    /// SOCKS5; whether it wants credentials.
    Socks(bool),
    /// It takes connections and never says a word.
    Mute,
    /// SOCKS5 that leads to another place than the one it is asked for.
    Astray(SocketAddr),
}

/// A proxy.
pub struct Proxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    swallows: Arc<watch::Sender<bool>>,
}

impl Proxy {
    /// Starts one. It ends with the runtime.
    pub async fn start(kind: Kind) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let swallows = Arc::new(watch::Sender::new(false));
        let (log, hole) = (Arc::clone(&asked), Arc::clone(&swallows));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (log, mut hole) = (Arc::clone(&log), hole.subscribe());
                tokio::spawn(async move {
                    let serving = async {
                        match kind {
                            Kind::Http(credentials) => http(stream, credentials, &log).await,
                            Kind::Socks(credentials) => socks(stream, credentials, None, &log).await,
                            Kind::Astray(target) => socks(stream, false, Some(target), &log).await,
                            Kind::Mute => mute(stream).await,
                        }
                    };
                    tokio::pin!(serving);
                    tokio::select! {
                        // A client that goes away is nothing to report.
                        _ = &mut serving => {}
                        // Nothing is carried any more, and nothing is closed: the sockets live as long
                        // as this task.
                        () = told(&mut hole, true) => told(&mut hole, false).await,
                    }
                });
            }
        });
        Ok(Self { address, asked, swallows })
    }

    /// Stops carrying anything in either direction without closing a connection, as a dead network
    /// does, or goes on with new connections; those that lived meanwhile end.
    pub fn black_hole(&self, open: bool) {
        self.swallows.send_replace(open);
    }

    /// `host:port` of it.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it was asked to connect to, as it was told, in order.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Waits until the proxy swallows everything, or does not any more.
async fn told(hole: &mut watch::Receiver<bool>, wanted: bool) {
    if hole.wait_for(|swallows| *swallows == wanted).await.is_err() {
        // The proxy's owner is gone, and nothing will be said any more.
        std::future::pending::<()>().await;
    }
}

fn note(log: &Mutex<Vec<String>>, target: &str) {
    log.lock().unwrap_or_else(PoisonError::into_inner).push(target.to_owned());
}

async fn mute(mut stream: TcpStream) -> io::Result<()> {
    let mut octets = [0; 64];
    while stream.read(&mut octets).await? > 0 {}
    Ok(())
}

async fn carry(mut stream: TcpStream, target: &str) -> io::Result<()> {
    let mut out = TcpStream::connect(target).await?;
    tokio::io::copy_bidirectional(&mut stream, &mut out).await.map(drop)
}

async fn http(mut stream: TcpStream, credentials: bool, log: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
    note(log, &target);
    if !head.starts_with("CONNECT ") || (credentials && !head.contains(BASIC)) {
        return stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await;
    }
    stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    carry(stream, &target).await
}

async fn text(stream: &mut TcpStream) -> io::Result<String> {
    let mut text = vec![0; usize::from(stream.read_u8().await?)];
    stream.read_exact(&mut text).await?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

async fn socks(
    mut stream: TcpStream,
    credentials: bool,
    elsewhere: Option<SocketAddr>,
    log: &Mutex<Vec<String>>,
) -> io::Result<()> {
    let _version = stream.read_u8().await?;
    let mut methods = vec![0; usize::from(stream.read_u8().await?)];
    stream.read_exact(&mut methods).await?;
    let method = if credentials { 2 } else { 0 };
    if !methods.contains(&method) {
        return stream.write_all(&[5, 0xff]).await;
    }
    stream.write_all(&[5, method]).await?;
    if credentials {
        let _version = stream.read_u8().await?;
        let good = text(&mut stream).await? == USER && text(&mut stream).await? == PASSWORD;
        stream.write_all(&[1, u8::from(!good)]).await?;
        if !good {
            return Ok(());
        }
    }
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    let host = match head {
        [5, 1, 0, 3] => text(&mut stream).await?,
        [5, 1, 0, 1] => std::net::Ipv4Addr::from(stream.read_u32().await?).to_string(),
        _ => return stream.write_all(&[5, 8, 0, 1, 0, 0, 0, 0, 0, 0]).await,
    };
    let target = format!("{host}:{}", stream.read_u16().await?);
    note(log, &target);
    stream.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 1]).await?;
    let target = elsewhere.map_or(target, |elsewhere| elsewhere.to_string());
    carry(stream, &target).await
}
