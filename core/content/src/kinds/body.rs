//! The words of content, for lists of chats and for searching (messages document §18).

use super::{Content, Interactive};

impl Content {
    /// Its words, if it has any.
    #[must_use]
    pub fn body(&self) -> Option<String> {
        let body = match self {
            Self::Text(it) => Some(it.text.clone()),
            Self::Image(it) => it.caption.clone(),
            Self::Video(it) | Self::Gif(it) | Self::VideoNote(it) => it.caption.clone(),
            Self::Document(it) => it.caption.clone(),
            Self::StickerPack(it) => it.caption.clone(),
            Self::LiveLocation(it) => it.caption.clone(),
            Self::GroupInvite(it) => it.caption.clone(),
            Self::ChannelAdminInvite(it) | Self::ChannelFollowerInvite(it) => it.caption.clone(),
            Self::EventInvite(it) => it.caption.clone().or_else(|| it.title.clone()),
            Self::Contact(it) => Some(it.name.clone()),
            Self::Contacts(it) => it.name.clone(),
            Self::Location(it) => {
                let parts: Vec<&str> =
                    [&it.name, &it.address].into_iter().flatten().map(String::as_str).collect();
                Some(parts.join("\n"))
            }
            Self::Poll(it) => Some(it.name.clone()),
            Self::PollResult(it) => Some(it.name.clone()),
            Self::Event(it) => Some(it.name.clone()),
            Self::Buttons(it) => Some(it.text.clone()),
            Self::Template(it) => Some(it.text.clone()),
            Self::List(it) => Some(it.description.clone()),
            Self::Interactive(Interactive { body, .. }) => Some(body.clone()),
            Self::Choice(it) => it.text.clone(),
            Self::Product(it) => it.title.clone(),
            Self::Catalog(it) => it.title.clone(),
            Self::Order(it) => it.message.clone(),
            Self::Invoice(it) => it.note.clone(),
            Self::Payment(it) => it.note().map(str::to_owned),
            Self::ScheduledCall(it) => it.title.clone(),
            Self::BroadcastCall(it) => it.caption.clone(),
            Self::AiRich(it) => Some(it.text.clone()),
            Self::Music(it) => it.title.clone(),
            Self::QuestionResponse(it) => Some(it.text.clone()),
            Self::StatusNotice(super::StatusNotice::Answer { text, .. }) => Some(text.clone()),
            _ => None,
        };
        body.filter(|body| !body.is_empty())
    }

    /// Whether a message with this content counts as unread. The head of an album does not: its
    /// pictures do.
    #[must_use]
    pub const fn counts_as_unread(&self) -> bool {
        !matches!(self, Self::Album(_) | Self::CallMarker | Self::GroupHistoryNotice(_))
    }
}
