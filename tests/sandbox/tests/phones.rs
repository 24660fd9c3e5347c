//! Simulated phones talk to each other through the service, without any socket.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::time::Duration;

use whimbrel_sandbox::phone::{PhoneError, ReceiptKind, SwitchChange};
use whimbrel_sandbox::{AttachError, Options, Sandbox};

const DEADLINE: Duration = Duration::from_secs(20);

async fn sandbox() -> Sandbox {
    Sandbox::start(Options { strict: true, ..Options::default() }).await.unwrap()
}

fn assert_clean(sandbox: &Sandbox) {
    assert_eq!(sandbox.violations(), [], "message keys used twice");
    assert_eq!(sandbox.findings(), [], "stanzas that no real phone sends");
}

#[tokio::test]
async fn two_phones_chat_and_tell_what_was_delivered_and_read() {
    let sandbox = sandbox().await;
    let ana = sandbox.create_phone(Some("15550001"), Some("Ana")).await.unwrap();
    let ben = sandbox.phone("15550002").await.unwrap();
    for round in 0..10 {
        let text = format!("hello {round}");
        let id = ana.send_text("15550002", &text).await.unwrap();
        let message = ben.next_message(DEADLINE).await.unwrap();
        assert_eq!((message.id.as_str(), message.text.as_str()), (id.as_str(), text.as_str()));
        assert_eq!(message.chat, ana.lid().to_string());
        assert_eq!(message.push_name.as_deref(), Some("Ana"));
        assert!(!message.from_me);
        ana.wait_receipt(&id, ReceiptKind::Delivered, DEADLINE).await.unwrap();

        ben.mark_read(&message.chat, &[message.id]).await.unwrap();
        ana.wait_receipt(&id, ReceiptKind::Read, DEADLINE).await.unwrap();

        let answer = ben.send_text(&message.chat, "and hello back").await.unwrap();
        assert_eq!(ana.next_message(DEADLINE).await.unwrap().id, answer);
    }
    assert_clean(&sandbox);
}

#[tokio::test]
async fn both_may_begin_at_the_same_moment() {
    let sandbox = sandbox().await;
    let ana = sandbox.phone("15550001").await.unwrap();
    let ben = sandbox.phone("15550002").await.unwrap();
    for _ in 0..5 {
        let (to_ben, to_ana) = tokio::join!(ana.send_text("15550002", "a"), ben.send_text("15550001", "b"));
        assert_eq!(ben.next_message(DEADLINE).await.unwrap().id, to_ben.unwrap());
        assert_eq!(ana.next_message(DEADLINE).await.unwrap().id, to_ana.unwrap());
    }
    assert_clean(&sandbox);
}

#[tokio::test]
async fn a_damaged_message_is_asked_for_again_and_comes() {
    let sandbox = sandbox().await;
    let ana = sandbox.phone("15550001").await.unwrap();
    let ben = sandbox.phone("15550002").await.unwrap();
    for round in 0..3 {
        ana.set_switches(SwitchChange { damage_next: Some(1), ..SwitchChange::default() });
        let text = format!("round {round}");
        let id = ana.send_text("15550002", &text).await.unwrap();
        let message = ben.next_message(DEADLINE).await.unwrap();
        assert_eq!((message.id, message.text), (id.clone(), text));
        ana.wait_receipt(&id, ReceiptKind::Retry, DEADLINE).await.unwrap();
        ana.wait_receipt(&id, ReceiptKind::Delivered, DEADLINE).await.unwrap();
        // An answer settles the session, so that the next round damages an ordinary message.
        ben.send_text("15550001", "got it").await.unwrap();
        ana.next_message(DEADLINE).await.unwrap();
    }
    assert_clean(&sandbox);
}

#[tokio::test]
async fn a_lost_session_heals_by_a_retry() {
    let sandbox = sandbox().await;
    let ana = sandbox.phone("15550001").await.unwrap();
    let ben = sandbox.phone("15550002").await.unwrap();
    ana.send_text("15550002", "one").await.unwrap();
    ben.next_message(DEADLINE).await.unwrap();
    ben.send_text("15550001", "two").await.unwrap();
    ana.next_message(DEADLINE).await.unwrap();

    assert!(ben.reset_session(&ana.lid().to_string()).unwrap());
    let id = ana.send_text("15550002", "three").await.unwrap();
    let message = ben.next_message(DEADLINE).await.unwrap();
    assert_eq!((message.id, message.text.as_str()), (id, "three"));
    assert_clean(&sandbox);
}

