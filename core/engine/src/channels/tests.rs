//! Requests as other clients send them, and answers and announcements as they get them.

use serde_json::Value;
use whimbrel_wire::{Jid, Node};

use super::channel::{Channel, ChannelActivity, ChannelReactions, ChannelRole, ChannelState};
use super::graph::{self, Graph, Key};
use super::reading::FindPosts;
use super::{ChannelTerms, reading, stanza, terms};
use crate::groups::tests::forms::{comparable, from_json, vectors};
use crate::mex;

fn channel() -> Jid {
    Jid::newsletter("120363290000000001")
}

fn ben() -> Jid {
    Jid::lid("999888777666555")
}

/// What another client sends for an operation, as its last stanza.
fn theirs(vectors: &Value, client: &str, operation: &str) -> Node {
    let stanzas = vectors["requests"][client][operation]["stanzas"].as_array();
    from_json(stanzas.unwrap_or_else(|| panic!("{client} has no {operation}")).last().unwrap())
}

/// The number and variables of a question of the GraphQL interface.
fn question(node: &Node) -> (String, Value) {
    let query = node.child_named("query").unwrap();
    let body: Value = serde_json::from_str(query.content_text().unwrap()).unwrap();
    (query.attr_text("query_id").unwrap().into_owned(), body["variables"].clone())
}

#[test]
fn questions_of_the_graph_are_those_of_the_web_client() {
    let vectors = vectors("features-requests");
    let (channel, ben) = (channel(), ben());
    let reactions = Some(ChannelReactions::All);
    let mute = graph::mute(&channel, ChannelActivity::Followers, true);
    let built: Vec<(&str, Graph, Value)> = vec![
        ("update", graph::UPDATE, graph::update(&channel, Some("N2"), Some("D2"), None, reactions).unwrap()),
        ("delete", graph::DELETE, graph::about(&channel)),
        ("create", graph::CREATE, graph::create("N", "D", None)),
        ("fetch", graph::GET, graph::get(&Key::Address(channel.clone()))),
        ("fetchByInvite", graph::GET, graph::get(&Key::Invite("INV".to_owned()))),
        ("listSubscribed", graph::LIST, graph::list()),
        ("follow", graph::FOLLOW, graph::about(&channel)),
        ("unfollow", graph::UNFOLLOW, graph::about(&channel)),
        ("mute(follower)", graph::MUTE, mute),
        ("fetchAdminInfo", graph::ADMINS, graph::about(&channel)),
        ("fetchAdminCapabilities", graph::CAPABILITIES, graph::about(&channel)),
        ("fetchPendingInvites", graph::INVITED, graph::about(&channel)),
        ("fetchFollowers", graph::FOLLOWERS, graph::followers(&channel, 50)),
        ("fetchMessageReactionSenders", graph::REACTIONS, graph::reactions(&channel, 101)),
        ("changeOwner", graph::TRANSFER, graph::about_person(&channel, &ben)),
        ("demoteAdmin", graph::DEMOTE, graph::about_person(&channel, &ben)),
        ("createAdminInvite", graph::INVITE, graph::about_person(&channel, &ben)),
        ("acceptAdminInvite", graph::ACCEPT, graph::about(&channel)),
        ("revokeAdminInvite", graph::REVOKE, graph::about_person(&channel, &ben)),
        ("searchDirectory", graph::SEARCH, graph::search("x", &[], 100, None)),
        ("fetchRecommended", graph::RECOMMENDED, graph::recommended(&[], 25)),
        ("fetchSimilar", graph::SIMILAR, graph::similar(&channel, &[], 10)),
    ];
    for (operation, (name, _), variables) in built {
        let ours = mex::request(name, &variables).unwrap_or_else(|| panic!("{name} has no number"));
        let theirs = theirs(&vectors, "zapo", &format!("newsletter.{operation}"));
        assert_eq!(question(&ours), question(&theirs), "{operation}");
    }
    // Theirs has a hash that is none.
    let ours = graph::voters(&channel, 101, &[0xaa; 32], 10);
    let (_, mut theirs) = question(&theirs(&vectors, "zapo", "newsletter.fetchPollVoters"));
    theirs["input"]["vote_hash"] = "aa".repeat(32).into();
    assert_eq!(ours, theirs);
    for (name, _) in [graph::PIN, graph::UNPIN, graph::BROWSE, graph::CATEGORIES] {
        assert!(mex::request(name, &Value::Null).is_some(), "{name}");
    }
}

