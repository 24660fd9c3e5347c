//! Options. Zero in any field is its default.

use std::mem::size_of;
use std::path::PathBuf;
use std::time::Duration;

use safer_ffi::prelude::*;
use whimbrel::{
    CallOptions, ClientOptions, Code, Endpoint, EngineOptions, Error, MessageKey, Proxy, SendOptions,
    SendWait, parse_address,
};

use crate::bytes::{whimbrel_bytes, whimbrel_str};
use crate::sized::{Growing, refuse_reserved};

/// Options of whimbrel_engine_new(). Set `struct_size`; zero in any other field is its default.
#[derive_ReprC]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct whimbrel_engine_options {
    /// Size of this struct.
    pub struct_size: usize,
    /// WebSocket address of the service; default the real one. `ws://` is accepted for loopback
    /// addresses only.
    pub url: whimbrel_str,
    /// Root key (32 bytes, Curve25519) of the server's Noise certificate; default the service's.
    pub noise_root_key: whimbrel_bytes,
    /// A further TLS certificate authority in PEM form, such as a sandbox's.
    pub extra_ca_pem: whimbrel_str,
    /// Serial number of the root key, if one is given.
    pub noise_root_serial: u32,
    /// Worker threads; default 2.
    pub worker_threads: u32,
    /// Longest silence, in milliseconds, after which a connection is probed; default 30,000.
    pub keep_alive_ms: u32,
    /// First number of the web client's version that is presented to the service. All three are
    /// zero (default): the built-in one.
    pub client_version_primary: u32,
    /// Second number of that version.
    pub client_version_secondary: u32,
    /// Third number of that version.
    pub client_version_tertiary: u32,
    /// Page that names the present version of the web client; default the service's own if `url`
    /// is the service's, else none. `http://` is accepted for loopback addresses only.
    pub version_url: whimbrel_str,
    /// 1: when the service refuses the version as too old, do not look for the present one.
    pub keep_version: u32,
    /// How many clients may be connecting at a time; default 64.
    pub connect_limit: u32,
}

/// Options of whimbrel_client_open(). Set `struct_size` and `store_path`; zero in any other field
/// is its default.
#[derive_ReprC]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct whimbrel_client_options {
    /// Size of this struct.
    pub struct_size: usize,
    /// File of the client's store, made if there is none. `:memory:` is a store that ends with
    /// the client.
    pub store_path: whimbrel_str,
    /// Name under which the phone lists this device; default `whimbrel`.
    pub device_name: whimbrel_str,
    /// Events that may wait unacknowledged before the engine stops reading from the service;
    /// default 100,000.
    pub journal_limit: u64,
    /// Deadline of calls that do not give their own, in milliseconds; default 60,000.
    pub request_timeout_ms: u32,
    /// 1: nothing happens until the operation `connect` or one of `link_with_…`. 0: connect at
    /// once when linked, else begin linking by QR.
    pub manual_start: u32,
    /// 1: events are offered again until whimbrel_client_acknowledge(). 0: the return of the
    /// handler acknowledges.
    pub manual_acknowledge: u32,
    /// 1: commits survive a crash of the process but not of the machine. 0: of both.
    pub skip_disk_sync: u32,
    /// Proxy for all connections of this client: `http://host:port` or `socks5://host:port`, with
    /// `user:password@` before the host if it wants that. Default none.
    pub proxy: whimbrel_str,
    /// As `journal_limit`, in bytes; default 256 MiB.
    pub journal_limit_bytes: u64,
    /// 1: chats, messages and people are not kept, and cannot be looked up. 0: they are.
    pub no_archive: u32,
    /// 1: ask the phone for all of its history when linking. 0: for the last weeks.
    pub full_history: u32,
    /// How many days of history to ask the phone for when linking; default what the phone decides.
    pub history_days: u32,
    /// How many days messages are kept in the archive; default for ever.
    pub archive_days: u32,
    /// Folder, which exists, where encrypted files lie while they are uploaded; default the system's
    /// folder for temporary files. Choose one on a disk if that is in memory.
    pub temporary_folder: whimbrel_str,
}

