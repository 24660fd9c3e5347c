//! What the archive keeps of what is sent and received.

#![expect(clippy::unwrap_used, reason = "a panic in a scenario is the report of its failure")]

use whimbrel::content::addons::Going;
use whimbrel::content::compose::Draft;
use whimbrel::content::kinds::Content;
use whimbrel::content::kinds::event::Event;
use whimbrel::content::kinds::poll::Poll;
use whimbrel::events::{EventKind, EventStream};
use whimbrel::{
    CallOptions, Client, FindChats, FindMessages, Jid, MessageKey, SendOptions, SendWait, SentStatus,
    StoredMessage,
};
use whimbrel_scenarios::{ANNA, BEN, Wait as _, World, next_kind, stopped};

async fn stored(client: &Client, chat: &Jid, id: &str) -> StoredMessage {
    client.stored_message(chat, id, None, CallOptions::default()).await.unwrap()
}

/// Waits for an add-on.
async fn addon(events: &mut EventStream) {
    next_kind(events, |kind| matches!(kind, EventKind::Addon(_)).then_some(())).await;
}

fn key(id: &str, sender: Option<&Jid>) -> MessageKey {
    MessageKey { message_id: id.to_owned(), sender: sender.cloned() }
}

#[tokio::test]
async fn a_conversation_can_be_looked_up_on_both_sides() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let (ben, _) = world.linked(&engine, BEN).await;
    let (mut to_anna, mut to_ben) = (anna.events().unwrap(), ben.events().unwrap());
    let (annas, bens) = (Jid::pn(ANNA), Jid::pn(BEN));

    let sent = anna.send_text(&bens, "a red curlew", SendOptions::default()).await.unwrap();
    let text = |kind: &EventKind| matches!(kind, EventKind::Message(_)).then_some(());
    next_kind(&mut to_ben, text).await;
    let chats = ben.find_chats(FindChats::default(), CallOptions::default()).await.unwrap().items;
    assert_eq!((chats.len(), chats[0].unread), (1, 1));
    ben.mark_read(&annas, None, std::slice::from_ref(&sent.message_id), CallOptions::default())
        .await
        .unwrap();
    let read = |kind: &EventKind| match kind {
        EventKind::Receipt(receipt) if receipt.kind == whimbrel::events::ReceiptKind::Read => Some(()),
        _ => None,
    };
    next_kind(&mut to_anna, read).await;
    let mine = stored(&anna, &bens, &sent.message_id).await;
    assert_eq!((mine.from_me, mine.status), (true, Some(SentStatus::Read)));
    assert!(mine.recipients[0].read_at.is_some() && mine.recipients[0].who.phone == Some(bens.clone()));
    let chats = ben.find_chats(FindChats::default(), CallOptions::default()).await.unwrap().items;
    assert_eq!(chats[0].unread, 0);

    ben.react(&annas, &key(&sent.message_id, None), Some("👍"), SendOptions::default()).await.unwrap();
    addon(&mut to_anna).await;
    anna.edit_message(&bens, &sent.message_id, "a green curlew", &[], SendOptions::default()).await.unwrap();
    addon(&mut to_ben).await;
    for (client, other) in [(&anna, &bens), (&ben, &annas)] {
        let message = stored(client, other, &sent.message_id).await;
        assert_eq!(message.text.as_deref(), Some("a green curlew"));
        assert!(message.edited_at_ms.is_some());
        assert_eq!(message.reactions.len(), 1);
        assert_eq!(message.reactions[0].emoji, "👍");
        let mut find = FindMessages::default();
        find.text = Some("GREEN cur".to_owned());
        let found = client.find_messages(find, CallOptions::default()).await.unwrap().items;
        assert_eq!(found.len(), 1);
    }
    let me = key(&sent.message_id, Some(&annas));
    anna.revoke_message(&bens, &me, SendOptions::default()).await.unwrap();
    addon(&mut to_ben).await;
    for (client, other) in [(&anna, &bens), (&ben, &annas)] {
        let message = stored(client, other, &sent.message_id).await;
        assert!(message.revoked.is_some() && message.content.is_none() && message.reactions.is_empty());
    }
    world.assert_no_findings();
}

