//! A client in the chaos test: sends what it is told and writes down what it is given. Everything
//! it knows across a kill is its store and its notes.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use whimbrel::events::{ClosedReason, ConnectionState, Event, EventKind};
use whimbrel::{
    CallOptions, Client, ClientOptions, Engine, EngineOptions, Error, SendOptions, parse_address,
};
use whimbrel_faults::{Failure, Note, Notes, Order, Report, endpoint};

/// The test decides when it takes too long.
const PATIENCE: Duration = Duration::from_secs(3600);

fn say(report: &Report) {
    match serde_json::to_string(report) {
        Ok(line) => println!("{line}"),
        Err(error) => eprintln!("a report cannot be written: {error}"),
    }
}

type Sending = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

fn sending(client: &Client, order: &Order) -> Sending {
    let (client, order) = (client.clone(), order.clone());
    Box::pin(async move {
        let chat = parse_address(&order.chat)?;
        let mut options = SendOptions::default();
        options.message_id = Some(order.id);
        options.timeout = Some(PATIENCE);
        client.send_text(&chat, &order.text, options).await.map(drop)
    })
}

/// Takes orders. Each call is begun here, in the order in which they come, and awaited elsewhere.
async fn take_orders(client: Client) -> Result<(), Failure> {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let order: Order = serde_json::from_str(&line)?;
        let mut begun = sending(&client, &order);
        let first = poll_fn(|context| Poll::Ready(begun.as_mut().poll(context))).await;
        tokio::spawn(async move {
            let result = match first {
                Poll::Ready(result) => result,
                Poll::Pending => begun.await,
            };
            match result {
                Ok(()) => say(&Report::Sent(order.id)),
                Err(error) => say(&Report::Failed(format!("{}: {error:?}", order.id))),
            }
        });
    }
    Ok(())
}

/// What is to be written down of an event.
fn note(event: &Event) -> Option<Note> {
    let (chat, sender, device, message) = match &event.kind {
        EventKind::Message(message) => {
            (&message.chat, &message.sender, message.sender_device, &message.message_id)
        }
        EventKind::Undecryptable(message) => {
            (&message.chat, &message.sender, message.sender_device, &message.message_id)
        }
        _ => return None,
    };
    let (text, completes) = match &event.kind {
        EventKind::Message(message) => (message.text.clone(), message.completes.clone()),
        _ => (None, None),
    };
    Some(Note {
        sequence: event.sequence.unwrap_or_default(),
        event: event.id.clone(),
        chat: chat.id.to_string(),
        sender: sender.id.to_string(),
        device,
        message: message.clone(),
        text,
        completes,
    })
}

async fn run() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what: &str| arguments.next().ok_or_else(|| format!("{what} is missing"));
    let (store, notes) = (next("store")?, next("notes")?);
    let mut engine_options = EngineOptions::default();
    engine_options.endpoint = endpoint(next("url")?, &next("root key")?)?;
    let mut notes = Notes::open(notes.as_ref())?;
    let engine = Engine::new(engine_options)?;
    let mut options = ClientOptions::default();
    options.manual_acknowledge = true;
    let client = engine.open_async(&store, options).await?;
    let mut events = client.events()?;
    let orders = client.clone();
    tokio::spawn(async move {
        if let Err(error) = take_orders(orders).await {
            say(&Report::Failed(error.to_string()));
        }
        // Whoever gave the orders is gone.
        std::process::exit(0);
    });
    while let Some(event) = events.next().await {
        match &event.kind {
            EventKind::Qr(qr) => say(&Report::Qr(qr.text.clone())),
            EventKind::Connection(ConnectionState::Online) => {
                let device = client.account().map(|account| account.device).unwrap_or_default();
                say(&Report::Online(device));
            }
            EventKind::LinkFailed(_) => drop(client.link_with_qr(CallOptions::default()).await?),
            EventKind::LoggedOut(why) => say(&Report::LoggedOut(why.reason.clone().into_owned())),
            EventKind::Closed(reason) => {
                say(&Report::Failed(format!("closed: {reason:?}")));
                return if *reason == ClosedReason::Host { Ok(()) } else { Err("the client closed".into()) };
            }
            _ => {}
        }
        if let Some(note) = note(&event) {
            notes.write(&serde_json::to_string(&note)?)?;
            say(&Report::Noted(note.text));
        }
        if let Some(sequence) = event.sequence {
            client.acknowledge(sequence);
        }
    }
    Ok(())
}

fn main() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(run())
}
