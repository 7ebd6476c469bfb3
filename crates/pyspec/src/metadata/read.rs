//! METADATA and PKG-INFO: headers like those of mail, and the description below.

use std::borrow::Cow;

use super::{Collected, Field, InvalidMetadata, MAX_LENGTH, Metadata};

impl Metadata {
    /// Reads METADATA or PKG-INFO.
    ///
    /// Bytes that are not UTF-8 are read as Latin-1, as Python does it.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidMetadata> {
        if bytes.len() > MAX_LENGTH {
            return Err(InvalidMetadata::TooLong);
        }
        let text = decoded(bytes);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let mut collected = Collected::default();
        let mut rest = text;
        while let Some((name, value, after)) = header(rest) {
            rest = after;
            if let Some(field) = Field::of_header(name) {
                collected.add(field, unfolded(value, field))?;
            }
        }
        // What ends the headers is an empty line, or whatever is no header.
        let body = rest.strip_prefix('\r').unwrap_or(rest);
        let body = body.strip_prefix('\n').unwrap_or(body);
        if !body.trim().is_empty() {
            // The body is the description, whatever a header says.
            collected.values.remove(&Field::Description);
            collected.add(Field::Description, body.to_owned())?;
        }
        collected.finish()
    }
}

fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    match str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// The first header: its name, its value with all its lines, and what follows.
fn header(text: &str) -> Option<(&str, &str, &str)> {
    let line = first_line(text);
    let (name, _) = line.split_once(':')?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| matches!(byte, b'!'..=b'~'));
    if !is_name {
        return None;
    }
    let mut end = line.len();
    while text[end..].starts_with([' ', '\t']) {
        end += first_line(&text[end..]).len();
    }
    Some((name, &text[name.len() + 1..end], &text[end..]))
}

/// The first line with its end.
fn first_line(text: &str) -> &str {
    text.split_inclusive('\n').next().unwrap_or_default()
}

/// A value on one line, or on as many as it is told.
///
/// "The newlines are followed by 7 spaces and a pipe" is what old specifications want of
/// a description; others indented it by 8 spaces.
fn unfolded(value: &str, field: Field) -> String {
    let mut lines = value.lines();
    let mut text = lines.next().unwrap_or_default().trim().to_owned();
    for line in lines {
        text.push('\n');
        text.push_str(unindented(line, field).trim_end());
    }
    text.truncate(text.trim_end().len());
    text
}

