//! What is asked about channels over the GraphQL interface, and what is read of the answers (features
//! document §4.2). Pure.

use serde_json::{Map, Value, json};
use whimbrel_wire::Jid;

use super::channel::{self, Channel, ChannelActivity, ChannelReactions, ChannelRole, PinnedPost};

/// An operation by its name in the table, and what it answers under.
pub(super) type Graph = (&'static str, &'static str);

pub(super) const CREATE: Graph = ("CreateNewsletter", "xwa2_newsletter_create");
pub(super) const GET: Graph = ("FetchNewsletter", "xwa2_newsletter");
pub(super) const LIST: Graph = ("FetchAllNewslettersMetadata", "xwa2_newsletter_subscribed");
pub(super) const FOLLOW: Graph = ("JoinNewsletter", "xwa2_newsletter_join_v2");
pub(super) const UNFOLLOW: Graph = ("LeaveNewsletter", "xwa2_newsletter_leave_v2");
pub(super) const MUTE: Graph = ("UpdateNewsletterUserSetting", "xwa2_newsletter_update_user_setting");
pub(super) const UPDATE: Graph = ("UpdateNewsletter", "xwa2_newsletter_update");
pub(super) const DELETE: Graph = ("DeleteNewsletter", "xwa2_newsletter_delete_v2");
pub(super) const TRANSFER: Graph = ("ChangeNewsletterOwner", "xwa2_newsletter_change_owner");
pub(super) const DEMOTE: Graph = ("DemoteNewsletterAdmin", "xwa2_newsletter_admin_demote");
pub(super) const INVITE: Graph = ("CreateNewsletterAdminInvite", "xwa2_newsletter_admin_invite_create");
pub(super) const ACCEPT: Graph = ("AcceptNewsletterAdminInvite", "xwa2_newsletter_admin_invite_accept");
pub(super) const REVOKE: Graph = ("RevokeNewsletterAdminInvite", "xwa2_newsletter_admin_invite_revoke");
pub(super) const ADMINS: Graph = ("FetchNewsletterAdminInfo", "xwa2_newsletter_admin");
pub(super) const CAPABILITIES: Graph = ("FetchNewsletterAdminCapabilities", "xwa2_newsletter_admin");
pub(super) const INVITED: Graph = ("FetchNewsletterPendingInvites", "xwa2_newsletter_admin");
pub(super) const FOLLOWERS: Graph = ("FetchNewsletterFollowers", "xwa2_newsletter_followers");
pub(super) const VOTERS: Graph = ("FetchNewsletterPollVoters", "voter_list");
pub(super) const REACTIONS: Graph =
    ("FetchNewsletterMessageReactionSenderList", "xwa2_newsletters_reaction_sender_list");
pub(super) const PIN: Graph = ("NewsletterPinMessages", "xwa2_newsletter_pin_messages");
pub(super) const UNPIN: Graph = ("NewsletterUnpinMessages", "xwa2_newsletter_unpin_messages");
pub(super) const BROWSE: Graph = ("FetchNewsletterDirectoryList", "xwa2_newsletters_directory_list");
pub(super) const SEARCH: Graph =
    ("FetchNewsletterDirectorySearchResults", "xwa2_newsletters_directory_search");
pub(super) const CATEGORIES: Graph =
    ("FetchNewsletterDirectoryCategoriesPreview", "xwa2_newsletters_directory_category_preview");
pub(super) const RECOMMENDED: Graph = ("FetchRecommendedNewsletters", "xwa2_newsletters_recommended");
pub(super) const SIMILAR: Graph = ("FetchSimilarNewsletters", "xwa2_newsletters_similar");

/// What a channel is asked for by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Address(Jid),
    Invite(String),
}

pub(super) fn create(name: &str, description: &str, picture: Option<&str>) -> Value {
    let mut input = json!({ "name": name, "description": description });
    put(&mut input, "picture", picture.map(Value::from));
    json!({ "input": input })
}

pub(super) fn get(key: &Key) -> Value {
    let (key, kind) = match key {
        Key::Address(jid) => (jid.to_string(), "JID"),
        Key::Invite(code) => (code.clone(), "INVITE"),
    };
    json!({
        "input": { "key": key, "type": kind, "view_role": "SUBSCRIBER" },
        "fetch_viewer_metadata": true,
        "fetch_full_image": kind == "JID",
        "fetch_creation_time": true,
        "fetch_wamo_sub": false,
        "fetch_status_metadata": false,
        "fetch_pinned_messages": true,
    })
}

