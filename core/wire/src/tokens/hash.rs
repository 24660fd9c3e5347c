//! The hash behind the token lookup, shared with the build script that lays out the tables.
//!
//! It reads at most the first, middle and last eight bytes. Tokens are at most 48 bytes long and the build
//! fails if two of them collide, so nothing more is needed; other texts may collide with anything, the lookup
//! compares them with the token it found.

/// Number of displacement values.
pub(crate) const BUCKETS: usize = 512;
/// Number of slots, a power of two above the number of tokens.
pub(crate) const SLOTS: usize = 2048;

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

#[inline]
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let len = bytes.len() as u64;
    let (first, last) = ends(bytes);
    let middle = if bytes.len() > 16 { middle(bytes) } else { 0 };
    let mixed = (first ^ len.rotate_right(8)).wrapping_mul(MULTIPLIER) ^ last.rotate_left(29) ^ middle;
    let mixed = mixed.wrapping_mul(MULTIPLIER);
    mixed ^ (mixed >> 32)
}

#[inline]
pub(crate) fn bucket(hash: u64) -> usize {
    (hash % BUCKETS as u64) as usize
}

#[inline]
pub(crate) fn slot(hash: u64, displacement: u16) -> usize {
    let step = (hash >> 20) | 1;
    (hash.rotate_right(9).wrapping_add(u64::from(displacement).wrapping_mul(step)) % SLOTS as u64) as usize
}

#[inline]
fn ends(bytes: &[u8]) -> (u64, u64) {
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return (u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into());
    }
    match *bytes {
        [a] => (a.into(), 0),
        [a, b] => (a.into(), b.into()),
        [a, b, c] => (u64::from(a) | u64::from(b) << 8, c.into()),
        _ => (0, 0),
    }
}

#[inline]
fn middle(bytes: &[u8]) -> u64 {
    let half = bytes.get(bytes.len() / 2..).and_then(<[u8]>::first_chunk);
    half.map_or(0, |chunk| u64::from_le_bytes(*chunk))
}
