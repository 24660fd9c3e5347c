//! What the service keeps of channels.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use whimbrel_wire::Jid;

use super::super::accounts::{AccountId, DeviceId};
use super::post::Post;

/// The first number that a post gets.
const FIRST: u64 = 100;

/// A channel as the service knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChannelState {
    /// Its address.
    pub jid: String,
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// The code of its link.
    pub invite: String,
    /// Whether it has a picture.
    pub has_picture: bool,
    /// Which reactions its posts take.
    pub reactions: String,
    /// It was deleted.
    pub deleted: bool,
    /// Phone number of its owner.
    pub owner: String,
    /// Phone numbers of its other admins.
    pub admins: Vec<String>,
    /// Phone numbers of those who are invited to be admins.
    pub invited: Vec<String>,
    /// Phone numbers of those who follow it, without its owner.
    pub followers: Vec<String>,
    /// Phone numbers of those who muted its posts.
    pub muted_by: Vec<String>,
    /// Ids of the posts that are pinned.
    pub pinned: Vec<String>,
    /// How many devices are told of counts now.
    pub watchers: usize,
    /// What was posted, oldest first.
    pub posts: Vec<PostState>,
}

/// A post as the service knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PostState {
    /// Its id.
    pub id: String,
    /// Its number.
    pub server_id: u64,
    /// Its content, in hexadecimal digits; empty once it was taken back.
    pub content: String,
    /// What the media hosts call its file.
    pub media_id: Option<String>,
    /// It was edited.
    pub edited: bool,
    /// It was taken back.
    pub revoked: bool,
    /// How many people saw it.
    pub views: usize,
    /// How often people reacted with what.
    pub reactions: BTreeMap<String, u64>,
    /// How many voted for which option, by the hexadecimal digits of its hash.
    pub votes: BTreeMap<String, u64>,
}

/// A text that knows when it was changed.
#[derive(Debug, Clone, Default)]
pub(super) struct Text {
    pub(super) text: String,
    /// Microseconds.
    pub(super) changed: u64,
}

impl Text {
    pub(super) fn new(text: String, now: u64) -> Self {
        Self { text, changed: now.saturating_mul(1_000_000) }
    }
}

/// A picture, by the hashes of the files on the media hosts.
#[derive(Debug, Clone)]
pub(super) struct Picture {
    pub(super) id: String,
    pub(super) full: [u8; 32],
    pub(super) preview: [u8; 32],
}

/// Somebody who reads a channel.
#[derive(Debug, Clone, Default)]
pub(super) struct Follower {
    pub(super) since: u64,
    pub(super) posts_muted: bool,
    pub(super) followers_muted: bool,
}

/// A channel.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(super) jid: Jid,
    pub(super) invite: String,
    pub(super) created: u64,
    pub(super) name: Text,
    pub(super) description: Text,
    pub(super) picture: Option<Picture>,
    pub(super) reactions: String,
    pub(super) deleted: bool,
    pub(super) verified: bool,
    /// What it is listed under in the directory, if it is.
    pub(super) category: Option<String>,
    pub(super) owner: AccountId,
    pub(super) admins: BTreeSet<AccountId>,
    /// Until when who may become an admin.
    pub(super) invited: BTreeMap<AccountId, u64>,
    /// All who get its posts, the owner and admins too.
    pub(super) followers: BTreeMap<AccountId, Follower>,
    /// Ids of posts, and until when they are pinned.
    pub(super) pinned: Vec<(String, u64)>,
    /// Who is told of counts, and until when.
    pub(super) watchers: BTreeMap<DeviceId, u64>,
    posts: BTreeMap<u64, Post>,
    next: u64,
}

impl Channel {
    /// Whether somebody may post.
    pub(super) fn is_admin(&self, account: AccountId) -> bool {
        !self.deleted && (self.owner == account || self.admins.contains(&account))
    }

    /// Whether somebody gets the posts.
    pub(super) fn is_reader(&self, account: AccountId) -> bool {
        !self.deleted && self.followers.contains_key(&account)
    }

