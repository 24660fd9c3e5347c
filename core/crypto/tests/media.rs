//! The vectors of media encryption, in both directions, and what must hold for all files.
#![expect(clippy::unwrap_used, reason = "a panic is the failure report of a test")]
#![expect(clippy::indexing_slicing, reason = "a panic is the failure report of a test")]

use std::ops::Range;

use proptest::prelude::*;
use serde_json::Value;
use sha2::{Digest, Sha256};
use whimbrel_crypto::aead::AeadError;
use whimbrel_crypto::kdf::hkdf_sha256;
use whimbrel_crypto::media::*;

fn vectors(name: &str) -> Value {
    let path = format!("{}/../../tests/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().unwrap()
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The files of the vectors: counted hashes of a seed, one behind the other.
fn content(seed: &str, length: usize) -> Vec<u8> {
    let blocks = (0..).flat_map(|number: u32| sha256(format!("{seed}:{number}").as_bytes()));
    blocks.take(length).collect()
}

fn content_of(case: &Value) -> Vec<u8> {
    let length = usize::try_from(case["plaintext_length"].as_u64().unwrap()).unwrap();
    content(case["plaintext_seed"].as_str().unwrap(), length)
}

fn media_key(kind: &str) -> [u8; 32] {
    sha256(format!("media-key/{kind}").as_bytes())
}

fn keys(kind: &str) -> MediaKeys {
    MediaKeys::expand(&media_key(kind), MediaType::from_name(kind).unwrap())
}

fn encrypt(keys: &MediaKeys, file: &[u8], chunk: usize) -> (Vec<u8>, Encrypted) {
    let mut encryptor = Encryptor::new(keys).with_sidecar(keys);
    let mut blob = Vec::new();
    for chunk in file.chunks(chunk) {
        encryptor.update(chunk, &mut blob);
    }
    let facts = encryptor.finish(&mut blob);
    (blob, facts)
}

fn decrypt(
    keys: &MediaKeys,
    expected: &Expected,
    blob: &[u8],
    chunk: usize,
) -> Result<(Vec<u8>, Decrypted), MediaError> {
    let mut decryptor = Decryptor::new(keys, expected);
    let mut check = BlobCheck::new(keys, expected);
    let mut file = Vec::new();
    for chunk in blob.chunks(chunk) {
        decryptor.update(chunk, &mut file);
        check.update(chunk);
    }
    let result = decryptor.finish(&mut file);
    match (check.finish(), result) {
        (Ok(hash), Ok(facts)) => assert_eq!(hash, facts.file_enc_sha256),
        (Ok(_), Err(error)) => assert!(matches!(error, MediaError::Padding | MediaError::PlainHash)),
        (Err(error), result) => assert_eq!(result, Err(error)),
    }
    Ok((file, result?))
}

const CHUNKS: [usize; 6] = [1, 15, 16, 17, 65_536, usize::MAX];

#[test]
fn lengths_are_those_of_whole_blocks() {
    assert_eq!(blob_length(0), Some(SHORTEST_BLOB));
    for file in 0..100 {
        let blob = blob_length(file).unwrap();
        assert_eq!((blob - 10) % 16, 0);
        assert!(blob - 26 <= file && file <= blob - 11);
        assert!(lengths_fit(blob, file) && !lengths_fit(blob + 16, file) && !lengths_fit(blob + 1, file));
    }
    assert_eq!(blob_length(u64::MAX), None);
    assert!(!lengths_fit(u64::MAX, u64::MAX));
}

#[test]
fn every_type_has_its_own_name() {
    for kind in MediaType::ALL {
        assert_eq!(MediaType::from_name(kind.name()), Some(kind));
    }
    assert_eq!(MediaType::from_name("picture"), None);
}

#[test]
fn every_type_has_the_keys_of_the_vectors() {
    let vectors = vectors("media");
    let list = vectors["key_expansion"].as_array().unwrap();
    assert_eq!(list.len(), MediaType::ALL.len());
    for item in list {
        let kind = MediaType::from_name(item["type"].as_str().unwrap()).unwrap();
        assert_eq!(kind.info(), item["hkdf_info"]);
        let key = array(&item["media_key"]);
        let expanded = hkdf_sha256::<112>(&key, &[], kind.info().as_bytes());
        assert_eq!(expanded[..], bytes(&item["expanded"]));
        assert_eq!(MediaKeys::expand(&key, kind).iv()[..], bytes(&item["iv"]));
        assert_eq!(expanded[16..48], bytes(&item["cipher_key"]));
        assert_eq!(expanded[48..80], bytes(&item["mac_key"]));
    }
}

#[test]
fn files_become_the_blobs_of_the_vectors_and_back() {
    let vectors = vectors("media");
    let example = &vectors["content_rule"]["example"];
    assert_eq!(content("example", 40), bytes(&example["value"]));
    for case in vectors["full_cases"].as_array().unwrap() {
        let kind = case["type"].as_str().unwrap();
        assert_eq!(media_key(kind)[..], bytes(&case["media_key"]));
        let (keys, file) = (keys(kind), content_of(case));
        assert_eq!(file, bytes(&case["plaintext"]));
        let (blob, facts) = encrypt(&keys, &file, 7);
        assert_eq!(blob, bytes(&case["blob"]));
        assert_eq!(facts.mac[..], bytes(&case["mac"]));
        assert_eq!(facts.file_sha256[..], bytes(&case["file_sha256"]));
        assert_eq!(facts.file_enc_sha256[..], bytes(&case["file_enc_sha256"]));
        let expected =
            Expected { file_sha256: Some(facts.file_sha256), file_enc_sha256: Some(facts.file_enc_sha256) };
        let (back, decrypted) = decrypt(&keys, &expected, &blob, 7).unwrap();
        assert_eq!(back, file);
        assert_eq!((decrypted.file_sha256, decrypted.file_length), (facts.file_sha256, facts.file_length));
    }
}

#[test]
fn every_size_has_the_hashes_and_the_sidecar_of_the_vectors() {
    let vectors = vectors("media");
    let cases = vectors["size_matrix"].as_array().unwrap();
    assert!(cases.iter().any(|case| case["streaming_sidecar"].is_string()));
    for case in cases {
        let kind = MediaType::from_name(case["type"].as_str().unwrap()).unwrap();
        let keys = MediaKeys::expand(&media_key(case["media_key_rule_type"].as_str().unwrap()), kind);
        let file = content_of(case);
        let blob_length = case["blob_length"].as_u64().unwrap();
        let file_length = case["plaintext_length"].as_u64().unwrap();
        assert_eq!(self::blob_length(file_length), Some(blob_length));
        for chunk in CHUNKS {
            if chunk == 1 && file.len() > 100 {
                continue;
            }
            let (blob, facts) = encrypt(&keys, &file, chunk);
            assert_eq!((facts.file_length, facts.blob_length), (file_length, blob_length));
            assert_eq!(u64::try_from(blob.len()).unwrap(), blob_length);
            let start = bytes(&case["blob_first_32"]);
            assert_eq!(blob[..start.len()], start);
            assert_eq!(facts.mac[..], bytes(&case["mac"]));
            assert_eq!(facts.file_sha256[..], bytes(&case["file_sha256"]));
            assert_eq!(facts.file_enc_sha256[..], bytes(&case["file_enc_sha256"]));
            let sidecar = facts.streaming_sidecar.unwrap();
            assert_eq!(kind.has_sidecar(), case["streaming_sidecar"].is_string());
            if kind.has_sidecar() {
                assert_eq!(sidecar, bytes(&case["streaming_sidecar"]));
                assert_eq!(pieces(blob_length), case["sidecar_entries"].as_u64().unwrap());
            }
            let (back, _) = decrypt(&keys, &Expected::default(), &blob, chunk).unwrap();
            assert_eq!(back, file);
        }
    }
}

fn range_of(value: &Value) -> Range<u64> {
    value[0].as_u64().unwrap()..value[1].as_u64().unwrap()
}

/// `bytes=first-last`, as HTTP writes a range.
fn header(range: &Range<u64>) -> String {
    format!("bytes={}-{}", range.start, range.end - 1)
}

fn part<'b>(blob: &'b [u8], range: &Range<u64>) -> &'b [u8] {
    &blob[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()]
}

