//! What is kept of an upload, and how it is offered.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use index::hosted::{Form, LogEntry, Rules, Uploaded};
use index::{Error, Part, Source};
use pyspec::{CoreMetadata, Digest};
use sha2::{Digest as _, Sha256};

use crate::make::{metadata, sdist, wheel};
use crate::rig::{FIRM, Rig, VOLATILE, at, by, path_of};

fn sha256(bytes: &[u8]) -> Digest {
    <[u8; 32]>::from(Sha256::digest(bytes)).into()
}

#[tokio::test]
async fn a_wheel_is_offered_with_all_that_is_known_of_it() {
    let rig = Rig::new().await;
    let dist = wheel("Foo-Bar", "1.0", b"one");
    assert_eq!(
        rig.upload(dist.clone(), FIRM).await.unwrap(),
        Uploaded::Stored
    );

    let project = rig.project("foo-bar").await.unwrap();
    assert_eq!(project.page.versions, ["1.0"]);
    let file = &project.page.files[0];
    let digest = sha256(&dist.bytes);
    assert_eq!(file.filename.as_str(), dist.filename);
    assert_eq!(file.hashes, digest.into());
    assert_eq!(file.size, Some(dist.bytes.len() as u64));
    assert_eq!(file.upload_time.unwrap().at, at(0));
    assert_eq!(file.requires_python.as_deref(), Some(">=3.8"));
    let info = metadata("Foo-Bar", "1.0");
    let info_digest = sha256(info.as_bytes());
    assert_eq!(
        file.core_metadata,
        CoreMetadata::Present(info_digest.into())
    );
    assert_eq!(file.provenance, None);

    let path = path_of(&project, file);
    let hex = digest.to_string();
    assert_eq!(
        path,
        format!("{}/{}/{}", &hex[..3], &hex[3..16], dist.filename)
    );
    assert_eq!(rig.read(&path, Part::File).await.unwrap(), dist.bytes);
    assert_eq!(rig.read(&path, Part::Metadata).await.unwrap(), info);
    assert_eq!(rig.read(&path, Part::Provenance).await, None);
    assert_eq!(rig.read("abc/other", Part::File).await, None);
    let head = rig.hosted.head(&path, Part::File).await.unwrap().unwrap();
    assert_eq!(head.etag, format!("\"{hex}\""));
    let names = rig.hosted.projects().await.unwrap().names;
    assert_eq!(names.iter().collect::<Vec<_>>(), ["foo-bar"]);
    let owner = rig.hosted.project_at(&path).await.unwrap().unwrap();
    assert_eq!(owner.as_str(), "foo-bar");
}

#[tokio::test]
async fn an_unchanged_project_is_the_same_one() {
    let rig = Rig::new().await;
    assert!(rig.project("foo").await.is_none());
    rig.upload(wheel("foo", "1.0", b"one"), FIRM).await.unwrap();
    let first = rig.project("foo").await.unwrap();
    assert!(std::sync::Arc::ptr_eq(
        &first,
        &rig.project("foo").await.unwrap()
    ));
    rig.upload(wheel("foo", "1.1", b"one"), FIRM).await.unwrap();
    let second = rig.project("foo").await.unwrap();
    assert_ne!(first.digest, second.digest);
    assert_eq!(second.page.versions, ["1.0", "1.1"]);
}

