//! Packs that are made are read again as they were, and no archive breaks anything or leads elsewhere.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is the test's report")]

#[expect(dead_code, reason = "shared with tests that look at other formats")]
mod checks;
#[path = "checks/files.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod files;

use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::Crc;
use flate2::write::DeflateEncoder;
use proptest::prelude::*;
use whimbrel_media::*;

fn still() -> Vec<u8> {
    files::riff(b"WEBP", &[files::lossless()])
}

fn pack() -> StickerPack {
    let text = |text: &str| Some(text.to_owned());
    StickerPack { id: text("p1"), name: text("Birds"), publisher: text("Zoë"), ..StickerPack::default() }
}

fn new(webp: Vec<u8>) -> NewPackSticker {
    NewPackSticker { webp, ..NewPackSticker::default() }
}

fn read(archive: &[u8]) -> Result<Vec<PackFile>, PackError> {
    let mut files = Vec::new();
    read_pack(&mut &*archive, |file| {
        files.push(file);
        Ok::<(), PackError>(())
    })?;
    Ok(files)
}

/// A file of an archive that is put together by hand.
#[derive(Clone)]
struct Part {
    /// In the list, and in front of the file.
    names: [String; 2],
    method: u16,
    flags: u16,
    crc: u32,
    length: u32,
    stored: Vec<u8>,
    /// Lies on the first file of the archive.
    on_first: bool,
}

impl Part {
    fn stored(name: &str, content: &[u8]) -> Self {
        let mut crc = Crc::new();
        crc.update(content);
        Self {
            names: [name.to_owned(), name.to_owned()],
            method: 0,
            flags: 0,
            crc: crc.sum(),
            length: u32::try_from(content.len()).unwrap(),
            stored: content.to_vec(),
            on_first: false,
        }
    }

    fn deflated(name: &str, content: &[u8]) -> Self {
        let mut encoder = DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(content).unwrap();
        Self { method: 8, stored: encoder.finish().unwrap(), ..Self::stored(name, content) }
    }
}

fn archive(parts: &[Part]) -> Vec<u8> {
    let (mut out, mut list) = (Vec::new(), Vec::new());
    for part in parts {
        let offset = if part.on_first { 0 } else { u32::try_from(out.len()).unwrap() };
        let head = |name: &str| {
            let mut head = Vec::new();
            for number in [20_u16, part.flags, part.method, 0, 0] {
                head.extend_from_slice(&number.to_le_bytes());
            }
            for number in [part.crc, u32::try_from(part.stored.len()).unwrap(), part.length] {
                head.extend_from_slice(&number.to_le_bytes());
            }
            head.extend_from_slice(&u16::try_from(name.len()).unwrap().to_le_bytes());
            head.extend_from_slice(&[0; 2]);
            head
        };
        if !part.on_first {
            out.extend_from_slice(b"PK\x03\x04");
            out.extend_from_slice(&head(&part.names[1]));
            out.extend_from_slice(part.names[1].as_bytes());
            out.extend_from_slice(&part.stored);
        }
        list.extend_from_slice(b"PK\x01\x02\x14\0");
        list.extend_from_slice(&head(&part.names[0]));
        list.extend_from_slice(&[0; 10]);
        list.extend_from_slice(&offset.to_le_bytes());
        list.extend_from_slice(part.names[0].as_bytes());
    }
    let (offset, length) = (u32::try_from(out.len()).unwrap(), u32::try_from(list.len()).unwrap());
    let count = u16::try_from(parts.len()).unwrap().to_le_bytes();
    out.extend_from_slice(&list);
    out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    out.extend_from_slice(&count);
    out.extend_from_slice(&count);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&offset.to_le_bytes());
    out.extend_from_slice(&[0; 2]);
    out
}

