//! What every store must do, run against each of them.

use std::slice;
use std::sync::Arc;

use whimbrel_content::Secret;
use whimbrel_crypto::curve::{KeyPair, PrivateKey};
use whimbrel_wire::jid::Jid;

use super::*;
use crate::addons::waiting::{WaitingChange, WaitingRow, Which};
use crate::error::Code;
use crate::events::{Event, EventKind};
use crate::groups::{GroupRow, Member, Role};
use crate::history::{HistoryChange, OWED_RECEIPTS};
use crate::restrictions::{Lock, RestrictionKind};

const LOCK: Lock = Lock { kind: RestrictionKind::NewChatCap, until: 1_797_000_000, named: true };

fn pair(byte: u8) -> KeyPair {
    KeyPair::from_private(PrivateKey::from_bytes([byte; 32]))
}

fn jid(text: &str) -> Jid {
    text.parse().unwrap()
}

fn account() -> Account {
    Account {
        keys: DeviceKeys { noise: pair(1), identity: pair(2), registration_id: 77, adv_secret: [3; 32] },
        signed_pre_key_id: 1,
        next_pre_key_id: 813,
        phone: Some(jid("15550001:7@s.whatsapp.net")),
        lid: Some(jid("42:7@lid")),
        signed_identity: Some(vec![1, 2, 3]),
        platform: "android".into(),
        business_name: None,
        push_name: Some("Zoë".into()),
        pairing_unconfirmed: true,
        logging_out: false,
        logged_out: false,
        adv_secret_shown: true,
        server_has_pre_keys: true,
        login_counter: 9,
        routing_info: Some(vec![9]),
        server_key: Some(([4; 32], -5, 6)),
        found_version: Some(([2, 3000, 7], 8)),
        version_expires: Some((9, [2, 3000, 6])),
        staged_signed_pre_key_id: Some(4),
        last_signed_pre_key_id: 5,
    }
}

fn group() -> GroupRow {
    let member =
        Member { id: jid("42@lid"), twin: Some(jid("15550001@s.whatsapp.net")), role: Role::SuperAdmin };
    GroupRow {
        subject: "Birds".to_owned(),
        members: vec![member],
        fetched_at: 9,
        stale: true,
        ..GroupRow::default()
    }
}

