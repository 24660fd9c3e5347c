//! Thumbnails look like their pictures, and no picture breaks anything.
#![expect(clippy::unwrap_used, reason = "a panic is the test's report")]

use png::{BitDepth, ColorType, Encoder};
use proptest::prelude::*;
use whimbrel_media::*;
use zune_core::bytestream::ZCursor;
use zune_jpeg::JpegDecoder;

/// A picture whose red grows to the right and whose green grows downwards.
fn gradient(width: u32, height: u32, colours: ColorType) -> Vec<u8> {
    let mut data = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let (red, green) = (x * 255 / width, y * 255 / height);
            let [red, green] = [red, green].map(|colour| u8::try_from(colour).unwrap());
            match colours {
                ColorType::Rgb => data.extend_from_slice(&[red, green, 0]),
                ColorType::Rgba => data.extend_from_slice(&[red, green, 0, 255]),
                ColorType::GrayscaleAlpha => data.extend_from_slice(&[0, red]),
                ColorType::Grayscale | ColorType::Indexed => data.push(green),
            }
        }
    }
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, width, height);
    encoder.set_color(colours);
    encoder.set_depth(BitDepth::Eight);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&data).unwrap();
    writer.finish().unwrap();
    out
}

fn options(longest_edge: u16, quality: u8) -> ThumbnailOptions {
    ThumbnailOptions { longest_edge, quality, ..ThumbnailOptions::default() }
}

/// The picture as another program decodes it.
fn decoded(made: &Thumbnail) -> Vec<[u8; 3]> {
    let Ok(Media::Image(image)) = probe(&mut made.jpeg.as_slice()) else { unreachable!("no picture") };
    assert_eq!((image.width, image.height), (made.width.into(), made.height.into()));
    let pixels = JpegDecoder::new(ZCursor::new(&made.jpeg)).decode().unwrap();
    let pixels = pixels.as_chunks::<3>().0.to_vec();
    assert_eq!(pixels.len(), usize::from(made.width) * usize::from(made.height));
    pixels
}

/// How far the colours are from the gradient, on average.
fn distance(made: &Thumbnail) -> u64 {
    let (width, height) = (u64::from(made.width), u64::from(made.height));
    let mut sum = 0;
    for (at, [red, green, blue]) in (0..).zip(decoded(made)) {
        let (x, y) = (at % width, at / width);
        sum += (x * 255 / width).abs_diff(red.into());
        sum += (y * 255 / height).abs_diff(green.into()) + u64::from(blue);
    }
    sum / (width * height * 3)
}

#[test]
fn a_thumbnail_looks_like_its_picture() {
    for (quality, most) in [(20, 9), (60, 5), (95, 3), (100, 3)] {
        for colours in [ColorType::Rgb, ColorType::Rgba] {
            let made = thumbnail(&gradient(310, 200, colours), &options(100, quality)).unwrap();
            assert_eq!((made.width, made.height), (100, 64));
            assert!(distance(&made) <= most, "{} at {quality}", distance(&made));
            assert!(made.jpeg.len() < 10_000, "{} octets", made.jpeg.len());
        }
    }
}

#[test]
fn jpegs_are_scaled_too_and_turned_as_they_are_shown() {
    let large = thumbnail(&gradient(300, 200, ColorType::Rgb), &options(300, 95)).unwrap();
    assert_eq!((large.width, large.height), (300, 200));
    let made = thumbnail(&large.jpeg, &options(60, 90)).unwrap();
    assert_eq!((made.width, made.height), (60, 40));
    assert!(distance(&made) <= 4);
    // Turned by a quarter: what grew downwards grows to the left.
    let exif = b"\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let turned = [&large.jpeg[..2], exif, &large.jpeg[2..]].concat();
    let made = thumbnail(&turned, &options(60, 90)).unwrap();
    assert_eq!((made.width, made.height), (40, 60));
    let pixels = decoded(&made);
    assert!(pixels[0][1] > 200 && pixels[39][1] < 50 && pixels[0][0] < 50 && pixels[59 * 40][0] > 200);
}

#[test]
fn what_is_transparent_becomes_white() {
    let pixels = decoded(&thumbnail(&gradient(64, 64, ColorType::GrayscaleAlpha), &options(64, 90)).unwrap());
    assert!(pixels[0].iter().all(|colour| *colour > 240) && pixels[63].iter().all(|colour| *colour < 20));
    let grey = decoded(&thumbnail(&gradient(64, 64, ColorType::Grayscale), &options(64, 90)).unwrap());
    assert!(grey[0].iter().all(|colour| *colour < 15) && grey[63 * 64].iter().all(|colour| *colour > 240));
}

#[test]
fn small_and_odd_pictures_keep_their_size() {
    for (width, height) in [(1, 1), (8, 8), (9, 7), (17, 1), (1, 30)] {
        let made = thumbnail(&gradient(width, height, ColorType::Rgb), &ThumbnailOptions::default()).unwrap();
        assert_eq!((u32::from(made.width), u32::from(made.height)), (width, height));
        decoded(&made);
    }
}

