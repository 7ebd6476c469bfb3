//! How much of an archive is put up with.

/// How much of an archive is put up with.
///
/// The defaults let a wheel of 5 GB with 100,000 entries through, and nothing that a
/// machine would choke on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Files and folders.
    pub entries: u64,
    /// Bytes of all entries when unpacked.
    pub unpacked: u64,
    /// How many times as large the archive may get when unpacked…
    pub ratio: u64,
    /// …if it gets larger than so many bytes: a few pages of zeros harm nobody.
    pub ratio_above: u64,
    /// Bytes of METADATA or PKG-INFO.
    pub metadata: u64,
    /// Bytes of the central directory of a zip file, all names included.
    pub directory: u64,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: u64 = 1 << 20;
        Self {
            entries: 250_000,
            unpacked: 64 * 1024 * MIB,
            ratio: 200,
            ratio_above: 64 * MIB,
            metadata: 16 * MIB,
            directory: 64 * MIB,
        }
    }
}

/// What an archive has come to so far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tally {
    limits: Limits,
    /// Bytes of the archive itself.
    packed: u64,
    pub(crate) entries: u64,
    pub(crate) unpacked: u64,
}

impl Tally {
    pub(crate) fn new(limits: &Limits, packed: u64) -> Self {
        Self {
            limits: *limits,
            packed,
            entries: 0,
            unpacked: 0,
        }
    }

    pub(crate) fn entry(&mut self) -> Result<(), Refused> {
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(Refused::TooManyEntries(self.limits.entries));
        }
        Ok(())
    }

    pub(crate) fn bytes(&mut self, bytes: u64) -> Result<(), Refused> {
        self.unpacked = self.unpacked.saturating_add(bytes);
        if self.unpacked > self.limits.unpacked {
            return Err(Refused::TooLarge(self.limits.unpacked));
        }
        let bound = self.packed.saturating_mul(self.limits.ratio);
        if self.unpacked > bound.max(self.limits.ratio_above) {
            return Err(Refused::Bomb(self.limits.ratio));
        }
        Ok(())
    }
}

use crate::Refused;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_stops_at_each_limit() {
        let limits = Limits {
            entries: 2,
            unpacked: 1000,
            ratio: 10,
            ratio_above: 100,
            ..Limits::default()
        };
        let mut tally = Tally::new(&limits, 5);
        assert_eq!((tally.entry(), tally.entry()), (Ok(()), Ok(())));
        assert_eq!(tally.entry(), Err(Refused::TooManyEntries(2)));
        assert_eq!(tally.bytes(100), Ok(()));
        assert_eq!(tally.bytes(1), Err(Refused::Bomb(10)));
        let mut tally = Tally::new(&limits, 5000);
        assert_eq!(tally.bytes(1000), Ok(()));
        assert_eq!(tally.bytes(1), Err(Refused::TooLarge(1000)));
        assert_eq!(tally.bytes(u64::MAX), Err(Refused::TooLarge(1000)));
    }
}