#[tokio::test]
async fn the_form_and_the_file_describe_the_release_together() {
    let rig = Rig::new().await;
    let dist = sdist("foo", "1.0")
        .with("summary", "from the form")
        .with("classifiers", "A")
        .with("classifiers", "B")
        .with("provides_extra", "x");
    rig.upload(dist, FIRM).await.unwrap();
    rig.upload(wheel("foo", "1.0.0", b"").with("license", "MIT"), FIRM)
        .await
        .unwrap();
    let releases = rig
        .hosted
        .releases(&"foo".parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(releases.len(), 1, "1.0 and 1.0.0 are one release");
    let release = &releases[0];
    assert_eq!(release.version, "1.0");
    assert_eq!(release.metadata["summary"], "from the file");
    assert_eq!(release.metadata["license"], "MIT");
    assert_eq!(release.metadata["requires_python"], ">=3.8");
    assert_eq!(
        release.metadata["classifiers"],
        serde_json::json!(["A", "B"])
    );
    assert_eq!(
        release.metadata["provides_extras"],
        serde_json::json!(["x"])
    );
    assert_eq!(release.links.len(), 2);
    let json = release.to_json(&|index, path| format!("http://h.example/{index}/+f/{path}"));
    let link = &json["+links"][0];
    assert_eq!(link["rel"], "releasefile");
    assert_eq!(
        link["hash_spec"],
        format!("sha256={}", release.links[0].digest)
    );
    assert_eq!(
        link["href"],
        format!("http://h.example/alice/dev/+f/{}", release.links[0].path)
    );
    assert_eq!(
        link["log"],
        serde_json::json!([{
            "what": "upload", "who": "alice", "when": [2027, 1, 15, 8, 0, 0], "dst": "alice/dev"
        }])
    );
}

#[tokio::test]
async fn the_same_bytes_again_are_no_mistake() {
    let rig = Rig::new().await;
    for rules in [FIRM, VOLATILE] {
        rig.upload(wheel("foo", "1.0", b"one"), rules)
            .await
            .unwrap();
        let again = rig
            .upload(wheel("foo", "1.0", b"one"), rules)
            .await
            .unwrap();
        assert_eq!(again, Uploaded::Same);
    }
    assert_eq!(rig.project("foo").await.unwrap().page.files.len(), 1);
    assert_eq!(rig.data.blobs().staged_count(), 0);
}

#[tokio::test]
async fn other_bytes_are_refused_unless_the_index_is_volatile() {
    let rig = Rig::new().await;
    let (one, two) = (wheel("foo", "1.0", b"one"), wheel("foo", "1.0", b"two"));
    rig.upload(one.clone(), FIRM).await.unwrap();
    let refused = rig.upload(two.clone(), FIRM).await.unwrap_err();
    assert!(matches!(refused, Error::Exists { .. }));
    assert_eq!(
        refused.to_string(),
        "foo-1.0-py3-none-any.whl already exists in non-volatile index alice/dev"
    );
    let file = rig.file("foo", &one.filename).await;
    assert_eq!(file.hashes, sha256(&one.bytes).into());

    for (dist, count) in [(two.clone(), 1), (one, 2), (two.clone(), 3)] {
        assert_eq!(rig.upload(dist, VOLATILE).await.unwrap(), Uploaded::Stored);
        let releases = rig
            .hosted
            .releases(&"foo".parse().unwrap())
            .await
            .unwrap()
            .unwrap();
        let [link] = &releases[0].links[..] else {
            panic!("one file: {releases:?}");
        };
        let [
            LogEntry::Overwrite { count: told, .. },
            LogEntry::Upload { .. },
        ] = &link.log[..]
        else {
            panic!("overwritten, uploaded: {:?}", link.log);
        };
        assert_eq!(*told, count);
    }
    let project = rig.project("foo").await.unwrap();
    let path = path_of(&project, &project.page.files[0]);
    assert_eq!(rig.read(&path, Part::File).await.unwrap(), two.bytes);
}

#[tokio::test]
async fn hashes_in_the_form_are_compared_wherever_they_stand() {
    let rig = Rig::new().await;
    let dist = sdist("foo", "1.0");
    let sums = [
        ("sha256_digest", "SHA-256", sha256(&dist.bytes).to_string()),
        (
            "md5_digest",
            "MD5",
            hex::encode(md5::Md5::digest(&dist.bytes)),
        ),
        (
            "blake2_256_digest",
            "BLAKE2b-256",
            hex::encode(blake2::Blake2b::<blake2::digest::consts::U32>::digest(
                &dist.bytes,
            )),
        ),
    ];
    for (field, kind, right) in &sums {
        let wrong = format!("00{}", &right[2..]);
        let refused = rig
            .upload(dist.clone().with(field, &wrong), FIRM)
            .await
            .unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!(
                "foo-1.0.tar.gz is not what was sent: the form states {kind} {wrong}, but it came with {right}"
            )
        );
    }
    let mut good = dist.clone();
    for (field, _, right) in &sums {
        good = good.with(field, &right.to_uppercase());
    }
    assert_eq!(rig.upload(good, FIRM).await.unwrap(), Uploaded::Stored);

    // Stated after the file.
    for (field, _, right) in &sums {
        for (value, is_right) in [(right.clone(), true), (format!("00{}", &right[2..]), false)] {
            let mut incoming = rig.storage.receive(&[]).unwrap();
            incoming.write(dist.bytes.clone().into()).await.unwrap();
            let content = incoming.finish().await.unwrap();
            let form = Form {
                fields: dist.clone().with(field, &value).fields,
                content: Some((dist.filename.clone(), content)),
            };
            let outcome = rig.hosted.upload(form, FIRM, &by()).await;
            assert_eq!(outcome.is_ok(), is_right, "{field}");
        }
    }
}

