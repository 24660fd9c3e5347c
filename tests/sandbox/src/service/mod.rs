//! The service's state and rules: synchronous and deterministic, without sockets and timers.
//!
//! Whatever happens comes in through a method of [`Service`]; what shall be done outside goes out
//! as [`Effect`]s, in order. A companion's socket and a phone's in-process link are the same here:
//! a stream of stanzas with a number.

mod accounts;
mod appstate;
mod blocklist;
mod business;
mod calls;
mod channels;
mod crowd;
mod devices;
mod effects;
mod groups;
mod inspect;
mod iq;
mod link;
mod login;
mod media;
mod messages;
mod mex;
mod notifications;
mod offline;
mod pictures;
mod prekeys;
mod presence;
mod privacy;
mod profile;
mod proof;
mod properties;
mod receipts;
mod restrictions;
mod settings;
mod standing;
mod status;
mod tokens;
mod usernames;
mod usync;

use std::collections::BTreeMap;
use std::sync::Arc;

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use whimbrel_wire::{Jid, Node};

pub(crate) use accounts::DeviceId;
pub use appstate::{AppStateFault, AppStateFaultRule, AppStatePace};
pub use calls::CallState;
pub(crate) use calls::CallStep;
pub use channels::{ChannelState, PostState};
pub(crate) use effects::{Closing, Effect, Wake};
pub use groups::{GroupState, MemberState};
pub use inspect::DeviceState;
pub(crate) use login::Admission;
pub use status::StatusAudience;

use accounts::Accounts;
use groups::Groups;
use link::Links;
use messages::Routes;

use crate::counters::Counters;
use crate::events::{Event, EventLog};
use crate::faults::{self, Fault, Faults, Point};
use crate::media::Shelf;
use crate::options::Options;
use crate::report::{Finding, Report};
use crate::stanza::{self, Refusal};
use crate::tamper::{self, WrongList};

/// Number of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StreamId(pub(crate) u64);

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    /// A companion that is being linked.
    Registering,
    /// A device that is logged in.
    Device(DeviceId),
    /// It has been told to go; what it still sends is ignored.
    Closing,
}

/// The service.
#[derive(Debug)]
pub(crate) struct Service {
    accounts: Accounts,
    streams: BTreeMap<StreamId, Stream>,
    links: Links,
    groups: Groups,
    channels: channels::Channels,
    calls: calls::Calls,
    businesses: business::Businesses,
    routes: Routes,
    media: media::MediaHosts,
    pictures: pictures::Pictures,
    names: usernames::Names,
    tokens: tokens::Tokens,
    properties: properties::Properties,
    /// The files of the media hosts.
    shelf: Arc<Shelf>,
    app_state_faults: appstate::AppStateFaults,
    counters: Counters,
    faults: Faults,
    report: Report,
    events: EventLog,
    options: Options,
    rng: ChaCha20Rng,
    /// Unix seconds at the beginning of the present call.
    now: u64,
    last_stream: u64,
    last_id: u64,
    effects: Vec<Effect>,
}

impl Service {
    pub(crate) fn new(options: Options, events: EventLog, shelf: Arc<Shelf>) -> Self {
        Self {
            accounts: Accounts::default(),
            streams: BTreeMap::new(),
            links: Links::default(),
            groups: Groups::default(),
            channels: channels::Channels::default(),
            calls: calls::Calls::default(),
            businesses: business::Businesses::default(),
            routes: Routes::default(),
            media: media::MediaHosts::default(),
            pictures: pictures::Pictures::default(),
            names: usernames::Names::default(),
            tokens: tokens::Tokens::default(),
            properties: properties::Properties::default(),
            shelf,
            app_state_faults: appstate::AppStateFaults::default(),
            counters: Counters::default(),
            faults: Faults::default(),
            report: Report::default(),
            events,
            rng: ChaCha20Rng::seed_from_u64(options.seed),
            now: options.clock.now(),
            last_stream: 0,
            last_id: 0,
            effects: Vec::new(),
            options,
        }
    }

    /// Does something at the present time and returns what it wants done.
    pub(crate) fn run<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> (T, Vec<Effect>) {
        self.now = self.options.clock.now();
        let result = work(self);
        (result, std::mem::take(&mut self.effects))
    }

