//! The stanzas of channels (messages document §14). Pure.

use whimbrel_content::stanza::{Attributes, attributes};
use whimbrel_proto::e2e::Message;
use whimbrel_wire::{Jid, Node};

use super::reading::FindPosts;

/// What may be in a post besides words and polls.
const MEDIATYPES: [&str; 11] =
    ["audio", "document", "gif", "image", "ptt", "ptv", "sticker", "sticker_pack", "url", "vcard", "video"];

/// Whether the service takes a file of this kind in a post.
pub(super) fn takes(mediatype: &str) -> bool {
    MEDIATYPES.contains(&mediatype)
}

fn plaintext(about: &Attributes, content: Vec<u8>) -> Node {
    Node::new("plaintext").attr_opt("mediatype", about.mediatype).bytes(content)
}

fn message(channel: &Jid, id: &str, kind: &'static str) -> Node {
    Node::new("message").attr("id", id.to_owned()).attr("to", channel).attr("type", kind)
}

/// A new post.
pub(super) fn post(channel: &Jid, id: &str, content: &[u8], media_handle: Option<&str>) -> Node {
    let about = attributes(&whimbrel_proto::decode::<Message>(content).unwrap_or_default());
    message(channel, id, about.kind.name())
        .attr_opt("media_id", media_handle.map(str::to_owned))
        .child(plaintext(&about, content.to_vec()))
        .child_opt(about.meta.node())
}

/// New content for a post: the id of the stanza is that of the post.
pub(super) fn edit(channel: &Jid, id: &str, content: &Message) -> Node {
    let about = attributes(content);
    message(channel, id, about.kind.name())
        .attr("edit", "3")
        .child(plaintext(&about, whimbrel_proto::encode(content)))
}

/// Takes a post back.
pub(super) fn revoke(channel: &Jid, id: &str) -> Node {
    message(channel, id, "text").attr("edit", "8").child(Node::new("plaintext"))
}

/// Reacts to the post with a number; without an emoji the reaction is taken back.
pub(super) fn reaction(channel: &Jid, id: &str, server_id: u64, emoji: Option<&str>) -> Node {
    message(channel, id, "reaction")
        .attr("server_id", server_id)
        .attr_opt("edit", emoji.is_none().then_some("7"))
        .child(Node::new("reaction").attr_opt("code", emoji.map(str::to_owned)))
}

/// Votes in the poll with a number, for the options with these hashes.
pub(super) fn vote(channel: &Jid, id: &str, server_id: u64, options: Vec<[u8; 32]>) -> Node {
    let votes = options.into_iter().map(|option| Node::new("vote").bytes(option.to_vec()));
    message(channel, id, "poll")
        .attr("server_id", server_id)
        .child(Node::new("votes").children(votes))
        .child(Node::new("meta").attr("polltype", "vote"))
}

/// Asks for posts.
pub(super) fn posts(channel: &Jid, find: &FindPosts) -> Node {
    let messages = Node::new("messages").attr("type", "jid").attr("jid", channel).attr("count", find.limit);
    request(&Jid::SERVER, "get", bounded(messages, find))
}

/// Asks what changed about posts since a time, in seconds.
pub(super) fn updates(channel: &Jid, since: i64, find: &FindPosts) -> Node {
    let updates = Node::new("message_updates").attr("count", find.limit).attr("since", since.to_string());
    request(channel, "get", bounded(updates, find))
}

/// Asks to be told how posts are received.
pub(super) fn watch(channel: &Jid) -> Node {
    request(channel, "set", Node::new("live_updates"))
}

/// Asks what this account did to posts.
pub(super) fn own_acts(limit: u32) -> Node {
    request(&Jid::SERVER, "get", Node::new("my_addons").attr("limit", limit))
}

/// Says that posts were seen.
pub(super) fn viewed(channel: &Jid, id: &str, server_ids: &[u64]) -> Node {
    let items = server_ids.iter().map(|number| Node::new("item").attr("server_id", *number));
    Node::new("receipt")
        .attr("to", channel)
        .attr("type", "view")
        .attr("id", id.to_owned())
        .child(Node::new("list").children(items))
}

fn request(to: &Jid, kind: &'static str, child: Node) -> Node {
    Node::new("iq").attr("to", to).attr("type", kind).attr("xmlns", "newsletter").child(child)
}

fn bounded(node: Node, find: &FindPosts) -> Node {
    node.attr_opt("before", find.before).attr_opt("after", find.after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Message {
        Message { conversation: Some(text.to_owned()), ..Message::default() }
    }

    #[test]
    fn posts_are_plain() {
        let channel = Jid::newsletter("120363000000000002");
        let content = whimbrel_proto::encode(&words("x"));
        assert_eq!(
            post(&channel, "A", &content, None).to_string(),
            r#"<message id="A" to=J:"120363000000000002@newsletter" type="text"><plaintext>0a0178</plaintext></message>"#
        );
        assert_eq!(
            edit(&channel, "A", &words("y")).to_string(),
            r#"<message id="A" to=J:"120363000000000002@newsletter" type="text" edit="3"><plaintext>0a0179</plaintext></message>"#
        );
        assert_eq!(
            revoke(&channel, "A").to_string(),
            r#"<message id="A" to=J:"120363000000000002@newsletter" type="text" edit="8"><plaintext/></message>"#
        );
    }

    #[test]
    fn acts_name_the_number_of_the_post() {
        let channel = Jid::newsletter("1");
        assert_eq!(
            reaction(&channel, "B", 101, Some("👍")).to_string(),
            r#"<message id="B" to=J:"1@newsletter" type="reaction" server_id="101"><reaction code="👍"/></message>"#
        );
        assert_eq!(
            reaction(&channel, "B", 101, None).to_string(),
            r#"<message id="B" to=J:"1@newsletter" type="reaction" server_id="101" edit="7"><reaction/></message>"#
        );
        let vote = vote(&channel, "B", 101, vec![[7; 32]]);
        assert!(vote.child_named("meta").unwrap().attr_is("polltype", "vote"));
        assert_eq!(vote.child_named("votes").unwrap().child_bytes("vote"), Some(&[7; 32][..]));
    }
}
