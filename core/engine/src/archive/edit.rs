//! What an edit makes of a message (messages document §7.2).

use whimbrel_proto::e2e::Message;
use whimbrel_proto::e2e::message::poll_creation_message::Option as PollOption;
use whimbrel_proto::e2e::message::{EventMessage, PollCreationMessage};
use whimbrel_proto::{decode, encode};

/// The content of a message after an edit: of files only the caption counts, of polls and events
/// everything but what surrounds them, and what was not said anew stays. Both are encoded; what cannot be read is replaced.
pub(crate) fn edited(original: &[u8], edit: &[u8]) -> Vec<u8> {
    let (Ok(mut message), Ok(edit)) = (decode::<Message>(original), decode::<Message>(edit)) else {
        return edit.to_vec();
    };
    apply(inner(&mut message), edit);
    encode(&message)
}

/// The content inside wrappers that an edited message may have.
fn inner(message: &mut Message) -> &mut Message {
    let mut content = message;
    for _ in 0..whimbrel_content::unwrap::MAX_WRAPPERS {
        let here = content;
        let wrapped = [
            &mut here.ephemeral_message,
            &mut here.document_with_caption_message,
            &mut here.associated_child_message,
            &mut here.group_mentioned_message,
            &mut here.bot_invoke_message,
            &mut here.limit_sharing_message,
        ]
        .into_iter()
        .position(|slot| slot.as_ref().is_some_and(|wrapper| wrapper.message.is_some()));
        let slot = match wrapped {
            Some(0) => &mut here.ephemeral_message,
            Some(1) => &mut here.document_with_caption_message,
            Some(2) => &mut here.associated_child_message,
            Some(3) => &mut here.group_mentioned_message,
            Some(4) => &mut here.bot_invoke_message,
            Some(_) => &mut here.limit_sharing_message,
            None => return here,
        };
        content = slot.get_or_insert_default().message.get_or_insert_default();
    }
    content
}

/// The poll of a message, in whichever field it stands.
fn poll(content: &mut Message) -> Option<&mut Box<PollCreationMessage>> {
    let slots = [
        &mut content.poll_creation_message,
        &mut content.poll_creation_message_v2,
        &mut content.poll_creation_message_v3,
        &mut content.poll_creation_message_v5,
        &mut content.poll_creation_message_v6,
    ];
    slots.into_iter().find_map(Option::as_mut)
}

/// The content of a poll with one more option, encoded.
pub(crate) fn with_option(original: &[u8], option: &str) -> Option<Vec<u8>> {
    let mut message: Message = decode(original).ok()?;
    let poll = poll(inner(&mut message))?;
    if poll.options.iter().any(|known| known.option_name.as_deref() == Some(option)) {
        return None;
    }
    poll.options.push(PollOption { option_name: Some(option.to_owned()), option_hash: None });
    Some(encode(&message))
}

fn apply(content: &mut Message, mut edit: Message) {
    if let Some(original) = poll(content) {
        if let Some(edited) = poll(&mut edit) {
            let context_info = original.context_info.take();
            **original = PollCreationMessage { context_info, ..std::mem::take(&mut **edited) };
        }
    } else if let Some(original) = &mut content.event_message {
        if let Some(edited) = edit.event_message {
            let context_info = original.context_info.take();
            **original = EventMessage { context_info, ..*edited };
        }
    } else if let Some(image) = &mut content.image_message {
        image.caption = edit.image_message.and_then(|edited| edited.caption);
    } else if let Some(video) = &mut content.video_message {
        video.caption = edit.video_message.and_then(|edited| edited.caption);
    } else if let Some(document) = &mut content.document_message {
        document.caption = edit.document_message.and_then(|edited| edited.caption);
    } else {
        content.conversation = edit.conversation;
        content.extended_text_message = edit.extended_text_message;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use whimbrel_proto::e2e::MessageContextInfo;
    use whimbrel_proto::e2e::message::{DocumentMessage, FutureProofMessage, ImageMessage};

    #[test]
    fn words_are_replaced_and_the_rest_stays() {
        let info = MessageContextInfo { message_secret: Some(vec![1; 32]), ..Default::default() };
        let original = Message {
            conversation: Some("one".into()),
            message_context_info: Some(Box::new(info)),
            ..Message::default()
        };
        let edit = Message { conversation: Some("two".into()), ..Message::default() };
        let after: Message = decode(&edited(&encode(&original), &encode(&edit))).unwrap();
        assert_eq!(after.conversation.as_deref(), Some("two"));
        assert_eq!(after.message_context_info, original.message_context_info);
        assert_eq!(edited(&[0xff], &encode(&edit)), encode(&edit));
    }

    #[test]
    fn of_files_only_the_caption_changes() {
        let image = |caption: &str, path: Option<&str>| ImageMessage {
            caption: Some(caption.into()),
            direct_path: path.map(str::to_owned),
            ..ImageMessage::default()
        };
        let original =
            Message { image_message: Some(Box::new(image("a", Some("/x")))), ..Message::default() };
        let edit = Message { image_message: Some(Box::new(image("b", None))), ..Message::default() };
        let after: Message = decode(&edited(&encode(&original), &encode(&edit))).unwrap();
        assert_eq!(after.image_message, Some(Box::new(image("b", Some("/x")))));
    }

    #[test]
    fn polls_and_events_stay_in_their_field_and_change_as_a_whole() {
        let poll = |name: &str, options: &[&str]| PollCreationMessage {
            name: Some(name.into()),
            options: options
                .iter()
                .map(|option| PollOption { option_name: Some((*option).into()), option_hash: None })
                .collect(),
            ..Default::default()
        };
        let original =
            Message { poll_creation_message_v3: Some(Box::new(poll("a", &["x"]))), ..Message::default() };
        let edit = Message { poll_creation_message: Some(Box::new(poll("b", &["y"]))), ..Message::default() };
        let after = edited(&encode(&original), &encode(&edit));
        let more = with_option(&after, "z").unwrap();
        assert_eq!(with_option(&more, "z"), None);
        let after: Message = decode(&more).unwrap();
        assert_eq!(after.poll_creation_message_v3, Some(Box::new(poll("b", &["y", "z"]))));
        // Words are no edit of a poll.
        let words = Message { conversation: Some("c".into()), ..Message::default() };
        assert_eq!(edited(&encode(&original), &encode(&words)), encode(&original));

        let event = |name: &str| Message {
            event_message: Some(Box::new(EventMessage { name: Some(name.into()), ..Default::default() })),
            ..Message::default()
        };
        assert_eq!(edited(&encode(&event("a")), &encode(&event("b"))), encode(&event("b")));
        assert_eq!(with_option(&encode(&event("a")), "z"), None);
    }

    #[test]
    fn captions_are_found_inside_their_wrapper() {
        let document = |caption: &str| Message {
            document_message: Some(Box::new(DocumentMessage {
                caption: Some(caption.into()),
                ..Default::default()
            })),
            ..Message::default()
        };
        let wrapped = FutureProofMessage { message: Some(Box::new(document("a"))) };
        let original =
            Message { document_with_caption_message: Some(Box::new(wrapped)), ..Message::default() };
        let after: Message = decode(&edited(&encode(&original), &encode(&document("b")))).unwrap();
        let inside = after.document_with_caption_message.unwrap().message.unwrap();
        assert_eq!(*inside, document("b"));
    }
}
