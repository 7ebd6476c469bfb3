//! Zip files that lie. Docs are the least that a zip file can be, so they are opened here.

use archive::{Docs, Limits, Refused};

use crate::forged::{self, Member};
use crate::make;

fn open(bytes: &[u8]) -> Result<Docs, Refused> {
    make::refused(Docs::open(bytes, &Limits::default()))
}

fn why(bytes: &[u8]) -> String {
    open(bytes).map_or_else(
        |refused| refused.to_string(),
        |docs| format!("{} pages", docs.len()),
    )
}

fn a() -> Member {
    Member::new("a", b"aaaa")
}

#[test]
fn an_honest_zip_file_is_opened() {
    assert_eq!(
        why(&forged::zip(&[a(), Member::new("b/c", b"")])),
        "2 pages"
    );
    assert_eq!(
        why(&make::zip(&[("a", b"aa"), ("b/", b""), ("b/c", b"cc")])),
        "2 pages"
    );
    assert_eq!(why(&forged::zip(&[])), "0 pages");
}

#[test]
fn what_is_no_zip_file_is_refused() {
    let whole = forged::zip(&[a()]);
    for bytes in [
        &b""[..],
        b"PK",
        b"hello, world",
        &[0; 10_000],
        &whole[..whole.len() - 1],
    ] {
        assert_eq!(why(bytes), "it is not a zip file");
    }
    let followed = [&whole[..], b"more"].concat();
    assert_eq!(why(&followed), "it is damaged: something follows its end");
    let cut = [&whole[..10], &whole[14..]].concat();
    assert_eq!(why(&cut), "it is damaged: its end does not fit the rest");
}

#[test]
fn an_entry_that_is_said_to_be_two_things_is_refused() {
    let cases: [(Member, &str); 12] = [
        (
            a().but(|m| m.local_name = b"b".into()),
            "its entry `a` is damaged: it has two names",
        ),
        (
            a().but(|m| m.local_name = b"aa".into()),
            "its entry `a` is damaged: it has two names",
        ),
        (
            a().but(|m| m.local_size = 5),
            "its entry `a` is damaged: what stands before it is not what the list says",
        ),
        (
            a().but(|m| m.local_flags = 1 << 11),
            "its entry `a` is damaged: what stands before it is not what the list says",
        ),
        (
            a().but(|m| m.size = 5),
            "its entry `a` is damaged: its sizes disagree",
        ),
        (
            a().but(|m| m.at = Some(1)),
            "its entry `a` is damaged: it is not where the list says",
        ),
        (a().but(|m| m.at = Some(u32::MAX)), "it ends too soon"),
        (a().but(|m| m.flags = 1), "its entry `a` is encrypted"),
        (a().but(|m| m.flags = 1 << 6), "its entry `a` is encrypted"),
        (a().but(|m| m.mode = 0o120_777), "its entry `a` is a link"),
        (a().but(|m| m.mode = 0o060_644), "its entry `a` is a device"),
        (
            a().but(|m| m.method = 12),
            "its entry `a` is compressed by method 12; only 0 (stored) and 8 (deflate) are taken",
        ),
    ];
    for (member, refused) in cases {
        assert_eq!(why(&forged::zip(&[member])), refused);
    }
}

