//! What the native dialect takes and answers with.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::events::native::time;
use crate::hosting::Account;
use crate::store::accounts::AccountSettings;

/// A new account.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewAccount {
    /// Unique within the tenant.
    #[schemars(length(min = 1, max = 128))]
    pub(super) name: String,
    /// What it does by itself.
    #[serde(default)]
    pub(super) settings: Option<Settings>,
    /// The form of answers in compatible dialects: `nm`, `v2`, `v1` or `flow`.
    #[serde(default)]
    pub(super) profile: Option<Profile>,
    /// The tenant that it belongs to; only with the root key.
    #[serde(default)]
    pub(super) tenant: Option<String>,
}

/// The form of answers in compatible dialects.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Profile {
    Nm,
    V2,
    V1,
    Flow,
}

impl Profile {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Nm => "nm",
            Self::V2 => "v2",
            Self::V1 => "v1",
            Self::Flow => "flow",
        }
    }
}

/// What an account does by itself. What is absent stays as it is.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Settings {
    /// Calls are declined.
    reject_calls: Option<bool>,
    /// What callers are then told; empty: nothing.
    call_text: Option<String>,
    /// Groups make no events.
    ignore_groups: Option<bool>,
    /// The account shows itself online.
    always_online: Option<bool>,
    /// Messages are marked as read when they come.
    read_messages: Option<bool>,
    /// Statuses are marked as seen when they come.
    read_status: Option<bool>,
    /// All of the history is asked for at the next linking.
    full_history: Option<bool>,
    /// What is sent through this server makes events of new messages in dialects that do not tell it otherwise.
    echo_api_sends: Option<bool>,
    /// A proxy to the service, such as `socks5://user:password@host:1080`; empty: none. Acts when the server
    /// starts or the account is made.
    proxy: Option<String>,
}

impl Settings {
    pub(super) fn merge(self, settings: &mut AccountSettings) {
        let flags = [
            (&mut settings.reject_calls, self.reject_calls),
            (&mut settings.ignore_groups, self.ignore_groups),
            (&mut settings.always_online, self.always_online),
            (&mut settings.read_messages, self.read_messages),
            (&mut settings.read_status, self.read_status),
            (&mut settings.full_history, self.full_history),
            (&mut settings.echo_api_sends, self.echo_api_sends),
        ];
        for (place, value) in flags {
            *place = value.unwrap_or(*place);
        }
        if let Some(text) = self.call_text {
            settings.call_text = text;
        }
        if let Some(proxy) = self.proxy {
            settings.proxy = (!proxy.is_empty()).then_some(proxy);
        }
    }
}

/// What is changed of an account.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AccountPatch {
    /// Unique within the tenant.
    #[schemars(length(min = 1, max = 128))]
    pub(super) name: Option<String>,
    /// What it does by itself.
    pub(super) settings: Option<Settings>,
    /// The form of answers in compatible dialects.
    pub(super) profile: Option<Profile>,
}

/// An account.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccountView {
    /// Names it in every route.
    id: String,
    /// Its name within the tenant.
    name: String,
    /// The tenant.
    tenant: String,
    /// How its link stands.
    state: &'static str,
    /// Why, as a stable lowercase word, if there is something to say.
    reason: Option<String>,
    /// Address by phone number, if it is linked.
    phone: Option<String>,
    /// Address by hidden id, if it is linked.
    lid: Option<String>,
    /// The name that the account gives itself.
    push_name: Option<String>,
    /// The form of answers in compatible dialects.
    profile: String,
    /// What it does by itself.
    settings: Map<String, Value>,
    /// When it was made.
    created_at: String,
    /// When it was last changed.
    updated_at: String,
}

impl AccountView {
    pub(super) fn of(account: &Account) -> Self {
        let (row, state) = (account.row(), account.state());
        let mut settings = match serde_json::to_value(&row.settings) {
            Ok(Value::Object(members)) => members,
            _ => Map::new(),
        };
        // What other dialects keep is theirs, and a proxy's password nobody's.
        settings.remove("dialects");
        settings.insert("proxy".to_owned(), json!(row.settings.proxy.as_deref().map(without_password)));
        let linked = account.is_linked();
        Self {
            id: row.id,
            name: row.name,
            tenant: row.tenant,
            state: state.link.name(),
            reason: state.reason.or(row.standing.ended.filter(|_| !linked)),
            phone: row.standing.phone.filter(|_| linked),
            lid: row.standing.lid.filter(|_| linked),
            push_name: row.standing.push_name,
            profile: row.profile,
            settings,
            created_at: time(row.created_at),
            updated_at: time(row.updated_at),
        }
    }
}