/// Options of any call. Null is all defaults.
#[derive_ReprC]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct whimbrel_call_options {
    /// Size of this struct.
    pub struct_size: usize,
    /// Deadline in milliseconds from now; default the client's `request_timeout_ms`.
    pub timeout_ms: u32,
    /// Zero.
    pub reserved: u32,
}

/// Options of whimbrel_client_send_text(). Null is all defaults.
#[derive_ReprC]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct whimbrel_send_options {
    /// Size of this struct.
    pub struct_size: usize,
    /// Id of the new message; a repetition under the same id is never a second message. Default:
    /// the engine makes one.
    pub message_id: whimbrel_str,
    /// Id of a message to quote.
    pub quote_message_id: whimbrel_str,
    /// Who wrote the quoted message; default the other person of a direct chat.
    pub quote_sender: whimbrel_str,
    /// Deadline in milliseconds from now; default the client's `request_timeout_ms`.
    pub timeout_ms: u32,
    /// What the reply waits for. 0: the service has the message. 1: it is durable and will be sent,
    /// whatever happens to the process. 2: a device of the recipient has it; in a group, a device of
    /// any other member.
    pub wait: u32,
}

// SAFETY: repr(C), size first, integers and pointers only; a test looks for padding.
unsafe impl Growing for whimbrel_engine_options {
    const FIRST_SIZE: usize = size_of::<Self>();
}
// SAFETY: as above.
unsafe impl Growing for whimbrel_client_options {
    const FIRST_SIZE: usize = size_of::<Self>();
}
// SAFETY: as above.
unsafe impl Growing for whimbrel_call_options {
    const FIRST_SIZE: usize = size_of::<Self>();
}
// SAFETY: as above.
unsafe impl Growing for whimbrel_send_options {
    const FIRST_SIZE: usize = size_of::<Self>();
}

/// Milliseconds, of which zero is the default.
pub(crate) fn duration(milliseconds: u32) -> Option<Duration> {
    (milliseconds != 0).then(|| Duration::from_millis(u64::from(milliseconds)))
}

fn flag(value: u32) -> Result<bool, Error> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Error::new(Code::InvalidArgument, "a flag is neither 0 nor 1")),
    }
}

impl whimbrel_engine_options {
    /// # Safety
    /// The views in it are readable.
    pub(crate) unsafe fn read(&self) -> Result<EngineOptions, Error> {
        let mut endpoint = Endpoint::default();
        let mut options = EngineOptions::default();
        // SAFETY: the caller's promise is passed on.
        let (url, key, pem, page) = unsafe {
            (
                self.url.read_optional()?,
                self.noise_root_key.read_optional()?,
                self.extra_ca_pem.read_optional()?,
                self.version_url.read_optional()?,
            )
        };
        if let Some(url) = url {
            endpoint.url = url.to_owned();
        }
        endpoint.noise_root = match key {
            None => None,
            Some(key) => {
                let key = key
                    .try_into()
                    .map_err(|_| Error::new(Code::InvalidArgument, "a root key has 32 bytes"))?;
                Some((key, self.noise_root_serial))
            }
        };
        endpoint.extra_ca_pem = pem.map(str::to_owned);
        endpoint.version_url = page.map(str::to_owned);
        options.endpoint = endpoint;
        if self.worker_threads != 0 {
            options.worker_threads = usize::try_from(self.worker_threads).unwrap_or(usize::MAX);
        }
        if let Some(keep_alive) = duration(self.keep_alive_ms) {
            options.keep_alive = keep_alive;
        }
        let version =
            [self.client_version_primary, self.client_version_secondary, self.client_version_tertiary];
        options.client_version = (version != [0; 3]).then_some(version);
        options.find_version = !flag(self.keep_version)?;
        if self.connect_limit != 0 {
            options.connect_limit = usize::try_from(self.connect_limit).unwrap_or(usize::MAX);
        }
        Ok(options)
    }
}

