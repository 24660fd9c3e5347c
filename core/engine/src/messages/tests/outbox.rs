//! The order and the fates of messages on their way out.

use std::time::Duration;

use tokio::time::Instant;

use super::*;
use crate::error::{Code, Outcome};
use crate::messages::outbox::{Accepted, Fate, GivenUp, Outbox, Settled};
use crate::messages::stanza::Ack;

struct Bench {
    outbox: Outbox,
    side: Side,
}

type Waiting = tokio::sync::oneshot::Receiver<Fate>;

impl Bench {
    fn new() -> Self {
        Self { outbox: Outbox::default(), side: Side::new("1", 1) }
    }

    fn row(chat: &str, id: &str) -> OutboxRow {
        OutboxRow {
            chat: Jid::lid(chat),
            message_id: id.to_owned(),
            content: Vec::new(),
            state: OutboxState::Pending,
            created_at_ms: 0,
            confirmed_at: 0,
        }
    }

    fn accept(&self, chat: &str, id: &str) -> Waiting {
        match self.outbox.accept(&self.side.store, Self::row(chat, id)).unwrap() {
            Accepted::Waiting(fate) => fate,
            Accepted::Settled(row) => panic!("{row:?}"),
        }
    }

    /// Takes what is ready and writes it to a connection.
    fn send(&self, generation: u64) -> Vec<String> {
        let tickets = self.outbox.take_ready();
        assert!(self.outbox.stored(tickets.iter().map(|ticket| ticket.order)).is_empty());
        for ticket in &tickets {
            self.outbox.sent(ticket.order, generation, None);
        }
        tickets.into_iter().map(|ticket| ticket.row.message_id).collect()
    }

    fn ack(&mut self, chat: &str, id: &str, error: Option<u16>) -> (Vec<Settled>, Vec<EventKind>) {
        let ack = Ack {
            id: id.to_owned(),
            chat: Jid::lid(chat),
            timestamp: 1000,
            error,
            phash: None,
            addressing: None,
            refresh_lid: false,
        };
        let mut replies = Replies::default();
        let ((), events) = self.side.unit(|unit| self.outbox.acknowledged(unit, &ack, &mut replies));
        (replies.settled, events.into_iter().map(|event| event.kind).collect())
    }

    fn settle(&mut self, chat: &str, id: &str, error: Option<u16>) -> Option<Duration> {
        let (settled, _) = self.ack(chat, id, error);
        settled.into_iter().filter_map(|settled| self.outbox.settle(settled)).next()
    }
}

#[test]
fn messages_leave_in_order_and_again_after_a_loss() {
    let bench = Bench::new();
    let _waiting = ["A", "B", "C"].map(|id| bench.accept("7", id));
    assert_eq!(bench.send(1), ["A", "B", "C"]);
    let _later = bench.accept("7", "D");
    bench.outbox.reopen(1);
    assert_eq!(bench.send(1), ["D"], "what is on its way on this connection is not written twice");
    let _last = bench.accept("7", "E");
    bench.outbox.reopen(2);
    assert_eq!(bench.send(2), ["A", "B", "C", "D", "E"]);
}

#[test]
fn a_late_repetition_leaves_alone_what_a_newer_connection_has() {
    let mut bench = Bench::new();
    let _waiting = ["A", "B"].map(|id| bench.accept("7", id));
    assert_eq!(bench.send(1), ["A", "B"]);
    assert!(bench.settle("7", "A", Some(429)).is_some(), "the service wants it later");
    bench.outbox.reopen(2);
    assert_eq!(bench.send(2), ["A", "B"]);
    bench.outbox.try_again();
    assert!(bench.outbox.take_ready().is_empty(), "both are on their way");
}

#[test]
fn numbers_of_messages_are_not_used_again_after_a_lost_link() {
    let bench = Bench::new();
    let _first = bench.accept("7", "A");
    let stale = bench.outbox.take_ready().pop().unwrap().order;
    bench.outbox.clear(&crate::error::Error::new(Code::LoggedOut, "as a test"));
    let mut second = bench.accept("7", "B");
    bench.outbox.fail(&[stale], &crate::error::Error::new(Code::NoDevice, "as a test"));
    assert!(second.try_recv().is_err());
    assert_eq!(bench.send(1), ["B"]);
}

