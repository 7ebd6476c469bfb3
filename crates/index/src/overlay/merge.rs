//! One project out of what several parts have of it.

use std::collections::HashSet;
use std::sync::Arc;

use pyspec::{ProjectPage, Version};

use crate::Project;

/// The project as its parts have it, the first of them first.
///
/// Of files with the same name the first part's is listed, versions are united,
/// and of what can only be said once the first who says it is believed.
pub(crate) fn merge(parts: &[Arc<Project>]) -> Option<Project> {
    let (first, others) = parts.split_first()?;
    let mut page = ProjectPage::new(first.page.name.clone());
    page.tracks.clone_from(&first.page.tracks);
    page.alternate_locations
        .clone_from(&first.page.alternate_locations);
    page.status = parts.iter().find_map(|part| part.page.status.clone());
    page.files.clone_from(&first.page.files);
    let mut have: HashSet<_> = page
        .files
        .iter()
        .map(|file| file.filename.clone())
        .collect();
    for part in others {
        let files = part.page.files.iter();
        let new = files.filter(|file| have.insert(file.filename.clone()));
        page.files.extend(new.cloned());
    }
    page.versions = versions(parts);
    Some(Project::of(page))
}

/// Every version once, in the spelling of the first who has it, in their order;
/// what is no version comes first, as upstream wrote it.
fn versions(parts: &[Arc<Project>]) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut unreadable = HashSet::new();
    let mut versions: Vec<(Option<Version>, &str)> = Vec::new();
    for text in parts.iter().flat_map(|part| &part.page.versions) {
        let version = text.parse::<Version>().ok();
        let is_new = match &version {
            Some(version) => seen.insert(version.clone()),
            None => unreadable.insert(text),
        };
        if is_new {
            versions.push((version, text));
        }
    }
    versions.sort_by(|(a, _), (b, _)| a.cmp(b));
    let texts = versions.into_iter().map(|(_, text)| text.to_owned());
    texts.collect()
}

#[cfg(test)]
mod tests {
    use pyspec::{PageFile, ProjectStatus};

    use super::*;

    fn part(host: &str, versions: &[&str], files: &[&str]) -> ProjectPage {
        let mut page = ProjectPage::new("foo".parse().unwrap());
        page.versions = versions.iter().map(|text| (*text).to_owned()).collect();
        page.files = files
            .iter()
            .map(|name| PageFile::new(name.parse().unwrap(), format!("https://{host}/{name}")))
            .collect();
        page
    }

    #[test]
    fn the_first_part_wins_file_by_file_and_versions_are_united() {
        let mut own = part(
            "own.example",
            &["1.0", "2.0"],
            &["foo-2.0.tar.gz", "foo-1.0.tar.gz"],
        );
        own.last_serial = Some(7);
        own.tracks = vec!["https://pypi.example/simple/foo/".to_owned()];
        let mut other = part(
            "other.example",
            &["0.9", "1.0.0", "10", "odd!", "2.0"],
            &[
                "foo-1.0.tar.gz",
                "foo-0.9.tar.gz",
                "foo-10-py3-none-any.whl",
            ],
        );
        other.status = Some(ProjectStatus {
            status: "archived".to_owned(),
            reason: None,
        });
        let parts = [own, other, part("third.example", &["odd!"], &[])];
        let parts = parts.map(|page| Arc::new(Project::of(page)));
        let merged = merge(&parts).unwrap();
        let urls: Vec<_> = merged.page.files.iter().map(|file| &*file.url).collect();
        assert_eq!(
            urls,
            [
                "https://own.example/foo-2.0.tar.gz",
                "https://own.example/foo-1.0.tar.gz",
                "https://other.example/foo-0.9.tar.gz",
                "https://other.example/foo-10-py3-none-any.whl",
            ]
        );
        assert_eq!(merged.page.versions, ["odd!", "0.9", "1.0", "2.0", "10"]);
        assert_eq!(merged.page.status.unwrap().status, "archived");
        assert_eq!(merged.page.tracks.len(), 1);
        assert_eq!(merged.page.last_serial, None);
        assert!(merge(&[]).is_none());
    }
}
