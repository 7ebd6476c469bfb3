//! Reading a dump: what `dataindex.json` says, and nothing outside of its folder.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::{fs, io};

use jiff::Timestamp;
use pyspec::Hashes;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::sentence::sentence;

/// What the folder's table of contents is called.
pub(super) const CONTENTS: &str = "dataindex.json";

/// Why a folder cannot be read as a dump.
#[derive(Debug, thiserror::Error)]
pub enum Invalid {
    /// It has no table of contents.
    #[error(
        "`{folder}` is no dump of devpi: it has no `dataindex.json` that can be read ({error})"
    )]
    Unreadable {
        /// The folder.
        folder: String,
        /// What the system says.
        error: io::Error,
    },
    /// Its table of contents is not what devpi writes.
    #[error("`dataindex.json` of `{folder}` is not what devpi writes: {error}")]
    Malformed {
        /// The folder.
        folder: String,
        /// Where, and what.
        error: String,
    },
    /// It is of a version that nobody knows.
    #[error("the dump in `{folder}` is of version {version}; versions 1 and 2 are known")]
    Version {
        /// The folder.
        folder: String,
        /// As it says.
        version: String,
    },
}

/// A dump whose table of contents was read. Releases stay text until their turn comes.
#[derive(Debug)]
pub struct Dump<'a> {
    folder: PathBuf,
    /// By their names; `pwhash` among what is said of them.
    pub users: BTreeMap<String, Map<String, Value>>,
    /// By `owner/name`.
    pub indexes: BTreeMap<String, ListedIndex<'a>>,
}

#[derive(Deserialize)]
struct Contents<'a> {
    dumpversion: Value,
    users: BTreeMap<String, Map<String, Value>>,
    #[serde(borrow)]
    indexes: BTreeMap<String, ListedIndex<'a>>,
}

/// An index as the dump lists it.
#[derive(Debug, Deserialize)]
pub struct ListedIndex<'a> {
    /// What is set on it.
    #[serde(rename = "indexconfig")]
    pub settings: Map<String, Value>,
    /// The metadata of each release, by project and version.
    #[serde(borrow, default)]
    pub projects: BTreeMap<String, BTreeMap<String, &'a RawValue>>,
    /// In the order in which they came.
    #[serde(default)]
    pub files: Vec<ListedFile>,
}

/// A file as the dump lists it.
#[derive(Debug, Clone, Deserialize)]
pub struct ListedFile {
    /// What it is.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Of which project.
    #[serde(rename = "projectname")]
    pub project: String,
    /// Of which release; dumps of version 1 do not say.
    pub version: Option<String>,
    /// Where it lies in the dump.
    #[serde(rename = "relpath")]
    pub path: String,
    #[serde(default, rename = "entrymapping")]
    mapping: Mapping,
    /// What happened to it.
    pub log: Option<Value>,
    /// Of a test result: the path of the file that was tested.
    #[serde(rename = "for_entrypath")]
    pub tested: Option<String>,
    /// Yanked, and why; only our own dumps say so.
    pub yanked: Option<String>,
}

/// What devpi calls the kinds of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A wheel, an sdist, or whatever else installers take.
    ReleaseFile,
    /// Documentation.
    DocZip,
    /// What came of a test.
    ToxResult,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Mapping {
    #[serde(default)]
    hashes: BTreeMap<String, String>,
    hash_spec: Option<String>,
    md5: Option<String>,
    last_modified: Option<String>,
    url: Option<String>,
}

impl<'a> Dump<'a> {
    /// The text of a folder's table of contents, for [`Self::read`].
    pub fn text(folder: &Path) -> Result<String, Invalid> {
        let path = folder.join(CONTENTS);
        let text = match fs::metadata(&path) {
            // Reading a pipe would wait for whoever never writes.
            Ok(found) if !found.is_file() => Err(io::Error::other("it is no file")),
            _ => fs::read_to_string(path),
        };
        text.map_err(|error| Invalid::Unreadable {
            folder: folder.display().to_string(),
            error,
        })
    }

    /// What the text of a folder's table of contents says.
    pub fn read(folder: &Path, text: &'a str) -> Result<Self, Invalid> {
        let name = || folder.display().to_string();
        let contents: Contents<'a> =
            serde_json::from_str(text).map_err(|error| Invalid::Malformed {
                folder: name(),
                error: sentence(&error.to_string()),
            })?;
        let version = match &contents.dumpversion {
            Value::String(version) => version.clone(),
            other => other.to_string(),
        };
        if !matches!(version.as_str(), "1" | "2") {
            return Err(Invalid::Version {
                folder: name(),
                version: sentence(&version),
            });
        }
        Ok(Self {
            folder: folder.to_owned(),
            users: contents.users,
            indexes: contents.indexes,
        })
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.indexes.values().map(|index| index.files.len()).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where a file of the dump lies: within its folder, whatever its path and links say.
    pub fn locate(&self, path: &str) -> io::Result<PathBuf> {
        let outside = || io::Error::other("it lies outside of the dump");
        let relative = Path::new(path);
        let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_));
        if path.is_empty() || !relative.components().all(is_plain) {
            return Err(outside());
        }
        let folder = self.folder.canonicalize()?;
        let found = folder.join(relative).canonicalize()?;
        if !found.starts_with(&folder) {
            return Err(outside());
        }
        // Reading a pipe would wait for whoever never writes.
        if !found.is_file() {
            return Err(io::Error::other("it is no file"));
        }
        Ok(found)
    }
}

