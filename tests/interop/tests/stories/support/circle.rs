use std::collections::BTreeSet;
use std::time::Duration;

use whimbrel_sandbox::Group;
use whimbrel_sandbox::phone::{Message, Phone, ReceiptKind};

use super::{DEADLINE, Device, Heard};

/// A conversation in a group, or of two persons with several devices each, that keeps the account of what was said:
/// every device of every member reads every text exactly once, and nobody reads what was said while he was no member.
///
/// One seat speaks at a time, for the reason that [`Talk`](super::Talk) gives.
pub(crate) struct Circle<'a> {
    place: Place<'a>,
    seats: Vec<Seat<'a>>,
}

/// Where it is talked.
#[derive(Clone, Copy)]
enum Place<'a> {
    Group(&'a Group),
    Direct([&'a Phone; 2]),
}

impl Place<'_> {
    /// What somebody calls the chat, first the name to write to.
    fn names(&self, seat: &Phone) -> Vec<String> {
        match self {
            Self::Group(group) => vec![group.jid().to_string()],
            Self::Direct([one, other]) => {
                let partner = if seat.number() == one.number() { other } else { one };
                vec![partner.jid().to_string(), partner.lid().to_string()]
            }
        }
    }

    fn members(&self) -> BTreeSet<String> {
        match self {
            Self::Group(group) => {
                let state = group.state().unwrap();
                state.members.into_iter().map(|member| member.number).collect()
            }
            Self::Direct(pair) => pair.iter().map(|phone| phone.number().to_owned()).collect(),
        }
    }
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
    async fn hears(&mut self, place: Place<'_>) {
        let chats = place.names(self.voice.phone());
        while !self.due.is_empty() {
            let next = self.next(&chats).await;
            let at = self.due.iter().position(|said| said.id == next.id);
            let label = self.voice.label();
            let at = at.unwrap_or_else(|| {
                let log = self.voice.log_about(&next.id);
                panic!("{label} hears twice, or what nobody said: {next:?}; the service's log:\n{log}")
            });
            let said = self.due.remove(at);
            assert_eq!(next.text, said.text, "{label}");
            assert!(chats.contains(&next.chat), "{label}: {next:?} is not in {chats:?}");
            let number = self.voice.phone().number();
            assert_eq!(next.from_me, said.by.split(':').next() == Some(number), "{label}: {next:?}");
            if matches!(self.voice, Voice::Device(_)) {
                assert_eq!(next.quoted, said.quoted, "{label}");
            }
            self.heard.push(next);
        }
    }

    async fn next(&mut self, chats: &[String]) -> Heard {
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
                if chats.contains(&message.chat) {
                    break heard(message);
                }
            },
        }
    }

    /// Nothing has come that is not accounted for.
    async fn has_heard_no_more(&self, place: Place<'_>) {
        match &self.voice {
            Voice::Device(device) => {
                assert_eq!(device.unread_texts(), Vec::<String>::new(), "{} heard more", device.label());
            }
            Voice::Phone(phone) => {
                let shown = phone.messages_after(0, Duration::ZERO).await.into_iter();
                let chats = place.names(phone);
                let shown = shown.filter(|(_, message)| chats.contains(&message.chat));
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
        Self::at(Place::Group(group), devices, phones)
    }

    /// The direct chat of two persons.
    pub(crate) fn direct(pair: [&'a Phone; 2], devices: &[&'a Device]) -> Self {
        Self::at(Place::Direct(pair), devices, &pair)
    }

    fn at(place: Place<'a>, devices: &[&'a Device], phones: &[&'a Phone]) -> Self {
        let devices = devices.iter().map(|device| Seat::new(Voice::Device(device)));
        let phones = phones.iter().map(|phone| Seat::new(Voice::Phone(phone)));
        Self { place, seats: devices.chain(phones).collect() }
    }

    /// A device that was linked in the middle of the conversation: it hears what is said from now on.
    pub(crate) fn joins(&mut self, device: &'a Device) {
        self.seats.push(Seat::new(Voice::Device(device)));
    }

    /// A device that is to be unlinked, and has heard all until then and nothing else. What it reports of that may still
    /// be on its way.
    pub(crate) async fn drops_out(&mut self, device: &Device) {
        let at = self.seats.iter().position(|seat| seat.voice.label() == device.label()).unwrap();
        let seat = self.seats.remove(at);
        assert_eq!(seat.due, [], "{} has not heard all", device.label());
        seat.has_heard_no_more(self.place).await;
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
        let (place, members) = (self.place, self.place.members());
        let seat = self.seat(label);
        let text = format!("text {} from {label}", seat.said.len() + 1);
        let chats = place.names(seat.voice.phone());
        let chat = chats.first().unwrap();
        let id = seat.voice.say(chat, &text, quoted.as_ref()).await;
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
        for seat in self.seats.iter_mut().filter(|seat| seat.listens) {
            seat.hears(self.place).await;
        }
    }

    /// Everybody who is a member and listens says so many texts in turn, and all hear them.
    pub(crate) async fn all_say(&mut self, count: usize) {
        let members = self.place.members();
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
        let members = self.place.members();
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

    /// A device has closed its connection, or opened it again.
    pub(crate) fn is_away(&mut self, device: &Device, away: bool) {
        self.seat(&device.label()).listens = !away;
    }

    /// A device closes its connection.
    pub(crate) async fn goes_away(&mut self, device: &Device) {
        self.is_away(device, true);
        device.leave().await;
    }

    /// A device comes back and hears what was said meanwhile.
    pub(crate) async fn comes_back(&mut self, device: &Device) {
        device.come_back().await;
        let place = self.place;
        let seat = self.seat(&device.label());
        seat.listens = true;
        seat.hears(place).await;
    }

    /// Everything that was said by devices was delivered to somebody and is read by all, and the authors are told so.
    /// Nobody has heard anything else.
    pub(crate) async fn ends(mut self, least: usize) {
        self.all_say(1).await;
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
                Voice::Device(device) => match self.place {
                    Place::Group(group) => device.mark_read_in(&group.jid().to_string(), &others).await,
                    Place::Direct(_) => device.mark_read(&others).await,
                },
                Voice::Phone(phone) => {
                    let ids: Vec<String> = others.into_iter().map(|heard| heard.id).collect();
                    let chats = self.place.names(phone);
                    phone.mark_read(chats.first().unwrap(), &ids).await.unwrap();
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
        self.ends_with_texts(least).await;
    }

    /// As [`Circle::ends`], but the authors need not have been told: for talks in which devices end that have yet to
    /// send their receipts.
    pub(crate) async fn ends_with_texts(self, least: usize) {
        let said: usize = self.seats.iter().map(|seat| seat.said.len()).sum();
        assert!(said >= least, "a short talk proves little: {said} texts");
        for seat in &self.seats {
            assert_eq!(seat.due, [], "{} has not heard all", seat.voice.label());
            seat.has_heard_no_more(self.place).await;
        }
    }
}
