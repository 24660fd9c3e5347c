use rusqlite::{Connection, params};

use super::*;

/// The tables of schema 11, as far as they are read, and the account of the vectors in them.
fn database(at: &Folder) -> PathBuf {
    let path = at.path("whatsmeow.db");
    let database = Connection::open(&path).unwrap();
    database
        .execute_batch(
            "PRAGMA journal_mode = WAL;
            CREATE TABLE whatsmeow_version (version INTEGER, compat INTEGER);
            INSERT INTO whatsmeow_version VALUES (11, 8);
            CREATE TABLE whatsmeow_device (jid TEXT PRIMARY KEY, lid TEXT, facebook_uuid uuid,
                registration_id BIGINT, noise_key bytea, identity_key bytea, signed_pre_key bytea,
                signed_pre_key_id INTEGER, signed_pre_key_sig bytea, adv_key bytea, adv_details bytea,
                adv_account_sig bytea, adv_account_sig_key bytea, adv_device_sig bytea, platform TEXT,
                business_name TEXT, push_name TEXT, lid_migration_ts BIGINT);
            CREATE TABLE whatsmeow_identity_keys (our_jid TEXT, their_id TEXT, identity bytea);
            CREATE TABLE whatsmeow_pre_keys (jid TEXT, key_id INTEGER, key bytea, uploaded BOOLEAN);
            CREATE TABLE whatsmeow_sessions (our_jid TEXT, their_id TEXT, session bytea);
            CREATE TABLE whatsmeow_sender_keys (our_jid TEXT, chat_id TEXT, sender_id TEXT, sender_key bytea);
            CREATE TABLE whatsmeow_app_state_sync_keys (jid TEXT, key_id bytea, key_data bytea,
                timestamp BIGINT, fingerprint bytea);
            CREATE TABLE whatsmeow_app_state_version (jid TEXT, name TEXT, version BIGINT, hash bytea);
            CREATE TABLE whatsmeow_app_state_mutation_macs (jid TEXT, name TEXT, version BIGINT,
                index_mac bytea, value_mac bytea);
            CREATE TABLE whatsmeow_contacts (our_jid TEXT, their_jid TEXT, full_name TEXT);
            CREATE TABLE whatsmeow_lid_map (lid TEXT PRIMARY KEY, pn TEXT UNIQUE);
            CREATE TABLE whatsmeow_privacy_tokens (our_jid TEXT, their_jid TEXT, token bytea, timestamp BIGINT);
            CREATE TABLE whatsmeow_message_secrets (our_jid TEXT, chat_jid TEXT, sender_jid TEXT,
                message_id TEXT, key bytea);",
        )
        .unwrap();
    for jid in ["15550001111:7@s.whatsapp.net", "15550009999:2@s.whatsapp.net"] {
        fill(&database, jid);
    }
    path
}

fn fill(database: &Connection, own: &str) {
    let vectors = vectors("import-whatsmeow.json");
    let account = &vectors["account"];
    let signed = &account["signed_pre_key"];
    let lid = own.starts_with("15550001111").then_some("240000000000001:7@lid");
    database
        .execute(
            "INSERT INTO whatsmeow_device VALUES (?1, ?2, NULL, ?3, ?4, ?5, ?6, 0, ?7, ?8, x'08', ?9, ?8, ?9,
             'android', '', 'Tester', 0)",
            params![
                own,
                lid,
                account["registration_id"].as_i64(),
                [5_u8; 32],
                bytes(&account["identity"]["private"]),
                bytes(&signed["private"]),
                bytes(&signed["signature"]),
                [9_u8; 32],
                [10_u8; 64],
            ],
        )
        .unwrap();
    let key = &account["pre_key"];
    let row = params![own, key["key_id"].as_i64(), bytes(&key["key"])];
    database.execute("INSERT INTO whatsmeow_pre_keys VALUES (?1, ?2, ?3, TRUE)", row).unwrap();
    database
        .execute("INSERT INTO whatsmeow_pre_keys VALUES (?1, 9, ?2, FALSE)", params![own, [3_u8; 32]])
        .unwrap();
    for session in vectors["sessions"].as_array().unwrap() {
        let (id, json) = (session["their_id"].as_str(), session["session"].as_str().unwrap());
        let row = params![own, id, json.as_bytes()];
        database.execute("INSERT INTO whatsmeow_sessions VALUES (?1, ?2, ?3)", row).unwrap();
        let row = params![own, id, bytes(&session["their_identity"])];
        database.execute("INSERT INTO whatsmeow_identity_keys VALUES (?1, ?2, ?3)", row).unwrap();
    }
    for key in vectors["sender_keys"].as_array().unwrap() {
        let json = key["sender_key"].as_str().unwrap();
        let row = params![own, key["chat_id"].as_str(), key["sender_id"].as_str(), json.as_bytes()];
        database.execute("INSERT INTO whatsmeow_sender_keys VALUES (?1, ?2, ?3, ?4)", row).unwrap();
    }
    for (sql, row) in [
        (
            "INSERT INTO whatsmeow_app_state_sync_keys VALUES (?1, x'0001', zeroblob(32), 5, x'08')",
            params![own],
        ),
        ("INSERT INTO whatsmeow_app_state_version VALUES (?1, 'regular', 3, zeroblob(128))", params![own]),
        (
            "INSERT INTO whatsmeow_app_state_mutation_macs VALUES (?1, 'regular', 3, x'0a', x'03')",
            params![own],
        ),
        (
            "INSERT INTO whatsmeow_app_state_mutation_macs VALUES (?1, 'regular', 2, x'0a', x'02')",
            params![own],
        ),
        ("INSERT INTO whatsmeow_contacts VALUES (?1, '240000000000002@lid', 'Ben')", params![own]),
        ("INSERT INTO whatsmeow_privacy_tokens VALUES (?1, '240000000000002@lid', x'01', 7)", params![own]),
        (
            "INSERT INTO whatsmeow_message_secrets VALUES (?1, '240000000000002@lid', '240000000000002@lid', \
             'A1', zeroblob(32))",
            params![own],
        ),
        ("INSERT OR REPLACE INTO whatsmeow_lid_map VALUES ('240000000000002', '15550002222')", params![]),
    ] {
        database.execute(sql, row).unwrap();
    }
}

