//! How a simulated phone joins the service: in-process, without socket and Noise.
//!
//! A phone is device 0 of its account. What it sends through its [`PhoneLink`] is treated by the
//! very same rules as the stanzas of a companion after login; what the service has for it comes
//! out of the other end, beginning with `<success>` and the offline queue.

use tokio::sync::mpsc;
use whimbrel_wire::{Jid, Node};

use crate::options::LidStanding;

/// The public half of what a phone registers with; the service never sees more.
#[derive(Debug, Clone)]
pub struct PhoneKeys {
    /// Phone number, digits with country code.
    pub number: String,
    /// Digits of the account's LID; made from the sandbox's seed if absent.
    pub lid: Option<String>,
    /// How a new account stands with LIDs; the sandbox's default if absent.
    pub standing: Option<LidStanding>,
    /// Push name, may be empty.
    pub name: String,
    /// Identity key, at once the account signature key (32 octets, X25519 form).
    pub identity: [u8; 32],
    /// Registration id.
    pub registration_id: u32,
    /// Id of the signed pre-key.
    pub signed_prekey_id: u32,
    /// Public part of the signed pre-key.
    pub signed_prekey: [u8; 32],
    /// Signature of the identity over `05` and the signed pre-key.
    pub signed_prekey_signature: [u8; 64],
}

/// A phone's connection. Dropping it takes the phone offline; attaching again with the same
/// keys brings it back and delivers what was queued meanwhile.
///
/// One-time pre-keys are uploaded through it by the ordinary `encrypt` request.
#[derive(Debug)]
pub struct PhoneLink {
    /// The account's phone-number address, without device.
    pub pn: Jid,
    /// The account's hidden address, without device.
    pub lid: Jid,
    /// How the account stands with LIDs.
    pub standing: LidStanding,
    /// Stanzas of the phone.
    pub send: mpsc::Sender<Node>,
    /// Stanzas for the phone; ends when the service closes the connection.
    pub recv: mpsc::Receiver<Node>,
}

/// Why a phone could not be attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AttachError {
    /// The number is not made of 7 to 15 digits without leading zero, or the LID not of digits.
    #[error("the number or the hidden number is malformed")]
    BadNumber,
    /// The signed pre-key's signature is not one of the identity key.
    #[error("the signature of the signed pre-key does not verify")]
    BadSignature,
    /// The number or LID is taken by an account with other keys.
    #[error("the number is taken by an account with other keys")]
    Taken,
    /// The sandbox has been stopped.
    #[error("the sandbox has stopped")]
    Stopped,
}