#[tokio::test]
async fn polls_are_counted_on_both_sides() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let (ben, _) = world.linked(&engine, BEN).await;
    let (mut to_anna, mut to_ben) = (anna.events().unwrap(), ben.events().unwrap());
    let (annas, bens) = (Jid::pn(ANNA), Jid::pn(BEN));
    let poll = Poll {
        name: "when?".to_owned(),
        options: vec!["noon".to_owned(), "night".to_owned()],
        selectable: 1,
        ..Poll::default()
    };
    let poll = anna.send(&bens, Draft::new(Content::Poll(poll)), SendOptions::default()).await.unwrap();
    next_kind(&mut to_ben, |kind| matches!(kind, EventKind::Message(_)).then_some(())).await;
    let id = poll.message_id;
    let vote = |option: &str| vec![option.to_owned()];
    ben.vote_poll(&annas, &key(&id, None), &vote("night"), SendOptions::default()).await.unwrap();
    addon(&mut to_anna).await;
    let me = key(&id, Some(&annas));
    anna.vote_poll(&bens, &me, &vote("noon"), SendOptions::default()).await.unwrap();
    addon(&mut to_ben).await;
    ben.vote_poll(&annas, &key(&id, None), &vote("noon"), SendOptions::default()).await.unwrap();
    addon(&mut to_anna).await;
    for (client, other) in [(&anna, &bens), (&ben, &annas)] {
        let message = stored(client, other, &id).await;
        let counted: Vec<_> =
            message.votes.iter().map(|vote| (vote.option.as_deref().unwrap(), vote.voters.len())).collect();
        assert_eq!(counted, [("noon", 2), ("night", 0)], "{:?} {:?}", client.account(), message.votes);
    }
    world.assert_no_findings();
}

#[tokio::test]
async fn what_has_not_left_changes_no_message() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let bens = world.sandbox.phone(BEN).await.unwrap().jid();
    let bens: Jid = bens.to_string().parse().unwrap();
    let sent = anna.send_text(&bens, "a red curlew", SendOptions::default()).await.unwrap();
    anna.disconnect();
    stopped(&anna, &mut anna.events().unwrap()).await;
    let mut options = SendOptions::default();
    options.wait = SendWait::Queued;
    let me = key(&sent.message_id, Some(&Jid::pn(ANNA)));
    let revoke = anna.revoke_message(&bens, &me, options).await.unwrap();
    assert_eq!(stored(&anna, &bens, &sent.message_id).await.text.as_deref(), Some("a red curlew"));
    anna.cancel_send(&bens, &revoke.message_id, CallOptions::default()).await.unwrap();
    anna.wait_online().await;
    assert!(stored(&anna, &bens, &sent.message_id).await.revoked.is_none());
    anna.revoke_message(&bens, &me, SendOptions::default()).await.unwrap();
    assert!(stored(&anna, &bens, &sent.message_id).await.revoked.is_some());
}

