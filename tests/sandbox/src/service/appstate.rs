//! App state as the service holds it: per collection a version and opaque patches (app-state document §11).
//!
//! Snapshots are blobs of the media host; without one, whoever asks for a snapshot gets all patches
//! from the first on, which clients accept as well.

use std::collections::BTreeMap;

use whimbrel_proto::ProtoMessage as _;
use whimbrel_proto::syncd::{SyncdPatch, SyncdVersion};
use whimbrel_wire::{Jid, Node};

use super::Service;
use super::accounts::DeviceId;
use super::iq::Reply;
use crate::stanza::{self, Refusal};

/// The collections.
const NAMES: [&str; 5] = ["critical_block", "critical_unblock_low", "regular_low", "regular", "regular_high"];
/// Patches per answer.
const PAGE: usize = 50;
/// Mutations per patch.
const MUTATIONS: usize = 2000;

/// The collections of an account: encoded patches, the first having version 1.
#[derive(Debug, Default)]
pub(crate) struct Collections {
    patches: BTreeMap<&'static str, Vec<Vec<u8>>>,
}

impl Collections {
    fn version(&self, name: &'static str) -> usize {
        self.patches.get(name).map_or(0, Vec::len)
    }

    /// Patches after `version`, one page of them, and whether there are more.
    fn page(&self, name: &'static str, version: usize) -> (Vec<Node>, bool) {
        let all = self.patches.get(name).map_or(&[][..], Vec::as_slice);
        let rest = all.get(version..).unwrap_or_default();
        let page = rest.iter().take(PAGE).map(|patch| Node::new("patch").bytes(patch.clone())).collect();
        (page, rest.len() > PAGE)
    }
}

impl Service {
    pub(super) fn app_state(&mut self, device: DeviceId, request: &Node) -> Result<Reply, Refusal> {
        let sync = request.child_named("sync").ok_or_else(|| Refusal::code(400))?;
        let mut answer = Node::new("sync");
        let mut changed = Vec::new();
        for collection in sync.children_named("collection") {
            let asked = stanza::text(collection, "name").unwrap_or_default();
            let known = NAMES.into_iter().find(|name| *name == asked);
            answer.push_child(match known {
                Some(name) => self.collection(device, name, collection, &mut changed),
                None => refused(Node::new("collection").attr("name", asked), 400),
            });
        }
        self.notify_changes(device, &changed);
        Ok(Reply::Child(answer))
    }

    fn collection(
        &mut self,
        device: DeviceId,
        name: &'static str,
        asked: &Node,
        changed: &mut Vec<&'static str>,
    ) -> Node {
        let node = Node::new("collection").attr("name", name);
        let base = match asked.attr_value("version") {
            None => 0,
            Some(_) => match asked.attr_u64("version").and_then(|version| usize::try_from(version).ok()) {
                Some(version) => version,
                None => return refused(node, 400),
            },
        };
        let Some(account) = self.accounts.get_mut(device.account) else { return refused(node, 400) };
        let collections = &mut account.collections;
        let current = collections.version(name);
        if base > current {
            return refused(node, 400);
        }
        if let Some(patch) = asked.child_named("patch") {
            let checked = patch.content_bytes().and_then(|bytes| checked_patch(bytes, base + 1));
            let Some(checked) = checked else { return refused(node, 400) };
            if base < current {
                let (patches, more) = collections.page(name, base);
                let node = node.attr("version", current).attr_opt("has_more_patches", more.then_some(true));
                return refused(node, 409).child(Node::new("patches").children(patches));
            }
            collections.patches.entry(name).or_default().push(checked);
            changed.push(name);
            return node.attr("version", base + 1).attr("type", "result");
        }
        let from = if asked.attr_true("return_snapshot") { 0 } else { base };
        let (patches, more) = collections.page(name, from);
        let reached = from + patches.len();
        let node = node
            .attr("version", reached)
            .attr("type", "result")
            .attr_opt("has_more_patches", more.then_some(true));
        if patches.is_empty() { node } else { node.child(Node::new("patches").children(patches)) }
    }

    /// Tells the account's other devices; one waiting notification per collection is enough.
    fn notify_changes(&mut self, device: DeviceId, changed: &[&'static str]) {
        for name in changed {
            let Some(account) = self.accounts.get(device.account) else { return };
            let version = account.collections.version(name);
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
                    .child(Node::new("collection").attr("name", *name).attr("version", version));
                self.push(other, notification);
            }
        }
    }
}

fn refused(collection: Node, code: u16) -> Node {
    let refusal = Refusal::code(code);
    collection.attr("type", "error").child(Node::new("error").attr("code", code).attr("text", refusal.text))
}

/// Checks what the service can see of a patch and fills in its version (app-state document §11.3).
fn checked_patch(bytes: &[u8], version: usize) -> Option<Vec<u8>> {
    let version = u64::try_from(version).ok()?;
    let mut patch = SyncdPatch::decode(bytes).ok()?;
    let mac = |mac: &Option<Vec<u8>>| mac.as_ref().is_some_and(|mac| mac.len() == 32);
    let stated = patch.version.as_ref().and_then(|stated| stated.version);
    let mutations = patch.mutations.len();
    let keyed = patch.key_id.as_ref().and_then(|key| key.id.as_ref()).is_some_and(|id| !id.is_empty());
    let one_kind = (mutations > 0) != patch.external_mutations.is_some();
    let sound = patch.mutations.iter().all(|mutation| {
        mutation.record.as_ref().is_some_and(|record| {
            let index = record.index.as_ref().and_then(|index| index.blob.as_ref());
            let value = record.value.as_ref().and_then(|value| value.blob.as_ref());
            index.is_some_and(|index| index.len() == 32)
                && value.is_some_and(|value| value.len() >= 64 && (value.len() - 48).is_multiple_of(16))
                && record.key_id.as_ref().is_some_and(|key| key.id.is_some())
        })
    });
    let fits = mac(&patch.snapshot_mac)
        && mac(&patch.patch_mac)
        && keyed
        && stated.is_none_or(|stated| stated == version)
        && one_kind
        && mutations <= MUTATIONS
        && sound;
    patch.version = Some(SyncdVersion { version: Some(version) });
    fits.then(|| patch.encode_to_vec())
}
