//! App state as the service holds it: per collection a version, opaque patches and what they make
//! together (app-state document §11). It has no keys.

mod check;
mod faults;
mod held;

use std::collections::BTreeMap;

use whimbrel_appstate::Collection;
use whimbrel_crypto::media::{Encryptor, MediaKeys, MediaType};
use whimbrel_proto::syncd::ExternalBlobReference;
use whimbrel_wire::{Jid, Node};

use super::Service;
use super::accounts::{AccountId, DeviceId};
use super::iq::Reply;
use crate::media::Kind;
use crate::stanza::{self, Refusal};

pub(crate) use faults::AppStateFaults;
pub use faults::{AppStateFault, AppStateFaultRule, AppStatePace};
pub(crate) use held::Collections;
use held::Held;

impl Service {
    pub(super) fn app_state(&mut self, device: DeviceId, request: &Node) -> Result<Reply, Refusal> {
        let sync = request.child_named("sync").ok_or_else(|| Refusal::code(400))?;
        let mut answer = Node::new("sync");
        let mut changed = Vec::new();
        for asked in sync.children_named("collection") {
            let name = stanza::text(asked, "name").unwrap_or_default();
            answer.push_child(match Collection::named(&name) {
                Some(collection) => self.collection(device, collection, asked, &mut changed),
                None => refused(Node::new("collection").attr("name", name), 400),
            });
        }
        self.notify_changes(device, &changed);
        Ok(Reply::Child(answer))
    }

    fn held(&mut self, account: AccountId, collection: Collection) -> Option<&mut Held> {
        Some(self.accounts.get_mut(account)?.collections.get_mut(collection))
    }

    /// One collection is read or written, whatever becomes of the others of the request.
    fn collection(
        &mut self,
        device: DeviceId,
        collection: Collection,
        asked: &Node,
        changed: &mut Vec<Collection>,
    ) -> Node {
        let node = Node::new("collection").attr("name", collection.name());
        let fault = self.app_state_faults.take(collection, asked.child_named("patch").is_some());
        if let Some(AppStateFault::Refuse { code }) = fault {
            return refused(node, code);
        }
        let base = match asked.attr_value("version") {
            None => 0,
            Some(_) => match asked.attr_u64("version") {
                Some(version) => version,
                None => return refused(node, 400),
            },
        };
        let Some(held) = self.held(device.account, collection) else { return refused(node, 400) };
        let current = held.version();
        if base > current {
            return refused(node, 400);
        }
        let page = self.app_state_faults.pace().page;
        if let Some(patch) = asked.child_named("patch") {
            let bytes = patch.content_bytes().unwrap_or_default();
            let checked = check::patch(bytes, base + 1, &self.shelf);
            let accepted = match checked {
                Ok(accepted) => accepted,
                Err(why) => {
                    let what = format!("{collection}: {why}");
                    if let Some(stream) = self.accounts.device(device).and_then(|device| device.stream) {
                        self.find_fault(Some(device), stream, "app-state patch refused", what);
                    }
                    return refused(node, 400);
                }
            };
            let Some(held) = self.held(device.account, collection) else { return refused(node, 400) };
            if base < current {
                let (patches, more) = held.page(base, page);
                let node = node.attr("version", current).attr_opt("has_more_patches", more.then_some(true));
                return refused(node, 409).child(Node::new("patches").children(patches));
            }
            held.accept(accepted);
            changed.push(collection);
            return node.attr("version", base + 1).attr("type", "result");
        }
        if asked.attr_true("return_snapshot") {
            return self.snapshot(device.account, collection, node, fault);
        }
        let Some(held) = self.held(device.account, collection) else { return refused(node, 400) };
        let (patches, more) = held.page(base, page);
        with_patches(node, base, patches, more, fault)
    }

