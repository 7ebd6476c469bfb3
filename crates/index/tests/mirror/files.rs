//! Files: one transfer for all, resumed, checked, never from where they should not come.

use std::time::Duration;

use index::mirror::{FileHosts, FilesFrom, Upstream as At};
use index::{Body, Cache, Error, Part, Source};
use testkit::{Dist, Fault, HashKind, Project, Upstream};

use crate::rig::{Rig, read, simple};

const WHEEL: &str = "foo-1.0-py3-none-any.whl";

fn upstream_of(padding: usize) -> Upstream {
    Upstream::start([Project::new("foo").with(Dist::wheel("1.0").padding(padding))])
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_readers_of_one_cold_file_cause_one_transfer() {
    let upstream = upstream_of(3_000_000);
    upstream.change(|settings| settings.rate = Some(10_000_000));
    let rig = Rig::new(&upstream).await;
    let path = rig.path("foo", WHEEL).await;
    let all = futures_util::future::join_all((0..20).map(|_| rig.read(&path, Part::File))).await;
    for bytes in all {
        assert_eq!(bytes.unwrap(), upstream.content_of(WHEEL));
    }
    assert_eq!(upstream.count(upstream.path_of(WHEEL).as_str()).requests, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_transfer_is_resumed_where_it_broke() {
    for fault in [
        Fault::truncate(700_000),
        Fault::reset(700_000),
        Fault::stall(700_000),
    ] {
        let upstream = upstream_of(2_000_000);
        let mut config = simple(&upstream);
        config.read_timeout = Duration::from_secs(1);
        let rig = Rig::with(config, None).await;
        upstream.fault("*.whl", fault.times(1));
        assert_eq!(
            rig.file("foo", WHEEL).await.unwrap(),
            upstream.content_of(WHEEL)
        );
        let count = upstream.count("*.whl");
        assert_eq!((count.requests, count.ranged), (2, 1));
        assert!(count.bytes < 2_500_000, "{count:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_transfer_of_an_upstream_without_ranges_is_taken_up_all_the_same() {
    let upstream = upstream_of(2_000_000);
    upstream.change(|settings| settings.ranges = false);
    let rig = Rig::new(&upstream).await;
    upstream.fault("*.whl", Fault::truncate(700_000).times(1));
    assert_eq!(
        rig.file("foo", WHEEL).await.unwrap(),
        upstream.content_of(WHEEL)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_bytes_are_refused_remembered_and_never_stored() {
    for padding in [0, 1_000_000] {
        let upstream = upstream_of(padding);
        let rig = Rig::new(&upstream).await;
        upstream.fault("*.whl", Fault::corrupt(60));
        assert!(matches!(
            rig.file("foo", WHEEL).await,
            Err(Error::Refused { .. })
        ));
        assert_eq!(rig.stats.refused.value(), 1);
        let path = rig.path("foo", WHEEL).await;
        let db = rig.data.db().await.unwrap();
        assert!(db.refused("root/pypi", &path).await.unwrap().is_some());
        assert_eq!(rig.data.blobs().list().count(), 0);
        upstream.heal();
        assert_eq!(
            rig.file("foo", WHEEL).await.unwrap(),
            upstream.content_of(WHEEL)
        );
        testkit::wait_until("the file is kept", || rig.data.blobs().list().count() == 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_keeps_sending_wrong_bytes_is_left_alone() {
    let upstream = upstream_of(0);
    let rig = Rig::new(&upstream).await;
    upstream.fault("*.whl", Fault::corrupt(60));
    for _ in 0..5 {
        assert!(matches!(
            rig.file("foo", WHEEL).await,
            Err(Error::Refused { .. })
        ));
    }
    assert_eq!(upstream.count("*.whl").requests, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_digest_or_none_is_good_enough() {
    for kind in [HashKind::Md5, HashKind::None] {
        let upstream = upstream_of(100_000);
        upstream.change(|settings| settings.hashes = kind);
        let rig = Rig::new(&upstream).await;
        let path = rig.path("foo", WHEEL).await;
        let cold = rig.mirror.open(&path, Part::File).await.unwrap().unwrap();
        let etag = cold.etag.clone();
        assert_eq!(read(cold).await.unwrap(), upstream.content_of(WHEEL));
        testkit::wait_until("the file is kept", || rig.stats.disk_used.value() > 0);
        let warm = rig.mirror.open(&path, Part::File).await.unwrap().unwrap();
        assert_eq!((warm.etag, warm.cache), (etag, Cache::Hit));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_of_a_slow_upstream_comes_in_parallel_ranges() {
    let upstream = upstream_of(26_000_000);
    upstream.change(|settings| settings.rate = Some(20_000_000));
    for hashes in [HashKind::Sha256, HashKind::None] {
        upstream.change(|settings| settings.hashes = hashes);
        upstream.forget_requests();
        let rig = Rig::new(&upstream).await;
        assert!(rig.file("foo", WHEEL).await.unwrap() == upstream.content_of(WHEEL));
        let count = upstream.count("*.whl");
        assert!(count.ranged > 3, "{count:?}");
        assert!(count.bytes < 36_000_000, "{count:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_of_a_fast_upstream_needs_few_requests() {
    let upstream = upstream_of(26_000_000);
    let rig = Rig::new(&upstream).await;
    assert!(rig.file("foo", WHEEL).await.unwrap() == upstream.content_of(WHEEL));
    let count = upstream.count("*.whl");
    assert!(count.requests <= 12, "{count:?}");
    assert_eq!(rig.stats.files.misses.value(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_about_a_cold_file_fetches_nothing_of_it() {
    let upstream = upstream_of(1_000_000);
    let rig = Rig::new(&upstream).await;
    let path = rig.path("foo", WHEEL).await;
    let head = rig.mirror.head(&path, Part::File).await.unwrap().unwrap();
    assert_eq!(head.len, Some(upstream.content_of(WHEEL).len() as u64));
    assert_eq!(upstream.count("*.whl").bytes, 0);
    let open = rig.mirror.open(&path, Part::File).await.unwrap().unwrap();
    assert_eq!((open.etag, open.len), (head.etag, head.len));
    assert!(
        rig.mirror
            .head("no/foo-2.0.tar.gz", Part::File)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_missing_upstream_is_missing_here() {
    let upstream = upstream_of(0);
    let rig = Rig::new(&upstream).await;
    upstream.fault("*.whl", Fault::status(404));
    assert!(matches!(
        rig.file("foo", WHEEL).await,
        Err(Error::NoSuchFile { .. })
    ));
    assert!(
        rig.mirror
            .open("no/such/foo-9.0.tar.gz", Part::File)
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        rig.mirror
            .open("nothing", Part::File)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_of_a_moment_ago_is_found_by_its_file_alone() {
    let upstream = upstream_of(0);
    let rig = Rig::new(&upstream).await;
    rig.project("foo").await.unwrap();
    let path = upstream.path_of(WHEEL);
    let bytes = rig
        .read(path.trim_start_matches('/'), Part::File)
        .await
        .unwrap();
    assert_eq!(bytes, upstream.content_of(WHEEL));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_on_another_host_come_only_where_that_is_allowed() {
    let upstream = upstream_of(0);
    let elsewhere = format!("http://localhost:{}", upstream.port());
    upstream.change(|settings| settings.files_at = Some(elsewhere));
    let rig = Rig::new(&upstream).await;
    assert!(matches!(
        rig.file("foo", WHEEL).await,
        Err(Error::Forbidden { .. })
    ));
    let mut config = simple(&upstream);
    config.file_hosts = FileHosts::AnyPublic(Vec::new());
    let rig = Rig::with(config.clone(), None).await;
    assert!(
        rig.file("foo", WHEEL).await.is_err(),
        "localhost is not public"
    );
    config.file_hosts = FileHosts::Listed(vec!["localhost".into()]);
    let rig = Rig::with(config, None).await;
    assert_eq!(
        rig.file("foo", WHEEL).await.unwrap(),
        upstream.content_of(WHEEL)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_body_is_given_up() {
    let upstream = upstream_of(0);
    let rig = Rig::new(&upstream).await;
    upstream.fault("*.whl", Fault::endless());
    let outcome = tokio::time::timeout(Duration::from_secs(20), rig.file("foo", WHEEL))
        .await
        .unwrap();
    assert!(outcome.is_err());
    testkit::wait_until("nothing is left of it", || {
        rig.data.blobs().staged_count() == 0
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_url_with_a_query_is_served_without_it() {
    let upstream = upstream_of(0);
    upstream.change(|settings| settings.file_query = Some("token=secret".into()));
    let rig = Rig::new(&upstream).await;
    let path = rig.path("foo", WHEEL).await;
    assert!(!path.contains('?'));
    assert_eq!(
        rig.read(&path, Part::File).await.unwrap(),
        upstream.content_of(WHEEL)
    );
    let metadata = rig.read(&path, Part::Metadata).await.unwrap();
    assert!(metadata.starts_with(b"Metadata-Version"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_may_know_a_file_that_our_stale_page_lacks() {
    let upstream = upstream_of(0);
    let mut config = simple(&upstream);
    config.fresh_for = Duration::ZERO;
    let rig = Rig::with(config, None).await;
    rig.project("foo").await.unwrap();
    upstream.put(Project::new("foo").wheel("1.0").wheel("2.0"));
    // Longer than a just stale page waits for upstream.
    upstream.fault("/simple/foo/", Fault::delay(Duration::from_millis(500)));
    let path = upstream.path_of("foo-2.0-py3-none-any.whl");
    let bytes = rig.read(path.trim_start_matches('/'), Part::File).await;
    assert!(bytes.is_ok(), "{bytes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_stays_upstream_is_told_by_its_address_without_our_credentials() {
    let upstream = upstream_of(1000);
    let mut config = simple(&upstream);
    config.files_from = FilesFrom::Upstream;
    let url = upstream.simple().replace("://", "://alice:secret@");
    config.upstream = At::Simple(url.parse().unwrap());
    let rig = Rig::with(config.clone(), None).await;
    let path = rig.path("foo", WHEEL).await;
    let there = format!("{}{}", upstream.origin(), upstream.path_of(WHEEL));
    let found = [
        rig.mirror.open(&path, Part::File).await,
        rig.mirror.head(&path, Part::File).await,
    ];
    for open in found {
        let body = open.unwrap().unwrap().body;
        assert!(
            matches!(&body, Body::Elsewhere(url) if url.as_str() == there),
            "{body:?}"
        );
    }
    assert_eq!(upstream.count("*.whl").requests, 0);
    let none = rig
        .mirror
        .open("packages/none-1.0.tar.gz", Part::File)
        .await;
    assert!(none.unwrap().is_none());
    config.offline = true;
    let rig = rig.again(config).await;
    let told = rig.mirror.open(&path, Part::File).await;
    // Offline, a page lists what is here alone.
    assert!(matches!(told, Err(Error::Offline { .. })), "{told:?}");
}
