//! Files that are still arriving, through a real mirror in front of an upstream
//! that the test holds by the hand.

use std::sync::Arc;

use index::mirror::{self, Mirror, Upstream};
use index::settings::MirrorSettings;
use index::{Entry, IndexName, Stats, Storage};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::client::Client;
use crate::site::{Site, config};
use crate::source::Fake;

const LEN: usize = 300_000;
/// What upstream sends before it is told to go on.
const EARLY: usize = 200_000;
const URL: &str = "/+f/files/big-1.0.tar.gz";

fn bytes() -> Vec<u8> {
    (0..LEN).map(|n| (n % 251) as u8).collect()
}

/// A site in front of an upstream that waits in the middle of its one file.
struct Slow {
    site: Site,
    go_on: watch::Sender<bool>,
    _data: (store::DataDir, tempfile::TempDir),
}

impl Slow {
    /// `digest` is what the page promises of `file`.
    async fn start(file: Vec<u8>, early: usize, digest: &str) -> Self {
        let go_on = watch::Sender::new(false);
        let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", upstream.local_addr().unwrap());
        let page = format!(
            r#"{{"meta":{{"api-version":"1.1"}},"name":"big","versions":["1.0"],"files":[{{
            "filename":"big-1.0.tar.gz","url":"{base}/files/big-1.0.tar.gz","hashes":{{"sha256":"{digest}"}}}}]}}"#
        );
        tokio::spawn(upstream_of(upstream, page, file, early, go_on.subscribe()));
        let folder = tempfile::tempdir().unwrap();
        let data = store::DataDir::open(folder.path(), store::Mode::Serve).unwrap();
        let db = data.db().await.unwrap();
        let stats = Arc::new(Stats::default());
        let storage = Storage::open(db, data.blobs(), stats, None).await.unwrap();
        let name: IndexName = "root/pypi".parse().unwrap();
        let upstream = Upstream::Simple(format!("{base}/simple/").parse::<url::Url>().unwrap());
        let mirror_config = mirror::Config::new(name.clone(), upstream);
        let mirror = Mirror::open(mirror_config, storage, Handle::current())
            .await
            .unwrap();
        let entry = Entry::fixed(name.clone(), MirrorSettings::default(), Arc::new(mirror));
        let site = Site::of(
            config(),
            name,
            vec![entry],
            Arc::new(Fake::default()),
            Ok(()),
        )
        .await;
        let page = site.client().await.get("/simple/big/", &[]).await;
        assert_eq!(page.status, 200);
        Self {
            site,
            go_on,
            _data: (data, folder),
        }
    }

    async fn client(&self) -> Client {
        self.site.client().await
    }
}

async fn upstream_of(
    listener: TcpListener,
    page: String,
    file: Vec<u8>,
    early: usize,
    go_on: watch::Receiver<bool>,
) {
    let file: Arc<[u8]> = file.into();
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (page, file, mut go_on) = (page.clone(), file.clone(), go_on.clone());
        tokio::spawn(async move {
            let mut head = vec![0; 8192];
            loop {
                let n = stream.read(&mut head).await.unwrap_or(0);
                if n == 0 {
                    return;
                }
                let (media, body): (_, &[u8]) = if head.starts_with(b"GET /files/") {
                    ("application/octet-stream", &file)
                } else {
                    ("application/vnd.pypi.simple.v1+json", page.as_bytes())
                };
                let len = body.len();
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: {media}\r\nContent-Length: {len}\r\n\r\n"
                );
                stream.write_all(head.as_bytes()).await.unwrap();
                if body.len() == file.len() {
                    stream.write_all(&body[..early]).await.unwrap();
                    go_on.wait_for(|go_on| *go_on).await.unwrap();
                    stream.write_all(&body[early..]).await.unwrap();
                } else {
                    stream.write_all(body).await.unwrap();
                }
            }
        });
    }
}

fn digest(bytes: &[u8]) -> String {
    pyspec::Digest::from(<[u8; 32]>::from(Sha256::digest(bytes))).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_are_passed_on_before_upstream_has_sent_them_all() {
    let slow = Slow::start(bytes(), EARLY, &digest(&bytes())).await;
    let (mut first, mut second) = (slow.client().await, slow.client().await);
    first.send("GET", URL, &[]).await;
    let head = first.reply_head().await;
    assert_eq!(
        (head.status, head.header("content-length")),
        (200, Some("300000"))
    );
    assert_eq!(head.header("x-pilothouse-cache"), Some("miss"));
    assert!(first.fill(EARLY - 20_000).await);
    let range = second.get(URL, &[("Range", "bytes=1000-1999")]).await;
    assert_eq!(
        (range.status, range.header("content-range")),
        (206, Some("bytes 1000-1999/300000"))
    );
    assert_eq!(range.body, bytes()[1000..2000]);
    assert_eq!(
        second.head(URL, &[]).await.header("content-length"),
        Some("300000")
    );
    slow.go_on.send_replace(true);
    assert!(first.fill(LEN).await);
    assert!(first.pending() == bytes());
    let again = second.get(URL, &[]).await;
    assert!(again.complete && again.body == bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_file_never_looks_complete() {
    let slow = Slow::start(bytes(), EARLY, &"0".repeat(64)).await;
    let mut client = slow.client().await;
    client.send("GET", URL, &[]).await;
    assert_eq!(client.reply_head().await.status, 200);
    slow.go_on.send_replace(true);
    assert!(!client.fill(LEN).await, "the end is withheld");
    assert!(client.pending().len() < LEN);
    for _ in 0..5 {
        let again = slow.client().await.get(URL, &[]).await;
        assert!(again.status == 403 || !again.complete, "{}", again.status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_before_the_first_byte_is_said_in_words() {
    let small = bytes()[..10_000].to_vec();
    let slow = Slow::start(small.clone(), 5000, &"0".repeat(64)).await;
    slow.go_on.send_replace(true);
    let reply = slow.client().await.get(URL, &[]).await;
    let found = digest(&small);
    let line = format!(
        "`big-1.0.tar.gz` is refused: its digest should be sha256={} but upstream sent sha256={found}",
        "0".repeat(64)
    );
    assert_eq!(
        reply.problem(),
        format!("403 urn:pilothouse:refused {line}")
    );
    let (head, tail) = (&line[..98], &line[line.len() - 97..]);
    assert_eq!(reply.reason, format!("{head} ... {tail}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_does_not_stop_the_transfer() {
    let slow = Slow::start(bytes(), EARLY, &digest(&bytes())).await;
    let mut client = slow.client().await;
    client.send("GET", URL, &[]).await;
    assert!(client.fill(1000).await);
    drop(client);
    slow.go_on.send_replace(true);
    let reply = slow.client().await.get(URL, &[]).await;
    assert!(reply.complete && reply.body == bytes());
}