#[test]
fn what_is_newer_is_not_durable_without_what_is_older() {
    let bench = Bench::new();
    let _first = bench.accept("7", "A");
    let ticket = bench.outbox.take_ready().pop().unwrap();
    bench.outbox.prepare(&ticket);
    // The connection is lost while the devices of the chat are looked up.
    let _second = bench.accept("7", "B");
    let unstored = bench.outbox.take_unstored();
    assert_eq!(unstored.iter().map(|ticket| ticket.row.message_id.as_str()).collect::<Vec<_>>(), ["A", "B"]);
    bench.outbox.stored(unstored.iter().map(|ticket| ticket.order));
    assert!(bench.outbox.take_unstored().is_empty());
}

#[test]
fn a_chat_that_is_prepared_holds_up_only_itself() {
    let bench = Bench::new();
    let _waiting = [bench.accept("7", "A"), bench.accept("8", "B"), bench.accept("7", "C")];
    let tickets = bench.outbox.take_ready();
    assert!(bench.outbox.prepare(&tickets[0]), "the first one looks the devices up");
    assert!(!bench.outbox.prepare(&tickets[2]));
    bench.outbox.sent(tickets[1].order, 1, None);
    let _more = [bench.accept("7", "D"), bench.accept("8", "E")];
    assert_eq!(bench.send(1), ["E"]);
    bench.outbox.prepared(&Jid::lid("7"), true);
    let tickets = bench.outbox.take_ready();
    assert_eq!(
        tickets.iter().map(|ticket| ticket.row.message_id.as_str()).collect::<Vec<_>>(),
        ["A", "C", "D"]
    );
    assert!(tickets.iter().all(|ticket| ticket.prepared));
}

#[tokio::test]
async fn an_ack_is_durable_before_it_is_told() {
    let mut bench = Bench::new();
    let mut fate = bench.accept("7", "A");
    bench.send(1);
    let (settled, events) = bench.ack("7", "A", None);
    assert_eq!(events, [], "the caller is told, not the event stream");
    let row = bench.side.store.outbox(&Jid::lid("7"), "A").unwrap().unwrap();
    assert_eq!((row.state, row.confirmed_at), (OutboxState::Confirmed, 1000));
    assert!(fate.try_recv().is_err());
    for settled in settled {
        assert_eq!(bench.outbox.settle(settled), None);
    }
    let sent = fate.await.unwrap().unwrap();
    assert_eq!((sent.message_id.as_str(), sent.timestamp, sent.chat.id), ("A", 1000, Jid::lid("7")));
    assert!(bench.ack("7", "A", None).0.is_empty(), "a second ack means nothing");
    let again = bench.outbox.accept(&bench.side.store, Bench::row("7", "A")).unwrap();
    assert!(matches!(again, Accepted::Settled(row) if row.state == OutboxState::Confirmed));
}

#[test]
fn a_fate_without_a_waiter_is_an_event() {
    let mut bench = Bench::new();
    drop([bench.accept("7", "A"), bench.accept("7", "B")]);
    bench.send(1);
    let status = |events: Vec<EventKind>| match <[EventKind; 1]>::try_from(events) {
        Ok([EventKind::SendStatus(status)]) => (status.message_id, status.refused),
        other => panic!("{other:?}"),
    };
    assert_eq!(status(bench.ack("7", "A", None).1), ("A".to_owned(), None));
    assert_eq!(status(bench.ack("7", "B", Some(403)).1), ("B".to_owned(), Some(403)));
    let row = bench.side.store.outbox(&Jid::lid("7"), "B").unwrap().unwrap();
    assert_eq!(row.state, OutboxState::Refused(403));
}

