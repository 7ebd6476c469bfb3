//! The names of a listing: a million of them, shared and never copied.
//!
//! The listing of an index with bases is the lists of its parts, one after the
//! other, with a note of the names that an earlier list has already. So joining
//! them costs a look at each name once, and no room.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use pyspec::ProjectName;

/// All names of a source, in its own order and spelling, each once.
#[derive(Debug, Clone)]
pub struct Names(Arc<[List]>);

#[derive(Debug, Clone)]
struct List {
    names: Arc<[Box<str>]>,
    /// The places of names that an earlier list has, in their order.
    repeated: Arc<[u32]>,
}

/// A way through [`Names`] that can be interrupted.
#[derive(Debug, Clone)]
pub struct Walk {
    names: Names,
    list: usize,
    place: usize,
    /// How many of this list's repeated names lie behind.
    passed: usize,
}

/// For each list of a join, the places of its repeated names.
pub(crate) type Repeated = Arc<[Arc<[u32]>]>;

impl Names {
    /// The names one by one.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(List::iter)
    }

    /// How many.
    pub fn len(&self) -> usize {
        let lists = self.0.iter();
        lists
            .map(|list| list.names.len() - list.repeated.len())
            .sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A way through them that can be interrupted.
    pub fn walk(&self) -> Walk {
        Walk {
            names: self.clone(),
            list: 0,
            place: 0,
            passed: 0,
        }
    }

    /// These lists one after the other; `repeated` is what [`repeated`] says of them.
    pub(crate) fn joined(parts: &[Self], repeated: &Repeated) -> Self {
        let lists = parts.iter().flat_map(|part| part.0.iter());
        let joined = lists.enumerate().map(|(n, list)| List {
            names: list.names.clone(),
            repeated: repeated.get(n).cloned().unwrap_or_default(),
        });
        Self(joined.collect())
    }
}

/// Which names of these lists an earlier one has, however it spells them. Looks at every name.
pub(crate) fn repeated(parts: &[Names]) -> Repeated {
    let lists: Vec<&List> = parts.iter().flat_map(|part| part.0.iter()).collect();
    let mut seen: HashSet<Cow<'_, str>> = HashSet::new();
    let last = lists.len().saturating_sub(1);
    let mut all = Vec::with_capacity(lists.len());
    for (n, list) in lists.into_iter().enumerate() {
        let mut repeated = Vec::new();
        for (place, name) in list.names.iter().enumerate() {
            let name = normal(name);
            // Nobody comes after the last list, which tends to be the longest.
            let is_new = if n == last {
                !seen.contains(&name)
            } else {
                seen.insert(name)
            };
            if !is_new {
                repeated.push(place as u32);
            }
        }
        all.push(repeated.into());
    }
    all.into()
}

/// A name that is none keeps its spelling, as a mirror passes it on.
fn normal(name: &str) -> Cow<'_, str> {
    if ProjectName::is_normal(name) {
        return name.into();
    }
    match name.parse::<ProjectName>() {
        Ok(name) => name.as_str().to_owned().into(),
        Err(_) => name.into(),
    }
}

impl List {
    fn iter(&self) -> impl Iterator<Item = &str> {
        let mut repeated = self.repeated.iter().peekable();
        let places = self.names.iter().enumerate();
        places.filter_map(move |(place, name)| {
            let again = repeated.next_if(|at| **at as usize == place).is_some();
            (!again).then_some(name.as_ref())
        })
    }
}

impl Walk {
    /// The next name.
    pub fn step(&mut self) -> Option<&str> {
        loop {
            let list = self.names.0.get(self.list)?;
            if self.place >= list.names.len() {
                (self.list, self.place, self.passed) = (self.list + 1, 0, 0);
                continue;
            }
            let place = self.place;
            self.place += 1;
            if list.repeated.get(self.passed).map(|at| *at as usize) == Some(place) {
                self.passed += 1;
                continue;
            }
            return Some(&self.names.0[self.list].names[place]);
        }
    }
}

impl From<Arc<[Box<str>]>> for Names {
    fn from(names: Arc<[Box<str>]>) -> Self {
        let repeated = Arc::default();
        Self(Arc::new([List { names, repeated }]))
    }
}

impl From<Vec<Box<str>>> for Names {
    fn from(names: Vec<Box<str>>) -> Self {
        Arc::<[Box<str>]>::from(names).into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn names(list: &[&str]) -> Names {
        let list: Vec<Box<str>> = list.iter().map(|name| (*name).into()).collect();
        list.into()
    }

    fn joined(parts: &[Names]) -> Names {
        Names::joined(parts, &repeated(parts))
    }

    fn walked(names: &Names) -> Vec<String> {
        let mut walk = names.walk();
        std::iter::from_fn(|| walk.step().map(str::to_owned)).collect()
    }

    #[test]
    fn a_name_is_listed_once_in_its_first_spelling() {
        let all = joined(&[
            names(&["b", "Foo_Bar"]),
            names(&[]),
            names(&["a", "foo-bar", "B", "not a name"]),
            names(&["foo.bar", "c", "not a name"]),
        ]);
        let expected = ["b", "Foo_Bar", "a", "not a name", "c"];
        assert_eq!(all.iter().collect::<Vec<_>>(), expected);
        assert_eq!(walked(&all), expected);
        assert_eq!(all.len(), 5);
        assert!(joined(&[]).is_empty());
    }

    #[test]
    fn a_join_can_be_joined() {
        let first = joined(&[names(&["a", "b"]), names(&["b", "c"])]);
        let both = joined(&[first, names(&["c", "d", "a"])]);
        assert_eq!(walked(&both), ["a", "b", "c", "d"]);
    }

    proptest! {
        #[test]
        fn a_join_has_every_name_once(lists in vec(vec("[abAB][-_]?[ab]", 0..6), 0..4)) {
            // Within one list a source answers for itself.
            let lists: Vec<Vec<Box<str>>> = lists.into_iter().map(|list| {
                let mut seen = HashSet::new();
                list.into_iter()
                    .filter(|name| seen.insert(normal(name).into_owned()))
                    .map(Into::into)
                    .collect()
            }).collect();
            let mut seen = HashSet::new();
            let expected: Vec<&str> = lists.iter().flatten().map(AsRef::as_ref)
                .filter(|name| seen.insert(normal(name))).collect();
            let all = joined(&lists.iter().cloned().map(Names::from).collect::<Vec<_>>());
            prop_assert_eq!(all.iter().collect::<Vec<_>>(), expected.clone());
            prop_assert_eq!(walked(&all), expected);
        }
    }
}
