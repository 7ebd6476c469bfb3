//! `devpi test`: tox runs what is on the index, and the index keeps what came of it.

use insta::assert_snapshot;
use testkit::http::Request;

use super::Target;
use super::session::Session;

/// Tests that pass and tests that fail are told apart.
pub(super) fn results(target: Target<'_>) {
    let mut session = Session::of(target, "uma");
    let good = session.tree("good", "1.0");
    let bad = session.tree("bad", "1.0");
    bad.file("tox.ini", FAILING);
    for tree in [&good, &bad] {
        let upload = session.devpi().run_in(tree.path(), &["upload", "--sdist"]);
        upload.succeeds();
    }
    session.types("test --list good");
    session.types("test nothing");
    session.hears("test good", "congratulations :)");
    let failed = session.devpi().run(&["test", "bad"]);
    failed.fails().says("tox command failed 1").says("success");
    session.types("list -t good");
    session.types("list -t bad");
    session.types("list -f bad");
    session.quietly("index -c kept acl_toxresult_upload=root");
    session.quietly("push good==1.0 uma/kept");
    let listed = session.quietly("list --index uma/kept good").stdout;
    let refused = Request::new("POST", listed.trim())
        .header("Content-Type", "application/json")
        .body("{}")
        .send();
    assert_eq!(refused.status, 403);
    assert_eq!(refused.json()["message"], NO_PERMISSION);
    assert_snapshot!(session.transcript(), @r"
    $ devpi test --list good
    using workdir ~/devpi-test-[random]
    received http://uma:****@localhost:3141/uma/dev/+f/[digest]/good-1.0.tar.gz
    unpacking ~/devpi-test-[random]/downloads/good-1.0.tar.gz to ~/devpi-test-[random]/targz
    would test:
       http://localhost:3141/uma/dev/+f/[digest]/good-1.0.tar.gz
    $ devpi test nothing
    using workdir ~/devpi-test-[random]
    GET http://localhost:3141/uma/dev/nothing
    404 Not Found: no project 'nothing'
    could not find/receive links for nothing
    [exit code 1]
    $ devpi test good
    […] congratulations :) […]
    $ devpi list -t good
    http://localhost:3141/uma/dev/+f/[digest]/good-1.0.tar.gz
    [machine] .pkg_external [version] no tests were run
    [machine] .pkg_external_sdist_meta [version] tests passed
    [machine] py [version] tests passed
    $ devpi list -t bad
    http://localhost:3141/uma/dev/+f/[digest]/bad-1.0.tar.gz
    [machine] .pkg_external [version] no tests were run
    [machine] .pkg_external_sdist_meta [version] tests passed
    [machine] py [version] tests failed
    $ devpi list -f bad
    http://localhost:3141/uma/dev/+f/[digest]/bad-1.0.tar.gz
    [machine] .pkg_external [version] no tests were run
    [machine] .pkg_external_sdist_meta [version] tests passed
    [machine] py [version] tests failed
        FAIL: ~/devpi-test-[random]/targz/bad-1.0/.tox/py/bin/python -c raise SystemExit('it does not work')
    ");
}

/// What `devpi test` shows, had it run here.
const NO_PERMISSION: &str = "No permission to upload tox results. \
    You can use the devpi test --no-upload option to skip the upload.";

const FAILING: &str = r#"[tox]
env_list = py

[testenv]
commands = python -c "raise SystemExit('it does not work')"
"#;
