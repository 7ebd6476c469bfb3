//! Pages, written and read again.

use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use url::Url;

use crate::digest::Digest;
use crate::filename::Filename;
use crate::hashes::Hashes;
use crate::name::ProjectName;
use crate::page::{CoreMetadata, PageFile, ProjectPage, ProjectStatus, Yanked};
use crate::upload_time::{UploadTime, UploadTimeSource};
use crate::{render, simple_html, simple_json};

/// Three files that between them use everything.
fn page() -> ProjectPage {
    let mut page = ProjectPage::new("foo".parse().unwrap());
    page.status = Some(ProjectStatus {
        status: "archived".into(),
        reason: Some("see <bar> & \"baz\"".into()),
    });
    page.last_serial = Some(7);
    page.tracks = vec!["https://other.example/simple/foo/".into()];
    page.alternate_locations = vec!["https://mirror.example/simple/foo/".into()];

    let mut wheel = file("foo-1.0+cu128-py3-none-any.whl");
    wheel.hashes = Hashes::from(Digest::from([0xab; 32]));
    wheel.hashes.insert("md5", &"0c".repeat(16)).unwrap();
    wheel.size = Some(12345);
    wheel.upload_time = Some(time("2024-02-29T23:59:59.12Z", UploadTimeSource::Upstream));
    wheel.requires_python = Some(">=3.8,<4".into());
    wheel.core_metadata = CoreMetadata::Present(Hashes::from(Digest::from([0xcd; 32])));
    wheel.provenance = Some("https://h.example/provenance/foo".into());
    wheel.gpg_sig = Some(false);

    let mut sdist = file("foo-1.0.tar.gz");
    sdist.hashes = Hashes::from(Digest::from([0xef; 32]));
    sdist.upload_time = Some(time("2024-03-01T00:00:00Z", UploadTimeSource::FirstSeen));
    sdist.yanked = Yanked::Yes(Some("it's \"broken\"".into()));
    sdist.core_metadata = CoreMetadata::Present(Hashes::default());

    let mut egg = file("foo-0.9-py2.7.egg");
    egg.yanked = Yanked::Yes(None);
    page.files = vec![wheel, sdist, egg];
    page.derive_versions();
    page
}

fn file(name: &str) -> PageFile {
    let filename: Filename = name.parse().unwrap();
    let url = format!(
        "https://h.example/packages/{}",
        utf8_percent_encode(name, NON_ALPHANUMERIC)
    );
    PageFile::new(filename, url)
}

fn time(text: &str, source: UploadTimeSource) -> UploadTime {
    UploadTime {
        at: text.parse().unwrap(),
        source,
    }
}

fn page_url() -> Url {
    "https://h.example/simple/foo/".parse().unwrap()
}

fn as_json(page: &ProjectPage) -> Vec<u8> {
    render::project_json(
        page,
        |file| file.url.clone(),
        |file| file.provenance.clone(),
    )
}

fn as_html(page: &ProjectPage) -> Vec<u8> {
    render::project_html(
        page,
        |file| file.url.clone(),
        |file| file.provenance.clone(),
    )
}

/// Our links, as the server makes them.
fn href(file: &PageFile) -> String {
    format!("../../+f/packages/{}", file.filename)
}

