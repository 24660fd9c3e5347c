//! What an import says about itself.

use crate::client::own_identity;
use crate::error::Error;
use crate::events::Identity;
use crate::store::Account;

use super::problem::ImportProblem;

/// What was taken over and what was not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportReport {
    /// The account.
    pub identity: Identity,
    /// Number of this device in the account.
    pub device: u16,
    /// What was taken over. Empty for an export of this engine, which is taken over whole.
    pub taken: Vec<TakenOver>,
    /// What was left out.
    pub left_out: Vec<LeftOut>,
    /// What may cause trouble though it was taken over.
    pub warnings: Vec<String>,
}

/// A number of things that were taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TakenOver {
    /// What they are, such as `sessions`.
    pub what: String,
    /// How many there are.
    pub count: u64,
}

/// A number of things that were left out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftOut {
    /// What they are, such as `device lists`.
    pub what: String,
    /// How many there are.
    pub count: u64,
    /// Why they were left out.
    pub why: String,
}

impl ImportReport {
    pub(crate) fn of(account: &Account) -> Result<Self, Error> {
        let identity = own_identity(account).ok_or(ImportProblem::NotLinked)?;
        let device = account.phone.as_ref().map_or(0, whimbrel_wire::Jid::device);
        Ok(Self { identity, device, taken: Vec::new(), left_out: Vec::new(), warnings: Vec::new() })
    }
}
