//! Addresses: users, their devices, groups, channels (transport document §4).

mod parse;
mod server;

pub use parse::JidError;
pub use server::Server;

use crate::text::Text;
use std::{
    cmp::Ordering,
    fmt::{self, Write as _},
};

/// The device number of devices hosted by Meta.
pub const HOSTED_DEVICE: u16 = 99;

/// An address: a user, group, channel or server, with a device where the server has devices.
///
/// 32 bytes; users of up to 22 bytes, which is all that exist, are stored in place. Two JIDs are equal if
/// user, server, device and integrator are; see [`Jid::same_bare`] and [`Jid::same_account`] for the two
/// weaker notions. The order keeps the devices of one account beside each other.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Jid {
    /// The user; followed by the server if that is not a known one.
    text: Text<'static>,
    tail: Tail,
}

/// What follows the user. An unknown server has neither device nor integrator, so the room for them holds
/// the place where its name begins.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Tail {
    Known { server: Server, device: u16, integrator: u16 },
    Unknown { user_len: u32 },
}

impl Jid {
    /// The service itself, `s.whatsapp.net`.
    pub const SERVER: Jid = Jid::server_only(Server::Pn);
    /// The group server, `g.us`, to which queries about all groups go.
    pub const GROUPS: Jid = Jid::server_only(Server::Group);
    /// The status feed, `status@broadcast`.
    pub const STATUS: Jid = Jid::constant("status", Server::Broadcast);
    /// Announcements of the service, `0@s.whatsapp.net`.
    pub const ANNOUNCEMENTS: Jid = Jid::constant("0", Server::Pn);
    /// Meta AI by phone number.
    pub const META_AI: Jid = Jid::constant("13135550002", Server::Pn);
    /// Meta AI on the bot server.
    pub const META_AI_BOT: Jid = Jid::constant("867051314767696", Server::Bot);

    const fn constant(user: &'static str, server: Server) -> Jid {
        Jid { text: Text::literal(user), tail: Tail::Known { server, device: 0, integrator: 0 } }
    }

    #[inline]
    pub(crate) fn from_parts(user: Text<'static>, server: Server, device: u16, integrator: u16) -> Jid {
        Jid { text: user, tail: Tail::Known { server, device, integrator } }
    }

