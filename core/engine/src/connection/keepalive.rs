//! Signs of life (transport document §6.11): a ping when nothing came for a while, and the rule
//! that tells a dead socket.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use super::{Connection, Lost, RequestIds, iq};
use crate::client::Inner;

/// How long the service may take to answer a ping, or to send anything else.
const DEADLINE: Duration = Duration::from_secs(20);

/// The same when there is a reason to doubt the connection, as after a sleep of the machine.
const DOUBTFUL_DEADLINE: Duration = Duration::from_secs(10);

/// The keepalive of one connection.
pub(crate) struct Keepalive {
    client: Arc<Inner>,
    longest: Duration,
}

impl Keepalive {
    /// Pings after a silence between half of `longest` and `longest`.
    pub(crate) fn new(client: Arc<Inner>, longest: Duration) -> Self {
        Self { client, longest }
    }

    /// Ends when the connection is dead: at most `longest` and the deadline of a ping after the
    /// last sign of life.
    pub(super) async fn run(self, connection: &Connection) -> Lost {
        let ids = &self.client.request_ids;
        let mut wakes = self.client.engine.watch_wakes();
        loop {
            let permille = { rand_core::Rng::next_u32(&mut *self.client.rng()) } % 501 + 500;
            let idle = self.longest.saturating_mul(permille) / 1000;
            let deadline = tokio::select! {
                () = wait_idle(connection, idle) => DEADLINE,
                // The engine outlives its clients.
                _ = wakes.changed() => DOUBTFUL_DEADLINE,
            };
            if connection.activity.stalled.load(Ordering::Relaxed) {
                continue;
            }
            if !probe(connection, ids, deadline.min(self.longest)).await {
                return Lost::Silent;
            }
        }
    }
}

/// Waits until nothing has come for `idle`.
async fn wait_idle(connection: &Connection, idle: Duration) {
    loop {
        let due = connection.activity.last_received() + idle;
        if due <= Instant::now() {
            return;
        }
        tokio::time::sleep_until(due).await;
        if connection.activity.stalled.load(Ordering::Relaxed) {
            // Come back when the host has caught up.
            tokio::time::sleep(idle).await;
        }
    }
}

