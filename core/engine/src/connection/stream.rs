//! What the service says about the stream itself: success, failure, stream errors, bulletins
//! (transport document §6.2–6.7). Pure parsing; the consequences are the supervisor's.

use std::time::Duration;

use whimbrel_wire::{Jid, Node, NodeRef};

/// The service accepted the login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Success {
    /// Its time, seconds.
    pub(crate) time: Option<u64>,
    /// Own device by LID.
    pub(crate) lid: Option<Jid>,
    /// Name of the account as the service knows it.
    pub(crate) display_name: Option<String>,
}

impl Success {
    pub(crate) fn parse(node: &NodeRef<'_>) -> Self {
        Self {
            time: node.attr_u64("t"),
            lid: node.attr_jid("lid").filter(Jid::is_lid),
            display_name: node.attr_text("display_name").map(Into::into),
        }
    }
}

/// What the end of a stream means for the link and for the next connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Connect again at once; no failure.
    Restart,
    /// Connect again after a wait, longer by so many steps.
    Retry {
        /// A stable lowercase word.
        reason: &'static str,
        /// Steps of the back-off that it costs beyond the usual one.
        extra_steps: u32,
    },
    /// The link is over, or seems to be.
    LoggedOut {
        /// A stable lowercase word.
        reason: &'static str,
        /// The number that the service gave, 0 if none.
        status: u16,
        /// What the service says about it to people.
        message: Option<String>,
        /// Whether the device was removed by name; otherwise it takes a second word of the service.
        confirmed: bool,
    },
    /// Another connection with the same keys took over.
    Replaced,
    /// Stay disconnected, keep the link.
    Refused(Refusal),
}

/// The service does not want this client now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The number that the service gave, 0 if none.
    pub(crate) status: u16,
    /// Detail code of a temporary ban.
    pub(crate) detail: u16,
    /// How long it lasts.
    pub(crate) expires_in: Option<Duration>,
    /// The type of a conflict that this client does not know.
    pub(crate) conflict: Option<String>,
    /// What the service says about it to people.
    pub(crate) message: Option<String>,
    /// Where people read more.
    pub(crate) url: Option<String>,
}

fn text(node: &NodeRef<'_>, attr: &str) -> Option<String> {
    node.attr_text(attr).filter(|text| !text.is_empty()).map(Into::into)
}

/// What a failure says to people. Some of it is told once only, so all of it is kept.
fn message(node: &NodeRef<'_>) -> Option<String> {
    let parts = ["logout_message_header", "logout_message_subtext", "message"];
    let parts: Vec<String> = parts.into_iter().filter_map(|attr| text(node, attr)).collect();
    (!parts.is_empty()).then(|| parts.join("\n"))
}

fn number(node: &NodeRef<'_>, attr: &str) -> u16 {
    node.attr_u64(attr).and_then(|number| u16::try_from(number).ok()).unwrap_or(0)
}

/// Reads `<failure>`, which comes instead of a success (transport document §6.3).
pub(crate) fn failure(node: &NodeRef<'_>) -> Verdict {
    let status = number(node, "reason");
    match status {
        401 => Verdict::LoggedOut { reason: "removed", status, message: message(node), confirmed: false },
        403 => Verdict::LoggedOut { reason: "locked", status, message: message(node), confirmed: false },
        406 => Verdict::LoggedOut { reason: "banned", status, message: message(node), confirmed: false },
        500 | 503 => Verdict::Retry { reason: "service_fault", extra_steps: 0 },
        _ => Verdict::Refused(Refusal {
            status,
            detail: number(node, "code"),
            expires_in: node.attr_u64("expire").map(Duration::from_secs),
            conflict: None,
            message: message(node),
            url: text(node, "url"),
        }),
    }
}

/// Reads `<stream:error>`, which ends a live stream (transport document §6.4). Only a 401 that says
/// that the device was removed ends the link by itself; after a bare 401 or a 516, which some clients
/// take for the end and others for a disturbance, the next login tells.
pub(crate) fn stream_error(node: &NodeRef<'_>) -> Verdict {
    let code = number(node, "code");
    let conflict = node.child_named("conflict");
    match code {
        515 => Verdict::Restart,
        401 | 516 => {
            let confirmed = conflict.is_some_and(|conflict| conflict.attr_is("type", "device_removed"));
            Verdict::LoggedOut { reason: "removed", status: code, message: None, confirmed }
        }
        409 => Verdict::Replaced,
        429 => Verdict::Retry { reason: "rate_limited", extra_steps: super::backoff::RATE_LIMIT_STEPS },
        _ => match conflict {
            Some(conflict) if conflict.attr_is("type", "replaced") => Verdict::Replaced,
            Some(conflict) => {
                let conflict = Some(text(conflict, "type").unwrap_or_default());
                Verdict::Refused(Refusal { status: code, conflict, ..Refusal::default() })
            }
            None => Verdict::Retry { reason: retry_reason(node, code), extra_steps: 0 },
        },
    }
}

