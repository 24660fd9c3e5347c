//! Answers every text with the same text.
//!
//! Prints a QR code to scan with the phone's "Linked devices", and keeps the link in a file.
//! With `--sandbox FILE` it talks to a sandbox instead of the real service: FILE holds the line
//! that `whimbrel-sandbox` prints when it is ready.

use std::error::Error;

use whimbrel::events::EventKind;
use whimbrel::{ClientOptions, Endpoint, Engine, EngineOptions, SendOptions};

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

/// The QR symbol with half blocks, light on a dark terminal.
fn drawn(text: &str) -> Result<String, Box<dyn Error>> {
    use qrcode::render::unicode::Dense1x2;
    let code = qrcode::QrCode::new(text)?;
    Ok(code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build())
}

/// Where a sandbox is, from its ready line.
fn sandbox(file: &str) -> Result<Endpoint, Box<dyn Error>> {
    let ready: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(file)?)?;
    let text =
        |pointer| ready.pointer(pointer).and_then(|value| value.as_str()).ok_or("not a sandbox's ready line");
    let mut key = [0; 32];
    for (octet, digits) in key.iter_mut().zip(text("/noiseRoot/publicKey")?.as_bytes().chunks(2)) {
        *octet = u8::from_str_radix(std::str::from_utf8(digits)?, 16)?;
    }
    let mut endpoint = Endpoint::default();
    endpoint.url = text("/ws")?.to_owned();
    endpoint.noise_root = Some((key, 0));
    Ok(endpoint)
}
