//! What the devices of an account share, read for the first time: ten thousand chats that are archived, muted and
//! labelled, from their snapshots to an archive that can be searched; and a patch of a thousand changes that another
//! device makes. Prints one JSON object a line: `{"name", "seconds", "entries"}`.

use std::time::{Duration, Instant};

use serde_json::json;
use whimbrel::appstate::{Action, StateCollection};
use whimbrel::events::{EventKind, EventStream};
use whimbrel::{CallOptions, ClientOptions, Engine, EngineOptions, FindChats, Jid};
use whimbrel_proto::sync_action::sync_action_value::{
    ArchiveChatAction, LabelAssociationAction, LabelEditAction, MuteAction, PinAction,
};
use whimbrel_sandbox::phone::Phone;
use whimbrel_sandbox::{Options, Sandbox};

const NUMBER: &str = "31612345678";
const CHATS: u32 = 10_000;
const CHANGES: u32 = 1_000;
const LABEL: &str = "7";

#[tokio::main]
async fn main() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let phone = sandbox.phone(NUMBER).await.unwrap();
    fill(&phone).await;
    let folder = std::env::temp_dir().join(format!("whimbrel-bench-appstate-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let root = sandbox.noise_root();
    let mut options = EngineOptions::default();
    options.endpoint.url = sandbox.ws_url();
    options.endpoint.noise_root = Some((root.public_key, root.serial));
    options.endpoint.extra_ca_pem = Some(sandbox.ca_pem().to_owned());
    let engine = Engine::new(options).unwrap();
    let mut options = ClientOptions::default();
    options.auto_start = false;
    let client = engine.open(folder.join("store"), options).unwrap();
    let mut events = client.events().unwrap();
    let code = client.link_with_qr(CallOptions::default()).await.unwrap();
    phone.scan(&code.text).await.unwrap();
    client.connect(CallOptions::default()).await.unwrap();
    let began = Instant::now();
    let entries = synced(&mut events).await;
    tell("appstate_10000_chats", began, entries);
    let mut find = FindChats::default();
    (find.archived, find.label) = (Some(true), Some(LABEL.to_owned()));
    find.limit = Some(500);
    assert_eq!(client.find_chats(find, CallOptions::default()).await.unwrap().items.len(), 500);

    let pins: Vec<Action> = (0..CHANGES).map(pin).collect();
    phone.set_app_state(&pins).await.unwrap();
    let began = Instant::now();
    for _ in 0..CHANGES {
        next(&mut events, |kind| matches!(kind, EventKind::ChatChanged(_))).await;
    }
    tell("appstate_1000_changes", began, u64::from(CHANGES));
    engine.close(Duration::from_secs(10)).await.unwrap();
    sandbox.stop();
    let _ = std::fs::remove_dir_all(&folder);
}

fn tell(name: &str, began: Instant, entries: u64) {
    println!("{}", json!({"name": name, "seconds": began.elapsed().as_secs_f64(), "entries": entries}));
}

fn chat(number: u32) -> String {
    Jid::pn(&(15_550_000_000_u64 + u64::from(number)).to_string()).to_string()
}

fn pin(number: u32) -> Action {
    Action::Pin { chat: chat(number), value: Box::new(PinAction { pinned: Some(true) }) }
}

/// What was there before the link.
async fn fill(phone: &Phone) {
    let label = LabelEditAction { name: Some("birds".to_owned()), color: Some(3), ..LabelEditAction::default() };
    let mut actions = vec![Action::LabelEdit { label: LABEL.to_owned(), value: Box::new(label) }];
    for number in 0..CHATS {
        let archive = ArchiveChatAction { archived: Some(true), message_range: None };
        let mute = MuteAction { muted: Some(true), mute_end_timestamp: Some(-1), ..MuteAction::default() };
        let labelled = LabelAssociationAction { labeled: Some(true), ..LabelAssociationAction::default() };
        actions.push(Action::Archive { chat: chat(number), value: Box::new(archive) });
        actions.push(Action::Mute { chat: chat(number), value: Box::new(mute) });
        actions.push(Action::LabelChat {
            label: LABEL.to_owned(),
            chat: chat(number),
            value: Box::new(labelled),
        });
    }
    phone.set_app_state(&actions).await.unwrap();
}

async fn next(events: &mut EventStream, wanted: impl Fn(&EventKind) -> bool) -> EventKind {
    while let Some(event) = events.next().await {
        if wanted(&event.kind) {
            return event.kind;
        }
    }
    panic!("the events ended");
}

/// Waits until every collection was read; how many entries there are.
async fn synced(events: &mut EventStream) -> u64 {
    let mut entries = 0;
    for _ in StateCollection::ALL {
        if let EventKind::StateSynced(read) = next(events, |kind| matches!(kind, EventKind::StateSynced(_))).await {
            entries += read.entries;
        }
    }
    entries
}