/// Everything set, so that a forgotten column shows.
fn full() -> Changes {
    let device = jid("42:7@lid");
    let chat = jid("42@lid");
    Changes {
        account: Some(account()),
        sessions: [
            (device.clone(), Some(vec![1])),
            (chat.clone(), Some(vec![2])),
            (jid("421@lid"), Some(vec![3])),
        ]
        .into(),
        identities: [(device.clone(), Some([5; 32]))].into(),
        pre_keys: [(5, Some(PreKeyRow { id: 5, pair: pair(6), offered: true }))].into(),
        signed_pre_keys: [(
            1,
            Some(SignedPreKeyRow { id: 1, pair: pair(7), signature: [8; 64], created_at: 99 }),
        )]
        .into(),
        sender_keys: [((jid("1203@g.us"), device.clone()), Some(vec![7]))].into(),
        own_sender_keys: [(jid("1203@g.us"), Some(vec![8]))].into(),
        key_holders: [(jid("1203@g.us"), Some(vec![9; 20_000])), (jid("1204@g.us"), Some(vec![1]))].into(),
        device_lists: [(
            chat.clone(),
            Some(DeviceList {
                devices: vec![
                    DeviceListEntry { device: 0, key_index: 0, hosted: false },
                    DeviceListEntry { device: 99, key_index: 70_000, hosted: true },
                ],
                raw_id: 4_000_000_000,
                signed_at: 8,
                fetched_at: 9,
            }),
        )]
        .into(),
        groups: [(jid("1203@g.us"), Some(Arc::new(group())))].into(),
        lid_pairs: vec![(chat.clone(), jid("15550001@s.whatsapp.net"))],
        former_addresses: [
            (jid("41@lid"), Some(chat.clone())),
            (jid("15550009@s.whatsapp.net"), Some(chat.clone())),
        ]
        .into(),
        lid_migration: Some(LidMigration { migrated: true, refused_at: 3 }),
        restrictions: [(RestrictionKind::NewChatCap, Some(LOCK)), (RestrictionKind::ReachoutTimelock, None)]
            .into(),
        notes: [("a", Some(vec![1, 2])), ("b", None)].into(),
        privacy_tokens: vec![
            (jid("42@lid"), Token { token: vec![5], timestamp: 7, sender_timestamp: Some(3) }),
            (jid("42@lid"), Token { token: vec![4], timestamp: 6, sender_timestamp: None }),
        ],
        tokens_issued: [(jid("42@lid"), 9), (jid("43@lid"), 4)].into(),
        nct_salt: Some(vec![6]),
        parents: [parent("p", Some(vec![7])), parent("q", None)].into(),
        timers: [(chat.clone(), timer(86_400))].into(),
        inbox: vec![
            InboxEntry {
                chat: chat.clone(),
                author: device.clone(),
                message_id: "a".into(),
                ciphertext_hash: [1; 16],
                state: InboxState::Done,
                seen_at: i64::from(u32::MAX),
            },
            InboxEntry {
                chat: chat.clone(),
                author: device.clone(),
                message_id: "b".into(),
                ciphertext_hash: [2; 16],
                state: InboxState::Failed { retries: 2, event_id: "e".into(), phone_asked: false },
                seen_at: i64::from(u32::MAX),
            },
            InboxEntry {
                chat: chat.clone(),
                author: device.clone(),
                message_id: "c".into(),
                ciphertext_hash: [3; 16],
                state: InboxState::History,
                seen_at: i64::from(u32::MAX),
            },
        ],
        outbox: vec![outbox_row("m1", OutboxState::Pending), outbox_row("m2", OutboxState::Pending)],
        retry_base_keys: [((device, "m1".to_owned()), [9; 32])].into(),
        journal: vec![
            JournalRow { sequence: 1, payload: vec![1] },
            JournalRow { sequence: 2, payload: vec![2] },
        ],
        ..Changes::default()
    }
}

fn outbox_row(id: &str, state: OutboxState) -> OutboxRow {
    let row = OutboxRow::new(jid("42@lid"), id.into(), vec![4, 5], 4_000_000_000_000);
    OutboxRow { state, confirmed_at: 6, ..row }
}

