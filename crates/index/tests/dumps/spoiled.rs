//! Whatever is in a dump: an import tells of it in sentences, ends, and leaves a server in order.

use std::fs;
use std::path::{Path, PathBuf};

use index::dump::import::Report;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::good;
use crate::house::House;
use crate::spoiling::{Change, Damage, change, damage, damage_file, spoil};

/// As many cases as fit beside the other tests; `PROPTEST_CASES` makes it more.
fn few() -> ProptestConfig {
    let wanted = std::env::var("PROPTEST_CASES").ok();
    let cases = wanted.and_then(|cases| cases.parse().ok()).unwrap_or(12);
    ProptestConfig {
        cases,
        // A case takes half a second.
        max_shrink_iters: 40,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// The good dump, and a place beside it.
struct Dumped {
    home: TempDir,
    contents: Value,
}

impl Dumped {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let contents = good::write(&home.path().join("dump"));
        let dumped = Self { home, contents };
        dumped.tell(&dumped.contents.to_string());
        dumped
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join("dump")
    }

    /// Puts another table of contents into the dump.
    fn tell(&self, contents: &str) {
        fs::write(self.folder().join("dataindex.json"), contents).unwrap();
    }

    fn spoiled(changes: &[(Index, Change)]) -> Self {
        let mut dumped = Self::new();
        for change in changes {
            spoil(&mut dumped.contents, change);
        }
        dumped.tell(&dumped.contents.to_string());
        dumped
    }

    fn damaged(damages: &[(Index, Damage)]) -> Self {
        let dumped = Self::new();
        let mut files = files(&dumped.folder());
        files.sort();
        for (at, damage) in damages {
            let path = files.remove(at.index(files.len()));
            damage_file(&path, dumped.home.path(), *damage);
        }
        dumped
    }
}

/// All files of the dump but its table of contents.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if !path.ends_with("dataindex.json") {
            found.push(path);
        }
    }
    found
}

/// Whether everything that was said is a sentence on a line of its own.
fn are_sentences(told: &Result<Report, String>) -> Result<(), TestCaseError> {
    let sentences: Vec<&String> = match told {
        Ok(report) => report.problems.iter().chain(&report.notes).collect(),
        Err(error) => vec![error],
    };
    for sentence in sentences {
        let is_sentence = !sentence.is_empty() && !sentence.contains(char::is_control);
        prop_assert!(is_sentence, "{sentence:?}");
        prop_assert!(sentence.len() < 1000, "{} bytes", sentence.len());
    }
    Ok(())
}

/// Nothing is new, and the same is wrong, when the same dump is imported again.
async fn is_done_once(house: &House, folder: &Path) -> Result<(), TestCaseError> {
    let before = house.contents().await;
    let again = house.import(folder).await;
    are_sentences(&again)?;
    if let Ok(report) = again {
        let new = (report.users, report.indexes, report.files);
        prop_assert_eq!(new, (0, 0, 0), "{:#?}", report);
    }
    prop_assert_eq!(house.contents().await, before);
    Ok(())
}

async fn is_in_order(house: &House) -> Result<(), TestCaseError> {
    let disorder = house.disorder().await;
    prop_assert!(disorder.is_none(), "{}", disorder.unwrap());
    Ok(())
}

#[test]
fn the_good_dump_is_good() {
    Runtime::new().unwrap().block_on(async {
        let (house, dumped) = (House::new().await, Dumped::new());
        let report = house.import(&dumped.folder()).await.unwrap();
        assert_eq!(report.problems, Vec::<String>::new());
        let new = (report.users, report.indexes, report.releases, report.files);
        assert_eq!(new, (2, 3, 2, 5));
        is_done_once(&house, &dumped.folder()).await.unwrap();
        is_in_order(&house).await.unwrap();
    });
}

