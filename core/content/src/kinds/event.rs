//! Events (messages document §7.5).

use whimbrel_proto::e2e::message::EventMessage;

use super::place::Location;

/// An event, or its new state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    /// Its name.
    pub name: String,
    /// About it.
    pub description: Option<String>,
    /// Where it takes place.
    pub location: Option<Location>,
    /// The call that it is.
    pub join_link: Option<String>,
    /// When it begins, in seconds since 1970.
    pub starts_at: Option<i64>,
    /// When it ends, in seconds since 1970.
    pub ends_at: Option<i64>,
    /// Guests may bring others.
    pub extra_guests: bool,
    /// It is a call.
    pub is_call: bool,
    /// It does not take place.
    pub is_cancelled: bool,
    /// How long before it guests are reminded, in seconds.
    pub reminder_seconds: Option<i64>,
}

impl Event {
    pub(crate) fn read(event: EventMessage) -> Self {
        let reminds = event.has_reminder.unwrap_or_default();
        Self {
            name: event.name.unwrap_or_default(),
            description: event.description,
            location: event.location.map(|place| Location::read(*place)),
            join_link: event.join_link,
            starts_at: event.start_time,
            ends_at: event.end_time,
            extra_guests: event.extra_guests_allowed.unwrap_or_default(),
            is_call: event.is_schedule_call.unwrap_or_default(),
            is_cancelled: event.is_canceled.unwrap_or_default(),
            reminder_seconds: reminds.then(|| event.reminder_offset_sec.unwrap_or_default()),
        }
    }

    pub(crate) fn write(self) -> EventMessage {
        EventMessage {
            name: Some(self.name),
            description: self.description,
            location: self.location.map(|place| Box::new(place.write())),
            join_link: self.join_link,
            start_time: self.starts_at,
            end_time: self.ends_at,
            extra_guests_allowed: self.extra_guests.then_some(true),
            is_schedule_call: Some(self.is_call),
            is_canceled: Some(self.is_cancelled),
            has_reminder: self.reminder_seconds.map(|_| true),
            reminder_offset_sec: self.reminder_seconds,
            ..EventMessage::default()
        }
    }
}
