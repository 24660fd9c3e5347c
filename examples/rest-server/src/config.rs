//! Settings: from flags, the environment and a TOML file, in this order of strength.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::Parser;
use serde::Deserialize;

/// What the command line, the environment and the file may say. What nobody says has a default that is
/// sensible for one machine.
#[derive(Clone, Debug, Default, Parser, Deserialize)]
#[command(name = "whimbrel-rest", version, about = "A REST server on the whimbrel engine")]
#[serde(default, deny_unknown_fields, rename_all = "snake_case")]
pub struct Flags {
    /// A TOML file with these settings, named as the flags are, with `_` for `-`.
    #[arg(long, env = "WHIMBREL_CONFIG")]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// Address to listen at; default 127.0.0.1:8085. Put a TLS proxy before it when it is to be reached
    /// from elsewhere.
    #[arg(long, env = "WHIMBREL_LISTEN")]
    pub listen: Option<SocketAddr>,
    /// The address under which clients reach the server, for links in answers and webhooks.
    #[arg(long, env = "SERVER_URL")]
    pub server_url: Option<String>,
    /// Folder with everything that is kept; default `whimbrel-data`.
    #[arg(long, env = "WHIMBREL_DATA")]
    pub data: Option<PathBuf>,
    /// The key that may do everything, at least 16 characters. Without one it is made at the first start,
    /// and printed then.
    #[arg(long, env = "AUTHENTICATION_API_KEY", hide_env_values = true)]
    pub root_key: Option<String>,
    /// 32 octets in hexadecimal under which the keys of accounts are sealed; kept in the data folder
    /// if absent.
    #[arg(long, env = "WHIMBREL_SEAL_KEY", hide_env_values = true)]
    pub seal_key: Option<String>,
    /// Everything offline, with simulated phones, in a folder of its own that is removed at the end.
    #[arg(long)]
    pub sandbox: bool,
    /// WebSocket address of the service; default the real one. For a sandbox that runs by itself.
    #[arg(long, env = "WHIMBREL_SERVICE_URL")]
    pub service_url: Option<String>,
    /// The service's root key in hexadecimal and its serial number, joined by a colon.
    #[arg(long, env = "WHIMBREL_SERVICE_ROOT")]
    pub service_root: Option<String>,
    /// A file with a further certificate authority of the service, in PEM form.
    #[arg(long, env = "WHIMBREL_SERVICE_CA")]
    pub service_ca: Option<PathBuf>,
    /// The dialects that are offered, joined by commas; default all.
    #[arg(long, env = "WHIMBREL_DIALECTS", value_delimiter = ',')]
    pub dialects: Option<Vec<String>>,
    /// Hosts that files may be fetched from and webhooks sent to although their addresses are private,
    /// joined by commas; `*` allows all.
    #[arg(long, env = "WHIMBREL_ALLOW_HOSTS", value_delimiter = ',')]
    pub allow_hosts: Option<Vec<String>>,
    /// Requests per minute and key; default 600.
    #[arg(long, env = "WHIMBREL_REQUESTS_PER_MINUTE")]
    pub requests_per_minute: Option<u32>,
    /// Largest JSON body in MiB; default 16.
    #[arg(long, env = "WHIMBREL_MAX_BODY_MIB")]
    pub max_body_mib: Option<u64>,
    /// Largest media file in MiB; default 100.
    #[arg(long, env = "WHIMBREL_MAX_MEDIA_MIB")]
    pub max_media_mib: Option<u64>,
    /// Addresses of proxies before the server whose `X-Forwarded-For` is believed, joined by commas.
    #[arg(long, env = "WHIMBREL_TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Option<Vec<IpAddr>>,
    /// The profile of new instances of the Evolution dialect: nm (default), v2, v1 or flow.
    #[arg(long, env = "WHIMBREL_EVOLUTION_PROFILE")]
    pub evolution_profile: Option<String>,
    /// Whether anybody may sign up (`open`) or only the administrator makes users (`closed`, default).
    #[arg(long, env = "WHIMBREL_REGISTRATION")]
    pub registration: Option<String>,
    /// How events stay in the log, in hours; default 24. What webhooks still wait for stays longer.
    #[arg(long, env = "WHIMBREL_EVENT_HOURS")]
    pub event_hours: Option<u32>,
    /// `json` or `text` log lines; default json.
    #[arg(long, env = "WHIMBREL_LOG_FORMAT")]
    pub log_format: Option<String>,
    /// Commits may be lost with the power (never with the process): faster, for tests.
    #[arg(long, env = "WHIMBREL_FAST_COMMITS")]
    pub fast_commits: bool,
}

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("{0} cannot be read: {1}")]
    Unreadable(PathBuf, std::io::Error),
    /// The file is not TOML with these settings.
    #[error("{0} is not valid: {1}")]
    Malformed(PathBuf, Box<toml::de::Error>),
    /// A value that cannot be.
    #[error("{0} cannot be {1}")]
    Bad(&'static str, String),
}

