//! The stored form of events about the link and the account.

use std::time::Duration;

use super::record::{IdentityRow, UnreadableRow, device_of, identity_of, identity_row, status_of};
use crate::events::{ConnectionRefused, Linked, LoggedOut, Restriction, RestrictionKind, VersionExpires};

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct LinkedRow {
    #[prost(message, optional, tag = "1")]
    account: Option<IdentityRow>,
    #[prost(uint32, tag = "2")]
    device: u32,
    #[prost(string, tag = "3")]
    platform: String,
    #[prost(string, optional, tag = "4")]
    business_name: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct LoggedOutRow {
    #[prost(string, tag = "1")]
    reason: String,
    #[prost(uint32, tag = "2")]
    service_status: u32,
    #[prost(string, optional, tag = "3")]
    message: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ConnectionRefusedRow {
    #[prost(uint32, tag = "1")]
    service_status: u32,
    #[prost(uint32, tag = "2")]
    detail: u32,
    #[prost(uint64, optional, tag = "3")]
    expires_in_ms: Option<u64>,
    #[prost(string, optional, tag = "4")]
    conflict: Option<String>,
    #[prost(string, optional, tag = "5")]
    message: Option<String>,
    #[prost(string, optional, tag = "6")]
    url: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct RestrictionRow {
    /// 1 reach-out time lock, 2 new-chat cap.
    #[prost(uint32, tag = "1")]
    kind: u32,
    #[prost(bool, tag = "2")]
    active: bool,
    #[prost(int64, optional, tag = "3")]
    until: Option<i64>,
    #[prost(string, optional, tag = "4")]
    reason: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct VersionExpiresRow {
    #[prost(int64, optional, tag = "1")]
    at: Option<i64>,
    #[prost(string, tag = "2")]
    version: String,
}

impl From<&Linked> for LinkedRow {
    fn from(event: &Linked) -> Self {
        Self {
            account: Some(identity_row(&event.account)),
            device: event.device.into(),
            platform: event.platform.clone(),
            business_name: event.business_name.clone(),
        }
    }
}

impl TryFrom<LinkedRow> for Linked {
    type Error = UnreadableRow;

    fn try_from(row: LinkedRow) -> Result<Self, UnreadableRow> {
        Ok(Self {
            account: identity_of(row.account)?,
            device: device_of(row.device)?,
            platform: row.platform,
            business_name: row.business_name,
        })
    }
}

impl From<&LoggedOut> for LoggedOutRow {
    fn from(event: &LoggedOut) -> Self {
        Self {
            reason: event.reason.clone().into_owned(),
            service_status: event.service_status.into(),
            message: event.message.clone(),
        }
    }
}

impl TryFrom<LoggedOutRow> for LoggedOut {
    type Error = UnreadableRow;

    fn try_from(row: LoggedOutRow) -> Result<Self, UnreadableRow> {
        Ok(Self {
            reason: row.reason.into(),
            service_status: status_of(row.service_status)?,
            message: row.message,
        })
    }
}

impl From<&ConnectionRefused> for ConnectionRefusedRow {
    fn from(event: &ConnectionRefused) -> Self {
        Self {
            service_status: event.service_status.into(),
            detail: event.detail.into(),
            expires_in_ms: event.expires_in.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
            conflict: event.conflict.clone(),
            message: event.message.clone(),
            url: event.url.clone(),
        }
    }
}

impl TryFrom<ConnectionRefusedRow> for ConnectionRefused {
    type Error = UnreadableRow;

    fn try_from(row: ConnectionRefusedRow) -> Result<Self, UnreadableRow> {
        Ok(Self {
            service_status: status_of(row.service_status)?,
            detail: status_of(row.detail)?,
            expires_in: row.expires_in_ms.map(Duration::from_millis),
            conflict: row.conflict,
            message: row.message,
            url: row.url,
        })
    }
}

impl From<&Restriction> for RestrictionRow {
    fn from(event: &Restriction) -> Self {
        Self {
            kind: event.kind.number().into(),
            active: event.active,
            until: event.until,
            reason: event.reason.clone(),
        }
    }
}

impl From<RestrictionRow> for Restriction {
    fn from(row: RestrictionRow) -> Self {
        Self {
            kind: RestrictionKind::of_number(row.kind),
            active: row.active,
            until: row.until,
            reason: row.reason,
        }
    }
}

impl From<&VersionExpires> for VersionExpiresRow {
    fn from(event: &VersionExpires) -> Self {
        Self { at: event.at, version: event.version.clone() }
    }
}

impl From<VersionExpiresRow> for VersionExpires {
    fn from(row: VersionExpiresRow) -> Self {
        Self { at: row.at, version: row.version }
    }
}
