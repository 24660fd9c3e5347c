//! A channel as the service describes it (features document §4.3). Pure.

use serde_json::Value;
use whimbrel_wire::Jid;

/// A channel.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Channel {
    /// Its address.
    pub id: Jid,
    /// Whether it goes on.
    pub state: ChannelState,
    /// Its name; empty if it was not told.
    pub name: String,
    /// Its description, if it has one.
    pub description: Option<String>,
    /// Its picture, if it has one.
    pub picture: Option<ChannelPicture>,
    /// The same, small.
    pub preview: Option<ChannelPicture>,
    /// The code of its link, `https://whatsapp.com/channel/` and this.
    pub invite: Option<String>,
    /// Its name in links, if it has one.
    pub handle: Option<String>,
    /// How many follow it, if it was told.
    pub followers: Option<u64>,
    /// The service vouches that it is whose it says it is.
    pub is_verified: bool,
    /// When it was made, seconds since 1970, if it was told.
    pub created_at: Option<i64>,
    /// Which reactions its posts take, if it was told.
    pub reactions: Option<ChannelReactions>,
    /// The posts that are pinned in it.
    pub pinned: Vec<PinnedPost>,
    /// What this account is in it, if it was told.
    pub role: Option<ChannelRole>,
    /// Nothing is to be shown on account of its posts, if it was told.
    pub posts_muted: Option<bool>,
    /// Nothing is to be shown on account of what followers do, if it was told. For those who post.
    pub followers_muted: Option<bool>,
}

/// Whether a channel goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChannelState {
    /// It does.
    Active,
    /// The service has suspended it.
    Suspended,
    /// The service has suspended it in this country.
    SuspendedHere,
    /// Its owner has deleted it.
    Deleted,
    /// There is none.
    Missing,
    /// A state that this version does not know.
    Unknown,
}

/// What somebody is in a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChannelRole {
    /// It is theirs.
    Owner,
    /// Posts.
    Admin,
    /// Reads.
    Follower,
    /// Neither.
    Guest,
    /// A role that this version does not know.
    Unknown,
}

/// Which reactions posts take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChannelReactions {
    /// Every emoji.
    All,
    /// The usual few.
    Basic,
    /// None.
    None,
    /// Every emoji but some.
    Blocklist,
    /// A rule that this version does not know.
    Unknown,
}

/// What can be muted in a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChannelActivity {
    /// What its admins do: posts.
    Posts,
    /// What followers do: reactions and the like. For those who post.
    Followers,
}

/// A picture of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelPicture {
    /// Names it; another one has another name.
    pub id: String,
    /// Its path on any media host, where it lies in the clear.
    pub direct_path: Option<String>,
}

/// A post that is pinned.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PinnedPost {
    /// Its id.
    pub message_id: String,
    /// Until when, seconds since 1970, if it was told.
    pub until: Option<i64>,
}

impl ChannelState {
    /// The inverse of the service's word.
    pub(super) fn of(word: &str) -> Self {
        match word.to_ascii_uppercase().as_str() {
            "ACTIVE" => Self::Active,
            "SUSPENDED" => Self::Suspended,
            "GEOSUSPENDED" => Self::SuspendedHere,
            "DELETED" => Self::Deleted,
            "NON_EXISTING" => Self::Missing,
            _ => Self::Unknown,
        }
    }
}

impl ChannelRole {
    pub(super) fn of(word: &str) -> Self {
        match word.to_ascii_uppercase().as_str() {
            "OWNER" => Self::Owner,
            "ADMIN" => Self::Admin,
            "SUBSCRIBER" => Self::Follower,
            "GUEST" => Self::Guest,
            _ => Self::Unknown,
        }
    }
}

impl ChannelReactions {
    pub(super) fn of(word: &str) -> Self {
        match word.to_ascii_uppercase().as_str() {
            "ALL" => Self::All,
            "BASIC" => Self::Basic,
            "NONE" => Self::None,
            "BLOCKLIST" => Self::Blocklist,
            _ => Self::Unknown,
        }
    }

    /// The service's word; `None` for what cannot be asked for.
    pub(super) const fn word(self) -> Option<&'static str> {
        match self {
            Self::All => Some("ALL"),
            Self::Basic => Some("BASIC"),
            Self::None => Some("NONE"),
            Self::Blocklist | Self::Unknown => None,
        }
    }
}

impl ChannelActivity {
    pub(super) fn of(word: &str) -> Option<Self> {
        match word {
            "MUTE_ADMIN_ACTIVITY" => Some(Self::Posts),
            "MUTE_FOLLOWER_ACTIVITY" => Some(Self::Followers),
            _ => None,
        }
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Posts => "MUTE_ADMIN_ACTIVITY",
            Self::Followers => "MUTE_FOLLOWER_ACTIVITY",
        }
    }
}

