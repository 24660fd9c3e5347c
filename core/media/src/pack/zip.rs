//! As much of ZIP as packs need: archives of a few short files without folders. What is read comes from
//! anybody.

use std::io::Read as _;

use flate2::Crc;
use flate2::read::DeflateDecoder;

use super::{FILES, LONGEST, PackError};
use crate::source::Source;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
/// Length of the record at the end, without the comment behind it.
const END_LENGTH: u64 = 22;
/// Length of the head of a file, without its name.
const LOCAL_LENGTH: u64 = 30;
/// Longest list of contents: names of packs have some fifty octets.
const LONGEST_LIST: u64 = 64 << 10;
/// Longest name of a file.
const LONGEST_NAME: usize = 160;
/// The 1st of January 1980, as the format says it: an archive tells nothing of its making.
const DATE: u16 = 0x21;

/// Writes an archive whose files are not compressed.
#[derive(Default)]
pub(super) struct Writer {
    out: Vec<u8>,
    list: Vec<u8>,
    count: u16,
}

fn number(length: usize) -> Result<u32, PackError> {
    u32::try_from(length).map_err(|_| PackError::TooLong)
}

fn crc(content: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(content);
    crc.sum()
}

impl Writer {
    pub(super) fn add(&mut self, name: &str, content: &[u8]) -> Result<(), PackError> {
        let offset = number(self.out.len())?;
        let name_length = u16::try_from(name.len()).map_err(|_| PackError::BadId)?;
        // Version 2.0, the flag for UTF-8, stored, the time, the code, both lengths.
        let mut common = Vec::with_capacity(26);
        for part in [20_u16, 0x0800, 0, 0, DATE] {
            common.extend_from_slice(&part.to_le_bytes());
        }
        let length = number(content.len())?;
        for part in [crc(content), length, length] {
            common.extend_from_slice(&part.to_le_bytes());
        }
        common.extend_from_slice(&name_length.to_le_bytes());
        common.extend_from_slice(&[0; 2]);
        self.out.extend_from_slice(&LOCAL.to_le_bytes());
        self.out.extend_from_slice(&common);
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(content);
        self.list.extend_from_slice(&CENTRAL.to_le_bytes());
        self.list.extend_from_slice(&20_u16.to_le_bytes());
        self.list.extend_from_slice(&common);
        // No comment, one disk, no attributes.
        self.list.extend_from_slice(&[0; 10]);
        self.list.extend_from_slice(&offset.to_le_bytes());
        self.list.extend_from_slice(name.as_bytes());
        self.count = self.count.saturating_add(1);
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Vec<u8>, PackError> {
        let (offset, length) = (number(self.out.len())?, number(self.list.len())?);
        self.out.append(&mut self.list);
        self.out.extend_from_slice(&END.to_le_bytes());
        self.out.extend_from_slice(&[0; 4]);
        for _ in 0..2 {
            self.out.extend_from_slice(&self.count.to_le_bytes());
        }
        self.out.extend_from_slice(&length.to_le_bytes());
        self.out.extend_from_slice(&offset.to_le_bytes());
        self.out.extend_from_slice(&[0; 2]);
        Ok(self.out)
    }
}

/// A file of an archive.
pub(super) struct Entry {
    pub(super) name: String,
    is_deflated: bool,
    crc: u32,
    stored: usize,
    length: usize,
    offset: u64,
    /// Where the contents of files end.
    end: u64,
}

/// Numbers one after the other.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], PackError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(PackError::Damaged("it is cut"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn u16(&mut self) -> Result<u16, PackError> {
        let octets = self.take(2)?.first_chunk().copied().unwrap_or_default();
        Ok(u16::from_le_bytes(octets))
    }

    fn u32(&mut self) -> Result<u32, PackError> {
        let octets = self.take(4)?.first_chunk().copied().unwrap_or_default();
        Ok(u32::from_le_bytes(octets))
    }
}

fn octets(source: &mut dyn Source, offset: u64, length: usize) -> Result<Vec<u8>, PackError> {
    // What a length says is believed only as far as the file goes.
    let rest = usize::try_from(source.length().saturating_sub(offset)).unwrap_or(usize::MAX);
    if rest < length {
        return Err(PackError::Damaged("it is cut"));
    }
    let mut octets = vec![0; length];
    let read = source.read_at(offset, &mut octets).map_err(|error| PackError::Read(error.kind()))?;
    if read < length { Err(PackError::Damaged("it is cut")) } else { Ok(octets) }
}

/// The record at the end, and where it is.
fn end(source: &mut dyn Source) -> Result<(u64, [u16; 4], u32, u32), PackError> {
    let length = source.length();
    // A comment of up to this length may stand behind it.
    let held = length.min(END_LENGTH + u64::from(u16::MAX));
    let start = length - held;
    let tail = octets(source, start, usize::try_from(held).unwrap_or(0))?;
    let found = tail.windows(4).enumerate().rev().find_map(|(at, window)| {
        let record = tail.get(at..)?;
        let comment = u16::from_le_bytes(*record.get(20..)?.first_chunk()?);
        let whole = record.len() == usize::from(comment).saturating_add(22);
        (window == END.to_le_bytes() && whole).then_some((at, record))
    });
    let (at, record) = found.ok_or(PackError::Damaged("it has no end"))?;
    let mut fields = Fields(record);
    fields.u32()?;
    let numbers = [fields.u16()?, fields.u16()?, fields.u16()?, fields.u16()?];
    let (list, offset) = (fields.u32()?, fields.u32()?);
    Ok((start.saturating_add(at as u64), numbers, list, offset))
}

