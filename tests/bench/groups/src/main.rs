//! Sending to large groups: the engine with its SQLite store, against the sandbox in the same
//! process. Prints one JSON object a line: `{"name", "wall", "cpu", "requests"}`, times in
//! nanoseconds. The processor's time is that of the engine's threads alone, which are known by their
//! names; the sandbox has its own.

mod cpu;

use std::time::Instant;

use futures_util::future::join_all;
use whimbrel::{Client, Engine, Jid, SendOptions};
use whimbrel_sandbox::{Addressing, NewGroup};
use whimbrel_scenarios::{DEADLINE, World, device_label};

const ANNA: &str = "31612345678";

/// Messages of which the median and the mean are taken.
const MESSAGES: usize = 400;

/// Messages that are sent without waiting for each other.
const BURST: usize = 64;

#[tokio::main]
async fn main() {
    for members in [1024, 256] {
        let world = World::start_with(|options| options.strict = false).await;
        let engine = world.engine();
        let bench = Bench::new(&world, &engine, members).await;
        bench.first().await;
        bench.next().await;
        bench.burst().await;
        engine.close(DEADLINE).await.unwrap();
    }
}

struct Bench<'w> {
    world: &'w World,
    client: Client,
    group: Jid,
    members: usize,
}

/// What one thing cost.
struct Cost {
    wall: f64,
    cpu: f64,
    requests: u64,
}

impl<'w> Bench<'w> {
    /// A linked client in a group of so many people, itself included.
    async fn new(world: &'w World, engine: &Engine, members: usize) -> Self {
        let (client, _) = world.linked(engine, ANNA).await;
        let crowd = world.sandbox.create_crowd(members - 1);
        let new = NewGroup {
            creator: ANNA.to_owned(),
            subject: "Crowd".to_owned(),
            members: crowd,
            addressing: Some(Addressing::Lid),
        };
        let group = world.sandbox.create_group(&new).unwrap().jid();
        Self { world, client, group, members }
    }

    fn requests(&self) -> u64 {
        let label = device_label(&self.client, ANNA);
        let state = self.world.sandbox.state();
        state.devices.iter().find(|device| device.device == label).map_or(0, |device| device.requests)
    }

    async fn send(&self) {
        let sent = self.client.send_text(&self.group, "hello, birds", SendOptions::default()).await;
        sent.unwrap();
    }

    async fn measured(&self, work: impl Future<Output = ()>) -> Cost {
        let (requests, cpu, start) = (self.requests(), cpu::engine(), Instant::now());
        work.await;
        let wall = start.elapsed().as_nanos() as f64;
        Cost { wall, cpu: cpu::engine() - cpu, requests: self.requests() - requests }
    }

    fn print(&self, what: &str, cost: &Cost) {
        let name = format!("group_{}_{what}", self.members);
        let Cost { wall, cpu, requests } = cost;
        println!("{}", serde_json::json!({ "name": name, "wall": wall, "cpu": cpu, "requests": requests }));
    }

    /// Nothing is known: members, devices and keys are asked for, and everybody gets the key.
    async fn first(&self) {
        self.print("first", &self.measured(self.send()).await);
        // The next one still looks at every member once.
        self.print("second", &self.measured(self.send()).await);
    }

    /// One after the other, each until the service has it.
    async fn next(&self) {
        let mut walls = Vec::with_capacity(MESSAGES);
        let mut cost = self
            .measured(async {
                for _ in 0..MESSAGES {
                    let start = Instant::now();
                    self.send().await;
                    walls.push(start.elapsed().as_nanos() as f64);
                }
            })
            .await;
        walls.sort_by(f64::total_cmp);
        cost.wall = walls[MESSAGES / 2];
        cost.cpu /= MESSAGES as f64;
        self.print("next", &cost);
    }

    /// Many at once, which share the writes to the store.
    async fn burst(&self) {
        let mut cost = self.measured(async { drop(join_all((0..BURST).map(|_| self.send())).await) }).await;
        cost.wall /= BURST as f64;
        cost.cpu /= BURST as f64;
        self.print("burst", &cost);
    }
}
