//! Pages as servers write them, and as they should not.

use proptest::prelude::*;

use super::*;
use crate::hashes::Hashes;
use crate::page::{CoreMetadata, Yanked};

fn page_url() -> Url {
    "https://h.example/simple/foo/".parse().unwrap()
}

fn read(body: &str) -> Result<Parsed<ProjectPage>, Error> {
    parse_project(body.as_bytes(), &page_url(), &"foo".parse().unwrap())
}

/// Reads a page of one link with these attributes beside `href`.
fn file(attributes: &str) -> PageFile {
    let mut page = read(&format!(
        r#"<a href="foo-1.0.zip" {attributes}>foo-1.0.zip</a>"#
    ))
    .unwrap();
    assert_eq!(page.dropped, []);
    page.value.files.remove(0)
}

fn urls(body: &str) -> Vec<String> {
    read(body)
        .unwrap()
        .value
        .files
        .into_iter()
        .map(|file| file.url)
        .collect()
}

#[test]
fn a_page_of_the_public_index_is_read() {
    let page = read(
        r#"<!DOCTYPE html>
<html>
  <head>
    <meta name="pypi:repository-version" content="1.4">
    <meta name="pypi:project-status" content="deprecated">
    <meta name="pypi:project-status-reason" content="use &quot;bar&quot;">
    <title>Links for foo</title>
  </head>
  <body>
    <h1>Links for foo</h1>
<a href="https://files.example/packages/aa/Foo-1.0-py3-none-any.whl#sha256=cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd" data-requires-python="&gt;=3.8" data-dist-info-metadata="sha256=abababababababababababababababababababababababababababababababab" data-core-metadata="sha256=abababababababababababababababababababababababababababababababab" >Foo-1.0-py3-none-any.whl</a><br />
</body>
</html>
<!--SERIAL 9-->"#,
    )
    .unwrap();
    insta::assert_debug_snapshot!(page, @r#"
    Parsed {
        value: ProjectPage {
            name: `foo`,
            status: Some(
                ProjectStatus {
                    status: "deprecated",
                    reason: Some(
                        "use \"bar\"",
                    ),
                },
            ),
            versions: [
                "1.0",
            ],
            files: [
                PageFile {
                    filename: `Foo-1.0-py3-none-any.whl`,
                    url: "https://files.example/packages/aa/Foo-1.0-py3-none-any.whl",
                    hashes: {
                        "sha256": "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
                    },
                    size: None,
                    upload_time: None,
                    requires_python: Some(
                        ">=3.8",
                    ),
                    yanked: No,
                    core_metadata: Present(
                        {
                            "sha256": "abababababababababababababababababababababababababababababababab",
                        },
                    ),
                    provenance: None,
                    gpg_sig: None,
                },
            ],
            tracks: [],
            alternate_locations: [],
            last_serial: Some(
                9,
            ),
        },
        dropped: [],
    }
    "#);
}

#[test]
fn a_page_of_wheels_for_accelerators_is_read() {
    let page = read(
        r#"<!DOCTYPE html><html><body><h1>Links for torch</h1>
<a href="https://download.example/whl/cu128/torch-2.9.0%2Bcu128-cp312-cp312-manylinux_2_28_x86_64.whl#sha256=cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd" data-dist-info-metadata="sha256=abababababababababababababababababababababababababababababababab">torch-2.9.0+cu128-cp312-cp312-manylinux_2_28_x86_64.whl</a><br/>
<a href="/whl/cu128/torch-2.9.0+cu128-cp313-cp313-win_amd64.whl">torch</a><br/>
</body></html><!--TIMESTAMP 1700000000-->"#,
    )
    .unwrap();
    let seen: Vec<(&str, &str)> = page
        .value
        .files
        .iter()
        .map(|file| (file.filename.as_str(), file.url.as_str()))
        .collect();
    assert_eq!(
        seen,
        [
            (
                "torch-2.9.0+cu128-cp312-cp312-manylinux_2_28_x86_64.whl",
                "https://download.example/whl/cu128/torch-2.9.0%2Bcu128-cp312-cp312-manylinux_2_28_x86_64.whl",
            ),
            (
                "torch-2.9.0+cu128-cp313-cp313-win_amd64.whl",
                "https://h.example/whl/cu128/torch-2.9.0+cu128-cp313-cp313-win_amd64.whl",
            ),
        ]
    );
    assert_eq!(page.dropped, []);
}

#[test]
fn a_listing_of_a_folder_is_read() {
    let body = br#"<html><head><title>Index of /wheels/</title></head><body><h1>Index of /wheels/</h1><hr><pre>
<a href="?C=N;O=D">Name</a> <a href="../">../</a>
<a href="old/">old/</a>              01-Jan-2024 00:00    -
<a href="foo-1.0-py3-none-any.whl">foo-1.0-py3-none-any.whl</a>  01-Jan-2024 00:00  42
<a href="bar-2.0.tar.gz">bar-2.0.tar.gz</a>
<a href="bar-2.0.tar.gz.asc">bar-2.0.tar.gz.asc</a>
<a href="https://cdn.example/x/b%61z-3.zip#md5=0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a">baz</a>
<a name="top">no link</a> <a href="README.md">README</a>
</pre></body></html>"#;
    let listing = parse_find_links(body, &"https://h.example/wheels/".parse().unwrap()).unwrap();
    let names: Vec<&str> = listing
        .value
        .iter()
        .map(|file| file.filename.as_str())
        .collect();
    assert_eq!(
        names,
        ["foo-1.0-py3-none-any.whl", "bar-2.0.tar.gz", "baz-3.zip"]
    );
    assert_eq!(
        listing.value[0].url,
        "https://h.example/wheels/foo-1.0-py3-none-any.whl"
    );
    assert_eq!(listing.dropped, []);
}

#[test]
fn a_bad_link_is_dropped_with_a_reason_and_the_others_stay() {
    let page = read(
        r#"<a href="foo-1.0.zip">good</a>
        <a href="foo-1.1.zip#sha256=beef">short hash</a>
        <a href="foo-1.2.zip#sha256=">no hash</a>
        <a href="ftp://h.example/foo-1.3.zip">no web</a>
        <a href="https://[/foo-1.4.zip">no URL</a>
        <a href="foo%2F1.5.zip">slash</a>
        <a href="ftp://user:secret@h.example/">secret</a>
        <a href="mailto:someone@h.example">mail</a>
        <a href="">this page</a>
        <a href="/about">about</a>
        <a href="foo-2.0.zip#sha256=ABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABAB">good</a>"#,
    )
    .unwrap();
    let kept: Vec<&str> = page
        .value
        .files
        .iter()
        .map(|file| file.filename.as_str())
        .collect();
    assert_eq!(kept, ["foo-1.0.zip", "foo-2.0.zip"]);
    assert_eq!(
        page.value.files[1].hashes.sha256().unwrap().to_string(),
        "ab".repeat(32)
    );
    let dropped: Vec<String> = page
        .dropped
        .iter()
        .map(|bad| format!("{}: {}", bad.what, bad.why))
        .collect();
    insta::assert_snapshot!(dropped.join("\n"), @"
    foo-1.1.zip: `sha256=beef` is not a hash
    foo-1.2.zip: `sha256=` is not a hash
    foo-1.3.zip: the link is neither http nor https
    foo-1.4.zip: the link is not a URL
    foo%2F1.5.zip: `foo/1.5.zip` is not a filename: it has a slash
    h.example: the link is neither http nor https
    h.example: the link is neither http nor https
    ");
}

#[test]
fn attributes_are_read() {
    let plain = file("");
    let hashed = |kind, value: &str| {
        let mut hashes = Hashes::default();
        hashes.insert(kind, value).unwrap();
        hashes
    };
    let (one, two) = ("0a".repeat(32), "0b".repeat(32));
    let present = |value: &str| CoreMetadata::Present(hashed("sha256", value));
    for (attributes, wanted) in [
        (
            String::from("DATA-YANKED"),
            PageFile {
                yanked: Yanked::Yes(None),
                ..plain.clone()
            },
        ),
        (
            "data-yanked=\"\"".into(),
            PageFile {
                yanked: Yanked::Yes(None),
                ..plain.clone()
            },
        ),
        (
            "data-yanked='a &lt; b'".into(),
            PageFile {
                yanked: Yanked::Yes(Some("a < b".into())),
                ..plain.clone()
            },
        ),
        (
            "data-requires-python=&gt;=3".into(),
            PageFile {
                requires_python: Some(">=3".into()),
                ..plain.clone()
            },
        ),
        ("data-requires-python=''".into(), plain.clone()),
        (
            "data-core-metadata=true".into(),
            PageFile {
                core_metadata: CoreMetadata::Present(Hashes::default()),
                ..plain.clone()
            },
        ),
        (
            format!("data-dist-info-metadata=sha256={one}"),
            PageFile {
                core_metadata: present(&one),
                ..plain.clone()
            },
        ),
        (
            format!("data-dist-info-metadata=sha256={one} data-core-metadata=sha256={two}"),
            PageFile {
                core_metadata: present(&two),
                ..plain.clone()
            },
        ),
        (
            format!("data-dist-info-metadata=sha256={one} data-core-metadata=false"),
            plain.clone(),
        ),
        ("data-core-metadata=sha256=beef".into(), plain.clone()),
        (
            "data-gpg-sig=true".into(),
            PageFile {
                gpg_sig: Some(true),
                ..plain.clone()
            },
        ),
        (
            "data-gpg-sig=false".into(),
            PageFile {
                gpg_sig: Some(false),
                ..plain.clone()
            },
        ),
        ("data-gpg-sig=maybe".into(), plain.clone()),
        (
            "data-size=42".into(),
            PageFile {
                size: Some(42),
                ..plain.clone()
            },
        ),
        ("data-size=big".into(), plain.clone()),
        (
            "data-provenance=/p/foo".into(),
            PageFile {
                provenance: Some("https://h.example/p/foo".into()),
                ..plain.clone()
            },
        ),
        (
            "data-size=1 data-size=2".into(),
            PageFile {
                size: Some(1),
                ..plain.clone()
            },
        ),
        ("href=other-1.zip class=x".into(), plain.clone()),
    ] {
        assert_eq!(file(&attributes), wanted, "{attributes}");
    }
    let time = file("data-upload-time=2024-02-29T00:00:00Z")
        .upload_time
        .unwrap();
    assert_eq!(time.at.to_string(), "2024-02-29T00:00:00Z");
}

#[test]
fn links_obey_the_base() {
    let link = r#"<a href="foo-1.zip">x</a>"#;
    for (body, url) in [
        (link.to_owned(), "https://h.example/simple/foo/foo-1.zip"),
        (
            format!(r#"<base href="https://cdn.example/x/">{link}"#),
            "https://cdn.example/x/foo-1.zip",
        ),
        (
            format!(r#"{link}<base href="https://cdn.example/x/">"#),
            "https://cdn.example/x/foo-1.zip",
        ),
        (
            format!(r#"<base href="/x/"><base href="/y/">{link}"#),
            "https://h.example/x/foo-1.zip",
        ),
        (
            format!(r#"<base target=_blank><base href="/y/">{link}"#),
            "https://h.example/y/foo-1.zip",
        ),
        (
            format!(r#"<base href="ftp://cdn.example/x/">{link}"#),
            "https://h.example/simple/foo/foo-1.zip",
        ),
    ] {
        assert_eq!(urls(&body), [url], "{body}");
    }
}

#[test]
fn only_links_count() {
    for body in [
        r#"<!-- <a href="foo-1.zip">x</a> -->"#,
        r#"<p><script>"<a href='foo-1.zip'>"</script>"#,
        r#"<title><a href="foo-1.zip"></title>"#,
        r#"<p></a href="foo-1.zip">"#,
        r#"<p><a href="foo-1.zip""#,
        r#"<link href="foo-1.zip">"#,
    ] {
        assert!(
            read(body).is_ok_and(|page| page.value.files.is_empty()) || read(body).is_err(),
            "{body}"
        );
    }
}

#[test]
fn what_is_not_a_page_is_refused_with_a_sentence() {
    let errors: Vec<String> = [
        "",
        "not found",
        r#"{"files":[]}"#,
        "<html>\0</html>",
        r#"<meta name="pypi:repository-version" content="2.0"><a href="foo-1.zip">x</a>"#,
    ]
    .iter()
    .map(|body| read(body).unwrap_err().to_string())
    .collect();
    insta::assert_snapshot!(errors.join("\n"), @"
    not a Simple API page in HTML: it has no tags
    not a Simple API page in HTML: it has no tags
    not a Simple API page in HTML: it has no tags
    not a Simple API page in HTML: it has a NUL byte
    the page follows version `2.0` of the Simple API; this program reads versions 1.x
    ");
}

#[test]
fn other_encodings_cost_no_more_than_the_text_they_garble() {
    let body = b"\xef\xbb\xbf<title>Pr\xfcfung</title><a href='foo-1.zip' data-yanked='\xe9'>x</a><a href='f\xf6-1.zip'>x</a>";
    let page = parse_project(body, &page_url(), &"foo".parse().unwrap()).unwrap();
    assert_eq!(page.value.files.len(), 1);
    assert_eq!(
        page.value.files[0].yanked,
        Yanked::Yes(Some("\u{fffd}".into()))
    );
    assert_eq!(page.dropped[0].why, "the link is not UTF-8");
}

#[test]
fn a_page_has_an_end() {
    let body = "<a href=a-1.zip>".repeat(MAX_FILES + 1);
    assert_eq!(read(&body).unwrap_err(), Error::TooMany(MAX_FILES));
}

#[test]
fn a_root_listing_is_read() {
    let body = br#"<!DOCTYPE html><html><head><meta name="pypi:repository-version" content="1.4"></head><body>
        <a href="/simple/foo-bar/">Foo.Bar</a> <a href="baz/"> baz
        </a><a href="../">../</a><a href="qux/">qux/</a><a href="/about">About us</a><a href="/simple/quux/"></a>
        <a href="/simple/b-o-l-d/"><b>b</b>-o-l-d"#;
    assert_eq!(
        parse_root(body).unwrap(),
        ["Foo.Bar", "baz", "qux", "quux", "b-o-l-d"]
    );
    for body in [
        "",
        "plain",
        r#"<meta name="pypi:repository-version" content="3">"#,
    ] {
        assert!(parse_root(body.as_bytes()).is_err(), "{body}");
    }
}

/// Soup of the words that pages are made of.
fn soup() -> impl Strategy<Value = String> {
    let words = [
        "<a href=",
        "<base href=",
        "<meta name=",
        "</a>",
        ">",
        "\"",
        "'",
        " ",
        "a-1.zip",
        "#sha256=",
        "&",
        "&#0;",
        "&#x10ffff;",
        "https://h/",
        "//",
        "data-yanked",
        "data-core-metadata=",
        "pypi:repository-version content=",
        "1.0",
        "<!--",
        "-->",
        "<script>",
        "</script>",
        "<![CDATA[",
        "<!DOCTYPE",
        "é",
        "/",
        "?",
        "%2F",
        "%",
        "SERIAL 1",
        "\r",
        "<plaintext>",
    ];
    proptest::collection::vec(prop::sample::select(words.to_vec()), 0..24)
        .prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn any_bytes_are_a_page_or_an_error(bytes: Vec<u8>) {
        let _ = parse_project(&bytes, &page_url(), &"foo".parse().unwrap());
        let _ = parse_find_links(&bytes, &page_url());
        let _ = parse_root(&bytes);
    }

    #[test]
    fn any_soup_is_a_page_or_an_error(text in soup()) {
        if let Ok(page) = read(&text) {
            for file in page.value.files {
                prop_assert!(file.url.parse::<Url>().is_ok());
            }
        }
        let _ = parse_root(text.as_bytes());
    }
}
