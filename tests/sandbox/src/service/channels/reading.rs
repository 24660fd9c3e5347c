//! Channels as they are read: posts in pages, what changed about them, live counts, views (features
//! document §4.4, §4.7).

use whimbrel_wire::{Jid, Node};

use super::super::accounts::DeviceId;
use super::super::iq::Reply;
use super::super::{Service, StreamId};
use super::post::Post;
use super::state::Channel;
use crate::events::Event;
use crate::stanza::{self, Refusal};

/// Posts in one answer.
const MOST: u64 = 100;

/// Which part of a list is asked for.
struct Page {
    count: usize,
    before: Option<u64>,
    after: Option<u64>,
}

impl Page {
    fn of(node: &Node) -> Result<Self, Refusal> {
        let count = node.attr_u64("count").unwrap_or(MOST);
        let (before, after) = (node.attr_u64("before"), node.attr_u64("after"));
        if count == 0 || count > MOST || (before.is_some() && after.is_some()) {
            return Err(Refusal::code(400));
        }
        Ok(Self { count: usize::try_from(count).unwrap_or(0), before, after })
    }

    /// The posts of it, oldest first: the latest that fit, but those right after a number if one is given.
    fn of_posts<'c>(&self, channel: &'c Channel, wanted: impl Fn(&Post) -> bool) -> Vec<&'c Post> {
        let fits = |post: &&Post| {
            let number = post.server_id;
            wanted(post)
                && self.before.is_none_or(|before| number < before)
                && self.after.is_none_or(|after| number > after)
        };
        if self.after.is_some() {
            return channel.posts().filter(fits).take(self.count).collect();
        }
        let mut posts: Vec<&Post> = channel.posts().rev().filter(fits).take(self.count).collect();
        posts.reverse();
        posts
    }
}

impl Service {
    /// A device asks for what is in channels. Channels are public: whoever has the address may read.
    pub(in super::super) fn channel_query(
        &mut self,
        device: DeviceId,
        request: &Node,
    ) -> Result<Reply, Refusal> {
        let to = request.attr_jid("to").unwrap_or(Jid::SERVER);
        if let Some(asked) = request.child_named("messages") {
            let channel = match (to.is_newsletter(), stanza::plain(asked, "type")) {
                (true, _) => self.living_channel(&to)?,
                (false, Some("invite")) => {
                    let code = stanza::text(asked, "key").ok_or_else(|| Refusal::code(400))?;
                    self.channels.by_invite(&code).ok_or_else(|| Refusal::code(404))?
                }
                (false, _) => {
                    let jid = asked.attr_jid("jid").ok_or_else(|| Refusal::code(400))?;
                    self.living_channel(&jid)?
                }
            };
            let posts = Page::of(asked)?.of_posts(channel, |_| true);
            let posts = posts.into_iter().map(|post| post.fetched(device.account));
            return Ok(Reply::Child(self.post_list(channel, posts.collect())));
        }
        if let Some(asked) = request.child_named("message_updates") {
            let channel = self.living_channel(&to)?;
            let since = asked.attr_u64("since").unwrap_or(0);
            let posts = Page::of(asked)?.of_posts(channel, |post| post.touched >= since);
            let posts = posts.into_iter().map(|post| {
                let (edit, meta) = post.change();
                post.head().attr_opt("edit", edit).children(post.counts()).child_opt(meta)
            });
            let list = self.post_list(channel, posts.collect());
            return Ok(Reply::Child(Node::new("message_updates").child(list)));
        }
        let asked = request.child_named("my_addons").ok_or_else(|| Refusal::code(501))?;
        let limit = asked.attr_u64("limit").filter(|limit| (1..=MOST).contains(limit));
        let limit = usize::try_from(limit.ok_or_else(|| Refusal::code(400))?).unwrap_or(0);
        let lists = self.channels.iter().filter_map(|channel| own_acts(channel, device, limit));
        Ok(Reply::Child(Node::new("my_addons").children(lists.collect::<Vec<_>>())))
    }

