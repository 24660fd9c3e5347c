//! The participant hash, by which two sides notice that they know different devices (delivery
//! document §2.9).

use sha2::{Digest, Sha256};

use crate::digest::base64;

/// Hash over devices given as (user, device number, server). Hosted devices are left out by the
/// caller; the order does not matter.
pub fn phash<'a>(devices: impl IntoIterator<Item = (&'a str, u16, &'a str)>) -> String {
    let mut names: Vec<String> = devices
        .into_iter()
        .map(|(user, device, server)| {
            let server = if server == "c.us" { "s.whatsapp.net" } else { server };
            format!("{user}.0:{device}@{server}")
        })
        .collect();
    names.sort_unstable();
    let mut hash = Sha256::new();
    for name in &names {
        hash.update(name.as_bytes());
    }
    let hash = hash.finalize();
    format!("2:{}", base64(hash.get(..6).unwrap_or_default()))
}
