//! Uploads through kill -9: what was acknowledged is there, with the right bytes, once.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread;

use serde_json::{Value, json};
use testkit::http::{self, Reply, Request};
use testkit::{Content, Dist, Server, Upstream, wait_until};

use crate::{assert_verified, server};

/// alice:secret
const ALICE: &str = "Basic YWxpY2U6c2VjcmV0";

const UPLOADERS: usize = 50;
const READERS: usize = 50;

/// Enough for everybody to be in the middle of something.
const ACKNOWLEDGED: usize = 300;

/// Somebody's file, with the form that it is sent with.
#[derive(Debug, Clone)]
struct Upload {
    project: String,
    version: String,
    filename: String,
    content: Content,
}

impl Upload {
    fn new(project: &str, version: &str) -> Self {
        // Every other one is long enough to come in parts, and to be synced by itself.
        let is_long = project.len().is_multiple_of(2);
        let dist = Dist::wheel(version).padding(if is_long { 40_000 } else { 100 });
        let (filename, content) = dist.file(project);
        Self {
            project: project.to_owned(),
            version: version.to_owned(),
            filename,
            content,
        }
    }

    fn form(&self) -> Vec<u8> {
        let fields = [
            (":action", "file_upload"),
            ("name", &self.project),
            ("version", &self.version),
        ];
        testkit::form(&fields, &self.filename, &self.content)
    }

    /// The answer, if one came before the server died.
    fn send(&self, url: &str) -> Option<Reply> {
        let request = Request::new("POST", &format!("{url}/alice/dev/"))
            .header("Authorization", ALICE)
            .header("Content-Type", testkit::FORM)
            .body(self.form());
        let answer = request.try_open().ok()?.finish();
        answer.whole.then_some(answer)
    }
}

/// A server with the indexes `alice/dev` and `alice/prod`.
fn start(upstream: &Upstream, fail_point: Option<&str>) -> Server {
    let mut server = server().mirroring(upstream);
    if let Some(point) = fail_point {
        server.set_env("PILOTHOUSE_FAIL_POINT", point);
    }
    server.start_again();
    for (path, fields) in [
        ("alice", json!({ "password": "secret" })),
        ("alice/dev", json!({ "volatile": false })),
        ("alice/prod", json!({ "volatile": false })),
    ] {
        let reply = asked(&server, "PUT", path, &fields);
        assert!(matches!(reply.status, 200 | 201), "{reply:?}");
    }
    server
}

fn asked(server: &Server, method: &str, path: &str, fields: &Value) -> Reply {
    request(server, method, path, fields).send()
}

fn request(server: &Server, method: &str, path: &str, fields: &Value) -> Request {
    Request::new(method, &format!("{}/{path}", server.url()))
        .header("Authorization", ALICE)
        .header("Content-Type", "application/json")
        .body(fields.to_string())
}

/// The URLs of a project's files by their names, of which each is there once.
fn files(url: &str, index: &str, project: &str) -> BTreeMap<String, String> {
    let page = format!("{url}/alice/{index}/+simple/{project}/");
    let reply = Request::get(&page).json().send();
    if reply.status == 404 {
        return BTreeMap::new();
    }
    let json = reply.json();
    let listed = json["files"].as_array().unwrap();
    let files: BTreeMap<_, _> = listed
        .iter()
        .map(|file| {
            let text = |key: &str| file[key].as_str().unwrap().to_owned();
            (text("filename"), format!("{page}{}", text("url")))
        })
        .collect();
    assert_eq!(files.len(), listed.len(), "a file is listed twice: {json}");
    files
}

/// What became of a server that was killed: nothing is missing or wrong, and what nobody names
/// can be cleared away.
fn assert_whole(server: &mut Server) {
    let after = server.run(["cache", "verify", "--json"]);
    let report: Value = serde_json::from_str(&after.stdout).unwrap();
    let (missing, corrupt) = (&report["missing"], &report["corrupt"]);
    assert_eq!((missing, corrupt), (&json!([]), &json!([])), "{report}");
    server.run(["cache", "verify", "--repair"]);
    assert_verified(server);
}

/// Two uploaders send each file, readers read along, and the server is killed in the midst.
#[test]
fn fifty_uploaders_lose_nothing_that_was_acknowledged_to_a_kill() {
    let upstream = Upstream::start([]);
    let mut server = start(&upstream, None);
    let url = server.url().to_owned();
    let acknowledged = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for uploader in 0..UPLOADERS {
            let (url, acknowledged) = (&url, &acknowledged);
            scope.spawn(move || upload_until_it_dies(url, uploader, acknowledged));
        }
        for reader in 0..READERS {
            let (url, acknowledged) = (&url, &acknowledged);
            scope.spawn(move || read_until_it_dies(url, reader, acknowledged));
        }
        wait_until("many uploads to be acknowledged", || {
            acknowledged.lock().unwrap().len() >= ACKNOWLEDGED
        });
        server.kill9();
    });
    assert_whole(&mut server);
    server.start_again();
    assert!(server.staged().is_empty(), "cleared at the start");
    let acknowledged = acknowledged.into_inner().unwrap();
    let mut known: BTreeMap<String, Content> = BTreeMap::new();
    for upload in acknowledged {
        let there = files(&url, "dev", &upload.project);
        let file = there.get(&upload.filename);
        let file = file.unwrap_or_else(|| panic!("{} is lost", upload.filename));
        assert_eq!(http::get(file).body, upload.content, "{}", upload.filename);
        assert_eq!(http::get(&format!("{file}.metadata")).status, 200);
        known.insert(upload.filename, upload.content);
    }
    // What was recorded and not acknowledged any more is whole as well, and can be sent again.
    for project in (0..UPLOADERS / 2).map(project) {
        for (filename, file) in files(&url, "dev", &project) {
            let version = filename.split('-').nth(1).unwrap();
            let upload = Upload::new(&project, version);
            let content = known.remove(&filename).unwrap_or(upload.content.clone());
            assert_eq!(http::get(&file).body, content, "{filename}");
            assert_eq!(upload.send(&url).unwrap().status, 200, "{filename}");
        }
    }
    assert!(known.is_empty(), "{known:?}");
    assert_verified(&server);
}

