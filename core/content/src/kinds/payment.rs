//! Payments (messages document §9.5): only where the service has them. A companion cannot move money.

use whimbrel_proto::e2e::message::{
    CancelPaymentRequestMessage, DeclinePaymentRequestMessage, PaymentInviteMessage, PaymentReminderMessage,
    RequestPaymentMessage, SendPaymentMessage, SplitPaymentMessage, SplitPaymentUpdateMessage,
};
use whimbrel_proto::e2e::{Message, Money as WireMoney};
use whimbrel_wire::Jid;

pub use crate::names::ServiceType;

use super::text::Text;
use crate::key::{Key, jid};
use crate::unwrap;

/// An amount: `value` divided by `offset`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Money {
    /// The amount in parts of a unit.
    pub value: i64,
    /// How many parts a unit has.
    pub offset: u32,
    /// ISO 4217.
    pub currency: Option<String>,
}

impl Money {
    fn read(money: WireMoney) -> Self {
        Self {
            value: money.value.unwrap_or_default(),
            offset: money.offset.unwrap_or_default(),
            currency: money.currency_code,
        }
    }

    fn write(self) -> WireMoney {
        WireMoney { value: Some(self.value), offset: Some(self.offset), currency_code: self.currency }
    }
}

/// Who pays how much of a bill that is split.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Share {
    /// Who.
    pub user: Option<Jid>,
    /// How much.
    pub amount: Option<Money>,
    /// It is paid.
    pub is_paid: bool,
}

/// A step of a payment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Payment {
    /// Something was paid.
    Sent {
        /// Words with it.
        note: Option<String>,
        /// The message that asked for it.
        request: Option<Key>,
        /// Data of the payment, opaque.
        data: Option<String>,
    },
    /// Somebody is asked to pay.
    Requested {
        /// How much, in thousandths of the currency's unit.
        thousandths: Option<u64>,
        /// ISO 4217.
        currency: Option<String>,
        /// How much, in the newer form.
        amount: Option<Money>,
        /// Who is asked.
        from: Option<Jid>,
        /// Words with it.
        note: Option<String>,
        /// Until when, in seconds since 1970.
        expires_at: Option<i64>,
    },
    /// The one who was asked does not pay.
    Declined {
        /// The message that asked.
        request: Key,
    },
    /// The one who asked takes it back.
    Cancelled {
        /// The message that asked.
        request: Key,
    },
    /// Somebody is invited to set payments up.
    Invited {
        /// With which service.
        service: Option<ServiceType>,
        /// Until when, in seconds since 1970.
        expires_at: Option<i64>,
    },
    /// Somebody is reminded to pay.
    Reminder {
        /// Its id.
        id: Option<String>,
        /// What for.
        description: Option<String>,
        /// How much.
        amount: Option<Money>,
        /// Who is to be paid.
        payee: Option<Jid>,
        /// Who is to pay.
        payer: Option<Jid>,
    },
    /// A bill is split.
    Split {
        /// Its id.
        id: Option<String>,
        /// What for.
        description: Option<String>,
        /// How much.
        total: Option<Money>,
        /// Who asks.
        requester: Option<Jid>,
        /// Who pays how much.
        shares: Vec<Share>,
    },
    /// Somebody has paid their share.
    SplitPaid {
        /// Id of the bill.
        id: Option<String>,
        /// Who.
        user: Option<Jid>,
    },
}

fn note(message: Option<Box<Message>>) -> Option<String> {
    let message = message?;
    let content = unwrap::content(&message);
    content.conversation.clone().or_else(|| content.extended_text_message.as_ref()?.text.clone())
}

fn write_note(note: Option<String>) -> Option<Box<Message>> {
    let mut message = Message::default();
    Text::new(note?).put(&mut message, false);
    Some(Box::new(message))
}

