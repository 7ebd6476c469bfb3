//! What every store of blobs must do.

use std::collections::BTreeMap;
use std::fs;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use store::Error;

use crate::{Home, digest_of, noise, put};

#[tokio::test]
async fn a_blob_is_visible_only_after_its_commit() {
    let home = Home::new();
    let blobs = home.data.blobs();
    let digest = digest_of(b"hello world");

    let staged = blobs.begin().unwrap();
    staged.write_at(6, b"world").unwrap();
    staged.write_at(0, b"hello ").unwrap();
    assert!(!blobs.contains(&digest));
    assert!(blobs.open(&digest, None).unwrap().is_none());
    assert_eq!((blobs.list().count(), blobs.staged_count()), (0, 1));

    staged.commit(&digest).await.unwrap();
    assert!(blobs.contains(&digest));
    assert_eq!(blobs.staged_count(), 0);
    let listed: Result<Vec<_>, _> = blobs.list().collect();
    assert_eq!(listed.unwrap(), [(digest, 11)]);
    let blob = blobs.open(&digest, Some(11)).unwrap().unwrap();
    assert_eq!(blob.slice(0, 11).unwrap(), "hello world");
    assert_eq!(blob.slice(6, 5).unwrap(), "world");
    assert_eq!(blobs.verify(&digest).unwrap(), 11);
}

#[tokio::test]
async fn dropping_a_staged_blob_leaves_nothing() {
    let home = Home::new();
    let blobs = home.data.blobs();
    let staged = blobs.begin().unwrap();
    staged.write_at(0, b"half").unwrap();
    let reader = staged.blob();
    drop(staged);
    assert_eq!((blobs.list().count(), blobs.staged_count()), (0, 0));
    // Those who were reading may finish with what there is.
    assert_eq!(reader.slice(0, 4).unwrap(), "half");
}

#[tokio::test]
async fn syncing_publishes_nothing_and_may_come_at_any_time() {
    let home = Home::new();
    let blobs = home.data.blobs();
    let digest = digest_of(b"two halves");
    let staged = blobs.begin().unwrap();
    staged.write_at(0, b"two ").unwrap();
    staged.sync().unwrap();
    assert!(!blobs.contains(&digest));
    staged.write_at(4, b"halves").unwrap();
    staged.commit(&digest).await.unwrap();
    staged.sync().unwrap();
    assert_eq!(blobs.verify(&digest).unwrap(), 10);
}

#[tokio::test]
async fn committing_what_is_there_is_success() {
    let home = Home::new();
    let blobs = home.data.blobs();
    let digest = put(&blobs, b"same").await;
    assert_eq!(put(&blobs, b"same").await, digest);

    let staged = blobs.begin().unwrap();
    staged.write_at(0, b"same").unwrap();
    staged.commit(&digest).await.unwrap();
    staged.commit(&digest).await.unwrap();
    let other = staged.commit(&digest_of(b"other")).await;
    assert!(matches!(other, Err(Error::Corrupt { .. })), "{other:?}");
    drop(staged);
    assert_eq!(blobs.verify(&digest).unwrap(), 4);
    assert_eq!((blobs.list().count(), blobs.staged_count()), (1, 0));
}

#[tokio::test]
async fn an_empty_blob_is_a_blob() {
    let home = Home::new();
    let blobs = home.data.blobs();
    let digest = put(&blobs, b"").await;
    let blob = blobs.open(&digest, Some(0)).unwrap().unwrap();
    assert!(blob.is_empty());
    assert_eq!(blob.slice(0, 0).unwrap(), "");
    assert!(blob.resident(0, 0));
    blob.populate(0, 0).unwrap();
}

#[tokio::test]
async fn an_open_blob_outlives_its_removal() {
    let home = Home::new();
    let blobs = home.data.blobs();
    let bytes = noise(100_000, 1);
    let digest = put(&blobs, &bytes).await;
    let blob = blobs.open(&digest, None).unwrap().unwrap();
    let before = blob.slice(0, 50_000).unwrap();

    assert!(blobs.remove(&digest).unwrap());
    assert!(!blobs.remove(&digest).unwrap());
    assert!(!blobs.contains(&digest));
    assert_eq!(before, bytes[..50_000]);
    assert_eq!(blob.slice(0, 100_000).unwrap(), bytes);
    let gone = blobs.verify(&digest).unwrap_err();
    assert_eq!(
        gone.to_string(),
        format!("blob `{digest}` is not in the store")
    );
}

#[tokio::test]
async fn readers_follow_a_growing_blob_and_stay_after_its_commit() {
    let home = Home::new();
    let blobs = home.data.blobs();
    let bytes = noise(300_000, 2);
    let staged = blobs.begin().unwrap();
    staged.reserve(300_000).unwrap();
    let reader = staged.blob();
    assert_eq!(reader.len(), 0);
    staged.write_at(0, &bytes[..100_000]).unwrap();
    assert_eq!(reader.len(), 100_000);
    assert_eq!(reader.slice(10, 99_990).unwrap(), bytes[10..100_000]);
    assert!(reader.slice(10, 100_000).is_err());

    staged.write_at(100_000, &bytes[100_000..]).unwrap();
    let digest = digest_of(&bytes);
    staged.commit(&digest).await.unwrap();
    drop(staged);
    blobs.remove(&digest).unwrap();
    assert_eq!(reader.slice(99_000, 201_000).unwrap(), bytes[99_000..]);
    let mut end = [0; 10];
    assert_eq!(reader.read_at(299_995, &mut end).unwrap(), 5);
}

