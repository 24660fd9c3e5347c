//! The order and the fates of messages on their way out.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::*;
use crate::error::{Code, Outcome};
use crate::groups::{Addressing, HandedOut};
use crate::messages::SentMessage;
use crate::messages::outbox::{Accepted, Fate, First, GivenUp, Outbox, Settled, Withdrawn, Word};
use crate::messages::stanza::Ack;
use crate::options::SendWait;
use crate::store::OutboxState;

struct Bench {
    outbox: Outbox,
    side: Side,
}

type Waiting = oneshot::Receiver<Fate>;

impl Bench {
    fn new() -> Self {
        Self { outbox: Outbox::default(), side: Side::new("1", 1) }
    }

    fn row(chat: &str, id: &str) -> OutboxRow {
        OutboxRow::new(Jid::lid(chat), id.to_owned(), Vec::new(), 0)
    }

    fn accept(&self, chat: &str, id: &str) -> Waiting {
        self.accept_for(chat, id, SendWait::Sent).0
    }

    fn accept_for(&self, chat: &str, id: &str, wait: SendWait) -> (Waiting, Option<oneshot::Receiver<()>>) {
        let Accepted { word, delivery } =
            self.outbox.accept(&self.side.store, Self::row(chat, id), wait).unwrap();
        match word {
            First::Waiting(fate) => (fate, delivery),
            First::Settled(row) => panic!("{row:?}"),
        }
    }

    /// Takes what is ready and writes it to a connection.
    fn send(&self, generation: u64) -> Vec<String> {
        let tickets = self.outbox.take_ready();
        // As the lane does it: rows and ratchet steps in one transaction.
        let rows = tickets.iter().filter(|ticket| !ticket.stored).map(|ticket| ticket.row.clone());
        self.side.store.commit(&Changes { outbox: rows.collect(), ..Changes::default() }).unwrap();
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
            server_id: None,
        };
        let mut replies = Replies::default();
        let ((), events) = self.side.unit(|unit| self.outbox.acknowledged(unit, &ack, &mut replies));
        (replies.settled, events.into_iter().map(|event| event.kind).collect())
    }

    /// Deals with an ack to the end. Returns what was journaled.
    fn settle(&mut self, chat: &str, id: &str, error: Option<u16>) -> Vec<EventKind> {
        let (settled, events) = self.ack(chat, id, error);
        assert_eq!(settled.len(), 1);
        for settled in settled {
            self.outbox.settle(settled);
        }
        events
    }

    /// Lets pauses pass.
    fn pass(&self, seconds: u64) {
        self.outbox.due(Instant::now() + Duration::from_secs(seconds));
    }

    fn orphans(&self) -> Vec<String> {
        self.outbox.take_orphans().into_iter().map(|orphan| orphan.message_id).collect()
    }
}

fn sent(fate: Result<Fate, oneshot::error::TryRecvError>) -> SentMessage {
    match fate.unwrap().unwrap() {
        Word::Sent(sent) => sent,
        Word::Queued => panic!("queued only"),
    }
}

