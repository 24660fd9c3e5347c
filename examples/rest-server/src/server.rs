//! The server: everything that lives as long as it does.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::connect_info::ConnectInfo;
use axum::extract::{Request, State};
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::access::limits::{Limits, Rate};
use crate::access::secret::{self, Seal};
use crate::access::{KeyKind, Principal, Scope};
use crate::config::Settings;
use crate::delivery::Deliveries;
use crate::dialects::{self, Dialect};
use crate::events::feed::Feed;
use crate::failure::{Failure, Problem};
use crate::fetching::Fetcher;
use crate::hosting::Hosting;
use crate::metrics::Metrics;
use crate::store::{MAIN_TENANT, Store, keys};
use crate::web::table::Table;
use crate::web::{gateway, route::Route};

/// Wrong keys per address before the address has to wait.
const WRONG_KEYS: Rate = Rate::per_minute(5);

/// How long a stopping server waits for requests and clients.
const STOPPING: Duration = Duration::from_secs(10);

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A setting cannot be.
    #[error("{0}")]
    Settings(String),
    /// The data folder cannot be used.
    #[error("the data folder cannot be used: {0}")]
    Data(#[source] std::io::Error),
    /// The server's file cannot be used.
    #[error("the server's file cannot be used: {0}")]
    Store(#[source] rusqlite::Error),
    /// The address cannot be listened at.
    #[error("cannot listen at {0}: {1}")]
    Listen(SocketAddr, #[source] std::io::Error),
    /// The engine or an account did not start.
    #[error("the engine did not start: {0}")]
    Engine(#[source] whimbrel::Error),
    /// Something else failed; the log has more.
    #[error("{0}")]
    Other(String),
}

impl From<Failure> for StartError {
    fn from(failure: Failure) -> Self {
        Self::Other(failure.detail)
    }
}

/// Requests with an idempotency key that are under way.
#[derive(Default)]
pub(crate) struct Running {
    places: Mutex<BTreeSet<(String, String)>>,
}

/// Holds a place until the request ends.
pub(crate) struct Entered<'a> {
    running: &'a Running,
    place: (String, String),
}

impl Running {
    pub(crate) fn enter(&self, place: &(String, String)) -> Option<Entered<'_>> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.insert(place.clone()).then(|| Entered { running: self, place: place.clone() })
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.running.places.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.place);
    }
}

/// Everything that lives as long as the server.
pub(crate) struct Server {
    pub(crate) settings: Settings,
    pub(crate) store: Store,
    pub(crate) hosting: Hosting,
    pub(crate) dialects: BTreeMap<&'static str, Arc<dyn Dialect>>,
    pub(crate) table: Table,
    pub(crate) limits: Limits,
    pub(crate) running: Running,
    pub(crate) feed: Feed,
    pub(crate) deliveries: Deliveries,
    pub(crate) fetcher: Fetcher,
    pub(crate) metrics: Metrics,
    pub(crate) seal: Seal,
    /// How clients reach it.
    pub(crate) url: String,
    root_hash: [u8; 32],
    stopping: watch::Sender<bool>,
}

impl Server {
    /// The client's address: that of the connection, or what a trusted proxy says.
    pub(crate) fn client_address(&self, peer: IpAddr, headers: &axum::http::HeaderMap) -> IpAddr {
        if !self.settings.trusted_proxies.contains(&peer) {
            return peer;
        }
        let forwarded =
            headers.get("x-forwarded-for").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let hops = forwarded.rsplit(',').filter_map(|hop| hop.trim().parse::<IpAddr>().ok());
        hops.into_iter().find(|hop| !self.settings.trusted_proxies.contains(hop)).unwrap_or(peer)
    }

    /// The dialect that answers for a path that no route has.
    pub(crate) fn owner_of(&self, path: &str) -> Arc<dyn Dialect> {
        let owner = self.dialects.values().find(|dialect| dialect.owns(path));
        let owner =
            owner.or_else(|| self.dialects.get("evolution")).or_else(|| self.dialects.values().next());
        owner.cloned().unwrap_or_else(|| Arc::new(dialects::native::Native))
    }