impl whimbrel_client_options {
    /// Returns the path of the store, and the rest.
    ///
    /// # Safety
    /// The views in it are readable.
    pub(crate) unsafe fn read<'a>(&self) -> Result<(&'a str, ClientOptions), Error> {
        // SAFETY: the caller's promise is passed on.
        let (path, name, proxy, folder) = unsafe {
            (
                self.store_path.read_optional()?,
                self.device_name.read_optional()?,
                self.proxy.read_optional()?,
                self.temporary_folder.read_optional()?,
            )
        };
        let path = path.filter(|path| !path.is_empty());
        let path =
            path.ok_or_else(|| Error::new(Code::InvalidArgument, "the path of the store is missing"))?;
        if path.contains('\0') {
            return Err(Error::new(Code::InvalidArgument, "the path of the store contains NUL"));
        }
        let mut options = ClientOptions::default();
        options.auto_start = !flag(self.manual_start)?;
        options.manual_acknowledge = flag(self.manual_acknowledge)?;
        options.sync_to_disk = !flag(self.skip_disk_sync)?;
        if let Some(timeout) = duration(self.request_timeout_ms) {
            options.request_timeout = timeout;
        }
        if let Some(name) = name {
            options.device_name = name.to_owned();
        }
        if self.journal_limit != 0 {
            options.journal_limit = self.journal_limit;
        }
        options.proxy = proxy.filter(|url| !url.is_empty()).map(Proxy::parse).transpose()?;
        if self.journal_limit_bytes != 0 {
            options.journal_limit_bytes = self.journal_limit_bytes;
        }
        options.archive = !flag(self.no_archive)?;
        options.archive_days = (self.archive_days != 0).then_some(self.archive_days);
        options.full_history = flag(self.full_history)?;
        options.history_days = (self.history_days != 0).then_some(self.history_days);
        options.temporary_folder = folder.filter(|folder| !folder.is_empty()).map(PathBuf::from);
        Ok((path, options))
    }
}

impl whimbrel_call_options {
    pub(crate) fn read(&self) -> Result<CallOptions, Error> {
        refuse_reserved(self.reserved)?;
        let mut options = CallOptions::default();
        options.timeout = duration(self.timeout_ms);
        Ok(options)
    }
}

