//! What the media host holds: files by their hash, the paths under which they are found, uploads that
//! were cut (media document §24). It never sees a key.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use whimbrel_crypto::kdf::hmac_sha256;

use super::blob::{Blob, Incoming};
use super::faults::{MediaFault, MediaFaultRule, MediaFaults, MediaRequest};
use super::request::{Kind, Target};
use crate::clock::Clock;

/// Keeps what is drawn here apart from what the service draws with the same seed.
const STREAM: u64 = 2;
/// How long a path is valid: the month that dated samples show.
const LIFE: u64 = 30 * 86_400;
/// Longest file: the published 2 GB, and the padding.
const LIMIT: u64 = (2 << 30) + 64;

/// The files of the media host.
#[derive(Debug)]
pub(crate) struct Shelf {
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    rng: ChaCha20Rng,
    secret: [u8; 32],
    files: BTreeMap<[u8; 32], File>,
    /// Hash by path.
    paths: BTreeMap<String, Place>,
    /// Pictures that are shown to the service by what their host said of them: the hash, by id.
    posted: BTreeMap<String, Post>,
    /// Uploads that were cut, by whoever made them.
    partial: BTreeMap<(String, [u8; 32]), Incoming>,
    faults: MediaFaults,
    down: Vec<bool>,
    limit: u64,
    gone: u16,
}

#[derive(Debug)]
struct File {
    blob: Arc<Blob>,
    kind: Kind,
}

#[derive(Debug)]
struct Place {
    hash: [u8; 32],
    gone: bool,
}

/// What a host said of a picture that it took.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    pub(crate) id: String,
    pub(crate) time: u64,
    pub(crate) token: String,
    hash: [u8; 32],
}

/// A file that was found, or why not.
#[derive(Debug)]
pub(crate) enum Found {
    /// Here it is.
    File {
        /// Its bytes.
        blob: Arc<Blob>,
        /// Its hash.
        hash: [u8; 32],
        /// Whether it is encrypted.
        plain: bool,
    },
    /// The status that says why not.
    Status(u16),
}

