//! Answers of bots: encrypted with a key that is made from the secret of the message that they
//! answer (delivery document §4.3).

use whimbrel_crypto::message_secret::BotAnswer;
use whimbrel_proto::e2e::{Message as Content, MessageSecretMessage};
use whimbrel_wire::{Jid, Server};

use super::decrypt::{Failure, INVALID_CONTENT, NO_SECRET};
use super::signal_state::Unit;
use super::stanza::Received;

/// What an answer refers to.
struct Reference {
    /// Who wrote the message that is answered, without device.
    target: Jid,
    /// That message.
    target_id: String,
    /// Id that the answer is sealed under: its own, or that of the answer that it continues.
    id: String,
}

fn reference(unit: &Unit<'_>, received: &Received<'_>) -> Option<Reference> {
    let meta = received.node.child_named("meta")?;
    let own = match received.author().server() {
        Server::Bot => &unit.account.lid,
        _ => &unit.account.phone,
    };
    let target = match meta.attr_jid("target_sender_jid") {
        Some(target) => target.to_bare(),
        None => own.as_ref()?.to_bare(),
    };
    let bot = received.node.child_named("bot");
    let continues = bot.filter(|bot| bot.attr_is("edit", "inner") || bot.attr_is("edit", "last"));
    let id = match continues {
        Some(bot) => bot.attr_text("edit_target_id")?.into_owned(),
        None => received.id.clone().into_owned(),
    };
    Some(Reference { target, target_id: meta.attr_text("target_id")?.into_owned(), id })
}

/// Opens an answer; the plaintext has no padding. The secret is known of messages that this
/// device sent.
pub(super) fn open(
    unit: &mut Unit<'_>,
    received: &Received<'_>,
    chat: &Jid,
    bytes: &[u8],
) -> Result<Vec<u8>, Failure> {
    let reference = reference(unit, received).ok_or(Failure::Hopeless(NO_SECRET))?;
    if !unit.is_own(&reference.target) {
        return Err(Failure::Hopeless(NO_SECRET));
    }
    let row = unit.outbox(chat, &reference.target_id)?.ok_or(Failure::Hopeless(NO_SECRET))?;
    let sent: Content = whimbrel_proto::decode(&row.content).map_err(|_| Failure::Hopeless(NO_SECRET))?;
    let secret = sent
        .message_context_info
        .and_then(|context| context.message_secret)
        .ok_or(Failure::Hopeless(NO_SECRET))?;
    let sealed: MessageSecretMessage =
        whimbrel_proto::decode(bytes).map_err(|_| Failure::Hopeless(INVALID_CONTENT))?;
    unseal(&secret, &reference, &received.author().to_bare(), sealed)
        .ok_or(Failure::Hopeless(INVALID_CONTENT))
}

fn unseal(secret: &[u8], reference: &Reference, bot: &Jid, sealed: MessageSecretMessage) -> Option<Vec<u8>> {
    let (target, bot) = (reference.target.to_string(), bot.to_string());
    let secret = secret.try_into().ok()?;
    let answer = BotAnswer { secret, salt_id: &reference.id, asker: &target, bot: &bot };
    let nonce = sealed.enc_iv?.try_into().ok()?;
    answer.open(&nonce, &sealed.enc_payload?).ok().map(|plaintext| plaintext.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_of_the_vectors_opens() {
        let vectors = include_str!("../../../../tests/vectors/message-secret.json");
        let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
        let text = |name: &str| vectors["bot"][name].as_str().unwrap().to_owned();
        let octets = |name: &str| hex::decode(text(name)).unwrap();
        let reference = Reference {
            target: text("targetSender").parse().unwrap(),
            target_id: "any".to_owned(),
            id: text("messageId"),
        };
        let bot: Jid = text("bot").parse().unwrap();
        let sealed = || MessageSecretMessage {
            version: Some(1),
            enc_iv: Some(octets("iv")),
            enc_payload: Some(octets("encPayload")),
        };
        let secret = octets("messageSecret");
        assert_eq!(unseal(&secret, &reference, &bot, sealed()), Some(octets("plaintext")));
        assert_eq!(unseal(&[0; 32], &reference, &bot, sealed()), None);
        assert_eq!(unseal(&secret, &reference, &Jid::lid("1"), sealed()), None);
    }
}
