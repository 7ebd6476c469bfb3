//! Tar files that lie, each inside an sdist that is good otherwise.

use archive::Refused;
use tar::{EntryType, Header};

use crate::make::{METADATA, gzip, open_sdist};

/// One entry, byte by byte.
struct Member {
    name: Vec<u8>,
    kind: u8,
    link: &'static str,
    content: Vec<u8>,
    /// If it is not that of the content.
    size: Option<u64>,
}

fn member(name: &str, kind: EntryType, link: &'static str, content: &[u8]) -> Member {
    Member {
        name: name.into(),
        kind: kind.as_byte(),
        link,
        content: content.into(),
        size: None,
    }
}

fn file(name: &str) -> Member {
    member(name, EntryType::Regular, "", b"content")
}

fn symlink(name: &str, target: &'static str) -> Member {
    member(name, EntryType::Symlink, target, b"")
}

fn extension(kind: u8, value: &[u8]) -> Member {
    Member {
        kind,
        ..member("././@LongLink", EntryType::Regular, "", value)
    }
}

fn record(key: &str, value: &str) -> Vec<u8> {
    let rest = format!(" {key}={value}\n");
    let mut len = rest.len() + 1;
    while len != rest.len() + len.to_string().len() {
        len += 1;
    }
    format!("{len}{rest}").into_bytes()
}

