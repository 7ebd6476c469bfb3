//! Upstreams with habits that a client would stumble over if we passed them on.

use testkit::{Dist, Fault, Installer, Pages, Project, Scratch, Upstream};

use crate::{mirror, with_every_installer};

const JSON: &str = "application/vnd.pypi.simple.v1+json";

fn two() -> Upstream {
    Upstream::start([
        Project::new("foo").with(Dist::wheel("1.0").requires("bar")),
        Project::new("bar").sdist("1.0"),
    ])
}

const BOTH: [&str; 2] = ["bar==1.0", "foo==1.0"];

#[track_caller]
fn installs_both(installer: Installer, upstream: &Upstream) {
    let server = mirror(upstream);
    let installed = installer.install(&Scratch::new(), &server.simple(), &["foo"]);
    assert_eq!(installed.projects(), BOTH);
}

/// A page of foo, as upstream writes it, with these files.
fn page(upstream: &Upstream, meta: &str, files: &[String]) {
    let files = files.join(",");
    let page = format!("{{\"meta\": {meta}, \"name\": \"foo\", \"files\": [{files}]}}");
    upstream.fault("/simple/foo/", Fault::body(JSON, &page));
}

/// A file of that page: where it is, and whatever else is said of it.
fn file(upstream: &Upstream, filename: &str, more: &str) -> String {
    let url = upstream.path_of(filename);
    format!("{{\"filename\": \"{filename}\", \"url\": \"{url}\"{more}}}")
}

const FOO: &str = "foo-1.0-py3-none-any.whl";