/// An address of a proxy without what opens it.
pub(crate) fn without_password(address: &str) -> String {
    match (address.split_once("://"), address.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://***@{host}"),
        _ => address.to_owned(),
    }
}

/// A new account and its key.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreatedAccount {
    #[serde(flatten)]
    pub(super) account: AccountView,
    /// Opens everything of this account; shown this once.
    pub(super) key: String,
}

/// A page of a list.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page<T> {
    /// What is on it.
    pub(super) items: Vec<T>,
    /// The cursor of the next page; absent: there is none.
    pub(super) next: Option<String>,
}

/// How an account is to be linked.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct LinkRequest {
    /// By a QR code that the phone scans, or by a code that is typed there.
    pub(super) method: LinkMethod,
    /// The phone's number with its country code; needed for a code.
    pub(super) phone: Option<String>,
}

/// How an account is linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum LinkMethod {
    Qr,
    Code,
}

/// How linking stands.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LinkView {
    /// How the link stands: `unlinked`, `linking`, `pairing`, `connecting`, `online`, `offline` or `refused`.
    pub(super) state: &'static str,
    /// The QR text, while one is shown.
    pub(super) qr: Option<String>,
    /// The how manyth of this attempt it is.
    pub(super) qr_count: Option<u32>,
    /// When the QR text ends.
    pub(super) expires_at: Option<String>,
    /// The pairing code, while one is shown.
    pub(super) code: Option<String>,
    /// Why it is as it is, if there is something to say.
    pub(super) reason: Option<String>,
}

impl LinkView {
    pub(super) fn of(account: &Account) -> Self {
        let state = account.state();
        Self {
            state: state.link.name(),
            qr: state.qr.as_ref().map(|qr| qr.text.clone()),
            qr_count: state.qr.as_ref().map(|qr| qr.count),
            expires_at: state.qr.as_ref().map(|qr| time(qr.expires_at)),
            code: state.code,
            reason: state.reason,
        }
    }
}

/// A message to send.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewMessage {
    /// A phone number with its country code, or an address of a person, group or channel.
    pub(super) to: String,
    /// What it says: the engine's kinds, told apart by `type`; a text if only `text` is given.
    #[serde(default)]
    pub(super) content: Option<Map<String, Value>>,
    /// The words of a text message.
    #[serde(default)]
    pub(super) text: Option<String>,
    /// Where its file is, for content that has one: an address, or base64. Otherwise `content.media.reference`.
    #[serde(default)]
    pub(super) file: Option<FileSource>,
    /// The message that it answers.
    #[serde(default)]
    pub(super) quote: Option<Map<String, Value>>,
    /// Addresses of people who are mentioned.
    #[serde(default)]
    pub(super) mentions: Vec<String>,
    /// It is shown as forwarded.
    #[serde(default)]
    pub(super) forwarded: bool,
    /// It can be opened once.
    #[serde(default)]
    pub(super) view_once: bool,
    /// It leaves no earlier than after so many milliseconds, at most two minutes; typing is shown meanwhile.
    #[serde(default)]
    #[schemars(range(min = 0, max = 120_000))]
    pub(super) delay_ms: i64,
    /// What is sent behind content that receivers may not see: `nothing`, `composed` or `text`.
    #[serde(default)]
    pub(super) fallback: Option<String>,
    /// The words of the fallback `text`.
    #[serde(default)]
    pub(super) fallback_text: Option<String>,
}

/// Where a file is.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct FileSource {
    /// An address that the server fetches it from.
    pub(super) url: Option<String>,
    /// The file itself, in base64.
    pub(super) base64: Option<String>,
    /// The id of a file that was uploaded to this server.
    pub(super) media: Option<String>,
    /// What it is, such as `image/jpeg`; found out if absent.
    pub(super) mimetype: Option<String>,
    /// Its name, for documents.
    pub(super) name: Option<String>,
}

