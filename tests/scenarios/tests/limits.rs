//! How far the account may go, and reports to the service.

use std::time::Duration;

use whimbrel::{CallOptions, Code, Jid};
use whimbrel_sandbox::{Event, Restriction};
use whimbrel_scenarios::{ANNA, BEN, DEADLINE, World, next_message, pn};

#[tokio::test]
async fn limits_are_told_with_what_the_service_counts() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let limits = client.limits(CallOptions::default()).await.unwrap();
    let chats = limits.new_chats.clone().unwrap();
    assert!(!limits.reachout_locked && limits.reachout_until.is_none());
    assert_eq!((chats.total, chats.used, chats.status.as_str()), (Some(100), Some(50), "NONE"));
    // Found out by asking, it is heeded: what would begin a chat does not leave.
    let hour = Some(Duration::from_secs(3600));
    assert!(world.sandbox.restrict(ANNA, Restriction::ReachoutTimelock, hour, false));
    let limits = client.limits(CallOptions::default()).await.unwrap();
    assert!(limits.reachout_locked && limits.reachout_until.is_some());
    assert_eq!(limits.reachout_reason.as_deref(), Some("DEFAULT"));
    world.sandbox.phone(BEN).await.unwrap();
    let held = client.send_text(&pn(BEN), "hello", whimbrel::SendOptions::default()).await.unwrap_err();
    assert_eq!((held.code(), held.service_status()), (Code::Restricted, 0));
    assert!(world.sandbox.restrict(ANNA, Restriction::NewChatCap, None, false));
    let chats = client.limits(CallOptions::default()).await.unwrap().new_chats.unwrap();
    assert_eq!((chats.used, chats.status.as_str()), (Some(100), "CAPPED"));
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}

#[tokio::test]
async fn chats_are_reported_with_their_messages() {
    let world = World::start().await;
    let engine = world.engine();
    let (client, _) = world.linked(&engine, ANNA).await;
    let mut events = client.events().unwrap();
    let ben = world.sandbox.phone(BEN).await.unwrap();
    ben.send_text(ANNA, "buy this").await.unwrap();
    let message = next_message(&mut events).await;
    let ids = [message.message_id.clone()];
    let report = client.report_spam(&pn(BEN), &ids, CallOptions::default()).await.unwrap();
    assert!(report.is_some());
    let reported =
        world.wait(|event| matches!(event, Event::SpamReported { flow, .. } if flow == "MessageMenu")).await;
    let Event::SpamReported { chat, messages, raw, .. } = reported else { unreachable!("as waited for") };
    assert_eq!((chat, messages, raw), (ben.lid().to_string(), ids.to_vec(), 1));
    client.report_spam(&pn(BEN), &[], CallOptions::default()).await.unwrap();
    world.wait(|event| matches!(event, Event::SpamReported { flow, .. } if flow == "ContactInfo")).await;

    let missing =
        client.report_spam(&pn(BEN), &["NONE".to_owned()], CallOptions::default()).await.unwrap_err();
    let channel = client.report_spam(&Jid::newsletter("1"), &[], CallOptions::default()).await.unwrap_err();
    assert_eq!((missing.code(), channel.code()), (Code::NotFound, Code::InvalidArgument));
    world.assert_no_findings();
    engine.close(DEADLINE).await.unwrap();
}
