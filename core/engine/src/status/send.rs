//! A status on its way out: encrypted once, with the key handed to each device of the audience that lacks
//! it. A reaction to somebody's status is for the poster alone (delivery document §3.7).

use std::sync::Arc;

use whimbrel_content::addons::Addon;
use whimbrel_content::classify::{Class, reread};
use whimbrel_proto::e2e::Message;
use whimbrel_wire::Jid;

use super::stanza::Setting;
use crate::client::Inner;
use crate::connection::Connection;
use crate::devices::usync::Context;
use crate::devices::{bundles, lists, sessions};
use crate::error::{Code, Error};
use crate::groups::fanout::{self, Manner, Planned};
use crate::groups::{self, Addressing, GroupRow, Member, Role};
use crate::messages::Unit;
use crate::messages::outbox::Ticket;
use crate::messages::route::Route;
use crate::messages::send::{self, Composed};
use crate::messages::stanza::{About, ToStatus};
use crate::store::{OutboxRow, StoreError};

/// The account's own setting, as the stanza of a post says it. With anything else the service refuses the
/// message (479).
pub(super) fn setting(row: &OutboxRow) -> Option<Setting> {
    let Some(Route::Audience { setting, .. }) = row.route else { return None };
    let message = whimbrel_proto::decode::<Message>(&row.content).ok()?;
    let is_post = matches!(reread(message, &row.chat, true).class, Class::Message(_));
    is_post.then_some(setting)
}

/// What the stanza says about the message.
pub(super) fn about(row: &OutboxRow, now: i64) -> About {
    About::of(&row.content, now).of_status(setting(row).map(Setting::word))
}

/// The audience as the group that it would be: this account is in it, as its other devices get the status.
pub(super) fn audience(unit: &mut Unit<'_>, people: &[Jid]) -> Result<Arc<GroupRow>, StoreError> {
    let own = unit.account.phone.as_ref().map(Jid::to_bare);
    let mut members: Vec<Member> = Vec::with_capacity(people.len().saturating_add(1));
    for person in people.iter().chain(&own) {
        let id = unit.canonical(person)?;
        if !members.iter().any(|known| known.id == id) {
            members.push(Member { id, twin: None, role: Role::Member });
        }
    }
    Ok(Arc::new(GroupRow { members, addressing: Addressing::Lid, ..GroupRow::default() }))
}

/// Makes the stanza.
pub(crate) fn compose(unit: &mut Unit<'_>, ticket: &Ticket) -> Result<Composed, StoreError> {
    let row = &ticket.row;
    let Some(Route::Audience { people, .. }) = &row.route else { return compose_reaction(unit, ticket) };
    let members = audience(unit, people)?;
    let planned = fanout::plan_among(unit, &row.chat, &members, Manner::default(), ticket.prepared)?;
    let mut plan = match planned {
        Planned::Plan(plan) => plan,
        Planned::Prepare => return Ok(Composed::Prepare),
        Planned::Failed(error) => return Ok(Composed::Failed(error)),
    };
    if !plan.unmet.is_empty() && !ticket.prepared {
        return Ok(Composed::Prepare);
    }
    if !plan.reaches {
        return Ok(Composed::Failed(Error::new(Code::NoDevice, "no device of the audience can be reached")));
    }
    let (handed, sealed) = groups::send::hand_out(unit, &row.chat, &mut plan)?;
    let Some(body) = groups::send::encrypt(unit, &row.chat, row.content.clone())? else {
        return Ok(Composed::Failed(Error::new(Code::Internal, "the status could not be encrypted")));
    };
    let mut others = Vec::with_capacity(members.members.len());
    for member in &members.members {
        let (_, wire) = fanout::addresses(unit, member, Addressing::Lid)?;
        if !sealed.iter().any(|sealed| sealed.device.same_account(&wire)) {
            others.push(wire);
        }
    }
    let message = ToStatus {
        id: &row.message_id,
        others: &others,
        proof: unit.account.signed_identity.as_deref(),
        about: &about(row, unit.now()),
    };
    let stanza = message.build(sealed, Some(body));
    send::keep(unit, ticket)?;
    Ok(Composed::Stanza { stanza: Box::new(stanza), keys: Some(Box::new(handed)) })
}

/// The poster whose status a message reacts to.
pub(super) fn poster(row: &OutboxRow) -> Option<Jid> {
    let message = whimbrel_proto::decode::<Message>(&row.content).ok()?;
    match reread(message, &row.chat, true).class {
        Class::Addon(addon) => match *addon {
            Addon::Reaction(reaction) => reaction.target.participant,
            _ => None,
        },
        _ => None,
    }
}

/// A reaction goes pairwise to the poster and to the own devices.
fn compose_reaction(unit: &mut Unit<'_>, ticket: &Ticket) -> Result<Composed, StoreError> {
    let row = &ticket.row;
    let (Some(poster), Some(own)) = (poster(row), unit.account.phone.as_ref().map(Jid::to_bare)) else {
        return Ok(Composed::Failed(Error::new(Code::Internal, "the status has no poster")));
    };
    let mut targets = Vec::new();
    let mut reaches = false;
    for user in [poster, own] {
        let user = unit.canonical(&user)?;
        let is_poster = !unit.is_own(&user);
        let before = targets.len();
        if !send::targets(unit, ticket, &user, &user, &mut targets)? {
            return Ok(Composed::Prepare);
        }
        reaches |= is_poster && targets.len() > before;
    }
    if !reaches {
        return Ok(Composed::Failed(Error::new(Code::NoDevice, "no device of the poster can be reached")));
    }
    let mut sealed = Vec::with_capacity(targets.len());
    send::seal(unit, targets, row.content.clone(), &mut sealed)?;
    let message = ToStatus {
        id: &row.message_id,
        others: &[],
        proof: unit.account.signed_identity.as_deref(),
        about: &about(row, unit.now()),
    };
    let stanza = message.build(sealed, None);
    send::keep(unit, ticket)?;
    Ok(Composed::Stanza { stanza: Box::new(stanza), keys: None })
}

/// Looks up what these messages need: devices, and sessions with those that lack the key.
pub(crate) async fn prepare(
    client: &Inner,
    connection: &Connection,
    tickets: &[Ticket],
) -> Result<(), Error> {
    for ticket in tickets {
        match (&ticket.row.route, poster(&ticket.row)) {
            (Some(Route::Audience { people, .. }), _) => prepare_post(client, connection, people).await?,
            (_, Some(poster)) => {
                let own = client.account().and_then(|account| account.phone.as_ref().map(Jid::to_bare));
                let users: Vec<Jid> = std::iter::once(poster).chain(own).collect();
                sessions::prepare(client, connection, &users, false).await?;
            }
            _ => {}
        }
    }
    Ok(())
}

async fn prepare_post(client: &Inner, connection: &Connection, people: &[Jid]) -> Result<(), Error> {
    let stale = client.unit(|unit| {
        let members = audience(unit, people)?;
        groups::send::stale_among(unit, &members, false)
    });
    let stale = stale.await?;
    if !stale.is_empty() {
        lists::query(client, connection, &stale, Context::Message).await?;
    }
    let unmet = client.unit(|unit| {
        let members = audience(unit, people)?;
        Ok(match fanout::plan_among(unit, &Jid::STATUS, &members, Manner::default(), true)? {
            Planned::Plan(plan) => plan.unmet,
            Planned::Prepare | Planned::Failed(_) => Vec::new(),
        })
    });
    let unmet = unmet.await?;
    if unmet.is_empty() {
        return Ok(());
    }
    sessions::fetch(client, connection, unmet, bundles::Reason::NoSession).await
}
