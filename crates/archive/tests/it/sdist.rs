//! Sdists.

use archive::{Limits, Refused};

use crate::make::{METADATA, gzip, open_sdist, tar, zip};

const SDIST: &str = "foo_bar-1.0.tar.gz";
const GOOD: [(&str, &[u8]); 2] = [
    ("foo_bar-1.0/setup.py", b"import setuptools\n"),
    ("foo_bar-1.0/PKG-INFO", METADATA),
];

fn why(filename: &str, members: &[(&str, &[u8])]) -> String {
    let bytes = if filename.ends_with("zip") {
        zip(members)
    } else {
        gzip(&tar(members))
    };
    match open_sdist(filename, &bytes) {
        Ok(opened) => format!(
            "{} {}",
            opened.metadata.project(),
            opened.metadata.version()
        ),
        Err(refused) => refused.to_string(),
    }
}

#[test]
fn an_sdist_gives_its_metadata() {
    for filename in [SDIST, "foo_bar-1.0.tgz", "Foo.Bar-1.0.0.zip"] {
        assert_eq!(why(filename, &GOOD), "foo-bar 1.0");
    }
    let opened = open_sdist(SDIST, &gzip(&tar(&GOOD))).unwrap();
    assert_eq!(opened.metadata_bytes, METADATA);
    assert_eq!(opened.entries, 2);
}

#[test]
fn an_sdist_of_an_old_kind_is_not_opened() {
    for filename in ["foo-1.0.tar.bz2", "foo-1.0.tar.xz", "foo-1.0.tar"] {
        let outcome = archive::sdist(&b""[..], &filename.parse().unwrap(), &Limits::default());
        assert!(outcome.unwrap().is_none());
    }
}

#[test]
fn both_kinds_of_archive_must_be_in_one_folder_with_its_metadata() {
    for filename in [SDIST, "foo_bar-1.0.zip"] {
        for (members, said) in [
            (&[][..], "it has no `PKG-INFO`"),
            (&GOOD[..1], "it has no `foo_bar-1.0/PKG-INFO`"),
            (
                &[("foo_bar-1.0/src/foo.egg-info/PKG-INFO", METADATA)],
                "it has no `foo_bar-1.0/PKG-INFO`, but `foo_bar-1.0/src/foo.egg-info/PKG-INFO`",
            ),
            (
                &[("PKG-INFO", METADATA)],
                "its entry `PKG-INFO` is in no folder",
            ),
            (
                &[GOOD[0], GOOD[1], ("other/a", b"")],
                "its entries are not all in one folder: `other/a` is not in `foo_bar-1.0`",
            ),
            (
                &[("foo/PKG-INFO", METADATA)],
                "its folder `foo` is not named for foo-bar 1.0",
            ),
            (
                &[("foo_bar-1.1/PKG-INFO", METADATA)],
                "its folder `foo_bar-1.1` is not named for foo-bar 1.0",
            ),
            (
                &[("foo_bar-1.0/", b""), ("foo_bar-1.0/PKG-INFO", METADATA)],
                "foo-bar 1.0",
            ),
        ] {
            assert_eq!(why(filename, members), said, "{filename}");
        }
    }
}

#[test]
fn an_sdist_is_what_its_name_says() {
    for (filename, said) in [
        (
            "foo_bar-1.1.tar.gz",
            "its name is that of version 1.1, but its metadata says 1.0",
        ),
        (
            "foo-1.0.tar.gz",
            "its name is that of project `foo`, but its metadata says foo-bar",
        ),
        ("foo.tar.gz", "its name does not tell project and version"),
        ("foo-bar-1.0.tar.gz", "foo-bar 1.0"),
    ] {
        assert_eq!(why(filename, &GOOD), said);
    }
    // Whatever the name could mean, one reading must be that of the metadata.
    let metadata = b"Name: a\nVersion: 1.post1\n";
    assert_eq!(
        why("a-1-1.tar.gz", &[("a-1-1/PKG-INFO", metadata)]),
        "a 1.post1"
    );
    let metadata = b"Name: a-1\nVersion: 1\n";
    assert_eq!(
        why("a-1-1.tar.gz", &[("a-1-1/PKG-INFO", metadata)]),
        "a-1 1"
    );
}

#[test]
fn what_is_no_gzip_and_what_ends_too_soon_is_refused() {
    let whole = gzip(&tar(&GOOD));
    for (bytes, said) in [
        (&b""[..], "it ends too soon"),
        (b"hello, world", "it is damaged: it cannot be unpacked"),
        (&whole[..whole.len() / 2], "it ends too soon"),
        (&gzip(b"hello, world"), "it ends too soon"),
        (&gzip(&[b'a'; 512]), "it is not a tar file"),
    ] {
        assert_eq!(open_sdist(SDIST, bytes).unwrap_err().to_string(), said);
    }
    let mut flipped = whole.clone();
    flipped[30] ^= 0xff;
    assert!(open_sdist(SDIST, &flipped).is_err());
}

#[test]
fn a_bomb_is_left_unpacked() {
    let zeros = vec![0; 70 << 20];
    let bytes = gzip(&tar(&[("foo_bar-1.0/zeros", &zeros)]));
    assert_eq!(open_sdist(SDIST, &bytes).unwrap_err(), Refused::Bomb(200));
    let limits = Limits {
        entries: 1,
        ..Limits::default()
    };
    let outcome = archive::sdist(&gzip(&tar(&GOOD))[..], &SDIST.parse().unwrap(), &limits);
    assert_eq!(
        crate::make::refused(outcome).unwrap_err(),
        Refused::TooManyEntries(1)
    );
    let limits = Limits {
        metadata: 10,
        ..Limits::default()
    };
    let outcome = archive::sdist(&gzip(&tar(&GOOD))[..], &SDIST.parse().unwrap(), &limits);
    let too_large = Refused::MetadataTooLarge {
        file: "PKG-INFO",
        limit: 10,
    };
    assert_eq!(crate::make::refused(outcome).unwrap_err(), too_large);
}