    /// What the decoder writes into.
    #[inline]
    pub(crate) fn user_mut(&mut self) -> &mut Text<'static> {
        &mut self.text
    }

    /// Completes what the decoder has written.
    #[inline]
    pub(crate) fn set_server(&mut self, server: Server, device: u16, integrator: u16) {
        self.tail = Tail::Known { server, device, integrator };
    }

    /// The bytes of the user, for writing it without a look at whether it is text.
    #[inline]
    pub(crate) fn user_bytes(&self) -> &[u8] {
        match self.tail {
            Tail::Known { .. } => self.text.as_bytes(),
            Tail::Unknown { .. } => self.user().as_bytes(),
        }
    }

    /// The bare address of `user` on a known server. The user is taken as it is; addresses typed by people
    /// go through [`Jid::parse`].
    pub fn new(user: &str, server: Server) -> Jid {
        Jid::from_parts(Text::copied(user), server, 0, 0)
    }

    /// The bare address of `user` on the server of that name, which need not be a known one.
    pub fn with_server_name(user: &str, server: &str) -> Jid {
        match Server::from_name(server) {
            Some(known) => Jid::new(user, known),
            None => Jid::unknown(user, server),
        }
    }

    pub(crate) fn unknown(user: &str, server: &str) -> Jid {
        // A user beyond 4 GiB cannot come from a frame; were one made by hand, its excess would be read as
        // part of the server, which is still well defined.
        let user_len = u32::try_from(user.len()).unwrap_or(u32::MAX);
        Jid { text: Text::from([user, server].concat()), tail: Tail::Unknown { user_len } }
    }

    /// The account with this phone number: digits, country code first.
    pub fn pn(user: &str) -> Jid {
        Jid::new(user, Server::Pn)
    }

    /// The account with this hidden id.
    pub fn lid(user: &str) -> Jid {
        Jid::new(user, Server::Lid)
    }

    /// The group with this id.
    pub fn group(id: &str) -> Jid {
        Jid::new(id, Server::Group)
    }

    /// The channel with this id.
    pub fn newsletter(id: &str) -> Jid {
        Jid::new(id, Server::Newsletter)
    }

    /// A server without a user.
    pub const fn server_only(server: Server) -> Jid {
        Jid::constant("", server)
    }

    /// The part before the `@`, without device and integrator; empty for a server alone.
    #[inline]
    pub fn user(&self) -> &str {
        match self.tail {
            Tail::Known { .. } => &self.text,
            Tail::Unknown { user_len } => self.text.get(..user_len as usize).unwrap_or(&self.text),
        }
    }

    /// The server.
    #[inline]
    pub fn server(&self) -> Server {
        match self.tail {
            Tail::Known { server, .. } => server,
            Tail::Unknown { .. } => Server::Other,
        }
    }

    /// The name of the server, also of one that is not known.
    pub fn server_name(&self) -> &str {
        match self.tail {
            Tail::Known { server, .. } => server.name(),
            Tail::Unknown { user_len } => self.text.get(user_len as usize..).unwrap_or_default(),
        }
    }

    /// The device; 0 is the account's primary device, and the bare address.
    #[inline]
    pub fn device(&self) -> u16 {
        match self.tail {
            Tail::Known { device, .. } => device,
            Tail::Unknown { .. } => 0,
        }
    }

    /// The third-party network of an `interop` address, 0 for all others.
    #[inline]
    pub fn integrator(&self) -> u16 {
        match self.tail {
            Tail::Known { integrator, .. } => integrator,
            Tail::Unknown { .. } => 0,
        }
    }

    /// The same address without its device: the chat.
    pub fn to_bare(&self) -> Jid {
        self.with_device(0)
    }

    /// The same account's device of this number. Numbers that the server's addresses cannot have are kept
    /// and refused when the address is encoded. An address of an unknown server stays as it is.
    pub fn with_device(&self, device: u16) -> Jid {
        let mut jid = self.clone();
        if let Tail::Known { device: slot, .. } = &mut jid.tail {
            *slot = device;
        }
        jid
    }

    /// The account behind the address: bare, hosted devices and the old spelling folded into the server of
    /// the account. A phone number and a hidden id of the same person stay different.
    pub fn to_account(&self) -> Jid {
        let mut jid = self.to_bare();
        if let Tail::Known { server, .. } = &mut jid.tail {
            *server = server.account();
        }
        jid
    }

    /// The same address with `c.us` spelled `s.whatsapp.net`; what input from callers and stanzas is
    /// normalised to before it is stored.
    pub fn normalized(self) -> Jid {
        match self.tail {
            Tail::Known { server: Server::Legacy, device, integrator } => {
                Jid { text: self.text, tail: Tail::Known { server: Server::Pn, device, integrator } }
            }
            _ => self,
        }
    }

    /// Whether both are the same chat: equal but for the device.
    pub fn same_bare(&self, other: &Jid) -> bool {
        self.server() == other.server() && self.integrator() == other.integrator() && self.same_names(other)
    }

    /// Whether both belong to the same account: equal but for the device, hosted devices and the old
    /// spelling folded.
    pub fn same_account(&self, other: &Jid) -> bool {
        self.server().account() == other.server().account()
            && self.integrator() == other.integrator()
            && self.same_names(other)
    }

    fn same_names(&self, other: &Jid) -> bool {
        self.user_bytes() == other.user_bytes()
            && (self.server() != Server::Other || self.server_name() == other.server_name())
    }

    /// Whether the device is not the primary one.
    pub fn has_device(&self) -> bool {
        self.device() != 0
    }

    /// Whether this is a server without a user.
    pub fn is_server(&self) -> bool {
        self.user_bytes().is_empty()
    }

    /// Whether this is an account by phone number, also in its old spelling.
    pub fn is_pn(&self) -> bool {
        matches!(self.server(), Server::Pn | Server::Legacy) && !self.is_server()
    }

    /// Whether this is an account by hidden id.
    pub fn is_lid(&self) -> bool {
        self.server() == Server::Lid && !self.is_server()
    }

    /// Whether this is a hosted device.
    pub fn is_hosted(&self) -> bool {
        matches!(self.server(), Server::Hosted | Server::HostedLid)
    }

    /// Whether this is a person's or business's account or one of its devices, in any spelling.
    pub fn is_account(&self) -> bool {
        matches!(self.server().account(), Server::Pn | Server::Lid) && !self.is_server()
    }

    /// Whether this is a group or community.
    pub fn is_group(&self) -> bool {
        self.server() == Server::Group && !self.is_server()
    }

    /// Whether this is a broadcast list or the status feed.
    pub fn is_broadcast(&self) -> bool {
        self.server() == Server::Broadcast && !self.is_server()
    }

    /// Whether this is the status feed.
    pub fn is_status(&self) -> bool {
        self.is_broadcast() && self.user() == "status"
    }

    /// Whether this is a channel.
    pub fn is_newsletter(&self) -> bool {
        self.server() == Server::Newsletter && !self.is_server()
    }

    /// Whether this is a bot: an address of the bot server or one of the phone numbers set aside for bots.
    pub fn is_bot(&self) -> bool {
        match self.server() {
            Server::Bot => !self.is_server(),
            Server::Pn => self.device() == 0 && is_bot_number(self.user()),
            _ => false,
        }
    }

    /// The parts in their order of comparison.
    fn key(&self) -> (Server, &str, &[u8], u16, u16) {
        let unknown = if self.server() == Server::Other { self.server_name() } else { "" };
        (self.server(), unknown, self.user_bytes(), self.integrator(), self.device())
    }
}

