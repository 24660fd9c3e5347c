//! A host killed with SIGKILL while it imports, exports or backs up: what it was making is there
//! whole or not at all, and the link is somewhere.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is the report of a failed test")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use whimbrel::{ClientOptions, Code, Engine, EngineOptions, Error, ImportSource};
use whimbrel_faults::Folder;

/// Kills of each kind.
const KILLS: u32 = 25;

/// A folder of Baileys, from the vectors.
fn auth_folder(at: &Folder) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/import-baileys.json");
    let vectors: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let folder = at.file("auth");
    std::fs::create_dir(&folder).unwrap();
    for (name, text) in vectors.get("files").unwrap().as_object().unwrap() {
        std::fs::write(folder.join(name), text.as_str().unwrap()).unwrap();
    }
    folder
}

/// Runs the mover, and kills it `pause` after it began. Returns whether it was done before.
fn run_and_kill(operation: &str, source: &Path, target: &Path, pause: Option<Duration>) -> bool {
    let mut mover = Command::new(env!("CARGO_BIN_EXE_mover"))
        .arg(operation)
        .args([source, target])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(mover.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "ready");
    if let Some(pause) = pause {
        // Not a wait for something: it is the point of the kill.
        std::thread::sleep(pause);
        mover.kill().unwrap();
    }
    mover.wait().unwrap();
    match lines.next() {
        Some(Ok(line)) if line == "done" => true,
        Some(Ok(line)) => panic!("{line}"),
        _ => false,
    }
}

/// Kills at seeded points from the beginning to a little beyond the end.
fn kill_often(operation: &str, mut round: impl FnMut(u32, &mut dyn FnMut(&Path, &Path) -> bool)) {
    let mut rng = ChaCha20Rng::seed_from_u64(u64::from(KILLS));
    let mut longest = None;
    for number in 0..=KILLS {
        let mut run = |source: &Path, target: &Path| {
            let Some(longest) = longest else {
                // The first one is left alone, and timed.
                let started = Instant::now();
                assert!(run_and_kill(operation, source, target, None));
                longest = Some(started.elapsed());
                return true;
            };
            let most = u64::try_from(Duration::as_micros(&longest)).unwrap().max(1);
            let pause = Duration::from_micros(rng.next_u64() % (most + most / 4));
            run_and_kill(operation, source, target, Some(pause))
        };
        round(number, &mut run);
    }
}

fn engine() -> Engine {
    Engine::new(EngineOptions::default()).unwrap()
}

/// The account of a store, if it opens.
fn account(engine: &Engine, store: &Path) -> Result<String, Error> {
    let mut options = ClientOptions::default();
    options.auto_start = false;
    let client = engine.open(store, options)?;
    let account = client.account().unwrap();
    engine.handle().block_on(client.close(Duration::from_secs(5)))?;
    Ok(account.identity.id.to_string())
}

const ACCOUNT: &str = "240000000000001@lid";

#[test]
fn an_import_is_there_whole_or_not_at_all() {
    let at = Folder::new("moves-import").unwrap();
    let (folder, engine) = (auth_folder(&at), engine());
    let (mut whole, mut nothing) = (0, 0);
    kill_often("import", |number, run| {
        let store = at.file(&format!("{number}.db"));
        let done = run(&folder, &store);
        if store.exists() {
            assert_eq!(account(&engine, &store).unwrap(), ACCOUNT);
            whole += 1;
        } else {
            assert!(!done);
            // What was begun does not hinder the next attempt.
            engine.import(ImportSource::Baileys { folder: folder.clone() }, &store).unwrap();
            assert_eq!(account(&engine, &store).unwrap(), ACCOUNT);
            nothing += 1;
        }
    });
    println!("{whole} whole, {nothing} not at all");
}

#[test]
fn an_export_leaves_the_link_in_one_place_at_least_and_whole() {
    let at = Folder::new("moves-export").unwrap();
    let (folder, engine) = (auth_folder(&at), engine());
    let (mut moved, mut stayed) = (0, 0);
    kill_often("export", |number, run| {
        let store = at.file(&format!("{number}.db"));
        engine.import(ImportSource::Baileys { folder: folder.clone() }, &store).unwrap();
        let file = at.file(&format!("{number}.whimbrel"));
        let done = run(&store, &file);
        let here = account(&engine, &store);
        if file.exists() {
            let source = ImportSource::Export { file: file.clone(), passphrase: "sesame".into() };
            let other = at.file(&format!("{number}-other.db"));
            engine.import(source, &other).unwrap();
            assert_eq!(account(&engine, &other).unwrap(), ACCOUNT);
        }
        match here {
            Ok(account) => {
                assert!(!done);
                assert_eq!(account, ACCOUNT);
                stayed += 1;
            }
            Err(error) => {
                assert_eq!(error.code(), Code::StoreMoved);
                assert!(file.exists(), "the link is lost");
                moved += 1;
            }
        }
    });
    println!("{moved} moved, {stayed} stayed");
}

#[test]
fn a_backup_is_there_whole_or_not_at_all() {
    let at = Folder::new("moves-backup").unwrap();
    let (folder, engine) = (auth_folder(&at), engine());
    let store = at.file("store.db");
    engine.import(ImportSource::Baileys { folder }, &store).unwrap();
    let (mut whole, mut nothing) = (0, 0);
    kill_often("backup", |number, run| {
        let copy = at.file(&format!("{number}.db"));
        let done = run(&store, &copy);
        if copy.exists() {
            assert_eq!(account(&engine, &copy).unwrap(), ACCOUNT);
            whole += 1;
        } else {
            assert!(!done);
            nothing += 1;
        }
        assert_eq!(account(&engine, &store).unwrap(), ACCOUNT);
    });
    println!("{whole} whole, {nothing} not at all");
}