/// The settings of a running server.
#[derive(Clone)]
pub struct Settings {
    /// Where it listens; port 0 takes any free one.
    pub listen: SocketAddr,
    /// How clients reach it; absent: by the address it listens at.
    pub server_url: Option<String>,
    /// The folder with everything.
    pub data: PathBuf,
    /// The key that may do everything.
    pub root_key: Option<String>,
    /// Seals the keys of accounts.
    pub seal_key: Option<[u8; 32]>,
    /// Whether the sandbox is started with it.
    pub sandbox: bool,
    /// Names of dialects; empty: all.
    pub dialects: Vec<String>,
    /// Private hosts that may be reached.
    pub allow_hosts: Vec<String>,
    /// Requests per minute and key.
    pub requests_per_minute: u32,
    /// Octets of the largest JSON body.
    pub max_body: usize,
    /// Octets of the largest media file.
    pub max_media: u64,
    /// Proxies whose word on the client's address counts.
    pub trusted_proxies: Vec<IpAddr>,
    /// Profile of new Evolution instances.
    pub evolution_profile: String,
    /// Whether anybody may sign up.
    pub open_registration: bool,
    /// Hours that events stay.
    pub event_hours: u32,
    /// Whether log lines are JSON.
    pub json_log: bool,
    /// Whether commits need not survive a loss of power.
    pub fast_commits: bool,
    /// Where the service is; absent: the real one.
    pub endpoint: Option<whimbrel::Endpoint>,
}

/// The profiles of the Evolution dialect.
pub(crate) const EVOLUTION_PROFILES: [&str; 4] = ["nm", "v2", "v1", "flow"];

impl Flags {
    /// Adds what the file says where flags and environment are silent.
    ///
    /// # Errors
    /// When the file cannot be read or understood, or a value cannot be.
    pub fn settle(self) -> Result<Settings, SettingsError> {
        let file = match &self.config {
            None => Self::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|error| SettingsError::Unreadable(path.clone(), error))?;
                toml::from_str(&text)
                    .map_err(|error| SettingsError::Malformed(path.clone(), Box::new(error)))?
            }
        };
        let profile = self.evolution_profile.or(file.evolution_profile).unwrap_or_else(|| "nm".to_owned());
        if !EVOLUTION_PROFILES.contains(&profile.as_str()) {
            return Err(SettingsError::Bad("evolution-profile", profile));
        }
        let registration = self.registration.or(file.registration).unwrap_or_else(|| "closed".to_owned());
        if !["open", "closed"].contains(&registration.as_str()) {
            return Err(SettingsError::Bad("registration", registration));
        }
        let root_key = self.root_key.or(file.root_key);
        if root_key.as_ref().is_some_and(|key| key.len() < 16) {
            return Err(SettingsError::Bad("root-key", "shorter than 16 characters".to_owned()));
        }
        let seal_key = self.seal_key.or(file.seal_key).map(|text| seal_key(&text)).transpose()?;
        let endpoint = endpoint(
            self.service_url.or(file.service_url),
            self.service_root.or(file.service_root).as_deref(),
            self.service_ca.or(file.service_ca),
        )?;
        let data = self.data.or(file.data).unwrap_or_else(|| PathBuf::from("whimbrel-data"));
        let mut settings = Settings::at(data);
        settings.listen = self.listen.or(file.listen).unwrap_or(LISTEN);
        settings.server_url = self.server_url.or(file.server_url);
        settings.root_key = root_key;
        settings.seal_key = seal_key;
        settings.sandbox = self.sandbox || file.sandbox;
        settings.dialects = self.dialects.or(file.dialects).unwrap_or_default();
        settings.allow_hosts = self.allow_hosts.or(file.allow_hosts).unwrap_or_default();
        settings.trusted_proxies = self.trusted_proxies.or(file.trusted_proxies).unwrap_or_default();
        settings.evolution_profile = profile;
        settings.open_registration = registration == "open";
        settings.json_log = self.log_format.or(file.log_format).is_none_or(|format| format != "text");
        settings.fast_commits = self.fast_commits || file.fast_commits;
        settings.endpoint = endpoint;
        if let Some(requests) = self.requests_per_minute.or(file.requests_per_minute) {
            settings.requests_per_minute = requests.max(1);
        }
        if let Some(mebibytes) = self.max_body_mib.or(file.max_body_mib) {
            settings.max_body = usize::try_from(mebibytes << 20).unwrap_or(usize::MAX);
        }
        if let Some(mebibytes) = self.max_media_mib.or(file.max_media_mib) {
            settings.max_media = mebibytes << 20;
        }
        if let Some(hours) = self.event_hours.or(file.event_hours) {
            settings.event_hours = hours.max(1);
        }
        Ok(settings)
    }
}