#[test]
fn a_table_of_contents_that_is_none_is_told_in_a_sentence() {
    Runtime::new().unwrap().block_on(async {
        let (house, dumped) = (House::new().await, Dumped::new());
        let text = dumped.contents.to_string();
        let deep = format!(r#"{{"dumpversion": {}"#, "[".repeat(100_000));
        let nul = text.replacen("alice", "\0", 1);
        for spoiled in [&text[..text.len() / 2], &deep, &nul, "\u{feff}{}"] {
            dumped.tell(spoiled);
            let told = house.import(&dumped.folder()).await;
            are_sentences(&told).unwrap();
            assert!(told.is_err());
        }
        let table = dumped.folder().join("dataindex.json");
        for damage in [Damage::Pipe, Damage::Folder, Damage::Removed] {
            dumped.tell(&text);
            damage_file(&table, dumped.home.path(), damage);
            let told = house.import(&dumped.folder()).await;
            are_sentences(&told).unwrap();
            assert!(told.unwrap_err().contains("has no `dataindex.json`"));
            if damage == Damage::Folder {
                fs::remove_dir(&table).unwrap();
            } else if damage == Damage::Pipe {
                fs::remove_file(&table).unwrap();
            }
        }
        dumped.tell(&text);
        assert_eq!(house.import(&dumped.folder()).await.unwrap().files, 5);
    });
}

#[test]
fn a_time_at_which_nothing_can_have_happened_is_passed_over() {
    Runtime::new().unwrap().block_on(async {
        for year in [-1, 0, 1969, 32767] {
            let (house, mut dumped) = (House::new().await, Dumped::new());
            let files = "/indexes/alice~1dev/files/0";
            let when = format!("{files}/log/0/when/0");
            *dumped.contents.pointer_mut(&when).unwrap() = year.into();
            dumped.tell(&dumped.contents.to_string());
            let report = house.import(&dumped.folder()).await.unwrap();
            assert_eq!(report.problems, Vec::<String>::new());
            let contents = house.contents().await;
            let changed = format!("{files}/entrymapping/last_modified");
            let changed = contents.pointer(&changed).unwrap();
            assert_eq!(changed, "Wed, 01 Jan 2020 00:00:00 GMT");
        }
    });
}

proptest! {
    #![proptest_config(few())]

    /// What can be had is imported once, and afterwards the good dump goes in as far as nothing
    /// is in its way.
    #[test]
    fn a_dump_may_say_anything(changes in vec(change(), 1..4)) {
        Runtime::new().unwrap().block_on(async {
            let (house, spoiled) = (House::new().await, Dumped::spoiled(&changes));
            let told = house.import(&spoiled.folder()).await;
            are_sentences(&told)?;
            is_done_once(&house, &spoiled.folder()).await?;
            is_in_order(&house).await?;
            let good = Dumped::new();
            let told = house.import(&good.folder()).await;
            prop_assert!(told.is_ok(), "{told:?}");
            are_sentences(&told)?;
            is_done_once(&house, &good.folder()).await?;
            is_in_order(&house).await
        })?;
    }

    /// A file that is damaged is left out by name; once it is whole, all is as if it always was.
    #[test]
    fn files_of_a_dump_may_be_anything(damages in vec((any::<Index>(), damage()), 1..4)) {
        Runtime::new().unwrap().block_on(async {
            let (house, damaged) = (House::new().await, Dumped::damaged(&damages));
            let told = house.import(&damaged.folder()).await;
            are_sentences(&told)?;
            let report = told.unwrap();
            prop_assert!(report.problems.len() >= damages.len(), "{report:#?}");
            prop_assert!(report.files as usize <= 5 - damages.len(), "{report:#?}");
            is_done_once(&house, &damaged.folder()).await?;
            is_in_order(&house).await?;
            let good = Dumped::new();
            let report = house.import(&good.folder()).await.unwrap();
            prop_assert!(report.problems.is_empty(), "{report:#?}");
            let fresh = House::new().await;
            fresh.import(&good.folder()).await.unwrap();
            prop_assert_eq!(house.contents().await, fresh.contents().await);
            is_in_order(&house).await
        })?;
    }
}
