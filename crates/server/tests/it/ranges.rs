//! HEAD, ranges and their conditions, which hold for whatever has a tag.

use index::{Open, Part};

use crate::client::{Client, Reply};
use crate::site::Site;
use crate::source::stored;

const FILE: &str = "x/foo-1.0-py3-none-any.whl";

/// Asks for parts of one representation in every way.
async fn parts_hold(client: &mut Client, path: &str, form: &[(&str, &str)]) {
    let whole = client.get(path, form).await;
    assert_eq!(whole.status, 200, "{path}");
    assert_eq!(whole.header("accept-ranges"), Some("bytes"), "{path}");
    let len = whole.body.len();
    let last = len - 1;
    for (range, want) in [
        ("bytes=0-0".to_owned(), 0..1),
        ("bytes=1-7".to_owned(), 1..8),
        ("bytes=5-".to_owned(), 5..len),
        ("bytes=-4".to_owned(), len - 4..len),
        (format!("bytes={last}-{len}"), last..len),
    ] {
        let part = ask(client, path, form, &[("Range", &range)]).await;
        let said = format!("bytes {}-{}/{len}", want.start, want.end - 1);
        assert_eq!(part.status, 206, "{path} {range}");
        assert_eq!(part.header("content-range"), Some(said.as_str()));
        assert_eq!(
            part.header("content-length").unwrap(),
            want.len().to_string()
        );
        assert!(part.body == whole.body[want], "{path} {range}");
        is_of(&part, &whole);
    }
    for several in ["bytes=0-1,5-6", "bytes=0-0, -1", "lines=1-2", "bytes=5-1"] {
        let all = ask(client, path, form, &[("Range", several)]).await;
        assert_eq!(all.status, 200, "{path} {several}");
        assert!(all.body == whole.body && all.header("content-range").is_none());
    }
    for beyond in [format!("bytes={len}-"), "bytes=-0".to_owned()] {
        let none = ask(client, path, form, &[("Range", &beyond)]).await;
        let said = format!("bytes */{len}");
        assert_eq!(none.status, 416, "{path} {beyond}");
        assert_eq!(none.header("content-range"), Some(said.as_str()));
        assert!(none.reason.ends_with("is outside of it"), "{}", none.reason);
    }
    conditions_hold(client, path, form, &whole).await;
}

/// A part, its condition, and HEAD, which has no parts.
async fn conditions_hold(client: &mut Client, path: &str, form: &[(&str, &str)], whole: &Reply) {
    let tag = whole.header("etag").unwrap();
    let weak = format!("W/{tag}");
    for (held, status) in [(tag, 206), (&weak, 200), ("\"other\"", 200)] {
        let asked = [("Range", "bytes=2-4"), ("If-Range", held)];
        let reply = ask(client, path, form, &asked).await;
        assert_eq!(reply.status, status, "{path} {held}");
        let want = if status == 206 {
            2..5
        } else {
            0..whole.body.len()
        };
        assert!(reply.body == whole.body[want], "{path} {held}");
    }
    let known = [("Range", "bytes=2-4"), ("If-None-Match", tag)];
    assert_eq!(ask(client, path, form, &known).await.status, 304);
    let changed = [("Range", "bytes=2-4"), ("If-None-Match", "\"other\"")];
    assert_eq!(ask(client, path, form, &changed).await.status, 206);
    for range in ["bytes=2-4", "bytes=99999999-"] {
        let head = client
            .head(path, &[form, &[("Range", range)]].concat())
            .await;
        assert_eq!(head.status, 200, "{path} HEAD {range}");
        let len = whole.body.len().to_string();
        assert_eq!(head.header("content-length"), Some(len.as_str()));
        assert_eq!(head.header("content-range"), None);
        is_of(&head, whole);
    }
}

async fn ask(
    client: &mut Client,
    path: &str,
    form: &[(&str, &str)],
    more: &[(&str, &str)],
) -> Reply {
    client.get(path, &[form, more].concat()).await
}

/// Whether this is about the same bytes as the whole.
fn is_of(reply: &Reply, whole: &Reply) {
    for name in [
        "etag",
        "vary",
        "content-type",
        "content-encoding",
        "cache-control",
    ] {
        assert_eq!(reply.header(name), whole.header(name), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_a_page_is_one_of_the_form_that_was_asked_for() {
    let site = Site::start().await;
    site.source.fresh("foo", 20);
    let mut client = site.client().await;
    for accept in [
        "application/vnd.pypi.simple.v1+json",
        "application/vnd.pypi.simple.v1+html",
        "text/html",
    ] {
        for coding in ["identity", "gzip", "zstd"] {
            let form = [("Accept", accept), ("Accept-Encoding", coding)];
            parts_hold(&mut client, "/simple/foo/", &form).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cold_page_gives_its_parts_too() {
    let site = Site::start().await;
    site.source.fresh("foo", 20);
    site.source.fresh("bar", 20);
    let mut client = site.client().await;
    let part = client.get("/simple/foo/", &[("Range", "bytes=0-14")]).await;
    assert_eq!((part.status, part.text()), (206, "<!DOCTYPE html>"));
    let none = client
        .get("/simple/bar/", &[("Range", "bytes=999999-")])
        .await;
    assert_eq!(none.status, 416);
    assert!(
        none.reason.starts_with("the page of `bar` has "),
        "{}",
        none.reason
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn files_and_what_stands_beside_them_give_their_parts() {
    let site = Site::start().await;
    for (part, content_type) in [
        (Part::File, "application/octet-stream"),
        (Part::Metadata, "text/plain; charset=utf-8"),
        (Part::Provenance, "application/vnd.pypi.integrity.v1+json"),
    ] {
        let bytes = format!("{part:?}, which is long enough to be cut");
        let open = Open {
            content_type,
            ..stored(&site.blobs, "foo-1.0-py3-none-any.whl", bytes.as_bytes())
        };
        site.source.file(FILE, part, Ok(open));
    }
    let mut client = site.client().await;
    for suffix in ["", ".metadata", ".provenance"] {
        parts_hold(&mut client, &format!("/+f/{FILE}{suffix}"), &[]).await;
    }
}

// Its length is known at its end only: who asks for a part is given all of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_listing_says_that_it_has_no_parts() {
    let site = Site::start().await;
    *site.source.names.lock().unwrap() = vec!["bar".into(), "foo".into()];
    let mut client = site.client().await;
    let whole = client.get("/simple/", &[]).await;
    let tag = whole.header("etag").unwrap().to_owned();
    let part = [("Range", "bytes=0-4"), ("If-Range", tag.as_str())];
    for reply in [
        client.get("/simple/", &part).await,
        client.get("/simple/", &[("Range", "bytes=99999-")]).await,
    ] {
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("accept-ranges"), Some("none"));
        assert_eq!(reply.header("content-range"), None);
        assert!(reply.body == whole.body);
    }
    let head = client.head("/simple/", &part).await;
    assert_eq!((head.status, head.header("etag")), (200, Some(&*tag)));
}
