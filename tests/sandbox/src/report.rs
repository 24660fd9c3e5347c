//! The strict report: what a client did that no real client does.

use serde::Serialize;

/// One such thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The device (`number` or `number:device`), or `connection N` before login.
    pub device: String,
    /// The broken rule.
    pub rule: &'static str,
    /// What was seen, without contents of messages.
    pub detail: String,
}

/// Findings kept; a client that breaks rules in a loop must not fill the memory.
const KEPT: usize = 10_000;

/// What has been found so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    findings: Vec<Finding>,
}

impl Report {
    pub(crate) fn add(&mut self, finding: Finding) {
        if self.findings.len() < KEPT {
            self.findings.push(finding);
        }
    }

    pub(crate) fn findings(&self) -> &[Finding] {
        &self.findings
    }
}