#[tokio::test]
async fn a_staged_blob_can_be_lengthened_but_not_cut() {
    let home = Home::new();
    let staged = home.data.blobs().begin().unwrap();
    staged.set_len(10).unwrap();
    staged.set_len(5).unwrap();
    assert_eq!(staged.blob().len(), 10);
}

#[tokio::test]
async fn a_blob_of_another_length_is_corrupt() {
    let home = Home::new();
    let blobs = home.data.blobs();
    let digest = put(&blobs, b"four").await;
    let error = blobs.open(&digest, Some(5)).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "blob `{digest}` is damaged: expected 5 bytes, found 4 bytes; \
             `pilothouse cache verify --repair` drops it so that it is fetched again"
        )
    );
}

#[tokio::test]
async fn verify_finds_a_flipped_bit_and_a_new_commit_mends_it() {
    let home = Home::new();
    let blobs = home.data.blobs();
    let mut bytes = noise(3 << 20, 3);
    let digest = put(&blobs, &bytes).await;
    bytes[2_000_000] ^= 1;
    fs::write(home.blob_path(&digest), &bytes).unwrap();
    let error = blobs.verify(&digest).unwrap_err();
    let Error::Corrupt {
        expected, found, ..
    } = error
    else {
        panic!("{error:?}")
    };
    assert_eq!(expected, format!("digest {digest}"));
    assert_eq!(found, format!("digest {}", digest_of(&bytes)));

    bytes[2_000_000] ^= 1;
    put(&blobs, &bytes).await;
    assert_eq!(blobs.verify(&digest).unwrap(), 3 << 20);
}

#[tokio::test]
async fn a_window_beyond_the_end_is_an_error_and_not_a_crash() {
    let home = Home::new();
    let blobs = home.data.blobs();
    let digest = put(&blobs, &noise(100_000, 4)).await;
    let blob = blobs.open(&digest, None).unwrap().unwrap();
    for (offset, len) in [(0, 100_001), (100_000, 1), (u64::MAX, 1), (90_000, 50_000)] {
        let error = blob.slice(offset, len).unwrap_err();
        assert_eq!(error.to_string(), "reading a blob failed");
        assert!(blob.populate(offset, len).is_err());
    }
    // Somebody cuts the file under us.
    fs::File::options()
        .write(true)
        .open(home.blob_path(&digest))
        .unwrap()
        .set_len(10)
        .unwrap();
    assert!(blob.slice(0, 100_000).is_err());
}

#[tokio::test]
async fn a_populated_window_is_resident_where_the_file_system_can_tell() {
    let home = Home::new();
    let blobs = home.data.blobs();
    let digest = put(&blobs, &noise(2 << 20, 5)).await;
    let blob = blobs.open(&digest, None).unwrap().unwrap();
    blob.populate(4097, 1 << 20).unwrap();
    if !blob.resident(4097, 1 << 20) {
        eprintln!("this file system cannot tell what is in memory");
    }
    assert!(
        !blob.resident(5 << 20, 1),
        "nothing is resident beyond the end"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_commits_at_once_all_arrive() {
    let home = Home::new();
    let blobs = home.data.blobs();
    let commits: Vec<_> = (0..64_u64)
        .map(|n| {
            let blobs = blobs.clone();
            tokio::spawn(async move { put(&blobs, &noise(10_000, n % 16)).await })
        })
        .collect();
    let mut expected = BTreeMap::new();
    for commit in commits {
        expected.insert(commit.await.unwrap(), 10_000);
    }
    let listed: Result<BTreeMap<_, _>, _> = blobs.list().collect();
    assert_eq!(listed.unwrap(), expected);
    assert_eq!((expected.len(), blobs.staged_count()), (16, 0));
    for digest in expected.keys() {
        assert_eq!(blobs.verify(digest).unwrap(), 10_000);
    }
}

#[tokio::test]
async fn what_is_not_named_like_a_blob_is_not_listed() {
    let home = Home::new();
    let blobs = home.data.blobs();
    let digest = put(&blobs, b"mine").await;
    let beside = home.blob_path(&digest).with_file_name("notes.txt");
    fs::write(beside, "hello").unwrap();
    fs::write(home.dir.path().join("blobs/sha256/README"), "hello").unwrap();
    assert_eq!(
        blobs.list().map(Result::unwrap).collect::<Vec<_>>(),
        [(digest, 4)]
    );
}

#[test]
fn free_space_is_part_of_the_whole() {
    let space = Home::new().data.blobs().free_space().unwrap();
    assert!(space.free > 0 && space.free <= space.total, "{space:?}");
}

#[tokio::test]
async fn every_window_equals_the_file() {
    let bytes = noise(3_000_001, 6);
    let home = Home::new();
    let blobs = home.data.blobs();
    let staged = blobs.begin().unwrap();
    staged.write_at(0, &bytes).unwrap();
    let digest = digest_of(&bytes);
    staged.commit(&digest).await.unwrap();
    let stored = blobs.open(&digest, Some(3_000_001)).unwrap().unwrap();
    let windows = (
        0_u64..3_000_100,
        prop_oneof![0_usize..20_000, 0_usize..1_500_000],
    );
    TestRunner::default()
        .run(&windows, |(offset, len)| {
            let end = offset + len as u64;
            for blob in [&stored, &staged.blob()] {
                match blob.slice(offset, len) {
                    Ok(window) => prop_assert!(window == bytes[offset as usize..end as usize]),
                    Err(_) => prop_assert!(end > 3_000_001),
                }
            }
            Ok(())
        })
        .unwrap();
}
