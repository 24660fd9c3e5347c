//! What surrounds content (`ContextInfo`, messages document §6): quotes, mentions, forwarding, the
//! chat's timer, advertisements.

mod ad;
pub(crate) mod slot;

pub use ad::{Ad, Conversion};

pub use crate::names::{ForwardOrigin, Initiator, PairedMediaType, Trigger};

use whimbrel_proto::ai::ForwardedAiBotMessageInfo;
use whimbrel_proto::e2e::context_info::{
    FeatureEligibilities, ForwardedNewsletterMessageInfo, QuestionReplyQuotedMessage,
};
use whimbrel_proto::e2e::{ContextInfo, DisappearingMode, GroupMention as WireMention, MemberLabel, Message};
use whimbrel_wire::Jid;

use crate::key::jid;
use crate::kinds::Content;

/// From this many hops on a message counts as forwarded many times.
pub const FORWARDED_MANY: u32 = 5;
/// What is written for as many hops or more.
pub const FORWARDED_MANY_WRITTEN: u32 = 127;

/// What surrounds content.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Context {
    /// The message that is quoted.
    pub quote: Option<Quote>,
    /// Users who are mentioned, without device.
    pub mentions: Vec<Jid>,
    /// Everyone in the group is mentioned.
    pub mentions_everyone: bool,
    /// Groups of the community that are mentioned.
    pub group_mentions: Vec<GroupMention>,
    /// Present on forwarded content.
    pub forwarded: Option<Forwarded>,
    /// The post of a channel that it was forwarded from.
    pub channel_post: Option<Box<ChannelPost>>,
    /// The bot whose words it forwards.
    pub bot: Option<Box<BotOrigin>>,
    /// Number of the channel's question that it replies to.
    pub question_id: Option<i32>,
    /// The chat's timer as the sender knew it.
    pub timer: Option<Timer>,
    /// The advertisement that the chat began with.
    pub ad: Option<Box<Ad>>,
    /// How the sender came to write.
    pub conversion: Option<Box<Conversion>>,
    /// The sender's label in the group.
    pub member_label: Option<String>,
    /// Better or worse copies of the same picture or video.
    pub paired_media: Option<PairedMediaType>,
    /// How long it may be seen after it was read, in seconds.
    pub after_read_seconds: Option<u32>,
    /// The status is in a group.
    pub is_group_status: bool,
    /// The post of a channel is a question.
    pub is_question: bool,
    /// The content is covered until it is tapped.
    pub is_spoiler: bool,
    /// The sender's clients offer no reactions to it.
    pub cannot_be_reacted_to: bool,
}

/// The message that another one quotes. The copy is what the quoting person says it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Quote {
    /// Its id.
    pub id: String,
    /// Who wrote it, without device; the channel for a channel's post.
    pub author: Option<Jid>,
    /// Its chat, when it is another one than the quoting message's.
    pub chat: Option<Jid>,
    /// A copy of it without its own quote, mentions and secret.
    pub copy: Option<Box<Message>>,
}

impl Quote {
    /// What the copy says. Receivers look the message up by its id first.
    #[must_use]
    pub fn content(&self) -> Option<Content> {
        let mut opened = crate::unwrap::open(self.copy.as_deref()?.clone());
        (!opened.too_deep).then(|| Content::take(&mut opened.content))
    }
}

/// A group of the community that is mentioned.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupMention {
    /// The group.
    pub group: Jid,
    /// Its name.
    pub subject: Option<String>,
}

/// Where forwarded content comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forwarded {
    /// Hops before this one; 127 stands for many.
    pub score: u32,
    /// What it was forwarded from.
    pub origin: Option<ForwardOrigin>,
}

impl Forwarded {
    /// Whether it counts as forwarded many times.
    #[must_use]
    pub const fn is_many(&self) -> bool {
        self.score >= FORWARDED_MANY
    }
}

/// A post of a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelPost {
    /// The channel.
    pub channel: Jid,
    /// The post's number in the channel.
    pub server_id: Option<i32>,
    /// The channel's name.
    pub name: Option<String>,
    /// 1 a post, 2 a card for a post, 3 a card for a link.
    pub content_type: Option<i32>,
    /// A description for those who do not see the post.
    pub accessibility_text: Option<String>,
    /// The administrator's name.
    pub profile_name: Option<String>,
}

