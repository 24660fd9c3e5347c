//! Chains with one fault each.

use super::*;

const NOW: u64 = 1_800_000_000;
const YEAR: Validity = Validity { not_before: NOW - 1000, not_after: NOW + 1000 };

fn private(seed: u8) -> PrivateKey {
    PrivateKey::from_bytes([seed; 32])
}

fn root() -> NoiseRoot {
    NoiseRoot { public_key: private(1).public_key(), serial: 0 }
}

fn server() -> PublicKey {
    private(3).public_key()
}

/// What may be wrong with a chain.
struct Plan {
    intermediate: Statement,
    intermediate_by: PrivateKey,
    leaf: Statement,
    leaf_by: PrivateKey,
}

impl Plan {
    fn good() -> Self {
        let intermediate =
            Statement { serial: 5, issuer_serial: 0, key: private(2).public_key(), validity: YEAR };
        let leaf = Statement { serial: 9, issuer_serial: 5, key: server(), validity: YEAR };
        Self { intermediate, intermediate_by: private(1), leaf, leaf_by: private(2) }
    }

    fn chain(&self) -> Vec<u8> {
        let by = |key| Issuer { key, random: &[4; 64] };
        issue((&self.intermediate, &by(&self.intermediate_by)), (&self.leaf, &by(&self.leaf_by)))
    }

    fn verdict(change: impl FnOnce(&mut Self)) -> Result<Certified, CertificateError> {
        let mut plan = Self::good();
        change(&mut plan);
        verify(&plan.chain(), &server(), &Trust::new(root(), NOW))
    }
}

#[test]
fn a_good_chain_tells_key_and_validity() {
    let later = Validity { not_before: NOW - 5, not_after: NOW + 5 };
    let certified = Plan::verdict(|plan| plan.leaf.validity = later).unwrap();
    assert_eq!(certified, Certified { key: server(), leaf: later, intermediate: YEAR });
    assert!(certified.valid_at(NOW + 5));
    assert!(!certified.valid_at(NOW + 6));
    assert!(!certified.valid_at(NOW - 6));
}

#[test]
fn each_fault_has_its_error() {
    type Change = fn(&mut Plan);
    let cases: [(Change, CertificateError); 9] = [
        (|plan| plan.intermediate_by = private(7), CertificateError::IntermediateSignature),
        (|plan| plan.intermediate.issuer_serial = 1, CertificateError::IntermediateIssuer),
        (|plan| plan.leaf_by = private(7), CertificateError::LeafSignature),
        (|plan| plan.leaf.issuer_serial = 6, CertificateError::LeafIssuer),
        (|plan| plan.leaf.key = private(7).public_key(), CertificateError::LeafKey),
        (|plan| plan.intermediate.validity.not_before = NOW + 1, CertificateError::NotYetValid),
        (|plan| plan.intermediate.validity.not_after = NOW - 1, CertificateError::Expired),
        (|plan| plan.leaf.validity.not_before = NOW + 1, CertificateError::NotYetValid),
        (|plan| plan.leaf.validity.not_after = NOW - 1, CertificateError::Expired),
    ];
    for (number, (change, error)) in cases.into_iter().enumerate() {
        assert_eq!(Plan::verdict(change), Err(error), "case {number}");
    }
}

#[test]
fn another_root_is_not_believed() {
    let chain = Plan::good().chain();
    let verdict = |root| verify(&chain, &server(), &Trust::new(root, NOW));
    assert_eq!(verdict(NoiseRoot::default()), Err(CertificateError::IntermediateSignature));
    assert_eq!(verdict(NoiseRoot { serial: 1, ..root() }), Err(CertificateError::IntermediateIssuer));
    assert!(verdict(root()).is_ok());
}

