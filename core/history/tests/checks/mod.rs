//! What must hold for any octets; the fuzz target and the ordinary tests share it.

use std::ops::ControlFlow;

use whimbrel_history::{Event, InflateLimits, Inflater, Reader, WalkError, WalkLimits, Walker};

/// Small ones, so that small inputs reach them.
pub(crate) const SMALL: WalkLimits = WalkLimits { record: 300, chat: 200, parked: 2 };

/// One line for each event, with messages decoded.
pub(crate) fn line(event: &Event<'_>) -> String {
    match event {
        Event::Message { chat, message, order } => {
            let head = message.head().map(|head| (head.id.to_owned(), head.from_me, head.timestamp));
            format!("message {chat} {head:?} {order:?} {:x?}", message.bytes())
        }
        Event::ChatEnds { chat, messages } => {
            format!("ends {messages} {:x?}", whimbrel_proto::encode(&**chat))
        }
        other => format!("{other:?}"),
    }
}

/// Walks through inflated octets in chunks of one length and returns what was told, how it ended,
/// and how many records there were.
pub(crate) fn walk(walker: Walker, bytes: &[u8], chunk: usize) -> (Vec<String>, Result<(), WalkError>, u64) {
    let mut walker = walker;
    let mut told = Vec::new();
    let mut result = Ok(());
    for chunk in bytes.chunks(chunk) {
        result = walker.update(chunk, &mut |event| {
            told.push(line(&event));
            ControlFlow::Continue(())
        });
        if result.is_err() {
            break;
        }
    }
    let records = walker.records();
    (told, result.and_then(|()| walker.finish()), records)
}

/// Whatever the octets are: the chunks do not matter, and a run that was interrupted goes on where it
/// was.
pub(crate) fn history(data: &[u8]) {
    let whole = walk(Walker::new(SMALL), data, data.len().max(1));
    for chunk in [1, 2, 7, 64] {
        assert_eq!(walk(Walker::new(SMALL), data, chunk), whole);
    }
    let (told, _, records) = walk(Walker::new(SMALL).skip_records(whole.2 / 2), data, 5);
    assert!(told.len() <= whole.0.len());
    assert_eq!(records, whole.2);
    drop(walk(Walker::new(SMALL).without_messages(), data, 3));

    let limits = InflateLimits { total: 1 << 20, ratio: 200 };
    let read = |chunk: usize| {
        let mut reader = Reader::with(Inflater::new(limits), Walker::new(SMALL));
        let mut told = Vec::new();
        let mut result = Ok(());
        for chunk in data.chunks(chunk) {
            result = reader.update(chunk, &mut |event| {
                told.push(line(&event));
                ControlFlow::Continue(())
            });
            if result.is_err() {
                break;
            }
        }
        (told, result.and_then(|()| reader.finish()))
    };
    let (_, result) = read(data.len().max(1));
    // How far a damaged stream is inflated before that shows depends on the chunks.
    if result.is_ok() {
        assert_eq!(read(3), read(1));
    }
}