#[tokio::test]
async fn refusals_are_repaired_or_told() {
    let mut bench = Bench::new();
    let fate = bench.accept("7", "A");
    // Not by LID, then, but by number; and then devices that changed.
    for (error, after) in [(400, 0), (503, 4)] {
        bench.send(1);
        assert_eq!(bench.settle("7", "A", Some(error)), Some(Duration::from_secs(after)), "{error}");
        bench.outbox.try_again();
    }
    let ticket = bench.outbox.take_ready().pop().unwrap();
    assert!(ticket.by_phone);
    bench.outbox.sent(ticket.order, 1, None);
    assert_eq!(bench.settle("7", "A", Some(400)), None);
    let error = fate.await.unwrap().unwrap_err();
    assert_eq!(
        (error.code(), error.service_status(), error.outcome()),
        (Code::Refused, 400, Outcome::Refused)
    );

    let fate = bench.accept("7", "B");
    bench.side.know(&Jid::lid("7"), &[0]);
    bench.send(1);
    assert_eq!(bench.settle("7", "B", Some(406)), Some(Duration::ZERO));
    assert_eq!(bench.side.store.device_list(&Jid::lid("7")).unwrap(), None);
    bench.outbox.try_again();
    bench.send(1);
    assert_eq!(bench.settle("7", "B", Some(406)), None);
    assert_eq!(fate.await.unwrap().unwrap_err().service_status(), 406);
}

#[test]
fn who_gives_up_learns_whether_it_left() {
    let mut bench = Bench::new();
    let _fate = bench.accept("7", "A");
    assert!(matches!(bench.outbox.give_up("A"), GivenUp::Dropped));
    assert!(bench.outbox.take_ready().is_empty());
    let _fate = bench.accept("7", "B");
    bench.send(1);
    assert!(matches!(bench.outbox.give_up("B"), GivenUp::OnItsWay));
    bench.outbox.reopen(2);
    assert!(matches!(bench.outbox.give_up("B"), GivenUp::OnItsWay), "it left on the connection before");
    bench.send(2);
    let (settled, _) = bench.ack("7", "B", None);
    assert!(matches!(bench.outbox.give_up("B"), GivenUp::Settling));
    // Should the commit fail, the message is sent and acknowledged once more.
    drop(settled);
    bench.outbox.unsettle();
    bench.outbox.reopen(3);
    assert_eq!(bench.send(3), ["B"]);
}

#[test]
fn what_an_earlier_process_left_is_sent_first() {
    let mut bench = Bench::new();
    bench.side.unit(|unit| {
        unit.changes.outbox.extend(["A", "B"].map(|id| Bench::row("7", id)));
        Ok(())
    });
    let _fate = bench.accept("7", "C");
    let joined = bench.accept("7", "B");
    assert_eq!(bench.send(1), ["A", "B", "C"]);
    drop(joined);
    let wrong = bench.outbox.accept(&bench.side.store, Bench::row("8", "C"));
    assert_eq!(wrong.err().unwrap().code(), Code::InvalidArgument);
}

#[test]
fn a_message_without_an_ack_is_written_again_in_time() {
    let bench = Bench::new();
    let _fates = [bench.accept("7", "A"), bench.accept("7", "B")];
    bench.send(1);
    let due = bench.outbox.next_overdue().unwrap();
    bench.outbox.repeat_overdue(due - Duration::from_secs(1));
    assert!(bench.outbox.take_ready().is_empty());
    bench.outbox.repeat_overdue(due + Duration::from_secs(1));
    assert_eq!(bench.send(1), ["A", "B"]);
    assert!(bench.outbox.next_overdue().unwrap() > Instant::now());
}

#[test]
fn a_removed_link_ends_what_waits() {
    let bench = Bench::new();
    let mut fate = bench.accept("7", "A");
    bench.outbox.clear(&crate::error::Error::new(Code::LoggedOut, "as a test"));
    assert_eq!(fate.try_recv().unwrap().unwrap_err().code(), Code::LoggedOut);
    assert!(bench.outbox.take_ready().is_empty());
}
