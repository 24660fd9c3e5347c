//! Reading and setting categories.

use tokio::time::Instant;
use whimbrel_wire::Jid;

use super::kept::fetch;
use super::{PrivacyCategory, PrivacySetting, PrivacyValue, stanza};
use crate::client::{Client, Inner};
use crate::error::{Code, Error};
use crate::options::{CallOptions, LookupOptions};

impl Client {
    /// What this account lets others see and do. Known from the login on and kept up to date; with `fresh`
    /// the service is asked.
    ///
    /// # Errors
    /// [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn privacy(&self, options: LookupOptions) -> Result<Vec<PrivacySetting>, Error> {
        let LookupOptions { fresh, timeout } = options;
        self.call("get_privacy", timeout, move |client, deadline| async move {
            client.linked_account()?;
            if !fresh && let Some(settings) = client.unit(|unit| unit.privacy()).await? {
                return Ok(settings);
            }
            let connection = client.wait_for_connection(deadline).await?;
            fetch(&client, &connection, left(deadline)).await?;
            Ok(client.unit(|unit| unit.privacy()).await?.unwrap_or_default())
        })
        .await
    }

    /// Sets what others see or do. For [`PrivacyValue::ContactsExcept`] those are left out who were last
    /// time; [`change_privacy_exceptions`](Self::change_privacy_exceptions) names others. The account's
    /// other devices are told.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for a value that the category does not take; [`Code::Refused`];
    /// [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn set_privacy(
        &self,
        category: PrivacyCategory,
        value: PrivacyValue,
        options: CallOptions,
    ) -> Result<(), Error> {
        let operation = "set_privacy";
        check(&category, &value).map_err(|error| error.in_operation(operation))?;
        if value == PrivacyValue::ContactsExcept {
            let set = self.set_exceptions(operation, category, &[], &[], options).await;
            return set.map(drop);
        }
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let request = stanza::set(&category.wire(), &value.wire());
            connection.request(client.request_ids.next(), request, left(deadline)).await?;
            client.unit(|unit| unit.set_own_privacy(&category, &value)).await
        })
        .await
    }
}

fn check(category: &PrivacyCategory, value: &PrivacyValue) -> Result<(), Error> {
    let wrong = |message| Err(Error::new(Code::InvalidArgument, message));
    if category.wire().is_empty() || value.wire().is_empty() {
        return wrong("the category or the value has no name");
    }
    if !category.takes(value) {
        return wrong("the category does not take this value");
    }
    Ok(())
}

pub(super) fn left(deadline: Instant) -> std::time::Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// The account as the service addresses it.
pub(crate) fn own(client: &Inner) -> Result<Jid, Error> {
    let account = client.linked_account()?;
    let own = account.phone.as_ref().or(account.lid.as_ref()).map(Jid::to_account);
    own.ok_or_else(crate::client::not_linked)
}