#[tokio::test]
async fn polls_and_events_are_shown_as_last_edited_on_both_sides() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let (ben, _) = world.linked(&engine, BEN).await;
    let (mut to_anna, mut to_ben) = (anna.events().unwrap(), ben.events().unwrap());
    let (annas, bens) = (Jid::pn(ANNA), Jid::pn(BEN));
    let options = SendOptions::default;
    let poll = |name: &str| Poll {
        name: name.to_owned(),
        options: vec!["noon".to_owned(), "night".to_owned()],
        selectable: 1,
        open: true,
        ..Poll::default()
    };
    let sent = anna.send(&bens, Draft::new(Content::Poll(poll("when?"))), options()).await.unwrap();
    next_kind(&mut to_ben, |kind| matches!(kind, EventKind::Message(_)).then_some(())).await;
    ben.vote_poll(&annas, &key(&sent.message_id, None), &["noon".to_owned()], options()).await.unwrap();
    addon(&mut to_anna).await;
    anna.edit_poll(&bens, &sent.message_id, poll("when at all?"), options()).await.unwrap();
    addon(&mut to_ben).await;
    ben.add_poll_option(&annas, &key(&sent.message_id, None), "never", options()).await.unwrap();
    addon(&mut to_anna).await;
    for (client, other) in [(&anna, &bens), (&ben, &annas)] {
        let message = stored(client, other, &sent.message_id).await;
        let Some(Content::Poll(poll)) = &message.content else { panic!("{message:?}") };
        assert_eq!((poll.name.as_str(), poll.options.len()), ("when at all?", 3));
        let counted: Vec<_> =
            message.votes.iter().map(|vote| (vote.option.as_deref().unwrap(), vote.voters.len())).collect();
        assert_eq!(counted, [("noon", 1), ("night", 0), ("never", 0)]);
        assert!(message.edited_at_ms.is_some());
        let mut find = FindMessages::default();
        find.text = Some("never at all".to_owned());
        let found = client.find_messages(find, CallOptions::default()).await.unwrap().items;
        assert_eq!(found.len(), 1);
    }

    let event =
        |name: &str| Event { name: name.to_owned(), starts_at: Some(2_000_000_000), ..Event::default() };
    let sent = anna.send(&bens, Draft::new(Content::Event(event("regatta"))), options()).await.unwrap();
    next_kind(&mut to_ben, |kind| matches!(kind, EventKind::Message(_)).then_some(())).await;
    let id = &sent.message_id;
    ben.answer_event(&annas, &key(id, None), Going::Maybe, None, options()).await.unwrap();
    addon(&mut to_anna).await;
    ben.answer_event(&annas, &key(id, None), Going::Going, Some(2), options()).await.unwrap();
    addon(&mut to_anna).await;
    anna.answer_event(&bens, &key(id, Some(&annas)), Going::NotGoing, None, options()).await.unwrap();
    addon(&mut to_ben).await;
    anna.edit_event(&bens, id, event("storm"), options()).await.unwrap();
    addon(&mut to_ben).await;
    for (client, other) in [(&anna, &bens), (&ben, &annas)] {
        let message = stored(client, other, id).await;
        assert_eq!(message.text.as_deref(), Some("storm"));
        let answers: Vec<_> = message
            .answers
            .iter()
            .map(|it| (it.who.phone.clone().unwrap(), it.answer.unwrap(), it.guests))
            .collect();
        assert_eq!(
            answers,
            [(bens.clone(), Going::Going, 2), (annas.clone(), Going::NotGoing, 0)],
            "{message:?}"
        );
    }
    world.assert_no_findings();
}

#[tokio::test]
async fn pinned_messages_are_found_on_both_sides_until_they_are_unpinned() {
    let world = World::start().await;
    let engine = world.engine();
    let (anna, _) = world.linked(&engine, ANNA).await;
    let (ben, _) = world.linked(&engine, BEN).await;
    let (mut to_anna, mut to_ben) = (anna.events().unwrap(), ben.events().unwrap());
    let (annas, bens) = (Jid::pn(ANNA), Jid::pn(BEN));
    let pinned = async |client: &Client, chat: &Jid| {
        let mut find = FindMessages::default();
        (find.chat, find.pinned) = (Some(chat.clone()), true);
        client.find_messages(find, CallOptions::default()).await.unwrap().items
    };
    let mut ids = Vec::new();
    for text in ["one", "two"] {
        let sent = anna.send_text(&bens, text, SendOptions::default()).await.unwrap();
        next_kind(&mut to_ben, |kind| matches!(kind, EventKind::Message(_)).then_some(())).await;
        ids.push(sent.message_id);
    }
    ben.pin_message(&annas, &key(&ids[0], None), Some(86_400), SendOptions::default()).await.unwrap();
    addon(&mut to_anna).await;
    for (client, other) in [(&anna, &bens), (&ben, &annas)] {
        let found = pinned(client, other).await;
        assert_eq!(found.len(), 1, "{found:?}");
        let pin = found[0].pinned.as_ref().unwrap();
        assert_eq!(
            (found[0].message_id.as_str(), pin.by.as_ref().unwrap().phone.as_ref()),
            (ids[0].as_str(), Some(&bens))
        );
        assert_eq!(pin.until, pin.at_ms / 1000 + 86_400);
    }
    // Either side may unpin in a direct chat.
    anna.pin_message(&bens, &key(&ids[0], Some(&annas)), None, SendOptions::default()).await.unwrap();
    addon(&mut to_ben).await;
    assert!(pinned(&anna, &bens).await.is_empty() && pinned(&ben, &annas).await.is_empty());
    world.assert_no_findings();
}
