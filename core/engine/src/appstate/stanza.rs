//! Stanzas of app state: pure builders and parsers (app-state document §3).

use whimbrel_appstate::Collection;
use whimbrel_proto::syncd::ExternalBlobReference;
use whimbrel_wire::{Jid, Node, NodeRef};

/// What is asked about one collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) collection: Collection,
    /// The version that is held; `None` asks for the whole.
    pub(super) version: Option<u64>,
    /// A patch to be written.
    pub(super) patch: Option<Vec<u8>>,
}

/// The request about some collections. Its type is `set`, also for reading.
pub(super) fn request(asked: &[Asked]) -> Node {
    let collection = |asked: &Asked| {
        let patch = asked.patch.as_ref().map(|patch| Node::new("patch").bytes(patch.clone()));
        Node::new("collection")
            .attr("name", asked.collection.name())
            .attr("version", asked.version.unwrap_or(0))
            .attr("return_snapshot", if asked.version.is_none() { "true" } else { "false" })
            .child_opt(patch)
    };
    Node::new("iq")
        .attr("to", Jid::SERVER)
        .attr("type", "set")
        .attr("xmlns", "w:sync:app:state")
        .child(Node::new("sync").children(asked.iter().map(collection)))
}

/// What the service says about one collection.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answered {
    pub(super) collection: Collection,
    /// The version that the answer reaches, if it is told.
    pub(super) version: Option<u64>,
    /// Where the whole is.
    pub(super) snapshot: Option<ExternalBlobReference>,
    /// Patches, encoded.
    pub(super) patches: Vec<Vec<u8>>,
    /// There are more to ask for.
    pub(super) more: bool,
    /// It was refused, with this number; 0 if there is none.
    pub(super) error: Option<u16>,
}

/// What an answer says. Collections that are not known are left out.
pub(super) fn answer(iq: &NodeRef<'_>) -> Vec<Answered> {
    let Some(sync) = iq.child_named("sync") else { return Vec::new() };
    let read = |node: &NodeRef<'_>| {
        let collection = Collection::named(&node.attr_text("name")?)?;
        let error = node.attr_is("type", "error").then(|| {
            let code = node.child_named("error").and_then(|error| error.attr_u32("code"));
            code.and_then(|code| u16::try_from(code).ok()).unwrap_or(0)
        });
        let snapshot = node.child_bytes("snapshot").and_then(|bytes| whimbrel_proto::decode(bytes).ok());
        // Some write patches beside the list of them.
        let listed = node.child_named("patches");
        let listed = listed.iter().flat_map(|patches| patches.children_named("patch"));
        let patches = listed.chain(node.children_named("patch"));
        let patches = patches.filter_map(|patch| patch.content_bytes().map(<[u8]>::to_vec)).collect();
        let more = node.attr_true("has_more_patches");
        Some(Answered { collection, version: node.attr_u64("version"), snapshot, patches, more, error })
    };
    sync.children_named("collection").filter_map(read).collect()
}

/// The collections that a notification names, with their versions.
pub(super) fn announced(notification: &NodeRef<'_>) -> Vec<(Collection, Option<u64>)> {
    let read = |node: &NodeRef<'_>| {
        let collection = Collection::named(&node.attr_text("name")?)?;
        Some((collection, node.attr_u64("version")))
    };
    notification.children_named("collection").filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_what_is_held() {
        let read = Asked { collection: Collection::RegularHigh, version: Some(17), patch: None };
        let whole = Asked { collection: Collection::Regular, version: None, patch: None };
        let write = Asked { collection: Collection::RegularLow, version: Some(7), patch: Some(vec![1]) };
        let node = request(&[read, whole, write]);
        assert_eq!(
            node.to_string(),
            concat!(
                r#"<iq to=J:"s.whatsapp.net" type="set" xmlns="w:sync:app:state"><sync>"#,
                r#"<collection name="regular_high" version="17" return_snapshot="false"/>"#,
                r#"<collection name="regular" version="0" return_snapshot="true"/>"#,
                r#"<collection name="regular_low" version="7" return_snapshot="false"><patch>01</patch>"#,
                r#"</collection></sync></iq>"#
            )
        );
    }

    #[test]
    fn an_answer_is_read_collection_by_collection() {
        let patches = Node::new("patches").child(Node::new("patch").bytes(vec![7]));
        let error = Node::new("error").attr("code", 409_u32);
        let collection = |name| Node::new("collection").attr("name", name);
        let iq = Node::new("iq").child(
            Node::new("sync")
                .child(
                    collection("regular")
                        .attr("version", 8_u32)
                        .child(patches)
                        .attr("has_more_patches", "true"),
                )
                .child(collection("regular_low").attr("type", "error").child(error))
                .child(collection("critical_block").attr("type", "error"))
                .child(collection("of_tomorrow")),
        );
        let read = answer(&iq);
        assert_eq!(read.len(), 3);
        let said: Vec<_> = read.iter().map(|it| (it.version, it.patches.len(), it.more, it.error)).collect();
        assert_eq!(said, [(Some(8), 1, true, None), (None, 0, false, Some(409)), (None, 0, false, Some(0))]);
        assert_eq!(answer(&Node::new("iq")), Vec::new());
    }

    #[test]
    fn a_notification_names_versions() {
        let node = Node::new("notification")
            .child(Node::new("collection").attr("name", "regular_low").attr("version", 8_u32))
            .child(Node::new("collection").attr("name", "regular"));
        assert_eq!(announced(&node), [(Collection::RegularLow, Some(8)), (Collection::Regular, None)]);
    }
}
