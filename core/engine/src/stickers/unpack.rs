//! Reading the stickers out of a pack that somebody sent.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use whimbrel_media::{PackError, PackFile, read_pack};

use super::{StickerInfo, not_read};
use crate::client::Client;
use crate::error::{Code, Error};
use crate::media::{Again, MediaSource, failure, on_source, temporary_name};

/// A file of a pack that was written into a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnpackedSticker {
    /// Its name in the pack, by which the message tells of it; that of the tray icon is there too.
    pub name: String,
    /// Where it is now.
    pub path: PathBuf,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// It moves.
    pub is_animated: bool,
    /// What it says of itself.
    pub info: Option<StickerInfo>,
}

impl Client {
    /// Writes the WebP pictures of a sticker pack into a folder, which is made if it does not exist; files of
    /// the same name are replaced. Download the pack first. Everything in it is looked at before the first
    /// file is written: nothing is taken out of a pack that is damaged, has more than 100 files or one longer
    /// than a MiB, or names that lead elsewhere, or twice the same; what is no WebP picture is left out.
    ///
    /// # Errors
    /// [`Code::MediaUnsupported`] and [`Code::MediaTooLarge`] for what is no such pack; [`Code::FileFailed`]
    /// when it cannot be read, or a file not be written; [`Code::InvalidArgument`] for a reader. Repeating is
    /// safe.
    pub async fn unpack_sticker_pack(
        &self,
        pack: impl Into<MediaSource>,
        folder: impl Into<PathBuf>,
    ) -> Result<Vec<UnpackedSticker>, Error> {
        let (source, folder) = (Again::of(&pack.into()), folder.into());
        let unpack = |client: std::sync::Arc<crate::client::Inner>, _| async move {
            let once = "a reader can be read only once; give the pack itself";
            let source = source.ok_or_else(|| Error::new(Code::InvalidArgument, once))?;
            let temporary = folder.join(temporary_name(&client));
            on_source(source, move |source| {
                // First to see that all of it can be taken.
                read_pack(source, |_| Ok::<(), PackError>(())).map_err(not_read)?;
                fs::create_dir_all(&folder).map_err(failure::local)?;
                let mut unpacked = Vec::new();
                let read = read_pack(source, |file| {
                    unpacked.push(keep(file, &folder, &temporary)?);
                    Ok::<(), Failure>(())
                });
                match read {
                    Ok(()) => Ok(unpacked),
                    Err(Failure::Pack(error)) => Err(not_read(error)),
                    Err(Failure::File(error)) => {
                        // It may not exist.
                        let _ = fs::remove_file(&temporary);
                        Err(failure::local(error))
                    }
                }
            })
            .await?
        };
        self.call("unpack_sticker_pack", None, unpack).await
    }
}

enum Failure {
    Pack(PackError),
    File(io::Error),
}

impl From<PackError> for Failure {
    fn from(error: PackError) -> Self {
        Self::Pack(error)
    }
}

/// Writes a file, which appears under its name when it is whole.
fn keep(file: PackFile, folder: &Path, temporary: &Path) -> Result<UnpackedSticker, Failure> {
    let path = folder.join(&file.name);
    let write = || {
        File::create(temporary)?.write_all(&file.webp)?;
        fs::rename(temporary, &path)
    };
    write().map_err(Failure::File)?;
    Ok(UnpackedSticker {
        width: file.image.width,
        height: file.image.height,
        is_animated: file.image.frames > 1,
        info: file.pack,
        name: file.name,
        path,
    })
}