/// Where the server listens unless told otherwise.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8085);

/// A service elsewhere than the real one.
fn endpoint(
    url: Option<String>,
    root: Option<&str>,
    ca: Option<PathBuf>,
) -> Result<Option<whimbrel::Endpoint>, SettingsError> {
    let Some(url) = url else { return Ok(None) };
    let mut endpoint = whimbrel::Endpoint::default();
    endpoint.url = url;
    if let Some(root) = root {
        let bad =
            || SettingsError::Bad("service-root", "other than a key in hexadecimal and a number".to_owned());
        let (key, serial) = root.split_once(':').ok_or_else(bad)?;
        let key = hex::decode(key).ok().and_then(|key| <[u8; 32]>::try_from(key).ok()).ok_or_else(bad)?;
        endpoint.noise_root = Some((key, serial.parse().map_err(|_| bad())?));
    }
    if let Some(path) = ca {
        let pem = std::fs::read_to_string(&path).map_err(|error| SettingsError::Unreadable(path, error))?;
        endpoint.extra_ca_pem = Some(pem);
    }
    Ok(Some(endpoint))
}

fn seal_key(text: &str) -> Result<[u8; 32], SettingsError> {
    let octets = hex::decode(text.trim()).ok().and_then(|octets| <[u8; 32]>::try_from(octets).ok());
    octets.ok_or_else(|| SettingsError::Bad("seal-key", "other than 64 hexadecimal digits".to_owned()))
}

impl Settings {
    /// The defaults, with everything in one folder, on any free port of loopback.
    #[must_use]
    pub fn at(data: PathBuf) -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            server_url: None,
            data,
            root_key: None,
            seal_key: None,
            sandbox: false,
            dialects: Vec::new(),
            allow_hosts: Vec::new(),
            requests_per_minute: 600,
            max_body: 16 << 20,
            max_media: 100 << 20,
            trusted_proxies: Vec::new(),
            evolution_profile: "nm".to_owned(),
            open_registration: false,
            event_hours: 24,
            json_log: true,
            fast_commits: false,
            endpoint: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_stronger_than_the_file() {
        let file = std::env::temp_dir().join(format!("whimbrel-rest-config-{}.toml", std::process::id()));
        std::fs::write(&file, "requests_per_minute = 7\nmax_body_mib = 2\nallow_hosts = [\"a\"]\n").unwrap();
        let flags = ["x", "--config", file.to_str().unwrap(), "--requests-per-minute", "9"];
        let settings = Flags::parse_from(flags).settle().unwrap();
        std::fs::remove_file(&file).unwrap();
        assert_eq!(settings.requests_per_minute, 9);
        assert_eq!(settings.max_body, 2 << 20);
        assert_eq!(settings.allow_hosts, ["a"]);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for flags in [["x", "--root-key=short"], ["x", "--evolution-profile=v9"], ["x", "--seal-key=12"]] {
            assert!(Flags::parse_from(flags).settle().is_err(), "{flags:?}");
        }
    }
}
