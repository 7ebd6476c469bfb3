//! Pages as servers write them, and as they should not.

use proptest::prelude::*;

use super::*;
use crate::hashes::Hashes;
use crate::page::{CoreMetadata, Yanked};

fn read(body: &str) -> Result<Parsed<ProjectPage>, Error> {
    parse_project(
        body.as_bytes(),
        &"https://h.example/simple/foo/".parse().unwrap(),
        &"foo".parse().unwrap(),
    )
}

/// Reads a page of one file that has these members beside the mandatory ones.
fn file(members: &str) -> Result<PageFile, String> {
    let body = format!(
        r#"{{"files":[{{"filename":"foo-1.0.zip","url":"foo-1.0.zip","hashes":{{}}{members}}}]}}"#
    );
    let page = read(&body).unwrap();
    page.value
        .files
        .into_iter()
        .next()
        .ok_or_else(|| page.dropped[0].why.clone())
}

#[test]
fn a_page_of_the_public_index_is_read() {
    let page = read(
        r#"{"alternate-locations":[],"files":[{"core-metadata":{"sha256":"abababababababababababababababababababababababababababababababab"},
        "data-dist-info-metadata":{"sha256":"abababababababababababababababababababababababababababababababab"},
        "filename":"Foo-1.0-py3-none-any.whl","hashes":{"sha256":"cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"},
        "provenance":null,"requires-python":">=3.8","size":42,"upload-time":"2024-02-29T23:59:59.123456Z",
        "url":"https://files.example/packages/aa/bb/Foo-1.0-py3-none-any.whl","yanked":false}],
        "meta":{"_last-serial":9,"api-version":"1.4"},"name":"foo","project-status":{"status":"active"},"versions":["1.0"]}"#,
    )
    .unwrap();
    insta::assert_debug_snapshot!(page, @r#"
    Parsed {
        value: ProjectPage {
            name: `foo`,
            status: Some(
                ProjectStatus {
                    status: "active",
                    reason: None,
                },
            ),
            versions: [
                "1.0",
            ],
            files: [
                PageFile {
                    filename: `Foo-1.0-py3-none-any.whl`,
                    url: "https://files.example/packages/aa/bb/Foo-1.0-py3-none-any.whl",
                    hashes: {
                        "sha256": "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
                    },
                    size: Some(
                        42,
                    ),
                    upload_time: Some(
                        UploadTime {
                            at: 2024-02-29T23:59:59.123456Z,
                            source: Upstream,
                        },
                    ),
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
fn yanked_is_a_boolean_or_a_reason() {
    for (members, yanked) in [
        ("", Yanked::No),
        (r#","yanked":null"#, Yanked::No),
        (r#","yanked":false"#, Yanked::No),
        (r#","yanked":true"#, Yanked::Yes(None)),
        (r#","yanked":"""#, Yanked::Yes(None)),
        (
            r#","yanked":"it \"hurts\"""#,
            Yanked::Yes(Some("it \"hurts\"".into())),
        ),
    ] {
        assert_eq!(file(members).unwrap().yanked, yanked, "{members}");
    }
}

#[test]
fn core_metadata_is_read_under_three_names() {
    let md5 = format!(r#"{{"md5":"{}"}}"#, "0a".repeat(16));
    let known: Hashes = serde_json::from_str(&md5).unwrap();
    for (members, metadata) in [
        (String::new(), CoreMetadata::Absent),
        (
            r#","core-metadata":true"#.into(),
            CoreMetadata::Present(Hashes::default()),
        ),
        (
            r#","core-metadata":{}"#.into(),
            CoreMetadata::Present(Hashes::default()),
        ),
        (
            format!(r#","core-metadata":{md5}"#),
            CoreMetadata::Present(known.clone()),
        ),
        (
            format!(r#","dist-info-metadata":{md5}"#),
            CoreMetadata::Present(known.clone()),
        ),
        (
            format!(r#","data-dist-info-metadata":{md5}"#),
            CoreMetadata::Present(known.clone()),
        ),
        (
            format!(r#","data-dist-info-metadata":true,"core-metadata":{md5}"#),
            CoreMetadata::Present(known),
        ),
        (
            format!(r#","core-metadata":false,"dist-info-metadata":{md5}"#),
            CoreMetadata::Absent,
        ),
        (
            r#","core-metadata":null,"dist-info-metadata":true"#.into(),
            CoreMetadata::Present(Hashes::default()),
        ),
        (
            r#","core-metadata":{"sha256":"beef"}"#.into(),
            CoreMetadata::Absent,
        ),
    ] {
        assert_eq!(file(&members).unwrap().core_metadata, metadata, "{members}");
    }
}

#[test]
fn what_a_file_may_leave_out_it_may_get_wrong_only_in_part() {
    let plain = file("").unwrap();
    for members in [
        r#","unknown":{"deep":[[[[]]]]}"#,
        r#","upload-time":"yesterday""#,
        r#","requires-python":"""#,
        r#","provenance":"ftp://h.example/""#,
        r#","size":null"#,
    ] {
        assert_eq!(file(members).unwrap(), plain, "{members}");
    }
}

#[test]
fn a_bad_file_is_dropped_with_a_reason_and_the_others_stay() {
    let page = read(
        r#"{"files":[
        {"filename":"foo-1.0.zip","url":"foo-1.0.zip","hashes":{}},
        {"filename":"foo-1.1.zip","url":"foo-1.1.zip"},
        {"filename":"foo-1.2.zip","hashes":{}},
        {"url":"foo-1.3.zip","hashes":{}},
        {"filename":"foo-1.4.zip","url":"foo-1.4.zip","hashes":{"sha256":"beef"}},
        {"filename":"../foo-1.5.zip","url":"foo-1.5.zip","hashes":{}},
        {"filename":"foo-1.6.zip","url":"ftp://h.example/foo-1.6.zip","hashes":{}},
        {"filename":"foo-1.7.zip","url":"foo-1.7.zip","hashes":{},"yanked":1},
        {"filename":"foo-1.8.zip","url":"foo-1.8.zip","hashes":{},"requires-python":"3\u0000"},
        {"filename":"foo-1.9.zip","url":"foo-1.9.zip","hashes":{},"size":-1},
        {"filename":"foo-1.10.zip","filename":"foo-1.10.zip","url":"x","hashes":{}},
        17, null, [],
        {"filename":"foo-2.0.zip","url":"../../foo-2.0.zip#sha256=x","hashes":{}}
        ]}"#,
    )
    .unwrap();
    let kept: Vec<&str> = page
        .value
        .files
        .iter()
        .map(|file| file.url.as_str())
        .collect();
    assert_eq!(
        kept,
        [
            "https://h.example/simple/foo/foo-1.0.zip",
            "https://h.example/foo-2.0.zip"
        ]
    );
    assert_eq!(page.value.versions, ["1.0", "2.0"]);
    let dropped: Vec<String> = page
        .dropped
        .iter()
        .map(|bad| format!("{}: {}", bad.what, bad.why))
        .collect();
    insta::assert_snapshot!(dropped.join("\n"), @"
    foo-1.1.zip: missing field `hashes`
    foo-1.2.zip: missing field `url`
    entry 3: missing field `filename`
    foo-1.4.zip: `sha256=beef` is not a hash
    ../foo-1.5.zip: `../foo-1.5.zip` is not a filename: it has a slash
    foo-1.6.zip: the link is neither http nor https
    foo-1.7.zip: invalid type: integer `1`, expected a boolean or a reason
    foo-1.8.zip: it has a NUL character
    foo-1.9.zip: invalid value: integer `-1`, expected u64
    entry 10: duplicate field `filename`
    entry 11: invalid type: integer `17`, expected a file
    entry 12: invalid type: null, expected a file
    entry 13: invalid length 0, expected a file
    ");
}

#[test]
fn the_status_is_found_where_servers_put_it() {
    let status = |body: &str| {
        read(body)
            .unwrap()
            .value
            .status
            .map(|status| (status.status, status.reason))
    };
    let archived = Some(("archived".to_owned(), Some("old".to_owned())));
    assert_eq!(
        status(r#"{"files":[],"project-status":{"status":"archived","reason":"old"}}"#),
        archived
    );
    assert_eq!(
        status(r#"{"files":[],"meta":{"project-status":{"status":"archived","reason":"old"}}}"#),
        archived
    );
    assert_eq!(status(r#"{"files":[],"project-status":"archived"}"#), None);
}

#[test]
fn parts_of_another_shape_are_as_good_as_absent() {
    let page = read(
        r#"{"files":[],"versions":7,"alternate-locations":null,"meta":{"_last-serial":"9","tracks":{}}}"#,
    );
    assert_eq!(
        page.unwrap().value,
        ProjectPage::new("foo".parse().unwrap())
    );
}

#[test]
fn what_is_not_a_page_is_refused_with_a_sentence() {
    let deep = format!(r#"{{"files":{}"#, "[".repeat(100_000));
    let errors: Vec<String> = [
        "",
        "<!DOCTYPE html>",
        "[]",
        "{}",
        r#"{"files":{}}"#,
        r#"{"files":[]"#,
        r#"{"files":[],"meta":[]}"#,
        r#"{"files":[],"meta":{"api-version":"2.0"}}"#,
        r#"{"files":[],"meta":{"api-version":"10.0"}}"#,
        r#"{"releases":[],"meta":{"api-version":"2.1"}}"#,
        "[null,null,null,null,[]]",
        &deep,
        "{\"files\":[\0]}",
    ]
    .iter()
    .map(|body| read(body).unwrap_err().to_string())
    .collect();
    insta::assert_snapshot!(errors.join("\n"), @"
    not a Simple API page in JSON: it is empty
    not a Simple API page in JSON: it does not start with `{`
    not a Simple API page in JSON: it does not start with `{`
    not a Simple API page in JSON: missing field `files` at line 1 column 2
    not a Simple API page in JSON: invalid type: map, expected a list at line 1 column 9
    not a Simple API page in JSON: EOF while parsing an object at line 1 column 11
    not a Simple API page in JSON: invalid length 0, expected the meta of a page at line 1 column 2
    the page follows version `2.0` of the Simple API; this program reads versions 1.x
    the page follows version `10.0` of the Simple API; this program reads versions 1.x
    the page follows version `2.1` of the Simple API; this program reads versions 1.x
    not a Simple API page in JSON: it does not start with `{`
    not a Simple API page in JSON: EOF while parsing a list at line 1 column 100009
    not a Simple API page in JSON: expected value at line 1 column 11
    ");
    for version in ["1", "1.0", "1.99", " 1.4"] {
        assert!(
            read(&format!(
                r#"{{"files":[],"meta":{{"api-version":"{version}"}}}}"#
            ))
            .is_ok(),
            "{version}"
        );
    }
}

#[test]
fn a_root_listing_is_read() {
    let body = r#"{"meta":{"api-version":"1.4","_last-serial":1},"projects":[
        {"name":"Foo.Bar","_last-serial":1},{"name":"b\u0061z"},{"name":"no good"},{"name":""},{"name":7},[]]}"#;
    assert_eq!(parse_root(body.as_bytes()).unwrap(), ["Foo.Bar", "baz"]);
    for body in [
        r#"{"projects":{}}"#,
        r#"{"files":[]}"#,
        "",
        r#"{"meta":{"api-version":"2.0"},"projects":[]}"#,
    ] {
        assert!(parse_root(body.as_bytes()).is_err(), "{body}");
    }
}

/// Soup of the words that pages are made of.
fn soup() -> impl Strategy<Value = String> {
    let words = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "null",
        "true",
        "1e999",
        "-1",
        "\"\"",
        "\"files\":[",
        "\"filename\":\"a-1.zip\",",
        "\"url\":\"a\",",
        "\"hashes\":{}",
        "\"hashes\":{\"sha256\":\"",
        "\"meta\":{",
        "\"api-version\":\"1.0\"",
        "\"yanked\":",
        "\"core-metadata\":",
        "\"versions\":",
        "\"projects\":[",
        "\"name\":\"a\"",
        "\\u0000",
        "\\ud800",
        "{\"files\":[{",
    ];
    proptest::collection::vec(prop::sample::select(words.to_vec()), 0..24)
        .prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn any_bytes_are_a_page_or_an_error(bytes: Vec<u8>) {
        let _ = parse_project(&bytes, &"https://h.example/".parse().unwrap(), &"foo".parse().unwrap());
        let _ = parse_root(&bytes);
    }

    #[test]
    fn any_soup_is_a_page_or_an_error(text in soup()) {
        let _ = read(&text);
        let _ = parse_root(text.as_bytes());
    }
}
