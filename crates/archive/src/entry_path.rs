//! The name of an archive's entry, as a path that stays where it is put.

use crate::refused::{Refused, Shown};

/// A relative path of plain components: no way up, no root, no drive, nothing that a
/// terminal or another system would read differently.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct EntryPath {
    /// Joined by `/`, without one at the end.
    text: String,
    /// Whether it was written with a `/` at its end.
    pub(crate) is_folder: bool,
}

/// What Linux takes for a path and for a component of one.
const LONGEST: usize = 4095;
const LONGEST_COMPONENT: usize = 255;

impl EntryPath {
    /// Reads a name in which components may be empty or `.`, as tar writes `./foo/bar`.
    pub(crate) fn loose(bytes: &[u8]) -> Result<Self, Refused> {
        let refused = |why| Refused::Path {
            entry: Shown::of_bytes(bytes),
            why,
        };
        let name = str::from_utf8(bytes).map_err(|_| refused("has a name that is not UTF-8"))?;
        fault(name).map_or(Ok(()), |why| Err(refused(why)))?;
        let mut text = String::with_capacity(name.len());
        for component in components(name) {
            match component {
                ".." => return Err(refused("leads out of its folder")),
                _ if component.len() > LONGEST_COMPONENT => {
                    return Err(refused("has a name that is too long"));
                }
                _ => {}
            }
            if !text.is_empty() {
                text.push('/');
            }
            text.push_str(component);
        }
        if text.is_empty() && name.is_empty() {
            return Err(refused("has no name"));
        }
        Ok(Self {
            text,
            is_folder: name.ends_with('/'),
        })
    }

    /// Reads a name that must be written in the one plain way.
    pub(crate) fn strict(bytes: &[u8]) -> Result<Self, Refused> {
        let path = Self::loose(bytes)?;
        let len = path.text.len() + usize::from(path.is_folder);
        // Only by leaving something out can the length differ.
        if len != bytes.len() || path.text.is_empty() {
            return Err(Refused::Path {
                entry: Shown::of_bytes(bytes),
                why: "has a name that could be written shorter",
            });
        }
        Ok(path)
    }

    /// Empty only if it means the folder of the archive itself.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn shown(&self) -> Shown {
        Shown::new(&self.text)
    }

    /// The first component and what follows it.
    pub(crate) fn split(&self) -> (&str, Option<&str>) {
        match self.text.split_once('/') {
            Some((first, rest)) => (first, Some(rest)),
            None => (&self.text, None),
        }
    }

    /// Every folder that this lies in, the outermost first.
    pub(crate) fn parents(&self) -> impl Iterator<Item = &str> {
        self.text.match_indices('/').map(|(at, _)| &self.text[..at])
    }

    /// Where a symbolic link at this path leads, if that is surely within `top`.
    ///
    /// Only a way up that comes first can be followed without knowing what the
    /// components before it are: they may be links themselves.
    pub(crate) fn link_stays_in(&self, top: &str, target: &[u8]) -> bool {
        let Ok(target) = str::from_utf8(target) else {
            return false;
        };
        if target.is_empty() || fault(target).is_some() {
            return false;
        }
        let mut folders: Vec<&str> = self.text.split('/').collect();
        folders.pop();
        let mut down = false;
        for component in components(target) {
            match component {
                ".." if down || folders.pop().is_none() => return false,
                ".." => {}
                _ => down = true,
            }
            if folders.is_empty() {
                return false;
            }
        }
        folders.first() == Some(&top)
    }
}

fn components(name: &str) -> impl Iterator<Item = &str> {
    name.split('/')
        .filter(|component| !component.is_empty() && *component != ".")
}

fn fault(name: &str) -> Option<&'static str> {
    let bytes = name.as_bytes();
    if name.len() > LONGEST {
        Some("has a name that is too long")
    } else if name.starts_with('/') {
        Some("has an absolute path")
    } else if name.contains('\\') {
        Some("has a backslash in its name")
    } else if name.chars().any(char::is_control) {
        Some("has a control character in its name")
    } else if bytes.len() > 1 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':' {
        Some("begins with a drive letter")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_plain_path_is_taken() {
        for (name, path, is_folder) in [
            ("a", "a", false),
            ("a/b.c", "a/b.c", false),
            ("a/b/", "a/b", true),
            ("..a/b..", "..a/b..", false),
            ("é", "é", false),
            ("ab:c", "ab:c", false),
        ] {
            let read = EntryPath::strict(name.as_bytes()).unwrap();
            assert_eq!((read.as_str(), read.is_folder), (path, is_folder));
        }
        for (name, path) in [
            ("./a", "a"),
            ("a//b", "a/b"),
            ("a/./b/", "a/b"),
            ("./", ""),
            (".", ""),
        ] {
            assert_eq!(EntryPath::loose(name.as_bytes()).unwrap().as_str(), path);
            assert!(EntryPath::strict(name.as_bytes()).is_err(), "{name}");
        }
    }

    #[test]
    fn a_path_that_leads_elsewhere_is_refused() {
        let long = "a".repeat(256);
        let longer = "a/".repeat(2048);
        for (name, why) in [
            (&b""[..], "`` has no name"),
            (b"/a", "`/a` has an absolute path"),
            (b"..", "`..` leads out of its folder"),
            (b"a/../b", "`a/../b` leads out of its folder"),
            (b"a/..", "`a/..` leads out of its folder"),
            (b"a\\b", "`a\\\\b` has a backslash in its name"),
            (b"C:x", "`C:x` begins with a drive letter"),
            (b"a\0b", "`a\\x00b` has a control character in its name"),
            (b"a\nb", "`a\\nb` has a control character in its name"),
            (b"\xff", "`\\xff` has a name that is not UTF-8"),
        ] {
            let refused = EntryPath::loose(name).unwrap_err();
            assert_eq!(refused.to_string(), format!("its entry {why}"));
        }
        for name in [&long, &longer] {
            assert!(EntryPath::loose(name.as_bytes()).is_err());
        }
    }

    #[test]
    fn a_link_stays_in_its_folder_or_is_refused() {
        for (at, target, stays) in [
            ("top/a", "b", true),
            ("top/a", "./b/c", true),
            ("top/d/e/a", "../../b", true),
            ("top/d/a", "..", true),
            ("top/a", "..", false),
            ("top/a", "../top/b", false),
            ("top/d/a", "../../etc", false),
            ("top/d/a", "b/..", false),
            ("top/a", "/etc/passwd", false),
            ("top/a", "", false),
            ("top/a", "c:\\x", false),
            ("a", "b", false),
        ] {
            let path = EntryPath::strict(at.as_bytes()).unwrap();
            assert_eq!(
                path.link_stays_in("top", target.as_bytes()),
                stays,
                "{at} -> {target}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_is_taken_has_plain_components_only(bytes in r"[./a\\:]{0,12}|\PC{0,8}") {
            if let Ok(path) = EntryPath::loose(bytes.as_bytes()) {
                for component in path.as_str().split('/').filter(|_| !path.as_str().is_empty()) {
                    prop_assert!(!matches!(component, "" | "." | ".."), "{}", path.as_str());
                }
                prop_assert!(!path.as_str().contains('\\'));
                if let Ok(strict) = EntryPath::strict(bytes.as_bytes()) {
                    prop_assert_eq!(strict.as_str(), bytes.strip_suffix('/').unwrap_or(&bytes));
                }
            }
        }
    }
}
