//! One link of a page, read as a file.

use crate::hashes::Hashes;
use crate::link::{self, Base};
use crate::page::{CoreMetadata, Dropped, PageFile, Yanked};
use crate::upload_time::UploadTime;

use super::scan::{Attribute, Tag};

/// The file that a link stands for; `None` if it stands for none.
pub(super) fn file(tag: &Tag, base: &mut Base) -> Result<Option<PageFile>, Dropped> {
    let Some(href) = tag.get(Attribute::Href) else {
        return Ok(None);
    };
    if href.contains(char::REPLACEMENT_CHARACTER) {
        return Err(Dropped::new(shown(href), "the link is not UTF-8"));
    }
    let target = base
        .resolve(href)
        .map_err(|why| Dropped::new(shown(href), why))?;
    let hashes =
        link::fragment_hashes(target.fragment).map_err(|why| Dropped::new(shown(href), &why));
    let filename = match link::filename(&target.url) {
        Ok(filename) if filename.is_distribution() => filename,
        // A hash makes a file of whatever has a name.
        Ok(filename) if hashes.as_ref().is_ok_and(|hashes| !hashes.is_empty()) => filename,
        Err(error) if !link::last_segment(&target.url).is_empty() => {
            return Err(Dropped::new(shown(href), &error));
        }
        _ => return Ok(None),
    };
    let mark = tag.get(Attribute::UploadTimeSource);
    let file = PageFile {
        filename,
        hashes: hashes?,
        size: tag
            .get(Attribute::Size)
            .and_then(|size| size.trim().parse().ok()),
        upload_time: tag
            .get(Attribute::UploadTime)
            .and_then(|time| UploadTime::parse(time, mark)),
        requires_python: tag
            .get(Attribute::RequiresPython)
            .filter(|text| !text.is_empty())
            .map(str::to_owned),
        yanked: tag
            .get(Attribute::Yanked)
            .map_or(Yanked::No, Yanked::because),
        core_metadata: core_metadata(tag),
        provenance: tag
            .get(Attribute::Provenance)
            .and_then(|link| Some(base.resolve(link).ok()?.url)),
        gpg_sig: tag
            .get(Attribute::GpgSig)
            .and_then(|text| text.trim().to_ascii_lowercase().parse().ok()),
        url: target.url,
    };
    Ok(Some(file))
}

/// What may be shown of a link: its end, for the rest may hold a secret.
fn shown(href: &str) -> &str {
    let path = href.trim().split(['?', '#']).next().unwrap_or("");
    let path = path.strip_suffix('/').unwrap_or(path);
    path.rsplit(['/', '@']).next().unwrap_or(path)
}

/// `true` or `sha256=…`, under the new name or else the old one ([PEP 714](https://peps.python.org/pep-0714/)).
fn core_metadata(tag: &Tag) -> CoreMetadata {
    let stated = tag
        .get(Attribute::CoreMetadata)
        .or_else(|| tag.get(Attribute::DistInfoMetadata));
    let Some(text) = stated.map(str::trim) else {
        return CoreMetadata::Absent;
    };
    if text.eq_ignore_ascii_case("true") {
        return CoreMetadata::Present(Hashes::default());
    }
    let mut hashes = Hashes::default();
    match text
        .split_once('=')
        .map(|(kind, value)| hashes.insert(kind, value))
    {
        Some(Ok(())) => CoreMetadata::Present(hashes),
        // Metadata that cannot be checked is not offered; the file itself is fine.
        _ => CoreMetadata::Absent,
    }
}
