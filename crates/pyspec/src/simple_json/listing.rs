//! An array of JSON with an upper limit.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error as _, SeqAccess, Visitor};

/// An array of at most `MAX` entries, so that a small body of `[{},{},…` does
/// not become a large list.
pub(super) struct Listing<T, const MAX: usize>(pub(super) Vec<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for Listing<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ListingVisitor(PhantomData))
    }
}

struct ListingVisitor<T, const MAX: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for ListingVisitor<T, MAX> {
    type Value = Listing<T, MAX>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = seq.next_element()? {
            if entries.len() == MAX {
                return Err(A::Error::custom(format_args!("more than {MAX} entries")));
            }
            entries.push(entry);
        }
        Ok(Listing(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_ends_somewhere() {
        assert_eq!(
            serde_json::from_str::<Listing<u8, 2>>("[1,2]").unwrap().0,
            [1, 2]
        );
        let error = serde_json::from_str::<Listing<u8, 2>>("[1,2,3]")
            .err()
            .unwrap();
        insta::assert_snapshot!(error, @"more than 2 entries at line 1 column 7");
    }
}
