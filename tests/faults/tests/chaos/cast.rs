//! The people, their phones and their devices.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use tokio::sync::watch;
use tokio::time::Instant;
use whimbrel_sandbox::phone::Phone;
use whimbrel_sandbox::{Addressing, NewGroup, Options, Sandbox};

use crate::attendance::{Attendance, Away, Due, Said, Who};
use crate::floor::Floor;
use crate::ledger::Clerk;
use crate::member::Member;
use crate::peer::Baileys;
use crate::plan::{Line, Plan};
use crate::{STUCK, verdict};

/// How long the service may be busy without what is waited for.
const HOPELESS: Duration = Duration::from_secs(600);

/// Baileys is done when it has shown nothing new for so long.
const PEER_IDLE: Duration = Duration::from_secs(10);

/// Baileys' own recovery is not waited for any longer.
///
/// Why it is slow, and answers some of our messages with the nack 500: it sends that nack for whatever it
/// cannot decrypt. It takes messages one after the other, and each that it cannot decrypt holds the others
/// up for a quarter of a second (`retryRequestDelayMs`) after the request for it. Most of these are of its
/// own making: it sends a message within one transaction of its keys, under a lock with its own name, in
/// which the locks of the recipients are not taken; it decrypts under the lock of the sender. So what is
/// sent while something arrives writes an older session over the newer one. At its second request it
/// throws the session away, and with it what is under way in that session. Much more came of sockets that
/// were closed while they still held messages: they and the next socket worked on the same sessions
/// without a common lock, two thousand texts put Baileys 45 seconds behind, and one of two showed 712 of
/// 1,196 texts. Our peer program takes the keys away from a closed socket, as the end of a process would.
/// What is not shown in the end was asked for when the device that had said it was unlinked.
const PEER_PATIENCE: Duration = Duration::from_secs(30);

/// A person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Account {
    Ana,
    Ben,
    Cleo,
    Dan,
}

impl Account {
    pub(crate) const ALL: [Self; 4] = [Self::Ana, Self::Ben, Self::Cleo, Self::Dan];

    fn index(self) -> usize {
        match self {
            Self::Ana => 0,
            Self::Ben => 1,
            Self::Cleo => 2,
            Self::Dan => 3,
        }
    }
}

/// How long a device is part of the company.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Stays,
    /// It is linked in the middle.
    Joins,
    /// It is unlinked in the middle.
    Leaves,
}

/// A device, linked or to be linked.
pub(crate) struct Device {
    pub(crate) account: Account,
    pub(crate) role: Role,
    pub(crate) make: Make,
}

pub(crate) enum Make {
    Ours(Arc<Member>),
    Baileys(Arc<Baileys>),
}

impl Device {
    pub(crate) fn is_ours(&self) -> bool {
        matches!(self.make, Make::Ours(_))
    }

    /// Whether it is linked, and to stay so.
    pub(crate) fn is_here(&self) -> bool {
        match &self.make {
            Make::Ours(member) => member.is_here(),
            Make::Baileys(_) => true,
        }
    }

    /// Its number in the account.
    pub(crate) fn number(&self) -> u16 {
        match &self.make {
            Make::Ours(member) => member.device().expect("the device is linked"),
            Make::Baileys(peer) => peer.device,
        }
    }
}

/// Everybody.
pub(crate) struct Cast {
    pub(crate) sandbox: Sandbox,
    phones: Vec<Phone>,
    devices: Vec<Device>,
    groups: [String; 2],
    folder: PathBuf,
    pub(crate) attendance: Attendance,
    pub(crate) clerk: Clerk,
    /// Told when something has happened.
    pub(crate) moved: watch::Sender<()>,
    /// The time until the device joins that is not there yet.
    joining: usize,
}

