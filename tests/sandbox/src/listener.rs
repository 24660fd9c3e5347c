//! The socket listener: TCP, TLS on the same port, and the HTTP upgrade (transport document §1.1).

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls_pki_types::PrivatePkcs8KeyDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::accept_hdr_async_with_config;
use tokio_tungstenite::tungstenite::handshake::server::{Callback, ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{StatusCode, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::connection::{self, Certificates};
use crate::events::Event;
use crate::hub::{Hub, told_to_stop};
use crate::page;

/// Path of the endpoint.
const PATH: &str = "/ws/chat";
/// The only origin that real clients name.
const ORIGIN: &str = "https://web.whatsapp.com";
/// First octet of a TLS connection.
const TLS_HANDSHAKE: u8 = 0x16;
/// Largest WebSocket message.
const MESSAGE_LIMIT: usize = (16 << 20) + 16;

/// Why the listener could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The port is taken or may not be used.
    #[error("the port cannot be bound")]
    Bind(#[from] io::Error),
    /// The certificates could not be made.
    #[error("the certificates cannot be made")]
    Certificate(#[from] rcgen::Error),
    /// The TLS library refuses its configuration.
    #[error("TLS cannot be configured")]
    Tls(#[from] rustls::Error),
}

/// The listening socket.
pub(crate) struct Listener {
    tcp: TcpListener,
    address: SocketAddr,
    ca_pem: String,
    door: Door,
}

/// What every connection passes.
#[derive(Clone)]
struct Door {
    hub: Arc<Hub>,
    certificates: Arc<Certificates>,
    tls: TlsAcceptor,
}

impl Listener {
    pub(crate) async fn bind(hub: Arc<Hub>, certificates: Arc<Certificates>) -> Result<Self, ListenError> {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, hub.options().port)).await?;
        let address = tcp.local_addr()?;
        let (ca_pem, config) = tls()?;
        let tls = TlsAcceptor::from(Arc::new(config));
        Ok(Self { tcp, address, ca_pem, door: Door { hub, certificates, tls } })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What speaks TLS here, for the media hosts too: they are of the same authority.
    pub(crate) fn tls(&self) -> TlsAcceptor {
        self.door.tls.clone()
    }

    pub(crate) fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Takes connections until told to stop.
    pub(crate) async fn accept_until(self, mut stopped: watch::Receiver<bool>) {
        loop {
            let accepted = tokio::select! {
                () = told_to_stop(&mut stopped) => return,
                accepted = self.tcp.accept() => accepted,
            };
            match accepted {
                Ok((tcp, _)) => {
                    let door = self.door.clone();
                    let mut stopped = stopped.clone();
                    tokio::spawn(async move {
                        tokio::select! {
                            () = told_to_stop(&mut stopped) => {}
                            () = door.enter(tcp) => {}
                        }
                    });
                }
                Err(error) => {
                    // Out of file descriptors, most likely: what is open goes on.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::task::yield_now().await;
                }
            }
        }
    }
}

impl Door {
    async fn enter(self, tcp: TcpStream) {
        if self.hub.gate().is_closed() {
            return;
        }
        let limit = self.hub.options().limits.handshake;
        // Frames are small and latency counts.
        if tcp.set_nodelay(true).is_err() {
            return;
        }
        let mut first = [0];
        match timeout(limit, tcp.peek(&mut first)).await {
            Ok(Ok(1)) => {}
            _ => return,
        }
        if self.hub.hole().is_open() {
            return self.hub.hole().swallow(tcp).await;
        }
        let tcp = self.hub.hole().carry(tcp);
        if first == [TLS_HANDSHAKE] {
            match timeout(limit, self.tls.accept(tcp)).await {
                Ok(Ok(stream)) => self.upgrade(stream).await,
                Ok(Err(error)) => tracing::debug!(%error, "the TLS handshake failed"),
                Err(_) => tracing::debug!("the TLS handshake took too long"),
            }
        } else {
            self.upgrade(tcp).await;
        }
    }

    async fn upgrade<S: AsyncRead + AsyncWrite + Unpin + Send>(self, stream: S) {
        let options = self.hub.options();
        let strict = options.strict;
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_LIMIT))
            .max_frame_size(Some(MESSAGE_LIMIT));
        let stream = match timeout(options.limits.handshake, page::look(stream)).await {
            Ok(Ok((false, stream))) => stream,
            Ok(Ok((true, stream))) => {
                self.hub.events().push(Event::VersionPageRead {});
                if let Err(error) = page::answer(stream, self.hub.web_revision()).await {
                    tracing::debug!(%error, "the page was not read to its end");
                }
                return;
            }
            Ok(Err(_)) | Err(_) => return,
        };
        let accepting = accept_hdr_async_with_config(stream, Gate { strict }, Some(config));
        match timeout(options.limits.handshake, accepting).await {
            Ok(Ok(socket)) => connection::serve(self.hub, self.certificates, socket).await,
            Ok(Err(error)) => tracing::debug!(%error, "the upgrade was refused"),
            Err(_) => tracing::debug!("the upgrade took too long"),
        }
    }
}

/// Which upgrade requests are let in.
struct Gate {
    strict: bool,
}

impl Callback for Gate {
    fn on_request(self, request: &Request, response: Response) -> Result<Response, ErrorResponse> {
        let origin = request.headers().get(header::ORIGIN);
        let status = if request.uri().path() != PATH {
            StatusCode::NOT_FOUND
        } else if self.strict && origin.is_some_and(|origin| origin != ORIGIN) {
            StatusCode::FORBIDDEN
        } else {
            return Ok(response);
        };
        let mut refusal = ErrorResponse::new(None);
        *refusal.status_mut() = status;
        Err(refusal)
    }
}

/// A fresh authority, and a server that it vouches for under the names that clients use.
fn tls() -> Result<(String, ServerConfig), ListenError> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, "whimbrel sandbox");
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;

    let names = ["localhost", "127.0.0.1", "web.whatsapp.com", "*.whatsapp.net", "*.whatsapp.com"];
    let key = KeyPair::generate()?;
    let server = CertificateParams::new(names.map(str::to_owned))?.signed_by(&key, &authority)?;
    let chain = vec![server.der().clone(), authority.as_ref().der().clone()];
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, PrivatePkcs8KeyDer::from(key.serialize_der()).into())?;
    Ok((authority.as_ref().pem(), config))
}