#[tokio::test]
async fn what_comes_while_a_phone_is_off_waits_for_it() {
    let sandbox = sandbox().await;
    let ana = sandbox.phone("15550001").await.unwrap();
    let ben = sandbox.phone("15550002").await.unwrap();
    ben.go_offline().await;
    assert!(!ben.is_online());
    assert_eq!(ben.send_text("15550001", "x").await, Err(PhoneError::Offline));
    let mut ids = Vec::new();
    for count in 0..40 {
        ids.push(ana.send_text("15550002", &count.to_string()).await.unwrap());
    }
    ben.go_online().await.unwrap();
    for id in ids {
        let message = ben.next_message(DEADLINE).await.unwrap();
        assert_eq!((&message.id, message.offline), (&id, true));
        ana.wait_receipt(&id, ReceiptKind::Delivered, DEADLINE).await.unwrap();
    }
    assert_clean(&sandbox);
}

#[tokio::test]
async fn a_queue_longer_than_every_channel_comes_in() {
    let sandbox = sandbox().await;
    let ana = sandbox.phone("15550001").await.unwrap();
    let ben = sandbox.phone("15550002").await.unwrap();
    ben.go_offline().await;
    const COUNT: usize = 2_500;
    for count in 0..COUNT {
        ana.send_text("15550002", &count.to_string()).await.unwrap();
    }
    ben.go_online().await.unwrap();
    for count in 0..COUNT {
        assert_eq!(ben.next_message(DEADLINE).await.unwrap().text, count.to_string());
    }
    assert_clean(&sandbox);
}

#[tokio::test]
async fn a_cut_connection_is_made_anew() {
    let sandbox = sandbox().await;
    let ana = sandbox.phone("15550001").await.unwrap();
    let ben = sandbox.phone("15550002").await.unwrap();
    assert!(sandbox.disconnect("15550002"));
    let id = ana.send_text("15550002", "still there?").await.unwrap();
    assert_eq!(ben.next_message(DEADLINE).await.unwrap().id, id);
}

#[tokio::test]
async fn a_silent_phone_receives_without_a_word() {
    let sandbox = sandbox().await;
    let ana = sandbox.phone("15550001").await.unwrap();
    let ben = sandbox.phone("15550002").await.unwrap();
    ben.set_switches(SwitchChange { silent: Some(true), auto_read: Some(true), ..SwitchChange::default() });
    let quiet = ana.send_text("15550002", "hello?").await.unwrap();
    ben.next_message(DEADLINE).await.unwrap();
    ben.set_switches(SwitchChange { silent: Some(false), ..SwitchChange::default() });
    let loud = ana.send_text("15550002", "anybody?").await.unwrap();
    ana.wait_receipt(&loud, ReceiptKind::Read, DEADLINE).await.unwrap();
    let about_quiet = ana.wait_receipt(&quiet, ReceiptKind::Delivered, Duration::ZERO).await;
    assert_eq!(about_quiet, Err(PhoneError::Timeout));
    assert_clean(&sandbox);
}

#[tokio::test]
async fn wrong_input_has_its_own_error() {
    let sandbox = sandbox().await;
    let ana = sandbox.phone("15550001").await.unwrap();
    assert_eq!(ana.send_text("15559999", "x").await, Err(PhoneError::UnknownUser));
    assert_eq!(ana.send_text("not an address", "x").await, Err(PhoneError::BadAddress));
    let unknown = ana.send_text("120363000000000001@g.us", "x").await;
    assert!(matches!(unknown, Err(PhoneError::Refused { code: 404, .. })));
    assert_eq!(ana.mark_read("15550001", &["none".to_owned()]).await, Err(PhoneError::UnknownMessage));
    assert!(matches!(ana.scan("no code").await, Err(PhoneError::Qr(_))));
    assert!(matches!(ana.enter_code("IIII-OOOO").await, Err(PhoneError::Code(_))));
    assert!(matches!(ana.unlink(9).await, Err(PhoneError::Refused { code: 404, .. })));
    let refused = sandbox.phone("0123").await.map(|_| ());
    assert_eq!(refused, Err(PhoneError::Attach(AttachError::BadNumber)));
}

#[tokio::test]
async fn equal_seeds_give_equal_accounts() {
    let addresses = async |seed| {
        let sandbox = Sandbox::start(Options { seed, ..Options::default() }).await.unwrap();
        let phone = sandbox.create_phone(None, None).await.unwrap();
        (phone.jid(), phone.lid())
    };
    assert_eq!(addresses(5).await, addresses(5).await);
    assert_ne!(addresses(5).await.1, addresses(6).await.1);
}