fn read(mut reader: RangeReader, fetched: &[u8], chunk: usize) -> Result<Vec<u8>, RangeError> {
    let mut out = Vec::new();
    for chunk in fetched.chunks(chunk) {
        reader.update(chunk, &mut out)?;
    }
    reader.finish()?;
    Ok(out)
}

#[test]
fn a_film_is_checked_piece_by_piece_as_in_the_vectors() {
    let vectors = vectors("media");
    let walk = &vectors["sidecar_walk"];
    let (keys, file) = (keys("video"), content_of(walk));
    let (blob, facts) = encrypt(&keys, &file, 10_000);
    let entries = facts.streaming_sidecar.unwrap();
    assert_eq!(entries, bytes(&walk["streaming_sidecar"]));
    let sidecar = Sidecar::new(&keys, &entries, facts.blob_length).unwrap();
    for (index, chunk) in (0_u64..).zip(walk["chunks"].as_array().unwrap()) {
        let range = range_of(&chunk["file_range_exclusive_end"]);
        let before = array(&chunk["preceding_16_bytes"]);
        let at = usize::try_from(index).unwrap() * 10;
        assert_eq!(entries[at..at + 10], bytes(&chunk["mac"]));
        assert!(sidecar.verifies(index, &before, part(&blob, &range)));
        assert!(!sidecar.verifies(index + 1, &before, part(&blob, &range)));

        let wanted = range_of(&chunk["plaintext_range"]);
        let plan = RangePlan::checked(wanted, facts.blob_length).unwrap();
        assert_eq!(header(&plan.fetch()), chunk["fetch_range_header"].as_str().unwrap());
        let reader = RangeReader::checked(&keys, plan.clone(), sidecar.clone()).unwrap();
        let text = read(reader, part(&blob, &plan.fetch()), 999).unwrap();
        assert_eq!(sha256(&text)[..], bytes(&chunk["plaintext_sha256"]));

        // One changed bit anywhere makes this piece fail, and no other one but for the 16 octets in
        // front of the next.
        for at in [range.start, range.start.midpoint(range.end), range.end - 1] {
            let mut changed = blob.clone();
            changed[usize::try_from(at).unwrap()] ^= 4;
            let reader = RangeReader::checked(&keys, plan.clone(), sidecar.clone()).unwrap();
            let read = read(reader, part(&changed, &plan.fetch()), 65_552);
            assert_eq!(read, Err(RangeError::Piece { index }));
        }
    }
    assert_eq!(Sidecar::new(&keys, &entries[10..], facts.blob_length).unwrap_err(), SidecarError);
    assert_eq!(Sidecar::new(&keys, &entries[1..], facts.blob_length).unwrap_err(), SidecarError);
}