impl Shelf {
    pub(crate) fn new(seed: u64, clock: Clock, hosts: usize) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        rng.set_stream(STREAM);
        let mut secret = [0; 32];
        rng.fill_bytes(&mut secret);
        let state = State {
            rng,
            secret,
            files: BTreeMap::new(),
            paths: BTreeMap::new(),
            posted: BTreeMap::new(),
            partial: BTreeMap::new(),
            faults: MediaFaults::default(),
            down: vec![false; hosts],
            limit: LIMIT,
            gone: 410,
        };
        Self { clock, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a whole file on the shelf and returns a path to it.
    pub(crate) fn put(&self, kind: &Kind, bytes: &[u8]) -> std::io::Result<([u8; 32], String)> {
        let mut incoming = Incoming::new();
        incoming.write(bytes)?;
        let (hash, blob) = incoming.finish();
        Ok((hash, self.keep(kind, hash, blob)))
    }

    /// Keeps a file. An equal one stays; it only gets another path.
    pub(crate) fn keep(&self, kind: &Kind, hash: [u8; 32], blob: Blob) -> String {
        let mut state = self.state();
        state.files.entry(hash).or_insert_with(|| File { blob: Arc::new(blob), kind: kind.clone() });
        state.place(hash, &kind.name, self.clock.now())
    }

    /// Names a picture for the service.
    pub(crate) fn post(&self, hash: [u8; 32]) -> Post {
        let mut state = self.state();
        let id = (state.rng.next_u64() >> 16).to_string();
        let mut code = [0; 20];
        state.rng.fill_bytes(&mut code);
        let post = Post { id: id.clone(), time: self.clock.now(), token: URL_SAFE_NO_PAD.encode(code), hash };
        state.posted.insert(id, post.clone());
        post
    }

    /// The picture that a host named so, if what it said of it is told as it said it.
    pub(crate) fn posted(&self, id: &str, time: &str, token: &str) -> Option<[u8; 32]> {
        let state = self.state();
        let post = state.posted.get(id)?;
        (post.time.to_string() == time && post.token == token).then_some(post.hash)
    }

    /// Another path to a file that is there.
    pub(crate) fn path(&self, hash: &[u8; 32]) -> Option<String> {
        let mut state = self.state();
        let kind = state.files.get(hash)?.kind.name.clone();
        Some(state.place(*hash, &kind, self.clock.now()))
    }

    /// The whole content of a file.
    pub(crate) fn content(&self, hash: &[u8; 32]) -> Option<Vec<u8>> {
        let blob = Arc::clone(&self.state().files.get(hash)?.blob);
        blob.read(0, usize::try_from(blob.length()).ok()?).ok()
    }

    /// The file that a request asks for.
    pub(crate) fn find(&self, target: &Target<'_>) -> Found {
        let state = self.state();
        let Some(place) = state.paths.get(target.path) else { return Found::Status(404) };
        let (Some(oh), Some(oe)) = (target.parameter("oh"), target.parameter("oe")) else {
            return Found::Status(403);
        };
        let expiry = u64::from_str_radix(oe, 16).ok();
        if oh != state.signature(target.path, oe) || expiry.is_none_or(|expiry| expiry < self.clock.now()) {
            return Found::Status(403);
        }
        if place.gone {
            return Found::Status(state.gone);
        }
        let named = target.parameter("hash").map(super::request::hash);
        if named.is_some_and(|named| named != Some(place.hash)) {
            return Found::Status(404);
        }
        match state.files.get(&place.hash) {
            Some(file) => {
                Found::File { blob: Arc::clone(&file.blob), hash: place.hash, plain: file.kind.plain }
            }
            None => Found::Status(state.gone),
        }
    }

    /// Takes out what there is of an upload.
    pub(crate) fn take_partial(&self, owner: &str, hash: &[u8; 32]) -> Option<Incoming> {
        self.state().partial.remove(&(owner.to_owned(), *hash))
    }

    /// Puts back what there is of an upload.
    pub(crate) fn put_partial(&self, owner: &str, hash: [u8; 32], incoming: Incoming) {
        self.state().partial.insert((owner.to_owned(), hash), incoming);
    }

    /// How much of an upload is there.
    pub(crate) fn partial_length(&self, owner: &str, hash: &[u8; 32]) -> u64 {
        self.state().partial.get(&(owner.to_owned(), *hash)).map_or(0, Incoming::length)
    }

    pub(crate) fn holds(&self, hash: &[u8; 32]) -> bool {
        self.state().files.contains_key(hash)
    }

    /// Deletes a file. Tells whether it was there.
    pub(crate) fn delete(&self, hash: &[u8; 32]) -> bool {
        self.state().files.remove(hash).is_some()
    }

    /// Makes all paths that were given so far those of files that are gone. The files themselves stay,
    /// for phones that upload them again.
    pub(crate) fn forget_paths(&self, status: u16) {
        let mut state = self.state();
        state.gone = status;
        for place in state.paths.values_mut() {
            place.gone = true;
        }
    }

    pub(crate) fn limit(&self) -> u64 {
        self.state().limit
    }

    pub(crate) fn set_limit(&self, limit: u64) {
        self.state().limit = limit;
    }

    pub(crate) fn add_fault(&self, rule: MediaFaultRule) {
        self.state().faults.add(rule);
    }

    pub(crate) fn clear_faults(&self) {
        self.state().faults.clear();
    }

    pub(crate) fn fault(&self, request: MediaRequest, host: usize) -> Option<MediaFault> {
        self.state().faults.take(request, host)
    }

    /// Takes a host down, or up again. Tells whether there is one of this number.
    pub(crate) fn set_down(&self, host: usize, down: bool) -> bool {
        self.state().down.get_mut(host).is_some_and(|state| {
            *state = down;
            true
        })
    }

    pub(crate) fn is_down(&self, host: usize) -> bool {
        self.state().down.get(host).copied().unwrap_or_default()
    }

    /// A random number of so many bits, for ids in answers.
    pub(crate) fn number(&self) -> u64 {
        self.state().rng.next_u64() >> 16
    }
}

impl State {
    /// Makes a path that nobody guesses, in the form of the real ones.
    fn place(&mut self, hash: [u8; 32], kind: &str, now: u64) -> String {
        let class = match kind {
            "document" => 7119,
            "video" | "gif" | "ptv" => 7161,
            "audio" | "ptt" => 7117,
            _ => 7118,
        };
        let [one, two, three] = [(); 3].map(|()| self.rng.next_u64() >> 8);
        let path = format!("/v/t62.{class}-24/{one}_{two}_{three}_n.enc");
        let expiry = format!("{:X}", now.saturating_add(LIFE));
        let signature = self.signature(&path, &expiry);
        let direct = format!("{path}?ccb=11-4&oh={signature}&oe={expiry}&_nc_sid=5e03e0");
        self.paths.insert(path, Place { hash, gone: false });
        direct
    }

    fn signature(&self, path: &str, expiry: &str) -> String {
        let mac = hmac_sha256(&self.secret, &[path.as_bytes(), b"?", expiry.as_bytes()]);
        URL_SAFE_NO_PAD.encode(mac.get(..18).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn kind() -> Kind {
        super::super::request::upload("/mms/image/x").unwrap().0
    }

    fn status(shelf: &Shelf, path: &str) -> u16 {
        match shelf.find(&Target::parse(path)) {
            Found::File { .. } => 200,
            Found::Status(status) => status,
        }
    }

    #[test]
    fn a_path_is_good_for_a_month_and_not_when_changed() {
        let clock = Clock::fixed(1_795_168_800_000);
        let shelf = Shelf::new(1, clock.clone(), 2);
        let (hash, path) = shelf.put(&kind(), b"abc").unwrap();
        assert_eq!(status(&shelf, &path), 200);
        let right = URL_SAFE_NO_PAD.encode(hash);
        assert_eq!(status(&shelf, &format!("{path}&hash={right}=&mms-type=image&__wa-mms=")), 200);
        let wrong = URL_SAFE_NO_PAD.encode([0; 32]);
        assert_eq!(status(&shelf, &format!("{path}&hash={wrong}")), 404);
        assert_eq!(status(&shelf, &path.replace("oe=", "oe=7")), 403);
        assert_eq!(status(&shelf, &path.replace("_n.enc", "0_n.enc")), 404);
        assert_eq!(status(&shelf, path.split('?').next().unwrap()), 403);
        clock.advance(Duration::from_secs(LIFE + 1));
        assert_eq!(status(&shelf, &path), 403);
        let other = shelf.path(&hash).unwrap();
        assert_ne!(other, path);
        assert_eq!(status(&shelf, &other), 200);
        shelf.forget_paths(404);
        assert_eq!(status(&shelf, &other), 404);
        assert!(shelf.delete(&hash) && !shelf.delete(&hash));
    }
}
