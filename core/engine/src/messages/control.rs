//! Control messages: which are shown to the host, and which are not (messages document §10). The
//! table is the whole truth about what this version does with them.

use whimbrel_proto::e2e::message::protocol_message::Type;

/// What is done with a control message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reaction {
    /// It is an event like any other message; the host reads its meaning from the raw form.
    Show,
    /// It is taken note of by its receipt and has no other effect. The word says why.
    Pass(&'static str),
    /// As [`Pass`](Self::Pass), and a `hist_sync` receipt says that the part of the history was
    /// dealt with, or the phone would wait with the next one.
    PassHistory(&'static str),
    /// The pairs of addresses in it are taken in, if it is from the phone.
    Migrate,
    /// The host is told the phone number that its sender no longer hides.
    Share,
    /// What this client had asked the phone for is taken in, if it is from the phone.
    Answer,
    /// Only the account's own devices may say this, and it came from somebody else.
    Drop,
}

/// Why content meant for own devices has no effect in this version.
const NO_HISTORY: &str = "history is not stored by this version";
const NO_APP_STATE: &str = "app state is not synchronised by this version";
const NO_REQUESTS: &str = "only phones answer requests for data";
const NO_SETTING: &str = "the setting has no effect on this client";
const NOT_FOR_HOSTS: &str = "it has no meaning for hosts";

/// What is done with a control message of this type.
pub(crate) fn reaction(kind: i32, from_own_device: bool) -> Reaction {
    let Ok(kind) = Type::try_from(kind) else { return Reaction::Show };
    let reaction = match kind {
        Type::HistorySyncNotification => Reaction::PassHistory(NO_HISTORY),
        Type::AppStateSyncKeyShare
        | Type::AppStateSyncKeyRequest
        | Type::AppStateFatalExceptionNotification => Reaction::Pass(NO_APP_STATE),
        Type::PeerDataOperationRequestMessage => Reaction::Pass(NO_REQUESTS),
        Type::PeerDataOperationRequestResponseMessage => Reaction::Answer,
        Type::InitialSecurityNotificationSettingSync => Reaction::Pass(NO_SETTING),
        Type::LidMigrationMappingSync => Reaction::Migrate,
        Type::AiQueryFanout
        | Type::AiMetadataOperation
        | Type::MarkAsVerifiedAction
        | Type::CoexStateSync => Reaction::Pass(NOT_FOR_HOSTS),
        Type::SharePhoneNumber => return Reaction::Share,
        Type::EphemeralSyncResponse
        | Type::MsgFanoutBackfillRequest
        | Type::MediaNotifyMessage
        | Type::BotMemuOnboardingMessage
        | Type::AiPsiMetadata
        | Type::AiMediaCollectionMessage
        | Type::ChatThemeSetting => return Reaction::Pass(NOT_FOR_HOSTS),
        _ => return Reaction::Show,
    };
    if from_own_device { reaction } else { Reaction::Drop }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_devices_may_say_what_is_meant_for_own_devices() {
        for number in [5, 6, 7, 9, 10, 16, 17, 22, 29, 35, 36, 37] {
            assert_eq!(reaction(number, false), Reaction::Drop, "{number}");
            assert!(
                matches!(
                    reaction(number, true),
                    Reaction::Pass(_) | Reaction::PassHistory(_) | Reaction::Migrate | Reaction::Answer
                ),
                "{number}"
            );
        }
        assert!(matches!(reaction(5, true), Reaction::PassHistory(_)));
    }

    #[test]
    fn what_concerns_chats_is_shown_and_so_is_what_is_not_known() {
        for number in [0, 3, 14, 18, 25, 27, 30, 999] {
            assert_eq!(
                (reaction(number, false), reaction(number, true)),
                (Reaction::Show, Reaction::Show),
                "{number}"
            );
        }
        assert_eq!((reaction(11, false), reaction(11, true)), (Reaction::Share, Reaction::Share));
        for number in [4, 8, 20, 24, 28, 31, 34] {
            assert!(matches!(reaction(number, false), Reaction::Pass(_)), "{number}");
        }
    }
}
