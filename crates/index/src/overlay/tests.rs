//! Stages over stages over mirrors, in memory.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{ABSENT_FOR, Merges, Overlay, Sight, Stock};
use crate::fake::Fake;
use crate::{Cache, Error, IndexSettings, Part, Source};

/// A part of an index; its settings make it a stage or a mirror.
fn part(source: &Arc<Fake>, settings: &Value) -> Stock {
    let settings = IndexSettings::create("a", settings.as_object().unwrap()).unwrap();
    Stock {
        name: "a/x".parse().unwrap(),
        settings: Arc::new(settings),
        source: source.clone(),
        sight: Sight::Shown,
    }
}

fn hidden(part: Stock) -> Stock {
    let sight = Sight::Hidden;
    Stock { sight, ..part }
}

fn stage(source: &Arc<Fake>) -> Stock {
    part(source, &json!({}))
}

fn mirror(source: &Arc<Fake>) -> Stock {
    part(
        source,
        &json!({"type": "mirror", "mirror_url": "https://pypi.example/"}),
    )
}

fn overlay(parts: impl IntoIterator<Item = Stock>) -> Overlay {
    Overlay::new(parts, Arc::default())
}

/// Where the files of a project come from, in the order of its page; the hrefs
/// are checked on the way.
async fn page(index: &Overlay, name: &str) -> String {
    let answer = match index.project(&name.parse().unwrap()).await {
        Ok(Some(answer)) => answer,
        Ok(None) => return "none".to_owned(),
        Err(error) => return error.to_string(),
    };
    let files = answer.project.page.files.iter().map(|file| {
        let (_, path) = file.url.split_once("://").unwrap();
        let (_, tail) = path.split_once('/').unwrap();
        assert_eq!(answer.project.href(file), format!("../../+f/{tail}"));
        path
    });
    files.collect::<Vec<_>>().join(" ")
}

/// Where a file comes from.
async fn file(index: &Overlay, path: &str) -> String {
    let opened = index.open(path, Part::File).await;
    let head = index.head(path, Part::Metadata).await;
    match (opened, head) {
        (Ok(Some(opened)), Ok(Some(head))) => {
            assert_eq!(opened.etag, head.etag);
            opened.etag
        }
        (Ok(None), Ok(None)) => "none".to_owned(),
        (Err(opened), Err(_)) => opened.to_string(),
        _ => panic!("`open` and `head` differ"),
    }
}

const DOWN: &str =
    "upstream of `a/m` is not answering and it is not in the cache: connection refused";

/// The verified cases: a private `toxpkg` 7.0 over a mirror that has `toxpkg` 1.0.
#[tokio::test]
async fn a_project_of_a_stage_is_completed_from_a_mirror_only_when_whitelisted() {
    let own = Fake::new("own.example", &["toxpkg: ab/toxpkg-7.0.tar.gz"]);
    let public = Fake::new(
        "pypi.example",
        &["toxpkg: p/toxpkg-1.0.tar.gz", "other: p/other-1.0.tar.gz"],
    );
    let none = Fake::new("none.example", &[]);
    let list = |list: &str, inheritance: &str| json!({"mirror_whitelist": list, "mirror_whitelist_inheritance": inheritance});
    let hides = "own.example/ab/toxpkg-7.0.tar.gz";
    let shows = "own.example/ab/toxpkg-7.0.tar.gz pypi.example/p/toxpkg-1.0.tar.gz";
    let intersection = |text| list(text, "intersection");
    let union = |text| list(text, "union");
    let rows = [
        // the stage itself
        (vec![(&own, intersection(""))], hides),
        (vec![(&own, intersection("toxpkg"))], shows),
        (vec![(&own, intersection("*"))], shows),
        (vec![(&own, intersection("other"))], hides),
        // an index derived from it
        (
            vec![(&none, intersection("")), (&own, intersection("toxpkg"))],
            hides,
        ),
        (
            vec![(&none, union("")), (&own, intersection("toxpkg"))],
            shows,
        ),
        (
            vec![
                (&none, intersection("toxpkg")),
                (&own, intersection("toxpkg")),
            ],
            shows,
        ),
        (
            vec![(&none, intersection("toxpkg")), (&own, intersection(""))],
            shows,
        ),
        // the rule of the index that is asked counts
        (vec![(&none, intersection("")), (&own, union("*"))], hides),
    ];
    for (stages, expected) in rows {
        let stages = stages.iter().map(|(source, list)| part(source, list));
        let index = overlay(stages.chain([mirror(&public)]));
        assert_eq!(page(&index, "toxpkg").await, expected);
        let seen = if expected == shows {
            "https://pypi.example/p/toxpkg-1.0.tar.gz"
        } else {
            "none"
        };
        assert_eq!(file(&index, "p/toxpkg-1.0.tar.gz").await, seen);
        assert_eq!(
            file(&index, "ab/toxpkg-7.0.tar.gz").await,
            "https://own.example/ab/toxpkg-7.0.tar.gz"
        );
        assert_eq!(
            page(&index, "other").await,
            "pypi.example/p/other-1.0.tar.gz"
        );
    }
}

