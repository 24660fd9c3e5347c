//! Linking and unlinking, the phone's side (pairing document §3.5, §6.2, §9.3, §10.1).

use whimbrel_proto::companion::ClientPairingProps;
use whimbrel_wire::{Jid, Node};

use super::iq;

/// What the phone uploads after a scan, or after a pairing code was accepted.
#[derive(Debug)]
pub(crate) struct Upload {
    /// The service's handle for the companion's connection.
    pub(crate) reference: Vec<u8>,
    /// The companion's Noise static key.
    pub(crate) noise_key: [u8; 32],
    /// Encoded `ADVSignedDeviceIdentityHMAC`.
    pub(crate) device_identity: Vec<u8>,
    /// Encoded `ADVSignedKeyIndexList`.
    pub(crate) key_index_list: Vec<u8>,
    /// When it was signed, in seconds.
    pub(crate) timestamp: u64,
    /// Whether the account addresses people by LID.
    pub(crate) lid_migrated: bool,
}

fn key_index_node(list: Vec<u8>, timestamp: u64) -> Node {
    Node::new("key-index-list").attr("ts", timestamp).bytes(list)
}

/// Asks the service to link the companion.
pub(crate) fn pair_device(upload: Upload) -> Node {
    // A companion that lives by hidden addresses leaves unless the phone says that it does too.
    let props = ClientPairingProps {
        is_chat_db_lid_migrated: Some(upload.lid_migrated),
        is_syncd_pure_lid_session: Some(upload.lid_migrated),
        ..ClientPairingProps::default()
    };
    let pair = Node::new("pair-device")
        .child(Node::new("ref").bytes(upload.reference))
        .child(Node::new("pub-key").bytes(upload.noise_key.to_vec()))
        .child(Node::new("device-identity").bytes(upload.device_identity))
        .child(key_index_node(upload.key_index_list, upload.timestamp))
        .child(Node::new("client-props").bytes(whimbrel_proto::encode(&props)));
    iq("set", "md").child(pair)
}

/// The device that linking created.
pub(crate) fn read_device(answer: &Node) -> Option<Jid> {
    answer.child_named("device")?.attr_jid("jid")
}

/// Publishes a new list of valid key indexes.
pub(crate) fn publish_key_indexes(list: Vec<u8>, timestamp: u64) -> Node {
    iq("set", "md").child(key_index_node(list, timestamp))
}

/// Throws a companion out.
pub(crate) fn remove_companion(device: &Jid) -> Node {
    let remove =
        Node::new("remove-companion-device").attr("jid", device.clone()).attr("reason", "user_initiated");
    iq("set", "md").child(remove)
}

/// First message of a companion that wants to be linked by a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CompanionHello {
    pub(crate) reference: Vec<u8>,
    pub(crate) wrapped_ephemeral: Vec<u8>,
    pub(crate) noise_key: [u8; 32],
}

/// Last message of a companion that is linked by a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CompanionFinish {
    pub(crate) reference: Vec<u8>,
    pub(crate) wrapped_bundle: Vec<u8>,
    pub(crate) identity: [u8; 32],
}

/// A step of linking by code that the service tells the phone about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CodeStep {
    Hello(CompanionHello),
    Finish(CompanionFinish),
}

/// Reads a `link_code_companion_reg` notification; `None` for stages that do not concern the phone.
pub(crate) fn read_code_step(notification: &Node) -> Option<CodeStep> {
    let reg = notification.child_named("link_code_companion_reg")?;
    let bytes = |tag| reg.child_bytes(tag).map(<[u8]>::to_vec);
    let reference = bytes("link_code_pairing_ref")?;
    match reg.attr_text("stage")?.as_ref() {
        "companion_hello" => Some(CodeStep::Hello(CompanionHello {
            reference,
            wrapped_ephemeral: bytes("link_code_pairing_wrapped_companion_ephemeral_pub")?,
            noise_key: bytes("companion_server_auth_key_pub")?.try_into().ok()?,
        })),
        "companion_finish" => Some(CodeStep::Finish(CompanionFinish {
            reference,
            wrapped_bundle: bytes("link_code_pairing_wrapped_key_bundle")?,
            identity: bytes("companion_identity_public")?.try_into().ok()?,
        })),
        _ => None,
    }
}

/// The phone's answer to a companion's hello, sent when the user has typed the code.
pub(crate) fn primary_hello(wrapped_ephemeral: Vec<u8>, identity: &[u8; 32], reference: Vec<u8>) -> Node {
    let reg = Node::new("link_code_companion_reg")
        .attr("stage", "primary_hello")
        .child(Node::new("link_code_pairing_wrapped_primary_ephemeral_pub").bytes(wrapped_ephemeral))
        .child(Node::new("primary_identity_pub").bytes(identity.to_vec()))
        .child(Node::new("link_code_pairing_ref").bytes(reference));
    iq("set", "md").child(reg)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_other_stages_do_not_concern_the_phone() {
        let reg = |stage: &'static str| {
            let reg = Node::new("link_code_companion_reg")
                .attr("stage", stage)
                .child(Node::new("link_code_pairing_ref").text("2@ref"))
                .child(Node::new("link_code_pairing_wrapped_companion_ephemeral_pub").bytes(vec![1; 80]))
                .child(Node::new("companion_server_auth_key_pub").bytes(vec![2; 32]));
            Node::new("notification").child(reg)
        };
        let hello = CompanionHello {
            reference: b"2@ref".to_vec(),
            wrapped_ephemeral: vec![1; 80],
            noise_key: [2; 32],
        };
        assert_eq!(read_code_step(&reg("companion_hello")), Some(CodeStep::Hello(hello)));
        assert_eq!(read_code_step(&reg("refresh_code")), None);
        assert_eq!(read_code_step(&reg("companion_finish")), None);
    }

    #[test]
    fn the_upload_has_all_parts() {
        let upload = Upload {
            reference: b"2@ref".to_vec(),
            noise_key: [2; 32],
            device_identity: vec![3],
            key_index_list: vec![4],
            timestamp: 5,
            lid_migrated: true,
        };
        let node = pair_device(upload);
        let pair = node.child_named("pair-device").unwrap();
        assert_eq!(pair.child_text("ref"), Some("2@ref"));
        assert_eq!(pair.child_bytes("client-props"), Some([8, 1, 16, 1].as_slice()));
        assert!(pair.child_named("key-index-list").unwrap().attr_is("ts", "5"));
    }
}
