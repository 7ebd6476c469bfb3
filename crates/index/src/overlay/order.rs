//! In which order the parts of an index are asked.

use std::collections::{HashSet, VecDeque};

use crate::{IndexName, IndexSettings};

/// An index and everything below it, each once.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Order<'a> {
    /// Stages from the nearest to the farthest, then mirrors likewise.
    pub(crate) parts: Vec<&'a IndexName>,
    /// Bases that do not exist any more.
    pub(crate) missing: Vec<&'a IndexName>,
}

/// The index itself, its bases breadth first, and mirrors after everything else.
///
/// Whatever people upload comes before whatever strangers publish, however the
/// bases are written. Circles end where they began.
pub(crate) fn order<'a>(
    start: &'a IndexName,
    settings: impl Fn(&IndexName) -> Option<&'a IndexSettings>,
) -> Order<'a> {
    let (mut stages, mut mirrors, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    let mut seen = HashSet::from([start]);
    let mut ahead = VecDeque::from([start]);
    while let Some(name) = ahead.pop_front() {
        match settings(name) {
            None => missing.push(name),
            Some(IndexSettings::Mirror(_)) => mirrors.push(name),
            Some(IndexSettings::Stage(stage)) => {
                stages.push(name);
                let bases = stage.bases.iter();
                ahead.extend(bases.filter(|base| seen.insert(base)));
            }
        }
    }
    stages.extend(mirrors);
    Order {
        parts: stages,
        missing,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde_json::json;

    use super::*;

    /// `a/x: a/y a/m` is a stage with two bases, `a/m` a mirror.
    fn walked(start: &str, indexes: &[&str]) -> (String, String) {
        let name = |text: &str| -> IndexName { text.parse().unwrap() };
        let made = |line: &&str| {
            let Some((stage, bases)) = line.split_once(':') else {
                let fields = json!({"type": "mirror", "mirror_url": "https://pypi.example/"});
                return (name(line), fields);
            };
            let bases: Vec<_> = bases.split_whitespace().collect();
            (name(stage), json!({"bases": bases}))
        };
        let all: HashMap<IndexName, IndexSettings> = indexes
            .iter()
            .map(made)
            .map(|(name, fields)| {
                let settings = IndexSettings::create("a", fields.as_object().unwrap());
                (name, settings.unwrap())
            })
            .collect();
        let start = name(start);
        let order = order(&start, |name| all.get(name));
        let text = |names: &[&IndexName]| {
            let names: Vec<_> = names.iter().map(|name| name.as_str()).collect();
            names.join(" ")
        };
        (text(&order.parts), text(&order.missing))
    }

    #[test]
    fn an_index_comes_first_then_its_bases_then_theirs_then_mirrors() {
        for (indexes, parts, missing) in [
            (&["a/x:"][..], "a/x", ""),
            (&["a/x"], "a/x", ""),
            (&["a/x: a/m", "a/m"], "a/x a/m", ""),
            (&["a/x: a/m a/y", "a/y:", "a/m"], "a/x a/y a/m", ""),
            // breadth first
            (
                &["a/x: a/y a/z", "a/y: a/u", "a/z: a/v", "a/u:", "a/v:"],
                "a/x a/y a/z a/u a/v",
                "",
            ),
            // the nearest mirror is the first of the mirrors
            (
                &["a/x: a/y a/n", "a/y: a/m a/z", "a/z:", "a/m", "a/n"],
                "a/x a/y a/z a/n a/m",
                "",
            ),
            // each once
            (
                &["a/x: a/y a/z", "a/y: a/z a/m", "a/z: a/m", "a/m"],
                "a/x a/y a/z a/m",
                "",
            ),
            // circles
            (&["a/x: a/x"], "a/x", ""),
            (&["a/x: a/y", "a/y: a/x a/z", "a/z: a/y"], "a/x a/y a/z", ""),
            // what is gone
            (
                &["a/x: a/gone a/m b/gone", "a/m"],
                "a/x a/m",
                "a/gone b/gone",
            ),
            (&[], "", "a/x"),
        ] {
            let expected = (parts.to_owned(), missing.to_owned());
            assert_eq!(walked("a/x", indexes), expected, "{indexes:?}");
        }
    }
}
