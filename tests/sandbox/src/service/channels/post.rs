//! A post, and what people did to it.

use std::collections::{BTreeMap, BTreeSet};

use whimbrel_wire::Node;

use super::super::accounts::AccountId;
use super::state::PostState;

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
    pub(super) votes: BTreeMap<AccountId, (u64, BTreeSet<Vec<u8>>)>,
    /// Who saw it.
    pub(super) views: BTreeSet<AccountId>,
    /// When anything about it changed last.
    pub(super) touched: u64,
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
        for option in self.votes.values().flat_map(|(_, options)| options) {
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
        vec![
            Node::new("views_count").attr("count", self.views.len()),
            Node::new("forwards_count").attr("count", 0_u64),
            Node::new("reactions").children(reactions),
            Node::new("votes").children(votes),
        ]
    }

    /// What every form of it begins with.
    pub(super) fn head(&self) -> Node {
        Node::new("message")
            .attr("id", self.id.clone())
            .attr("server_id", self.server_id)
            .attr("t", self.time)
            .attr("type", self.kind.clone())
    }

    /// The word for what happened to it, and what it says besides.
    pub(super) fn change(&self) -> (Option<&'static str>, Option<Node>) {
        let edit = if self.revoked { Some("8") } else { self.edited.map(|_| "3") };
        let meta = match (&self.meta, self.edited) {
            (meta, Some(edited)) => {
                let meta = meta.clone().unwrap_or_else(|| Node::new("meta"));
                Some(meta.attr("msg_edit_t", edited).attr("original_msg_t", self.time))
            }
            (meta, None) => meta.clone(),
        };
        (edit, meta)
    }

    /// It as a reader fetches it.
    pub(super) fn fetched(&self, reader: AccountId) -> Node {
        let (edit, meta) = self.change();
        self.head()
            .attr_opt("edit", edit)
            .attr_opt("is_sender", (reader == self.author).then_some("true"))
            .child(self.plaintext.clone())
            .children(self.counts())
            .child_opt(meta)
    }

    pub(super) fn state(&self) -> PostState {
        let votes = self.vote_counts().into_iter();
        PostState {
            id: self.id.clone(),
            server_id: self.server_id,
            content: hex::encode(self.plaintext.content_bytes().unwrap_or_default()),
            media_id: self.media_id.clone(),
            edited: self.edited.is_some(),
            revoked: self.revoked,
            views: self.views.len(),
            reactions: self.reaction_counts(),
            votes: votes.map(|(option, count)| (hex::encode(option), count)).collect(),
        }
    }
}