/// A message that was accepted.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AcceptedMessage {
    /// The id of the message.
    pub(super) id: String,
    /// `queued`, or `sent` if the request waited for the service.
    pub(super) status: &'static str,
    /// Who it goes to.
    pub(super) to: Value,
}

/// A webhook to make or change. What is absent stays as it is.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WebhookForm {
    /// Where events are posted.
    pub(super) url: Option<String>,
    /// Only this account's events; absent: those of all accounts of the tenant. It cannot be changed.
    pub(super) account: Option<String>,
    /// Types of events, or `message.*` for all under a word; empty: all.
    pub(super) events: Option<Vec<String>>,
    /// Further headers of every request.
    pub(super) headers: Option<BTreeMap<String, String>>,
    /// Whether it is on.
    pub(super) enabled: Option<bool>,
    /// Signs every request. When it is changed, both sign until `formerSecret` is cleared by another change.
    pub(super) secret: Option<String>,
}

/// A webhook.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct WebhookView {
    /// Names it.
    pub(super) id: String,
    /// Only this account's events.
    pub(super) account: Option<String>,
    /// The dialect in which it is told.
    pub(super) dialect: String,
    /// Where events are posted.
    pub(super) url: String,
    /// Types of events; empty: all.
    pub(super) events: Vec<String>,
    /// Names of its own headers.
    pub(super) headers: Vec<String>,
    /// Whether it is on.
    pub(super) enabled: bool,
    /// Whether it was paused because it failed for too long.
    pub(super) paused: bool,
    /// Since when it fails, if it does.
    pub(super) failing_since: Option<String>,
    /// Whether requests are signed.
    pub(super) signed: bool,
    /// When it was made.
    pub(super) created_at: String,
    /// When it was last changed.
    pub(super) updated_at: String,
}

/// A key to make.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewKey {
    /// What it is called.
    pub(super) name: String,
    /// It opens this account only.
    pub(super) account: Option<String>,
    /// It opens this tenant; only with the root key.
    pub(super) tenant: Option<String>,
    /// What it may do: `read`, `send`, `manage`, `link`, `events`, `admin`; absent: all but `admin`.
    pub(super) scopes: Option<Vec<String>>,
    /// When it ends, in RFC 3339.
    pub(super) expires_at: Option<String>,
}

/// A change of a key.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct KeyPatch {
    /// Whether it may be used.
    pub(super) active: Option<bool>,
    /// What it is called.
    pub(super) name: Option<String>,
}

/// A key.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct KeyView {
    /// Names it.
    pub(super) id: String,
    /// What it is for: `tenant`, `acct` or `pat`.
    pub(super) kind: &'static str,
    /// What it is called.
    pub(super) name: String,
    /// The tenant that it opens.
    pub(super) tenant: String,
    /// The account that it opens, if it is one's.
    pub(super) account: Option<String>,
    /// What it may do.
    pub(super) scopes: Vec<&'static str>,
    /// Whether it may be used.
    pub(super) active: bool,
    /// When it was made.
    pub(super) created_at: String,
    /// When it was last used, to the minute.
    pub(super) used_at: Option<String>,
    /// When it ends.
    pub(super) expires_at: Option<String>,
}

/// A new key.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreatedKey {
    #[serde(flatten)]
    pub(super) row: KeyView,
    /// The key; shown this once.
    pub(super) key: String,
}

/// A tenant to make.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewTenant {
    /// What it is called.
    #[schemars(length(min = 1, max = 128))]
    pub(super) name: String,
}

/// A tenant.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TenantView {
    /// Names it.
    pub(super) id: String,
    /// What it is called.
    pub(super) name: String,
    /// When it was made.
    pub(super) created_at: String,
}

/// How many deliveries are tried again.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Replayed {
    /// So many.
    pub(super) deliveries: usize,
}

/// Which dead deliveries are tried again.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ReplayForm {
    /// Made at this time or later, in RFC 3339.
    pub(super) from: Option<String>,
    /// Made before this time, in RFC 3339.
    pub(super) to: Option<String>,
}

/// A time in RFC 3339 as milliseconds.
pub(super) fn parse_time(field: &str, text: &str) -> Result<i64, crate::failure::Failure> {
    let parsed = text.parse::<jiff::Timestamp>();
    parsed
        .map(jiff::Timestamp::as_millisecond)
        .map_err(|_| crate::failure::Failure::field(field, "is not a time in RFC 3339"))
}
