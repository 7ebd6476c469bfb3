//! What is hot: reading and writing a page of 10,000 files, normalising, reading filenames.
//!
//! The pages have the shape of the public index's.

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use pyspec::{Filename, PageFile, ProjectName, ProjectPage, render, simple_html, simple_json};
use url::Url;

const FILES: usize = 10_000;

const TAGS: [&str; 4] = [
    "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64",
    "cp312-cp312-macosx_11_0_arm64",
    "cp313-cp313-win_amd64",
    "cp39-abi3-musllinux_1_2_aarch64",
];

/// Eight wheels and an sdist to a release.
fn filename(at: usize) -> String {
    let release = at / 9;
    let version = format!("{}.{}.{}", release / 100, release / 10 % 10, release % 10);
    match at % 9 {
        8 => format!("sample_project-{version}.tar.gz"),
        wheel => format!("sample_project-{version}-{}.whl", TAGS[wheel % 4]),
    }
}

fn url(at: usize) -> String {
    let (left, right, rest) = (at % 256, at / 256 % 256, format!("{at:060x}"));
    format!(
        "https://files.example/packages/{left:02x}/{right:02x}/{rest}/{}",
        filename(at)
    )
}

fn json() -> Vec<u8> {
    let mut out = String::from(r#"{"alternate-locations":[],"files":["#);
    for at in 0..FILES {
        let comma = if at == 0 { "" } else { "," };
        let (name, url) = (filename(at), url(at));
        write!(
            out,
            r#"{comma}{{"core-metadata":{{"sha256":"{at:064x}"}},"data-dist-info-metadata":{{"sha256":"{at:064x}"}},"filename":"{name}","hashes":{{"sha256":"{at:064x}"}},"provenance":null,"requires-python":">=3.9","size":{at},"upload-time":"2024-02-29T23:59:59.{at:06}Z","url":"{url}","yanked":false}}"#
        )
        .expect("a String takes all text");
    }
    out.push_str(r#"],"meta":{"_last-serial":1,"api-version":"1.4"},"name":"sample-project","project-status":{"status":"active"},"versions":["1.0"]}"#);
    out.into_bytes()
}

fn html() -> Vec<u8> {
    let mut out = String::from(
        "<!DOCTYPE html>\n<html>\n  <head>\n    <meta name=\"pypi:repository-version\" content=\"1.4\">\n    <title>Links for sample-project</title>\n  </head>\n  <body>\n    <h1>Links for sample-project</h1>\n",
    );
    for at in 0..FILES {
        let (name, url) = (filename(at), url(at));
        writeln!(
            out,
            r#"<a href="{url}#sha256={at:064x}" data-requires-python="&gt;=3.9" data-dist-info-metadata="sha256={at:064x}" data-core-metadata="sha256={at:064x}" >{name}</a><br />"#
        )
        .expect("a String takes all text");
    }
    out.push_str("</body>\n</html>\n<!--SERIAL 1-->");
    out.into_bytes()
}

/// A link as the server makes it.
fn href(file: &PageFile) -> String {
    let tail = file
        .url
        .split_once("://")
        .and_then(|(_, rest)| rest.split_once('/'))
        .map_or("", |(_, path)| path);
    format!("../../+f/{tail}")
}

fn pages(criterion: &mut Criterion) {
    let page_url: Url = "https://index.example/simple/sample-project/"
        .parse()
        .expect("a good URL");
    let name: ProjectName = "sample-project".parse().expect("a good name");
    let (json, html) = (json(), html());
    let page: ProjectPage = simple_json::parse_project(&json, &page_url, &name)
        .expect("a good page")
        .value;
    assert_eq!(page.files.len(), FILES);

    let mut group = criterion.benchmark_group("page");
    group.throughput(Throughput::Elements(FILES as u64));
    group.bench_function("parse json", |bencher| {
        bencher.iter(|| simple_json::parse_project(black_box(&json), &page_url, &name));
    });
    group.bench_function("parse html", |bencher| {
        bencher.iter(|| simple_html::parse_project(black_box(&html), &page_url, &name));
    });
    group.bench_function("write json", |bencher| {
        bencher.iter(|| render::project_json(black_box(&page), href, |_| None));
    });
    group.bench_function("write html", |bencher| {
        bencher.iter(|| render::project_html(black_box(&page), href, |_| None));
    });
    let stored = serde_json::to_vec(&page).expect("a page has no faults");
    group.bench_function("write stored", |bencher| {
        bencher.iter(|| serde_json::to_vec(black_box(&page)));
    });
    group.bench_function("parse stored", |bencher| {
        bencher.iter(|| serde_json::from_slice::<ProjectPage>(black_box(&stored)));
    });
    group.finish();
}

fn names(criterion: &mut Criterion) {
    let project: ProjectName = "sample-project".parse().expect("a good name");
    let names: Vec<Filename> = (0..FILES)
        .map(|at| filename(at).parse().expect("a good filename"))
        .collect();
    let mut group = criterion.benchmark_group("name");
    group.bench_function("normalise", |bencher| {
        bencher.iter(|| black_box("Zope.Interface_Extra").parse::<ProjectName>());
    });
    group.bench_function("is normal", |bencher| {
        bencher.iter(|| ProjectName::is_normal(black_box("zope-interface-extra")));
    });
    group.throughput(Throughput::Elements(FILES as u64));
    group.bench_function("versions of 10,000 filenames", |bencher| {
        bencher.iter(|| {
            black_box(&names)
                .iter()
                .filter_map(|name| name.version_of(&project))
                .count()
        });
    });
    group.bench_function("projects of 10,000 filenames", |bencher| {
        bencher.iter(|| {
            black_box(&names)
                .iter()
                .filter_map(Filename::project_and_version)
                .count()
        });
    });
    group.finish();
}

criterion_group!(benches, pages, names);
criterion_main!(benches);