fn keeps_what_was_committed(store: &dyn Store) {
    assert!(store.account().unwrap().is_none());
    store.commit(&full()).unwrap();
    let (device, chat) = (jid("42:7@lid"), jid("42@lid"));
    let kept = store.account().unwrap().unwrap();
    let wanted = account();
    assert_eq!(kept.keys.noise.public, wanted.keys.noise.public);
    assert_eq!(kept.keys.identity.private.as_bytes(), wanted.keys.identity.private.as_bytes());
    assert_eq!((kept.keys.registration_id, kept.keys.adv_secret), (77, [3; 32]));
    assert_eq!((kept.signed_pre_key_id, kept.next_pre_key_id, kept.login_counter), (1, 813, 9));
    assert_eq!(
        (kept.phone, kept.lid, kept.signed_identity),
        (wanted.phone, wanted.lid, wanted.signed_identity)
    );
    assert_eq!(
        (kept.platform, kept.business_name, kept.push_name),
        ("android".into(), None, wanted.push_name)
    );
    assert_eq!(
        (kept.pairing_unconfirmed, kept.logging_out, kept.logged_out, kept.adv_secret_shown),
        (true, false, false, true)
    );
    assert_eq!((kept.server_has_pre_keys, kept.routing_info), (true, Some(vec![9])));
    assert_eq!(kept.server_key, Some(([4; 32], -5, 6)));

    assert_eq!(store.session(&device).unwrap(), Some(vec![1]));
    let mut devices = store.session_devices(&chat).unwrap();
    devices.sort();
    let mut wanted_devices = vec![chat.clone(), device.clone()];
    wanted_devices.sort();
    assert_eq!(devices, wanted_devices);
    assert_eq!(store.identity(&device).unwrap(), Some([5; 32]));
    let pre_key = store.pre_key(5).unwrap().unwrap();
    assert_eq!((pre_key.pair.public, pre_key.offered), (pair(6).public, true));
    let signed = store.signed_pre_key(1).unwrap().unwrap();
    assert_eq!((signed.pair.public, signed.signature, signed.created_at), (pair(7).public, [8; 64], 99));
    assert_eq!(store.sender_key(&jid("1203@g.us"), &device).unwrap(), Some(vec![7]));
    assert_eq!(store.own_sender_key(&jid("1203@g.us")).unwrap(), Some(vec![8]));
    assert_eq!(store.key_holders(&jid("1203@g.us")).unwrap(), Some(vec![9; 20_000]));
    assert_eq!(store.held_groups().unwrap(), [jid("1203@g.us"), jid("1204@g.us")]);
    assert_eq!(store.device_list(&chat).unwrap(), full().device_lists.get(&chat).cloned().flatten());
    assert_eq!(store.group(&jid("1203@g.us")).unwrap().as_deref(), Some(&group()));
    assert_eq!(store.groups().unwrap(), [jid("1203@g.us")]);
    assert_eq!(store.lid_of(&jid("15550001@s.whatsapp.net")).unwrap(), Some(chat.clone()));
    assert_eq!(store.phone_of(&chat).unwrap(), Some(jid("15550001@s.whatsapp.net")));
    assert_eq!(store.identity_devices(&chat).unwrap(), slice::from_ref(&device));
    assert_eq!(store.sender_keys_of(&chat).unwrap(), [(jid("1203@g.us"), device.clone())]);
    assert_eq!(store.sender_keys_of(&jid("4@lid")).unwrap(), []);
    assert_eq!(store.successor_of(&jid("41@lid")).unwrap(), Some(chat.clone()));
    assert_eq!(store.former_addresses(&chat).unwrap().len(), 2);
    assert_eq!(store.lid_migration().unwrap(), LidMigration { migrated: true, refused_at: 3 });
    assert_eq!(store.restrictions().unwrap(), [LOCK]);
    assert_eq!(store.note("a").unwrap(), Some(vec![1, 2]));
    assert_eq!(store.note("b").unwrap(), None);
    let token = store.token(&jid("42@lid")).unwrap().unwrap();
    assert_eq!((token.token, token.timestamp, token.sender_timestamp), (vec![5], 7, Some(9)));
    let issued = store.token(&jid("43@lid")).unwrap().unwrap();
    assert_eq!((issued.token, issued.timestamp, issued.sender_timestamp), (vec![], 0, Some(4)));
    assert!(store.token(&jid("44@lid")).unwrap().is_none());
    assert_eq!(store.nct_salt().unwrap(), Some(vec![6]));
    assert!(store.is_known_chat(&chat).unwrap() && !store.is_known_chat(&jid("4@lid")).unwrap());
    for entry in full().inbox {
        assert_eq!(store.inbox(&chat, &device, &entry.message_id).unwrap(), Some(entry));
    }
    assert_eq!(store.outbox(&chat, "m1").unwrap(), Some(outbox_row("m1", OutboxState::Pending)));
    assert_eq!(store.parents_of("p").unwrap(), [parent("p", Some(vec![7])).1.unwrap()]);
    assert_eq!(store.parents_of("none").unwrap(), []);
    assert_eq!(store.chat_timer(&chat).unwrap(), Some(timer(86_400)));
    assert_eq!(store.chat_timer(&jid("4@lid")).unwrap(), None);
    assert_eq!(store.retry_base_key(&device, "m1").unwrap(), Some([9; 32]));
    assert_eq!(store.journal_after(1, 9).unwrap(), [JournalRow { sequence: 2, payload: vec![2] }]);
    assert_eq!(store.journal_bounds().unwrap(), (2, 0));
    assert_eq!(store.journal_sizes().unwrap(), [1, 1]);
}

