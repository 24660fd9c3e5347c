//! The pack that a sticker belongs to, in the EXIF chunk of its WebP (media document §13.1).

use serde_json::{Map, Value};

use crate::ProbeError;
use crate::riff::{self, Chunk};
use crate::source::{Reader, Source};
use crate::webp;

/// The longest text that is read; that of a real sticker has some hundred octets.
const MAX_TEXT: u32 = 60_000;
/// The longest sticker that is rewritten.
const MAX_STICKER: usize = 16 << 20;
/// Everything of the EXIF before the length: little endian, one entry, tag `AW`, undefined type.
const HEAD: [u8; 14] = *b"II\x2a\0\x08\0\0\0\x01\0AW\x07\0";
const TAG: u16 = 0x5741;
/// Flags of the extended header.
const HAS_EXIF: u8 = 0x08;
const HAS_ALPHA: u8 = 0x10;

/// What a sticker says about itself. Everything is optional.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StickerPack {
    /// Which pack it belongs to.
    pub id: Option<String>,
    /// The name of the pack, shown on tap.
    pub name: Option<String>,
    /// Who made the pack, shown on tap.
    pub publisher: Option<String>,
    /// Emojis to find the sticker by.
    pub emojis: Vec<String>,
    /// A description for those who do not see it.
    pub accessibility_text: Option<String>,
    /// Where the app of a third party's pack is found for Android.
    pub android_link: Option<String>,
    /// Where the app of a third party's pack is found for iOS.
    pub ios_link: Option<String>,
    /// It shows the avatar of its sender.
    pub is_avatar: bool,
    /// It belongs to a pack of the service itself.
    pub is_first_party: bool,
    /// It was made in the app.
    pub is_from_sticker_maker: bool,
}

impl StickerPack {
    /// Reads the text; what has another type than it should is left out, as clients differ.
    fn from_json(text: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(text).ok()?;
        let fields = value.as_object()?;
        let string = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
        let flag = |name: &str| match fields.get(name) {
            Some(Value::Bool(flag)) => *flag,
            Some(value) => value.as_i64() == Some(1),
            None => false,
        };
        let emojis = fields.get("emojis").and_then(Value::as_array).into_iter().flatten();
        Some(Self {
            id: string("sticker-pack-id"),
            name: string("sticker-pack-name"),
            publisher: string("sticker-pack-publisher"),
            emojis: emojis.filter_map(|emoji| emoji.as_str().map(str::to_owned)).collect(),
            accessibility_text: string("accessibility-text"),
            android_link: string("android-app-store-link"),
            ios_link: string("ios-app-store-link"),
            is_avatar: flag("is-avatar-sticker"),
            is_first_party: flag("is-first-party-sticker"),
            is_from_sticker_maker: flag("is-from-sticker-maker"),
        })
    }

    fn to_json(&self) -> Vec<u8> {
        let texts = [
            ("sticker-pack-id", &self.id),
            ("sticker-pack-name", &self.name),
            ("sticker-pack-publisher", &self.publisher),
            ("accessibility-text", &self.accessibility_text),
            ("android-app-store-link", &self.android_link),
            ("ios-app-store-link", &self.ios_link),
        ];
        let flags = [
            ("is-avatar-sticker", self.is_avatar),
            ("is-first-party-sticker", self.is_first_party),
            ("is-from-sticker-maker", self.is_from_sticker_maker),
        ];
        let mut fields = Map::new();
        for (name, text) in texts {
            if let Some(text) = text {
                fields.insert(name.to_owned(), text.as_str().into());
            }
        }
        if !self.emojis.is_empty() {
            fields.insert("emojis".to_owned(), self.emojis.iter().map(String::as_str).collect());
        }
        for (name, _) in flags.into_iter().filter(|(_, flag)| *flag) {
            fields.insert(name.to_owned(), 1.into());
        }
        Value::Object(fields).to_string().into_bytes()
    }
}

/// Reads what a sticker says about itself; `None` if it says nothing, or nothing that is understood.
///
/// # Errors
/// Those of the chunks of the file.
pub fn read_sticker_pack(source: &mut dyn Source) -> Result<Option<StickerPack>, ProbeError> {
    let reader = &mut Reader::new(source);
    let mut offset = riff::FIRST;
    check_start(reader)?;
    while let Some(chunk) = riff::chunk(reader, offset)? {
        if &chunk.name == b"EXIF" {
            let held = chunk.length.min(MAX_TEXT);
            let exif = reader.bytes(chunk.start, usize::try_from(held).unwrap_or(0))?;
            return Ok(text(&exif).and_then(StickerPack::from_json));
        }
        offset = chunk.next;
    }
    Ok(None)
}

