//! Wheels.

use pyspec::{FileKind, Filename};

use crate::refused::{Error, Refused, Shown};
use crate::zip::{self, Entry};
use crate::{Limits, Opened, ReadAt, agreement};

/// Opens a wheel, as the
/// [specification](https://packaging.python.org/en/latest/specifications/binary-distribution-format/) has it.
///
/// It has one `.dist-info` folder, named for the release of its filename, with
/// METADATA (of the same release), WHEEL and RECORD in it. What the metadata says besides is not judged.
pub fn wheel<S: ReadAt + ?Sized>(
    file: &S,
    filename: &Filename,
    limits: &Limits,
) -> Result<Opened, Error> {
    if filename.kind() != FileKind::Wheel || filename.project_and_version().is_none() {
        return Err(Refused::Filename.into());
    }
    let mut info = Info::default();
    let tally = zip::walk(file, limits, |entry| info.see(entry))?;
    let (folder, entry) = info.finish()?;
    let bytes = agreement::bytes(METADATA, limits.metadata, entry.contents(file), |error| {
        Error::reading(error, "its METADATA cannot be unpacked")
    })?;
    let metadata = agreement::metadata(METADATA, &bytes, filename)?;
    if !agreement::is_named_for(&folder, &metadata) {
        return Err(Refused::FolderDisagrees {
            folder: Shown::new(&format!("{folder}{ENDING}")),
            project: metadata.project().clone(),
            version: metadata.version().clone(),
        }
        .into());
    }
    Ok(Opened {
        metadata_bytes: bytes,
        metadata,
        entries: tally.entries,
        unpacked: tally.unpacked,
    })
}

const METADATA: &str = "METADATA";
const ENDING: &str = ".dist-info";

/// What was found of the `.dist-info` folder.
#[derive(Default)]
struct Info {
    /// Its name, without the ending.
    folder: Option<String>,
    metadata: Option<Entry>,
    has_wheel: bool,
    has_record: bool,
}

impl Info {
    fn see(&mut self, entry: Entry) -> Result<(), Refused> {
        let (first, rest) = entry.path.split();
        let Some(folder) = first.strip_suffix(ENDING) else {
            return Ok(());
        };
        match &self.folder {
            None => self.folder = Some(folder.to_owned()),
            Some(known) if known == folder => {}
            Some(known) => {
                let known = Shown::new(&format!("{known}{ENDING}"));
                return Err(Refused::TwoDistInfos(known, Shown::new(first)));
            }
        }
        if entry.path.is_folder {
            return Ok(());
        }
        match rest {
            Some(METADATA) => self.metadata = Some(entry),
            Some("WHEEL") => self.has_wheel = true,
            Some("RECORD") => self.has_record = true,
            _ => {}
        }
        Ok(())
    }

    fn finish(self) -> Result<(String, Entry), Refused> {
        let folder = self.folder.ok_or(Refused::Missing(Shown::new(ENDING)))?;
        let missing = |name| Refused::Missing(Shown::new(&format!("{folder}{ENDING}/{name}")));
        let metadata = self.metadata.ok_or_else(|| missing(METADATA))?;
        if !self.has_wheel {
            return Err(missing("WHEEL"));
        }
        if !self.has_record {
            return Err(missing("RECORD"));
        }
        Ok((folder, metadata))
    }
}
