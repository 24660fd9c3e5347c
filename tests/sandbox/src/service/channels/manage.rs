//! Channels as they are made, changed, followed and given up (features document §4.2, §4.7).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use whimbrel_wire::Jid;

use super::super::Service;
use super::super::accounts::AccountId;
use super::super::pictures::Picture as Kept;
use super::By;
use super::state::{Channel, Follower, Picture, Text};
use crate::stanza::Refusal;

/// Longest name and description.
const NAME: usize = 100;
const DESCRIPTION: usize = 2048;

/// How long a post stays pinned, in seconds.
const PINNED: u64 = 30 * 86_400;

/// Posts that are pinned at a time.
const PINS: usize = 1;

impl Service {
    /// A channel that goes on.
    pub(super) fn living_channel(&self, jid: &Jid) -> Result<&Channel, Refusal> {
        self.channels.get(jid).filter(|channel| !channel.deleted).ok_or_else(|| Refusal::code(404))
    }

    pub(super) fn living_channel_mut(&mut self, jid: &Jid) -> Result<&mut Channel, Refusal> {
        self.channels.get_mut(jid).filter(|channel| !channel.deleted).ok_or_else(|| Refusal::code(404))
    }

    /// Makes a channel of somebody with followers.
    pub(crate) fn make_channel(&mut self, owner: &str, name: &str, followers: &[String]) -> Option<Jid> {
        let owner = self.accounts.by_pn(owner)?;
        let followers: Option<Vec<AccountId>> =
            followers.iter().map(|number| self.accounts.by_pn(number)).collect();
        let followers = followers?;
        let jid = self.add_channel(owner, name.to_owned());
        let now = self.now;
        let channel = self.channels.get_mut(&jid)?;
        for follower in followers {
            channel.followers.entry(follower).or_insert(Follower { since: now, ..Follower::default() });
        }
        Some(jid)
    }

    fn add_channel(&mut self, owner: AccountId, name: String) -> Jid {
        let id = format!("120363{}", self.random_digits(12));
        let invite = format!("0029Va{}", self.random_digits(16));
        let now = self.now;
        self.channels.add(&id, invite, owner, Text::new(name, now), now)
    }

    pub(super) fn create_channel(&mut self, by: By, input: &Value) -> Result<Jid, Refusal> {
        self.accepted_terms(by, "20601217")?;
        let name = input.get("name").and_then(Value::as_str).unwrap_or_default();
        let description = input.get("description").and_then(Value::as_str).unwrap_or_default();
        if name.is_empty() || name.chars().count() > NAME || description.chars().count() > DESCRIPTION {
            return Err(Refusal::code(406));
        }
        let picture = match input.get("picture").and_then(Value::as_str).filter(|text| !text.is_empty()) {
            Some(text) => Some(self.keep_channel_picture(text)?),
            None => None,
        };
        let jid = self.add_channel(by.account, name.to_owned());
        let now = self.now;
        if let Some(channel) = self.channels.get_mut(&jid) {
            channel.description = Text::new(description.to_owned(), now);
            channel.picture = picture;
        }
        self.tell_joined(by, &jid);
        Ok(jid)
    }

    fn keep_channel_picture(&mut self, text: &str) -> Result<Picture, Refusal> {
        let jpeg = BASE64.decode(text).map_err(|_| Refusal::code(406))?;
        let id = self.next_id();
        let kept = Kept::keep(&self.shelf, id, &jpeg).ok_or_else(|| Refusal::code(406))?;
        Ok(Picture { id: kept.id, full: kept.full, preview: kept.preview })
    }