with_every_installer! {
    fn headers_for_us_alone_trouble_no_client(installer) {
        let upstream = two();
        for on in ["/simple/*", "*.whl", "*.metadata", "*.tar.gz"] {
            let meant_for_us = Fault::headers()
                .header("Set-Cookie", "edge=7; Path=/")
                .header("Vary", "*")
                .header("Cache-Control", "private, no-store")
                .header("Pragma", "no-cache")
                .header("Expires", "0")
                .header("Content-Disposition", "attachment; filename=\"other.whl\"");
            upstream.fault(on, meant_for_us);
        }
        let server = mirror(&upstream);
        for _ in ["cold", "warm"] {
            let installed = installer.install(&Scratch::new(), &server.simple(), &["foo"]);
            assert_eq!(installed.projects(), BOTH);
        }
        assert_eq!(upstream.count("*.whl").requests, 1);
        assert_eq!(upstream.count("/simple/foo/").requests, 1);
    }

    fn files_of_any_content_type_install(installer) {
        for content_type in ["text/html; charset=utf-8", ""] {
            let upstream = two();
            for on in ["*.whl", "*.metadata", "*.tar.gz"] {
                upstream.fault(on, Fault::headers().header("Content-Type", content_type));
            }
            installs_both(installer, &upstream);
        }
    }

    // Many file servers say of every name that ends so what is inside, and not how it is sent.
    fn an_sdist_that_upstream_calls_encoded_is_served_as_it_is(installer) {
        let upstream = two();
        upstream.fault("*.tar.gz", Fault::headers().header("Content-Encoding", "gzip"));
        installs_both(installer, &upstream);
    }

    fn a_page_of_a_later_minor_version_is_read(installer) {
        let upstream = two();
        let all = file(&upstream, FOO, ", \"hashes\": {}, \"colour\": \"blue\"");
        page(&upstream, "{\"api-version\": \"1.99\", \"tracks\": []}", &[all]);
        installs_both(installer, &upstream);
    }

    fn a_file_of_another_size_than_the_page_says_installs(installer) {
        let upstream = two();
        let all = file(&upstream, FOO, ", \"hashes\": {}, \"size\": 7");
        page(&upstream, "{\"api-version\": \"1.1\"}", &[all]);
        installs_both(installer, &upstream);
    }

    // uv would read nothing of the whole page.
    fn a_file_that_makes_no_sense_costs_nobody_the_others(installer) {
        let upstream = two();
        let odd = [
            "{\"filename\": \"foo-not a version.whl\", \"url\": \"/packages/x\", \"hashes\": {}}",
            "{\"filename\": \"foo-2.0-py3-none-any.whl\", \"hashes\": {}}",
            "{\"filename\": \"foo-2.1-py3-none-any.whl\", \"url\": \"/packages/x\"}",
            "{\"filename\": \"foo-2.2-py3-none-any.whl\", \"url\": \"/packages/x\", \"hashes\": null}",
            "{\"filename\": \"foo-2.3-py3-none-any.whl\", \"url\": \"/packages/x\", \"hashes\": {\"sha256\": \"beef\"}}",
            "{\"filename\": \"foo-2.4-py3-none-any.whl\", \"url\": \"/packages/x\", \"hashes\": {}, \"size\": \"large\"}",
            "{\"url\": \"/packages/nameless\", \"hashes\": {}}",
            "{\"filename\": \"foo-3.0-py3-none-any.whl\", \"url\": \"/x\", \"hashes\": {}, \"requires-python\": \"snake\"}",
            "{\"filename\": \"foo-1.0-variants.json\", \"url\": \"/packages/v.json\", \"hashes\": {}}",
            "{\"filename\": \"foo-1.0.win32-py2.7.exe\", \"url\": \"/packages/foo.exe\", \"hashes\": {}}",
            "{\"filename\": \"foo-1.0.tar.gz.asc\", \"url\": \"/packages/foo.asc\", \"hashes\": {}}",
            "{\"filename\": \"index.html\", \"url\": \"/packages/index.html\", \"hashes\": {}}",
            "7",
        ];
        let mut files: Vec<String> = odd.map(str::to_owned).into();
        files.push(file(&upstream, FOO, ", \"hashes\": {}"));
        page(&upstream, "{\"api-version\": \"1.1\"}", &files);
        let server = mirror(&upstream);
        let installed = installer.install(&Scratch::new(), &server.simple(), &["foo<3"]);
        assert_eq!(installed.projects(), BOTH);
    }

    fn links_below_a_base_are_found(installer) {
        let upstream = two();
        let path = upstream.path_of(FOO);
        let (folder, _) = path.rsplit_once('/').unwrap();
        let html = format!("<!DOCTYPE html><html><head><base href=\"{folder}/\"></head><body><a href=\"{FOO}\">{FOO}</a></body></html>");
        upstream.fault("/simple/foo/", Fault::body("TEXT/HTML;charset=UTF-8", &html));
        installs_both(installer, &upstream);
    }

    // Directories of plain web servers are called as their owners write the names.
    fn names_that_upstream_writes_otherwise_are_the_same_project(installer) {
        let upstream = Upstream::start([Project::new("Foo.Bar").wheel("1.0")]);
        upstream.change(|settings| settings.pages = Pages::Html);
        let html = format!("<a href=\"../..{path}\">Foo.Bar-1.0-py3-none-any.whl</a>", path = upstream.path_of("foo_bar-1.0-py3-none-any.whl"));
        upstream.fault("/simple/foo-bar/", Fault::redirect("/simple/Foo.Bar/"));
        upstream.fault("/simple/Foo.Bar/", Fault::body("text/html", &html));
        let server = mirror(&upstream);
        let installed = installer.install(&Scratch::new(), &server.simple(), &["FOO_bar"]);
        assert_eq!(installed.projects().len(), 1, "{:?}", installed.run);
    }

    // pip passes over a page of a type that is none of the three, and uv stops for good.
    fn a_page_of_no_known_type_is_never_passed_on(installer) {
        let upstream = two();
        let server = crate::server().mirroring(&upstream).expect_5xx().start();
        for content_type in ["application/json", ""] {
            upstream.fault("/simple/foo/", Fault::headers().header("Content-Type", content_type));
            let installed = installer.install(&Scratch::new(), &server.simple(), &["foo"]);
            installed.run.fails();
            if installer == Installer::UvNewest {
                installed.run.says("its page has");
            }
        }
        // Nothing of it is kept.
        upstream.heal();
        let installed = installer.install(&Scratch::new(), &server.simple(), &["foo"]);
        assert_eq!(installed.projects(), BOTH);
    }
}
