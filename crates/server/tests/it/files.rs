//! Stored files: whole, in part, or held by the client already.

use index::{Error, Open, Part};

use crate::site::Site;
use crate::source::stored;

const PATH: &str = "packages/ab/foo-1.0+cu128-py3-none-any.whl";
const URL: &str = "/root/pypi/+f/packages/ab/foo-1.0+cu128-py3-none-any.whl";
const FOREVER: Option<&str> = Some("public, max-age=31536000, immutable");

fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n % 251) as u8).collect()
}

async fn site(len: usize) -> Site {
    let site = Site::start().await;
    let open = stored(&site.blobs, "foo-1.0+cu128-py3-none-any.whl", &bytes(len));
    site.source.file(PATH, Part::File, Ok(open));
    site
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_sent_whole_however_large_and_however_spelled() {
    for len in [0, 1, 60_000, 70_000, 3 * 1024 * 1024 + 17] {
        let site = site(len).await;
        let mut client = site.client().await;
        for url in [
            URL.to_owned(),
            URL.replace('+', "%2B").replace("/%2Bf/", "/+f/"),
            URL.replace("/root/pypi", ""),
        ] {
            let reply = client.get(&url, &[("Accept-Encoding", "gzip")]).await;
            assert_eq!((reply.status, reply.complete), (200, true), "{url}");
            assert!(reply.body == bytes(len), "{len} bytes of {url}");
            assert_eq!(reply.header("content-length").unwrap(), len.to_string());
            assert_eq!(
                reply.header("content-type"),
                Some("application/octet-stream")
            );
            assert_eq!(reply.header("content-encoding"), None);
            assert_eq!(reply.header("accept-ranges"), Some("bytes"));
            assert_eq!(reply.header("cache-control"), FOREVER);
            assert_eq!(reply.header("etag"), Some("\"tag\""));
            assert_eq!(
                reply.header("last-modified"),
                Some("Tue, 02 Jan 2024 03:04:05 GMT")
            );
            assert_eq!(reply.header("x-pilothouse-cache"), Some("hit"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn head_on_a_file_has_its_length_and_no_body() {
    for len in [10, 2_000_000] {
        let site = site(len).await;
        let mut client = site.client().await;
        let head = client.head(URL, &[("Range", "bytes=0-1")]).await;
        assert_eq!(
            (head.status, head.header("content-length")),
            (200, Some(len.to_string().as_str()))
        );
        assert_eq!(client.get(URL, &[]).await.body.len(), len);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_range_is_served_and_several_are_not() {
    for len in [1000_usize, 2_000_000] {
        let site = site(len).await;
        let mut client = site.client().await;
        let all = bytes(len);
        let last = len - 1;
        for (range, want) in [
            ("bytes=0-0".to_owned(), 0..1),
            ("bytes=10-19".to_owned(), 10..20),
            (format!("bytes={last}-"), last..len),
            ("bytes=500-".to_owned(), 500..len),
            ("bytes=-16".to_owned(), len - 16..len),
            (format!("bytes=-{}", len + 5), 0..len),
            (format!("bytes=7-{}", len + 5), 7..len),
        ] {
            let reply = client.get(URL, &[("Range", &range)]).await;
            let content_range = format!("bytes {}-{}/{len}", want.start, want.end - 1);
            assert_eq!(
                (reply.status, reply.header("content-range")),
                (206, Some(content_range.as_str()))
            );
            assert_eq!(
                reply.header("content-length").unwrap(),
                want.len().to_string()
            );
            assert_eq!(
                (reply.header("etag"), reply.header("cache-control")),
                (Some("\"tag\""), FOREVER)
            );
            assert!(reply.body == all[want], "{range} of {len}");
        }
        for range in ["bytes=0-1,5-6", "bytes=5-1", "items=0-1", "bytes=x"] {
            let reply = client.get(URL, &[("Range", range)]).await;
            assert_eq!(
                (
                    reply.status,
                    reply.body.len(),
                    reply.header("content-range")
                ),
                (200, len, None),
                "{range}"
            );
        }
        for range in [format!("bytes={len}-"), "bytes=-0".to_owned()] {
            let reply = client.get(URL, &[("Range", &range)]).await;
            let content_range = format!("bytes */{len}");
            assert_eq!(
                (reply.status, reply.header("content-range")),
                (416, Some(content_range.as_str()))
            );
            let line = format!(
                "`foo-1.0+cu128-py3-none-any.whl` has {len} bytes: the range asked for is outside of it"
            );
            assert_eq!(
                reply.problem(),
                format!("416 urn:pilothouse:range-not-satisfiable {line}")
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn if_range_gives_the_part_only_of_the_same_file() {
    let site = site(1000).await;
    let mut client = site.client().await;
    for (held, status) in [
        ("\"tag\"", 206),
        ("W/\"tag\"", 200),
        ("\"other\"", 200),
        ("Tue, 02 Jan 2024 03:04:05 GMT", 206),
        ("Tue, 02 Jan 2024 03:04:06 GMT", 200),
    ] {
        let reply = client
            .get(URL, &[("Range", "bytes=5-9"), ("If-Range", held)])
            .await;
        assert_eq!(reply.status, status, "{held}");
        assert_eq!(reply.body.len(), if status == 206 { 5 } else { 1000 });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_the_client_has_is_304() {
    let site = site(1000).await;
    let mut client = site.client().await;
    for (header, value, status) in [
        ("If-None-Match", "\"tag\"", 304),
        ("If-None-Match", "W/\"tag\"", 304),
        ("If-None-Match", "\"a\", \"tag\"", 304),
        ("If-None-Match", "*", 304),
        ("If-None-Match", "\"a\"", 200),
        ("If-Modified-Since", "Tue, 02 Jan 2024 03:04:05 GMT", 304),
        ("If-Modified-Since", "Tue, 02 Jan 2024 03:04:04 GMT", 200),
    ] {
        for range in ["bytes=0-1", ""] {
            let reply = client.get(URL, &[(header, value), ("Range", range)]).await;
            let want = if status == 200 && !range.is_empty() {
                206
            } else {
                status
            };
            assert_eq!(reply.status, want, "{header}: {value}");
            if status == 304 {
                assert_eq!(
                    (reply.header("etag"), reply.header("cache-control")),
                    (Some("\"tag\""), FOREVER)
                );
                assert_eq!(reply.header("content-length"), None);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_beside_a_file_is_asked_for_as_such() {
    let site = Site::start().await;
    let text = Open {
        content_type: "text/plain; charset=utf-8",
        ..stored(
            &site.blobs,
            "foo-1.0-py3-none-any.whl",
            b"Metadata-Version: 2.4\n",
        )
    };
    site.source
        .file("x/foo-1.0-py3-none-any.whl", Part::Metadata, Ok(text));
    let provenance = stored(&site.blobs, "foo-1.0-py3-none-any.whl", b"{}");
    site.source.file(
        "x/foo-1.0-py3-none-any.whl",
        Part::Provenance,
        Ok(provenance),
    );
    let mut client = site.client().await;
    let metadata = client
        .get("/+f/x/foo-1.0-py3-none-any.whl.metadata", &[])
        .await;
    assert_eq!(
        (metadata.text(), metadata.header("cache-control")),
        ("Metadata-Version: 2.4\n", FOREVER)
    );
    assert_eq!(
        metadata.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    assert_eq!(
        client
            .get("/+f/x/foo-1.0-py3-none-any.whl.provenance", &[])
            .await
            .text(),
        "{}"
    );
    assert_eq!(
        client
            .get("/+f/x/foo-1.0-py3-none-any.whl", &[])
            .await
            .status,
        404
    );
    let part = client
        .get(
            "/+f/x/foo-1.0-py3-none-any.whl.metadata",
            &[("Range", "bytes=0-7")],
        )
        .await;
    assert_eq!((part.status, part.text()), (206, "Metadata"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_held_back_says_why_where_pip_and_uv_look() {
    let site = Site::start().await;
    let rows = [
        (
            403,
            "blocked",
            Error::Blocked {
                file: "f".to_owned(),
                by: "rule `no-beta`".to_owned(),
            },
        ),
        (
            507,
            "full",
            Error::Full {
                what: "f".to_owned(),
            },
        ),
        (
            403,
            "refused",
            Error::Refused {
                file: "f".to_owned(),
                expected: "aa".to_owned(),
                found: "bb".to_owned(),
            },
        ),
    ];
    let mut client = site.client().await;
    for (status, kind, error) in rows {
        let line = error.to_string();
        site.source.file("f", Part::File, Err(error));
        let reply = client.get("/+f/f", &[]).await;
        assert_eq!(
            reply.problem(),
            format!("{status} urn:pilothouse:{kind} {line}")
        );
        assert_eq!(reply.reason, line);
    }
}
