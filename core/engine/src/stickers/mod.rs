//! Packs of stickers, what single ones say of the pack they belong to (media document §13), and those that
//! were used lately.

mod make;
mod recent;
mod unpack;

pub(crate) use make::with_info;
pub use make::{NewSticker, NewStickerPack};
pub(crate) use recent::{removed, used};
pub use unpack::UnpackedSticker;
/// What a sticker says about itself.
pub use whimbrel_media::StickerPack as StickerInfo;

use whimbrel_media::PackError;

use crate::error::{Code, Error};
use crate::media::failure;

/// Why no pack was made of what the host gave.
fn not_made(error: PackError) -> Error {
    let code = match error {
        PackError::TooLong => Code::MediaTooLarge,
        PackError::NoSticker(_) => Code::MediaUnsupported,
        _ => Code::InvalidArgument,
    };
    Error::new(code, error.to_string()).because(error)
}

/// Why a pack that came is not read.
fn not_read(error: PackError) -> Error {
    match error {
        PackError::Read(kind) => failure::local(kind.into()),
        PackError::TooLong => Error::new(Code::MediaTooLarge, error.to_string()).because(error),
        _ => Error::new(Code::MediaUnsupported, error.to_string()).because(error),
    }
}
