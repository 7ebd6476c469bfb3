//! When upstream is asked, and what is served when it does not answer.

use std::sync::Arc;
use std::time::Duration;

use index::{Cache, Error, Source};
use testkit::{Fault, Project, Upstream};

use crate::rig::{Rig, simple};

const MULTI: &str = "/simple/foo/";

fn upstream() -> Upstream {
    Upstream::start([Project::new("foo").wheel("1.0").sdist("1.0")])
}

fn short(upstream: &Upstream, milliseconds: u64) -> index::mirror::Config {
    let mut config = simple(upstream);
    config.fresh_for = Duration::from_millis(milliseconds);
    config
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_page_is_served_without_asking() {
    let upstream = upstream();
    let rig = Rig::new(&upstream).await;
    let first = rig.project("foo").await.unwrap().unwrap();
    let second = rig.project("foo").await.unwrap().unwrap();
    assert_eq!((first.cache, second.cache), (Cache::Miss, Cache::Hit));
    assert!(Arc::ptr_eq(&first.project, &second.project));
    assert_eq!(upstream.count(MULTI).requests, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_page_is_revalidated_and_stays_the_same_arc() {
    let upstream = upstream();
    let rig = Rig::with(short(&upstream, 0), None).await;
    let first = rig.project("foo").await.unwrap().unwrap();
    let second = rig.project("foo").await.unwrap().unwrap();
    assert_eq!(second.cache, Cache::Revalidated);
    assert!(Arc::ptr_eq(&first.project, &second.project));
    assert_eq!(upstream.count(MULTI).not_modified, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_etag_over_the_same_content_keeps_the_arc() {
    let upstream = upstream();
    let rig = Rig::with(short(&upstream, 0), None).await;
    let first = rig.project("foo").await.unwrap().unwrap();
    upstream.fault(MULTI, Fault::changing_etag());
    let second = rig.project("foo").await.unwrap().unwrap();
    assert_eq!(second.cache, Cache::Miss);
    assert!(Arc::ptr_eq(&first.project, &second.project));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_ask_at_once_cause_one_request() {
    let upstream = upstream();
    upstream.fault(MULTI, Fault::delay(Duration::from_millis(200)));
    let rig = Rig::new(&upstream).await;
    let mirror = &rig.mirror;
    let name = "foo".parse().unwrap();
    let answers = futures_util::future::join_all((0..20).map(|_| mirror.project(&name))).await;
    assert!(answers.iter().all(|answer| matches!(answer, Ok(Some(_)))));
    assert_eq!(upstream.count(MULTI).requests, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_in_trouble_means_a_stale_page_that_says_so() {
    let upstream = upstream();
    let rig = Rig::with(short(&upstream, 0), None).await;
    rig.project("foo").await.unwrap().unwrap();
    upstream.fault("*", Fault::status(503));
    for _ in 0..2 {
        let answer = rig.project("foo").await.unwrap().unwrap();
        assert!(
            matches!(answer.cache, Cache::Stale { .. }),
            "{:?}",
            answer.cache
        );
    }
    assert!(rig.stats.pages.stale.value() >= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_page_of_a_broken_upstream_is_an_error_and_not_missing() {
    let mut upstream = upstream();
    let rig = Rig::new(&upstream).await;
    assert!(rig.project("bar").await.unwrap().is_none());
    upstream.fault("/simple/*", Fault::status(502));
    assert!(matches!(
        rig.project("foo").await,
        Err(Error::UpstreamDown { .. })
    ));
    upstream.stop();
    assert!(matches!(
        rig.project("baz").await,
        Err(Error::UpstreamDown { .. })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_is_remembered_for_a_moment_only() {
    let upstream = upstream();
    let mut config = simple(&upstream);
    config.missing_for = Duration::from_millis(300);
    let rig = Rig::with(config, None).await;
    assert!(rig.project("bar").await.unwrap().is_none());
    assert!(rig.project("bar").await.unwrap().is_none());
    assert_eq!(upstream.count("/simple/bar/").requests, 1);
    upstream.put(Project::new("bar").wheel("1.0"));
    testkit::wait_until("the new project is seen", || {
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(rig.project("bar"))
        })
        .unwrap()
        .is_some()
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_learned_survives_a_restart_and_upstream_may_be_gone() {
    let mut upstream = upstream();
    let rig = Rig::new(&upstream).await;
    rig.file("foo", "foo-1.0-py3-none-any.whl").await.unwrap();
    testkit::wait_until("the file is kept", || rig.stats.disk_used.value() > 0);
    upstream.stop();
    let rig = rig.again(simple(&upstream)).await;
    assert_eq!(rig.project("foo").await.unwrap().unwrap().cache, Cache::Hit);
    let bytes = rig.file("foo", "foo-1.0-py3-none-any.whl").await.unwrap();
    assert_eq!(bytes, upstream.content_of("foo-1.0-py3-none-any.whl"));
}

#[tokio::test(flavor = "multi_thread")]
async fn offline_lists_only_what_can_be_served() {
    let upstream = upstream();
    let rig = Rig::new(&upstream).await;
    rig.file("foo", "foo-1.0-py3-none-any.whl").await.unwrap();
    testkit::wait_until("the file is kept", || rig.stats.disk_used.value() > 0);
    let mut config = simple(&upstream);
    config.offline = true;
    upstream.forget_requests();
    let rig = rig.again(config).await;
    let answer = rig.project("foo").await.unwrap().unwrap();
    let names: Vec<_> = answer
        .project
        .page
        .files
        .iter()
        .map(|file| file.filename.to_string())
        .collect();
    assert_eq!(names, ["foo-1.0-py3-none-any.whl"]);
    assert!(matches!(
        rig.project("bar").await,
        Err(Error::Offline { .. })
    ));
    assert_eq!(upstream.requests().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_page_keeps_the_old_one() {
    let upstream = upstream();
    let rig = Rig::with(short(&upstream, 0), None).await;
    let first = rig.project("foo").await.unwrap().unwrap();
    upstream.fault(
        MULTI,
        Fault::body("application/vnd.pypi.simple.v1+json", "{\"files\": [")
            .header("etag", "\"new\""),
    );
    let second = rig.project("foo").await.unwrap().unwrap();
    assert!(matches!(second.cache, Cache::Stale { .. }));
    assert!(Arc::ptr_eq(&first.project, &second.project));
    upstream.put(Project::new("bar").wheel("1"));
    upstream.fault("/simple/bar/", Fault::body("application/json", "{}"));
    assert!(matches!(
        rig.project("bar").await,
        Err(Error::UpstreamWrong { .. })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_that_loop_or_leave_http_are_not_followed() {
    let upstream = upstream();
    let rig = Rig::new(&upstream).await;
    for (project, to) in [
        ("loop", "/simple/loop/"),
        ("scheme", "file:///etc/passwd"),
        ("host", "http://10.0.0.1/simple/"),
    ] {
        upstream.fault(format!("/simple/{project}/"), Fault::redirect(to));
        assert!(
            matches!(rig.project(project).await, Err(Error::UpstreamWrong { .. })),
            "{project}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_root_listing_is_kept_and_revalidated() {
    let upstream = upstream();
    let rig = Rig::with(short(&upstream, 0), None).await;
    let first = rig.mirror.projects().await.unwrap();
    let second = rig.mirror.projects().await.unwrap();
    assert_eq!(first.names.iter().collect::<Vec<&str>>(), ["foo"]);
    assert_eq!(
        (first.cache, second.cache),
        (Cache::Miss, Cache::Revalidated)
    );
    assert_eq!(first.digest, second.digest);
    upstream.fault("*", Fault::status(500));
    assert!(matches!(
        rig.mirror.projects().await.unwrap().cache,
        Cache::Stale { .. }
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_another_upstream_are_not_believed() {
    let (first, second) = (upstream(), upstream());
    let rig = Rig::new(&first).await;
    rig.project("foo").await.unwrap();
    let rig = rig.again(simple(&second)).await;
    assert_eq!(
        rig.project("foo").await.unwrap().unwrap().cache,
        Cache::Miss
    );
    assert_eq!(second.count(MULTI).requests, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shorter_freshness_holds_for_what_is_kept_already() {
    let upstream = upstream();
    let rig = Rig::new(&upstream).await;
    rig.project("foo").await.unwrap();
    let rig = rig.again(short(&upstream, 0)).await;
    let answer = rig.project("foo").await.unwrap().unwrap();
    assert_eq!(answer.cache, Cache::Revalidated);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_upstream_is_known_to_be_in_trouble_it_is_asked_once_and_not_again_and_again() {
    let upstream = upstream();
    let rig = Rig::new(&upstream).await;
    upstream.fault("*", Fault::status(503));
    assert!(rig.project("foo").await.is_err(), "this one finds out");
    assert!(upstream.count("*").requests > 1, "and tries again");
    upstream.forget_requests();
    assert!(rig.project("bar").await.is_err());
    assert_eq!(upstream.count("*").requests, 1);
}
