//! Requirement sets. Two comment lines in each say how the clients install it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

/// A file of requirements.
#[derive(Debug)]
pub(super) struct Set {
    pub(super) name: String,
    pub(super) path: PathBuf,
    /// The words after `pip`.
    pub(super) pip: Vec<String>,
    /// The words after `uv`.
    pub(super) uv: Vec<String>,
}

impl Set {
    /// The sets of a directory, in order, or those of them with these names.
    pub(super) fn read_all(directory: &Path, names: &[String]) -> Result<Vec<Self>> {
        let mut paths = Vec::new();
        if names.is_empty() {
            for entry in fs::read_dir(directory).context("cannot list the sets")? {
                paths.push(entry.context("cannot list the sets")?.path());
            }
            paths.sort();
        } else {
            let path = |name: &String| directory.join(name).with_extension("txt");
            paths.extend(names.iter().map(path));
        }
        paths.into_iter().map(Self::read).collect()
    }

    fn read(path: PathBuf) -> Result<Self> {
        let text = fs::read_to_string(&path)
            .with_context(|| format!("cannot read the set {}", path.display()))?;
        let name = path.file_stem().unwrap_or_default();
        let (Some(pip), Some(uv)) = (words(&text, "# pip:"), words(&text, "# uv:")) else {
            bail!(
                "{} says not how to install it: it needs the lines `# pip: …` and `# uv: …`",
                path.display()
            );
        };
        Ok(Self {
            name: name.to_string_lossy().into_owned(),
            pip,
            uv,
            path,
        })
    }
}

fn words(text: &str, begin: &str) -> Option<Vec<String>> {
    let line = text.lines().find_map(|line| line.strip_prefix(begin))?;
    Some(line.split_whitespace().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_says_how_to_install_it() {
        let sets = Set::read_all(&crate::tools::root().join("xtask/requirements"), &[]).unwrap();
        let names: Vec<_> = sets.iter().map(|set| set.name.as_str()).collect();
        assert_eq!(names, ["big", "docker-example", "install", "old", "sdists"]);
        assert_eq!(sets[0].pip, ["download", "--no-deps"]);
        assert_eq!(sets[0].uv, ["pip", "install", "--no-deps"]);
    }
}