#[tokio::test]
async fn a_shielded_name_is_never_told_to_upstream() {
    let own = Fake::new("own.example", &["corp: ab/corp-1.0.tar.gz"]);
    let public = Fake::new("pypi.example", &[]);
    let index = overlay([stage(&own), mirror(&public)]);
    assert_eq!(page(&index, "corp").await, "own.example/ab/corp-1.0.tar.gz");
    assert_eq!(file(&index, "x/corp-2.0-py3-none-any.whl").await, "none");
    assert_eq!(public.asked(), "");
    assert_eq!(page(&index, "gone").await, "none");
    assert_eq!(public.asked(), "gone");
}

#[tokio::test]
async fn a_project_without_files_is_owned_as_well() {
    let own = Fake::new("own.example", &["corp:"]);
    let public = Fake::new("pypi.example", &["corp: p/corp-9.0.tar.gz"]);
    let index = overlay([stage(&own), mirror(&public)]);
    assert_eq!(page(&index, "corp").await, "");
}

#[tokio::test]
async fn stages_are_merged_file_by_file_and_the_first_wins() {
    let first = Fake::new(
        "first.example",
        &["foo: ab/foo-1.0.tar.gz ab/foo-2.0.tar.gz"],
    );
    let second = Fake::new(
        "second.example",
        &["foo: cd/foo-1.0.tar.gz cd/foo-0.9.tar.gz"],
    );
    let index = overlay([stage(&first), stage(&second)]);
    assert_eq!(
        page(&index, "foo").await,
        "first.example/ab/foo-1.0.tar.gz first.example/ab/foo-2.0.tar.gz second.example/cd/foo-0.9.tar.gz"
    );
    let versions = index.project(&"foo".parse().unwrap()).await.unwrap();
    assert_eq!(
        versions.unwrap().project.page.versions,
        ["0.9", "1.0", "2.0"]
    );
    assert_eq!(
        file(&index, "cd/foo-0.9.tar.gz").await,
        "https://second.example/cd/foo-0.9.tar.gz"
    );
}

#[tokio::test]
async fn an_unchanged_merge_is_the_same_project() {
    let first = Fake::new("first.example", &["foo: ab/foo-1.0.tar.gz", "bar:"]);
    let second = Fake::new("second.example", &["foo: cd/foo-2.0.tar.gz"]);
    let merges = Arc::new(Merges::default());
    // As for each request anew.
    let index = || Overlay::new([stage(&first), stage(&second)], merges.clone());
    let foo = "foo".parse().unwrap();
    let project = async || index().project(&foo).await.unwrap().unwrap().project;
    let before = project().await;
    assert!(Arc::ptr_eq(&before, &project().await));
    second.put("second.example", "foo: cd/foo-2.0.tar.gz cd/foo-3.0.tar.gz");
    let after = project().await;
    assert_eq!(after.page.files.len(), 3);
    assert_ne!(before.digest, after.digest);
    // What only one part has is that part's own.
    let bar = "bar".parse().unwrap();
    let alone = index().project(&bar).await.unwrap().unwrap().project;
    let own = first.project(&bar).await.unwrap().unwrap().project;
    assert!(Arc::ptr_eq(&alone, &own));
}

