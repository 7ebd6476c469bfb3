//! A release as devpi's client reads it.

use pyspec::{Digest, ProjectName};
use serde_json::{Map, Value, json};
use store::{HostedRow, Role};

use super::snapshot::{Release, Snapshot};
use super::{Hosted, LogEntry, log};
use crate::{Error, IndexName};

/// What is known of a release: its metadata and its files.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdata {
    /// By which it is kept.
    pub version: String,
    /// What its uploaders say of it, by devpi's keys.
    pub metadata: Map<String, Value>,
    /// Its files, in the order in which they came.
    pub links: Vec<Link>,
}

/// A file of a release.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// On which index it is.
    pub index: IndexName,
    /// `releasefile`, `doczip` or `toxresult`.
    pub rel: &'static str,
    /// What follows `+f/` in its URL.
    pub path: String,
    /// Its SHA-256.
    pub digest: Digest,
    /// Of a test result: what follows `+f/` in the URL of the file that was tested.
    pub for_path: Option<String>,
    /// What happened to it.
    pub log: Vec<LogEntry>,
}

impl Hosted {
    /// Every release of a project, the latest first; `None` if there is no such project.
    pub async fn releases(&self, project: &ProjectName) -> Result<Option<Vec<Verdata>>, Error> {
        let snapshot = self.snapshot(project).await?;
        let releases = snapshot.releases.iter();
        let all: Vec<_> = releases
            .map(|release| self.verdata(&snapshot, release))
            .collect();
        Ok((!all.is_empty()).then_some(all))
    }

    /// One release, its version written in whatever way.
    pub async fn one_release(
        &self,
        project: &ProjectName,
        version: &str,
    ) -> Result<Option<Verdata>, Error> {
        let snapshot = self.snapshot(project).await?;
        let release = snapshot.release(version);
        Ok(release.map(|release| self.verdata(&snapshot, release)))
    }

    fn verdata(&self, snapshot: &Snapshot, release: &Release) -> Verdata {
        let version = &release.row.version;
        Verdata {
            version: version.clone(),
            metadata: serde_json::from_str(&release.row.metadata).unwrap_or_default(),
            links: snapshot
                .files_of(version)
                .map(|row| self.link(row))
                .collect(),
        }
    }

    fn link(&self, row: &HostedRow) -> Link {
        Link {
            index: self.name.clone(),
            rel: row.role.as_str(),
            path: row.path.clone(),
            digest: row.digest,
            for_path: row.for_path.clone(),
            log: log::read(&row.log),
        }
    }
}

impl Verdata {
    /// The JSON of it; `href` makes the URL of what follows `+f/` on an index.
    pub fn to_json(&self, href: &dyn Fn(&IndexName, &str) -> String) -> Value {
        let mut verdata = self.metadata.clone();
        let links = self.links.iter().map(|link| link.to_json(href)).collect();
        verdata.insert("+links".to_owned(), Value::Array(links));
        Value::Object(verdata)
    }
}

impl Link {
    fn to_json(&self, href: &dyn Fn(&IndexName, &str) -> String) -> Value {
        let digest = self.digest;
        let mut link = json!({
            "rel": self.rel,
            "hash_spec": format!("sha256={digest}"),
            "hashes": { "sha256": digest },
            "href": href(&self.index, &self.path),
            "log": self.log,
        });
        if let Some(path) = &self.for_path {
            link["for_href"] = href(&self.index, path).into();
        }
        link
    }

    /// Whether it is what installers install.
    pub fn is_release_file(&self) -> bool {
        self.rel == Role::ReleaseFile.as_str()
    }
}
