//! Simple pages in JSON ([PEP 691](https://peps.python.org/pep-0691/)), read.
//!
//! A page is read in one pass into structs that borrow from it. Only when some
//! file does not fit is it read again file by file, to tell the bad from the good.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use url::Url;

use crate::error::Error;
use crate::link::Base;
use crate::name::{self, ProjectName};
use crate::page::{Dropped, PageFile, Parsed, ProjectPage, ProjectStatus};
use crate::text::Text;

mod file;
mod listing;

use file::File;
use listing::Listing;

/// The largest project of the public index has some 20,000 files.
pub(crate) const MAX_FILES: usize = 200_000;
/// The public index has some 700,000 projects.
pub(crate) const MAX_PROJECTS: usize = 5_000_000;

/// Reads the page of one project. `page_url` is the URL that the body came from,
/// after redirects; links are relative to it.
pub fn parse_project(
    body: &[u8],
    page_url: &Url,
    name: &ProjectName,
) -> Result<Parsed<ProjectPage>, Error> {
    let body = object(body)?;
    match serde_json::from_str::<Page<File>>(body) {
        Ok(page) => page.read(page_url, name, |_, file| Ok(file)),
        Err(error) if error.is_data() => {
            has_known_version(body)?;
            let page: Page<&RawValue> = serde_json::from_str(body).map_err(not_json)?;
            page.read(page_url, name, |at, raw| {
                serde_json::from_str(raw.get()).map_err(|error| dropped(at, raw, &error))
            })
        }
        Err(error) => Err(not_json(error)),
    }
}

/// Reads the list of all projects: their names in upstream's spelling. An entry
/// that has no valid name is left out.
pub fn parse_root(body: &[u8]) -> Result<Vec<String>, Error> {
    let body = object(body)?;
    match serde_json::from_str::<Root<RootProject>>(body) {
        Ok(root) => root.read(Some),
        Err(error) if error.is_data() => {
            has_known_version(body)?;
            let root: Root<&RawValue> = serde_json::from_str(body).map_err(not_json)?;
            root.read(|raw| serde_json::from_str(raw.get()).ok())
        }
        Err(error) => Err(not_json(error)),
    }
}

#[derive(Deserialize)]
#[serde(
    rename_all = "kebab-case",
    expecting = "a page",
    bound(deserialize = "F: Deserialize<'de>")
)]
struct Page<'a, F> {
    #[serde(borrow)]
    meta: Option<&'a RawValue>,
    #[serde(borrow)]
    project_status: Option<&'a RawValue>,
    #[serde(borrow)]
    versions: Option<&'a RawValue>,
    #[serde(borrow)]
    alternate_locations: Option<&'a RawValue>,
    files: Listing<F, MAX_FILES>,
}

#[derive(Deserialize)]
#[serde(
    expecting = "a list of projects",
    bound(deserialize = "P: Deserialize<'de>")
)]
struct Root<'a, P> {
    #[serde(borrow)]
    meta: Option<&'a RawValue>,
    projects: Listing<P, MAX_PROJECTS>,
}

#[derive(Deserialize)]
#[serde(expecting = "a project")]
struct RootProject<'a> {
    #[serde(borrow)]
    name: Text<'a>,
}

/// The `meta` of a page. The status does not belong here, but the
/// specification's own example shows it here.
#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", expecting = "the meta of a page")]
struct Meta<'a> {
    #[serde(borrow)]
    api_version: Option<Text<'a>>,
    #[serde(borrow, rename = "_last-serial")]
    last_serial: Option<&'a RawValue>,
    #[serde(borrow)]
    tracks: Option<&'a RawValue>,
    #[serde(borrow)]
    project_status: Option<&'a RawValue>,
}

impl<'a> Meta<'a> {
    fn read(raw: Option<&'a RawValue>) -> Result<Self, Error> {
        raw.map_or_else(
            || Ok(Self::default()),
            |raw| serde_json::from_str(raw.get()).map_err(not_json),
        )
    }
}

