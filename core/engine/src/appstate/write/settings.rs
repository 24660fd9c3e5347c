//! Settings of the account that its devices share.

use whimbrel_appstate::{Action, Operation};
use whimbrel_proto::sync_action::sync_action_value::favorites_action::Favorite;
use whimbrel_proto::sync_action::sync_action_value::{
    FavoritesAction, LocaleSetting, PrivacySettingDisableLinkPreviewsAction, PrivacySettingRelayAllCalls,
    PushNameSetting, TimeFormatAction, UnarchiveChatsSetting,
};
use whimbrel_wire::Jid;

use super::wrong;
use crate::client::Client;
use crate::error::Error;
use crate::status::setting::{self, StatusAudienceKind};

/// Longest name that official clients let people type.
const LONGEST_NAME: usize = 25;

/// A setting that the account's devices share.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Setting {
    /// The name that the account gives itself, 1 to 25 characters.
    PushName(String),
    /// Whether a new message brings a chat back from the archive.
    UnarchiveChats(bool),
    /// Whether links are shown without previews.
    DisableLinkPreviews(bool),
    /// Whether all calls are relayed, which hides the address of the network.
    RelayAllCalls(bool),
    /// Whether times are shown with 24 hours.
    TwentyFourHours(bool),
    /// The language, such as `pt_BR`.
    Locale(String),
}

impl Client {
    /// Changes a setting that the account's devices share. The phone follows.
    ///
    /// # Errors
    /// [`crate::Code::InvalidArgument`] for a name that is empty or too long, and those of
    /// [`archive_chat`](Self::archive_chat).
    pub async fn set_setting(&self, setting: Setting) -> Result<String, Error> {
        self.wish("set_setting", move |_| {
            let action = match setting {
                Setting::PushName(name) => {
                    if name.trim().is_empty() || name.chars().count() > LONGEST_NAME {
                        return Err(wrong("a name has 1 to 25 characters"));
                    }
                    Action::PushName { value: Box::new(PushNameSetting { name: Some(name) }) }
                }
                Setting::UnarchiveChats(on) => Action::UnarchiveChats {
                    value: Box::new(UnarchiveChatsSetting { unarchive_chats: Some(on) }),
                },
                Setting::DisableLinkPreviews(on) => Action::DisableLinkPreviews {
                    value: Box::new(PrivacySettingDisableLinkPreviewsAction {
                        is_previews_disabled: Some(on),
                    }),
                },
                Setting::RelayAllCalls(on) => Action::RelayAllCalls {
                    value: Box::new(PrivacySettingRelayAllCalls { is_enabled: Some(on) }),
                },
                Setting::TwentyFourHours(on) => Action::TimeFormat {
                    value: Box::new(TimeFormatAction { is_twenty_four_hour_format_enabled: Some(on) }),
                },
                Setting::Locale(locale) if locale.is_empty() => return Err(wrong("a language has a name")),
                Setting::Locale(locale) => {
                    Action::Locale { value: Box::new(LocaleSetting { locale: Some(locale) }) }
                }
            };
            Ok(vec![(Operation::Set, action)])
        })
        .await
    }

    /// Sets who sees the statuses of this account. The account's devices share it: a
    /// [`StateWritten`](crate::events::EventKind::StateWritten) event with the returned id tells when they
    /// know.
    ///
    /// # Errors
    /// [`crate::Code::InvalidArgument`] for people where none are named, none where some are, or an address
    /// that is no person's, and those of [`archive_chat`](Self::archive_chat).
    pub async fn set_status_audience(
        &self,
        kind: StatusAudienceKind,
        people: Vec<Jid>,
    ) -> Result<String, Error> {
        let operation = "set_status_audience";
        setting::check(kind, &people).map_err(|error| error.in_operation(operation))?;
        self.wish(operation, move |desk| {
            let mut named = Vec::with_capacity(people.len());
            for person in &people {
                named.push(desk.canonical(person)?.to_string());
            }
            let value = Box::new(setting::action(kind, named));
            Ok(vec![(Operation::Set, Action::StatusPrivacy { value })])
        })
        .await
    }

    /// Names the account's favourite chats: all of them, in their order.
    ///
    /// # Errors
    /// As [`archive_chat`](Self::archive_chat); also for more than a thousand.
    pub async fn set_favorites(&self, chats: Vec<Jid>) -> Result<String, Error> {
        self.wish("set_favorites", move |desk| {
            if chats.len() > 1000 {
                return Err(wrong("too many favourites"));
            }
            let mut favorites = Vec::new();
            for chat in &chats {
                favorites.push(Favorite { id: Some(desk.canonical(chat)?.to_string()) });
            }
            let value = Box::new(FavoritesAction { favorites });
            Ok(vec![(Operation::Set, Action::Favorites { value })])
        })
        .await
    }
}
