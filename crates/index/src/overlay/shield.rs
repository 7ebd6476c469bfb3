//! Which projects a mirror may not complete.
//!
//! A name that people here upload under is theirs: if a public project of the
//! same name could join in, a stranger could publish a higher version of it and
//! would be installed instead (dependency confusion). So where any stage of an
//! index has a project, mirrors have no say in it, unless a whitelist names it.

use pyspec::ProjectName;

use crate::settings::{Inheritance, Whitelist};

/// Whether mirrors may complete a project although a stage has it.
///
/// `lists` are those of the stages in the order in which they are asked. As in
/// devpi, what the lists up to some stage have allowed stays allowed. So where
/// they are intersected the first one decides: the others can only take away.
pub(crate) fn is_whitelisted<'a>(
    project: &ProjectName,
    rule: Inheritance,
    lists: impl IntoIterator<Item = &'a Whitelist>,
) -> bool {
    let mut lists = lists.into_iter();
    match rule {
        Inheritance::Intersection => lists.next().is_some_and(|first| first.has(project)),
        Inheritance::Union => lists.any(|list| list.has(project)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::collection::{btree_set, vec};
    use proptest::prelude::*;

    use super::*;

    fn list(entries: &BTreeSet<String>) -> Whitelist {
        let projects = entries.iter().filter(|entry| *entry != "*");
        Whitelist {
            every: entries.contains("*"),
            projects: projects.map(|entry| entry.parse().unwrap()).collect(),
        }
    }

    fn allows(rule: Inheritance, lists: &[BTreeSet<String>]) -> bool {
        let lists: Vec<Whitelist> = lists.iter().map(list).collect();
        is_whitelisted(&"toxpkg".parse().unwrap(), rule, &lists)
    }

    #[test]
    fn a_whitelist_counts_as_its_inheritance_says() {
        use Inheritance::{Intersection, Union};
        // The lists from the nearest stage to the farthest.
        for (lists, intersection, union) in [
            (&[][..], false, false),
            (&[""], false, false),
            (&["toxpkg"], true, true),
            (&["*"], true, true),
            (&["other"], false, false),
            // An index on top of one that allows it: the old answer hides, union shows.
            (&["", "toxpkg"], false, true),
            (&["", "*"], false, true),
            (&["toxpkg", "toxpkg"], true, true),
            (&["toxpkg", ""], true, true),
            (&["*", "other"], true, true),
            (&["other", "toxpkg other"], false, true),
            (&["", "", "*"], false, true),
        ] {
            let sets: Vec<BTreeSet<String>> = lists
                .iter()
                .map(|list| list.split_whitespace().map(str::to_owned).collect())
                .collect();
            assert_eq!(allows(Intersection, &sets), intersection, "{lists:?}");
            assert_eq!(allows(Union, &sets), union, "{lists:?}");
        }
    }

    /// devpi's walk, as it is described: lists are combined stage by stage, and a
    /// project that was allowed once stays so.
    fn walked(rule: Inheritance, lists: &[BTreeSet<String>]) -> bool {
        let mut combined: Option<BTreeSet<String>> = None;
        let mut allowed = false;
        for list in lists {
            let now = match (combined, rule) {
                (None, _) => list.clone(),
                (Some(before), Inheritance::Union) => &before | list,
                (Some(before), Inheritance::Intersection) => &before & list,
            };
            allowed |= now.contains("*") || now.contains("toxpkg");
            combined = Some(now);
        }
        allowed
    }

    proptest! {
        #[test]
        fn the_rule_is_devpis_walk(
            lists in vec(btree_set("toxpkg|other|\\*", 0..3), 0..4),
            union in any::<bool>(),
        ) {
            let rule = if union { Inheritance::Union } else { Inheritance::Intersection };
            prop_assert_eq!(allows(rule, &lists), walked(rule, &lists));
        }
    }
}