    /// Who has this key. Too many wrong ones from an address are answered with a wait.
    pub(crate) async fn principal(&self, key: &str, peer: IpAddr) -> Result<Option<Principal>, Failure> {
        let bucket = format!("wrong-key/{peer}");
        let now = std::time::Instant::now();
        if let Some(after) = self.limits.refusal(&bucket, WRONG_KEYS, now) {
            return Err(Failure::new(Problem::RateLimited, "too many wrong keys").after(after));
        }
        if secret::equal(&secret::hash(key), &self.root_hash) {
            return Ok(Some(Principal {
                kind: KeyKind::Root,
                key: "root".to_owned(),
                tenant: MAIN_TENANT.to_owned(),
                account: None,
                user: None,
                scopes: Scope::ALL.into_iter().collect(),
            }));
        }
        let text = key.to_owned();
        let found = self.store.unit(move |unit| keys::find_by_text(unit, &text)).await?;
        let Some(row) = found else {
            self.limits.take(&bucket, WRONG_KEYS, now);
            return Ok(None);
        };
        Ok(Some(Principal {
            kind: row.kind,
            key: row.id,
            tenant: row.tenant,
            account: row.account,
            user: row.user,
            scopes: row.scopes,
        }))
    }

    /// Becomes true when the server stops.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    /// All routes, for the descriptions and for tests.
    pub(crate) fn routes(&self) -> impl Iterator<Item = (&'static str, &Route)> {
        self.table.rows().map(|bound| (bound.dialect.name(), bound.route.as_ref()))
    }
}

/// Waits until the server stops.
pub(crate) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // The sender lives as long as the server: without it, it has stopped.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

/// A server that runs. Dropping it ends it without ceremony; [`stop`](Self::stop) ends it in order.
pub struct RestServer {
    server: Arc<Server>,
    address: SocketAddr,
    new_root_key: Option<String>,
    serving: Option<JoinHandle<()>>,
    tasks: Vec<JoinHandle<()>>,
}

impl RestServer {
    /// Starts a server.
    ///
    /// # Errors
    /// When a setting cannot be, or something that it needs cannot be had.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        install_crypto();
        std::fs::create_dir_all(settings.data.join("accounts")).map_err(StartError::Data)?;
        std::fs::create_dir_all(settings.data.join("files")).map_err(StartError::Data)?;
        let store = Store::open(&settings.data.join("server.db"), settings.fast_commits)
            .map_err(StartError::Store)?;
        let (root_hash, new_root_key) = root_key(&settings)?;
        let seal = Seal::new(&seal_key(&settings)?);
        let listener = TcpListener::bind(settings.listen)
            .await
            .map_err(|error| StartError::Listen(settings.listen, error))?;
        let address = listener.local_addr().map_err(|error| StartError::Listen(settings.listen, error))?;
        let url = settings.server_url.clone().unwrap_or_else(|| format!("http://{address}"));
        let mut table = Table::default();
        let mut dialects = BTreeMap::new();
        for dialect in dialects::named(&settings.dialects).map_err(StartError::Settings)? {
            let routes = dialect.routes();
            table.add(&dialect, routes).map_err(|error| StartError::Other(error.to_string()))?;
            dialects.insert(dialect.name(), dialect);
        }
        let fetcher = Fetcher::new(&settings.allow_hosts, settings.max_media)
            .map_err(|error| StartError::Other(error.to_string()))?;
        let hosting = Hosting::new(&settings).map_err(StartError::Engine)?;
        let server = Arc::new(Server {
            store,
            hosting,
            dialects,
            table,
            limits: Limits::default(),
            running: Running::default(),
            feed: Feed::default(),
            deliveries: Deliveries::default(),
            fetcher,
            metrics: Metrics::default(),
            seal,
            url: url.trim_end_matches('/').to_owned(),
            root_hash,
            stopping: watch::Sender::new(false),
            settings,
        });
        Deliveries::load(&server).await?;
        Hosting::open_all(&server).await?;
        let tasks = vec![
            tokio::spawn(crate::delivery::run(Arc::clone(&server))),
            tokio::spawn(crate::upkeep::run(Arc::clone(&server))),
        ];
        let mut app = Router::new().fallback(answer).with_state(Arc::clone(&server));
        if server.dialects.contains_key(dialects::evolution::NAME) {
            app = app.layer(dialects::evolution::socketio::layer(&server));
        }
        let app = app.into_make_service_with_connect_info::<SocketAddr>();
        let mut stopping = server.stopping();
        let serving = tokio::spawn(async move {
            let stopped = async move {
                // The sender lives as long as the server.
                let _ = stopping.wait_for(|stopping| *stopping).await;
            };
            if let Err(error) = axum::serve(listener, app).with_graceful_shutdown(stopped).await {
                tracing::error!(%error, "The listener failed.");
            }
        });
        tracing::info!(%address, "The server is ready.");
        Ok(Self { server, address, new_root_key, serving: Some(serving), tasks })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How clients reach it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.server.url
    }

    /// The root key, if it was made just now: it is shown once.
    #[must_use]
    pub fn new_root_key(&self) -> Option<&str> {
        self.new_root_key.as_deref()
    }

    /// Every route: dialect, method, path, operation.
    pub fn routes(&self) -> impl Iterator<Item = (&'static str, String, String, &'static str)> {
        self.server
            .routes()
            .map(|(dialect, route)| (dialect, route.method.to_string(), route.path.clone(), route.id))
    }

    /// Takes no more requests, finishes those under way, and closes all accounts without logging them out.
    pub async fn stop(mut self) {
        self.server.stopping.send_replace(true);
        if let Some(mut serving) = self.serving.take()
            && tokio::time::timeout(STOPPING / 2, &mut serving).await.is_err()
        {
            serving.abort();
        }
        self.server.hosting.close(STOPPING / 2).await;
        for task in self.tasks.drain(..) {
            task.abort();
            // Aborted: there is nothing to learn.
            let _ = task.await;
        }
        tracing::info!("The server has stopped.");
    }
}

