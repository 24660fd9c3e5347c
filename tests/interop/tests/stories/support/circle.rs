use std::collections::BTreeSet;
use std::time::Duration;

use whimbrel_sandbox::Group;
use whimbrel_sandbox::phone::{Message, Phone, ReceiptKind};

use super::{DEADLINE, Device, Heard};

/// A conversation in a group that keeps the account of what was said: every device of every member reads every text
/// exactly once, and nobody reads what was said while he was no member.
///
/// One seat speaks at a time, for the reason that [`Talk`](super::Talk) gives.
pub(crate) struct Circle<'a> {
    group: &'a Group,
    seats: Vec<Seat<'a>>,
}

/// A device or phone in the circle.
struct Seat<'a> {
    voice: Voice<'a>,
    /// Whether it takes part: neither away nor out of the group.
    listens: bool,
    said: Vec<Said>,
    /// What it has not heard yet.
    due: Vec<Said>,
    heard: Vec<Heard>,
    /// Last entry of a phone's list that was looked at.
    looked: u64,
}

#[derive(Clone)]
enum Voice<'a> {
    Device(&'a Device),
    Phone(&'a Phone),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    id: String,
    text: String,
    by: String,
    quoted: Option<String>,
}

impl Voice<'_> {
    fn phone(&self) -> &Phone {
        match self {
            Self::Device(device) => device.phone(),
            Self::Phone(phone) => phone,
        }
    }

    fn label(&self) -> String {
        match self {
            Self::Device(device) => device.label(),
            Self::Phone(phone) => phone.number().to_owned(),
        }
    }

    /// What the service knows of a message, for failure reports.
    fn log_about(&self, id: &str) -> String {
        match self {
            Self::Device(device) => device.log_about(id),
            Self::Phone(_) => String::new(),
        }
    }

    async fn say(&self, group: &str, text: &str, quoted: Option<&Heard>) -> String {
        match self {
            Self::Device(device) => match quoted {
                Some(heard) => device.reply_in(group, text, heard).await,
                None => device.say_in(group, text).await,
            },
            Self::Phone(phone) => phone.send_text(group, text).await.unwrap(),
        }
    }
}

impl<'a> Seat<'a> {
    fn new(voice: Voice<'a>) -> Self {
        Self { voice, listens: true, said: Vec::new(), due: Vec::new(), heard: Vec::new(), looked: 0 }
    }

    /// Hears exactly what is due, in whatever order.
    async fn hears(&mut self, group: &str) {
        while !self.due.is_empty() {
            let next = self.next(group).await;
            let at = self.due.iter().position(|said| said.id == next.id);
            let label = self.voice.label();
            let at = at.unwrap_or_else(|| {
                let log = self.voice.log_about(&next.id);
                panic!("{label} hears twice, or what nobody said: {next:?}; the service's log:\n{log}")
            });
            let said = self.due.remove(at);
            assert_eq!((&next.text, next.chat.as_str()), (&said.text, group), "{label}");
            let number = self.voice.phone().number();
            assert_eq!(next.from_me, said.by.split(':').next() == Some(number), "{label}: {next:?}");
            if matches!(self.voice, Voice::Device(_)) {
                assert_eq!(next.quoted, said.quoted, "{label}");
            }
            self.heard.push(next);
        }
    }

    async fn next(&mut self, group: &str) -> Heard {
        let missing: Vec<String> =
            self.due.iter().map(|said| format!("{:?} ({})", said.text, said.id)).collect();
        let what = format!("one of {missing:?}");
        match &self.voice {
            Voice::Device(device) => device.hear(&what).await,
            Voice::Phone(phone) => loop {
                let entries = phone.messages_after(self.looked, DEADLINE).await;
                let (number, message) =
                    entries.into_iter().next().unwrap_or_else(|| panic!("{} lacks {what}", phone.name()));
                self.looked = number;
                if message.chat == group {
                    break heard(message);
                }
            },
        }
    }

    /// Nothing has come that is not accounted for.
    async fn has_heard_no_more(&self, group: &str) {
        match &self.voice {
            Voice::Device(device) => {
                assert_eq!(device.unread_texts(), Vec::<String>::new(), "{} heard more", device.label());
            }
            Voice::Phone(phone) => {
                let shown = phone.messages_after(0, Duration::ZERO).await.into_iter();
                let shown = shown.filter(|(_, message)| message.chat == group);
                assert_eq!(shown.count(), self.heard.len(), "{} shows more", phone.name());
            }
        }
    }
}

fn heard(message: Message) -> Heard {
    Heard {
        id: message.id,
        chat: message.chat,
        sender: message.author,
        from_me: message.from_me,
        text: message.text,
        quoted: None,
    }
}

impl<'a> Circle<'a> {
    pub(crate) fn new(group: &'a Group, devices: &[&'a Device], phones: &[&'a Phone]) -> Self {
        let devices = devices.iter().map(|device| Seat::new(Voice::Device(device)));
        let phones = phones.iter().map(|phone| Seat::new(Voice::Phone(phone)));
        Self { group, seats: devices.chain(phones).collect() }
    }

