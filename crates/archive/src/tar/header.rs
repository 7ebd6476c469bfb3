//! The 512 bytes before each entry of a tar file.

use crate::refused::Refused;

pub(super) const BLOCK: usize = 512;

/// What a header says, without what stands for longer values.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) name: Vec<u8>,
    pub(super) link: Vec<u8>,
    pub(super) size: u64,
    pub(super) kind: u8,
}

impl Header {
    pub(super) fn read(block: &[u8; BLOCK]) -> Result<Self, Refused> {
        let stated = number(&block[148..156]);
        if !stated.is_some_and(|stated| is_sum(block, stated)) {
            return Err(Refused::NotA("tar file"));
        }
        let size = number(&block[124..136]);
        let mut name = text(&block[..100]).to_vec();
        // GNU tar keeps other things where POSIX has the start of a long name.
        if block[257..].starts_with(b"ustar\0") && block[345] != 0 {
            name = [text(&block[345..500]), b"/", &name].concat();
        }
        Ok(Self {
            name,
            link: text(&block[157..257]).to_vec(),
            size: size.ok_or(Refused::Damaged("an entry has no size"))?,
            kind: block[156],
        })
    }
}

/// The sum of all bytes, those of the sum itself as if they were spaces.
fn is_sum(block: &[u8; BLOCK], stated: u64) -> bool {
    let with_spaces = || {
        (0..BLOCK).map(|at| {
            if (148..156).contains(&at) {
                b' '
            } else {
                block[at]
            }
        })
    };
    let sum: u64 = with_spaces().map(u64::from).sum();
    // Sun's tar took bytes for signed numbers.
    let signed: i64 = with_spaces()
        .map(|byte| i64::from(byte.cast_signed()))
        .sum();
    stated == sum || i64::try_from(stated) == Ok(signed)
}

/// Up to the first NUL.
fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// Octal digits with spaces or NULs around them, or a binary number marked by the first bit.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        let (high, low) = field.split_at(field.len() - 8);
        let is_small = high.iter().skip(1).all(|byte| *byte == 0) && high.first() == Some(&0x80);
        let low = u64::from_be_bytes(low.try_into().expect("the last eight bytes"));
        return is_small.then_some(low);
    }
    let text = str::from_utf8(field).ok()?;
    let digits = text.trim_matches([' ', '\0']);
    if digits.is_empty() {
        return Some(0);
    }
    let is_octal = digits.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
    is_octal.then(|| u64::from_str_radix(digits, 8).ok())?
}
