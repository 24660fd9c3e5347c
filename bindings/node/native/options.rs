//! Options as JSON. What is absent keeps the engine's default.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use whimbrel::{ClientOptions, Code, EngineOptions, Error, Proxy};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EngineJson {
    worker_threads: Option<usize>,
    endpoint: Option<EndpointJson>,
    client_version: Option<[u32; 3]>,
    find_version: Option<bool>,
    connect_limit: Option<usize>,
    keep_alive_ms: Option<u64>,
    /// Decimal text: it may exceed 2^53.
    insecure_seed: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EndpointJson {
    url: Option<String>,
    noise_root: Option<NoiseRootJson>,
    ca_pem: Option<String>,
    version_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NoiseRootJson {
    /// 32 bytes as hexadecimal digits.
    public_key: String,
    serial: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ClientJson {
    auto_start: Option<bool>,
    manual_acknowledge: Option<bool>,
    request_timeout_ms: Option<u64>,
    device_name: Option<String>,
    journal_limit: Option<u64>,
    journal_limit_bytes: Option<u64>,
    sync_to_disk: Option<bool>,
    proxy: Option<String>,
    archive: Option<bool>,
    archive_days: Option<u32>,
    full_history: Option<bool>,
    history_days: Option<u32>,
    temporary_folder: Option<PathBuf>,
}

/// Reads the options of an engine.
pub(crate) fn engine(json: &str) -> Result<EngineOptions, Error> {
    let given: EngineJson = read(json)?;
    let mut options = EngineOptions::default();
    set(&mut options.worker_threads, given.worker_threads);
    options.client_version = given.client_version;
    set(&mut options.find_version, given.find_version);
    set(&mut options.connect_limit, given.connect_limit);
    set(&mut options.keep_alive, given.keep_alive_ms.map(Duration::from_millis));
    options.insecure_seed = given
        .insecure_seed
        .map(|seed| seed.parse().map_err(|_| invalid("the seed is no integer of 64 bits")))
        .transpose()?;
    if let Some(endpoint) = given.endpoint {
        set(&mut options.endpoint.url, endpoint.url);
        options.endpoint.extra_ca_pem = endpoint.ca_pem;
        options.endpoint.version_url = endpoint.version_url;
        options.endpoint.noise_root = endpoint
            .noise_root
            .map(|root| key(&root.public_key).map(|key| (key, root.serial)))
            .transpose()?;
    }
    Ok(options)
}

/// Reads the options of a client.
pub(crate) fn client(json: &str) -> Result<ClientOptions, Error> {
    let given: ClientJson = read(json)?;
    let mut options = ClientOptions::default();
    set(&mut options.auto_start, given.auto_start);
    set(&mut options.manual_acknowledge, given.manual_acknowledge);
    set(&mut options.request_timeout, given.request_timeout_ms.map(Duration::from_millis));
    set(&mut options.device_name, given.device_name);
    set(&mut options.journal_limit, given.journal_limit);
    set(&mut options.journal_limit_bytes, given.journal_limit_bytes);
    set(&mut options.sync_to_disk, given.sync_to_disk);
    set(&mut options.archive, given.archive);
    set(&mut options.full_history, given.full_history);
    options.archive_days = given.archive_days;
    options.history_days = given.history_days;
    options.temporary_folder = given.temporary_folder;
    options.proxy = given.proxy.as_deref().map(Proxy::parse).transpose()?;
    Ok(options)
}

fn read<T: DeserializeOwned>(json: &str) -> Result<T, Error> {
    serde_json::from_str(json)
        .map_err(|error| Error::new(Code::InvalidArgument, format!("the options are malformed: {error}")))
}

fn set<T>(option: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *option = given;
    }
}

fn invalid(message: &'static str) -> Error {
    Error::new(Code::InvalidArgument, message)
}

fn key(digits: &str) -> Result<[u8; 32], Error> {
    let wrong = || invalid("the noise root's public key is not 64 hexadecimal digits");
    let nibbles: Vec<u8> = digits
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|nibble| u8::try_from(nibble).ok()))
        .collect::<Option<_>>()
        .ok_or_else(wrong)?;
    let (pairs, rest) = nibbles.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(wrong());
    }
    let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
    bytes.try_into().map_err(|_| wrong())
}
