//! Quotes and forwards: what they keep of a message (messages document §6.1, §6.3).

use whimbrel_proto::e2e::message::ExtendedTextMessage;
use whimbrel_proto::e2e::{ContextInfo, Message, MessageContextInfo};
use whimbrel_wire::Jid;

use super::{Refused, SECRET};
use crate::context::{FORWARDED_MANY, FORWARDED_MANY_WRITTEN, Quote, slot};
use crate::kinds::Content;
use crate::stanza;
use crate::unwrap::{self, Wrapper};

/// Quotes a message. `chat` only when it is in another chat than the quoting one.
///
/// # Errors
/// [`Refused::NotQuotable`] for what has nothing to be quoted, such as reactions and votes, and for
/// what is to be seen once.
pub fn quote(id: &str, author: &Jid, chat: Option<&Jid>, message: &Message) -> Result<Quote, Refused> {
    if stanza::is_view_once(message) {
        return Err(Refused::NotQuotable);
    }
    let mut copy = unwrap::open(message.clone()).content;
    if !is_content(&copy) {
        return Err(Refused::NotQuotable);
    }
    if let Some(slot) = slot::slot(&mut copy) {
        *slot = None;
    }
    Ok(Quote {
        id: id.to_owned(),
        author: Some(author.to_bare()),
        chat: chat.cloned(),
        copy: Some(Box::new(copy)),
    })
}

/// Whether it is something for people, and not an add-on or a control message.
fn is_content(content: &Message) -> bool {
    !matches!(Content::take(&mut content.clone()), Content::Unsupported | Content::CallMarker)
}

/// Makes the message that forwards another one. Media are forwarded as they are: their keys are in
/// it. `secret` is random.
///
/// # Errors
/// [`Refused::NotForwardable`] for what was meant for its receiver only, and for polls, of which a
/// [result](crate::kinds::poll::PollResult) is sent instead.
pub fn forward(message: &Message, secret: [u8; SECRET]) -> Result<Message, Refused> {
    let opened = unwrap::open(message.clone());
    let mut content = opened.content;
    let limited = opened.wrappers.contains(&Wrapper::LimitSharing)
        || opened.info.limit_sharing_v2.as_ref().is_some_and(|limit| limit.sharing_limited())
        || opened.info.limit_sharing.as_ref().is_some_and(|limit| limit.sharing_limited());
    if limited || stanza::is_view_once(message) || !is_content(&content) {
        return Err(Refused::NotForwardable);
    }
    let kind = Content::take(&mut content.clone());
    if matches!(
        kind,
        Content::Poll(_)
            | Content::Payment(_)
            | Content::Scheduled(_)
            | Content::Placeholder
            | Content::Album(_)
    ) {
        return Err(Refused::NotForwardable);
    }
    if let Some(text) = content.conversation.take() {
        let text = ExtendedTextMessage { text: Some(text), ..ExtendedTextMessage::default() };
        content.extended_text_message = Some(Box::new(text));
    }
    let slot = slot::slot(&mut content).ok_or(Refused::NotForwardable)?;
    let before = slot.take().map(|context| *context).unwrap_or_default();
    let hops = before.forwarding_score.unwrap_or_default().saturating_add(u32::from(before.is_forwarded()));
    *slot = Some(Box::new(ContextInfo {
        is_forwarded: Some(true),
        forwarding_score: Some(if hops >= FORWARDED_MANY { FORWARDED_MANY_WRITTEN } else { hops }),
        forwarded_newsletter_message_info: before.forwarded_newsletter_message_info,
        ..ContextInfo::default()
    }));
    let wrapper = opened
        .wrappers
        .into_iter()
        .find(|wrapper| matches!(wrapper, Wrapper::DocumentWithCaption | Wrapper::LottieSticker));
    let mut message = wrapper.map_or(content.clone(), |wrapper| wrapper.wrap(content));
    let info = MessageContextInfo { message_secret: Some(secret.to_vec()), ..MessageContextInfo::default() };
    message.message_context_info = Some(Box::new(info));
    Ok(message)
}