#[test]
fn stanzas_of_channels_are_those_of_other_clients() {
    let vectors = vectors("features-requests");
    let channel = channel();
    let find = |before, after| FindPosts { limit: 10, before, after };
    let viewed = |id: &str| stanza::viewed(&channel, id, &[101, 102]);
    for (client, operation, built) in [
        ("zapo", "newsletter.fetchMessages", stanza::posts(&channel, &find(Some(200), None))),
        ("whatsmeow", "GetNewsletterMessages", stanza::posts(&channel, &find(Some(200), None))),
        (
            "whatsmeow",
            "GetNewsletterMessageUpdates",
            stanza::updates(&channel, 1_795_176_000, &find(None, Some(100))),
        ),
        ("whatsmeow", "NewsletterSubscribeLiveUpdates", stanza::watch(&channel)),
        ("whatsmeow", "NewsletterMarkViewed", viewed("$ID")),
        ("zapo", "newsletter.sendViewReceipt", viewed("3EB09753D3D8294CB895A9")),
        ("zapo", "newsletter.queryTosState", terms::ask(ChannelTerms::Create)),
        ("zapo", "newsletter.acceptTos", terms::accept(ChannelTerms::Create)),
    ] {
        let theirs = theirs(&vectors, client, operation);
        assert_eq!(comparable(&built), comparable(&theirs), "{client} {operation}");
    }
}

/// What another client was answered.
fn answer(vectors: &Value, client: &str, operation: &str) -> Node {
    from_json(&vectors[client][operation]["answers"][0])
}

#[test]
fn answers_to_other_clients_are_read() {
    let vectors = vectors("features-answers");
    let read =
        |operation: &str, root: &str| mex::read(&answer(&vectors, "baileys", operation), root).unwrap();
    let made = Channel::read(&read("newsletterCreate", graph::CREATE.1)).unwrap();
    assert_eq!((&made.id, made.name.as_str(), made.state), (&channel(), "Chan", ChannelState::Active));
    assert_eq!((made.description.as_deref(), made.invite.as_deref()), (Some("Desc"), Some("0029VaABC")));
    assert_eq!((made.followers, made.created_at), (Some(12), Some(1_795_176_000)));
    assert_eq!(made.picture.as_ref().map(|picture| picture.id.as_str()), Some("3"));
    assert_eq!((made.role, made.reactions), (Some(ChannelRole::Owner), Some(ChannelReactions::All)));
    assert_eq!((made.posts_muted, made.followers_muted), (Some(true), Some(false)));
    let changed = Channel::read(&read("newsletterUpdateName", graph::UPDATE.1)).unwrap();
    assert_eq!((changed.role, changed.posts_muted), (None, None));
    let invited = graph::read_invited(&read("newsletterSubscribers", graph::INVITED.1)).unwrap();
    assert_eq!(invited, [(ben(), Some(Jid::pn("5511888888888")))]);
    assert_eq!(graph::read_admins(&read("newsletterAdminCount", graph::ADMINS.1)), Some((2, false)));
    let posts = reading::posts(&answer(&vectors, "baileys", "newsletterFetchMessages"), &channel());
    let posts = posts.unwrap();
    assert_eq!((posts[0].server_id, posts[0].text.as_deref()), (101, Some("hi")));
    assert_eq!((posts[0].counts.views, posts[0].timestamp), (Some(3), 1_795_176_000));
}
