//! What is inside a message that was opened, and what the host hears of it (messages document §18).

use whimbrel_content::classify::{Class, Dropped, Shown, classify};
use whimbrel_content::context::Context;
use whimbrel_content::key::Arrival;
use whimbrel_content::protocol::Protocol;
use whimbrel_content::unwrap;
use whimbrel_content::{Content, Secret, addons};
use whimbrel_proto::e2e::Message as Wire;
use whimbrel_wire::Jid;

use super::MessageKey;
use super::decrypt::Author;
use super::signal_state::Unit;
use super::timers;
use crate::addons::{receive, waiting};
use crate::appstate;
use crate::events::{Control, EventKind, Message, NumberShared};
use crate::history;
use crate::retry::phone;
use crate::statistics::count;
use crate::store::StoreError;

/// A message on its way to the host: whose it is, and how it came.
pub(crate) struct Arrived<'a> {
    pub(crate) message_id: String,
    pub(crate) chat: &'a Jid,
    /// The device that wrote it.
    pub(crate) author: &'a Jid,
    /// It is a device of this account.
    pub(crate) own: bool,
    /// The service's time, seconds.
    pub(crate) timestamp: i64,
    pub(crate) push_name: Option<String>,
    pub(crate) offline: bool,
    /// Event that it completes.
    pub(crate) completes: Option<String>,
}

/// What a host hears of.
pub(crate) struct Told {
    what: What,
    /// The whole content, encoded, as the host gets it.
    raw: Vec<u8>,
}

enum What {
    Message(Box<Shown>, Option<Secret>),
    Addon(Box<addons::Addon>),
    Control(Box<Protocol>),
}

/// What is inside a message once it is opened.
#[derive(Default)]
pub(crate) struct Inside {
    /// What the host hears of; `None` if there is nothing for hosts.
    pub(crate) told: Option<Told>,
    pub(crate) history: History,
    /// The phone's words on requests for all of its history.
    pub(crate) full_history: Vec<history::Answer>,
}

/// What a message says of the history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum History {
    #[default]
    Nothing,
    /// There is a piece of it to be read, which then has a receipt of its own.
    Waits,
    /// There is nothing to read, and so the receipt is due.
    DoneWith,
    /// The phone will not hand over again what it was asked for.
    GivenUp,
}

/// Finds out what a decrypted message is, and does at once what hosts have no part in. `bytes` is its
/// encoded form.
pub(crate) fn look_inside(
    unit: &mut Unit<'_>,
    author: &Author<'_>,
    message_id: &str,
    message: Wire,
    bytes: Vec<u8>,
    inside: &mut Inside,
) -> Result<(), StoreError> {
    let people = unit.own();
    let arrival = Arrival { chat: author.chat, sender: author.device, people: &people };
    let has_keys = message.sender_key_distribution_message.is_some();
    // What a later version of the protocol added is not in the message as it was read.
    let has_unknown = bytes.len() > whimbrel_proto::encode(&message).len();
    let raw = if message.device_sent_message.is_some() || has_keys {
        whimbrel_proto::encode(&unwrap::for_host(message.clone()))
    } else {
        bytes
    };
    let received = classify(message, &arrival);
    if received.chat != *author.chat && unit.canonical(&received.chat.to_bare())? != *author.chat {
        tracing::warn!("An own device's copy names another chat than its stanza; the stanza counts.");
    }
    let what = match received.class {
        Class::Message(shown) => What::Message(shown, received.secret),
        Class::Addon(addon) => What::Addon(addon),
        Class::Protocol(protocol) => match control(unit, author, message_id, *protocol, inside)? {
            Some(protocol) => What::Control(Box::new(protocol)),
            None => return Ok(()),
        },
        Class::Nothing if has_unknown && !has_keys => {
            What::Message(Box::new(unsupported(!author.own)), received.secret)
        }
        Class::Dropped(Dropped::ForeignCopy) => {
            tracing::warn!(
                "Somebody else's device pretends to send for this account; the message is not shown."
            );
            return Ok(());
        }
        Class::Dropped(Dropped::Untrusted) => {
            tracing::warn!("A control message came from a device that is not believed.");
            return Ok(());
        }
        _ => return Ok(()),
    };
    inside.told = Some(Told { what, raw });
    Ok(())
}

/// Content of a kind that this version does not know.
pub(crate) fn unsupported(unread: bool) -> Shown {
    Shown {
        content: Content::Unsupported,
        context: Context::default(),
        view_once: false,
        association: None,
        unread,
    }
}

