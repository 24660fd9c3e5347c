//! What the service's word on a sent message means (delivery document §3.14), and how the host learns
//! of it when no call takes it.

use std::time::Duration;

use whimbrel_wire::Jid;

use crate::error::{Code, Error, Outcome};
use crate::events::{EventKind, SendStatus};
use crate::groups::Manner;
use crate::messages::signal_state::Unit;
use crate::messages::stanza::Ack;
use crate::restrictions::RestrictionKind;
use crate::store::{OutboxRow, OutboxState, Settlement, StoreError};

/// Refusals that may pass are answered by another attempt this often.
const ATTEMPTS: u8 = 5;

/// What an ack means for a message.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::messages) enum Verdict {
    /// `lid_refused`: by phone number, after it had been refused by LID.
    Confirmed {
        lid_refused: bool,
    },
    Refused(u16),
    /// Once more after a time. `lists`: the device lists are void. `all`: nothing is to be sent before.
    Again {
        after: Duration,
        lists: bool,
        all: bool,
    },
}

/// Judges an ack. `attempts` counts this refusal; `by_phone` and `manner` are set to what the next
/// attempt needs.
pub(in crate::messages) fn verdict(
    ack: &Ack,
    group: bool,
    attempts: u8,
    by_phone: &mut bool,
    manner: &mut Manner,
) -> Verdict {
    let Some(status) = ack.error else {
        return Verdict::Confirmed { lid_refused: *by_phone && ack.chat.is_pn() };
    };
    let at_once = |lists| Verdict::Again { after: Duration::ZERO, lists, all: false };
    match status {
        // An account that is not migrated may not be addressed by LID (delivery document §2.2).
        400 if ack.chat.is_lid() && !*by_phone => {
            *by_phone = true;
            at_once(false)
        }
        // The members are to be addressed in the other way now, or have other devices.
        406 | 421 if group && !manner.refresh => {
            *manner = Manner { refresh: true, addressing: ack.addressing, only_missing: false };
            at_once(false)
        }
        // Devices that are gone, or a LID that is no longer the person's: looked up anew.
        406 if attempts == 1 => at_once(true),
        404 if attempts == 1 && ack.chat.is_lid() => at_once(true),
        408 | 429 | 500 | 503 if attempts < ATTEMPTS => {
            Verdict::Again { after: back_off(attempts), lists: false, all: status == 429 }
        }
        _ => Verdict::Refused(status),
    }
}

fn back_off(attempts: u8) -> Duration {
    Duration::from_secs(1 << attempts.min(ATTEMPTS))
}

/// The error of a message that the service does not take.
pub(crate) fn refusal(status: u16) -> Error {
    let (code, message) = match status {
        401 | 403 => (Code::Forbidden, "the service does not allow the message"),
        404 => (Code::NotFound, "the service does not know the chat"),
        405 | 473 => {
            (Code::InteractiveRefused, "the service does not take interactive content from this account")
        }
        429 => (Code::RateLimited, "the service got too many messages"),
        463 => (Code::Restricted, "the account may not write to people whom it has no contact with"),
        475 => (Code::Restricted, "the account has begun too many new chats"),
        _ => (Code::Refused, "the service refused the message"),
    };
    let error = Error::new(code, message).with_service_status(status).with_outcome(Outcome::Refused);
    if status == 429 { error.with_retry_after(back_off(ATTEMPTS)) } else { error }
}

/// What follows from a final refusal besides the error.
pub(in crate::messages) fn refused(
    unit: &mut Unit<'_>,
    row: &OutboxRow,
    status: u16,
) -> Result<(), StoreError> {
    if status == 404 {
        let user = unit.canonical(&row.chat)?;
        unit.give_up_list(&user)?;
    }
    if let Some(kind) = RestrictionKind::of_status(status) {
        unit.refused_by(kind)?;
        // Who has one of this account may answer, and with that give one back.
        unit.wish_token(&row.chat)?;
    }
    if status == 479 {
        tracing::error!(
            bytes = row.content.len(),
            lid = row.chat.is_lid(),
            group = row.chat.is_group(),
            "The service found the form of a message wrong; this is a bug of the engine.",
        );
    }
    Ok(())
}

/// A fate that is durable but that the host may not know.
#[derive(Clone, Debug)]
pub(in crate::messages) struct Orphan {
    pub(in crate::messages) chat: Jid,
    pub(in crate::messages) message_id: String,
    pub(in crate::messages) state: OutboxState,
    pub(in crate::messages) timestamp: i64,
}