impl Payment {
    pub(crate) fn take(content: &mut Message) -> Option<Self> {
        if let Some(sent) = content.send_payment_message.take() {
            let SendPaymentMessage { note_message, request_message_key, transaction_data, .. } = *sent;
            let request = Key::read_some(request_message_key);
            Some(Self::Sent { note: note(note_message), request, data: transaction_data })
        } else if let Some(request) = content.request_payment_message.take() {
            Some(Self::Requested {
                thousandths: request.amount1000,
                currency: request.currency_code_iso4217,
                amount: request.amount.map(Money::read),
                from: jid(request.request_from),
                note: note(request.note_message),
                expires_at: request.expiry_timestamp,
            })
        } else if let Some(declined) = content.decline_payment_request_message.take() {
            Some(Self::Declined { request: Key::read(declined.key) })
        } else if let Some(cancelled) = content.cancel_payment_request_message.take() {
            Some(Self::Cancelled { request: Key::read(cancelled.key) })
        } else if let Some(invite) = content.payment_invite_message.take() {
            let service = invite.service_type.and_then(|number| ServiceType::try_from(number).ok());
            Some(Self::Invited { service, expires_at: invite.expiry_timestamp })
        } else if let Some(reminder) = content.payment_reminder_message.take() {
            Some(Self::Reminder {
                id: reminder.reminder_id,
                description: reminder.description,
                amount: reminder.amount.map(Money::read),
                payee: jid(reminder.payee_jid),
                payer: jid(reminder.payer_jid),
            })
        } else if let Some(split) = content.split_payment_message.take() {
            let shares = split.participants.into_iter().map(|share| Share {
                user: jid(share.jid),
                amount: share.amount.map(Money::read),
                is_paid: share.status == Some(1),
            });
            Some(Self::Split {
                id: split.split_id,
                description: split.description,
                total: split.total_amount.map(Money::read),
                requester: jid(split.requester_jid),
                shares: shares.collect(),
            })
        } else {
            let update = content.split_payment_update_message.take()?;
            Some(Self::SplitPaid { id: update.split_id, user: jid(update.participant_jid) })
        }
    }

    pub(crate) fn put(self, content: &mut Message) {
        let text = |jid: Option<Jid>| jid.as_ref().map(Jid::to_string);
        match self {
            Self::Sent { note, request, data } => {
                content.send_payment_message = Some(Box::new(SendPaymentMessage {
                    note_message: write_note(note),
                    request_message_key: request.as_ref().map(Key::write),
                    transaction_data: data,
                    ..SendPaymentMessage::default()
                }));
            }
            Self::Requested { thousandths, currency, amount, from, note, expires_at } => {
                content.request_payment_message = Some(Box::new(RequestPaymentMessage {
                    currency_code_iso4217: currency,
                    amount1000: thousandths,
                    request_from: text(from),
                    note_message: write_note(note),
                    expiry_timestamp: expires_at,
                    amount: amount.map(Money::write),
                    ..RequestPaymentMessage::default()
                }));
            }
            Self::Declined { request } => {
                let key = Some(request.write());
                content.decline_payment_request_message =
                    Some(Box::new(DeclinePaymentRequestMessage { key }));
            }
            Self::Cancelled { request } => {
                let key = Some(request.write());
                content.cancel_payment_request_message = Some(Box::new(CancelPaymentRequestMessage { key }));
            }
            Self::Invited { service, expires_at } => {
                content.payment_invite_message = Some(Box::new(PaymentInviteMessage {
                    service_type: service.map(|service| service as i32),
                    expiry_timestamp: expires_at,
                    ..PaymentInviteMessage::default()
                }));
            }
            Self::Reminder { id, description, amount, payee, payer } => {
                content.payment_reminder_message = Some(Box::new(PaymentReminderMessage {
                    reminder_id: id,
                    description,
                    amount: amount.map(Money::write),
                    payee_jid: text(payee),
                    payer_jid: text(payer),
                    ..PaymentReminderMessage::default()
                }));
            }
            Self::Split { id, description, total, requester, shares } => {
                use whimbrel_proto::e2e::message::SplitPaymentParticipant;
                let shares = shares.into_iter().map(|share| SplitPaymentParticipant {
                    jid: text(share.user),
                    amount: share.amount.map(Money::write),
                    status: Some(i32::from(share.is_paid)),
                });
                content.split_payment_message = Some(Box::new(SplitPaymentMessage {
                    split_id: id,
                    total_amount: total.map(Money::write),
                    description,
                    requester_jid: text(requester),
                    participants: shares.collect(),
                    ..SplitPaymentMessage::default()
                }));
            }
            Self::SplitPaid { id, user } => {
                content.split_payment_update_message =
                    Some(Box::new(SplitPaymentUpdateMessage { split_id: id, participant_jid: text(user) }));
            }
        }
    }

    /// The words with it.
    #[must_use]
    pub fn note(&self) -> Option<&str> {
        match self {
            Self::Sent { note, .. } | Self::Requested { note, .. } => note.as_deref(),
            Self::Reminder { description, .. } | Self::Split { description, .. } => description.as_deref(),
            _ => None,
        }
    }
}