/// Does what a control message says, and returns it if hosts may want to know of it.
fn control(
    unit: &mut Unit<'_>,
    author: &Author<'_>,
    message_id: &str,
    protocol: Protocol,
    inside: &mut Inside,
) -> Result<Option<Protocol>, StoreError> {
    let why = match protocol {
        Protocol::ChatTimer { is_answer: true, .. } => "it has no meaning for hosts",
        Protocol::ChatTimer { ref timer, .. } => {
            unit.learn_timer(author.chat, timer)?;
            return Ok(Some(protocol));
        }
        Protocol::History(piece) => {
            let waits = history::announced(unit, message_id, &piece);
            inside.history = if waits { History::Waits } else { History::DoneWith };
            return Ok(None);
        }
        Protocol::KeyShare(share) if author.own => {
            appstate::received(unit, &share)?;
            return Ok(None);
        }
        Protocol::KeyRequest(request) if author.own => {
            appstate::requested(unit, author.device, &request);
            return Ok(None);
        }
        Protocol::KeyShare(_) | Protocol::KeyRequest(_) => "only devices of the account speak of keys",
        Protocol::AppStateFatal { .. } => "only phones act upon it",
        Protocol::PeerRequest(_) => "only phones answer requests for data",
        Protocol::PeerAnswer(answer) => {
            phone::answered(unit, &answer)?;
            if history::refused(unit, &answer)? {
                inside.history = History::GivenUp;
            }
            appstate::answered(unit, &answer);
            inside.full_history.extend(history::answers(&answer));
            return Ok(None);
        }
        Protocol::LidMapping { payload } => {
            unit.take_migration_payload(&payload)?;
            return Ok(None);
        }
        Protocol::PhoneShared => {
            let who = unit.identity_of(author.device)?;
            if who.phone.is_some() {
                unit.event(EventKind::NumberShared(NumberShared { who }));
            }
            return Ok(None);
        }
        Protocol::SecurityNotifications { .. } => "the setting has no effect on this client",
        Protocol::Verified { .. } | Protocol::Ignored(_) => "it has no meaning for hosts",
        protocol => return Ok(Some(protocol)),
    };
    tracing::debug!(why, "A control message has no effect.");
    Ok(None)
}

/// Journals what the host hears of, and keeps what belongs to it.
pub(crate) fn tell(unit: &mut Unit<'_>, arrived: Arrived<'_>, told: Told) -> Result<(), StoreError> {
    if arrived.completes.is_some() {
        count(&mut unit.statistics().completed);
    }
    let Told { what, raw } = told;
    match what {
        What::Addon(addon) => receive::arrived(unit, arrived, *addon, raw),
        What::Message(shown, secret) => {
            let author = arrived.author.to_bare();
            let place = (arrived.chat, &author, arrived.message_id.as_str());
            unit.keep_parent(place, secret.as_ref(), &shown.content, arrived.timestamp);
            if let Some(timer) = &shown.context.timer {
                let timer = if arrived.own { timer.clone() } else { timers::from_other(timer) };
                unit.learn_timer(arrived.chat, &timer)?;
            }
            if shown.unread && !arrived.own {
                appstate::unarchive(unit, arrived.chat)?;
            }
            let chat = arrived.chat;
            let event = message(unit, arrived, *shown, raw)?;
            let id = event.message_id.clone();
            unit.event(EventKind::Message(Box::new(event)));
            waiting::came(unit, chat, &id)
        }
        What::Control(protocol) => {
            let event = Control {
                chat: unit.identity_of(arrived.chat)?,
                sender: unit.identity_of(arrived.author)?,
                sender_device: arrived.author.device(),
                from_me: arrived.own,
                timestamp: arrived.timestamp,
                offline: arrived.offline,
                completes: arrived.completes,
                message_id: arrived.message_id,
                what: *protocol,
                raw,
            };
            unit.event(EventKind::Control(Box::new(event)));
            Ok(())
        }
    }
}

fn message(
    unit: &mut Unit<'_>,
    arrived: Arrived<'_>,
    shown: Shown,
    raw: Vec<u8>,
) -> Result<Message, StoreError> {
    let Shown { content, context, view_once, association, unread } = shown;
    // The quoted person by the address under which they are known here, as in every other event.
    let quoted = match &context.quote {
        None => None,
        Some(quote) => {
            let sender = match &quote.author {
                Some(author) => Some(unit.canonical(author)?),
                None => None,
            };
            Some(MessageKey { message_id: quote.id.clone(), sender })
        }
    };
    Ok(Message {
        chat: unit.identity_of(arrived.chat)?,
        sender: unit.identity_of(arrived.author)?,
        sender_device: arrived.author.device(),
        from_me: arrived.own,
        timestamp: arrived.timestamp,
        push_name: arrived.push_name,
        text: content.body(),
        quoted,
        view_once,
        is_status: arrived.chat.is_status(),
        mentions_me: context.mentions_me(&unit.own()),
        association,
        unread,
        offline: arrived.offline,
        completes: arrived.completes,
        message_id: arrived.message_id,
        content,
        context,
        raw,
    })
}
