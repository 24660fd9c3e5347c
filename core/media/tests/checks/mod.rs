//! What must hold for any octets; the fuzz target and the ordinary tests share it.

use whimbrel_media::{
    Media, NewPackSticker, PackError, PackFile, StickerPack, ThumbnailOptions, approximate_waveform,
    make_sticker_pack, probe, read_pack, read_sticker_pack, square, thumbnail, waveform, write_sticker_pack,
};

/// Whatever the octets are, the answer is facts that make sense or an error; and a sticker that was
/// written says what was written, shows the same and can be written again.
pub(crate) fn media_probe(data: &[u8]) -> Option<Media> {
    let facts = probe(&mut &*data).ok();
    match &facts {
        Some(Media::Image(image)) => {
            assert!(image.width > 0 && image.height > 0 && image.frames > 0);
            assert!((1..=8).contains(&image.orientation));
            let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
            assert!(image.first_frame_length.is_none_or(|end| end <= length));
        }
        Some(Media::Film(film)) => assert!(matches!(film.rotation, 0 | 90 | 180 | 270)),
        Some(Media::Sound(_)) | None => {}
    }
    let _ = read_sticker_pack(&mut &*data);
    if let Ok(Some(waveform)) = approximate_waveform(&mut &*data) {
        assert!(
            waveform.contains(&0) && waveform.contains(&100) && waveform.iter().all(|value| *value <= 100)
        );
    }
    let pack = StickerPack { id: Some("id".into()), emojis: vec!["🐦".into()], ..StickerPack::default() };
    if let Ok(written) = write_sticker_pack(data, &pack) {
        assert_eq!(read_sticker_pack(&mut written.as_slice()), Ok(Some(pack.clone())));
        assert_eq!(write_sticker_pack(&written, &pack).as_ref(), Ok(&written));
        if let (Some(Media::Image(before)), Ok(Media::Image(after))) =
            (&facts, probe(&mut written.as_slice()))
        {
            assert_eq!(
                (before.width, before.height, before.frames),
                (after.width, after.height, after.frames)
            );
        }
    }
    facts
}

/// Whatever an archive says, what is read of it are pictures with names that lead nowhere, and of those a pack
/// can be made again that says the same.
pub(crate) fn sticker_pack(data: &[u8]) -> usize {
    let mut files: Vec<PackFile> = Vec::new();
    let read = read_pack(&mut &*data, |file| {
        assert!(!file.name.contains(['/', '\\', ':', '\0']) && !file.name.starts_with('.'));
        assert!(file.webp.len() <= 1 << 20 && file.image.width > 0);
        files.push(file);
        Ok::<(), PackError>(())
    });
    assert!(files.len() <= 100);
    if read.is_err() || files.is_empty() {
        return files.len();
    }
    let found = files.len();
    let pack = StickerPack { id: Some("id".into()), name: Some("Birds".into()), ..StickerPack::default() };
    let new = |file: &PackFile| NewPackSticker { webp: file.webp.clone(), ..NewPackSticker::default() };
    if let Ok(made) = make_sticker_pack(&pack, files.iter().map(new).collect(), None) {
        let mut again = Vec::new();
        let read = read_pack(&mut made.archive.as_slice(), |file| {
            again.push(file);
            Ok::<(), PackError>(())
        });
        assert_eq!((read, again.len()), (Ok(()), made.stickers.len() + 1));
        for (file, sticker) in again.iter().zip(&made.stickers) {
            assert_eq!(file.name, sticker.file_name);
            let said = file.pack.as_ref().unwrap_or_else(|| unreachable!("it was written"));
            assert_eq!((said.name.as_deref(), &said.emojis), (Some("Birds"), &sticker.emojis));
        }
    }
    found
}

/// Whatever is decoded of any octets, it is a picture of the size that was asked for, or a shape.
pub(crate) fn media_decode(data: &[u8]) {
    let options = ThumbnailOptions { longest_edge: 32, quality: 50, max_pixels: 1 << 16 };
    for made in [thumbnail(data, &options), square(data, &options)].into_iter().flatten() {
        let Ok(Media::Image(image)) = probe(&mut made.jpeg.as_slice()) else { unreachable!("no picture") };
        assert_eq!((image.width, image.height), (made.width.into(), made.height.into()));
        assert!(made.width <= 32 && made.height <= 32);
    }
    if let Ok(Some(shape)) = waveform(&mut &*data) {
        assert!(shape.values.iter().all(|value| *value <= 100));
    }
}
