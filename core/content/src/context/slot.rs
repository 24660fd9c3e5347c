//! Where each kind of content keeps its context.

use whimbrel_proto::e2e::{ContextInfo, Message};

/// The place for the context of a message's content, which must be unwrapped; `None` for kinds that
/// have none, such as `conversation`.
pub(crate) fn slot(content: &mut Message) -> Option<&mut Option<Box<ContextInfo>>> {
    if let Some(inner) = content.image_message.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.contact_message.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.location_message.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.extended_text_message.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.document_message.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.audio_message.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.video_message.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.call.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.contacts_array_message.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.live_location_message.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.template_message.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.sticker_message.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.group_invite_message.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.template_button_reply_message.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.product_message.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.list_message.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.order_message.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.list_response_message.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.buttons_message.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.buttons_response_message.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.interactive_message.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.interactive_response_message.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.poll_creation_message.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.request_phone_number_message.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.poll_creation_message_v2.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.poll_creation_message_v3.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.ptv_message.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.message_history_bundle.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.event_message.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.newsletter_admin_invite_message.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.album_message.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.sticker_pack_message.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.poll_result_snapshot_message.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.rich_response_message.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.message_history_notice.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.poll_creation_message_v5.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.newsletter_follower_invite_message_v2.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.poll_result_snapshot_message_v3_old.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.poll_result_snapshot_message_v3.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.poll_creation_message_v6.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.event_invite_message.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.split_payment_message.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    if let Some(inner) = content.music_message.as_deref_mut() {
        return Some(&mut inner.context_info);
    }
    None
}

/// Takes the context out of a message's content.
pub(crate) fn take(content: &mut Message) -> Option<ContextInfo> {
    slot(content)?.take().map(|context| *context)
}