pub(super) fn list() -> Value {
    json!({ "fetch_wamo_sub": false, "fetch_status_metadata": false })
}

/// The variables of all that is about one channel and nothing else.
pub(super) fn about(channel: &Jid) -> Value {
    json!({ "newsletter_id": channel.to_string() })
}

/// The variables of what is done to somebody in a channel.
pub(super) fn about_person(channel: &Jid, person: &Jid) -> Value {
    json!({ "newsletter_id": channel.to_string(), "user_id": person.to_string() })
}

pub(super) fn mute(channel: &Jid, activity: ChannelActivity, muted: bool) -> Value {
    let value = if muted { "ON" } else { "OFF" };
    json!({ "input": { "newsletter_id": channel.to_string(), "type": activity.word(), "value": value } })
}

/// What shall be otherwise; without a change there is nothing to ask for.
pub(super) fn update(
    channel: &Jid,
    name: Option<&str>,
    description: Option<&str>,
    picture: Option<&str>,
    reactions: Option<ChannelReactions>,
) -> Option<Value> {
    let mut updates = json!({});
    put(&mut updates, "name", name.map(Value::from));
    put(&mut updates, "description", description.map(Value::from));
    put(&mut updates, "picture", picture.map(Value::from));
    let reactions = match reactions {
        Some(reactions) => Some(json!({ "value": reactions.word()? })),
        None => None,
    };
    put(&mut updates, "reaction_codes", reactions);
    let some = updates.as_object().is_some_and(|updates| !updates.is_empty());
    some.then(|| json!({ "newsletter_id": channel.to_string(), "updates": updates }))
}

pub(super) fn followers(channel: &Jid, count: u32) -> Value {
    json!({ "input": { "newsletter_id": channel.to_string(), "count": count } })
}

pub(super) fn voters(channel: &Jid, server_id: u64, option: &[u8; 32], limit: u32) -> Value {
    use std::fmt::Write as _;
    let hash = option.iter().fold(String::with_capacity(64), |mut hash, octet| {
        // Writing to a string cannot fail.
        let _ = write!(hash, "{octet:02x}");
        hash
    });
    json!({ "input": {
        "newsletter_id": channel.to_string(),
        "server_id": server_id.to_string(),
        "vote_hash": hash,
        "limit": limit,
    } })
}

pub(super) fn reactions(channel: &Jid, server_id: u64) -> Value {
    json!({ "input": { "id": channel.to_string(), "server_id": server_id.to_string() } })
}

pub(super) fn pin(channel: &Jid, message_id: &str) -> Value {
    json!({ "newsletter_id": channel.to_string(), "input": { "message_ids": [message_id] } })
}

pub(super) fn browse(
    view: &str,
    countries: &[String],
    categories: &[String],
    limit: u32,
    cursor: Option<&str>,
) -> Value {
    let filters = json!({ "country_codes": countries, "categories": categories });
    let mut input = json!({ "view": view, "filters": filters, "limit": limit });
    put(&mut input, "start_cursor", cursor.map(Value::from));
    json!({ "input": input, "fetch_status_metadata": false })
}

pub(super) fn search(text: &str, categories: &[String], limit: u32, cursor: Option<&str>) -> Value {
    let mut input = json!({ "search_text": text, "categories": categories, "limit": limit });
    put(&mut input, "start_cursor", cursor.map(Value::from));
    json!({ "input": input, "fetch_status_metadata": false })
}

pub(super) fn categories(categories: &[String], country: &str, each: u32) -> Value {
    let input = json!({ "categories": categories, "country_code": country, "per_category_limit": each });
    json!({ "input": input, "fetch_status_metadata": false })
}

pub(super) fn recommended(countries: &[String], limit: u32) -> Value {
    json!({ "input": { "limit": limit, "country_codes": countries }, "fetch_status_metadata": false })
}

pub(super) fn similar(channel: &Jid, countries: &[String], limit: u32) -> Value {
    let input = json!({ "newsletter_id": channel.to_string(), "limit": limit, "country_codes": countries });
    json!({ "input": input, "fetch_status_metadata": false })
}

fn put(object: &mut Value, name: &str, value: Option<Value>) {
    if let (Some(object), Some(value)) = (object.as_object_mut(), value) {
        Map::insert(object, name.to_owned(), value);
    }
}

/// Items of a list, as far as they can be read.
fn all<T>(list: Option<&Value>, read: impl Fn(&Value) -> Option<T>) -> Vec<T> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(read).collect()
}

fn edges<'a>(told: &'a Value, name: &str) -> Option<&'a Value> {
    told.get(name)?.get("edges")
}

