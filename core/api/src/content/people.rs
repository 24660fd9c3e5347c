//! Contacts, places and invitations.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::Error;
use whimbrel::content::Code;
use whimbrel::content::kinds::invite::{ChannelInvite, EventInvite, GroupInvite};
use whimbrel::content::kinds::place::{Contact, Contacts, LiveLocation, Location, Point};

use super::media::size;
use super::{address, read_address};

/// Somebody's card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContactContent {
    /// The name that is shown.
    pub name: String,
    /// The card, vCard 3.0.
    pub vcard: String,
}

impl From<&Contact> for ContactContent {
    fn from(contact: &Contact) -> Self {
        Self { name: contact.name.clone(), vcard: contact.vcard.clone() }
    }
}

impl From<ContactContent> for Contact {
    fn from(content: ContactContent) -> Self {
        Self { name: content.name, vcard: content.vcard, is_self: false }
    }
}

/// Several cards.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContactsContent {
    /// What is shown, such as "2 contacts".
    #[serde(default)]
    pub name: Option<String>,
    /// Names of the people, in the order of their cards.
    #[serde(default)]
    pub names: Vec<String>,
    /// The cards, vCard 3.0.
    #[serde(default)]
    pub vcards: Vec<String>,
}

impl From<&Contacts> for ContactsContent {
    fn from(contacts: &Contacts) -> Self {
        Self {
            name: contacts.name.clone(),
            names: contacts.contacts.iter().map(|contact| contact.name.clone()).collect(),
            vcards: contacts.contacts.iter().map(|contact| contact.vcard.clone()).collect(),
        }
    }
}

impl From<ContactsContent> for Contacts {
    fn from(content: ContactsContent) -> Self {
        let mut names = content.names.into_iter();
        let contacts = content.vcards.into_iter().map(|vcard| Contact {
            name: names.next().unwrap_or_default(),
            vcard,
            is_self: false,
        });
        Self { name: content.name, contacts: contacts.collect() }
    }
}

/// A place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LocationContent {
    /// Degrees, north is positive.
    pub latitude: f64,
    /// Degrees, east is positive.
    pub longitude: f64,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// Its address.
    #[serde(default)]
    pub address: Option<String>,
    /// More about it.
    #[serde(default)]
    pub url: Option<String>,
    /// Words below it.
    #[serde(default)]
    pub comment: Option<String>,
    /// How far it may be off, in metres.
    #[serde(default)]
    pub accuracy_metres: Option<u32>,
    /// It is the first point of a live one; only in what comes.
    #[serde(default)]
    pub live: bool,
    /// Bytes of the small map in the message; only in what comes.
    #[serde(default)]
    pub thumbnail_size: Option<u64>,
}

impl From<&Location> for LocationContent {
    fn from(place: &Location) -> Self {
        Self {
            latitude: place.point.latitude,
            longitude: place.point.longitude,
            name: place.name.clone(),
            address: place.address.clone(),
            url: place.url.clone(),
            comment: place.comment.clone(),
            accuracy_metres: place.point.accuracy_metres,
            live: place.is_live,
            thumbnail_size: size(place.thumbnail.as_deref()),
        }
    }
}

impl From<LocationContent> for Location {
    fn from(content: LocationContent) -> Self {
        Self {
            point: Point {
                latitude: content.latitude,
                longitude: content.longitude,
                accuracy_metres: content.accuracy_metres,
                ..Point::default()
            },
            name: content.name,
            address: content.address,
            url: content.url,
            comment: content.comment,
            ..Self::default()
        }
    }
}

/// A place that belongs to something else.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Place {
    /// Degrees, north is positive.
    pub latitude: f64,
    /// Degrees, east is positive.
    pub longitude: f64,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// Its address.
    #[serde(default)]
    pub address: Option<String>,
}

impl From<&Location> for Place {
    fn from(place: &Location) -> Self {
        Self {
            latitude: place.point.latitude,
            longitude: place.point.longitude,
            name: place.name.clone(),
            address: place.address.clone(),
        }
    }
}

impl From<Place> for Location {
    fn from(place: Place) -> Self {
        Self {
            point: Point { latitude: place.latitude, longitude: place.longitude, ..Point::default() },
            name: place.name,
            address: place.address,
            ..Self::default()
        }
    }
}

