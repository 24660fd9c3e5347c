//! The first octets of an export, and the keys that they lead to.

use argon2::{Algorithm, Argon2, Params, Version};
use sha2::{Digest as _, Sha256};
use whimbrel_crypto::kdf::{HmacKey, hkdf_sha256};
use zeroize::Zeroizing;

use super::SealedError;

/// The first octets of every export.
const MAGIC: &[u8; 8] = b"WHIMBREX";

/// The format that this version writes, and the highest that it reads.
const FORMAT: u16 = 1;

/// Number of Argon2id as the key derivation.
const ARGON2ID: u8 = 1;

/// Octets of a header.
pub(crate) const HEADER: usize = 64;

/// What the key derivation costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cost {
    /// Memory, KiB.
    pub(crate) memory: u32,
    pub(crate) passes: u32,
    pub(crate) lanes: u32,
}

impl Cost {
    /// 64 MiB and three passes: some tenths of a second on a small machine.
    pub(crate) const USUAL: Self = Self { memory: 64 << 10, passes: 3, lanes: 1 };

    /// What a file may ask for: it comes from anywhere.
    const fn is_granted(self) -> bool {
        self.memory >= 8
            && self.memory <= 1 << 20
            && self.passes >= 1
            && self.passes <= 16
            && self.lanes >= 1
            && self.lanes <= 8
    }
}

/// A header that was read or made.
pub(crate) struct Header {
    pub(crate) bytes: [u8; HEADER],
}

/// Key of the content.
pub(crate) struct ContentKey(pub(crate) Zeroizing<[u8; 32]>);

impl Header {
    /// A header for a new export, with its key.
    pub(crate) fn new(
        passphrase: &str,
        cost: Cost,
        salt: &[u8; 16],
    ) -> Result<(Self, ContentKey), SealedError> {
        let mut start = Vec::with_capacity(HEADER);
        start.extend(MAGIC);
        start.extend(FORMAT.to_be_bytes());
        start.push(ARGON2ID);
        start.push(0);
        for number in [cost.memory, cost.passes, cost.lanes] {
            start.extend(number.to_be_bytes());
        }
        start.extend(salt);
        start.extend(checksum(&start));
        let master = derive(passphrase, cost, salt)?;
        start.extend(proof(&master, &start));
        let bytes = start.try_into().map_err(|_| SealedError::Damaged)?;
        Ok((Self { bytes }, content_key(&master)))
    }

    /// Reads a header; whether a passphrase fits is [`open`](Self::open)'s question.
    pub(crate) fn parse(bytes: &[u8]) -> Result<(Self, Cost, [u8; 16]), SealedError> {
        if !bytes.starts_with(MAGIC) {
            return Err(SealedError::NotAnExport);
        }
        let mut fields = bytes.get(MAGIC.len()..).ok_or(SealedError::CutShort)?;
        // The version first: what follows may look different in another one.
        let format = u16::from_be_bytes(take(&mut fields)?);
        if format > FORMAT {
            return Err(SealedError::TooNew);
        }
        let [kdf, reserved] = take(&mut fields)?;
        let cost = Cost {
            memory: u32::from_be_bytes(take(&mut fields)?),
            passes: u32::from_be_bytes(take(&mut fields)?),
            lanes: u32::from_be_bytes(take(&mut fields)?),
        };
        let salt = take(&mut fields)?;
        let sum: [u8; 8] = take(&mut fields)?;
        let bytes: [u8; HEADER] =
            bytes.get(..HEADER).and_then(|bytes| bytes.try_into().ok()).ok_or(SealedError::CutShort)?;
        let summed = bytes.get(..HEADER - 24).unwrap_or_default();
        if format == 0 || kdf != ARGON2ID || reserved != 0 || sum != checksum(summed) {
            return Err(SealedError::Damaged);
        }
        if !cost.is_granted() {
            return Err(SealedError::TooCostly);
        }
        Ok((Self { bytes }, cost, salt))
    }

    /// Derives the key and checks that it is the right one.
    pub(crate) fn open(bytes: &[u8], passphrase: &str) -> Result<(Self, ContentKey), SealedError> {
        let (header, cost, salt) = Self::parse(bytes)?;
        let master = derive(passphrase, cost, &salt)?;
        let (start, given) = header.bytes.split_last_chunk::<16>().ok_or(SealedError::Damaged)?;
        // The checksum was right, so it is the key that is wrong.
        if proof(&master, start) != *given {
            return Err(SealedError::WrongPassphrase);
        }
        Ok((header, content_key(&master)))
    }
}

fn take<const N: usize>(input: &mut &[u8]) -> Result<[u8; N], SealedError> {
    let (taken, rest) = input.split_first_chunk::<N>().ok_or(SealedError::CutShort)?;
    *input = rest;
    Ok(*taken)
}

/// Tells a damaged header from a wrong passphrase; protects nothing.
fn checksum(start: &[u8]) -> [u8; 8] {
    let digest: [u8; 32] = Sha256::digest(start).into();
    digest.first_chunk::<8>().copied().unwrap_or_default()
}

fn derive(passphrase: &str, cost: Cost, salt: &[u8; 16]) -> Result<Zeroizing<[u8; 32]>, SealedError> {
    let params = Params::new(cost.memory, cost.passes, cost.lanes, Some(32));
    let params = params.map_err(|_| SealedError::TooCostly)?;
    let mut master = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, &mut *master)
        .map_err(|_| SealedError::NoMemory)?;
    Ok(master)
}

fn proof(master: &[u8; 32], start: &[u8]) -> [u8; 16] {
    let key: Zeroizing<[u8; 32]> = hkdf_sha256(master, &[], b"whimbrel export check");
    let mac = HmacKey::new(&*key).mac(&[start]);
    mac.first_chunk::<16>().copied().unwrap_or_default()
}

fn content_key(master: &[u8; 32]) -> ContentKey {
    ContentKey(hkdf_sha256(master, &[], b"whimbrel export content"))
}
