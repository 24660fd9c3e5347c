//! Facts about small files of every format, and that no octets break anything.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a panic is the test's report"
)]

#[expect(dead_code, reason = "shared with tests that look at other formats")]
mod checks;
#[path = "checks/files.rs"]
mod files;

use std::path::Path;
use std::time::Duration;
use std::{fs, io};

use files::*;
use proptest::prelude::*;
use whimbrel_media::*;

fn facts(file: &[u8]) -> Media {
    checks::media_probe(file).unwrap_or_else(|| panic!("{:?}", probe(&mut &*file)))
}

fn image(file: &[u8]) -> Image {
    match facts(file) {
        Media::Image(image) => image,
        other => panic!("{other:?}"),
    }
}

fn film_of(file: &[u8]) -> Film {
    match facts(file) {
        Media::Film(film) => film,
        other => panic!("{other:?}"),
    }
}

fn sound(file: &[u8]) -> Sound {
    match facts(file) {
        Media::Sound(sound) => sound,
        other => panic!("{other:?}"),
    }
}

fn error(file: &[u8]) -> ProbeError {
    checks::media_probe(file);
    probe(&mut &*file).unwrap_err()
}

#[test]
fn a_jpeg_is_as_large_as_it_is_shown() {
    for big in [false, true] {
        for orientation in 1..=8 {
            let image = image(&jpeg(orientation, big));
            let size = if orientation >= 5 { (30, 40) } else { (40, 30) };
            assert_eq!(((image.width, image.height), u16::from(image.orientation)), (size, orientation));
        }
        // A number that is no orientation changes nothing.
        assert_eq!(image(&jpeg(9, big)).orientation, 1);
    }
    assert_eq!(facts(&jpeg(1, true)).mime(), "image/jpeg");
    let scan = [vec![0xff, 0xd8], segment(0xda, &[0; 10])].concat();
    assert_eq!(error(&scan), ProbeError::Damaged("no frame header"));
}

#[test]
fn pictures_of_other_formats_are_known_too() {
    let size = |image: Image| (image.format, image.width, image.height, image.frames);
    assert_eq!(size(image(&png(None))), (ImageFormat::Png, 40, 30, 1));
    assert_eq!(size(image(&png(Some(5)))), (ImageFormat::Png, 40, 30, 5));
    let moving = image(&gif(3));
    assert_eq!(size(moving), (ImageFormat::Gif, 40, 30, 3));
    assert_eq!(moving.duration, Duration::from_millis(150));
    // Without its end.
    let file = gif(2);
    assert_eq!(image(&file[..file.len() - 1]).frames, 2);
    assert_eq!(error(&gif(0)), ProbeError::Damaged("no block where one must be"));
    for picture in [lossy(), lossless()] {
        assert_eq!(size(image(&riff(b"WEBP", &[picture]))), (ImageFormat::WebP, 512, 300, 1));
    }
}

#[test]
fn the_first_picture_of_a_sticker_ends_where_its_chunk_does() {
    let moving = image(&animation(3));
    assert_eq!((moving.width, moving.height, moving.frames), (512, 300, 3));
    assert_eq!(moving.duration, Duration::from_millis(120));
    let frame = 8 + 16 + u64::try_from(lossy().len()).unwrap();
    assert_eq!(moving.first_frame_length, Some(12 + 18 + 14 + frame));
    assert_eq!(error(&animation(0)), ProbeError::Damaged("an animation without pictures"));
}

#[test]
fn a_film_is_known_wherever_its_index_stands() {
    for rotation in [0, 90, 180, 270] {
        for index_first in [true, false] {
            let film = film_of(&film(rotation, index_first));
            let size = if rotation % 180 == 0 { (640, 360) } else { (360, 640) };
            assert_eq!(
                ((film.width, film.height), film.rotation, film.streams),
                (size, rotation, index_first)
            );
            assert_eq!(film.duration, Some(Duration::from_millis(2500)));
            assert!(film.has_sound && !film.quick_time);
        }
    }
    assert_eq!(facts(&film(0, true)).mime(), "video/mp4");
    let silent = [brand(b"qt  "), index(0, &[track(b"vide", (2, 2), 0, 1500)])].concat();
    assert_eq!(facts(&silent).mime(), "video/quicktime");
    let silent = film_of(&silent);
    assert_eq!((silent.has_sound, silent.duration), (false, Some(Duration::from_millis(1500))));
}