impl whimbrel_send_options {
    /// # Safety
    /// The views in it are readable.
    pub(crate) unsafe fn read(&self) -> Result<SendOptions, Error> {
        // SAFETY: the caller's promise is passed on.
        let (id, quote, sender) = unsafe {
            (
                self.message_id.read_optional()?,
                self.quote_message_id.read_optional()?,
                self.quote_sender.read_optional()?,
            )
        };
        let sender = sender.map(parse_address).transpose()?;
        let mut options = SendOptions::default();
        options.timeout = duration(self.timeout_ms);
        options.message_id = id.map(str::to_owned);
        options.wait = match self.wait {
            0 => SendWait::Sent,
            1 => SendWait::Queued,
            2 => SendWait::Delivered,
            _ => {
                return Err(Error::new(Code::InvalidArgument, "there is nothing of that number to wait for"));
            }
        };
        options.quote = match (quote, sender) {
            (Some(id), sender) => Some(MessageKey { message_id: id.to_owned(), sender }),
            (None, None) => None,
            (None, Some(_)) => {
                return Err(Error::new(Code::InvalidArgument, "a quoted sender has no quoted message"));
            }
        };
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sized::zeroed;

    fn code<T>(result: Result<T, Error>) -> Option<Code> {
        result.err().map(|error| error.code())
    }

    #[test]
    fn zero_is_every_default() {
        // SAFETY: the views are absent or of literals.
        unsafe {
            let engine = zeroed::<whimbrel_engine_options>().read().unwrap();
            assert_eq!(format!("{engine:?}"), format!("{:?}", EngineOptions::default()));
            let mut client = zeroed::<whimbrel_client_options>();
            assert_eq!(code(client.read()), Some(Code::InvalidArgument));
            client.store_path = whimbrel_str::of("a.db");
            let (path, options) = client.read().unwrap();
            assert_eq!((path, format!("{options:?}")), ("a.db", format!("{:?}", ClientOptions::default())));
            let send = zeroed::<whimbrel_send_options>().read().unwrap();
            assert_eq!(format!("{send:?}"), format!("{:?}", SendOptions::default()));
            assert_eq!(zeroed::<whimbrel_call_options>().read().unwrap().timeout, None);
        }
    }

    #[test]
    fn every_field_arrives() {
        // SAFETY: the views are of live values.
        unsafe {
            let mut engine = zeroed::<whimbrel_engine_options>();
            engine.url = whimbrel_str::of("ws://127.0.0.1:1/");
            engine.noise_root_key = whimbrel_bytes::of(&[7; 32]);
            engine.noise_root_serial = 3;
            engine.extra_ca_pem = whimbrel_str::of("pem");
            engine.worker_threads = 4;
            engine.keep_alive_ms = 1500;
            engine.client_version_tertiary = 9;
            let read = engine.read().unwrap();
            assert_eq!(read.endpoint.url, "ws://127.0.0.1:1/");
            assert_eq!(read.endpoint.noise_root, Some(([7; 32], 3)));
            assert_eq!(read.endpoint.extra_ca_pem.as_deref(), Some("pem"));
            assert_eq!((read.worker_threads, read.keep_alive), (4, Duration::from_millis(1500)));
            assert_eq!(read.client_version, Some([0, 0, 9]));
            assert!(read.find_version && read.endpoint.version_url.is_none());
            engine.version_url = whimbrel_str::of("http://127.0.0.1:1/sw.js");
            (engine.keep_version, engine.connect_limit) = (1, 3);
            let read = engine.read().unwrap();
            assert_eq!(read.endpoint.version_url.as_deref(), Some("http://127.0.0.1:1/sw.js"));
            assert_eq!((read.find_version, read.connect_limit), (false, 3));
            engine.noise_root_key = whimbrel_bytes::of(&[7; 31]);
            assert_eq!(code(engine.read()), Some(Code::InvalidArgument));

            let mut client = zeroed::<whimbrel_client_options>();
            client.store_path = whimbrel_str::of("a.db");
            client.device_name = whimbrel_str::of("robot");
            client.journal_limit = 5;
            client.request_timeout_ms = 6;
            (client.manual_start, client.manual_acknowledge, client.skip_disk_sync) = (1, 1, 1);
            let (_, read) = client.read().unwrap();
            assert_eq!((read.device_name.as_str(), read.journal_limit), ("robot", 5));
            assert_eq!(read.request_timeout, Duration::from_millis(6));
            assert_eq!((read.auto_start, read.manual_acknowledge, read.sync_to_disk), (false, true, false));
            assert!(read.proxy.is_none() && read.temporary_folder.is_none());
            client.temporary_folder = whimbrel_str::of("/var/tmp");
            assert_eq!(client.read().unwrap().1.temporary_folder, Some(PathBuf::from("/var/tmp")));
            client.proxy = whimbrel_str::of("socks5://a:b@127.0.0.1:1");
            assert!(client.read().unwrap().1.proxy.is_some());
            client.proxy = whimbrel_str::of("socks4://127.0.0.1:1");
            assert_eq!(code(client.read()), Some(Code::NotSupported));
            client.proxy = whimbrel_str::of("");
            client.manual_start = 2;
            assert_eq!(code(client.read()), Some(Code::InvalidArgument));
            client.manual_start = 0;
            client.store_path = whimbrel_str::of("a\0b");
            assert_eq!(code(client.read()), Some(Code::InvalidArgument));

            let mut send = zeroed::<whimbrel_send_options>();
            send.message_id = whimbrel_str::of("ID");
            send.quote_sender = whimbrel_str::of("15550001@s.whatsapp.net");
            assert_eq!(code(send.read()), Some(Code::InvalidArgument));
            send.quote_message_id = whimbrel_str::of("Q");
            let read = send.read().unwrap();
            assert_eq!(read.message_id.as_deref(), Some("ID"));
            assert_eq!(read.quote.unwrap().sender.unwrap().to_string(), "15550001@s.whatsapp.net");
            assert_eq!(read.wait, SendWait::Sent);
            send.wait = 2;
            assert_eq!(send.read().unwrap().wait, SendWait::Delivered);
            send.wait = 3;
            assert_eq!(code(send.read()), Some(Code::InvalidArgument));
        }
    }
}
