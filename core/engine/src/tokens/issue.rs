//! Giving tokens to others.

use std::time::Duration;

use whimbrel_wire::Jid;

use super::stanza;
use crate::client::Inner;
use crate::connection::Connection;
use crate::error::Error;
use crate::properties::Property;

/// How long the service may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Gives somebody a token: as of now if one is due, or again as of a time.
pub(crate) async fn issue(
    client: &Inner,
    connection: &Connection,
    to: &Jid,
    again: Option<i64>,
) -> Result<(), Error> {
    let planned = client.unit(|unit| {
        // It may have been given since it was wished for.
        if again.is_none() && !unit.token_is_due(to)? {
            return Ok(None);
        }
        let who = unit.identity_of(to)?;
        let by_lid = unit.switch(Property::TokenToLid)?.unwrap_or(true);
        let address = if by_lid { who.lid.or(who.phone) } else { who.phone.or(who.lid) };
        Ok(address.map(|address| (address, again.unwrap_or(unit.now()))))
    });
    let Some((address, time)) = planned.await? else { return Ok(()) };
    let request = stanza::issue(&address, time);
    let answer = connection.request(client.request_ids.next(), request, TIMEOUT).await?;
    client
        .unit(|unit| {
            // The service may hand out what the other side gave.
            for (from, (token, time)) in stanza::given(&answer) {
                if let Some(from) = from {
                    unit.take_token(&from, token, time)?;
                }
            }
            unit.token_issued(to, time)
        })
        .await
}