fn retry_reason(node: &NodeRef<'_>, code: u16) -> &'static str {
    if node.child_named("xml-not-well-formed").is_some() {
        "bad_stanza"
    } else if node.child_named("ack").is_some() {
        "missing_ack"
    } else if matches!(code, 500 | 503) {
        "service_fault"
    } else {
        "stream_error"
    }
}

/// The stanza whose missing ack recycled the stream, as `(class, id)`.
pub(crate) fn missing_ack(node: &NodeRef<'_>) -> Option<(String, String)> {
    let ack = node.child_named("ack")?;
    Some((ack.attr_text("class")?.into_owned(), ack.attr_text("id")?.into_owned()))
}

/// An information bulletin, as far as this client acts on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Bulletin {
    /// What waited at the service is about to arrive.
    OfflinePreview {
        /// How many stanzas.
        count: u64,
    },
    /// What waited at the service has arrived.
    Offline,
    /// Where to connect next time.
    EdgeRouting(Vec<u8>),
    /// State that must be fetched again, as (type, timestamp).
    Dirty {
        /// What is dirty.
        kind: String,
        /// When it became so; repeated in the request that clears it.
        timestamp: Option<String>,
    },
    /// The phone that scanned the code cannot have companions.
    Downgrade,
    /// When this client's version stops being accepted, seconds; `None`: withdrawn.
    Expiration(Option<i64>),
    /// Nothing that this version acts on.
    Other,
}

/// Reads `<ib>`: one bulletin per child, though the service sends one child.
pub(crate) fn bulletins(node: &NodeRef<'_>) -> Vec<Bulletin> {
    node.child_nodes().iter().map(bulletin).collect()
}

fn bulletin(child: &NodeRef<'_>) -> Bulletin {
    match child.tag() {
        "offline_preview" => Bulletin::OfflinePreview { count: child.attr_u64("count").unwrap_or(0) },
        "offline" => Bulletin::Offline,
        "edge_routing" => match child.child_bytes("routing_info") {
            Some(info) => Bulletin::EdgeRouting(info.to_vec()),
            None => Bulletin::Other,
        },
        "dirty" => match child.attr_text("type") {
            Some(kind) => Bulletin::Dirty {
                kind: kind.into_owned(),
                timestamp: child.attr_text("timestamp").map(|stamp| stamp.into_owned()),
            },
            None => Bulletin::Other,
        },
        "downgrade_webclient" => Bulletin::Downgrade,
        "client_expiration" => match (child.attr_value("t"), child.attr_u64("t")) {
            (None, _) => Bulletin::Expiration(None),
            (_, Some(time)) => Bulletin::Expiration(i64::try_from(time).ok()),
            // A time that cannot be read is no withdrawal.
            (Some(_), None) => Bulletin::Other,
        },
        _ => Bulletin::Other,
    }
}

/// `<iq xmlns="passive"><active/>`: from now on the service delivers.
pub(crate) fn active() -> Node {
    Node::new("iq")
        .attr("to", Jid::SERVER)
        .attr("xmlns", "passive")
        .attr("type", "set")
        .child(Node::new("active"))
}

/// Clears a dirty bit that needs no refresh, or was refreshed.
pub(crate) fn clean(kind: String, timestamp: Option<String>) -> Node {
    let clean = Node::new("clean").attr("type", kind).attr_opt("timestamp", timestamp);
    Node::new("iq")
        .attr("to", Jid::SERVER)
        .attr("xmlns", "urn:xmpp:whatsapp:dirty")
        .attr("type", "set")
        .child(clean)
}

/// Asks for the next stanzas that waited.
pub(crate) fn offline_batch(count: u32) -> Node {
    Node::new("ib").child(Node::new("offline_batch").attr("count", count))
}

