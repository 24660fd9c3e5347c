//! Statuses and channels between a client of ours and Baileys or whatsmeow, in both directions.

use whimbrel::content::Content;
use whimbrel::content::compose::Draft;
use whimbrel::content::context::Context;
use whimbrel::content::kinds::text::{Style, Text};
use whimbrel::events::EventKind;
use whimbrel::{CallOptions, Jid, SendOptions};
use whimbrel_interop::Program;
use whimbrel_sandbox::StatusAudience;

use crate::support::Stage;

fn words(text: &str, style: Option<Style>) -> Vec<u8> {
    let content = Content::Text(Text { style, ..Text::new(text) });
    whimbrel_proto::encode(&content.to_message(&Context::default()).unwrap())
}

async fn statuses(program: Program, story: &str) {
    let stage = Stage::new(story).await;
    let (ana, ben) = (stage.person("15550001", "Ana").await, stage.person("15550002", "Ben").await);
    let (peer, ours) = (stage.peer(program, &ana).await, stage.whimbrel(&ben).await);
    ours.hears_from(&peer, "first").await;
    assert!(stage.sandbox.set_status_privacy("15550001", StatusAudience::Whitelist, &["15550002"]));
    let style = Style { background: Some(0xFF20_4060), ..Style::default() };
    for text in ["from there", "and again, with the same key"] {
        let audience = [ben.jid().to_string()];
        let posted = peer.as_peer().post_status(&audience, &words(text, Some(style))).await.unwrap();
        let EventKind::Message(message) = ours.event_of(&posted.message_id).await else { panic!("a status") };
        assert!(message.is_status);
        assert_eq!((message.chat.id, message.text.as_deref()), (Jid::STATUS, Some(text)));
    }
    for text in ["from here", "and again"] {
        let mut options = SendOptions::default();
        options.audience = Some(vec![ana.jid()]);
        let content = Content::Text(Text { style: Some(style), ..Text::new(text) });
        let sent = ours.as_client().send(&Jid::STATUS, Draft::new(content), options).await.unwrap();
        // whatsmeow also tells the key that came with the first one, under the same id.
        let heard = peer.as_peer().message(text).await.unwrap();
        assert_eq!((heard.chat.as_str(), heard.id), ("status@broadcast", sent.message_id));
    }
    assert!(stage.sandbox.violations().is_empty());
}

#[tokio::test]
async fn statuses_go_between_whimbrel_and_baileys() {
    statuses(Program::Baileys, "status-baileys").await;
}

#[tokio::test]
async fn statuses_go_between_whimbrel_and_whatsmeow() {
    statuses(Program::Whatsmeow, "status-whatsmeow").await;
}

async fn channels(program: Program, story: &str) {
    let stage = Stage::new(story).await;
    let (ana, ben) = (stage.person("15550001", "Ana").await, stage.person("15550002", "Ben").await);
    let (peer, ours) = (stage.peer(program, &ana).await, stage.whimbrel(&ben).await);
    let theirs = stage.sandbox.create_channel("15550001", &["15550002"]).unwrap();
    let posted =
        peer.as_peer().send_raw(&theirs.jid().to_string(), &words("from there", None)).await.unwrap();
    let EventKind::ChannelPost(post) = ours.event_of(&posted.message_id).await else { panic!("a post") };
    assert_eq!((post.channel, post.text.as_deref()), (theirs.jid(), Some("from there")));
    let client = ours.as_client();
    client.react_to_post(&theirs.jid(), post.server_id, Some("👍"), CallOptions::default()).await.unwrap();
    let posts = theirs.state().unwrap().posts;
    assert_eq!(posts.first().and_then(|post| post.reactions.get("👍")), Some(&1));
    let own = stage.sandbox.create_channel("15550002", &["15550001"]).unwrap();
    let sent = client.send_text(&own.jid(), "from here", SendOptions::default()).await.unwrap();
    let heard = peer.as_peer().message_of(&sent.message_id).await.unwrap();
    assert_eq!((heard.chat, heard.text.as_deref()), (own.jid().to_string(), Some("from here")));
    let _ = (ana, ben);
}

#[tokio::test]
async fn posts_of_channels_go_between_whimbrel_and_baileys() {
    channels(Program::Baileys, "channel-baileys").await;
}

#[tokio::test]
async fn posts_of_channels_go_between_whimbrel_and_whatsmeow() {
    channels(Program::Whatsmeow, "channel-whatsmeow").await;
}
