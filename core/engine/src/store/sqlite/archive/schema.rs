//! The tables of the archive.

/// Chats and people have numbers, so that a changed address is one row, and messages are small. Pins,
/// keeps and comments may come before their message, and stand by its id: the history has the newest
/// first. The words of messages are found through `message_words`, which has no text of its own and is
/// behind the messages by as many as came since the last search; `archive_state` says how far it is.
pub(in crate::store::sqlite) const TABLES: &str = "
CREATE TABLE chats (
    id INTEGER PRIMARY KEY,
    address TEXT NOT NULL UNIQUE,
    name TEXT,
    latest_at INTEGER NOT NULL DEFAULT 0,
    unread INTEGER NOT NULL DEFAULT 0,
    archived INTEGER,
    pinned_at INTEGER,
    muted_until INTEGER,
    timer INTEGER,
    history_end INTEGER,
    locked INTEGER,
    marked_unread INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX chats_by_time ON chats (latest_at, id);
CREATE TABLE labels (
    label TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    color INTEGER,
    predefined INTEGER,
    place INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE labelled (
    label TEXT NOT NULL,
    chat INTEGER NOT NULL,
    PRIMARY KEY (label, chat)
) STRICT, WITHOUT ROWID;
CREATE INDEX labelled_by_chat ON labelled (chat);
CREATE TABLE people (
    id INTEGER PRIMARY KEY,
    address TEXT NOT NULL UNIQUE,
    name TEXT,
    first_name TEXT,
    push_name TEXT,
    username TEXT
) STRICT;
CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    chat INTEGER NOT NULL,
    author INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    timestamp INTEGER NOT NULL,
    content BLOB NOT NULL,
    status INTEGER,
    starred INTEGER NOT NULL DEFAULT 0,
    edited_at_ms INTEGER,
    revoked_at INTEGER,
    revoked_by INTEGER,
    notice BLOB,
    is_call INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX messages_by_name ON messages (message_id, chat, author);
CREATE INDEX messages_by_time ON messages (chat, timestamp, id);
CREATE TABLE reactions (
    message INTEGER NOT NULL,
    sender INTEGER NOT NULL,
    emoji TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (message, sender)
) STRICT, WITHOUT ROWID;
CREATE TABLE votes (
    message INTEGER NOT NULL,
    voter INTEGER NOT NULL,
    options BLOB NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (message, voter)
) STRICT, WITHOUT ROWID;
CREATE TABLE receipts (
    message INTEGER NOT NULL,
    recipient INTEGER NOT NULL,
    delivered_at INTEGER,
    read_at INTEGER,
    played_at INTEGER,
    PRIMARY KEY (message, recipient)
) STRICT, WITHOUT ROWID;
CREATE TABLE pins (
    chat INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    sender INTEGER,
    until INTEGER,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (chat, message_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE keeps (
    chat INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    sender INTEGER,
    kept INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (chat, message_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE comments (
    chat INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    sender INTEGER NOT NULL,
    comment_id TEXT NOT NULL,
    PRIMARY KEY (chat, message_id, sender, comment_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE answers (
    message INTEGER NOT NULL,
    person INTEGER NOT NULL,
    answer INTEGER,
    guests INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (message, person)
) STRICT, WITHOUT ROWID;
CREATE TABLE past_members (
    chat INTEGER NOT NULL,
    person INTEGER NOT NULL,
    removed INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (chat, person)
) STRICT, WITHOUT ROWID;
CREATE VIRTUAL TABLE message_words USING fts5(
    words, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TABLE archive_state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    indexed INTEGER NOT NULL,
    phone TEXT,
    lid TEXT
) STRICT;
INSERT INTO archive_state VALUES (1, 0, NULL, NULL);
";

/// The tables that are emptied when the account is another one.
pub(in crate::store::sqlite) const EMPTIED: &[&str] = &[
    "chats",
    "labels",
    "labelled",
    "people",
    "messages",
    "reactions",
    "votes",
    "receipts",
    "pins",
    "keeps",
    "comments",
    "answers",
    "past_members",
    "message_words",
];

/// Tables of what people did to a message, by its number.
pub(in crate::store::sqlite) const BY_NUMBER: [&str; 4] = ["reactions", "votes", "receipts", "answers"];

/// Tables of what people did to a message, by its chat and id.
pub(in crate::store::sqlite) const BY_ID: [&str; 3] = ["pins", "keeps", "comments"];

/// Where people stand, by number: table and column. They are rows of their own in these, and may be
/// left out where somebody stands there already.
pub(in crate::store::sqlite) const PEOPLE: [(&str, &str); 9] = [
    ("messages", "author"),
    ("reactions", "sender"),
    ("votes", "voter"),
    ("receipts", "recipient"),
    ("pins", "sender"),
    ("keeps", "sender"),
    ("comments", "sender"),
    ("answers", "person"),
    ("past_members", "person"),
];
