//! What must hold for any bytes; shared by the fuzz target and the replay of its corpus.

use whimbrel_content::classify::Class;
use whimbrel_content::key::{Arrival, Own};
use whimbrel_content::{Content, classify, compose, stanza};
use whimbrel_proto::e2e::Message;
use whimbrel_wire::Jid;

/// Takes any bytes as a message: it is typed without a panic, and content that the typed form makes
/// is read as the same content again. Returns whether the bytes were a message.
pub(crate) fn content(bytes: &[u8]) -> bool {
    let Ok(message) = whimbrel_proto::decode::<Message>(bytes) else { return false };
    let people = Own { phone: Some(Jid::pn("1555")), lid: Some(Jid::lid("9")) };
    for (chat, sender) in
        [(Jid::lid("7"), Jid::lid("7").with_device(3)), (Jid::group("1-2"), Jid::pn("1555"))]
    {
        let arrival = Arrival { chat: &chat, sender: &sender, people: &people };
        let received = classify(message.clone(), &arrival);
        assert!(!format!("{received:?}").is_empty());
        match received.class {
            Class::Message(shown) => {
                assert!(!shown.content.body().is_some_and(|body| body.is_empty()));
                let quoted = shown.context.quote.as_ref().and_then(|quote| quote.content());
                assert!(quoted.is_none_or(|quoted| !quoted.kind().is_empty()));
                again(shown.content, &shown.context, &arrival);
            }
            Class::Addon(addon) => {
                let target = addon.target().resolve(&arrival);
                assert_eq!(target.chat, chat);
            }
            _ => {}
        }
    }
    // Neither panics; what they say is for other tests.
    let attributes = stanza::attributes(&message);
    assert!(attributes.biz.is_none() || attributes.mediatype.is_none());
    let _ = compose::forward(&message, [0; 32]);
    let _ = compose::quote("A", &Jid::lid("7"), None, &message);
    true
}

fn again(content: Content, context: &whimbrel_content::context::Context, arrival: &Arrival<'_>) {
    let Ok(written) = content.clone().to_message(context) else { return };
    let Class::Message(shown) = classify(written, arrival).class else {
        // Content without anything in it is a message without anything in it.
        return;
    };
    assert_eq!(shown.content, content);
    if !matches!(content, Content::Payment(_)) {
        assert!(shown.context == *context || shown.context == Default::default());
    }
}
