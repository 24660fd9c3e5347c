#![forbid(unsafe_code)]
//! An embeddable WhatsApp engine: links to a phone as a companion device, speaks the
//! multi-device protocol itself, and hands messages and events to the program that embeds it.
//!
//! An [`Engine`] owns threads and limits; a [`Client`] is one linked account on an engine, kept
//! in one store file. Facts arrive as [`Event`]s, at least once and in order, and are offered
//! again after a crash until the program has taken them.
//!
//! ```no_run
//! use whimbrel::events::EventKind;
//! use whimbrel::{ClientOptions, Engine, EngineOptions, SendOptions};
//!
//! # async fn example() -> Result<(), whimbrel::Error> {
//! let engine = Engine::new(EngineOptions::default())?;
//! // Everything about the account is in this one file.
//! let client = engine.open("account.db", ClientOptions::default())?;
//! let mut events = client.events()?;
//! while let Some(event) = events.next().await {
//!     match event.kind {
//!         // Show it as a QR code: the phone scans it under "Linked devices".
//!         EventKind::Qr(qr) => println!("{}", qr.text),
//!         EventKind::Linked(linked) => println!("linked to {}", linked.account.id),
//!         EventKind::Message(message) if !message.from_me => {
//!             println!("{}: {}", message.sender.id, message.text.unwrap_or_default());
//!             client.send_text(&message.chat.id, "hello", SendOptions::default()).await?;
//!         }
//!         _ => {}
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod account;
pub mod addons;
mod address;
pub mod appstate;
mod archive;
mod blocklist;
mod business;
mod calls;
mod channels;
mod client;
mod clock;
mod connection;
mod contacts;
mod devices;
mod engine;
mod error;
pub mod events;
mod groups;
mod history;
mod http;
mod journal;
mod link;
pub mod media;
mod messages;
mod mex;
mod notices;
mod options;
pub mod pictures;
mod prekeys;
mod presence;
pub mod privacy;
pub mod profile;
mod properties;
mod random;
mod receipts;
mod repair;
mod restrictions;
mod retry;
mod spam;
mod statistics;
mod status;
pub mod stickers;
mod store;
mod tokens;
mod transfer;
mod version;

pub use address::parse_address;
pub use archive::{
    Chat, Contact, FindChats, FindContacts, FindMessages, Label, Page, PastMember, PollVote, Recipient,
    SentStatus, StoredAnswer, StoredMessage, StoredPin, StoredReaction,
};
pub use business::{
    Bot, BotCommand, BotProfile, BusinessHours, BusinessProfile, CatalogPage, Collection, Order,
    OrderedProduct, Product, ProductDraft, ProfileUpdate,
};
pub use calls::{CallLink, CallPreview, is_call_link};
pub use channels::{
    Channel, ChannelActivity, ChannelAdmins, ChannelCategory, ChannelFollower, ChannelPage, ChannelPicture,
    ChannelReactions, ChannelRole, ChannelState, ChannelTerms, ChannelUpdate, FindChannels, FindPosts,
    NewChannel, NewPicture, OwnPostAct, PinnedPost, Post, PostReaction, PostVoter,
};
pub use client::{AccountInfo, Client};
pub use contacts::{About, DefaultTimer, NumberCheck, NumberStatus, UserInfo};
pub use engine::Engine;
pub use error::{Category, Code, Error, Outcome};
pub use events::{Event, EventStream, Identity};
pub use groups::{
    Addressing, CommunityGroup, CommunityOptions, CreatedGroup, FetchedHistory, Group, GroupDescription,
    GroupLookup, GroupOptions, GroupPicture, GroupSetting, GroupSize, GroupSuggestion, GrowthLock,
    Invitation, InvitationCode, InviteLink, Joined, LinkResult, Participant, ParticipantResult,
    ReportedMessage, Role, SharedHistory, UnreportedMessage, WaitingRequest,
};
pub use link::{PairingCode, PasskeyCode, QrCode};
pub use messages::{MessageKey, SentMessage};
pub use options::{
    CallOptions, Cancel, ClientOptions, Endpoint, EngineOptions, Fallback, LookupOptions, Proxy, SendOptions,
    SendWait,
};
pub use presence::Availability;
pub use restrictions::{AccountLimits, NewChats};
pub use statistics::Statistics;
pub use status::{StatusAudience, StatusAudienceKind};
pub use transfer::{ExportOptions, ImportReport, ImportSource, LeftOut, Passphrase, TakenOver};
pub use version::{ClientVersion, VersionSource};
/// What is inside messages, in both directions.
pub use whimbrel_content as content;
pub use whimbrel_wire::jid::Jid;

#[doc(hidden)]
pub mod testing;
#[doc(hidden)]
pub use transfer::fuzzing;