/// The files of an archive; all are looked at before any is read.
pub(super) fn entries(source: &mut dyn Source) -> Result<Vec<Entry>, PackError> {
    let (end, [disk, list_disk, here, count], list, offset) = end(source)?;
    if disk != 0 || list_disk != 0 || here != count {
        return Err(PackError::Refused("it has several parts"));
    }
    if usize::from(count) > FILES {
        return Err(PackError::Refused("it has too many files"));
    }
    let offset = u64::from(offset);
    if u64::from(list) > LONGEST_LIST || offset.saturating_add(list.into()) > end {
        return Err(PackError::Damaged("the list of its files is not where it should be"));
    }
    let list = octets(source, offset, usize::try_from(list).unwrap_or(0))?;
    let mut fields = Fields(&list);
    let mut entries: Vec<Entry> = Vec::new();
    let mut stored = 0_u64;
    for _ in 0..count {
        let entry = entry(&mut fields, offset)?;
        if entries.iter().any(|earlier| earlier.name.eq_ignore_ascii_case(&entry.name)) {
            return Err(PackError::Refused("two of its files have one name"));
        }
        stored = stored.saturating_add(entry.stored as u64).saturating_add(LOCAL_LENGTH);
        entries.push(entry);
    }
    // Files that lie on each other would grow without end.
    if stored > offset {
        return Err(PackError::Refused("its files lie on each other"));
    }
    Ok(entries)
}

fn entry(fields: &mut Fields<'_>, end: u64) -> Result<Entry, PackError> {
    if fields.u32()? != CENTRAL {
        return Err(PackError::Damaged("the list of its files is malformed"));
    }
    fields.take(4)?;
    let flags = fields.u16()?;
    let method = fields.u16()?;
    fields.take(4)?;
    let (crc, stored, length) = (fields.u32()?, fields.u32()?, fields.u32()?);
    let (name, extra, comment) = (fields.u16()?, fields.u16()?, fields.u16()?);
    fields.take(8)?;
    let offset = u64::from(fields.u32()?);
    let name = file_name(fields.take(name.into())?)?;
    fields.take(usize::from(extra))?;
    fields.take(usize::from(comment))?;
    if flags & 0x2041 != 0 {
        return Err(PackError::Refused("its files are encrypted"));
    }
    let is_deflated = match method {
        0 => false,
        8 => true,
        _ => return Err(PackError::Refused("its files are compressed in an unusual way")),
    };
    let size = |length: u32| usize::try_from(length).ok().filter(|length| *length <= LONGEST);
    let (Some(stored), Some(length)) = (size(stored), size(length)) else { return Err(PackError::TooLong) };
    if !is_deflated && stored != length {
        return Err(PackError::Damaged("a file has two lengths"));
    }
    Ok(Entry { name, is_deflated, crc, stored, length, offset, end })
}

/// The name of a file that may lie in a folder of the host's.
fn file_name(name: &[u8]) -> Result<String, PackError> {
    let refused = PackError::Refused("a file has a name that may lead elsewhere");
    let name = std::str::from_utf8(name).map_err(|_| refused)?;
    let allowed = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.+=@~() ".contains(&octet);
    let bad = name.is_empty()
        || name.len() > LONGEST_NAME
        || name.starts_with('.')
        || name.ends_with(['.', ' '])
        || !name.bytes().all(allowed)
        || is_device(name);
    if bad { Err(refused) } else { Ok(name.to_owned()) }
}

/// Names that are devices on some systems, whatever follows their first dot.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    let is = |device: &str| stem.eq_ignore_ascii_case(device);
    let numbered = |device: &str| {
        stem.len() == 4
            && stem.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(device))
            && stem.ends_with(|last: char| last.is_ascii_digit())
    };
    ["con", "prn", "aux", "nul"].into_iter().any(is) || ["com", "lpt"].into_iter().any(numbered)
}

/// Reads a file of an archive.
pub(super) fn read(source: &mut dyn Source, entry: &Entry) -> Result<Vec<u8>, PackError> {
    let head = octets(source, entry.offset, usize::try_from(LOCAL_LENGTH).unwrap_or(0))?;
    let mut fields = Fields(&head);
    if fields.u32()? != LOCAL {
        return Err(PackError::Damaged("a file is not where it should be"));
    }
    fields.take(4)?;
    let method = fields.u16()?;
    fields.take(16)?;
    let (name, extra) = (fields.u16()?, fields.u16()?);
    let start = entry.offset.saturating_add(LOCAL_LENGTH);
    let named = octets(source, start, name.into())?;
    // What readers that go from the front would take for it is the same file.
    if named != entry.name.as_bytes() || (method == 8) != entry.is_deflated || !matches!(method, 0 | 8) {
        return Err(PackError::Refused("a file is two files"));
    }
    let start = start.saturating_add(name.into()).saturating_add(extra.into());
    if start.saturating_add(entry.stored as u64) > entry.end {
        return Err(PackError::Damaged("a file is longer than the archive"));
    }
    let stored = octets(source, start, entry.stored)?;
    let content = if entry.is_deflated {
        let mut content = Vec::with_capacity(entry.length);
        // One octet more than announced shows what is longer.
        let most = (entry.length as u64).saturating_add(1);
        let inflated = DeflateDecoder::new(stored.as_slice()).take(most).read_to_end(&mut content);
        inflated.map_err(|_| PackError::Damaged("a file cannot be inflated"))?;
        content
    } else {
        stored
    };
    if content.len() != entry.length || crc(&content) != entry.crc {
        return Err(PackError::Damaged("a file is not what was announced"));
    }
    Ok(content)
}
