//! All there is of one project on a hosted index, as of one moment.

use std::collections::HashMap;
use std::sync::Arc;

use pyspec::{
    CoreMetadata, Filename, PageFile, ProjectName, ProjectPage, UploadTime, UploadTimeSource,
    Version, Yanked,
};
use store::{HostedRow, ReleaseRow, Role};

use crate::{Project, local_url};

/// All there is of one project.
#[derive(Debug)]
pub(super) struct Snapshot {
    /// The latest version first.
    pub(super) releases: Vec<Release>,
    /// Every file, in the order in which they came.
    pub(super) files: Vec<HostedRow>,
    /// What installers see.
    pub(super) project: Arc<Project>,
    by_path: HashMap<String, usize>,
}

/// A release and its version, if that follows the rules of today.
#[derive(Debug)]
pub(super) struct Release {
    pub(super) row: ReleaseRow,
    pub(super) version: Option<Version>,
}

impl Snapshot {
    pub(super) fn new(name: ProjectName, rows: Vec<ReleaseRow>, files: Vec<HostedRow>) -> Self {
        let mut releases: Vec<Release> = rows.into_iter().map(Release::new).collect();
        releases.sort_by(|left, right| right.version.cmp(&left.version));
        let paths = files.iter().enumerate();
        let by_path = paths.map(|(at, row)| (row.path.clone(), at)).collect();
        Self {
            project: Arc::new(project(name, &releases, &files)),
            releases,
            files,
            by_path,
        }
    }

    pub(super) fn file(&self, path: &str) -> Option<&HostedRow> {
        self.by_path.get(path).map(|at| &self.files[*at])
    }

    /// The release file, doc zip or test result of this name.
    pub(super) fn named(&self, role: Role, name: &str) -> Option<&HostedRow> {
        self.files
            .iter()
            .find(|file| file.role == role && file.filename.as_str() == name)
    }

    /// The release of a version, in whatever way that is written.
    pub(super) fn release(&self, version: &str) -> Option<&Release> {
        let same_text = |release: &&Release| release.row.version == version;
        self.releases.iter().find(same_text).or_else(|| {
            let version: Version = version.parse().ok()?;
            let same = |release: &&Release| release.version.as_ref() == Some(&version);
            self.releases.iter().find(same)
        })
    }

    /// The files of a release, in the order in which they came.
    pub(super) fn files_of(&self, version: &str) -> impl Iterator<Item = &HostedRow> {
        self.files
            .iter()
            .filter(move |file| file.version == version)
    }
}

impl Release {
    fn new(row: ReleaseRow) -> Self {
        let version = row.version.parse().ok();
        Self { row, version }
    }
}

fn project(name: ProjectName, releases: &[Release], files: &[HostedRow]) -> Project {
    let mut page = ProjectPage::new(name);
    let release_files = || files.iter().filter(|file| file.role == Role::ReleaseFile);
    page.files = release_files().map(page_file).collect();
    page.versions = releases
        .iter()
        .rev()
        .map(|release| &release.row.version)
        .filter(|version| release_files().any(|file| file.version == **version))
        .cloned()
        .collect();
    Project::of(page)
}

fn page_file(row: &HostedRow) -> PageFile {
    let url = local_url(&row.path);
    PageFile {
        hashes: row.digest.into(),
        size: Some(row.size),
        upload_time: Some(UploadTime {
            at: row.uploaded_at,
            source: UploadTimeSource::Upstream,
        }),
        requires_python: row.requires_python.clone(),
        yanked: match row.yanked.as_deref() {
            None => Yanked::No,
            Some("") => Yanked::Yes(None),
            Some(reason) => Yanked::Yes(Some(reason.to_owned())),
        },
        core_metadata: match row.metadata {
            None => CoreMetadata::Absent,
            Some(beside) => CoreMetadata::Present(beside.digest.into()),
        },
        provenance: row.provenance.map(|_| format!("{url}.provenance")),
        ..PageFile::new(row.filename.clone(), url)
    }
}

/// Where a file with these bytes lies: what follows `+f/` in its URL, as devpi has it.
pub(super) fn path(digest: &pyspec::Digest, filename: &Filename) -> String {
    let hex = digest.to_string();
    format!("{}/{}/{filename}", &hex[..3], &hex[3..16])
}