#[test]
fn bombs_and_other_formats_are_refused_before_they_are_decoded() {
    let mut large = gradient(8, 8, ColorType::Rgb);
    large[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    assert_eq!(thumbnail(&large, &ThumbnailOptions::default()), Err(ThumbnailError::TooLarge));
    let few = ThumbnailOptions { max_pixels: 63, ..ThumbnailOptions::default() };
    assert_eq!(thumbnail(&gradient(8, 8, ColorType::Rgb), &few), Err(ThumbnailError::TooLarge));
    let webp = b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x0f\0\0\x0f\0\0";
    assert_eq!(
        thumbnail(webp, &ThumbnailOptions::default()),
        Err(ThumbnailError::Probe(ProbeError::Damaged("no picture")))
    );
    let text = thumbnail(b"nothing but a text", &ThumbnailOptions::default());
    assert_eq!(text, Err(ThumbnailError::Probe(ProbeError::Unknown)));
    let png = gradient(64, 64, ColorType::Rgb);
    assert_eq!(thumbnail(&png[..png.len() / 2], &ThumbnailOptions::default()), Err(ThumbnailError::Damaged));
}

const LOSSY: &[u8] = include_bytes!("../../../tests/vectors/media/lossy.webp");
const LOSSY_ALPHA: &[u8] = include_bytes!("../../../tests/vectors/media/lossy-alpha.webp");
const ANIMATED_WEBP: &[u8] = include_bytes!("../../../tests/vectors/media/animated.webp");
const ANIMATED_GIF: &[u8] = include_bytes!("../../../tests/vectors/media/animated.gif");
const AVIF: &[u8] = include_bytes!("../../../tests/vectors/media/picture.avif");

/// Files of the usual encoders, each of which shows the gradient first.
const SHOWN: [&[u8]; 3] = [LOSSY, ANIMATED_WEBP, ANIMATED_GIF];

#[test]
fn webp_and_gif_are_decoded_and_of_animations_the_first_picture() {
    for (number, file) in SHOWN.into_iter().enumerate() {
        let made = thumbnail(file, &options(60, 90)).unwrap();
        assert_eq!((made.width, made.height), (60, 40));
        assert!(distance(&made) <= 8, "{number}: {}", distance(&made));
        let small = thumbnail(file, &options(30, 90)).unwrap();
        assert_eq!((small.width, small.height), (30, 20));
    }
    let pixels = decoded(&thumbnail(LOSSY_ALPHA, &options(60, 95)).unwrap());
    assert!(pixels[59].iter().all(|colour| *colour > 240), "the right half is transparent");
    assert!(pixels[20 * 60 + 5][2] < 40 && pixels[20 * 60 + 5][0] < 80);
}

#[test]
fn profile_pictures_are_the_middle_square() {
    for picture in [&gradient(310, 200, ColorType::Rgb)[..], &gradient(200, 310, ColorType::Rgba)] {
        let made = square(picture, &options(640, 90)).unwrap();
        assert_eq!((made.width, made.height), (200, 200));
        assert_eq!(square(picture, &options(96, 90)).map(|made| (made.width, made.height)), Ok((96, 96)));
    }
    let pixels = decoded(&square(&gradient(300, 100, ColorType::Rgb), &options(100, 95)).unwrap());
    assert!(pixels[0][0].abs_diff(85) < 12 && pixels[99][0].abs_diff(169) < 12, "the middle third");
    for file in SHOWN {
        assert_eq!(square(file, &options(96, 90)).map(|made| (made.width, made.height)), Ok((40, 40)));
    }
}

#[test]
fn what_is_not_decoded_says_so() {
    let of = |file: &[u8]| thumbnail(file, &ThumbnailOptions::default());
    assert_eq!(of(AVIF), Err(ThumbnailError::Probe(ProbeError::NotDecoded)));
    let heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic";
    assert_eq!(of(heic), Err(ThumbnailError::Probe(ProbeError::NotDecoded)));
    let voice = include_bytes!("../../../tests/vectors/media/voice.opus");
    assert_eq!(of(voice), Err(ThumbnailError::NoPicture));
}

#[test]
fn animations_and_lossy_pictures_cannot_lie_about_their_size() {
    // The canvas and the picture's own header disagree: nothing of that size is ever taken.
    let mut large = LOSSY.to_vec();
    let at = large.windows(3).position(|three| three == [0x9d, 0x01, 0x2a]).unwrap();
    large[at + 3..at + 7].copy_from_slice(&[0xff, 0x3f, 0xff, 0x3f]);
    assert_eq!(thumbnail(&large, &ThumbnailOptions::default()), Err(ThumbnailError::TooLarge));
    let mut frame = ANIMATED_WEBP.to_vec();
    let at = frame.windows(3).position(|three| three == [0x9d, 0x01, 0x2a]).unwrap();
    frame[at + 3..at + 7].copy_from_slice(&[0xff, 0x3f, 0xff, 0x3f]);
    assert!(matches!(
        thumbnail(&frame, &ThumbnailOptions::default()),
        Err(ThumbnailError::Probe(ProbeError::Damaged(_)))
    ));
    let mut screen = ANIMATED_GIF.to_vec();
    screen[6..10].copy_from_slice(&[0xff; 4]);
    assert_eq!(thumbnail(&screen, &ThumbnailOptions::default()), Err(ThumbnailError::TooLarge));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 200, ..Default::default() })]

    #[test]
    fn changed_pictures_break_nothing(
        format in 0..5_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let png = gradient(40, 30, ColorType::Rgb);
        let mut picture = match format {
            0 => thumbnail(&png, &options(40, 80)).unwrap().jpeg,
            1 => png,
            other => [LOSSY_ALPHA, ANIMATED_WEBP, ANIMATED_GIF][other - 2].to_vec(),
        };
        for (at, octet) in changes {
            let at = at.index(picture.len());
            picture[at] = octet;
        }
        let few = ThumbnailOptions { max_pixels: 1 << 20, ..ThumbnailOptions::default() };
        if let Ok(made) = thumbnail(&picture, &few) {
            decoded(&made);
        }
    }
}
