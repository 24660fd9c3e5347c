//! The strict parser for addresses that come through the API (transport document §4.2).

use super::{Jid, Server};
use crate::text::Text;
use std::str::FromStr;

/// Longest text form, in bytes.
const MAX_LEN: usize = 255;

/// Why a text is not a JID. The messages continue "failed to parse the JID: …" and repeat nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JidError {
    /// No text at all.
    #[error("the text is empty")]
    Empty,
    /// More than 255 bytes.
    #[error("the text is longer than 255 bytes")]
    TooLong,
    /// A space or control character.
    #[error("the text contains a space or a control character")]
    BadCharacter,
    /// Neither an `@` nor the name of a server.
    #[error("there is no @ and the text is not a server")]
    NoAtSign,
    /// More than one `@`.
    #[error("there are two @")]
    TwoAtSigns,
    /// Nothing after the `@`.
    #[error("the server is missing")]
    EmptyServer,
    /// A server that addresses never have.
    #[error("the server is unknown")]
    UnknownServer,
    /// A device or other number without a user.
    #[error("the user is missing")]
    EmptyUser,
    /// More than one `:` before the `@`.
    #[error("there are two :")]
    TwoColons,
    /// More than one `.` in a user that may have an agent.
    #[error("there are two dots in the user")]
    TwoDots,
    /// A device, agent or integrator that is not plain decimal.
    #[error("a number is not plain decimal")]
    BadNumber,
    /// A device, agent or integrator beyond its range.
    #[error("a number is out of range")]
    NumberOutOfRange,
    /// A device on a server whose addresses have none.
    #[error("addresses of this server have no devices")]
    DeviceNotAllowed,
    /// An agent that belongs to another server.
    #[error("the agent does not fit the server")]
    AgentConflictsWithServer,
}

impl JidError {
    /// A stable name for logs and tests.
    pub const fn class(self) -> &'static str {
        match self {
            JidError::Empty => "empty",
            JidError::TooLong => "too_long",
            JidError::BadCharacter => "bad_character",
            JidError::NoAtSign => "no_at_sign",
            JidError::TwoAtSigns => "two_at_signs",
            JidError::EmptyServer => "empty_server",
            JidError::UnknownServer => "unknown_server",
            JidError::EmptyUser => "empty_user",
            JidError::TwoColons => "two_colons",
            JidError::TwoDots => "two_dots",
            JidError::BadNumber => "bad_number",
            JidError::NumberOutOfRange => "number_out_of_range",
            JidError::DeviceNotAllowed => "device_not_allowed",
            JidError::AgentConflictsWithServer => "agent_conflicts_with_server",
        }
    }
}

impl FromStr for Jid {
    type Err = JidError;

    fn from_str(text: &str) -> Result<Self, JidError> {
        Jid::parse(text)
    }
}

impl Jid {
    /// Reads an address as a caller writes it: `user@server`, `user:device@server`, or a server alone.
    /// Only known servers are accepted; phone numbers are taken as they are, so spaces or a `+` must be gone.
    pub fn parse(text: &str) -> Result<Jid, JidError> {
        if text.is_empty() {
            return Err(JidError::Empty);
        }
        if text.len() > MAX_LEN {
            return Err(JidError::TooLong);
        }
        if text.bytes().any(|byte| byte <= 0x20 || byte == 0x7f) {
            return Err(JidError::BadCharacter);
        }
        let Some((local, name)) = text.split_once('@') else {
            return Server::from_name(text).map(Jid::server_only).ok_or(JidError::NoAtSign);
        };
        if name.contains('@') {
            return Err(JidError::TwoAtSigns);
        }
        if name.is_empty() {
            return Err(JidError::EmptyServer);
        }
        let server = Server::from_name(name).ok_or(JidError::UnknownServer)?;
        if local.is_empty() {
            return Ok(Jid::server_only(server));
        }
        parse_local(local, server)
    }
}

fn parse_local(local: &str, server: Server) -> Result<Jid, JidError> {
    let (name, device) = match local.split_once(':') {
        Some((_, rest)) if rest.contains(':') => return Err(JidError::TwoColons),
        Some((name, device)) => {
            let max = server.max_device().ok_or(JidError::DeviceNotAllowed)?;
            (name, number(device, max)?)
        }
        None => (local, 0),
    };
    let (user, integrator) = match server {
        Server::Pn | Server::Legacy | Server::Hosted => (without_agent(name, server)?, 0),
        Server::Interop => split_integrator(name)?,
        _ => (name, 0),
    };
    if user.is_empty() {
        return Err(JidError::EmptyUser);
    }
    Ok(Jid::from_parts(Text::copied(user), server, device, integrator))
}

/// `user.agent`: the agent says nothing that the server does not say, so it must agree and is dropped.
fn without_agent(name: &str, server: Server) -> Result<&str, JidError> {
    let Some((user, agent)) = name.split_once('.') else {
        return Ok(name);
    };
    if agent.contains('.') {
        return Err(JidError::TwoDots);
    }
    match (number(agent, 255)?, server) {
        (0, _) | (128, Server::Hosted) => Ok(user),
        _ => Err(JidError::AgentConflictsWithServer),
    }
}

/// `integrator-user`; without the prefix the integrator is 0.
fn split_integrator(name: &str) -> Result<(&str, u16), JidError> {
    match name.split_once('-') {
        Some((integrator, user)) => Ok((user, number(integrator, u16::MAX)?)),
        None => Ok((name, 0)),
    }
}

/// Plain decimal: no sign, no leading zero.
fn number(text: &str, max: u16) -> Result<u16, JidError> {
    let plain = !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'));
    if !plain {
        return Err(JidError::BadNumber);
    }
    match text.parse::<u16>() {
        Ok(number) if number <= max => Ok(number),
        _ => Err(JidError::NumberOutOfRange),
    }
}
