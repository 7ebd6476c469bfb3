//! A project in three lines, and the same with its files built.

use crate::dist::{Built, Dist};

/// A made-up project.
#[derive(Debug, Clone)]
pub struct Project {
    name: String,
    dists: Vec<Dist>,
    status: Option<(String, String)>,
}

impl Project {
    /// A project of this name, as its author writes it, without files.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            dists: Vec::new(),
            status: None,
        }
    }

    /// Adds a plain wheel.
    #[must_use]
    pub fn wheel(self, version: &str) -> Self {
        self.with(Dist::wheel(version))
    }

    /// Adds a plain sdist.
    #[must_use]
    pub fn sdist(self, version: &str) -> Self {
        self.with(Dist::sdist(version))
    }

    /// Adds a file with options.
    #[must_use]
    pub fn with(mut self, dist: Dist) -> Self {
        self.dists.push(dist);
        self
    }

    /// Sets the project's status (PEP 792) and the reason for it.
    #[must_use]
    pub fn status(mut self, status: &str, reason: &str) -> Self {
        self.status = Some((status.to_owned(), reason.to_owned()));
        self
    }

    pub(super) fn stock(self) -> Stocked {
        Stocked {
            normal: normal(&self.name),
            files: self
                .dists
                .into_iter()
                .map(|dist| {
                    let built = dist.build(&self.name);
                    (dist, built)
                })
                .collect(),
            status: self.status,
        }
    }
}

/// A project with its files built.
#[derive(Debug)]
pub(super) struct Stocked {
    pub(super) normal: String,
    pub(super) files: Vec<(Dist, Built)>,
    pub(super) status: Option<(String, String)>,
}

/// The normal form of PEP 503.
pub(super) fn normal(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for part in name.split(['-', '_', '.']).filter(|part| !part.is_empty()) {
        if !normal.is_empty() {
            normal.push('-');
        }
        normal.push_str(&part.to_ascii_lowercase());
    }
    normal
}
