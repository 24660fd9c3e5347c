//! The program that stops at a step of its store and waits there to be killed.
//!
//! Arguments: the store, which has the certificate of the media hosts beside it (`ca.pem`), the service's
//! address and root key, the step (`-`: none; `STEP=NUMBER`: the first with that number at least) and whether
//! to stop `before` or `after` it is durable, and what to do: nothing, `code NUMBER`, `passkey`, `send CHAT ID
//! TEXT`, `name NAME` or `logout`. Every line that it prints is something that happened.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use whimbrel::appstate::Setting;
use whimbrel::events::{ConnectionState, EventKind, HistoryKind};
use whimbrel::testing::{self, Moment, Step};
use whimbrel::{
    CallOptions, Client, ClientOptions, Endpoint, Engine, EngineOptions, FindMessages, SendOptions, SendWait,
};
use whimbrel_faults::{Failure, endpoint};

/// What an authenticator answers, in WebAuthn's form.
const ASSERTION: &str = r#"{"id":"AQID","rawId":"AQID","type":"public-key","response":{"clientDataJSON":"e30","authenticatorData":"AA","signature":"AA","userHandle":"AA"}}"#;

struct Orders {
    store: PathBuf,
    endpoint: Endpoint,
    step: String,
    moment: Moment,
    work: Vec<String>,
}

fn orders() -> Result<Orders, Failure> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what: &str| arguments.next().ok_or_else(|| format!("{what} is missing"));
    let store: PathBuf = next("store")?.into();
    let mut endpoint = endpoint(next("url")?, &next("root key")?)?;
    // Media hosts speak TLS only.
    endpoint.extra_ca_pem = Some(std::fs::read_to_string(store.with_file_name("ca.pem"))?);
    let step = next("step")?;
    let moment = match next("moment")?.as_str() {
        "before" => Moment::Before,
        _ => Moment::After,
    };
    Ok(Orders { store, endpoint, step, moment, work: arguments.collect() })
}

/// The name of a step, and what is to be known of it.
fn name(step: Step) -> (&'static str, String) {
    let word = match step {
        Step::Keys(noise) => return ("keys", STANDARD.encode(noise)),
        Step::Secret => "secret",
        Step::Link => "link",
        Step::PreKeys => "prekeys",
        Step::StagedKey => "staged",
        Step::Accepted => "accepted",
        Step::Composed => "composed",
        Step::Received => "received",
        Step::HistoryAnnounced(kind) => return ("announced", kind.to_string()),
        Step::HistoryRead(messages) => return ("history-read", messages.to_string()),
        Step::HistoryDone(messages) => return ("history-done", messages.to_string()),
        Step::StateWritten => "state-written",
        Step::LoggingOut => "logging-out",
        Step::Ended => "ended",
        _ => "other",
    };
    (word, String::new())
}

fn stop() -> ! {
    loop {
        std::thread::park();
    }
}

async fn work(client: Client, work: Vec<String>) -> Result<(), Failure> {
    let words: Vec<&str> = work.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["code", number] => {
            let code = client.link_with_code(number, CallOptions::default()).await?.code;
            println!("code {code}");
        }
        ["send", chat, id, text] => {
            let mut options = SendOptions::default();
            options.message_id = Some((*id).to_owned());
            options.wait = SendWait::Sent;
            client.send_text(&whimbrel::parse_address(chat)?, text, options).await?;
            println!("sent {id}");
        }
        ["name", name] => {
            client.set_setting(Setting::PushName((*name).to_owned())).await?;
        }
        ["logout"] => client.logout(CallOptions::default()).await?,
        _ => {}
    }
    Ok(())
}

/// How many messages are in the archive.
async fn archived(client: &Client) -> Result<usize, Failure> {
    let mut find = FindMessages::default();
    find.limit = Some(500);
    let mut count = 0;
    loop {
        let page = client.find_messages(find.clone(), CallOptions::default()).await?;
        count += page.items.len();
        if page.next.is_none() {
            return Ok(count);
        }
        find.cursor = page.next;
    }
}

async fn passkey(client: Client) -> Result<(), Failure> {
    let code = client.answer_passkey(ASSERTION, CallOptions::default()).await?;
    println!("compare {}", code.code);
    client.confirm_passkey(CallOptions::default()).await?;
    Ok(())
}

async fn run(orders: Orders) -> Result<(), Failure> {
    let mut engine_options = EngineOptions::default();
    engine_options.endpoint = orders.endpoint;
    let engine = Engine::new(engine_options)?;
    let mut options = ClientOptions::default();
    options.manual_acknowledge = true;
    let (wanted, at) = (orders.step, orders.moment);
    let client = testing::open_watched(&engine, &orders.store, options, move |step, moment| {
        let (word, more) = name(step);
        // Some steps are taken many times, and the wanted one has a number.
        let is_it = wanted.split_once('=').map_or(wanted == word, |(name, number)| {
            name == word && number.parse::<u64>().ok() <= more.parse().ok()
        });
        if is_it && moment == at {
            println!("at {word} {more}");
            stop();
        }
    })?;
    let mut events = client.events()?;
    let working = client.clone();
    tokio::spawn(async move {
        if let Err(error) = work(working, orders.work).await {
            println!("failed {error:?}");
        }
    });
    while let Some(event) = events.next().await {
        match &event.kind {
            EventKind::Qr(qr) => println!("qr {}", qr.text),
            EventKind::PasskeyRequired(_) => {
                tokio::spawn(passkey(client.clone()));
            }
            EventKind::Linked(_) => println!("linked"),
            EventKind::Connection(ConnectionState::Online) => println!("online"),
            EventKind::Message(message) => {
                println!("message {} {}", event.id, message.text.as_deref().unwrap_or_default());
            }
            EventKind::LinkFailed(failed) => {
                println!("link failed {}", failed.reason);
                client.link_with_qr(CallOptions::default()).await?;
            }
            EventKind::History(sync) if sync.messages > 0 || sync.error.is_some() => {
                println!("history {:?} {} {:?} {}", sync.kind, sync.messages, sync.error, event.id);
                if sync.kind == HistoryKind::Recent {
                    println!("archive {}", archived(&client).await?);
                }
            }
            EventKind::StateWritten(written) => {
                let name = client.account().and_then(|account| account.push_name);
                println!("written {:?} {}", written.error, name.unwrap_or_default());
            }
            EventKind::LoggedOut(out) => println!("logged out {} {}", out.reason, event.id),
            _ => {}
        }
    }
    Ok(())
}

fn main() -> Result<(), Failure> {
    let orders = orders()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(run(orders))
}
