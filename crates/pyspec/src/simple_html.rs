//! Simple pages in HTML ([PEP 503](https://peps.python.org/pep-0503/)) and
//! find-links pages, read.
//!
//! What matters are the links, their attributes and a few `meta` tags; they are
//! taken from the tokens without building a tree. A link counts as a file if its
//! path ends like one, or if it states a hash; any other is navigation and left
//! out without a word.

use url::Url;

use crate::error::Error;
use crate::link::{self, Base};
use crate::name::{self, ProjectName};
use crate::page::{Dropped, PageFile, Parsed, ProjectPage, ProjectStatus};
use crate::simple_json::{MAX_FILES, MAX_PROJECTS, is_known_version};

mod anchor;
mod scan;

use scan::{Attribute, Event, Tag};

/// Reads the page of one project. `page_url` is the URL that the body came from,
/// after redirects; links are relative to it or to the page's own `<base>`.
pub fn parse_project(
    body: &[u8],
    page_url: &Url,
    name: &ProjectName,
) -> Result<Parsed<ProjectPage>, Error> {
    let document = Document::read(body, page_url)?;
    if let Some(version) = &document.version {
        is_known_version(version)?;
    }
    let reason = document.status_reason;
    let mut page = ProjectPage {
        name: name.clone(),
        status: document
            .status
            .map(|status| ProjectStatus { status, reason }),
        versions: Vec::new(),
        files: document.files,
        tracks: document.tracks,
        alternate_locations: document.alternate_locations,
        last_serial: document.last_serial,
    };
    page.derive_versions();
    Ok(Parsed {
        value: page,
        dropped: document.dropped,
    })
}

/// Reads a find-links page: any page with links to files, such as the listing of a folder.
pub fn parse_find_links(body: &[u8], page_url: &Url) -> Result<Parsed<Vec<PageFile>>, Error> {
    let document = Document::read(body, page_url)?;
    Ok(Parsed {
        value: document.files,
        dropped: document.dropped,
    })
}

/// Reads the list of all projects: their names in upstream's spelling. A link
/// that names no project is left out.
pub fn parse_root(body: &[u8]) -> Result<Vec<String>, Error> {
    let mut names: Vec<String> = Vec::new();
    let mut href = String::new();
    let mut text = String::new();
    let mut version = None;
    scan::scan(body, |event| match event {
        Event::Link(tag) => {
            text.clear();
            href.clear();
            href.push_str(tag.get(Attribute::Href).unwrap_or(""));
        }
        Event::LinkText(piece) => text.push_str(piece),
        Event::LinkEnd if names.len() <= MAX_PROJECTS => names.extend(root_name(&text, &href)),
        Event::Meta(tag) if tag.get(Attribute::Name) == Some("pypi:repository-version") => {
            version = tag.get(Attribute::Content).map(str::to_owned);
        }
        _ => {}
    })?;
    if let Some(version) = version {
        is_known_version(&version)?;
    }
    if names.len() > MAX_PROJECTS {
        Err(Error::TooMany(MAX_PROJECTS))
    } else {
        Ok(names)
    }
}

/// The link's text is the name; listings of folders decorate it, so its target may say it better.
fn root_name(text: &str, href: &str) -> Option<String> {
    let text = text.trim();
    if name::is_valid(text) {
        return Some(text.to_owned());
    }
    let path = href.trim().split(['?', '#']).next()?;
    let last = link::last_segment(path.strip_suffix('/')?);
    name::is_valid(&last).then(|| last.into_owned())
}

/// What a page says, gathered while it is scanned.
struct Document {
    base: Base,
    /// Set when a `<base>` comes after links that should have obeyed it.
    late_base: Option<Base>,
    has_base: bool,
    version: Option<String>,
    status: Option<String>,
    status_reason: Option<String>,
    tracks: Vec<String>,
    alternate_locations: Vec<String>,
    last_serial: Option<u64>,
    files: Vec<PageFile>,
    dropped: Vec<Dropped>,
    is_full: bool,
}

impl Document {
    fn read(body: &[u8], page_url: &Url) -> Result<Self, Error> {
        let mut document = Self::scanned(body, Base::new(page_url), false)?;
        if let Some(base) = document.late_base.take() {
            document = Self::scanned(body, base, true)?;
        }
        if document.is_full {
            Err(Error::TooMany(MAX_FILES))
        } else {
            Ok(document)
        }
    }

    fn scanned(body: &[u8], base: Base, has_base: bool) -> Result<Self, Error> {
        let mut document = Self {
            base,
            late_base: None,
            has_base,
            version: None,
            status: None,
            status_reason: None,
            tracks: Vec::new(),
            alternate_locations: Vec::new(),
            last_serial: None,
            files: Vec::new(),
            dropped: Vec::new(),
            is_full: false,
        };
        scan::scan(body, |event| match event {
            Event::Link(tag) => document.link(tag),
            Event::Base(tag) => document.declare_base(tag),
            Event::Meta(tag) => document.meta(tag),
            Event::Comment(text) => document.comment(text),
            Event::LinkText(_) | Event::LinkEnd => {}
        })?;
        Ok(document)
    }

    fn link(&mut self, tag: &Tag) {
        if self.files.len() + self.dropped.len() >= MAX_FILES {
            self.is_full = true;
            return;
        }
        match anchor::file(tag, &mut self.base) {
            Ok(file) => self.files.extend(file),
            Err(bad) => self.dropped.push(bad),
        }
    }

    /// The first `<base>` with a link counts, as in browsers.
    fn declare_base(&mut self, tag: &Tag) {
        let Some(href) = tag.get(Attribute::Href) else {
            return;
        };
        if std::mem::replace(&mut self.has_base, true) {
            return;
        }
        let Some(base) = self.base.declared(href) else {
            return;
        };
        if self.files.is_empty() && self.dropped.is_empty() {
            self.base = base;
        } else {
            self.late_base = Some(base);
        }
    }

    fn meta(&mut self, tag: &Tag) {
        let (Some(name), Some(content)) = (tag.get(Attribute::Name), tag.get(Attribute::Content))
        else {
            return;
        };
        let content = content.trim();
        if content.is_empty() {
            return;
        }
        match name {
            "pypi:repository-version" => self.version = Some(content.to_owned()),
            "pypi:project-status" => self.status = Some(content.to_owned()),
            "pypi:project-status-reason" => self.status_reason = Some(content.to_owned()),
            "pypi:tracks" => self.tracks.push(content.to_owned()),
            "pypi:alternate-locations" => self.alternate_locations.push(content.to_owned()),
            _ => {}
        }
    }

    /// The public index ends its pages with `<!--SERIAL 123-->`.
    fn comment(&mut self, text: &str) {
        if let Some(serial) = text
            .strip_prefix("SERIAL ")
            .and_then(|serial| serial.trim().parse().ok())
        {
            self.last_serial = Some(serial);
        }
    }
}

#[cfg(test)]
mod tests;
