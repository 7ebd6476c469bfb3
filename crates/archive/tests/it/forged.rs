//! Zip files byte by byte, in which every field can be a lie.

/// Unix, by version 2.0 of the format.
const MADE_BY_UNIX: u16 = 0x0314;

/// One entry, and what is said of it before its content and in the list.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) name: Vec<u8>,
    pub(crate) content: Vec<u8>,
    pub(crate) flags: u16,
    pub(crate) method: u16,
    pub(crate) crc: u32,
    pub(crate) size: u32,
    pub(crate) mode: u32,
    pub(crate) extra: Vec<u8>,
    pub(crate) local_name: Vec<u8>,
    pub(crate) local_size: u32,
    pub(crate) local_flags: u16,
    /// Where the list says that it is, if that is a lie.
    pub(crate) at: Option<u32>,
    /// What follows the content.
    pub(crate) after: Vec<u8>,
}

impl Member {
    /// An honest one, stored as it is.
    pub(crate) fn new(name: &str, content: &[u8]) -> Self {
        let mut crc = flate2::Crc::new();
        crc.update(content);
        Self {
            name: name.into(),
            content: content.into(),
            flags: 0,
            method: 0,
            crc: crc.sum(),
            size: content.len() as u32,
            mode: 0o100_644,
            extra: Vec::new(),
            local_name: name.into(),
            local_size: content.len() as u32,
            local_flags: 0,
            at: None,
            after: Vec::new(),
        }
    }

    pub(crate) fn but(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn local(&self, out: &mut Vec<u8>) {
        out.extend(b"PK\x03\x04");
        numbers(out, &[20, self.local_flags, self.method, 0, 0]);
        for long in [self.crc, self.content.len() as u32, self.local_size] {
            out.extend(long.to_le_bytes());
        }
        numbers(out, &[self.local_name.len() as u16, 0]);
        out.extend(&self.local_name);
        out.extend(&self.content);
        out.extend(&self.after);
    }

    fn central(&self, at: u32, out: &mut Vec<u8>) {
        out.extend(b"PK\x01\x02");
        numbers(out, &[MADE_BY_UNIX, 20, self.flags, self.method, 0, 0]);
        for long in [self.crc, self.content.len() as u32, self.size] {
            out.extend(long.to_le_bytes());
        }
        numbers(
            out,
            &[self.name.len() as u16, self.extra.len() as u16, 0, 0, 0],
        );
        for long in [self.mode << 16, self.at.unwrap_or(at)] {
            out.extend(long.to_le_bytes());
        }
        out.extend(&self.name);
        out.extend(&self.extra);
    }
}

fn numbers(out: &mut Vec<u8>, shorts: &[u16]) {
    for short in shorts {
        out.extend(short.to_le_bytes());
    }
}

pub(crate) fn zip(members: &[Member]) -> Vec<u8> {
    zip_between(b"", members, b"", members.len() as u16)
}

/// A zip file with something before its entries, something before its list, and a count.
pub(crate) fn zip_between(
    before: &[u8],
    members: &[Member],
    between: &[u8],
    count: u16,
) -> Vec<u8> {
    let mut out = before.to_vec();
    let mut list = Vec::new();
    for member in members {
        member.central(out.len() as u32, &mut list);
        member.local(&mut out);
    }
    out.extend(between);
    let at = out.len() as u32;
    out.extend(&list);
    out.extend(b"PK\x05\x06");
    numbers(&mut out, &[0, 0, count, count]);
    for long in [list.len() as u32, at] {
        out.extend(long.to_le_bytes());
    }
    numbers(&mut out, &[0]);
    out
}
