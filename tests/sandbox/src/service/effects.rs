//! What the service wants done outside of itself. The service has no sockets and no timers.

use whimbrel_wire::Node;

use super::StreamId;

/// Something to be done, in this order.
#[derive(Debug)]
pub(crate) enum Effect {
    /// Send a stanza, perhaps later.
    Send { stream: StreamId, node: Node, after_ms: u64 },
    /// Send the beginning of a stanza's frame, and cut the connection.
    Tear { stream: StreamId, node: Node, bytes: usize },
    /// Close a connection after what was sent before, and after a pause.
    Close { stream: StreamId, how: Closing, after_ms: u64 },
    /// Call back later.
    Wake { wake: Wake, after_ms: u64 },
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closing {
    /// With a WebSocket close code.
    Code(u16),
    /// Without a word.
    Cut,
}

/// What the service wants to be reminded of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wake {
    /// Hand out the rest of the offline queue unless the client has asked meanwhile.
    Drain { stream: StreamId, done: usize },
    /// The companion should have acknowledged its references.
    RefsUnacknowledged { stream: StreamId },
    /// The round of references is over.
    RefsOver { stream: StreamId, round: u32 },
    /// The companion should have signed.
    SignatureMissing { stream: StreamId },
}
