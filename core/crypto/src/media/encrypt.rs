//! Encryption of a file as it comes.

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::cipher::{Encrypting, padded};
use super::keys::MediaKeys;
use super::sidecar::SidecarBuilder;
use super::{BLOCK, MAC, STEP, shortened};

/// What is known of a file once it is encrypted: most of it goes into the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encrypted {
    /// SHA-256 of the file.
    pub file_sha256: [u8; 32],
    /// SHA-256 of the blob with its code.
    pub file_enc_sha256: [u8; 32],
    /// Length of the file.
    pub file_length: u64,
    /// Length of the blob.
    pub blob_length: u64,
    /// The code at the end of the blob.
    pub mac: [u8; MAC],
    /// Ten octets for every piece of 64 KiB, where a sidecar was asked for.
    pub streaming_sidecar: Option<Vec<u8>>,
    /// The code over the first frame, where one was named that lies within the file.
    pub first_frame_sidecar: Option<[u8; MAC]>,
}

/// Encrypts a file that comes in chunks. Keeps less than a block of it, and ten octets for every
/// 64 KiB where a sidecar is asked for.
pub struct Encryptor {
    cipher: Encrypting,
    plain: Sha256,
    blob: Sha256,
    mac: Hmac<Sha256>,
    sidecar: Option<SidecarBuilder>,
    first_frame: Option<FirstFrame>,
    /// The beginning of a block.
    partial: Zeroizing<[u8; BLOCK]>,
    partial_length: usize,
    file_length: u64,
    blob_length: u64,
}

/// The code over the beginning of the ciphertext (§5.2).
struct FirstFrame {
    mac: Hmac<Sha256>,
    /// Octets of ciphertext that are still to come.
    missing: u64,
}

impl Encryptor {
    /// Begins a file. Keys are for one file only: the same keys for another one give both away.
    pub fn new(keys: &MediaKeys) -> Self {
        let mut mac = keys.mac().begin();
        mac.update(keys.iv());
        Self {
            cipher: Encrypting::new(keys),
            plain: Sha256::new(),
            blob: Sha256::new(),
            mac,
            sidecar: None,
            first_frame: None,
            partial: Zeroizing::default(),
            partial_length: 0,
            file_length: 0,
            blob_length: 0,
        }
    }

    /// Makes a streaming sidecar too (§5.1), as messages with sound or film have it.
    #[must_use]
    pub fn with_sidecar(mut self, keys: &MediaKeys) -> Self {
        self.sidecar = Some(SidecarBuilder::new(keys));
        self
    }

    /// Makes the code over the first frame of an animated sticker too, which ends at this offset
    /// of the file (§5.2).
    #[must_use]
    pub fn with_first_frame(mut self, keys: &MediaKeys, length: u64) -> Self {
        let missing = length.checked_next_multiple_of(super::BLOCK_LENGTH).filter(|missing| *missing > 0);
        self.first_frame = missing.map(|missing| {
            let mut mac = keys.mac().begin();
            mac.update(keys.iv());
            FirstFrame { mac, missing }
        });
        self
    }

    /// Takes the next octets of the file and appends to `out` what there is of the blob so far.
    pub fn update(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        out.reserve(chunk.len().saturating_add(BLOCK));
        for part in chunk.chunks(STEP) {
            self.plain.update(part);
            self.file_length = self.file_length.saturating_add(length(part));
            self.part(part, out);
        }
    }

    /// Ends the file and appends the rest of the blob to `out`.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Encrypted {
        let rest = self.partial.get(..self.partial_length).unwrap_or_default();
        let mut last = padded(rest);
        self.cipher.blocks(&mut last);
        self.ciphertext(&last);
        out.extend_from_slice(&last);

        let mac = shortened(self.mac);
        self.blob.update(mac);
        if let Some(sidecar) = &mut self.sidecar {
            sidecar.update(&mac);
        }
        out.extend_from_slice(&mac);
        Encrypted {
            file_sha256: self.plain.finalize().into(),
            file_enc_sha256: self.blob.finalize().into(),
            file_length: self.file_length,
            blob_length: self.blob_length.saturating_add(super::MAC_LENGTH),
            mac,
            streaming_sidecar: self.sidecar.map(SidecarBuilder::finish),
            first_frame_sidecar: self
                .first_frame
                .filter(|frame| frame.missing == 0)
                .map(|frame| shortened(frame.mac)),
        }
    }

    fn part(&mut self, mut part: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        if self.partial_length > 0 {
            let free = self.partial.get_mut(self.partial_length..).unwrap_or_default();
            let (taken, rest) = part.split_at(part.len().min(free.len()));
            for (to, from) in free.iter_mut().zip(taken) {
                *to = *from;
            }
            self.partial_length = self.partial_length.saturating_add(taken.len());
            if self.partial_length < BLOCK {
                return;
            }
            out.extend_from_slice(&*self.partial);
            self.partial_length = 0;
            part = rest;
        }
        let (blocks, rest) = part.as_chunks::<BLOCK>();
        out.extend_from_slice(blocks.as_flattened());
        for (to, from) in self.partial.iter_mut().zip(rest) {
            *to = *from;
        }
        self.partial_length = rest.len();

        let new = out.get_mut(start..).unwrap_or_default();
        self.cipher.blocks(new);
        self.ciphertext(new);
    }

    fn ciphertext(&mut self, blocks: &[u8]) {
        self.blob_length = self.blob_length.saturating_add(length(blocks));
        self.blob.update(blocks);
        self.mac.update(blocks);
        if let Some(sidecar) = &mut self.sidecar {
            sidecar.update(blocks);
        }
        if let Some(frame) = &mut self.first_frame {
            let wanted = usize::try_from(frame.missing).unwrap_or(usize::MAX).min(blocks.len());
            let covered = blocks.get(..wanted).unwrap_or_default();
            frame.mac.update(covered);
            frame.missing = frame.missing.saturating_sub(length(covered));
        }
    }
}

impl fmt::Debug for Encryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encryptor").field("file_length", &self.file_length).finish_non_exhaustive()
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
