//! Channels made, followed, changed, read and watched by a client of ours and by Baileys or whatsmeow, each with
//! those of the other.

use serde_json::{Value, json};
use whimbrel::events::EventKind;
use whimbrel::{CallOptions, Channel, ChannelUpdate, FindPosts, NewChannel, SendOptions};
use whimbrel_interop::Program;

use crate::support::{Device, Stage};

fn call() -> CallOptions {
    CallOptions::default()
}

/// Calls the method that a program has for something.
async fn ask(peer: &Device, program: Program, baileys: &str, whatsmeow: &str, arguments: Value) -> Value {
    let method = match program {
        Program::Baileys => baileys,
        Program::Whatsmeow => whatsmeow,
    };
    peer.as_peer().call(method, arguments).await.unwrap()
}

async fn theirs(program: Program, story: &str) {
    let stage = Stage::new(story).await;
    let (ana, ben) = (stage.person("15550001", "Ana").await, stage.person("15550002", "Ben").await);
    let (peer, ours) = (stage.peer(program, &ana).await, stage.whimbrel(&ben).await);
    let client = ours.as_client();
    let made = match program {
        Program::Baileys => peer.as_peer().call("newsletterCreate", json!(["Finches", "of all kinds"])).await,
        Program::Whatsmeow => {
            let wanted = json!({ "name": "Finches", "description": "of all kinds" });
            peer.as_peer().call("CreateNewsletter", json!([wanted])).await
        }
    };
    let made = made.unwrap();
    let address = made.get("id").and_then(Value::as_str).unwrap().to_owned();
    let found = client.channel(&address, call()).await.unwrap();
    assert_eq!((found.name.as_str(), found.followers), ("Finches", Some(1)));
    client.follow_channel(&found.id, false, call()).await.unwrap();
    let sent = peer.as_peer().send_text(&address, "news").await.unwrap();
    let EventKind::ChannelPost(post) = ours.event_of(&sent.message_id).await else { panic!("a post") };
    // What we do to the post the owner sees.
    client.react_to_post(&found.id, post.server_id, Some("👍"), call()).await.unwrap();
    client.mark_posts_viewed(&found.id, &[post.server_id], call()).await.unwrap();
    let read = client.posts(&found.id, FindPosts::default(), call()).await.unwrap();
    assert_eq!(read.first().and_then(|post| post.text.as_deref()), Some("news"));
    match program {
        Program::Baileys => {
            let name = json!([address.clone(), "Sparrows"]);
            peer.as_peer().call("newsletterUpdateName", name).await.unwrap();
            ours.event("another name", |event| match event {
                EventKind::ChannelChanged(changed) => {
                    (changed.name.as_deref() == Some("Sparrows")).then_some(())
                }
                _ => None,
            })
            .await;
            let admins = peer.as_peer().call("newsletterAdminCount", json!([address.clone()])).await.unwrap();
            assert_eq!(admins, json!(1));
            peer.as_peer().call("newsletterDelete", json!([address])).await.unwrap();
            ours.event("the end of the channel", |event| match event {
                EventKind::ChannelChanged(changed) => changed.state.map(drop),
                _ => None,
            })
            .await;
        }
        Program::Whatsmeow => {
            let page = json!([address, { "Count": 10, "Before": 0 }]);
            let posts = peer.as_peer().call("GetNewsletterMessages", page).await.unwrap();
            let first = posts.get(0).unwrap();
            assert_eq!(first.get("ViewsCount"), Some(&json!(1)), "{posts}");
            assert_eq!(first.pointer("/ReactionCounts/👍"), Some(&json!(1)), "{posts}");
        }
    }
    assert!(stage.sandbox.violations().is_empty());
}

#[tokio::test]
async fn channels_of_baileys_are_followed() {
    theirs(Program::Baileys, "channels-of-baileys").await;
}

#[tokio::test]
async fn channels_of_whatsmeow_are_followed() {
    theirs(Program::Whatsmeow, "channels-of-whatsmeow").await;
}

async fn made(ours: &Device) -> Channel {
    let mut new = NewChannel::default();
    new.name = "Finches".to_owned();
    ours.as_client().create_channel(new, call()).await.unwrap()
}

