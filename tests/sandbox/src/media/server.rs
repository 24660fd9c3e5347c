//! Connections to the media host: TLS, HTTP, and which request is for whom.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, header};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::answer::{self, Body};
use super::faults::{MediaFault, MediaRequest};
use super::request::Target;
use super::{Shelf, download, upload};
use crate::events::Event;
use crate::hub::{Hub, told_to_stop};

/// One of the addresses under which the files are found.
pub(crate) struct MediaListener {
    tcp: TcpListener,
    host: Host,
    tls: TlsAcceptor,
}

/// What a request is dealt with by.
#[derive(Clone)]
pub(super) struct Host {
    pub(super) hub: Arc<Hub>,
    pub(super) number: usize,
    /// As in addresses.
    pub(super) name: String,
}

impl Host {
    pub(super) fn shelf(&self) -> &Shelf {
        self.hub.media()
    }
}

impl MediaListener {
    pub(crate) async fn bind(hub: Arc<Hub>, number: usize, tls: TlsAcceptor) -> io::Result<Self> {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let name = tcp.local_addr()?.to_string();
        Ok(Self { tcp, host: Host { hub, number, name }, tls })
    }

    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Takes connections until told to stop.
    pub(crate) async fn accept_until(self, mut stopped: watch::Receiver<bool>) {
        loop {
            let accepted = tokio::select! {
                () = told_to_stop(&mut stopped) => return,
                accepted = self.tcp.accept() => accepted,
            };
            let Ok((tcp, _)) = accepted else {
                tokio::task::yield_now().await;
                continue;
            };
            let (host, tls, mut stopped) = (self.host.clone(), self.tls.clone(), stopped.clone());
            tokio::spawn(async move {
                tokio::select! {
                    () = told_to_stop(&mut stopped) => {}
                    () = serve(host, tls, tcp) => {}
                }
            });
        }
    }
}

async fn serve(host: Host, tls: TlsAcceptor, tcp: TcpStream) {
    if host.shelf().is_down(host.number) || tcp.set_nodelay(true).is_err() {
        return;
    }
    let stream = match tls.accept(tcp).await {
        Ok(stream) => stream,
        Err(error) => {
            tracing::debug!(%error, "a TLS handshake with the media host failed");
            return;
        }
    };
    let service = service_fn(|request| handle(host.clone(), request));
    let served = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    if let Err(error) = served.await {
        tracing::debug!(%error, "a connection to the media host ended");
    }
}

/// Answers one request; an error cuts the connection.
async fn handle(host: Host, request: Request<Incoming>) -> io::Result<Response<Body>> {
    let uri = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let target = Target::parse(&uri);
    let asks = request.method() == Method::POST && target.parameter("resume") == Some("1");
    let (what, name) = match *request.method() {
        Method::POST if asks => (MediaRequest::Ask, "ask"),
        Method::POST => (MediaRequest::Upload, "upload"),
        Method::GET | Method::HEAD => (MediaRequest::Download, "download"),
        Method::DELETE => (MediaRequest::Delete, "delete"),
        Method::OPTIONS => {
            let response = answer::plain(204, "");
            let response = answer::with(response, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
            return Ok(answer::with(response, header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, DELETE"));
        }
        _ => return Ok(answer::plain(405, "")),
    };
    let fault = host.shelf().fault(what, host.number);
    if let Some(fault) = &fault {
        let device = format!("media host {}", host.number);
        host.hub.events().push(Event::FaultApplied { device, fault: format!("{fault:?}") });
    }
    let response = match &fault {
        Some(MediaFault::Status { status, retry_after_s }) => {
            let response = answer::plain(*status, "");
            match retry_after_s {
                Some(seconds) => answer::with(response, header::RETRY_AFTER, seconds),
                None => response,
            }
        }
        Some(MediaFault::Redirect { location }) => {
            answer::with(answer::plain(307, ""), header::LOCATION, location)
        }
        _ => match what {
            MediaRequest::Ask => upload::ask(&host, &target),
            MediaRequest::Upload => upload::take(&host, &target, fault, request).await?,
            MediaRequest::Delete => upload::delete(&host, &target),
            MediaRequest::Download | MediaRequest::Any => download::give(&host, &target, fault, &request),
        },
    };
    let status = response.status().as_u16();
    if status >= 400 {
        let path = target.path.to_owned();
        let refused = Event::MediaRefused { host: host.number, request: name.to_owned(), path, status };
        host.hub.events().push(refused);
    }
    Ok(response)
}
