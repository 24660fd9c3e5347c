#![forbid(unsafe_code)]
//! What a media file is, read from its headers: dimensions, duration, frames, and the pack that a
//! sticker belongs to (media document §11, §13).
//!
//! [`probe`] reads no more of a file than it must and decodes nothing; [`thumbnail`] decodes pictures
//! within bounds. The bytes come from anybody:
//! whatever they are, the answer is facts or a typed error, memory stays bounded, and the time grows
//! no faster than the file.

mod gif;
mod jpeg;
mod mp3;
mod mp4;
mod ogg;
mod pack;
mod png;
mod probe;
mod riff;
mod source;
mod sticker;
mod thumbnail;
mod wav;
mod waveform;
mod webp;

pub use pack::{
    NewPackSticker, PACK_STICKERS, PackError, PackFile, PackedSticker, PackedStickers, make_sticker_pack,
    read_pack,
};
pub use probe::{Film, Image, ImageFormat, Media, ProbeError, Sound, SoundFormat, probe};
pub use source::Source;
pub use sticker::{StickerPack, read_sticker_pack, write_sticker_pack};
pub use thumbnail::{Thumbnail, ThumbnailError, ThumbnailOptions, square, thumbnail};
pub use waveform::{WAVEFORM, Waveform, approximate_waveform, waveform};
