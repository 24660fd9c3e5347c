//! Channels, as tests make them and look at them.

use whimbrel_wire::Jid;

use crate::service::ChannelState;
use crate::{Sandbox, StatusAudience};

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
        let followers: Vec<String> = followers.iter().map(|number| (*number).to_owned()).collect();
        let jid = self.with(|service| service.make_channel(owner, &followers))?;
        Some(Channel { sandbox: self.clone(), jid })
    }

    /// The channel with this address.
    #[must_use]
    pub fn find_channel(&self, jid: &Jid) -> Option<Channel> {
        let known = self.with(|service| service.channel_state(jid).is_some());
        known.then(|| Channel { sandbox: self.clone(), jid: jid.clone() })
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
}
