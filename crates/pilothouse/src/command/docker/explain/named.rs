//! `--build-context`: folders and images that a build is given under names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ::context::{Entry, Snapshot};
use anyhow::anyhow;
use dockerfile::Engine;
use serde::{Deserialize, Serialize};

use super::state;
use crate::command::docker::source;
use crate::failure::Explained;

/// What a name stands for.
pub(super) enum Named {
    Files(Snapshot),
    /// An image, or another address: the same as long as that is.
    Image(String),
}

/// By name.
pub(super) type Names = BTreeMap<String, Named>;

/// What is kept of one: of files what an engine compares.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kept {
    Files(BTreeMap<String, Entry>),
    Image(String),
}

/// Reads what flags name, as `NAME=DIR` or `NAME=docker-image://IMAGE`.
pub(super) fn read(flags: &[String], engine: Engine) -> anyhow::Result<Names> {
    if !flags.is_empty() && matches!(engine, Engine::BuildKit08 | Engine::Legacy) {
        return Err(anyhow!(Explained::new(
            format!("`{}` knows no --build-context", engine.as_str()),
            "ask for `--engine buildkit` or `buildah`",
        )));
    }
    let named = flags.iter().map(|flag| one(flag, engine));
    named.collect()
}

fn one(flag: &str, engine: Engine) -> anyhow::Result<(String, Named)> {
    let pair = flag.split_once('=');
    let pair = pair.filter(|(name, value)| !name.is_empty() && !value.is_empty());
    let Some((name, value)) = pair else {
        return Err(anyhow!(Explained::new(
            format!("`{flag}` is no build context"),
            "write NAME=DIR or NAME=docker-image://IMAGE",
        )));
    };
    let named = if let Some(image) = value.strip_prefix("docker-image://") {
        Named::Image(image.to_owned())
    } else if value.contains("://") {
        Named::Image(value.to_owned())
    } else {
        let folder = PathBuf::from(value);
        Named::Files(files(&folder, engine)?)
    };
    Ok((name.to_owned(), named))
}

/// A folder's own ignore file holds for it.
fn files(folder: &Path, engine: Engine) -> anyhow::Result<Snapshot> {
    let ignore = source::ignore(folder, None)?;
    state::files(folder, ignore.as_ref(), engine)
}

impl Named {
    pub(super) fn kept(&self) -> anyhow::Result<Kept> {
        Ok(match self {
            Self::Files(files) => {
                let settled = files.settled().map_err(anyhow::Error::msg)?;
                Kept::Files(settled.entries().clone())
            }
            Self::Image(image) => Kept::Image(image.clone()),
        })
    }
}

impl From<Kept> for Named {
    fn from(kept: Kept) -> Self {
        match kept {
            Kept::Files(files) => Self::Files(files.into_iter().collect()),
            Kept::Image(image) => Self::Image(image),
        }
    }
}
