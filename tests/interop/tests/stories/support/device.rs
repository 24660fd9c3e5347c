use std::collections::BTreeMap;
use std::path::Path;
use whimbrel::events::EventKind;

use whimbrel::Client;
use whimbrel_interop::{Event, Peer, PeerError, Program, Quote};
use whimbrel_sandbox::phone::Phone;
use whimbrel_sandbox::{Event as ServiceEvent, Sandbox};

use super::{DEADLINE, Whimbrel};

/// A text as a device showed it, in words that all makes share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) id: String,
    pub(crate) chat: String,
    pub(crate) sender: String,
    pub(crate) from_me: bool,
    pub(crate) text: String,
    pub(crate) quoted: Option<String>,
}

/// A linked device of any make.
pub(crate) struct Device {
    make: Make,
    sandbox: Sandbox,
    phone: Phone,
    device: u16,
    /// Whether texts are shown in the order in which they come. Baileys handles messages side by side: just after a
    /// login, one may overtake another that it does more book-keeping for.
    pub(crate) keeps_order: bool,
}

enum Make {
    Peer(Box<Peer>),
    Whimbrel(Whimbrel),
}

impl Device {
    pub(crate) fn peer(sandbox: &Sandbox, program: Program, peer: Peer, phone: &Phone, device: u16) -> Self {
        let keeps_order = program != Program::Baileys;
        let make = Make::Peer(Box::new(peer));
        Self { make, sandbox: sandbox.clone(), phone: phone.clone(), device, keeps_order }
    }

    pub(crate) fn whimbrel(sandbox: &Sandbox, client: Whimbrel, phone: &Phone, device: u16) -> Self {
        let make = Make::Whimbrel(client);
        Self { make, sandbox: sandbox.clone(), phone: phone.clone(), device, keeps_order: true }
    }

    /// The name by which the sandbox speaks of the device.
    pub(crate) fn label(&self) -> String {
        format!("{}:{}", self.phone.number(), self.device)
    }

    /// The program, of devices that are peers.
    pub(crate) fn as_peer(&self) -> &Peer {
        match &self.make {
            Make::Peer(peer) => peer,
            Make::Whimbrel(_) => panic!("{} is no peer", self.label()),
        }
    }

    /// The client, of devices that are ours.
    pub(crate) fn as_client(&self) -> Client {
        match &self.make {
            Make::Whimbrel(client) => client.client(),
            Make::Peer(_) => panic!("{} is a peer", self.label()),
        }
    }

    /// So many pieces of the history with messages are in the archive of a client of ours.
    pub(crate) async fn has_history(&self, pieces: u32) {
        match &self.make {
            Make::Whimbrel(client) => client.has_history(pieces).await,
            Make::Peer(_) => panic!("{} is a peer", self.label()),
        }
    }

    /// An event of a client of ours from which `pick` makes something.
    pub(crate) async fn event<T>(&self, what: &str, pick: impl FnMut(&EventKind) -> Option<T>) -> T {
        match &self.make {
            Make::Whimbrel(client) => client.event(what, pick).await,
            Make::Peer(_) => panic!("{} is a peer", self.label()),
        }
    }

    /// The event that a message brought to a client of ours.
    pub(crate) async fn event_of(&self, id: &str) -> EventKind {
        match &self.make {
            Make::Whimbrel(client) => client.event_of(id).await,
            Make::Peer(_) => panic!("{} is a peer", self.label()),
        }
    }

    /// Takes a text of another device, after which both have a session with each other.
    pub(crate) async fn hears_from(&self, other: &Self, text: &str) {
        let id = other.say(self.phone(), text).await;
        self.event_of(&id).await;
    }

    /// Sends a text and returns its id when the service has it.
    pub(crate) async fn say(&self, to: &Phone, text: &str) -> String {
        self.say_in(&to.jid().to_string(), text).await
    }

    /// Sends a text to a chat given by its address.
    pub(crate) async fn say_in(&self, to: &str, text: &str) -> String {
        match &self.make {
            Make::Peer(peer) => match peer.send_text(to, text).await {
                // whatsmeow leaves it to the application to try again when a group names its members in another way.
                Err(PeerError::Refused { reason, .. }) if reason.ends_with(" 421") => {
                    peer.send_text(to, text).await.unwrap().message_id
                }
                sent => sent.unwrap().message_id,
            },
            Make::Whimbrel(client) => client.send_text(to, text, None).await,
        }
    }