#[test]
fn the_clock_may_be_tolerated() {
    let chain = Plan::good().chain();
    let verdict =
        |now, clock_tolerance| verify(&chain, &server(), &Trust { root: root(), now, clock_tolerance });
    assert!(verdict(NOW + 1000, 0).is_ok());
    assert_eq!(verdict(NOW + 1001, 0), Err(CertificateError::Expired));
    assert!(verdict(NOW + 1001, 1).is_ok());
    assert_eq!(verdict(NOW - 1001, 0), Err(CertificateError::NotYetValid));
    assert!(verdict(NOW - 1001, 1).is_ok());
    assert!(verdict(0, u64::MAX).is_ok());
}

/// Changes the certificates of a good chain.
fn damaged(
    damage: impl FnOnce(&mut NoiseCertificate, &mut NoiseCertificate),
) -> Result<Certified, CertificateError> {
    let mut chain: CertChain = whimbrel_proto::decode(&Plan::good().chain()).unwrap();
    let mut intermediate = chain.intermediate.take().unwrap();
    let mut leaf = chain.leaf.take().unwrap();
    damage(&mut intermediate, &mut leaf);
    let chain = CertChain { leaf: Some(leaf), intermediate: Some(intermediate) };
    verify(&whimbrel_proto::encode(&chain), &server(), &Trust::new(root(), NOW))
}

fn sign(certificate: &mut NoiseCertificate, by: &PrivateKey, change: impl FnOnce(&mut Details)) {
    let mut details = whimbrel_proto::decode(certificate.details.as_ref().unwrap()).unwrap();
    change(&mut details);
    let details = whimbrel_proto::encode(&details);
    certificate.signature = Some(by.sign(&[&details], &[4; 64]).to_vec());
    certificate.details = Some(details);
}

#[test]
fn incomplete_chains_are_refused() {
    assert_eq!(damaged(|_, _| ()).unwrap().key, server());
    let incomplete = Err(CertificateError::Incomplete);
    assert_eq!(damaged(|intermediate, _| intermediate.details = None), incomplete);
    assert_eq!(damaged(|intermediate, _| intermediate.signature = None), incomplete);
    assert_eq!(damaged(|_, leaf| leaf.details = None), incomplete);
    assert_eq!(damaged(|_, leaf| leaf.signature.as_mut().unwrap().truncate(63)), incomplete);
    assert_eq!(damaged(|_, leaf| leaf.details = Some(vec![0xff])), Err(CertificateError::Undecodable));
    let verdict = |bytes: &[u8]| verify(bytes, &server(), &Trust::new(root(), NOW));
    assert_eq!(verdict(&[]), incomplete);
    assert_eq!(verdict(&[0xff]), Err(CertificateError::Undecodable));
}

#[test]
fn signed_nonsense_is_refused() {
    let short = |details: &mut Details| details.key.as_mut().unwrap().truncate(31);
    let missing = |details: &mut Details| details.key = None;
    for nonsense in [short, missing] {
        let verdict = damaged(|intermediate, _| sign(intermediate, &private(1), nonsense));
        assert_eq!(verdict, Err(CertificateError::IntermediateKey));
        assert_eq!(damaged(|_, leaf| sign(leaf, &private(2), nonsense)), Err(CertificateError::LeafKey));
    }
    // Without a validity it ended in 1970.
    let verdict = damaged(|_, leaf| {
        sign(leaf, &private(2), |details| {
            details.not_before = None;
            details.not_after = None;
        });
    });
    assert_eq!(verdict, Err(CertificateError::Expired));
    // An absent number reads as zero, which is the root's.
    assert!(
        damaged(|intermediate, _| sign(intermediate, &private(1), |details| details.issuer_serial = None))
            .is_ok()
    );
}

#[test]
fn every_changed_octet_is_noticed() {
    let good = Plan::good().chain();
    for position in 0..good.len() {
        let mut bad = good.clone();
        bad[position] ^= 1;
        let verdict = verify(&bad, &server(), &Trust::new(root(), NOW));
        assert!(verdict.is_err(), "octet {position}");
    }
}

#[test]
fn an_issuer_is_not_printed() {
    assert_eq!(format!("{:?}", Issuer { key: &private(1), random: &[1; 64] }), "Issuer(..)");
}
