//! Contacts and places (messages document §9.4).

use whimbrel_proto::e2e::message::{
    ContactMessage, ContactsArrayMessage, LiveLocationMessage, LocationMessage,
};

/// Somebody's card.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contact {
    /// The name that is shown.
    pub name: String,
    /// The card, vCard 3.0.
    pub vcard: String,
    /// The sender's own card.
    pub is_self: bool,
}

impl Contact {
    pub(crate) fn read(contact: ContactMessage) -> Self {
        Self {
            name: contact.display_name.unwrap_or_default(),
            vcard: contact.vcard.unwrap_or_default(),
            is_self: contact.is_self_contact.unwrap_or_default(),
        }
    }

    pub(crate) fn write(self) -> ContactMessage {
        ContactMessage {
            display_name: Some(self.name),
            vcard: Some(self.vcard),
            is_self_contact: self.is_self.then_some(true),
            ..ContactMessage::default()
        }
    }
}

/// Several cards.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contacts {
    /// What is shown, such as "2 contacts".
    pub name: Option<String>,
    /// The cards.
    pub contacts: Vec<Contact>,
}

impl Contacts {
    pub(crate) fn read(contacts: ContactsArrayMessage) -> Self {
        Self {
            name: contacts.display_name,
            contacts: contacts.contacts.into_iter().map(Contact::read).collect(),
        }
    }

    pub(crate) fn write(self) -> ContactsArrayMessage {
        ContactsArrayMessage {
            display_name: self.name,
            contacts: self.contacts.into_iter().map(Contact::write).collect(),
            ..ContactsArrayMessage::default()
        }
    }
}

/// A point on the earth.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// Degrees, north is positive.
    pub latitude: f64,
    /// Degrees, east is positive.
    pub longitude: f64,
    /// How far it may be off, in metres.
    pub accuracy_metres: Option<u32>,
    /// Metres a second.
    pub speed: Option<f32>,
    /// Degrees clockwise from magnetic north.
    pub heading: Option<u32>,
}

/// What is no number is no coordinate.
fn degrees(value: Option<f64>) -> f64 {
    value.filter(|value| value.is_finite()).unwrap_or_default()
}

/// A place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Location {
    /// Where.
    pub point: Point,
    /// Its name.
    pub name: Option<String>,
    /// Its address.
    pub address: Option<String>,
    /// More about it.
    pub url: Option<String>,
    /// Words below it.
    pub comment: Option<String>,
    /// It is the first point of a live one.
    pub is_live: bool,
    /// A small map, JPEG.
    pub thumbnail: Option<Vec<u8>>,
}

impl Location {
    pub(crate) fn read(place: LocationMessage) -> Self {
        Self {
            point: Point {
                latitude: degrees(place.degrees_latitude),
                longitude: degrees(place.degrees_longitude),
                accuracy_metres: place.accuracy_in_meters,
                speed: place.speed_in_mps.filter(|speed| speed.is_finite()),
                heading: place.degrees_clockwise_from_magnetic_north,
            },
            name: place.name,
            address: place.address,
            url: place.url,
            comment: place.comment,
            is_live: place.is_live.unwrap_or_default(),
            thumbnail: place.jpeg_thumbnail,
        }
    }

    pub(crate) fn write(self) -> LocationMessage {
        LocationMessage {
            degrees_latitude: Some(self.point.latitude),
            degrees_longitude: Some(self.point.longitude),
            accuracy_in_meters: self.point.accuracy_metres,
            speed_in_mps: self.point.speed,
            degrees_clockwise_from_magnetic_north: self.point.heading,
            name: self.name,
            address: self.address,
            url: self.url,
            comment: self.comment,
            is_live: self.is_live.then_some(true),
            jpeg_thumbnail: self.thumbnail,
            ..LocationMessage::default()
        }
    }
}

/// The first point of a moving place. No companion gets the ones that follow.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LiveLocation {
    /// Where.
    pub point: Point,
    /// Words below it.
    pub caption: Option<String>,
    /// Number of the point.
    pub sequence_number: Option<i64>,
    /// Seconds since the first point.
    pub time_offset: Option<u32>,
    /// A small map, JPEG.
    pub thumbnail: Option<Vec<u8>>,
}

impl LiveLocation {
    pub(crate) fn read(place: LiveLocationMessage) -> Self {
        Self {
            point: Point {
                latitude: degrees(place.degrees_latitude),
                longitude: degrees(place.degrees_longitude),
                accuracy_metres: place.accuracy_in_meters,
                speed: place.speed_in_mps.filter(|speed| speed.is_finite()),
                heading: place.degrees_clockwise_from_magnetic_north,
            },
            caption: place.caption,
            sequence_number: place.sequence_number,
            time_offset: place.time_offset,
            thumbnail: place.jpeg_thumbnail,
        }
    }

    pub(crate) fn write(self) -> LiveLocationMessage {
        LiveLocationMessage {
            degrees_latitude: Some(self.point.latitude),
            degrees_longitude: Some(self.point.longitude),
            accuracy_in_meters: self.point.accuracy_metres,
            speed_in_mps: self.point.speed,
            degrees_clockwise_from_magnetic_north: self.point.heading,
            caption: self.caption,
            sequence_number: self.sequence_number,
            time_offset: self.time_offset,
            jpeg_thumbnail: self.thumbnail,
            ..LiveLocationMessage::default()
        }
    }
}
