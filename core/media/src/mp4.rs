//! MP4 and its relatives: the boxes of the index, wherever in the file it stands.

use std::time::Duration;

use crate::probe::{Film, Media, ProbeError, Sound, SoundFormat, seconds};
use crate::source::{Reader, after};

/// A box: a part of the file that has a name and may hold others.
struct Part {
    name: [u8; 4],
    start: u64,
    end: u64,
}

/// What is known of one track.
#[derive(Default)]
struct Track {
    handler: [u8; 4],
    width: u32,
    height: u32,
    rotation: u16,
    duration: Option<Duration>,
}

/// What is known of the film.
#[derive(Default)]
struct Index {
    duration: Option<Duration>,
    /// Units in a second of the whole film.
    scale: u32,
    picture: Option<Track>,
    has_sound: bool,
    longest: Option<Duration>,
}

pub(crate) fn probe(reader: &mut Reader<'_>) -> Result<Media, ProbeError> {
    let mut brand = [0; 4];
    let mut content_before = false;
    let mut offset = 0;
    while let Some(part) = next(reader, offset, reader.length())? {
        match &part.name {
            b"ftyp" => {
                brand = reader.array(part.start)?;
                if matches!(&brand, b"heic" | b"heix" | b"mif1" | b"msf1" | b"avif" | b"avis" | b"crx ") {
                    return Err(ProbeError::NotDecoded);
                }
            }
            b"mdat" | b"moof" => content_before = true,
            b"moov" => {
                let index = index(reader, &part)?;
                return Ok(facts(index, brand, !content_before));
            }
            _ => {}
        }
        offset = part.end;
    }
    Err(ProbeError::Truncated)
}

fn facts(index: Index, brand: [u8; 4], streams: bool) -> Media {
    let duration = index.duration.filter(|duration| !duration.is_zero()).or(index.longest);
    match index.picture {
        Some(track) => {
            let turned = matches!(track.rotation, 90 | 270);
            let (width, height) =
                if turned { (track.height, track.width) } else { (track.width, track.height) };
            Media::Film(Film {
                width,
                height,
                rotation: track.rotation,
                duration,
                has_sound: index.has_sound,
                streams,
                quick_time: &brand == b"qt  ",
            })
        }
        None => Media::Sound(Sound { format: SoundFormat::Mp4, duration, channels: None }),
    }
}

/// The box at an offset within another one; `None` at its end.
fn next(reader: &mut Reader<'_>, offset: u64, end: u64) -> Result<Option<Part>, ProbeError> {
    // Some films end in a few zeros.
    if end.saturating_sub(offset) < 8 {
        return Ok(None);
    }
    reader.step()?;
    let length = reader.u32_be(offset)?;
    let name = reader.array(after(offset, 4_u8)?)?;
    let (header, length) = match length {
        0 => (8_u8, end.saturating_sub(offset)),
        1 => (16, reader.u64_be(after(offset, 8_u8)?)?),
        _ => (8, length.into()),
    };
    if length < u64::from(header) {
        return Err(ProbeError::Damaged("a part shorter than its header"));
    }
    let part_end = after(offset, length)?;
    if part_end > end {
        return Err(ProbeError::Truncated);
    }
    Ok(Some(Part { name, start: after(offset, header)?, end: part_end }))
}

fn index(reader: &mut Reader<'_>, moov: &Part) -> Result<Index, ProbeError> {
    let mut index = Index::default();
    let mut offset = moov.start;
    while let Some(part) = next(reader, offset, moov.end)? {
        match &part.name {
            b"mvhd" => (index.duration, index.scale) = times(reader, &part)?,
            b"mvex" => fragments(reader, &part, &mut index)?,
            b"trak" => {
                let mut track = Track::default();
                read_track(reader, &part, &mut track)?;
                index.longest = index.longest.max(track.duration);
                match &track.handler {
                    b"soun" => index.has_sound = true,
                    // The first one: further ones are covers and the like.
                    b"vide" if index.picture.is_none() => index.picture = Some(track),
                    _ => {}
                }
            }
            _ => {}
        }
        offset = part.end;
    }
    Ok(index)
}

/// A film in fragments says here how long it is, if at all.
fn fragments(reader: &mut Reader<'_>, mvex: &Part, index: &mut Index) -> Result<(), ProbeError> {
    let mut offset = mvex.start;
    while let Some(part) = next(reader, offset, mvex.end)? {
        if &part.name == b"mehd" {
            let long = reader.u8(part.start)? == 1;
            let at = after(part.start, 4_u8)?;
            let count = if long { reader.u64_be(at)? } else { reader.u32_be(at)?.into() };
            index.longest = index.longest.max(seconds(count, index.scale.into()));
        }
        offset = part.end;
    }
    Ok(())
}

/// Duration and units in a second, which the headers of a film and of its tracks begin with.
fn times(reader: &mut Reader<'_>, part: &Part) -> Result<(Option<Duration>, u32), ProbeError> {
    let (scale, count, unknown) = if reader.u8(part.start)? == 1 {
        let count = reader.u64_be(after(part.start, 24_u8)?)?;
        (reader.u32_be(after(part.start, 20_u8)?)?, count, count == u64::MAX)
    } else {
        let count = reader.u32_be(after(part.start, 16_u8)?)?;
        (reader.u32_be(after(part.start, 12_u8)?)?, count.into(), count == u32::MAX)
    };
    let duration = seconds(count, scale.into()).filter(|_| !unknown);
    Ok((duration, scale))
}

/// Reads a track, and the media within it.
fn read_track(reader: &mut Reader<'_>, outer: &Part, track: &mut Track) -> Result<(), ProbeError> {
    let mut offset = outer.start;
    while let Some(part) = next(reader, offset, outer.end)? {
        match &part.name {
            b"tkhd" => shown(reader, &part, track)?,
            // Only one level: a track holds its media, and that holds no other.
            b"mdia" if &outer.name == b"trak" => read_track(reader, &part, track)?,
            b"mdhd" => track.duration = times(reader, &part)?.0,
            b"hdlr" if &outer.name == b"mdia" => track.handler = reader.array(after(part.start, 8_u8)?)?,
            _ => {}
        }
        offset = part.end;
    }
    Ok(())
}

/// How a track is shown: its size, and the first two rows of a matrix.
fn shown(reader: &mut Reader<'_>, part: &Part, track: &mut Track) -> Result<(), ProbeError> {
    let matrix = after(part.start, if reader.u8(part.start)? == 1 { 52_u8 } else { 40 })?;
    let a = reader.u32_be(matrix)?;
    let b = reader.u32_be(after(matrix, 4_u8)?)?;
    // Numbers of 16 bits before the point and 16 behind it.
    const ONE: u32 = 0x0001_0000;
    const MINUS_ONE: u32 = 0xffff_0000;
    track.rotation = match (a, b) {
        (0, ONE) => 90,
        (MINUS_ONE, 0) => 180,
        (0, MINUS_ONE) => 270,
        _ => 0,
    };
    track.width = reader.u32_be(after(matrix, 36_u8)?)? >> 16;
    track.height = reader.u32_be(after(matrix, 40_u8)?)? >> 16;
    Ok(())
}
