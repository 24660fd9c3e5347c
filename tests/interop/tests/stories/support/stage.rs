use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::{Semaphore, SemaphorePermit};
use whimbrel::ImportSource;
use whimbrel_interop::{Event as PeerEvent, Pair, Peer, Program, Start};
use whimbrel_sandbox::phone::{Phone, SwitchChange};
use whimbrel_sandbox::{AppStatePace, Event as ServiceEvent, LidStanding, Options, Sandbox};

use super::{DEADLINE, Device, Whimbrel};

/// Stories that are told at the same time: each runs one or two programs that take a core when they start.
static STAGES: Semaphore = Semaphore::const_new(2);

/// A sandbox of its own for one story, and a folder that ends with it.
pub(crate) struct Stage {
    pub(crate) sandbox: Sandbox,
    folder: PathBuf,
    stores: AtomicU32,
    _turn: SemaphorePermit<'static>,
}

impl Stage {
    pub(crate) async fn new(story: &str) -> Self {
        let turn = STAGES.acquire().await.unwrap();
        let folder =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{story}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let sandbox = Sandbox::start(Options::default()).await.unwrap();
        // Snapshots are files, and only stories by TLS can fetch files.
        sandbox.set_app_state_pace(AppStatePace { snapshots: false, ..AppStatePace::default() });
        Self { sandbox, folder, stores: AtomicU32::new(0), _turn: turn }
    }

    /// A path for a store that does not exist yet.
    pub(crate) fn new_store(&self) -> PathBuf {
        self.folder.join(format!("store-{}", self.stores.fetch_add(1, Ordering::Relaxed)))
    }

    /// How a peer with this store reaches the sandbox.
    pub(crate) fn start(&self, store: impl Into<PathBuf>) -> Start {
        Start::new(self.sandbox.ws_url(), self.sandbox.noise_root().public_key, store)
    }

    /// A program that trusts the sandbox's certificate, and how it reaches the sandbox by TLS.
    pub(crate) async fn peer_by_tls(&self, program: Program, store: impl Into<PathBuf>) -> (Peer, Start) {
        let ca = self.folder.join("ca.pem");
        std::fs::write(&ca, self.sandbox.ca_pem()).unwrap();
        let peer = Peer::spawn_trusting(program, &ca).await.unwrap();
        (peer, Start::new(self.sandbox.wss_url(), self.sandbox.noise_root().public_key, store))
    }

    /// A person with a phone that takes what comes but reports nothing: the receipts of a story are those of devices.
    pub(crate) async fn person(&self, number: &str, name: &str) -> Phone {
        let phone = self.sandbox.create_phone(Some(number), Some(name)).await.unwrap();
        phone.set_switches(SwitchChange { silent: Some(true), ..SwitchChange::default() });
        phone
    }

    /// As [`Stage::person`], with an account that stands with LIDs as told.
    pub(crate) async fn person_standing(&self, number: &str, name: &str, lid: LidStanding) -> Phone {
        let phone = self.sandbox.create_phone_standing(Some(number), Some(name), lid).await.unwrap();
        phone.set_switches(SwitchChange { silent: Some(true), ..SwitchChange::default() });
        phone
    }

    /// Moves a device's account to LIDs, and waits until the device has been told.
    pub(crate) async fn migrate(&self, device: &Device) {
        let (before, label) = (self.sandbox.events().newest(), device.label());
        self.sandbox.migrate(device.phone().number()).await.unwrap();
        let told = |event: &ServiceEvent| matches!(event, ServiceEvent::Receipt { device, kind, .. } if *device == label && kind == "peer_msg");
        self.sandbox.events().wait_for_after(before, told, DEADLINE).await.unwrap();
    }

    /// A peer, linked to the phone by QR code, logged in, and told by the phone all that a new device is told.
    pub(crate) async fn peer(&self, program: Program, phone: &Phone) -> Device {
        self.peer_at(&self.new_store(), program, phone).await
    }

