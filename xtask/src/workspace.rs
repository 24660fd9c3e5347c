//! Where the repository's files are.

use std::path::{Path, PathBuf};

/// The repository's root folder: the parent of this package.
///
/// Cargo says where that is when it runs the task; another checkout may share the build folder,
/// so what was true at compile time may not be.
pub(crate) fn root() -> Result<PathBuf, String> {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&package)
        .parent()
        .map(Path::to_path_buf)
        .ok_or_else(|| String::from("the task runner's package has no parent folder"))
}