/// Writes what a sticker says about itself into its WebP, in place of what it said before. The
/// picture stays as it is.
///
/// # Errors
/// Those of the chunks of the file; [`ProbeError::TooComplex`] for a file or a text that is no
/// sticker's.
pub fn write_sticker_pack(mut sticker: &[u8], pack: &StickerPack) -> Result<Vec<u8>, ProbeError> {
    let json = pack.to_json();
    let length = u32::try_from(json.len()).ok().filter(|length| *length <= MAX_TEXT - 100);
    let length = length.filter(|_| sticker.len() <= MAX_STICKER).ok_or(ProbeError::TooComplex)?;
    let mut exif = Vec::with_capacity(json.len().saturating_add(22));
    exif.extend_from_slice(&HEAD);
    exif.extend_from_slice(&length.to_le_bytes());
    exif.extend_from_slice(&22_u32.to_le_bytes());
    exif.extend_from_slice(&json);

    let whole = sticker;
    let reader = &mut Reader::new(&mut sticker);
    check_start(reader)?;
    let first = riff::chunk(reader, riff::FIRST)?.ok_or(ProbeError::Truncated)?;
    let mut chunks = Vec::with_capacity(whole.len().saturating_add(exif.len()).saturating_add(64));
    riff::put(&mut chunks, *b"VP8X", &header(reader, &first, whole)?);
    let mut exif = Some(exif);
    let mut offset = if &first.name == b"VP8X" { first.next } else { riff::FIRST };
    while let Some(chunk) = riff::chunk(reader, offset)? {
        match &chunk.name {
            b"EXIF" => {}
            name => {
                // The order of the format: pictures, EXIF, XMP.
                if name == b"XMP "
                    && let Some(exif) = exif.take()
                {
                    riff::put(&mut chunks, *b"EXIF", &exif);
                }
                riff::put(&mut chunks, *name, riff::content(whole, &chunk)?);
            }
        }
        offset = chunk.next;
    }
    if let Some(exif) = exif {
        riff::put(&mut chunks, *b"EXIF", &exif);
    }
    riff::webp(&chunks)
}

fn check_start(reader: &mut Reader<'_>) -> Result<(), ProbeError> {
    let start: [u8; 12] = reader.array(0)?;
    let webp = start.starts_with(b"RIFF") && start.ends_with(b"WEBP");
    if webp { Ok(()) } else { Err(ProbeError::Unknown) }
}

/// The extended header with the flag for EXIF: the one of the file, or a new one.
fn header(reader: &mut Reader<'_>, first: &Chunk, whole: &[u8]) -> Result<[u8; 10], ProbeError> {
    if &first.name == b"VP8X" {
        let mut header = *riff::content(whole, first)?.first_chunk::<10>().ok_or(ProbeError::Truncated)?;
        let [flags, ..] = &mut header;
        *flags |= HAS_EXIF;
        return Ok(header);
    }
    if !matches!(&first.name, b"VP8 " | b"VP8L") {
        return Err(ProbeError::Damaged("no picture"));
    }
    let (width, height, alpha) = webp::picture(reader, first)?;
    let [w0, w1, w2, _] = width.saturating_sub(1).to_le_bytes();
    let [h0, h1, h2, _] = height.saturating_sub(1).to_le_bytes();
    let flags = if alpha { HAS_EXIF | HAS_ALPHA } else { HAS_EXIF };
    Ok([flags, 0, 0, 0, w0, w1, w2, h0, h1, h2])
}

/// The text behind the tag.
fn text(exif: &[u8]) -> Option<&[u8]> {
    let tiff = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
    if !tiff.starts_with(b"II\x2a\0") {
        return None;
    }
    let u16_at = |at: usize| Some(u16::from_le_bytes(*tiff.get(at..)?.first_chunk()?));
    let u32_at = |at: usize| usize::try_from(u32::from_le_bytes(*tiff.get(at..)?.first_chunk()?)).ok();
    let directory = u32_at(4)?;
    let entries = usize::from(u16_at(directory)?);
    let entry = (0..entries.min(64)).find_map(|entry| {
        let at = entry.checked_mul(12)?.checked_add(directory)?.checked_add(2)?;
        (u16_at(at)? == TAG).then_some(at)
    })?;
    let (length, start) = (u32_at(entry.checked_add(4)?)?, u32_at(entry.checked_add(8)?)?);
    let end = start.checked_add(length)?.min(tiff.len());
    tiff.get(start..end)
}
