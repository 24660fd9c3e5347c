//! The keys and certificates that the service proves itself with (transport document §2.6).

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use whimbrel_crypto::curve::KeyPair;
use whimbrel_noise::Validity;
use whimbrel_noise::certificate::{Issuer, Statement, issue};
use whimbrel_noise::server::Server;

/// Keeps these keys apart from what the service draws with the same seed.
const STREAM: u64 = 1;
/// Days that certificates are valid on both sides of the start: tests move the clock.
const VALID_DAYS: u64 = 3650;
const DAY: u64 = 86_400;
const INTERMEDIATE_SERIAL: u32 = 3;
const LEAF_SERIAL: u32 = 355;

/// The service's key and its chain, from a root of its own.
#[derive(Debug)]
pub(crate) struct Certificates {
    root: [u8; 32],
    server: Server,
}

impl Certificates {
    /// Equal seeds make equal keys.
    pub(crate) fn generate(seed: u64, now: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        rng.set_stream(STREAM);
        let [root, intermediate, own] = [(); 3].map(|()| KeyPair::generate(&mut rng));
        let validity = Validity {
            not_before: now.saturating_sub(VALID_DAYS * DAY),
            not_after: now.saturating_add(VALID_DAYS * DAY),
        };
        let by_root =
            Statement { serial: INTERMEDIATE_SERIAL, issuer_serial: 0, key: intermediate.public, validity };
        let by_intermediate =
            Statement { serial: LEAF_SERIAL, issuer_serial: INTERMEDIATE_SERIAL, key: own.public, validity };
        let [first, second] = [(); 2].map(|()| {
            let mut random = [0; 64];
            rng.fill_bytes(&mut random);
            random
        });
        let chain = issue(
            (&by_root, &Issuer { key: &root.private, random: &first }),
            (&by_intermediate, &Issuer { key: &intermediate.private, random: &second }),
        );
        Self { root: *root.public.as_bytes(), server: Server { own, chain } }
    }

    /// What clients must trust.
    pub(crate) fn root_key(&self) -> [u8; 32] {
        self.root
    }

    pub(super) fn server(&self) -> &Server {
        &self.server
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use whimbrel_crypto::curve::PublicKey;
    use whimbrel_noise::certificate::verify;
    use whimbrel_noise::{NoiseRoot, Trust};

    #[test]
    fn the_chain_satisfies_a_strict_client_and_follows_the_seed() {
        let now = 1_795_168_800;
        let made = Certificates::generate(7, now);
        let root = NoiseRoot { public_key: PublicKey::from_bytes(made.root_key()), serial: 0 };
        let server = made.server();
        assert!(verify(&server.chain, &server.own.public, &Trust::new(root, now)).is_ok());
        assert_eq!(Certificates::generate(7, now).root_key(), made.root_key());
        assert_ne!(Certificates::generate(8, now).root_key(), made.root_key());
    }
}
