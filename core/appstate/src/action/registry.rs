//! The table of actions: their names, collections, versions, indexes and values (app-state document
//! §10.3, §10.4).

use whimbrel_proto::sync_action::sync_action_value as values;
use whimbrel_proto::sync_action::{self, SyncActionValue};
use whimbrel_proto::{ProtoMessage as _, companion};

use super::parts::{MessageRef, Part, Parts};
use crate::{Collection, Entry, index_parts};

/// Takes the value of an action out of all the values that there can be. What is set without a value
/// says nothing that this action means; what is removed has none.
macro_rules! value {
    ($from:ident, $removed:ident, $field:ident) => {
        match $from.$field.take() {
            Some(value) => value.into(),
            None if $removed => Default::default(),
            None => return None,
        }
    };
}

macro_rules! registry {
    ($(
        #[doc = $doc:literal]
        $name:ident($text:literal, $collection:ident, $version:literal)
            { $($part:ident: $kind:ty),* }
            $($field:ident: $value:ty)?;
    )*) => {
        /// What an entry says. The names of the variants are those of the table; the fields before
        /// `value` are the parts of the index, in their order.
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub enum Action {
            $(
                #[doc = $doc]
                $name {
                    $(
                        #[doc = concat!("Part of the index: ", stringify!($part), ".")]
                        $part: $kind,
                    )*
                    $(
                        /// What is said; empty for an entry that is removed.
                        value: Box<$value>,
                    )?
                },
            )*
            /// An action that is not in the table, or not of the form that the table has for it.
            Unknown {
                /// The parts of the index; the first one is the name.
                index: Vec<String>,
                /// A `SyncActionValue`, encoded.
                value: Vec<u8>,
                /// The version of the action.
                version: i32,
            },
        }

        /// The name of an action in the table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Kind {
            $( #[doc = $doc] $name, )*
        }

        impl Kind {
            /// All of them, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The first part of the index.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The collection that the action is written to; it is read from all.
            pub const fn collection(self) -> Collection {
                match self { $(Self::$name => Collection::$collection,)* }
            }

            /// The version that the action is written with.
            pub const fn version(self) -> i32 {
                match self { $(Self::$name => $version,)* }
            }
        }

        impl Action {
            fn known(index: &[String], mut from: SyncActionValue, removed: bool) -> Option<Self> {
                let (name, rest) = index.split_first()?;
                let mut parts = Parts(rest.iter());
                let action = match name.as_str() {
                    $($text => Self::$name {
                        $($part: <$kind as Part>::take(&mut parts)?,)*
                        $(value: value!(from, removed, $field),)?
                    },)*
                    _ => return None,
                };
                parts.end().then_some(action)
            }

            /// Which action of the table it is.
            pub fn kind(&self) -> Option<Kind> {
                match self {
                    $(Self::$name { .. } => Some(Kind::$name),)*
                    Self::Unknown { .. } => None,
                }
            }

            /// The parts of the index.
            pub fn index(&self) -> Vec<String> {
                match self {
                    $(Self::$name { $($part,)* .. } => {
                        let mut index = Vec::with_capacity(6);
                        $text.to_owned().put(&mut index);
                        $($part.put(&mut index);)*
                        index
                    })*
                    Self::Unknown { index, .. } => index.clone(),
                }
            }

            /// The encoded `SyncActionValue` for a time in milliseconds since 1970.
            pub fn value(&self, timestamp: i64) -> Vec<u8> {
                let timed = SyncActionValue { timestamp: Some(timestamp), ..SyncActionValue::default() };
                match self {
                    $(Self::$name { $(value: $field,)? .. } => {
                        SyncActionValue { $($field: Some((**$field).clone().into()),)? ..timed }.encode_to_vec()
                    })*
                    Self::Unknown { value, .. } => value.clone(),
                }
            }
        }
    };
}

impl Action {
    /// Reads an entry. One that says nothing known is [`Unknown`](Self::Unknown); `None` if its index
    /// is not an array of strings.
    pub fn read(entry: &Entry, removed: bool) -> Option<Self> {
        let index = index_parts(&entry.index)?;
        let value: Option<SyncActionValue> = whimbrel_proto::decode(&entry.value).ok();
        let known = value.and_then(|value| Self::known(&index, value, removed));
        Some(known.unwrap_or_else(|| Self::Unknown {
            index,
            value: entry.value.clone(),
            version: entry.version,
        }))
    }

