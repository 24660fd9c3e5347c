//! The content in chunks: each is sealed by itself, under a nonce that counts and says which is
//! the last. So a file of any size is read in little memory, nothing is used before it is
//! verified, and a missing end is noticed.

use std::io::{self, Read, Write};

use whimbrel_crypto::aead::{Aes256Gcm, TAG};
use zeroize::Zeroizing;

use super::SealedError;
use super::header::{ContentKey, HEADER, Header};

/// Content of a chunk; the last one may be shorter.
const CHUNK: usize = 64 << 10;

/// A chunk's number and whether it is the last. A key is used for one file only.
fn nonce(number: u64, last: bool) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[0] = u8::from(last);
    if let Some(count) = nonce.last_chunk_mut::<8>() {
        *count = number.to_be_bytes();
    }
    nonce
}

/// Seals what is written to it.
pub(crate) struct Sealer<W> {
    key: Aes256Gcm,
    header: [u8; HEADER],
    waiting: Zeroizing<Vec<u8>>,
    number: u64,
    out: W,
}

impl<W: Write> Sealer<W> {
    /// Writes the header.
    pub(crate) fn new(header: &Header, key: &ContentKey, mut out: W) -> io::Result<Self> {
        out.write_all(&header.bytes)?;
        let key = Aes256Gcm::new(&key.0).map_err(io::Error::other)?;
        // Never grows, so it leaves no copies behind.
        let waiting = Zeroizing::new(Vec::with_capacity(CHUNK + TAG));
        Ok(Self { key, header: header.bytes, waiting, number: 0, out })
    }

    fn seal(&mut self, last: bool) -> io::Result<()> {
        let nonce = nonce(self.number, last);
        let tag = self.key.seal(&nonce, &self.header, &mut self.waiting).map_err(io::Error::other)?;
        self.out.write_all(&self.waiting)?;
        self.out.write_all(&tag)?;
        self.waiting.clear();
        self.number += 1;
        Ok(())
    }

    /// Seals the last chunk; without it the file counts as cut short.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.seal(true)?;
        self.out.flush()?;
        Ok(self.out)
    }
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.waiting.len() == CHUNK {
            self.seal(false)?;
        }
        let taken = bytes.len().min(CHUNK - self.waiting.len());
        self.waiting.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads what a [`Sealer`] wrote. Its errors carry a [`SealedError`].
pub(crate) struct Opener<R> {
    key: Aes256Gcm,
    header: [u8; HEADER],
    input: R,
    /// The chunk after the present one, still sealed.
    ahead: Zeroizing<Vec<u8>>,
    text: Zeroizing<Vec<u8>>,
    used: usize,
    number: u64,
    ended: bool,
}

impl<R: Read> Opener<R> {
    /// Reads on behind the header.
    pub(crate) fn new(header: &Header, key: &ContentKey, mut input: R) -> io::Result<Self> {
        let key = Aes256Gcm::new(&key.0).map_err(io::Error::other)?;
        let ahead = chunk(&mut input)?;
        let text = Zeroizing::new(Vec::new());
        Ok(Self { key, header: header.bytes, input, ahead, text, used: 0, number: 0, ended: false })
    }

    fn open_next(&mut self) -> io::Result<()> {
        let mut present = std::mem::take(&mut self.ahead);
        let full = present.len() == CHUNK + TAG;
        if full {
            self.ahead = chunk(&mut self.input)?;
        }
        let last = !full || self.ahead.is_empty();
        let sealed = if last { present.to_vec() } else { Vec::new() };
        let opened =
            self.key.open(&nonce(self.number, last), &self.header, &mut present).map(|text| text.len());
        let Ok(length) = opened else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, self.why(sealed, last)));
        };
        present.truncate(length);
        self.text = present;
        self.used = 0;
        self.number += 1;
        self.ended = last;
        Ok(())
    }

    /// A chunk that opens as one in the middle, and is the last there is, has lost what followed.
    fn why(&self, sealed: Vec<u8>, last: bool) -> SealedError {
        let mut sealed = Zeroizing::new(sealed);
        let middle = last && self.key.open(&nonce(self.number, false), &self.header, &mut sealed).is_ok();
        if middle || (last && sealed.len() < TAG) { SealedError::CutShort } else { SealedError::Damaged }
    }
}

