//! A project as a source knows it, ready to be rendered.

use std::borrow::Cow;
use std::collections::BTreeSet;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use pyspec::{Filename, PageFile, ProjectPage};
use sha2::{Digest as _, Sha256};

/// A project's page, with the rule for our own file links.
///
/// The links inside `page` are upstream's. Ours end in the same path, so that
/// lock files can be mapped back and forth by prefix, and are relative, so that
/// no proxy in front of us can get them wrong.
#[derive(Debug)]
pub struct Project {
    /// What upstream says, parsed.
    pub page: ProjectPage,
    /// Changes with the content; unquoted.
    pub digest: String,
    /// Files whose metadata upstream does not have and we make.
    pub(crate) makes: BTreeSet<Filename>,
}

impl Project {
    /// A project whose metadata, where advertised, its source has.
    pub fn of(page: ProjectPage) -> Self {
        let digest = digest(&page);
        Self::new(page, digest)
    }

    /// The same with a digest that is known already.
    pub fn new(page: ProjectPage, digest: String) -> Self {
        Self {
            page,
            digest,
            makes: BTreeSet::new(),
        }
    }

    /// Our link to a file, relative to the project's page.
    pub fn href(&self, file: &PageFile) -> String {
        format!("../../+f/{}", tail(&file.url))
    }

    /// Our link to a file's provenance, if upstream has one.
    pub fn provenance(&self, file: &PageFile) -> Option<String> {
        file.provenance
            .as_ref()
            .map(|_| format!("../../+f/{}.provenance", tail(&file.url)))
    }

    /// The file behind one of our links: `path` is what follows `+f/`, decoded.
    pub fn file_at(&self, path: &str) -> Option<&PageFile> {
        self.page
            .files
            .iter()
            .find(|file| path_of(&file.url) == path)
    }
}

/// What stands for `url` in the page of a project whose files are here: `path` is
/// what follows `+f/`, not encoded.
pub fn local_url(path: &str) -> String {
    format!("pilothouse:///{}", utf8_percent_encode(path, ENCODED))
}

/// What would end the path of a URL, or is not allowed in it. Clients of devpi
/// want `+` and `!` as they are.
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}');

fn digest(page: &ProjectPage) -> String {
    let mut hash = Sha256::new();
    // A page of plain strings and numbers cannot fail to serialize, and a failing sink does not exist here.
    let _ = serde_json::to_writer(HashWriter(&mut hash), page);
    hex::encode(&hash.finalize()[..16])
}

struct HashWriter<'a>(&'a mut Sha256);

impl std::io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The percent-encoded path of an absolute URL, without its first slash, query and fragment.
///
/// Of a file on this machine only its name: where it lies is nobody's business.
fn tail(url: &str) -> &str {
    if url.starts_with("file:") {
        return url.rsplit('/').next().unwrap_or(url);
    }
    let after_scheme = url.find("://").map_or(url, |at| &url[at + 3..]);
    let path = after_scheme
        .find('/')
        .map_or("", |at| &after_scheme[at + 1..]);
    let end = path.find(['?', '#']).unwrap_or(path.len());
    &path[..end]
}

/// The same, decoded: the key of a file within its mirror.
pub(crate) fn path_of(url: &str) -> Cow<'_, str> {
    percent_decode_str(tail(url)).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_ours_is_found_by_its_own_path() {
        let path = "abc/0123456789abc/foo-1!2.0+cpu#é%.whl";
        let url = local_url(path);
        assert_eq!(
            url,
            "pilothouse:///abc/0123456789abc/foo-1!2.0+cpu%23%C3%A9%25.whl"
        );
        assert_eq!(path_of(&url), path);
    }

    #[test]
    fn a_tail_is_the_path_alone() {
        assert_eq!(
            tail("https://h.example/packages/ab/x-1.whl?token=a#sha256=0"),
            "packages/ab/x-1.whl"
        );
        assert_eq!(tail("https://h.example"), "");
        assert_eq!(tail("file:///srv/wheels/x-1.whl"), "x-1.whl");
        assert_eq!(
            path_of("https://h.example/whl/t-2%2Bcu128.whl"),
            "whl/t-2+cu128.whl"
        );
    }
}
