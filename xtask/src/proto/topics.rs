//! Which topic (a `.proto` file, a package and a Rust module of the same name) a type belongs to.
//!
//! The upstream packages decide; small ones that are used together share a topic. Imports between
//! the files must stay free of cycles, which the protobuf compiler checks.

use std::collections::BTreeMap;

use super::schema::{Schema, outermost};

/// One topic: its name, what it holds, the upstream packages and single types it collects.
pub(crate) struct Topic {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    origins: &'static [&'static str],
    types: &'static [&'static str],
}

/// Single types are looked up before packages.
pub(crate) const TOPICS: &[Topic] = &[
    Topic {
        name: "adv",
        about: "Account device verification: who signed which companion device.",
        origins: &["WAAdv"],
        types: &[],
    },
    Topic {
        name: "ai",
        about: "Metadata and rich answers of bots.",
        origins: &["WAWebProtobufsAICommon", "WAAICommonDeprecated"],
        types: &["BotAvatarMetadata"],
    },
    Topic {
        name: "client",
        about: "What a client tells about itself when it logs in or registers.",
        origins: &["WAWebProtobufsRoutingInfo"],
        types: &["ClientPayload"],
    },
    Topic {
        name: "common",
        about: "Small types that several topics share.",
        origins: &["WACommon", "WAWebProtobufsEphemeral", "WAWebProtobufsUserPassword"],
        types: &[],
    },
    Topic {
        name: "companion",
        about: "Linking of companion devices.",
        origins: &["WACompanionReg", "WAWebProtobufsDeviceCapabilities"],
        types: &[],
    },
    Topic {
        name: "e2e",
        about: "The content of end-to-end encrypted messages.",
        origins: &["WAWebProtobufsE2E", "WAWebProtobufsAea", "WAStatusAttributions"],
        types: &[],
    },
    Topic {
        name: "fingerprint",
        about: "Security codes: what two people compare, and the consistency code of devices.",
        origins: &["WAFingerprint"],
        types: &["DeviceConsistencyCodeMessage"],
    },
    Topic {
        name: "group_history",
        about: "The bundle of earlier messages that a group's new member receives.",
        origins: &["WAWebProtobufsGroupHistory"],
        types: &[],
    },
    Topic {
        name: "handshake",
        about: "The Noise handshake and the server's certificates.",
        origins: &["WACert"],
        types: &["HandshakeMessage"],
    },
    Topic {
        name: "history",
        about: "History sync: chats and messages from before a companion was linked.",
        origins: &["WAWebProtobufsHistorySync"],
        types: &[],
    },
    Topic {
        name: "lid",
        about: "The mapping between phone numbers and LIDs.",
        origins: &["WAWebProtobufLidMigrationSyncPayload"],
        types: &[],
    },
    Topic {
        name: "media",
        about: "Media entries and the request to upload expired media again.",
        origins: &["WAMediaEntryData", "WAMmsRetry"],
        types: &[],
    },
    Topic {
        name: "quick_promotion",
        about: "Filters of in-app promotions.",
        origins: &["WAWebProtobufsQuickPromotionSurfaces"],
        types: &[],
    },
    Topic {
        name: "reporting",
        about: "Which fields of a message the reporting token covers.",
        origins: &["WAWebProtobufsReporting"],
        types: &[],
    },
    Topic {
        name: "signal",
        about: "Messages of the Signal protocol between two devices and in groups.",
        origins: &[],
        types: &["PreKeySignalMessage", "SenderKeyDistributionMessage", "SenderKeyMessage", "SignalMessage"],
    },
    Topic {
        name: "sync_action",
        about: "The actions that app state carries.",
        origins: &["WAWebProtobufSyncAction", "WAWebProtobufsChatLockSettings"],
        types: &[],
    },
    Topic {
        name: "syncd",
        about: "App state on the wire: patches, snapshots, mutations.",
        origins: &["WAWebProtobufsServerSync", "WAWebProtobufsSyncdSnapshotRecovery"],
        types: &[],
    },
    Topic {
        name: "vname",
        about: "Verified names of businesses.",
        origins: &["WAWebProtobufsVnameCert"],
        types: &[],
    },
    Topic {
        name: "web",
        about: "A stored message with everything known about it, as history and phones exchange it.",
        origins: &["WAWebProtobufsWeb"],
        types: &[],
    },
];

/// The topic of every top-level type.
pub(crate) type Assignment = BTreeMap<String, &'static str>;

/// Finds the topic of every top-level type; a type that no topic claims is an error.
pub(crate) fn assign(schema: &Schema) -> Result<Assignment, String> {
    let names = schema.messages.keys().chain(schema.enums.keys()).map(|name| outermost(name));
    let mut assignment = Assignment::new();
    for name in names {
        if assignment.contains_key(name) {
            continue;
        }
        let origin = schema.origin(name).map_or("", outermost);
        let topic = TOPICS
            .iter()
            .find(|topic| topic.types.contains(&name))
            .or_else(|| TOPICS.iter().find(|topic| topic.origins.contains(&origin)))
            .ok_or_else(|| format!("no topic claims {name} (origin \"{origin}\")"))?;
        assignment.insert(String::from(name), topic.name);
    }
    Ok(assignment)
}

/// The topic of a type given by its full name.
pub(crate) fn of(assignment: &Assignment, name: &str) -> Result<&'static str, String> {
    assignment.get(outermost(name)).copied().ok_or_else(|| format!("{name} is not in the schema"))
}
