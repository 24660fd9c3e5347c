//! Where the repository's files are.

use std::path::{Path, PathBuf};

/// The repository's root folder: the parent of this package.
pub(crate) fn root() -> Result<PathBuf, String> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_path_buf)
        .ok_or_else(|| String::from("the task runner's package has no parent folder"))
}
