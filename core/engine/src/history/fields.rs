//! What pieces carry, and what becomes of it: one table for each kind of record, which has every field that
//! the protocol has (media document §19, §20.2).

use whimbrel_proto::Described;
use whimbrel_proto::history::{Conversation, HistorySync};
use whimbrel_proto::web::WebMessageInfo;

use Fate::{Ignored, Used};

/// What becomes of a field.
#[derive(Clone, Copy)]
enum Fate {
    /// It gets into the archive, or into what else the client knows.
    Used,
    /// It does not, and why.
    Ignored(&'static str),
}

/// Of a piece.
const PIECE: &[(&str, Fate)] = &[
    ("syncType", Used),
    ("conversations", Used),
    ("statusV3Messages", Used),
    ("chunkOrder", Used),
    ("progress", Used),
    ("pushnames", Used),
    ("globalSettings", Ignored("settings of the phone's own app, which a companion has no part in")),
    ("threadIdUserSecret", Ignored("for the analytics of disappearing messages")),
    ("threadDsTimeframeOffset", Ignored("for the analytics of disappearing messages")),
    ("recentStickers", Used),
    ("pastParticipants", Used),
    ("callLogRecords", Used),
    ("aiWaitListState", Ignored("for the screens of official clients")),
    ("phoneNumberToLidMappings", Used),
    ("companionMetaNonce", Used),
    ("shareableChatIdentifierEncryptionKey", Ignored("for the screens of official clients")),
    ("accounts", Used),
    ("nctSalt", Used),
    ("inlineContacts", Used),
    ("inlineContactsProvided", Ignored("says only that there are inline contacts")),
];

/// Of a chat.
const CHAT: &[(&str, Fate)] = &[
    ("id", Used),
    ("messages", Used),
    ("newJid", Ignored("addresses are learned from pairs")),
    ("oldJid", Ignored("addresses are learned from pairs")),
    ("lastMsgTimestamp", Used),
    ("unreadCount", Used),
    ("readOnly", Ignored("groups are asked for anew, and a fresh answer wins")),
    ("endOfHistoryTransfer", Ignored("the type says it")),
    ("ephemeralExpiration", Used),
    ("ephemeralSettingTimestamp", Ignored("the content and the chat say it")),
    ("endOfHistoryTransferType", Used),
    ("conversationTimestamp", Used),
    ("name", Used),
    ("pHash", Ignored("groups are asked for anew, and a fresh answer wins")),
    ("notSpam", Ignored("for the screens of official clients")),
    ("archived", Used),
    ("disappearingMode", Ignored("the content and the chat say it")),
    ("unreadMentionCount", Ignored("what is counted is what came")),
    ("markedAsUnread", Ignored("of the app state, which has it too")),
    ("participant", Ignored("groups are asked for anew, and a fresh answer wins")),
    ("tcToken", Used),
    ("tcTokenTimestamp", Used),
    ("contactPrimaryIdentityKey", Ignored("no client trusts it (media document §20.2)")),
    ("pinned", Used),
    ("muteEndTime", Used),
    ("wallpaper", Ignored("for the screens of official clients")),
    ("mediaVisibility", Ignored("for the screens of official clients")),
    ("tcTokenSenderTimestamp", Used),
    ("suspended", Ignored("groups are asked for anew, and a fresh answer wins")),
    ("terminated", Ignored("groups are asked for anew, and a fresh answer wins")),
    ("createdAt", Ignored("groups are asked for anew, and a fresh answer wins")),
    ("createdBy", Ignored("groups are asked for anew, and a fresh answer wins")),
    ("description", Ignored("groups are asked for anew, and a fresh answer wins")),
    ("support", Ignored("groups are asked for anew, and a fresh answer wins")),
    ("isParentGroup", Ignored("groups are asked for anew, and a fresh answer wins")),
    ("isDefaultSubgroup", Ignored("groups are asked for anew, and a fresh answer wins")),
    ("parentGroupId", Ignored("groups are asked for anew, and a fresh answer wins")),
    ("displayName", Ignored("for the screens of official clients")),
    ("pnJid", Used),
    ("shareOwnPn", Ignored("for the screens of official clients")),
    ("pnhDuplicateLidThread", Ignored("addresses are learned from pairs")),
    ("lidJid", Used),
    ("username", Used),
    ("lidOriginType", Ignored("for the screens of official clients")),
    ("commentsCount", Ignored("what is counted is what came")),
    ("locked", Ignored("of the app state, which has it too")),
    ("systemMessageToInsert", Ignored("for the screens of official clients")),
    ("capiCreatedGroup", Ignored("groups are asked for anew, and a fresh answer wins")),
    ("accountLid", Ignored("addresses are learned from pairs")),
    ("limitSharing", Ignored("of the app state, which has it too")),
    ("limitSharingSettingTimestamp", Ignored("of the app state, which has it too")),
    ("limitSharingTrigger", Ignored("of the app state, which has it too")),
    ("limitSharingInitiatedByMe", Ignored("of the app state, which has it too")),
    ("maibaAiThreadEnabled", Ignored("for the screens of official clients")),
    ("isMarketingMessageThread", Ignored("for the screens of official clients")),
    ("isSenderNewAccount", Ignored("for the screens of official clients")),
    ("afterReadDuration", Ignored("for the screens of official clients")),
    ("isSenderSuspicious", Ignored("for the screens of official clients")),
    ("appealStatus", Ignored("for the screens of official clients")),
    ("appealUpdateTime", Ignored("for the screens of official clients")),
    ("authAgentParentCompanyName", Ignored("for the screens of official clients")),
    ("authAgentObaPhoneNumber", Ignored("for the screens of official clients")),
    ("identityVerification", Ignored("for the screens of official clients")),
];

/// Of a message.
const MESSAGE: &[(&str, Fate)] = &[
    ("key", Used),
    ("message", Used),
    ("messageTimestamp", Used),
    ("status", Used),
    ("participant", Used),
    ("messageC2STimestamp", Ignored("for the screens of official clients, or for businesses")),
    ("ignore", Ignored("for the screens of official clients, or for businesses")),
    ("starred", Used),
    ("broadcast", Ignored("for the screens of official clients, or for businesses")),
    ("pushName", Used),
    ("mediaCiphertextSha256", Ignored("for the screens of official clients, or for businesses")),
    ("multicast", Ignored("for the screens of official clients, or for businesses")),
    ("urlText", Ignored("for the screens of official clients, or for businesses")),
    ("urlNumber", Ignored("for the screens of official clients, or for businesses")),
    ("messageStubType", Used),
    ("clearMedia", Ignored("for the screens of official clients, or for businesses")),
    ("messageStubParameters", Used),
    ("duration", Ignored("the content of a call says it")),
    ("labels", Ignored("for the screens of official clients, or for businesses")),
    ("paymentInfo", Ignored("for the screens of official clients, or for businesses")),
    ("finalLiveLocation", Ignored("for the screens of official clients, or for businesses")),
    ("quotedPaymentInfo", Ignored("for the screens of official clients, or for businesses")),
    ("ephemeralStartTimestamp", Ignored("the content and the chat say it")),
    ("ephemeralDuration", Ignored("the content and the chat say it")),
    ("ephemeralOffToOn", Ignored("the content and the chat say it")),
    ("ephemeralOutOfSync", Ignored("the content and the chat say it")),
    ("bizPrivacyStatus", Ignored("for the screens of official clients, or for businesses")),
    ("verifiedBizName", Ignored("for the screens of official clients, or for businesses")),
    ("mediaData", Ignored("for the screens of official clients, or for businesses")),
    ("photoChange", Ignored("for the screens of official clients, or for businesses")),
    ("userReceipt", Used),
    ("reactions", Used),
    ("quotedStickerData", Ignored("for the screens of official clients, or for businesses")),
    ("futureproofData", Ignored("for the screens of official clients, or for businesses")),
    ("statusPsa", Ignored("for the screens of official clients, or for businesses")),
    ("pollUpdates", Used),
    ("pollAdditionalMetadata", Ignored("for the screens of official clients, or for businesses")),
    ("agentId", Ignored("for the screens of official clients, or for businesses")),
    ("statusAlreadyViewed", Ignored("for the screens of official clients, or for businesses")),
    ("messageSecret", Used),
    ("keepInChat", Used),
    ("originalSelfAuthorUserJidString", Ignored("fromMe says whose it is")),
    ("revokeMessageTimestamp", Used),
    ("pinInChat", Used),
    ("premiumMessageInfo", Ignored("for the screens of official clients, or for businesses")),
    ("is1PBizBotMessage", Ignored("for the screens of official clients, or for businesses")),
    ("isGroupHistoryMessage", Ignored("for the screens of official clients, or for businesses")),
    ("botMessageInvokerJid", Ignored("for the screens of official clients, or for businesses")),
    ("commentMetadata", Ignored("what is counted is what came")),
    ("eventResponses", Used),
    ("reportingTokenInfo", Ignored("for the screens of official clients, or for businesses")),
    ("newsletterServerId", Ignored("for the screens of official clients, or for businesses")),
    ("eventAdditionalMetadata", Ignored("for the screens of official clients, or for businesses")),
    ("isMentionedInStatus", Ignored("for the screens of official clients, or for businesses")),
    ("statusMentions", Ignored("for the screens of official clients, or for businesses")),
    ("targetMessageId", Ignored("for the screens of official clients, or for businesses")),
    ("messageAddOns", Used),
    ("statusMentionMessageInfo", Ignored("for the screens of official clients, or for businesses")),
    ("isSupportAiMessage", Ignored("for the screens of official clients, or for businesses")),
    ("statusMentionSources", Ignored("for the screens of official clients, or for businesses")),
    ("supportAiCitations", Ignored("for the screens of official clients, or for businesses")),
    ("botTargetId", Ignored("for the screens of official clients, or for businesses")),
    ("groupHistoryIndividualMessageInfo", Ignored("for the screens of official clients, or for businesses")),
    ("groupHistoryBundleInfo", Ignored("for the screens of official clients, or for businesses")),
    (
        "interactiveMessageAdditionalMetadata",
        Ignored("for the screens of official clients, or for businesses"),
    ),
    ("quarantinedMessage", Ignored("for the screens of official clients, or for businesses")),
    ("nonJidMentions", Ignored("for the screens of official clients, or for businesses")),
    ("hsmTag", Ignored("for the screens of official clients, or for businesses")),
    ("ephemeralExpirationTimestamp", Ignored("the content and the chat say it")),
    ("scheduledMessageMetadata", Ignored("for the screens of official clients, or for businesses")),
    ("decisionId", Ignored("for the screens of official clients, or for businesses")),
    ("decisionSources", Ignored("for the screens of official clients, or for businesses")),
];

fn holds<M: Described>(table: &[(&str, Fate)]) {
    let record = M::DESCRIPTOR;
    let named: Vec<&str> = table.iter().map(|(name, _)| *name).collect();
    let fields: Vec<&str> = record.fields.iter().map(|field| field.name).collect();
    for field in &fields {
        assert!(named.contains(field), "nothing is said of {}.{field}", record.name);
    }
    assert_eq!(named.len(), fields.len(), "{} has fields twice, or some that are not there", record.name);
    for (name, fate) in table {
        if let Ignored(why) = fate {
            assert!(!why.is_empty(), "{name} is ignored without a reason");
        }
    }
}

#[test]
fn every_field_of_a_piece_is_used_or_knowingly_ignored() {
    holds::<HistorySync>(PIECE);
    holds::<Conversation>(CHAT);
    holds::<WebMessageInfo>(MESSAGE);
}
