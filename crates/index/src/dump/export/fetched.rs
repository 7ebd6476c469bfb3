//! What mirrors have fetched, as `devpi-export --include-mirrored-files` writes it.
//!
//! devpi files such a thing by its address upstream, so what no page that is kept lists
//! stays here, and so does what upstream has replaced.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::SystemTime;

use pyspec::{PageFile, ProjectName, Yanked};
use serde_json::{Map, Value, json};
use store::FileRow;

use super::folder::Folder;
use super::{Export, LONGEST_NAME, Written};
use crate::mirror::{known, shown};
use crate::project::path_of;
use crate::{Error, IndexName};

/// A file that a mirror has fetched, and what upstream says of it.
pub(super) struct Fetched {
    row: FileRow,
    listed: PageFile,
    version: String,
}

impl Export<'_> {
    /// What a mirror has fetched, by project; and how many files stay here.
    pub(super) async fn fetched(&self, mirror: &IndexName) -> Result<(Vec<Fetched>, usize), Error> {
        let (mut fetched, mut left) = (Vec::new(), 0);
        for project in self.db.projects_with_files(mirror.as_str()).await? {
            let listed = self.listed(mirror, &project).await?;
            let replaced = self.db.replaced_of(mirror.as_str(), &project).await?;
            for row in self.db.files_of(mirror.as_str(), &project).await? {
                let current = listed
                    .get(&row.path)
                    .filter(|_| !replaced.contains(&row.path));
                let version = row.filename.version_of(&project);
                match current.zip(version) {
                    Some((file, version)) => fetched.push(Fetched {
                        listed: file.clone(),
                        version: version.to_string(),
                        row,
                    }),
                    None => left += 1,
                }
            }
        }
        Ok((fetched, left))
    }

    /// What the page of a project lists, by our paths, if one is kept.
    async fn listed(
        &self,
        mirror: &IndexName,
        project: &ProjectName,
    ) -> Result<HashMap<String, PageFile>, Error> {
        let page = self.db.page(mirror.as_str(), project).await?;
        let page = page.and_then(|row| known::unpack(&row.body?, project));
        let files = page.into_iter().flat_map(|page| page.files);
        Ok(files
            .map(|file| (path_of(&file.url).into_owned(), file))
            .collect())
    }

    /// Brings a mirror's files into the folder; what the table of contents says of its
    /// projects and files.
    pub(super) async fn mirrored(
        &self,
        folder: &Folder,
        fetched: &[Fetched],
        written: &mut Written,
        done: &mut impl FnMut(),
    ) -> Result<(Value, Value), Error> {
        let mut projects: BTreeMap<&str, BTreeMap<&str, Map<String, Value>>> = BTreeMap::new();
        let (mut files, mut taken) = (Vec::new(), HashSet::new());
        for file in fetched {
            let path = file.path();
            let put = if file.row.filename.as_str().len() > LONGEST_NAME {
                Err(format!(
                    "devpi keeps no name of more than {LONGEST_NAME} bytes"
                ))
            } else if taken.insert(path.clone()) {
                self.put(folder, &path, file.row.digest, file.row.size)
                    .await?
            } else {
                Err("another file of its release has the same name".to_owned())
            };
            match put {
                Ok(()) => {
                    written.files += 1;
                    written.bytes += file.row.size;
                    files.push(file.told(&path));
                    let releases = projects.entry(file.row.project.as_str()).or_default();
                    file.describe(releases.entry(&file.version).or_default());
                }
                Err(why) => written.problems.push(format!(
                    "`{}` of {} is left out: {why}",
                    file.row.filename, file.row.mirror
                )),
            }
            done();
        }
        Ok((json!(projects), files.into()))
    }
}

impl Fetched {
    /// Where devpi puts it in a dump.
    fn path(&self) -> String {
        let (row, version) = (&self.row, &self.version);
        format!("{}/{}/{version}/{}", row.mirror, row.project, row.filename)
    }

    /// Adds to what is said of its release: with devpi, the last file that says something counts.
    fn describe(&self, release: &mut Map<String, Value>) {
        release.insert("name".to_owned(), self.row.project.as_str().into());
        release.insert("version".to_owned(), self.version.as_str().into());
        if let Some(python) = &self.listed.requires_python {
            release.insert("requires_python".to_owned(), python.as_str().into());
        }
        if let Yanked::Yes(reason) = &self.listed.yanked {
            let reason = reason.as_deref().map_or(json!(true), Value::from);
            release.insert("yanked".to_owned(), reason);
        }
    }

    /// Where upstream has it, without what lets us in there: a name, or a query that signs it.
    fn address(&self) -> String {
        self.listed
            .url
            .parse()
            .map_or_else(|_| String::new(), |url| shown(&url))
    }

    fn told(&self, path: &str) -> Value {
        let row = &self.row;
        let changed = row.last_modified.unwrap_or(row.stored_at);
        json!({
            "type": "releasefile",
            "projectname": row.project.as_str(),
            "version": self.version,
            "relpath": path,
            "log": [],
            "entrymapping": {
                "project": row.project.as_str(),
                "version": self.version,
                "url": self.address(),
                "hash_spec": format!("sha256={}", row.digest),
                "hashes": { "sha256": row.digest },
                "last_modified": httpdate::fmt_http_date(SystemTime::from(changed)),
            },
        })
    }
}
