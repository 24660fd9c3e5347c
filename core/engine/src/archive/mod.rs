//! The archive: the account's chats, messages and people, kept so that they can be looked up. It is
//! made of what the host is told and of what it sends, in the same transactions, and of the history.

pub(crate) mod edit;
mod find;
pub(crate) mod project;
pub(crate) mod query;
pub(crate) mod row;
#[cfg(test)]
mod tests;
pub(crate) mod words;

pub use find::{
    Chat, Contact, FindChats, FindContacts, FindMessages, Page, PollVote, Recipient, StoredMessage,
    StoredReaction,
};
pub use row::SentStatus;
