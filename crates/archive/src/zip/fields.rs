//! Numbers and extra fields, as zip files write them.

use crate::refused::Refused;

/// Little-endian numbers at known places of a record of fixed length.
pub(super) struct Record<'a>(pub(super) &'a [u8]);

impl Record<'_> {
    pub(super) fn u16(&self, at: usize) -> u16 {
        u16::from_le_bytes(self.array(at))
    }

    pub(super) fn u32(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.array(at))
    }

    pub(super) fn u64(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.array(at))
    }

    fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        let bytes = &self.0[at..at + N];
        bytes.try_into().expect("the slice has this length")
    }
}

/// What stands in the extra field of an entry, as far as we read it.
#[derive(Debug, Default)]
pub(super) struct Extra<'a> {
    /// Sizes and offset that did not fit.
    pub(super) zip64: Option<&'a [u8]>,
    /// Another spelling of the name, which some readers prefer.
    pub(super) unicode_path: Option<&'a [u8]>,
}

const ZIP64: u16 = 0x0001;
const UNICODE_PATH: u16 = 0x7075;

impl<'a> Extra<'a> {
    pub(super) fn read(mut bytes: &'a [u8]) -> Result<Self, Refused> {
        const BROKEN: Refused = Refused::Damaged("an extra field is broken");
        let mut extra = Self::default();
        // A few zeros at the end align what follows.
        while bytes.len() >= 4 {
            let record = Record(bytes);
            let (id, len) = (record.u16(0), usize::from(record.u16(2)));
            let value = bytes.get(4..4 + len).ok_or(BROKEN)?;
            bytes = &bytes[4 + len..];
            let place = match id {
                ZIP64 => &mut extra.zip64,
                UNICODE_PATH => &mut extra.unicode_path,
                _ => continue,
            };
            if place.replace(value).is_some() {
                return Err(BROKEN);
            }
        }
        Ok(extra)
    }

    /// Fills in, one after the other, the numbers that are too large for their own places.
    pub(super) fn widen<const N: usize>(&self, narrow: [u32; N]) -> Result<[u64; N], Refused> {
        let mut rest = self.zip64.unwrap_or_default();
        let mut wide = [0; N];
        for (wide, narrow) in wide.iter_mut().zip(narrow) {
            *wide = narrow.into();
            if narrow == u32::MAX && self.zip64.is_some() {
                let missing = Refused::Damaged("a large number is missing");
                let value;
                (value, rest) = rest.split_at_checked(8).ok_or(missing)?;
                *wide = Record(value).u64(0);
            }
        }
        Ok(wide)
    }

    /// Whether a reader that prefers the other spelling sees another name.
    pub(super) fn renames(&self, name: &[u8]) -> bool {
        // A version byte and a checksum stand before it.
        self.unicode_path
            .is_some_and(|field| field.get(5..) != Some(name))
    }
}
