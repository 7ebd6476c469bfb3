//! What the list at the end of a zip file says of one entry.

use std::io::Read;

use super::fields::{Extra, Record};
use crate::refused::{Error, Refused, Shown};

/// One line of the list.
#[derive(Debug)]
pub(super) struct Central {
    pub(super) name: Vec<u8>,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc: u32,
    pub(super) compressed: u64,
    pub(super) size: u64,
    pub(super) local_at: u64,
    /// Type bits of Unix, 0 where none are given.
    pub(super) kind: u32,
}

const SIGNATURE: &[u8] = b"PK\x01\x02";
const LEN: usize = 46;
/// Systems whose entries have the mode of Unix: Unix itself and macOS.
const UNIX: [u8; 2] = [3, 19];

/// The entry is encrypted.
const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;
/// The entry is a patch of another.
const PATCH: u16 = 1 << 5;
/// Checksum and sizes follow the content.
pub(super) const DESCRIPTOR: u16 = 1 << 3;

impl Central {
    pub(super) fn read(from: &mut impl Read) -> Result<Self, Error> {
        let failed = |error| Error::reading(error, "the list of its entries cannot be read");
        let mut bytes = [0; LEN];
        from.read_exact(&mut bytes).map_err(failed)?;
        if !bytes.starts_with(SIGNATURE) {
            return Err(Refused::Damaged("the list of its entries is broken").into());
        }
        let record = Record(&bytes);
        let mut more = vec![
            0;
            [28, 30, 32]
                .map(|at| usize::from(record.u16(at)))
                .iter()
                .sum()
        ];
        from.read_exact(&mut more).map_err(failed)?;
        let (name, rest) = more.split_at(usize::from(record.u16(28)));
        let extra = Extra::read(&rest[..usize::from(record.u16(30))])?;
        let narrow = [record.u32(24), record.u32(20), record.u32(42)];
        let [size, compressed, local_at] = extra.widen(narrow)?;
        let is_unix = UNIX.contains(&bytes[5]);
        let central = Self {
            flags: record.u16(8),
            method: record.u16(10),
            crc: record.u32(16),
            compressed,
            size,
            local_at,
            kind: if is_unix {
                record.u32(38) >> 16 & 0o170_000
            } else {
                0
            },
            name: name.to_vec(),
        };
        central.check(&extra, record.u16(34))?;
        Ok(central)
    }

    fn check(&self, extra: &Extra<'_>, part: u16) -> Result<(), Refused> {
        let entry = || Shown::of_bytes(&self.name);
        let damaged = |why| {
            Err(Refused::DamagedEntry {
                entry: entry(),
                why,
            })
        };
        let is = |what| {
            Err(Refused::Kind {
                entry: entry(),
                what,
            })
        };
        if self.flags & ENCRYPTED != 0 {
            return Err(Refused::Encrypted(entry()));
        }
        match self.kind {
            0 | 0o100_000 | 0o040_000 => {}
            0o120_000 => return is("a link"),
            _ => return is("a device"),
        }
        if part != 0 || self.flags & PATCH != 0 {
            return damaged("it is only a part");
        }
        if extra.renames(&self.name) {
            return damaged("it has two names");
        }
        if !matches!(self.method, 0 | 8) {
            let method = self.method;
            return Err(Refused::Method {
                entry: entry(),
                method,
            });
        }
        if self.method == 0 && self.compressed != self.size {
            return damaged("its sizes disagree");
        }
        Ok(())
    }
}
