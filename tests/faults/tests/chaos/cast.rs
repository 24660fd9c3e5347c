//! The people, their phones and their devices.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use whimbrel_sandbox::phone::Phone;
use whimbrel_sandbox::{Addressing, NewGroup, Options, Sandbox};

use crate::member::Member;
use crate::peer::Baileys;
use crate::plan::Plan;
use crate::{STUCK, verdict};

/// How long to wait at most before looking again.
const LOOK: Duration = Duration::from_millis(250);

/// Baileys is done when it has shown nothing new for so long.
const PEER_IDLE: Duration = Duration::from_secs(10);

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

/// A linked device.
pub(crate) struct Device {
    pub(crate) account: Account,
    pub(crate) make: Make,
}

pub(crate) enum Make {
    Ours(Arc<Member>),
    Baileys(Arc<Baileys>),
}

impl Device {
    /// Texts of it that the service has.
    pub(crate) fn sent(&self) -> usize {
        match &self.make {
            Make::Ours(member) => member.sent(),
            Make::Baileys(peer) => peer.sent(),
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
    /// Something was reported.
    moved: Arc<Notify>,
}

impl Cast {
    /// Four accounts, six devices: Ana has two of ours, Ben one of ours and a Baileys, Cleo one
    /// of ours, Dan a Baileys.
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
        let mut cast = Self {
            sandbox,
            phones,
            devices: Vec::new(),
            groups: Default::default(),
            folder,
            moved: Arc::default(),
        };
        for (account, name) in [
            (Account::Ana, "ana-1"),
            (Account::Ana, "ana-2"),
            (Account::Ben, "ben-1"),
            (Account::Cleo, "cleo-1"),
        ] {
            let folder = cast.folder.clone();
            let member = Member::new(&cast.sandbox, cast.phone(account), folder, name, &cast.moved);
            member.start().await;
            let online = || usize::from(member.is_online());
            cast.devices.push(Device { account, make: Make::Ours(Arc::clone(&member)) });
            cast.progress(&format!("{name} to be online"), online, |online| online == 1).await;
        }
        for account in [Account::Ben, Account::Dan] {
            let store = cast.folder.join(format!("{account:?}-baileys"));
            let peer = Baileys::link(&cast.sandbox, cast.phone(account), store).await;
            cast.devices.push(Device { account, make: Make::Baileys(Arc::new(peer)) });
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

    pub(crate) fn members(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.devices.iter().filter_map(|device| match &device.make {
            Make::Ours(member) => Some(member),
            Make::Baileys(_) => None,
        })
    }

    /// The name by which the sandbox speaks of a device.
    pub(crate) fn label(&self, device: &Device) -> String {
        format!("{}:{}", self.phone(device.account).number(), device.number())
    }

    /// Has every device say its texts; returns when the service has them all.
    pub(crate) async fn say_everything(&self, plan: &Plan) {
        let mut speaking = Vec::new();
        for (index, device) in self.devices.iter().enumerate() {
            let orders: Vec<_> = plan.said_by(index).map(|line| line.order.clone()).collect();
            match &device.make {
                Make::Ours(member) => member.say(orders).await,
                Make::Baileys(peer) => {
                    let peer = Arc::clone(peer);
                    speaking.push(tokio::spawn(async move { peer.say(&orders).await }));
                }
            }
        }
        let wanted: usize = plan.lines.len();
        let sent = || self.devices.iter().map(Device::sent).sum::<usize>();
        self.progress("the service to have every text", sent, |sent| sent == wanted).await;
        for task in speaking {
            task.await.unwrap();
        }
    }

    /// Waits until every client of ours has noted every text that it has to hear.
    pub(crate) async fn hear_everything(&self, plan: &Plan) {
        // What was lost on the way comes again with a new connection.
        for device in &self.devices {
            self.sandbox.disconnect(&self.label(device));
        }
        let missing = || -> usize {
            let missing = self.devices.iter().enumerate().map(|(index, device)| match &device.make {
                Make::Ours(member) => verdict::missing(self, plan, index, member).len(),
                Make::Baileys(_) => 0,
            });
            missing.sum()
        };
        let heard = self.watch("every text to be noted", missing, |missing| missing == 0).await;
        if let Err(stuck) = heard {
            self.report_missing(plan);
            panic!("{stuck}");
        }
        self.wait_for_peers(plan).await;
    }

    /// Gives Baileys the time to show what it has and to ask for what it could not read.
    async fn wait_for_peers(&self, plan: &Plan) {
        let shown = || -> usize {
            let peers = self.devices.iter().enumerate().filter_map(|(index, device)| match &device.make {
                Make::Ours(_) => None,
                Make::Baileys(peer) => Some(verdict::shown(plan, index, device, peer)),
            });
            peers.sum()
        };
        let (mut last, mut since) = (shown(), Instant::now());
        while since.elapsed() < PEER_IDLE {
            tokio::time::sleep(LOOK).await;
            let now = shown();
            if now != last {
                (last, since) = (now, Instant::now());
            }
        }
    }

    /// Prints what the service knows of the texts that are missing somewhere.
    fn report_missing(&self, plan: &Plan) {
        for (index, device) in self.devices.iter().enumerate() {
            let Make::Ours(member) = &device.make else { continue };
            for line in verdict::missing(self, plan, index, member) {
                println!("{} has not heard {:?} ({})", self.label(device), line.order.text, line.order.id);
                for (number, event) in self.sandbox.events().after(0) {
                    let words = format!("{event:?}");
                    if words.contains(&format!("{:?}", line.order.id)) {
                        println!("  {number} {words}");
                    }
                }
                for note in member.notes().iter().filter(|note| note.message == line.order.id) {
                    println!("  noted {note:?}");
                }
            }
        }
    }

    /// Waits for a number to be as wanted; it has to change in time.
    async fn progress(&self, what: &str, value: impl Fn() -> usize, done: impl Fn(usize) -> bool) {
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
        let (mut last, mut since) = (value(), Instant::now());
        while !done(last) {
            // Baileys wakes nobody, so the waiting ends by itself now and then.
            let _ = tokio::time::timeout(LOOK, self.moved.notified()).await;
            for member in self.members() {
                if let Some(failure) = member.failure() {
                    panic!("{}: {failure}", member.name());
                }
            }
            let now = value();
            if now != last {
                (last, since) = (now, Instant::now());
            }
            if since.elapsed() > STUCK {
                self.report();
                return Err(format!("stuck at {last} while waiting for {what}"));
            }
        }
        Ok(())
    }

    /// Prints what might tell why a run is stuck.
    fn report(&self) {
        for device in &self.devices {
            let label = self.label(device);
            match &device.make {
                Make::Ours(member) => println!(
                    "{label} ({}): online {}, sent {}, under way {:?}",
                    member.name(),
                    member.is_online(),
                    member.sent(),
                    member.under_way()
                ),
                Make::Baileys(peer) => println!("{label} (Baileys): sent {}", peer.sent()),
            }
        }
        self.write_events();
    }

    /// Writes down what the service saw, beside the stores; the folder stays when a run fails.
    pub(crate) fn write_events(&self) {
        let events = self.sandbox.events().after(0);
        let lines: String = events.iter().map(|(number, event)| format!("{number} {event:?}\n")).collect();
        let file = self.folder.join("events");
        std::fs::write(&file, lines).unwrap();
        println!("should it fail: stores, notes and {}", file.display());
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