#[tokio::test]
async fn a_broken_part_is_an_error_and_no_short_answer() {
    let own = Fake::new("own.example", &["corp: ab/corp-1.0.tar.gz"]);
    let good = Fake::new("good.example", &["foo: p/foo-1.0.tar.gz"]);
    let bad = Fake::new("bad.example", &[]);
    bad.breaks();
    let index = overlay([stage(&own), mirror(&good), mirror(&bad)]);
    assert_eq!(page(&index, "foo").await, DOWN);
    assert_eq!(index.projects().await.unwrap_err().to_string(), DOWN);
    // What the broken part has no say in is answered.
    assert_eq!(page(&index, "corp").await, "own.example/ab/corp-1.0.tar.gz");
    assert_eq!(
        file(&index, "p/foo-1.0.tar.gz").await,
        "https://good.example/p/foo-1.0.tar.gz"
    );
    assert_eq!(file(&index, "p/bar-1.0.tar.gz").await, DOWN);

    let broken_stage = Fake::new("own.example", &[]);
    broken_stage.breaks();
    let index = overlay([stage(&own), stage(&broken_stage), mirror(&good)]);
    assert_eq!(page(&index, "foo").await, DOWN);
    // Whether it may be served is not known.
    assert_eq!(file(&index, "p/foo-1.0.tar.gz").await, DOWN);
}

#[tokio::test]
async fn what_is_hidden_adds_nothing_and_shields_all_the_same() {
    let front = Fake::new("front.example", &["foo: ab/foo-1.0.tar.gz"]);
    let secret = Fake::new(
        "secret.example",
        &["foo: cd/foo-2.0.tar.gz", "corp: cd/corp-1.0.tar.gz"],
    );
    let public = Fake::new(
        "pypi.example",
        &["corp: p/corp-9.0.tar.gz", "open: p/open-1.0.tar.gz"],
    );
    let closed = Fake::new("closed.example", &["open: q/open-2.0.tar.gz"]);
    let index = overlay([
        stage(&front),
        hidden(stage(&secret)),
        mirror(&public),
        hidden(mirror(&closed)),
    ]);
    assert_eq!(page(&index, "foo").await, "front.example/ab/foo-1.0.tar.gz");
    assert_eq!(page(&index, "corp").await, "none");
    assert_eq!(page(&index, "open").await, "pypi.example/p/open-1.0.tar.gz");
    assert_eq!(file(&index, "cd/corp-1.0.tar.gz").await, "none");
    assert_eq!(file(&index, "p/corp-9.0.tar.gz").await, "none");
    assert_eq!(file(&index, "q/open-2.0.tar.gz").await, "none");
    assert_eq!(closed.asked(), "");
    let names = index.projects().await.unwrap().names;
    assert_eq!(names.iter().collect::<Vec<_>>(), ["foo", "corp", "open"]);
}

#[tokio::test]
async fn a_stored_file_of_a_mirror_needs_no_page_and_is_shielded_by_its_project() {
    let own = Fake::new("own.example", &["corp: ab/corp-1.0.tar.gz"]);
    let public = Fake::new("pypi.example", &[]);
    for (path, project) in [
        ("p/corp-9.0.tar.gz", "corp"),
        ("p/foo-1.0.tar.gz", "foo"),
        // May be `corp` 1-1, but is `corp-1` 1.
        ("p/corp-1-1.tar.gz", "corp-1"),
    ] {
        let mut stored = public.stored.lock().unwrap();
        stored.insert(path.to_owned(), project.parse().unwrap());
    }
    let index = overlay([stage(&own), mirror(&public)]);
    assert_eq!(file(&index, "p/corp-9.0.tar.gz").await, "none");
    assert_eq!(file(&index, "p/foo-1.0.tar.gz").await, "p/foo-1.0.tar.gz");
    assert_eq!(file(&index, "p/corp-1-1.tar.gz").await, "p/corp-1-1.tar.gz");
    assert!(!public.asked().contains("corp,"), "no page is asked for");
    assert_eq!(
        index.project_at("p/foo-1.0.tar.gz").await.unwrap().unwrap(),
        "foo".parse().unwrap()
    );
}