#[test]
fn a_pack_is_read_as_it_was_made() {
    let mut first = new(still());
    first.emojis = vec!["🐦".to_owned()];
    first.accessibility_text = Some("a finch".to_owned());
    let second = new(files::animation(3));
    let made = make_sticker_pack(&pack(), vec![first, second], None).unwrap();
    assert_eq!(made.tray_icon, "p1.webp");
    assert_eq!(made.stickers.iter().map(|sticker| sticker.is_animated).collect::<Vec<_>>(), [false, true]);
    let found = read(&made.archive).unwrap();
    assert_eq!(found.len(), 3);
    assert_eq!(found[2].webp, found[0].webp, "the first stands for the pack");
    assert_eq!(made.length, (found[0].webp.len() + found[1].webp.len()) as u64);
    let said = found[0].pack.clone().unwrap();
    assert_eq!((said.name.as_deref(), said.publisher.as_deref()), (Some("Birds"), Some("Zoë")));
    assert_eq!((said.emojis, said.accessibility_text), (vec!["🐦".to_owned()], Some("a finch".to_owned())));
    assert_eq!(found[0].name, made.stickers[0].file_name);
    assert!(found[0].name.len() == 48 && found[0].name.ends_with(".webp"), "a hash: {}", found[0].name);
    // What a sticker says of itself stays, if nothing else is said.
    let again = make_sticker_pack(&pack(), vec![new(found[0].webp.clone())], Some(still())).unwrap();
    assert_eq!(again.stickers[0], made.stickers[0]);
    assert_eq!(read(&again.archive).unwrap()[1].webp, still());
    checks::sticker_pack(&made.archive);
}

#[test]
fn packs_that_no_client_takes_are_not_made() {
    let one = || vec![new(still())];
    let made = |pack: &StickerPack, stickers, tray| make_sticker_pack(pack, stickers, tray).unwrap_err();
    assert_eq!(made(&pack(), Vec::new(), None), PackError::Count);
    assert_eq!(made(&pack(), vec![new(still()); PACK_STICKERS + 1], None), PackError::Count);
    assert_eq!(made(&pack(), vec![new(still()); 2], None), PackError::Twice(1));
    assert_eq!(made(&pack(), vec![new(b"GIF89a".to_vec())], None), PackError::NoSticker(Some(0)));
    assert_eq!(made(&pack(), one(), Some(b"icon".to_vec())), PackError::NoSticker(None));
    assert_eq!(made(&pack(), vec![new(vec![0; (1 << 20) + 1])], None), PackError::TooLong);
    for id in ["", "../p", "a/b", ".p", "ä", &"x".repeat(129)] {
        let pack = StickerPack { id: Some(id.to_owned()), ..pack() };
        assert_eq!(made(&pack, one(), None), PackError::BadId, "{id}");
    }
}

#[test]
fn archives_of_other_programs_are_read() {
    let other = Part { flags: 8, ..Part::deflated("second one.webp", &files::animation(2)) };
    let text = Part::stored("contents.json", b"{}");
    let found = read(&archive(&[Part::stored("tray.webp", &still()), text, other])).unwrap();
    let names: Vec<&str> = found.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["tray.webp", "second one.webp"], "what is no picture is left out");
    // With a comment behind it.
    let mut commented = archive(&[Part::stored("a.webp", &still())]);
    let at = commented.len() - 2;
    commented.splice(at.., [5, 0]);
    commented.extend_from_slice(b"hello");
    assert_eq!(read(&commented).unwrap().len(), 1);
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let bad = [
        "../a.webp",
        "/a.webp",
        "a/b.webp",
        "a\\b.webp",
        "C:a.webp",
        "",
        ".",
        "..",
        ".a.webp",
        "a\0.webp",
        "a.webp ",
        "a.webp.",
        "con.webp",
        "Lpt1.webp",
        "nul",
        "a\u{202e}.webp",
        "folder/",
    ];
    for name in bad {
        let error = read(&archive(&[Part::stored(name, &still())])).unwrap_err();
        assert!(matches!(error, PackError::Refused(_)), "{name}: {error}");
    }
    let long = format!("{}.webp", "a".repeat(200));
    assert!(matches!(read(&archive(&[Part::stored(&long, &still())])), Err(PackError::Refused(_))));
    let twice = [Part::stored("a.webp", &still()), Part::stored("A.webp", &still())];
    assert_eq!(read(&archive(&twice)), Err(PackError::Refused("two of its files have one name")));
    let mut two = Part::stored("a.webp", &still());
    two.names[1] = "b.webp".to_owned();
    assert_eq!(read(&archive(&[two])), Err(PackError::Refused("a file is two files")));
}