fn source(database: &Path, account: Option<&str>) -> ImportSource {
    ImportSource::Whatsmeow { database: database.to_owned(), account: account.map(str::to_owned) }
}

#[test]
fn an_account_is_taken_over_and_what_its_peers_sent_opens() {
    let at = Folder::new();
    let database = database(&at);
    let before = std::fs::read(&database).unwrap();
    let path = at.path("store.db");
    let report = import(&source(&database, Some("+1 555 000 1111")), &path).unwrap();
    assert_eq!((report.identity.id.to_string().as_str(), report.device), ("240000000000001@lid", 7));
    assert_eq!((count(&report, "sessions"), count(&report, "one-time prekeys")), (2, 2));
    assert_eq!((count(&report, "sender keys"), count(&report, "message secrets")), (1, 1));
    let left_out: Vec<_> = report.left_out.iter().map(|left| left.what.as_str()).collect();
    assert_eq!(left_out, ["contacts", "own sender keys"]);
    assert_eq!(std::fs::read(&database).unwrap(), before, "the source is not changed");
    assert!(
        at.names().iter().all(|name| !name.contains("-source") && !name.contains("-new")),
        "{:?}",
        at.names()
    );

    let store = open(&path);
    let account = store.account().unwrap().unwrap();
    assert_eq!((account.next_pre_key_id, account.signed_pre_key_id), (10, 0));
    assert!(store.pre_key(5).unwrap().unwrap().offered && !store.pre_key(9).unwrap().unwrap().offered);
    let vectors = vectors("import-whatsmeow.json");
    read_messages(&store, &vectors["decrypt_after_import"], |message| {
        let (user, device) = message["address"].as_str().unwrap().split_once(':').unwrap();
        crate::transfer::taken::device(user, device).unwrap()
    });
    let group = Jid::group("120363000000000001");
    read_group(&store, &group, &Jid::lid("240000000000002"), &vectors["group_decrypt_after_import"]);
}

#[test]
fn what_cannot_be_taken_over_is_refused_with_the_reason() {
    let at = Folder::new();
    let database = database(&at);
    let path = at.path("store.db");
    let said = |account| refused(&source(&database, account), &path).1;
    assert_eq!(said(None), "the database holds 2 accounts: say which");
    assert_eq!(said(Some("15550003333")), "the database does not hold that account");
    let change = |sql: &str| Connection::open(&database).unwrap().execute_batch(sql).unwrap();
    change("UPDATE whatsmeow_device SET signed_pre_key_sig = zeroblob(64)");
    assert_eq!(said(Some("15550001111")), "the signature of the signed prekey does not verify");
    change("UPDATE whatsmeow_device SET noise_key = x'00'");
    assert_eq!(said(Some("15550001111")), "the database is malformed: noise_key");
    change("UPDATE whatsmeow_version SET version = 16, compat = 16");
    assert_eq!(said(None), "the database has schema 16, which this version does not know");
    change("DROP TABLE whatsmeow_version");
    assert_eq!(said(None), "the database is malformed: it has no tables of whatsmeow");
    std::fs::write(&database, "no database").unwrap();
    assert!(said(None).starts_with("the database could not be read"), "{}", said(None));
    let absent = source(&at.path("nothing"), None);
    assert_eq!(refused(&absent, &path), (Code::ImportRefused, "the database is not there".to_owned()));
}
