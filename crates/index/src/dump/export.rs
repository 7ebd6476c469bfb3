//! Exporting: what people made here, as `devpi-import` reads it (dump version 2).
//!
//! Files are copied one by one, each checked against its digest, staged and renamed;
//! the table of contents comes last. An export that was interrupted goes on where it
//! stopped: a marker tells its folder from somebody else's.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use pyspec::{Digest, ProjectName};
use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use store::{Blobs, Db, HostedRow, ReleaseRow, Role, UserRow};

use super::read::CONTENTS;
use crate::hosted::blocking;
use crate::{Error, IndexName};

/// Lies in the folder until all is there.
const MARKER: &str = ".pilothouse-export";

/// Bytes that are copied at a time.
const STEP: usize = 1 << 20;

/// What is exported, and where to.
pub struct Export<'a> {
    /// The server's records.
    pub db: &'a Db,
    /// The server's files.
    pub blobs: &'a Blobs,
    /// Indexes that are not in the records: those of the config file, and what is set on them.
    pub fixed: Vec<(IndexName, Map<String, Value>)>,
    /// The folder to make.
    pub folder: PathBuf,
}

/// What came of it.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Written {
    /// Users.
    pub users: u64,
    /// Indexes.
    pub indexes: u64,
    /// Releases.
    pub releases: u64,
    /// Files, with documentation and test results.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What could not be exported, a sentence each.
    pub problems: Vec<String>,
}

/// A project of an index.
struct Kept {
    name: ProjectName,
    releases: Vec<ReleaseRow>,
    files: Vec<HostedRow>,
}

/// Everything, read before anything is written.
pub struct Plan {
    users: Vec<UserRow>,
    indexes: Vec<(IndexName, Map<String, Value>, Vec<Kept>)>,
    problems: Vec<String>,
}