/// `1313555xxxx` and `131655500xx`.
fn is_bot_number(user: &str) -> bool {
    let rest = user
        .strip_prefix("1313555")
        .filter(|rest| rest.len() == 4)
        .or_else(|| user.strip_prefix("131655500").filter(|rest| rest.len() == 2));
    rest.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
}

impl PartialOrd for Jid {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Jid {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl fmt::Display for Jid {
    /// The text form: device 0 is left out, a server alone is its name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (user, server) = (self.user(), self.server());
        if user.is_empty() && server != Server::Other {
            return f.write_str(server.name());
        }
        if server == Server::Interop {
            write!(f, "{}-", self.integrator())?;
        }
        f.write_str(user)?;
        if self.has_device() {
            write!(f, ":{}", self.device())?;
        }
        f.write_char('@')?;
        f.write_str(self.server_name())
    }
}

impl fmt::Debug for Jid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_jid_takes_32_bytes() {
        assert_eq!(size_of::<Jid>(), 32);
        assert_eq!(size_of::<Option<Jid>>(), 32);
    }

    #[test]
    fn constants_are_what_they_say() {
        for (jid, text) in [
            (Jid::SERVER, "s.whatsapp.net"),
            (Jid::GROUPS, "g.us"),
            (Jid::STATUS, "status@broadcast"),
            (Jid::ANNOUNCEMENTS, "0@s.whatsapp.net"),
            (Jid::META_AI, "13135550002@s.whatsapp.net"),
            (Jid::META_AI_BOT, "867051314767696@bot"),
        ] {
            assert_eq!(jid.to_string(), text);
            assert_eq!(Jid::parse(text), Ok(jid));
        }
    }

    #[test]
    fn predicates_tell_kinds_apart() {
        let jid = |text| Jid::parse(text).unwrap();
        assert!(jid("123@s.whatsapp.net").is_pn() && jid("123@c.us").is_pn());
        assert!(!Jid::SERVER.is_pn() && Jid::SERVER.is_server());
        assert!(jid("123:99@hosted").is_hosted() && jid("123:99@hosted.lid").is_account());
        assert!(jid("123@lid").is_lid() && jid("123@lid").is_account());
        assert!(jid("123-456@g.us").is_group() && !Jid::GROUPS.is_group());
        assert!(Jid::STATUS.is_status() && Jid::STATUS.is_broadcast());
        assert!(!jid("12@broadcast").is_status());
        assert!(jid("12@newsletter").is_newsletter() && !jid("12@newsletter").is_account());
        assert!(jid("12:3@lid").has_device() && !jid("12:0@lid").has_device());
    }

    #[test]
    fn bots_have_their_server_or_reserved_numbers() {
        for (text, bot) in [
            ("867051314767696@bot", true),
            ("13135550002@s.whatsapp.net", true),
            ("13135559999@s.whatsapp.net", true),
            ("13165550012@s.whatsapp.net", true),
            ("131655500123@s.whatsapp.net", false),
            ("131355500020@s.whatsapp.net", false),
            ("13135550002:1@s.whatsapp.net", false),
            ("13135550002@lid", false),
            ("bot", false),
        ] {
            assert_eq!(Jid::parse(text).unwrap().is_bot(), bot, "{text}");
        }
    }

    #[test]
    fn unknown_servers_keep_user_and_name_apart() {
        let jid = Jid::with_server_name("me", "home");
        assert_eq!((jid.user(), jid.server(), jid.server_name()), ("me", Server::Other, "home"));
        assert_eq!(jid.to_string(), "me@home");
        assert_ne!(jid, Jid::with_server_name("meh", "ome"));
        assert_eq!(jid.with_device(7), jid);
        assert_eq!(Jid::with_server_name("", "home").to_string(), "@home");
        assert_eq!(Jid::with_server_name("1", "lid"), Jid::lid("1"));
        assert!(!jid.same_bare(&Jid::with_server_name("me", "work")));
    }

    #[test]
    fn devices_of_an_account_stay_together_in_order() {
        let texts = ["2@lid", "1:3@lid", "1@lid", "1:2@lid", "1@s.whatsapp.net"];
        let set: BTreeSet<Jid> = texts.iter().map(|text| text.parse().unwrap()).collect();
        let order: Vec<String> = set.iter().map(Jid::to_string).collect();
        assert_eq!(order, ["1@s.whatsapp.net", "1@lid", "1:2@lid", "1:3@lid", "2@lid"]);
    }

    #[test]
    fn normalising_only_respells_the_old_server() {
        assert_eq!(Jid::parse("1@c.us").unwrap().normalized(), Jid::pn("1"));
        assert_eq!(Jid::lid("1").normalized(), Jid::lid("1"));
    }
}
