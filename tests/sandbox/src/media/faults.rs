//! What goes wrong at the media host, and when.

use serde::{Deserialize, Serialize};

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
#[non_exhaustive]
pub enum MediaFault {
    /// The request is answered with a status and otherwise ignored.
    Status {
        /// The status.
        status: u16,
        /// Seconds that the client is asked to wait.
        #[serde(default)]
        retry_after_s: Option<u32>,
    },
    /// The connection is cut after so many octets of the file: sent of a download, taken of an upload.
    Cut {
        /// How many.
        bytes: u64,
    },
    /// Nothing more comes or is read after so many octets of the file, without an end.
    Stall {
        /// How many.
        bytes: u64,
    },
    /// A pause after every 64 KiB of a download.
    Slow {
        /// How long.
        ms: u64,
    },
    /// One bit of a download is another one.
    Flip {
        /// In which octet.
        at: u64,
    },
    /// A download ends early, as if the file were shorter.
    Truncate {
        /// How many octets remain.
        bytes: u64,
    },
    /// A download claims another length than it has.
    ClaimLength {
        /// The claimed length.
        length: u64,
    },
    /// A download comes without saying its length.
    Chunked,
    /// The request is sent elsewhere.
    Redirect {
        /// The address.
        location: String,
    },
    /// A download of a part is answered with the whole.
    IgnoreRange,
    /// An upload is answered with something else than an address.
    Nonsense {
        /// The whole answer.
        body: String,
    },
}

/// Which requests a rule is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaRequest {
    /// All.
    #[default]
    Any,
    /// Uploads.
    Upload,
    /// Questions how much of an upload is there.
    Ask,
    /// Downloads.
    Download,
    /// Deletions.
    Delete,
}

/// A fault, for the next requests that fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MediaFaultRule {
    /// Which requests.
    #[serde(default)]
    pub request: MediaRequest,
    /// At which host, by its number; at all if absent.
    #[serde(default)]
    pub host: Option<usize>,
    /// How many requests.
    #[serde(default = "once")]
    pub times: u32,
    /// What goes wrong.
    pub fault: MediaFault,
}

fn once() -> u32 {
    1
}

impl MediaFaultRule {
    /// A fault of the next such request, at any host.
    #[must_use]
    pub fn once(request: MediaRequest, fault: MediaFault) -> Self {
        Self { request, host: None, times: 1, fault }
    }
}

/// Rules in the order in which they were added; the first that fits is used up by one.
#[derive(Debug, Default)]
pub(crate) struct MediaFaults(Vec<MediaFaultRule>);

impl MediaFaults {
    pub(crate) fn add(&mut self, rule: MediaFaultRule) {
        self.0.push(rule);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn take(&mut self, request: MediaRequest, host: usize) -> Option<MediaFault> {
        let fits = |rule: &MediaFaultRule| {
            (rule.request == MediaRequest::Any || rule.request == request)
                && rule.host.is_none_or(|wanted| wanted == host)
                && rule.times > 0
        };
        let at = self.0.iter().position(fits)?;
        let rule = self.0.get_mut(at)?;
        rule.times -= 1;
        let fault = rule.fault.clone();
        self.0.retain(|rule| rule.times > 0);
        Some(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_strikes_as_often_as_it_says_and_where() {
        let mut faults = MediaFaults::default();
        let fault = MediaFault::Status { status: 503, retry_after_s: None };
        faults.add(MediaFaultRule {
            request: MediaRequest::Upload,
            host: Some(1),
            times: 2,
            fault: fault.clone(),
        });
        assert_eq!(faults.take(MediaRequest::Upload, 0), None);
        assert_eq!(faults.take(MediaRequest::Download, 1), None);
        assert_eq!(faults.take(MediaRequest::Upload, 1), Some(fault.clone()));
        assert_eq!(faults.take(MediaRequest::Upload, 1), Some(fault));
        assert_eq!(faults.take(MediaRequest::Upload, 1), None);
    }

    #[test]
    fn rules_are_written_as_json() {
        let rule: MediaFaultRule =
            serde_json::from_str(r#"{"request":"download","fault":{"fault":"cut","bytes":9}}"#).unwrap();
        assert_eq!(rule, MediaFaultRule::once(MediaRequest::Download, MediaFault::Cut { bytes: 9 }));
    }
}