/// What is kept of a message for what belongs to it later.
fn parent(id: &str, poll: Option<Vec<u8>>) -> (ParentKey, Option<ParentRow>) {
    let row = ParentRow {
        chat: jid("42@lid"),
        author: jid("43@lid"),
        message_id: id.to_owned(),
        secret: Secret::from([5; 32]),
        poll,
        sent_at: 7,
        saved_at: i64::from(u32::MAX),
    };
    (row.key(), Some(row))
}

fn timer(seconds: u32) -> TimerRow {
    TimerRow {
        chat: jid("42@lid"),
        seconds,
        set_at: 9,
        initiator: Some(1),
        trigger: None,
        initiated_by_me: Some(true),
    }
}

fn deletes_and_overwrites(store: &dyn Store) {
    store.commit(&full()).unwrap();
    let device = jid("42:7@lid");
    store
        .commit(&Changes {
            sessions: [(device.clone(), None)].into(),
            pre_keys: [(5, None)].into(),
            groups: [(jid("1203@g.us"), None)].into(),
            own_sender_keys: [(jid("1203@g.us"), None)].into(),
            key_holders: [(jid("1203@g.us"), None), (jid("1204@g.us"), Some(vec![2]))].into(),
            lid_pairs: vec![(jid("43@lid"), jid("15550001@s.whatsapp.net"))],
            former_addresses: [(jid("41@lid"), None)].into(),
            outbox: vec![outbox_row("m1", OutboxState::Refused(479))],
            outbox_dropped: vec![(jid("42@lid"), "m2".into())],
            parents: [parent("p", Some(vec![8])), (parent("q", None).0, None)].into(),
            timers: [(jid("42@lid"), timer(0))].into(),
            notes: [("a", None), ("b", Some(vec![3]))].into(),
            privacy_tokens: vec![(
                jid("42@lid"),
                Token { token: vec![8], timestamp: 8, sender_timestamp: None },
            )],
            tokens_before: Some(5),
            acknowledged: Some(1),
            ..Changes::default()
        })
        .unwrap();
    assert_eq!((store.note("a").unwrap(), store.note("b").unwrap()), (None, Some(vec![3])));
    // A newer one keeps when this account gave one; what is too old in both ways is gone.
    let token = store.token(&jid("42@lid")).unwrap().unwrap();
    assert_eq!((token.token, token.timestamp, token.sender_timestamp), (vec![8], 8, Some(9)));
    assert!(store.token(&jid("43@lid")).unwrap().is_none());
    assert_eq!(store.parents_of("p").unwrap(), [parent("p", Some(vec![8])).1.unwrap()]);
    assert_eq!(store.parents_of("q").unwrap(), []);
    assert_eq!(store.chat_timer(&jid("42@lid")).unwrap(), Some(timer(0)));
    assert_eq!(store.session(&device).unwrap(), None);
    assert!(store.pre_key(5).unwrap().is_none());
    assert_eq!(store.groups().unwrap(), []);
    assert_eq!(store.own_sender_key(&jid("1203@g.us")).unwrap(), None);
    assert_eq!(store.key_holders(&jid("1203@g.us")).unwrap(), None);
    assert_eq!(store.key_holders(&jid("1204@g.us")).unwrap(), Some(vec![2]));
    assert_eq!(store.phone_of(&jid("42@lid")).unwrap(), None);
    assert_eq!(store.lid_of(&jid("15550001@s.whatsapp.net")).unwrap(), Some(jid("43@lid")));
    assert_eq!(store.outbox(&jid("42@lid"), "m1").unwrap().unwrap().state, OutboxState::Refused(479));
    assert_eq!(store.successor_of(&jid("41@lid")).unwrap(), None);
    assert_eq!(store.former_addresses(&jid("42@lid")).unwrap(), [jid("15550009@s.whatsapp.net")]);
    // The same id in another chat is another message.
    let other = OutboxRow { chat: jid("77@lid"), ..outbox_row("m1", OutboxState::Confirmed) };
    store.commit(&Changes { outbox: vec![other], ..Changes::default() }).unwrap();
    assert_eq!(store.outbox_of("m1").unwrap().len(), 2);
    assert_eq!(store.outbox_of("m").unwrap(), []);
    assert_eq!(store.outbox_pending().unwrap(), []);
    assert_eq!(store.journal_after(0, 9).unwrap().len(), 1);
    assert_eq!(store.journal_bounds().unwrap(), (2, 1));
}

