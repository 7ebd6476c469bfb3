//! A source that answers what the test wrote into it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use index::{Answer, Body, Cache, Error, Listing, Open, Part, Project, Source};
use pyspec::{PageFile, ProjectName, ProjectPage};
use store::Blobs;
use tokio::sync::Notify;

type PageScript = Result<Option<Answer>, Error>;

#[derive(Default)]
pub(crate) struct Fake {
    pages: Mutex<HashMap<String, PageScript>>,
    files: Mutex<HashMap<(String, Part), Result<Open, Error>>>,
    pub(crate) names: Mutex<Vec<Box<str>>>,
    /// How often a page was asked for.
    pub(crate) asked: AtomicUsize,
    /// A page named `slow` waits for this.
    pub(crate) go: Notify,
}

/// A page of one project with so many files.
pub(crate) fn project(name: &str, files: usize) -> Arc<Project> {
    let mut page = ProjectPage::new(name.parse().unwrap());
    page.last_serial = Some(42);
    for n in 0..files {
        let filename = format!("{name}-1.{n}.tar.gz");
        let url = format!("https://files.example/packages/ab/cd/{filename}");
        page.files
            .push(PageFile::new(filename.parse().unwrap(), url));
    }
    Arc::new(Project::new(page, format!("{name}-{files}")))
}

pub(crate) fn answer(project: &Arc<Project>, cache: Cache, fresh_for: Duration) -> Answer {
    Answer {
        project: project.clone(),
        cache,
        fresh_until: Instant::now() + fresh_for,
    }
}

/// For longer than any test takes.
pub(crate) const LONG: Duration = Duration::from_hours(1);

impl Fake {
    pub(crate) fn page(&self, name: &str, script: PageScript) {
        self.pages.lock().unwrap().insert(name.to_owned(), script);
    }

    pub(crate) fn fresh(&self, name: &str, files: usize) -> Arc<Project> {
        let project = project(name, files);
        self.page(name, Ok(Some(answer(&project, Cache::Miss, LONG))));
        project
    }

    pub(crate) fn file(&self, path: &str, part: Part, script: Result<Open, Error>) {
        self.files
            .lock()
            .unwrap()
            .insert((path.to_owned(), part), script);
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// A stored file.
pub(crate) fn stored(blobs: &Blobs, filename: &str, bytes: &[u8]) -> Open {
    let staged = blobs.begin().unwrap();
    staged.write_at(0, bytes).unwrap();
    Open {
        filename: filename.parse().unwrap(),
        etag: "\"tag\"".to_owned(),
        len: Some(bytes.len() as u64),
        last_modified: Some("2024-01-02T03:04:05Z".parse().unwrap()),
        content_type: "application/octet-stream",
        body: Body::Stored(staged.blob()),
        cache: Cache::Hit,
    }
}

#[async_trait]
impl Source for Fake {
    async fn projects(&self) -> Result<Listing, Error> {
        let names = self.names.lock().unwrap().clone();
        Ok(Listing {
            digest: format!("names-{}", names.len()),
            names: names.into(),
            cache: Cache::Hit,
        })
    }

    async fn project(&self, name: &ProjectName) -> Result<Option<Answer>, Error> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        assert_ne!(name.as_str(), "panics", "this project panics on purpose");
        if name.as_str() == "slow" {
            self.go.notified().await;
        }
        let script = self.pages.lock().unwrap().get(name.as_str()).cloned();
        script.unwrap_or(Ok(None))
    }

    async fn open(&self, path: &str, part: Part) -> Result<Option<Open>, Error> {
        let script = self
            .files
            .lock()
            .unwrap()
            .get(&(path.to_owned(), part))
            .cloned();
        script.transpose()
    }

    async fn head(&self, path: &str, part: Part) -> Result<Option<Open>, Error> {
        self.open(path, part).await
    }
}
