//! Which version of the web client is presented to the service (pairing document §15): the
//! host's, else the newest of the built-in one and those that were found on the service's page.

mod page;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::clock;
use crate::connection::Route;
use crate::error::{Code, Error};
use page::Page;

/// Three numbers, such as 2.3000.1045649367.
pub(crate) type Version = [u32; 3];

/// The version that is presented while no newer one is known. A page that names an older one is
/// not believed.
const BUILT_IN: Version = [2, 3000, 1_045_649_367];

/// The service's own page.
const PAGE: &str = "https://web.whatsapp.com/sw.js";

/// How long looking for a version may take.
const TIMEOUT: Duration = Duration::from_secs(15);

/// The page is not asked more often than this by the engine itself.
const PAUSE: Duration = Duration::from_secs(3600);

/// Where a version comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum VersionSource {
    /// This version of the engine was built with it.
    BuiltIn,
    /// It was found on the service's page, now or by an earlier process.
    Found,
    /// The host set it.
    Host,
}

/// The version of the web client that is presented to the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ClientVersion {
    /// Its three numbers.
    pub version: [u32; 3],
    /// Where it comes from.
    pub source: VersionSource,
    /// When the service says that it stops accepting it, seconds since 1970; known per client,
    /// so `None` when asked of an engine.
    pub expires_at: Option<i64>,
}

/// The versions that the clients of an engine share.
pub(crate) struct Versions {
    state: Mutex<State>,
    /// One look at the page at a time: many clients are refused together.
    looking: tokio::sync::Mutex<()>,
    page: Option<Page>,
    automatic: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    host: Option<Version>,
    found: Option<(Version, i64)>,
    tried: Option<Instant>,
}

impl Versions {
    /// `page`: where to look; `None` is the service's page if `real`, else nowhere.
    pub(crate) fn new(
        host: Option<Version>,
        page: Option<&str>,
        real: bool,
        automatic: bool,
    ) -> Result<Self, Error> {
        let page = page.or(real.then_some(PAGE)).map(Page::parse).transpose()?;
        let state = State { host, ..State::default() };
        Ok(Self { state: Mutex::new(state), looking: tokio::sync::Mutex::default(), page, automatic })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the next connection presents.
    pub(crate) fn current(&self) -> ClientVersion {
        let state = self.state();
        let (version, source) = match (state.host, state.found) {
            (Some(version), _) => (version, VersionSource::Host),
            (None, Some((version, _))) if version > BUILT_IN => (version, VersionSource::Found),
            _ => (BUILT_IN, VersionSource::BuiltIn),
        };
        ClientVersion { version, source, expires_at: None }
    }

    /// The host wants this one presented, or leaves it to the engine again.
    pub(crate) fn set(&self, version: Option<Version>) {
        self.state().host = version;
    }

    /// A version that an earlier process found.
    pub(crate) fn learn(&self, version: Version, found_at: i64) {
        let mut state = self.state();
        if state.found.is_none_or(|(known, _)| known < version) {
            state.found = Some((version, found_at));
        }
    }

    /// What was found, and when; to be kept by the clients.
    pub(crate) fn found(&self) -> Option<(Version, i64)> {
        self.state().found
    }

    /// The service refused `used`. Whether there is a newer one now, after a look at the page
    /// if that is allowed.
    pub(crate) async fn renew(&self, used: Version, route: &Route) -> bool {
        let newer = || self.current().version > used;
        if newer() {
            return true;
        }
        if !self.automatic || self.page.is_none() || self.state().host.is_some() {
            return false;
        }
        let _one_at_a_time = self.looking.lock().await;
        if newer() {
            return true;
        }
        if self.state().tried.is_some_and(|tried| tried.elapsed() < PAUSE) {
            return false;
        }
        match self.look(route).await {
            Ok(_) => newer(),
            Err(error) => {
                tracing::warn!(?error, "The present version of the web client was not found.");
                false
            }
        }
    }

    /// Looks at the page, as often as the host asks.
    pub(crate) async fn fetch(&self, route: &Route) -> Result<Version, Error> {
        let _one_at_a_time = self.looking.lock().await;
        self.look(route).await
    }

    async fn look(&self, route: &Route) -> Result<Version, Error> {
        let page = self.page.as_ref().ok_or_else(|| {
            Error::new(
                Code::NotSupported,
                "no page is known that names the version; set its URL in the options",
            )
        })?;
        self.state().tried = Some(Instant::now());
        let text = tokio::time::timeout(TIMEOUT, page.read(route))
            .await
            .map_err(|_| Error::new(Code::TimedOut, "the page with the version was not read in time"))??;
        let revision = page::revision(&text)
            .ok_or_else(|| Error::new(Code::Refused, "the page does not name a version"))?;
        let [first, second, _] = BUILT_IN;
        let version = [first, second, revision];
        tracing::info!(version = dotted(version), "The present version of the web client was found.");
        self.learn(version, clock::now_seconds());
        Ok(version)
    }
}

/// The usual form of a version.
pub(crate) fn dotted([first, second, third]: Version) -> String {
    format!("{first}.{second}.{third}")
}

/// Reads the usual form.
pub(crate) fn parse(text: &str) -> Option<Version> {
    let mut numbers = text.split('.').map(|number| number.parse().ok());
    let version = [numbers.next()??, numbers.next()??, numbers.next()??];
    numbers.next().is_none().then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(host: Option<Version>) -> Versions {
        Versions::new(host, None, false, true).unwrap()
    }

    #[test]
    fn the_built_in_version_is_the_floor_and_the_host_has_the_last_word() {
        let versions = versions(None);
        let now = || (versions.current().version, versions.current().source);
        assert_eq!(now(), (BUILT_IN, VersionSource::BuiltIn));
        versions.learn([2, 3000, 5], 1);
        assert_eq!(now(), (BUILT_IN, VersionSource::BuiltIn));
        versions.learn([2, 3000, 2_000_000_000], 2);
        versions.learn([2, 3000, 1_999_999_999], 3);
        assert_eq!(now(), ([2, 3000, 2_000_000_000], VersionSource::Found));
        versions.set(Some([2, 3000, 7]));
        assert_eq!(now(), ([2, 3000, 7], VersionSource::Host));
        versions.set(None);
        assert_eq!(now().1, VersionSource::Found);
    }

    #[tokio::test]
    async fn without_a_page_nothing_is_asked() {
        let route = Route::direct(crate::connection::tls::config(None).unwrap());
        assert!(!versions(None).renew(BUILT_IN, &route).await);
        assert!(versions(None).renew([2, 3000, 1], &route).await, "the built-in one is newer");
        assert!(!versions(Some([2, 3000, 1])).renew([2, 3000, 1], &route).await);
        assert_eq!(versions(None).fetch(&route).await.unwrap_err().code(), Code::NotSupported);
    }

    #[test]
    fn versions_are_written_with_dots() {
        assert_eq!(parse(&dotted(BUILT_IN)), Some(BUILT_IN));
        for wrong in ["", "2.3000", "2.3000.1.0", "2.3000.x", "2.3000.99999999999"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