    /// Sends a text that quotes what was heard.
    pub(crate) async fn reply(&self, to: &Phone, text: &str, heard: &Heard) -> String {
        self.reply_in(&to.jid().to_string(), text, heard).await
    }

    /// As [`Device::reply`], to a chat given by its address.
    pub(crate) async fn reply_in(&self, to: &str, text: &str, heard: &Heard) -> String {
        match &self.make {
            Make::Peer(peer) => {
                let quote =
                    Quote { id: heard.id.clone(), sender: heard.sender.clone(), text: heard.text.clone() };
                peer.send_reply(to, text, &quote).await.unwrap().message_id
            }
            Make::Whimbrel(client) => client.send_text(to, text, Some(heard)).await,
        }
    }

    /// The next text that the device shows; one that could not be read at first counts when it can be.
    pub(crate) async fn hear(&self, what: &str) -> Heard {
        match &self.make {
            Make::Peer(peer) => {
                let text = |event: &Event| match event {
                    Event::Message(message) => message.text.clone().map(|text| Heard {
                        id: message.id.clone(),
                        chat: message.chat.clone(),
                        sender: message.sender.clone(),
                        from_me: message.from_me,
                        text,
                        quoted: message.quoted_id.clone(),
                    }),
                    _ => None,
                };
                peer.wait_for(what, text).await.unwrap()
            }
            Make::Whimbrel(client) => client.next_text(what).await,
        }
    }

    /// Waits for the other side's reports that these messages were delivered, each.
    pub(crate) async fn see_delivered(&self, ids: &[String]) {
        // Devices that are not in use say `inactive`, which Baileys passes on as it is.
        self.see(ids, &["delivered", "inactive"]).await;
    }

    /// Waits for the other side's reports that these messages were read, each.
    pub(crate) async fn see_read(&self, ids: &[String]) {
        self.see(ids, &["read"]).await;
    }

    async fn see(&self, ids: &[String], kinds: &[&str]) {
        for id in ids {
            let what = format!("a {} receipt for {id}", kinds.join(" or "));
            match &self.make {
                Make::Peer(peer) => {
                    peer.wait_to_see(&what, |event| is_receipt(event, id, kinds)).await.unwrap()
                }
                Make::Whimbrel(client) => client.wait_receipt(&what, id, kinds).await,
            }
        }
    }

    /// Marks heard texts of one chat as read.
    pub(crate) async fn mark_read(&self, heard: &[Heard]) {
        let Some(first) = heard.first() else { return };
        let ids: Vec<&str> = heard.iter().map(|text| text.id.as_str()).collect();
        match &self.make {
            Make::Peer(peer) => peer.mark_read(&first.chat, &ids).await.unwrap(),
            Make::Whimbrel(client) => client.mark_read(&first.chat, &ids).await,
        }
    }

    /// Marks heard texts of a group as read, each author's.
    pub(crate) async fn mark_read_in(&self, group: &str, heard: &[Heard]) {
        let mut by_author: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for text in heard {
            by_author.entry(&text.sender).or_default().push(&text.id);
        }
        for (author, ids) in by_author {
            match &self.make {
                Make::Peer(peer) => peer.mark_read_in_group(group, author, &ids).await.unwrap(),
                Make::Whimbrel(client) => client.mark_read_in(group, author, &ids).await,
            }
        }
    }

    /// Texts that the device has shown and nobody has asked for.
    pub(crate) fn unread_texts(&self) -> Vec<String> {
        match &self.make {
            Make::Peer(peer) => {
                let text = |event: Event| match event {
                    Event::Message(message) => message.text,
                    _ => None,
                };
                peer.unread().into_iter().filter_map(text).collect()
            }
            Make::Whimbrel(client) => client.unread_texts(),
        }
    }

    /// What the service did with a message, for failure reports.
    pub(crate) fn log_about(&self, id: &str) -> String {
        let about = |(number, event): (u64, ServiceEvent)| {
            let text = format!("{event:?}");
            (text.contains(id) || text.contains("Fault")).then(|| format!("  {number} {text}\n"))
        };
        self.sandbox.events().after(0).into_iter().filter_map(about).collect()
    }

    /// What the device reported and nobody has asked for, for failure reports.
    pub(crate) fn unread(&self) -> String {
        match &self.make {
            Make::Peer(peer) => peer.unread().iter().map(|event| format!("  {event:?}\n")).collect(),
            Make::Whimbrel(client) => client.unread(),
        }
    }

