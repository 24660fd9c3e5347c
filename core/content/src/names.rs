//! Numbers of the protocol that have names. A number without a name is read as absent; the raw form
//! has it.

/// A number has no name in this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the number has no name")]
pub struct Unnamed;

/// How a message belongs to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AssociationType {
    /// An item of an album.
    MediaAlbum = 1,
    /// What a bot's plugin found.
    BotPlugin = 2,
    /// The picture of an event.
    EventCoverImage = 3,
    /// The poll of a status.
    StatusPoll = 4,
    /// A better copy of a video.
    HdVideoDualUpload = 5,
    /// A status from another app.
    StatusExternalReshare = 6,
    /// The picture of a poll's option.
    MediaPoll = 7,
    /// An answer to a status that asks for one's own.
    StatusAddYours = 8,
    /// A notice about a status.
    StatusNotification = 9,
    /// A better copy of a picture.
    HdImageDualUpload = 10,
    /// A sticker on a picture.
    StickerAnnotation = 11,
    /// The moving part of a picture.
    MotionPhoto = 12,
    /// The link of a status.
    StatusLinkAction = 13,
    /// A reply in a thread.
    ViewAllReplies = 14,
    /// The same as 8, made by a machine.
    StatusAddYoursAiImagine = 15,
    /// The question of a status.
    StatusQuestion = 16,
    /// The same as 8, for a feast.
    StatusAddYoursDiwali = 17,
    /// A reaction to a status.
    StatusReaction = 18,
    /// A copy of a video in another encoding.
    HevcVideoDualUpload = 19,
    /// The picture of an option that was added.
    PollAddOption = 20,
}

impl TryFrom<i32> for AssociationType {
    type Error = Unnamed;

    fn try_from(number: i32) -> Result<Self, Unnamed> {
        Ok(match number {
            1 => Self::MediaAlbum,
            2 => Self::BotPlugin,
            3 => Self::EventCoverImage,
            4 => Self::StatusPoll,
            5 => Self::HdVideoDualUpload,
            6 => Self::StatusExternalReshare,
            7 => Self::MediaPoll,
            8 => Self::StatusAddYours,
            9 => Self::StatusNotification,
            10 => Self::HdImageDualUpload,
            11 => Self::StickerAnnotation,
            12 => Self::MotionPhoto,
            13 => Self::StatusLinkAction,
            14 => Self::ViewAllReplies,
            15 => Self::StatusAddYoursAiImagine,
            16 => Self::StatusQuestion,
            17 => Self::StatusAddYoursDiwali,
            18 => Self::StatusReaction,
            19 => Self::HevcVideoDualUpload,
            20 => Self::PollAddOption,
            _ => return Err(Unnamed),
        })
    }
}

/// Which of two copies a picture or video is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PairedMediaType {
    /// There is one copy.
    NotPaired = 0,
    /// The worse video.
    SdVideoParent = 1,
    /// The better video.
    HdVideoChild = 2,
    /// The worse picture.
    SdImageParent = 3,
    /// The better picture.
    HdImageChild = 4,
    /// The picture that can move.
    MotionPhotoParent = 5,
    /// Its moving part.
    MotionPhotoChild = 6,
    /// The video that everybody can play.
    HevcVideoParent = 7,
    /// The video in the newer encoding.
    HevcVideoChild = 8,
}

impl TryFrom<i32> for PairedMediaType {
    type Error = Unnamed;

    fn try_from(number: i32) -> Result<Self, Unnamed> {
        Ok(match number {
            0 => Self::NotPaired,
            1 => Self::SdVideoParent,
            2 => Self::HdVideoChild,
            3 => Self::SdImageParent,
            4 => Self::HdImageChild,
            5 => Self::MotionPhotoParent,
            6 => Self::MotionPhotoChild,
            7 => Self::HevcVideoParent,
            8 => Self::HevcVideoChild,
            _ => return Err(Unnamed),
        })
    }
}

/// What something was forwarded from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ForwardOrigin {
    /// Not said.
    Unknown = 0,
    /// A chat.
    Chat = 1,
    /// A status.
    Status = 2,
    /// A channel.
    Channels = 3,
    /// The AI.
    MetaAi = 4,
    /// What users made elsewhere.
    Ugc = 5,
}

impl TryFrom<i32> for ForwardOrigin {
    type Error = Unnamed;

    fn try_from(number: i32) -> Result<Self, Unnamed> {
        Ok(match number {
            0 => Self::Unknown,
            1 => Self::Chat,
            2 => Self::Status,
            3 => Self::Channels,
            4 => Self::MetaAi,
            5 => Self::Ugc,
            _ => return Err(Unnamed),
        })
    }
}

