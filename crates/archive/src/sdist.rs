//! Sdists: a tar file compressed by gzip, or a zip file.

use std::io::BufReader;

use flate2::bufread::MultiGzDecoder;
use pyspec::Filename;

use crate::entry_path::EntryPath;
use crate::limits::Tally;
use crate::read_at::Section;
use crate::refused::{Error, Refused, Shown};
use crate::tar::{self, Kind, Tar};
use crate::zip::{self, Entry, Names};
use crate::{Limits, Opened, ReadAt, agreement};

/// Opens an sdist, as the
/// [specification](https://packaging.python.org/en/latest/specifications/source-distribution-format/) has it.
///
/// All of it is in one folder, named for the release of its filename, with PKG-INFO
/// (of the same release) directly in it. Links stay within that folder.
///
/// `None` if it is packed in a way that only old tools used (`.tar.bz2`, `.tar.xz` and
/// their like): we have no reader for it, and nothing is known but its name.
pub fn sdist<S: ReadAt + ?Sized>(
    file: &S,
    filename: &Filename,
    limits: &Limits,
) -> Result<Option<Opened>, Error> {
    let mut endings = filename.as_str().rsplit('.');
    let (top, bytes, tally) = match (endings.next(), endings.next()) {
        (Some("zip"), _) => from_zip(file, limits)?,
        (Some("gz"), Some("tar")) | (Some("tgz"), _) => from_tar_gz(file, limits)?,
        _ => return Ok(None),
    };
    let metadata = agreement::metadata(PKG_INFO, &bytes, filename)?;
    if !agreement::is_named_for(&top, &metadata) {
        return Err(Refused::FolderDisagrees {
            folder: Shown::new(&top),
            project: metadata.project().clone(),
            version: metadata.version().clone(),
        }
        .into());
    }
    Ok(Some(Opened {
        metadata_bytes: bytes,
        metadata,
        entries: tally.entries,
        unpacked: tally.unpacked,
    }))
}

const PKG_INFO: &str = "PKG-INFO";

type Found = (String, Vec<u8>, Tally);

fn from_zip<S: ReadAt + ?Sized>(file: &S, limits: &Limits) -> Result<Found, Error> {
    let mut top = Top::default();
    let mut info: Option<Entry> = None;
    let tally = zip::walk(file, limits, |entry| {
        top.see(&entry.path, entry.path.is_folder)?;
        if is_pkg_info(&entry.path) && !entry.path.is_folder {
            info = Some(entry);
        }
        Ok(())
    })?;
    let entry = info.ok_or_else(|| top.without_pkg_info())?;
    let bytes = agreement::bytes(PKG_INFO, limits.metadata, entry.contents(file), |error| {
        Error::reading(error, "its PKG-INFO cannot be unpacked")
    })?;
    Ok((top.name(), bytes, tally))
}

fn from_tar_gz<S: ReadAt + ?Sized>(file: &S, limits: &Limits) -> Result<Found, Error> {
    let len = file.len().map_err(Error::Io)?;
    let packed = BufReader::with_capacity(64 * 1024, Section::new(file, 0, len));
    let mut tar = Tar::new(MultiGzDecoder::new(packed), Tally::new(limits, len));
    let mut top = Top::default();
    let mut seen = Seen::default();
    let mut info = None;
    while let Some(entry) = tar.next()? {
        // The archive's own folder, which `tar -c .` writes first.
        if entry.path.as_str().is_empty() && entry.kind == Kind::Folder {
            continue;
        }
        top.see(&entry.path, entry.kind == Kind::Folder)?;
        seen.see(&top, &entry)?;
        if is_pkg_info(&entry.path) && entry.kind == Kind::File {
            info = Some(agreement::bytes(
                PKG_INFO,
                limits.metadata,
                &mut tar,
                tar::failed,
            )?);
        }
    }
    let bytes = info.ok_or_else(|| top.without_pkg_info())?;
    Ok((top.name(), bytes, tar.tally()))
}

fn is_pkg_info(path: &EntryPath) -> bool {
    path.split().1 == Some(PKG_INFO)
}

/// The one folder that all entries are in.
#[derive(Default)]
struct Top {
    name: Option<String>,
    /// Where a PKG-INFO is that should be elsewhere.
    misplaced: Option<String>,
}

impl Top {
    fn see(&mut self, path: &EntryPath, is_folder: bool) -> Result<(), Refused> {
        let (first, rest) = path.split();
        if rest.is_none() && !is_folder {
            return Err(Refused::NoFolder(path.shown()));
        }
        match &self.name {
            None => self.name = Some(first.to_owned()),
            Some(name) if name == first => {}
            Some(name) => return Err(Refused::TwoFolders(path.shown(), Shown::new(name))),
        }
        if self.misplaced.is_none() && path.as_str().ends_with("/PKG-INFO") {
            self.misplaced = Some(path.as_str().to_owned());
        }
        Ok(())
    }

    fn without_pkg_info(&self) -> Refused {
        let top = self.name.as_deref().unwrap_or_default();
        let expected = Shown::new(format!("{top}/{PKG_INFO}").trim_start_matches('/'));
        match &self.misplaced {
            Some(found) => Refused::Misplaced {
                expected,
                found: Shown::new(found),
            },
            None => Refused::Missing(expected),
        }
    }

    fn name(self) -> String {
        self.name.unwrap_or_default()
    }
}

/// What came before in a tar file, where one entry may lead another astray.
#[derive(Default)]
struct Seen {
    /// Everything but folders, which may come as often as they like.
    files: Names,
    folders: Names,
    links: Names,
}

impl Seen {
    fn see(&mut self, top: &Top, entry: &tar::Entry) -> Result<(), Refused> {
        let path = &entry.path;
        let astray = |why| Refused::Path {
            entry: path.shown(),
            why,
        };
        let is_through_link = || path.parents().any(|parent| self.links.contains(parent));
        if !self.links.is_empty() && is_through_link() {
            return Err(astray("lies behind a link"));
        }
        if entry.kind == Kind::Folder {
            self.folders.insert(path.as_str());
            return if self.files.contains(path.as_str()) {
                Err(Refused::Duplicate(path.shown()))
            } else {
                Ok(())
            };
        }
        if let Kind::HardLink(target) = &entry.kind {
            let target = EntryPath::loose(target)?;
            if !self.files.contains(target.as_str()) || self.links.contains(target.as_str()) {
                return Err(astray("is a link to a file that did not come before it"));
            }
        }
        if !self.files.insert(path.as_str()) || self.folders.contains(path.as_str()) {
            return Err(Refused::Duplicate(path.shown()));
        }
        if let Kind::Symlink(target) = &entry.kind {
            self.links.insert(path.as_str());
            let top = top.name.as_deref().unwrap_or_default();
            if !path.link_stays_in(top, target) {
                return Err(astray("is a link that may lead out of its folder"));
            }
        }
        Ok(())
    }
}
