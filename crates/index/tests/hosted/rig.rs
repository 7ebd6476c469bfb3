//! A hosted index with a store of its own.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use index::hosted::{By, Form, Hosted, Rules, Uploaded};
use index::{Body, Changes, Error, Part, Project, Source, Stats, Storage};
use jiff::Timestamp;
use pyspec::{PageFile, ProjectName};
use store::{DataDir, Db, Event, IndexRow, Mode, PasswordHash, UserRow};
use tempfile::TempDir;

use crate::make::Dist;

pub(crate) const VOLATILE: Rules = Rules {
    volatile: true,
    quota: None,
};
pub(crate) const FIRM: Rules = Rules {
    volatile: false,
    quota: None,
};

pub(crate) struct Rig {
    pub(crate) hosted: Arc<Hosted>,
    pub(crate) storage: Arc<Storage>,
    pub(crate) db: Db,
    pub(crate) data: DataDir,
    /// Removed at the end of the test.
    dir: Option<TempDir>,
}

impl Rig {
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut rig = Self::at(dir.path()).await;
        rig.dir = Some(dir);
        rig
    }

    pub(crate) async fn at(dir: &Path) -> Self {
        let data = DataDir::open(dir, Mode::Serve).unwrap();
        let db = data.db().await.unwrap();
        let stats = Arc::new(Stats::default());
        let storage = Storage::open(db.clone(), data.blobs(), stats, None)
            .await
            .unwrap();
        let user = UserRow {
            name: "alice".to_owned(),
            password: None::<PasswordHash>,
            details: "{}".to_owned(),
            created_at: at(0),
            modified_at: None,
        };
        db.create_user(&user, &Event::new(at(0), "test"))
            .await
            .unwrap();
        let rig = Self {
            hosted: Arc::new(hosted("alice/dev", &storage)),
            storage,
            db,
            data,
            dir: None,
        };
        rig.index("dev").await;
        rig
    }

    /// One more index.
    pub(crate) async fn index(&self, name: &str) -> Hosted {
        let row = IndexRow {
            owner: "alice".to_owned(),
            name: name.to_owned(),
            settings: "{}".to_owned(),
            created_at: at(0),
        };
        self.db
            .create_index(&row, &Event::new(at(0), "test"))
            .await
            .unwrap();
        hosted(&format!("alice/{name}"), &self.storage)
    }

    pub(crate) async fn upload(&self, dist: Dist, rules: Rules) -> Result<Uploaded, Error> {
        upload_to(&self.hosted, &self.storage, dist, rules).await
    }

    pub(crate) async fn project(&self, name: &str) -> Option<Arc<Project>> {
        project_of(&self.hosted, name).await
    }

    /// The one file of this name on its project's page.
    pub(crate) async fn file(&self, project: &str, filename: &str) -> PageFile {
        let project = self.project(project).await.unwrap();
        let mut files = project.page.files.iter();
        let found = files.find(|file| file.filename.as_str() == filename);
        found.unwrap().clone()
    }

    pub(crate) async fn read(&self, path: &str, part: Part) -> Option<Bytes> {
        read(&self.hosted, path, part).await
    }
}

fn hosted(name: &str, storage: &Arc<Storage>) -> Hosted {
    Hosted::new(name.parse().unwrap(), storage.clone(), Changes::default())
}

pub(crate) async fn upload_to(
    hosted: &Hosted,
    storage: &Storage,
    dist: Dist,
    rules: Rules,
) -> Result<Uploaded, Error> {
    let mut incoming = storage.receive(&dist.fields)?;
    for chunk in dist.bytes.chunks(10_000) {
        incoming.write(Bytes::copy_from_slice(chunk)).await?;
    }
    let form = Form {
        fields: dist.fields,
        content: Some((dist.filename, incoming.finish().await?)),
    };
    hosted.upload(form, rules, &by()).await
}

pub(crate) async fn project_of(hosted: &Hosted, name: &str) -> Option<Arc<Project>> {
    let name: ProjectName = name.parse().unwrap();
    let answer = hosted.project(&name).await.unwrap();
    answer.map(|answer| answer.project)
}

pub(crate) async fn read(hosted: &Hosted, path: &str, part: Part) -> Option<Bytes> {
    let open = hosted.open(path, part).await.unwrap()?;
    let Body::Stored(blob) = open.body else {
        panic!("a hosted file is stored");
    };
    assert_eq!(open.len, Some(blob.len()));
    Some(blob.slice(0, blob.len() as usize).unwrap())
}

/// What follows `+f/` in the link to a file.
pub(crate) fn path_of(project: &Project, file: &PageFile) -> String {
    project
        .href(file)
        .strip_prefix("../../+f/")
        .unwrap()
        .to_owned()
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

pub(crate) fn by() -> By {
    By {
        who: Some("alice".to_owned()),
        ..By::nobody(at(0))
    }
}
