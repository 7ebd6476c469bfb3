//! A mirror with a store of its own.

use std::sync::Arc;
use std::time::Duration;

use index::mirror::{Config, Mirror, Upstream as At};
use index::{Answer, Body, Error, Open, Part, Source, Stats, Storage};
use store::{DataDir, Mode};
use tempfile::TempDir;
use testkit::{Content, Upstream};
use tokio::runtime::Handle;

pub(crate) struct Rig {
    pub(crate) mirror: Arc<Mirror>,
    pub(crate) stats: Arc<Stats>,
    pub(crate) storage: Arc<Storage>,
    pub(crate) data: DataDir,
    pub(crate) dir: TempDir,
}

impl Rig {
    pub(crate) async fn new(upstream: &Upstream) -> Self {
        Self::with(simple(upstream), None).await
    }

    pub(crate) async fn with(config: Config, limit: Option<u64>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self::at(dir, config, limit).await
    }

    pub(crate) async fn at(dir: TempDir, config: Config, limit: Option<u64>) -> Self {
        // After a restart, what the one before still saves in the background holds the lock.
        let mut data = None;
        testkit::wait_until("the data directory is free", || {
            data = DataDir::open(dir.path(), Mode::Serve).ok();
            data.is_some()
        });
        let data = data.unwrap();
        let stats = Arc::new(Stats::default());
        let db = data.db().await.unwrap();
        let storage = Storage::open(db, data.blobs(), stats.clone(), limit)
            .await
            .unwrap();
        let mirror = Mirror::open(config, storage.clone(), Handle::current())
            .await
            .unwrap();
        Self {
            mirror: Arc::new(mirror),
            stats,
            storage,
            data,
            dir,
        }
    }

    /// The same store under another configuration, as after a restart.
    pub(crate) async fn again(self, config: Config) -> Self {
        let Self {
            dir,
            mirror,
            storage,
            data,
            ..
        } = self;
        drop((mirror, storage, data));
        Self::at(dir, config, None).await
    }

    pub(crate) async fn project(&self, name: &str) -> Result<Option<Answer>, Error> {
        self.mirror.project(&name.parse().unwrap()).await
    }

    /// The path of a file, by its page.
    pub(crate) async fn path(&self, project: &str, filename: &str) -> String {
        let answer = self.project(project).await.unwrap().unwrap();
        let file = answer
            .project
            .page
            .files
            .iter()
            .find(|file| file.filename.as_str() == filename)
            .unwrap();
        let href = answer.project.href(file);
        let encoded = href.strip_prefix("../../+f/").unwrap();
        encoded.replace("%2B", "+")
    }

    pub(crate) async fn file(&self, project: &str, filename: &str) -> Result<Content, Error> {
        let path = self.path(project, filename).await;
        self.read(&path, Part::File).await
    }

    pub(crate) async fn read(&self, path: &str, part: Part) -> Result<Content, Error> {
        read(
            self.mirror
                .open(path, part)
                .await?
                .expect("the file is there"),
        )
        .await
    }
}

pub(crate) fn simple(upstream: &Upstream) -> Config {
    let url = upstream.simple().parse().unwrap();
    let mut config = Config::new("root/pypi".parse().unwrap(), At::Simple(url));
    config.read_timeout = Duration::from_secs(8);
    config
}

/// Reads a file to its end.
pub(crate) async fn read(open: Open) -> Result<Content, Error> {
    match open.body {
        Body::Stored(blob) => Ok(blob.slice(0, blob.len() as usize)?.into()),
        Body::Unopened => panic!("only asked about"),
        Body::Elsewhere(url) => panic!("it is at {url}"),
        Body::Growing(growing) => {
            let mut bytes = Vec::new();
            loop {
                let at = bytes.len() as u64;
                let end = growing.wait(at).await.map_err(|error| (*error).clone())?;
                if end == at {
                    return Ok(bytes.into());
                }
                bytes.extend_from_slice(&growing.slice(at, (end - at) as usize)?);
            }
        }
    }
}
