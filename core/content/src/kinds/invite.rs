//! Invitations to groups, channels and events (messages document §9.4, §7.5).

use whimbrel_proto::e2e::message::{
    EventInviteMessage, GroupInviteMessage, NewsletterAdminInviteMessage, NewsletterFollowerInviteMessage,
};
use whimbrel_wire::Jid;

use crate::key::jid;
use crate::secret::Code;

/// A personal invitation to a group.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupInvite {
    /// The group; absent if it cannot be read.
    pub group: Option<Jid>,
    /// Lets its receiver in.
    pub code: Code,
    /// Until when, in seconds since 1970.
    pub expires_at: Option<i64>,
    /// The group's name.
    pub name: Option<String>,
    /// Words below it.
    pub caption: Option<String>,
    /// The group's picture, JPEG.
    pub thumbnail: Option<Vec<u8>>,
    /// It is a community.
    pub is_community: bool,
}

impl GroupInvite {
    pub(crate) fn read(invite: GroupInviteMessage) -> Self {
        Self {
            group: jid(invite.group_jid),
            code: Code::new(invite.invite_code.unwrap_or_default()),
            expires_at: invite.invite_expiration,
            name: invite.group_name,
            caption: invite.caption,
            thumbnail: invite.jpeg_thumbnail,
            is_community: invite.group_type == Some(1),
        }
    }

    pub(crate) fn write(self) -> GroupInviteMessage {
        GroupInviteMessage {
            group_jid: self.group.as_ref().map(Jid::to_string),
            invite_code: Some(self.code.to_wire()),
            invite_expiration: self.expires_at,
            group_name: self.name,
            caption: self.caption,
            jpeg_thumbnail: self.thumbnail,
            group_type: self.is_community.then_some(1),
            ..GroupInviteMessage::default()
        }
    }
}

/// An invitation to follow a channel, or to administer it: the kind of content says which.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChannelInvite {
    /// The channel; absent if it cannot be read.
    pub channel: Option<Jid>,
    /// Its name.
    pub name: Option<String>,
    /// Words below it.
    pub caption: Option<String>,
    /// Its picture, JPEG.
    pub thumbnail: Option<Vec<u8>>,
    /// Until when, in seconds since 1970; only of those to administer it.
    pub expires_at: Option<i64>,
}

impl ChannelInvite {
    pub(crate) fn read_admin(invite: NewsletterAdminInviteMessage) -> Self {
        Self {
            channel: jid(invite.newsletter_jid),
            name: invite.newsletter_name,
            caption: invite.caption,
            thumbnail: invite.jpeg_thumbnail,
            expires_at: invite.invite_expiration,
        }
    }

    pub(crate) fn write_admin(self) -> NewsletterAdminInviteMessage {
        NewsletterAdminInviteMessage {
            newsletter_jid: self.channel.as_ref().map(Jid::to_string),
            newsletter_name: self.name,
            caption: self.caption,
            jpeg_thumbnail: self.thumbnail,
            invite_expiration: self.expires_at,
            ..NewsletterAdminInviteMessage::default()
        }
    }

    pub(crate) fn read_follower(invite: NewsletterFollowerInviteMessage) -> Self {
        Self {
            channel: jid(invite.newsletter_jid),
            name: invite.newsletter_name,
            caption: invite.caption,
            thumbnail: invite.jpeg_thumbnail,
            expires_at: None,
        }
    }

    pub(crate) fn write_follower(self) -> NewsletterFollowerInviteMessage {
        NewsletterFollowerInviteMessage {
            newsletter_jid: self.channel.as_ref().map(Jid::to_string),
            newsletter_name: self.name,
            caption: self.caption,
            jpeg_thumbnail: self.thumbnail,
            ..NewsletterFollowerInviteMessage::default()
        }
    }
}

/// An invitation to an event of another chat.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventInvite {
    /// The event's id.
    pub id: String,
    /// Its name.
    pub title: Option<String>,
    /// When it begins, in seconds since 1970.
    pub starts_at: Option<i64>,
    /// When it ends, in seconds since 1970.
    pub ends_at: Option<i64>,
    /// Words below it.
    pub caption: Option<String>,
    /// The call that it is.
    pub call_link: Option<String>,
    /// It does not take place.
    pub is_cancelled: bool,
    /// A small picture, JPEG.
    pub thumbnail: Option<Vec<u8>>,
}

impl EventInvite {
    pub(crate) fn read(invite: EventInviteMessage) -> Self {
        Self {
            id: invite.event_id.unwrap_or_default(),
            title: invite.event_title,
            starts_at: invite.start_time,
            ends_at: invite.end_time,
            caption: invite.caption,
            call_link: invite.call_link,
            is_cancelled: invite.is_canceled.unwrap_or_default(),
            thumbnail: invite.jpeg_thumbnail,
        }
    }

    pub(crate) fn write(self) -> EventInviteMessage {
        EventInviteMessage {
            event_id: Some(self.id),
            event_title: self.title,
            start_time: self.starts_at,
            end_time: self.ends_at,
            caption: self.caption,
            call_link: self.call_link,
            is_canceled: Some(self.is_cancelled),
            jpeg_thumbnail: self.thumbnail,
            ..EventInviteMessage::default()
        }
    }
}
