//! The participant hash, by which two sides notice that they know different devices (delivery
//! document §2.9).

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::digest::base64;

/// Hash over devices given as (user, device number, server). Hosted devices are left out by the
/// caller; the order does not matter.
pub fn phash<'a>(devices: impl IntoIterator<Item = (&'a str, u16, &'a str)>) -> String {
    // All names in one text: a large group has a thousand.
    let mut text = String::new();
    let mut ends = Vec::new();
    for (user, device, server) in devices {
        let server = if server == "c.us" { "s.whatsapp.net" } else { server };
        // Writing to a string cannot fail.
        let written = write!(text, "{user}.0:{device}@{server}");
        debug_assert!(written.is_ok());
        ends.push(text.len());
    }
    let mut rest = text.as_str();
    let mut start = 0;
    let mut names = Vec::with_capacity(ends.len());
    for end in ends {
        let (name, after) = rest.split_at_checked(end - start).unwrap_or((rest, ""));
        names.push(name);
        (rest, start) = (after, end);
    }
    names.sort_unstable();
    let mut hash = Sha256::new();
    for name in names {
        hash.update(name);
    }
    let hash = hash.finalize();
    format!("2:{}", base64(hash.get(..6).unwrap_or_default()))
}
