//! Channels themselves: made, found, followed, changed, shared among admins, read and given up (features
//! document §4).

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use whimbrel::content::Content;
use whimbrel::content::compose::Draft;
use whimbrel::content::kinds::poll::{Poll, option_hash};
use whimbrel::events::{
    ChannelChanged, ChannelCounts, ChannelJoined, ChannelLeft, ChannelMuted, ChannelRoleChange,
    ChannelRoleChanged, EventKind, EventStream,
};
use whimbrel::media::MediaSource;
use whimbrel::{
    CallOptions, ChannelActivity, ChannelReactions, ChannelRole, ChannelState, ChannelTerms, ChannelUpdate,
    Client, Code, FindChannels, FindPosts, Jid, NewChannel, NewPicture, SendOptions,
};
use whimbrel_sandbox::Event;
use whimbrel_scenarios::{ANNA, BEN, CARA, DEADLINE, Wait as _, World, go_away, next_kind};

fn call() -> CallOptions {
    CallOptions::default()
}

async fn next_joined(events: &mut EventStream) -> ChannelJoined {
    next_kind(events, |kind| match kind {
        EventKind::ChannelJoined(event) => Some(event.as_ref().clone()),
        _ => None,
    })
    .await
}

async fn next_left(events: &mut EventStream) -> ChannelLeft {
    next_kind(events, |kind| match kind {
        EventKind::ChannelLeft(event) => Some(event.clone()),
        _ => None,
    })
    .await
}

async fn next_changed(events: &mut EventStream) -> ChannelChanged {
    next_kind(events, |kind| match kind {
        EventKind::ChannelChanged(event) => Some(event.as_ref().clone()),
        _ => None,
    })
    .await
}

async fn next_role(events: &mut EventStream) -> ChannelRoleChanged {
    next_kind(events, |kind| match kind {
        EventKind::ChannelRoleChanged(event) => Some(event.clone()),
        _ => None,
    })
    .await
}