    fn post_list(&self, channel: &Channel, posts: Vec<Node>) -> Node {
        Node::new("messages").attr("jid", &channel.jid).attr("t", self.now).children(posts)
    }

    /// A device wants to be told of counts for a while.
    pub(in super::super) fn channel_change(
        &mut self,
        device: DeviceId,
        request: &Node,
    ) -> Result<Reply, Refusal> {
        let jid = request.attr_jid("to").ok_or_else(|| Refusal::code(400))?;
        request.child_named("live_updates").ok_or_else(|| Refusal::code(501))?;
        let (now, live) = (self.now, self.channels.live);
        let channel = self.living_channel_mut(&jid)?;
        if !channel.is_reader(device.account) {
            return Err(Refusal::code(403));
        }
        channel.watchers.insert(device, now + live);
        let label = self.accounts.label(device);
        self.log(Event::ChannelWatched { device: label, channel: jid.to_string() });
        Ok(Reply::Child(Node::new("live_updates").attr("duration", live)))
    }

    /// What a device asked for ends with its connection.
    pub(in super::super) fn watches_nothing(&mut self, device: DeviceId) {
        for channel in self.channels.iter_mut() {
            channel.watchers.remove(&device);
        }
    }

    /// Devices are told of counts for so many seconds from now on.
    pub(crate) fn set_live_duration(&mut self, seconds: u64) {
        self.channels.live = seconds;
    }

    /// A device says that posts were seen. Each person counts once.
    pub(in super::super) fn channel_receipt(&mut self, stream: StreamId, device: DeviceId, node: &Node) {
        let channel = node.attr_jid("to").unwrap_or(Jid::SERVER);
        let ack = Node::new("ack")
            .attr("class", "receipt")
            .attr("id", stanza::id(node))
            .attr("from", &channel)
            .attr_opt("type", stanza::text(node, "type"));
        let error = match stanza::plain(node, "type") {
            Some("view") => self.see_posts(device, &channel, node).err(),
            // Readers also say for their other devices how far they are; nothing is kept of it.
            _ => None,
        };
        self.answer(stream, device, node, ack.attr_opt("error", error.map(|refusal| refusal.code)));
    }

    fn see_posts(&mut self, device: DeviceId, jid: &Jid, node: &Node) -> Result<(), Refusal> {
        let list = node.child_named("list").ok_or_else(|| Refusal::code(400))?;
        let numbers: Vec<u64> =
            list.children_named("item").filter_map(|item| item.attr_u64("server_id")).collect();
        if numbers.is_empty() {
            return Err(Refusal::code(400));
        }
        let now = self.now;
        let channel = self.living_channel_mut(jid)?;
        let mut changed = Vec::new();
        for number in numbers {
            let Some(post) = channel.post_mut(number) else { continue };
            if post.views.insert(device.account) {
                post.touched = now;
                changed.push(number);
            }
        }
        for number in changed {
            self.tell_counts(jid, number);
        }
        Ok(())
    }
}

/// What somebody did to the latest posts of a channel.
fn own_acts(channel: &Channel, device: DeviceId, limit: usize) -> Option<Node> {
    let person = device.account;
    let acts = channel.posts().rev().filter_map(|post| {
        let reaction =
            post.reactions.get(&person).map(|code| Node::new("reaction").attr("code", code.clone()));
        let votes = post.votes.get(&person).filter(|(_, options)| !options.is_empty()).map(|(_, options)| {
            Node::new("votes").children(options.iter().map(|hash| Node::new("vote").bytes(hash.clone())))
        });
        let done = reaction.is_some() || votes.is_some();
        done.then(|| post.head().child_opt(reaction).child_opt(votes))
    });
    let acts: Vec<Node> = acts.take(limit).collect();
    (!acts.is_empty()).then(|| Node::new("messages").attr("jid", &channel.jid).children(acts))
}
