//! Calls as Baileys or whatsmeow and a client of ours hear of them and refuse them, as devices of one account; and
//! links to calls.

use serde_json::{Value, json};
use whimbrel::CallOptions;
use whimbrel::events::EventKind;
use whimbrel_interop::Program;

use crate::support::Stage;

async fn refused(program: Program, story: &str) {
    let stage = Stage::new(story).await;
    let (ana, ben) = (stage.person("15550001", "Ana").await, stage.person("15550002", "Ben").await);
    let (peer, ours) = (stage.peer(program, &ana).await, stage.whimbrel(&ana).await);
    // Refused there, it ends here.
    let call = stage.sandbox.call("15550002", "15550001", false).unwrap();
    let id = call.id().to_owned();
    let caller = ours
        .event("the call", |event| match event {
            EventKind::CallOffered(offer) if offer.call_id == id => Some(offer.caller.id.clone()),
            _ => None,
        })
        .await;
    match program {
        Program::Baileys => {
            let rings = |value: &Value| {
                value.pointer("/0/id") == Some(&json!(id))
                    && value.pointer("/0/status") == Some(&json!("offer"))
            };
            peer.as_peer().was_told("call", rings).await.unwrap();
            let arguments = json!([id.clone(), caller.to_string()]);
            peer.as_peer().call("rejectCall", arguments).await.unwrap();
        }
        Program::Whatsmeow => {
            let rings = |value: &Value| value.get("CallID") == Some(&json!(id));
            peer.as_peer().was_told("CallOffer", rings).await.unwrap();
            let arguments = json!([caller.to_string(), id.clone()]);
            peer.as_peer().call("RejectCall", arguments).await.unwrap();
        }
    }
    ours.event("that the other device refused", |event| match event {
        EventKind::CallEnded(end) if end.call_id == id => end.is_elsewhere.then_some(()),
        _ => None,
    })
    .await;
    assert_eq!(call.state().unwrap().state, "rejected");
    // Refused here, it ends there.
    let call = stage.sandbox.call("15550002", "15550001", true).unwrap();
    let id = call.id().to_owned();
    ours.event("the second call", |event| match event {
        EventKind::CallOffered(offer) if offer.call_id == id => offer.video.then_some(()),
        _ => None,
    })
    .await;
    ours.as_client().reject_call(&caller, &id, CallOptions::default()).await.unwrap();
    match program {
        Program::Baileys => {
            let over = |value: &Value| {
                let words = ["terminate", "reject", "timeout"].map(|word| Some(json!(word)));
                value.pointer("/0/id") == Some(&json!(id))
                    && words.contains(&value.pointer("/0/status").cloned())
            };
            peer.as_peer().was_told("call", over).await.unwrap();
        }
        Program::Whatsmeow => {
            let over = |value: &Value| value.get("CallID") == Some(&json!(id));
            peer.as_peer().was_told("CallTerminate", over).await.unwrap();
        }
    }
    if program == Program::Baileys {
        // Without the kind it answers with the token.
        let token = peer.as_peer().call("createCallLink", json!(["audio"])).await.unwrap();
        let url = format!("https://call.whatsapp.com/voice/{}", token.as_str().unwrap());
        let preview = ours.as_client().preview_call_link(&url, CallOptions::default()).await.unwrap();
        assert!(preview.is_admin && !preview.link.video);
    }
    assert!(stage.sandbox.violations().is_empty());
    let _ = ben;
}

#[tokio::test]
async fn calls_are_refused_beside_baileys() {
    refused(Program::Baileys, "calls-baileys").await;
}

#[tokio::test]
async fn calls_are_refused_beside_whatsmeow() {
    refused(Program::Whatsmeow, "calls-whatsmeow").await;
}
