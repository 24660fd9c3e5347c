//! Invitation links, and invitations of single people (features document §2.6, §2.7).

use whimbrel_wire::Jid;

use super::exchange::{invalid, somebody};
use super::info::{self, Group};
use super::stanza::invites as stanza;
use super::{exchange, group_address};
use crate::client::Client;
#[cfg(doc)]
use crate::error::Code;
use crate::error::Error;
use crate::options::CallOptions;

/// What links begin with.
const LINK: &str = "https://chat.whatsapp.com/";

/// An invitation link of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InviteLink {
    /// Its code.
    pub code: String,
    /// The whole link.
    pub url: String,
}

impl InviteLink {
    fn of(code: String) -> Self {
        let url = format!("{LINK}{code}");
        Self { code, url }
    }
}

/// An invitation for this account alone, as a message brings it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Invitation {
    /// The group.
    pub group: Jid,
    /// The code.
    pub code: String,
    /// Until when it can be used, seconds since 1970.
    pub expires_at: i64,
    /// Who sent it, by either address.
    pub admin: Jid,
}

impl Invitation {
    /// An invitation.
    pub fn new(group: Jid, code: impl Into<String>, expires_at: i64, admin: Jid) -> Self {
        Self { group: group.to_bare(), code: code.into(), expires_at, admin: admin.to_account() }
    }

    fn check(&self) -> Result<(), Error> {
        group_address(&self.group)?;
        if !self.admin.is_account() {
            return Err(invalid("the inviter's address is not that of a person"));
        }
        if self.code.is_empty() || self.expires_at < 0 {
            return Err(invalid("the invitation is not complete"));
        }
        Ok(())
    }
}

/// What came of joining a group.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Joined {
    /// The group.
    pub group: Jid,
    /// This account is not in it yet: an admin has to let it in.
    pub waiting: bool,
}

impl Client {
    /// Returns a group's invitation link.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::Forbidden`] if this account may not have it;
    /// [`Code::NotFound`]; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn invite_link(&self, group: &Jid, options: CallOptions) -> Result<InviteLink, Error> {
        let operation = "get_invite_link";
        let group = group_address(group).map_err(|error| error.in_operation(operation))?;
        self.ask_about_groups(
            operation,
            options,
            move |_| Ok(stanza::link(&group)),
            |_, answer| Ok(stanza::code(answer).map(InviteLink::of)),
        )
        .await
    }

    /// Makes a group's invitation link void and returns the new one.
    ///
    /// # Errors
    /// As [`invite_link`](Self::invite_link).
    pub async fn reset_invite_link(&self, group: &Jid, options: CallOptions) -> Result<InviteLink, Error> {
        let operation = "reset_invite_link";
        let group = group_address(group).map_err(|error| error.in_operation(operation))?;
        self.ask_about_groups(
            operation,
            options,
            move |_| Ok(stanza::reset_link(&group)),
            |_, answer| Ok(stanza::code(answer).map(InviteLink::of)),
        )
        .await
    }

    /// Returns what an invitation link leads to, without joining. `link` is a whole link or its code. Not
    /// all members are listed.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for what is no link; [`Code::NotFound`] with the service's number 410 if
    /// the link was made void; [`Code::Refused`] with 406 if there never was such a link, with 423 or 436
    /// if nobody can join now; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn preview_invite_link(&self, link: &str, options: CallOptions) -> Result<Group, Error> {
        let operation = "preview_invite_link";
        let code = invite_code(link).map_err(|error| error.in_operation(operation))?;
        self.preview_group(operation, options, stanza::preview_link(&code)).await
    }

    /// Joins a group by an invitation link. `link` is a whole link or its code.
    ///
    /// # Errors
    /// As [`preview_invite_link`](Self::preview_invite_link), and [`Code::Refused`] with the service's
    /// number 304 or 409 if this account is in it already, 405 if it was removed, 412 or 419 if the
    /// community or group is full.
    pub async fn join_by_link(&self, link: &str, options: CallOptions) -> Result<Joined, Error> {
        let operation = "join_by_link";
        let code = invite_code(link).map_err(|error| error.in_operation(operation))?;
        self.join_group(operation, options, None, move || stanza::join_by_link(&code)).await
    }

    /// Returns what an invitation for this account leads to, without accepting it. Not all members are
    /// listed.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::NotFound`] if there is no such invitation, with the service's
    /// number 410 if it is over or void; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn preview_invitation(
        &self,
        invitation: &Invitation,
        options: CallOptions,
    ) -> Result<Group, Error> {
        let operation = "preview_invitation";
        invitation.check().map_err(|error| error.in_operation(operation))?;
        self.preview_group(operation, options, stanza::preview_invitation(invitation)).await
    }

    /// Accepts an invitation for this account.
    ///
    /// # Errors
    /// As [`preview_invitation`](Self::preview_invitation), and [`Code::Refused`] with the service's
    /// number 304 or 409 if this account is in the group already, 419 if it is full.
    pub async fn accept_invitation(
        &self,
        invitation: &Invitation,
        options: CallOptions,
    ) -> Result<Joined, Error> {
        let operation = "accept_invitation";
        invitation.check().map_err(|error| error.in_operation(operation))?;
        let invitation = invitation.clone();
        let group = invitation.group.clone();
        self.join_group(operation, options, Some(group), move || stanza::accept_invitation(&invitation)).await
    }

    /// Makes the invitations of people void whom this account could not add.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::Forbidden`]; [`Code::NotFound`]; [`Code::NotLinked`];
    /// [`Code::TimedOut`].
    pub async fn revoke_invitations(
        &self,
        group: &Jid,
        people: &[Jid],
        options: CallOptions,
    ) -> Result<(), Error> {
        let operation = "revoke_invitations";
        let checked = group_address(group).and_then(|group| Ok((group, somebody(people)?)));
        let (group, people) = checked.map_err(|error| error.in_operation(operation))?;
        let request = move |unit: &mut crate::messages::Unit<'_>| {
            let row = unit.group(&group)?;
            let people = exchange::addressed(unit, row.as_deref(), &people)?;
            Ok(stanza::revoke_invitations(&group, &people))
        };
        self.ask_about_groups(operation, options, request, |_, _| Ok(Some(()))).await
    }

    pub(super) async fn preview_group(
        &self,
        operation: &'static str,
        options: CallOptions,
        request: whimbrel_wire::Node,
    ) -> Result<Group, Error> {
        self.ask_about_groups(
            operation,
            options,
            |_| Ok(request),
            |unit, answer| {
                let inside =
                    answer.child_named("linked_group").and_then(|linked| linked.child_named("group"));
                let node = answer.child_named("group").or(inside);
                let told = node.and_then(|node| super::stanza::group(node, 0));
                told.map(|(id, row)| info::group(unit, &id, &row)).transpose()
            },
        )
        .await
    }

    pub(super) async fn join_group(
        &self,
        operation: &'static str,
        options: CallOptions,
        asked: Option<Jid>,
        request: impl FnOnce() -> whimbrel_wire::Node + Send + 'static,
    ) -> Result<Joined, Error> {
        self.ask_about_groups(
            operation,
            options,
            |_| Ok(request()),
            move |_, answer| {
                let joined = stanza::joined(answer, asked.as_ref());
                Ok(joined.map(|(group, waiting)| Joined { group, waiting }))
            },
        )
        .await
    }
}

