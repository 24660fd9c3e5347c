//! The dialects. A dialect is an adapter: it turns requests into commands and results into answers, and
//! native events into its own. It has no behaviour of its own: keys, limits, sending, files and deliveries
//! are below it, once for all.

pub(crate) mod evolution;
pub(crate) mod native;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::access::Principal;
use crate::access::limits::Rate;
use crate::failure::Failure;
use crate::hosting::Account;
use crate::store::events::EventRow;
use crate::store::webhooks::WebhookRow;
use crate::web::call::{Call, Reply};
use crate::web::route::Route;

/// Who asks, and about what.
#[derive(Default)]
pub(crate) struct Identified {
    pub(crate) principal: Option<Principal>,
    pub(crate) account: Option<Arc<Account>>,
}

/// In which form of its dialect a request is answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Manner {
    /// The profile of the account, where the dialect has some.
    pub(crate) profile: String,
    /// The request's id, which failures name.
    pub(crate) request_id: String,
}

/// A POST to a webhook.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Parcel {
    /// Goes behind the webhook's address.
    pub(crate) suffix: String,
    /// Beside those of all dialects.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
    /// How long the receiver may take.
    pub(crate) timeout: Duration,
}

/// What a dialect does with the answers of receivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retrying {
    /// The native schedule; only 410 is final.
    Native,
    /// Ten tries from five seconds on, doubled to five minutes, then the native schedule; some statuses are final.
    Evolution,
}

/// A POST that is being made.
pub(crate) type Packing<'a> = Pin<Box<dyn Future<Output = Parcel> + Send + 'a>>;

type Identifying<'a> = Pin<Box<dyn Future<Output = Result<Identified, Failure>> + Send + 'a>>;

/// An adapter.
pub(crate) trait Dialect: Send + Sync + 'static {
    /// Its name in settings, metrics and rows.
    fn name(&self) -> &'static str;

    /// Whether a path that no route has belongs to it.
    fn owns(&self, path: &str) -> bool;

    /// Its rows of the table.
    fn routes(&self) -> Vec<Route>;

    /// Whether requests are bent towards the schema before they are checked.
    fn is_lenient(&self) -> bool {
        true
    }

    /// Puts a request into its usual form before anything looks at it.
    fn prepare(&self, _: &mut Call) {}

    /// Finds out who asks, and about which account, in the dialect's own order of checks.
    fn identify<'a>(&'a self, call: &'a Call) -> Identifying<'a>;

    /// The buckets that a request takes from.
    fn rates(&self, call: &Call) -> Vec<(String, Rate)> {
        let Some(principal) = &call.principal else { return Vec::new() };
        vec![(format!("key/{}", principal.key), Rate::per_minute(call.server.settings.requests_per_minute))]
    }

    /// In which form a request is answered.
    fn manner(&self, call: &Call) -> Manner {
        let account = call.account.as_ref();
        Manner {
            profile: account.map(|account| account.profile()).unwrap_or_default(),
            request_id: call.request_id.clone(),
        }
    }

    /// A failure in the dialect's words.
    fn failure(&self, failure: &Failure, manner: &Manner) -> Reply;

    /// The names under which a webhook takes an event: mostly none or one.
    fn names(&self, event: &EventRow, account: &Account, webhook: &WebhookRow) -> Vec<String>;

    /// The POST that tells a webhook of an event under one of its names, the how manyth of them from 0.
    fn parcel<'a>(
        &'a self,
        name: &'a str,
        part: u32,
        event: &'a EventRow,
        account: &'a Arc<Account>,
        webhook: &'a WebhookRow,
    ) -> Packing<'a>;

    /// What is done when a receiver fails.
    fn retrying(&self) -> Retrying {
        Retrying::Native
    }
}

/// The names of all dialects, as settings know them.
pub(crate) const NAMES: [&str; 2] = ["native", "evolution"];

/// The dialects of these names; of all if there are none.
pub(crate) fn named(names: &[String]) -> Result<Vec<Arc<dyn Dialect>>, String> {
    let make = |name: &str| -> Result<Arc<dyn Dialect>, String> {
        match name {
            "native" => Ok(Arc::new(native::Native)),
            "evolution" => Ok(Arc::new(evolution::Evolution)),
            _ => Err(format!("there is no dialect {name}; there are {}", NAMES.join(", "))),
        }
    };
    if names.is_empty() {
        return NAMES.iter().map(|name| make(name)).collect();
    }
    names.iter().map(|name| make(name)).collect()
}