fn keeps_the_order_of_pending_messages(store: &dyn Store) {
    for id in ["z", "a", "m"] {
        let row = outbox_row(id, OutboxState::Pending);
        store.commit(&Changes { outbox: vec![row], ..Changes::default() }).unwrap();
    }
    // Written again with its ratchet step: its place stays.
    store
        .commit(&Changes { outbox: vec![outbox_row("z", OutboxState::Pending)], ..Changes::default() })
        .unwrap();
    let order: Vec<_> = store.outbox_pending().unwrap().into_iter().map(|row| row.message_id).collect();
    assert_eq!(order, ["z", "a", "m"]);
}

fn knows_what_became_of_messages(store: &dyn Store) {
    store.commit(&full()).unwrap();
    let chat = || jid("42@lid");
    let settled = |id: &str, state, told| Settlement {
        chat: chat(),
        message_id: id.into(),
        state,
        confirmed_at: 77,
        told,
    };
    store
        .commit(&Changes {
            outbox_settled: vec![
                settled("m1", OutboxState::Confirmed, false),
                settled("m2", OutboxState::Failed(Code::NoDevice), true),
            ],
            outbox_delivered: vec![(chat(), "m1".into(), 78), (chat(), "m1".into(), 79)],
            ..Changes::default()
        })
        .unwrap();
    let untold = store.outbox_untold().unwrap();
    assert_eq!(untold.iter().map(|row| row.message_id.as_str()).collect::<Vec<_>>(), ["m1"]);
    let m1 = store.outbox(&chat(), "m1").unwrap().unwrap();
    assert_eq!((m1.state, m1.confirmed_at, m1.delivered_at), (OutboxState::Confirmed, 77, 78));
    assert_eq!((m1.content, m1.told), (vec![4, 5], false));
    let m2 = store.outbox(&chat(), "m2").unwrap().unwrap();
    assert_eq!((m2.state, m2.told), (OutboxState::Failed(Code::NoDevice), true));
    store.commit(&Changes { outbox_told: vec![(chat(), "m1".into())], ..Changes::default() }).unwrap();
    assert_eq!(store.outbox_untold().unwrap(), []);
    assert_eq!(store.outbox_pending().unwrap(), []);
}

fn bounds_what_others_can_make_it_keep(store: &dyn Store) {
    // Late enough not to be too old to be kept.
    let begin = i64::from(u32::MAX);
    let entry = |number: i64, state| InboxEntry {
        chat: jid("42@lid"),
        author: jid("42:7@lid"),
        message_id: number.to_string(),
        ciphertext_hash: [0; 16],
        state,
        seen_at: begin + number,
    };
    let failed = |event_id: &str, phone_asked| InboxState::Failed {
        retries: 1,
        event_id: event_id.to_owned(),
        phone_asked,
    };
    let inbox = vec![
        entry(1, failed("a", false)),
        entry(2, failed("b", true)),
        entry(3, failed("", false)),
        entry(4, InboxState::Done),
        entry(5, failed("e", false)),
        entry(6, failed("f", false)),
    ];
    store.commit(&Changes { inbox, ..Changes::default() }).unwrap();
    let missing = |since, limit| -> Vec<String> {
        let missing = store.inbox_missing(since, limit).unwrap();
        missing.into_iter().map(|entry| entry.message_id).collect()
    };
    assert_eq!(
        (missing(0, 9), missing(begin + 1, 9)),
        (vec!["1".into(), "5".into(), "6".into()], missing(0, 2))
    );

    let key = |id| (id, Some(PreKeyRow { id, pair: pair(6), offered: true }));
    let of_uploads = 7;
    for start in 0..3 {
        let ids = (0..500).map(|number| PreKeyRow::FOR_RETRIES + start * 500 + number);
        let pre_keys = ids.chain([of_uploads]).map(key).collect();
        store.commit(&Changes { pre_keys, ..Changes::default() }).unwrap();
    }
    let ids = (0..1500).map(|number| PreKeyRow::FOR_RETRIES + number);
    let kept = ids.filter(|id| store.pre_key(*id).unwrap().is_some()).count();
    assert_eq!(kept, PreKeyRow::RETRIES_KEPT);
    assert!(store.pre_key(of_uploads).unwrap().is_some());
}

