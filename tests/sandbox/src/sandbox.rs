//! The handle of a running sandbox.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};

use serde::Serialize;
use tokio::sync::{mpsc, watch};
use whimbrel_wire::{Jid, Node};

use crate::attach::{AttachError, PhoneKeys, PhoneLink};
use crate::clock::Clock;
use crate::connection::Certificates;
use crate::counters::Violation;
use crate::events::EventLog;
use crate::faults::{FaultRule, RandomFaults};
use crate::gate::Handshakes;
use crate::hub::{Hub, Outgoing, told_to_stop};
use crate::listener::{ListenError, Listener};
use crate::media::{HOSTS, MediaFaultRule, MediaListener};
use crate::options::{LidStanding, Options};
use crate::phone::Phones;
use crate::report::Finding;
use crate::service::{AppStateFaultRule, AppStatePace, DeviceState, GroupState, Service, StreamId};

/// Stanzas under way between a phone and the service.
const PHONE_CHANNEL: usize = 1024;

/// A running service. Clones are handles of the same; it stops with the last of them.
#[derive(Debug, Clone)]
pub struct Sandbox {
    running: Arc<Running>,
}

#[derive(Debug)]
struct Running {
    hub: Arc<Hub>,
    address: SocketAddr,
    media: Vec<SocketAddr>,
    certificates: Arc<Certificates>,
    ca_pem: String,
    stop: watch::Sender<bool>,
    phones: Phones,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

/// Why a sandbox could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The listener could not be set up.
    #[error("failed to listen: {0}")]
    Listen(#[from] ListenError),
}

/// The root of the handshake's certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoiseRoot {
    /// Its key, in X25519 form.
    pub public_key: [u8; 32],
    /// Its serial number.
    pub serial: u32,
}

/// What the service holds, for tests and people to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct State {
    /// All devices of all accounts.
    pub devices: Vec<DeviceState>,
    /// All groups.
    pub groups: Vec<GroupState>,
    /// Fault rules that still wait for their occasion.
    pub faults: Vec<FaultRule>,
}