impl Cast {
    /// Four accounts, six devices that stay: Ana has two of ours, Ben one of ours and a Baileys, Cleo
    /// one of ours, Dan a Baileys. The seed says who has one more of ours that leaves, and who gets
    /// one.
    pub(crate) async fn assemble(seed: u64) -> Self {
        let folder = std::env::temp_dir().join(format!("whimbrel-chaos-{}-{seed}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let sandbox = Sandbox::start(Options { seed, ..Options::default() }).await.unwrap();
        let mut phones = Vec::new();
        for account in Account::ALL {
            let number = format!("155500{}", 1000 + account.index());
            phones.push(sandbox.create_phone(Some(&number), Some(&format!("{account:?}"))).await.unwrap());
        }
        let moved = watch::Sender::new(());
        let clerk = Clerk::follow(sandbox.events(), folder.join("events"), moved.clone());
        let mut cast = Self {
            sandbox,
            phones,
            devices: Vec::new(),
            groups: Default::default(),
            folder,
            attendance: Attendance::default(),
            clerk,
            moved,
            joining: usize::MAX,
        };
        let mut rng = ChaCha20Rng::seed_from_u64(seed ^ 0x6361_7374);
        let mut anybody = || Account::ALL[rng.next_u32() as usize % Account::ALL.len()];
        for (account, role, name) in [
            (Account::Ana, Role::Stays, "ana-1"),
            (Account::Ana, Role::Stays, "ana-2"),
            (Account::Ben, Role::Stays, "ben-1"),
            (Account::Cleo, Role::Stays, "cleo-1"),
            (anybody(), Role::Leaves, "leaves"),
            (anybody(), Role::Joins, "joins"),
        ] {
            let member =
                Member::new(&cast.sandbox, cast.phone(account), cast.folder.clone(), name, &cast.moved);
            let index = cast.devices.len();
            cast.devices.push(Device { account, role, make: Make::Ours(Arc::clone(&member)) });
            if role == Role::Joins {
                cast.joining = cast.attendance.add(Who::Device(index), Away::not_yet());
            } else {
                member.start().await;
                let online = || usize::from(member.is_online());
                cast.progress(&format!("{name} to be online"), online, |online| online == 1).await;
            }
        }
        for account in [Account::Ben, Account::Dan] {
            let store = cast.folder.join(format!("{account:?}-baileys"));
            let peer = Baileys::link(&cast.sandbox, cast.phone(account), store, &cast.moved).await;
            cast.devices.push(Device { account, role: Role::Stays, make: Make::Baileys(peer) });
        }
        cast.groups = [Addressing::Lid, Addressing::Pn].map(|addressing| cast.gather(addressing));
        cast
    }

    /// Makes a group of all four.
    fn gather(&self, addressing: Addressing) -> String {
        let [ana, others @ ..] = Account::ALL;
        let number = |account| self.phone(account).number().to_owned();
        let group = NewGroup {
            creator: number(ana),
            subject: format!("{addressing:?}"),
            members: others.map(number).into(),
            addressing: Some(addressing),
        };
        self.sandbox.create_group(&group).unwrap().jid().to_string()
    }

    pub(crate) fn phone(&self, account: Account) -> &Phone {
        self.phones.get(account.index()).expect("everybody has a phone")
    }

    /// A group of all four that names its members by LID, and one that does by phone number.
    pub(crate) fn groups(&self) -> &[String; 2] {
        &self.groups
    }

    pub(crate) fn devices(&self) -> impl Iterator<Item = &Device> {
        self.devices.iter()
    }

    pub(crate) fn device(&self, index: usize) -> &Device {
        &self.devices[index]
    }

    /// How many devices are linked.
    pub(crate) fn count_here(&self) -> usize {
        self.devices.iter().filter(|device| device.is_here()).count()
    }

    /// The devices of ours, with their indexes.
    pub(crate) fn ours(&self) -> impl Iterator<Item = (usize, &Device, &Arc<Member>)> {
        self.devices.iter().enumerate().filter_map(|(index, device)| match &device.make {
            Make::Ours(member) => Some((index, device, member)),
            Make::Baileys(_) => None,
        })
    }

    /// The devices of Baileys, with their indexes.
    pub(crate) fn peers(&self) -> impl Iterator<Item = (usize, &Device, &Arc<Baileys>)> {
        self.devices.iter().enumerate().filter_map(|(index, device)| match &device.make {
            Make::Ours(_) => None,
            Make::Baileys(peer) => Some((index, device, peer)),
        })
    }

    /// Number of the groups' admin.
    pub(crate) fn admin(&self) -> &str {
        self.phone(Account::Ana).number()
    }

    /// The time away of the device that joins.
    pub(crate) fn joining(&self) -> usize {
        self.joining
    }

    /// Whether a device has to have a line. Of what the service does not have yet, nobody knows.
    pub(crate) fn due(&self, device: usize, plan: &Plan, floor: &Floor, line: usize) -> Due {
        let order = &plan.lines[line].order;
        let taken = self.clerk.ledger().accepted.get(&order.id).copied();
        let Some((given, (taken, taken_last))) = floor.given_at(line).zip(taken) else { return Due::May };
        let said = Said { given, taken, taken_last };
        self.attendance.due(device, self.devices[device].account, &order.chat, &said)
    }

    /// The name by which the sandbox speaks of a device.
    pub(crate) fn label(&self, device: &Device) -> String {
        format!("{}:{}", self.phone(device.account).number(), device.number())
    }

    /// Has every device say its lines; returns when the service has them all.
    pub(crate) async fn say_everything(&self, plan: &Plan, floor: &Arc<Floor>) {
        for (index, device, member) in self.ours() {
            if device.role != Role::Joins {
                member.talk(index, floor).await;
            }
        }
        let mut speaking = tokio::task::JoinSet::new();
        for (index, _, peer) in self.peers() {
            let (peer, floor) = (Arc::clone(peer), Arc::clone(floor));
            speaking.spawn(async move { peer.talk(index, &floor).await });
        }
        // Whoever said something may give others their turn.
        let turns = async {
            let mut moved = self.moved.subscribe();
            loop {
                for (_, _, member) in self.ours() {
                    member.order_more().await;
                }
                moved.changed().await.unwrap();
            }
        };
        let sent = || floor.count_sent();
        let everything =
            self.progress("the service to have every text", sent, |sent| sent == plan.lines.len());
        tokio::select! {
            () = turns => {}
            () = everything => {}
        }
        while let Some(spoken) = speaking.join_next().await {
            spoken.unwrap();
        }
    }

    /// Waits until every client of ours has noted every text that it has to hear.
    pub(crate) async fn hear_everything(&self, plan: &Plan, floor: &Floor) {
        // What was lost on the way comes again with a new connection.
        for device in self.devices.iter().filter(|device| device.is_here()) {
            self.sandbox.disconnect(&self.label(device));
        }
        let heard = self.until_heard("every text to be noted", plan, floor, |_, _| true).await;
        if let Err(stuck) = heard {
            self.report_missing(plan, floor);
            panic!("{stuck}");
        }
        self.wait_for_peers(plan, floor).await;
        self.catch_up().await;
    }

    /// Waits until every client of ours has heard what it had to hear by now, as far as it is wanted:
    /// asked with the device that hears and the line.
    pub(crate) async fn until_heard(
        &self,
        what: &str,
        plan: &Plan,
        floor: &Floor,
        wanted: impl Fn(usize, &Line) -> bool,
    ) -> Result<(), String> {
        self.catch_up().await;
        let missing = self.ours().flat_map(|(index, _, member)| {
            let missing = verdict::missing(self, plan, floor, index, member).into_iter();
            missing.map(move |line| (index, member, line)).filter(|(index, _, line)| wanted(*index, line))
        });
        let missing = RefCell::new(missing.collect::<Vec<_>>());
        let lacking = || {
            let mut missing = missing.borrow_mut();
            missing.retain(|(index, member, line)| verdict::lacks(self, *index, member, line));
            missing.len()
        };
        self.watch(what, lacking, |lacking| lacking == 0).await
    }

    /// Waits until everything that has happened is in the ledger.
    pub(crate) async fn catch_up(&self) {
        let newest = self.sandbox.events().newest();
        let entered = || usize::from(self.clerk.ledger().newest >= newest);
        self.progress("the ledger to be complete", entered, |entered| entered == 1).await;
    }

    /// Gives Baileys the time to show what it has and to ask for what it could not read. Not
    /// everything comes, so the wait ends when nothing has come for a while.
    async fn wait_for_peers(&self, plan: &Plan, floor: &Floor) {
        let unshown = || -> usize {
            self.peers().map(|(index, _, peer)| verdict::unshown(self, plan, floor, index, peer).len()).sum()
        };
        let mut moved = self.moved.subscribe();
        let (mut last, mut since) = (unshown(), Instant::now());
        let end = since + PEER_PATIENCE;
        while last > 0 && since.elapsed() < PEER_IDLE && Instant::now() < end {
            let _ = tokio::time::timeout_at(end.min(since + PEER_IDLE), moved.changed()).await;
            let now = unshown();
            if now != last {
                (last, since) = (now, Instant::now());
            }
        }
    }

    /// Prints what is known of the texts that are missing somewhere.
    fn report_missing(&self, plan: &Plan, floor: &Floor) {
        for (index, device, member) in self.ours() {
            for line in verdict::missing(self, plan, floor, index, member) {
                let (label, id) = (self.label(device), &line.order.id);
                println!("{label} ({}) has not heard {:?} ({id})", member.name(), line.order.text);
                for note in member.notes().iter().filter(|note| note.message == *id) {
                    println!("  noted {note:?}");
                }
            }
        }
    }

    /// Waits for a number to be as wanted; it has to change in time.
    pub(crate) async fn progress(&self, what: &str, value: impl Fn() -> usize, done: impl Fn(usize) -> bool) {
        if let Err(stuck) = self.watch(what, value, done).await {
            panic!("{stuck}");
        }
    }

    async fn watch(
        &self,
        what: &str,
        value: impl Fn() -> usize,
        done: impl Fn(usize) -> bool,
    ) -> Result<(), String> {
        let mut moved = self.moved.subscribe();
        let (mut last, mut since) = (value(), Instant::now());
        // Baileys works for minutes through what it missed; nothing is stuck while it does.
        let (mut newest, mut silent_since) = (0, since);
        while !done(last) {
            let _ = tokio::time::timeout_at(silent_since + STUCK, moved.changed()).await;
            self.check_failures();
            let (now, event) = (value(), self.clerk.ledger().newest);
            if event != newest {
                (newest, silent_since) = (event, Instant::now());
            }
            if now != last {
                (last, since, silent_since) = (now, Instant::now(), Instant::now());
            } else if silent_since.elapsed() > STUCK || since.elapsed() > HOPELESS {
                self.report();
                return Err(format!("stuck at {last} while waiting for {what}"));
            }
        }
        Ok(())
    }

    fn check_failures(&self) {
        for (_, _, member) in self.ours() {
            if let Some(failure) = member.failure() {
                panic!("{}: {failure}", member.name());
            }
        }
        for (_, device, peer) in self.peers() {
            if let Some(failure) = peer.failure() {
                panic!("{} (Baileys): {failure}", self.label(device));
            }
        }
    }

    /// Prints what might tell why a run is stuck.
    fn report(&self) {
        for (_, _, member) in self.ours() {
            println!("{}: online {}, under way {:?}", member.name(), member.is_online(), member.under_way());
        }
        for (_, device, peer) in self.peers() {
            println!("{} (Baileys): connected {}", self.label(device), peer.is_connected());
        }
    }

    /// Where stores, notes and the service's events are; the folder stays when a run fails.
    pub(crate) fn folder(&self) -> &std::path::Path {
        &self.folder
    }

    /// Ends everything and cleans up.
    pub(crate) async fn dismiss(self) {
        for device in &self.devices {
            match &device.make {
                Make::Ours(member) => member.kill().await,
                Make::Baileys(peer) => peer.leave().await,
            }
        }
        self.sandbox.stop();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
