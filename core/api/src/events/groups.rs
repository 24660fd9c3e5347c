//! Events about groups.

use schemars::JsonSchema;
use serde::Serialize;
use whimbrel::events::{self, GroupChange};

use super::Identity;
use crate::operations::GroupAddressing;

/// Emitted when this account was added to a group, or another device of it made one. `get_group`
/// tells who is in it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroupJoined {
    /// The group.
    pub chat: Identity,
    /// Who made it or added this account, if known.
    pub author: Option<Identity>,
    /// Its name, if it was told.
    pub subject: Option<String>,
    /// How it came about, if the service says so: a word such as `invite`.
    pub reason: Option<String>,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
}

/// Emitted when this account is in a group no more. Messages to it are refused from now on.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroupLeft {
    /// The group.
    pub chat: Identity,
    /// Who removed this account, if known.
    pub author: Option<Identity>,
    /// A stable lowercase word: `left` on another device of this account, `removed`, `deleted`.
    pub reason: String,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
}

/// What changed in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GroupChangeType {
    /// `participants` joined or were added.
    Added,
    /// `participants` were removed by somebody.
    Removed,
    /// `participants` left by themselves.
    Left,
    /// `participants` are admins now.
    Promoted,
    /// `participants` are no admins any more.
    Demoted,
    /// `participants` have another phone number or hidden id than before.
    NumberChanged,
    /// `text` is its name now.
    Subject,
    /// `text` is its description now; absent: it has none.
    Description,
    /// `enabled`: only admins may send.
    Announce,
    /// `enabled`: only admins may change subject, description and picture.
    Locked,
    /// `enabled`: admins have to approve who joins.
    ApprovalRequired,
    /// `enabled`: every member may add others.
    MembersMayAdd,
    /// `seconds` after which new messages disappear; 0: never.
    Ephemeral,
    /// `addressing`: its members are addressed in another way now.
    Addressing,
    /// Something else; `text` is the service's name for it.
    Other,
    /// Its invitation link was made anew: `text` is the code. The former one is void.
    InviteLink,
    /// Invitations of `participants` are void.
    InvitationsRevoked,
    /// `enabled`: every member may hand out the invitation link.
    MembersMayInvite,
    /// `enabled`: every member may hand earlier messages to new ones.
    MembersMayShareHistory,
    /// `enabled`: what is said in it may not be exported or taken out.
    SharingLimited,
    /// `enabled`: messages that were forwarded many times may not be sent to it.
    ForwardingLimited,
    /// `enabled`: new members get earlier messages.
    HistoryShared,
    /// `enabled`: members may report messages to its admins.
    AdminReports,
    /// `enabled`: every member of the community may make groups in it.
    MembersMayCreateGroups,
    /// `enabled`: nobody can join by its link, `until` a time if the service said so; `text` is the
    /// service's word for the reason.
    GrowthLock,
    /// `enabled`: the service has suspended it.
    Suspended,
    /// `participants` are admins of `group`, another one of its community, now.
    LinkedPromoted,
    /// `participants` are no admins of `group`, another one of its community, any more.
    LinkedDemoted,
    /// Members reported messages to its admins.
    Reported,
    /// People are no longer added to it by themselves.
    AutoAddDisabled,
    /// A business has it served by somebody else.
    BusinessHosted,
    /// The service advises to look at who is in it.
    SafetyCheck,
    /// The service does not know who a member is.
    ParticipantUnidentified,
    /// A change that this version does not know.
    Unknown,
}

/// Emitted when somebody changed a group: its members or its settings.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroupChanged {
    /// The group.
    pub chat: Identity,
    /// Who changed it, if known.
    pub author: Option<Identity>,
    /// What changed; it says which of the fields below count.
    pub change: GroupChangeType,
    /// People that it is about.
    pub participants: Vec<Identity>,
    /// A new text.
    pub text: Option<String>,
    /// Whether something is on now.
    pub enabled: Option<bool>,
    /// A new time, in seconds.
    pub seconds: Option<u32>,
    /// How members are addressed now.
    pub addressing: Option<GroupAddressing>,
    /// When something ends, seconds since 1970.
    pub until: Option<i64>,
    /// Address of another group that it is about.
    pub group: Option<String>,
    /// The service's time, seconds since 1970.
    pub timestamp: i64,
}

impl From<&events::GroupJoined> for GroupJoined {
    fn from(event: &events::GroupJoined) -> Self {
        Self {
            chat: (&event.chat).into(),
            author: event.author.as_ref().map(Into::into),
            subject: event.subject.clone(),
            reason: event.reason.clone(),
            timestamp: event.timestamp,
        }
    }
}

