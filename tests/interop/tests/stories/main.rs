//! Stories told with clients that we did not write, against the sandbox: what they do is the truth.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a panic is a test's failure report, in its helpers too"
)]

mod support;

mod account;
mod app_state;
mod baileys_link;
mod business;
mod calls;
mod channels;
mod devices;
mod feeds;
mod forgetful;
mod group_deeds;
mod history;
mod kinds;
mod linking;
mod media;
mod new_identity;
mod peers_chat;
mod peers_group;
mod people;
mod pictures;
mod restarts;
mod same_account;
mod take_over;
mod whatsmeow_link;
mod whimbrel_baileys;
mod whimbrel_group;
mod whimbrel_whatsmeow;
mod whimbrel_with;
