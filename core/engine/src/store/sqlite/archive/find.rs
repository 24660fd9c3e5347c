//! Looking into the archive.

use std::fmt::Write as _;

use rusqlite::types::Value;
use rusqlite::{Connection, Row, ToSql, params_from_iter};
use whimbrel_wire::Jid;

use super::write::Notice;
use super::{ME, answer};
use crate::archive::query::{
    ChatQuery, ContactQuery, Details, FoundChat, FoundContact, FoundLabel, FoundMessage, MessageQuery,
    Position,
};
use crate::archive::row::{
    AnswerRow, Author, KeepRow, LabelRow, PastMemberRow, PinRow, ReactionRow, SentStatus, Target, Times,
    VoteRow,
};
use crate::store::sqlite::rows::jid;
use crate::store::sqlite::{StoreError, failed};

/// Everything of a message but what others did with it.
const MESSAGE: &str = "SELECT m.id, c.address, m.author, p.address, m.message_id, m.timestamp, m.content, \
     m.status, m.starred, m.edited_at_ms, m.revoked_at, m.revoked_by, r.address, m.notice, \
     n.until, n.at_ms, n.sender, np.address, k.at_ms, k.sender, kp.address, \
     (SELECT count(*) FROM comments AS o WHERE o.chat = m.chat AND o.message_id = m.message_id) \
     FROM messages AS m JOIN chats AS c ON c.id = m.chat LEFT JOIN people AS p ON p.id = m.author \
     LEFT JOIN people AS r ON r.id = m.revoked_by \
     LEFT JOIN pins AS n ON n.chat = m.chat AND n.message_id = m.message_id AND n.until IS NOT NULL \
     LEFT JOIN people AS np ON np.id = n.sender \
     LEFT JOIN keeps AS k ON k.chat = m.chat AND k.message_id = m.message_id AND k.kept \
     LEFT JOIN people AS kp ON kp.id = k.sender WHERE true";

/// A statement that grows with what is asked for.
struct Question {
    sql: String,
    values: Vec<Value>,
}

impl Question {
    fn new(sql: &str) -> Self {
        Self { sql: sql.to_owned(), values: Vec::new() }
    }

    /// Adds a condition, in which `?` stands for the values in their order.
    fn and<const N: usize>(&mut self, condition: &str, values: [Value; N]) {
        // Writing to a string cannot fail.
        let _ = write!(self.sql, " AND {condition}");
        self.values.extend(values);
    }

    fn end(&mut self, order: &str, limit: u32) {
        let _ = write!(self.sql, " ORDER BY {order} LIMIT ?");
        self.values.push(Value::from(limit));
    }

    fn answers<T>(
        self,
        connection: &Connection,
        read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = connection.prepare_cached(&self.sql).map_err(failed)?;
        let mut rows = statement.query(params_from_iter(self.values)).map_err(failed)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            found.push(read(row)?);
        }
        Ok(found)
    }
}

fn text(address: &Jid) -> Value {
    Value::from(address.to_string())
}

/// The messages that fit, newest first.
pub(in crate::store) fn messages(
    connection: &Connection,
    query: &MessageQuery,
) -> Result<Vec<FoundMessage>, StoreError> {
    let mut question = Question::new(MESSAGE);
    if let Some(chat) = &query.chat {
        question.and("m.chat = (SELECT id FROM chats WHERE address = ?)", [text(chat)]);
    }
    match &query.author {
        Some(Some(person)) => {
            question.and("m.author = (SELECT id FROM people WHERE address = ?)", [text(person)]);
        }
        Some(None) => question.and("m.author = 0", []),
        None => {}
    }
    if let Some(id) = &query.message_id {
        question.and("m.message_id = ?", [Value::from(id.clone())]);
    }
    if let Some(words) = &query.words {
        let condition = "m.id IN (SELECT rowid FROM message_words WHERE message_words MATCH ?)";
        question.and(condition, [Value::from(words.clone())]);
    }
    if let Some(after) = query.after {
        question.and("m.timestamp >= ?", [Value::from(after)]);
    }
    if let Some(before) = query.before {
        question.and("m.timestamp < ?", [Value::from(before)]);
    }
    if let Some(now) = query.pinned_at {
        question.and("n.until > ?", [Value::from(now)]);
    }
    if let Some(Position { timestamp, row }) = query.from {
        question.and("(m.timestamp, m.id) < (?, ?)", [Value::from(timestamp), Value::from(row)]);
    }
    question.end("m.timestamp DESC, m.id DESC", query.limit);
    let mut found = question.answers(connection, message)?;
    for message in &mut found {
        message.reactions = reactions(connection, message.position.row)?;
    }
    Ok(found)
}

