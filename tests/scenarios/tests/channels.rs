//! Channels: posts in the clear, and what their readers do (messages document §14).

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use whimbrel::content::Content;
use whimbrel::content::compose::Draft;
use whimbrel::content::context::Context;
use whimbrel::content::kinds::media::{Image, Media};
use whimbrel::content::kinds::poll::{Poll, option_hash};
use whimbrel::content::kinds::text::Text;
use whimbrel::events::{ChannelCounts, ChannelPost, EventKind, EventStream, PostChange};
use whimbrel::media::UploadOptions;
use whimbrel::{CallOptions, Code, FindMessages, Jid, SendOptions};
use whimbrel_proto::e2e::Message as Plain;
use whimbrel_scenarios::{ANNA, BEN, CARA, DEADLINE, World, next_kind};

async fn next_post(events: &mut EventStream) -> ChannelPost {
    next_kind(events, |kind| match kind {
        EventKind::ChannelPost(post) => Some(ChannelPost::clone(post)),
        _ => None,
    })
    .await
}

async fn next_counts(events: &mut EventStream) -> ChannelCounts {
    next_kind(events, |kind| match kind {
        EventKind::ChannelCounts(counts) => Some(counts.clone()),
        _ => None,
    })
    .await
}

fn text(words: &str) -> Draft {
    Draft::new(Content::Text(Text::new(words)))
}