/// The bot that forwarded words are from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BotOrigin {
    /// Its name.
    pub name: Option<String>,
    /// Its address.
    pub bot: Option<Jid>,
    /// Who made it.
    pub creator: Option<String>,
}

/// A chat's timer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timer {
    /// How long messages stay, in seconds; 0: for ever.
    pub seconds: u32,
    /// When it was set, in seconds since 1970.
    pub set_at: Option<i64>,
    /// Who set it.
    pub initiator: Option<Initiator>,
    /// How it was set.
    pub trigger: Option<Trigger>,
    /// The account that wrote it down set it.
    pub initiated_by_me: Option<bool>,
    /// The device that set it.
    pub initiator_device: Option<Jid>,
}

/// Moments beyond this are in milliseconds, which some peers write where seconds belong.
const MILLISECONDS: i64 = 100_000_000_000;

impl Timer {
    pub(crate) fn read(
        seconds: Option<u32>,
        set_at: Option<i64>,
        mode: Option<DisappearingMode>,
    ) -> Option<Self> {
        if seconds.is_none() && set_at.is_none() && mode.is_none() {
            return None;
        }
        let mode = mode.unwrap_or_default();
        Some(Self {
            seconds: seconds.unwrap_or_default(),
            set_at: set_at.map(|at| if at > MILLISECONDS { at / 1000 } else { at }),
            initiator: mode.initiator.and_then(|number| Initiator::try_from(number).ok()),
            trigger: mode.trigger.and_then(|number| Trigger::try_from(number).ok()),
            initiated_by_me: mode.initiated_by_me,
            initiator_device: jid(mode.initiator_device_jid),
        })
    }

    pub(crate) fn mode(&self) -> Option<DisappearingMode> {
        let mode = DisappearingMode {
            initiator: self.initiator.map(|initiator| initiator as i32),
            trigger: self.trigger.map(|trigger| trigger as i32),
            initiator_device_jid: self.initiator_device.as_ref().map(Jid::to_string),
            initiated_by_me: self.initiated_by_me,
        };
        (mode != DisappearingMode::default()).then_some(mode)
    }
}

impl Context {
    /// Whether the account is mentioned, by its own address or with everyone.
    #[must_use]
    pub fn mentions_me(&self, people: &dyn crate::key::People) -> bool {
        self.mentions_everyone || self.mentions.iter().any(|user| people.is_own(user))
    }

    pub(crate) fn read(mut context: ContextInfo) -> Self {
        let conversion = Conversion::take(&mut context);
        let forwarded = context.is_forwarded().then(|| Forwarded {
            score: context.forwarding_score.unwrap_or_default(),
            origin: context.forward_origin.and_then(|number| ForwardOrigin::try_from(number).ok()),
        });
        let quote = context.stanza_id.filter(|id| !id.is_empty()).map(|id| Quote {
            id,
            author: jid(context.participant).map(|author| author.to_bare()),
            chat: jid(context.remote_jid),
            copy: context.quoted_message,
        });
        let group_mentions = context.group_mentions.into_iter().filter_map(|mention| {
            Some(GroupMention { group: jid(mention.group_jid)?, subject: mention.group_subject })
        });
        Self {
            quote,
            mentions: context
                .mentioned_jid
                .into_iter()
                .filter_map(|user| Some(jid(Some(user))?.to_bare()))
                .collect(),
            mentions_everyone: context.non_jid_mentions == Some(1),
            group_mentions: group_mentions.collect(),
            forwarded,
            channel_post: context
                .forwarded_newsletter_message_info
                .and_then(|info| ChannelPost::read(*info).map(Box::new)),
            bot: context.forwarded_ai_bot_message_info.map(|info| Box::new(BotOrigin::read(*info))),
            question_id: context
                .question_reply_quoted_message
                .and_then(|question| question.server_question_id),
            timer: Timer::read(
                context.expiration,
                context.ephemeral_setting_timestamp,
                context.disappearing_mode.map(|mode| *mode),
            ),
            ad: context.external_ad_reply.map(|ad| Box::new(Ad::read(*ad))),
            conversion,
            member_label: context.member_label.and_then(|label| label.label),
            paired_media: context.paired_media_type.and_then(|number| PairedMediaType::try_from(number).ok()),
            after_read_seconds: context.after_read_duration,
            is_group_status: context.is_group_status.unwrap_or_default(),
            is_question: context.is_question.unwrap_or_default(),
            is_spoiler: context.is_spoiler.unwrap_or_default(),
            cannot_be_reacted_to: context
                .feature_eligibilities
                .and_then(|features| features.cannot_be_reacted_to)
                .unwrap_or_default(),
        }
    }

