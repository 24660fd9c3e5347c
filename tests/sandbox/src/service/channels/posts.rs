//! Posts: new ones, changes, and what readers do to them.

use std::collections::{BTreeMap, BTreeSet};

use whimbrel_wire::{Jid, Node};

use super::super::accounts::DeviceId;
use super::super::messages::MessageError;
use super::super::{Service, StreamId};
use super::post::Post;
use crate::stanza;

/// What the file of a post may be.
const MEDIATYPES: [&str; 11] =
    ["audio", "document", "gif", "image", "ptt", "ptv", "sticker", "sticker_pack", "url", "vcard", "video"];

impl Service {
    /// Only admins post.
    fn may_post(&self, device: DeviceId, channel: &Jid) -> Result<(), MessageError> {
        let channel = self.channels.get(channel).ok_or(404_u16)?;
        if channel.is_admin(device.account) { Ok(()) } else { Err(403) }
    }

    pub(super) fn new_post(
        &mut self,
        stream: StreamId,
        device: DeviceId,
        channel: &Jid,
        node: &Node,
    ) -> Result<u64, MessageError> {
        self.may_post(device, channel)?;
        let id = stanza::id(node);
        if let Some(known) = self.channels.get(channel).and_then(|channel| channel.number_of(&id)) {
            return Ok(known);
        }
        let plaintext = self.plaintext(stream, device, node)?;
        let post = Post {
            id,
            server_id: 0,
            time: self.now,
            kind: stanza::text(node, "type").unwrap_or_default(),
            author: device.account,
            plaintext,
            meta: node.child_named("meta").cloned(),
            media_id: stanza::text(node, "media_id"),
            edited: None,
            revoked: false,
            reactions: BTreeMap::new(),
            votes: BTreeMap::new(),
            views: BTreeSet::new(),
            touched: self.now,
        };
        let server_id = self.channels.get_mut(channel).ok_or(404_u16)?.add(post);
        self.tell_of_post(device, channel, server_id);
        Ok(server_id)
    }

    /// The content of a post, if it may be one.
    fn plaintext(&mut self, stream: StreamId, device: DeviceId, node: &Node) -> Result<Node, MessageError> {
        let plaintext = node.child_named("plaintext");
        let plaintext = plaintext.filter(|plaintext| plaintext.content_bytes().is_some());
        let mediatype = plaintext.and_then(|plaintext| stanza::plain(plaintext, "mediatype"));
        let wrong = match plaintext {
            None => Some("post without content"),
            Some(_) if node.attr_is("type", "media") && mediatype.is_none() => {
                Some("media without a media type")
            }
            Some(_) if mediatype.is_some_and(|kind| !MEDIATYPES.contains(&kind)) => {
                Some("media that channels do not have")
            }
            Some(_) => None,
        };
        if let Some(what) = wrong {
            self.find_fault(Some(device), stream, what, stanza::id(node));
        }
        plaintext.filter(|_| wrong.is_none()).cloned().ok_or(400)
    }

    pub(super) fn edit_post(
        &mut self,
        device: DeviceId,
        channel: &Jid,
        node: &Node,
    ) -> Result<u64, MessageError> {
        self.change(device, channel, node, |post, now| {
            post.plaintext = node.child_named("plaintext").cloned().ok_or(400_u16)?;
            post.edited = Some(now.saturating_mul(1000));
            Ok(())
        })
    }

    pub(super) fn revoke_post(
        &mut self,
        device: DeviceId,
        channel: &Jid,
        node: &Node,
    ) -> Result<u64, MessageError> {
        self.change(device, channel, node, |post, _| {
            post.plaintext = Node::new("plaintext");
            post.revoked = true;
            Ok(())
        })
    }

    /// The stanza of a change has the id of the post.
    fn change(
        &mut self,
        device: DeviceId,
        channel: &Jid,
        node: &Node,
        change: impl FnOnce(&mut Post, u64) -> Result<(), MessageError>,
    ) -> Result<u64, MessageError> {
        self.may_post(device, channel)?;
        let now = self.now;
        let known = self.channels.get_mut(channel).ok_or(404_u16)?;
        let server_id = known.number_of(&stanza::id(node)).ok_or(404_u16)?;
        let post = known.post_mut(server_id).ok_or(404_u16)?;
        change(post, now)?;
        post.touched = now;
        self.tell_of_post(device, channel, server_id);
        Ok(server_id)
    }

    /// Tells readers of a post as it is now.
    fn tell_of_post(&mut self, author: DeviceId, channel: &Jid, server_id: u64) {
        let Some(post) = self.channels.get(channel).and_then(|channel| channel.post(server_id)) else {
            return;
        };
        let (edit, meta) = post.change();
        let stanza = post.head().attr("from", channel).attr_opt("edit", edit);
        let stanza = stanza.child(post.plaintext.clone()).child_opt(meta);
        let owner = post.author;
        self.tell_readers(channel, Some(author), |reader| {
            stanza.clone().attr_opt("is_sender", (reader == owner).then_some("true"))
        });
    }

    /// A reader reacts or votes. A reaction replaces the person's earlier one, and so does a vote.
    pub(super) fn act_on_post(
        &mut self,
        device: DeviceId,
        channel: &Jid,
        node: &Node,
    ) -> Result<Option<u64>, MessageError> {
        let now = self.now;
        let known = self.channels.get_mut(channel).ok_or(404_u16)?;
        if !known.is_reader(device.account) {
            return Err(403);
        }
        let takes_none = known.reactions == "NONE";
        let server_id = node.attr_u64("server_id").ok_or(400_u16)?;
        let post = known.post_mut(server_id).ok_or(404_u16)?;
        if let Some(votes) = node.child_named("votes") {
            let options: BTreeSet<Vec<u8>> = votes
                .children_named("vote")
                .filter_map(|vote| vote.content_bytes().filter(|hash| hash.len() == 32))
                .map(<[u8]>::to_vec)
                .collect();
            post.votes.insert(device.account, (now, options));
        } else {
            let code = node.child_named("reaction").and_then(|reaction| stanza::text(reaction, "code"));
            match code.filter(|code| !code.is_empty()) {
                Some(_) if takes_none => return Err(403),
                Some(code) => post.reactions.insert(device.account, code),
                None => post.reactions.remove(&device.account),
            };
        }
        post.touched = now;
        self.tell_counts(channel, server_id);
        Ok(None)
    }

    /// Tells those who asked for it. Each client reads one of the two forms (features document §4.5).
    pub(super) fn tell_counts(&mut self, channel: &Jid, server_id: u64) {
        let Some(post) = self.channels.get(channel).and_then(|channel| channel.post(server_id)) else {
            return;
        };
        let counts = post.head().children(post.counts());
        let wrapped = Node::new("messages").attr("jid", channel).attr("t", self.now).child(counts.clone());
        let live = Node::new("live_updates").child(wrapped).child(counts);
        let Some(known) = self.channels.get(channel) else { return };
        let watching = known.watchers.iter().filter(|(_, until)| **until > self.now);
        let watching: Vec<DeviceId> = watching.map(|(device, _)| *device).collect();
        for device in watching {
            if self.accounts.device(device).is_some_and(|device| device.stream.is_some()) {
                let notification = self.notification("newsletter", channel.clone()).child(live.clone());
                self.push(device, notification);
            }
        }
    }
}
