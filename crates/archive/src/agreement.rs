//! Whether an archive is what its name says.

use std::io::{self, Read};

use pyspec::{Filename, Metadata};

use crate::refused::{Error, Refused, Shown};

/// Reads the metadata, no more of it than allowed.
pub(crate) fn bytes(
    file: &'static str,
    limit: u64,
    from: impl Read,
    failed: impl Fn(io::Error) -> Error,
) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    from.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(Refused::MetadataTooLarge { file, limit }.into());
    }
    Ok(bytes)
}

/// Reads metadata that must be of the release that the file's name tells.
pub(crate) fn metadata(
    file: &'static str,
    bytes: &[u8],
    filename: &Filename,
) -> Result<Metadata, Refused> {
    let metadata = Metadata::parse(bytes).map_err(|why| Refused::Metadata { file, why })?;
    // The name of an sdist can be read in several ways; one of them must be right.
    if filename.version_of(metadata.project()).as_ref() == Some(metadata.version()) {
        return Ok(metadata);
    }
    match filename.version_of(metadata.project()).or_else(|| {
        let (project, version) = filename.project_and_version()?;
        (project == *metadata.project()).then_some(version)
    }) {
        Some(version) => Err(Refused::VersionDisagrees {
            filename: version,
            metadata: metadata.version().clone(),
        }),
        None => Err(project_disagrees(filename, &metadata)),
    }
}

fn project_disagrees(filename: &Filename, metadata: &Metadata) -> Refused {
    match filename.project_and_version() {
        Some((project, _)) => Refused::ProjectDisagrees {
            filename: Shown::new(project.as_str()),
            metadata: metadata.project().clone(),
        },
        None => Refused::Filename,
    }
}

/// Whether a folder is named for a release: `{name}-{version}`, each spelled in whatever way.
pub(crate) fn is_named_for(folder: &str, metadata: &Metadata) -> bool {
    // As an sdist's name is read, of which the folder's is the stem.
    let filename: Result<Filename, _> = format!("{folder}.tar.gz").parse();
    filename
        .ok()
        .and_then(|filename| filename.version_of(metadata.project()))
        .is_some_and(|version| version == *metadata.version())
}
