//! One connection from the first byte to the last: handshake, then linking or login, then
//! traffic until something ends it (transport document §6.14).

mod linking;
mod login;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use whimbrel_crypto::curve::KeyPair;
use whimbrel_noise::Trust;
use whimbrel_wire::Node;

use super::Inner;
use super::status::{Goal, Wish};
use crate::clock;
use crate::connection::proxy::ProxyError;
use crate::connection::stream::{self, Bulletin, Verdict};
use crate::connection::{
    self, Connection, HandshakeError, Identify, Inbound, Keepalive, SocketError, iq, payload,
};
use crate::error::{Code, Error};
use crate::events::{ConnectionState, EventKind, VersionExpires};
use crate::link;
use crate::prekeys;
use crate::store::{Account, Changes};
use crate::version::{self, Version};
use linking::Linking;
use login::Offline;

/// How long the service may take to say success, failure or what to link with.
const FIRST_WORD: Duration = Duration::from_secs(20);

/// How long the service may take to restart a stream after a link was proved.
const RESTART: Duration = Duration::from_secs(60);

/// How long an ending connection may take to write what is queued.
const FLUSH: Duration = Duration::from_secs(1);

/// How a session ended.
#[derive(Debug)]
pub(super) enum End {
    /// The host, or the closing of the client, wants it so.
    Interrupted,
    /// What the service said. `at_login`: instead of a success.
    Said { verdict: Verdict, at_login: bool },
    /// It broke, or never began.
    Lost { reason: &'static str, error: Error },
    /// The phone's proofs were wrong.
    LinkFailed(&'static str),
    /// Nobody scanned a code.
    CodesExpired,
    /// The store does not take what must be durable.
    StoreFailed(Error),
}

impl End {
    fn restart() -> Self {
        Self::Said { verdict: Verdict::Restart, at_login: false }
    }
}

impl From<Error> for End {
    /// Errors inside a session that end it come from the store.
    fn from(error: Error) -> Self {
        Self::StoreFailed(error)
    }
}

/// What the supervisor remembers from one session to the next.
#[derive(Debug, Default)]
pub(super) struct Memory {
    generation: u64,
    /// A resumption failed in this process: shake hands in full until a login.
    resume_failed: bool,
    /// Attempts in a row that did not lead to a channel.
    failures: u32,
    /// The version that was last presented.
    pub(super) version: Version,
    /// When the present or last session logged in.
    pub(super) logged_in_at: Option<Instant>,
    /// The service refused the keys once since the last login.
    pub(super) denied: bool,
}

/// Runs one session.
pub(super) async fn run(client: &Arc<Inner>, memory: &mut Memory, wish: Wish) -> End {
    memory.logged_in_at = None;
    client.set_status(ConnectionState::Connecting, client.status().failure, wish);
    let account = match link::prepare_account(client).await {
        Ok(account) => account,
        Err(error) => return End::StoreFailed(error),
    };
    let mut goal = client.watch_goal();
    let opened = tokio::select! {
        biased;
        () = interrupted(&mut goal, wish.epoch) => return End::Interrupted,
        opened = client.engine.slots.run(memory.failures, open(client, memory, &account)) => opened,
    };
    let channel = match opened {
        Ok(channel) => channel,
        Err(end) => {
            memory.failures = memory.failures.saturating_add(1);
            return end;
        }
    };
    memory.failures = 0;
    memory.generation += 1;
    let certified = channel.certified.filter(|_| account.phone.is_some());
    let keep_alive = Keepalive::new(Arc::clone(client), client.engine.keep_alive);
    let live = connection::start(channel, memory.generation, keep_alive);
    let connection = Arc::clone(&live.connection);
    let mut session = Session {
        client: Arc::clone(client),
        connection: Arc::clone(&connection),
        memory,
        wish,
        certified,
        phase: Phase::FirstWord,
        deadline: Some(Instant::now() + FIRST_WORD),
        inbound: Some(live.inbound),
    };
    let end = {
        let pump = live.pump;
        let drive = session.drive(live.control, &mut goal);
        tokio::pin!(pump, drive);
        tokio::select! {
            biased;
            end = &mut drive => {
                connection.close();
                // What is queued should leave; what does not is sent again another time.
                let _ = tokio::time::timeout(FLUSH, &mut pump).await;
                end
            }
            lost = &mut pump => {
                tracing::debug!(%lost, "The connection ended.");
                // The service's last words may still wait.
                match tokio::time::timeout(FLUSH, &mut drive).await {
                    Ok(End::Lost { .. }) | Err(_) => {
                        let error = Error::new(Code::ConnectFailed, "the connection was lost");
                        End::Lost { reason: lost.reason(), error: error.because(lost) }
                    }
                    Ok(end) => end,
                }
            }
        }
    };
    let paired = matches!(session.phase, Phase::Paired);
    client.set_connection(None);
    link::end_codes(client, paired);
    // A link that was proved is used at once, however the connection ended.
    match end {
        End::Lost { .. } if paired => End::restart(),
        end => end,
    }
}

/// Ends when the host wants no connection, or wanted none for a moment.
pub(super) async fn interrupted(goal: &mut watch::Receiver<Goal>, epoch: u64) {
    // The sender lives as long as the client.
    let _ = goal.wait_for(|goal| !matches!(goal, Goal::Connected(wish) if wish.epoch == epoch)).await;
}

async fn open(
    client: &Arc<Inner>,
    memory: &mut Memory,
    account: &Account,
) -> Result<connection::Channel, End> {
    let version = client.engine.versions.current().version;
    memory.version = version;
    let payload = match payload::login(account, version) {
        Some(payload) => payload,
        None => {
            let signed = client.store.signed_pre_key(account.signed_pre_key_id).map_err(Error::from)?;
            let signed =
                signed.ok_or_else(|| Error::new(Code::StoreCorrupt, "the signed prekey is missing"))?;
            payload::registration(account, &signed, version, &client.options)
        }
    };
    let now = u64::try_from(clock::now_ms() / 1000).unwrap_or(0);
    let resume = account
        .server_key
        .filter(|_| account.phone.is_some() && !memory.resume_failed)
        .filter(|(_, not_before, not_after)| (*not_before..=*not_after).contains(&now.cast_signed()));
    let identify = Identify {
        noise: account.keys.noise.clone(),
        payload,
        ephemeral: KeyPair::generate(&mut *client.rng()),
        trust: Trust::new(client.engine.noise_root, now),
        resume,
        routing_info: account.routing_info.clone(),
    };
    let route = client.engine.route(&client.options);
    let error = match connection::connect(&client.engine.target, &route, identify).await {
        Ok(channel) => return Ok(channel),
        Err(error) => error,
    };
    if resume.is_some() && matches!(error, HandshakeError::Noise(_)) {
        memory.resume_failed = true;
        client.commit_account(Changes::default(), |account| account.server_key = None).await?;
    }
    if account.routing_info.is_some() && !matches!(error, HandshakeError::Socket(_)) {
        tracing::info!("The way that the service had named does not lead there; taking the usual one.");
        client.commit_account(Changes::default(), |account| account.routing_info = None).await?;
        return Err(End::restart());
    }
    Err(refused(error))
}

fn refused(error: HandshakeError) -> End {
    let (reason, code, message) = match &error {
        HandshakeError::Socket(SocketError::Untrusted(_)) => {
            ("untrusted_server", Code::UntrustedServer, "the server's TLS certificate is not trusted")
        }
        HandshakeError::Noise(whimbrel_noise::HandshakeError::Certificate(_)) => {
            ("untrusted_server", Code::UntrustedServer, "the server did not prove that it is the service")
        }
        HandshakeError::Socket(SocketError::Proxy(ProxyError::Credentials)) => {
            ("proxy_credentials", Code::ProxyFailed, "the proxy did not accept the credentials")
        }
        HandshakeError::Socket(SocketError::Proxy(ProxyError::Unreachable(_))) => {
            ("proxy_unreachable", Code::ProxyFailed, "the proxy could not be reached")
        }
        HandshakeError::Socket(SocketError::Proxy(_)) => {
            ("proxy_refused", Code::ProxyFailed, "the proxy did not connect to the service")
        }
        HandshakeError::Socket(SocketError::Unreachable(_)) => {
            ("unreachable", Code::ConnectFailed, "the service could not be reached")
        }
        HandshakeError::Socket(SocketError::Upgrade(_)) => {
            ("upgrade_refused", Code::ConnectFailed, "the server refused the WebSocket")
        }
        HandshakeError::TimedOut => ("timed_out", Code::ConnectFailed, "the server did not answer in time"),
        HandshakeError::Lost(_) | HandshakeError::Noise(_) => {
            ("handshake_failed", Code::ConnectFailed, "the handshake with the server failed")
        }
    };
    tracing::debug!(%error, "No connection was made.");
    End::Lost { reason, error: Error::new(code, message).because(error) }
}

/// Where a session is.
enum Phase {
    /// Nothing was heard of the service yet.
    FirstWord,
    /// Without a link: codes are being shown.
    Linking(Linking),
    /// The link was proved; the service restarts the stream.
    Paired,
    /// Logged in; what waited is arriving.
    CatchingUp(Offline),
    /// Logged in and up to date.
    Online,
}

struct Session<'a> {
    client: Arc<Inner>,
    connection: Arc<Connection>,
    memory: &'a mut Memory,
    wish: Wish,
    /// To be remembered with the login.
    certified: Option<connection::ServerKey>,
    phase: Phase,
    /// When [`Session::on_deadline`] is due.
    deadline: Option<Instant>,
    /// Until the lane takes it.
    inbound: Option<Inbound>,
}

impl Session<'_> {
    /// Acts on what the service says until the session is over. The traffic goes on meanwhile,
    /// so this may wait for the store and for the writer, but not for answers.
    async fn drive(&mut self, mut control: mpsc::Receiver<Node>, goal: &mut watch::Receiver<Goal>) -> End {
        let client = Arc::clone(&self.client);
        let mut responsive = self.connection.watch_responsive();
        loop {
            let deadline = self.deadline;
            let step = tokio::select! {
                biased;
                () = interrupted(goal, self.wish.epoch) => Err(End::Interrupted),
                node = control.recv() => match node {
                    Some(node) => self.on_stanza(node).await,
                    None => Err(self.closed()),
                },
                () = at(deadline) => self.on_deadline().await,
                () = client.link.hurried(), if matches!(self.phase, Phase::Linking(_)) => self.on_deadline().await,
                () = self.connection.backlog.over(), if self.has_arrived() => {
                    self.go_online();
                    Ok(())
                }
                () = client.commit.failed() => Err(End::StoreFailed(store_failed())),
                // The sender is a part of the connection.
                Ok(()) = responsive.changed() => {
                    self.on_responsive(*responsive.borrow_and_update());
                    Ok(())
                }
                () = self.connection.offline_stanza(), if matches!(self.phase, Phase::CatchingUp(_)) => {
                    self.on_offline_stanza();
                    Ok(())
                }
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    /// The service stopped answering, or answers again: never online while it does not.
    fn on_responsive(&self, responsive: bool) {
        let state = match (&self.phase, responsive) {
            (Phase::CatchingUp(_) | Phase::Online, false) => ConnectionState::Unresponsive,
            (Phase::CatchingUp(_), true) => ConnectionState::CatchingUp,
            (Phase::Online, true) => ConnectionState::Online,
            _ => return,
        };
        self.client.set_status(state, None, self.wish);
    }

    fn closed(&self) -> End {
        End::Lost { reason: "closed", error: Error::new(Code::ConnectFailed, "the connection was closed") }
    }

    async fn on_stanza(&mut self, node: Node) -> Result<(), End> {
        match node.tag() {
            "success" => self.on_success(&node).await,
            "failure" => {
                let at_login = matches!(self.phase, Phase::FirstWord);
                Err(End::Said { verdict: stream::failure(&node), at_login })
            }
            "stream:error" => self.on_stream_error(&node).await,
            "xmlstreamend" => Err(self.closed()),
            "ib" => {
                for bulletin in stream::bulletins(&node) {
                    self.on_bulletin(bulletin).await?;
                }
                Ok(())
            }
            "iq" => self.on_request(&node).await,
            "notification" => self.on_notification(node).await,
            _ => Ok(()),
        }
    }

    async fn on_stream_error(&mut self, node: &Node) -> Result<(), End> {
        if let Some((class, id)) = stream::missing_ack(node) {
            tracing::warn!(class, "The service recycles the stream for want of an ack.");
            let ack =
                Node::new("ack").attr("class", class).attr("id", id).attr("to", whimbrel_wire::Jid::SERVER);
            self.reply(Some(ack)).await;
        }
        let verdict = stream::stream_error(node);
        if let Verdict::Retry { reason: "bad_stanza", .. } = verdict {
            tracing::error!("The service could not read a stanza of this client.");
        }
        Err(End::Said { verdict, at_login: false })
    }

    async fn on_bulletin(&mut self, bulletin: Bulletin) -> Result<(), End> {
        match bulletin {
            Bulletin::OfflinePreview { count } => self.on_offline_preview(count).await,
            Bulletin::Offline => self.on_offline_end(),
            Bulletin::EdgeRouting(info) => {
                self.client
                    .commit_account(Changes::default(), |account| account.routing_info = Some(info))
                    .await?;
            }
            Bulletin::Dirty { kind, timestamp } => self.on_dirty(kind, timestamp),
            Bulletin::Downgrade if matches!(self.phase, Phase::FirstWord | Phase::Linking(_)) => {
                return Err(End::LinkFailed("phone_too_old"));
            }
            Bulletin::Expiration(time) => self.on_expiration(time).await?,
            Bulletin::Downgrade | Bulletin::Other => {}
        }
        Ok(())
    }

    /// When the version of this connection stops being accepted. The service repeats itself;
    /// the host is told of news only: an earlier date, one for another version, the end of one.
    async fn on_expiration(&mut self, time: Option<i64>) -> Result<(), End> {
        let version = self.memory.version;
        let Some(account) = self.client.account() else { return Ok(()) };
        let known = account.version_expires.filter(|(_, of)| *of == version).map(|(at, _)| at);
        let news = match (time, known) {
            (Some(time), Some(known)) => time < known,
            (time, known) => time != known,
        };
        if !news {
            return Ok(());
        }
        let event = VersionExpires { at: time, version: version::dotted(version) };
        let event = self.client.event(EventKind::VersionExpires(event));
        let changes = Changes { events: vec![event], ..Changes::default() };
        let expires = time.map(|time| (time, version));
        self.client.commit_account(changes, |account| account.version_expires = expires).await?;
        if time.is_some() {
            self.client.spawn(super::versions::look_ahead(Arc::clone(&self.client), version));
        }
        Ok(())
    }

    async fn on_request(&mut self, node: &Node) -> Result<(), End> {
        if iq::is_server_ping(node) {
            self.reply(iq::result(node)).await;
        } else if node.child_named("pair-device").is_some() {
            self.on_pair_device(node).await?;
        } else if node.child_named("pair-success").is_some() {
            self.on_pair_success(node).await?;
        } else {
            tracing::debug!("The service made a request that this client does not know.");
        }
        Ok(())
    }

    async fn on_notification(&mut self, node: Node) -> Result<(), End> {
        let kind = node.attr_text("type").unwrap_or_default().into_owned();
        let (client, connection) = (Arc::clone(&self.client), Arc::clone(&self.connection));
        match kind.as_str() {
            "companion_reg_refresh" => {
                // The new secret is durable before the service may ask for it.
                link::renew_secret(&client).await?;
                self.reply(iq::ack(&node, None)).await;
                link::refresh(&client);
            }
            "link_code_companion_reg" => {
                self.reply(iq::ack(&node, None)).await;
                self.client.spawn(link::code::on_notification(client, connection, node));
            }
            _ if link::passkey::is_about(&node) => {
                self.reply(iq::ack(&node, None)).await;
                self.client.spawn(link::passkey::on_notification(client, connection, node));
            }
            _ => {
                self.reply(iq::ack(&node, None)).await;
                self.client.spawn(prekeys::on_notification(client, connection, node));
            }
        }
        Ok(())
    }

    /// Sends an answer; should the connection be over, the service asks again.
    async fn reply(&self, node: Option<Node>) {
        if let Some(node) = node {
            let _ = self.connection.send(node).await;
        }
    }

    async fn on_deadline(&mut self) -> Result<(), End> {
        self.deadline = None;
        match &self.phase {
            Phase::FirstWord => {
                let error = Error::new(Code::ConnectFailed, "the service did not answer the login in time");
                Err(End::Lost { reason: "no_answer", error })
            }
            Phase::Linking(_) => self.next_code(),
            Phase::Paired => Err(End::restart()),
            Phase::CatchingUp(_) => {
                self.on_offline_deadline().await;
                Ok(())
            }
            Phase::Online => Ok(()),
        }
    }
}

pub(super) fn store_failed() -> Error {
    Error::new(Code::StoreFailed, "the store could not be read or written")
}

async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
