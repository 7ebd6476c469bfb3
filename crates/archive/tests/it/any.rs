//! Any bytes at all, and good archives with a few bytes changed: an answer or a refusal.

use std::io::{self, Read};

use archive::{Docs, Limits};
use proptest::prelude::*;

use crate::make::{METADATA, WHEEL, gzip, tar, wheel_with, zip};

fn open_all(bytes: &[u8]) {
    let limits = Limits::default();
    let _ = archive::wheel(bytes, &WHEEL.parse().unwrap(), &limits);
    for name in ["foo_bar-1.0.tar.gz", "foo_bar-1.0.zip"] {
        let _ = archive::sdist(bytes, &name.parse().unwrap(), &limits);
    }
    let _ = archive::sdist(
        &gzip(bytes)[..],
        &"foo_bar-1.0.tar.gz".parse().unwrap(),
        &limits,
    );
    if let Ok(docs) = Docs::open(bytes, &limits) {
        for path in docs.paths() {
            let page = docs.page(path).unwrap();
            let mut contents = page.contents(bytes).take(1 << 20);
            if let Ok(read) = io::copy(&mut contents, &mut io::sink()) {
                assert_eq!(read, page.len().min(1 << 20));
            }
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_opened_or_refused(bytes: Vec<u8>) {
        open_all(&bytes);
    }

    #[test]
    fn a_changed_archive_is_opened_or_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut: Option<prop::sample::Index>,
        is_tar: bool,
    ) {
        let mut bytes = if is_tar {
            tar(&[("foo_bar-1.0/a", b"content"), ("foo_bar-1.0/PKG-INFO", METADATA)])
        } else {
            zip(&wheel_with(&[("foo_bar/data", &[b'a'; 200])]))
        };
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        open_all(&bytes);
    }

    #[test]
    fn pages_survive(pages in prop::collection::btree_map("[a-z]{1,8}", prop::collection::vec(any::<u8>(), 0..300), 0..6)) {
        let members: Vec<(&str, &[u8])> =
            pages.iter().map(|(name, body)| (name.as_str(), body.as_slice())).collect();
        let bytes = zip(&members);
        let docs = Docs::open(&bytes[..], &Limits::default()).unwrap();
        prop_assert_eq!(docs.len(), pages.len());
        for (name, body) in &pages {
            let mut read = Vec::new();
            docs.page(name).unwrap().contents(&bytes[..]).read_to_end(&mut read).unwrap();
            prop_assert_eq!(&read, body);
        }
    }
}
