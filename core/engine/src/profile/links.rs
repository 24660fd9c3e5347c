//! Links that lead to people and businesses, as QR symbols hold them (features document §7.7).

use super::{left, stanza};
use crate::client::Client;
use crate::error::{Code, Error, Outcome};
use crate::events::Identity;
use crate::options::CallOptions;

/// Where links to people begin, and those to messages for businesses.
pub(super) const CONTACT: &str = "https://wa.me/qr/";
const MESSAGE: &str = "https://wa.me/message/";

/// The link to this account.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContactLink {
    /// The link, to be shown as it is or as a QR symbol.
    pub link: String,
    /// Its last part.
    pub code: String,
}

/// Who is behind a link.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FoundContactLink {
    /// The person.
    pub who: Identity,
    /// The name that the person gives itself, if the service said it.
    pub name: Option<String>,
}

/// What is behind a link to a message for a business.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MessageLink {
    /// The business.
    pub who: Identity,
    /// The name that it gives itself, if the service said it.
    pub name: Option<String>,
    /// The words that it wants to be written.
    pub text: Option<String>,
    /// The name that the service has verified.
    pub verified_name: Option<String>,
}

impl Client {
    /// The link by which others find this account. `renew`: makes another one; the old one leads nowhere then.
    ///
    /// # Errors
    /// [`Code::Refused`]; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn contact_link(&self, renew: bool, options: CallOptions) -> Result<ContactLink, Error> {
        self.call("get_contact_link", options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let request = stanza::contact_code(renew);
            let answer = connection.request(client.request_ids.next(), request, left(deadline)).await?;
            stanza::own_link(&answer).ok_or_else(unclear)
        })
        .await
    }

    /// Looks up who is behind a link or code of a person.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for what is no such link; [`Code::NotFound`] if it leads nowhere any more;
    /// [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn resolve_contact_link(
        &self,
        link: &str,
        options: CallOptions,
    ) -> Result<FoundContactLink, Error> {
        let found = self.resolve("resolve_contact_link", link, CONTACT, options).await?;
        Ok(found.1)
    }

    /// Looks up what is behind a link or code of a message for a business.
    ///
    /// # Errors
    /// As [`resolve_contact_link`](Self::resolve_contact_link).
    pub async fn resolve_message_link(&self, link: &str, options: CallOptions) -> Result<MessageLink, Error> {
        let (answer, found) = self.resolve("resolve_message_link", link, MESSAGE, options).await?;
        Ok(stanza::message(&answer, found))
    }

    async fn resolve(
        &self,
        operation: &'static str,
        link: &str,
        prefix: &'static str,
        options: CallOptions,
    ) -> Result<(whimbrel_wire::Node, FoundContactLink), Error> {
        let code = code(link, prefix).map_err(|error| error.in_operation(operation))?;
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let request = stanza::resolve(&code);
            let answer = connection.request(client.request_ids.next(), request, left(deadline)).await?;
            let (jid, name) = stanza::contact(&answer).ok_or_else(unclear)?;
            let who = client.unit(|unit| unit.identity_of(&jid)).await?;
            Ok((answer, FoundContactLink { who, name }))
        })
        .await
    }
}

/// The code in a link, or the code itself.
fn code(link: &str, prefix: &str) -> Result<String, Error> {
    let link = link.trim();
    let bare = |text: &str| text.strip_prefix("https://").unwrap_or(text).to_owned();
    let code = bare(link).strip_prefix(&bare(prefix)).map_or_else(|| link.to_owned(), str::to_owned);
    let legal = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
    if code.is_empty() || code.len() > 64 || !code.bytes().all(legal) {
        return Err(Error::new(Code::InvalidArgument, "this is no such link"));
    }
    Ok(code)
}

fn unclear() -> Error {
    Error::new(Code::Refused, "the service's answer could not be read").with_outcome(Outcome::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_codes_are_taken() {
        for link in ["https://wa.me/qr/AB12", "wa.me/qr/AB12", "AB12", " AB12 "] {
            assert_eq!(code(link, CONTACT).unwrap(), "AB12");
        }
        for wrong in ["", "https://wa.me/qr/", "https://wa.me/message/AB12", "AB 12"] {
            assert_eq!(code(wrong, CONTACT).unwrap_err().code(), Code::InvalidArgument, "{wrong}");
        }
        assert_eq!(code("https://wa.me/message/X_1", MESSAGE).unwrap(), "X_1");
    }
}