/// The oldest message of a chat that people wrote, and phones know by its id.
pub(in crate::store) fn oldest(
    connection: &Connection,
    chat: &Jid,
) -> Result<Option<FoundMessage>, StoreError> {
    let mut question = Question::new(MESSAGE);
    question.and("m.chat = (SELECT id FROM chats WHERE address = ?)", [text(chat)]);
    question.and("m.notice IS NULL AND m.is_call = 0", []);
    question.end("m.timestamp, m.id", 1);
    Ok(question.answers(connection, message)?.pop())
}

/// A message with what others did with it.
pub(in crate::store) fn details(
    connection: &Connection,
    target: &Target,
) -> Result<Option<Details>, StoreError> {
    let query = MessageQuery {
        chat: Some(target.chat.clone()),
        author: target.author.clone(),
        message_id: Some(target.message_id.clone()),
        limit: 1,
        ..MessageQuery::default()
    };
    let Some(message) = messages(connection, &query)?.pop() else { return Ok(None) };
    let row = message.position.row;
    let receipts = all(
        connection,
        "SELECT p.address, r.delivered_at, r.read_at, r.played_at FROM receipts AS r \
         JOIN people AS p ON p.id = r.recipient WHERE r.message = ?1 ORDER BY p.address",
        &[&row],
        |row| {
            let times = Times {
                delivered_at: row.get(1).map_err(failed)?,
                read_at: row.get(2).map_err(failed)?,
                played_at: row.get(3).map_err(failed)?,
            };
            Ok((jid(row, 0)?, times))
        },
    )?;
    let votes = all(
        connection,
        "SELECT v.voter, p.address, v.options, v.at_ms FROM votes AS v \
         LEFT JOIN people AS p ON p.id = v.voter WHERE v.message = ?1 ORDER BY v.at_ms, v.voter",
        &[&row],
        |row| {
            let options = row.get_ref(2).map_err(failed)?.as_blob().unwrap_or_default();
            let (options, _) = options.as_chunks::<32>();
            let at_ms = row.get(3).map_err(failed)?;
            Ok(VoteRow { voter: author(row, 0)?, options: options.to_vec(), at_ms })
        },
    )?;
    let answers = all(
        connection,
        "SELECT a.person, p.address, a.answer, a.guests, a.at_ms FROM answers AS a \
         LEFT JOIN people AS p ON p.id = a.person WHERE a.message = ?1 ORDER BY a.at_ms, a.person",
        &[&row],
        |row| {
            let number: Option<i64> = row.get(2).map_err(failed)?;
            Ok(AnswerRow {
                person: author(row, 0)?,
                answer: number.and_then(answer::of_number),
                guests: row.get(3).map_err(failed)?,
                at_ms: row.get(4).map_err(failed)?,
            })
        },
    )?;
    Ok(Some(Details { message, receipts, votes, answers }))
}

/// Who is in a group no more, the latest first.
pub(in crate::store) fn past_members(
    connection: &Connection,
    group: &Jid,
) -> Result<Vec<PastMemberRow>, StoreError> {
    const SQL: &str = "SELECT m.person, p.address, m.removed, m.at FROM past_members AS m \
         JOIN chats AS c ON c.id = m.chat LEFT JOIN people AS p ON p.id = m.person \
         WHERE c.address = ?1 ORDER BY m.at DESC, m.person";
    all(connection, SQL, &[&group.to_string()], |row| {
        Ok(PastMemberRow {
            person: author(row, 0)?,
            removed: row.get(2).map_err(failed)?,
            at: row.get(3).map_err(failed)?,
        })
    })
}

