//! Making a group (features document §2.3).

use std::sync::Arc;

use rand_core::Rng as _;
use tokio::time::Instant;
use whimbrel_wire::Jid;

use super::exchange::{invalid, left, people, unclear};
use super::info::{self, Group};
use super::participants::with_tokens;
use super::participants::{self, ParticipantResult};
use super::stanza::{Draft, Shape};
use super::{exchange, query, stanza};
use crate::client::{Client, Inner};
#[cfg(doc)]
use crate::error::Code;
use crate::error::Error;
use crate::options::CallOptions;
use crate::properties::Property;

/// How a new group is set up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupOptions {
    /// Only admins may send. Default `false`.
    pub announce: bool,
    /// Only admins may change subject, description and picture. Default `false`.
    pub locked: bool,
    /// Admins have to approve who joins. Default `false`.
    pub approval_required: bool,
    /// After how many seconds new messages disappear; 0 (default): never. The service knows 86,400,
    /// 604,800 and 7,776,000.
    pub ephemeral_seconds: u32,
    /// Its description, at most 2,048 characters. Default: none.
    pub description: Option<String>,
    /// Every member may add others, not only admins. Default: as the service has it.
    pub members_may_add: Option<bool>,
    /// Every member may hand out the invitation link, not only admins. Default: as the service has it.
    pub members_may_invite: Option<bool>,
    /// The community that it is to be in. Default: none.
    pub community: Option<Jid>,
    /// Only its members see it in that community. Default `false`.
    pub hidden: bool,
}

impl GroupOptions {
    fn check(&self) -> Result<(), Error> {
        let strange = self.community.as_ref().is_some_and(|community| !community.is_group());
        if strange { Err(invalid("the address is not that of a community")) } else { Ok(()) }
    }
}

/// A new group.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CreatedGroup {
    /// The group, with those who are in it.
    pub group: Group,
    /// Those who could not be added, and why.
    pub refused: Vec<ParticipantResult>,
}

impl Client {
    /// Makes a group of this account and the given people. People whose settings forbid it are left out
    /// and listed in `refused`, with a code to invite them by.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for addresses that are no people's, or no community's; [`Code::Refused`]
    /// when the service does not take the name, the description or the number of people;
    /// [`Code::Forbidden`] or [`Code::NotFound`] if this account may not make groups in the community;
    /// [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn create_group(
        &self,
        subject: &str,
        participants: &[Jid],
        setup: GroupOptions,
        options: CallOptions,
    ) -> Result<CreatedGroup, Error> {
        let operation = "create_group";
        let checked = setup.check().and_then(|()| people(participants));
        let people = checked.map_err(|error| error.in_operation(operation))?;
        let subject = subject.to_owned();
        self.call(operation, options.timeout, move |client, deadline| async move {
            let about = setup.description.as_deref();
            make(&client, deadline, &subject, about, &people, Shape::Group(&setup)).await
        })
        .await
    }
}

/// Makes a group or a community, and writes down what the service says of it.
pub(super) async fn make(
    client: &Arc<Inner>,
    deadline: Instant,
    subject: &str,
    about: Option<&str>,
    people: &[Jid],
    shape: Shape<'_>,
) -> Result<CreatedGroup, Error> {
    client.linked_account()?;
    let connection = client.wait_for_connection(deadline).await?;
    let members = client.unit(|unit| exchange::addressed(unit, None, people)).await?;
    let description = about.filter(|text| !text.is_empty()).map(|text| (fresh_id(client), text));
    let draft = Draft { subject, key: fresh_id(client), members: &members, description, shape };
    let request = stanza::create(&draft);
    let request = with_tokens(client, request, &members, Property::TokenOnGroupCreate).await?;
    let answer = connection.request(client.request_ids.next(), request, left(deadline)).await?;
    let now = client.server_now_ms().div_euclid(1000);
    let told = answer.child_named("group").and_then(|node| Some((node, stanza::group(node, now)?)));
    let Some((node, (id, mut row))) = told else {
        return Err(unclear("the service did not say what group it made"));
    };
    // The answer about a community may leave out that it is one.
    row.is_community |= matches!(shape, Shape::Community(_));
    let refused: Vec<_> =
        participants::results(node).into_iter().filter(|entry| entry.refused.is_some()).collect();
    client
        .unit(|unit| {
            query::store(unit, &id, row.clone())?;
            let group = info::group(unit, &id, &row)?;
            Ok(CreatedGroup { group, refused: participants::tell(unit, refused)? })
        })
        .await
}

/// An id that no other client makes.
pub(super) fn fresh_id(client: &Inner) -> String {
    format!("{:016X}", client.rng().next_u64())
}
