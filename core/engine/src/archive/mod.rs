//! The archive: the account's chats, messages and people, kept so that they can be looked up. It is
//! made of what the host is told and of what it sends, in the same transactions, and of the history.

pub(crate) mod edit;
mod find;
pub(crate) mod project;
pub(crate) mod query;
pub(crate) mod row;
mod stored;
#[cfg(test)]
mod tests;
pub(crate) mod trim;
pub(crate) mod words;

pub use find::{FindChats, FindContacts, FindMessages, Page};
pub use row::SentStatus;
pub use stored::{
    Chat, Contact, Label, PastMember, PollVote, Recipient, StoredAnswer, StoredMessage, StoredPin,
    StoredReaction,
};