#[test]
fn a_film_in_fragments_says_how_long_it_is_if_at_all() {
    let long = part(b"mvex", &part(b"mehd", &[&[0; 4][..], &7000_u32.to_be_bytes()].concat()));
    for (extra, duration) in [(long, 7000), (Vec::new(), 0)] {
        let index = index(0, &[track(b"vide", (2, 2), 0, 0), extra]);
        let film = film_of(&[brand(b"iso5"), index].concat());
        assert_eq!(film.duration, Some(Duration::from_millis(duration)));
    }
    let unknown = [brand(b"isom"), index(u32::MAX, &[track(b"vide", (2, 2), 0, u32::MAX)])].concat();
    assert_eq!(film_of(&unknown).duration, None);
}

#[test]
fn an_mp4_without_pictures_is_sound() {
    let file = [brand(b"M4A "), index(1000, &[track(b"soun", (0, 0), 0, 1000)])].concat();
    assert_eq!(facts(&file).mime(), "audio/mp4");
    assert_eq!(sound(&file).duration, Some(Duration::from_secs(1)));
    assert_eq!(error(&brand(b"heic")), ProbeError::NotDecoded);
    assert_eq!(error(&brand(b"isom")), ProbeError::Truncated);
    let short = [brand(b"isom"), vec![0, 0, 0, 3, b'm', b'o', b'o', b'v', 0, 0]].concat();
    assert_eq!(error(&short), ProbeError::Damaged("a part shorter than its header"));
}

#[test]
fn a_voice_note_is_as_long_as_its_last_page_says() {
    let note = voice(48_000 * 3 / 2);
    let known = sound(&note);
    assert_eq!((known.duration, known.channels), (Some(Duration::from_millis(1500)), Some(1)));
    assert_eq!(facts(&note).mime(), "audio/ogg; codecs=opus");
    // Something of another stream behind, and pages on which no packet ends.
    let mixed = [note.clone(), page(-1, 5, b"x"), page(99_999_999, 6, b"y")].concat();
    assert_eq!(sound(&mixed).duration, Some(Duration::from_millis(1500)));
    let far = [note, page(-1, 6, &[0; 60_000]), page(-1, 6, &[0; 60_000])].concat();
    assert_eq!(sound(&far).duration, Some(Duration::from_millis(1500)));
    assert_eq!(sound(&voice(-100)).duration, Some(Duration::ZERO));
    assert_eq!(error(&voice(i64::MAX - 312)), ProbeError::Damaged("a sound of years"));
    let vorbis = page(0, 1, b"\x01vorbis and more");
    assert_eq!(error(&vorbis), ProbeError::Unknown);
}

/// A note of packets of 20 ms with these sizes.
fn spoken(sizes: &[usize]) -> Vec<u8> {
    let mut note =
        [page(0, 5, b"OpusHead\x01\x01\x38\x01\x80\xbb\0\0\0\0\0"), page(0, 5, b"OpusTags")].concat();
    for (number, size) in (1..).zip(sizes) {
        // A frame of 20 ms, by the first octet.
        note.extend_from_slice(&page(number * 960, 5, &vec![0x08; *size]));
    }
    note
}

