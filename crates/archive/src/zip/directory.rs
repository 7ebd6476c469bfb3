//! All entries of a zip file, one after the other.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader};

use super::central::{Central, DESCRIPTOR};
use super::entry::Entry;
use super::{end, local};
use crate::entry_path::EntryPath;
use crate::limits::{Limits, Tally};
use crate::read_at::{ReadAt, Section};
use crate::refused::{Error, Refused};

/// Hands out every entry, and answers what they came to.
///
/// When this returns without an error, the entries and the list of them are all
/// there is in the file. Until then they may be anything.
pub(crate) fn walk<S: ReadAt + ?Sized>(
    source: &S,
    limits: &Limits,
    mut each: impl FnMut(Entry) -> Result<(), Refused>,
) -> Result<Tally, Error> {
    let len = source.len().map_err(Error::Io)?;
    let end = end::find(source, len)?;
    if end.len > limits.directory {
        return Err(Refused::DirectoryTooLarge(limits.directory).into());
    }
    let mut list = BufReader::with_capacity(64 * 1024, Section::new(source, end.at, end.len));
    let mut tally = Tally::new(limits, len);
    let mut names = Names::default();
    let mut extents = Vec::new();
    for _ in 0..end.entries {
        tally.entry()?;
        let central = Central::read(&mut list)?;
        tally.bytes(central.size)?;
        let path = EntryPath::strict(&central.name)?;
        if !names.insert(path.as_str()) {
            return Err(Refused::Duplicate(path.shown()).into());
        }
        if path.is_folder && central.size != 0 {
            let entry = path.shown();
            let why = "it is a folder with content";
            return Err(Refused::DamagedEntry { entry, why }.into());
        }
        let content_at = local::content_at(source, &central)?;
        extents.push(Extent::new(&central, content_at));
        each(Entry::new(path, &central, content_at))?;
    }
    let rest = list.fill_buf();
    if !rest
        .map_err(|e| Error::reading(e, "the list of its entries cannot be read"))?
        .is_empty()
    {
        return Err(Refused::Damaged("it has more entries than it says").into());
    }
    side_by_side(&mut extents, end.at)?;
    Ok(tally)
}

/// Which names were seen.
///
/// Only a hash of each is kept, with a key that nobody outside knows: a wrong
/// refusal is one in billions, and 250,000 names take a few megabytes.
#[derive(Default)]
pub(crate) struct Names {
    key: RandomState,
    seen: HashSet<u64>,
}

impl Names {
    /// Whether the name is new.
    pub(crate) fn insert(&mut self, name: &str) -> bool {
        self.seen.insert(self.key.hash_one(name))
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.seen.contains(&self.key.hash_one(name))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }
}

/// Where an entry lies.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Extent {
    start: u64,
    end: u64,
    has_descriptor: bool,
}

impl Extent {
    fn new(central: &Central, content_at: u64) -> Self {
        Self {
            start: central.local_at,
            end: content_at.saturating_add(central.compressed),
            has_descriptor: central.flags & DESCRIPTOR != 0,
        }
    }
}

/// Whether the entries fill the file from its start to the list, each byte once.
fn side_by_side(extents: &mut [Extent], until: u64) -> Result<(), Refused> {
    /// A descriptor, with a signature or not, with long sizes or not.
    const DESCRIPTORS: [u64; 4] = [12, 16, 20, 24];
    extents.sort_unstable();
    if extents.first().map_or(until, |first| first.start) != 0 {
        return Err(Refused::Damaged("something stands before its first entry"));
    }
    let starts = extents
        .iter()
        .skip(1)
        .map(|extent| extent.start)
        .chain([until]);
    for (extent, next) in extents.iter().zip(starts) {
        let gap = next.checked_sub(extent.end);
        let gap = gap.ok_or(Refused::Damaged("its entries overlap"))?;
        if gap != 0 && !(extent.has_descriptor && DESCRIPTORS.contains(&gap)) {
            return Err(Refused::Damaged("something stands between its entries"));
        }
    }
    Ok(())
}