fn reactions(connection: &Connection, message: i64) -> Result<Vec<ReactionRow>, StoreError> {
    const SQL: &str = "SELECT r.sender, p.address, r.emoji, r.at_ms FROM reactions AS r \
         LEFT JOIN people AS p ON p.id = r.sender WHERE r.message = ?1 AND r.emoji <> '' \
         ORDER BY r.at_ms, r.sender";
    all(connection, SQL, &[&message], |row| {
        Ok(ReactionRow {
            sender: author(row, 0)?,
            emoji: row.get(2).map_err(failed)?,
            at_ms: row.get(3).map_err(failed)?,
        })
    })
}

fn all<T>(
    connection: &Connection,
    sql: &str,
    parameters: &[&dyn ToSql],
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    let mut rows = statement.query(parameters).map_err(failed)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// An author: a number, and in the next column the address.
fn author(row: &Row<'_>, column: usize) -> Result<Author, StoreError> {
    match row.get::<_, i64>(column).map_err(failed)? {
        ME => Ok(None),
        _ => Ok(Some(jid(row, column.saturating_add(1))?)),
    }
}

/// An author who may not be known.
fn someone(row: &Row<'_>, column: usize) -> Result<Option<Author>, StoreError> {
    match row.get::<_, Option<i64>>(column).map_err(failed)? {
        Some(_) => author(row, column).map(Some),
        None => Ok(None),
    }
}

fn message(row: &Row<'_>) -> Result<FoundMessage, StoreError> {
    use prost::Message as _;
    let revoked = match row.get::<_, Option<i64>>(10).map_err(failed)? {
        Some(at) => Some((author(row, 11)?, at)),
        None => None,
    };
    let pin = match row.get::<_, Option<i64>>(14).map_err(failed)? {
        Some(until) => Some(PinRow {
            sender: someone(row, 16)?,
            until: Some(until),
            at_ms: row.get(15).map_err(failed)?,
        }),
        None => None,
    };
    let keep = match row.get::<_, Option<i64>>(18).map_err(failed)? {
        Some(at_ms) => Some(KeepRow { sender: someone(row, 19)?, kept: true, at_ms }),
        None => None,
    };
    let status: Option<u8> = row.get(7).map_err(failed)?;
    let notice = row.get_ref(13).map_err(failed)?.as_blob_or_null().unwrap_or_default();
    let notice = notice.and_then(|notice| Notice::decode(notice).ok());
    Ok(FoundMessage {
        position: Position { timestamp: row.get(5).map_err(failed)?, row: row.get(0).map_err(failed)? },
        chat: jid(row, 1)?,
        author: author(row, 2)?,
        message_id: row.get(4).map_err(failed)?,
        content: row.get(6).map_err(failed)?,
        status: status.and_then(|number| SentStatus::of_number(number.into())),
        starred: row.get(8).map_err(failed)?,
        edited_at_ms: row.get(9).map_err(failed)?,
        revoked,
        notice: notice.map(|notice| (notice.kind, notice.parameters)),
        pin,
        keep,
        comments: row.get(21).map_err(failed)?,
        reactions: Vec::new(),
    })
}

/// The chats that fit, the one with the newest message first.
pub(in crate::store) fn chats(
    connection: &Connection,
    query: &ChatQuery,
) -> Result<Vec<FoundChat>, StoreError> {
    let mut question = Question::new(
        "SELECT c.id, c.address, coalesce(c.name, p.name, p.push_name), c.latest_at, c.unread, c.archived, \
         c.pinned_at, c.muted_until, c.timer, c.history_end, c.locked, c.marked_unread FROM chats AS c \
         LEFT JOIN people AS p ON p.address = c.address WHERE true",
    );
    if let Some(chat) = &query.chat {
        question.and("c.address = ?", [text(chat)]);
    }
    if let Some(name) = &query.name {
        let condition = "coalesce(c.name, p.name, p.push_name) LIKE ? ESCAPE '\\'";
        question.and(condition, [Value::from(anywhere(name))]);
    }
    if query.unread {
        question.and("(c.unread > 0 OR c.marked_unread = 1)", []);
    }
    match query.archived {
        Some(true) => question.and("c.archived = 1", []),
        Some(false) => question.and("ifnull(c.archived, 0) = 0", []),
        None => {}
    }
    match query.pinned {
        Some(true) => question.and("c.pinned_at <> 0", []),
        Some(false) => question.and("ifnull(c.pinned_at, 0) = 0", []),
        None => {}
    }
    if let Some(locked) = query.locked {
        question.and("ifnull(c.locked, 0) = ?", [Value::from(locked)]);
    }
    if let Some(label) = &query.label {
        let condition = "c.id IN (SELECT chat FROM labelled WHERE label = ?)";
        question.and(condition, [Value::from(label.clone())]);
    }
    if let Some(Position { timestamp, row }) = query.from {
        question.and("(c.latest_at, c.id) < (?, ?)", [Value::from(timestamp), Value::from(row)]);
    }
    question.end("c.latest_at DESC, c.id DESC", query.limit);
    let mut found = question.answers(connection, |row| {
        let latest_at = row.get(3).map_err(failed)?;
        Ok(FoundChat {
            position: Position { timestamp: latest_at, row: row.get(0).map_err(failed)? },
            address: jid(row, 1)?,
            name: row.get(2).map_err(failed)?,
            unread: row.get(4).map_err(failed)?,
            archived: row.get::<_, Option<bool>>(5).map_err(failed)?.unwrap_or(false),
            pinned_at: row.get::<_, Option<i64>>(6).map_err(failed)?.filter(|at| *at != 0),
            muted_until: row.get::<_, Option<i64>>(7).map_err(failed)?.filter(|at| *at != 0),
            timer: row.get::<_, Option<u32>>(8).map_err(failed)?.unwrap_or(0),
            history_end: row.get(9).map_err(failed)?,
            locked: row.get::<_, Option<bool>>(10).map_err(failed)?.unwrap_or(false),
            marked_unread: row.get(11).map_err(failed)?,
            labels: Vec::new(),
        })
    })?;
    for chat in &mut found {
        let sql = "SELECT label FROM labelled WHERE chat = ?1 ORDER BY label";
        chat.labels = all(connection, sql, &[&chat.position.row], |row| row.get(0).map_err(failed))?;
    }
    Ok(found)
}

/// All labels, in their order.
pub(in crate::store) fn labels(connection: &Connection) -> Result<Vec<FoundLabel>, StoreError> {
    let sql = "SELECT label, name, color, predefined, place FROM labels ORDER BY place IS NULL, place, label";
    all(connection, sql, &[], |row| {
        let label = LabelRow {
            name: row.get(1).map_err(failed)?,
            color: row.get(2).map_err(failed)?,
            predefined: row.get(3).map_err(failed)?,
            order: row.get(4).map_err(failed)?,
        };
        Ok(FoundLabel { id: row.get(0).map_err(failed)?, row: label })
    })
}

/// The people that fit, by name.
pub(in crate::store) fn contacts(
    connection: &Connection,
    query: &ContactQuery,
) -> Result<Vec<FoundContact>, StoreError> {
    const NAME: &str = "lower(coalesce(name, push_name, username, address))";
    let mut question =
        Question::new("SELECT id, address, name, first_name, push_name, username FROM people WHERE true");
    if let Some(person) = &query.person {
        question.and("address = ?", [text(person)]);
    }
    if let Some(name) = &query.name {
        let pattern = Value::from(anywhere(name));
        let condition =
            "(name LIKE ? ESCAPE '\\' OR push_name LIKE ? ESCAPE '\\' OR username LIKE ? ESCAPE '\\')";
        question.and(condition, [pattern.clone(), pattern.clone(), pattern]);
    }
    if let Some(row) = query.from {
        let condition = format!("({NAME}, id) > (SELECT {NAME}, id FROM people WHERE id = ?)");
        question.and(&condition, [Value::from(row)]);
    }
    question.end(&format!("{NAME}, id"), query.limit);
    question.answers(connection, |row| {
        Ok(FoundContact {
            row: row.get(0).map_err(failed)?,
            address: jid(row, 1)?,
            name: row.get(2).map_err(failed)?,
            first_name: row.get(3).map_err(failed)?,
            push_name: row.get(4).map_err(failed)?,
            username: row.get(5).map_err(failed)?,
        })
    })
}

/// A pattern for what has a text anywhere in it.
fn anywhere(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}
