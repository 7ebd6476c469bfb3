//! Every `--help`, as reviewed.

use crate::binary::Home;

const COMMANDS: [&[&str]; 28] = [
    &[],
    &["serve"],
    &["init"],
    &["passwd"],
    &["token"],
    &["token", "create"],
    &["token", "ls"],
    &["token", "revoke"],
    &["audit"],
    &["docker"],
    &["docker", "explain"],
    &["docker", "fix"],
    &["docker", "init"],
    &["docker", "lint"],
    &["import"],
    &["export"],
    &["stats"],
    &["cache"],
    &["cache", "du"],
    &["cache", "ls"],
    &["cache", "prune"],
    &["cache", "pin"],
    &["cache", "unpin"],
    &["cache", "verify"],
    &["config"],
    &["config", "check"],
    &["config", "show"],
    &["config", "example"],
];

#[test]
fn every_help_is_as_reviewed() {
    let home = Home::new();
    for command in COMMANDS {
        let arguments = [command, &["--help"]].concat();
        let ended = home.run(&arguments);
        assert_eq!(
            (ended.code, ended.stderr.as_str()),
            (Some(0), ""),
            "{command:?}"
        );
        let name = if command.is_empty() {
            "pilothouse".to_owned()
        } else {
            command.join("-")
        };
        insta::assert_snapshot!(name, ended.stdout);
    }
}

#[test]
fn the_version_is_one_line() {
    let ended = Home::new().run(&["--version"]);
    assert_eq!(
        ended.stdout,
        format!("pilothouse {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn a_wrong_flag_is_an_error_and_no_finding() {
    let ended = Home::new().run(&["serve", "--fresh-for", "soon"]);
    insta::assert_snapshot!(ended, @r"
    exit 2
    --- stdout
    --- stderr
    error: invalid value 'soon' for '--fresh-for <TIME>': `soon` is not a length of time: write a number and a unit, like `30 s`, `10 min` or `1h 30m`

    For more information, try '--help'.
    ");
}

#[cfg(unix)]
#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    use std::process::Stdio;

    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output = Home::new()
        .command(&["config", "example"])
        .stdout(writer)
        .stderr(Stdio::piped())
        .output();
    let output = output.expect("the binary runs");
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}
