//! Reading of requests to the media host: leniently, as clients differ in how they write them
//! (media document §7.1, §8.1, §24.3).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A path with what stands behind it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Target<'a> {
    pub(crate) path: &'a str,
    query: Vec<(&'a str, String)>,
}

impl<'a> Target<'a> {
    /// Splits at the first `?`; parameters are divided by `&` and by further `?`, which some clients write.
    pub(crate) fn parse(uri: &'a str) -> Self {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let query = query.split(['&', '?']).filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (key, decoded(value))
        });
        Self { path, query: query.collect() }
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
    }
}

fn decoded(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes().iter();
    while let Some(byte) = rest.next() {
        let ahead = rest.as_slice();
        let number = ahead.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match number.and_then(|two| u8::from_str_radix(two, 16).ok()).filter(|_| *byte == b'%') {
            Some(number) => {
                bytes.push(number);
                rest.nth(1);
            }
            None => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A hash in the URL alphabet, with or without padding.
pub(crate) fn hash(token: &str) -> Option<[u8; 32]> {
    URL_SAFE_NO_PAD.decode(token.trim_end_matches('=')).ok()?.try_into().ok()
}

/// What is uploaded, from the path before the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kind {
    /// The name that clients use, without `newsletter-`.
    pub(crate) name: String,
    /// Not encrypted, named by the hash of the file itself.
    pub(crate) plain: bool,
    /// A picture of a profile.
    pub(crate) profile: bool,
}

const ENCRYPTED: [&str; 23] = [
    "image",
    "sticker",
    "xma-image",
    "video",
    "gif",
    "ptv",
    "audio",
    "ptt",
    "document",
    "thumbnail-link",
    "thumbnail-image",
    "thumbnail-video",
    "thumbnail-document",
    "sticker-pack",
    "thumbnail-sticker-pack",
    "md-app-state",
    "md-msg-hist",
    "group-history",
    "ads-image",
    "ads-video",
    "music-artwork",
    "waffle-image",
    "waffle-video",
];

const NEWSLETTER: [&str; 10] =
    ["image", "video", "audio", "document", "sticker", "gif", "ptt", "ptv", "sticker-pack", "thumbnail-link"];

/// Splits `/mms/image/TOKEN` and the like.
pub(crate) fn upload(path: &str) -> Option<(Kind, &str)> {
    let (place, token) = path.rsplit_once('/')?;
    let place = place.strip_prefix('/')?;
    let encrypted = |name: &str| Kind { name: name.to_owned(), plain: false, profile: false };
    let plain = |name: &str| Kind { name: name.to_owned(), plain: true, profile: false };
    let kind = match place.split_once('/')? {
        ("mms", name) if ENCRYPTED.contains(&name) => encrypted(name),
        ("newsletter", name) => {
            plain(name.strip_prefix("newsletter-").filter(|name| NEWSLETTER.contains(name))?)
        }
        ("product", "image") => plain("product"),
        ("pps", name @ ("photo" | "biz-cover-photo")) => Kind { profile: true, ..plain(name) },
        _ => return None,
    };
    Some((kind, token))
}

/// What a `Range` header asks for of a file of this length.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of it.
    Whole,
    /// From the first to before the second offset.
    Part(u64, u64),
    /// Nothing that there is.
    Beyond,
}

pub(crate) fn range(header: Option<&str>, length: u64) -> Wanted {
    let Some(header) = header else { return Wanted::Whole };
    // Several ranges, and what is no range, get the whole.
    let Some((from, to)) = header.trim().strip_prefix("bytes=").and_then(|range| range.split_once('-'))
    else {
        return Wanted::Whole;
    };
    match (from.parse::<u64>(), to.parse::<u64>()) {
        (Ok(from), _) if from >= length => Wanted::Beyond,
        (Ok(from), Ok(to)) if to >= from => Wanted::Part(from, to.saturating_add(1).min(length)),
        (Ok(from), _) if to.is_empty() => Wanted::Part(from, length),
        (Err(_), Ok(last)) if from.is_empty() && last > 0 => {
            Wanted::Part(length.saturating_sub(last), length)
        }
        _ => Wanted::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_of_every_client_are_read() {
        let target =
            Target::parse("/v/t62/1_n.enc?ccb=1&oh=ab&oe=6A?auth=x%3D%2f&token=y%3D&mms3=true&__wa-mms=");
        assert_eq!(target.path, "/v/t62/1_n.enc");
        assert_eq!(target.parameter("oe"), Some("6A"));
        assert_eq!(target.parameter("auth"), Some("x=/"));
        assert_eq!(target.parameter("__wa-mms"), Some(""));
        assert_eq!(Target::parse("/x?a=%zz%4").parameter("a"), Some("%zz%4"));
    }

    #[test]
    fn uploads_are_told_apart() {
        let of = |path| upload(path).map(|(kind, token)| (kind.name, kind.plain, token.to_owned()));
        assert_eq!(of("/mms/image/AbC="), Some(("image".into(), false, "AbC=".into())));
        assert_eq!(of("/newsletter/newsletter-ptt/x"), Some(("ptt".into(), true, "x".into())));
        assert_eq!(of("/pps/photo/x"), Some(("photo".into(), true, "x".into())));
        for unknown in ["/mms/song/x", "/mms/image", "/newsletter/image/x", "/a/b/c", "x", ""] {
            assert_eq!(of(unknown), None, "{unknown}");
        }
        assert_eq!(hash("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), Some([0; 32]));
        assert_eq!(hash("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), Some([0; 32]));
        assert_eq!(hash("AAAA"), None);
    }

    #[test]
    fn ranges_are_clipped_and_odd_ones_ignored() {
        for (header, wanted) in [
            ("bytes=0-3", Wanted::Part(0, 4)),
            ("bytes=4-", Wanted::Part(4, 10)),
            ("bytes=-3", Wanted::Part(7, 10)),
            ("bytes=-30", Wanted::Part(0, 10)),
            ("bytes=9-99", Wanted::Part(9, 10)),
            ("bytes=10-", Wanted::Beyond),
            ("bytes=3-2", Wanted::Whole),
            ("bytes=0-1,4-5", Wanted::Whole),
            ("lines=0-1", Wanted::Whole),
        ] {
            assert_eq!(range(Some(header), 10), wanted, "{header}");
        }
        assert_eq!(range(None, 10), Wanted::Whole);
    }
}