fn knows_which_receipts_are_owed(store: &dyn Store) {
    let change = |history| store.commit(&Changes { history, ..Changes::default() }).unwrap();
    let owed = |id: &str| HistoryChange::Owed(id.to_owned());
    change(vec![owed("a"), owed("b"), owed("a")]);
    assert_eq!(store.owed_receipts().unwrap(), ["b", "a"]);
    change(vec![HistoryChange::Receipted("b".to_owned()), HistoryChange::Receipted("none".to_owned())]);
    assert_eq!(store.owed_receipts().unwrap(), ["a"]);
    change((0..OWED_RECEIPTS).map(|number| owed(&number.to_string())).collect());
    let kept = store.owed_receipts().unwrap();
    assert_eq!((kept.len(), kept.first().map(String::as_str)), (OWED_RECEIPTS, Some("0")));
    let account = Some(Account { phone: None, ..account() });
    store.commit(&Changes { account, forget_link: true, ..Changes::default() }).unwrap();
    assert!(store.owed_receipts().unwrap().is_empty());
}

fn keeps_what_waits_in_its_order(store: &dyn Store) {
    let row = |id: &str, target: &str| WaitingRow {
        chat: jid("1203@g.us"),
        author: jid("42:7@lid"),
        message_id: id.to_owned(),
        target_id: target.to_owned(),
        own: true,
        timestamp: 5,
        offline: true,
        completes: Some("e".to_owned()),
        content: vec![1, 2],
        since: 6,
    };
    let rows = [row("z", "p"), WaitingRow { completes: None, ..row("a", "q") }, row("m", "p")];
    let waiting = rows.iter().cloned().map(WaitingChange::Waits).collect();
    store.commit(&Changes { waiting, ..Changes::default() }).unwrap();
    assert_eq!(store.waiting(Which::Oldest(9)).unwrap(), rows);
    assert_eq!(store.waiting(Which::Oldest(1)).unwrap(), rows[..1]);
    assert_eq!(store.waiting(Which::To("p")).unwrap(), [rows[0].clone(), rows[2].clone()]);
    assert_eq!(store.waiting(Which::Of("a")).unwrap(), rows[1..2]);
    let target = |id: &str| (jid("1203@g.us"), id.to_owned());
    assert_eq!(store.waiting_targets().unwrap(), [target("p"), target("q")]);
    let waiting = vec![
        WaitingChange::Gone(rows[0].key()),
        WaitingChange::Waits(row("b", "q")),
        WaitingChange::Gone(row("b", "q").key()),
    ];
    store.commit(&Changes { waiting, ..Changes::default() }).unwrap();
    assert_eq!(store.waiting(Which::Oldest(9)).unwrap(), rows[1..]);
    assert_eq!(store.waiting_count().unwrap(), 2);
    let account = Some(Account { phone: None, ..account() });
    store.commit(&Changes { account, forget_link: true, ..Changes::default() }).unwrap();
    assert_eq!(store.waiting_count().unwrap(), 0);
}