#[test]
fn an_extra_field_can_neither_rename_nor_break() {
    let field = |id: u16, value: &[u8]| {
        let mut field = id.to_le_bytes().to_vec();
        field.extend((value.len() as u16).to_le_bytes());
        field.extend(value);
        field
    };
    for (extra, said) in [
        (field(0x7075, b"\x01crc_a"), "1 pages"),
        (
            field(0x7075, b"\x01crc_b"),
            "its entry `a` is damaged: it has two names",
        ),
        (
            field(0x7075, b""),
            "its entry `a` is damaged: it has two names",
        ),
        (field(0x5455, b"time"), "1 pages"),
        (vec![0, 0], "1 pages"),
        (
            b"\x01\x00\xff\x00".to_vec(),
            "it is damaged: an extra field is broken",
        ),
        (
            [field(1, b""), field(1, b"")].concat(),
            "it is damaged: an extra field is broken",
        ),
    ] {
        assert_eq!(why(&forged::zip(&[a().but(|m| m.extra = extra)])), said);
    }
    let wide = a().but(|m| {
        m.size = u32::MAX;
        m.extra = field(1, b"");
    });
    assert_eq!(
        why(&forged::zip(&[wide])),
        "it is damaged: a large number is missing"
    );
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let named = |name: &[u8]| {
        forged::zip(&[a().but(|m| {
            m.name = name.into();
            m.local_name = name.into();
        })])
    };
    for (name, refused) in [
        (&b"../a"[..], "its entry `../a` leads out of its folder"),
        (
            b"/etc/passwd",
            "its entry `/etc/passwd` has an absolute path",
        ),
        (b"a\\b", "its entry `a\\\\b` has a backslash in its name"),
        (b"C:/a", "its entry `C:/a` begins with a drive letter"),
        (
            b"a\0",
            "its entry `a\\x00` has a control character in its name",
        ),
        (b"\xe9", "its entry `\\xe9` has a name that is not UTF-8"),
        (b"", "its entry `` has no name"),
        (
            b"./a",
            "its entry `./a` has a name that could be written shorter",
        ),
        (
            b"a//b",
            "its entry `a//b` has a name that could be written shorter",
        ),
        (
            b"a/",
            "its entry `a` is damaged: it is a folder with content",
        ),
    ] {
        assert_eq!(why(&named(name)), refused);
    }
}

#[test]
fn two_entries_of_one_name_are_refused() {
    assert_eq!(why(&forged::zip(&[a(), a()])), "it has two entries `a`");
    let folder = Member::new("a/", b"");
    assert_eq!(why(&forged::zip(&[a(), folder])), "it has two entries `a`");
    let below = Member::new("a/b", b"");
    assert_eq!(why(&forged::zip(&[below, a()])), "it has two entries `a`");
}

#[test]
fn nothing_lies_where_no_entry_is() {
    let b = Member::new("b", b"bbbb");
    let between = |before: &[u8], between: &[u8], count| {
        why(&forged::zip_between(
            before,
            &[a(), b.clone()],
            between,
            count,
        ))
    };
    assert_eq!(between(b"", b"", 2), "2 pages");
    assert_eq!(
        between(b"#!", b"", 2),
        "it is damaged: something stands before its first entry"
    );
    assert_eq!(
        between(b"", b"??", 2),
        "it is damaged: something stands between its entries"
    );
    assert_eq!(
        between(b"", b"", 1),
        "it is damaged: it has more entries than it says"
    );
    assert_eq!(between(b"", b"", 3), "it ends too soon");
    let gap = a().but(|m| m.after = vec![0; 16]);
    assert_eq!(
        why(&forged::zip(&[gap, b.clone()])),
        "it is damaged: something stands between its entries"
    );
    let descriptor = a().but(|m| {
        m.after = vec![0; 16];
        m.flags = 8;
        m.local_flags = 8;
        m.local_size = 0;
    });
    assert_eq!(why(&forged::zip(&[descriptor, b.clone()])), "2 pages");
    // The second entry within the first one's content.
    let inner = forged::zip(std::slice::from_ref(&b));
    let outer = Member::new("a", &inner[..35]);
    let twin = b.but(|m| {
        m.at = Some(31);
        m.content.clear();
        m.content.extend(b"bbbb");
    });
    let mut bytes = forged::zip(&[outer.clone(), twin.clone()]);
    assert!(open(&bytes).is_err());
    bytes = forged::zip(&[outer, twin]);
    assert_eq!(why(&bytes), "it is damaged: its entries overlap");
}

#[test]
fn bombs_are_refused_by_what_they_say_and_by_what_they_are() {
    let declared = |size: u32| {
        let member = a().but(|m| {
            m.method = 8;
            m.size = size;
            m.local_size = size;
        });
        why(&forged::zip(&[member]))
    };
    assert_eq!(declared(60 << 20), "1 pages");
    assert_eq!(
        declared(65 << 20),
        "it unpacks to more than 200 times its size"
    );
    let limits = Limits {
        entries: 1,
        ..Limits::default()
    };
    let two = forged::zip(&[a(), Member::new("b", b"")]);
    let refused = make::refused(Docs::open(&two[..], &limits)).unwrap_err();
    assert_eq!(refused.to_string(), "it has more than 1 entries");
    let limits = Limits {
        directory: 10,
        ..Limits::default()
    };
    let refused = make::refused(Docs::open(&two[..], &limits)).unwrap_err();
    assert_eq!(refused, Refused::DirectoryTooLarge(10));
}