    /// The entry that says this, at a time in milliseconds since 1970.
    pub fn entry(&self, timestamp: i64) -> Entry {
        let version = match self {
            Self::Unknown { version, .. } => *version,
            known => known.kind().map_or(0, Kind::version),
        };
        Entry::new(&self.index(), self.value(timestamp), version)
    }
}

registry! {
    #[doc = "A chat goes to the archive, or comes back from it."]
    Archive("archive", RegularLow, 3) { chat: String } archive_chat_action: values::ArchiveChatAction;
    #[doc = "A chat is pinned to the top of the list; the latest one stands first."]
    Pin("pin_v1", RegularLow, 5) { chat: String } pin_action: values::PinAction;
    #[doc = "A chat is muted: until a time in milliseconds, or for ever (-1)."]
    Mute("mute", RegularHigh, 2) { chat: String } mute_action: values::MuteAction;
    #[doc = "A chat is marked as read, or as unread."]
    MarkChatAsRead("markChatAsRead", RegularLow, 3) { chat: String } mark_chat_as_read_action: values::MarkChatAsReadAction;
    #[doc = "A message gets or loses its star."]
    Star("star", RegularHigh, 2) { message: MessageRef } star_action: values::StarAction;
    #[doc = "The messages of a chat are deleted."]
    ClearChat("clearChat", RegularHigh, 6) { chat: String, delete_starred: bool, delete_media: bool } clear_chat_action: values::ClearChatAction;
    #[doc = "A chat is deleted."]
    DeleteChat("deleteChat", RegularHigh, 6) { chat: String, delete_media: bool } delete_chat_action: values::DeleteChatAction;
    #[doc = "A message is deleted for this account only."]
    DeleteMessageForMe("deleteMessageForMe", RegularHigh, 3) { message: MessageRef } delete_message_for_me_action: values::DeleteMessageForMeAction;
    #[doc = "A chat is locked behind a code, or no longer."]
    Lock("lock", RegularLow, 7) { chat: String } lock_chat_action: values::LockChatAction;
    #[doc = "The status posts of a person are muted."]
    UserStatusMute("userStatusMute", RegularHigh, 7) { person: String } user_status_mute_action: values::UserStatusMuteAction;
    #[doc = "The favourite chats, all of them in their order."]
    Favorites("favorites", RegularHigh, 1) {} favorites_action: values::FavoritesAction;
    #[doc = "A button of a message was used up."]
    InteractiveMessage("interactive_message_action", RegularLow, 1) { message: MessageRef, argument: String } interactive_message_action: values::InteractiveMessageAction;
    #[doc = "A bot was asked to say hello."]
    BotWelcomeRequest("bot_welcome_request", RegularLow, 2) { chat: String } bot_welcome_request_action: values::BotWelcomeRequestAction;
    #[doc = "A contact of the address book; it is deleted by its removal."]
    Contact("contact", CriticalUnblockLow, 2) { person: String } contact_action: values::ContactAction;
    #[doc = "A contact that is known by LID or user name only."]
    LidContact("lid_contact", CriticalUnblockLow, 1) { person: String } lid_contact_action: values::LidContactAction;
    #[doc = "A contact that is not in the phone's address book."]
    OutContact("out_contact", RegularLow, 1) { person: String } out_contact_action: values::OutContactAction;
    #[doc = "The account's own name."]
    PushName("setting_pushName", CriticalBlock, 1) {} push_name_setting: values::PushNameSetting;
    #[doc = "The phone number behind the LID of a chat."]
    PnForLidChat("pnForLidChat", Regular, 8) { lid: String } pn_for_lid_chat_action: values::PnForLidChatAction;
    #[doc = "The own phone number was shared with somebody."]
    ShareOwnPn("shareOwnPn", Regular, 8) { lid: String };
    #[doc = "The salt of tokens for strangers."]
    NctSalt("nct_salt_sync", RegularHigh, 1) {} nct_salt_sync_action: values::NctSaltSyncAction;
    #[doc = "The account's avatar changed."]
    AvatarUpdated("avatar_updated_action", Regular, 7) {} avatar_updated_action: values::AvatarUpdatedAction;
    #[doc = "The language of the phone."]
    Locale("setting_locale", CriticalBlock, 3) {} locale_setting: values::LocaleSetting;
    #[doc = "Whether a new message brings a chat back from the archive."]
    UnarchiveChats("setting_unarchiveChats", RegularLow, 4) {} unarchive_chats_setting: values::UnarchiveChatsSetting;
    #[doc = "How locked chats are hidden."]
    ChatLockSettings("setting_chatLock", RegularLow, 7) {} chat_lock_settings: sync_action::ChatLockSettings;
    #[doc = "Whether links are shown without previews."]
    DisableLinkPreviews("setting_disableLinkPreviews", Regular, 8) {} privacy_setting_disable_link_previews_action: values::PrivacySettingDisableLinkPreviewsAction;
    #[doc = "Whether all calls are relayed, which hides the address of the network."]
    RelayAllCalls("setting_relayAllCalls", Regular, 1) {} privacy_setting_relay_all_calls: values::PrivacySettingRelayAllCalls;
    #[doc = "Who sees the own status posts."]
    StatusPrivacy("status_privacy", RegularHigh, 7) {} status_privacy: values::StatusPrivacyAction;
    #[doc = "Whether times are shown with 24 hours."]
    TimeFormat("time_format", RegularLow, 7) {} time_format_action: values::TimeFormatAction;
    #[doc = "Whether web clients try what is new."]
    ExternalWebBeta("external_web_beta", Regular, 3) {} external_web_beta_action: values::ExternalWebBetaAction;
    #[doc = "A setting of desktop clients."]
    SettingsSync("settings_sync", RegularLow, 1) { platform: String, setting: String, chat: String } settings_sync_action: values::SettingsSyncAction;
    #[doc = "A hint for new users was seen."]
    Nux("nux", RegularLow, 7) { hint: String } nux_action: values::NuxAction;
    #[doc = "Whether the account is linked with other services of its owner."]
    AccountLinkState("waffle_account_link_state", RegularHigh, 1) {} waffle_account_link_state_action: values::WaffleAccountLinkStateAction;
    #[doc = "A label is made, changed or deleted."]
    LabelEdit("label_edit", Regular, 3) { label: String } label_edit_action: values::LabelEditAction;
    #[doc = "A chat gets or loses a label."]
    LabelChat("label_jid", Regular, 3) { label: String, chat: String } label_association_action: values::LabelAssociationAction;
    #[doc = "A message gets or loses a label."]
    LabelMessage("label_message", Regular, 3) { label: String, chat: String, id: String, from_me: bool, participant: String } label_association_action: values::LabelAssociationAction;
    #[doc = "The order of the labels."]
    LabelReordering("label_reordering", Regular, 3) {} label_reordering_action: values::LabelReorderingAction;
    #[doc = "A chat stands in a part of a predefined label."]
    LabelSublist("label_sublist", Regular, 1) { predefined: String, chat: String } label_sublist_action: values::LabelSublistAction;
    #[doc = "A quick reply is made, changed or deleted."]
    QuickReply("quick_reply", Regular, 2) { id: String } quick_reply_action: values::QuickReplyAction;
    #[doc = "The name of who works at a device of a business."]
    DeviceAgent("deviceAgent", Regular, 7) { agent: String } agent_action: values::AgentAction;
    #[doc = "A chat is given to somebody of a business."]
    AgentChatAssignment("agentChatAssignment", Regular, 7) { chat: String } chat_assignment: values::ChatAssignmentAction;
    #[doc = "Whether that person has opened the chat."]
    AgentChatOpened("agentChatAssignmentOpenedStatus", Regular, 7) { chat: String, agent: String } chat_assignment_opened_status: values::ChatAssignmentOpenedStatusAction;
    #[doc = "A note on a chat of a business."]
    NoteEdit("note_edit", RegularLow, 7) { id: String } note_edit_action: values::NoteEditAction;
    #[doc = "What a business knows of a customer."]
    CustomerData("customer_data", RegularLow, 1) { chat: String } customer_data_action: values::CustomerDataAction;
    #[doc = "A prepared message of a business."]
    MarketingMessage("marketingMessage", Regular, 7) { id: String } marketing_message_action: values::MarketingMessageAction;
    #[doc = "Such a message was sent."]
    MarketingMessageBroadcast("marketingMessageBroadcast", Regular, 7) { premium_message: String, message: String } marketing_message_broadcast_action: values::MarketingMessageBroadcastAction;
    #[doc = "A list of recipients of a business."]
    BusinessBroadcastList("business_broadcast_list", Regular, 1) { id: String } business_broadcast_list_action: values::BusinessBroadcastListAction;
    #[doc = "A campaign of a business."]
    BusinessBroadcastCampaign("business_broadcast_campaign", Regular, 1) { campaign: String } business_broadcast_campaign_action: values::BusinessBroadcastCampaignAction;
    #[doc = "How a campaign did."]
    BusinessBroadcastInsights("business_broadcast_insights_sync", Regular, 1) { campaign: String } business_broadcast_insights_action: values::BusinessBroadcastInsightsAction;
    #[doc = "Whether data of a customer goes to advertisers."]
    CtwaDataSharing("ctwaPerCustomerDataSharing", RegularHigh, 1) { account: String } ctwa_per_customer_data_sharing_action: values::CtwaPerCustomerDataSharingAction;
    #[doc = "Whether outcomes of ads are found in chats."]
    DetectedOutcomes("detected_outcomes_status_action", Regular, 1) {} detected_outcomes_status_action: values::DetectedOutcomesStatusAction;
    #[doc = "A hint about the AI of a business."]
    BizAiSettingsNudge("biz_ai_settings_nudge", RegularHigh, 1) {} biz_ai_settings_nudge_action: values::BizAiSettingsNudgeAction;
    #[doc = "What the account pays for."]
    Subscriptions("subscriptions_sync_v2", Regular, 1) {} subscriptions_sync_v2_action: values::SubscriptionsSyncV2Action;
    #[doc = "A favourite sticker."]
    FavoriteSticker("favoriteSticker", RegularLow, 7) { file_hash: String } sticker_action: values::StickerAction;
    #[doc = "A sticker leaves the recently used ones."]
    RemoveRecentSticker("removeRecentSticker", RegularLow, 7) { file_hash: String } remove_recent_sticker_action: values::RemoveRecentStickerAction;
    #[doc = "A call of the past."]
    CallLog("call_log", Regular, 1) { parts: Vec<String> } call_log_action: values::CallLogAction;
    #[doc = "A thread with an AI gets a title."]
    AiThreadRename("ai_thread_rename", RegularLow, 7) { chat: String, id: String } ai_thread_rename_action: values::AiThreadRenameAction;
    #[doc = "A thread with an AI is deleted."]
    AiThreadDelete("ai_thread_delete", RegularHigh, 7) { chat: String, id: String };
    #[doc = "A thread with an AI is pinned."]
    ThreadPin("thread_pin", RegularLow, 7) { chat: String, id: String } thread_pin_action: values::ThreadPinAction;
    #[doc = "Secrets of the threads with a bot."]
    WasaRootSecret("wasa_root_secret", RegularHigh, 1) { chat: String } wasa_root_secret_action: values::WasaRootSecretAction;
    #[doc = "Keys up to an epoch are not to be written with any more."]
    Sentinel("sentinel", RegularLow, 3) { parts: Vec<String> } key_expiration: values::KeyExpiration;
    #[doc = "The version of the phone's app."]
    PrimaryVersion("primary_version", RegularLow, 7) { key: String } primary_version_action: values::PrimaryVersionAction;
    #[doc = "What the phone's app can do."]
    PrimaryFeature("primary_feature", Regular, 7) {} primary_feature: values::PrimaryFeature;
    #[doc = "Whether the phone keeps actions that it does not know."]
    AndroidUnsupportedActions("android_unsupported_actions", RegularLow, 4) {} android_unsupported_actions: values::AndroidUnsupportedActions;
    #[doc = "A mark of the payments."]
    PaymentInfo("payment_info", RegularLow, 7) {} payment_info_action: values::PaymentInfoAction;
    #[doc = "Ways to pay."]
    CustomPaymentMethods("custom_payment_methods", RegularLow, 7) {} custom_payment_methods_action: values::CustomPaymentMethodsAction;
    #[doc = "Who handles the payments of a business."]
    MerchantPaymentPartner("merchant_payment_partner", RegularLow, 7) {} merchant_payment_partner_action: values::MerchantPaymentPartnerAction;
    #[doc = "Terms of payments were accepted."]
    PaymentTos("payment_tos", RegularLow, 7) {} payment_tos_action: values::PaymentTosAction;
    #[doc = "Whether changed security codes are shown; its value is not in the schema any more."]
    SecurityNotification("setting_securityNotification", CriticalBlock, 1) { parts: Vec<String> };
    #[doc = "An identifier of the account for ads."]
    GeneratedWui("generated_wui", CriticalBlock, 1) { parts: Vec<String> } wamo_user_identifier_action: values::WamoUserIdentifierAction;
    #[doc = "What the phone can do, among it whether it has moved to LIDs."]
    DeviceCapabilities("device_capabilities", RegularLow, 7) { parts: Vec<String> } device_capabilities: companion::DeviceCapabilities;
    #[doc = "What the phone can do, in its later form."]
    DeviceCapabilitiesV2("device_capabilities_v2", RegularLow, 1) { parts: Vec<String> } device_capabilities_v2: companion::DeviceCapabilities;
    #[doc = "Emoji that were used."]
    RecentEmojiWeights("recent_emoji_weights_action", RegularLow, 1) { parts: Vec<String> } recent_emoji_weights_action: values::RecentEmojiWeightsAction;
    #[doc = "A message is locked."]
    LockMessage("lock_message", RegularLow, 1) { parts: Vec<String> } bubble_lock_message_action: values::BubbleLockMessageAction;
    #[doc = "A version of what businesses use beside the app."]
    CoexVersion("coexV2Version", RegularLow, 1) { parts: Vec<String> } coex_v2_version_action: values::CoexV2VersionAction;
    #[doc = "How a business sees its contacts."]
    ContactManagerMetadata("contact_manager_metadata", RegularLow, 1) { parts: Vec<String> } contact_manager_metadata_action: values::ContactManagerMetadataAction;
    #[doc = "Whether chats with businesses stand in a folder."]
    BusinessFolderActivation("business_folder_activation", RegularLow, 1) { parts: Vec<String> } business_folder_activation_action: values::BusinessFolderActivationAction;
    #[doc = "Whether chats with businesses are put in order."]
    AutoOrganizeBusinessChats("setting_autoOrganizeBusinessChat", RegularLow, 1) { parts: Vec<String> } auto_organize_business_chat_setting: values::AutoOrganizeBusinessChatSetting;
    #[doc = "What the account pays for, in its former form."]
    Subscription("subscription", Regular, 1) { parts: Vec<String> } subscription_action: values::SubscriptionAction;
    #[doc = "A call of the past is deleted."]
    DeleteCallLog("delete_individual_call_log", Regular, 1) { parts: Vec<String> } delete_individual_call_log: values::DeleteIndividualCallLogAction;
    #[doc = "How chats by user name begin."]
    UsernameChatStartMode("usernameChatStartMode", Regular, 1) { parts: Vec<String> } username_chat_start_mode: values::UsernameChatStartModeAction;
    #[doc = "Which messages of groups are announced."]
    NotificationActivity("notificationActivitySetting", Regular, 1) { parts: Vec<String> } notification_activity_setting_action: values::NotificationActivitySettingAction;
    #[doc = "Whether channels are proposed by interests."]
    ChannelRecommendations("setting_channels_personalised_recommendation_optout", Regular, 1) { parts: Vec<String> } privacy_setting_channels_personalised_recommendation_action: values::PrivacySettingChannelsPersonalisedRecommendationAction;
    #[doc = "The account at a service for music."]
    MusicUserId("music_user_id", Regular, 1) { parts: Vec<String> } music_user_id_action: values::MusicUserIdAction;
    #[doc = "Interests for channels."]
    NewsletterInterests("newsletter_saved_interests", Regular, 1) { parts: Vec<String> } newsletter_saved_interests_action: values::NewsletterSavedInterestsAction;
    #[doc = "A message came by an ad."]
    CtwaMessageReceived("ctwa_message_received", Regular, 1) { parts: Vec<String> } ctwa_message_received_action: values::CtwaMessageReceivedAction;
    #[doc = "Recipients of a business; its value is not known."]
    BroadcastJid("broadcast_jid", Regular, 1) { parts: Vec<String> };
    #[doc = "A list of recipients; its value is not known."]
    Broadcast("broadcast", Regular, 1) { parts: Vec<String> };
    #[doc = "A form was used; its value is not known."]
    GalaxyFlow("galaxy_flow_action", Regular, 1) { parts: Vec<String> };
    #[doc = "A bot that the user made."]
    UgcBot("ugc_bot", RegularHigh, 1) { parts: Vec<String> } ugc_bot: values::UgcBot;
    #[doc = "The AI of a business."]
    BusinessAiFeatures("maiba_ai_features_control", RegularHigh, 1) { parts: Vec<String> } maiba_ai_features_control_action: values::MaibaAiFeaturesControlAction;
    #[doc = "Whether status posts are announced."]
    StatusPostNotifications("status_post_opt_in_notification_preferences_action", RegularHigh, 1) { parts: Vec<String> } status_post_opt_in_notification_preferences_action: values::StatusPostOptInNotificationPreferencesAction;
    #[doc = "Whether messages may be summed up elsewhere."]
    PrivateProcessing("private_processing_setting", RegularHigh, 1) { parts: Vec<String> } private_processing_setting_action: values::PrivateProcessingSettingAction;
    #[doc = "Whether a shared device is allowed."]
    SharedDeviceAllowlist("shared_device_allowlist", RegularHigh, 1) { parts: Vec<String> } shared_device_allowlist_action: values::SharedDeviceAllowlistAction;
}
