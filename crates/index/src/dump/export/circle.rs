//! Bases that go round in a circle: people may set them, but `devpi-import` makes an index only
//! after its bases, and so takes no dump that has such.

use std::collections::HashSet;

/// The indexes that would never be made, given every index with its bases.
pub(super) fn never_made<'a>(indexes: &[(&'a str, Vec<&str>)]) -> Vec<&'a str> {
    let there: HashSet<&str> = indexes.iter().map(|(name, _)| *name).collect();
    let mut made = HashSet::new();
    loop {
        let before = made.len();
        for (name, bases) in indexes {
            let mut needed = bases.iter().filter(|base| *base != name);
            // A base that is not in the dump is passed over.
            if needed.all(|base| made.contains(base) || !there.contains(base)) {
                made.insert(*name);
            }
        }
        if made.len() == before {
            break;
        }
    }
    let names = indexes.iter().map(|(name, _)| *name);
    names.filter(|name| !made.contains(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_and_what_stands_on_it_is_never_made() {
        let indexes = [
            ("a/over", vec!["a/one"]),
            ("a/one", vec!["a/two", "root/pypi"]),
            ("a/two", vec!["a/one"]),
            ("a/plain", vec!["b/late", "not/here", "a/plain"]),
            ("b/late", vec!["root/pypi"]),
            ("root/pypi", vec![]),
        ];
        assert_eq!(never_made(&indexes), ["a/over", "a/one", "a/two"]);
    }
}
