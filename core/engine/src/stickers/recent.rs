//! Stickers that the account used lately, as far as the phone told (media document §17.3).

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use prost::Message as _;
use whimbrel_content::Secret;
use whimbrel_content::kinds::media::Media;
use whimbrel_content::kinds::sticker::Sticker;
use whimbrel_proto::history::{HistorySync, StickerMetadata};

use crate::client::{Client, Inner};
use crate::error::Error;
use crate::messages::Unit;
use crate::store::StoreError;

/// Stickers that are kept; those that were used first go first.
const KEPT: usize = 500;

/// The note has the form of the history.
const SUBJECT: &str = "recent_stickers";

impl Client {
    /// The stickers that the account used lately, the latest first, as far as the phone told: it hands them
    /// over with the history. One can be sent as it is, or downloaded as that of a message.
    ///
    /// # Errors
    /// [`crate::Code::NotLinked`]; [`crate::Code::StoreFailed`].
    pub async fn recent_stickers(&self) -> Result<Vec<Sticker>, Error> {
        let list = |client: Arc<Inner>, _| async move {
            client.linked_account()?;
            let note = client.store.note(SUBJECT)?.unwrap_or_default();
            let kept = HistorySync::decode(note.as_slice()).unwrap_or_default().recent_stickers;
            Ok(kept.into_iter().map(sticker).collect())
        };
        self.call("list_recent_stickers", None, list).await
    }
}

fn sticker(told: StickerMetadata) -> Sticker {
    Sticker {
        media: Media {
            url: told.url,
            direct_path: told.direct_path,
            key: told.media_key.map(Secret::new),
            key_timestamp: None,
            sha256: told.file_sha256,
            encrypted_sha256: told.file_enc_sha256,
            length: told.file_length,
            mimetype: told.mimetype,
        },
        height: told.height,
        width: told.width,
        is_lottie: told.is_lottie.unwrap_or_default(),
        is_avatar: told.is_avatar_sticker.unwrap_or_default(),
        sent_at_ms: told.last_sticker_sent_ts,
        ..Sticker::default()
    }
}

/// Keeps stickers beside those that are known, each once.
pub(crate) fn used(unit: &mut Unit<'_>, told: Vec<StickerMetadata>) -> Result<(), StoreError> {
    // One without its hash cannot be told from another one, and not be downloaded.
    let told = told.into_iter().filter(|one| one.file_sha256.as_ref().is_some_and(|hash| !hash.is_empty()));
    let told: Vec<StickerMetadata> = told.collect();
    if told.is_empty() {
        return Ok(());
    }
    let known: HistorySync = unit.note(SUBJECT)?.unwrap_or_default();
    let mut each: BTreeMap<Vec<u8>, StickerMetadata> = BTreeMap::new();
    for one in known.recent_stickers.into_iter().chain(told) {
        let hash = one.file_sha256.clone().unwrap_or_default();
        let is_newer =
            each.get(&hash).is_none_or(|other| other.last_sticker_sent_ts <= one.last_sticker_sent_ts);
        if is_newer {
            each.insert(hash, one);
        }
    }
    keep(unit, each.into_values().collect());
    Ok(())
}

/// Another device took a sticker off the list. It names it by its hash, in one of the forms of base64, and
/// says when it was last used as far as it knew.
pub(crate) fn removed(unit: &mut Unit<'_>, name: &str, last_used: Option<i64>) -> Result<(), StoreError> {
    let Some(known) = unit.note::<HistorySync>(SUBJECT)? else { return Ok(()) };
    let count = known.recent_stickers.len();
    let is_it = |one: &StickerMetadata| {
        let hash = one.file_sha256.as_deref().unwrap_or_default();
        let forms = [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD];
        forms.iter().any(|form| form.encode(hash) == name)
            && last_used.is_none_or(|at| one.last_sticker_sent_ts.unwrap_or_default() <= at)
    };
    let left: Vec<_> = known.recent_stickers.into_iter().filter(|one| !is_it(one)).collect();
    if left.len() < count {
        keep(unit, left);
    }
    Ok(())
}

fn keep(unit: &mut Unit<'_>, mut stickers: Vec<StickerMetadata>) {
    stickers.sort_by_key(|one| std::cmp::Reverse(one.last_sticker_sent_ts.unwrap_or_default()));
    stickers.truncate(KEPT);
    unit.set_note(SUBJECT, &HistorySync { recent_stickers: stickers, ..HistorySync::default() });
}