#[test]
fn the_shape_of_a_voice_note_follows_the_sizes_of_its_packets() {
    let shape = |sizes: &[usize]| approximate_waveform(&mut spoken(sizes).as_slice()).unwrap();
    // Silence, speech, silence; one packet spans several segments.
    let sizes: Vec<_> = (0..192).map(|number| if (48..144).contains(&number) { 300 } else { 3 }).collect();
    let expected = [[0; 16], [100; 16], [100; 16], [0; 16]].concat();
    assert_eq!(shape(&sizes).unwrap()[..], expected);
    // Fewer packets than values.
    assert_eq!(shape(&[3, 103]).unwrap()[..], [[0; 32], [100; 32]].concat());
    assert_eq!(shape(&[80; 100]), None);
    assert_eq!(shape(&[]), None);
    assert_eq!(
        approximate_waveform(&mut wav(100).as_slice()),
        Err(ProbeError::Damaged("no page where one must be"))
    );
}

#[test]
fn other_sounds_are_known_too() {
    let wav = sound(&wav(2000));
    assert_eq!((wav.duration, wav.channels), (Some(Duration::from_millis(250)), Some(1)));
    // 100 frames of 1152 samples.
    let counted = sound(&mp3(Some(100))).duration.unwrap();
    assert_eq!(counted.as_millis(), 2612);
    // 16,000 octets of 128 kbit/s.
    assert_eq!(sound(&mp3(None)).duration, Some(Duration::from_secs(1)));
    assert_eq!(facts(&mp3(None)).mime(), "audio/mpeg");
}

#[test]
fn what_is_not_known_is_said_to_be_so() {
    for file in [b"".as_slice(), b"short", b"%PDF-1.7 and more than twelve octets", &[0; 100]] {
        assert_eq!(error(file), ProbeError::Unknown);
    }
    struct Broken;
    impl Source for Broken {
        fn length(&self) -> u64 {
            100
        }
        fn read_at(&mut self, _: u64, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::PermissionDenied.into())
        }
    }
    assert_eq!(probe(&mut Broken), Err(ProbeError::Read(io::ErrorKind::PermissionDenied)));
}

fn pack() -> StickerPack {
    StickerPack {
        id: Some("com.example.pack".into()),
        name: Some("Vögel".into()),
        publisher: Some("nobody".into()),
        emojis: vec!["🐦".into(), "🪶".into()],
        accessibility_text: Some("a bird".into()),
        android_link: Some("https://example.com/a".into()),
        ios_link: Some("https://example.com/i".into()),
        is_avatar: true,
        is_first_party: true,
        is_from_sticker_maker: true,
    }
}

#[test]
fn a_sticker_says_which_pack_it_belongs_to() {
    let extended = riff(b"WEBP", &[chunk(b"VP8X", &[0x10, 0, 0, 0, 0xff, 1, 0, 0x2b, 1, 0]), lossless()]);
    let odd = riff(b"WEBP", &[lossy(), chunk(b"XMP ", b"odd")]);
    for file in [riff(b"WEBP", &[lossy()]), riff(b"WEBP", &[lossless()]), extended, odd, animation(2)] {
        assert_eq!(read_sticker_pack(&mut file.as_slice()), Ok(None));
        let written = write_sticker_pack(&file, &pack()).unwrap();
        assert_eq!(read_sticker_pack(&mut written.as_slice()), Ok(Some(pack())));
        // The extended header says that there is EXIF, and what is transparent stays so.
        assert_eq!(&written[12..16], b"VP8X");
        assert_eq!(written[20] & 8, 8);
        let (before, after) = (image(&file), image(&written));
        assert_eq!((before.width, before.height, before.frames), (after.width, after.height, after.frames));
        let again = write_sticker_pack(&written, &StickerPack::default()).unwrap();
        assert_eq!(read_sticker_pack(&mut again.as_slice()), Ok(Some(StickerPack::default())));
    }
    let written = write_sticker_pack(&riff(b"WEBP", &[lossless()]), &pack()).unwrap();
    assert_eq!(written[20], 0x18);
}

