//! What was written in a group before somebody joined, handed to them by a member (features document §2.10).

#![expect(clippy::unwrap_used, reason = "a panic in a scenario is the report of its failure")]

use whimbrel::content::Content;
use whimbrel::content::kinds::special::GroupHistory;
use whimbrel::events::{EventStream, Message};
use whimbrel::{CallOptions, Client, Code, FindMessages, Jid, SendOptions};
use whimbrel_sandbox::Event;
use whimbrel_scenarios::{ANNA, BEN, CARA, DAN, DEADLINE, World, next_message, pn};

/// The property that lets an account hand on histories.
const SEND: u32 = 15_313;

async fn texts(client: &Client, group: &Jid) -> Vec<String> {
    let mut find = FindMessages::default();
    find.chat = Some(group.clone());
    let found = client.find_messages(find, CallOptions::default()).await.unwrap().items;
    found.into_iter().rev().filter_map(|message| message.text).collect()
}

async fn next_history(events: &mut EventStream) -> (Message, GroupHistory) {
    loop {
        let told = next_message(events).await;
        if let Content::GroupHistory(history) = &told.content {
            let history = history.clone();
            return (told, history);
        }
    }
}

async fn next_notice(events: &mut EventStream) -> GroupHistory {
    loop {
        if let Content::GroupHistoryNotice(notice) = next_message(events).await.content {
            return notice;
        }
    }
}

#[tokio::test]
async fn who_joins_gets_what_was_written_before() {
    let world = World::start().await;
    world.sandbox.set_property(SEND, "1");
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let (ben, _) = world.linked(&engine, BEN).await;
    let (cara, _) = world.linked(&engine, CARA).await;
    world.sandbox.phone(DAN).await.unwrap();
    let (mut at_anna, mut at_ben, mut at_cara) =
        (anna.events().unwrap(), ben.events().unwrap(), cara.events().unwrap());
    let call = CallOptions::default;
    let made = anna.create_group("Ponds", &[pn(BEN), pn(DAN)], Default::default(), call()).await.unwrap();
    let group = made.group.id.clone();
    anna.send_text(&group, "one", SendOptions::default()).await.unwrap();
    assert_eq!(next_message(&mut at_ben).await.text.as_deref(), Some("one"));
    ben.send_text(&group, "two", SendOptions::default()).await.unwrap();
    next_message(&mut at_anna).await;
    let taken_back = anna.send_text(&group, "three", SendOptions::default()).await.unwrap();
    next_message(&mut at_ben).await;
    let key = whimbrel::MessageKey { message_id: taken_back.message_id, sender: None };
    anna.revoke_message(&group, &key, SendOptions::default()).await.unwrap();

    // Who is not in the group cannot get it, and who has no archive cannot hand it on.
    let stranger = anna.share_group_history(&group, &[pn(CARA)], call()).await.unwrap_err();
    assert_eq!(stranger.code(), Code::InvalidArgument);
    anna.add_participants(&group, &[pn(CARA)], call()).await.unwrap();
    let shared = anna.share_group_history(&group, &[pn(CARA)], call()).await.unwrap();
    assert_eq!(shared.messages, 2, "what was taken back is not handed on");

    // The others are told, and get nothing.
    let notice = next_notice(&mut at_ben).await;
    assert_eq!((notice.message_count, notice.receivers.len()), (Some(2), 1));
    assert!(notice.media.is_none());
    // Her phone and her client.
    let accepted =
        world.wait(|event| matches!(event, Event::Accepted { id, .. } if *id == shared.message_id)).await;
    assert!(matches!(accepted, Event::Accepted { copies: 2, .. }), "{accepted:?}");
    let (told, history) = next_history(&mut at_cara).await;
    assert_eq!((told.message_id.as_str(), history.message_count), (shared.message_id.as_str(), Some(2)));
    assert_eq!(history.oldest_at, Some(shared.oldest_at));
    next_notice(&mut at_cara).await;

    assert_eq!(texts(&cara, &group).await, Vec::<String>::new());
    let fetched = cara.fetch_group_history(&group, &shared.message_id, call()).await.unwrap();
    assert_eq!((fetched.messages, fetched.left_out), (2, 0));
    assert_eq!(texts(&cara, &group).await, ["one", "two"]);
    let mut find = FindMessages::default();
    find.chat = Some(group.clone());
    let found = cara.find_messages(find, call()).await.unwrap().items;
    let one = found.iter().find(|message| message.text.as_deref() == Some("one")).unwrap();
    assert_eq!(one.sender.phone, Some(pn(ANNA)));
    assert!(!one.from_me);
    // Again is no more than once.
    let again = cara.fetch_group_history(&group, &shared.message_id, call()).await.unwrap();
    assert_eq!(again.messages, 2);
    assert_eq!(texts(&cara, &group).await, ["one", "two"]);
    // It is hers, and no other message is one.
    let other = anna.fetch_group_history(&group, &shared.message_id, call()).await.unwrap_err();
    assert_eq!(other.code(), Code::Forbidden);
    let nothing = ben.fetch_group_history(&group, &shared.message_id, call()).await.unwrap_err();
    assert_eq!(nothing.code(), Code::NotFound);
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn a_history_is_refused_to_accounts_that_may_not_hand_one_on() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let (ben, _) = world.linked(&engine, BEN).await;
    let mut at_ben = ben.events().unwrap();
    let call = CallOptions::default;
    let made = anna.create_group("Ponds", &[pn(BEN)], Default::default(), call()).await.unwrap();
    let group = made.group.id.clone();
    let empty = anna.share_group_history(&group, &[pn(BEN)], call()).await.unwrap_err();
    assert_eq!(empty.code(), Code::NotFound);
    let nobody = anna.share_group_history(&group, &[], call()).await.unwrap_err();
    assert_eq!(nobody.code(), Code::InvalidArgument);
    anna.send_text(&group, "one", SendOptions::default()).await.unwrap();
    next_message(&mut at_ben).await;
    let refused = anna.share_group_history(&group, &[pn(BEN)], call()).await.unwrap_err();
    assert_eq!((refused.code(), refused.service_status()), (Code::Refused, 479));
    engine.close(DEADLINE).await.unwrap();
}
