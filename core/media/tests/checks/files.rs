//! Small files of every format, put together by hand.

/// A box of MP4.
pub(crate) fn part(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len() + 8).unwrap();
    [&length.to_be_bytes()[..], name, content].concat()
}

/// How a film is turned, as the first rows of its matrix say it.
pub(crate) fn rows(rotation: u16) -> (u32, u32) {
    match rotation {
        90 => (0, 0x0001_0000),
        180 => (0xffff_0000, 0),
        270 => (0, 0xffff_0000),
        _ => (0x0001_0000, 0),
    }
}

/// A track of MP4: pictures of a size, or sound.
pub(crate) fn track(handler: &[u8; 4], size: (u16, u16), rotation: u16, units: u32) -> Vec<u8> {
    let (a, b) = rows(rotation);
    let mut tkhd = vec![0; 40];
    for number in [a, b, 0, 0, 0, 0, 0, 0, 0x4000_0000, u32::from(size.0) << 16, u32::from(size.1) << 16] {
        tkhd.extend_from_slice(&number.to_be_bytes());
    }
    let mdhd = [&[0; 12][..], &1000_u32.to_be_bytes(), &units.to_be_bytes(), &[0; 4]].concat();
    let hdlr = [&[0; 8][..], handler, &[0; 13]].concat();
    let mdia = [part(b"mdhd", &mdhd), part(b"hdlr", &hdlr)].concat();
    part(b"trak", &[part(b"tkhd", &tkhd), part(b"mdia", &mdia)].concat())
}

/// The index of a film.
pub(crate) fn index(units: u32, tracks: &[Vec<u8>]) -> Vec<u8> {
    let mvhd = [&[0; 12][..], &1000_u32.to_be_bytes(), &units.to_be_bytes(), &[0; 80]].concat();
    part(b"moov", &[part(b"mvhd", &mvhd), tracks.concat()].concat())
}

/// What an MP4 begins with.
pub(crate) fn brand(name: &[u8; 4]) -> Vec<u8> {
    part(b"ftyp", &[&name[..], &[0; 4], b"isom"].concat())
}

/// A turned film with sound, its index in front or behind.
pub(crate) fn film(rotation: u16, index_first: bool) -> Vec<u8> {
    let tracks = [track(b"soun", (0, 0), 0, 2490), track(b"vide", (640, 360), rotation, 2500)];
    let (index, content) = (index(2500, &tracks), part(b"mdat", &[7; 100]));
    let rest = if index_first { [index, content].concat() } else { [content, index].concat() };
    [brand(b"isom"), rest].concat()
}

/// A page of Ogg with one packet.
pub(crate) fn page(granule: i64, serial: u32, packet: &[u8]) -> Vec<u8> {
    let mut segments = vec![255; packet.len() / 255];
    segments.push(u8::try_from(packet.len() % 255).unwrap());
    let count = u8::try_from(segments.len()).unwrap();
    let head =
        [b"OggS\0\0".as_slice(), &granule.to_le_bytes(), &serial.to_le_bytes(), &[0; 8], &[count]].concat();
    [head, segments, packet.to_vec()].concat()
}

/// A voice note of so many samples.
pub(crate) fn voice(samples: i64) -> Vec<u8> {
    let mut head = b"OpusHead\x01\x01".to_vec();
    head.extend_from_slice(&312_u16.to_le_bytes());
    head.extend_from_slice(&48_000_u32.to_le_bytes());
    head.extend_from_slice(&[0; 3]);
    let pages = [
        page(0, 5, &head),
        page(0, 5, b"OpusTags"),
        page(960, 5, &[8; 600]),
        page(samples + 312, 5, &[8; 9]),
    ];
    pages.concat()
}

/// A segment of JPEG.
pub(crate) fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).unwrap();
    [&[0xff, marker][..], &length.to_be_bytes(), content].concat()
}