#[test]
fn a_page_in_json() {
    let body = render::project_json(&page(), href, |file| {
        file.provenance.as_ref().map(|_| href(file) + ".provenance")
    });
    let body = String::from_utf8(body)
        .unwrap()
        .replace(",\"", ",\n\"")
        .replace("{\"filename", "\n{\"filename");
    insta::assert_snapshot!(body, @r#"
    {"meta":{"api-version":"1.4",
    "_last-serial":7,
    "tracks":["https://other.example/simple/foo/"]},
    "name":"foo",
    "project-status":{"status":"archived",
    "reason":"see <bar> & \"baz\""},
    "alternate-locations":["https://mirror.example/simple/foo/"],
    "versions":["0.9",
    "1.0",
    "1.0+cu128"],
    "files":[
    {"filename":"foo-1.0+cu128-py3-none-any.whl",
    "url":"../../+f/packages/foo-1.0+cu128-py3-none-any.whl",
    "hashes":{"md5":"0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c",
    "sha256":"abababababababababababababababababababababababababababababababab"},
    "requires-python":">=3.8,<4",
    "size":12345,
    "upload-time":"2024-02-29T23:59:59.120000Z",
    "yanked":false,
    "core-metadata":{"sha256":"cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"},
    "provenance":"../../+f/packages/foo-1.0+cu128-py3-none-any.whl.provenance",
    "gpg-sig":false},
    {"filename":"foo-1.0.tar.gz",
    "url":"../../+f/packages/foo-1.0.tar.gz",
    "hashes":{"sha256":"efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef"},
    "upload-time":"2024-03-01T00:00:00.000000Z",
    "_upload-time-source":"first-seen",
    "yanked":"it's \"broken\"",
    "core-metadata":true},
    {"filename":"foo-0.9-py2.7.egg",
    "url":"../../+f/packages/foo-0.9-py2.7.egg",
    "hashes":{},
    "yanked":true}]}
    "#);
}

#[test]
fn a_page_in_html() {
    let body = render::project_html(&page(), href, |file| {
        file.provenance.as_ref().map(|_| href(file) + ".provenance")
    });
    insta::assert_snapshot!(String::from_utf8(body).unwrap(), @r#"
    <!DOCTYPE html>
    <html>
      <head>
        <meta name="pypi:repository-version" content="1.4">
        <meta name="pypi:project-status" content="archived">
        <meta name="pypi:project-status-reason" content="see &lt;bar&gt; &amp; &quot;baz&quot;">
        <meta name="pypi:tracks" content="https://other.example/simple/foo/">
        <meta name="pypi:alternate-locations" content="https://mirror.example/simple/foo/">
        <title>Links for foo</title>
      </head>
      <body>
        <h1>Links for foo</h1>
        <a href="../../+f/packages/foo-1.0+cu128-py3-none-any.whl#sha256=abababababababababababababababababababababababababababababababab" data-requires-python="&gt;=3.8,&lt;4" data-dist-info-metadata="sha256=cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd" data-core-metadata="sha256=cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd" data-size="12345" data-upload-time="2024-02-29T23:59:59.120000Z" data-provenance="../../+f/packages/foo-1.0+cu128-py3-none-any.whl.provenance" data-gpg-sig="false">foo-1.0+cu128-py3-none-any.whl</a><br>
        <a href="../../+f/packages/foo-1.0.tar.gz#sha256=efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef" data-yanked="it&#x27;s &quot;broken&quot;" data-dist-info-metadata="true" data-core-metadata="true" data-upload-time="2024-03-01T00:00:00.000000Z" data-upload-time-source="first-seen">foo-1.0.tar.gz</a><br>
        <a href="../../+f/packages/foo-0.9-py2.7.egg" data-yanked="">foo-0.9-py2.7.egg</a><br>
      </body>
    </html>
    <!--SERIAL 7-->
    "#);
}

#[test]
fn an_empty_page_is_a_page() {
    let page = ProjectPage::new("foo".parse().unwrap());
    insta::assert_snapshot!(String::from_utf8(as_json(&page)).unwrap(), @r#"{"meta":{"api-version":"1.4"},"name":"foo","versions":[],"files":[]}"#);
    assert_eq!(
        simple_json::parse_project(&as_json(&page), &page_url(), &page.name)
            .unwrap()
            .value,
        page
    );
    assert_eq!(
        simple_html::parse_project(&as_html(&page), &page_url(), &page.name)
            .unwrap()
            .value,
        page
    );
}

#[test]
fn a_root_listing_in_json() {
    let mut out = render::root_json_head().to_vec();
    render::root_json_entry(&mut out, "Foo.Bar", true);
    render::root_json_entry(&mut out, "baz", false);
    out.extend_from_slice(render::root_json_tail());
    assert_eq!(simple_json::parse_root(&out).unwrap(), ["Foo.Bar", "baz"]);
    insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r#"{"meta":{"api-version":"1.4"},"projects":[{"name":"Foo.Bar"},{"name":"baz"}]}"#);
}

#[test]
fn a_root_listing_in_html() {
    let mut out = render::root_html_head().to_vec();
    render::root_html_entry(&mut out, "Foo.Bar", true);
    render::root_html_entry(&mut out, "baz", false);
    out.extend_from_slice(render::root_html_tail());
    assert_eq!(simple_html::parse_root(&out).unwrap(), ["Foo.Bar", "baz"]);
    insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r#"
    <!DOCTYPE html>
    <html>
      <head>
        <meta name="pypi:repository-version" content="1.4">
        <title>Simple index</title>
      </head>
      <body>
        <a href="foo-bar/">Foo.Bar</a>
        <a href="baz/">baz</a>
      </body>
    </html>
    "#);
}

fn hex(bytes: usize) -> impl Strategy<Value = String> {
    vec(
        prop::sample::select(b"0123456789abcdef".to_vec()),
        2 * bytes,
    )
    .prop_map(|digits| String::from_utf8(digits).unwrap())
}

/// One hash at most, for that is all that HTML has room for.
fn one_hash() -> impl Strategy<Value = Hashes> {
    let one = prop_oneof![
        3 => hex(32).prop_map(|value| ("sha256", value)),
        1 => hex(16).prop_map(|value| ("md5", value)),
        1 => hex(64).prop_map(|value| ("sha512", value)),
        1 => hex(7).prop_map(|value| ("kind_of-tomorrow", value)),
    ];
    option::of(one).prop_map(|one| {
        let mut hashes = Hashes::default();
        if let Some((kind, value)) = one {
            hashes.insert(kind, &value).unwrap();
        }
        hashes
    })
}

fn many_hashes() -> impl Strategy<Value = Hashes> {
    vec(one_hash(), 0..3).prop_map(|all| {
        let mut hashes = Hashes::default();
        for (kind, value) in all.iter().flat_map(Hashes::iter) {
            hashes.insert(kind, &value).unwrap();
        }
        hashes
    })
}

fn some_time() -> impl Strategy<Value = UploadTime> {
    let sources = [
        UploadTimeSource::Upstream,
        UploadTimeSource::LastModified,
        UploadTimeSource::FirstSeen,
    ];
    (
        0..4_000_000_000_000_000_i64,
        prop::sample::select(sources.to_vec()),
    )
        .prop_map(|(micros, source)| UploadTime {
            at: Timestamp::from_microsecond(micros).unwrap(),
            source,
        })
}

/// Any text but that with a NUL, and not the empty one.
fn text() -> impl Strategy<Value = String> {
    "[^\0]{1,16}|[<>&\"' \r\n=.0-9]{1,8}"
}

fn word() -> impl Strategy<Value = String> {
    "[!-~é]([ -~é]{0,10}[!-~é])?"
}

fn filename() -> impl Strategy<Value = String> {
    let stem = prop_oneof!["foo-[0-9]\\.[0-9]{1,2}(\\+cu[0-9])?", r"[^\p{C}/\\]{1,10}"];
    let ending = prop::sample::select(vec![
        "-py3-none-any.whl",
        ".tar.gz",
        ".zip",
        "-py2.7.egg",
        ".win32.exe",
        "-variants.json",
    ]);
    (stem, ending).prop_map(|(stem, ending)| stem + ending)
}

fn some_file(hashes: impl Strategy<Value = Hashes> + Clone) -> impl Strategy<Value = PageFile> {
    let metadata = prop_oneof![
        Just(CoreMetadata::Absent),
        hashes.clone().prop_map(CoreMetadata::Present)
    ];
    let yanked = prop_oneof![Just(Yanked::No), option::of(text()).prop_map(Yanked::Yes)];
    let plain = (
        option::of(any::<u64>()),
        option::of(some_time()),
        option::of(text()),
        option::of(any::<bool>()),
    );
    let provenance = option::of("https://h\\.example/p/[a-z&=?]{0,8}");
    (filename(), hashes, plain, yanked, metadata, provenance).prop_map(
        |(
            name,
            hashes,
            (size, upload_time, requires_python, gpg_sig),
            yanked,
            core_metadata,
            provenance,
        )| PageFile {
            hashes,
            size,
            upload_time,
            requires_python,
            yanked,
            core_metadata,
            provenance,
            gpg_sig,
            ..file(&name)
        },
    )
}

fn some_page(
    hashes: impl Strategy<Value = Hashes> + Clone + 'static,
) -> impl Strategy<Value = ProjectPage> {
    let status = option::of(
        (word(), option::of(word())).prop_map(|(status, reason)| ProjectStatus { status, reason }),
    );
    (
        vec(some_file(hashes), 0..6),
        status,
        vec(word(), 0..3),
        vec(word(), 0..3),
        option::of(any::<u64>()),
    )
        .prop_map(
            |(files, status, tracks, alternate_locations, last_serial)| {
                let name: ProjectName = "foo".parse().unwrap();
                let mut page = ProjectPage {
                    name,
                    status,
                    versions: Vec::new(),
                    files,
                    tracks,
                    alternate_locations,
                    last_serial,
                };
                page.derive_versions();
                page
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_page_survives_json(page in some_page(many_hashes().boxed()), versions in vec(text(), 0..4)) {
        let page = ProjectPage { versions: if versions.is_empty() { page.versions.clone() } else { versions }, ..page };
        let read = simple_json::parse_project(&as_json(&page), &page_url(), &page.name).unwrap();
        prop_assert_eq!(read.dropped, []);
        prop_assert_eq!(read.value, page);
    }

    #[test]
    fn a_page_survives_html(page in some_page(one_hash().boxed())) {
        let read = simple_html::parse_project(&as_html(&page), &page_url(), &page.name).unwrap();
        prop_assert_eq!(read.dropped, []);
        prop_assert_eq!(read.value, page);
    }

    #[test]
    fn a_page_survives_storage(page in some_page(many_hashes().boxed())) {
        let stored = serde_json::to_vec(&page).unwrap();
        prop_assert_eq!(serde_json::from_slice::<ProjectPage>(&stored).unwrap(), page);
    }

    #[test]
    fn a_page_is_the_same_in_both_forms(page in some_page(one_hash().boxed())) {
        let html = simple_html::parse_project(&as_html(&page), &page_url(), &page.name).unwrap().value;
        let json = simple_json::parse_project(&as_json(&html), &page_url(), &page.name).unwrap().value;
        prop_assert_eq!(as_html(&json), as_html(&page));
    }
}
