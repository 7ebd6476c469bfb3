//! A state that is kept for later: `explain --record`.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use ::context::{Entry, Snapshot};
use anyhow::{Context as _, anyhow};
use dockerfile::cache::Options;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use super::cost::Costs;
use super::named::Kept;
use super::state::{Origin, State};
use crate::config::Places;
use crate::failure::Explained;

/// What is kept: no bytes of the files, but what an engine compares of them.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    /// Of which folder; older records do not say.
    #[serde(default)]
    context: PathBuf,
    dockerfile: String,
    build_args: BTreeMap<String, String>,
    target: Option<String>,
    platform: Option<String>,
    hosts: Vec<String>,
    network: Option<String>,
    files: BTreeMap<String, Entry>,
    #[serde(default)]
    named: BTreeMap<String, Kept>,
    #[serde(default)]
    costs: Costs,
}

/// Keeps a state in place of the one that was kept of this folder; answers where.
pub(super) fn save(
    places: &Places,
    context: &Path,
    state: &State,
    costs: Costs,
) -> anyhow::Result<PathBuf> {
    let path = path(places, context)?;
    let files = state.files.settled().map_err(anyhow::Error::msg)?;
    let told = state.told.clone();
    let named = state.named.iter();
    let named = named.map(|(name, named)| Ok((name.clone(), named.kept()?)));
    let record = Record {
        context: real(context)?,
        dockerfile: state.dockerfile.text().to_owned(),
        build_args: told.build_args,
        target: told.target,
        platform: told.platform,
        hosts: told.hosts,
        network: told.network,
        files: files.entries().clone(),
        named: named.collect::<anyhow::Result<_>>()?,
        costs,
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    let write = || -> anyhow::Result<()> {
        fs::create_dir_all(folder)?;
        let mut file = NamedTempFile::new_in(folder)?;
        serde_json::to_writer(&mut file, &record)?;
        file.persist(&path)?;
        Ok(())
    };
    write().with_context(|| format!("`{}` cannot be written", path.display()))?;
    Ok(path)
}

/// What was kept of this folder last.
pub(super) fn load(places: &Places, context: &Path) -> anyhow::Result<Option<State>> {
    let path = path(places, context)?;
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let what = format!("`{}` cannot be read", path.display());
            return Err(anyhow::Error::new(error).context(what));
        }
    };
    let record: Record = serde_json::from_slice(&text).with_context(|| {
        Explained::new(
            format!("`{}` is no record of this version", path.display()),
            "record the state anew with `--record`",
        )
    })?;
    let told = Options {
        build_args: record.build_args,
        target: record.target,
        platform: record.platform,
        hosts: record.hosts,
        network: record.network,
        images: BTreeMap::new(),
    };
    let files = record.files.into_iter().collect();
    let what = "what was recorded".to_owned();
    let named = record.named.into_iter();
    let mut state = State::new(what, &record.dockerfile, told, files)?;
    state.named = named.map(|(name, kept)| (name, kept.into())).collect();
    state.origin = Origin::Record;
    Ok(Some(state))
}

/// What the steps of this folder cost, if that was kept.
pub(super) fn costs(places: &Places, context: &Path) -> Costs {
    let text = path(places, context).and_then(|path| Ok(fs::read(path)?));
    let record = text.and_then(|text| Ok(serde_json::from_slice::<Record>(&text)?));
    record.map(|record| record.costs).unwrap_or_default()
}

/// What was kept of other folders that have the same name as this one.
pub(super) fn namesakes(
    places: &Places,
    context: &Path,
) -> anyhow::Result<Vec<(PathBuf, Snapshot)>> {
    let own = real(context)?;
    let Ok(path) = path(places, context) else {
        // Nowhere to keep records is nowhere to have kept any.
        return Ok(Vec::new());
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut namesakes = Vec::new();
    // Without records there is no folder, and what is no record is not that of a namesake.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(text) = fs::read(entry.path()) else {
            continue;
        };
        let Ok(record) = serde_json::from_slice::<Record>(&text) else {
            continue;
        };
        if record.context != own && record.context.file_name() == own.file_name() {
            namesakes.push((record.context, record.files.into_iter().collect()));
        }
    }
    namesakes.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(namesakes)
}

fn real(context: &Path) -> anyhow::Result<PathBuf> {
    fs::canonicalize(context).with_context(|| {
        Explained::new(
            format!("`{}` cannot be built", context.display()),
            "name a folder",
        )
    })
}

/// A file for each folder, by where it is.
fn path(places: &Places, context: &Path) -> anyhow::Result<PathBuf> {
    let context = real(context)?;
    let digest = Sha256::digest(context.as_os_str().as_encoded_bytes());
    let name = hex::encode(&digest[..16]);
    let data = places.data_dir().ok_or_else(|| {
        anyhow!(Explained::new(
            "there is no home directory to keep a state in",
            "set HOME",
        ))
    })?;
    Ok(data.join("explain").join(format!("{name}.json")))
}
