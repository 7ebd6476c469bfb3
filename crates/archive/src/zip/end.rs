//! The end of a zip file, which says where the list of its entries is.

use super::fields::Record;
use crate::read_at::{ReadAt, read_exact_at};
use crate::refused::{Error, Refused};

/// Where the list of entries is, and what it holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) entries: u64,
    pub(super) at: u64,
    pub(super) len: u64,
}

const END: &[u8] = b"PK\x05\x06";
const END_LEN: usize = 22;
const LONGEST_COMMENT: u64 = 0xffff;
const LOCATOR: &[u8] = b"PK\x06\x07";
const LOCATOR_LEN: u64 = 20;
const END64: &[u8] = b"PK\x06\x06";
const END64_LEN: usize = 56;

const BROKEN: Refused = Refused::Damaged("its end does not fit the rest");

/// Finds the end. What it tells lies right before it, and nothing comes after it.
pub(super) fn find<S: ReadAt + ?Sized>(source: &S, len: u64) -> Result<End, Error> {
    let tail_len = len.min(END_LEN as u64 + LONGEST_COMMENT);
    let mut tail = vec![0; tail_len as usize];
    read_exact_at(source, len - tail_len, &mut tail).map_err(failed)?;
    let found = tail.windows(END.len()).rposition(|window| window == END);
    let record = found
        .and_then(|at| tail.get(at..)?.first_chunk::<END_LEN>().map(|r| (at, r)))
        .ok_or(Refused::NotA("zip file"))?;
    let (at, fields) = (record.0, Record(record.1));
    if at + END_LEN + usize::from(fields.u16(20)) != tail.len() {
        return Err(Refused::Damaged("something follows its end").into());
    }
    let at = len - tail_len + at as u64;
    let (end, ends_at) = match end64(source, at)? {
        Some((end, ends_at)) => {
            agrees(&fields, &end)?;
            (end, ends_at)
        }
        None => (short(&fields)?, at),
    };
    if end.at.checked_add(end.len) != Some(ends_at) {
        return Err(BROKEN.into());
    }
    Ok(end)
}

fn failed(error: std::io::Error) -> Error {
    Error::reading(error, "its end cannot be read")
}

fn short(fields: &Record<'_>) -> Result<End, Refused> {
    let parts = [fields.u16(4), fields.u16(6)];
    if parts != [0, 0] || fields.u16(8) != fields.u16(10) {
        return Err(Refused::Damaged("it is one part of several"));
    }
    Ok(End {
        entries: fields.u16(10).into(),
        at: fields.u32(16).into(),
        len: fields.u32(12).into(),
    })
}

/// The longer record of a large file, and where it begins.
fn end64<S: ReadAt + ?Sized>(source: &S, end_at: u64) -> Result<Option<(End, u64)>, Error> {
    let Some(locator_at) = end_at.checked_sub(LOCATOR_LEN) else {
        return Ok(None);
    };
    let mut locator = [0; LOCATOR_LEN as usize];
    read_exact_at(source, locator_at, &mut locator).map_err(failed)?;
    if !locator.starts_with(LOCATOR) {
        return Ok(None);
    }
    let at = Record(&locator).u64(8);
    let mut bytes = [0; END64_LEN];
    if at
        .checked_add(END64_LEN as u64)
        .is_none_or(|end| end > locator_at)
    {
        return Err(BROKEN.into());
    }
    read_exact_at(source, at, &mut bytes).map_err(failed)?;
    let record = Record(&bytes);
    let ends_at = record
        .u64(4)
        .checked_add(12)
        .and_then(|len| at.checked_add(len));
    if !bytes.starts_with(END64) || ends_at != Some(locator_at) {
        return Err(BROKEN.into());
    }
    let parts = [record.u32(16), record.u32(20), Record(&locator).u32(4)];
    if parts != [0; 3] || record.u64(24) != record.u64(32) {
        return Err(Refused::Damaged("it is one part of several").into());
    }
    let end = End {
        entries: record.u64(32),
        at: record.u64(48),
        len: record.u64(40),
    };
    Ok(Some((end, at)))
}

/// The short record stands beside the long one, and readers may take either.
fn agrees(short: &Record<'_>, long: &End) -> Result<(), Refused> {
    let same16 =
        |at, long: u64| matches!(short.u16(at), u16::MAX) || u64::from(short.u16(at)) == long;
    let same32 =
        |at, long: u64| matches!(short.u32(at), u32::MAX) || u64::from(short.u32(at)) == long;
    let is_same = same16(8, long.entries)
        && same16(10, long.entries)
        && same32(12, long.len)
        && same32(16, long.at);
    is_same.then_some(()).ok_or(BROKEN)
}
