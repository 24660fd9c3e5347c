//! What the service keeps of channels.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use whimbrel_wire::{Jid, Node};

use super::super::accounts::AccountId;

/// The first number that a post gets.
const FIRST: u64 = 100;

/// A channel as the service knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChannelState {
    /// Its address.
    pub jid: String,
    /// Phone number of its owner.
    pub owner: String,
    /// Phone numbers of those who follow it.
    pub followers: Vec<String>,
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
    /// How often people reacted with what.
    pub reactions: BTreeMap<String, u64>,
    /// How many voted for which option, by the hexadecimal digits of its hash.
    pub votes: BTreeMap<String, u64>,
}

/// A post.
#[derive(Debug)]
pub(super) struct Post {
    pub(super) id: String,
    pub(super) server_id: u64,
    pub(super) time: u64,
    pub(super) kind: String,
    pub(super) author: AccountId,
    pub(super) plaintext: Node,
    pub(super) meta: Option<Node>,
    pub(super) media_id: Option<String>,
    /// When it was edited, milliseconds.
    pub(super) edited: Option<u64>,
    pub(super) revoked: bool,
    pub(super) reactions: BTreeMap<AccountId, String>,
    pub(super) votes: BTreeMap<AccountId, BTreeSet<Vec<u8>>>,
}

impl Post {
    fn reaction_counts(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for code in self.reactions.values() {
            *counts.entry(code.clone()).or_insert(0) += 1;
        }
        counts
    }

    fn vote_counts(&self) -> BTreeMap<Vec<u8>, u64> {
        let mut counts = BTreeMap::new();
        for option in self.votes.values().flatten() {
            *counts.entry(option.clone()).or_insert(0) += 1;
        }
        counts
    }

    /// The counts as they stand in stanzas.
    pub(super) fn counts(&self) -> Vec<Node> {
        let reactions = self
            .reaction_counts()
            .into_iter()
            .map(|(code, count)| Node::new("reaction").attr("code", code).attr("count", count));
        let votes = self
            .vote_counts()
            .into_iter()
            .map(|(option, count)| Node::new("vote").attr("count", count).bytes(option));
        vec![Node::new("reactions").children(reactions), Node::new("votes").children(votes)]
    }

    /// What every form of it begins with.
    pub(super) fn head(&self) -> Node {
        Node::new("message")
            .attr("id", self.id.clone())
            .attr("server_id", self.server_id)
            .attr("t", self.time)
            .attr("type", self.kind.clone())
    }

    fn state(&self) -> PostState {
        let votes = self.vote_counts().into_iter();
        PostState {
            id: self.id.clone(),
            server_id: self.server_id,
            content: hex::encode(self.plaintext.content_bytes().unwrap_or_default()),
            media_id: self.media_id.clone(),
            edited: self.edited.is_some(),
            revoked: self.revoked,
            reactions: self.reaction_counts(),
            votes: votes.map(|(option, count)| (hex::encode(option), count)).collect(),
        }
    }
}

/// A channel.
#[derive(Debug)]
pub(crate) struct Channel {
    jid: Jid,
    owner: AccountId,
    followers: BTreeSet<AccountId>,
    posts: BTreeMap<u64, Post>,
    next: u64,
}

impl Channel {
    /// Whether somebody may post.
    pub(super) fn is_admin(&self, account: AccountId) -> bool {
        self.owner == account
    }

    /// Whether somebody gets the posts.
    pub(super) fn is_reader(&self, account: AccountId) -> bool {
        self.owner == account || self.followers.contains(&account)
    }

    /// All who get the posts.
    pub(super) fn readers(&self) -> impl Iterator<Item = AccountId> {
        std::iter::once(self.owner).chain(self.followers.iter().copied().filter(|one| *one != self.owner))
    }

    /// A post by its number.
    pub(super) fn post_mut(&mut self, server_id: u64) -> Option<&mut Post> {
        self.posts.get_mut(&server_id)
    }

    pub(super) fn post(&self, server_id: u64) -> Option<&Post> {
        self.posts.get(&server_id)
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

    pub(super) fn state(&self, number: impl Fn(AccountId) -> String) -> ChannelState {
        ChannelState {
            jid: self.jid.to_string(),
            owner: number(self.owner),
            followers: self.followers.iter().map(|follower| number(*follower)).collect(),
            posts: self.posts.values().map(Post::state).collect(),
        }
    }
}

/// All channels, by the digits of their ids.
#[derive(Debug, Default)]
pub(crate) struct Channels {
    by_id: BTreeMap<String, Channel>,
}

impl Channels {
    pub(super) fn get(&self, channel: &Jid) -> Option<&Channel> {
        self.by_id.get(channel.user()).filter(|_| channel.is_newsletter())
    }

    pub(super) fn get_mut(&mut self, channel: &Jid) -> Option<&mut Channel> {
        self.by_id.get_mut(channel.user()).filter(|_| channel.is_newsletter())
    }

    pub(super) fn add(&mut self, id: &str, owner: AccountId, followers: Vec<AccountId>) -> Jid {
        let jid = Jid::newsletter(id);
        let channel = Channel {
            jid: jid.clone(),
            owner,
            followers: followers.into_iter().collect(),
            posts: BTreeMap::new(),
            next: FIRST,
        };
        self.by_id.insert(id.to_owned(), channel);
        jid
    }
}