/// Who set a chat's timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Initiator {
    /// Somebody, in the chat.
    ChangedInChat = 0,
    /// The one who wrote it down, by their account's default.
    InitiatedByMe = 1,
    /// The other person, by their account's default.
    InitiatedByOther = 2,
    /// A business whose chats moved.
    BizUpgradeFbHosting = 3,
}

impl TryFrom<i32> for Initiator {
    type Error = Unnamed;

    fn try_from(number: i32) -> Result<Self, Unnamed> {
        Ok(match number {
            0 => Self::ChangedInChat,
            1 => Self::InitiatedByMe,
            2 => Self::InitiatedByOther,
            3 => Self::BizUpgradeFbHosting,
            _ => return Err(Unnamed),
        })
    }
}

/// How a chat's timer was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Trigger {
    /// Not said.
    Unknown = 0,
    /// For this chat.
    ChatSetting = 1,
    /// By the account's default.
    AccountSetting = 2,
    /// For many chats at once.
    BulkChange = 3,
    /// A business's chats are hosted.
    BizSupportsFbHosting = 4,
    /// A group of unknown people.
    UnknownGroups = 5,
}

impl TryFrom<i32> for Trigger {
    type Error = Unnamed;

    fn try_from(number: i32) -> Result<Self, Unnamed> {
        Ok(match number {
            0 => Self::Unknown,
            1 => Self::ChatSetting,
            2 => Self::AccountSetting,
            3 => Self::BulkChange,
            4 => Self::BizSupportsFbHosting,
            5 => Self::UnknownGroups,
            _ => return Err(Unnamed),
        })
    }
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CallOutcome {
    /// It took place.
    Connected = 0,
    /// Nobody took it.
    Missed = 1,
    /// It broke.
    Failed = 2,
    /// It was refused.
    Rejected = 3,
    /// Another device took it.
    AcceptedElsewhere = 4,
    /// It goes on.
    Ongoing = 5,
    /// It did not ring: not now.
    SilencedByDnd = 6,
    /// It did not ring: an unknown caller.
    SilencedUnknownCaller = 7,
}

impl TryFrom<i32> for CallOutcome {
    type Error = Unnamed;

    fn try_from(number: i32) -> Result<Self, Unnamed> {
        Ok(match number {
            0 => Self::Connected,
            1 => Self::Missed,
            2 => Self::Failed,
            3 => Self::Rejected,
            4 => Self::AcceptedElsewhere,
            5 => Self::Ongoing,
            6 => Self::SilencedByDnd,
            7 => Self::SilencedUnknownCaller,
            _ => return Err(Unnamed),
        })
    }
}

/// What kind of call it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CallType {
    /// An ordinary one.
    Regular = 0,
    /// A planned one.
    ScheduledCall = 1,
    /// A voice chat in a group.
    VoiceChat = 2,
}

impl TryFrom<i32> for CallType {
    type Error = Unnamed;

    fn try_from(number: i32) -> Result<Self, Unnamed> {
        Ok(match number {
            0 => Self::Regular,
            1 => Self::ScheduledCall,
            2 => Self::VoiceChat,
            _ => return Err(Unnamed),
        })
    }
}

/// How far an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OrderStatus {
    /// Asked.
    Inquiry = 1,
    /// Taken.
    Accepted = 2,
    /// Refused.
    Declined = 3,
}

impl TryFrom<i32> for OrderStatus {
    type Error = Unnamed;

    fn try_from(number: i32) -> Result<Self, Unnamed> {
        Ok(match number {
            1 => Self::Inquiry,
            2 => Self::Accepted,
            3 => Self::Declined,
            _ => return Err(Unnamed),
        })
    }
}

/// Who made a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ImageSourceType {
    /// A person.
    UserImage = 0,
    /// A machine.
    AiGenerated = 1,
    /// A person and a machine.
    AiModified = 2,
    /// It is a status of words, drawn.
    RasterizedTextStatus = 3,
}

impl TryFrom<i32> for ImageSourceType {
    type Error = Unnamed;

    fn try_from(number: i32) -> Result<Self, Unnamed> {
        Ok(match number {
            0 => Self::UserImage,
            1 => Self::AiGenerated,
            2 => Self::AiModified,
            3 => Self::RasterizedTextStatus,
            _ => return Err(Unnamed),
        })
    }
}

/// Where a loop is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Attribution {
    /// Not said.
    None = 0,
    /// Giphy.
    Giphy = 1,
    /// Tenor.
    Tenor = 2,
    /// Klipy.
    Klipy = 3,
}

impl TryFrom<i32> for Attribution {
    type Error = Unnamed;

