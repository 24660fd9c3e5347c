//! The five collections (app-state document §1).

use std::fmt;

/// One of the collections of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Collection {
    /// Own name, locale: what a client shows first.
    CriticalBlock,
    /// Contacts.
    CriticalUnblockLow,
    /// Muted chats, stars, deletions, audience of own statuses, favourites.
    RegularHigh,
    /// Labels, quick replies and what businesses use.
    Regular,
    /// Archived and pinned chats, read marks, settings.
    RegularLow,
}

impl Collection {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 5] =
        [Self::CriticalBlock, Self::CriticalUnblockLow, Self::RegularHigh, Self::Regular, Self::RegularLow];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CriticalBlock => "critical_block",
            Self::CriticalUnblockLow => "critical_unblock_low",
            Self::RegularHigh => "regular_high",
            Self::Regular => "regular",
            Self::RegularLow => "regular_low",
        }
    }

    /// The collection with a name; `None` for one that is not known.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|collection| collection.name() == name)
    }

    /// Whether a client is not complete without it.
    pub const fn is_critical(self) -> bool {
        matches!(self, Self::CriticalBlock | Self::CriticalUnblockLow)
    }
}

impl fmt::Display for Collection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