/// A list of channels; `None` if it is none.
pub(super) fn read_list(told: &Value) -> Option<Vec<Channel>> {
    told.is_array().then(|| all(Some(told), Channel::read))
}

/// A page of channels, and where the next one begins.
pub(super) fn read_page(told: &Value) -> Option<(Vec<Channel>, Option<String>)> {
    let channels = read_list(told.get("result")?)?;
    let info = told.get("page_info");
    let more = info.and_then(|info| info.get("hasNextPage")).and_then(Value::as_bool) == Some(true);
    let cursor = info.and_then(|info| channel::word(info, "endCursor")).filter(|cursor| !cursor.is_empty());
    Some((channels, cursor.filter(|_| more)))
}

/// Categories of the directory: name, title, some channels.
pub(super) fn read_categories(told: &Value) -> Option<Vec<(String, String, Vec<Channel>)>> {
    let read = |category: &Value| {
        let name = channel::word(category, "category")?;
        let title = channel::word(category, "category_title").unwrap_or_default();
        Some((name, title, all(category.get("newsletters"), Channel::read)))
    };
    told.get("result")?.as_array()?;
    Some(all(told.get("result"), read))
}

/// Somebody in a channel, as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ToldFollower {
    pub(super) id: Jid,
    pub(super) phone: Option<Jid>,
    pub(super) name: Option<String>,
    pub(super) role: ChannelRole,
    pub(super) since: Option<i64>,
}

pub(super) fn read_followers(told: &Value) -> Option<Vec<ToldFollower>> {
    let read = |edge: &Value| {
        let node = edge.get("node")?;
        Some(ToldFollower {
            id: channel::person(node, "id")?,
            phone: channel::person(node, "pn"),
            name: channel::word(node, "display_name").filter(|name| !name.is_empty()),
            role: channel::word(edge, "role").map_or(ChannelRole::Unknown, |word| ChannelRole::of(&word)),
            since: channel::time(edge, "follow_time"),
        })
    };
    let edges = edges(told, "followers")?;
    edges.as_array()?;
    Some(all(Some(edges), read))
}

/// Those who wait for an answer to an invitation, under both addresses.
pub(super) fn read_invited(told: &Value) -> Option<Vec<(Jid, Option<Jid>)>> {
    let list = told.get("pending_admin_invites")?;
    let read = |entry: &Value| {
        let user = entry.get("user")?;
        Some((channel::person(user, "id")?, channel::person(user, "pn")))
    };
    Some(all(Some(list), read))
}

/// How many admins there are, and whether they may show themselves.
pub(super) fn read_admins(told: &Value) -> Option<(u32, bool)> {
    let count = told.get("admin_count").and_then(channel::number)?;
    let shown = told.get("admin_settings").and_then(|settings| settings.get("admin_profiles_enabled"));
    Some((u32::try_from(count).unwrap_or(u32::MAX), shown.and_then(Value::as_bool) == Some(true)))
}

/// What admins may do here, in the service's words.
pub(super) fn read_capabilities(told: &Value) -> Option<Vec<String>> {
    let list = told.get("capabilities")?;
    Some(all(Some(list), |word| word.as_str().map(str::to_ascii_lowercase)))
}

/// Until when an invitation holds, if it is told.
pub(super) fn read_invitation(told: &Value) -> Option<Option<i64>> {
    channel::address(told, "id").map(|_| channel::time(told, "invite_expiration_time"))
}

/// Who voted for an option, and when.
pub(super) fn read_voters(told: &Value) -> Option<Vec<(Jid, Option<i64>)>> {
    let read =
        |edge: &Value| Some((channel::person(edge.get("node")?, "id")?, channel::time(edge, "action_time")));
    let votes = told.get("votes")?.as_array()?;
    Some(votes.iter().flat_map(|vote| all(edges(vote, "voter_list"), read)).collect())
}

/// Who reacted with what.
pub(super) fn read_reactions(told: &Value) -> Option<Vec<(String, Vec<Jid>)>> {
    let sender = |edge: &Value| channel::person(edge.get("node")?, "id");
    let read = |reaction: &Value| {
        Some((channel::word(reaction, "reaction_code")?, all(edges(reaction, "sender_list"), sender)))
    };
    told.get("reactions")?.as_array()?;
    Some(all(told.get("reactions"), read))
}

/// The posts that are pinned now.
pub(super) fn read_pinned(told: &Value) -> Option<Vec<PinnedPost>> {
    channel::address(told, "id")?;
    Some(told.get("thread_metadata").map(channel::pinned).unwrap_or_default())
}