    pub(crate) fn faults_mut(&mut self) -> &mut Faults {
        &mut self.faults
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    pub(crate) fn report(&self) -> &Report {
        &self.report
    }

    /// A stanza came in.
    pub(crate) fn incoming(&mut self, stream: StreamId, node: &Node) {
        match self.streams.get(&stream) {
            Some(Stream::Registering) => self.linking_stanza(stream, node),
            Some(Stream::Device(device)) => {
                let device = *device;
                self.device_stanza(stream, device, node);
            }
            Some(Stream::Closing) | None => {}
        }
    }

    /// A connection is gone.
    pub(crate) fn disconnected(&mut self, stream: StreamId) {
        match self.streams.remove(&stream) {
            Some(Stream::Device(device)) => self.device_gone(device, stream),
            Some(Stream::Registering) => self.registration_gone(stream),
            Some(Stream::Closing) | None => {}
        }
    }

    /// A reminder is due.
    pub(crate) fn woken(&mut self, wake: Wake) {
        match wake {
            Wake::Drain { stream, done } => self.drain_silence(stream, done),
            Wake::RefsUnacknowledged { stream } => self.refs_unacknowledged(stream),
            Wake::RefsOver { stream, round } => self.refs_over(stream, round),
            Wake::SignatureMissing { stream } => self.signature_missing(stream),
        }
    }

    fn device_gone(&mut self, id: DeviceId, stream: StreamId) {
        let now = self.now;
        let Some(device) = self.accounts.device_mut(id) else { return };
        if device.stream != Some(stream) {
            return;
        }
        device.stream = None;
        device.active = false;
        device.last_seen = now;
        device.subscriptions.clear();
        device.queue.disconnected();
        let was_available = std::mem::take(&mut device.available);
        self.watches_nothing(id);
        let label = self.accounts.label(id);
        self.log(Event::Disconnected { device: label });
        if was_available {
            self.announce_presence(id.account);
        }
    }

    /// A stanza of a companion that is being linked.
    fn linking_stanza(&mut self, stream: StreamId, node: &Node) {
        let fault = self.faults.take(Point::Incoming, faults::LINKING, &stanza::seen(node));
        if let Some(fault) = &fault {
            let device = faults::LINKING.to_owned();
            self.log(Event::FaultApplied { device, fault: format!("{fault:?}") });
        }
        match fault {
            Some(Fault::StreamError { code, conflict }) => {
                self.stream_error(stream, code, conflict.as_deref());
            }
            Some(Fault::Cut) => self.cut(stream),
            Some(Fault::Lose) => {}
            Some(Fault::Refuse { code, text, backoff }) if node.tag() == "iq" => {
                let usual = Refusal::code(code);
                let refusal = Refusal { text: text.unwrap_or(usual.text), backoff, ..usual };
                self.send(stream, stanza::error(node, &refusal));
            }
            _ => self.registering_stanza(stream, node),
        }
    }

    fn device_stanza(&mut self, stream: StreamId, device: DeviceId, node: &Node) {
        let label = self.accounts.label(device);
        let fault = self.faults.take(Point::Incoming, &label, &stanza::seen(node));
        if let Some(fault) = &fault {
            self.log(Event::FaultApplied { device: label, fault: format!("{fault:?}") });
        }
        match fault {
            Some(Fault::StreamError { code, conflict }) => {
                return self.stream_error(stream, code, conflict.as_deref());
            }
            Some(Fault::Cut) => return self.cut(stream),
            Some(Fault::Lose) => return,
            Some(Fault::Refuse { code, text, backoff }) => {
                let usual = Refusal::code(code);
                let refusal = Refusal { text: text.unwrap_or(usual.text), backoff, ..usual };
                return self.refuse(stream, device, node, &refusal);
            }
            _ => {}
        }
        match node.tag() {
            "iq" => self.request(stream, device, node),
            "message" => self.message(stream, device, node),
            "receipt" => self.receipt(stream, device, node),
            "ack" => self.ack(stream, device, node),
            "presence" => self.presence(stream, device, node),
            "chatstate" => self.chat_state(device, node),
            "call" => self.call(stream, device, node),
            "ib" => self.client_bulletin(stream, device, node),
            "notification" if device.number == 0 => self.phone_notifies(device, node),
            other => {
                self.find_fault(Some(device), stream, "unknown stanza", format!("<{other}>"));
                let class = other.to_owned();
                let ack = Node::new("ack")
                    .attr("class", class)
                    .attr("id", stanza::id(node))
                    .attr("from", node.attr_jid("to").unwrap_or(Jid::SERVER))
                    .attr("error", "488");
                self.answer(stream, device, node, ack);
            }
        }
    }

    /// Refuses a stanza in the manner of its kind, without handling it.
    fn refuse(&mut self, stream: StreamId, device: DeviceId, node: &Node, refusal: &Refusal) {
        match node.tag() {
            "iq" => self.answer(stream, device, node, stanza::error(node, refusal)),
            "message" => self.refuse_message(stream, device, node, refusal.code),
            _ => {}
        }
    }

    /// Sends the answer to a client's stanza, unless a fault wants it otherwise.
    fn answer(&mut self, stream: StreamId, device: DeviceId, request: &Node, answer: Node) {
        let label = self.accounts.label(device);
        let fault = self.faults.take(Point::Answer, &label, &stanza::seen(request));
        if let Some(fault) = &fault {
            self.log(Event::FaultApplied { device: label, fault: format!("{fault:?}") });
        }
        match fault {
            Some(Fault::SwallowAnswer) => {}
            Some(Fault::CutBeforeAnswer) => self.cut(stream),
            Some(Fault::DelayAnswer { ms }) => self.send_later(stream, answer, ms),
            Some(Fault::RepeatAnswer) => {
                self.send(stream, answer.clone());
                self.send(stream, answer);
            }
            Some(Fault::MissingDevices) => self.send(stream, tamper::devices(&answer, WrongList::Missing)),
            Some(Fault::ExtraDevice) => self.send(stream, tamper::devices(&answer, WrongList::Extra)),
            Some(Fault::BadListSignature) => {
                self.send(stream, tamper::devices(&answer, WrongList::Signature))
            }
            Some(Fault::FormerDevices) => {
                let answer = tamper::with_devices(&answer, &|user| self.former_devices(user));
                self.send(stream, answer);
            }
            Some(Fault::MarkAnswer { name, value }) => self.send(stream, answer.attr(name, value)),
            _ => self.send(stream, answer),
        }
    }

    /// Sends a stanza, unless a fault wants it otherwise.
    fn send(&mut self, stream: StreamId, node: Node) {
        let device = self.device_on(stream);
        let label = match (self.streams.get(&stream), device) {
            (_, Some(device)) => Some(self.accounts.label(device)),
            (Some(Stream::Registering), _) => Some(faults::LINKING.to_owned()),
            _ => None,
        };
        let fault = label.and_then(|label| {
            let fault = self.faults.take(Point::Outgoing, &label, &stanza::seen(&node))?;
            self.log(Event::FaultApplied { device: label, fault: format!("{fault:?}") });
            Some((device, fault))
        });
        match fault {
            Some((Some(device), Fault::Swallow)) => self.forget_queued(device, &node),
            Some((None, Fault::Swallow)) => {}
            Some((_, Fault::Delay { ms })) => self.send_later(stream, node, ms),
            Some((_, Fault::Repeat)) => {
                self.send_later(stream, node.clone(), 0);
                self.send_later(stream, node, 0);
            }
            Some((_, Fault::RepeatLater { ms })) => {
                self.send_later(stream, node.clone(), 0);
                self.send_later(stream, node, ms);
            }
            Some((_, Fault::CutInside { bytes })) => self.effects.push(Effect::Tear { stream, node, bytes }),
            Some((_, fault)) => self.send_later(stream, tampered(node, &fault), 0),
            _ => self.send_later(stream, node, 0),
        }
    }

    fn send_later(&mut self, stream: StreamId, node: Node, after_ms: u64) {
        self.effects.push(Effect::Send { stream, node, after_ms });
    }

    fn wake(&mut self, wake: Wake, after_ms: u64) {
        self.effects.push(Effect::Wake { wake, after_ms });
    }

    /// An information bulletin with one child.
    fn bulletin(&mut self, stream: StreamId, child: Node) {
        self.send(stream, Node::new("ib").attr("from", Jid::SERVER).child(child));
    }

    /// Ends a stream with an error that names its cause (transport document §6.4).
    fn stream_error(&mut self, stream: StreamId, code: Option<u16>, conflict: Option<&str>) {
        let conflict = conflict.map(|kind| Node::new("conflict").attr("type", kind.to_owned()));
        let error = Node::new("stream:error").attr_opt("code", code).child_opt(conflict);
        self.end_with(stream, error);
    }

    /// Sends a last stanza and closes a little later.
    fn end_with(&mut self, stream: StreamId, last: Node) {
        self.send(stream, last);
        let after_ms = millis(self.options.limits.close_delay);
        self.close(stream, Closing::Code(1000), after_ms);
    }

    /// Cuts everybody off but phones.
    pub(crate) fn cut_clients(&mut self) {
        let phone = |kind: &Stream| matches!(kind, Stream::Device(device) if device.number == 0);
        let clients: Vec<StreamId> =
            self.streams.iter().filter(|(_, kind)| !phone(kind)).map(|(stream, _)| *stream).collect();
        for stream in clients {
            self.cut(stream);
        }
    }

    fn cut(&mut self, stream: StreamId) {
        self.close(stream, Closing::Cut, 0);
    }

    fn close(&mut self, stream: StreamId, how: Closing, after_ms: u64) {
        match self.streams.insert(stream, Stream::Closing) {
            Some(Stream::Device(device)) => self.device_gone(device, stream),
            Some(Stream::Registering) => self.registration_gone(stream),
            Some(Stream::Closing) | None => {}
        }
        self.effects.push(Effect::Close { stream, how, after_ms });
    }

    fn log(&self, event: Event) {
        self.events.push(event);
    }

    /// Notes that a client did what no real client does. Tells whether the stanza shall be refused for it.
    fn find_fault(
        &mut self,
        device: Option<DeviceId>,
        stream: StreamId,
        rule: &'static str,
        detail: String,
    ) -> bool {
        let device = device.map_or_else(|| format!("connection {}", stream.0), |id| self.accounts.label(id));
        self.log(Event::Reported { device: device.clone(), rule: rule.to_owned(), detail: detail.clone() });
        self.report.add(Finding { device, rule, detail });
        self.options.strict
    }

    fn device_on(&self, stream: StreamId) -> Option<DeviceId> {
        match self.streams.get(&stream) {
            Some(Stream::Device(device)) => Some(*device),
            _ => None,
        }
    }

    fn new_stream(&mut self, kind: Stream) -> StreamId {
        self.last_stream += 1;
        let stream = StreamId(self.last_stream);
        self.streams.insert(stream, kind);
        stream
    }

    /// Id of a stanza of the service: plain decimal, which no client's id looks like.
    fn next_id(&mut self) -> String {
        self.last_id += 1;
        self.last_id.to_string()
    }

    fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng.fill_bytes(&mut bytes);
        bytes
    }