impl ListedFile {
    /// The last part of its path.
    pub fn filename(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// What the dump says of its bytes. What is no hash is left out.
    pub fn hashes(&self) -> Hashes {
        let mapping = &self.mapping;
        let spec = mapping.hash_spec.as_deref();
        let spec = spec.and_then(|spec| spec.split_once('='));
        let md5 = mapping.md5.as_deref().map(|md5| ("md5", md5));
        let listed = mapping.hashes.iter();
        let listed = listed.map(|(kind, hex)| (kind.as_str(), hex.as_str()));
        let mut hashes = Hashes::default();
        for (kind, hex) in listed.chain(spec).chain(md5) {
            if !self.is_of_what_was_tested(kind, hex) {
                // A kind that nobody knows proves nothing.
                let _ = hashes.insert(kind, hex);
            }
        }
        hashes
    }

    /// devpi 6.5 to 6.8 gave a test result the hash of the file that was tested, by which it is also filed.
    fn is_of_what_was_tested(&self, kind: &str, hex: &str) -> bool {
        let spec = format!("{kind}={hex}");
        self.kind == Kind::ToxResult && self.path.split('/').nth(3) == Some(&spec)
    }

    /// When it was last changed.
    pub fn changed_at(&self) -> Option<Timestamp> {
        let time = httpdate::parse_http_date(self.mapping.last_modified.as_deref()?).ok()?;
        Timestamp::try_from(time).ok()
    }

    /// Of a mirror's file: where upstream has it.
    pub fn url(&self) -> Option<&str> {
        self.mapping.url.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(), String> {
        let dump = Dump::read(Path::new("/dump"), text);
        dump.map(drop).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_no_dump_is_told_as_such() {
        for (text, why) in [
            (
                "",
                "`dataindex.json` of `/dump` is not what devpi writes: EOF",
            ),
            (
                "[]",
                "`dataindex.json` of `/dump` is not what devpi writes: invalid length 0",
            ),
            (
                "{}",
                "`dataindex.json` of `/dump` is not what devpi writes: missing field `dumpversion`",
            ),
            (
                r#"{"dumpversion": "3", "users": {}, "indexes": {}}"#,
                "the dump in `/dump` is of version 3; versions 1 and 2 are known",
            ),
            (
                r#"{"dumpversion": "2", "users": {}, "indexes": {"a/b": {}}}"#,
                "`dataindex.json` of `/dump` is not what devpi writes: missing field `indexconfig`",
            ),
            (
                r#"{"dumpversion": "2", "users": {}, "indexes": {"a/b": {"indexconfig": {}, "files": [{"type": "other"}]}}}"#,
                "`dataindex.json` of `/dump` is not what devpi writes: unknown variant `other`",
            ),
        ] {
            let told = read(text).unwrap_err();
            assert!(told.starts_with(why), "{told}");
        }
        for version in [r#""1""#, r#""2""#, "2"] {
            let text = format!(r#"{{"dumpversion": {version}, "users": {{}}, "indexes": {{}}}}"#);
            assert_eq!(read(&text), Ok(()));
        }
    }

    #[test]
    fn nothing_outside_of_the_folder_is_read() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("dump");
        fs::create_dir_all(folder.join("a")).unwrap();
        fs::write(outer.path().join("secret"), "s").unwrap();
        fs::write(folder.join("a/file"), "f").unwrap();
        std::os::unix::fs::symlink(outer.path().join("secret"), folder.join("link")).unwrap();
        std::os::unix::fs::symlink(outer.path(), folder.join("up")).unwrap();
        let text = r#"{"dumpversion": "2", "users": {}, "indexes": {}}"#;
        let dump = Dump::read(&folder, text).unwrap();
        assert!(dump.locate("a/file").is_ok());
        for path in [
            "",
            "../secret",
            "a/../../secret",
            "/etc/hostname",
            "link",
            "up/secret",
            "none",
            "a",
        ] {
            assert!(dump.locate(path).is_err(), "{path}");
        }
    }

    #[test]
    fn a_files_hashes_are_all_that_the_dump_says_of_its_own_bytes() {
        let file = |text: &str| serde_json::from_str::<ListedFile>(text).unwrap();
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let release = file(&format!(
            r#"{{"type": "releasefile", "projectname": "foo", "version": "1", "relpath": "a/b/foo/1/foo-1.tar.gz",
                "entrymapping": {{"hash_spec": "sha256={hex}", "md5": "900150983cd24fb0d6963f7d28e17f72", "last_modified": "x"}}}}"#
        ));
        assert_eq!(release.hashes().iter().count(), 2);
        assert_eq!(release.filename(), "foo-1.tar.gz");
        let result = file(&format!(
            r#"{{"type": "toxresult", "projectname": "foo", "relpath": "a/b/foo/sha256={hex}/foo-1.tar.gz.toxresult-0",
                "entrymapping": {{"hashes": {{"sha256": "{hex}"}}}}}}"#
        ));
        assert!(result.hashes().is_empty());
    }
}
