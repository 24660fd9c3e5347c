//! Who may say what (messages document §10).

use whimbrel_proto::e2e::message::protocol_message::Type;

/// Who sent a control message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speaker {
    /// One of the account's own devices, this one not excepted.
    pub is_own: bool,
    /// Number of the device; 0 is the phone.
    pub device: u16,
}

/// Whether a control message with this number is believed. Those about the account itself are
/// believed from its own devices, and what only a phone can know from the phone; everything else,
/// from anybody. What is not believed is dropped and acknowledged.
#[must_use]
pub fn is_trusted(number: i32, speaker: Speaker) -> bool {
    let Ok(kind) = Type::try_from(number) else { return true };
    match kind {
        Type::HistorySyncNotification
        | Type::InitialSecurityNotificationSettingSync
        | Type::PeerDataOperationRequestResponseMessage
        | Type::LidMigrationMappingSync => speaker.is_own && speaker.device == 0,
        Type::AppStateSyncKeyShare
        | Type::AppStateSyncKeyRequest
        | Type::AppStateFatalExceptionNotification
        | Type::PeerDataOperationRequestMessage
        | Type::AiQueryFanout
        | Type::AiMetadataOperation
        | Type::MarkAsVerifiedAction
        | Type::CoexStateSync => speaker.is_own,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_concerns_the_account_is_believed_from_its_devices_only() {
        let (phone, companion) = (Speaker { is_own: true, device: 0 }, Speaker { is_own: true, device: 3 });
        let stranger = Speaker { is_own: false, device: 0 };
        for number in 0..40 {
            let own = [5, 6, 7, 9, 10, 16, 17, 22, 29, 35, 36, 37].contains(&number);
            let by_phone = [5, 9, 17, 22].contains(&number);
            assert!(is_trusted(number, phone));
            assert_eq!(is_trusted(number, stranger), !own, "{number}");
            assert_eq!(is_trusted(number, companion), !by_phone, "{number}");
        }
    }
}