    /// The same, with its files in this folder.
    pub(crate) async fn peer_at(&self, store: &Path, program: Program, phone: &Phone) -> Device {
        let peer = Peer::spawn(program).await.unwrap();
        peer.start(&self.start(store).pair(Pair::Qr)).await.unwrap();
        let address = phone.scan(&peer.qr().await.unwrap()).await.unwrap();
        peer.linked().await.unwrap();
        peer.connected().await.unwrap();
        peer.caught_up().await.unwrap();
        if program == Program::Baileys {
            // The restart after linking; whatsmeow does not report it.
            assert_eq!(peer.disconnected().await.unwrap().code, Some(515));
        }
        // It comes last. Both peers use message keys twice when they send while they receive.
        let recent = |event: &PeerEvent| matches!(event, PeerEvent::History { sync_type: Some(3), .. });
        peer.wait_to_see("the last piece of history", recent).await.unwrap();
        Device::peer(&self.sandbox, program, peer, phone, address.device())
    }

    /// A client of ours, linked to the phone by QR code, logged in and caught up.
    pub(crate) async fn whimbrel(&self, phone: &Phone) -> Device {
        let client = Whimbrel::open(&self.sandbox, &self.new_store()).await;
        let address = phone.scan(&client.link_with_qr().await).await.unwrap();
        client.linked().await;
        client.connect().await;
        Device::whimbrel(&self.sandbox, client, phone, address.device())
    }

    /// A client of ours that goes on with somebody else's link, logged in and caught up.
    pub(crate) async fn imported(&self, source: ImportSource, phone: &Phone, device: u16) -> Device {
        let store = self.new_store();
        let report = Whimbrel::engine(&self.sandbox).import_async(source, &store).await.unwrap();
        assert_eq!((report.device, report.warnings), (device, Vec::new()), "{:?}", report.left_out);
        let client = Whimbrel::open(&self.sandbox, &store).await;
        client.connect().await;
        Device::whimbrel(&self.sandbox, client, phone, device)
    }

    /// The most retry receipts that there were for a message of one device, from one reader, and how many there were
    /// in all.
    pub(crate) fn retries(&self) -> (usize, usize) {
        let mut asked: BTreeMap<(String, String), usize> = BTreeMap::new();
        for (_, event) in self.sandbox.events().after(0) {
            if let ServiceEvent::Receipt { device, ids, kind } = event
                && kind == "retry"
            {
                for id in ids {
                    *asked.entry((device.clone(), id)).or_default() += 1;
                }
            }
        }
        (asked.values().copied().max().unwrap_or_default(), asked.values().sum())
    }

    /// Ids of the keys that a device has written to groups with, one for each message.
    pub(crate) fn group_keys(&self, device: &Device) -> Vec<u32> {
        let label = device.label();
        let events = self.sandbox.events().after(0).into_iter();
        let keys = events.filter_map(|(_, event)| match event {
            ServiceEvent::SenderKeyUsed { device, key_id, .. } if device == label => Some(key_id),
            _ => None,
        });
        keys.collect()
    }

    /// The phone shows exactly these texts: those of its own account and those of others, each in order.
    pub(crate) async fn phone_shows(&self, phone: &Phone, own: &[String], others: &[String]) {
        for id in own.iter().chain(others) {
            let found = phone.wait_message(|message| message.id == *id, DEADLINE).await;
            found.unwrap_or_else(|error| panic!("{} does not show {id}: {error}", phone.name()));
        }
        let all = phone.messages_after(0, DEADLINE).await.into_iter();
        let ids = all.map(|(_, message)| (message.from_me, message.id));
        let (mine, theirs): (Vec<_>, Vec<_>) = ids.partition(|(from_me, _)| *from_me);
        assert!(mine.iter().map(|(_, id)| id).eq(own), "{} shows other own texts: {mine:?}", phone.name());
        assert!(theirs.iter().map(|(_, id)| id).eq(others), "{} shows other texts: {theirs:?}", phone.name());
    }

    /// Waits until every device that is connected has all that was sent to it, notifications too.
    pub(crate) async fn is_quiet(&self) {
        loop {
            let before = self.sandbox.events().newest();
            let mut devices = self.sandbox.state().devices.into_iter();
            if devices.all(|device| !device.connected || device.queued == 0) {
                return;
            }
            let news = self.sandbox.events().wait_after(before, DEADLINE).await;
            assert!(
                !news.is_empty(),
                "a device does not take what is sent to it: {:?}",
                self.sandbox.state()
            );
        }
    }

    /// The end of every story: nobody used a message key twice, and nobody did what no real client does.
    pub(crate) fn finish(self) {
        assert_eq!(self.sandbox.violations(), [], "message keys were used twice");
        assert_eq!(self.sandbox.findings(), [], "the service has complaints");
        assert_eq!(self.sandbox.state().faults, [], "faults that never struck");
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