impl Sandbox {
    /// Starts a sandbox on loopback. It lives on the runtime that calls this.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let certificates = Arc::new(Certificates::generate(options.seed, options.clock.now()));
        let hub = Hub::new(options, tokio::runtime::Handle::current());
        let (stop, stopped) = watch::channel(false);
        let listener = Listener::bind(Arc::clone(&hub), Arc::clone(&certificates)).await?;
        let (address, ca_pem) = (listener.address(), listener.ca_pem().to_owned());
        let mut media = Vec::with_capacity(HOSTS);
        for number in 0..HOSTS {
            let host = MediaListener::bind(Arc::clone(&hub), number, listener.tls()).await;
            let host = host.map_err(ListenError::Bind)?;
            media.push(host.address().map_err(ListenError::Bind)?);
            tokio::spawn(host.accept_until(stopped.clone()));
        }
        hub.run(|service| service.set_media_hosts(media.iter().map(SocketAddr::to_string).collect()));
        tokio::spawn(listener.accept_until(stopped));
        let running = Arc::new_cyclic(|running: &Weak<Running>| {
            let running = Weak::clone(running);
            // Phones must not keep the sandbox alive that they belong to.
            let attach = move |keys| match running.upgrade() {
                Some(running) => Sandbox { running }.attach(keys),
                None => Err(AttachError::Stopped),
            };
            let phones = Phones::new(Arc::new(attach), Arc::clone(&hub));
            Running { hub, address, media, certificates, ca_pem, stop, phones }
        });
        Ok(Self { running })
    }

    /// Stops taking connections and closes those that are open, those of the phones too.
    pub fn stop(&self) {
        self.running.stop.send_replace(true);
    }

    /// Address of the plain socket endpoint.
    #[must_use]
    pub fn ws_url(&self) -> String {
        format!("ws://{}/ws/chat", self.running.address)
    }

    /// Address of the TLS socket endpoint, on the same port.
    #[must_use]
    pub fn wss_url(&self) -> String {
        format!("wss://{}/ws/chat", self.running.address)
    }

    /// Certificate of the authority that the TLS endpoint's certificate comes from.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.running.ca_pem
    }

    /// What clients must trust instead of the root of the real service.
    #[must_use]
    pub fn noise_root(&self) -> NoiseRoot {
        NoiseRoot { public_key: self.running.certificates.root_key(), serial: 0 }
    }

    /// What has happened and happens.
    #[must_use]
    pub fn events(&self) -> EventLog {
        self.running.hub.events().clone()
    }

    /// The service's clock.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.running.hub.options().clock.clone()
    }

    pub(crate) fn phone_book(&self) -> &Phones {
        &self.running.phones
    }

    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Service) -> T) -> T {
        self.running.hub.run(work)
    }

    /// Adds a fault rule.
    pub fn add_fault(&self, rule: FaultRule) {
        self.with(|service| service.faults_mut().add(rule));
    }

    /// Lets faults strike by chance, until [`clear_faults`](Self::clear_faults).
    pub fn set_random_faults(&self, faults: RandomFaults) {
        self.with(|service| service.faults_mut().randomize(faults));
    }

    /// Takes back all fault rules.
    pub fn clear_faults(&self) {
        self.with(|service| service.faults_mut().clear());
    }

    /// Ends a device's stream with a stream error. Tells whether the device was connected.
    pub fn stream_error(&self, device: &str, code: Option<u16>, conflict: Option<&str>) -> bool {
        self.with(|service| service.stream_error_to(device, code, conflict))
    }

    /// Sends a device a stanza of the test's making, past its queue: bulletins, pings, nonsense.
    /// Tells whether the device is connected.
    pub fn inject(&self, device: &str, stanza: Node) -> bool {
        self.with(|service| service.inject(device, stanza))
    }

    /// Puts a stanza of the test's making into a device's queue, from which it is delivered until it
    /// is settled. Tells whether the device exists.
    pub fn enqueue(&self, device: &str, stanza: Node) -> bool {
        self.with(|service| service.enqueue(device, stanza))
    }

    /// Cuts a device's connection without a word. Tells whether there was one.
    pub fn disconnect(&self, device: &str) -> bool {
        self.with(|service| service.cut_device(device))
    }

    /// Unlinks a companion as the service does after long absence. Tells whether it existed.
    pub fn unlink(&self, device: &str) -> bool {
        self.with(|service| service.remove_labelled(device))
    }

    /// Makes a companion one that runs at the provider of a business: it is addressed and listed as such, and
    /// has no part in groups. Nobody is told. Tells whether it existed.
    pub fn set_hosted(&self, device: &str) -> bool {
        self.with(|service| service.set_hosted(device))
    }

    /// Lets nobody of an account log in, with this reason (402, 403, 406 …), or everybody again.
    /// Tells whether the account exists.
    pub fn bar(&self, number: &str, reason: Option<u16>) -> bool {
        self.with(|service| service.bar(number, reason))
    }

    /// Loses what goes to and from clients without closing anything, as a dead network does, until
    /// it is told otherwise. Connections that lived through it stay dead. Phones are not
    /// affected.
    pub fn black_hole(&self, open: bool) {
        self.running.hub.hole().set(open);
    }

    /// Takes the service down, as for a restart, or up again: all connections of clients are cut, and
    /// new ones are closed at once. What it holds stays. Phones are not affected.
    pub fn set_down(&self, down: bool) {
        self.running.hub.gate().set_closed(down);
        if down {
            self.with(Service::cut_clients);
        }
    }

    /// How many clients shook hands since this was last asked, and how many at a time.
    #[must_use]
    pub fn take_handshakes(&self) -> Handshakes {
        self.running.hub.gate().take()
    }

    /// Refuses older versions of the web client from now on (failure 405).
    pub fn set_min_version(&self, version: [u32; 3]) {
        self.with(|service| service.set_min_version(version));
    }

    /// Address of the page that names the present version of the web client.
    #[must_use]
    pub fn web_url(&self) -> String {
        format!("http://{}{}", self.running.address, crate::page::PATH)
    }

    /// What that page names; `None`, as at first: there is no page.
    pub fn set_web_revision(&self, revision: Option<u32>) {
        self.running.hub.set_web_revision(revision);
    }

    /// Loses all but so many of a device's one-time pre-keys. Tells whether the device exists.
    pub fn lose_prekeys(&self, device: &str, keep: usize) -> bool {
        self.with(|service| service.lose_prekeys(device, keep))
    }

    /// Damages one of a device's one-time pre-keys. Tells whether there was one.
    pub fn damage_prekey(&self, device: &str) -> bool {
        self.with(|service| service.damage_prekey(device))
    }

    /// Asks the companion that shows a pairing code for this number for another one: by itself,
    /// or (`by_hand`) when its person wants one. Tells whether there is such a code.
    pub fn refresh_code(&self, number: &str, by_hand: bool) -> bool {
        self.with(|service| service.refresh_code(number, by_hand))
    }

    /// Demands a passkey of every companion that is being linked. Tells how many there are.
    pub fn demand_passkey(&self, with_options: bool) -> usize {
        self.with(|service| service.demand_passkey(with_options))
    }

    /// Sends a stanza to every companion that is being linked. Tells how many there are.
    pub fn inject_into_linking(&self, stanza: &Node) -> usize {
        self.with(|service| service.inject_into_linking(stanza))
    }

    /// Addresses of the media hosts, `127.0.0.1:PORT`, the one to be preferred first.
    #[must_use]
    pub fn media_hosts(&self) -> Vec<String> {
        self.running.media.iter().map(SocketAddr::to_string).collect()
    }

    /// Tells clients of other media hosts than its own from now on.
    pub fn set_media_hosts(&self, names: Vec<String>) {
        self.with(|service| service.set_media_hosts(names));
    }

    /// Somebody changes a setting of privacy on the phone, such as `profile` to `none`. The companions are not
    /// told. Tells whether there is such a person.
    pub fn set_privacy(&self, number: &str, name: &str, value: &str) -> bool {
        self.with(|service| service.set_privacy(number, name, value))
    }

    /// Sets a property of the service for all clients that ask from now on, such as 10518 to `0`.
    pub fn set_property(&self, code: u32, value: &str) {
        self.with(|service| service.set_property(code, value));
    }

    /// A person gives another one a token, as of a time in seconds or as of now; the other one is told. Tells
    /// whether there are such people.
    pub fn give_token(&self, from: &str, to: &str, time: Option<u64>) -> bool {
        self.with(|service| service.give_token(from, to, time))
    }

    /// Gives the service the salt with which the devices of an account make tokens for strangers; the phone
    /// shares it with them as app state. Tells whether there is such an account.
    pub fn set_nct_salt(&self, number: &str, salt: &[u8]) -> bool {
        self.with(|service| service.set_nct_salt(number, salt))
    }

    /// A business makes a link to a message for it. The code of the link, if there is such an account.
    #[must_use]
    pub fn make_message_link(&self, number: &str, words: &str) -> Option<String> {
        self.with(|service| service.make_message_link(number, words))
    }

    /// Somebody sets a picture on the phone, or removes it: the own one, or that of a group. The id of the
    /// new one.
    ///
    /// # Errors
    /// [`GroupError`](crate::GroupError) when the service refuses: 401 and 403 for what the person may not do, 404 for unknown
    /// people and groups, 406 for what is no square JPEG of at most 640 pixels.
    pub fn change_picture(
        &self,
        number: &str,
        group: Option<&Jid>,
        picture: Option<Vec<u8>>,
    ) -> Result<Option<String>, crate::GroupError> {
        self.with(|service| service.change_picture_of(number, group, picture)).map_err(Into::into)
    }

    /// Adds a fault of the media hosts.
    pub fn add_media_fault(&self, rule: MediaFaultRule) {
        self.running.hub.media().add_fault(rule);
    }

    /// Takes back all faults of the media hosts.
    pub fn clear_media_faults(&self) {
        self.running.hub.media().clear_faults();
    }

    /// Takes a media host down, or up again. Tells whether there is one of this number.
    pub fn set_media_host_down(&self, host: usize, down: bool) -> bool {
        self.running.hub.media().set_down(host, down)
    }

    /// Lets all files that were uploaded so far be gone, with this status (404, 410, 403). Phones can
    /// upload them again.
    pub fn expire_media(&self, status: u16) {
        self.running.hub.media().forget_paths(status);
    }

    /// Longest file that may be uploaded.
    pub fn set_media_limit(&self, bytes: u64) {
        self.running.hub.media().set_limit(bytes);
    }

    /// How long lists of media hosts, and the tokens with them, are valid from now on, in seconds; the
    /// usual times if absent.
    pub fn set_media_life(&self, ttl: Option<u64>, auth_ttl: Option<u64>) {
        self.with(|service| service.set_media_life(ttl, auth_ttl));
    }

    /// Takes back all tokens for the media hosts, though they are not over.
    pub fn revoke_media_tokens(&self) {
        self.with(Service::revoke_media_tokens);
    }

    /// An uploaded file, by its hash.
    #[must_use]
    pub fn media_file(&self, hash: &[u8; 32]) -> Option<Vec<u8>> {
        self.running.hub.media().content(hash)
    }

    /// Makes something go wrong with app state.
    pub fn add_app_state_fault(&self, rule: AppStateFaultRule) {
        self.with(|service| service.app_state_faults_mut().add(rule));
    }

    /// Takes the faults of app state back that have not happened yet.
    pub fn clear_app_state_faults(&self) {
        self.with(|service| service.app_state_faults_mut().clear());
    }

    /// How app state is served from now on.
    pub fn set_app_state_pace(&self, pace: AppStatePace) {
        self.with(|service| service.app_state_faults_mut().set_pace(pace));
    }

    /// Versions of an account's collections, by their names; empty if there is no such account.
    #[must_use]
    pub fn app_state_versions(&self, number: &str) -> BTreeMap<&'static str, u64> {
        self.with(|service| service.app_state_versions(number))
    }

    /// Forgets an account's app state, as when its phone is set up anew. Tells whether there is the account.
    pub fn drop_app_state(&self, number: &str) -> bool {
        self.with(|service| service.drop_app_state(number))
    }

    /// Message keys that somebody used twice.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        self.with(|service| service.counters().violations().to_vec())
    }

    /// What clients did that no real client does.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        self.with(|service| service.report().findings().to_vec())
    }

    /// What the service holds.
    #[must_use]
    pub fn state(&self) -> State {
        self.with(|service| State {
            devices: service.device_states(),
            groups: service.group_states(),
            faults: service.faults_mut().pending().to_vec(),
        })
    }

    pub(crate) fn set_standing(&self, number: &str, standing: LidStanding) -> bool {
        self.with(|service| service.set_standing(number, standing))
    }

    pub(crate) fn give_other_lid(&self, number: &str) -> Option<Jid> {
        self.with(|service| service.renew_lid(number))
    }

    pub(crate) fn give_other_number(&self, from: &str, to: &str) -> Option<Jid> {
        self.with(|service| service.change_number(from, to))
    }

    /// Sets a phone's number up anew with other keys, as after a reinstallation: its companions are
    /// unlinked, everybody who knows the person hears of the new identity. A new number is simply
    /// taken.
    pub fn attach_anew(&self, keys: PhoneKeys) -> Result<PhoneLink, AttachError> {
        self.with(|service| service.forget_identity(&keys));
        self.attach(keys)
    }

    /// Brings a phone online, with a new account if the number is new.
    pub fn attach(&self, keys: PhoneKeys) -> Result<PhoneLink, AttachError> {
        attach(&self.running.hub, &self.running.stop.subscribe(), keys)
    }
}