impl Channel {
    /// Reads a channel; `None` without an address of one.
    pub(super) fn read(told: &Value) -> Option<Self> {
        let id = address(told, "id")?;
        let about = told.get("thread_metadata").unwrap_or(&Value::Null);
        let own = told.get("viewer_metadata").unwrap_or(&Value::Null);
        Some(Self {
            id,
            state: state(told).unwrap_or(ChannelState::Active),
            name: text_of(about, "name").unwrap_or_default(),
            description: text_of(about, "description").filter(|text| !text.is_empty()),
            picture: picture(about, "picture"),
            preview: picture(about, "preview"),
            invite: word(about, "invite").filter(|code| !code.is_empty()),
            handle: word(about, "handle").filter(|handle| !handle.is_empty()),
            followers: about.get("subscribers_count").and_then(number),
            is_verified: word(about, "verification")
                .is_some_and(|word| word.eq_ignore_ascii_case("VERIFIED")),
            created_at: time(about, "creation_time").filter(|time| *time > 0),
            reactions: reactions(about),
            pinned: pinned(about),
            role: word(own, "role").map(|word| ChannelRole::of(&word)),
            posts_muted: muted(own, ChannelActivity::Posts),
            followers_muted: muted(own, ChannelActivity::Followers),
        })
    }
}

/// The address of a channel.
pub(super) fn address(told: &Value, name: &str) -> Option<Jid> {
    let jid: Jid = told.get(name)?.as_str()?.parse().ok()?;
    jid.is_newsletter().then(|| jid.to_bare())
}

/// The address of a person, which some objects wrap.
pub(super) fn person(told: &Value, name: &str) -> Option<Jid> {
    let told = told.get(name)?;
    let text = told.as_str().or_else(|| told.get("id").and_then(Value::as_str))?;
    let jid: Jid = text.parse().ok()?;
    (jid.is_account() || jid.is_bot()).then(|| jid.to_bare())
}

pub(super) fn word(told: &Value, name: &str) -> Option<String> {
    told.get(name)?.as_str().map(ToOwned::to_owned)
}

/// A number, which the service writes as text.
pub(super) fn number(told: &Value) -> Option<u64> {
    told.as_u64().or_else(|| told.as_str()?.parse().ok())
}

pub(super) fn time(told: &Value, name: &str) -> Option<i64> {
    told.get(name).and_then(number).and_then(|time| i64::try_from(time).ok())
}

pub(super) fn state(told: &Value) -> Option<ChannelState> {
    word(told.get("state")?, "type").map(|word| ChannelState::of(&word))
}

/// A text that knows when it was changed.
pub(super) fn text_of(about: &Value, name: &str) -> Option<String> {
    word(about.get(name)?, "text")
}

/// A picture. One without a name is none.
pub(super) fn picture(about: &Value, name: &str) -> Option<ChannelPicture> {
    let told = about.get(name)?;
    let id = word(told, "id").filter(|id| !id.is_empty())?;
    Some(ChannelPicture { id, direct_path: word(told, "direct_path").filter(|path| !path.is_empty()) })
}

pub(super) fn reactions(about: &Value) -> Option<ChannelReactions> {
    let codes = about.get("settings")?.get("reaction_codes")?;
    word(codes, "value").map(|word| ChannelReactions::of(&word))
}

pub(super) fn pinned(about: &Value) -> Vec<PinnedPost> {
    let read = |told: &Value| {
        Some(PinnedPost { message_id: word(told, "message_id")?, until: time(told, "expiry_ts") })
    };
    about.get("pinned_messages").and_then(Value::as_array).into_iter().flatten().filter_map(read).collect()
}

/// Whether something is muted: the newer list, or else the older word for posts.
fn muted(own: &Value, activity: ChannelActivity) -> Option<bool> {
    let settings = own.get("settings").and_then(Value::as_array);
    let setting = settings
        .into_iter()
        .flatten()
        .find(|setting| word(setting, "type").and_then(|word| ChannelActivity::of(&word)) == Some(activity));
    let value = match (setting, activity) {
        (Some(setting), _) => word(setting, "value"),
        (None, ChannelActivity::Posts) => word(own, "mute"),
        (None, ChannelActivity::Followers) => None,
    };
    value.map(|value| value.eq_ignore_ascii_case("ON"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn little_is_needed_and_what_is_not_told_stays_open() {
        let channel = Channel::read(&json!({ "id": "1@newsletter", "thread_metadata": null })).unwrap();
        assert_eq!((channel.name.as_str(), channel.followers, channel.role), ("", None, None));
        assert_eq!((channel.state, channel.posts_muted), (ChannelState::Active, None));
        for none in [json!(null), json!({}), json!({ "id": "1@g.us" }), json!({ "id": 1 })] {
            assert_eq!(Channel::read(&none), None);
        }
    }

    #[test]
    fn words_are_read_in_any_case_and_numbers_in_both_forms() {
        let told = json!({
            "id": "1@newsletter",
            "state": { "type": "geosuspended" },
            "thread_metadata": {
                "subscribers_count": 12, "creation_time": "7", "verification": "verified",
                "picture": { "id": "", "direct_path": "/p" },
                "pinned_messages": [{ "message_id": "A", "expiry_ts": "9" }, {}],
            },
            "viewer_metadata": { "role": "admin", "mute": "on" },
        });
        let channel = Channel::read(&told).unwrap();
        assert_eq!((channel.state, channel.role), (ChannelState::SuspendedHere, Some(ChannelRole::Admin)));
        assert_eq!((channel.followers, channel.created_at, channel.is_verified), (Some(12), Some(7), true));
        assert_eq!((channel.picture, channel.posts_muted), (None, Some(true)));
        assert_eq!(channel.pinned, [PinnedPost { message_id: "A".to_owned(), until: Some(9) }]);
    }
}