#[test]
fn a_chat_whose_lid_is_learned_while_messages_wait_keeps_their_order() {
    let mut bench = Bench::new();
    let phone = phone_of("7");
    let row = |chat: &Jid, id: &str| OutboxRow::new(chat.clone(), id.to_owned(), Vec::new(), 0);
    let accept = |bench: &Bench, chat: &Jid, id: &str| {
        bench.outbox.accept(&bench.side.store, row(chat, id), SendWait::Sent).unwrap()
    };
    let _first = accept(&bench, &phone, "A");
    let tickets = bench.outbox.take_ready();
    assert!(bench.outbox.prepare(&tickets[0]), "the devices are looked up");
    bench.side.unit(|unit| unit.learn(&Jid::lid("7"), &phone, crate::devices::identity::Source::Current));
    let _second = accept(&bench, &Jid::lid("7"), "B");
    let _other = accept(&bench, &Jid::lid("8"), "C");
    let ready = |bench: &Bench| -> Vec<String> {
        bench.outbox.take_ready().into_iter().map(|ticket| ticket.row.message_id).collect()
    };
    assert_eq!(ready(&bench), ["C"], "what is newer waits behind what is older");
    bench.outbox.prepared(&phone, |_| true);
    assert_eq!(ready(&bench), ["A", "B"]);
    // Under whichever address it is kept, it is the one message.
    assert!(matches!(bench.outbox.give_up("B"), GivenUp::OnItsWay));
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
fn what_waits_for_the_key_of_a_group_leaves_even_if_the_key_is_out_before_it_waits() {
    let mut bench = Bench::new();
    let group = Jid::group("1-2");
    let row = |id: &str| OutboxRow::new(group.clone(), id.to_owned(), Vec::new(), 0);
    let _fates =
        ["A", "B", "C"].map(|id| bench.outbox.accept(&bench.side.store, row(id), SendWait::Sent).unwrap());
    let tickets = bench.outbox.take_ready();
    let rows = tickets.iter().map(|ticket| ticket.row.clone()).collect();
    bench.side.store.commit(&Changes { outbox: rows, ..Changes::default() }).unwrap();
    bench.outbox.stored(tickets.iter().map(|ticket| ticket.order));
    let keys = HandedOut {
        addressing: Addressing::Lid,
        phash: String::new(),
        key_id: 1,
        devices: vec![Jid::lid("7")],
    };
    let [first, second, third] = tickets.as_slice() else { panic!("three messages") };
    bench.outbox.sent(first.order, 1, Some(Box::new(keys)));
    bench.outbox.wait_for_key(second);
    assert!(bench.outbox.take_ready().is_empty(), "the key is on its way");
    let ack = Ack {
        id: "A".to_owned(),
        chat: group.clone(),
        timestamp: 1000,
        error: None,
        phash: None,
        addressing: None,
        refresh_lid: false,
        server_id: None,
    };
    let mut replies = Replies::default();
    bench.side.unit(|unit| bench.outbox.acknowledged(unit, &ack, &mut replies));
    for settled in replies.settled {
        bench.outbox.settle(settled);
    }
    // The lane gets to the last only now.
    bench.outbox.wait_for_key(third);
    let next: Vec<_> = bench.outbox.take_ready().into_iter().map(|ticket| ticket.row.message_id).collect();
    assert_eq!(next, ["B", "C"]);
}

#[test]
fn a_refusal_that_could_not_be_written_down_leaves_the_message_what_it_was() {
    let mut bench = Bench::new();
    bench.side.unit(|unit| {
        unit.changes.outbox.push(Bench::row("7", "A"));
        Ok(())
    });
    bench.outbox.load(&bench.side.store).unwrap();
    let tickets = bench.outbox.take_ready();
    let error = crate::error::Error::new(Code::NoDevice, "as a test");
    assert_eq!(error.outcome(), Outcome::NotSent);
    bench.side.unit(|unit| bench.outbox.reject(unit, &tickets[0], &error).map(drop));
    // Had the commit failed, the lane would put it back.
    bench.outbox.put_back(&[tickets[0].order]);
    let _fate = bench.accept("7", "A");
    assert_eq!(bench.send(1), ["A"], "one message, however often it is asked for");
}

#[test]
fn a_late_repetition_leaves_alone_what_a_newer_connection_has() {
    let mut bench = Bench::new();
    let _waiting = ["A", "B"].map(|id| bench.accept("7", id));
    assert_eq!(bench.send(1), ["A", "B"]);
    bench.settle("7", "A", Some(503));
    bench.outbox.reopen(2);
    assert!(bench.outbox.take_ready().is_empty(), "the service wants it later, and what follows behind it");
    bench.pass(5);
    assert_eq!(bench.send(2), ["A", "B"]);
    bench.outbox.due(Instant::now());
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
    bench.outbox.prepared(&Jid::lid("7"), |_| true);
    let tickets = bench.outbox.take_ready();
    assert_eq!(
        tickets.iter().map(|ticket| ticket.row.message_id.as_str()).collect::<Vec<_>>(),
        ["A", "C", "D"]
    );
    assert!(tickets.iter().all(|ticket| ticket.prepared));
}

#[test]
fn an_ack_is_durable_before_it_is_told() {
    let mut bench = Bench::new();
    let mut fate = bench.accept("7", "A");
    bench.send(1);
    let (settled, events) = bench.ack("7", "A", None);
    assert_eq!(events, [], "the caller is told, not the event stream");
    let row = bench.side.store.outbox(&Jid::lid("7"), "A").unwrap().unwrap();
    assert_eq!((row.state, row.confirmed_at), (OutboxState::Confirmed, 1000));
    assert!(fate.try_recv().is_err());
    for settled in settled {
        bench.outbox.settle(settled);
    }
    let sent = sent(fate.try_recv());
    assert_eq!((sent.message_id.as_str(), sent.timestamp, sent.chat.id), ("A", 1000, Jid::lid("7")));
    assert!(bench.ack("7", "A", None).0.is_empty(), "a second ack means nothing");
    let again = bench.outbox.accept(&bench.side.store, Bench::row("7", "A"), SendWait::Sent).unwrap();
    assert!(matches!(again.word, First::Settled(row) if row.state == OutboxState::Confirmed));
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
    for error in [400, 503] {
        bench.send(1);
        assert_eq!(bench.settle("7", "A", Some(error)), [], "{error}");
        bench.pass(5);
    }
    let ticket = bench.outbox.take_ready().pop().unwrap();
    assert!(ticket.by_phone);
    bench.outbox.sent(ticket.order, 1, None);
    assert_eq!(bench.settle("7", "A", Some(400)), []);
    let error = fate.await.unwrap().unwrap_err();
    assert_eq!(
        (error.code(), error.service_status(), error.outcome()),
        (Code::Refused, 400, Outcome::Refused)
    );

    let fate = bench.accept("7", "B");
    bench.side.know(&Jid::lid("7"), &[0]);
    bench.send(1);
    bench.settle("7", "B", Some(406));
    assert_eq!(bench.side.unit(|unit| unit.device_list(&Jid::lid("7"))).0, None);
    bench.send(1);
    bench.settle("7", "B", Some(406));
    assert_eq!(fate.await.unwrap().unwrap_err().service_status(), 406);
}

#[test]
fn who_gives_up_learns_whether_it_left() {
    let mut bench = Bench::new();
    let _fate = bench.accept("7", "A");
    assert!(matches!(bench.outbox.give_up("A"), GivenUp::Dropped(_)));
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
    let wrong = bench.outbox.accept(&bench.side.store, Bench::row("8", "C"), SendWait::Sent);
    assert_eq!(wrong.err().unwrap().code(), Code::InvalidArgument);
}

#[test]
fn a_message_without_an_ack_is_written_again_in_time() {
    let bench = Bench::new();
    let _fates = [bench.accept("7", "A"), bench.accept("7", "B")];
    bench.send(1);
    let due = bench.outbox.next_due().unwrap();
    bench.outbox.due(due - Duration::from_secs(1));
    assert!(bench.outbox.take_ready().is_empty());
    bench.outbox.due(due + Duration::from_secs(1));
    assert_eq!(bench.send(1), ["A", "B"]);
    assert!(bench.outbox.next_due().unwrap() > Instant::now());
}

#[test]
fn a_removed_link_ends_what_waits() {
    let bench = Bench::new();
    let mut fate = bench.accept("7", "A");
    bench.outbox.clear(&crate::error::Error::new(Code::LoggedOut, "as a test"));
    assert_eq!(fate.try_recv().unwrap().unwrap_err().code(), Code::LoggedOut);
    assert!(bench.outbox.take_ready().is_empty());
}

#[test]
fn who_waits_for_the_queue_is_told_when_the_message_is_durable_and_hears_the_fate_as_an_event() {
    let mut bench = Bench::new();
    let (mut queued, _) = bench.accept_for("7", "A", SendWait::Queued);
    assert!(queued.try_recv().is_err());
    let order = bench.outbox.take_unstored().pop().unwrap().order;
    assert!(bench.outbox.stored([order]).is_empty());
    assert_eq!(queued.try_recv().unwrap().unwrap(), Word::Queued);
    let (mut again, _) = bench.accept_for("7", "A", SendWait::Queued);
    assert_eq!(again.try_recv().unwrap().unwrap(), Word::Queued, "it is durable already");
    let _sent = bench.accept("7", "A");
    assert!(matches!(bench.outbox.give_up("A"), GivenUp::OnItsWay), "somebody was promised that it goes");
    bench.send(1);
    drop(_sent);
    let events = bench.settle("7", "A", None);
    assert!(matches!(&events[..], [EventKind::SendStatus(status)] if status.error.is_none()));
}

#[test]
fn who_waits_for_delivery_is_told_when_the_first_device_of_the_chat_has_it() {
    let mut bench = Bench::new();
    let (mut fate, delivery) = bench.accept_for("7", "A", SendWait::Delivered);
    let mut delivery = delivery.unwrap();
    bench.send(1);
    let events = bench.settle("7", "A", None);
    assert!(matches!(&events[..], [EventKind::SendStatus(_)]), "that the service has it is an event");
    assert_eq!(sent(fate.try_recv()).message_id, "A");
    let chat = |user: &str| [Jid::lid(user), phone_of(user)];
    bench.outbox.delivered(&chat("8"), &["A".to_owned()]);
    bench.outbox.delivered(&chat("7"), &["B".to_owned()]);
    assert!(delivery.try_recv().is_err());
    bench.outbox.delivered(&chat("7"), &["A".to_owned()]);
    assert_eq!(delivery.try_recv(), Ok(()));
    // A repetition after a restart finds it in the store.
    let delivered =
        Changes { outbox_delivered: vec![(Jid::lid("7"), "A".to_owned(), 1001)], ..Changes::default() };
    bench.side.store.commit(&delivered).unwrap();
    let again =
        Outbox::default().accept(&bench.side.store, Bench::row("7", "A"), SendWait::Delivered).unwrap();
    assert!(again.delivery.is_none());
    assert!(matches!(again.word, First::Settled(row) if row.delivered_at == 1001));
}

#[test]
fn a_fate_that_its_call_does_not_hand_over_becomes_an_event() {
    let mut bench = Bench::new();
    // The waiter goes between the ack and the commit.
    let fate = bench.accept("7", "A");
    bench.send(1);
    let (settled, events) = bench.ack("7", "A", None);
    assert_eq!(events, []);
    drop(fate);
    settled.into_iter().for_each(|settled| bench.outbox.settle(settled));
    assert_eq!(bench.orphans(), ["A"]);
    // The call has the fate but ends before its host takes it.
    let _fate = bench.accept("7", "B");
    bench.send(1);
    bench.settle("7", "B", Some(403));
    assert!(bench.orphans().is_empty());
    bench.outbox.untaken("B");
    assert_eq!(bench.orphans(), ["B"]);
    // The host has it: written down, and no event.
    let _fate = bench.accept("7", "C");
    bench.send(1);
    bench.settle("7", "C", None);
    let told = bench.outbox.taken("C").unwrap();
    bench.outbox.untaken("C");
    assert!(bench.orphans().is_empty());
    // A process that ends here tells the others at its next start.
    let untold = |bench: &Bench| {
        let next = Outbox::default();
        next.load(&bench.side.store).unwrap();
        next.take_orphans().into_iter().map(|orphan| orphan.message_id).collect::<Vec<_>>()
    };
    assert_eq!(untold(&bench), ["A", "B", "C"]);
    bench.side.store.commit(&Changes { outbox_told: vec![told], ..Changes::default() }).unwrap();
    assert_eq!(untold(&bench), ["A", "B"]);
}

#[test]
fn a_message_that_cannot_be_sent_says_so_and_may_be_sent_later_under_its_id() {
    let mut bench = Bench::new();
    let reject = |bench: &mut Bench| {
        let ticket = bench.outbox.take_ready().pop().unwrap();
        let error = crate::error::Error::new(Code::NoDevice, "as a test");
        let outbox = &bench.outbox;
        let (settled, events) = bench.side.unit(|unit| outbox.reject(unit, &ticket, &error));
        outbox.settle(settled.unwrap());
        events.into_iter().map(|event| event.kind).collect::<Vec<_>>()
    };
    let mut fate = bench.accept("7", "A");
    assert_eq!(reject(&mut bench), [], "the caller is told");
    assert_eq!(fate.try_recv().unwrap().unwrap_err().outcome(), Outcome::NotSent);
    let (_, _) = bench.accept_for("7", "A", SendWait::Queued);
    let events = reject(&mut bench);
    let [EventKind::SendStatus(status)] = &events[..] else { panic!("{events:?}") };
    assert_eq!((status.error, status.refused), (Some(Code::NoDevice), None));
    let _fate = bench.accept("7", "A");
    assert_eq!(bench.send(1), ["A"]);
    assert_eq!(bench.side.store.outbox_pending().unwrap().len(), 1);
}

#[test]
fn what_has_not_left_can_be_withdrawn() {
    let bench = Bench::new();
    let (mut queued, _) = bench.accept_for("7", "A", SendWait::Queued);
    let order = bench.outbox.take_unstored().pop().unwrap().order;
    bench.outbox.stored([order]);
    assert!(queued.try_recv().is_ok());
    let mut fate = bench.accept("7", "A");
    let withdraw = |chat: &str, id| bench.outbox.withdraw(&bench.side.store, &Jid::lid(chat), id).unwrap();
    assert!(matches!(withdraw("8", "A"), Withdrawn::Unknown));
    assert!(matches!(withdraw("7", "A"), Withdrawn::Dropped(chat) if chat == Jid::lid("7")));
    let error = fate.try_recv().unwrap().unwrap_err();
    assert_eq!((error.code(), error.outcome()), (Code::Cancelled, Outcome::NotSent));
    assert!(bench.send(1).is_empty());
    assert!(matches!(withdraw("7", "A"), Withdrawn::Unknown));
    let _fate = bench.accept("7", "B");
    bench.send(1);
    assert!(matches!(withdraw("7", "B"), Withdrawn::Left));
}

#[test]
fn a_refused_message_holds_up_its_chat_only_while_it_may_still_go() {
    let mut bench = Bench::new();
    let _fates = [bench.accept("7", "A"), bench.accept("8", "B")];
    bench.send(1);
    bench.settle("7", "A", Some(500));
    let _more = [bench.accept("7", "C"), bench.accept("8", "D")];
    assert_eq!(bench.send(1), ["D"], "another chat goes on");
    bench.pass(3);
    assert_eq!(bench.send(1), ["A", "C"], "in order");
    bench.settle("7", "A", Some(403));
    let _last = bench.accept("7", "E");
    assert_eq!(bench.send(1), ["E"], "a final refusal blocks nobody");
}

#[test]
fn too_many_messages_hold_up_everything_for_a_while() {
    let mut bench = Bench::new();
    let _fates = [bench.accept("7", "A"), bench.accept("8", "B")];
    bench.send(1);
    bench.settle("7", "A", Some(429));
    let _more = bench.accept("8", "C");
    assert!(bench.outbox.take_ready().is_empty());
    assert_eq!(bench.outbox.take_unstored().len(), 1, "what waits is made durable");
    assert!(bench.outbox.next_due().unwrap() <= Instant::now() + Duration::from_secs(2));
    bench.pass(3);
    assert_eq!(bench.send(1), ["A", "C"]);
}