#[test]
fn the_first_frame_has_the_code_of_the_vectors() {
    let vectors = vectors("media");
    let keys = keys("sticker");
    for case in vectors["first_frame_sidecar"].as_array().unwrap() {
        let file = content_of(case);
        let length = case["first_frame_length"].as_u64().unwrap();
        let mut encryptor = Encryptor::new(&keys).with_first_frame(&keys, length);
        let mut blob = Vec::new();
        for chunk in file.chunks(11) {
            encryptor.update(chunk, &mut blob);
        }
        let facts = encryptor.finish(&mut blob);
        assert_eq!(facts.first_frame_sidecar.unwrap()[..], bytes(&case["first_frame_sidecar"]));
        assert_eq!(facts.streaming_sidecar, None);
    }
    for outside in [0, 1000, u64::MAX] {
        let facts = Encryptor::new(&keys).with_first_frame(&keys, outside).finish(&mut Vec::new());
        assert_eq!(facts.first_frame_sidecar, None, "{outside}");
    }
}

#[test]
fn parts_are_read_as_in_the_vectors() {
    let vectors = vectors("media");
    let reads = &vectors["ranged_reads"];
    let keys = MediaKeys::expand(&array(&reads["media_key"]), MediaType::Document);
    let file = content_of(reads);
    let (blob, facts) = encrypt(&keys, &file, 65_536);
    assert_eq!(facts.file_enc_sha256[..], bytes(&reads["file_enc_sha256"]));
    for case in reads["cases"].as_array().unwrap() {
        let wanted = range_of(&case["plaintext_range_exclusive_end"]);
        let plan = RangePlan::unchecked(wanted.clone(), facts.blob_length).unwrap();
        assert_eq!(header(&plan.fetch()), case["minimal_fetch_range"].as_str().unwrap());
        for chunk in CHUNKS {
            let reader = RangeReader::unchecked(&keys, plan.clone());
            let text = read(reader, part(&blob, &plan.fetch()), chunk).unwrap();
            assert_eq!(text, part(&file, &wanted));
            assert_eq!(sha256(&text)[..], bytes(&case["plaintext_sha256"]));
        }
    }
    for case in reads["open_ended"].as_array().unwrap() {
        let wanted = case["start"].as_u64().unwrap()..facts.file_length;
        let plan = RangePlan::unchecked(wanted, facts.blob_length).unwrap();
        let reader = RangeReader::unchecked(&keys, plan.clone());
        let text = read(reader, part(&blob, &plan.fetch()), 4096).unwrap();
        assert_eq!(sha256(&text)[..], bytes(&case["plaintext_sha256"]));
    }
}

