//! One entry of `files`.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

use crate::hashes::Hashes;
use crate::link::Base;
use crate::page::{CoreMetadata, Dropped, PageFile, Yanked};
use crate::text::Text;
use crate::upload_time::UploadTime;

/// A file as the page states it.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", expecting = "a file")]
pub(super) struct File<'a> {
    #[serde(borrow)]
    filename: Text<'a>,
    #[serde(borrow)]
    url: Text<'a>,
    hashes: Hashes,
    size: Option<u64>,
    #[serde(borrow)]
    upload_time: Option<Text<'a>>,
    #[serde(borrow, rename = "_upload-time-source")]
    upload_time_source: Option<Text<'a>>,
    #[serde(borrow)]
    requires_python: Option<Text<'a>>,
    #[serde(default)]
    yanked: YankedField,
    core_metadata: Option<MetadataField>,
    // What came before PEP 714, in both spellings that servers use.
    dist_info_metadata: Option<MetadataField>,
    data_dist_info_metadata: Option<MetadataField>,
    #[serde(borrow)]
    provenance: Option<Text<'a>>,
    gpg_sig: Option<bool>,
}

impl File<'_> {
    /// The file, with its links made absolute.
    pub(super) fn read(self, base: &mut Base) -> Result<PageFile, Dropped> {
        let name = &*self.filename.0;
        let filename = name.parse().map_err(|error| Dropped::new(name, &error))?;
        let link = base
            .resolve(&self.url.0)
            .map_err(|why| Dropped::new(name, why))?;
        let requires_python = self
            .requires_python
            .map(|text| text.0.into_owned())
            .filter(|text| !text.is_empty());
        let reason = if let Yanked::Yes(reason) = &self.yanked.0 {
            reason.as_deref()
        } else {
            None
        };
        if [requires_python.as_deref(), reason]
            .into_iter()
            .flatten()
            .any(|text| text.contains('\0'))
        {
            return Err(Dropped::new(name, "it has a NUL character"));
        }
        let mark = self.upload_time_source.as_ref().map(|mark| &*mark.0);
        let metadata = self
            .core_metadata
            .or(self.dist_info_metadata)
            .or(self.data_dist_info_metadata);
        Ok(PageFile {
            filename,
            url: link.url,
            hashes: self.hashes,
            size: self.size,
            upload_time: self
                .upload_time
                .and_then(|time| UploadTime::parse(&time.0, mark)),
            requires_python,
            yanked: self.yanked.0,
            core_metadata: metadata.map_or(CoreMetadata::Absent, |field| field.0),
            provenance: self
                .provenance
                .and_then(|link| Some(base.resolve(&link.0).ok()?.url)),
            gpg_sig: self.gpg_sig,
        })
    }
}

/// `false`, `true` or the reason.
#[derive(Default)]
struct YankedField(Yanked);

impl<'de> Deserialize<'de> for YankedField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(YankedVisitor).map(Self)
    }
}

struct YankedVisitor;

impl Visitor<'_> for YankedVisitor {
    type Value = Yanked;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a boolean or a reason")
    }

    fn visit_bool<E>(self, yanked: bool) -> Result<Yanked, E> {
        Ok(if yanked {
            Yanked::Yes(None)
        } else {
            Yanked::No
        })
    }

    fn visit_str<E>(self, reason: &str) -> Result<Yanked, E> {
        Ok(Yanked::because(reason))
    }

    fn visit_unit<E>(self) -> Result<Yanked, E> {
        Ok(Yanked::No)
    }
}

/// `false`, `true` or the hashes.
struct MetadataField(CoreMetadata);

impl<'de> Deserialize<'de> for MetadataField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MetadataVisitor).map(Self)
    }
}

struct MetadataVisitor;

impl<'de> Visitor<'de> for MetadataVisitor {
    type Value = CoreMetadata;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a boolean or a map of hashes")
    }

    fn visit_bool<E>(self, present: bool) -> Result<CoreMetadata, E> {
        Ok(if present {
            CoreMetadata::Present(Hashes::default())
        } else {
            CoreMetadata::Absent
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<CoreMetadata, A::Error> {
        let mut hashes = Hashes::default();
        let mut is_good = true;
        while let Some((kind, value)) = map
            .next_entry::<Text<'de>, Text<'de>>()
            .map_err(A::Error::custom)?
        {
            is_good &= hashes.insert(&kind.0, &value.0).is_ok();
        }
        // Metadata that cannot be checked is not offered; the file itself is fine.
        Ok(if is_good {
            CoreMetadata::Present(hashes)
        } else {
            CoreMetadata::Absent
        })
    }
}
