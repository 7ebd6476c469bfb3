//! Values for which a tar header is too short, in entries of their own before it.

use crate::refused::{Refused, Shown};

/// Longer than any path, shorter than what would fill the memory.
pub(super) const LONGEST: u64 = 1 << 20;

/// What stands before an entry and replaces what its header says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Longer {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    /// Whether an entry for these values came at all.
    came: bool,
}

/// Whether an entry of this kind is not an entry but says more about the next one.
pub(super) fn is_for(kind: u8) -> bool {
    matches!(kind, b'L' | b'K' | b'x' | b'g')
}

impl Longer {
    pub(super) fn take(&mut self, kind: u8, value: &[u8]) -> Result<(), Refused> {
        match kind {
            b'L' => once(&mut self.path, until_nul(value))?,
            b'K' => once(&mut self.link, until_nul(value))?,
            b'x' => self.records(value)?,
            // For all entries to come: a comment is all that anybody writes there.
            _ => {
                let mut all = Self::default();
                all.records(value)?;
                if all
                    != (Self {
                        came: true,
                        ..Self::default()
                    })
                {
                    return Err(Refused::Damaged("it names all its entries at once"));
                }
                return Ok(());
            }
        }
        self.came = true;
        Ok(())
    }

    /// Records of POSIX: `{length} {key}={value}\n`, the length being that of all of it.
    fn records(&mut self, mut rest: &[u8]) -> Result<(), Refused> {
        self.came = true;
        while !rest.is_empty() {
            let (key, value, after) = record(rest).ok_or(BROKEN)?;
            rest = after;
            match key {
                b"path" => once(&mut self.path, value)?,
                b"linkpath" => once(&mut self.link, value)?,
                b"size" => {
                    let size = str::from_utf8(value)
                        .ok()
                        .and_then(|text| text.parse().ok());
                    if self.size.replace(size.ok_or(BROKEN)?).is_some() {
                        return Err(BROKEN);
                    }
                }
                _ if key.starts_with(b"GNU.sparse.") => {
                    return Err(Refused::Kind {
                        entry: Shown::of_bytes(self.path.as_deref().unwrap_or_default()),
                        what: "a sparse file",
                    });
                }
                _ => {}
            }
        }
        Ok(())
    }
}

const BROKEN: Refused = Refused::Damaged("what it says of an entry is broken");

/// Two values for one thing: readers differ in which they take.
fn once(place: &mut Option<Vec<u8>>, value: &[u8]) -> Result<(), Refused> {
    match place.replace(value.to_vec()) {
        Some(before) if before != value => Err(Refused::Damaged("an entry has two names")),
        _ => Ok(()),
    }
}

fn until_nul(value: &[u8]) -> &[u8] {
    value.strip_suffix(b"\0").unwrap_or(value)
}

fn record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = bytes.iter().take(8).position(|byte| *byte == b' ')?;
    let len: usize = str::from_utf8(&bytes[..space]).ok()?.parse().ok()?;
    let text = bytes.get(space + 1..len)?.strip_suffix(b"\n")?;
    let equals = text.iter().position(|byte| *byte == b'=')?;
    Some((&text[..equals], &text[equals + 1..], &bytes[len..]))
}
