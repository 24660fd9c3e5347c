//! SenderKeyDistributionMessage: hands a sender key to one member, inside an encrypted message.

use core::fmt;

use whimbrel_crypto::curve::PublicKey;

use super::protobuf::{Fields, put_bytes, put_u32};
use super::{ParseError, VERSION_BYTE, check_version, public_key};
use crate::kdf::ChainKey;

/// A sender key as its owner hands it out. Unsigned: it is worth what the session it came through is.
#[derive(Clone)]
pub struct SenderKeyDistributionMessage {
    pub(crate) key_id: u32,
    pub(crate) iteration: u32,
    pub(crate) chain: ChainKey,
    pub(crate) signing_key: PublicKey,
}

impl SenderKeyDistributionMessage {
    /// Reads the content of `axolotlSenderKeyDistributionMessage`.
    pub fn parse(input: &[u8]) -> Result<Self, ParseError> {
        let (mut key_id, mut iteration, mut chain, mut signing_key) = (None, 0, None, None);
        let mut fields = Fields::new(check_version(input)?);
        while let Some((field, value)) = fields.next()? {
            match field {
                1 => key_id = Some(value.u32()?),
                2 => iteration = value.u32()?,
                3 => chain = Some(value.bytes()?),
                4 => signing_key = Some(public_key(value.bytes()?, "signing key")?),
                _ => {}
            }
        }
        let chain = chain.ok_or(ParseError::Missing("chain key"))?;
        let chain = chain.try_into().map_err(|_| ParseError::Malformed("the chain key has not 32 octets"))?;
        Ok(SenderKeyDistributionMessage {
            key_id: key_id.ok_or(ParseError::Missing("key id"))?,
            iteration,
            chain: ChainKey::new(chain),
            signing_key: signing_key.ok_or(ParseError::Missing("signing key"))?,
        })
    }

    /// The bytes for `axolotlSenderKeyDistributionMessage`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(1 + 6 + 6 + 34 + 35);
        out.push(VERSION_BYTE);
        put_u32(&mut out, 1, self.key_id);
        put_u32(&mut out, 2, self.iteration);
        put_bytes(&mut out, 3, self.chain.as_bytes());
        put_bytes(&mut out, 4, &self.signing_key.to_typed());
        out
    }

    /// The key's id.
    pub fn key_id(&self) -> u32 {
        self.key_id
    }

    /// The first position that the receiver will be able to read.
    pub fn iteration(&self) -> u32 {
        self.iteration
    }
}

impl fmt::Debug for SenderKeyDistributionMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SenderKeyDistributionMessage")
            .field("key_id", &self.key_id)
            .field("iteration", &self.iteration)
            .finish_non_exhaustive()
    }
}
