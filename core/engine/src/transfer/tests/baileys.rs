use std::fs;

use super::*;

/// The folder of the vectors.
fn folder(at: &Folder) -> PathBuf {
    let folder = at.path("auth");
    fs::create_dir(&folder).unwrap();
    for (name, text) in vectors("import-baileys.json")["files"].as_object().unwrap() {
        fs::write(folder.join(name), text.as_str().unwrap()).unwrap();
    }
    folder
}

fn device(message: &Value) -> Jid {
    message["from"].as_str().unwrap().parse().unwrap()
}

#[test]
fn a_folder_is_taken_over_and_what_its_peers_sent_opens() {
    let at = Folder::new();
    let folder = folder(&at);
    let before = fs::read(folder.join("creds.json")).unwrap();
    let path = at.path("store.db");
    let report = import(&ImportSource::Baileys { folder: folder.clone() }, &path).unwrap();
    assert_eq!((report.identity.id.to_string().as_str(), report.device), ("240000000000001@lid", 7));
    assert_eq!(count(&report, "sessions"), 2);
    assert_eq!((count(&report, "one-time prekeys"), count(&report, "sender keys")), (1, 1));
    assert_eq!((count(&report, "app state keys"), count(&report, "app state values")), (1, 1));
    assert_eq!(count(&report, "privacy tokens"), 1);
    let left_out: Vec<_> = report.left_out.iter().map(|left| left.what.as_str()).collect();
    assert_eq!(left_out, ["device-list", "own sender keys"]);
    // The vectors' account is filler.
    assert_eq!(report.warnings.len(), 2);
    assert_eq!(fs::read(folder.join("creds.json")).unwrap(), before);

    let vectors = vectors("import-baileys.json");
    let store = open(&path);
    let account = store.account().unwrap().unwrap();
    assert_eq!(account.next_pre_key_id, 2);
    assert!(account.server_has_pre_keys);
    assert!(store.pre_key(1).unwrap().unwrap().offered);
    let ben = Jid::lid("240000000000002");
    assert_eq!(store.lid_of(&Jid::pn("15550002222")).unwrap(), Some(ben.clone()));
    read_messages(&store, &vectors["decrypt_after_import"], device);
    let group = Jid::group("120363000000000001");
    read_group(&store, &group, &ben, &vectors["group_decrypt_after_import"]);
}

#[test]
fn positions_that_a_stale_copy_may_have_used_are_passed_once() {
    let at = Folder::new();
    let path = at.path("store.db");
    import(&ImportSource::Baileys { folder: folder(&at) }, &path).unwrap();
    let position = || {
        let store = open(&path);
        let bytes = store.session(&Jid::lid("240000000000002")).unwrap().unwrap();
        store.close();
        SessionRecord::deserialize(&bytes).unwrap().next_counter()
    };
    assert_eq!(position(), Some(100));
    assert_eq!(position(), Some(100), "at the first open only");
}

#[test]
fn sessions_by_phone_number_join_those_by_lid() {
    let at = Folder::new();
    let folder = folder(&at);
    let session = folder.join("session-240000000000002_1.0.json");
    // A device that is known by phone number only, and one that is known by both.
    fs::copy(&session, folder.join("session-15550002222.3.json")).unwrap();
    fs::copy(&session, folder.join("session-15550002222.0.json")).unwrap();
    let path = at.path("store.db");
    import(&ImportSource::Baileys { folder }, &path).unwrap();
    let store = open(&path);
    let lid = Jid::lid("240000000000002");
    let record =
        |device: &Jid| store.session(device).unwrap().map(|b| SessionRecord::deserialize(&b).unwrap());
    assert_eq!(store.session_devices(&Jid::pn("15550002222")).unwrap(), []);
    assert!(record(&lid.with_device(3)).unwrap().has_session());
    assert_eq!(record(&lid).unwrap().archived_base_keys().count(), 1);
}

#[test]
fn a_folder_that_holds_no_link_is_refused_with_the_reason() {
    let at = Folder::new();
    let path = at.path("store.db");
    let absent = ImportSource::Baileys { folder: at.path("nothing") };
    assert_eq!(refused(&absent, &path), (Code::ImportRefused, "the folder is not there".to_owned()));

    let folder = folder(&at);
    let source = ImportSource::Baileys { folder: folder.clone() };
    let creds = fs::read_to_string(folder.join("creds.json")).unwrap();
    for (text, with, message) in [
        ("15550001111:7@s", "15550001111@s", "it holds no link: pairing was never finished"),
        (
            "lmkqp/wRyTYAmktEb7fIR1Ya",
            "aaaqp/wRyTYAmktEb7fIR1Ya",
            "the public and the private half of noiseKey do not belong together",
        ),
        (
            "+eos3m25fEMhlEzKLz3XEYn7",
            "aaos3m25fEMhlEzKLz3XEYn7",
            "the signature of the signed prekey does not verify",
        ),
        ("\"advSecretKey\":\"H4Zm", "\"advSecretKey\":\"", "creds.json is malformed: advSecretKey"),
        ("{\"noiseKey\"", "{\"noiseKey", "creds.json is malformed: it is no JSON"),
    ] {
        let changed = creds.replacen(text, with, 1);
        assert_ne!(changed, creds);
        fs::write(folder.join("creds.json"), changed).unwrap();
        assert_eq!(refused(&source, &path), (Code::ImportRefused, message.to_owned()));
    }
    fs::remove_file(folder.join("creds.json")).unwrap();
    assert_eq!(refused(&source, &path).1, "creds.json is not there");
    assert_eq!(at.names(), ["auth"]);
}

#[test]
fn a_file_that_is_damaged_is_left_out_and_the_rest_is_taken() {
    let at = Folder::new();
    let folder = folder(&at);
    fs::write(folder.join("session-240000000000003_1.12.json"), "{\"_sess").unwrap();
    fs::write(folder.join("session-240000000000003_1.13.json"), "{\"_sessions\":{}}").unwrap();
    let path = at.path("store.db");
    let report = import(&ImportSource::Baileys { folder }, &path).unwrap();
    assert_eq!(count(&report, "sessions"), 1);
    let reasons: Vec<_> =
        report.left_out.iter().filter(|left| left.what == "session").map(|left| left.why.as_str()).collect();
    assert_eq!(reasons, ["the file is no JSON", "the record has an old form"]);
}

#[test]
fn nothing_is_overwritten() {
    let at = Folder::new();
    let source = ImportSource::Baileys { folder: folder(&at) };
    let path = at.path("store.db");
    import(&source, &path).unwrap();
    let before = fs::read(&path).unwrap();
    assert_eq!(import(&source, &path).unwrap_err().code(), Code::FileExists);
    assert_eq!(fs::read(&path).unwrap(), before);
}
