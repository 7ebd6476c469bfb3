//! Metadata: upstream's where there is any, made from the wheel where there is none.

use index::mirror::MetadataFrom;
use index::{Error, Part, Source};
use pyspec::CoreMetadata;
use testkit::{Dist, Fault, Metadata, Project, Upstream};

use crate::rig::{Rig, simple};

const WHEEL: &str = "foo-1.0-py3-none-any.whl";

async fn advertised(rig: &Rig) -> CoreMetadata {
    rig.project("foo")
        .await
        .unwrap()
        .unwrap()
        .project
        .page
        .files[0]
        .core_metadata
        .clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn upstreams_metadata_is_checked_and_kept() {
    let upstream = Upstream::start([Project::new("foo").wheel("1.0")]);
    let rig = Rig::new(&upstream).await;
    let path = rig.path("foo", WHEEL).await;
    for _ in 0..2 {
        assert!(
            rig.read(&path, Part::Metadata)
                .await
                .unwrap()
                .starts_with(b"Metadata-Version")
        );
    }
    assert_eq!(upstream.count("*.metadata").requests, 1);
    assert_eq!(upstream.count("*.whl").requests, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_with_a_wrong_digest_is_refused() {
    let upstream =
        Upstream::start([Project::new("foo").with(Dist::wheel("1.0").wrong_metadata_digest())]);
    let rig = Rig::new(&upstream).await;
    let path = rig.path("foo", WHEEL).await;
    assert!(matches!(
        rig.read(&path, Part::Metadata).await,
        Err(Error::Refused { .. })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_that_upstream_lacks_is_made_from_a_few_bytes_of_the_wheel() {
    let upstream =
        Upstream::start([Project::new("foo").with(Dist::wheel("1.0").padding(2_000_000))]);
    upstream.change(|settings| settings.metadata = false);
    let rig = Rig::new(&upstream).await;
    assert!(matches!(advertised(&rig).await, CoreMetadata::Present(hashes) if hashes.is_empty()));
    let path = rig.path("foo", WHEEL).await;
    assert!(
        rig.read(&path, Part::Metadata)
            .await
            .unwrap()
            .starts_with(b"Metadata-Version")
    );
    assert!(upstream.count("*.whl").bytes < 200_000);
    assert_eq!(rig.stats.metadata_made.value(), 1);
    let rig = rig.again(simple(&upstream)).await;
    assert!(
        matches!(advertised(&rig).await, CoreMetadata::Present(hashes) if hashes.sha256().is_some())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn upstream_is_not_asked_for_metadata_if_it_is_not_to_be() {
    let upstream = Upstream::start([Project::new("foo").wheel("1.0")]);
    let mut config = simple(&upstream);
    config.metadata_from = MetadataFrom::Wheel;
    let rig = Rig::with(config, None).await;
    let path = rig.path("foo", WHEEL).await;
    let made = rig.read(&path, Part::Metadata).await.unwrap();
    assert!(made.starts_with(b"Metadata-Version"));
    assert_eq!(upstream.count("*.metadata").requests, 0);
    assert_eq!(rig.stats.metadata_made.value(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn upstream_is_asked_for_metadata_that_it_does_not_list_if_it_has_all() {
    for (has_it, made) in [(true, 0), (false, 1)] {
        let upstream = Upstream::start([Project::new("foo").wheel("1.0")]);
        upstream.change(|settings| settings.metadata = false);
        let mut config = simple(&upstream);
        config.metadata_from = MetadataFrom::Upstream;
        let rig = Rig::with(config, None).await;
        let path = rig.path("foo", WHEEL).await;
        upstream.change(|settings| settings.metadata = has_it);
        let read = rig.read(&path, Part::Metadata).await.unwrap();
        assert!(read.starts_with(b"Metadata-Version"));
        assert_eq!(upstream.count("*.metadata").requests, 1);
        assert_eq!(rig.stats.metadata_made.value(), made);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_ranges_the_whole_wheel_is_fetched_once_for_its_metadata() {
    let upstream = Upstream::start([Project::new("foo").with(Dist::wheel("1.0").padding(300_000))]);
    upstream.change(|settings| {
        settings.metadata = false;
        settings.ranges = false;
    });
    let rig = Rig::new(&upstream).await;
    let path = rig.path("foo", WHEEL).await;
    assert!(
        rig.read(&path, Part::Metadata)
            .await
            .unwrap()
            .starts_with(b"Metadata-Version")
    );
    assert_eq!(
        rig.read(&path, Part::File).await.unwrap(),
        upstream.content_of(WHEEL)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn advertised_metadata_that_is_not_there_is_made() {
    let upstream = Upstream::start([Project::new("foo").wheel("1.0")]);
    upstream.fault("*.metadata", Fault::status(404));
    let rig = Rig::new(&upstream).await;
    let path = rig.path("foo", WHEEL).await;
    assert!(
        rig.read(&path, Part::Metadata)
            .await
            .unwrap()
            .starts_with(b"Metadata-Version")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wheel_that_has_no_metadata_is_no_longer_said_to_have_any() {
    let upstream =
        Upstream::start([Project::new("foo").with(Dist::wheel("1.0").metadata(Metadata::Missing))]);
    let rig = Rig::new(&upstream).await;
    let path = rig.path("foo", WHEEL).await;
    assert!(matches!(
        rig.read(&path, Part::Metadata).await,
        Err(Error::UpstreamWrong { .. })
    ));
    let rig = rig.again(simple(&upstream)).await;
    assert_eq!(advertised(&rig).await, CoreMetadata::Absent);
    assert!(
        rig.mirror
            .open(&path, Part::Metadata)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn provenance_is_passed_on_and_kept() {
    let upstream = Upstream::start([Project::new("foo").with(Dist::wheel("1.0").provenance())]);
    let rig = Rig::new(&upstream).await;
    let path = rig.path("foo", WHEEL).await;
    assert!(!rig.read(&path, Part::Provenance).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_that_was_made_is_kept_whatever_the_page_says_of_it() {
    for is_offline in [false, true] {
        let upstream = Upstream::start([Project::new("foo").wheel("1.0")]);
        if !is_offline {
            upstream.change(|settings| settings.metadata = false);
        }
        let rig = Rig::new(&upstream).await;
        let path = rig.path("foo", WHEEL).await;
        rig.file("foo", WHEEL).await.unwrap();
        testkit::wait_until("it is kept", || rig.stats.in_flight.value() == 0);
        let mut config = simple(&upstream);
        config.offline = is_offline;
        let rig = rig.again(config).await;
        for _ in 0..3 {
            rig.read(&path, Part::Metadata).await.unwrap();
            testkit::wait_until("it is kept", || rig.stats.in_flight.value() == 0);
        }
        assert_eq!(rig.stats.metadata_made.value(), 1, "offline: {is_offline}");
    }
}
