//! The file: which messages are in it, and which of those that come are believed. Pure, but for the archive.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use prost::Message as _;
use whimbrel_content::Content;
use whimbrel_content::classify::{Class, Shown, reread};
use whimbrel_proto::common::MessageKey;
use whimbrel_proto::e2e::Message;
use whimbrel_proto::group_history::GroupHistory;
use whimbrel_proto::web::WebMessageInfo;
use whimbrel_wire::Jid;

use crate::archive::query::{FoundMessage, MessageQuery};
use crate::error::{Code, Error};
use crate::store::{Store, StoreError};

/// Most messages in a file, and how far they go back, in seconds: the service's defaults.
const MESSAGES: usize = 100;
const WINDOW: i64 = 1_209_600;

/// What comes may be as much older as a client may have waited.
const BELIEVED: i64 = 2 * WINDOW;

/// Messages of the archive that are looked at at once.
const PAGE: u32 = 200;

/// Longest file once it is inflated: a hundred messages with their previews are less.
const LONGEST: u64 = 32 << 20;

/// Longest id of a message.
const LONGEST_ID: usize = 128;

/// The newest messages of a group that may be handed on, the oldest first.
pub(super) fn choose(
    store: &dyn Store,
    group: &Jid,
    own: &Jid,
    now: i64,
) -> Result<Vec<WebMessageInfo>, StoreError> {
    let mut query = MessageQuery {
        chat: Some(group.clone()),
        after: Some(now.saturating_sub(WINDOW)),
        limit: PAGE,
        ..MessageQuery::default()
    };
    let mut chosen = Vec::new();
    while chosen.len() < MESSAGES {
        let page = store.find_messages(&query)?;
        let Some(last) = page.last().map(|found| found.position) else { break };
        query.from = Some(last);
        let handed_on = page.into_iter().filter_map(|found| hand_on(found, group, own, now));
        chosen.extend(handed_on.take(MESSAGES.saturating_sub(chosen.len())));
    }
    chosen.reverse();
    Ok(chosen)
}

/// A message as the file has it, if it is one to be handed on.
fn hand_on(found: FoundMessage, group: &Jid, own: &Jid, now: i64) -> Option<WebMessageInfo> {
    if found.revoked.is_some() || found.notice.is_some() || found.content.is_empty() {
        return None;
    }
    let message: Message = whimbrel_proto::decode(&found.content).ok()?;
    is_shown(&message, group, found.position.timestamp, now).then_some(())?;
    let author = found.author.unwrap_or_else(|| own.clone()).to_string();
    let key = MessageKey {
        remote_jid: Some(group.to_string()),
        // Whose it is says the participant, for every reader the same.
        from_me: Some(false),
        id: Some(found.message_id),
        participant: Some(author.clone()),
    };
    Some(WebMessageInfo {
        key: Some(key),
        message: Some(Box::new(message)),
        message_timestamp: u64::try_from(found.position.timestamp).ok(),
        participant: Some(author),
        is_group_history_message: Some(true),
        ..WebMessageInfo::default()
    })
}

/// Whether something is an entry in the chat that everybody may see, and whose time is not over.
fn is_shown(message: &Message, group: &Jid, sent_at: i64, now: i64) -> bool {
    let Class::Message(shown) = reread(message.clone(), group, false).class else { return false };
    let Shown { content, context, view_once, .. } = *shown;
    let timer = context.timer.map_or(0, |timer| timer.seconds);
    let is_over = timer > 0 && sent_at.saturating_add(timer.into()) <= now;
    let is_of_history = matches!(content, Content::GroupHistory(_) | Content::GroupHistoryNotice(_));
    !view_once && !is_over && !is_of_history
}

/// When the oldest message was written, seconds.
pub(super) fn oldest(messages: &[WebMessageInfo]) -> Option<i64> {
    let first = messages.first()?.message_timestamp?;
    i64::try_from(first).ok()
}

/// The file.
pub(super) fn write(messages: Vec<WebMessageInfo>) -> Result<Vec<u8>, Error> {
    let history = GroupHistory { messages, ..GroupHistory::default() };
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(&history.encode_to_vec()).and_then(|()| encoder.finish());
    written.map_err(|error| Error::new(Code::Internal, "the history could not be packed").because(error))
}

