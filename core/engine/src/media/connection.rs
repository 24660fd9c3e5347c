//! The media hosts of a client (media document §6): asked for once, kept while they are good, and asked
//! for again when a token is refused.

use std::sync::Arc;

use tokio::sync::Mutex;
use tokio::time::{Duration, Instant};
use zeroize::Zeroizing;

use super::address::Host;
use super::stanza;
use crate::client::Inner;
use crate::error::{Code, Error};

/// A list that is good for less than this is asked for again.
const MARGIN: Duration = Duration::from_secs(30);
/// How long the service may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Hosts, and what lets uploads in.
pub(super) struct Hosts {
    pub(super) auth: Zeroizing<String>,
    listed: Vec<(Host, bool)>,
    until: Instant,
    number: u64,
}

impl Hosts {
    /// Those that files are read from, in the order of preference.
    pub(super) fn all(&self) -> Vec<Host> {
        self.listed.iter().map(|(host, _)| host.clone()).collect()
    }

    /// Those that take files.
    pub(super) fn for_uploads(&self) -> Vec<Host> {
        self.listed.iter().filter(|(_, uploads)| *uploads).map(|(host, _)| host.clone()).collect()
    }

    fn is_good(&self) -> bool {
        self.until.saturating_duration_since(Instant::now()) > Duration::ZERO
    }
}

/// The list of a client.
#[derive(Default)]
pub(crate) struct MediaHosts {
    /// Held while the service is asked: all who need hosts share one answer.
    known: Mutex<Option<(String, Arc<Hosts>)>>,
}

impl MediaHosts {
    /// Hosts that are good now, other than `refused`.
    pub(super) async fn get(
        &self,
        client: &Inner,
        deadline: Instant,
        refused: Option<&Hosts>,
    ) -> Result<Arc<Hosts>, Error> {
        let account = account(client)?;
        let mut known = self.known.lock().await;
        let last = known.as_ref().filter(|(of, _)| *of == account).map(|(_, hosts)| Arc::clone(hosts));
        let number = last.as_ref().map_or(0, |last| last.number);
        if let Some(last) = &last
            && last.is_good()
            && refused.is_none_or(|refused| refused.number != last.number)
        {
            return Ok(Arc::clone(last));
        }
        let connection = client.wait_for_connection(deadline).await?;
        let left = deadline.saturating_duration_since(Instant::now()).min(TIMEOUT);
        let answer = connection.request(client.request_ids.next(), stanza::ask_for_hosts(), left).await?;
        let now = u64::try_from(client.server_now_ms() / 1000).unwrap_or(0);
        let read = stanza::hosts(&answer, now);
        let read = read.ok_or_else(|| Error::new(Code::Refused, "the service named no media hosts"))?;
        let listed = read.hosts.iter().filter_map(|host| Some((Host::parse(&host.name)?, host.uploads)));
        let life = read.ttl.min(read.auth_ttl);
        let hosts = Arc::new(Hosts {
            listed: listed.collect(),
            auth: read.auth,
            until: Instant::now()
                + life.saturating_sub(MARGIN.min(life / 2)).min(crate::client::LONGEST_TIMEOUT),
            number: number.wrapping_add(1),
        });
        *known = Some((account, Arc::clone(&hosts)));
        Ok(hosts)
    }

    /// The last hosts that were named, however old: they still say whom the service trusts.
    pub(super) async fn last(&self, client: &Inner) -> Option<Arc<Hosts>> {
        let account = account(client).ok()?;
        let known = self.known.lock().await;
        known.as_ref().filter(|(of, _)| *of == account).map(|(_, hosts)| Arc::clone(hosts))
    }
}

/// Whose hosts these are: another account gets others.
fn account(client: &Inner) -> Result<String, Error> {
    let account = client.linked_account()?;
    Ok(account.phone.as_ref().map(ToString::to_string).unwrap_or_default())
}