fn attach(hub: &Arc<Hub>, stop: &watch::Receiver<bool>, keys: PhoneKeys) -> Result<PhoneLink, AttachError> {
    if *stop.borrow() {
        return Err(AttachError::Stopped);
    }
    let (stream, outgoing) = hub.open();
    let (pn, lid, standing) = match hub.run(|service| service.attach(stream, keys)) {
        Ok(addresses) => addresses,
        Err(error) => {
            hub.closed(stream);
            return Err(error);
        }
    };
    let (send, from_phone) = mpsc::channel(PHONE_CHANNEL);
    let (to_phone, recv) = mpsc::channel(PHONE_CHANNEL);
    let carrier = Carrier { hub: Arc::clone(hub), stream, stop: stop.clone() };
    hub.runtime().spawn(carrier.run(from_phone, outgoing, to_phone));
    Ok(PhoneLink { pn, lid, standing, send, recv })
}

/// Carries stanzas between a phone and the service.
struct Carrier {
    hub: Arc<Hub>,
    stream: StreamId,
    stop: watch::Receiver<bool>,
}

impl Carrier {
    async fn run(
        mut self,
        mut from_phone: mpsc::Receiver<Node>,
        mut outgoing: mpsc::Receiver<Outgoing>,
        to_phone: mpsc::Sender<Node>,
    ) {
        // Both ways at once: if one waited for the other, a long queue would jam them.
        let to_phone = async {
            while let Some(Outgoing::Node(node)) = outgoing.recv().await {
                if to_phone.send(node).await.is_err() {
                    break;
                }
            }
        };
        let from_phone = async {
            while let Some(node) = from_phone.recv().await {
                let stream = self.stream;
                self.hub.run(|service| service.incoming(stream, &node));
            }
        };
        tokio::select! {
            () = told_to_stop(&mut self.stop) => {}
            () = to_phone => {}
            () = from_phone => {}
        }
        self.hub.closed(self.stream);
    }
}