/// A moving place, at its first point.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LiveLocationContent {
    /// Degrees, north is positive.
    pub latitude: f64,
    /// Degrees, east is positive.
    pub longitude: f64,
    /// Words below it.
    #[serde(default)]
    pub caption: Option<String>,
    /// How far it may be off, in metres.
    #[serde(default)]
    pub accuracy_metres: Option<u32>,
    /// Metres a second.
    #[serde(default)]
    pub speed: Option<f32>,
    /// Degrees clockwise from magnetic north.
    #[serde(default)]
    pub heading: Option<u32>,
    /// Bytes of the small map in the message; only in what comes.
    #[serde(default)]
    pub thumbnail_size: Option<u64>,
}

impl From<&LiveLocation> for LiveLocationContent {
    fn from(place: &LiveLocation) -> Self {
        Self {
            latitude: place.point.latitude,
            longitude: place.point.longitude,
            caption: place.caption.clone(),
            accuracy_metres: place.point.accuracy_metres,
            speed: place.point.speed,
            heading: place.point.heading,
            thumbnail_size: size(place.thumbnail.as_deref()),
        }
    }
}

impl From<LiveLocationContent> for LiveLocation {
    fn from(content: LiveLocationContent) -> Self {
        Self {
            point: Point {
                latitude: content.latitude,
                longitude: content.longitude,
                accuracy_metres: content.accuracy_metres,
                speed: content.speed,
                heading: content.heading,
            },
            caption: content.caption,
            ..Self::default()
        }
    }
}

/// A personal invitation to a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GroupInviteContent {
    /// The group; absent if it cannot be read.
    #[serde(default)]
    pub group: Option<String>,
    /// Lets its receiver in: a secret.
    pub code: String,
    /// Until when, seconds since 1970.
    #[serde(default)]
    pub expires_at: Option<i64>,
    /// The group's name.
    #[serde(default)]
    pub name: Option<String>,
    /// Words below it.
    #[serde(default)]
    pub caption: Option<String>,
    /// It is a community.
    #[serde(default)]
    pub community: bool,
}

impl From<&GroupInvite> for GroupInviteContent {
    fn from(invite: &GroupInvite) -> Self {
        Self {
            group: address(&invite.group),
            code: invite.code.expose().to_owned(),
            expires_at: invite.expires_at,
            name: invite.name.clone(),
            caption: invite.caption.clone(),
            community: invite.is_community,
        }
    }
}

impl TryFrom<GroupInviteContent> for GroupInvite {
    type Error = Error;

    fn try_from(content: GroupInviteContent) -> Result<Self, Error> {
        Ok(Self {
            group: read_address(content.group.as_deref())?,
            code: Code::new(content.code),
            expires_at: content.expires_at,
            name: content.name,
            caption: content.caption,
            thumbnail: None,
            is_community: content.community,
        })
    }
}

/// An invitation to follow a channel, or to administer it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChannelInviteContent {
    /// The channel; absent if it cannot be read.
    #[serde(default)]
    pub channel: Option<String>,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// Words below it.
    #[serde(default)]
    pub caption: Option<String>,
    /// Until when, seconds since 1970; only of those to administer it.
    #[serde(default)]
    pub expires_at: Option<i64>,
}

impl From<&ChannelInvite> for ChannelInviteContent {
    fn from(invite: &ChannelInvite) -> Self {
        Self {
            channel: address(&invite.channel),
            name: invite.name.clone(),
            caption: invite.caption.clone(),
            expires_at: invite.expires_at,
        }
    }
}

impl TryFrom<ChannelInviteContent> for ChannelInvite {
    type Error = Error;

    fn try_from(content: ChannelInviteContent) -> Result<Self, Error> {
        Ok(Self {
            channel: read_address(content.channel.as_deref())?,
            name: content.name,
            caption: content.caption,
            thumbnail: None,
            expires_at: content.expires_at,
        })
    }
}

/// An invitation to an event of another chat.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EventInviteContent {
    /// The event's id.
    pub id: String,
    /// Its name.
    #[serde(default)]
    pub title: Option<String>,
    /// When it begins, seconds since 1970.
    #[serde(default)]
    pub starts_at: Option<i64>,
    /// When it ends, seconds since 1970.
    #[serde(default)]
    pub ends_at: Option<i64>,
    /// Words below it.
    #[serde(default)]
    pub caption: Option<String>,
    /// The call that it is.
    #[serde(default)]
    pub call_link: Option<String>,
    /// It does not take place.
    #[serde(default)]
    pub cancelled: bool,
}

impl From<&EventInvite> for EventInviteContent {
    fn from(invite: &EventInvite) -> Self {
        Self {
            id: invite.id.clone(),
            title: invite.title.clone(),
            starts_at: invite.starts_at,
            ends_at: invite.ends_at,
            caption: invite.caption.clone(),
            call_link: invite.call_link.clone(),
            cancelled: invite.is_cancelled,
        }
    }
}