/// The code in a link, in any of the forms in which links are handed around, or the code itself.
fn invite_code(link: &str) -> Result<String, Error> {
    let link = link.trim();
    let rest = match link.split_once("://") {
        Some(("http" | "https", rest)) => host_and_path(rest)?,
        // The form that opens the application: `whatsapp://chat?code=…`.
        Some(("whatsapp", rest)) => query_code(rest).ok_or_else(no_link)?,
        Some(_) => return Err(no_link()),
        None if link.contains('/') => host_and_path(link)?,
        None => link,
    };
    let code = rest.split(['?', '#', '/']).next().unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if code.is_empty() || code.len() > 64 || !code.bytes().all(plain) {
        return Err(no_link());
    }
    Ok(code.to_owned())
}

fn host_and_path(rest: &str) -> Result<&str, Error> {
    let (host, path) = rest.split_once('/').ok_or_else(no_link)?;
    if !host.eq_ignore_ascii_case("chat.whatsapp.com") {
        return Err(no_link());
    }
    Ok(path.strip_prefix("invite/").unwrap_or(path))
}

fn query_code(rest: &str) -> Option<&str> {
    let (_, query) = rest.split_once('?')?;
    query.split('&').find_map(|pair| pair.strip_prefix("code="))
}

fn no_link() -> Error {
    invalid("this is no invitation link")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn links_are_read_in_every_form() {
        for link in [
            "CODE1234567890abcdefgh",
            " https://chat.whatsapp.com/CODE1234567890abcdefgh\n",
            "http://chat.whatsapp.com/CODE1234567890abcdefgh?mode=ac_t",
            "https://Chat.WhatsApp.com/invite/CODE1234567890abcdefgh/",
            "chat.whatsapp.com/CODE1234567890abcdefgh#x",
            "whatsapp://chat?code=CODE1234567890abcdefgh",
            "whatsapp://chat/?a=b&code=CODE1234567890abcdefgh",
        ] {
            assert_eq!(invite_code(link).unwrap(), "CODE1234567890abcdefgh", "{link}");
        }
        assert_eq!(InviteLink::of("C".to_owned()).url, "https://chat.whatsapp.com/C");
        for link in [
            "",
            "https://chat.whatsapp.com/",
            "https://chat.whatsapp.com",
            "https://example.com/CODE",
            "https://chat.whatsapp.com.example.com/CODE",
            "ftp://chat.whatsapp.com/CODE",
            "whatsapp://chat?text=CODE",
            "co de",
        ] {
            assert_eq!(invite_code(link).unwrap_err().code(), Code::InvalidArgument, "{link}");
        }
    }

    #[test]
    fn invitations_have_to_be_complete() {
        let invitation = |group: &str, code: &str, admin: &str| {
            Invitation::new(group.parse().unwrap(), code, 5, admin.parse().unwrap()).check().is_ok()
        };
        assert!(invitation("1203@g.us", "C", "55:3@s.whatsapp.net"));
        assert!(!invitation("1203@g.us", "", "55@lid"));
        assert!(!invitation("55@lid", "C", "55@lid") && !invitation("1203@g.us", "C", "1203@g.us"));
    }
}