    fn try_from(number: i32) -> Result<Self, Unnamed> {
        Ok(match number {
            0 => Self::None,
            1 => Self::Giphy,
            2 => Self::Tenor,
            3 => Self::Klipy,
            _ => return Err(Unnamed),
        })
    }
}

/// A service for payments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ServiceType {
    /// Not said.
    Unknown = 0,
    /// Facebook Pay.
    Fbpay = 1,
    /// Novi.
    Novi = 2,
    /// UPI.
    Upi = 3,
    /// Pix.
    Pix = 4,
}

impl TryFrom<i32> for ServiceType {
    type Error = Unnamed;

    fn try_from(number: i32) -> Result<Self, Unnamed> {
        Ok(match number {
            0 => Self::Unknown,
            1 => Self::Fbpay,
            2 => Self::Novi,
            3 => Self::Upi,
            4 => Self::Pix,
            _ => return Err(Unnamed),
        })
    }
}

/// What happened to a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StatusNotificationType {
    /// Not said.
    Unknown = 0,
    /// Somebody answered with their own.
    AddYours = 1,
    /// Somebody showed it again.
    Reshare = 2,
    /// Somebody showed an answer again.
    QuestionAnswerReshare = 3,
    /// Somebody replied in the group.
    GroupStatusReply = 4,
}

impl TryFrom<i32> for StatusNotificationType {
    type Error = Unnamed;

    fn try_from(number: i32) -> Result<Self, Unnamed> {
        Ok(match number {
            0 => Self::Unknown,
            1 => Self::AddYours,
            2 => Self::Reshare,
            3 => Self::QuestionAnswerReshare,
            4 => Self::GroupStatusReply,
            _ => return Err(Unnamed),
        })
    }
}

/// The font of a status of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FontType {
    /// The system's.
    System = 0,
    /// The system's, for text.
    SystemText = 1,
    /// A handwriting.
    FbScript = 2,
    /// The system's, bold.
    SystemBold = 6,
    /// Morning Breeze.
    MorningbreezeRegular = 7,
    /// Calistoga.
    CalistogaRegular = 8,
    /// Exo 2.
    Exo2Extrabold = 9,
    /// Courier Prime.
    CourierprimeBold = 10,
}

impl TryFrom<i32> for FontType {
    type Error = Unnamed;

    fn try_from(number: i32) -> Result<Self, Unnamed> {
        Ok(match number {
            0 => Self::System,
            1 => Self::SystemText,
            2 => Self::FbScript,
            6 => Self::SystemBold,
            7 => Self::MorningbreezeRegular,
            8 => Self::CalistogaRegular,
            9 => Self::Exo2Extrabold,
            10 => Self::CourierprimeBold,
            _ => return Err(Unnamed),
        })
    }
}

/// What kind of group a link leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InviteLinkGroupType {
    /// An ordinary one.
    Default = 0,
    /// A community.
    Parent = 1,
    /// A group of a community.
    Sub = 2,
    /// The announcements of a community.
    DefaultSub = 3,
}

impl TryFrom<i32> for InviteLinkGroupType {
    type Error = Unnamed;

    fn try_from(number: i32) -> Result<Self, Unnamed> {
        Ok(match number {
            0 => Self::Default,
            1 => Self::Parent,
            2 => Self::Sub,
            3 => Self::DefaultSub,
            _ => return Err(Unnamed),
        })
    }
}

/// What is behind a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PreviewType {
    /// A page.
    None = 0,
    /// A video.
    Video = 1,
    /// Nothing yet.
    Placeholder = 4,
    /// A picture.
    Image = 5,
    /// A payment.
    PaymentLinks = 6,
    /// Somebody's profile.
    Profile = 7,
}

impl TryFrom<i32> for PreviewType {
    type Error = Unnamed;

    fn try_from(number: i32) -> Result<Self, Unnamed> {
        Ok(match number {
            0 => Self::None,
            1 => Self::Video,
            4 => Self::Placeholder,
            5 => Self::Image,
            6 => Self::PaymentLinks,
            7 => Self::Profile,
            _ => return Err(Unnamed),
        })
    }
}

/// Where a pack of stickers is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StickerPackOrigin {
    /// The service.
    FirstParty = 0,
    /// Another app.
    ThirdParty = 1,
    /// A user.
    UserCreated = 2,
}

impl TryFrom<i32> for StickerPackOrigin {
    type Error = Unnamed;

    fn try_from(number: i32) -> Result<Self, Unnamed> {
        Ok(match number {
            0 => Self::FirstParty,
            1 => Self::ThirdParty,
            2 => Self::UserCreated,
            _ => return Err(Unnamed),
        })
    }
}
