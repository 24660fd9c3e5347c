//! What a shared library asks of the system that loads it.

use std::path::Path;
use std::process::Command;

use super::said;

/// Libraries that every Linux of the manylinux kind has.
const EVERYWHERE: [&str; 8] = [
    "libc.so.6",
    "libm.so.6",
    "libpthread.so.0",
    "libdl.so.2",
    "librt.so.1",
    "libutil.so.1",
    "libgcc_s.so.1",
    "ld-linux-x86-64.so.2",
];

/// The oldest glibc that has everything the library uses, as major and minor number.
///
/// # Errors
/// When it needs a library that not every system has.
pub(super) fn oldest_glibc(library: &Path) -> Result<(u32, u32), String> {
    let dynamic = readelf(library, "--dynamic")?;
    let needed = dynamic.lines().filter(|line| line.contains("(NEEDED)"));
    for name in needed.filter_map(|line| line.split(['[', ']']).nth(1)) {
        if !EVERYWHERE.contains(&name) && !name.starts_with("ld-linux") {
            return Err(format!("{} needs {name}, which not every system has", library.display()));
        }
    }
    let versions = readelf(library, "--version-info")?;
    glibc_of(&versions).ok_or_else(|| format!("{} names no version of glibc", library.display()))
}

/// The newest version of glibc that is named.
fn glibc_of(versions: &str) -> Option<(u32, u32)> {
    let numbers = |word: &str| {
        let mut numbers = word.split('.');
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    };
    versions.split_whitespace().filter_map(|word| numbers(word.strip_prefix("GLIBC_")?)).max()
}

fn readelf(library: &Path, what: &str) -> Result<String, String> {
    let output = Command::new("readelf")
        .args(["--wide", what])
        .arg(library)
        .output()
        .map_err(|error| said(Path::new("readelf"), error))?;
    if !output.status.success() {
        return Err(format!("readelf: {}", String::from_utf8_lossy(&output.stderr).trim_end()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_counts() {
        let versions = "  0x0020:   Name: GLIBC_2.2.5  Flags: none\n  0x0030:   Name: GLIBC_2.17  Flags: none\n  \
                        0x0040:   Name: GCC_3.0  Flags: none  Name: GLIBC_2.4";
        assert_eq!(glibc_of(versions), Some((2, 17)));
        assert_eq!(glibc_of("nothing"), None);
    }
}
