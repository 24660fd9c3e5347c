//! What an account lets others see and do, and the timer that it wants in new chats (features document
//! §8.1, §8.2). The settings are asked for once and kept; the service says when another device changes them.
//!
//! ```no_run
//! use whimbrel::privacy::{PrivacyCategory, PrivacyValue};
//! use whimbrel::{CallOptions, Client, Jid, LookupOptions};
//! # async fn example(client: Client, colleague: Jid) -> Result<(), whimbrel::Error> {
//! client.set_privacy(PrivacyCategory::LastSeen, PrivacyValue::Contacts, CallOptions::default()).await?;
//! let add = [colleague];
//! client.change_privacy_exceptions(PrivacyCategory::LastSeen, &add, &[], CallOptions::default()).await?;
//! for setting in client.privacy(LookupOptions::default()).await? {
//!     println!("{} is shown to {}", setting.category.name(), setting.value.name());
//! }
//! # Ok(())
//! # }
//! ```

mod change;
mod exceptions;
mod kept;
pub(crate) mod notify;
mod stanza;
mod timer;
mod words;

pub use notify::{DefaultTimerChanged, PrivacyChanged};
pub use words::{PrivacyCategory, PrivacyValue};

pub(crate) use change::own;
pub(crate) use exceptions::listed;
pub(crate) use kept::{fetch, is_due};
pub(crate) use timer::of_new_chat;

/// What one category is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PrivacySetting {
    /// The category.
    pub category: PrivacyCategory,
    /// What it is set to.
    pub value: PrivacyValue,
}

impl PrivacySetting {
    pub(crate) fn of_wire(category: &str, value: &str) -> Self {
        Self { category: PrivacyCategory::of_wire(category), value: PrivacyValue::of_wire(value) }
    }
}
