//! A piece of the history on its way into the archive, as it is stored.

/// Receipts that are kept until the service has them: many times what a phone hands over at once. The oldest
/// go first, and cost a phone no more than another announcement.
pub(crate) const OWED_RECEIPTS: usize = 1000;

/// How far a piece was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Read {
    /// Records that are durable.
    pub(crate) records: u64,
    pub(crate) chats: u64,
    pub(crate) messages: u64,
    pub(crate) damaged: u64,
    pub(crate) calls: u64,
    pub(crate) stickers: u64,
    /// How often it could not be read to its end.
    pub(crate) failures: u32,
    /// When the phone was asked for it again, since it is gone from the media hosts or damaged, seconds;
    /// 0: never.
    pub(crate) asked_at: i64,
}

/// A piece that was announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PieceRow {
    /// Id of the message that announced it.
    pub(crate) message_id: String,
    /// `HistorySyncNotification`, encoded.
    pub(crate) notification: Vec<u8>,
    /// When it was announced, seconds.
    pub(crate) announced_at: i64,
    pub(crate) read: Read,
}

/// What a unit of work changes about pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HistoryChange {
    /// One was announced; one that was announced before stays as it is.
    Announced(PieceRow),
    /// So far it is durable.
    Read(String, Read),
    /// It is done with.
    Done(String),
    /// The phone is to be told that it is done with.
    Owed(String),
    /// The service has the receipt by which the phone is told.
    Receipted(String),
    /// What the media hosts want to see when a piece is deleted there.
    Nonce(String),
}
