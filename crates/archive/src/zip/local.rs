//! What stands before the content of an entry, which must say what the list says.

use super::central::{Central, DESCRIPTOR};
use super::fields::{Extra, Record};
use crate::read_at::{ReadAt, read_exact_at};
use crate::refused::{Error, Refused, Shown};

const SIGNATURE: &[u8] = b"PK\x03\x04";
const LEN: usize = 30;
/// Names and content are not read in another way because of these.
const HARMLESS: u16 = 0b110;

/// Where the content begins, if the two agree.
pub(super) fn content_at<S: ReadAt + ?Sized>(source: &S, central: &Central) -> Result<u64, Error> {
    let damaged = |why| Refused::DamagedEntry {
        entry: Shown::of_bytes(&central.name),
        why,
    };
    let failed = |error| Error::reading(error, "an entry cannot be read");
    let mut bytes = vec![0; LEN + central.name.len()];
    read_exact_at(source, central.local_at, &mut bytes).map_err(failed)?;
    let (head, name) = bytes.split_at(LEN);
    let record = Record(head);
    if !head.starts_with(SIGNATURE) {
        return Err(damaged("it is not where the list says").into());
    }
    if usize::from(record.u16(26)) != name.len() || name != central.name {
        return Err(damaged("it has two names").into());
    }
    let extra_at = central.local_at + bytes.len() as u64;
    let mut extra = vec![0; record.u16(28).into()];
    read_exact_at(source, extra_at, &mut extra).map_err(failed)?;
    let content_at = extra_at + extra.len() as u64;
    let extra = Extra::read(&extra)?;
    if extra.renames(&central.name) {
        return Err(damaged("it has two names").into());
    }
    if (record.u16(6) ^ central.flags) & !HARMLESS != 0 || record.u16(8) != central.method {
        return Err(damaged("what stands before it is not what the list says").into());
    }
    let [size, compressed] = extra.widen([record.u32(22), record.u32(18)])?;
    let said = (record.u32(14), size, compressed);
    let listed = (central.crc, central.size, central.compressed);
    // What is not known yet is written as zeros, and follows later.
    let comes_later = central.flags & DESCRIPTOR != 0
        && [
            (said.0 == 0 || said.0 == listed.0),
            size == 0 || size == listed.1,
            compressed == 0 || compressed == listed.2,
        ]
        .iter()
        .all(|same| *same);
    if said != listed && !comes_later {
        return Err(damaged("what stands before it is not what the list says").into());
    }
    Ok(content_at)
}
