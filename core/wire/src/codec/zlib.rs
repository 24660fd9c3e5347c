//! Compressed bodies: one zlib stream each way.

use super::{MAX_INFLATED, decode::DecodeError};
use flate2::{Compression, Decompress, FlushDecompress, Status, write::ZlibEncoder};
use std::io::{self, Write as _};

/// Inflates `body`, which must be exactly one zlib stream without a preset dictionary. The output never
/// grows beyond [`MAX_INFLATED`], whatever the stream announces.
pub(super) fn inflate(body: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut stream = Decompress::new(true);
    let mut rest = body;
    let mut out = Vec::with_capacity(body.len().saturating_mul(4).clamp(512, 64 * 1024));
    loop {
        if out.len() == out.capacity() {
            out.reserve(out.len().min(MAX_INFLATED + 1 - out.len()).max(1));
        }
        let (read_before, written_before) = (stream.total_in(), out.len());
        let status =
            stream.decompress_vec(rest, &mut out, FlushDecompress::None).map_err(|_| DecodeError::Zlib)?;
        if out.len() > MAX_INFLATED {
            return Err(DecodeError::InflatedTooLarge);
        }
        let read = usize::try_from(stream.total_in() - read_before).map_err(|_| DecodeError::Zlib)?;
        rest = rest.get(read..).ok_or(DecodeError::Zlib)?;
        match status {
            Status::StreamEnd if rest.is_empty() => return Ok(out),
            Status::StreamEnd => return Err(DecodeError::ZlibTrailing),
            // Neither read nor wrote although there was room: the stream is cut off.
            _ if read == 0 && out.len() == written_before => return Err(DecodeError::Zlib),
            _ => {}
        }
    }
}

/// Appends `body` as one zlib stream.
pub(super) fn deflate(body: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    let mut encoder = ZlibEncoder::new(out, Compression::default());
    encoder.write_all(body)?;
    encoder.finish().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_deflated_inflates_to_the_same() {
        for len in [0, 1, 511, 512, 513, 70_000, MAX_INFLATED] {
            let body: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
            let mut packed = Vec::new();
            deflate(&body, &mut packed).unwrap();
            assert!(inflate(&packed) == Ok(body), "{len}");
        }
    }

    #[test]
    fn one_byte_over_the_cap_is_refused() {
        let mut packed = Vec::new();
        deflate(&vec![0; MAX_INFLATED + 1], &mut packed).unwrap();
        assert_eq!(inflate(&packed), Err(DecodeError::InflatedTooLarge));
    }

    #[test]
    fn every_cut_of_a_stream_is_refused() {
        let mut packed = Vec::new();
        deflate(&[7; 3000], &mut packed).unwrap();
        for cut in 0..packed.len() {
            assert_eq!(inflate(&packed[..cut]), Err(DecodeError::Zlib), "{cut}");
        }
    }
}
