//! What an index, or a lock, says about the files of a requirement.

use std::collections::BTreeSet;

use pyspec::{Filename, ProjectName, Version};

use super::{File, Findings, Subject};
use crate::inputs::Install;
use crate::manifest::Requirement;
use crate::wheel::Target;

/// A requirement with its files, in an image.
pub(super) struct Asked<'a> {
    pub(super) requirement: &'a Requirement,
    pub(super) target: Target,
    /// The names of the files of the version that is installed.
    pub(super) files: Vec<String>,
    /// Where the requirement is written.
    file: File,
}

impl Asked<'_> {
    /// Whether a wheel fits.
    pub(super) fn is_taken(&self) -> bool {
        self.files.iter().any(|file| self.target.takes(file))
    }

    pub(super) fn tell(&self, findings: &mut Findings, message: String) {
        findings.push(self.file.clone(), self.requirement.span, message);
    }
}

impl Subject<'_> {
    /// Every requirement whose files are known.
    pub(super) fn asked(&self) -> Vec<Asked<'_>> {
        let all = self.wanted().into_iter();
        let all = all.filter_map(|(requirement, file, target)| {
            let files = if requirement.files.is_empty() {
                self.of_index(requirement)?
            } else {
                requirement.files.clone()
            };
            Some(Asked {
                requirement,
                target,
                files,
                file,
            })
        });
        all.collect()
    }

    /// The projects of which only an index knows the files.
    pub(super) fn unknown(&self) -> BTreeSet<ProjectName> {
        let all = self.wanted().into_iter();
        let unknown = all.filter(|(requirement, ..)| requirement.files.is_empty());
        unknown
            .map(|(requirement, ..)| requirement.name.clone())
            .collect()
    }

    /// Every requirement that comes from an index, in images of which the Python is known.
    fn wanted(&self) -> Vec<(&Requirement, File, Target)> {
        let mut all = Vec::new();
        for install in &self.installs {
            let Some(target) = self.target(install) else {
                continue;
            };
            let direct = install.direct.iter().map(|one| (one, File::Dockerfile));
            let listed = install.manifests.iter().flat_map(|manifest| {
                let requirements = manifest.requirements.iter();
                requirements.map(|one| (one, File::Context(manifest.path.clone())))
            });
            let both = direct.chain(listed);
            let from_index = both.filter(|(requirement, _)| requirement.is_from_index);
            all.extend(from_index.map(|(requirement, file)| (requirement, file, target)));
        }
        all
    }

    fn target(&self, install: &Install) -> Option<Target> {
        let platform = self.stages[install.stage].from.flag("platform");
        Target::of(&self.image(install.stage), platform)
    }

    /// The files of the version that would be installed: the pinned one, or the newest that is good enough.
    fn of_index(&self, requirement: &Requirement) -> Option<Vec<String>> {
        let listed = self.around.index?.get(&requirement.name)?;
        let versioned = listed.iter().filter_map(|name| {
            let filename: Filename = name.parse().ok()?;
            Some((filename.version_of(&requirement.name)?, name))
        });
        let good: Vec<(Version, &String)> = versioned
            .filter(|(version, _)| requirement.takes(version))
            .collect();
        let newest = good.iter().map(|(version, _)| version).max()?.clone();
        let files = good.into_iter().filter(|(version, _)| *version == newest);
        Some(files.map(|(_, name)| name.clone()).collect())
    }
}

impl Requirement {
    fn takes(&self, version: &Version) -> bool {
        match (&self.version, &self.specifiers) {
            (Some(only), _) => only == version,
            (None, Some(specifiers)) => !version.is_prerelease() && specifiers.take(version),
            (None, None) => !version.is_prerelease(),
        }
    }
}
