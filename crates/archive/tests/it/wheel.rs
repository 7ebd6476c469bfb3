//! Wheels.

use archive::{Limits, Refused};

use crate::forged::{self, Member};
use crate::make::{METADATA, WHEEL, open_wheel, refused, wheel_with, zip};

fn why(filename: &str, members: &[(&str, &[u8])]) -> String {
    match open_wheel(filename, &zip(members)) {
        Ok(opened) => format!(
            "{} {}",
            opened.metadata.project(),
            opened.metadata.version()
        ),
        Err(refused) => refused.to_string(),
    }
}

#[test]
fn a_wheel_gives_its_metadata() {
    let opened = open_wheel(WHEEL, &zip(&wheel_with(&[]))).unwrap();
    assert_eq!(opened.metadata_bytes, METADATA);
    assert_eq!(opened.metadata.project().as_str(), "foo-bar");
    assert_eq!(
        (opened.entries, opened.unpacked),
        (4, METADATA.len() as u64 + 19)
    );
}

#[test]
fn name_and_version_may_be_spelled_in_any_way() {
    for filename in [
        WHEEL,
        "foo_bar-1.0.0-py3-none-any.whl",
        "Foo_Bar-v1.0-1-cp312-cp312-linux_x86_64.whl",
    ] {
        assert_eq!(why(filename, &wheel_with(&[])), "foo-bar 1.0");
    }
    let mut members = wheel_with(&[]);
    members[1].1 = b"Name: foo.bar\nVersion: v1.0.0\n";
    assert_eq!(why(WHEEL, &members), "foo-bar 1.0.0");
}

#[test]
fn what_a_wheel_must_have_is_missed() {
    for (left_out, said) in [
        ("METADATA", "it has no `foo_bar-1.0.dist-info/METADATA`"),
        ("WHEEL", "it has no `foo_bar-1.0.dist-info/WHEEL`"),
        ("RECORD", "it has no `foo_bar-1.0.dist-info/RECORD`"),
        ("dist-info", "it has no `.dist-info`"),
    ] {
        let mut members = wheel_with(&[]);
        members.retain(|(name, _)| !name.contains(left_out));
        assert_eq!(why(WHEEL, &members), said);
    }
    // A folder of this name is not it.
    let mut members = wheel_with(&[("foo_bar-1.0.dist-info/METADATA/", b"")]);
    members.remove(1);
    assert_eq!(
        why(WHEEL, &members),
        "it has no `foo_bar-1.0.dist-info/METADATA`"
    );
}

#[test]
fn one_wheel_is_one_release() {
    assert_eq!(
        why(
            WHEEL,
            &wheel_with(&[("foo_bar-1.0.0.dist-info/METADATA", b"")])
        ),
        "it has two folders of metadata, `foo_bar-1.0.dist-info` and `foo_bar-1.0.0.dist-info`"
    );
    // What is vendored is not its own.
    assert_eq!(
        why(
            WHEEL,
            &wheel_with(&[("foo_bar/vendor/a-1.dist-info/METADATA", b"")])
        ),
        "foo-bar 1.0"
    );
}

#[test]
fn a_wheel_is_what_its_name_says() {
    for (filename, said) in [
        (
            "foo-1.0-py3-none-any.whl",
            "its name is that of project `foo`, but its metadata says foo-bar",
        ),
        (
            "foo_bar-1.1-py3-none-any.whl",
            "its name is that of version 1.1, but its metadata says 1.0",
        ),
        (
            "foo_bar-1.0.whl",
            "its name does not tell project and version",
        ),
        (
            "foo_bar-1.0.zip",
            "its name does not tell project and version",
        ),
    ] {
        assert_eq!(why(filename, &wheel_with(&[])), said);
    }
    let mut members = wheel_with(&[]);
    for member in &mut members[1..] {
        member.0 = match member.0.rsplit('/').next().unwrap() {
            "METADATA" => "bar-1.0.dist-info/METADATA",
            "WHEEL" => "bar-1.0.dist-info/WHEEL",
            _ => "bar-1.0.dist-info/RECORD",
        };
    }
    assert_eq!(
        why(WHEEL, &members),
        "its folder `bar-1.0.dist-info` is not named for foo-bar 1.0"
    );
}

#[test]
fn metadata_must_be_some() {
    let mut members = wheel_with(&[]);
    members[1].1 = b"Name: foo-bar\n";
    assert_eq!(
        why(WHEEL, &members),
        "its METADATA is not valid: it has no `Version`"
    );
    let limits = Limits {
        metadata: 10,
        ..Limits::default()
    };
    let outcome = archive::wheel(&zip(&wheel_with(&[]))[..], &WHEEL.parse().unwrap(), &limits);
    let too_large = refused(outcome).unwrap_err();
    assert_eq!(
        too_large,
        Refused::MetadataTooLarge {
            file: "METADATA",
            limit: 10
        }
    );
}

#[test]
fn metadata_that_unpacks_to_something_else_is_refused() {
    let mut members: Vec<Member> = wheel_with(&[])
        .into_iter()
        .map(|(name, body)| Member::new(name, body))
        .collect();
    assert!(open_wheel(WHEEL, &forged::zip(&members)).is_ok());
    members[1].crc += 1;
    let refused = open_wheel(WHEEL, &forged::zip(&members)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "it is damaged: its METADATA cannot be unpacked"
    );
}