/// A JPEG of 40 by 30 up to its frame header, with an orientation in either byte order.
pub(crate) fn jpeg(orientation: u16, big: bool) -> Vec<u8> {
    let exif = if big {
        let entry = [&0x0112_u16.to_be_bytes()[..], &[0, 3, 0, 0, 0, 1], &orientation.to_be_bytes(), &[0, 0]];
        [b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01".as_slice(), &entry.concat()].concat()
    } else {
        let entry = [&0x0112_u16.to_le_bytes()[..], &[3, 0, 1, 0, 0, 0], &orientation.to_le_bytes(), &[0, 0]];
        [b"Exif\0\0II\x2a\0\x08\0\0\0\x01\0".as_slice(), &entry.concat()].concat()
    };
    let frame = [8, 0, 30, 0, 40, 3, 1, 0x11, 0, 2, 0x11, 1, 3, 0x11, 1];
    [
        vec![0xff, 0xd8],
        segment(0xe0, b"JFIF\0"),
        segment(0xe1, &exif),
        segment(0xdb, &[0; 65]),
        segment(0xc2, &frame),
    ]
    .concat()
}

/// A PNG of 40 by 30 up to its pictures, with a count of them.
pub(crate) fn png(frames: Option<u32>) -> Vec<u8> {
    let chunk = |name: &[u8; 4], content: &[u8]| {
        let length = u32::try_from(content.len()).unwrap();
        [&length.to_be_bytes()[..], name, content, &[0; 4]].concat()
    };
    let header = chunk(b"IHDR", &[0, 0, 0, 40, 0, 0, 0, 30, 8, 6, 0, 0, 0]);
    let count = frames.map(|frames| chunk(b"acTL", &[&frames.to_be_bytes()[..], &[0; 4]].concat()));
    let parts =
        [b"\x89PNG\r\n\x1a\n".to_vec(), header, count.unwrap_or_default(), chunk(b"IDAT", &[1, 2, 3])];
    parts.concat()
}

/// A GIF of 40 by 30 with a global table of colours and so many pictures.
pub(crate) fn gif(frames: usize) -> Vec<u8> {
    let control = b"\x21\xf9\x04\0\x05\0\0\0";
    let picture = b"\x2c\0\0\0\0\x28\0\x1e\0\x80\x01\x02\x03\x04\x05\x06\x02\x03abc\0";
    let frame = [control.as_slice(), picture].concat();
    [b"GIF89a\x28\0\x1e\0\x81\0\0".as_slice(), &[0; 12], b"\x21\xff\x03xyz\0", &frame.repeat(frames), b"\x3b"]
        .concat()
}

/// A chunk of RIFF.
pub(crate) fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap();
    let padding: &[u8] = if content.len() % 2 == 1 { &[0] } else { &[] };
    [&name[..], &length.to_le_bytes(), content, padding].concat()
}

/// A file of RIFF.
pub(crate) fn riff(kind: &[u8; 4], chunks: &[Vec<u8>]) -> Vec<u8> {
    chunk(b"RIFF", &[&kind[..], &chunks.concat()].concat())
}

/// The picture of a WebP of 512 by 300, with loss.
pub(crate) fn lossy() -> Vec<u8> {
    chunk(b"VP8 ", &[0x30, 1, 0, 0x9d, 0x01, 0x2a, 0, 2, 0x2c, 1, 9])
}

/// The picture of a WebP of 512 by 300, without loss and with transparent parts.
pub(crate) fn lossless() -> Vec<u8> {
    let bits: u32 = 511 | 299 << 14 | 1 << 28;
    chunk(b"VP8L", &[&[0x2f][..], &bits.to_le_bytes(), &[1, 2, 3]].concat())
}

/// An animated WebP of 512 by 300 with so many pictures of 40 ms.
pub(crate) fn animation(frames: usize) -> Vec<u8> {
    let header = chunk(b"VP8X", &[2, 0, 0, 0, 0xff, 1, 0, 0x2b, 1, 0]);
    let frame = chunk(b"ANMF", &[&[0; 12][..], &[40, 0, 0, 0], &lossy()].concat());
    riff(b"WEBP", &[header, chunk(b"ANIM", &[0; 6]), frame.repeat(frames)])
}

/// A WAV of so many octets of sound, 8000 in a second.
pub(crate) fn wav(length: usize) -> Vec<u8> {
    let format = [1, 0, 1, 0, 0x40, 0x1f, 0, 0, 0x40, 0x1f, 0, 0, 1, 0, 8, 0];
    riff(b"WAVE", &[chunk(b"fmt ", &format), chunk(b"LIST", b"odd"), chunk(b"data", &vec![0; length])])
}

/// An MP3 of 128 kbit/s and 44,100 Hz in mono, behind a tag; with a count of frames or without.
pub(crate) fn mp3(frames: Option<u32>) -> Vec<u8> {
    let tag = [b"ID3\x04\0\0\0\0\x01\x00".as_slice(), &[0; 128]].concat();
    let mut first = vec![0; 16_000];
    first[..4].copy_from_slice(&[0xff, 0xfb, 0x90, 0xc0]);
    if let Some(frames) = frames {
        first[21..29].copy_from_slice(b"Xing\0\0\0\x01");
        first[29..33].copy_from_slice(&frames.to_be_bytes());
    }
    [tag, first].concat()
}

/// One of each, for whatever is to be tried on all.
pub(crate) fn all() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("jpeg", jpeg(6, true)),
        ("png", png(None)),
        ("png-animated", png(Some(5))),
        ("gif", gif(3)),
        ("webp-lossy", riff(b"WEBP", &[lossy()])),
        ("webp-lossless", riff(b"WEBP", &[lossless()])),
        ("webp-animated", animation(3)),
        ("voice", voice(48_000)),
        ("film", film(90, true)),
        ("film-index-behind", film(270, false)),
        ("sound-mp4", [brand(b"M4A "), index(1000, &[track(b"soun", (0, 0), 0, 1000)])].concat()),
        ("wav", wav(200)),
        ("mp3", mp3(Some(100))),
    ]
}
