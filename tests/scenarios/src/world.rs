//! A sandbox of one scenario, with the engines and clients that use it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use whimbrel::{CallOptions, Client, ClientOptions, Engine, EngineOptions};
use whimbrel_sandbox::phone::Phone;
use whimbrel_sandbox::{Event, Options, Sandbox};

use crate::{DEADLINE, Wait as _};

/// Seed of the sandbox, unless `WHIMBREL_SEED` gives another.
const SEED: u64 = 20_261_121;

/// A sandbox, and a folder for stores that goes with it.
pub struct World {
    /// The service.
    pub sandbox: Sandbox,
    folder: PathBuf,
}

impl World {
    /// Starts a sandbox with default options.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts a sandbox with other options.
    pub async fn start_with(edit: impl FnOnce(&mut Options)) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let seed = std::env::var("WHIMBREL_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(SEED);
        println!("WHIMBREL_SEED={seed}");
        let mut options = Options { seed, strict: true, ..Options::default() };
        edit(&mut options);
        let sandbox = Sandbox::start(options).await.unwrap();
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("whimbrel-{}-{count}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self { sandbox, folder }
    }

    /// Options of an engine that trusts the sandbox.
    pub fn engine_options(&self) -> EngineOptions {
        let root = self.sandbox.noise_root();
        let mut options = EngineOptions::default();
        options.endpoint.url = self.sandbox.ws_url();
        options.endpoint.noise_root = Some((root.public_key, root.serial));
        // The media hosts speak TLS only.
        options.endpoint.extra_ca_pem = Some(self.sandbox.ca_pem().to_owned());
        options
    }

    /// An engine that trusts the sandbox.
    pub fn engine(&self) -> Engine {
        Engine::new(self.engine_options()).unwrap()
    }

    /// Where the store of a client is.
    pub fn store(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Links a client to a phone by QR code and waits until it is online.
    pub async fn link(&self, client: &Client, number: &str) -> Phone {
        let phone = self.sandbox.phone(number).await.unwrap();
        let code = client.link_with_qr(CallOptions::default()).await.unwrap();
        phone.scan(&code.text).await.unwrap();
        client.wait_online().await;
        phone
    }

    /// A client of its own that is linked and online.
    pub async fn linked(&self, engine: &Engine, number: &str) -> (Client, Phone) {
        let client = engine.open(self.store(number), quiet()).unwrap();
        let phone = self.link(&client, number).await;
        (client, phone)
    }

    /// Waits for something in the sandbox.
    pub async fn wait(&self, predicate: impl FnMut(&Event) -> bool) -> Event {
        self.sandbox.events().wait_for(predicate, DEADLINE).await.unwrap()
    }

    /// How many such events there were.
    pub fn count(&self, wanted: impl Fn(&Event) -> bool) -> usize {
        self.sandbox.events().after(0).iter().filter(|(_, event)| wanted(event)).count()
    }

    /// Fails if a client did what no real client does.
    pub fn assert_no_findings(&self) {
        let findings = self.sandbox.findings();
        assert!(findings.is_empty(), "the service found fault with: {findings:?}");
        let violations = self.sandbox.violations();
        assert!(violations.is_empty(), "message keys were used twice: {violations:?}");
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.sandbox.stop();
        // A folder that is left behind in the temporary folder harms nobody.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Options of a client that waits for the host to connect or link it.
pub fn quiet() -> ClientOptions {
    let mut options = ClientOptions::default();
    options.auto_start = false;
    options.request_timeout = DEADLINE;
    options
}
