//! The disk stays bounded, and neither open nor pinned files go.

use index::{Part, Source};
use store::Filter;
use testkit::{Dist, Project, Upstream, wait_until};

use crate::rig::{Rig, simple};

fn upstream() -> Upstream {
    let project = |name: &str| Project::new(name).with(Dist::wheel("1.0").padding(1_000_000));
    Upstream::start(["a", "b", "c", "d"].map(project))
}

fn wheel(project: &str) -> String {
    format!("{project}-1.0-py3-none-any.whl")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_least_recently_used_files_go_and_pinned_ones_stay() {
    let upstream = upstream();
    let rig = Rig::with(simple(&upstream), Some(2_500_000)).await;
    rig.file("a", &wheel("a")).await.unwrap();
    wait_until("a is kept", || rig.stats.disk_used.value() > 1_000_000);
    let db = rig.data.db().await.unwrap();
    let filter = Filter {
        project: Some("a".parse().unwrap()),
        ..Filter::default()
    };
    assert_eq!(db.set_pinned(&filter, true).await.unwrap(), 1);
    for project in ["b", "c", "d"] {
        rig.file(project, &wheel(project)).await.unwrap();
        wait_until("it is kept", || rig.data.blobs().list().count() >= 2);
    }
    wait_until("the disk is bounded again", || {
        rig.stats.evicted_files.value() >= 2
    });
    assert!(rig.stats.disk_used.value() <= 2_500_000);
    let path = rig.path("a", &wheel("a")).await;
    upstream.forget_requests();
    rig.read(&path, Part::File).await.unwrap();
    assert_eq!(upstream.count("*.whl").requests, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_being_read_stays_until_it_is_read() {
    let upstream = upstream();
    let rig = Rig::with(simple(&upstream), Some(2_500_000)).await;
    let came = |many: i64| {
        let stats = rig.stats.clone();
        wait_until("it is kept", move || {
            stats.in_flight.value() == 0
                && stats.disk_used.value() + stats.evicted_bytes.value() as i64 > many * 1_000_000
        });
    };
    rig.file("a", &wheel("a")).await.unwrap();
    came(1);
    let path = rig.path("a", &wheel("a")).await;
    let reading = rig.mirror.open(&path, Part::File).await.unwrap().unwrap();
    for (project, many) in [("b", 2), ("c", 3), ("d", 4)] {
        rig.file(project, &wheel(project)).await.unwrap();
        came(many);
    }
    wait_until("the disk is bounded again", || {
        rig.stats.evicted_files.value() >= 2
    });
    let db = rig.data.db().await.unwrap();
    let row = db.file("root/pypi", &path).await.unwrap();
    assert!(row.is_some(), "used before all the others, and open");
    drop(reading);
    rig.file("b", &wheel("b")).await.unwrap();
    wait_until("it goes when nobody reads it", || {
        rig.stats.evicted_files.value() >= 3
    });
    assert_eq!(db.file("root/pypi", &path).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_read_since_before_it_was_whole_stays_as_well() {
    let upstream = upstream();
    let rig = Rig::with(simple(&upstream), Some(2_500_000)).await;
    let path = rig.path("a", &wheel("a")).await;
    let reading = rig.mirror.open(&path, Part::File).await.unwrap().unwrap();
    assert!(matches!(reading.body, index::Body::Growing(_)));
    wait_until("a is kept", || {
        rig.stats.in_flight.value() == 0 && rig.stats.disk_used.value() > 1_000_000
    });
    for project in ["b", "c", "d"] {
        rig.file(project, &wheel(project)).await.unwrap();
        wait_until("it is kept", || rig.stats.in_flight.value() == 0);
    }
    wait_until("the disk is bounded again", || {
        rig.stats.evicted_files.value() >= 2
    });
    let db = rig.data.db().await.unwrap();
    let row = db.file("root/pypi", &path).await.unwrap();
    assert!(row.is_some(), "used before all the others, and open");
    drop(reading);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_pruned_by_somebody_else_is_fetched_again() {
    let upstream = upstream();
    let rig = Rig::new(&upstream).await;
    rig.file("a", &wheel("a")).await.unwrap();
    wait_until("a is kept", || {
        rig.stats.disk_used.value() > 0 && rig.stats.in_flight.value() == 0
    });
    rig.file("a", &wheel("a")).await.unwrap();
    let (digest, _) = rig.data.blobs().list().next().unwrap().unwrap();
    rig.data.blobs().remove(&digest).unwrap();
    assert_eq!(
        rig.file("a", &wheel("a")).await.unwrap(),
        upstream.content_of(&wheel("a"))
    );
    assert_eq!(upstream.count("*.whl").requests, 2);
}