impl<P> Root<'_, P> {
    fn read<'p>(
        self,
        project_of: impl Fn(P) -> Option<RootProject<'p>>,
    ) -> Result<Vec<String>, Error> {
        check_version(&Meta::read(self.meta)?)?;
        let projects = self.projects.0.into_iter().filter_map(project_of);
        let names = projects.map(|project| project.name.0);
        Ok(names
            .filter(|name| name::is_valid(name))
            .map(String::from)
            .collect())
    }
}

impl<F> Page<'_, F> {
    fn read<'f>(
        self,
        page_url: &Url,
        name: &ProjectName,
        file_of: impl Fn(usize, F) -> Result<File<'f>, Dropped>,
    ) -> Result<Parsed<ProjectPage>, Error> {
        let meta = Meta::read(self.meta)?;
        check_version(&meta)?;
        let mut base = Base::new(page_url);
        let mut dropped = Vec::new();
        let mut files: Vec<PageFile> = Vec::with_capacity(self.files.0.len());
        for (at, file) in self.files.0.into_iter().enumerate() {
            match file_of(at, file).and_then(|file| file.read(&mut base)) {
                Ok(file) => files.push(file),
                Err(bad) => dropped.push(bad),
            }
        }
        let mut page = ProjectPage {
            name: name.clone(),
            status: lenient::<ProjectStatus>(self.project_status)
                .or_else(|| lenient(meta.project_status)),
            versions: lenient(self.versions).unwrap_or_default(),
            files,
            tracks: lenient(meta.tracks).unwrap_or_default(),
            alternate_locations: lenient(self.alternate_locations).unwrap_or_default(),
            last_serial: lenient(meta.last_serial),
        };
        if page.versions.is_empty() {
            page.derive_versions();
        }
        Ok(Parsed {
            value: page,
            dropped,
        })
    }
}

/// A part that no installer needs: one that has another shape is as good as absent.
fn lenient<T: DeserializeOwned>(raw: Option<&RawValue>) -> Option<T> {
    serde_json::from_str(raw?.get()).ok()
}

fn check_version(meta: &Meta<'_>) -> Result<(), Error> {
    meta.api_version
        .as_ref()
        .map_or(Ok(()), |version| is_known_version(&version.0))
}

/// Fails unless the version of the Simple API is one whose rules we know.
pub(crate) fn is_known_version(version: &str) -> Result<(), Error> {
    let major = version.trim().split('.').next();
    if major == Some("1") {
        Ok(())
    } else {
        Err(Error::ApiVersion(version.chars().take(40).collect()))
    }
}

/// A page that we misread because its rules have changed should say that.
fn has_known_version(body: &str) -> Result<(), Error> {
    #[derive(Deserialize)]
    struct OnlyMeta<'a> {
        #[serde(borrow)]
        meta: Option<&'a RawValue>,
    }

    let page: OnlyMeta = serde_json::from_str(body).map_err(not_json)?;
    check_version(&Meta::read(page.meta)?)
}

/// The body as text, if it may be an object; serde takes an array for a struct,
/// which no page is. Checking UTF-8 here is faster than string by string.
fn object(body: &[u8]) -> Result<&str, Error> {
    let wrong = |why: &str| Err(Error::NotJson(why.to_owned()));
    match body.trim_ascii_start().first() {
        Some(b'{') => str::from_utf8(body).or_else(|_| wrong("it is not UTF-8")),
        Some(_) => wrong("it does not start with `{`"),
        None => wrong("it is empty"),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to `map_err`")]
fn not_json(error: serde_json::Error) -> Error {
    Error::NotJson(error.to_string())
}

fn dropped(at: usize, raw: &RawValue, error: &serde_json::Error) -> Dropped {
    #[derive(Deserialize)]
    struct Named {
        filename: String,
    }

    let why = error.to_string();
    // The position is that within the entry, which nobody can look up.
    let why = why.split(" at line ").next().unwrap_or(&why);
    match serde_json::from_str::<Named>(raw.get()) {
        Ok(named) => Dropped::new(&named.filename, why),
        // Not the entry itself: its URL may hold a secret.
        Err(_) => Dropped::new(&format!("entry {at}"), why),
    }
}

#[cfg(test)]
mod tests;