    /// `count` random decimal digits, the first not zero.
    fn random_digits(&mut self, count: usize) -> String {
        let mut digits = String::new();
        while digits.len() < count {
            let digit = self.rng.next_u32() % 10;
            if digit > 0 || !digits.is_empty() {
                digits.push(char::from_digit(digit, 10).unwrap_or('1'));
            }
        }
        digits
    }
}

/// A stanza as a fault wants it. Faults that are about messages leave everything else alone.
fn tampered(node: Node, fault: &Fault) -> Node {
    if let Fault::MarkChild { name, value } = fault {
        return tamper::child_marked(&node, name, value);
    }
    if *fault == Fault::OtherRegistration && stanza::plain(&node, "type") == Some("retry") {
        return tamper::of_other_registration(&node);
    }
    if !tamper::is_message(&node) {
        return node;
    }
    match fault {
        Fault::Corrupt => tamper::corrupted(&node),
        Fault::WrongVersion => tamper::of_no_version(&node),
        Fault::UnknownType => tamper::of_unknown_type(&node),
        Fault::Unavailable { kind } => tamper::unavailable(&node, kind.as_deref()),
        Fault::NoSenderKey => tamper::without_sender_key(&node).unwrap_or(node),
        Fault::SenderKeyLast => tamper::sender_key_last(&node),
        _ => node,
    }
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
