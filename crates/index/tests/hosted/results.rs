//! Test results.

use index::hosted::By;
use index::{Error, Part};

use crate::make::wheel;
use crate::rig::{FIRM, Rig, at, by, path_of};

#[tokio::test]
async fn results_are_kept_beside_the_file() {
    let rig = Rig::new().await;
    rig.upload(wheel("foo", "1.0", b""), FIRM).await.unwrap();
    let project = rig.project("foo").await.unwrap();
    let path = path_of(&project, &project.page.files[0]);
    let mut kept = Vec::new();
    for result in [&b"{\"a\": 1}"[..], b"{\"b\": 2}"] {
        kept.push(
            rig.hosted
                .add_result(&path, result.into(), None, &by())
                .await
                .unwrap(),
        );
    }
    assert_eq!(kept[0].path, format!("{path}.toxresult-20270115080000-0"));
    assert_eq!(kept[1].path, format!("{path}.toxresult-20270115080000-1"));
    let bytes = rig.read(&kept[1].path, Part::File).await.unwrap();
    assert_eq!(bytes, &b"{\"b\": 2}"[..]);
    let release = rig
        .hosted
        .one_release(&"foo".parse().unwrap(), "1.0")
        .await
        .unwrap()
        .unwrap();
    let results: Vec<_> = release
        .links
        .iter()
        .filter(|link| link.rel == "toxresult")
        .collect();
    assert_eq!(results.len(), 2);
    assert_eq!(results[0].for_path.as_ref(), Some(&path));
    let json = release.to_json(&|index, path| format!("{index}/{path}"));
    assert_eq!(json["+links"][1]["for_href"], json["+links"][0]["href"]);
    assert_eq!(
        rig.project("foo").await.unwrap().page.files.len(),
        1,
        "no installer sees them"
    );
}

#[tokio::test]
async fn a_result_needs_a_file_and_to_be_json() {
    let rig = Rig::new().await;
    rig.upload(wheel("foo", "1.0", b""), FIRM).await.unwrap();
    let project = rig.project("foo").await.unwrap();
    let path = path_of(&project, &project.page.files[0]);
    let no_json = rig.hosted.add_result(&path, "{".into(), None, &by()).await;
    assert!(matches!(no_json, Err(Error::BadUpload { .. })));
    let nowhere = rig
        .hosted
        .add_result("abc/def/x", "{}".into(), None, &by())
        .await;
    assert!(matches!(nowhere, Err(Error::NoSuchFile { .. })));
    let result = rig
        .hosted
        .add_result(&path, "{}".into(), None, &by())
        .await
        .unwrap();
    let of_result = rig
        .hosted
        .add_result(&result.path, "[]".into(), None, &by())
        .await;
    assert!(matches!(of_result, Err(Error::NoSuchFile { .. })));
    let later = By::nobody(at(60));
    let anonymous = rig
        .hosted
        .add_result(&path, "{}".into(), None, &later)
        .await
        .unwrap();
    assert_eq!(anonymous.path, format!("{path}.toxresult-20270115080100-1"));
}
