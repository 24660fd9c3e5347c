//! The native dialect.

mod access;
mod accounts;
mod events;
mod messages;
mod operations;
mod paths;
mod webhooks;
