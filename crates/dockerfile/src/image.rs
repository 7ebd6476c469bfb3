//! What the name of an image tells about what is in it.

/// What is known of an image from its name and tag.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Image {
    /// Python's minor version, like (3, 13).
    pub(crate) python: Option<(u32, u32)>,
    /// The release of the distribution: `bookworm`, `alpine`.
    pub(crate) release: Option<&'static str>,
}

/// Which C library programs are linked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Libc {
    /// With its version.
    Glibc(u32, u32),
    Musl,
}

/// The releases of distributions, and their C library.
const RELEASES: [(&str, Libc); 9] = [
    ("alpine", Libc::Musl),
    ("buster", Libc::Glibc(2, 28)),
    ("bullseye", Libc::Glibc(2, 31)),
    ("bookworm", Libc::Glibc(2, 36)),
    ("trixie", Libc::Glibc(2, 41)),
    ("focal", Libc::Glibc(2, 31)),
    ("jammy", Libc::Glibc(2, 35)),
    ("noble", Libc::Glibc(2, 39)),
    ("amazonlinux", Libc::Glibc(2, 34)),
];

/// Ubuntu's other names.
const UBUNTU: [(&str, &str); 3] = [("20.04", "focal"), ("22.04", "jammy"), ("24.04", "noble")];

impl Image {
    /// Reads `registry/name:tag@digest`.
    pub(crate) fn of(text: &str) -> Self {
        let text = text.split('@').next().unwrap_or(text);
        let last = text.rsplit('/').next().unwrap_or(text);
        let (name, tag) = last.split_once(':').unwrap_or((last, ""));
        let parts: Vec<&str> = tag.split('-').collect();
        let named = |release: &&(&'static str, Libc)| {
            name == release.0 || parts.iter().any(|part| part.starts_with(release.0))
        };
        let by_number = UBUNTU
            .iter()
            .find(|(number, _)| name == "ubuntu" && tag.starts_with(number));
        let release = RELEASES.iter().find(named).map(|release| release.0);
        Self {
            python: python(name, &parts),
            release: release.or(by_number.map(|(_, release)| *release)),
        }
    }

    pub(crate) fn libc(&self) -> Option<Libc> {
        let release = self.release?;
        let found = RELEASES.iter().find(|(name, _)| *name == release);
        found.map(|(_, libc)| *libc)
    }
}

/// `python:3.13-slim`, or `uv:python3.13-alpine`.
fn python(name: &str, parts: &[&str]) -> Option<(u32, u32)> {
    let inner = parts.iter().find_map(|part| part.strip_prefix("python"));
    let text = match inner {
        Some(text) => text,
        None if name == "python" => parts.first()?,
        None => return None,
    };
    minor(text)
}

/// The first two numbers of a version.
pub(crate) fn minor(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split('.');
    let major = numbers.next()?.parse().ok()?;
    let minor = numbers.next()?;
    let digits = minor
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(minor.len());
    Some((major, minor[..digits].parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_python_and_the_distribution() {
        for (text, python, release) in [
            ("python:3.13-slim-bookworm", Some((3, 13)), Some("bookworm")),
            ("python:3.13.1-alpine3.20", Some((3, 13)), Some("alpine")),
            (
                "registry.example:5000/library/python:3.12",
                Some((3, 12)),
                None,
            ),
            (
                "python:3.14-rc-trixie@sha256:00",
                Some((3, 14)),
                Some("trixie"),
            ),
            (
                "registry.example/astral-sh/uv:0.13-python3.12-alpine",
                Some((3, 12)),
                Some("alpine"),
            ),
            ("ubuntu:22.04", None, Some("jammy")),
            ("alpine", None, Some("alpine")),
            ("debian:bookworm-slim", None, Some("bookworm")),
            ("python:latest", None, None),
            ("node:22-alpine", None, Some("alpine")),
        ] {
            let image = Image::of(text);
            assert_eq!((image.python, image.release), (python, release), "{text}");
        }
        assert_eq!(Image::of("python:3.13-alpine").libc(), Some(Libc::Musl));
        assert_eq!(
            Image::of("debian:bookworm").libc(),
            Some(Libc::Glibc(2, 36))
        );
    }
}