#[test]
fn parts_that_do_not_exist_are_refused() {
    for (wanted, blob) in [(0..1, 9), (0..1, 25), (0..1, 27), (3..3, 42), (0..32, 42), (40..41, 42)] {
        assert_eq!(RangePlan::unchecked(wanted.clone(), blob), Err(RangeError::Bounds));
        assert_eq!(RangePlan::checked(wanted, blob), Err(RangeError::Bounds));
    }
    let keys = keys("video");
    let (blob, facts) = encrypt(&keys, &content("x", 100), 100);
    let plan = RangePlan::unchecked(20..50, facts.blob_length).unwrap();
    let fetched = part(&blob, &plan.fetch());
    let reader = || RangeReader::unchecked(&keys, plan.clone());
    assert_eq!(read(reader(), &fetched[..fetched.len() - 1], 5), Err(RangeError::Length));
    assert_eq!(read(reader(), &fetched[..5], 5), Err(RangeError::Length));
    assert_eq!(read(reader(), &blob, 5), Err(RangeError::Length));
    let sidecar = Sidecar::new(&keys, &facts.streaming_sidecar.unwrap(), facts.blob_length).unwrap();
    assert_eq!(RangeReader::checked(&keys, plan.clone(), sidecar).unwrap_err(), RangeError::Bounds);
}

#[test]
fn what_must_be_refused_is_refused_for_the_reason_of_the_vectors() {
    let vectors = vectors("media");
    let negative = &vectors["negative"];
    let keys = MediaKeys::expand(&array(&negative["media_key"]), MediaType::Image);
    for case in negative["cases"].as_array().unwrap() {
        let hash = |field: &str| case[field].as_str().map(|_| array(&case[field]));
        let expected = Expected {
            file_enc_sha256: hash("expected_file_enc_sha256"),
            file_sha256: hash("expected_file_sha256"),
        };
        let blob = bytes(&case["blob"]);
        for chunk in CHUNKS {
            let outcome = match decrypt(&keys, &expected, &blob, chunk).map(|_| ()) {
                Ok(()) => "ok",
                Err(MediaError::EncryptedHash) => "enc_hash_mismatch",
                Err(MediaError::TooShort) => "too_short",
                Err(MediaError::Mac) => "mac_mismatch",
                Err(MediaError::Length) => "bad_length",
                Err(MediaError::Padding) => "bad_padding",
                Err(MediaError::PlainHash) => "plain_hash_mismatch",
            };
            assert_eq!(outcome, case["expect"], "{} in chunks of {chunk}", case["name"]);
        }
    }
}

