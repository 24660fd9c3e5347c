//! Waveforms are those of the sound.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is the test's report")]

use proptest::prelude::*;
use whimbrel_media::*;

#[path = "checks/files.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod files;

/// Four seconds by another program's encoder: louder and louder, silence, half as loud, nearly silence,
/// softer and softer.
const VOICE: &[u8] = include_bytes!("../../../tests/vectors/media/voice.opus");
const STEREO: &[u8] = include_bytes!("../../../tests/vectors/media/music-stereo.opus");

/// How loud it was before it was encoded, from 0 to 100.
fn loudness(second: f64) -> f64 {
    match second {
        second if second < 1.0 => second * 100.0,
        second if second < 1.5 => 0.0,
        second if second < 2.5 => 50.0,
        second if second < 3.0 => 2.0,
        second => (4.0 - second) * 100.0,
    }
}

fn of(mut file: &[u8]) -> Result<Option<Waveform>, ProbeError> {
    waveform(&mut file)
}

#[test]
fn a_voice_note_is_listened_to() {
    let found = of(VOICE).unwrap().unwrap();
    assert!(found.exact);
    assert!(found.values.contains(&100));
    let mut off = 0.0;
    for (slice, value) in (0_u8..).zip(found.values) {
        let wanted = loudness((f64::from(slice) + 0.5) * 4.0 / 64.0);
        let distance = (f64::from(value) - wanted).abs();
        off += distance;
        assert!(distance < 25.0, "slice {slice} is {value}, not {wanted}");
    }
    assert!(off / 64.0 < 6.0, "{} off on average", off / 64.0);
    // The sizes of its packets say less.
    assert_ne!(approximate_waveform(&mut &*VOICE).unwrap(), Some(found.values));
}

#[test]
fn two_channels_are_mixed() {
    let found = of(STEREO).unwrap().unwrap();
    assert!(found.exact);
    let quarter =
        |from: usize| found.values[from..from + 16].iter().map(|value| u32::from(*value)).sum::<u32>();
    assert!(quarter(0) < quarter(16) && quarter(16) < quarter(32) && quarter(32) < quarter(48));
}

#[test]
fn what_cannot_be_decoded_is_guessed() {
    // Packets that announce more frames than there may be, of very different sizes.
    let mut file = files::voice(48_000);
    let at = file.windows(600).position(|packet| packet.iter().all(|octet| *octet == 8)).unwrap();
    file[at..at + 2].copy_from_slice(&[0x0b, 0x3f]);
    let found = of(&file).unwrap().unwrap();
    assert!(!found.exact && found.values.contains(&100) && found.values.contains(&0));
    file.truncate(60);
    assert!(of(&file).is_err());
    assert_eq!(of(&files::mp3(None)), Err(ProbeError::Unknown));
}

/// A WAV of one or more channels.
fn wav(format: u16, channels: u16, bits: u16, data: &[u8]) -> Vec<u8> {
    let frame = channels * bits / 8;
    let fields = [
        &format.to_le_bytes()[..],
        &channels.to_le_bytes(),
        &8000_u32.to_le_bytes(),
        &(8000 * u32::from(frame)).to_le_bytes(),
        &frame.to_le_bytes(),
        &bits.to_le_bytes(),
    ];
    files::riff(b"WAVE", &[files::chunk(b"fmt ", &fields.concat()), files::chunk(b"data", data)])
}

#[test]
fn pcm_has_exactly_its_means() {
    // Sixty-four slices of ten samples, the n-th of them n times 100, up and down.
    let samples: Vec<i16> =
        (0..640_i16).map(|at| (at / 10) * 100 * if at % 2 == 0 { 1 } else { -1 }).collect();
    let wanted: Vec<u8> = (0..64_u16).map(|slice| u8::try_from(slice * 100 / 63).unwrap()).collect();
    let octets = |write: &dyn Fn(i16) -> Vec<u8>| {
        samples.iter().flat_map(|sample| write(*sample)).collect::<Vec<u8>>()
    };
    for (format, bits, data) in [
        (1, 16, octets(&|sample| sample.to_le_bytes().to_vec())),
        (1, 24, octets(&|sample| [&[0][..], &sample.to_le_bytes()].concat())),
        (1, 32, octets(&|sample| [&[0, 0][..], &sample.to_le_bytes()].concat())),
        (3, 32, octets(&|sample| (f32::from(sample) / 32_767.0 * 1.000_01).to_le_bytes().to_vec())),
    ] {
        let found = of(&wav(format, 1, bits, &data)).unwrap().unwrap();
        assert!(found.exact);
        assert_eq!(found.values.to_vec(), wanted, "{format} {bits}");
    }
    // Only the first of two channels counts.
    let both = octets(&|sample| [sample.to_le_bytes(), [0xff, 0x7f]].concat());
    assert_eq!(of(&wav(1, 2, 16, &both)).unwrap().unwrap().values.to_vec(), wanted);
    let eight: Vec<u8> = (0..64).map(|slice: u8| if slice < 32 { 128 } else { 255 }).collect();
    let found = of(&wav(1, 1, 8, &eight)).unwrap().unwrap().values;
    assert!(found[..32].iter().all(|value| *value == 0) && found[32..].iter().all(|value| *value == 100));
    // Silence is a flat line, and what is no PCM has no shape.
    assert_eq!(of(&wav(1, 1, 16, &[0; 200])).unwrap().unwrap().values, [0; WAVEFORM]);
    assert_eq!(of(&wav(6, 1, 8, &[0; 200])), Ok(None));
    assert_eq!(of(&wav(1, 1, 16, &[])), Ok(None));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 30, ..Default::default() })]

    #[test]
    fn damaged_notes_have_a_shape_or_none(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..30),
    ) {
        let mut file = VOICE.to_vec();
        for (at, octet) in changes {
            let at = at.index(file.len());
            file[at] = octet;
        }
        if let Ok(Some(found)) = of(&file) {
            prop_assert!(found.values.iter().all(|value| *value <= 100));
        }
    }
}
