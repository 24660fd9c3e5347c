//! The program that the kill tests kill: links, sends numbered texts, and writes down what it
//! received. Everything it knows across a crash is its store and its notes.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use whimbrel::events::{ClosedReason, EventKind};
use whimbrel::{
    CallOptions, Client, ClientOptions, Code, Endpoint, Engine, EngineOptions, Error, SendOptions,
    parse_address,
};
use whimbrel_faults::{Failure, Notes, endpoint};

/// What the test tells the victim.
struct Orders {
    store: PathBuf,
    notes: PathBuf,
    endpoint: Endpoint,
    peer: String,
    count: u32,
}

fn orders() -> Result<Orders, Failure> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what: &str| arguments.next().ok_or_else(|| format!("{what} is missing"));
    let store = next("store")?.into();
    let notes = next("notes")?.into();
    let endpoint = endpoint(next("url")?, &next("root key")?)?;
    Ok(Orders { store, notes, endpoint, peer: next("peer")?, count: next("count")?.parse()? })
}

/// The number of the first text that the service has not confirmed.
fn first_unsent(path: &Path) -> Result<u32, Failure> {
    let mut next = 0;
    for line in BufReader::new(File::open(path)?).lines() {
        if let Some(number) = line?.strip_prefix("sent ") {
            next = number.parse::<u32>()? + 1;
        }
    }
    Ok(next)
}

/// Sends what is not yet confirmed, under ids that stay the same across crashes.
async fn send_all(client: Client, orders: &Orders) -> Result<(), Failure> {
    let mut notes = Notes::open(&orders.notes)?;
    let peer = parse_address(&orders.peer)?;
    for number in first_unsent(&orders.notes)?..orders.count {
        loop {
            let mut options = SendOptions::default();
            options.message_id = Some(format!("OUT-{number}"));
            match client.send_text(&peer, &format!("out {number}"), options).await {
                Ok(_) => break,
                // The link was never confirmed, and is gone; sending begins anew with the next.
                Err(error) if error.code() == Code::NotLinked => return Ok(()),
                // The same id again is never a second message.
                Err(error) if repeatable(&error) => eprintln!("repeating text {number}: {error:?}"),
                Err(error) => return Err(error.into()),
            }
        }
        notes.write(&format!("sent {number}"))?;
    }
    println!("all sent");
    Ok(())
}

fn repeatable(error: &Error) -> bool {
    matches!(error.code(), Code::TimedOut | Code::NotConnected | Code::ConnectFailed)
}

async fn run(orders: Orders) -> Result<(), Failure> {
    let mut notes = Notes::open(&orders.notes)?;
    let mut engine_options = EngineOptions::default();
    engine_options.endpoint = orders.endpoint.clone();
    let engine = Engine::new(engine_options)?;
    let mut options = ClientOptions::default();
    options.manual_acknowledge = true;
    let client = engine.open_async(&orders.store, options).await?;
    let mut events = client.events()?;
    let orders = std::sync::Arc::new(orders);
    let start_sending = {
        let (client, orders) = (client.clone(), std::sync::Arc::clone(&orders));
        move || {
            let (client, orders) = (client.clone(), std::sync::Arc::clone(&orders));
            tokio::spawn(async move {
                if let Err(error) = send_all(client, &orders).await {
                    println!("failed {error:?}");
                }
            })
        }
    };
    if client.account().is_some() {
        start_sending();
    }
    while let Some(event) = events.next().await {
        match &event.kind {
            EventKind::Qr(qr) => println!("qr {}", qr.text),
            EventKind::Linked(_) => {
                start_sending();
            }
            EventKind::Message(message) => {
                let text = message.text.as_deref().unwrap_or_default();
                notes.write(&format!("received {} {} {text}", event.id, message.message_id))?;
                println!("received {text}");
            }
            // The crash fell into the linking; the next code comes as an event too.
            EventKind::LinkFailed(_) => drop(client.link_with_qr(CallOptions::default()).await?),
            EventKind::LoggedOut(_) => println!("logged out"),
            EventKind::Closed(reason) => {
                println!("closed {reason:?}");
                return if *reason == ClosedReason::Host { Ok(()) } else { Err("the client closed".into()) };
            }
            _ => {}
        }
        if let Some(sequence) = event.sequence {
            client.acknowledge(sequence);
        }
    }
    Ok(())
}

fn main() -> Result<(), Failure> {
    let orders = orders()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(run(orders))
}
