//! Chunks of history: the vectors, what the limits do, and that nothing depends on how a chunk is cut.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is the test's report")]

mod checks;

use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use checks::{SMALL, walk};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use proptest::prelude::*;
use serde_json::Value;
use whimbrel_history::*;
use whimbrel_proto::common::MessageKey;
use whimbrel_proto::e2e::Message;
use whimbrel_proto::history::*;
use whimbrel_proto::web::WebMessageInfo;
use whimbrel_proto::{decode, encode};

fn vectors() -> Value {
    let path = format!("{}/../../tests/vectors/history-sync.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

/// Puts a chunk together again out of what is told of it.
fn collect(history: &mut HistorySync, messages: &mut Vec<HistorySyncMsg>, event: Event<'_>) {
    match event {
        Event::SyncType(kind) => history.sync_type = Some(kind),
        Event::ChunkOrder(order) => history.chunk_order = Some(order),
        Event::Progress(progress) => history.progress = Some(progress),
        Event::ChatBegins { .. } => assert!(messages.is_empty()),
        Event::Message { message, order, .. } => {
            messages.push(HistorySyncMsg {
                message: Some(Box::new(message.decode().unwrap())),
                msg_order_id: order,
            });
        }
        Event::ChatEnds { chat, messages: count } => {
            assert_eq!(u64::try_from(messages.len()).unwrap(), count);
            history.conversations.push(Conversation { messages: std::mem::take(messages), ..*chat });
        }
        Event::Damaged(damage) => panic!("{damage:?}"),
        Event::Status(message) => history.status_v3_messages.push(message.decode().unwrap()),
        Event::PushName(name) => history.pushnames.push(name),
        Event::GlobalSettings(settings) => history.global_settings = Some(settings),
        Event::ThreadIdUserSecret(secret) => history.thread_id_user_secret = Some(secret.to_vec()),
        Event::ThreadTimeframeOffset(offset) => history.thread_ds_timeframe_offset = Some(offset),
        Event::RecentSticker(sticker) => history.recent_stickers.push(*sticker),
        Event::PastParticipants(group) => history.past_participants.push(group),
        Event::CallLog(call) => history.call_log_records.push(*call),
        Event::AiWaitListState(state) => history.ai_wait_list_state = Some(state),
        Event::LidMapping(mapping) => history.phone_number_to_lid_mappings.push(mapping),
        Event::CompanionMetaNonce(nonce) => history.companion_meta_nonce = Some(nonce.to_owned()),
        Event::ShareableChatKey(key) => history.shareable_chat_identifier_encryption_key = Some(key.to_vec()),
        Event::Account(account) => history.accounts.push(account),
        Event::NctSalt(salt) => history.nct_salt = Some(salt.to_vec()),
        Event::InlineContact(contact) => history.inline_contacts.push(contact),
        Event::InlineContactsProvided(provided) => history.inline_contacts_provided = Some(provided),
    }
}

fn read(compressed: &[u8], chunk: usize) -> Result<HistorySync, ReadError> {
    let mut reader = Reader::new(Limits::default());
    let (mut history, mut messages) = (HistorySync::default(), Vec::new());
    for chunk in compressed.chunks(chunk) {
        reader.update(chunk, &mut |event| {
            collect(&mut history, &mut messages, event);
            ControlFlow::Continue(())
        })?;
    }
    reader.finish()?;
    Ok(history)
}

fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn the_chunks_of_the_vectors_are_read_as_they_are() {
    let vectors = vectors();
    for item in vectors["items"].as_array().unwrap() {
        let (plain, zlib) = (bytes(&item["history_sync_protobuf"]), bytes(&item["zlib"]));
        let expected: HistorySync = decode(&plain).unwrap();
        for chunk in [1, 2, 7, 64, usize::MAX] {
            assert_eq!(read(&zlib, chunk).unwrap(), expected, "{} by {chunk}", item["type"]);
        }
        let messages: usize = expected.conversations.iter().map(|chat| chat.messages.len()).sum();
        assert_eq!(messages, usize::try_from(item["baileys_result"]["messages"].as_u64().unwrap()).unwrap());
        assert_eq!(i64::from(expected.sync_type.unwrap()), item["sync_type"].as_i64().unwrap());
    }
}

#[test]
fn what_is_no_compressed_chunk_is_refused() {
    let vectors = vectors();
    for case in vectors["negative"].as_array().unwrap() {
        let payload = bytes(&case["payload"]);
        for chunk in [1, 5, usize::MAX] {
            let result = read(&payload, chunk);
            assert!(matches!(result, Err(ReadError::Inflate(_))), "{}: {result:?}", case["name"]);
        }
    }
    let mut damaged = compressed(&encode(&sample(3, 4)));
    *damaged.last_mut().unwrap() ^= 1;
    assert_eq!(read(&damaged, 9), Err(ReadError::Inflate(InflateError::Damaged)));
}

fn message(chat: &str, number: usize) -> HistorySyncMsg {
    let key = MessageKey {
        remote_jid: Some(chat.to_owned()),
        from_me: Some(number.is_multiple_of(3)),
        id: Some(format!("3EB0{number:016X}")),
        participant: number.is_multiple_of(2).then(|| "33300000000001@lid".to_owned()),
    };
    let message = Message { conversation: Some(format!("number {number}")), ..Default::default() };
    let message = WebMessageInfo {
        key: Some(key),
        message: Some(Box::new(message)),
        message_timestamp: Some(1_700_000_000 + u64::try_from(number).unwrap()),
        status: Some(4),
        ..Default::default()
    };
    HistorySyncMsg { message: Some(Box::new(message)), msg_order_id: u64::try_from(number).ok() }
}

fn sample(chats: usize, messages: usize) -> HistorySync {
    let chat = |number: usize| {
        let id = format!("1203630000{number}@g.us");
        Conversation {
            messages: (0..messages).map(|number| message(&id, number)).collect(),
            name: Some(format!("group {number}")),
            unread_count: u32::try_from(number).ok(),
            id: Some(id),
            ..Default::default()
        }
    };
    HistorySync {
        sync_type: Some(3),
        conversations: (0..chats).map(chat).collect(),
        chunk_order: Some(2),
        progress: Some(40),
        pushnames: vec![Pushname { id: Some("1@s.whatsapp.net".into()), pushname: Some("-".into()) }],
        phone_number_to_lid_mappings: vec![PhoneNumberToLidMapping {
            pn_jid: Some("1@s.whatsapp.net".into()),
            lid_jid: Some("2@lid".into()),
        }],
        nct_salt: Some(vec![1, 2, 3]),
        ..Default::default()
    }
}

/// A field with octets as its content.
fn field(number: u32, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    whimbrel_proto::prost::encoding::encode_varint(u64::from(number << 3 | 2), &mut out);
    whimbrel_proto::prost::encoding::encode_varint(u64::try_from(content.len()).unwrap(), &mut out);
    out.extend_from_slice(content);
    out
}

fn small(bytes: &[u8]) -> (Vec<String>, Result<(), WalkError>, u64) {
    let whole = walk(Walker::new(SMALL), bytes, usize::MAX);
    for chunk in 1..20 {
        assert_eq!(walk(Walker::new(SMALL), bytes, chunk), whole);
    }
    whole
}

#[test]
fn a_damaged_chat_costs_only_itself() {
    let good = encode(&sample(1, 1).conversations[0]);
    let mut cut = good.clone();
    cut.truncate(cut.len() - 3);
    let no_address = encode(&Conversation { name: Some("x".into()), ..Default::default() });
    let wrong_type = [good.clone(), field(6, b"six")].concat();
    for bad in [cut, no_address, wrong_type, vec![0x0b], vec![0xff; 40], vec![]] {
        let (told, result, records) = small(&[field(2, &good), field(2, &bad), field(2, &good)].concat());
        assert_eq!(result, Ok(()), "{bad:x?}");
        assert_eq!(told.iter().filter(|line| line.starts_with("ends 1")).count(), 2, "{bad:x?}");
        assert_eq!(told.iter().filter(|line| *line == "Damaged(Chat)").count(), 1, "{bad:x?} {told:#?}");
        assert!((5..=6).contains(&records));
    }
}

#[test]
fn a_damaged_message_or_record_costs_only_itself() {
    let chat = [field(1, b"a@g.us"), field(2, b"\x0a\x7f"), field(2, b""), field(13, b"name")].concat();
    let (told, result, records) =
        small(&[field(2, &chat), field(7, b"\x0a\x7f"), field(16, b"\xff")].concat());
    assert_eq!((result, records), (Ok(()), 5));
    let damages: Vec<_> = told.iter().filter(|line| line.starts_with("Damaged")).collect();
    assert_eq!(
        damages,
        ["Damaged(Message)", "Damaged(Message)", "Damaged(Record(7))", "Damaged(Record(16))"]
    );
    assert!(told.iter().any(|line| line.starts_with("ends 2")));
}

#[test]
fn fields_of_newer_phones_are_passed_over() {
    let unknown = [field(4, b"four"), field(999, &[7; 5000]), vec![0x90, 0x3f, 0x01]].concat();
    let (told, result, _) = small(&[unknown, vec![0x30, 0x28]].concat());
    assert_eq!((told, result), (vec!["Progress(40)".to_owned()], Ok(())));
}

#[test]
fn messages_before_the_address_of_their_chat_wait_for_it() {
    let message = field(1, b"\x18\x05");
    let early = [field(2, &message), field(2, &message), field(1, b"a@g.us"), field(2, &message)].concat();
    let (told, result, records) = small(&field(2, &early));
    assert_eq!((result, records), (Ok(()), 4));
    assert!(told[0].starts_with("ChatBegins") && told[4].starts_with("ends 3"), "{told:#?}");
    let too_many = [field(2, &message), field(2, &message), field(2, &message), field(1, b"a@g.us")].concat();
    let (told, result, _) = small(&[field(2, &too_many), vec![0x30, 0x28]].concat());
    assert_eq!((told, result), (vec!["Damaged(Chat)".to_owned(), "Progress(40)".to_owned()], Ok(())));
}

#[test]
fn what_is_too_large_is_left_out() {
    let chat = [field(1, b"a@g.us"), field(2, &[1; 400]), field(2, &field(1, b"\x18\x05"))].concat();
    let (told, result, _) = small(&[field(2, &chat), field(19, &[1; 400]), vec![0x30, 0x28]].concat());
    assert_eq!(result, Ok(()));
    assert_eq!(told[1], "Damaged(Message)");
    assert!(told[2].starts_with("message") && told[3].starts_with("ends 2"), "{told:#?}");
    assert_eq!(told[4..], ["Damaged(Record(19))", "Progress(40)"]);

    for large in [field(13, &[b'x'; 400]), field(13, &[b'x'; 150]).repeat(2)] {
        let chat = [field(1, b"a@g.us"), large, field(2, &field(1, b""))].concat();
        let (told, result, _) = small(&[field(2, &chat), vec![0x30, 0x28]].concat());
        assert_eq!(result, Ok(()));
        assert_eq!(told[1..], ["Damaged(Chat)", "Progress(40)"]);
    }
}

#[test]
fn what_has_no_end_is_an_error() {
    let plain = encode(&sample(2, 2));
    for end in 1..plain.len() {
        let result = walk(Walker::new(WalkLimits::default()), &plain[..end], 50).1;
        assert!(matches!(result, Ok(()) | Err(WalkError::Truncated)), "{end}");
    }
    let cut = field(2, &plain);
    assert_eq!(walk(Walker::new(SMALL), &cut[..cut.len() - 1], 50).1, Err(WalkError::Truncated));
    let damaged = [vec![0x30, 0x28], vec![0x0b]].concat();
    assert_eq!(small(&damaged).1, Err(WalkError::Damaged { offset: 2 }));
}

#[test]
fn an_interrupted_chunk_is_taken_up_where_it_was() {
    let plain = encode(&sample(2, 3));
    let walker = || Walker::new(WalkLimits::default());
    let (all, _, records) = walk(walker(), &plain, 40);
    let is_record = |line: &&String| {
        let repeated = ["ChatBegins", "SyncType", "ChunkOrder", "Progress"];
        !repeated.iter().any(|name| line.starts_with(name))
    };
    assert_eq!(u64::try_from(all.iter().filter(is_record).count()).unwrap(), records);
    for known in 0..=records {
        let (rest, result, again) = walk(walker().skip_records(known), &plain, 40);
        assert_eq!((result, again), (Ok(()), records));
        let expected = all.iter().filter(is_record).skip(usize::try_from(known).unwrap());
        assert!(rest.iter().filter(is_record).eq(expected), "{known}");
    }
}

#[test]
fn a_first_pass_reads_no_messages() {
    let plain = encode(&sample(3, 50));
    let (told, result, _) = walk(Walker::new(SMALL).without_messages(), &plain, 13);
    assert_eq!(result, Ok(()));
    assert!(told.iter().any(|line| line.starts_with("LidMapping")));
    assert_eq!(told.iter().filter(|line| line.starts_with("ends 50")).count(), 3);
    assert!(!told.iter().any(|line| line.starts_with("message")));
}

#[test]
fn whoever_wants_no_more_gets_no_more() {
    let mut walker = Walker::new(WalkLimits::default());
    let mut told = 0;
    let result = walker.update(&encode(&sample(2, 3)), &mut |_| {
        told += 1;
        if told == 4 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!((result, told), (Err(WalkError::Stopped), 4));
}

#[test]
fn the_head_of_a_message_is_that_of_the_whole() {
    let history = sample(1, 6);
    let mut heads = 0;
    let mut walker = Walker::new(WalkLimits::default());
    let mut check = |event: Event<'_>| {
        if let Event::Message { chat, message, .. } = event {
            let (head, whole) = (message.head().unwrap(), message.decode().unwrap());
            let key = whole.key.unwrap();
            assert_eq!((head.chat, Some(head.id)), (chat, key.id.as_deref()));
            assert_eq!((Some(head.from_me), head.participant), (key.from_me, key.participant.as_deref()));
            assert_eq!((Some(head.timestamp), head.status), (whole.message_timestamp, Some(4)));
            heads += 1;
        }
        ControlFlow::Continue(())
    };
    walker.update(&encode(&history), &mut check).unwrap();
    assert_eq!(heads, 6);
}

#[test]
fn a_bomb_does_not_go_off() {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![0; 8 << 20]).unwrap();
    let bomb = encoder.finish().unwrap();
    let limits = |total, ratio| InflateLimits { total, ratio };
    for (limits, expected) in [
        (limits(512 << 20, 200), Err(InflateError::TooLarge)),
        (limits(1 << 20, 5000), Err(InflateError::TooLarge)),
        (limits(512 << 20, 5000), Ok(())),
    ] {
        let mut inflater = Inflater::new(limits);
        let mut most = 0;
        let result = bomb.chunks(100).try_for_each(|chunk| {
            inflater.update(chunk, |inflated| {
                most = most.max(inflated.len());
                Ok::<(), InflateError>(())
            })
        });
        assert_eq!(result.and_then(|()| inflater.finish()), expected);
        assert!(most <= 1 << 16);
    }
}

#[test]
fn the_corpus_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/history");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        checks::history(&std::fs::read(entry.unwrap().path()).unwrap());
        count += 1;
    }
    assert!(count >= 12, "only {count} files");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 96, ..Default::default() })]

    #[test]
    fn chunks_come_out_as_they_went_in(
        chats in 0..4_usize,
        messages in 0..20_usize,
        chunk in 1..500_usize,
    ) {
        let history = sample(chats, messages);
        prop_assert_eq!(read(&compressed(&encode(&history)), chunk).unwrap(), history);
    }

    #[test]
    fn changed_chunks_break_nothing(
        at in any::<prop::sample::Index>(),
        cut in 0..3_usize,
        insert in prop::collection::vec(any::<u8>(), 0..3),
    ) {
        let mut plain = encode(&sample(2, 2));
        let start = at.index(plain.len());
        let end = plain.len().min(start + cut);
        plain.splice(start..end, insert);
        checks::history(&plain);
        checks::history(&compressed(&plain));
    }

    #[test]
    fn no_bytes_break_anything(data in prop::collection::vec(any::<u8>(), 0..300)) {
        checks::history(&data);
    }
}
