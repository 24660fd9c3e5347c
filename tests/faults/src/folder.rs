//! Folders that go with a test.

use std::io;
use std::path::PathBuf;

/// A folder of its own below the temporary one, removed when this is dropped.
pub struct Folder(PathBuf);

impl Folder {
    /// Makes the folder, empty; the name is distinct among the stories of a process.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(name: &str) -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("whimbrel-{name}-{}", std::process::id()));
        // What an earlier process of the same number left, if any.
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    /// Where a file of this name is.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that is left behind in the temporary folder harms nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