#[test]
fn the_exif_of_a_sticker_is_the_one_of_the_protocol() {
    let pack = StickerPack { id: Some("x".into()), ..StickerPack::default() };
    let written = write_sticker_pack(&riff(b"WEBP", &[lossy()]), &pack).unwrap();
    let json = br#"{"sticker-pack-id":"x"}"#;
    let mut exif = vec![0x49, 0x49, 0x2a, 0, 8, 0, 0, 0, 1, 0, 0x41, 0x57, 7, 0];
    exif.extend_from_slice(&u32::try_from(json.len()).unwrap().to_le_bytes());
    exif.extend_from_slice(&[0x16, 0, 0, 0]);
    exif.extend_from_slice(json);
    assert!(written.ends_with(&chunk(b"EXIF", &exif)));
    assert_eq!(
        written.len(),
        8 + usize::try_from(u32::from_le_bytes(written[4..8].try_into().unwrap())).unwrap()
    );
}

#[test]
fn what_other_programs_write_into_stickers_is_read_leniently() {
    let read = |json: &[u8], before: &[u8]| {
        let length = u32::try_from(json.len()).unwrap();
        let head =
            [b"II\x2a\0\x08\0\0\0\x01\0AW\x07\0".as_slice(), &length.to_le_bytes(), &22_u32.to_le_bytes()];
        let exif = [before, &head.concat(), json].concat();
        read_sticker_pack(&mut riff(b"WEBP", &[lossy(), chunk(b"EXIF", &exif)]).as_slice()).unwrap()
    };
    let json = br#"{"sticker-pack-id":7,"sticker-pack-name":"n","emojis":["a",1],"is-avatar-sticker":true,"new":{}}"#;
    let expected = StickerPack {
        name: Some("n".into()),
        emojis: vec!["a".into()],
        is_avatar: true,
        ..StickerPack::default()
    };
    assert_eq!(read(json, b""), Some(expected.clone()));
    assert_eq!(read(json, b"Exif\0\0"), Some(expected));
    assert_eq!(read(b"{", b""), None);
    assert_eq!(read(b"[]", b""), None);
    let huge = StickerPack { name: Some("x".repeat(70_000)), ..StickerPack::default() };
    let file = riff(b"WEBP", &[lossy()]);
    assert_eq!(write_sticker_pack(&file, &huge), Err(ProbeError::TooComplex));
    assert_eq!(write_sticker_pack(&png(None), &pack()), Err(ProbeError::Unknown));
}

/// Every file cut at every length, and with every octet set to what is uncommon.
#[test]
fn all_small_damage_is_borne() {
    for (_, file) in all() {
        facts(&file);
        for at in 0..file.len().min(700) {
            checks::media_probe(&file[..at]);
            for octet in [0, 1, 0x7f, 0x80, 0xff] {
                let mut altered = file.clone();
                altered[at] = octet;
                checks::media_probe(&altered);
            }
        }
    }
}

#[test]
fn the_corpus_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/media_probe");
    let mut known = 0;
    for entry in fs::read_dir(folder).unwrap() {
        known += u32::from(checks::media_probe(&fs::read(entry.unwrap().path()).unwrap()).is_some());
    }
    assert!(known >= 12, "only {known} files are known");
}

#[test]
fn the_decoders_hold_on_their_corpus() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/media_decode");
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 5, "only {} files", files.len());
    for file in files {
        checks::media_decode(&fs::read(file).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 256, ..Default::default() })]

    #[test]
    fn changed_files_break_nothing(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..5_usize, prop::collection::vec(any::<u8>(), 0..5)), 1..4),
    ) {
        let mut files = all();
        let mut file = files.swap_remove(which.index(files.len())).1;
        for (at, cut, insert) in changes {
            let start = at.index(file.len() + 1);
            let end = file.len().min(start + cut);
            file.splice(start..end, insert);
        }
        checks::media_probe(&file);
    }

    #[test]
    fn no_bytes_break_anything(
        start in prop::sample::select(vec![b"\xff\xd8\xff".as_slice(), b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\0\0\0\0WEBP", b"RIFF\0\0\0\0WAVE", b"OggS", b"\0\0\0\x08ftyp", b"ID3", b""]),
        rest in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        checks::media_probe(&[start, &rest].concat());
    }
}
