//! Randomness: one generator per client, seeded by the system or, for repeatable tests, by the engine's seed.

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};

use crate::error::{Code, Error};

/// Makes the generator of one client. With an `insecure_seed` the n-th client of an engine draws the same
/// numbers in every run.
pub(crate) fn generator(insecure_seed: Option<u64>, client: u64) -> Result<ChaCha20Rng, Error> {
    let mut seed = [0; 32];
    match insecure_seed {
        Some(number) => {
            let (first, rest) = seed.split_at_mut(8);
            first.copy_from_slice(&number.to_le_bytes());
            if let Some(second) = rest.first_chunk_mut::<8>() {
                *second = client.to_le_bytes();
            }
        }
        None => getrandom::fill(&mut seed)
            .map_err(|error| Error::new(Code::Internal, "the system gave no randomness").because(error))?,
    }
    let generator = ChaCha20Rng::from_seed(seed);
    zeroize::Zeroize::zeroize(&mut seed);
    Ok(generator)
}

/// Random bytes.
pub(crate) fn bytes<const N: usize>(rng: &mut ChaCha20Rng) -> [u8; N] {
    let mut out = [0; N];
    rng.fill_bytes(&mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_per_client_and_the_system_never_does() {
        let draw = |seed, client| bytes::<16>(&mut generator(seed, client).unwrap());
        assert_eq!(draw(Some(7), 1), draw(Some(7), 1));
        assert_ne!(draw(Some(7), 1), draw(Some(7), 2));
        assert_ne!(draw(Some(7), 1), draw(Some(8), 1));
        assert_ne!(draw(None, 1), draw(None, 1));
    }
}