impl From<&events::GroupLeft> for GroupLeft {
    fn from(event: &events::GroupLeft) -> Self {
        Self {
            chat: (&event.chat).into(),
            author: event.author.as_ref().map(Into::into),
            reason: event.reason.clone().into_owned(),
            timestamp: event.timestamp,
        }
    }
}

impl From<&events::GroupChanged> for GroupChanged {
    fn from(event: &events::GroupChanged) -> Self {
        let mut changed = Self {
            chat: (&event.chat).into(),
            author: event.author.as_ref().map(Into::into),
            change: GroupChangeType::Unknown,
            participants: Vec::new(),
            text: None,
            enabled: None,
            seconds: None,
            addressing: None,
            until: None,
            group: None,
            timestamp: event.timestamp,
        };
        changed.fill(&event.change);
        changed
    }
}

impl GroupChanged {
    fn fill(&mut self, change: &GroupChange) {
        use GroupChangeType as Type;
        self.change = match change {
            GroupChange::Added(who) => self.people(who, Type::Added),
            GroupChange::Removed(who) => self.people(who, Type::Removed),
            GroupChange::Left(who) => self.people(who, Type::Left),
            GroupChange::Promoted(who) => self.people(who, Type::Promoted),
            GroupChange::Demoted(who) => self.people(who, Type::Demoted),
            GroupChange::NumberChanged(who) => self.people(who, Type::NumberChanged),
            GroupChange::InvitationsRevoked(who) => self.people(who, Type::InvitationsRevoked),
            GroupChange::LinkedPromoted(group, who) => {
                self.group = group.as_ref().map(ToString::to_string);
                self.people(who, Type::LinkedPromoted)
            }
            GroupChange::LinkedDemoted(group, who) => {
                self.group = group.as_ref().map(ToString::to_string);
                self.people(who, Type::LinkedDemoted)
            }
            GroupChange::Subject(subject) => self.said(Some(subject), Type::Subject),
            GroupChange::Description(text) => self.said(text.as_deref(), Type::Description),
            GroupChange::InviteLink(code) => self.said(Some(code), Type::InviteLink),
            GroupChange::Other(name) => self.said(Some(name), Type::Other),
            GroupChange::Announce(on) => self.switched(*on, Type::Announce),
            GroupChange::Locked(on) => self.switched(*on, Type::Locked),
            GroupChange::ApprovalRequired(on) => self.switched(*on, Type::ApprovalRequired),
            GroupChange::MembersMayAdd(on) => self.switched(*on, Type::MembersMayAdd),
            GroupChange::MembersMayInvite(on) => self.switched(*on, Type::MembersMayInvite),
            GroupChange::MembersMayShareHistory(on) => self.switched(*on, Type::MembersMayShareHistory),
            GroupChange::SharingLimited(on) => self.switched(*on, Type::SharingLimited),
            GroupChange::ForwardingLimited(on) => self.switched(*on, Type::ForwardingLimited),
            GroupChange::HistoryShared(on) => self.switched(*on, Type::HistoryShared),
            GroupChange::AdminReports(on) => self.switched(*on, Type::AdminReports),
            GroupChange::MembersMayCreateGroups(on) => self.switched(*on, Type::MembersMayCreateGroups),
            GroupChange::Suspended(on) => self.switched(*on, Type::Suspended),
            GroupChange::GrowthLock(lock) => {
                self.until = lock.as_ref().and_then(|lock| lock.until);
                self.text = lock.as_ref().and_then(|lock| lock.reason.clone());
                self.switched(lock.is_some(), Type::GrowthLock)
            }
            GroupChange::Ephemeral(seconds) => {
                self.seconds = Some(*seconds);
                Type::Ephemeral
            }
            GroupChange::Addressing(addressing) => {
                self.addressing = Some((*addressing).into());
                Type::Addressing
            }
            GroupChange::Reported => Type::Reported,
            GroupChange::AutoAddDisabled => Type::AutoAddDisabled,
            GroupChange::BusinessHosted => Type::BusinessHosted,
            GroupChange::SafetyCheck => Type::SafetyCheck,
            GroupChange::ParticipantUnidentified => Type::ParticipantUnidentified,
            _ => Type::Unknown,
        };
    }

    fn people(&mut self, who: &[events::Identity], change: GroupChangeType) -> GroupChangeType {
        self.participants = who.iter().map(Into::into).collect();
        change
    }

    fn said(&mut self, text: Option<&str>, change: GroupChangeType) -> GroupChangeType {
        self.text = text.map(str::to_owned);
        change
    }

    fn switched(&mut self, on: bool, change: GroupChangeType) -> GroupChangeType {
        self.enabled = Some(on);
        change
    }
}
