//! Private indexes beside devpi-server, in one run: uploads, pages, credentials.
//!
//!     cargo xtask setup && cargo bench -p pilothouse --bench private
//!
//! Prints a table for docs/benchmarks.md. Each server runs alone, over a fresh
//! directory; the clients are threads with a connection each.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "its table is its result")]

#[path = "private/client.rs"]
mod client;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{DevpiServer, Dist, FORM, Project, Server, Upstream, form};

use client::{Client, Credentials};

/// How long each row is measured.
const SECONDS: u64 = 5;

/// Bytes of a large wheel, and how many each client sends.
const LARGE: usize = 64 << 20;
const LARGE_EACH: usize = 2;

/// Files of the project whose page is asked for.
const FILES: usize = 20;

/// What pip asks for.
const PIP: &str = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01";

/// One row of the table: what was measured, its unit, and a figure if there is one.
type Row = (String, &'static str, Option<f64>);

fn main() {
    let upstream = Upstream::start([Project::new("bar").wheel("1.0")]);
    let ours = {
        let server = Server::new(env!("CARGO_BIN_EXE_pilothouse"))
            .mirroring(&upstream)
            .start();
        measure(server.url(), Whose::Ours)
    };
    let devpis = {
        let server = DevpiServer::new().mirroring(&upstream).start();
        measure(&server.url(), Whose::Devpis)
    };
    println!("| what | unit | pilothouse | devpi-server | ratio |\n|---|---|---|---|---|");
    for ((what, unit, ours), (_, _, devpis)) in ours.iter().zip(&devpis) {
        let figure = |figure: &Option<f64>| figure.map_or("-".to_owned(), rounded);
        let ratio = match (ours, devpis) {
            (Some(ours), Some(devpis)) if unit.starts_with("ms") => rounded(devpis / ours),
            (Some(ours), Some(devpis)) => rounded(ours / devpis),
            _ => "-".to_owned(),
        };
        println!(
            "| {what} | {unit} | {} | {} | {ratio} × |",
            figure(ours),
            figure(devpis)
        );
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Ours,
    Devpis,
}

fn rounded(figure: f64) -> String {
    match figure {
        _ if figure >= 100.0 => format!("{figure:.0}"),
        _ if figure >= 1.0 => format!("{figure:.1}"),
        _ => format!("{figure:.3}"),
    }
}

fn measure(url: &str, whose: Whose) -> Vec<Row> {
    let admin = furnish(url, whose);
    let mut rows = Vec::new();
    for clients in [1, 8] {
        let figure = uploads(url, &admin, clients);
        rows.push((
            format!("uploads of 2 kB, {clients} client(s)"),
            "1/s",
            Some(figure),
        ));
    }
    for clients in [1, 8] {
        let figure = large_uploads(url, &admin, clients);
        rows.push((
            format!("uploads of 64 MB, {clients} client(s)"),
            "MB/s",
            Some(figure),
        ));
    }
    let page = "/admin/dev/+simple/many/";
    for clients in [1, 8] {
        let figure = pages(url, page, None, clients);
        rows.push((
            format!("page of {FILES} files through two bases, {clients} connection(s)"),
            "1/s",
            Some(figure),
        ));
    }
    let private = if whose == Whose::Ours {
        "/admin/closed/+simple/many/"
    } else {
        page
    };
    let login = login(url);
    let password = Credentials::Basic("admin".to_owned(), "secret".to_owned());
    rows.push((
        "first request with a password".to_owned(),
        "ms",
        Some(first(url, private, &password)),
    ));
    let mut all = vec![("password", Some(password)), ("login token", Some(login))];
    all.push((
        "API token",
        (whose == Whose::Ours).then(|| api_token(url, &admin)),
    ));
    for (name, credentials) in all {
        let figure = credentials.map(|credentials| pages(url, private, Some(&credentials), 1));
        rows.push((
            format!("private page with a {name}, 1 connection"),
            "1/s",
            figure,
        ));
        rows.push((
            "the same, each".to_owned(),
            "ms",
            figure.map(|figure| 1000.0 / figure),
        ));
    }
    rows
}

/// A user, and indexes over indexes with a project of many files.
fn furnish(url: &str, whose: Whose) -> Credentials {
    let root = Credentials::Devpi("root".to_owned(), String::new());
    let mut client = Client::new(url);
    let user = json!({"password": "secret"});
    assert_eq!(client.json("PUT", "/admin", Some(&root), &user).status, 201);
    let admin = login(url);
    let indexes = [
        ("base", json!({"bases": "root/pypi"})),
        ("middle", json!({"bases": "admin/base,root/pypi"})),
        ("dev", json!({"bases": "admin/middle,root/pypi"})),
    ];
    for (index, settings) in indexes {
        let made = client.json("PUT", &format!("/admin/{index}"), Some(&admin), &settings);
        assert_eq!(made.status, 200, "{}", made.text());
    }
    if whose == Whose::Ours {
        let settings = json!({"bases": "admin/dev", "acl_pkg_read": "admin"});
        client.json("PUT", "/admin/closed", Some(&admin), &settings);
    }
    for version in 0..FILES {
        let form = wheel("many", &format!("1.{version}"), 0);
        upload(&mut client, "/admin/base/", &admin, &form);
    }
    admin
}

fn login(url: &str) -> Credentials {
    let body = json!({"user": "admin", "password": "secret"});
    let answer = Client::new(url).json("POST", "/+login", None, &body);
    let answer: Value = serde_json::from_str(&answer.text()).unwrap();
    let token = answer["result"]["password"].as_str().unwrap().to_owned();
    Credentials::Devpi("admin".to_owned(), token)
}

fn api_token(url: &str, admin: &Credentials) -> Credentials {
    let body = json!({"name": "bench", "read": true});
    let answer = Client::new(url).json("POST", "/+tokens", Some(admin), &body);
    let answer: Value = serde_json::from_str(&answer.text()).unwrap();
    let token = answer["result"]["token"].as_str().unwrap().to_owned();
    Credentials::Basic("__token__".to_owned(), token)
}

/// The form with a wheel of this release.
fn wheel(project: &str, version: &str, padding: usize) -> Vec<u8> {
    let (name, content) = Dist::wheel(version).padding(padding).file(project);
    let fields = [
        (":action", "file_upload"),
        ("protocol_version", "1"),
        ("name", project),
        ("version", version),
        ("filetype", "bdist_wheel"),
        ("pyversion", "py3"),
        ("metadata_version", "2.1"),
    ];
    form(&fields, &name, &content)
}

fn upload(client: &mut Client, index: &str, admin: &Credentials, wheel: &[u8]) {
    let headers = [("Content-Type", FORM)];
    let answer = client.send("POST", index, Some(admin), &headers, wheel);
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// Uploads a second, each of another project.
fn uploads(url: &str, admin: &Credentials, clients: usize) -> f64 {
    let next = AtomicUsize::new(0);
    rate(clients, |_| {
        let mut client = Client::new(url);
        let next = &next;
        move || {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let project = format!("small-{clients}-{number}");
            let form = wheel(&project, "1.0", 1000);
            upload(&mut client, "/admin/dev/", admin, &form);
        }
    })
}

/// Megabytes a second.
fn large_uploads(url: &str, admin: &Credentials, clients: usize) -> f64 {
    let forms: Vec<Vec<Vec<u8>>> = (0..clients)
        .map(|number| {
            let project = format!("large-{clients}-{number}");
            let versions = (0..LARGE_EACH).map(|version| format!("1.{version}"));
            let forms = versions.map(|version| wheel(&project, &version, LARGE));
            forms.collect()
        })
        .collect();
    let bytes: usize = forms.iter().flatten().map(Vec::len).sum();
    let began = Instant::now();
    thread::scope(|scope| {
        for forms in &forms {
            scope.spawn(move || {
                let mut client = Client::new(url);
                for form in forms {
                    upload(&mut client, "/admin/dev/", admin, form);
                }
            });
        }
    });
    bytes as f64 / 1e6 / began.elapsed().as_secs_f64()
}

/// Pages a second.
fn pages(url: &str, page: &str, credentials: Option<&Credentials>, clients: usize) -> f64 {
    rate(clients, |_| {
        let mut client = Client::new(url);
        move || {
            let answer = client.send("GET", page, credentials, &[("Accept", PIP)], &[]);
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
    })
}

fn first(url: &str, page: &str, credentials: &Credentials) -> f64 {
    let mut client = Client::new(url);
    client.send("GET", "/+api", None, &[], &[]);
    let began = Instant::now();
    let answer = client.send("GET", page, Some(credentials), &[("Accept", PIP)], &[]);
    assert_eq!(answer.status, 200, "{}", answer.text());
    began.elapsed().as_secs_f64() * 1000.0
}

/// How often a second `clients` threads do something, after a moment to warm up.
fn rate<W: FnMut() + Send>(clients: usize, worker: impl Fn(usize) -> W) -> f64 {
    let done = AtomicUsize::new(0);
    let warm_up = Duration::from_millis(500);
    let length = Duration::from_secs(SECONDS);
    thread::scope(|scope| {
        for number in 0..clients {
            let (mut work, done) = (worker(number), &done);
            scope.spawn(move || {
                let began = Instant::now();
                while began.elapsed() < warm_up {
                    work();
                }
                let began = Instant::now();
                while began.elapsed() < length {
                    work();
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    done.into_inner() as f64 / length.as_secs_f64()
}