fn tar(members: &[Member]) -> Vec<u8> {
    let mut out = Vec::new();
    for member in members {
        let mut header = Header::new_old();
        let bytes = header.as_mut_bytes();
        bytes[..member.name.len()].copy_from_slice(&member.name);
        bytes[157..157 + member.link.len()].copy_from_slice(member.link.as_bytes());
        bytes[156] = member.kind;
        header.set_size(member.size.unwrap_or(member.content.len() as u64));
        header.set_cksum();
        out.extend(header.as_bytes());
        out.extend(&member.content);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.extend([0; 1024]);
    out
}

fn open(mut members: Vec<Member>) -> Result<u64, Refused> {
    let info = member(
        "top-1/PKG-INFO",
        EntryType::Regular,
        "",
        b"Name: top\nVersion: 1\n",
    );
    members.insert(0, info);
    open_sdist("top-1.tar.gz", &gzip(&tar(&members))).map(|opened| opened.entries)
}

fn why(members: Vec<Member>) -> String {
    open(members).map_or_else(
        |refused| refused.to_string(),
        |entries| format!("{entries} entries"),
    )
}

#[test]
fn a_plain_tar_file_is_opened() {
    let folder = || member("./top-1/a/", EntryType::Directory, "", b"");
    assert_eq!(
        why(vec![folder(), folder(), file("top-1/a/b")]),
        "4 entries"
    );
    let own = member("./", EntryType::Directory, "", b"");
    assert_eq!(why(vec![own, file("./top-1//b")]), "3 entries");
}

#[test]
fn entries_that_lead_elsewhere_are_refused() {
    for (name, refused) in [
        (
            "top-1/../../a",
            "its entry `top-1/../../a` leads out of its folder",
        ),
        ("/top-1/a", "its entry `/top-1/a` has an absolute path"),
        (
            "top-1\\a",
            "its entry `top-1\\\\a` has a backslash in its name",
        ),
        (
            "c:top-1/a",
            "its entry `c:top-1/a` begins with a drive letter",
        ),
        ("", "its entry `` has no name"),
    ] {
        assert_eq!(why(vec![file(name)]), refused);
    }
    let latin = Member {
        name: b"top-1/\xe9".to_vec(),
        ..file("")
    };
    assert_eq!(
        why(vec![latin]),
        "its entry `top-1/\\xe9` has a name that is not UTF-8"
    );
}

#[test]
fn links_stay_inside() {
    assert_eq!(
        why(vec![file("top-1/d/b"), symlink("top-1/d/a", "../d/b")]),
        "3 entries"
    );
    for target in ["/etc/passwd", "../../etc", "d/../../..", ""] {
        assert_eq!(
            why(vec![symlink("top-1/a", target)]),
            "its entry `top-1/a` is a link that may lead out of its folder",
            "{target}"
        );
    }
    assert_eq!(
        why(vec![symlink("top-1/a", "b"), file("top-1/a/c")]),
        "its entry `top-1/a/c` lies behind a link"
    );
    let hard = |target| member("top-1/h", EntryType::Link, target, b"");
    assert_eq!(why(vec![hard("top-1/PKG-INFO")]), "2 entries");
    for target in ["top-1/later", "/etc/passwd", "../PKG-INFO"] {
        assert!(
            why(vec![hard(target)]).starts_with("its entry `"),
            "{target}"
        );
    }
    assert_eq!(
        why(vec![symlink("top-1/s", "b"), hard("top-1/s")]),
        "its entry `top-1/h` is a link to a file that did not come before it"
    );
}

#[test]
fn devices_and_strangers_are_refused() {
    for (kind, what) in [
        (b'3', "a device"),
        (b'4', "a device"),
        (b'6', "a device"),
        (b'S', "a sparse file"),
        (b'V', "of a kind that nobody knows"),
    ] {
        let odd = Member {
            kind,
            ..member("top-1/a", EntryType::Regular, "", b"")
        };
        assert_eq!(why(vec![odd]), format!("its entry `top-1/a` is {what}"));
    }
    let full = member("top-1/a", EntryType::Directory, "", b"content");
    assert_eq!(
        why(vec![full]),
        "its entry `top-1/a` is damaged: it has content though it is no file"
    );
}

#[test]
fn two_entries_of_one_name_are_refused() {
    for members in [
        vec![file("top-1/a"), file("top-1/a")],
        vec![file("top-1/a"), file("./top-1/a")],
        vec![
            file("top-1/a"),
            member("top-1/a", EntryType::Directory, "", b""),
        ],
        vec![
            member("top-1/a", EntryType::Directory, "", b""),
            file("top-1/a"),
        ],
        vec![symlink("top-1/a", "b"), file("top-1/a")],
    ] {
        assert_eq!(why(members), "it has two entries `top-1/a`");
    }
}

#[test]
fn what_is_too_long_for_a_header_is_read_in_either_way() {
    let long = format!("top-1/{}", "a/".repeat(100));
    let gnu = extension(b'L', format!("{long}b\0").as_bytes());
    assert_eq!(why(vec![gnu, file("cut")]), "2 entries");
    let posix = extension(
        b'x',
        &[record("path", &format!("{long}b")), record("mtime", "1.5")].concat(),
    );
    assert_eq!(why(vec![posix, file("cut")]), "2 entries");
    let global = extension(b'g', &record("comment", "a git commit"));
    assert_eq!(why(vec![global, file("top-1/a")]), "2 entries");
    // Made by a library, with prefix and name.
    let name = format!("top-1/{}b", "directory/".repeat(12));
    let bytes = crate::make::tar(&[("top-1/PKG-INFO", b"Name: top\nVersion: 1\n"), (&name, b"")]);
    assert_eq!(
        open_sdist("top-1.tar.gz", &gzip(&bytes)).unwrap().entries,
        2
    );
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    let path = |name| extension(b'x', &record("path", name));
    for (members, refused) in [
        (
            vec![path("../a"), file("top-1/a")],
            "its entry `../a` leads out of its folder",
        ),
        (
            vec![
                path("top-1/a"),
                extension(b'L', b"top-1/b\0"),
                file("top-1/c"),
            ],
            "it is damaged: an entry has two names",
        ),
        (
            vec![extension(b'x', &record("size", "0")), file("top-1/a")],
            "it is damaged: an entry has two sizes",
        ),
        (
            vec![extension(b'g', &record("path", "top-1/x")), file("top-1/a")],
            "it is damaged: it names all its entries at once",
        ),
        (
            vec![extension(b'x', b"99999999 path=a\n"), file("top-1/a")],
            "it is damaged: what it says of an entry is broken",
        ),
        (
            vec![extension(b'x', &record("size", "many")), file("top-1/a")],
            "it is damaged: what it says of an entry is broken",
        ),
        (
            vec![
                extension(b'x', &record("GNU.sparse.major", "1")),
                file("top-1/a"),
            ],
            "its entry `` is a sparse file",
        ),
        (vec![path("top-1/a")], "it ends too soon"),
        (
            vec![Member {
                size: Some(2 << 20),
                ..extension(b'L', b"")
            }],
            "it is damaged: a name in it is too long",
        ),
        (
            vec![Member {
                size: Some(u64::MAX),
                ..file("top-1/a")
            }],
            "it ends too soon",
        ),
        (
            vec![Member {
                size: Some(1 << 20),
                ..file("top-1/a")
            }],
            "it ends too soon",
        ),
    ] {
        assert_eq!(why(members), refused);
    }
}

#[test]
fn a_broken_header_is_refused() {
    let good = tar(&[member("top-1/PKG-INFO", EntryType::Regular, "", METADATA)]);
    for at in [0, 124, 148, 156] {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        let refused = open_sdist("top-1.tar.gz", &gzip(&bytes)).unwrap_err();
        assert_eq!(refused, Refused::NotA("tar file"), "{at}");
    }
}
