//! The settings of an account that the service knows, and how its devices hear of changes.

use std::collections::BTreeSet;

use whimbrel_wire::Node;

use super::Service;
use super::accounts::{AccountId, DeviceId, Space};
use crate::stanza::Refusal;

/// Settings of an account that the service knows.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(super) blocked: BTreeSet<AccountId>,
    pub(super) blocklist_version: u64,
    pub(super) privacy: super::privacy::Privacy,
    pub(super) disappearing: (u32, u64),
    pub(super) about: (String, u64),
    pub(super) business: Option<String>,
    pub(super) status: super::status::StatusPrivacy,
}

impl Settings {
    pub(super) fn blocks(&self, other: AccountId) -> bool {
        self.blocked.contains(&other)
    }

    pub(super) fn about(&self) -> (&str, u64) {
        (&self.about.0, self.about.1)
    }

    pub(super) fn disappearing_mode(&self) -> (u32, u64) {
        self.disappearing
    }

    pub(super) fn business_name(&self) -> Option<&str> {
        self.business.as_deref()
    }
}

impl Service {
    pub(super) fn settings_mut(&mut self, device: DeviceId) -> Result<&mut Settings, Refusal> {
        let account = self.accounts.get_mut(device.account).ok_or_else(|| Refusal::code(401))?;
        Ok(&mut account.settings)
    }

    /// Tells the account's other devices what was changed on this one.
    pub(super) fn sync_account(&mut self, device: DeviceId, change: Node) {
        let Some(own) = self.accounts.bare(device.account, Space::Pn) else { return };
        self.notify_account(device.account, Some(device), |service| {
            service.notification("account_sync", own.clone()).child(change.clone())
        });
    }
}