fn forgets_a_link_but_not_the_journal(store: &dyn Store) {
    store.commit(&full()).unwrap();
    let new = Account { phone: None, lid: None, signed_identity: None, logged_out: true, ..account() };
    store.commit(&Changes { account: Some(new), forget_link: true, ..Changes::default() }).unwrap();
    assert!(store.account().unwrap().unwrap().logged_out);
    assert_eq!(store.session(&jid("42:7@lid")).unwrap(), None);
    assert!(store.pre_key(5).unwrap().is_none());
    assert!(store.group(&jid("1203@g.us")).unwrap().is_none());
    assert_eq!(store.lid_migration().unwrap(), LidMigration::default());
    assert_eq!(store.restrictions().unwrap(), []);
    assert_eq!(store.note("a").unwrap(), None);
    assert!(store.token(&jid("42@lid")).unwrap().is_none());
    assert_eq!(store.nct_salt().unwrap(), None);
    assert!(!store.is_known_chat(&jid("42@lid")).unwrap());
    assert_eq!(store.own_sender_key(&jid("1203@g.us")).unwrap(), None);
    assert_eq!(store.held_groups().unwrap(), []);
    assert_eq!(store.outbox(&jid("42@lid"), "m1").unwrap(), None);
    assert_eq!(store.journal_after(0, 9).unwrap().len(), 2);
    assert_eq!(store.phone_of(&jid("42@lid")).unwrap(), Some(jid("15550001@s.whatsapp.net")));
}

/// Runs every check on a store of its own.
fn check(mut make: impl FnMut() -> Box<dyn Store>) {
    keeps_what_was_committed(&*make());
    deletes_and_overwrites(&*make());
    keeps_the_order_of_pending_messages(&*make());
    bounds_what_others_can_make_it_keep(&*make());
    forgets_a_link_but_not_the_journal(&*make());
    knows_what_became_of_messages(&*make());
    knows_which_receipts_are_owed(&*make());
    keeps_what_waits_in_its_order(&*make());
}

/// A folder that goes with the test.
pub(crate) struct Folder(std::path::PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("whimbrel-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self, name: &str) -> std::path::PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn memory_store_conforms() {
    check(|| Box::new(MemoryStore::default()));
}

#[test]
fn sqlite_store_conforms() {
    let folder = Folder::new("conformance");
    let mut count = 0;
    check(|| {
        count += 1;
        Box::new(SqliteStore::open(&folder.file(&format!("{count}.db")), true).unwrap())
    });
}

#[test]
fn a_closed_file_has_it_all_when_opened_again() {
    let folder = Folder::new("reopen");
    let path = folder.file("a.db");
    SqliteStore::open(&path, true).unwrap().commit(&full()).unwrap();
    let store = SqliteStore::open(&path, true).unwrap();
    assert_eq!(store.journal_bounds().unwrap(), (2, 0));
    assert_eq!(store.outbox_pending().unwrap().len(), 2);
    assert!(store.account().unwrap().is_some());
}

#[test]
fn what_is_too_old_goes_while_the_client_runs_and_what_was_not_sent_stays() {
    let folder = Folder::new("expiry");
    let store = SqliteStore::open(&folder.file("a.db"), true).unwrap();
    let old = InboxEntry { seen_at: 5, ..full().inbox.remove(0) };
    let row = |id: &str, state| OutboxRow { created_at_ms: 5, ..outbox_row(id, state) };
    let outbox = vec![row("sent", OutboxState::Confirmed), row("waiting", OutboxState::Pending)];
    let changes = Changes { inbox: vec![old.clone()], outbox, ..Changes::default() };
    store.commit(&changes).unwrap();
    assert_eq!(store.inbox(&old.chat, &old.author, &old.message_id).unwrap(), None);
    let chat = jid("42@lid");
    assert_eq!(store.outbox(&chat, "sent").unwrap(), None);
    assert!(store.outbox(&chat, "waiting").unwrap().is_some());
    // Only once in an hour: looking for old rows is not free.
    store.commit(&changes).unwrap();
    assert_eq!(store.inbox(&old.chat, &old.author, &old.message_id).unwrap(), Some(old));
}

#[test]
fn a_second_owner_is_refused() {
    let folder = Folder::new("locked");
    let path = folder.file("a.db");
    let first = SqliteStore::open(&path, true).unwrap();
    assert!(matches!(SqliteStore::open(&path, true), Err(StoreError::Locked)));
    drop(first);
    assert!(SqliteStore::open(&path, true).is_ok());
}

#[test]
fn damaged_foreign_and_newer_files_are_refused_and_left_alone() {
    let folder = Folder::new("damaged");
    let garbage = folder.file("garbage.db");
    std::fs::write(&garbage, b"this is not a database, and long enough to be looked at".repeat(20)).unwrap();
    assert!(matches!(SqliteStore::open(&garbage, true), Err(StoreError::Corrupt(_))));
    assert!(std::fs::read(&garbage).unwrap().starts_with(b"this is not"));

    let foreign = folder.file("foreign.db");
    rusqlite::Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE other (a)").unwrap();
    assert!(matches!(SqliteStore::open(&foreign, true), Err(StoreError::Corrupt(_))));

    let newer = folder.file("newer.db");
    drop(SqliteStore::open(&newer, true).unwrap());
    rusqlite::Connection::open(&newer).unwrap().pragma_update(None, "user_version", 999).unwrap();
    assert!(matches!(SqliteStore::open(&newer, true), Err(StoreError::TooNew(999))));
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("private");
    let path = folder.file("a.db");
    drop(SqliteStore::open(&path, true).unwrap());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0);
}