#[test]
fn a_blob_of_another_type_is_refused() {
    let (blob, _) = encrypt(&MediaKeys::expand(&[5; 32], MediaType::Image), b"hello", 5);
    let thumbnail = MediaKeys::expand(&[5; 32], MediaType::ImageThumbnail);
    assert_eq!(decrypt(&thumbnail, &Expected::default(), &blob, 5), Err(MediaError::Mac));
    let tried = MediaType::Image.thumbnail_types().iter();
    let found = tried.filter(|kind| {
        let keys = MediaKeys::expand(&[5; 32], **kind);
        decrypt(&keys, &Expected::default(), &blob, 5).is_ok()
    });
    assert_eq!(found.collect::<Vec<_>>(), [&MediaType::Image]);
}

#[test]
fn files_without_keys_are_only_hashed() {
    let file = content("newsletter", 3000);
    let hashed = || {
        let mut hash = FileHash::new();
        file.chunks(7).for_each(|chunk| hash.update(chunk));
        hash
    };
    let expected = Hashed { file_sha256: sha256(&file), file_length: 3000 };
    assert_eq!(hashed().finish(None), Ok(expected));
    assert_eq!(hashed().finish(Some(&expected.file_sha256)), Ok(expected));
    assert_eq!(hashed().finish(Some(&[0; 32])), Err(MediaError::PlainHash));
}

#[test]
fn retries_are_sealed_and_opened_as_in_the_vectors() {
    let vectors = vectors("media-retry");
    let requests = vectors["requests"].as_array().unwrap().iter();
    let requests = requests.map(|case| (case, "server_error_receipt_protobuf"));
    let answers = vectors["notifications"].as_array().unwrap().iter();
    for (case, text) in requests.chain(answers.map(|case| (case, "protobuf"))) {
        let key = RetryKey::new(&array(&case["media_key"])).unwrap();
        let (nonce, id) = (array(&case["iv"]), case["message_id"].as_str().unwrap());
        let (text, sealed) = (bytes(&case[text]), bytes(&case["enc_p"]));
        assert_eq!(key.seal(&nonce, id, &text).unwrap(), sealed);
        assert_eq!(key.open(&nonce, id, &sealed).unwrap(), text);
    }
    for case in vectors["negative"].as_array().unwrap() {
        let key = RetryKey::new(&array(&case["media_key"])).unwrap();
        let opened = key.open(&array(&case["iv"]), case["aad"].as_str().unwrap(), &bytes(&case["enc_p"]));
        match case["sealed_stanza_id"].as_str() {
            None => assert_eq!(opened, Err(AeadError::Tag), "{}", case["name"]),
            // Whoever reads the protobuf compares the ids.
            Some(inside) => {
                let text = opened.unwrap();
                assert!(text.windows(inside.len()).any(|part| part == inside.as_bytes()));
                assert_ne!(inside, case["aad"].as_str().unwrap());
            }
        }
    }
}

#[test]
fn nothing_secret_is_printed() {
    let keys = keys("image");
    let mut decryptor = Decryptor::new(&keys, &Expected::default());
    decryptor.update(&[1; 100], &mut Vec::new());
    assert_eq!(format!("{decryptor:?}"), "Decryptor { file_length: 64, .. }");
    assert_eq!(format!("{keys:?}"), "MediaKeys(..)");
    assert_eq!(format!("{:?}", Encryptor::new(&keys)), "Encryptor { file_length: 0, .. }");
    assert_eq!(
        format!("{:?}", BlobCheck::new(&keys, &Expected::default())),
        "BlobCheck { blob_length: 0, .. }"
    );
    assert_eq!(format!("{:?}", RetryKey::new(&[1; 32]).unwrap()), "RetryKey(Aes256Gcm(..))");
}

