//! Exporting: what people made here, as `devpi-import` reads it (dump version 2).
//!
//! Files come one by one, each checked against its digest; the table of contents comes last.
//! What devpi would stumble over is left out and told: it takes a dump as a whole or not at all.

mod circle;
mod fetched;
mod folder;
mod told;

use std::collections::HashSet;
use std::path::PathBuf;

use pyspec::{Digest, ProjectName};
use serde::Serialize;
use serde_json::{Map, Value, json};
use store::{Blobs, Db, HostedRow, ReleaseRow, Role, UserRow};

use super::Mirrored;
use super::read::CONTENTS;
use crate::hosted::blocking;
use crate::{Error, IndexName};
use fetched::Fetched;
use folder::{Folder, Trouble};

pub use folder::Manner;

/// As long as a name can be for devpi, which adds 69 letters to it while it writes a file.
const LONGEST_NAME: usize = 255 - 69;

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
    /// How files get there.
    pub manner: Manner,
    /// What mirrors have fetched.
    pub mirrored: Mirrored,
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
    /// What means less to devpi than here, a sentence each.
    pub notes: Vec<String>,
    /// What could not be exported, a sentence each.
    pub problems: Vec<String>,
}

/// A project of an index.
struct Kept {
    name: ProjectName,
    releases: Vec<ReleaseRow>,
    /// In devpi's order: a test result is taken only after the file that was tested.
    files: Vec<HostedRow>,
}

/// An index.
struct Whole {
    name: IndexName,
    /// What is set on it.
    settings: Map<String, Value>,
    /// What people uploaded to it.
    projects: Vec<Kept>,
    /// What it has fetched and takes along.
    fetched: Vec<Fetched>,
    /// How many files it has fetched that cannot come along.
    left: usize,
}

/// Everything, read before anything is written.
pub struct Plan {
    users: Vec<UserRow>,
    indexes: Vec<Whole>,
    problems: Vec<String>,
}

