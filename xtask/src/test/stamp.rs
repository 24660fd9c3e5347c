//! Stamps: a set-up step is done again only when its inputs have changed.

use std::path::{Path, PathBuf};

use crate::TaskResult;

/// Runs `step` unless the stamp called `name` says that it was done with the same `inputs`.
pub(crate) fn once(
    folder: &Path,
    name: &str,
    inputs: &[&Path],
    step: impl FnOnce() -> TaskResult,
) -> TaskResult {
    let stamp: PathBuf = folder.join(format!(".{name}.stamp"));
    let mut wanted = Vec::new();
    for input in inputs {
        wanted.extend(std::fs::read(input).map_err(|error| format!("{}: {error}", input.display()))?);
        wanted.push(b'\n');
    }
    if std::fs::read(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    step()?;
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&stamp, wanted))
        .map_err(|error| format!("{}: {error}", stamp.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_runs_again_when_its_input_changes() {
        let folder = std::env::temp_dir().join(format!("whimbrel-stamp-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let input = folder.join("input");
        let mut runs = 0;
        for (text, expected) in [("a", 1), ("a", 1), ("b", 2)] {
            std::fs::write(&input, text).unwrap();
            once(&folder, "step", &[&input], || {
                runs += 1;
                Ok(())
            })
            .unwrap();
            assert_eq!(runs, expected);
        }
        let failed = once(&folder, "other", &[&input], || Err(String::from("no")));
        assert_eq!(failed, Err(String::from("no")));
        assert!(!folder.join(".other.stamp").exists(), "what failed is tried again");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