#[tokio::test]
async fn attestations_are_kept_and_offered() {
    let rig = Rig::new().await;
    let dist = wheel("foo", "1.0", b"one");
    let statement = serde_json::json!({
        "subject": [{ "name": dist.filename, "digest": { "sha256": sha256(&dist.bytes) } }]
    });
    let attestations = serde_json::json!([{
        "version": 1,
        "verification_material": {},
        "envelope": { "statement": STANDARD.encode(statement.to_string()), "signature": "" },
    }]);
    let attested = dist.clone().with("attestations", &attestations.to_string());
    rig.upload(attested, FIRM).await.unwrap();
    let project = rig.project("foo").await.unwrap();
    let file = &project.page.files[0];
    let path = path_of(&project, file);
    assert_eq!(
        project.provenance(file).unwrap(),
        format!("../../+f/{path}.provenance")
    );
    let provenance = rig.read(&path, Part::Provenance).await.unwrap();
    let provenance: serde_json::Value = serde_json::from_slice(&provenance).unwrap();
    assert_eq!(
        provenance["attestation_bundles"][0]["attestations"],
        attestations
    );
    let refused = rig
        .upload(wheel("foo", "1.1", b"").with("attestations", "[]"), FIRM)
        .await;
    assert_eq!(
        refused.unwrap_err().to_string(),
        "the attestations of foo-1.1-py3-none-any.whl are refused: the list is empty"
    );
}

#[tokio::test]
async fn a_quota_is_kept() {
    let rig = Rig::new().await;
    let dist = wheel("foo", "1.0", b"one");
    let bytes = dist.bytes.len() as u64;
    let rules = Rules {
        quota: Some(bytes * 3 / 2),
        ..FIRM
    };
    rig.upload(dist, rules).await.unwrap();
    let refused = rig
        .upload(wheel("foo", "1.1", b"one"), rules)
        .await
        .unwrap_err();
    let Error::OverQuota { index, used, quota } = refused else {
        panic!("{refused}");
    };
    assert_eq!((index.as_str(), quota), ("alice/dev", bytes * 3 / 2));
    assert!(used >= bytes);
    assert_eq!(rig.project("foo").await.unwrap().page.versions, ["1.0"]);
}

#[tokio::test]
async fn a_release_can_be_described_without_a_file() {
    let rig = Rig::new().await;
    let form = || Form {
        fields: sdist("foo", "1.0")
            .but(":action", "submit")
            .with("summary", "hello")
            .fields,
        content: None,
    };
    assert_eq!(
        rig.hosted.upload(form(), FIRM, &by()).await.unwrap(),
        Uploaded::Stored
    );
    let release = rig
        .hosted
        .one_release(&"foo".parse().unwrap(), "1.0.0")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (&release.metadata["summary"], release.links.len()),
        (&"hello".into(), 0)
    );
    assert_eq!(rig.project("foo").await.unwrap().page.files, []);
}

#[tokio::test]
async fn what_old_tools_make_is_taken_by_its_name() {
    let rig = Rig::new().await;
    for filename in [
        "foo-1.0.tar.bz2",
        "foo-1.0-py2.7.egg",
        "foo-1.0.win32.exe",
        "python-foo-1.0.rpm",
    ] {
        let mut dist = sdist("foo", "1.0");
        dist.filename = filename.to_owned();
        let name = if filename.starts_with("python") {
            "python-foo"
        } else {
            "foo"
        };
        rig.upload(dist.but("name", name), VOLATILE).await.unwrap();
    }
    assert_eq!(rig.project("foo").await.unwrap().page.files.len(), 3);
}
