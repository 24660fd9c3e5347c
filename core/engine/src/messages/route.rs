//! How a message gets where it goes, for chats that do not say so by themselves: a status goes to an
//! audience of its own, a post of a channel names its file to the service, and some messages in groups are for a few
//! members alone.

use prost::Message as _;
use whimbrel_wire::Jid;

use crate::status::Setting;
use crate::store::StoreError;

/// What the outbox keeps of it beside the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// A status: who is to see it, and what the poster's own setting is.
    Audience { people: Vec<Jid>, setting: Setting },
    /// A post of a channel, with the name that the media hosts gave its file.
    Post { media_handle: Option<String> },
    /// A message in a group for these members alone.
    Members { people: Vec<Jid> },
}

/// Its stored form.
#[derive(Clone, PartialEq, prost::Message)]
struct Row {
    #[prost(string, repeated, tag = "1")]
    people: Vec<String>,
    /// Present for a status.
    #[prost(string, optional, tag = "2")]
    setting: Option<String>,
    #[prost(string, optional, tag = "3")]
    media_handle: Option<String>,
    /// The people are members of a group.
    #[prost(bool, tag = "4")]
    members: bool,
}

impl Route {
    /// The people that a status is for; nobody, if it is something else.
    #[cfg(test)]
    pub(crate) fn audience(&self) -> &[Jid] {
        match self {
            Self::Audience { people, .. } => people,
            Self::Post { .. } | Self::Members { .. } => &[],
        }
    }

    /// The stored form.
    pub(crate) fn pack(&self) -> Vec<u8> {
        let row = match self {
            Self::Audience { people, setting } => Row {
                people: people.iter().map(Jid::to_string).collect(),
                setting: Some(setting.word().to_owned()),
                ..Row::default()
            },
            Self::Members { people } => {
                Row { people: people.iter().map(Jid::to_string).collect(), members: true, ..Row::default() }
            }
            Self::Post { media_handle } => Row { media_handle: media_handle.clone(), ..Row::default() },
        };
        row.encode_to_vec()
    }

    /// The inverse of [`pack`](Self::pack).
    pub(crate) fn unpack(packed: &[u8]) -> Result<Self, StoreError> {
        let unreadable = || StoreError::Corrupt("the route of a message could not be read".to_owned());
        let row = Row::decode(packed).map_err(|_| unreadable())?;
        let people = row.people.iter().map(|person| person.parse()).collect::<Result<Vec<Jid>, _>>();
        let people = people.map_err(|_| unreadable())?;
        Ok(match row.setting {
            Some(setting) => {
                Self::Audience { people, setting: Setting::of_word(&setting).ok_or_else(unreadable)? }
            }
            None if row.members => Self::Members { people },
            None => Self::Post { media_handle: row.media_handle },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_read_as_they_were_written() {
        let people = vec![Jid::lid("7"), Jid::pn("15550001")];
        for route in [
            Route::Audience { people, setting: Setting::Denylist },
            Route::Audience { people: Vec::new(), setting: Setting::Contacts },
            Route::Post { media_handle: Some("H".to_owned()) },
            Route::Post { media_handle: None },
            Route::Members { people: vec![Jid::lid("7")] },
        ] {
            assert_eq!(Route::unpack(&route.pack()).unwrap(), route);
        }
        assert!(Route::unpack(&[0xff]).is_err());
        let odd = Row { setting: Some("everybody".to_owned()), ..Row::default() };
        assert!(Route::unpack(&odd.encode_to_vec()).is_err());
    }
}