    /// The whole of a collection; of one that was never written, nothing (app-state document §11.2).
    fn snapshot(
        &mut self,
        account: AccountId,
        collection: Collection,
        node: Node,
        fault: Option<AppStateFault>,
    ) -> Node {
        let pace = self.app_state_faults.pace();
        let Some(held) = self.held(account, collection) else { return refused(node, 400) };
        let current = held.version();
        if current == 0 {
            return node.attr("version", 0).attr("type", "result");
        }
        if !pace.snapshots {
            let (patches, more) = held.page(0, pace.page);
            return with_patches(node, 0, patches, more, fault);
        }
        let version = current.saturating_sub(pace.snapshot_age).max(1);
        let damage = fault.clone().filter(AppStateFault::is_of_snapshot);
        let known = held.blob(version).filter(|_| damage.is_none()).cloned();
        let reference = match known {
            Some(reference) => reference,
            None => {
                let Some(bytes) = held.snapshot(version, damage.as_ref()) else { return refused(node, 400) };
                let Some(reference) = self.put_snapshot(&bytes) else { return refused(node, 500) };
                if damage.is_none()
                    && let Some(held) = self.held(account, collection)
                {
                    held.keep_blob(version, reference.clone());
                }
                reference
            }
        };
        let reference = match damage {
            Some(AppStateFault::SnapshotGone) => ExternalBlobReference {
                direct_path: Some("/v/t62.7118-24/0_0_0_n.enc?ccb=11-4&oh=0&oe=0".to_owned()),
                ..reference
            },
            _ => reference,
        };
        let node = node.child(Node::new("snapshot").bytes(whimbrel_proto::encode(&reference)));
        let Some(held) = self.held(account, collection) else { return refused(node, 400) };
        let (patches, more) = held.page(version, pace.page);
        with_patches(node, version, patches, more, fault)
    }

    /// Puts a snapshot where clients download it.
    fn put_snapshot(&mut self, bytes: &[u8]) -> Option<ExternalBlobReference> {
        let key: [u8; 32] = self.random();
        let mut encryptor = Encryptor::new(&MediaKeys::expand(&key, MediaType::AppState));
        let mut sealed = Vec::new();
        encryptor.update(bytes, &mut sealed);
        let made = encryptor.finish(&mut sealed);
        let kind = Kind::encrypted(MediaType::AppState.name());
        let (_, path) = self.shelf.put(&kind, &sealed).ok()?;
        Some(ExternalBlobReference {
            media_key: Some(key.to_vec()),
            direct_path: Some(path),
            handle: None,
            file_size_bytes: Some(made.file_length),
            file_sha256: Some(made.file_sha256.to_vec()),
            file_enc_sha256: Some(made.file_enc_sha256.to_vec()),
        })
    }

    /// Tells the account's other devices; one waiting notification per collection is enough.
    fn notify_changes(&mut self, device: DeviceId, changed: &[Collection]) {
        for collection in changed {
            let Some(account) = self.accounts.get(device.account) else { return };
            let (name, version) = (collection.name(), account.collections.version(*collection));
            let others = self.accounts.devices(device.account).into_iter().filter(|other| *other != device);
            for other in others.collect::<Vec<_>>() {
                if let Some(other) = self.accounts.device_mut(other) {
                    other.queue.supersede(|waiting| {
                        stanza::plain(waiting, "type") == Some("server_sync")
                            && waiting.first_child().is_some_and(|child| child.attr_is("name", name))
                    });
                }
                let notification = self
                    .notification("server_sync", Jid::SERVER)
                    .child(Node::new("collection").attr("name", name).attr("version", version));
                self.push(other, notification);
            }
        }
    }

    /// Forgets all collections of an account, as when its phone is set up anew. Nobody is told.
    pub(crate) fn drop_app_state(&mut self, number: &str) -> bool {
        let found = self.accounts.find(&Jid::pn(number));
        let Some(account) = found.and_then(|account| self.accounts.get_mut(account)) else { return false };
        account.collections = Collections::default();
        true
    }

    /// Versions of the collections of an account.
    pub(crate) fn app_state_versions(&self, number: &str) -> BTreeMap<&'static str, u64> {
        let found = self.accounts.find(&Jid::pn(number));
        let account = found.and_then(|account| self.accounts.get(account));
        let version =
            |collection: Collection| Some((collection.name(), account?.collections.version(collection)));
        Collection::ALL.into_iter().filter_map(version).collect()
    }

    pub(crate) fn app_state_faults_mut(&mut self) -> &mut AppStateFaults {
        &mut self.app_state_faults
    }
}

/// An answer with patches behind a version.
fn with_patches(
    node: Node,
    from: u64,
    mut patches: Vec<Node>,
    more: bool,
    fault: Option<AppStateFault>,
) -> Node {
    let reached = from + patches.len() as u64;
    if let Some(fault) = fault {
        faults::damage(&mut patches, &fault);
    }
    let node = node
        .attr("version", reached)
        .attr("type", "result")
        .attr_opt("has_more_patches", more.then_some(true));
    if patches.is_empty() { node } else { node.child(Node::new("patches").children(patches)) }
}

fn refused(collection: Node, code: u16) -> Node {
    let refusal = Refusal::code(code);
    collection.attr("type", "error").child(Node::new("error").attr("code", code).attr("text", refusal.text))
}