    /// The phone that the device is linked to.
    pub(crate) fn phone(&self) -> &Phone {
        &self.phone
    }

    /// Closes the connection and stays away.
    pub(crate) async fn leave(&self) {
        let before = self.sandbox.events().newest();
        match &self.make {
            Make::Peer(peer) => {
                peer.disconnect().await.unwrap();
                peer.disconnected().await.unwrap();
            }
            Make::Whimbrel(client) => client.disconnect(),
        }
        self.happens(before, ServiceEvent::Disconnected { device: self.label() }).await;
    }

    /// Ends the program, with everything that it knows on the disk.
    pub(crate) async fn quit(&self) {
        match &self.make {
            Make::Peer(peer) => peer.quit().await.unwrap(),
            Make::Whimbrel(client) => client.disconnect(),
        }
    }

    /// Moves the link into a file, which ends the client.
    pub(crate) async fn export(&self, file: &Path, passphrase: &str) {
        match &self.make {
            Make::Peer(_) => panic!("only a client of ours exports"),
            Make::Whimbrel(client) => client.export(file, passphrase).await,
        }
    }

    /// Connects again after [`Device::leave`], and takes what waited.
    pub(crate) async fn come_back(&self) {
        match &self.make {
            Make::Peer(peer) => {
                peer.connect().await.unwrap();
                peer.connected().await.unwrap();
                peer.caught_up().await.unwrap();
            }
            Make::Whimbrel(client) => client.connect().await,
        }
    }

    /// Has its connection cut by the service, and waits until it has made another one by itself.
    pub(crate) async fn is_cut_off(&self) {
        let before = self.sandbox.events().newest();
        assert!(self.sandbox.disconnect(&self.label()), "{} is not connected", self.label());
        self.happens(before, ServiceEvent::Active { device: self.label() }).await;
        match &self.make {
            Make::Peer(peer) => {
                assert!(peer.disconnected().await.unwrap().will_reconnect);
                peer.connected().await.unwrap();
                peer.caught_up().await.unwrap();
            }
            Make::Whimbrel(client) => client.connect().await,
        }
    }

    /// Ends the process of a client of ours and starts it again after what the story does in between.
    pub(crate) async fn is_restarted(&self, meanwhile: impl Future<Output = ()>) {
        let client = self.as_whimbrel();
        client.close().await;
        meanwhile.await;
        client.reopen().await;
    }

    /// Gives its link up.
    pub(crate) async fn unlink(&self) {
        let before = self.sandbox.events().newest();
        match &self.make {
            Make::Peer(peer) => {
                peer.logout().await.unwrap();
                peer.logged_out().await.unwrap();
            }
            Make::Whimbrel(client) => client.logout().await,
        }
        self.happens(before, ServiceEvent::Unlinked { device: self.label() }).await;
    }

    /// Loses what it agreed on with a person's devices, as after a damaged disk.
    pub(crate) async fn forgets(&self, person: &Phone) {
        for address in [person.jid(), person.lid()] {
            self.as_peer().forget_session(&address.to_string()).await.unwrap();
        }
    }

    /// Waits for the report that a person's phone has another identity.
    pub(crate) async fn sees_identity_change(&self, of: &Phone) {
        let who = [of.jid().to_string(), of.lid().to_string()];
        self.as_whimbrel().sees_identity_change(&who, 0).await;
    }

    /// Waits until a client of ours knows that its link is no more.
    pub(crate) async fn is_logged_out(&self) {
        self.as_whimbrel().is_logged_out().await;
    }

    fn as_whimbrel(&self) -> &Whimbrel {
        match &self.make {
            Make::Whimbrel(client) => client,
            Make::Peer(_) => panic!("{} is a peer", self.label()),
        }
    }

    async fn happens(&self, after: u64, event: ServiceEvent) {
        let found = self.sandbox.events().wait_for_after(after, |seen| *seen == event, DEADLINE).await;
        found.unwrap_or_else(|_| panic!("{event:?} did not happen in time"));
    }
}

fn is_receipt(event: &Event, id: &str, kinds: &[&str]) -> bool {
    match event {
        Event::Receipt(receipt) => {
            kinds.contains(&receipt.r#type.as_str()) && receipt.ids.iter().any(|about| about == id)
        }
        _ => false,
    }
}