/// Sends a ping. Whether anything came before the deadline, be it the answer or not. When
/// nothing has come for a quarter of that time, the connection counts as unresponsive until
/// something does.
async fn probe(connection: &Connection, ids: &RequestIds, deadline: Duration) -> bool {
    let sent_at = Instant::now();
    let alive = || {
        connection.activity.last_received() > sent_at || connection.activity.stalled.load(Ordering::Relaxed)
    };
    // The answer's content does not matter: that something came does.
    let answer = connection.request(ids.next(), iq::ping(), deadline);
    tokio::pin!(answer);
    let mut look = Instant::now() + deadline / 4;
    loop {
        tokio::select! {
            answered = &mut answer => {
                let alive = answered.is_ok() || alive();
                connection.activity.set_responsive(alive);
                return alive;
            }
            () = tokio::time::sleep_until(look) => {
                if alive() {
                    connection.activity.set_responsive(true);
                    return true;
                }
                connection.activity.set_responsive(false);
                look += deadline / 20;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;
    use whimbrel_wire::Node;

    use super::*;
    use crate::engine::Engine;
    use crate::options::{ClientOptions, EngineOptions};
    use crate::random;

    /// A keepalive with the default options, of a client that is on no connection.
    fn default_keepalive() -> (Engine, Keepalive, Duration) {
        let options = EngineOptions { insecure_seed: Some(7), ..EngineOptions::default() };
        let longest = options.keep_alive;
        let engine = Engine::new(options).unwrap();
        let quiet = ClientOptions { auto_start: false, ..ClientOptions::default() };
        let client = engine.open(":memory:", quiet).unwrap();
        (engine, Keepalive::new(Arc::clone(client.inner()), longest), longest)
    }

    #[tokio::test(start_paused = true)]
    async fn with_the_defaults_a_dead_link_is_noticed_within_two_keepalives() {
        let (_engine, keepalive, longest) = default_keepalive();
        let (mut shortest, mut slowest) = (Duration::MAX, Duration::ZERO);
        for round in 0..300 {
            let (connection, _queue, ids) = connection();
            if round % 2 == 1 {
                // A socket that takes nothing any more: what is to be written waits as well.
                while connection.outgoing.try_send(Node::new("iq").attr("id", ids.next())).is_ok() {}
            }
            // It dies some time after it was made, with a last sign of life.
            tokio::time::sleep(Duration::from_secs(round % 40)).await;
            connection.activity.received_now();
            let died = Instant::now();
            let keepalive = Keepalive::new(Arc::clone(&keepalive.client), longest);
            assert!(matches!(keepalive.run(&connection).await, Lost::Silent));
            let noticed = died.elapsed();
            (shortest, slowest) = (shortest.min(noticed), slowest.max(noticed));
        }
        assert!(slowest <= 2 * longest, "{slowest:?}");
        // Not at the first breath held, and not all at the same moment.
        let early = Duration::from_millis(10);
        assert!(shortest + early >= longest / 2 + DEADLINE, "{shortest:?}");
        assert!(slowest - shortest > longest / 4, "{shortest:?} to {slowest:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_quiet_link_that_answers_is_never_given_up() {
        let (_engine, keepalive, longest) = default_keepalive();
        let (connection, mut queue, _) = connection();
        let answering = async {
            let mut pings = 0;
            while let Some(ping) = queue.recv().await {
                let id = ping.attr_text("id").unwrap().into_owned();
                // As slow as is allowed, nearly.
                tokio::time::sleep(DEADLINE - Duration::from_secs(1)).await;
                connection.activity.received_now();
                connection.answers.answer(Node::new("iq").attr("type", "result").attr("id", id));
                pings += 1;
                if pings == 100 {
                    return;
                }
            }
        };
        tokio::select! {
            lost = keepalive.run(&connection) => panic!("given up: {lost}"),
            () = answering => {}
        }
        assert!(connection.activity.opened.elapsed() < 100 * (longest + DEADLINE));
    }

    fn connection() -> (Connection, mpsc::Receiver<Node>, RequestIds) {
        let (connection, queue) = Connection::idle(4);
        (connection, queue, RequestIds::new(&mut random::generator(Some(1), 1).unwrap()))
    }

    #[tokio::test(start_paused = true)]
    async fn an_unanswered_ping_means_a_dead_socket() {
        let (connection, mut queue, ids) = connection();
        let started = Instant::now();
        assert!(!probe(&connection, &ids, DEADLINE).await);
        assert_eq!(started.elapsed(), DEADLINE);
        assert!(queue.recv().await.unwrap().attr_is("xmlns", "w:p"));
        assert!(connection.answers.is_empty(), "the waiter is forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn anything_that_comes_is_a_sign_of_life() {
        let (connection, _queue, ids) = connection();
        let (alive, ()) = tokio::join!(probe(&connection, &ids, DEADLINE), async {
            tokio::time::sleep(Duration::from_secs(5)).await;
            connection.activity.received_now();
        });
        assert!(alive);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_unresponsive_while_a_ping_is_unanswered() {
        let (connection, _queue, ids) = connection();
        let mut responsive = connection.watch_responsive();
        let started = Instant::now();
        let (alive, ()) = tokio::join!(probe(&connection, &ids, DEADLINE), async {
            assert!(*responsive.borrow_and_update());
            responsive.changed().await.unwrap();
            assert!(!*responsive.borrow_and_update());
            assert_eq!(started.elapsed(), DEADLINE / 4);
            tokio::time::sleep(Duration::from_secs(3)).await;
            connection.activity.received_now();
            responsive.changed().await.unwrap();
            assert!(*responsive.borrow_and_update());
        });
        assert!(alive && started.elapsed() < DEADLINE / 2);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_ends_the_probe_at_once() {
        let (connection, mut queue, ids) = connection();
        let (alive, ()) = tokio::join!(probe(&connection, &ids, DEADLINE), async {
            let id = queue.recv().await.unwrap().attr_text("id").unwrap().into_owned();
            connection.answers.answer(Node::new("iq").attr("type", "result").attr("id", id));
        });
        assert!(alive);
    }

    #[tokio::test(start_paused = true)]
    async fn traffic_puts_the_ping_off() {
        let (connection, _queue, _) = connection();
        let started = Instant::now();
        tokio::join!(wait_idle(&connection, Duration::from_secs(10)), async {
            tokio::time::sleep(Duration::from_secs(7)).await;
            connection.activity.received_now();
        });
        assert_eq!(started.elapsed(), Duration::from_secs(17));
    }

    #[tokio::test(start_paused = true)]
    async fn silence_while_the_host_is_slow_is_no_sign_of_death() {
        let (connection, _queue, ids) = connection();
        connection.activity.stalled.store(true, Ordering::Relaxed);
        assert!(probe(&connection, &ids, DEADLINE).await);
    }
}
