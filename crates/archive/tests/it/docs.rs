//! Docs whose pages are read straight from the zip file.

use std::io::{self, Read};

use archive::{Docs, Limits};

use crate::forged::{self, Member};
use crate::make;

fn text(docs: &Docs, bytes: &[u8], path: &str) -> io::Result<String> {
    let mut text = String::new();
    docs.page(path)
        .unwrap()
        .contents(bytes)
        .read_to_string(&mut text)?;
    Ok(text)
}

#[test]
fn a_page_is_read_as_it_was_written() {
    let long = "page ".repeat(100_000);
    let bytes = make::zip(&[
        ("index.html", b"<h1>Foo</h1>"),
        ("api/", b""),
        ("api/foo.html", long.as_bytes()),
        ("empty", b""),
    ]);
    let docs = Docs::open(&bytes[..], &Limits::default()).unwrap();
    assert_eq!(
        docs.paths().collect::<Vec<_>>(),
        ["api/foo.html", "empty", "index.html"]
    );
    assert_eq!(text(&docs, &bytes, "index.html").unwrap(), "<h1>Foo</h1>");
    assert_eq!(text(&docs, &bytes, "api/foo.html").unwrap(), long);
    assert_eq!(text(&docs, &bytes, "empty").unwrap(), "");
    assert_eq!(docs.page("api/foo.html").unwrap().len(), long.len() as u64);
    for path in [
        "",
        "api",
        "api/",
        "/index.html",
        "api/../index.html",
        "other",
    ] {
        assert!(docs.page(path).is_none(), "{path}");
    }
}

#[test]
fn a_page_that_is_not_what_the_list_promises_ends_in_an_error() {
    let deflated = |content: &[u8], size: u32| {
        let member = Member::new("a", content).but(|m| {
            m.method = 8;
            m.size = size;
            m.local_size = size;
        });
        forged::zip(&[member])
    };
    // "aaaa" in a stored block of deflate.
    let block = b"\x01\x04\x00\xfb\xffaaaa";
    for (content, size) in [
        (&block[..], 4),
        (block, 3),
        (block, 5),
        (&block[..7], 4),
        (b"\xff", 4),
    ] {
        // The checksum is that of the packed bytes, so even the right length is wrong.
        let bytes = deflated(content, size);
        let docs = Docs::open(&bytes[..], &Limits::default()).unwrap();
        let error = text(&docs, &bytes, "a").unwrap_err();
        assert!(
            matches!(
                error.kind(),
                io::ErrorKind::InvalidData
                    | io::ErrorKind::InvalidInput
                    | io::ErrorKind::UnexpectedEof
            ),
            "{error:?}"
        );
    }
}
