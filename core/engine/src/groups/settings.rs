//! Name, description and settings of a group, as the host changes them (features document §2.4).

use whimbrel_wire::Jid;

use super::exchange::{invalid, left, unclear};
use super::row::{Addressing, Description, GroupRow};
use super::switch::GroupSetting;
use super::{create, group_address, query, stanza};
use crate::client::Client;
#[cfg(doc)]
use crate::error::Code;
use crate::error::Error;
use crate::messages::Unit;
use crate::mex;
use crate::options::CallOptions;
use crate::store::StoreError;

impl Client {
    /// Gives a group another name, of at most 100 characters.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for an empty name; [`Code::Refused`] for one that is too long;
    /// [`Code::Forbidden`]; [`Code::NotFound`]; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn set_group_subject(
        &self,
        group: &Jid,
        subject: &str,
        options: CallOptions,
    ) -> Result<(), Error> {
        let operation = "set_group_subject";
        let group = group_address(group).map_err(|error| error.in_operation(operation))?;
        if subject.is_empty() {
            return Err(invalid("the name is empty").in_operation(operation));
        }
        let subject = subject.to_owned();
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let request = stanza::settings::subject(&group, &subject);
            connection.request(client.request_ids.next(), request, left(deadline)).await?;
            let now = client.server_now_ms().div_euclid(1000);
            let renamed = |row: GroupRow, subject_author| GroupRow {
                subject,
                subject_author,
                subject_changed_at: now,
                ..row
            };
            client.unit(|unit| edit(unit, &group, renamed)).await
        })
        .await
    }

    /// Gives a group another description, of at most 2,048 characters, or takes it away. A description
    /// that somebody else changed meanwhile is not overwritten: the call fails, and [`group`](Self::group)
    /// tells what it is now.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::Refused`] with the service's number 409 if somebody else changed
    /// it, with 406 if it is too long; [`Code::Forbidden`]; [`Code::NotFound`]; [`Code::NotLinked`];
    /// [`Code::TimedOut`].
    pub async fn set_group_description(
        &self,
        group: &Jid,
        text: Option<&str>,
        options: CallOptions,
    ) -> Result<(), Error> {
        let operation = "set_group_description";
        let group = group_address(group).map_err(|error| error.in_operation(operation))?;
        let text = text.filter(|text| !text.is_empty()).map(ToOwned::to_owned);
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            // The service wants to know which description is replaced.
            let known = client.unit(|unit| unit.group(&group)).await?;
            let known = match known.filter(|row| !row.stale) {
                Some(row) => row.description.clone(),
                None => query::query(&client, &connection, &group, left(deadline)).await?.description,
            };
            let (id, former) = (create::fresh_id(&client), known.map(|known| known.id));
            let request = stanza::settings::description(&group, &id, former.as_deref(), text.as_deref());
            let answer = connection.request(client.request_ids.next(), request, left(deadline)).await;
            if answer.as_ref().is_err_and(|error| error.service_status() == 409) {
                client.unit(|unit| super::distrust(unit, &group)).await?;
            }
            answer?;
            let now = client.server_now_ms().div_euclid(1000);
            let described = |row: GroupRow, author| {
                let description = text.map(|text| Description { id, text, author, changed_at: now });
                GroupRow { description, ..row }
            };
            client.unit(|unit| edit(unit, &group, described)).await
        })
        .await
    }

    /// Turns something on or off in a group. A community takes some of them too.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`]; [`Code::Forbidden`] if this account is no admin; [`Code::NotFound`];
    /// [`Code::Refused`] if the service does not take it for this group; [`Code::NotLinked`];
    /// [`Code::TimedOut`].
    pub async fn set_group_setting(
        &self,
        group: &Jid,
        setting: GroupSetting,
        enabled: bool,
        options: CallOptions,
    ) -> Result<(), Error> {
        let operation = "set_group_setting";
        let group = group_address(group).map_err(|error| error.in_operation(operation))?;
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            if let Some(request) = stanza::settings::setting(&group, setting, enabled) {
                connection.request(client.request_ids.next(), request, left(deadline)).await?;
            } else if let Some(variables) = stanza::settings::property(&group, setting, enabled) {
                let (name, root) = stanza::settings::PROPERTY;
                mex::ask(&client, &connection, name, variables, root, left(deadline)).await?;
            } else {
                return Err(unclear("there is no request for this setting"));
            }
            let switched = |mut row: GroupRow, _| {
                row.switches.set(setting, enabled);
                row
            };
            client.unit(|unit| edit(unit, &group, switched)).await
        })
        .await
    }
}

/// Changes what is known of a group, with this account as the author. This device is not told by an
/// announcement.
fn edit(
    unit: &mut Unit<'_>,
    group: &Jid,
    change: impl FnOnce(GroupRow, Option<Jid>) -> GroupRow,
) -> Result<(), StoreError> {
    let Some(known) = unit.group(group)? else { return Ok(()) };
    let own = match known.addressing {
        Addressing::Lid => unit.account.lid.as_ref(),
        Addressing::PhoneNumber => unit.account.phone.as_ref(),
    };
    let own = own.map(Jid::to_bare);
    unit.put_group(group, Some(change((*known).clone(), own)));
    Ok(())
}
