//! Files whose place upstream gives to other bytes, as nightly indexes do.

use std::time::Duration;

use futures_util::FutureExt;
use index::{Body, Cache, Error, Open, Part, Source};
use testkit::{Content, Dist, Fault, HashKind, Metadata, Project, Upstream};

use crate::rig::{Rig, read, simple};

const WHEEL: &str = "foo-1.0-py3-none-any.whl";
const PATH: &str = "nightly/foo-1.0-py3-none-any.whl";

fn foo(padding: usize) -> Project {
    Project::new("foo").with(Dist::wheel("1.0").padding(padding).in_place())
}

/// An upstream whose file is kept here, and whose page is asked for every time.
async fn kept() -> (Upstream, Rig) {
    kept_with(HashKind::Sha256).await
}

async fn kept_with(hashes: HashKind) -> (Upstream, Rig) {
    let upstream = Upstream::start([foo(1000)]);
    upstream.change(|settings| settings.hashes = hashes);
    let mut config = simple(&upstream);
    config.fresh_for = Duration::ZERO;
    let rig = Rig::with(config, None).await;
    rig.file("foo", WHEEL).await.unwrap();
    testkit::wait_until("it is kept", || rig.stats.disk_used.value() > 0);
    (upstream, rig)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_upstream_replaces_is_replaced_here() {
    let (upstream, rig) = kept().await;
    let before = upstream.content_of(WHEEL);
    upstream.put(foo(2000));
    let after = rig.file("foo", WHEEL).await.unwrap();
    assert_eq!(after, upstream.content_of(WHEEL));
    assert_ne!(after, before);
    testkit::wait_until("the old bytes are gone", || {
        rig.data.blobs().list().count() == 1
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn old_bytes_are_neither_served_nor_lost_before_the_new_ones_are_here() {
    let (upstream, rig) = kept().await;
    let db = rig.data.db().await.unwrap();
    assert!(db.set_file_pinned("root/pypi", PATH, true).await.unwrap());
    let old = db.file("root/pypi", PATH).await.unwrap().unwrap();
    upstream.put(foo(2000));
    for fault in [Fault::corrupt(60), Fault::status(404)] {
        upstream.heal();
        upstream.fault("*.whl", fault);
        assert!(rig.file("foo", WHEEL).await.is_err());
        assert_eq!(db.file("root/pypi", PATH).await.unwrap(), Some(old.clone()));
        assert!(rig.data.blobs().contains(&old.digest));
    }
    upstream.heal();
    assert_eq!(
        rig.file("foo", WHEEL).await.unwrap(),
        upstream.content_of(WHEEL)
    );
    let new = db.file("root/pypi", PATH).await.unwrap().unwrap();
    assert!(new.pinned && new.digest != old.digest);
    assert!(!rig.data.blobs().contains(&old.digest));
}

#[tokio::test(flavor = "multi_thread")]
async fn old_bytes_are_served_again_when_upstream_takes_its_word_back() {
    let (upstream, rig) = kept().await;
    upstream.put(foo(2000));
    rig.project("foo").await.unwrap();
    upstream.put(foo(1000));
    rig.project("foo").await.unwrap();
    upstream.forget_requests();
    let open = rig.mirror.open(PATH, Part::File).await.unwrap().unwrap();
    assert_eq!(open.cache, Cache::Hit);
    assert_eq!(read(open).await.unwrap(), upstream.content_of(WHEEL));
    assert_eq!(upstream.count("*.whl").requests, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn offline_a_replaced_file_is_not_listed() {
    let (upstream, rig) = kept().await;
    upstream.put(foo(2000));
    rig.project("foo").await.unwrap();
    testkit::wait_until("the page is saved", || rig.stats.in_flight.value() == 0);
    let mut config = simple(&upstream);
    config.offline = true;
    let rig = rig.again(config).await;
    assert!(matches!(
        rig.project("foo").await,
        Err(Error::Offline { .. })
    ));
}

/// A rig that reads old bytes so slowly that the page can change meanwhile.
async fn slowly(hashes: HashKind) -> (Upstream, Rig, Open) {
    let upstream = Upstream::start([foo(2_000_000)]);
    upstream.change(|settings| {
        settings.rate = Some(2_000_000);
        settings.hashes = hashes;
    });
    let mut config = simple(&upstream);
    config.fresh_for = Duration::ZERO;
    let rig = Rig::with(config, None).await;
    rig.project("foo").await.unwrap();
    let old = rig.mirror.open(PATH, Part::File).await.unwrap().unwrap();
    (upstream, rig, old)
}

fn is_arriving(open: &Open) -> bool {
    matches!(&open.body, Body::Growing(growing) if growing.wait(u64::MAX).now_or_never().is_none())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_changes_while_old_bytes_arrive_is_believed() {
    for hashes in [HashKind::Sha256, HashKind::Md5] {
        let (upstream, rig, old) = slowly(hashes).await;
        upstream.put(foo(1000));
        rig.project("foo").await.unwrap();
        assert!(is_arriving(&old), "the page came first");
        read(old).await.unwrap();
        testkit::wait_until("it is over", || rig.stats.in_flight.value() == 0);
        assert_eq!(
            rig.read(PATH, Part::File).await.unwrap(),
            upstream.content_of(WHEEL)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_with_the_new_page_does_not_join_the_transfer_of_the_old_bytes() {
    for hashes in [HashKind::Sha256, HashKind::Md5] {
        let (upstream, rig, old) = slowly(hashes).await;
        let before = upstream.content_of(WHEEL);
        upstream.put(foo(1000));
        rig.project("foo").await.unwrap();
        let new = rig.mirror.open(PATH, Part::File).await.unwrap().unwrap();
        assert!(is_arriving(&old), "both arrive at once");
        let after = upstream.content_of(WHEEL);
        assert_eq!(read(new).await.unwrap(), after);
        assert_eq!(read(old).await.unwrap(), before, "its readers go on");
        testkit::wait_until("both are over", || rig.stats.in_flight.value() == 0);
        upstream.forget_requests();
        assert_eq!(rig.read(PATH, Part::File).await.unwrap(), after);
        assert_eq!(upstream.count("*.whl").requests, 0, "the new one is kept");
        assert_eq!(rig.data.blobs().list().count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_replaced_where_upstream_has_md5_only() {
    let (upstream, rig) = kept_with(HashKind::Md5).await;
    let former = upstream.content_of(WHEEL);
    upstream.put(foo(2000));
    assert_eq!(
        rig.file("foo", WHEEL).await.unwrap(),
        upstream.content_of(WHEEL)
    );
    // And back: what was refused to nobody is asked for, since no md5 is kept.
    upstream.put(foo(1000));
    assert_eq!(rig.file("foo", WHEEL).await.unwrap(), former);
    testkit::wait_until("it is kept", || rig.stats.in_flight.value() == 0);
    upstream.forget_requests();
    assert_eq!(rig.file("foo", WHEEL).await.unwrap(), former);
    assert_eq!(upstream.count("*.whl").requests, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_beside_a_replaced_wheel_is_replaced_with_it() {
    for of in [Metadata::Advertised, Metadata::InWheel] {
        let wheel = |requires| {
            Dist::wheel("1.0")
                .requires(requires)
                .metadata(of)
                .in_place()
        };
        let foo = |requires| Project::new("foo").with(wheel(requires));
        let upstream = Upstream::start([foo("first")]);
        let mut config = simple(&upstream);
        config.fresh_for = Duration::ZERO;
        let rig = Rig::with(config, None).await;
        rig.project("foo").await.unwrap();
        rig.read(PATH, Part::Metadata).await.unwrap();
        testkit::wait_until("it is kept", || rig.stats.in_flight.value() == 0);
        upstream.put(foo("second"));
        rig.project("foo").await.unwrap();
        let metadata = rig.read(PATH, Part::Metadata).await.unwrap();
        let metadata = String::from_utf8(metadata.to_vec()).unwrap();
        assert!(metadata.contains("Requires-Dist: second"), "{metadata}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_that_arrives_after_its_wheel_was_replaced_is_not_kept() {
    let wheel = |requires| Dist::wheel("1.0").requires(requires).in_place();
    let foo = |requires| Project::new("foo").with(wheel(requires));
    let upstream = Upstream::start([foo("first")]);
    let mut config = simple(&upstream);
    config.fresh_for = Duration::ZERO;
    let rig = Rig::with(config, None).await;
    rig.project("foo").await.unwrap();
    upstream.fault(
        "*.metadata",
        Fault::trickle(20, Duration::from_millis(200)).times(1),
    );
    let mirror = rig.mirror.clone();
    let old = tokio::spawn(async move { mirror.open(PATH, Part::Metadata).await });
    upstream.wait_for("the request for the old metadata", |log| {
        log.iter()
            .any(|request| request.path.ends_with(".metadata"))
    });
    upstream.put(foo("second"));
    rig.project("foo").await.unwrap();
    let new = rig.read(PATH, Part::Metadata).await.unwrap();
    let requires = |metadata: &Content| String::from_utf8(metadata.to_vec()).unwrap();
    assert!(requires(&new).contains("Requires-Dist: second"));
    let old = read(old.await.unwrap().unwrap().unwrap()).await.unwrap();
    assert!(requires(&old).contains("Requires-Dist: first"));
    testkit::wait_until("all is kept", || rig.stats.in_flight.value() == 0);
    let kept = rig.read(PATH, Part::Metadata).await.unwrap();
    assert!(requires(&kept).contains("Requires-Dist: second"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_file_is_fetched_again_once_upstream_promises_other_bytes() {
    let upstream = Upstream::start([foo(1000)]);
    let mut config = simple(&upstream);
    config.fresh_for = Duration::ZERO;
    let rig = Rig::with(config, None).await;
    upstream.fault("*.whl", Fault::corrupt(60));
    for _ in 0..3 {
        assert!(rig.file("foo", WHEEL).await.is_err());
    }
    upstream.heal();
    upstream.put(foo(2000));
    let came = rig.file("foo", WHEEL).await.unwrap();
    assert_eq!(came, upstream.content_of(WHEEL));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_replaced_although_its_project_was_gone_in_between() {
    for hashes in [HashKind::Sha256, HashKind::Md5] {
        let (upstream, rig) = kept_with(hashes).await;
        upstream.remove("foo");
        assert!(rig.project("foo").await.unwrap().is_none());
        upstream.put(foo(2000));
        assert_eq!(
            rig.file("foo", WHEEL).await.unwrap(),
            upstream.content_of(WHEEL)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_that_a_kill_parted_from_its_page_is_put_right() {
    for hashes in [HashKind::Sha256, HashKind::Md5] {
        let (upstream, rig) = kept_with(hashes).await;
        testkit::wait_until("the page is saved", || rig.stats.in_flight.value() == 0);
        let db = rig.data.db().await.unwrap();
        let row = db.file("root/pypi", PATH).await.unwrap().unwrap();
        db.note_replaced(&row).await.unwrap();
        drop(db);
        let mut config = simple(&upstream);
        config.offline = true;
        let rig = rig.again(config).await;
        assert_eq!(
            rig.file("foo", WHEEL).await.unwrap(),
            upstream.content_of(WHEEL)
        );
    }
}