#[tokio::test]
async fn a_file_that_may_be_of_a_shielded_project_must_be_listed_by_another() {
    let own = Fake::new("own.example", &["corp: ab/corp-1.0.tar.gz"]);
    let public = Fake::new(
        "pypi.example",
        &[
            "corp-1: p/corp-1-1.tar.gz",
            "corp: p/corp-1-2.tar.gz",
            "corp-utils: p/corp-utils-1.0.tar.gz",
        ],
    );
    let index = overlay([stage(&own), mirror(&public)]);
    assert_eq!(
        file(&index, "p/corp-1-1.tar.gz").await,
        "https://pypi.example/p/corp-1-1.tar.gz"
    );
    assert_eq!(
        file(&index, "p/corp-utils-1.0.tar.gz").await,
        "https://pypi.example/p/corp-utils-1.0.tar.gz"
    );
    assert_eq!(file(&index, "p/corp-1-2.tar.gz").await, "none");
    assert_eq!(file(&index, "p/").await, "none");
}

#[tokio::test]
async fn the_listing_has_every_name_once() {
    let own = Fake::new("own.example", &["b:", "corp:"]);
    let public = Fake::new("pypi.example", &["a:", "b:", "c:"]);
    let index = overlay([stage(&own), mirror(&public)]);
    let listing = index.projects().await.unwrap();
    let names: Vec<_> = listing.names.iter().collect();
    assert_eq!(names, ["b", "corp", "a", "c"]);
    let again = index.projects().await.unwrap();
    assert_eq!(again.digest, listing.digest);
    public.put("pypi.example", "d:");
    let more = index.projects().await.unwrap();
    assert_ne!(more.digest, listing.digest);
    assert_eq!(more.names.len(), 5);
}

#[tokio::test]
async fn an_answer_says_how_good_its_worst_part_is_and_for_how_long() {
    let own = Fake::new("own.example", &["foo: ab/foo-1.0.tar.gz", "bar:"]);
    let public = Fake::new("pypi.example", &["foo: p/foo-2.0.tar.gz"]);
    let stale = Cache::Stale {
        why: "upstream is down".to_owned(),
    };
    *public.cache.lock().unwrap() = Some(stale.clone());
    let every = part(&own, &json!({"mirror_whitelist": "*"}));
    let index = overlay([every, mirror(&public)]);
    let foo = index.project(&"foo".parse().unwrap()).await.unwrap();
    let foo = foo.unwrap();
    assert_eq!(foo.cache, stale);
    assert!(foo.fresh_until > Instant::now() + ABSENT_FOR);
    // The mirror may have it soon.
    let bar = index.project(&"bar".parse().unwrap()).await.unwrap();
    let bar = bar.unwrap();
    assert_eq!(bar.cache, Cache::Hit);
    assert!(bar.fresh_until <= Instant::now() + ABSENT_FOR);
    assert!(bar.fresh_until > Instant::now() + Duration::from_secs(1));
}

#[tokio::test]
async fn the_errors_of_a_part_keep_their_meaning() {
    let own = Fake::new("own.example", &[]);
    let public = Fake::new("pypi.example", &[]);
    public.breaks();
    let index = overlay([stage(&own), mirror(&public)]);
    let error = index.project(&"foo".parse().unwrap()).await.unwrap_err();
    assert!(matches!(error, Error::UpstreamDown { .. }), "{error}");
}