#[tokio::test]
async fn posts_are_made_changed_and_taken_back() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let (ben, _) = world.linked(&engine, BEN).await;
    world.sandbox.phone(CARA).await.unwrap();
    let channel = world.sandbox.create_channel(ANNA, &[BEN]).unwrap();
    let jid = channel.jid();
    let mut at_ben = ben.events().unwrap();
    let sent = anna.send(&jid, text("news"), SendOptions::default()).await.unwrap();
    let post = next_post(&mut at_ben).await;
    assert_eq!(
        (post.channel, post.message_id, post.change),
        (jid.clone(), sent.message_id.clone(), PostChange::New)
    );
    assert_eq!(
        (post.text.as_deref(), Some(post.server_id), post.from_me),
        (Some("news"), sent.server_id, false)
    );
    // What the service has is the message itself, and nothing that only a chat has.
    let stored = channel.state().unwrap().posts.remove(0);
    let plain: Plain = whimbrel_proto::decode(&hex(&stored.content)).unwrap();
    assert_eq!(plain, Plain { conversation: Some("news".to_owned()), ..Plain::default() });

    let content = Content::Text(Text::new("better news"));
    anna.edit_post(&jid, &sent.message_id, content, CallOptions::default()).await.unwrap();
    let edited = next_post(&mut at_ben).await;
    assert_eq!((edited.change, edited.text.as_deref()), (PostChange::Edited, Some("better news")));
    assert_eq!((edited.message_id, Some(edited.server_id)), (sent.message_id.clone(), sent.server_id));
    assert!(edited.edited_at_ms.is_some());
    for client in [&anna, &ben] {
        let mut find = FindMessages::default();
        find.chat = Some(jid.clone());
        let found = client.find_messages(find, CallOptions::default()).await.unwrap();
        assert_eq!(found.items.len(), 1);
        assert_eq!(found.items[0].text.as_deref(), Some("better news"));
    }
    anna.revoke_post(&jid, &sent.message_id, CallOptions::default()).await.unwrap();
    let gone = next_post(&mut at_ben).await;
    assert_eq!((gone.change, gone.content, gone.message_id), (PostChange::Revoked, None, sent.message_id));
    assert!(channel.state().unwrap().posts[0].revoked);
    // Readers do not post.
    let error = ben.send(&jid, text("me too"), SendOptions::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::Forbidden);
    let revoked = ben.revoke_post(&jid, "X", CallOptions::default()).await.unwrap_err();
    assert_eq!(revoked.code(), Code::Forbidden);
    let nowhere = anna.send(&Jid::newsletter("1"), text("x"), SendOptions::default()).await.unwrap_err();
    assert_eq!(nowhere.code(), Code::NotFound);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn readers_react_and_vote_and_everybody_hears_the_counts() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let (ben, _) = world.linked(&engine, BEN).await;
    let channel = world.sandbox.create_channel(ANNA, &[BEN]).unwrap();
    let jid = channel.jid();
    let (mut at_anna, mut at_ben) = (anna.events().unwrap(), ben.events().unwrap());
    let options = ["Soup", "Bread"].map(str::to_owned).to_vec();
    let poll = Poll { name: "Lunch?".to_owned(), options, selectable: 1, ..Poll::default() };
    anna.send(&jid, Draft::new(Content::Poll(poll)), SendOptions::default()).await.unwrap();
    let post = next_post(&mut at_ben).await;
    assert!(matches!(post.content, Some(Content::Poll(_))));
    let (call, server_id) = (CallOptions::default, post.server_id);
    anna.watch_channel(&jid, call()).await.unwrap();
    ben.react_to_post(&jid, server_id, Some("👍"), call()).await.unwrap();
    let counts = next_counts(&mut at_anna).await;
    assert_eq!((counts.channel, counts.posts.len()), (jid.clone(), 1));
    assert_eq!(
        (counts.posts[0].server_id, counts.posts[0].reactions.clone()),
        (server_id, Some(vec![("👍".to_owned(), 1)]))
    );
    ben.vote_in_post(&jid, server_id, &["Bread".to_owned()], call()).await.unwrap();
    let counts = next_counts(&mut at_anna).await;
    assert_eq!(counts.posts[0].votes, Some(vec![(option_hash("Bread").to_vec(), 1)]));
    ben.react_to_post(&jid, server_id, None, call()).await.unwrap();
    assert_eq!(next_counts(&mut at_anna).await.posts[0].reactions, Some(Vec::new()));
    let error = ben.react_to_post(&jid, server_id, Some("no emoji"), call()).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    assert_eq!(ben.react_to_post(&jid, 9, Some("👍"), call()).await.unwrap_err().code(), Code::NotFound);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn files_of_posts_are_uploaded_in_the_clear() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, phone) = world.linked(&engine, ANNA).await;
    let channel = world.sandbox.create_channel(ANNA, &[]).unwrap();
    let jid = channel.jid();
    let mut options = UploadOptions::default();
    options.newsletter = true;
    let picture: Vec<u8> = (0..=255).cycle().take(5_000).collect();
    let media = Media { mimetype: Some("image/jpeg".to_owned()), ..Media::default() };
    let image = Content::Image(Image { media, caption: Some("a bird".to_owned()), ..Image::default() });
    let attached = anna.attach_with_handle(image, picture.clone(), options).await.unwrap();
    assert!(attached.handle.is_some());
    let mut send = SendOptions::default();
    send.media_handle = attached.handle.clone();
    anna.send(&jid, Draft::new(attached.content.clone()), send).await.unwrap();
    let post = channel.state().unwrap().posts.remove(0);
    assert_eq!(post.media_id, attached.handle);
    let Content::Image(image) = attached.content else { panic!("a picture") };
    let hash: [u8; 32] = image.media.sha256.unwrap().try_into().unwrap();
    assert_eq!(world.sandbox.media_file(&hash), Some(picture));
    // What is encrypted nobody could read.
    let media = Media { key: Some([9; 32].into()), ..Media::default() };
    let sealed = Content::Image(Image { media, ..Image::default() });
    let error = anna.send(&jid, Draft::new(sealed), SendOptions::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    // A post of the own phone is this account's.
    let mut events = anna.events().unwrap();
    let words = Content::Text(Text::new("from the phone")).to_message(&Context::default()).unwrap();
    let (id, number) = phone.post_to_channel(&jid, &words).await.unwrap();
    let own = next_post(&mut events).await;
    assert_eq!((own.message_id, Some(own.server_id), own.from_me), (id, number, true));
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

fn hex(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}
