//! How app state is served, and what goes wrong with it on demand (app-state document §12).

use serde::{Deserialize, Serialize};
use whimbrel_appstate::Collection;
use whimbrel_proto::syncd::SyncdPatch;
use whimbrel_wire::Node;

use super::held::{edited, flip};

/// What goes wrong with one answer about a collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
#[non_exhaustive]
pub enum AppStateFault {
    /// The collection is refused, within an answer that succeeds.
    Refuse {
        /// The code of the error.
        code: u16,
    },
    /// The code of a snapshot does not match.
    SnapshotMac,
    /// An entry of a snapshot is not what its author wrote.
    SnapshotRecord,
    /// The file of a snapshot is not on the media host.
    SnapshotGone,
    /// The code of the first patch does not match.
    PatchMac,
    /// The first patch is left out.
    SkipPatch,
    /// The first patch says that its author gave the collection up.
    GivenUp,
    /// The first patch is no patch.
    Garbage,
}

impl AppStateFault {
    pub(super) fn is_of_snapshot(&self) -> bool {
        matches!(self, Self::SnapshotMac | Self::SnapshotRecord | Self::SnapshotGone)
    }
}

/// A fault, where it happens and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppStateFaultRule {
    /// Name of the collection.
    pub collection: String,
    /// Whether it happens when the collection is written, instead of read.
    #[serde(default)]
    pub writing: bool,
    /// Answers that it happens to; all if absent.
    #[serde(default)]
    pub times: Option<u32>,
    /// What goes wrong.
    pub what: AppStateFault,
}

/// How app state is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AppStatePace {
    /// Patches in one answer.
    pub page: usize,
    /// Whether there are snapshots; without them, whoever asks for one gets all patches.
    pub snapshots: bool,
    /// Versions by which snapshots are older than what there is; the rest comes as patches.
    pub snapshot_age: u64,
}

impl Default for AppStatePace {
    fn default() -> Self {
        Self { page: 50, snapshots: true, snapshot_age: 0 }
    }
}

/// The faults that are still to happen.
#[derive(Debug, Default)]
pub(crate) struct AppStateFaults {
    rules: Vec<AppStateFaultRule>,
    pace: AppStatePace,
}

impl AppStateFaults {
    pub(crate) fn add(&mut self, rule: AppStateFaultRule) {
        self.rules.push(rule);
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    pub(crate) fn set_pace(&mut self, pace: AppStatePace) {
        self.pace = AppStatePace { page: pace.page.max(1), ..pace };
    }

    pub(super) fn pace(&self) -> AppStatePace {
        self.pace
    }

    pub(super) fn take(&mut self, collection: Collection, writing: bool) -> Option<AppStateFault> {
        let fits = |rule: &AppStateFaultRule| {
            rule.collection == collection.name() && rule.writing == writing && rule.times != Some(0)
        };
        let rule = self.rules.iter_mut().find(|rule| fits(rule))?;
        rule.times = rule.times.map(|times| times - 1);
        Some(rule.what.clone())
    }
}

/// Does to the patches of an answer what a fault wants.
pub(super) fn damage(patches: &mut Vec<Node>, fault: &AppStateFault) {
    let edit: fn(&mut SyncdPatch) = match fault {
        AppStateFault::PatchMac => |patch| flip(patch.patch_mac.as_mut()),
        AppStateFault::GivenUp => |patch| {
            patch.exit_code =
                Some(whimbrel_proto::syncd::ExitCode { code: Some(1), text: Some("given up".to_owned()) });
        },
        AppStateFault::SkipPatch => {
            if !patches.is_empty() {
                patches.remove(0);
            }
            return;
        }
        AppStateFault::Garbage => |patch| patch.patch_mac = Some(vec![1]),
        _ => return,
    };
    if let Some(first) = patches.first_mut()
        && let Some(bytes) = first.content_bytes().and_then(|bytes| edited(bytes, edit))
    {
        *first = Node::new("patch").bytes(bytes);
    }
}
