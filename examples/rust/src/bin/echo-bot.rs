//! Answers every text with the same text.
//!
//! Prints a QR code to scan with the phone's "Linked devices", and keeps the link in a file.
//! With `--sandbox FILE` it talks to a sandbox instead of the real service: FILE holds the line
//! that `whimbrel-sandbox` prints when it is ready.

use std::error::Error;

use whimbrel::events::EventKind;
use whimbrel::{ClientOptions, Engine, EngineOptions, SendOptions};
use whimbrel_examples::{drawn, sandbox};

const USAGE: &str = "usage: echo-bot [--store FILE] [--sandbox FILE]";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut store = String::from("echo.db");
    let mut options = EngineOptions::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match (argument.as_str(), arguments.next()) {
            ("--store", Some(file)) => store = file,
            ("--sandbox", Some(file)) => options.endpoint = sandbox(&file)?,
            _ => return Err(USAGE.into()),
        }
    }

    let engine = Engine::new(options)?;
    let client = engine.open_async(&store, ClientOptions::default()).await?;
    let mut events = client.events()?;
    while let Some(event) = events.next().await {
        match event.kind {
            EventKind::Qr(qr) => println!("{}", drawn(&qr.text)?),
            EventKind::Message(message) if !message.from_me => {
                if let Some(text) = &message.text {
                    client.send_text(&message.chat.id, text, SendOptions::default()).await?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}