/// Reads a file that somebody made.
pub(super) fn read(file: &[u8]) -> Result<GroupHistory, Error> {
    let unreadable = || Error::new(Code::MediaUnsupported, "the file is no history of a group");
    let mut bytes = Vec::new();
    let mut decoder = ZlibDecoder::new(file).take(LONGEST + 1);
    decoder.read_to_end(&mut bytes).map_err(|error| unreadable().because(error))?;
    if bytes.len() as u64 > LONGEST {
        return Err(Error::new(Code::MediaTooLarge, "the history is longer than allowed"));
    }
    GroupHistory::decode(bytes.as_slice()).map_err(|error| unreadable().because(error))
}

/// A message that somebody hands on.
pub(super) struct Handed {
    pub(super) id: String,
    pub(super) author: Jid,
    pub(super) timestamp: i64,
    pub(super) content: Vec<u8>,
}

/// A message of a file, if it is one that a member may hand on.
pub(super) fn handed(info: WebMessageInfo, group: &Jid, now: i64) -> Option<Handed> {
    let key = info.key?;
    let of_group = key.remote_jid.and_then(|chat| chat.parse::<Jid>().ok());
    if of_group.is_none_or(|chat| chat.to_bare() != *group) {
        return None;
    }
    let author = key.participant.or(info.participant)?.parse::<Jid>().ok()?.to_account();
    let id = key.id.filter(|id| !id.is_empty() && id.len() <= LONGEST_ID)?;
    let timestamp = i64::try_from(info.message_timestamp?).ok()?;
    let message = info.message?;
    let in_window = (now.saturating_sub(BELIEVED)..=now.saturating_add(60)).contains(&timestamp);
    if !author.is_account() || !in_window || !is_shown(&message, group, timestamp, now) {
        return None;
    }
    Some(Handed { id, author, timestamp, content: whimbrel_proto::encode(&*message) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn words(group: &Jid, id: &str, ago: i64) -> WebMessageInfo {
        let key = MessageKey {
            remote_jid: Some(group.to_string()),
            from_me: Some(false),
            id: Some(id.to_owned()),
            participant: Some(Jid::lid("7").to_string()),
        };
        let message = Message { conversation: Some("hi".to_owned()), ..Message::default() };
        WebMessageInfo {
            key: Some(key),
            message: Some(Box::new(message)),
            message_timestamp: u64::try_from(NOW - ago).ok(),
            ..WebMessageInfo::default()
        }
    }

    #[test]
    fn a_file_is_read_as_it_was_written() {
        let group = Jid::group("1-2");
        let messages = vec![words(&group, "A", 9), words(&group, "B", 1)];
        assert_eq!(oldest(&messages), Some(NOW - 9));
        let read = read(&write(messages.clone()).unwrap()).unwrap();
        assert_eq!(read.messages, messages);
        for wrong in [b"nothing".as_slice(), &[]] {
            assert!(super::read(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn only_what_a_member_may_hand_on_is_believed() {
        let group = Jid::group("1-2");
        let good = handed(words(&group, "A", 9), &group, NOW).unwrap();
        assert_eq!((good.id.as_str(), good.author, good.timestamp), ("A", Jid::lid("7"), NOW - 9));
        let wrong = |edit: fn(&mut WebMessageInfo)| {
            let mut info = words(&Jid::group("1-2"), "A", 9);
            edit(&mut info);
            assert!(handed(info, &Jid::group("1-2"), NOW).is_none());
        };
        wrong(|info| info.key.as_mut().unwrap().remote_jid = Some(Jid::group("3-4").to_string()));
        wrong(|info| info.key.as_mut().unwrap().participant = None);
        wrong(|info| info.key.as_mut().unwrap().participant = Some(Jid::group("1-2").to_string()));
        wrong(|info| info.key.as_mut().unwrap().id = Some(String::new()));
        wrong(|info| info.message_timestamp = Some(1_700_000_000));
        wrong(|info| info.message_timestamp = Some(1_800_001_000));
        wrong(|info| info.message = None);
        wrong(|info| info.message = Some(Box::default()));
    }
}
