//! Whether a wheel can be installed in an image, by its name.

use crate::image::{Image, Libc, minor};

/// What an image takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    /// Python's version.
    pub(crate) python: (u32, u32),
    /// Where it is not known, any version of glibc.
    pub(crate) libc: Option<Libc>,
    /// As wheels call it: `x86_64`, `aarch64`.
    pub(crate) machine: &'static str,
}

impl Target {
    /// What is known of an image, if its Python is. `platform` is what `FROM --platform` says.
    pub(crate) fn of(image: &Image, platform: Option<&str>) -> Option<Self> {
        let machine = match platform {
            Some(platform) if platform.contains("arm64") => "aarch64",
            // Without a word about it: what most build for.
            None | Some("linux/amd64" | "linux/x86_64") => "x86_64",
            Some(_) => return None,
        };
        Some(Self {
            python: image.python?,
            libc: image.libc(),
            machine,
        })
    }

    /// Whether a wheel of this name fits.
    pub(crate) fn takes(&self, filename: &str) -> bool {
        let Some([python, abi, platform]) = tags(filename) else {
            return false;
        };
        let is_abi3 = abi.split('.').any(|abi| abi == "abi3");
        python.split('.').any(|tag| self.runs(tag, is_abi3))
            && abi.split('.').any(|tag| self.speaks(tag))
            && platform.split('.').any(|tag| self.stands_on(tag))
    }

    /// `py3`, `py312`, `cp313`.
    fn runs(&self, tag: &str, is_abi3: bool) -> bool {
        let (major, here) = self.python;
        let Some(version) = tag.strip_prefix("py").or(tag.strip_prefix("cp")) else {
            return false;
        };
        let Some(minor) = version.strip_prefix(&major.to_string()) else {
            return false;
        };
        match minor.parse::<u32>() {
            Ok(minor) if tag.starts_with("py") || is_abi3 => minor <= here,
            Ok(minor) => minor == here,
            Err(_) => minor.is_empty(),
        }
    }

    fn speaks(&self, tag: &str) -> bool {
        let (major, minor) = self.python;
        tag == "none" || tag == "abi3" || tag == format!("cp{major}{minor}")
    }

    fn stands_on(&self, tag: &str) -> bool {
        if tag == "any" {
            return true;
        }
        let Some(rest) = tag
            .strip_suffix(self.machine)
            .and_then(|rest| rest.strip_suffix('_'))
        else {
            return false;
        };
        match (rest, self.libc) {
            ("linux", _) => true,
            (rest, Some(Libc::Musl)) => rest.starts_with("musllinux_1_"),
            (rest, Some(Libc::Glibc(major, minor))) => {
                glibc(rest).is_some_and(|needed| needed <= (major, minor))
            }
            (rest, None) => glibc(rest).is_some(),
        }
    }
}

/// Whether a file is a wheel.
pub(crate) fn is_wheel(filename: &str) -> bool {
    filename.strip_suffix(".whl").is_some()
}

/// Which glibc a wheel needs at least, if it needs one.
pub(crate) fn needed_glibc(filename: &str) -> Option<(u32, u32)> {
    let [.., platform] = tags(filename)?;
    let needed = platform.split('.').filter_map(|tag| {
        let machine = ["_x86_64", "_aarch64"]
            .iter()
            .find_map(|end| tag.strip_suffix(end));
        glibc(machine?)
    });
    needed.min()
}

fn glibc(platform: &str) -> Option<(u32, u32)> {
    match platform {
        "manylinux1" => Some((2, 5)),
        "manylinux2010" => Some((2, 12)),
        "manylinux2014" => Some((2, 17)),
        _ => minor(&platform.strip_prefix("manylinux_")?.replace('_', ".")),
    }
}

/// Python, ABI and platform of a wheel's name.
fn tags(filename: &str) -> Option<[&str; 3]> {
    let stem = filename.strip_suffix(".whl")?;
    let mut parts = stem.rsplitn(4, '-');
    let (platform, abi, python) = (parts.next()?, parts.next()?, parts.next()?);
    parts.next()?;
    Some([python, abi, platform])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wheel_fits_where_installers_take_it() {
        let slim = Image::of("python:3.13-slim-bookworm");
        let alpine = Image::of("python:3.13-alpine");
        let plain = Image::of("python:3.13");
        for (tags, on_slim, on_alpine, on_plain) in [
            ("py3-none-any", true, true, true),
            ("py2.py3-none-any", true, true, true),
            ("py2-none-any", false, false, false),
            ("cp313-cp313-manylinux_2_28_x86_64", true, false, true),
            ("cp313-cp313-manylinux_2_40_x86_64", false, false, true),
            (
                "cp313-cp313-manylinux2014_x86_64.manylinux_2_17_x86_64",
                true,
                false,
                true,
            ),
            ("cp313-cp313-manylinux_2_28_aarch64", false, false, false),
            ("cp313-cp313t-manylinux_2_28_x86_64", false, false, false),
            ("cp312-cp312-manylinux_2_28_x86_64", false, false, false),
            ("cp39-abi3-manylinux_2_28_x86_64", true, false, true),
            ("cp313-cp313-musllinux_1_2_x86_64", false, true, false),
            ("cp314-abi3-musllinux_1_2_x86_64", false, false, false),
            ("py3-none-manylinux1_x86_64", true, false, true),
            ("cp313-cp313-win_amd64", false, false, false),
        ] {
            let takes = |image: &Image| {
                let target = Target::of(image, None).unwrap();
                target.takes(&format!("a-1.0-{tags}.whl"))
            };
            assert_eq!(
                (takes(&slim), takes(&alpine), takes(&plain)),
                (on_slim, on_alpine, on_plain),
                "{tags}"
            );
        }
        assert_eq!(
            Target::of(&slim, Some("linux/arm64/v8")).unwrap().machine,
            "aarch64"
        );
        assert_eq!(Target::of(&slim, Some("$BUILDPLATFORM")), None);
        assert_eq!(Target::of(&Image::of("debian:bookworm"), None), None);
        let newest = "a-1-cp313-cp313-manylinux_2_28_x86_64.manylinux_2_34_x86_64.whl";
        assert_eq!(needed_glibc(newest), Some((2, 28)));
    }
}