fn limits(events: u64) -> crate::journal::Limits {
    crate::journal::Limits { events, bytes: u64::MAX }
}

fn event(text: &str) -> Event {
    Event { sequence: None, id: text.to_owned(), recorded_at_ms: 1, kind: EventKind::Replaced }
}

#[tokio::test]
async fn commits_that_wait_share_a_transaction_and_number_events_in_order() {
    use crate::journal::{EventQueue, EventStream};

    let folder = Folder::new("group");
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&folder.file("a.db"), true).unwrap());
    let events = Arc::new(EventQueue::new(Arc::clone(&store), limits(100)).unwrap());
    let committer =
        Committer::new(Arc::clone(&store), Arc::clone(&events), tokio::runtime::Handle::current(), true)
            .unwrap();
    let units: Vec<_> = (0..50)
        .map(|n| committer.commit(Changes { events: vec![event(&n.to_string())], ..Changes::default() }))
        .collect();
    for unit in units {
        unit.await.unwrap();
    }
    let mut stream = EventStream::new(Arc::clone(&events), None).unwrap();
    for n in 0..50_u64 {
        let event = stream.next().await.unwrap();
        assert_eq!((event.sequence, event.id), (Some(n + 1), n.to_string()));
    }
    assert!(EventStream::new(Arc::clone(&events), None).is_err());
    drop(stream);

    // Not acknowledged: offered again, and after a restart too.
    let mut stream = EventStream::new(Arc::clone(&events), None).unwrap();
    assert_eq!(stream.next().await.unwrap().sequence, Some(1));
    events.acknowledge(48);
    committer.commit(Changes::default()).await.unwrap();
    drop(stream);
    drop((committer, events));
    let events = Arc::new(EventQueue::new(store, limits(100)).unwrap());
    let mut stream = EventStream::new(events, None).unwrap();
    assert_eq!(stream.next_batch(10).await.len(), 2);
}

#[tokio::test]
async fn a_slow_host_is_served_from_the_journal() {
    use crate::journal::{EventQueue, EventStream};

    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let events = Arc::new(EventQueue::new(Arc::clone(&store), limits(1000)).unwrap());
    let committer =
        Committer::new(store, Arc::clone(&events), tokio::runtime::Handle::current(), true).unwrap();
    for n in 0..1000 {
        committer
            .commit(Changes { events: vec![event(&n.to_string())], ..Changes::default() })
            .await
            .unwrap();
    }
    // At the limit the engine would stop reading.
    assert!(futures_util::FutureExt::now_or_never(events.wait_for_room()).is_none());
    let mut stream = EventStream::new(Arc::clone(&events), None).unwrap();
    for n in 1..=1000 {
        assert_eq!(stream.next().await.unwrap().sequence, Some(n));
    }
    events.acknowledge(1);
    assert!(futures_util::FutureExt::now_or_never(events.wait_for_room()).is_some());
    events.close(crate::events::ClosedReason::Host);
    assert!(matches!(stream.next().await.unwrap().kind, EventKind::Closed(_)));
    assert!(stream.next().await.is_none());
}