async fn next_muted(events: &mut EventStream) -> ChannelMuted {
    next_kind(events, |kind| match kind {
        EventKind::ChannelMuted(event) => Some(event.clone()),
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

fn new(name: &str) -> NewChannel {
    let mut new = NewChannel::default();
    new.name = name.to_owned();
    new
}

async fn post(client: &Client, channel: &Jid, words: &str) -> (String, u64) {
    let sent = client.send_text(channel, words, SendOptions::default()).await.unwrap();
    (sent.message_id, sent.server_id.unwrap())
}

/// A picture of one colour, longer than high.
fn picture() -> Vec<u8> {
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, 60, 40);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[90; 60 * 40 * 3]).unwrap();
    writer.finish().unwrap();
    png
}

#[tokio::test]
async fn a_channel_is_made_found_followed_and_given_up() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let (ben, _) = world.linked(&engine, BEN).await;
    let tablet = engine.open(world.store("tablet"), whimbrel_scenarios::quiet()).unwrap();
    world.link(&tablet, BEN).await;
    let (mut at_tablet, mut at_ben) = (tablet.events().unwrap(), ben.events().unwrap());
    let mut wanted = new("Finches");
    wanted.description = "of all kinds".to_owned();
    let made = anna.create_channel(wanted, call()).await.unwrap();
    assert_eq!((made.name.as_str(), made.role), ("Finches", Some(ChannelRole::Owner)));
    assert_eq!((made.description.as_deref(), made.followers), (Some("of all kinds"), Some(1)));
    let error = anna.create_channel(new(""), call()).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    let long = anna.create_channel(new(&"x".repeat(101)), call()).await.unwrap_err();
    assert_eq!((long.code(), long.service_status()), (Code::Refused, 406));
    // By address, link and code.
    let code = made.invite.clone().unwrap();
    for name in [made.id.to_string(), format!("https://whatsapp.com/channel/{code}"), code] {
        let found = ben.channel(&name, call()).await.unwrap();
        assert_eq!((found.id, found.role), (made.id.clone(), Some(ChannelRole::Guest)), "{name}");
    }
    assert_eq!(ben.channel("0029VaNoSuch", call()).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(ben.channel("1@newsletter", call()).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(ben.channels(call()).await.unwrap(), []);
    ben.follow_channel(&made.id, false, call()).await.unwrap();
    let joined = next_joined(&mut at_tablet).await;
    assert_eq!(
        (joined.channel.id.clone(), joined.channel.role),
        (made.id.clone(), Some(ChannelRole::Follower))
    );
    assert_eq!(joined.channel.name, "Finches");
    // Twice is as well as once, and nothing new.
    ben.follow_channel(&made.id, false, call()).await.unwrap();
    let mine = ben.channels(call()).await.unwrap();
    assert_eq!(mine.iter().map(|channel| channel.followers).collect::<Vec<_>>(), [Some(2)]);
    // What is muted the other devices hear.
    ben.mute_channel(&made.id, ChannelActivity::Posts, true, call()).await.unwrap();
    let muted = next_muted(&mut at_tablet).await;
    assert_eq!((muted.channel, muted.activity, muted.muted), (made.id.clone(), ChannelActivity::Posts, true));
    assert_eq!(tablet.channels(call()).await.unwrap()[0].posts_muted, Some(true));
    let error = ben.mute_channel(&made.id, ChannelActivity::Followers, true, call()).await.unwrap_err();
    assert_eq!(error.code(), Code::Forbidden);
    anna.mute_channel(&made.id, ChannelActivity::Followers, true, call()).await.unwrap();
    assert_eq!(anna.channels(call()).await.unwrap()[0].followers_muted, Some(true));
    // The other way round.
    tablet.unfollow_channel(&made.id, call()).await.unwrap();
    assert_eq!(next_left(&mut at_ben).await.channel, made.id);
    assert_eq!(anna.unfollow_channel(&made.id, call()).await.unwrap_err().code(), Code::Forbidden);
    let state = world.sandbox.find_channel(&made.id).unwrap().state().unwrap();
    assert_eq!((state.owner.as_str(), state.followers.len()), (ANNA, 0));
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn what_changes_about_a_channel_its_readers_hear() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let (ben, _) = world.linked(&engine, BEN).await;
    let mut at_ben = ben.events().unwrap();
    let mut wanted = new("Finches");
    wanted.picture = Some(MediaSource::from(picture()));
    let made = anna.create_channel(wanted, call()).await.unwrap();
    let first = made.picture.unwrap();
    assert!(first.direct_path.is_some() && made.preview.is_some());
    let jid = made.id;
    ben.follow_channel(&jid, false, call()).await.unwrap();
    let mut update = ChannelUpdate::default();
    update.name = Some("Sparrows".to_owned());
    update.description = Some("and others".to_owned());
    update.reactions = Some(ChannelReactions::None);
    let changed = anna.update_channel(&jid, update, call()).await.unwrap();
    assert_eq!((changed.name.as_str(), changed.reactions), ("Sparrows", Some(ChannelReactions::None)));
    assert_eq!(changed.picture.map(|picture| picture.id), Some(first.id));
    let heard = next_changed(&mut at_ben).await;
    assert_eq!((heard.channel.clone(), heard.name.as_deref()), (jid.clone(), Some("Sparrows")));
    assert_eq!(
        (heard.description.as_deref(), heard.reactions),
        (Some("and others"), Some(ChannelReactions::None))
    );
    assert_eq!((heard.picture, heard.picture_removed, heard.state), (None, false, None));
    // Nobody reacts any more.
    let (message_id, number) = post(&anna, &jid, "news").await;
    let error = ben.react_to_post(&jid, number, Some("👍"), call()).await.unwrap_err();
    assert_eq!(error.code(), Code::Forbidden);
    for picture in [NewPicture::Set(MediaSource::from(picture())), NewPicture::Removed] {
        let removed = matches!(picture, NewPicture::Removed);
        let mut update = ChannelUpdate::default();
        update.picture = Some(picture);
        anna.update_channel(&jid, update, call()).await.unwrap();
        let heard = next_changed(&mut at_ben).await;
        assert_eq!((heard.picture.is_some(), heard.picture_removed), (!removed, removed));
        assert_eq!(heard.name, None);
    }
    let pinned = anna.pin_post(&jid, &message_id, true, call()).await.unwrap();
    assert_eq!(pinned[0].message_id, message_id);
    let heard = next_changed(&mut at_ben).await;
    assert_eq!(heard.pinned.as_deref(), Some(&pinned[..]));
    assert_eq!(anna.pin_post(&jid, &message_id, false, call()).await.unwrap(), []);
    assert_eq!(next_changed(&mut at_ben).await.pinned, Some(Vec::new()));
    let nobody = anna.pin_post(&jid, "NOSUCH", true, call()).await.unwrap_err();
    assert_eq!(nobody.code(), Code::NotFound);
    // Readers change nothing, and nothing is not asked for.
    let mut update = ChannelUpdate::default();
    update.name = Some("Mine".to_owned());
    assert_eq!(ben.update_channel(&jid, update, call()).await.unwrap_err().code(), Code::Forbidden);
    let nothing = anna.update_channel(&jid, ChannelUpdate::default(), call()).await.unwrap_err();
    assert_eq!(nothing.code(), Code::InvalidArgument);
    assert_eq!(ben.delete_channel(&jid, call()).await.unwrap_err().code(), Code::Forbidden);
    anna.delete_channel(&jid, call()).await.unwrap();
    assert_eq!(next_changed(&mut at_ben).await.state, Some(ChannelState::Deleted));
    assert_eq!(ben.channel(&jid.to_string(), call()).await.unwrap().state, ChannelState::Deleted);
    let gone = anna.send_text(&jid, "anybody?", SendOptions::default()).await.unwrap_err();
    assert_eq!(gone.code(), Code::NotFound);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn admins_are_invited_accept_and_go_and_owners_follow_each_other() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let (ben, _) = world.linked(&engine, BEN).await;
    world.sandbox.phone(CARA).await.unwrap();
    let (mut at_anna, mut at_ben) = (anna.events().unwrap(), ben.events().unwrap());
    let channel = world.sandbox.create_channel(ANNA, &[BEN]).unwrap();
    let jid = channel.jid();
    let (anna_jid, ben_jid, cara_jid) = (Jid::pn(ANNA), Jid::pn(BEN), Jid::pn(CARA));
    assert_eq!(ben.accept_channel_invitation(&jid, false, call()).await.unwrap_err().code(), Code::Forbidden);
    assert!(anna.invite_channel_admin(&jid, &ben_jid, call()).await.unwrap().is_some());
    anna.invite_channel_admin(&jid, &cara_jid, call()).await.unwrap();
    let admins = anna.channel_admins(&jid, call()).await.unwrap();
    assert_eq!((admins.count, admins.invited.len()), (1, 2));
    assert!(admins.capabilities.contains(&"pinned_messages".to_owned()));
    assert!(admins.invited.iter().any(|who| who.phone == Some(cara_jid.clone())));
    anna.revoke_channel_invitation(&jid, &cara_jid, call()).await.unwrap();
    let again = anna.revoke_channel_invitation(&jid, &cara_jid, call()).await.unwrap_err();
    assert_eq!(again.code(), Code::NotFound);
    assert_eq!(channel.accept(CARA).unwrap_err().code, 403);
    ben.accept_channel_invitation(&jid, false, call()).await.unwrap();
    let promoted = next_role(&mut at_anna).await;
    assert_eq!((promoted.change, promoted.who.phone), (ChannelRoleChange::Promoted, Some(ben_jid.clone())));
    // Who is an admin posts, and sees who else reads.
    let (_, number) = post(&ben, &jid, "from Ben").await;
    channel.follow(CARA).unwrap();
    let followers = ben.channel_followers(&jid, 50, call()).await.unwrap();
    let mut roles: Vec<_> = followers.iter().map(|one| (one.who.phone.clone().unwrap(), one.role)).collect();
    roles.sort_by_key(|(phone, _)| phone.to_string());
    let mut expected = [
        (anna_jid.clone(), ChannelRole::Owner),
        (ben_jid.clone(), ChannelRole::Admin),
        (cara_jid.clone(), ChannelRole::Follower),
    ];
    expected.sort_by_key(|(phone, _)| phone.to_string());
    assert_eq!(roles, expected);
    // The channel changes hands.
    assert_eq!(anna.transfer_channel(&jid, &cara_jid, call()).await.unwrap_err().code(), Code::NotFound);
    anna.transfer_channel(&jid, &ben_jid, call()).await.unwrap();
    let owner = next_role(&mut at_ben).await;
    assert_eq!((owner.change, owner.who.phone), (ChannelRoleChange::BecameOwner, Some(ben_jid)));
    assert_eq!(owner.author.and_then(|author| author.phone), Some(anna_jid.clone()));
    assert_eq!(channel.state().unwrap().owner, BEN);
    assert_eq!(
        anna.demote_channel_admin(&jid, &Jid::pn(BEN), call()).await.unwrap_err().code(),
        Code::Forbidden
    );
    ben.demote_channel_admin(&jid, &anna_jid, call()).await.unwrap();
    let demoted = next_role(&mut at_anna).await;
    assert_eq!((demoted.change, demoted.who.phone), (ChannelRoleChange::Demoted, Some(anna_jid)));
    let refused = anna.post_reactions(&jid, number, call()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Forbidden);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn posts_are_read_seen_and_counted() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let (ben, _) = world.linked(&engine, BEN).await;
    let channel = world.sandbox.create_channel(ANNA, &[BEN]).unwrap();
    let jid = channel.jid();
    let mut numbers = Vec::new();
    for words in ["one", "two", "three", "four"] {
        numbers.push(post(&anna, &jid, words).await);
    }
    let find = |limit, before, after| {
        let mut find = FindPosts::default();
        (find.limit, find.before, find.after) = (limit, before, after);
        find
    };
    let words = |posts: Vec<whimbrel::Post>| -> Vec<String> {
        posts.into_iter().map(|post| post.text.unwrap_or_default()).collect()
    };
    let number = |index: usize| numbers[index].1;
    let read = async |find| words(ben.posts(&jid, find, call()).await.unwrap());
    assert_eq!(read(find(2, None, None)).await, ["three", "four"]);
    assert_eq!(read(find(2, Some(number(2)), None)).await, ["one", "two"]);
    assert_eq!(read(find(2, None, Some(number(0)))).await, ["two", "three"]);
    for wrong in [find(0, None, None), find(101, None, None), find(5, Some(1), Some(2))] {
        assert_eq!(ben.posts(&jid, wrong, call()).await.unwrap_err().code(), Code::InvalidArgument);
    }
    assert_eq!(
        ben.posts(&Jid::newsletter("1"), FindPosts::default(), call()).await.unwrap_err().code(),
        Code::NotFound
    );
    // An edited and a revoked post are read as they are now.
    let edit = Content::Text(whimbrel::content::kinds::text::Text::new("TWO"));
    anna.edit_post(&jid, &numbers[1].0, edit, call()).await.unwrap();
    anna.revoke_post(&jid, &numbers[2].0, call()).await.unwrap();
    let posts = anna.posts(&jid, FindPosts::default(), call()).await.unwrap();
    assert!(posts.iter().all(|post| post.from_me));
    assert_eq!((posts[1].text.as_deref(), posts[1].edited_at_ms.is_some()), (Some("TWO"), true));
    assert_eq!((posts[2].revoked, posts[2].content.is_none()), (true, true));
    // What is watched is told; each person's view counts once.
    let mut at_anna = anna.events().unwrap();
    anna.watch_channel(&jid, call()).await.unwrap();
    ben.mark_posts_viewed(&jid, &[number(0), number(3)], call()).await.unwrap();
    ben.mark_posts_viewed(&jid, &[number(0)], call()).await.unwrap();
    let counts = next_counts(&mut at_anna).await;
    assert_eq!((counts.posts[0].server_id, counts.posts[0].views), (number(0), Some(1)));
    assert_eq!(next_counts(&mut at_anna).await.posts[0].server_id, number(3));
    assert_eq!(channel.state().unwrap().posts[0].views, 1);
    ben.react_to_post(&jid, number(0), Some("👍"), call()).await.unwrap();
    let counts = next_counts(&mut at_anna).await;
    assert_eq!((counts.posts[0].views, counts.posts[0].reactions.as_ref().map(Vec::len)), (Some(1), Some(1)));
    let updates = anna.post_updates(&jid, 0, find(10, None, Some(number(0) - 1)), call()).await.unwrap();
    assert_eq!((updates.len(), updates[0].counts.views, updates[0].content.is_none()), (4, Some(1), true));
    let late = i64::from(u32::MAX);
    assert_eq!(anna.post_updates(&jid, late, FindPosts::default(), call()).await.unwrap(), []);
    assert_eq!(ben.mark_posts_viewed(&jid, &[], call()).await.unwrap_err().code(), Code::InvalidArgument);
    // Who did what admins see, and everybody what they did themselves.
    let options = ["Soup", "Bread"].map(str::to_owned).to_vec();
    let poll = Poll { name: "Lunch?".to_owned(), options, selectable: 1, ..Poll::default() };
    let sent = anna.send(&jid, Draft::new(Content::Poll(poll)), SendOptions::default()).await.unwrap();
    let asked = sent.server_id.unwrap();
    ben.vote_in_post(&jid, asked, &["Bread".to_owned()], call()).await.unwrap();
    let voters = anna.post_voters(&jid, asked, "Bread", 10, call()).await.unwrap();
    assert_eq!(voters.len(), 1);
    let ben_lid = ben.account().unwrap().identity.lid;
    assert_eq!((voters[0].who.lid.clone(), voters[0].voted_at.is_some()), (ben_lid, true));
    assert_eq!(anna.post_voters(&jid, asked, "Soup", 10, call()).await.unwrap(), []);
    let reactions = anna.post_reactions(&jid, number(0), call()).await.unwrap();
    assert_eq!((reactions[0].emoji.as_str(), reactions[0].senders.len()), ("👍", 1));
    let error = ben.post_reactions(&jid, number(0), call()).await.unwrap_err();
    assert_eq!(error.code(), Code::Forbidden);
    let mut own = ben.own_post_acts(5, call()).await.unwrap();
    own.sort_by_key(|act| act.server_id);
    assert_eq!((own[0].server_id, own[0].emoji.as_deref()), (number(0), Some("👍")));
    assert_eq!(own[1].votes, [option_hash("Bread").to_vec()]);
    assert_eq!(anna.own_post_acts(5, call()).await.unwrap(), []);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn what_is_watched_is_asked_for_again_in_time_and_after_a_login() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    world.sandbox.phone(BEN).await.unwrap();
    let channel = world.sandbox.create_channel(ANNA, &[BEN]).unwrap();
    let jid = channel.jid();
    let asked = |count: usize| {
        let mut seen = 0;
        move |event: &Event| {
            seen += usize::from(matches!(event, Event::ChannelWatched { .. }));
            seen >= count
        }
    };
    world.sandbox.set_live_duration(1);
    anna.watch_channel(&jid, call()).await.unwrap();
    world.wait(asked(3)).await;
    world.sandbox.set_live_duration(300);
    let before = world.count(|event| matches!(event, Event::ChannelWatched { .. }));
    go_away(&anna).await;
    world.wait(|event| matches!(event, Event::Disconnected { .. })).await;
    assert_eq!(channel.state().unwrap().watchers, 0);
    anna.wait_online().await;
    world.wait(asked(before + 1)).await;
    assert_eq!(channel.state().unwrap().watchers, 1);
    let other = world.sandbox.create_channel(BEN, &[]).unwrap();
    let error = anna.watch_channel(&other.jid(), call()).await.unwrap_err();
    assert_eq!(error.code(), Code::Forbidden);
    anna.unwatch_channel(&jid).await.unwrap();
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn terms_are_accepted_only_when_the_host_says_so() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    world.sandbox.phone(BEN).await.unwrap();
    let channel = world.sandbox.create_channel(BEN, &[]).unwrap();
    for notice in ["20601217", "20601216", "20610101"] {
        assert!(world.sandbox.want_terms(ANNA, notice));
    }
    let error = anna.create_channel(new("Finches"), call()).await.unwrap_err();
    assert_eq!(error.code(), Code::TermsNotAccepted);
    let error = anna.follow_channel(&channel.jid(), false, call()).await.unwrap_err();
    assert_eq!(error.code(), Code::TermsNotAccepted);
    assert!(!anna.channel_terms(ChannelTerms::Create, call()).await.unwrap());
    assert_eq!(anna.channels(call()).await.unwrap(), []);
    anna.accept_channel_terms(ChannelTerms::Create, call()).await.unwrap();
    assert!(anna.channel_terms(ChannelTerms::Create, call()).await.unwrap());
    anna.create_channel(new("Finches"), call()).await.unwrap();
    anna.follow_channel(&channel.jid(), true, call()).await.unwrap();
    assert!(anna.channel_terms(ChannelTerms::Follow, call()).await.unwrap());
    channel.invite(BEN, ANNA).unwrap();
    let error = anna.accept_channel_invitation(&channel.jid(), false, call()).await.unwrap_err();
    assert_eq!(error.code(), Code::TermsNotAccepted);
    anna.accept_channel_invitation(&channel.jid(), true, call()).await.unwrap();
    assert_eq!(channel.state().unwrap().admins, [ANNA]);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn the_directory_is_gone_through_and_searched() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    world.sandbox.phone(BEN).await.unwrap();
    let mut listed = Vec::new();
    for (name, category) in [("Finches", "BIRDS"), ("Sparrows", "BIRDS"), ("Trains", "TRAVEL")] {
        let channel = world.sandbox.create_named_channel(BEN, name, &[]).unwrap();
        channel.list(category, true);
        listed.push(channel.jid());
    }
    world.sandbox.create_named_channel(BEN, "Not listed", &[]).unwrap();
    let mut find = FindChannels::default();
    find.limit = 2;
    let first = anna.browse_channels(find.clone(), call()).await.unwrap();
    find.after = first.next.clone();
    let second = anna.browse_channels(find, call()).await.unwrap();
    assert_eq!((first.channels.len(), second.channels.len(), second.next), (2, 1, None));
    assert!(first.channels.iter().all(|channel| channel.is_verified && channel.role.is_none()));
    let found = anna.search_channels("finch", FindChannels::default(), call()).await.unwrap();
    assert_eq!(found.channels.iter().map(|channel| &channel.id).collect::<Vec<_>>(), [&listed[0]]);
    let similar = anna.similar_channels(&listed[0], &[], 5, call()).await.unwrap();
    assert_eq!(similar.iter().map(|channel| &channel.id).collect::<Vec<_>>(), [&listed[1]]);
    assert_eq!(anna.recommended_channels(&[], 10, call()).await.unwrap().len(), 3);
    let categories = anna.channel_categories("NL", &[], 1, call()).await.unwrap();
    let names: Vec<&str> = categories.iter().map(|category| category.name.as_str()).collect();
    assert_eq!((names, categories[0].channels.len()), (vec!["BIRDS", "TRAVEL"], 1));
    let error = anna.recommended_channels(&[], 0, call()).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}
