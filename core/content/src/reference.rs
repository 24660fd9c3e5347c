//! A file of a message as one text that hosts keep and give back, as a bookmark: what downloads it,
//! what opens it, and which message it belongs to.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use whimbrel_proto::ProtoMessage;
use whimbrel_proto::common::MessageKey;
use whimbrel_proto::e2e::message::DocumentMessage;
use zeroize::Zeroizing;

pub use whimbrel_crypto::media::MediaType as MediaKind;

use crate::key::Key;
use crate::kinds::media::Media;
use crate::secret::Secret;

/// What every text begins with; the digit is the version of what follows.
const VERSION: &str = "wmr1";

/// Longest text that is read. Addresses of files are a few hundred octets long.
const LONGEST: usize = 16 * 1024;

/// Where a file is, how it is opened, and which message it came with.
#[derive(Clone, Debug, PartialEq)]
pub struct MediaReference {
    /// What the file is to its message; its keys depend on it.
    pub kind: MediaKind,
    /// The file.
    pub media: Media,
    /// The message, from this account's point of view: so the phone can be asked to upload the
    /// file again once it is gone (media document §9).
    pub message: Option<Key>,
}

/// The text is no reference to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// It was made by something else, or was cut or changed.
    #[error("the text is no reference to a file")]
    Malformed,
    /// A later version made it.
    #[error("the reference to a file is of a later version")]
    Version,
}

impl MediaReference {
    /// A file that belongs to no message, or to one that nothing is known of.
    #[must_use]
    pub fn new(kind: MediaKind, media: Media) -> Self {
        Self { kind, media, message: None }
    }

    /// The file of a message.
    #[must_use]
    pub fn of(kind: MediaKind, media: Media, message: Key) -> Self {
        Self { kind, media, message: Some(message) }
    }

    /// The reference as one text without spaces, of letters, digits, `-`, `_` and `.`.
    ///
    /// **It contains the file's key**: who has it can open the file. It stays valid across restarts
    /// and versions.
    #[must_use]
    pub fn to_text(&self) -> String {
        let file = DocumentMessage {
            url: self.media.url.clone(),
            direct_path: self.media.direct_path.clone(),
            media_key: self.media.key.as_ref().map(Secret::to_wire),
            media_key_timestamp: self.media.key_timestamp,
            file_sha256: self.media.sha256.clone(),
            file_enc_sha256: self.media.encrypted_sha256.clone(),
            file_length: self.media.length,
            mimetype: self.media.mimetype.clone(),
            ..DocumentMessage::default()
        };
        let octets = Zeroizing::new(file.encode_to_vec());
        if let Some(key) = file.media_key {
            drop(Zeroizing::new(key));
        }
        let mut text = format!("{VERSION}.{}.", self.kind.name());
        URL_SAFE_NO_PAD.encode_string(&*octets, &mut text);
        if let Some(message) = &self.message {
            text.push('.');
            URL_SAFE_NO_PAD.encode_string(message.write().encode_to_vec(), &mut text);
        }
        text
    }

    /// Reads what [`to_text`](Self::to_text) wrote.
    ///
    /// # Errors
    /// [`ReferenceError`].
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let mut parts = text.split('.');
        match parts.next() {
            Some(VERSION) if text.len() <= LONGEST => {}
            Some(other) if is_later(other) => return Err(ReferenceError::Version),
            _ => return Err(ReferenceError::Malformed),
        }
        let malformed = || ReferenceError::Malformed;
        let octets = |part: &str| URL_SAFE_NO_PAD.decode(part).map(Zeroizing::new).map_err(|_| malformed());
        let kind = parts.next().and_then(MediaKind::from_name).ok_or_else(malformed)?;
        let file = octets(parts.next().ok_or_else(malformed)?)?;
        let file: DocumentMessage = whimbrel_proto::decode(&file).map_err(|_| malformed())?;
        let message = parts.next().map(|part| {
            let key = whimbrel_proto::decode::<MessageKey>(&octets(part)?).map_err(|_| malformed())?;
            Ok(Key::read(Some(key)))
        });
        if parts.next().is_some() {
            return Err(ReferenceError::Malformed);
        }
        let media = Media {
            url: file.url,
            direct_path: file.direct_path,
            key: file.media_key.map(Secret::new),
            key_timestamp: file.media_key_timestamp,
            sha256: file.file_sha256,
            encrypted_sha256: file.file_enc_sha256,
            length: file.file_length,
            mimetype: file.mimetype,
        };
        Ok(Self { kind, media, message: message.transpose()? })
    }
}

/// Whether the first part is that of a version to come.
fn is_later(part: &str) -> bool {
    part.strip_prefix("wmr").is_some_and(|version| version.parse::<u32>().is_ok_and(|version| version > 1))
}

impl FromStr for MediaReference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use whimbrel_wire::Jid;

    use super::*;

    fn full() -> MediaReference {
        MediaReference::of(
            MediaKind::Ptt,
            Media {
                url: Some(
                    "https://mmg.whatsapp.net/v/t62.7117-24/1_n.enc?ccb=1&oe=6A181F5C&mms3=true".to_owned(),
                ),
                direct_path: Some("/v/t62.7117-24/1_n.enc?ccb=1&oe=6A181F5C".to_owned()),
                key: Some(Secret::from([9; 32])),
                key_timestamp: Some(1_700_000_000),
                sha256: Some(vec![1; 32]),
                encrypted_sha256: Some(vec![2; 32]),
                length: Some(12_345_678_901),
                mimetype: Some("audio/ogg; codecs=opus".to_owned()),
            },
            Key::foreign(&Jid::group("120363000000000001"), "3EB0AA", &Jid::lid("77").with_device(4)),
        )
    }

    #[test]
    fn what_is_written_is_read_again() {
        let bare = MediaReference::new(MediaKind::Image, Media::default());
        for reference in [full(), bare, MediaReference { message: None, ..full() }] {
            let text = reference.to_text();
            assert!(
                text.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet)),
                "{text}"
            );
            assert_eq!(text.parse(), Ok(reference));
        }
        for kind in MediaKind::ALL {
            let reference = MediaReference { kind, ..full() };
            assert_eq!(MediaReference::parse(&reference.to_text()), Ok(reference));
        }
    }

    #[test]
    fn every_other_text_is_refused() {
        let text = full().to_text();
        for end in 0..text.len() {
            // Only a cut at the end of a field or of the message's key leaves a reference.
            if let Ok(other) = MediaReference::parse(text.get(..end).unwrap()) {
                assert_ne!(other, full());
            }
        }
        for wrong in [
            "",
            "wmr1",
            "wmr1.image",
            "wmr0.image.",
            "image",
            "wmr1.song.",
            "wmr1.image.*",
            "wmr1.image.CA..",
        ] {
            assert_eq!(MediaReference::parse(wrong), Err(ReferenceError::Malformed), "{wrong}");
        }
        assert_eq!(MediaReference::parse("wmr2.image."), Err(ReferenceError::Version));
        let long = format!("wmr1.image.{}", "A".repeat(LONGEST));
        assert_eq!(MediaReference::parse(&long), Err(ReferenceError::Malformed));
    }

    #[test]
    fn the_key_is_not_printed() {
        let printed = format!("{:?}", full());
        assert!(!printed.contains("9, 9, 9") && printed.contains("Secret(..)"), "{printed}");
    }
}
