//! The account itself, with a device of ours and one of Baileys or whatsmeow: privacy, block list, the timer of new
//! chats and what is said of oneself, changed on either and seen on the other.

use serde_json::{Value, json};
use whimbrel::events::EventKind;
use whimbrel::privacy::{PrivacyCategory, PrivacyValue};
use whimbrel::{CallOptions, LookupOptions};
use whimbrel_interop::Program;

use crate::support::{Device, Stage};

/// What a peer reads under the protocol's word of a category.
async fn peer_reads(peer: &Device, program: Program, baileys: &str, whatsmeow: &str) -> Value {
    let (method, name) = match program {
        Program::Baileys => ("fetchPrivacySettings", baileys),
        Program::Whatsmeow => ("TryFetchPrivacySettings", whatsmeow),
    };
    let settings = peer.as_peer().call(method, json!([true])).await.unwrap();
    settings.get(name).cloned().unwrap_or_default()
}

async fn ours_hears_of(ours: &Device, category: PrivacyCategory, value: PrivacyValue) {
    ours.event("a change of privacy", |event| match event {
        EventKind::PrivacyChanged(changed) => {
            let mut settings = changed.settings.iter();
            settings.any(|set| set.category == category && set.value == value).then_some(())
        }
        _ => None,
    })
    .await;
}

async fn account(program: Program, story: &str) {
    let stage = Stage::new(story).await;
    let (ana, ben) = (stage.person("15550001", "Ana").await, stage.person("15550002", "Ben").await);
    let (peer, ours) = (stage.peer(program, &ana).await, stage.whimbrel(&ana).await);
    let (client, them, options) = (ours.as_client(), peer.as_peer(), CallOptions::default);

    // Privacy, both ways.
    client.set_privacy(PrivacyCategory::LastSeen, PrivacyValue::Contacts, options()).await.unwrap();
    if program == Program::Whatsmeow {
        them.was_told("PrivacySettings", |_| true).await.unwrap();
    }
    assert_eq!(peer_reads(&peer, program, "last", "LastSeen").await, json!("contacts"));
    let (method, arguments) = match program {
        Program::Baileys => ("updateGroupsAddPrivacy", json!(["contacts"])),
        Program::Whatsmeow => ("SetPrivacySetting", json!(["groupadd", "contacts"])),
    };
    them.call(method, arguments).await.unwrap();
    ours_hears_of(&ours, PrivacyCategory::GroupAdd, PrivacyValue::Contacts).await;
    let kept = client.privacy(LookupOptions::default()).await.unwrap();
    assert!(
        kept.iter()
            .any(|set| set.category == PrivacyCategory::GroupAdd && set.value == PrivacyValue::Contacts)
    );

    // The block list, both ways.
    client.block(&ben.jid(), options()).await.unwrap();
    let told = match program {
        Program::Baileys => "blocklist.update",
        Program::Whatsmeow => "Blocklist",
    };
    let lid = ben.lid().to_string();
    them.was_told(told, |value| value.to_string().contains(&lid)).await.unwrap();
    let (fetch, change) = match program {
        Program::Baileys => ("fetchBlocklist", "updateBlockStatus"),
        Program::Whatsmeow => ("GetBlocklist", "UpdateBlocklist"),
    };
    let listed = them.call(fetch, json!([])).await.unwrap();
    assert!(listed.to_string().contains(&lid), "{listed}");
    them.call(change, json!([ben.jid().to_string(), "unblock"])).await.unwrap();
    ours.event("somebody unblocked", |event| match event {
        EventKind::BlockedChanged(changed) => {
            changed.unblocked.iter().any(|who| who.id == ben.lid()).then_some(())
        }
        _ => None,
    })
    .await;
    assert!(client.blocked(LookupOptions::default()).await.unwrap().is_empty());

    // The timer of new chats.
    let (method, arguments) = match program {
        Program::Baileys => ("updateDefaultDisappearingMode", json!([604_800])),
        Program::Whatsmeow => ("SetDefaultDisappearingTimer", json!([604_800_000_000_000_u64])),
    };
    them.call(method, arguments).await.unwrap();
    ours.event("another timer", |event| match event {
        EventKind::DefaultTimerChanged(changed) if changed.seconds == 604_800 => Some(()),
        _ => None,
    })
    .await;
    assert_eq!(client.default_timer(options()).await.unwrap().seconds, 604_800);

    // What is said of oneself.
    let (method, arguments) = match program {
        Program::Baileys => ("updateProfileStatus", json!(["on the pond"])),
        Program::Whatsmeow => (
            "SetStatusMessage",
            json!([{"text": "on the pond", "emoji": {"content": "🦆"}, "ephemeral_duration_sec": 3600}]),
        ),
    };
    them.call(method, arguments).await.unwrap();
    let emoji = ours.event("what is said of oneself", |event| match event {
        EventKind::AboutChanged(changed) if changed.about.text.as_deref() == Some("on the pond") => {
            Some(changed.about.emoji.clone())
        }
        _ => None,
    });
    let expected = (program == Program::Whatsmeow).then(|| "🦆".to_owned());
    assert_eq!(emoji.await, expected);

    // Another account sees it as long as it may.
    let beside = stage.peer(program, &ben).await;
    client.set_privacy(PrivacyCategory::About, PrivacyValue::Nobody, options()).await.unwrap();
    let shown = async || match program {
        Program::Baileys => beside.as_peer().call("fetchStatus", json!([ana.jid().to_string()])).await,
        Program::Whatsmeow => beside.as_peer().call("GetUserInfo", json!([[ana.jid().to_string()]])).await,
    };
    let hidden = shown().await.unwrap();
    assert!(!hidden.to_string().contains("on the pond"), "{hidden}");
    client.set_privacy(PrivacyCategory::About, PrivacyValue::Everyone, options()).await.unwrap();
    let seen = shown().await.unwrap();
    assert!(seen.to_string().contains("on the pond"), "{seen}");
    stage.is_quiet().await;
    stage.finish();
}

#[tokio::test]
async fn an_account_is_changed_between_whimbrel_and_baileys() {
    account(Program::Baileys, "account-baileys").await;
}

#[tokio::test]
async fn an_account_is_changed_between_whimbrel_and_whatsmeow() {
    account(Program::Whatsmeow, "account-whatsmeow").await;
}
