//! `--sandbox`: the service's side and its simulated phones in this process, so that everything can be tried
//! without a phone and without the network.

use std::path::{Path, PathBuf};

use whimbrel_sandbox::control::{self, Control, ControlOptions};
use whimbrel_sandbox::{Options, Sandbox};

use crate::config::Settings;

/// The sandbox beside a server.
pub struct Beside {
    sandbox: Sandbox,
    control: Control,
    folder: Option<PathBuf>,
}

/// Starts a sandbox if the settings ask for one, and points them at it.
///
/// # Errors
/// When the sandbox cannot be started or its folder not be made.
pub async fn beside(settings: Settings) -> Result<(Settings, Option<Beside>), Box<dyn std::error::Error>> {
    if !settings.sandbox {
        return Ok((settings, None));
    }
    let folder = std::env::temp_dir().join(format!("whimbrel-rest-sandbox-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let mut beside = start(Options::default()).await?;
    let settings = beside.settings(settings, &folder);
    beside.folder = Some(folder);
    Ok((settings, Some(beside)))
}

/// Starts a sandbox with a control API.
///
/// # Errors
/// When it cannot be started.
pub async fn start(options: Options) -> Result<Beside, Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start(options).await?;
    let control = control::serve(sandbox.clone(), ControlOptions { port: 0, echo: true }).await?;
    Ok(Beside { sandbox, control, folder: None })
}

impl Beside {
    /// Settings that use this sandbox and a folder of their own.
    #[must_use]
    pub fn settings(&self, mut settings: Settings, folder: &Path) -> Settings {
        let root = self.sandbox.noise_root();
        let mut endpoint = whimbrel::Endpoint::default();
        endpoint.url = self.sandbox.ws_url();
        endpoint.noise_root = Some((root.public_key, root.serial));
        endpoint.extra_ca_pem = Some(self.sandbox.ca_pem().to_owned());
        settings.endpoint = Some(endpoint);
        settings.data = folder.to_owned();
        // Receivers of webhooks on the same machine are what one tries first.
        settings.allow_hosts.extend(["localhost".to_owned(), "127.0.0.1".to_owned()]);
        settings
    }

    /// The sandbox.
    #[must_use]
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Where its control API is.
    #[must_use]
    pub fn control_url(&self) -> String {
        format!("http://{}", self.control.address())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.sandbox.stop();
        if let Some(folder) = &self.folder {
            // What is left of it is in the system's temporary folder.
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

impl std::fmt::Debug for Beside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Beside").field("control", &self.control_url()).finish_non_exhaustive()
    }
}