fn project(uploader: usize) -> String {
    format!("project{}", uploader % (UPLOADERS / 2))
}

fn upload_until_it_dies(url: &str, uploader: usize, acknowledged: &Mutex<Vec<Upload>>) {
    for n in 0.. {
        let upload = Upload::new(&project(uploader), &format!("1.{n}"));
        let Some(reply) = upload.send(url) else {
            return;
        };
        assert_eq!(reply.status, 200, "{}", reply.reason);
        acknowledged.lock().unwrap().push(upload);
    }
}

/// What was acknowledged is there at once, for everybody.
fn read_until_it_dies(url: &str, reader: usize, acknowledged: &Mutex<Vec<Upload>>) {
    for n in 0.. {
        let upload = {
            let acknowledged = acknowledged.lock().unwrap();
            let count = acknowledged.len().max(1);
            acknowledged.get((n * READERS + reader) % count).cloned()
        };
        let project = upload.as_ref().map_or("project0", |upload| &upload.project);
        let page = format!("{url}/alice/dev/+simple/{project}/");
        let Some(reply) = Request::get(&page)
            .json()
            .try_open()
            .ok()
            .map(http::Open::finish)
        else {
            return;
        };
        let Some(upload) = upload.filter(|_| reply.whole) else {
            continue;
        };
        let json = reply.json();
        let mut listed = json["files"].as_array().unwrap().iter();
        let file = listed.find(|file| file["filename"] == *upload.filename);
        let file = file.unwrap_or_else(|| panic!("{} is not there: {json}", upload.filename));
        let file = format!("{page}{}", file["url"].as_str().unwrap());
        let Some(reply) = Request::get(&file).try_open().ok().map(http::Open::finish) else {
            return;
        };
        assert!(!reply.whole || reply.body == upload.content, "{file}");
    }
}

/// Power cuts at the named lines: a whole release file is there, or nothing.
#[cfg(feature = "fail-points")]
mod points {
    use super::*;

    /// Projects of short and of long files.
    const SHORT: &str = "foo";
    const LONG: &str = "quux";

    /// Each line where an upload may end, and whether the file is there after it.
    const OF_UPLOADS: [(&str, &str, bool); 8] = [
        ("blob.written", LONG, false),
        ("blob.before-rename", LONG, false),
        ("blob.before-rename", SHORT, false),
        ("blob.after-rename", LONG, false),
        ("hosted.before-record", LONG, false),
        ("hosted.before-record", SHORT, false),
        ("hosted.after-record", LONG, true),
        ("hosted.after-record", SHORT, true),
    ];

    #[test]
    fn a_kill_in_an_upload_leaves_a_whole_file_or_none() {
        for (point, project, is_there) in OF_UPLOADS {
            let upstream = Upstream::start([]);
            let mut server = start(&upstream, Some(point));
            let upload = Upload::new(project, "1.0");
            assert!(upload.send(server.url()).is_none(), "{point}");
            revive(&mut server, point);
            let there = files(server.url(), "dev", project);
            assert_eq!(there.contains_key(&upload.filename), is_there, "{point}");
            assert_eq!(upload.send(server.url()).unwrap().status, 200, "{point}");
            let file = &files(server.url(), "dev", project)[&upload.filename];
            assert_eq!(http::get(file).body, upload.content, "{point}");
            assert_verified(&server);
        }
    }

    #[test]
    fn a_kill_in_a_push_leaves_a_whole_release_or_none() {
        for (point, is_there) in [
            ("hosted.before-record", false),
            ("hosted.after-record", true),
        ] {
            let upstream = Upstream::start([]);
            let mut server = start(&upstream, None);
            let uploads = [Upload::new("foo", "1.0"), Upload::new("foo", "1.1")];
            for upload in &uploads {
                assert_eq!(upload.send(server.url()).unwrap().status, 200);
            }
            server.stop();
            server.set_env("PILOTHOUSE_FAIL_POINT", point);
            server.start_again();
            let push = json!({ "name": "foo", "version": "1.0", "targetindex": "alice/prod" });
            let answer = request(&server, "PUSH", "alice/dev", &push).try_open();
            assert!(answer.is_err(), "{point}");
            revive(&mut server, point);
            let count = || files(server.url(), "prod", "foo").len();
            assert_eq!(count(), usize::from(is_there), "{point}");
            let pushed = asked(&server, "PUSH", "alice/dev", &push);
            assert_eq!((pushed.status, count()), (200, 1), "{point}: {pushed:?}");
            assert_verified(&server);
        }
    }

    /// Waits for its death and starts it again, without the line to die at.
    fn revive(server: &mut Server, point: &str) {
        let ended = server.wait();
        assert_eq!(ended.code, None, "it died at {point}: {ended:#?}");
        server.forget_env("PILOTHOUSE_FAIL_POINT");
        assert_whole(server);
        server.start_again();
        assert!(server.staged().is_empty(), "cleared at the start");
    }
}