impl Orphan {
    pub(in crate::messages) fn of(row: &OutboxRow) -> Self {
        let seconds = row.created_at_ms.div_euclid(1000);
        Self {
            chat: row.chat.clone(),
            message_id: row.message_id.clone(),
            state: row.state,
            timestamp: if row.confirmed_at > 0 { row.confirmed_at } else { seconds },
        }
    }

    /// The change of the message's row.
    pub(in crate::messages) fn settlement(&self, confirmed_at: i64, told: bool) -> Settlement {
        Settlement {
            chat: self.chat.clone(),
            message_id: self.message_id.clone(),
            state: self.state,
            confirmed_at,
            told,
        }
    }
}

/// Journals a fate.
pub(in crate::messages) fn tell(unit: &mut Unit<'_>, fate: &Orphan) -> Result<(), StoreError> {
    let (error, refused) = match fate.state {
        OutboxState::Pending | OutboxState::Confirmed => (None, None),
        OutboxState::Refused(status) => (Some(refusal(status).code()), Some(status)),
        OutboxState::Failed(code) => (Some(code), None),
    };
    let status = SendStatus {
        chat: unit.identity_of(&fate.chat)?,
        message_id: fate.message_id.clone(),
        error,
        refused,
        timestamp: fate.timestamp,
    };
    unit.event(EventKind::SendStatus(status));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_its_error() {
        for (status, code) in [
            (400, Code::Refused),
            (401, Code::Forbidden),
            (403, Code::Forbidden),
            (404, Code::NotFound),
            (405, Code::InteractiveRefused),
            (406, Code::Refused),
            (429, Code::RateLimited),
            (463, Code::Restricted),
            (473, Code::InteractiveRefused),
            (475, Code::Restricted),
            (479, Code::Refused),
            (503, Code::Refused),
        ] {
            let error = refusal(status);
            assert_eq!((error.code(), error.service_status()), (code, status));
            assert_eq!(error.outcome(), Outcome::Refused);
            assert_eq!(error.retry_after().is_some(), status == 429);
        }
    }

    #[test]
    fn what_may_pass_is_tried_again_and_the_rest_is_final() {
        let (lid, phone) = (Jid::lid("7"), Jid::pn("997"));
        let ack = |error, chat: &Jid| Ack {
            id: "A".to_owned(),
            chat: chat.clone(),
            timestamp: 1,
            error,
            phash: None,
            addressing: None,
            refresh_lid: false,
            server_id: None,
        };
        let judge = |status, chat: &Jid, attempts, by_phone: bool| {
            let (mut by_phone, mut manner) = (by_phone, Manner::default());
            (verdict(&ack(Some(status), chat), false, attempts, &mut by_phone, &mut manner), by_phone)
        };
        let again = |seconds, lists, all| Verdict::Again { after: Duration::from_secs(seconds), lists, all };
        let confirmed = |chat: &Jid, mut by_phone: bool| {
            verdict(&ack(None, chat), false, 0, &mut by_phone, &mut Manner::default())
        };
        assert_eq!(confirmed(&lid, false), Verdict::Confirmed { lid_refused: false });
        assert_eq!(confirmed(&phone, true), Verdict::Confirmed { lid_refused: true });
        let (group, mut manner) = (Jid::group("1-2"), Manner::default());
        let mut stale = |attempts| verdict(&ack(Some(421), &group), true, attempts, &mut false, &mut manner);
        assert_eq!([stale(1), stale(2)], [again(0, false, false), Verdict::Refused(421)]);
        assert_eq!(judge(400, &lid, 1, false), (again(0, false, false), true));
        assert_eq!(judge(400, &lid, 2, true), (Verdict::Refused(400), true));
        assert_eq!(judge(400, &phone, 1, false), (Verdict::Refused(400), false));
        assert_eq!(judge(406, &lid, 1, false).0, again(0, true, false));
        assert_eq!(judge(406, &lid, 2, false).0, Verdict::Refused(406));
        assert_eq!(judge(404, &lid, 1, false).0, again(0, true, false));
        assert_eq!(judge(404, &lid, 2, false).0, Verdict::Refused(404));
        assert_eq!(judge(404, &phone, 1, false).0, Verdict::Refused(404));
        assert_eq!(judge(503, &lid, 1, false).0, again(2, false, false));
        assert_eq!(judge(429, &lid, 3, false).0, again(8, false, true));
        assert_eq!(judge(429, &lid, 5, false).0, Verdict::Refused(429));
        for status in [401, 403, 405, 463, 473, 475, 479] {
            assert_eq!(judge(status, &lid, 1, false).0, Verdict::Refused(status), "{status}");
        }
    }
}
