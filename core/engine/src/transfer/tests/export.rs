use std::time::{Duration, Instant};

use super::*;
use crate::engine::Engine;
use crate::options::{CallOptions, ClientOptions, EngineOptions};
use crate::store::Changes;
use crate::transfer::{ExportOptions, Passphrase};

/// The store that the vectors of Baileys make, with something in every table that a running client
/// fills.
fn store(at: &Folder) -> PathBuf {
    let folder = at.path("auth");
    std::fs::create_dir(&folder).unwrap();
    for (name, text) in vectors("import-baileys.json")["files"].as_object().unwrap() {
        std::fs::write(folder.join(name), text.as_str().unwrap()).unwrap();
    }
    let path = at.path("store.db");
    import(&ImportSource::Baileys { folder }, &path).unwrap();
    let store = open(&path);
    let group = Jid::group("120363000000000001");
    let changes = Changes {
        own_sender_keys: [(group, Some(vec![1, 2, 3]))].into(),
        outbox: vec![crate::store::OutboxRow {
            chat: Jid::lid("240000000000002"),
            message_id: "PENDING".to_owned(),
            content: vec![7; 70_000],
            route: None,
            state: crate::store::OutboxState::Pending,
            created_at_ms: crate::clock::now_ms(),
            confirmed_at: 0,
            delivered_at: 0,
            told: false,
        }],
        journal: vec![crate::store::JournalRow { sequence: 1, payload: vec![1] }],
        ..Changes::default()
    };
    store.commit(&changes).unwrap();
    store.close();
    path
}

fn engine() -> Engine {
    let mut options = EngineOptions::default();
    options.endpoint.url = "ws://127.0.0.1:1/".to_owned();
    Engine::new(options).unwrap()
}

fn quiet() -> ClientOptions {
    ClientOptions { auto_start: false, ..ClientOptions::default() }
}

fn later() -> Instant {
    Instant::now() + Duration::from_secs(600)
}

fn source(file: &Path, passphrase: &str) -> ImportSource {
    ImportSource::Export { file: file.to_owned(), passphrase: passphrase.into() }
}

fn position(store: &dyn Store) -> Option<u32> {
    let bytes = store.session(&Jid::lid("240000000000002")).unwrap().unwrap();
    SessionRecord::deserialize(&bytes).unwrap().next_counter()
}

#[test]
fn a_link_moves_whole_and_can_be_used_in_one_place_only() {
    let at = Folder::new();
    let (path, file, other) = (store(&at), at.path("link.whimbrel"), at.path("other.db"));
    let engine = engine();
    let client = engine.open(&path, quiet()).unwrap();
    let exported = client.export(&file, Passphrase::new("correct horse"), ExportOptions::default());
    engine.handle().block_on(exported).unwrap();
    assert_eq!(engine.open(&path, quiet()).unwrap_err().code(), Code::StoreMoved);

    let report = engine.import(source(&file, "correct horse"), &other).unwrap();
    assert_eq!((report.identity.id.to_string().as_str(), report.device), ("240000000000001@lid", 7));
    let moved = open(&other);
    assert_eq!(position(&moved), Some(200), "100 at each move");
    let pending = moved.outbox_pending().unwrap();
    assert_eq!((pending.len(), pending[0].message_id.as_str()), (1, "PENDING"));
    assert_eq!((moved.journal_bounds().unwrap(), moved.journal_after(0, 9).unwrap().len()), ((1, 0), 1));
    assert_eq!(moved.own_sender_key(&Jid::group("120363000000000001")).unwrap(), None);
    assert!(moved.pre_key(1).unwrap().is_some() && moved.signed_pre_key(1).unwrap().is_some());
    read_messages(&moved, &vectors("import-baileys.json")["decrypt_after_import"], |message| {
        message["from"].as_str().unwrap().parse().unwrap()
    });
    moved.close();
    engine.close_blocking(Duration::from_secs(10)).unwrap();
}