fn unindented(line: &str, field: Field) -> &str {
    const INDENT: usize = 8;
    if field != Field::Description && field != Field::License {
        return line.trim_start();
    }
    if let Some(rest) = line.strip_prefix("       |") {
        return rest;
    }
    let indent = line.bytes().take(INDENT).take_while(|byte| *byte == b' ');
    &line[indent.count()..]
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Metadata {
        Metadata::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn every_field_is_read() {
        let mut text = String::new();
        for (at, field) in Field::all().enumerate() {
            let Some(header) = field.header() else {
                continue;
            };
            match field {
                Field::Name => text.push_str("Name: foo\n"),
                Field::Version => text.push_str("Version: 1.0\n"),
                _ => writeln!(text, "{header}: a {at}\n{header}: b {at}").unwrap(),
            }
        }
        let metadata = read(&text);
        for (at, field) in Field::all().enumerate() {
            let values = metadata.all(field);
            match field {
                Field::Comment => assert_eq!(values, [""; 0]),
                Field::Name => assert_eq!(values, ["foo"]),
                Field::Version => assert_eq!(values, ["1.0"]),
                _ if field.is_many() => assert_eq!(values, [format!("a {at}"), format!("b {at}")]),
                _ => assert_eq!(values, [format!("a {at}")]),
            }
        }
    }

    #[test]
    fn the_description_is_the_body_or_a_header() {
        const HEAD: &str = "Name: foo\nVersion: 1\n";
        for (text, description) in [
            ("\n# Foo\n\n is good\n", Some("# Foo\n\n is good\n")),
            ("\r\nFoo\r\n", Some("Foo\r\n")),
            ("Description: one\n", Some("one")),
            (
                "Description: one\n        two\n          three\n",
                Some("one\ntwo\n  three"),
            ),
            (
                "Description: one\n       |two\n       |\n       | three\n",
                Some("one\ntwo\n\n three"),
            ),
            ("Description: one\n\nthe body\n", Some("the body\n")),
            ("Description: UNKNOWN\n", None),
            ("\n\n \n", None),
            ("", None),
        ] {
            let metadata = read(&format!("{HEAD}{text}"));
            assert_eq!(metadata.first(Field::Description), description, "{text:?}");
        }
    }

    #[test]
    fn what_old_tools_wrote_is_understood() {
        for (text, field, values) in [
            ("keywords:a,b", Field::Keywords, &["a,b"][..]),
            ("SUMMARY:   x  ", Field::Summary, &["x"]),
            ("Summary: a\n  b\n\tc", Field::Summary, &["a\nb\nc"]),
            ("License: MIT\n\n\nPermission", Field::License, &["MIT"]),
            (
                "License: MIT\n        \n          x",
                Field::License,
                &["MIT\n\n  x"],
            ),
            ("Home-Page: UNKNOWN", Field::HomePage, &[]),
            ("X-Other: a\nAuthor: b", Field::Author, &["b"]),
            ("Author: a\nAuthor: b", Field::Author, &["a"]),
            (
                "Classifier: a\r\nClassifier: b\r\n",
                Field::Classifier,
                &["a", "b"],
            ),
            ("Author: \u{e9}", Field::Author, &["\u{e9}"]),
        ] {
            let metadata = read(&format!("Name: foo\nVersion: 1\n{text}"));
            assert_eq!(metadata.all(field), values, "{text:?}");
        }
        let latin = Metadata::parse(b"\xef\xbb\xbfName: foo\nVersion: 1\n").unwrap();
        assert_eq!(latin.project().as_str(), "foo");
        let latin = Metadata::parse(b"Name: foo\nVersion: 1\nAuthor: Andr\xe9\n").unwrap();
        assert_eq!(latin.first(Field::Author), Some("Andr\u{e9}"));
    }

    #[test]
    fn without_a_good_name_and_version_there_is_none() {
        for (text, why) in [
            ("", "it has no `Name`"),
            ("Version: 1\n", "it has no `Name`"),
            ("Name: foo\n", "it has no `Version`"),
            ("Name: foo\nVersion:\n", "it has no `Version`"),
            ("\nName: foo\nVersion: 1\n", "it has no `Name`"),
            (
                "Name: foo\nName: bar\nVersion: 1\n",
                "it has more than one `Name`",
            ),
            ("Name: foo\nVersion: one\n", "`one` is not a version"),
            (
                "Name: ../foo\nVersion: 1\n",
                "`../foo` is not a project name: letters, digits, `-`, `_` and `.` only, a letter or digit at both ends",
            ),
        ] {
            let error = Metadata::parse(text.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), why, "{text:?}");
        }
    }

    #[test]
    fn what_has_no_end_is_refused() {
        let many = "Classifier: a\n".repeat(50_001);
        assert_eq!(
            Metadata::parse(many.as_bytes()),
            Err(InvalidMetadata::TooMany)
        );
        let long = vec![b'a'; MAX_LENGTH + 1];
        assert_eq!(Metadata::parse(&long), Err(InvalidMetadata::TooLong));
        assert_eq!(
            InvalidMetadata::TooLong.to_string(),
            "it is longer than 16 MiB"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_metadata_or_an_error(bytes: Vec<u8>, text in "(([A-Z][a-z-]{0,6}|Name|Version): ?[a-z1. ]{0,6}\r?\n| ?\\PC{0,5}\n){0,8}") {
            let _ = Metadata::parse(&bytes);
            let _ = Metadata::parse(text.as_bytes());
        }

        #[test]
        fn what_is_written_is_read(metadata in super::super::tests::any()) {
            let mut text = String::new();
            for (field, values) in metadata.iter() {
                for value in values {
                    match field.header() {
                        Some(header) => writeln!(text, "{header}: {value}").unwrap(),
                        None => prop_assume!(false),
                    }
                }
            }
            prop_assert_eq!(read(&text), metadata);
        }
    }
}
