//! Writes the files that fuzzing of `media_probe` starts from:
//! `cargo run -p whimbrel-media --example seed_media_corpus`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "an example may end with a panic")]

use std::path::Path;

#[path = "../tests/checks/files.rs"]
mod files;

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/media_probe");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, file) in files::all() {
        std::fs::write(folder.join(name), file).unwrap();
    }
}
