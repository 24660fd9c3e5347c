//! The table of actions.

use std::collections::BTreeSet;

use whimbrel_appstate::{Action, Collection, Entry, Kind, MessageRange, MessageRef, RangedMessage};
use whimbrel_proto::ProtoMessage as _;
use whimbrel_proto::sync_action::SyncActionValue;
use whimbrel_proto::sync_action::sync_action_value::{ArchiveChatAction, StarAction};

/// An index with parts that every row takes: flags are written as digits, and digits are texts too.
fn some_index(kind: Kind) -> Option<(Vec<String>, Action)> {
    (0..=5).find_map(|parts| {
        let mut index = vec![kind.name().to_owned()];
        index.extend((0..parts).map(|_| "1".to_owned()));
        let entry = Entry::new(&index, Vec::new(), kind.version());
        let action = Action::read(&entry, true)?;
        action.kind().is_some().then_some((index, action))
    })
}

#[test]
fn every_row_is_read_and_written() {
    let mut names = BTreeSet::new();
    for kind in Kind::ALL.iter().copied() {
        assert!(names.insert(kind.name()), "{} twice", kind.name());
        let (index, action) = some_index(kind).unwrap();
        assert_eq!((action.kind(), action.index()), (Some(kind), index));
        let entry = action.entry(1_790_000_000_123);
        assert_eq!((entry.timestamp(), entry.version), (1_790_000_000_123, kind.version()));
        // It now has a value, an empty one at least, so that it may be set.
        assert_eq!(Action::read(&entry, false), Some(action));
    }
    assert!(names.len() > 85, "{}", names.len());
}

#[test]
fn what_is_not_in_the_table_keeps_everything() {
    let value = SyncActionValue { timestamp: Some(5), ..SyncActionValue::default() }.encode_to_vec();
    for (index, reason) in [
        (vec!["tomorrow", "x"], "an unknown name"),
        (vec!["archive"], "too few parts"),
        (vec!["archive", "a@s.whatsapp.net", "b"], "too many parts"),
        (vec!["star", "a@s.whatsapp.net", "ID", "yes", "0"], "no flag"),
        (vec!["archive", "a@s.whatsapp.net"], "set without its value"),
    ] {
        let entry = Entry::new(&index, value.clone(), 77);
        let action = Action::read(&entry, false).unwrap();
        assert!(matches!(action, Action::Unknown { .. }), "{reason}");
        assert_eq!(action.entry(9), entry, "{reason}");
    }
    for index in [&b"{}"[..], b"[]", b"[1]", b"", b"\xff"] {
        let entry = Entry { index: index.to_vec(), value: Vec::new(), version: 1 };
        assert_eq!(Action::read(&entry, false), None);
    }
}

#[test]
fn fields_of_later_clients_do_not_hide_an_action() {
    let mut value = SyncActionValue {
        archive_chat_action: Some(Box::new(ArchiveChatAction { archived: Some(true), message_range: None })),
        ..SyncActionValue::default()
    }
    .encode_to_vec();
    // Field 900, a string.
    value.extend([0xa2, 0x38, 0x01, b'x']);
    let entry = Entry::new(&["archive", "a@s.whatsapp.net"], value, 99);
    let Some(Action::Archive { chat, value }) = Action::read(&entry, false) else { panic!("not read") };
    assert_eq!((chat.as_str(), value.archived), ("a@s.whatsapp.net", Some(true)));
}

#[test]
fn messages_are_named_with_and_without_a_participant() {
    for participant in [None, Some("15550002@s.whatsapp.net".to_owned())] {
        let message = MessageRef {
            chat: "1203630@g.us".to_owned(),
            id: "3EB0AA".to_owned(),
            from_me: false,
            participant: participant.clone(),
        };
        let action = Action::Star { message, value: Box::new(StarAction { starred: Some(true) }) };
        let last = participant.unwrap_or_else(|| "0".to_owned());
        assert_eq!(action.index(), ["star", "1203630@g.us", "3EB0AA", "0", &last]);
        assert_eq!(Action::read(&action.entry(1), false), Some(action));
    }
}

#[test]
fn ranges_come_back_and_end_with_their_last_message() {
    let message = |timestamp| RangedMessage {
        chat: "1203630@g.us".to_owned(),
        id: format!("ID{timestamp}"),
        from_me: false,
        participant: Some("15550002@s.whatsapp.net".to_owned()),
        timestamp,
    };
    let range = MessageRange {
        last_message_at: Some(50),
        last_system_message_at: None,
        messages: vec![message(70), message(60)],
    };
    assert_eq!(MessageRange::read(Some(&range.write())), range);
    assert_eq!(range.end(), Some(70));
    assert_eq!(MessageRange::read(None).end(), None);
    assert_eq!(MessageRange { last_message_at: Some(5), ..MessageRange::default() }.end(), Some(5));
}

#[test]
fn collections_have_their_names() {
    for collection in Collection::ALL {
        assert_eq!(Collection::named(collection.name()), Some(collection));
    }
    assert_eq!(Collection::named("critical"), None);
    assert!(Collection::CriticalBlock.is_critical() && !Collection::Regular.is_critical());
}
