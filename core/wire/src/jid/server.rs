//! The servers of the address space (transport document §4.1).

/// The part of a JID after the `@`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Server {
    /// `s.whatsapp.net`: a user by phone number.
    Pn,
    /// `lid`: a user by hidden id.
    Lid,
    /// `hosted`: the hosted device of a phone-number user.
    Hosted,
    /// `hosted.lid`: the hosted device of a hidden-id user.
    HostedLid,
    /// `c.us`: old spelling of `s.whatsapp.net`.
    Legacy,
    /// `g.us`: a group or community.
    Group,
    /// `broadcast`: a broadcast list or the status feed.
    Broadcast,
    /// `newsletter`: a channel.
    Newsletter,
    /// `bot`: Meta AI and other bots.
    Bot,
    /// `msgr`: a Messenger user.
    Msgr,
    /// `interop`: a user of a third-party network.
    Interop,
    /// `call`: the id of a call.
    Call,
    /// Anything else. Peers send every text that contains an `@` as a JID, so this is often no address at
    /// all; [`Jid::server_name`](super::Jid::server_name) has the name.
    Other,
}

/// Every known server.
const KNOWN: [Server; 12] = [
    Server::Pn,
    Server::Lid,
    Server::Hosted,
    Server::HostedLid,
    Server::Legacy,
    Server::Group,
    Server::Broadcast,
    Server::Newsletter,
    Server::Bot,
    Server::Msgr,
    Server::Interop,
    Server::Call,
];

impl Server {
    /// The known server with this name. Case matters.
    #[inline]
    pub fn from_name(name: &str) -> Option<Server> {
        KNOWN.into_iter().find(|server| server.name() == name)
    }

    /// The name as it stands after the `@`; empty for [`Server::Other`].
    #[inline]
    pub const fn name(self) -> &'static str {
        match self {
            Server::Pn => "s.whatsapp.net",
            Server::Lid => "lid",
            Server::Hosted => "hosted",
            Server::HostedLid => "hosted.lid",
            Server::Legacy => "c.us",
            Server::Group => "g.us",
            Server::Broadcast => "broadcast",
            Server::Newsletter => "newsletter",
            Server::Bot => "bot",
            Server::Msgr => "msgr",
            Server::Interop => "interop",
            Server::Call => "call",
            Server::Other => "",
        }
    }

    /// The largest device number of an address on this server; `None` where addresses have no devices.
    pub const fn max_device(self) -> Option<u16> {
        match self {
            Server::Pn | Server::Lid | Server::Hosted | Server::HostedLid => Some(255),
            Server::Msgr | Server::Interop => Some(u16::MAX),
            _ => None,
        }
    }

    /// The server that stands for the same account: hosted devices and the old spelling fold into the
    /// server of the account they belong to.
    pub const fn account(self) -> Server {
        match self {
            Server::Hosted | Server::Legacy => Server::Pn,
            Server::HostedLid => Server::Lid,
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_the_server() {
        for server in KNOWN {
            assert_eq!(Server::from_name(server.name()), Some(server));
        }
        assert_eq!(Server::from_name(""), None);
        assert_eq!(Server::from_name("LID"), None);
    }
}
