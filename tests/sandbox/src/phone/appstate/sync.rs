//! Reading what changed.

use std::collections::BTreeSet;

use whimbrel_appstate::{Action, Collection, Patch, State, SyncError};
use whimbrel_proto::sync_action::sync_action_value::StatusPrivacyAction;
use whimbrel_proto::sync_action::sync_action_value::status_privacy_action::StatusDistributionMode;
use whimbrel_wire::{Jid, Node};

use super::held::Book;
use crate::phone::stanza::iq;
use crate::phone::{Phone, PhoneError};

/// Requests after which a collection must have been read.
const ROUNDS: usize = 2000;

/// A request about collections.
pub(super) fn request(collections: impl IntoIterator<Item = Node>) -> Node {
    Node::new("iq")
        .attr("to", Jid::SERVER)
        .attr("type", "set")
        .attr("xmlns", "w:sync:app:state")
        .child(Node::new("sync").children(collections))
}

pub(super) fn collection(collection: Collection, version: u64) -> Node {
    Node::new("collection")
        .attr("name", collection.name())
        .attr("version", version)
        .attr("return_snapshot", "false")
}

impl Phone {
    /// Reads what changed in some collections; in all if none is named.
    pub(in crate::phone) async fn sync_app_state(&self, named: &[Collection]) -> Result<(), PhoneError> {
        let _order = self.inner.syncing.lock().await;
        self.pull(if named.is_empty() { &Collection::ALL } else { named }).await
    }

    /// Reads until there is nothing more.
    pub(super) async fn pull(&self, named: &[Collection]) -> Result<(), PhoneError> {
        let audience = self.app_state(&["status_privacy"]);
        self.pull_each(named).await?;
        match self.app_state(&["status_privacy"]) {
            Some(Action::StatusPrivacy { value }) if Some(&*value) != shared(audience.as_ref()) => {
                self.hand_on_audience(&value).await
            }
            _ => Ok(()),
        }
    }

    /// Tells the service who sees statuses: what devices share, it cannot read.
    async fn hand_on_audience(&self, value: &StatusPrivacyAction) -> Result<(), PhoneError> {
        let kind = match value.mode() {
            StatusDistributionMode::AllowList => "whitelist",
            StatusDistributionMode::DenyList => "blacklist",
            _ => "contacts",
        };
        let people = value.user_jid.iter().filter_map(|person| Jid::parse(person).ok());
        let users = people.map(|person| Node::new("user").attr("jid", person));
        let list = Node::new("list").attr("type", kind).children(users);
        let privacy = Node::new("privacy").child(list);
        self.inner.line.request(iq("set", "status").child(privacy)).await.map(drop)
    }

    async fn pull_each(&self, named: &[Collection]) -> Result<(), PhoneError> {
        let mut wanted: BTreeSet<Collection> = named.iter().copied().collect();
        for _ in 0..ROUNDS {
            if wanted.is_empty() {
                break;
            }
            let asked = wanted.iter().map(|name| collection(*name, self.app_state_version(*name)));
            let answer = self.inner.line.request(request(asked)).await?;
            let sync = answer.child_named("sync").ok_or(PhoneError::Answer("sync"))?;
            for node in sync.children_named("collection") {
                let name = node.attr_text("name").and_then(|name| Collection::named(&name));
                let Some(name) = name else { continue };
                if !self.take_collection(name, node) {
                    wanted.remove(&name);
                }
            }
        }
        Ok(())
    }

    /// Takes the patches of an answer. Tells whether there is more to ask for.
    pub(super) fn take_collection(&self, name: Collection, node: &Node) -> bool {
        if node.attr_is("type", "error") && node.child_named("patches").is_none() {
            let code = node.child_named("error").and_then(|error| error.attr_u32("code"));
            let mut state = self.state();
            let book = state.app_state.books.entry(name).or_default();
            // The service was emptied: the phone begins anew as well.
            if code == Some(400) && book.state != State::default() {
                *book = Book::default();
                return true;
            }
            return false;
        }
        let more = node.attr_true("has_more_patches");
        let patches = node.child_named("patches");
        for patch in patches.iter().flat_map(|patches| patches.children_named("patch")) {
            let read = Patch::decode(patch.content_bytes().unwrap_or_default());
            let taken = read.and_then(|mut patch| {
                if let Some(file) = patch.external() {
                    let hash = file.file_enc_sha256.as_deref().and_then(|hash| hash.try_into().ok());
                    let sealed = hash.and_then(|hash: [u8; 32]| self.inner.media.content(&hash));
                    let file = sealed.and_then(|sealed| super::patch::open(file, &sealed));
                    patch.add(&file.ok_or(SyncError::Malformed("a file that is not there"))?)?;
                }
                self.state().app_state.read(name, patch)
            });
            match taken {
                Ok(changes) => changes.into_iter().for_each(|change| {
                    self.inner.state_changes.push(change);
                }),
                Err(error) => {
                    tracing::warn!(phone = self.number(), %name, %error, "a phone cannot read app state");
                    return false;
                }
            }
        }
        more
    }
}

fn shared(action: Option<&Action>) -> Option<&StatusPrivacyAction> {
    match action? {
        Action::StatusPrivacy { value } => Some(value),
        _ => None,
    }
}