    /// The form for the wire; `None` if there is nothing to say.
    pub(crate) fn write(&self) -> Option<Box<ContextInfo>> {
        let mut context = ContextInfo {
            mentioned_jid: self.mentions.iter().map(Jid::to_string).collect(),
            non_jid_mentions: self.mentions_everyone.then_some(1),
            group_mentions: self.group_mentions.iter().map(GroupMention::write).collect(),
            forwarded_newsletter_message_info: self.channel_post.as_ref().map(|post| Box::new(post.write())),
            forwarded_ai_bot_message_info: self.bot.as_ref().map(|bot| Box::new(bot.write())),
            question_reply_quoted_message: self.question_id.map(|id| {
                let server_question_id = Some(id);
                Box::new(QuestionReplyQuotedMessage {
                    server_question_id,
                    ..QuestionReplyQuotedMessage::default()
                })
            }),
            external_ad_reply: self.ad.as_ref().map(|ad| Box::new(ad.write())),
            member_label: self
                .member_label
                .clone()
                .map(|label| Box::new(MemberLabel { label: Some(label), ..MemberLabel::default() })),
            paired_media_type: self.paired_media.map(|paired| paired as i32),
            after_read_duration: self.after_read_seconds,
            is_group_status: self.is_group_status.then_some(true),
            is_question: self.is_question.then_some(true),
            is_spoiler: self.is_spoiler.then_some(true),
            ..ContextInfo::default()
        };
        if self.cannot_be_reacted_to {
            let features =
                FeatureEligibilities { cannot_be_reacted_to: Some(true), ..FeatureEligibilities::default() };
            context.feature_eligibilities = Some(Box::new(features));
        }
        if let Some(quote) = &self.quote {
            context.stanza_id = Some(quote.id.clone());
            context.participant = quote.author.as_ref().map(Jid::to_string);
            context.remote_jid = quote.chat.as_ref().map(Jid::to_string);
            context.quoted_message = quote.copy.clone();
        }
        if let Some(forwarded) = &self.forwarded {
            context.is_forwarded = Some(true);
            context.forwarding_score = Some(forwarded.score);
            context.forward_origin = forwarded.origin.map(|origin| origin as i32);
        }
        if let Some(timer) = &self.timer {
            context.expiration = Some(timer.seconds);
            context.ephemeral_setting_timestamp = timer.set_at;
            context.disappearing_mode = timer.mode().map(Box::new);
        }
        if let Some(conversion) = &self.conversion {
            conversion.put(&mut context);
        }
        (context != ContextInfo::default()).then(|| Box::new(context))
    }
}

impl GroupMention {
    fn write(&self) -> WireMention {
        WireMention { group_jid: Some(self.group.to_string()), group_subject: self.subject.clone() }
    }
}

impl ChannelPost {
    fn read(info: ForwardedNewsletterMessageInfo) -> Option<Self> {
        Some(Self {
            channel: jid(info.newsletter_jid)?,
            server_id: info.server_message_id,
            name: info.newsletter_name,
            content_type: info.content_type,
            accessibility_text: info.accessibility_text,
            profile_name: info.profile_name,
        })
    }

    fn write(&self) -> ForwardedNewsletterMessageInfo {
        ForwardedNewsletterMessageInfo {
            newsletter_jid: Some(self.channel.to_string()),
            server_message_id: self.server_id,
            newsletter_name: self.name.clone(),
            content_type: self.content_type,
            accessibility_text: self.accessibility_text.clone(),
            profile_name: self.profile_name.clone(),
        }
    }
}

impl BotOrigin {
    fn read(info: ForwardedAiBotMessageInfo) -> Self {
        Self { name: info.bot_name, bot: jid(info.bot_jid), creator: info.creator_name }
    }

    fn write(&self) -> ForwardedAiBotMessageInfo {
        ForwardedAiBotMessageInfo {
            bot_name: self.name.clone(),
            bot_jid: self.bot.as_ref().map(Jid::to_string),
            creator_name: self.creator.clone(),
        }
    }
}
