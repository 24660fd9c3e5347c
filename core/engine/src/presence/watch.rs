//! Watching whether people are online.

use whimbrel_wire::Jid;

use super::{WATCHED, stanza};
use crate::client::Client;
use crate::devices::{lookup, sessions};
use crate::error::{Code, Error};
use crate::messages::Unit;
use crate::options::CallOptions;
use crate::store::StoreError;
use crate::tokens::Credential;

impl Client {
    /// Watches whether a person is online, or how many members of a group are: tells it at once and at
    /// each change, as [`Presence`](crate::events::EventKind::Presence) events. The service tells only
    /// while this account is available itself ([`set_presence`](Self::set_presence)), and only what the
    /// person lets it see; nothing comes otherwise. It is asked for again after each login until this
    /// process ends; at most 512 are watched at a time.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for an address that is neither a person's nor a group's;
    /// [`Code::NotFound`] if nobody is registered under a number; [`Code::WrongState`] when too many are
    /// watched; [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn watch_presence(&self, who: &Jid, options: CallOptions) -> Result<(), Error> {
        let operation = "watch_presence";
        let who = watchable(who).map_err(|error| error.in_operation(operation))?;
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            // The service tells it by LID, and the host is to know whom it means.
            if who.is_pn() && client.unit(|unit| unit.lid_of(&who)).await?.is_none() {
                lookup::ask(&client, &connection, &who, deadline).await?;
            }
            let _order = client.presence.saying.lock().await;
            let ((id, to), token) = client
                .unit(|unit| Ok((addresses(unit, &who)?, unit.credential(&who)?.map(Credential::node))))
                .await?;
            let full = {
                let known = client.presence.known();
                known.watched.len() >= WATCHED && !known.watched.contains(&id)
            };
            if full {
                return Err(Error::new(Code::WrongState, "too many people are watched"));
            }
            connection.send(stanza::subscribe(&to, token)).await?;
            client.presence.known().watched.insert(id);
            Ok(())
        })
        .await
    }

    /// Ends what [`watch_presence`](Self::watch_presence) began.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] for an address that is neither a person's nor a group's;
    /// [`Code::NotLinked`]; [`Code::TimedOut`].
    pub async fn unwatch_presence(&self, who: &Jid, options: CallOptions) -> Result<(), Error> {
        let operation = "unwatch_presence";
        let who = watchable(who).map_err(|error| error.in_operation(operation))?;
        self.call(operation, options.timeout, move |client, deadline| async move {
            client.linked_account()?;
            let connection = client.wait_for_connection(deadline).await?;
            let _order = client.presence.saying.lock().await;
            let (id, to) = client.unit(|unit| addresses(unit, &who)).await?;
            connection.send(stanza::unsubscribe(&to)).await?;
            let mut known = client.presence.known();
            // It may have been watched before its other address was known.
            known.watched.remove(&id);
            known.watched.remove(&to);
            known.watched.remove(&who);
            Ok(())
        })
        .await
    }
}

/// The address that identifies somebody, and the one on the wire.
pub(super) fn addresses(unit: &mut Unit<'_>, who: &Jid) -> Result<(Jid, Jid), StoreError> {
    if who.is_group() {
        return Ok((who.clone(), who.clone()));
    }
    let by_phone = unit.prefers_phone()?;
    Ok((unit.canonical(who)?, sessions::wire_user(unit, who, by_phone)?))
}

fn watchable(who: &Jid) -> Result<Jid, Error> {
    let who = who.to_account();
    if who.is_account() || who.is_group() {
        return Ok(who);
    }
    Err(Error::new(Code::InvalidArgument, "only people and groups have a presence"))
}