fn in_chunks(lengths: &[usize], bytes: &[u8], mut take: impl FnMut(&[u8])) {
    let mut rest = bytes;
    for length in lengths.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (chunk, after) = rest.split_at((*length).min(rest.len()));
        take(chunk);
        rest = after;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..Default::default() })]

    #[test]
    fn the_chunks_do_not_matter(
        length in prop_oneof![0..200_usize, 60_000..70_000_usize, 130_000..132_000_usize],
        chunks in prop::collection::vec(1..40_000_usize, 1..6),
        small in prop::collection::vec(1..100_usize, 1..6),
    ) {
        let keys = keys("video");
        let file = content("chunks", length);
        let (blob, facts) = encrypt(&keys, &file, usize::MAX);
        let chunks = if length < 1000 { &small } else { &chunks };

        let mut encryptor = Encryptor::new(&keys).with_sidecar(&keys);
        let mut again = Vec::new();
        in_chunks(chunks, &file, |chunk| encryptor.update(chunk, &mut again));
        prop_assert_eq!(encryptor.finish(&mut again), facts.clone());
        prop_assert_eq!(&again, &blob);

        let mut decryptor = Decryptor::new(&keys, &Expected::default());
        let mut sidecar = SidecarBuilder::new(&keys);
        let mut back = Vec::new();
        in_chunks(chunks, &blob, |chunk| {
            decryptor.update(chunk, &mut back);
            sidecar.update(chunk);
        });
        prop_assert_eq!(decryptor.finish(&mut back).unwrap().file_length, facts.file_length);
        prop_assert_eq!(back, file);
        prop_assert_eq!(Some(sidecar.finish()), facts.streaming_sidecar);
    }

    #[test]
    fn every_changed_or_missing_octet_is_found(
        length in 0..300_usize,
        at in any::<prop::sample::Index>(),
        bit in 0..8_u8,
    ) {
        let keys = keys("document");
        let (blob, facts) = encrypt(&keys, &content("flip", length), usize::MAX);
        let mut changed = blob.clone();
        let at = at.index(blob.len());
        changed[at] ^= 1 << bit;
        prop_assert_eq!(decrypt(&keys, &Expected::default(), &changed, 33), Err(MediaError::Mac));
        let named = Expected { file_enc_sha256: Some(facts.file_enc_sha256), file_sha256: None };
        prop_assert_eq!(decrypt(&keys, &named, &changed, 33), Err(MediaError::EncryptedHash));
        let cut = decrypt(&keys, &Expected::default(), &blob[..at], 33);
        prop_assert_eq!(cut, Err(if at < 26 { MediaError::TooShort } else { MediaError::Mac }));
    }

    #[test]
    fn every_part_is_the_part_of_the_file(
        length in prop_oneof![1..200_usize, 65_400..65_700_usize, 131_000..131_200_usize],
        ends in any::<(prop::sample::Index, prop::sample::Index)>(),
        chunk in 1..70_000_usize,
    ) {
        let keys = keys("audio");
        let file = content("part", length);
        let (blob, facts) = encrypt(&keys, &file, usize::MAX);
        let start = ends.0.index(length);
        let end = start + 1 + ends.1.index(length - start);
        let wanted = u64::try_from(start).unwrap()..u64::try_from(end).unwrap();
        let plan = RangePlan::unchecked(wanted.clone(), facts.blob_length).unwrap();
        let text = read(RangeReader::unchecked(&keys, plan.clone()), part(&blob, &plan.fetch()), chunk);
        prop_assert_eq!(text.as_deref(), Ok(&file[start..end]));

        let sidecar = Sidecar::new(&keys, &facts.streaming_sidecar.unwrap(), facts.blob_length).unwrap();
        let plan = RangePlan::checked(wanted, facts.blob_length).unwrap();
        let reader = RangeReader::checked(&keys, plan.clone(), sidecar).unwrap();
        let text = read(reader, part(&blob, &plan.fetch()), chunk);
        prop_assert_eq!(text.as_deref(), Ok(&file[start..end]));
    }
}