impl<R: Read> Read for Opener<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.used == self.text.len() {
            if self.ended {
                return Ok(0);
            }
            self.open_next()?;
        }
        let left = self.text.get(self.used..).unwrap_or_default();
        let taken = left.len().min(into.len());
        for (to, from) in into.iter_mut().zip(left) {
            *to = *from;
        }
        self.used += taken;
        Ok(taken)
    }
}

/// A sealed chunk, or what is left.
fn chunk(input: &mut impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut chunk = Zeroizing::new(Vec::with_capacity(CHUNK + TAG));
    input.take((CHUNK + TAG) as u64).read_to_end(&mut chunk)?;
    Ok(chunk)
}

/// The reason in an error of an [`Opener`].
pub(crate) fn reason(error: &io::Error) -> Option<SealedError> {
    error.get_ref()?.downcast_ref::<SealedError>().copied()
}

#[cfg(test)]
mod tests {
    use super::super::header::Cost;
    use super::*;

    const CHEAP: Cost = Cost { memory: 8, passes: 1, lanes: 1 };

    fn sealed(content: &[u8]) -> Vec<u8> {
        let (header, key) = Header::new("pass", CHEAP, &[7; 16]).unwrap();
        let mut sealer = Sealer::new(&header, &key, Vec::new()).unwrap();
        sealer.write_all(content).unwrap();
        sealer.finish().unwrap()
    }

    fn open(file: &[u8], passphrase: &str) -> Result<Vec<u8>, SealedError> {
        let (header, key) = Header::open(file, passphrase)?;
        let mut opener = Opener::new(&header, &key, &file[HEADER..]).unwrap();
        let mut content = Vec::new();
        opener.read_to_end(&mut content).map_err(|error| reason(&error).unwrap())?;
        Ok(content)
    }

    #[test]
    fn what_is_sealed_opens_whatever_its_length() {
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK] {
            let content: Vec<u8> = (0..length).map(|at| at as u8).collect();
            assert!(open(&sealed(&content), "pass").unwrap() == content, "{length}");
        }
    }

    #[test]
    fn every_fault_is_told_from_the_others() {
        let file = sealed(&vec![5; 2 * CHUNK + 100]);
        assert_eq!(open(&file, "word"), Err(SealedError::WrongPassphrase));
        let with = |at: usize, octet: u8| {
            let mut file = file.clone();
            file[at] ^= octet;
            file
        };
        assert_eq!(open(&with(0, 1), "pass"), Err(SealedError::NotAnExport));
        assert_eq!(open(&with(8, 1), "pass"), Err(SealedError::TooNew));
        for at in [10, 15, 30, 45] {
            assert_eq!(open(&with(at, 1), "pass"), Err(SealedError::Damaged), "{at}");
        }
        // The proof of the key cannot be told from another passphrase's.
        assert_eq!(open(&with(HEADER - 1, 1), "pass"), Err(SealedError::WrongPassphrase));
        for at in [HEADER, HEADER + CHUNK, HEADER + CHUNK + TAG, file.len() - 1] {
            assert_eq!(open(&with(at, 1), "pass"), Err(SealedError::Damaged), "{at}");
        }
        for length in [0, 7, 8, HEADER - 1] {
            let error = open(&file[..length], "pass").unwrap_err();
            assert!(matches!(error, SealedError::CutShort | SealedError::NotAnExport), "{length}: {error}");
        }
        // At the end of a chunk, and with no chunk at all.
        for length in [HEADER, HEADER + CHUNK + TAG, HEADER + 2 * (CHUNK + TAG)] {
            assert_eq!(open(&file[..length], "pass"), Err(SealedError::CutShort), "{length}");
        }
        assert_eq!(open(&file[..file.len() - 30], "pass"), Err(SealedError::Damaged));
        let mut longer = file.clone();
        longer.push(0);
        assert_eq!(open(&longer, "pass"), Err(SealedError::Damaged));
        let mut swapped = file;
        let (first, second) = (HEADER, HEADER + CHUNK + TAG);
        for at in 0..CHUNK + TAG {
            swapped.swap(first + at, second + at);
        }
        assert_eq!(open(&swapped, "pass"), Err(SealedError::Damaged));
    }
}