#[test]
fn a_copy_leaves_the_client_running_and_overwrites_nothing() {
    let at = Folder::new();
    let (path, file) = (store(&at), at.path("link.whimbrel"));
    let engine = engine();
    let client = engine.open(&path, quiet()).unwrap();
    let export = |passphrase: &str| {
        let options = ExportOptions { keep: true, timeout: None };
        engine.handle().block_on(client.export(&file, passphrase.into(), options))
    };
    export("a").unwrap();
    assert_eq!(export("b").unwrap_err().code(), Code::FileExists);
    assert!(client.account().is_some());
    let other = at.path("other.db");
    let wrong = engine.import(source(&file, "b"), &other).unwrap_err();
    assert_eq!(wrong.code(), Code::WrongPassphrase);
    engine.import(source(&file, "a"), &other).unwrap();
    let memory = engine.open(":memory:", quiet()).unwrap();
    let refused = memory.export(at.path("x"), "a".into(), ExportOptions::default());
    assert_eq!(engine.handle().block_on(refused).unwrap_err().code(), Code::NotSupported);
    engine.close_blocking(Duration::from_secs(10)).unwrap();
}

#[test]
fn an_export_that_is_late_leaves_the_link_where_it_was() {
    let at = Folder::new();
    let (path, file) = (store(&at), at.path("link.whimbrel"));
    let engine = engine();
    let client = engine.open(&path, quiet()).unwrap();
    let export = |keep, timeout| {
        let options = ExportOptions { keep, timeout: Some(timeout) };
        engine.handle().block_on(client.export(&file, "a".into(), options)).unwrap_err()
    };
    // What has no time at all does not even close the client.
    for keep in [true, false] {
        let error = export(keep, Duration::ZERO);
        assert_eq!((error.code(), error.operation()), (Code::TimedOut, Some("export")));
        assert!(client.account().is_some() && engine.open(&path, quiet()).is_err());
    }
    assert_eq!(export(false, Duration::from_micros(1)).code(), Code::TimedOut);
    assert!(!at.names().iter().any(|name| name.starts_with("link")), "{:?}", at.names());
    let client = engine.open(&path, quiet()).unwrap();
    assert!(client.account().is_some());
    engine.close_blocking(Duration::from_secs(10)).unwrap();
}

#[test]
fn calls_under_way_have_half_of_the_time_to_finish() {
    let at = Folder::new();
    let (path, file) = (store(&at), at.path("link.whimbrel"));
    let engine = engine();
    let client = engine.open(&path, quiet()).unwrap();
    let (begins, begun) = tokio::sync::oneshot::channel();
    let calling = client.clone();
    let endless = |_, _| async move {
        begins.send(()).unwrap();
        std::future::pending::<Result<(), crate::Error>>().await
    };
    let day = Some(Duration::from_secs(86_400));
    let call = engine.handle().spawn(async move { calling.call("wait", day, endless).await });
    let time = Duration::from_secs(12);
    engine.handle().block_on(async {
        begun.await.unwrap();
        let started = Instant::now();
        let options = ExportOptions { timeout: Some(time), ..ExportOptions::default() };
        client.export(&file, "a".into(), options).await.unwrap();
        assert!(started.elapsed() >= time / 2, "the call had {:?}", started.elapsed());
        assert_eq!(call.await.unwrap().unwrap_err().code(), Code::Cancelled);
    });
    assert_eq!(engine.open(&path, quiet()).unwrap_err().code(), Code::StoreMoved);
    engine.close_blocking(Duration::from_secs(10)).unwrap();
}

#[test]
fn a_damaged_file_leaves_no_store() {
    let at = Folder::new();
    let (path, file) = (store(&at), at.path("link.whimbrel"));
    super::super::export(&path, &file, &Passphrase::new("a"), true, later()).unwrap();
    let whole = std::fs::read(&file).unwrap();
    let other = at.path("other.db");
    for (length, code) in [(whole.len() - 1, Code::ExportDamaged), (64 + 65_552, Code::ExportDamaged)] {
        std::fs::write(&file, &whole[..length]).unwrap();
        assert_eq!(refused(&source(&file, "a"), &other).0, code, "{length}");
    }
    std::fs::write(&file, b"something else altogether").unwrap();
    let (code, message) = refused(&source(&file, "a"), &other);
    assert_eq!((code, message.as_str()), (Code::ImportRefused, "the file is no export"));
    let mut newer = whole;
    newer[9] = 2;
    std::fs::write(&file, newer).unwrap();
    assert_eq!(refused(&source(&file, "a"), &other).0, Code::StoreTooNew);
}