impl Plan {
    /// How many files there are.
    pub fn len(&self) -> usize {
        let of = |index: &Whole| {
            let uploaded = index.projects.iter().map(|project| project.files.len());
            uploaded.sum::<usize>() + index.fetched.len()
        };
        self.indexes.iter().map(of).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where devpi shows more than we do.
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for index in &self.indexes {
            let (name, left) = (&index.name, index.left);
            if index.settings.contains_key("acl_pkg_read") {
                notes.push(format!(
                    "devpi by itself knows no `acl_pkg_read`: whoever reaches it reads {name}"
                ));
            }
            let files = index.projects.iter().flat_map(|project| &project.files);
            let yanked = files.filter(|file| file.yanked.is_some()).count();
            if yanked > 0 {
                notes.push(format!(
                    "devpi knows no yanked files: those of {name} are files as any other there ({yanked})"
                ));
            }
            if left > 0 {
                notes.push(format!(
                    "{left} files that {name} has fetched are left out: no page that is kept lists them"
                ));
            }
        }
        notes
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
            indexes.push(self.whole(name.clone(), settings.clone()).await?);
        }
        for row in self.db.indexes().await? {
            let name = format!("{}/{}", row.owner, row.name);
            let name = name.parse::<IndexName>();
            let name = name.map_err(|error| bad(format!("a record is of no index: {error}")))?;
            if self.fixed.iter().any(|(fixed, _)| *fixed == name) {
                continue;
            }
            let settings = serde_json::from_str(&row.settings)
                .map_err(|error| bad(format!("the settings of {name} cannot be read: {error}")))?;
            indexes.push(self.whole(name, settings).await?);
        }
        problems.extend(circle(&indexes));
        Ok(Plan {
            users,
            indexes,
            problems,
        })
    }

    async fn whole(&self, name: IndexName, settings: Map<String, Value>) -> Result<Whole, Error> {
        let is_stage = settings.get("type") == Some(&json!("stage"));
        let (fetched, left) = if !is_stage && self.mirrored == Mirrored::Included {
            self.fetched(&name).await?
        } else {
            (Vec::new(), 0)
        };
        Ok(Whole {
            projects: self.projects(&name).await?,
            name,
            settings,
            fetched,
            left,
        })
    }

    async fn projects(&self, index: &IndexName) -> Result<Vec<Kept>, Error> {
        let mut projects = Vec::new();
        for name in self.db.stage_projects(index.as_str()).await? {
            let (releases, mut files) = self.db.stage_project(index.as_str(), &name).await?;
            files.sort_by_key(|file| match file.role {
                Role::ReleaseFile => 0,
                Role::ToxResult => 1,
                Role::DocZip => 2,
            });
            projects.push(Kept {
                name,
                releases,
                files,
            });
        }
        Ok(projects)
    }

    /// Writes it; `done` hears of every file that was dealt with. Fails if the folder takes
    /// nothing more: what is there is kept for the next run.
    pub async fn run(&self, plan: &Plan, mut done: impl FnMut()) -> Result<Written, Error> {
        let (folder, held) = Folder::take(&self.folder)?;
        let mut written = Written {
            problems: plan.problems.clone(),
            notes: plan.notes(),
            ..Written::default()
        };
        let mut indexes = Map::new();
        for index in &plan.indexes {
            let told = self.index(&folder, index, &mut written, &mut done).await?;
            indexes.insert(index.name.to_string(), told);
            written.indexes += 1;
        }
        let users: Map<String, Value> = plan.users.iter().map(told::user).collect();
        written.users = users.len() as u64;
        let contents = json!({
            "dumpversion": "2",
            "pythonversion": [3, 11, 0, "final", 0],
            "devpi_server": concat!("pilothouse ", env!("CARGO_PKG_VERSION")),
            "users": users,
            "indexes": indexes,
        });
        folder.finish(CONTENTS, &format!("{contents:#}\n"), held)?;
        Ok(written)
    }

    /// Brings the files of an index into the folder; what the table of contents says of it.
    async fn index(
        &self,
        folder: &Folder,
        index: &Whole,
        written: &mut Written,
        done: &mut impl FnMut(),
    ) -> Result<Value, Error> {
        let mut told = json!({ "indexconfig": index.settings });
        if index.settings.get("type") == Some(&json!("stage")) {
            let (mut described, mut files) = (Map::new(), Vec::new());
            for project in &index.projects {
                files.extend(self.files(folder, project, written, done).await?);
                let releases = project.releases.iter().map(told::release);
                let releases: Map<String, Value> = releases.collect();
                written.releases += releases.len() as u64;
                described.insert(project.name.to_string(), releases.into());
            }
            told["projects"] = described.into();
            told["files"] = files.into();
        } else if self.mirrored == Mirrored::Included {
            let mirrored = self.mirrored(folder, &index.fetched, written, done);
            (told["projects"], told["files"]) = mirrored.await?;
        }
        Ok(told)
    }

    /// Brings the files of a project into the folder; what the table of contents says of them.
    async fn files(
        &self,
        folder: &Folder,
        project: &Kept,
        written: &mut Written,
        done: &mut impl FnMut(),
    ) -> Result<Vec<Value>, Error> {
        let mut listed = Vec::new();
        let mut there = HashSet::new();
        for row in &project.files {
            let tested = row.for_path.as_deref();
            let tested = tested.filter(|path| there.contains(path));
            let tested = tested.and_then(|tested| {
                let mut files = project.files.iter();
                files.find(|file| file.path == tested)
            });
            match self.file(folder, project, row, tested).await? {
                Ok(told) => {
                    there.insert(row.path.as_str());
                    written.files += 1;
                    written.bytes += row.size;
                    listed.push(told);
                }
                Err(why) => written.problems.push(format!(
                    "`{}` of {} is left out: {why}",
                    row.filename, row.stage
                )),
            }
            done();
        }
        Ok(listed)
    }

    /// The same for one file; `Err` inside says why it is left out.
    async fn file(
        &self,
        folder: &Folder,
        project: &Kept,
        row: &HostedRow,
        tested: Option<&HostedRow>,
    ) -> Result<Result<Value, String>, Error> {
        let Some(path) = told::path(row, tested) else {
            return Ok(Err("so is the file that was tested".to_owned()));
        };
        if row.filename.as_str().len() > LONGEST_NAME {
            let why = format!("devpi keeps no name of more than {LONGEST_NAME} bytes");
            return Ok(Err(why));
        }
        if row.role == Role::DocZip && !is_newest(row, project) {
            return Ok(Err("its release has newer documentation".to_owned()));
        }
        let told = told::file(row, &path, tested);
        let put = self.put(folder, &path, row.digest, row.size).await?;
        Ok(put.map(|()| told))
    }

    /// Brings bytes into the folder; `Err` inside says how they cannot be had.
    async fn put(
        &self,
        folder: &Folder,
        path: &str,
        digest: Digest,
        size: u64,
    ) -> Result<Result<(), String>, Error> {
        let (folder, path) = (folder.clone(), path.to_owned());
        let (blobs, manner) = (self.blobs.clone(), self.manner);
        let put = blocking(move || folder.file(&path, (&blobs, digest, size), manner)).await;
        match put {
            Ok(()) => Ok(Ok(())),
            Err(Trouble::Bytes(why)) => Ok(Err(why)),
            Err(Trouble::Folder(error)) => Err(error),
        }
    }
}

/// What to say of bases that `devpi-import` cannot make. They go as they are: without one of
/// them, a stranger's project could come in its place.
fn circle(indexes: &[Whole]) -> Option<String> {
    let with_bases = indexes.iter().map(|index| {
        let bases = index.settings.get("bases").and_then(Value::as_array);
        let bases = bases.into_iter().flatten().filter_map(Value::as_str);
        (index.name.as_str(), bases.collect())
    });
    let never_made = circle::never_made(&with_bases.collect::<Vec<_>>());
    (!never_made.is_empty()).then(|| {
        format!(
            "the bases of {} go round in a circle: `devpi-import` takes no such dump, \
             so change them and export again; `pilothouse import` takes it",
            never_made.join(", ")
        )
    })
}

/// Whether no later documentation of the release is here: devpi has a place for one.
fn is_newest(row: &HostedRow, project: &Kept) -> bool {
    let same = |file: &&HostedRow| file.role == Role::DocZip && file.version == row.version;
    let newest = project.files.iter().rfind(same);
    newest.is_some_and(|newest| newest.path == row.path)
}

fn bad(why: String) -> Error {
    Error::BadRequest { why }
}