async fn of_ours(program: Program, story: &str) {
    let stage = Stage::new(story).await;
    let (ana, ben) = (stage.person("15550001", "Ana").await, stage.person("15550002", "Ben").await);
    let (peer, ours) = (stage.peer(program, &ana).await, stage.whimbrel(&ben).await);
    let client = ours.as_client();
    let channel = made(&ours).await;
    let (address, invite) = (channel.id.to_string(), channel.invite.clone().unwrap());
    let found = match program {
        Program::Baileys => peer.as_peer().call("newsletterMetadata", json!(["invite", invite])).await,
        Program::Whatsmeow => peer.as_peer().call("GetNewsletterInfoWithInvite", json!([invite])).await,
    };
    assert_eq!(found.unwrap().get("id"), Some(&json!(address)));
    ask(&peer, program, "newsletterFollow", "FollowNewsletter", json!([address])).await;
    let state = || stage.sandbox.find_channel(&channel.id).unwrap().state().unwrap();
    assert_eq!(state().followers, ["15550001"]);
    match program {
        Program::Baileys => peer.as_peer().call("newsletterMute", json!([address])).await.unwrap(),
        Program::Whatsmeow => {
            peer.as_peer().call("NewsletterToggleMute", json!([address, true])).await.unwrap()
        }
    };
    assert_eq!(state().muted_by, ["15550001"]);
    let sent = client.send_text(&channel.id, "from here", SendOptions::default()).await.unwrap();
    peer.as_peer().message_of(&sent.message_id).await.unwrap();
    let number = sent.server_id.unwrap();
    client.watch_channel(&channel.id, call()).await.unwrap();
    let subscribe = ("subscribeNewsletterUpdates", "NewsletterSubscribeLiveUpdates");
    ask(&peer, program, subscribe.0, subscribe.1, json!([address])).await;
    match program {
        Program::Baileys => {
            let reaction = json!([address, number.to_string(), "👍"]);
            peer.as_peer().call("newsletterReactMessage", reaction).await.unwrap();
        }
        Program::Whatsmeow => {
            let viewed = json!([address, [number]]);
            peer.as_peer().call("NewsletterMarkViewed", viewed).await.unwrap();
            let reaction = json!([address, number, "👍", ""]);
            peer.as_peer().call("NewsletterSendReaction", reaction).await.unwrap();
        }
    }
    ours.event("the reaction", |event| match event {
        EventKind::ChannelCounts(counts) => {
            let post = counts.posts.first()?;
            (post.server_id == number && post.reactions.as_ref().is_some_and(|all| all.len() == 1))
                .then_some(())
        }
        _ => None,
    })
    .await;
    let mut update = ChannelUpdate::default();
    update.name = Some("Sparrows".to_owned());
    client.update_channel(&channel.id, update, call()).await.unwrap();
    match program {
        Program::Baileys => {
            let renamed = |value: &Value| value.pointer("/update/name") == Some(&json!("Sparrows"));
            peer.as_peer().was_told("newsletter-settings.update", renamed).await.unwrap();
        }
        Program::Whatsmeow => {
            let counted =
                |value: &Value| value.pointer("/Messages/0/MessageServerID") == Some(&json!(number));
            peer.as_peer().was_told("NewsletterLiveUpdate", counted).await.unwrap();
            let list = peer.as_peer().call("GetSubscribedNewsletters", json!([])).await.unwrap();
            assert_eq!(list.as_array().map(Vec::len), Some(1), "{list}");
            let updates = json!([address, { "Count": 10, "After": 1 }]);
            let updates = peer.as_peer().call("GetNewsletterMessageUpdates", updates).await.unwrap();
            assert_eq!(updates.pointer("/0/ViewsCount"), Some(&json!(1)), "{updates}");
        }
    }
    ask(&peer, program, "newsletterUnfollow", "UnfollowNewsletter", json!([address])).await;
    assert!(state().followers.is_empty());
    assert!(stage.sandbox.violations().is_empty());
}

#[tokio::test]
async fn baileys_follows_channels_of_ours() {
    of_ours(Program::Baileys, "channels-baileys-follows").await;
}

#[tokio::test]
async fn whatsmeow_follows_channels_of_ours() {
    of_ours(Program::Whatsmeow, "channels-whatsmeow-follows").await;
}

async fn same_account(program: Program, story: &str) {
    let stage = Stage::new(story).await;
    let (ana, ben) = (stage.person("15550001", "Ana").await, stage.person("15550002", "Ben").await);
    let (peer, ours) = (stage.peer(program, &ana).await, stage.whimbrel(&ana).await);
    let channel = stage.sandbox.create_named_channel("15550002", "Gulls", &[]).unwrap();
    let (jid, address) = (channel.jid(), channel.jid().to_string());
    ask(&peer, program, "newsletterFollow", "FollowNewsletter", json!([address])).await;
    ours.event("what the other device follows", |event| match event {
        EventKind::ChannelJoined(joined) => (joined.channel.id == jid).then_some(()),
        _ => None,
    })
    .await;
    ours.as_client().unfollow_channel(&jid, call()).await.unwrap();
    if program == Program::Whatsmeow {
        let left = |value: &Value| value.get("id") == Some(&json!(address));
        peer.as_peer().was_told("NewsletterLeave", left).await.unwrap();
        ours.as_client().follow_channel(&jid, false, call()).await.unwrap();
        peer.as_peer().was_told("NewsletterJoin", left).await.unwrap();
    }
    let _ = ben;
}

#[tokio::test]
async fn a_device_hears_what_baileys_follows() {
    same_account(Program::Baileys, "channels-beside-baileys").await;
}

#[tokio::test]
async fn a_device_and_whatsmeow_hear_what_the_other_follows() {
    same_account(Program::Whatsmeow, "channels-beside-whatsmeow").await;
}
