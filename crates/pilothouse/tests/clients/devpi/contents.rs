//! What is on an index: listed, and removed.

use insta::assert_snapshot;
use testkit::Dist;

use super::Target;
use super::session::Session;

/// An index with a few releases, its own and its base's.
pub(super) fn lists(target: Target<'_>) {
    let mut session = Session::of(target, "kim");
    session.types("list");
    filled(&session);
    session.types("list");
    session.types("list -v");
    session.types("list -v --all");
    session.types("list foo");
    session.types("list --all foo");
    session.types("list foo==1.1");
    session.types("list bar");
    session.types("list --ignore-bases bar");
    session.types("list Foo");
    session.types("list nothing");
    session.types("list --index root/pypi bar");
    session.types("list --index root/pypi");
    session.types("list --index kim/none");
    assert_snapshot!(session.transcript(), @r"
    $ devpi list
    $ devpi list
    foo
    $ devpi list -v
    foo==2.0rc1
    $ devpi list -v --all
    foo==1.0
    foo==1.1
    foo==1.2
    foo==1.3
    foo==2.0rc1
    $ devpi list foo
    http://localhost:3141/kim/dev/+f/[digest]/foo-2.0rc1-py3-none-any.whl
    http://localhost:3141/kim/dev/+f/[digest]/foo-1.3-py3-none-any.whl
    http://localhost:3141/kim/dev/+f/[digest]/foo-1.2-py3-none-any.whl
    2 older versions not shown, use --all to see
    $ devpi list --all foo
    http://localhost:3141/kim/dev/+f/[digest]/foo-2.0rc1-py3-none-any.whl
    http://localhost:3141/kim/dev/+f/[digest]/foo-1.3-py3-none-any.whl
    http://localhost:3141/kim/dev/+f/[digest]/foo-1.2-py3-none-any.whl
    http://localhost:3141/kim/dev/+f/[digest]/foo-1.1-py3-none-any.whl
    http://localhost:3141/kim/dev/+f/[digest]/foo-1.1.tar.gz
    http://localhost:3141/kim/dev/+f/[digest]/foo-1.0-py3-none-any.whl
    $ devpi list foo==1.1
    http://localhost:3141/kim/dev/+f/[digest]/foo-1.1-py3-none-any.whl
    http://localhost:3141/kim/dev/+f/[digest]/foo-1.1.tar.gz
    $ devpi list bar
    http://localhost:3141/root/pypi/+f/[digest]/bar-1.1-py3-none-any.whl
    http://localhost:3141/root/pypi/+f/[digest]/bar-1.0-py3-none-any.whl
    $ devpi list --ignore-bases bar
    $ devpi list Foo
    http://localhost:3141/kim/dev/+f/[digest]/foo-2.0rc1-py3-none-any.whl
    http://localhost:3141/kim/dev/+f/[digest]/foo-1.3-py3-none-any.whl
    http://localhost:3141/kim/dev/+f/[digest]/foo-1.2-py3-none-any.whl
    2 older versions not shown, use --all to see
    $ devpi list nothing
    GET http://localhost:3141/kim/dev/nothing
    404 Not Found: no project 'nothing'
    [exit code 1]
    $ devpi list --index root/pypi bar
    http://localhost:3141/root/pypi/+f/[digest]/bar-1.1-py3-none-any.whl
    http://localhost:3141/root/pypi/+f/[digest]/bar-1.0-py3-none-any.whl
    $ devpi list --index root/pypi
    bar
    foo
    $ devpi list --index kim/none
    GET http://localhost:3141/kim/none/+api
    404 Not Found: The stage kim/none could not be found.
    [exit code 1]
    ");
}

/// Releases, files and projects go, where they may.
pub(super) fn removals(target: Target<'_>) {
    let mut session = Session::of(target, "lea");
    filled(&session);
    session.types("remove -y foo==1.0");
    session.types("remove -y foo==1.0");
    session.types("remove -y bar");
    session.types("remove -y nothing");
    let listed = session.quietly("list foo==1.1");
    let wheel = listed.stdout.lines().find(|line| line.ends_with("any.whl"));
    let wheel = wheel.unwrap().to_owned();
    session.types(&format!("remove -y {wheel}"));
    session.quietly("index dev volatile=False");
    session.types("remove -y foo==1.1");
    session.types("remove -y foo");
    session.quietly("user -c mo password=secret");
    session.quietly("login mo --password=secret");
    session.types("remove -y -f foo==1.1");
    session.types("remove -y --index lea/dev -f foo");
    session.quietly("login lea --password=secret");
    session.types("remove -y -f foo==1.1");
    session.types("remove -y --index lea/dev -f foo");
    session.types("list");
    session.types("list foo");
    assert_snapshot!(session.transcript(), @r"
    $ devpi remove -y foo==1.0
    About to remove the following releases and distributions
    version: 1.0
      - http://localhost:3141/lea/dev/+f/[digest]/foo-1.0-py3-none-any.whl
      - http://localhost:3141/lea/dev/+f/[digest]/foo-1.0.doc.zip
    Are you sure (yes/no)? yes (autoset from -y option)
    deleting release 1.0 of foo
    $ devpi remove -y foo==1.0
    No releases or distributions found matching 'foo==1.0'.
    [exit code 1]
    $ devpi remove -y bar
    No releases or distributions found matching 'bar'.
    [exit code 1]
    $ devpi remove -y nothing
    GET http://localhost:3141/lea/dev/nothing/?ignore_bases=
    404 Not Found: no project 'nothing'
    [exit code 1]
    $ devpi remove -y http://localhost:3141/lea/dev/+f/[digest]/foo-1.1-py3-none-any.whl
    About to remove the following file:
    http://localhost:3141/lea/dev/+f/[digest]/foo-1.1-py3-none-any.whl
    Are you sure (yes/no)? yes (autoset from -y option)
    $ devpi remove -y foo==1.1
    About to remove the following releases and distributions
    version: 1.1
      - http://localhost:3141/lea/dev/+f/[digest]/foo-1.1.tar.gz
    Are you sure (yes/no)? yes (autoset from -y option)
    deleting release 1.1 of foo
    DELETE http://localhost:3141/lea/dev/foo/1.1
    403 Forbidden: cannot delete version on non-volatile index
    [exit code 1]
    $ devpi remove -y foo
    About to remove the following releases and distributions
    version: 1.1
      - http://localhost:3141/lea/dev/+f/[digest]/foo-1.1.tar.gz
    version: 1.2
      - http://localhost:3141/lea/dev/+f/[digest]/foo-1.2-py3-none-any.whl
    version: 1.3
      - http://localhost:3141/lea/dev/+f/[digest]/foo-1.3-py3-none-any.whl
    version: 2.0rc1
      - http://localhost:3141/lea/dev/+f/[digest]/foo-2.0rc1-py3-none-any.whl
    Are you sure (yes/no)? yes (autoset from -y option)
    DELETE http://localhost:3141/lea/dev/foo/
    403 Forbidden: project 'foo' is on non-volatile index lea/dev
    [exit code 1]
    $ devpi remove -y -f foo==1.1
    About to remove the following releases and distributions
    version: 1.1
      - http://localhost:3141/lea/dev/+f/[digest]/foo-1.1.tar.gz
    Are you sure (yes/no)? yes (autoset from -y option)
    deleting release 1.1 of foo
    DELETE http://localhost:3141/lea/dev/foo/1.1?force=
    403 Forbidden: [no permission]
    [exit code 1]
    $ devpi remove -y --index lea/dev -f foo
    About to remove the following releases and distributions
    version: 1.1
      - http://localhost:3141/lea/dev/+f/[digest]/foo-1.1.tar.gz
    version: 1.2
      - http://localhost:3141/lea/dev/+f/[digest]/foo-1.2-py3-none-any.whl
    version: 1.3
      - http://localhost:3141/lea/dev/+f/[digest]/foo-1.3-py3-none-any.whl
    version: 2.0rc1
      - http://localhost:3141/lea/dev/+f/[digest]/foo-2.0rc1-py3-none-any.whl
    Are you sure (yes/no)? yes (autoset from -y option)
    DELETE http://localhost:3141/lea/dev/foo/?force=
    403 Forbidden: [no permission]
    [exit code 1]
    $ devpi remove -y -f foo==1.1
    About to remove the following releases and distributions
    version: 1.1
      - http://localhost:3141/lea/dev/+f/[digest]/foo-1.1.tar.gz
    Are you sure (yes/no)? yes (autoset from -y option)
    deleting release 1.1 of foo
    $ devpi remove -y --index lea/dev -f foo
    About to remove the following releases and distributions
    version: 1.2
      - http://localhost:3141/lea/dev/+f/[digest]/foo-1.2-py3-none-any.whl
    version: 1.3
      - http://localhost:3141/lea/dev/+f/[digest]/foo-1.3-py3-none-any.whl
    version: 2.0rc1
      - http://localhost:3141/lea/dev/+f/[digest]/foo-2.0rc1-py3-none-any.whl
    Are you sure (yes/no)? yes (autoset from -y option)
    $ devpi list
    $ devpi list foo
    http://localhost:3141/root/pypi/+f/[digest]/foo-9.0-py3-none-any.whl
    ");
}

fn filled(session: &Session<'_>) {
    let tree = session.tree("foo", "1.0");
    for version in ["1.0", "1.1", "1.2", "1.3", "2.0rc1"] {
        tree.dist(&Dist::wheel(version));
    }
    tree.dist(&Dist::sdist("1.1"));
    tree.docs(&[("index.html", "<h1>foo</h1>")]);
    session.quietly("upload --from-dir ~/foo/dist");
}