/// Tells the service which session of use this is (transport document §6.6).
pub(crate) fn unified_session(server_now_ms: i64) -> Node {
    const DAY_MS: i64 = 24 * 60 * 60 * 1000;
    let id = server_now_ms.saturating_add(3 * DAY_MS).rem_euclid(7 * DAY_MS);
    Node::new("ib").child(Node::new("unified_session").attr("id", id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: Option<u16>, child: Option<Node>) -> Verdict {
        stream_error(&Node::new("stream:error").attr_opt("code", code).child_opt(child))
    }

    fn conflict(kind: &'static str) -> Option<Node> {
        Some(Node::new("conflict").attr("type", kind))
    }

    fn retry(reason: &'static str) -> Verdict {
        Verdict::Retry { reason, extra_steps: 0 }
    }

    fn refused(status: u16) -> Verdict {
        Verdict::Refused(Refusal { status, ..Refusal::default() })
    }

    #[test]
    fn a_restart_is_never_a_logout() {
        assert_eq!(error(Some(515), None), Verdict::Restart);
        assert_eq!(error(Some(515), conflict("device_removed")), Verdict::Restart);
    }

    #[test]
    fn only_a_removal_by_name_ends_the_link_at_once() {
        let removed =
            |status, confirmed| Verdict::LoggedOut { reason: "removed", status, message: None, confirmed };
        assert_eq!(error(Some(401), conflict("device_removed")), removed(401, true));
        assert_eq!(error(Some(401), conflict("something")), removed(401, false));
        assert_eq!(error(Some(401), None), removed(401, false));
        assert_eq!(error(Some(516), None), removed(516, false));
        assert_eq!(error(None, conflict("replaced")), Verdict::Replaced);
        assert_eq!(error(Some(409), None), Verdict::Replaced);
        for unknown in ["something", "device_removed"] {
            let conflict = error(None, conflict(unknown));
            let raw = Some(unknown.to_owned());
            assert_eq!(conflict, Verdict::Refused(Refusal { conflict: raw, ..Refusal::default() }));
        }
        for code in [402, 403, 404, 413, 414, 500, 503, 999] {
            assert!(matches!(error(Some(code), None), Verdict::Retry { extra_steps: 0, .. }), "{code}");
        }
        assert_eq!(error(Some(429), None), Verdict::Retry { reason: "rate_limited", extra_steps: 5 });
        assert_eq!(error(None, Some(Node::new("xml-not-well-formed"))), retry("bad_stanza"));
        assert_eq!(error(None, Some(Node::new("ack").attr("id", "1"))), retry("missing_ack"));
        assert_eq!(error(None, None), retry("stream_error"));
    }

    #[test]
    fn login_failures_follow_the_table() {
        let fail = |reason: &'static str| failure(&Node::new("failure").attr("reason", reason));
        for (code, reason, status) in
            [("401", "removed", 401), ("403", "locked", 403), ("406", "banned", 406)]
        {
            assert_eq!(fail(code), Verdict::LoggedOut { reason, status, message: None, confirmed: false });
        }
        let told = Node::new("failure")
            .attr("reason", "403")
            .attr("logout_message_header", "Locked")
            .attr("logout_message_subtext", "Open the phone");
        let message = Some("Locked\nOpen the phone".to_owned());
        let locked = Verdict::LoggedOut { reason: "locked", status: 403, message, confirmed: false };
        assert_eq!(failure(&told), locked);
        assert_eq!(fail("500"), retry("service_fault"));
        assert_eq!(fail("503"), retry("service_fault"));
        for stop in [400_u16, 405, 409, 413, 415, 418, 501, 999] {
            assert_eq!(failure(&Node::new("failure").attr("reason", stop)), refused(stop));
        }
        assert_eq!(failure(&Node::new("failure")), refused(0));
        assert_eq!(fail("70000"), refused(0));
    }

    #[test]
    fn a_temporary_ban_says_why_and_how_long() {
        let ban = Node::new("failure").attr("reason", "402").attr("code", "104").attr("expire", "3600");
        let ban = ban.attr("message", "wait").attr("url", "https://faq");
        let refusal = Refusal {
            status: 402,
            detail: 104,
            expires_in: Some(Duration::from_secs(3600)),
            conflict: None,
            message: Some("wait".to_owned()),
            url: Some("https://faq".to_owned()),
        };
        assert_eq!(failure(&ban), Verdict::Refused(refusal));
    }

    #[test]
    fn success_keeps_only_a_real_lid() {
        let lid = Jid::lid("156535032389744").with_device(7);
        let node =
            Node::new("success").attr("t", 1_795_168_800_u64).attr("lid", &lid).attr("display_name", "Zoë");
        let success = Success::parse(&node);
        assert_eq!((success.time, success.lid), (Some(1_795_168_800), Some(lid)));
        assert_eq!(success.display_name.as_deref(), Some("Zoë"));
        assert_eq!(Success::parse(&Node::new("success").attr("lid", Jid::pn("1"))).lid, None);
    }

    #[test]
    fn bulletins_are_read_child_by_child() {
        let node = Node::new("ib")
            .child(Node::new("offline_preview").attr("count", "7"))
            .child(Node::new("edge_routing").child(Node::new("routing_info").bytes(vec![8, 2])))
            .child(Node::new("dirty").attr("type", "groups").attr("timestamp", "5"))
            .child(Node::new("offline").attr("count", "7"))
            .child(Node::new("client_expiration"))
            .child(Node::new("client_expiration").attr("t", "9"))
            .child(Node::new("client_expiration").attr("t", "soon"))
            .child(Node::new("tos"));
        assert_eq!(
            bulletins(&node),
            [
                Bulletin::OfflinePreview { count: 7 },
                Bulletin::EdgeRouting(vec![8, 2]),
                Bulletin::Dirty { kind: "groups".to_owned(), timestamp: Some("5".to_owned()) },
                Bulletin::Offline,
                Bulletin::Expiration(None),
                Bulletin::Expiration(Some(9)),
                Bulletin::Other,
                Bulletin::Other,
            ]
        );
    }

    #[test]
    fn the_unified_session_repeats_every_week() {
        let id = |ms| unified_session(ms).child_named("unified_session").unwrap().attr_u64("id").unwrap();
        assert_eq!(id(0), 3 * 86_400_000);
        assert_eq!(id(4 * 86_400_000), 0);
        assert_eq!(id(1_000), id(1_000 + 7 * 86_400_000));
    }
}