#[test]
fn archives_that_would_grow_or_lie_are_refused() {
    let name = |number: usize| format!("{number}.webp");
    let many: Vec<Part> = (0..101).map(|number| Part::stored(&name(number), &still())).collect();
    assert_eq!(read(&archive(&many)), Err(PackError::Refused("it has too many files")));
    // A bomb: a MiB is the most that a file has, whatever it says.
    let bomb = Part::deflated("a.webp", &vec![0; (1 << 20) + 1]);
    assert_eq!(read(&archive(std::slice::from_ref(&bomb))), Err(PackError::TooLong));
    let lying = Part { length: 100, ..bomb };
    assert_eq!(read(&archive(&[lying])), Err(PackError::Damaged("a file is not what was announced")));
    let lying = Part { length: 1 << 20, ..Part::deflated("a.webp", &still()) };
    assert_eq!(read(&archive(&[lying])), Err(PackError::Damaged("a file is not what was announced")));
    // Many that lie on one: the names differ, so that reading would show it, and the lengths alone do.
    let first = Part::stored("0.webp", &[0; 5000]);
    let rest = (1..20).map(|number| Part { names: [name(number), name(0)], on_first: true, ..first.clone() });
    let heap: Vec<Part> = std::iter::once(first.clone()).chain(rest).collect();
    assert_eq!(read(&archive(&heap)), Err(PackError::Refused("its files lie on each other")));
    let wrong = Part { crc: 1, ..Part::stored("a.webp", &still()) };
    assert_eq!(read(&archive(&[wrong])), Err(PackError::Damaged("a file is not what was announced")));
    let sealed = Part { flags: 1, ..Part::stored("a.webp", &still()) };
    assert_eq!(read(&archive(&[sealed])), Err(PackError::Refused("its files are encrypted")));
    let unusual = Part { method: 12, ..Part::stored("a.webp", &still()) };
    assert!(matches!(read(&archive(&[unusual])), Err(PackError::Refused(_))));
    let two_lengths = Part { length: 3, ..Part::stored("a.webp", &still()) };
    assert_eq!(read(&archive(&[two_lengths])), Err(PackError::Damaged("a file has two lengths")));
    assert_eq!(read(b""), Err(PackError::Damaged("it has no end")));
    let whole = archive(&[Part::stored("a.webp", &still())]);
    for at in 0..whole.len() {
        assert!(read(&whole[..at]).is_err(), "{at}");
        let mut altered = whole.clone();
        altered[at] ^= 0xff;
        checks::sticker_pack(&altered);
    }
}

#[test]
fn the_corpus_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/sticker_pack");
    let mut pictures = 0;
    for entry in fs::read_dir(folder).unwrap() {
        pictures += checks::sticker_pack(&fs::read(entry.unwrap().path()).unwrap());
    }
    assert!(pictures >= 4, "{pictures}");
}

/// Writes the corpus anew: `WHIMBREL_BLESS=1 cargo test -p whimbrel-media --test pack`.
#[test]
fn the_corpus_is_written_on_demand() {
    if std::env::var_os("WHIMBREL_BLESS").is_none() {
        return;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/sticker_pack");
    fs::create_dir_all(&folder).unwrap();
    let made = make_sticker_pack(&pack(), vec![new(still()), new(files::animation(2))], None).unwrap();
    let deflated = Part::deflated("a.webp", &still());
    let files = [
        ("made", made.archive),
        ("deflated", archive(std::slice::from_ref(&deflated))),
        ("elsewhere", archive(&[Part::stored("../a.webp", &still())])),
        ("mixed", archive(&[deflated, Part::stored("b.txt", b"hi")])),
    ];
    for (name, file) in files {
        fs::write(folder.join(name), file).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 256, ..Default::default() })]

    #[test]
    fn changed_archives_break_nothing(
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..5_usize, prop::collection::vec(any::<u8>(), 0..5)), 1..4),
    ) {
        let mut file = archive(&[Part::stored("a.webp", &still()), Part::deflated("b.webp", &files::animation(2))]);
        for (at, cut, insert) in changes {
            let start = at.index(file.len() + 1);
            let end = file.len().min(start + cut);
            file.splice(start..end, insert);
        }
        checks::sticker_pack(&file);
    }
}