    /// Changes what admins may change. A setting that is `null` is none.
    pub(super) fn update_channel(&mut self, by: By, jid: &Jid, updates: &Value) -> Result<(), Refusal> {
        if !self.living_channel(jid)?.is_admin(by.account) {
            return Err(Refusal::code(403));
        }
        let text = |name: &str| updates.get(name).and_then(Value::as_str).map(str::to_owned);
        let (name, description) = (text("name"), text("description"));
        let too_long =
            |text: &Option<String>, limit| text.as_ref().is_some_and(|text| text.chars().count() > limit);
        if name.as_deref() == Some("") || too_long(&name, NAME) || too_long(&description, DESCRIPTION) {
            return Err(Refusal::code(406));
        }
        let reactions =
            updates.get("reaction_codes").or_else(|| updates.get("settings")?.get("reaction_codes"));
        let reactions =
            reactions.and_then(|codes| codes.get("value")).and_then(Value::as_str).map(str::to_owned);
        if reactions.as_deref().is_some_and(|word| !matches!(word, "ALL" | "BASIC" | "NONE" | "BLOCKLIST")) {
            return Err(Refusal::code(400));
        }
        let picture = match updates.get("picture") {
            None => None,
            Some(Value::String(text)) if !text.is_empty() => Some(Some(self.keep_channel_picture(text)?)),
            Some(_) => Some(None),
        };
        let now = self.now;
        let channel = self.living_channel_mut(jid)?;
        let mut told = serde_json::Map::new();
        if let Some(name) = name {
            channel.name = Text::new(name.clone(), now);
            told.insert("name".to_owned(), name.into());
        }
        if let Some(description) = description {
            channel.description = Text::new(description.clone(), now);
            told.insert("description".to_owned(), description.into());
        }
        if let Some(reactions) = reactions {
            channel.reactions = reactions;
            told.insert("reaction_codes".to_owned(), json!({ "value": channel.reactions.clone() }));
        }
        if let Some(picture) = picture {
            channel.picture = picture;
            told.insert("picture".to_owned(), Value::Null);
        }
        self.tell_changed(by, jid, told);
        Ok(())
    }

    pub(super) fn delete_channel(&mut self, by: By, jid: &Jid) -> Result<(), Refusal> {
        let channel = self.living_channel_mut(jid)?;
        if channel.owner != by.account {
            return Err(Refusal::code(403));
        }
        channel.deleted = true;
        channel.watchers.clear();
        self.tell_state(by, jid);
        Ok(())
    }

    pub(super) fn follow(&mut self, by: By, jid: &Jid) -> Result<(), Refusal> {
        self.accepted_terms(by, "20601216")?;
        let now = self.now;
        let channel = self.living_channel_mut(jid)?;
        if channel.followers.contains_key(&by.account) {
            return Ok(());
        }
        channel.followers.insert(by.account, Follower { since: now, ..Follower::default() });
        self.tell_joined(by, jid);
        Ok(())
    }

    /// An owner gives the channel away or deletes it instead.
    pub(super) fn unfollow(&mut self, by: By, jid: &Jid) -> Result<(), Refusal> {
        // Whoever follows a deleted one may give that up too.
        let channel = self.channels.get_mut(jid).ok_or_else(|| Refusal::code(404))?;
        if channel.owner == by.account && !channel.deleted {
            return Err(Refusal::code(403));
        }
        if channel.followers.remove(&by.account).is_none() {
            return Ok(());
        }
        channel.admins.remove(&by.account);
        channel.watchers.retain(|device, _| device.account != by.account);
        self.tell_left(by, jid);
        Ok(())
    }

    pub(super) fn mute_channel(&mut self, by: By, jid: &Jid, kind: &str, muted: bool) -> Result<(), Refusal> {
        let channel = self.living_channel_mut(jid)?;
        let is_admin = channel.is_admin(by.account);
        let follower = channel.followers.get_mut(&by.account).ok_or_else(|| Refusal::code(403))?;
        match kind {
            "MUTE_ADMIN_ACTIVITY" => follower.posts_muted = muted,
            "MUTE_FOLLOWER_ACTIVITY" if is_admin => follower.followers_muted = muted,
            "MUTE_FOLLOWER_ACTIVITY" => return Err(Refusal::code(403)),
            _ => return Err(Refusal::code(400)),
        }
        self.tell_muted(by, jid, kind, muted);
        Ok(())
    }

    pub(super) fn pin_in_channel(
        &mut self,
        by: By,
        jid: &Jid,
        ids: &[String],
        pinned: bool,
    ) -> Result<(), Refusal> {
        let now = self.now;
        let channel = self.living_channel_mut(jid)?;
        if !channel.is_admin(by.account) {
            return Err(Refusal::code(403));
        }
        if ids.is_empty() {
            return Err(Refusal::code(400));
        }
        for id in ids {
            let number = channel.number_of(id).ok_or_else(|| Refusal::code(404))?;
            if channel.post(number).is_none_or(|post| post.revoked) {
                return Err(Refusal::code(404));
            }
            channel.pinned.retain(|(known, _)| known != id);
            if pinned {
                channel.pinned.push((id.clone(), now + PINNED));
            }
        }
        let over = channel.pinned.len().saturating_sub(PINS);
        channel.pinned.drain(..over);
        let told = serde_json::Map::from_iter([("pinned_messages".to_owned(), Value::Null)]);
        self.tell_changed(by, jid, told);
        Ok(())
    }
}