#[test]
fn a_backup_of_a_running_client_opens_as_a_copy_that_went_stale() {
    let at = Folder::new();
    let (path, copy) = (store(&at), at.path("backup.db"));
    let engine = engine();
    let client = engine.open(&path, quiet()).unwrap();
    engine.handle().block_on(client.backup(&copy, CallOptions::default())).unwrap();
    let again = engine.handle().block_on(client.backup(&copy, CallOptions::default()));
    assert_eq!(again.unwrap_err().code(), Code::FileExists);
    let record = |store: &dyn Store| {
        let bytes = store.session(&Jid::lid("240000000000002")).unwrap().unwrap();
        SessionRecord::deserialize(&bytes).unwrap()
    };
    assert_eq!(record(&*client.inner().store).next_counter(), Some(100), "the original goes on as before");

    let restored = open(&copy);
    let stale = record(&restored);
    assert!(!stale.has_session(), "the next message begins a session");
    assert_eq!(stale.archived_parts().next().unwrap().next_counter, 600);
    assert_eq!(restored.own_sender_key(&Jid::group("120363000000000001")).unwrap(), None);
    let account = restored.account().unwrap().unwrap();
    assert!(!account.server_has_pre_keys && account.next_pre_key_id > 8000);
    assert_eq!(restored.outbox_pending().unwrap().len(), 1);
    read_messages(&restored, &vectors("import-baileys.json")["decrypt_after_import"], |message| {
        message["from"].as_str().unwrap().parse().unwrap()
    });
    restored.close();
    engine.close_blocking(Duration::from_secs(10)).unwrap();
}

/// A file of the first version: from the first release on it must stay readable for ever. Until then
/// layout 1 still changes in place, and the test writes the file anew when `WHIMBREL_BLESS` is set.
#[test]
fn the_first_format_stays_readable() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/export-1.whimbrel");
    let at = Folder::new();
    if std::env::var_os("WHIMBREL_BLESS").is_some() {
        let _ = std::fs::remove_file(&kept);
        let passphrase = Passphrase::new("eight wading birds");
        super::super::export(&store(&at), &kept, &passphrase, true, later()).unwrap();
    }
    let path = at.path("kept.db");
    let report = import(&source(&kept, "eight wading birds"), &path).unwrap();
    assert_eq!((report.identity.id.to_string().as_str(), report.device), ("240000000000001@lid", 7));
    let store = open(&path);
    assert_eq!(store.outbox_pending().unwrap().len(), 1);
    read_messages(&store, &vectors("import-baileys.json")["decrypt_after_import"], |message| {
        message["from"].as_str().unwrap().parse().unwrap()
    });
}

#[test]
fn a_passphrase_is_not_printed() {
    let source = source(Path::new("f"), "sesame");
    assert!(!format!("{source:?}").contains("sesame"));
}

#[test]
fn the_corpus_of_the_fuzz_target_holds_and_so_do_its_pieces() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/export");
    let mut good = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        if crate::fuzzing::export_header(&bytes) || crate::fuzzing::export_rows(&bytes) {
            good.push(path.file_name().unwrap().to_str().unwrap().to_owned());
        }
        for length in 0..bytes.len() {
            assert!(!crate::fuzzing::export_rows(&bytes[..length]), "{path:?} cut to {length}");
            assert!(!crate::fuzzing::export_header(&bytes[..length]), "{path:?} cut to {length}");
        }
        count += 1;
    }
    good.sort_unstable();
    assert_eq!(good, ["header", "rows-empty", "rows-journal", "rows-pair"]);
    assert!(count >= 13, "only {count} files");
}