    /// All who get the posts.
    pub(super) fn readers(&self) -> impl Iterator<Item = AccountId> {
        self.followers.keys().copied()
    }

    /// A post by its number.
    pub(super) fn post_mut(&mut self, server_id: u64) -> Option<&mut Post> {
        self.posts.get_mut(&server_id)
    }

    pub(super) fn post(&self, server_id: u64) -> Option<&Post> {
        self.posts.get(&server_id)
    }

    /// All posts, oldest first.
    pub(super) fn posts(&self) -> impl DoubleEndedIterator<Item = &Post> {
        self.posts.values()
    }

    /// The number of a post by its id.
    pub(super) fn number_of(&self, id: &str) -> Option<u64> {
        self.posts.values().find(|post| post.id == id).map(|post| post.server_id)
    }

    /// Takes a post in and numbers it.
    pub(super) fn add(&mut self, post: Post) -> u64 {
        let server_id = self.next;
        self.next += 1;
        self.posts.insert(server_id, Post { server_id, ..post });
        server_id
    }

    pub(super) fn state(&self, now: u64, number: impl Fn(AccountId) -> String) -> ChannelState {
        let followers = self.followers.keys().filter(|follower| **follower != self.owner);
        let muted = self.followers.iter().filter(|(_, follower)| follower.posts_muted);
        ChannelState {
            jid: self.jid.to_string(),
            name: self.name.text.clone(),
            description: self.description.text.clone(),
            invite: self.invite.clone(),
            has_picture: self.picture.is_some(),
            reactions: self.reactions.clone(),
            deleted: self.deleted,
            owner: number(self.owner),
            admins: self.admins.iter().map(|admin| number(*admin)).collect(),
            invited: self.invited.keys().map(|invited| number(*invited)).collect(),
            followers: followers.map(|follower| number(*follower)).collect(),
            muted_by: muted.map(|(account, _)| number(*account)).collect(),
            pinned: self.pinned.iter().map(|(id, _)| id.clone()).collect(),
            watchers: self.watchers.values().filter(|until| **until > now).count(),
            posts: self.posts.values().map(Post::state).collect(),
        }
    }
}

/// All channels, by the digits of their ids.
#[derive(Debug)]
pub(crate) struct Channels {
    by_id: BTreeMap<String, Channel>,
    /// How long a device is told of counts after it asked for that, in seconds.
    pub(super) live: u64,
    /// Notices of the terms of service that an account has still to accept.
    pub(super) open_terms: BTreeSet<(AccountId, String)>,
}

impl Default for Channels {
    fn default() -> Self {
        Self { by_id: BTreeMap::new(), live: 300, open_terms: BTreeSet::new() }
    }
}

impl Channels {
    pub(super) fn get(&self, channel: &Jid) -> Option<&Channel> {
        self.by_id.get(channel.user()).filter(|_| channel.is_newsletter())
    }

    pub(super) fn get_mut(&mut self, channel: &Jid) -> Option<&mut Channel> {
        self.by_id.get_mut(channel.user()).filter(|_| channel.is_newsletter())
    }

    /// The channel of a link.
    pub(super) fn by_invite(&self, code: &str) -> Option<&Channel> {
        self.by_id.values().find(|channel| channel.invite == code)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Channel> {
        self.by_id.values()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Channel> {
        self.by_id.values_mut()
    }

    pub(super) fn add(&mut self, id: &str, invite: String, owner: AccountId, name: Text, now: u64) -> Jid {
        let jid = Jid::newsletter(id);
        let own = Follower { since: now, ..Follower::default() };
        let channel = Channel {
            jid: jid.clone(),
            invite,
            created: now,
            name,
            description: Text::default(),
            picture: None,
            reactions: "ALL".to_owned(),
            deleted: false,
            verified: false,
            category: None,
            owner,
            admins: BTreeSet::new(),
            invited: BTreeMap::new(),
            followers: BTreeMap::from([(owner, own)]),
            pinned: Vec::new(),
            watchers: BTreeMap::new(),
            posts: BTreeMap::new(),
            next: FIRST,
        };
        self.by_id.insert(id.to_owned(), channel);
        jid
    }
}
