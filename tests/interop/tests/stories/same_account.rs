//! A client of ours and a peer are companions of the same phone: each shows what the other sends.

use whimbrel_interop::Program;

use crate::support::{DEADLINE, Device, Stage};

#[tokio::test]
async fn what_whimbrel_or_baileys_sends_appears_at_the_other_as_its_own() {
    tell(Program::Baileys, "same-account-baileys").await;
}

#[tokio::test]
async fn what_whimbrel_or_whatsmeow_sends_appears_at_the_other_as_its_own() {
    tell(Program::Whatsmeow, "same-account-whatsmeow").await;
}

async fn tell(program: Program, story: &str) {
    let stage = Stage::new(story).await;
    let (ana, ben) = (stage.person("15550001", "Ana").await, stage.person("15550002", "Ben").await);
    let peer = stage.peer(program, &ana).await;
    let whimbrel = stage.whimbrel(&ana).await;
    assert_eq!(ana.companions().len(), 2);

    for round in 1..=3 {
        for (from, other) in [(&whimbrel, &peer), (&peer, &whimbrel)] {
            let text = format!("{round} from {}", from.label());
            let id = from.say(&ben, &text).await;
            appears(other, &id, &text, &[ben.jid().to_string(), ben.lid().to_string()]).await;
            let at_ben = ben.next_message(DEADLINE).await.unwrap();
            assert_eq!((at_ben.id, at_ben.text, at_ben.from_me), (id, text, false));
        }
        let text = format!("{round} from Ben");
        let id = ben.send_text("15550001", &text).await.unwrap();
        for device in [&whimbrel, &peer] {
            let heard = device.hear("a text from Ben").await;
            assert_eq!((heard.id, heard.text.as_str(), heard.from_me), (id.clone(), text.as_str(), false));
        }
    }
    stage.finish();
}

async fn appears(device: &Device, id: &str, text: &str, chats: &[String]) {
    let heard = device.hear("what the other companion sent").await;
    assert_eq!((heard.id.as_str(), heard.text.as_str(), heard.from_me), (id, text, true));
    assert!(chats.contains(&heard.chat), "{} is not the chat with Ben", heard.chat);
}
