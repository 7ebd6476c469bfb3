//! A source in memory, for tests of what is built out of sources.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use pyspec::{PageFile, ProjectName, ProjectPage};

use crate::{Answer, Body, Cache, Error, Listing, Open, Part, Project, Source};

/// A source in memory.
#[derive(Default)]
pub(crate) struct Fake {
    projects: Mutex<BTreeMap<ProjectName, Arc<Project>>>,
    /// Files that are no longer or not yet listed, and whose they are.
    pub(crate) stored: Mutex<BTreeMap<String, ProjectName>>,
    /// What is said instead of any answer.
    pub(crate) broken: Mutex<Option<Error>>,
    pub(crate) cache: Mutex<Option<Cache>>,
    /// What was asked, in order.
    pub(crate) asked: Mutex<Vec<String>>,
}

impl Fake {
    /// A source with projects written as `foo: tail/foo-1.0.tar.gz …`, whose files lie on `host`.
    pub(crate) fn new(host: &str, projects: &[&str]) -> Arc<Self> {
        let fake = Self::default();
        for line in projects {
            fake.put(host, line);
        }
        Arc::new(fake)
    }

    pub(crate) fn put(&self, host: &str, line: &str) {
        let (name, tails) = line.split_once(':').unwrap();
        let name: ProjectName = name.parse().unwrap();
        let mut page = ProjectPage::new(name.clone());
        for tail in tails.split_whitespace() {
            let filename = tail.rsplit('/').next().unwrap().parse().unwrap();
            let file = PageFile::new(filename, format!("https://{host}/{tail}"));
            page.files.push(file);
        }
        page.derive_versions();
        let project = Arc::new(Project::of(page));
        self.projects.lock().unwrap().insert(name, project);
    }

    pub(crate) fn breaks(&self) {
        *self.broken.lock().unwrap() = Some(Error::UpstreamDown {
            index: "a/m".to_owned(),
            what: "it".to_owned(),
            cause: "connection refused".to_owned(),
            retry_after: None,
        });
    }

    /// What was asked since the last time.
    pub(crate) fn asked(&self) -> String {
        std::mem::take(&mut *self.asked.lock().unwrap()).join(", ")
    }

    fn note(&self, what: String) -> Result<(), Error> {
        self.asked.lock().unwrap().push(what);
        self.broken.lock().unwrap().clone().map_or(Ok(()), Err)
    }

    fn cache(&self) -> Cache {
        self.cache.lock().unwrap().clone().unwrap_or(Cache::Hit)
    }

    fn file(&self, path: &str, body: Body) -> Option<Open> {
        let projects = self.projects.lock().unwrap();
        let listed = projects
            .values()
            .find_map(|project| project.file_at(path).map(|file| file.url.clone()));
        let stored = self.stored.lock().unwrap();
        let url = listed.or_else(|| stored.contains_key(path).then(|| path.to_owned()))?;
        Some(Open {
            filename: path.rsplit('/').next().unwrap().parse().unwrap(),
            // Says where it came from.
            etag: url,
            len: None,
            last_modified: None,
            content_type: "application/octet-stream",
            body,
            cache: self.cache(),
        })
    }
}

#[async_trait]
impl Source for Fake {
    async fn projects(&self) -> Result<Listing, Error> {
        self.note("list".to_owned())?;
        let projects = self.projects.lock().unwrap();
        let names: Vec<Box<str>> = projects.keys().map(|name| name.as_str().into()).collect();
        Ok(Listing {
            digest: names.join(" "),
            names: names.into(),
            cache: self.cache(),
        })
    }

    async fn project(&self, name: &ProjectName) -> Result<Option<Answer>, Error> {
        self.note(name.to_string())?;
        let project = self.projects.lock().unwrap().get(name).cloned();
        Ok(project.map(|project| Answer {
            project,
            cache: self.cache(),
            fresh_until: Instant::now() + Duration::from_hours(1),
        }))
    }

    async fn open(&self, path: &str, part: Part) -> Result<Option<Open>, Error> {
        self.note(format!("open {path} {part:?}"))?;
        Ok(self.file(path, Body::Unopened))
    }

    async fn head(&self, path: &str, part: Part) -> Result<Option<Open>, Error> {
        self.note(format!("head {path} {part:?}"))?;
        Ok(self.file(path, Body::Unopened))
    }

    async fn project_at(&self, path: &str) -> Result<Option<ProjectName>, Error> {
        Ok(self.stored.lock().unwrap().get(path).cloned())
    }
}
