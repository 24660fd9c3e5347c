//! What has to be asked of the service because of something that arrived, and so must not hold
//! the inbound lane up: answers to retry receipts, device lists, sessions.

use std::sync::Arc;

use tokio::sync::mpsc;
use whimbrel_appstate::KeyId;
use whimbrel_wire::{Jid, Node};

use crate::appstate::{self, News};
use crate::blocklist;
use crate::client::Inner;
use crate::connection::Connection;
use crate::devices::bundles::Reason;
use crate::devices::sessions::Target;
use crate::devices::usync::Context;
use crate::devices::{lists, lookup, sessions};
use crate::error::Error;
use crate::groups::ack::{self, Missed};
use crate::privacy;
use crate::profile;
use crate::restrictions::{self, RestrictionKind};
use crate::retry::incoming;
use crate::statistics::count;
use crate::tokens;

/// Something to be put right.
#[derive(PartialEq)]
pub(crate) enum Repair {
    /// A device asks for a message again, by this receipt.
    Resend(Box<Node>),
    /// The device list of a user is to be asked for.
    Devices(Jid),
    /// The two addresses of a person are to be asked for.
    Addresses(Jid),
    /// The sessions with a user are to be begun anew.
    Sessions(Jid),
    /// The identity of a user's phone is to be asked for: a companion was vouched for by another one.
    Phone(Jid),
    /// Devices of a group that a message did not reach.
    Missed(Missed),
    /// The session with a device is of no use: a new one is begun from fetched keys.
    Renew(Target),
    /// Something arrived about app state.
    AppState(News),
    /// A device of the account asks for keys of app state.
    GiveKeys(Jid, Vec<KeyId>),
    /// The service is to be asked how a restriction of the account stands.
    Restriction(RestrictionKind),
    /// The service is to be asked what this account says of itself.
    About,
    /// Somebody is to be given a token, as of now or again as of a time.
    Token(Jid, Option<i64>),
    /// The service is to be asked for the block list.
    Blocklist,
    /// The service is to be asked for the settings of privacy.
    Privacy,
}

/// Puts things right, one after the other, until the lane ends.
pub(crate) async fn run(
    client: &Arc<Inner>,
    connection: &Arc<Connection>,
    mut queue: mpsc::Receiver<Repair>,
) {
    while let Some(repair) = queue.recv().await {
        if let Err(error) = one(client, connection, repair).await {
            tracing::warn!(%error, "A repair failed.");
        }
    }
}

async fn one(client: &Arc<Inner>, connection: &Arc<Connection>, repair: Repair) -> Result<(), Error> {
    match repair {
        Repair::Resend(receipt) => incoming::answer(client, connection, &receipt).await,
        Repair::Devices(user) => lists::query(client, connection, &[user], Context::Notification).await,
        Repair::Addresses(user) => lookup::refresh(client, connection, &user).await,
        // On its own: the answer may take as long as a message takes.
        Repair::Missed(missed) => {
            client.spawn(ack::reach(Arc::clone(client), Arc::clone(connection), missed));
            Ok(())
        }
        Repair::Renew(target) => {
            tracing::info!("Too many messages of a device could not be opened; its session is begun anew.");
            sessions::fetch(client, connection, vec![target], Reason::NoSession).await?;
            client
                .unit(|unit| {
                    count(&mut unit.statistics().sessions_renewed);
                    Ok(())
                })
                .await
        }
        Repair::AppState(news) => {
            client.app_state.take(news);
            Ok(())
        }
        Repair::GiveKeys(device, ids) => appstate::give(client, connection, &device, &ids).await,
        Repair::Sessions(user) => sessions::renew(client, connection, &user).await,
        Repair::Restriction(kind) => restrictions::query(client, connection, kind).await,
        Repair::About => profile::refresh_about(client, connection).await,
        Repair::Token(to, again) => tokens::issue(client, connection, &to, again).await,
        Repair::Blocklist => blocklist::fetch(client, connection, lists::TIMEOUT).await,
        Repair::Privacy => privacy::fetch(client, connection, lists::TIMEOUT).await,
        Repair::Phone(user) => sessions::refresh_phone(client, connection, &user).await,
    }
}