impl Plan {
    /// How many files there are.
    pub fn len(&self) -> usize {
        let projects = self.indexes.iter().flat_map(|(.., projects)| projects);
        projects.map(|project| project.files.len()).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Export<'_> {
    /// Reads what there is to export.
    pub async fn plan(&self) -> Result<Plan, Error> {
        let mut indexes = Vec::new();
        let users = self.db.users().await?;
        let mut problems = Vec::new();
        for (name, settings) in &self.fixed {
            let is_known = users.iter().any(|user| user.name == name.user());
            if !settings.contains_key("mirror_url") || !is_known {
                problems.push(format!(
                    "{name} of the config file is left out: devpi has no such mirror, or no user `{}`",
                    name.user()
                ));
                continue;
            }
            indexes.push((name.clone(), settings.clone(), Vec::new()));
        }
        for row in self.db.indexes().await? {
            let name = format!("{}/{}", row.owner, row.name);
            let name = name.parse::<IndexName>();
            let name = name.map_err(|error| bad(format!("a record is of no index: {error}")))?;
            if self.fixed.iter().any(|(fixed, _)| *fixed == name) {
                continue;
            }
            let settings = serde_json::from_str(&row.settings).unwrap_or_default();
            let mut projects = Vec::new();
            for project in self.db.stage_projects(name.as_str()).await? {
                let (releases, files) = self.db.stage_project(name.as_str(), &project).await?;
                projects.push(Kept {
                    name: project,
                    releases,
                    files,
                });
            }
            indexes.push((name, settings, projects));
        }
        Ok(Plan {
            users,
            indexes,
            problems,
        })
    }

    /// Writes it; `done` hears of every file that was dealt with.
    pub async fn run(&self, plan: &Plan, mut done: impl FnMut()) -> Result<Written, Error> {
        self.begin()?;
        let mut written = Written {
            problems: plan.problems.clone(),
            ..Written::default()
        };
        let mut indexes = Map::new();
        for (name, settings, projects) in &plan.indexes {
            let mut index = json!({ "indexconfig": settings });
            if settings.get("type") == Some(&json!("stage")) {
                let mut files = Vec::new();
                for project in projects {
                    for file in &project.files {
                        files.extend(self.file(project, file, &mut written).await?);
                        done();
                    }
                    written.releases += project.releases.len() as u64;
                }
                index["projects"] = projects.iter().map(described).collect::<Map<_, _>>().into();
                index["files"] = files.into();
            }
            indexes.insert(name.to_string(), index);
            written.indexes += 1;
        }
        let users: Map<String, Value> = plan.users.iter().map(user).collect();
        written.users = users.len() as u64;
        let contents = json!({
            "dumpversion": "2",
            "pythonversion": [3, 11, 0, "final", 0],
            "devpi_server": concat!("pilothouse ", env!("CARGO_PKG_VERSION")),
            "users": users,
            "indexes": indexes,
        });
        self.end(&contents)?;
        Ok(written)
    }

    /// Takes a folder that is empty, not there yet, or an unfinished export.
    fn begin(&self) -> Result<(), Error> {
        let folder = &self.folder;
        fs::create_dir_all(folder).map_err(|error| failed("made", folder, &error))?;
        let mut entries = fs::read_dir(folder).map_err(|error| failed("read", folder, &error))?;
        let marker = folder.join(MARKER);
        if entries.next().is_some() && !marker.exists() {
            return Err(bad(format!(
                "`{}` has something in it that is no unfinished export: name a folder that is empty or not there yet",
                folder.display()
            )));
        }
        fs::write(&marker, "").map_err(|error| failed("written", &marker, &error))
    }

    fn end(&self, contents: &Value) -> Result<(), Error> {
        let path = self.folder.join(CONTENTS);
        let text = format!("{contents:#}\n");
        put(&path, |mut file| file.write_all(text.as_bytes()))
            .map_err(|error| failed("written", &path, &error))?;
        let marker = self.folder.join(MARKER);
        fs::remove_file(&marker).map_err(|error| failed("removed", &marker, &error))
    }

    /// Copies a file, and says of it what the table of contents says.
    async fn file(
        &self,
        project: &Kept,
        row: &HostedRow,
        written: &mut Written,
    ) -> Result<Option<Value>, Error> {
        let tested = row.for_path.as_ref();
        let tested = tested.and_then(|path| project.files.iter().find(|file| file.path == *path));
        let path = relative(row, tested);
        let to = self.folder.join(&path);
        let blob = self.blobs.open(&row.digest, Some(row.size));
        let copied = match blob {
            Ok(Some(blob)) => {
                let digest = row.digest;
                blocking(move || copy(&blob, &to, digest)).await
            }
            Ok(None) => Err("its bytes are not here".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(why) = copied {
            let problem = format!("`{}` of {} is left out: {why}", row.filename, row.stage);
            written.problems.push(problem);
            return Ok(None);
        }
        written.files += 1;
        written.bytes += row.size;
        let mut told = json!({
            "type": row.role.as_str(),
            "projectname": row.project.as_str(),
            "version": row.version,
            "relpath": path,
            "log": serde_json::from_str::<Value>(&row.log).unwrap_or_default(),
            "entrymapping": {
                "project": row.project.as_str(),
                "version": row.version,
                "hash_spec": format!("sha256={}", row.digest),
                "hashes": { "sha256": row.digest },
                "last_modified": http_date(row.uploaded_at),
            },
        });
        if let Some(tested) = tested {
            told["for_entrypath"] = format!("{}/+f/{}", row.stage, tested.path).into();
        }
        if let Some(reason) = &row.yanked {
            // Ours: devpi does not know it and passes it over.
            told["yanked"] = reason.as_str().into();
        }
        Ok(Some(told))
    }
}

/// Where devpi puts such a file.
fn relative(row: &HostedRow, tested: Option<&HostedRow>) -> String {
    let (stage, project, version, name) = (&row.stage, &row.project, &row.version, &row.filename);
    match (row.role, tested) {
        (Role::ReleaseFile, _) => format!("{stage}/{project}/{version}/{name}"),
        (Role::DocZip, _) => format!("{stage}/{project}-{version}.doc.zip"),
        (Role::ToxResult, Some(tested)) => {
            format!("{stage}/{project}/sha256={}/{name}", tested.digest)
        }
        (Role::ToxResult, None) => format!("{stage}/{project}/untested/{name}"),
    }
}

/// A project's name with the metadata of its releases.
fn described(project: &Kept) -> (String, Value) {
    let releases = project.releases.iter().map(|release| {
        let verdata = serde_json::from_str(&release.metadata).unwrap_or_default();
        (release.version.clone(), verdata)
    });
    (project.name.to_string(), Value::Object(releases.collect()))
}

fn user(row: &UserRow) -> (String, Value) {
    let mut fields: Map<String, Value> = serde_json::from_str(&row.details).unwrap_or_default();
    let second = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    fields.insert("username".to_owned(), row.name.as_str().into());
    fields.insert("created".to_owned(), second(row.created_at).into());
    if let Some(at) = row.modified_at {
        fields.insert("modified".to_owned(), second(at).into());
    }
    if let Some(password) = &row.password {
        fields.insert("pwhash".to_owned(), password.as_str().into());
    }
    (row.name.clone(), fields.into())
}

fn http_date(at: Timestamp) -> String {
    httpdate::fmt_http_date(std::time::SystemTime::from(at))
}

/// Copies a blob, unless the copy is there from an earlier run; checks what it copies.
fn copy(blob: &store::Blob, to: &Path, digest: Digest) -> Result<(), String> {
    if is_there(to, blob.len(), digest) {
        return Ok(());
    }
    let mut sum = Sha256::new();
    let copied = put(to, |mut file| {
        let mut at = 0;
        while at < blob.len() {
            let step = (blob.len() - at).min(STEP as u64) as usize;
            let bytes = blob.slice(at, step).map_err(io::Error::other)?;
            sum.update(&bytes);
            file.write_all(&bytes)?;
            at += step as u64;
        }
        if Digest::from(<[u8; 32]>::from(sum.finalize_reset())) == digest {
            Ok(())
        } else {
            Err(io::Error::other("its bytes are not what they were"))
        }
    });
    copied.map_err(|error| error.to_string())
}

fn is_there(path: &Path, len: u64, digest: Digest) -> bool {
    let Ok(file) = fs::File::open(path) else {
        return false;
    };
    let is_as_long = file.metadata().is_ok_and(|metadata| metadata.len() == len);
    is_as_long && digest_of(file).is_ok_and(|found| found == digest)
}

fn digest_of(mut file: fs::File) -> io::Result<Digest> {
    let (mut sum, mut step) = (Sha256::new(), vec![0; STEP]);
    loop {
        match file.read(&mut step)? {
            0 => return Ok(<[u8; 32]>::from(sum.finalize()).into()),
            read => sum.update(&step[..read]),
        }
    }
}

/// Writes a file as a whole or not at all.
fn put(path: &Path, write: impl FnOnce(&fs::File) -> io::Result<()>) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut staged = path.as_os_str().to_owned();
    staged.push(".staged");
    let file = fs::File::create(&staged)?;
    let done = write(&file).and_then(|()| file.sync_all());
    match done {
        Ok(()) => fs::rename(&staged, path),
        Err(error) => {
            // What is left of it is of no use; the error is what is told.
            let _ = fs::remove_file(&staged);
            Err(error)
        }
    }
}

fn failed(doing: &str, path: &Path, error: &io::Error) -> Error {
    bad(format!("`{}` cannot be {doing}: {error}", path.display()))
}

fn bad(why: String) -> Error {
    Error::BadRequest { why }
}