    fn jid(&self) -> String {
        self.group.jid().to_string()
    }

    fn members(&self) -> BTreeSet<String> {
        let state = self.group.state().unwrap();
        state.members.into_iter().map(|member| member.number).collect()
    }

    fn seat(&mut self, label: &str) -> &mut Seat<'a> {
        let found = self.seats.iter_mut().find(|seat| seat.voice.label() == label);
        found.unwrap_or_else(|| panic!("nobody here is called {label}"))
    }

    /// One seat says so many texts. Those who are away will hear them when they are back.
    pub(crate) async fn says(&mut self, label: &str, count: usize) {
        for _ in 0..count {
            self.says_one(label, None).await;
        }
    }

    async fn says_one(&mut self, label: &str, quoted: Option<Heard>) {
        let (group, members) = (self.jid(), self.members());
        let seat = self.seat(label);
        let text = format!("text {} from {label}", seat.said.len() + 1);
        let id = seat.voice.say(&group, &text, quoted.as_ref()).await;
        let said = Said { id, text, by: label.to_owned(), quoted: quoted.map(|heard| heard.id) };
        seat.said.push(said.clone());
        for seat in &mut self.seats {
            if seat.voice.label() != label && members.contains(seat.voice.phone().number()) {
                seat.due.push(said.clone());
            }
        }
    }

    /// Everybody who listens hears what is due.
    pub(crate) async fn hear(&mut self) {
        let group = self.jid();
        for seat in self.seats.iter_mut().filter(|seat| seat.listens) {
            seat.hears(&group).await;
        }
    }

    /// Everybody who is a member and listens says so many texts in turn, and all hear them.
    pub(crate) async fn all_say(&mut self, count: usize) {
        let members = self.members();
        let speakers =
            self.seats.iter().filter(|seat| seat.listens && members.contains(seat.voice.phone().number()));
        let labels: Vec<String> = speakers.map(|seat| seat.voice.label()).collect();
        for label in labels {
            self.says(&label, count).await;
            self.hear().await;
        }
    }

    /// Every device answers what it heard last.
    pub(crate) async fn all_quote(&mut self) {
        let members = self.members();
        let speakers = self.seats.iter().filter(|seat| {
            matches!(seat.voice, Voice::Device(_))
                && seat.listens
                && members.contains(seat.voice.phone().number())
        });
        let labels: Vec<String> = speakers.map(|seat| seat.voice.label()).collect();
        for label in labels {
            // Not one's own, from another device: programs quote with the name of another person.
            let heard = &self.seat(&label).heard;
            let quoted = heard.iter().rev().find(|heard| !heard.from_me).cloned();
            self.says_one(&label, quoted).await;
            self.hear().await;
        }
    }

    /// A device closes its connection.
    pub(crate) async fn goes_away(&mut self, device: &Device) {
        self.seat(&device.label()).listens = false;
        device.leave().await;
    }

    /// A device comes back and hears what was said meanwhile.
    pub(crate) async fn comes_back(&mut self, device: &Device) {
        let group = self.jid();
        device.come_back().await;
        let seat = self.seat(&device.label());
        seat.listens = true;
        seat.hears(&group).await;
    }

    /// Everything that was said by devices was delivered to somebody and is read by all, and the authors are told so.
    /// Nobody has heard anything else.
    pub(crate) async fn ends(mut self, least: usize) {
        self.all_say(1).await;
        let group = self.jid();
        for seat in &self.seats {
            let ids: Vec<String> = seat.said.iter().map(|said| said.id.clone()).collect();
            if let Voice::Device(device) = seat.voice {
                device.see_delivered(&ids).await;
            }
        }
        for seat in &self.seats {
            let others: Vec<Heard> = seat.heard.iter().filter(|heard| !heard.from_me).cloned().collect();
            match seat.voice {
                _ if others.is_empty() => {}
                Voice::Device(device) => device.mark_read_in(&group, &others).await,
                Voice::Phone(phone) => {
                    let ids: Vec<String> = others.into_iter().map(|heard| heard.id).collect();
                    phone.mark_read(&group, &ids).await.unwrap();
                }
            }
        }
        for seat in &self.seats {
            for said in &seat.said {
                match seat.voice {
                    Voice::Device(device) => device.see_read(std::slice::from_ref(&said.id)).await,
                    Voice::Phone(phone) => {
                        phone.wait_receipt(&said.id, ReceiptKind::Read, DEADLINE).await.unwrap();
                    }
                }
            }
        }
        let said: usize = self.seats.iter().map(|seat| seat.said.len()).sum();
        assert!(said >= least, "a short talk proves little: {said} texts");
        for seat in &self.seats {
            assert_eq!(seat.due, [], "{} has not heard all", seat.voice.label());
            seat.has_heard_no_more(&group).await;
        }
    }
}
