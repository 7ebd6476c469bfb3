//! Many uploads at once, and large ones.

use std::sync::Arc;

use bytes::Bytes;
use index::Part;
use index::hosted::{Form, Uploaded};

use crate::make::{Dist, large_wheel, wheel};
use crate::rig::{FIRM, Rig, VOLATILE, by, path_of};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_uploads_at_once_lose_and_double_nothing() {
    let rig = Arc::new(Rig::new().await);
    let uploads: Vec<_> = (0..50)
        .map(|n| {
            let rig = rig.clone();
            tokio::spawn(async move {
                // Ten projects, five releases each, while others read.
                let project = format!("project-{}", n % 10);
                let dist = wheel(&project, &format!("1.{}", n / 10), n.to_string().as_bytes());
                let filename = dist.filename.clone();
                let uploaded = rig.upload(dist, FIRM).await.unwrap();
                let seen = rig.file(&project, &filename).await;
                assert!(seen.core_metadata != pyspec::CoreMetadata::Absent);
                uploaded
            })
        })
        .collect();
    for upload in uploads {
        assert_eq!(upload.await.unwrap(), Uploaded::Stored);
    }
    for n in 0..10 {
        let project = rig.project(&format!("project-{n}")).await.unwrap();
        assert_eq!(project.page.versions, ["1.0", "1.1", "1.2", "1.3", "1.4"]);
        for file in &project.page.files {
            assert!(
                rig.read(&path_of(&project, file), Part::File)
                    .await
                    .is_some()
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_many_wins_and_the_others_hear_it() {
    let rig = Arc::new(Rig::new().await);
    let contents: Vec<u8> = (0..20).map(|n| n % 2).collect();
    let uploads: Vec<_> = contents
        .into_iter()
        .map(|content| {
            let rig = rig.clone();
            tokio::spawn(async move { rig.upload(wheel("foo", "1.0", &[content]), FIRM).await })
        })
        .collect();
    let (mut stored, mut same, mut refused) = (0, 0, 0);
    for upload in uploads {
        match upload.await.unwrap() {
            Ok(Uploaded::Stored) => stored += 1,
            Ok(Uploaded::Same) => same += 1,
            Err(_) => refused += 1,
        }
    }
    assert_eq!((stored, same, refused), (1, 9, 10));
    assert_eq!(rig.project("foo").await.unwrap().page.files.len(), 1);
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let rig = Rig::new().await;
    let mut incoming = rig.storage.receive(&[]).unwrap();
    incoming.write(vec![0; 3 << 20].into()).await.unwrap();
    testkit::wait_until("there is a staged file", || {
        rig.data.blobs().staged_count() == 1
    });
    drop(incoming);
    testkit::wait_until("the staged file is gone", || {
        rig.data.blobs().staged_count() == 0
    });
}

/// A wheel beyond what anybody would hold in memory is sent piece by piece.
#[tokio::test]
async fn a_large_upload_is_kept_piece_by_piece() {
    let rig = Rig::new().await;
    let Dist {
        filename,
        fields,
        bytes,
    } = large_wheel("foo", "1.0", 200_000_000);
    let mut incoming = rig.storage.receive(&fields).unwrap();
    let mut most = 0;
    for piece in bytes.chunks(64 * 1024) {
        incoming.write(Bytes::copy_from_slice(piece)).await.unwrap();
        most = most.max(incoming.held());
    }
    assert!(most <= 2 << 20, "{most} bytes were held at once");
    let content = incoming.finish().await.unwrap();
    assert_eq!(content.len(), bytes.len() as u64);
    let form = Form {
        fields,
        content: Some((filename.clone(), content)),
    };
    rig.hosted.upload(form, VOLATILE, &by()).await.unwrap();
    assert_eq!(
        rig.file("foo", &filename).await.size,
        Some(bytes.len() as u64)
    );
}
