//! Saying things, and reading them on the other side.

use whimbrel::{Client, Jid, MessageKey, SendOptions};
use whimbrel_sandbox::phone::Phone;

use crate::DEADLINE;

/// Sends a text and waits until the service has it. Returns its id.
pub async fn send(client: &Client, chat: &Jid, text: &str) -> String {
    client.send_text(chat, text, SendOptions::default()).await.unwrap().message_id
}

/// A message of this id.
pub fn with_id(id: &str) -> SendOptions {
    let mut options = SendOptions::default();
    options.message_id = Some(id.to_owned());
    options
}

/// A message that quotes one of the other person of a direct chat.
pub fn quoting(id: &str) -> SendOptions {
    let mut options = SendOptions::default();
    options.quote = Some(MessageKey { message_id: id.to_owned(), sender: None });
    options
}

/// Waits until a phone has read a text.
pub async fn read(phone: &Phone, text: &str) {
    phone.wait_message(|message| message.text == text, DEADLINE).await.unwrap();
}