impl Drop for RestServer {
    fn drop(&mut self) {
        self.server.stopping.send_replace(true);
        for task in self.tasks.drain(..).chain(self.serving.take()) {
            task.abort();
        }
    }
}

impl std::fmt::Debug for RestServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RestServer").field("address", &self.address).finish_non_exhaustive()
    }
}

async fn answer(
    State(server): State<Arc<Server>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    gateway::handle(server, peer, request).await
}

/// TLS of the HTTP client needs a provider for the process; a host's own is left alone.
fn install_crypto() {
    // Fails if there is one already, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// The hash of the key that may do everything, which alone is kept, and the key if it was made just now.
fn root_key(settings: &Settings) -> Result<([u8; 32], Option<String>), StartError> {
    if let Some(key) = &settings.root_key {
        return Ok((secret::hash(key), None));
    }
    let path = settings.data.join("root-key.sha256");
    let kept = std::fs::read_to_string(&path).ok().and_then(|text| hex::decode(text.trim()).ok());
    if let Some(hash) = kept.and_then(|octets| <[u8; 32]>::try_from(octets).ok()) {
        return Ok((hash, None));
    }
    let key = secret::new_key(KeyKind::Root).map_err(|error| StartError::Other(error.to_string()))?;
    write_secret(&path, &hex::encode(secret::hash(&key))).map_err(StartError::Data)?;
    Ok((secret::hash(&key), Some(key)))
}

fn seal_key(settings: &Settings) -> Result<[u8; 32], StartError> {
    if let Some(key) = settings.seal_key {
        return Ok(key);
    }
    let path = settings.data.join("seal-key");
    let kept = std::fs::read_to_string(&path).ok().and_then(|text| hex::decode(text.trim()).ok());
    if let Some(key) = kept.and_then(|octets| <[u8; 32]>::try_from(octets).ok()) {
        return Ok(key);
    }
    let key: [u8; 32] = secret::random().map_err(|error| StartError::Other(error.to_string()))?;
    write_secret(&path, &hex::encode(key)).map_err(StartError::Data)?;
    Ok(key)
}

/// Writes a file that only its owner may read.
fn write_secret(path: &std::path::Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}
