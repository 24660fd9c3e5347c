//! Settings of groups, and what concerns their standing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use whimbrel::{CallOptions, Client, Error, parse_address};

use super::{Done, Operation};
use crate::events::Identity;

/// Gives a group another name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetGroupSubject {
    /// Address of the group.
    #[schemars(extend("format" = "address"))]
    pub group: String,
    /// The new name.
    pub subject: String,
}

impl Operation for SetGroupSubject {
    const NAME: &'static str = "set_group_subject";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        let group = parse_address(&self.group)?;
        client.set_group_subject(&group, &self.subject, options).await.map(|()| Done {})
    }
}

/// Gives a group another description, of at most 2,048 characters, or takes it away.
///
/// A description that somebody else changed meanwhile is not overwritten: the call fails with `REFUSED`
/// and the service's number 409, and `get_group` tells what it is now.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetGroupDescription {
    /// Address of the group.
    #[schemars(extend("format" = "address"))]
    pub group: String,
    /// The new description; absent or empty: none.
    #[serde(default)]
    pub text: Option<String>,
}

impl Operation for SetGroupDescription {
    const NAME: &'static str = "set_group_description";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        let group = parse_address(&self.group)?;
        client.set_group_description(&group, self.text.as_deref(), options).await.map(|()| Done {})
    }
}

/// Something that is on or off in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GroupSetting {
    /// Only admins may send.
    Announce,
    /// Only admins may change subject, description, picture and timer.
    Locked,
    /// Admins have to approve who joins.
    ApprovalRequired,
    /// Every member may add others, not only admins.
    MembersMayAdd,
    /// Every member may hand out the invitation link, not only admins.
    MembersMayInvite,
    /// Every member may hand earlier messages to new ones, not only admins.
    MembersMayShareHistory,
    /// What is said in it may not be exported or taken out.
    SharingLimited,
    /// Messages that were forwarded many times may not be sent to it.
    ForwardingLimited,
    /// New members get earlier messages.
    HistoryShared,
    /// Members may report messages to its admins.
    AdminReports,
    /// In a community: every member may make groups in it, not only admins.
    MembersMayCreateGroups,
}

impl From<GroupSetting> for whimbrel::GroupSetting {
    fn from(setting: GroupSetting) -> Self {
        match setting {
            GroupSetting::Announce => Self::Announce,
            GroupSetting::Locked => Self::Locked,
            GroupSetting::ApprovalRequired => Self::ApprovalRequired,
            GroupSetting::MembersMayAdd => Self::MembersMayAdd,
            GroupSetting::MembersMayInvite => Self::MembersMayInvite,
            GroupSetting::MembersMayShareHistory => Self::MembersMayShareHistory,
            GroupSetting::SharingLimited => Self::SharingLimited,
            GroupSetting::ForwardingLimited => Self::ForwardingLimited,
            GroupSetting::HistoryShared => Self::HistoryShared,
            GroupSetting::AdminReports => Self::AdminReports,
            GroupSetting::MembersMayCreateGroups => Self::MembersMayCreateGroups,
        }
    }
}

/// Turns something on or off in a group. A community takes some of them too.
///
/// Fails with `FORBIDDEN` if this account is no admin.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetGroupSetting {
    /// Address of the group.
    #[schemars(extend("format" = "address"))]
    pub group: String,
    /// What.
    pub setting: GroupSetting,
    /// On or off.
    pub enabled: bool,
}

impl Operation for SetGroupSetting {
    const NAME: &'static str = "set_group_setting";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        let group = parse_address(&self.group)?;
        let done = client.set_group_setting(&group, self.setting.into(), self.enabled, options);
        done.await.map(|()| Done {})
    }
}

/// Tells the service that this account knows of a group that somebody unknown put it into, and stays in
/// it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConfirmGroup {
    /// Address of the group.
    #[schemars(extend("format" = "address"))]
    pub group: String,
}

impl Operation for ConfirmGroup {
    const NAME: &'static str = "confirm_group";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        client.confirm_group(&parse_address(&self.group)?, options).await.map(|()| Done {})
    }
}

/// Reports messages of a group to its admins.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReportToAdmins {
    /// Address of the group.
    #[schemars(extend("format" = "address"))]
    pub group: String,
    /// Ids of the messages, at most 100.
    pub message_ids: Vec<String>,
}

/// A message that could not be reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnreportedMessage {
    /// Its id.
    pub message_id: String,
    /// The service's number: 403, 404 no such message, 423 or another one.
    pub refused: u16,
}

/// What came of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdminReport {
    /// Messages that could not be reported.
    pub refused: Vec<UnreportedMessage>,
}

impl Operation for ReportToAdmins {
    const NAME: &'static str = "report_to_admins";
    type Output = AdminReport;

    async fn run(self, client: &Client, options: CallOptions) -> Result<AdminReport, Error> {
        let group = parse_address(&self.group)?;
        let refused = client.report_to_admins(&group, &self.message_ids, options).await?;
        let refused = refused.into_iter();
        let refused = refused
            .map(|message| UnreportedMessage { message_id: message.message_id, refused: message.refused });
        Ok(AdminReport { refused: refused.collect() })
    }
}

/// Returns the messages of a group that were reported to its admins.
///
/// Fails with `FORBIDDEN` if this account is no admin.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListReportedMessages {
    /// Address of the group.
    #[schemars(extend("format" = "address"))]
    pub group: String,
}

/// A message that members reported to a group's admins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReportedMessage {
    /// Its id.
    pub message_id: String,
    /// Who reported it, as far as the service tells.
    pub by: Vec<Identity>,
    /// When it was last reported, seconds since 1970; 0 if unknown.
    pub reported_at: i64,
}

/// Messages that members reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReportedMessages {
    /// The messages.
    pub messages: Vec<ReportedMessage>,
}

impl Operation for ListReportedMessages {
    const NAME: &'static str = "list_reported_messages";
    type Output = ReportedMessages;

    async fn run(self, client: &Client, options: CallOptions) -> Result<ReportedMessages, Error> {
        let reported = client.reported_messages(&parse_address(&self.group)?, options).await?;
        let message = |message: whimbrel::ReportedMessage| ReportedMessage {
            message_id: message.message_id,
            by: message.by.iter().map(Into::into).collect(),
            reported_at: message.reported_at,
        };
        Ok(ReportedMessages { messages: reported.into_iter().map(message).collect() })
    }
}

/// Asks the service to lift the suspension of a group. What comes of it is announced, if it is.
///
/// Fails with `REFUSED` and the service's number 409 if somebody asked already.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AppealGroupSuspension {
    /// Address of the group.
    #[schemars(extend("format" = "address"))]
    pub group: String,
    /// Why it should be lifted, for people at the service.
    pub reason: String,
}

impl Operation for AppealGroupSuspension {
    const NAME: &'static str = "appeal_group_suspension";
    type Output = Done;

    async fn run(self, client: &Client, options: CallOptions) -> Result<Done, Error> {
        let group = parse_address(&self.group)?;
        client.appeal_group_suspension(&group, &self.reason, options).await.map(|()| Done {})
    }
}
