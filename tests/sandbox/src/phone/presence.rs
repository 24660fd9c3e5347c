//! What the person at the phone shows of himself, and sees of others: presence, writing, the about text and
//! who may see them (features document §6, §7.1, §8.1).

use std::time::Duration;

use whimbrel_wire::{Jid, Node};

use super::records::{Sign, SignKind};
use super::stanza::iq;
use super::{Phone, PhoneError};

impl Phone {
    /// Says whether the person looks at the phone.
    pub async fn set_available(&self, available: bool) -> Result<(), PhoneError> {
        let kind = if available { "available" } else { "unavailable" };
        let name = self.name().to_owned();
        let presence = Node::new("presence").attr("type", kind).attr("name", name);
        self.inner.line.send(presence).await
    }

    /// Watches whether somebody is online; it is told while this phone is available.
    pub async fn watch(&self, person: &str) -> Result<(), PhoneError> {
        let person = self.resolve(person).await?;
        let to = self.state().addressee(&person);
        self.inner.line.send(Node::new("presence").attr("type", "subscribe").attr("to", to)).await
    }

    /// Says what the person does in a chat; presences are none.
    pub async fn set_chat_state(&self, chat: &str, kind: SignKind) -> Result<(), PhoneError> {
        let chat = self.chat(chat).await?;
        let what = match kind {
            SignKind::Composing => Node::new("composing"),
            SignKind::Recording => Node::new("composing").attr("media", "audio"),
            SignKind::Paused => Node::new("paused"),
            SignKind::Available | SignKind::Unavailable => return Err(PhoneError::BadAddress),
        };
        let to = self.state().addressee(&chat);
        self.inner.line.send(Node::new("chatstate").attr("to", to).child(what)).await
    }

    /// Sets what the person says of himself.
    pub async fn set_about(&self, text: &str) -> Result<(), PhoneError> {
        let status = Node::new("status").text(text.to_owned());
        self.inner.line.request(iq("set", "status").child(status)).await.map(drop)
    }

    /// Sets who may see what, such as `last` to `none`.
    pub async fn set_privacy(&self, category: &str, value: &str) -> Result<(), PhoneError> {
        let category =
            Node::new("category").attr("name", category.to_owned()).attr("value", value.to_owned());
        let privacy = Node::new("privacy").child(category);
        self.inner.line.request(iq("set", "privacy").child(privacy)).await.map(drop)
    }

    /// Sets the timer that the person wants in new chats, in seconds.
    pub async fn set_default_timer(&self, seconds: u32) -> Result<(), PhoneError> {
        let mode = Node::new("disappearing_mode").attr("duration", seconds);
        self.inner.line.request(iq("set", "disappearing_mode").child(mode)).await.map(drop)
    }

    /// Blocks somebody, or no longer.
    pub async fn set_blocked(&self, person: &str, blocked: bool) -> Result<(), PhoneError> {
        let person = self.resolve(person).await?;
        let person = self.state().people.session_address(&person).to_account();
        let action = if blocked { "block" } else { "unblock" };
        let item = Node::new("item").attr("action", action).attr("jid", person);
        self.inner.line.request(iq("set", "blocklist").child(item)).await.map(drop)
    }

    /// What was seen of others with a number above `after`; waits for the first if there is none.
    pub async fn signs_after(&self, after: u64, wait: Duration) -> Vec<(u64, Sign)> {
        self.inner.signs.wait_after(after, wait).await
    }

    /// The first thing that `wanted` accepts, of what was seen of others and what will be.
    pub async fn wait_sign(
        &self,
        wanted: impl FnMut(&Sign) -> bool,
        deadline: Duration,
    ) -> Result<Sign, PhoneError> {
        let found = self.inner.signs.wait_for(0, deadline, wanted).await;
        found.map(|(_, sign)| sign).ok_or(PhoneError::Timeout)
    }

    /// Shows a presence or chat state of somebody else.
    pub(super) fn saw(&self, node: &Node) {
        let (Some(chat), Some(kind)) = (node.attr_jid("from"), kind(node)) else { return };
        let from = node.attr_jid("participant").unwrap_or_else(|| chat.clone());
        let from = self.state().people.session_address(&from).to_string();
        let last_seen = node.attr_text("last").map(std::borrow::Cow::into_owned);
        let chat: Jid = if chat.is_group() { chat } else { self.state().people.session_address(&chat) };
        self.inner.signs.push(Sign { chat: chat.to_string(), from, kind, last_seen });
    }
}

fn kind(node: &Node) -> Option<SignKind> {
    if node.tag() == "presence" {
        return match node.attr_text("type").as_deref() {
            None | Some("available") => Some(SignKind::Available),
            Some("unavailable") => Some(SignKind::Unavailable),
            Some(_) => None,
        };
    }
    if node.child_named("paused").is_some() {
        return Some(SignKind::Paused);
    }
    let composing = node.child_named("composing")?;
    Some(if composing.attr_is("media", "audio") { SignKind::Recording } else { SignKind::Composing })
}
