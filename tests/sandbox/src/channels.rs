//! Channels, as tests make and look at them, and as people use them on their phones.

use serde_json::{Value, json};
use whimbrel_wire::Jid;

use crate::service::ChannelState;
use crate::stanza::Refusal;
use crate::{Sandbox, StatusAudience};

/// Why something could not be done to a channel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the service refused: {code} {text}")]
pub struct ChannelError {
    /// Code of the error: 403 for what the person may not do, 404 for unknown people and channels.
    pub code: u16,
    /// Its usual text.
    pub text: String,
}

impl From<Refusal> for ChannelError {
    fn from(refusal: Refusal) -> Self {
        Self { code: refusal.code, text: refusal.text }
    }
}

/// A channel of a sandbox. Clones are handles of the same one.
#[derive(Debug, Clone)]
pub struct Channel {
    sandbox: Sandbox,
    jid: Jid,
}

impl Sandbox {
    /// Makes a channel of somebody, given by number, with followers. Nothing if there are no such people.
    #[must_use]
    pub fn create_channel(&self, owner: &str, followers: &[&str]) -> Option<Channel> {
        self.create_named_channel(owner, "Channel", followers)
    }

    /// As [`create_channel`](Self::create_channel), with a name.
    #[must_use]
    pub fn create_named_channel(&self, owner: &str, name: &str, followers: &[&str]) -> Option<Channel> {
        let followers: Vec<String> = followers.iter().map(|number| (*number).to_owned()).collect();
        let jid = self.with(|service| service.make_channel(owner, name, &followers))?;
        Some(Channel { sandbox: self.clone(), jid })
    }

    /// The channel with this address.
    #[must_use]
    pub fn find_channel(&self, jid: &Jid) -> Option<Channel> {
        let known = self.with(|service| service.channel_state(jid).is_some());
        known.then(|| Channel { sandbox: self.clone(), jid: jid.clone() })
    }

    /// Somebody has to accept a notice of the terms of service before going on. Tells whether there is such
    /// a person.
    #[must_use]
    pub fn want_terms(&self, number: &str, notice: &str) -> bool {
        self.with(|service| service.want_terms(number, notice))
    }

    /// Devices that ask to be told how posts are received are told for so many seconds from now on.
    pub fn set_live_duration(&self, seconds: u64) {
        self.with(|service| service.set_live_duration(seconds));
    }

    /// The owner of an account chooses on the phone who sees its statuses. Tells whether there are such
    /// people.
    #[must_use]
    pub fn set_status_privacy(&self, number: &str, audience: StatusAudience, people: &[&str]) -> bool {
        self.with(|service| service.set_status_privacy(number, audience, people))
    }
}

impl Channel {
    /// Its address.
    #[must_use]
    pub fn jid(&self) -> Jid {
        self.jid.clone()
    }

    /// What the service knows of it.
    #[must_use]
    pub fn state(&self) -> Option<ChannelState> {
        self.sandbox.with(|service| service.channel_state(&self.jid))
    }

    /// Puts it into the directory.
    pub fn list(&self, category: &str, verified: bool) {
        self.sandbox.with(|service| service.list_in_directory(&self.jid, category, verified));
    }

    /// Somebody follows it on the phone.
    pub fn follow(&self, number: &str) -> Result<(), ChannelError> {
        self.act(number, "JoinNewsletter", json!({})).map(drop)
    }

    /// Somebody follows it no more.
    pub fn unfollow(&self, number: &str) -> Result<(), ChannelError> {
        self.act(number, "LeaveNewsletter", json!({})).map(drop)
    }

    /// Somebody mutes its posts on the phone, or wants to hear of them again.
    pub fn mute(&self, number: &str, muted: bool) -> Result<(), ChannelError> {
        let operation = if muted { "MuteNewsletter" } else { "UnmuteNewsletter" };
        self.act(number, operation, json!({})).map(drop)
    }

    /// An admin changes it on the phone: `updates` as in the GraphQL interface, such as `{"name":"…"}`.
    pub fn update(&self, number: &str, updates: Value) -> Result<(), ChannelError> {
        self.act(number, "UpdateNewsletter", json!({ "updates": updates })).map(drop)
    }

    /// The owner deletes it on the phone.
    pub fn delete(&self, number: &str) -> Result<(), ChannelError> {
        self.act(number, "DeleteNewsletter", json!({})).map(drop)
    }

    /// The owner invites somebody to be an admin.
    pub fn invite(&self, number: &str, person: &str) -> Result<(), ChannelError> {
        self.act_on(number, "CreateNewsletterAdminInvite", person)
    }

    /// Somebody accepts such an invitation.
    pub fn accept(&self, number: &str) -> Result<(), ChannelError> {
        self.act(number, "AcceptNewsletterAdminInvite", json!({})).map(drop)
    }

    /// Somebody makes an admin a follower again.
    pub fn demote(&self, number: &str, person: &str) -> Result<(), ChannelError> {
        self.act_on(number, "DemoteNewsletterAdmin", person)
    }

    fn act_on(&self, number: &str, operation: &str, person: &str) -> Result<(), ChannelError> {
        let lid = self.sandbox.with(|service| service.lid_of_number(person));
        let lid = lid.ok_or_else(|| Refusal::code(404))?;
        self.act(number, operation, json!({ "user_id": lid.to_string() })).map(drop)
    }

    fn act(&self, number: &str, operation: &str, mut variables: Value) -> Result<Value, ChannelError> {
        if let Some(variables) = variables.as_object_mut() {
            variables.insert("newsletter_id".to_owned(), self.jid.to_string().into());
        }
        let done = self.sandbox.with(|service| service.act_on_channel(number, operation, &variables));
        done.map_err(Into::into)
    }
}
