//! The one place of this crate with `unsafe`: bytes of a file by reference, through a mapping.
//!
//! A window is mapped for one answer's step and unmapped when its `Bytes` is
//! dropped, so a big file never stays in our address space as a whole.

use std::fs::File;
use std::io;

use bytes::Bytes;
use memmap2::{Mmap, MmapOptions};

/// Below this a copy is cheaper than making a mapping, faulting it in and taking it down.
const COPY_BELOW: usize = 128 * 1024;

/// `len` bytes from `offset`, which need not be aligned.
///
/// A window that ends beyond the file is `UnexpectedEof`.
pub(crate) fn bytes(file: &File, offset: u64, len: usize) -> io::Result<Bytes> {
    within(file, offset, len)?;
    if len < COPY_BELOW {
        let mut copy = vec![0; len];
        std::os::unix::fs::FileExt::read_exact_at(file, &mut copy, offset)?;
        return Ok(copy.into());
    }
    Ok(Bytes::from_owner(map(file, offset, len)?))
}

/// Reads a window into the page cache, without a copy for us.
///
/// An unreadable sector is an error here; touching it in a mapping would kill the process.
#[cfg(target_os = "linux")]
pub(crate) fn populate(file: &File, offset: u64, len: usize) -> io::Result<()> {
    use rustix::fs::{Advice, fadvise};

    within(file, offset, len)?;
    if len == 0 {
        return Ok(());
    }
    // Twice the window: the next one arrives while this one is being sent.
    let ahead = std::num::NonZeroU64::new(2 * len as u64);
    fadvise(file, offset, ahead, Advice::WillNeed)?;
    match map(file, offset, len)?.advise(memmap2::Advice::PopulateRead) {
        // Linux before 5.14.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
            read_through(file, offset, len)
        }
        done => done,
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn populate(file: &File, offset: u64, len: usize) -> io::Result<()> {
    within(file, offset, len)?;
    read_through(file, offset, len)
}

fn read_through(file: &File, offset: u64, len: usize) -> io::Result<()> {
    use std::os::unix::fs::FileExt;

    let mut scratch = vec![0; len.min(256 * 1024)];
    let end = offset + len as u64;
    let mut at = offset;
    while at < end {
        let step = scratch.len().min((end - at) as usize);
        file.read_exact_at(&mut scratch[..step], at)?;
        at += step as u64;
    }
    Ok(())
}

/// Touching a mapping beyond the end of its file would kill the process.
fn within(file: &File, offset: u64, len: usize) -> io::Result<()> {
    let size = file.metadata()?.len();
    match offset.checked_add(len as u64) {
        Some(end) if end <= size => Ok(()),
        _ => Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            format!("{len} bytes at {offset} of a file of {size} bytes"),
        )),
    }
}

#[expect(
    unsafe_code,
    reason = "a mapping is the only way to hand file bytes to the socket without copying them"
)]
fn map(file: &File, offset: u64, len: usize) -> io::Result<Mmap> {
    // Not populated: the kernel maps what is in memory around each fault, 16 faults per MiB,
    // which costs a third of filling the page table entry by entry.
    let mut options = MmapOptions::new();
    options.offset(offset).len(len);
    // SAFETY: what a mapping must not meet is a file that is changed or cut under it.
    // The files mapped here are ours alone (the data directory is private to our user):
    // a blob is immutable, named by its content, and replaced or removed by rename and
    // unlink only, which leave the mapped file as it is; a staged file only grows, and
    // callers read only what has been written (`Staged` has no way to shrink it).
    unsafe { options.map(file) }
}
