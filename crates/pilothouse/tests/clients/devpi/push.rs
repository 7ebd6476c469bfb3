//! `devpi push`: from index to index, and to an index elsewhere.

use insta::assert_snapshot;
use testkit::{DevpiServer, Dist};

use super::Target;
use super::session::Session;

/// From index to index of one server.
pub(super) fn inside(target: Target<'_>) {
    let mut session = Session::of(target, "nora");
    session.quietly("index -c prod volatile=False");
    session.quietly("index -c docs");
    session.quietly("index -c more");
    let tree = filled(&session);
    session.types("push foo==1.0 nora/prod");
    // As with uploads, the same bytes again are no mistake here.
    session.apart("push foo==1.0 nora/prod", EXISTS, PUSHED);
    session.types("push --no-docs foo==1.0 nora/docs");
    session.types("push --only-docs foo==1.0 nora/docs");
    session.types("push --index root/pypi bar==1.0 nora/prod");
    session.types("push --index prod foo==1.0 nora/more");
    session.types("list --index nora/more foo");
    session.types("getjson /nora/more/foo/1.0");
    tree.dist(&Dist::wheel("1.0").padding(10));
    session.quietly("upload ~/foo/dist/foo-1.0-py3-none-any.whl");
    session.types("push foo==1.0 nora/prod");
    session.types("push foo==1.0 nora/docs");
    assert_snapshot!(session.transcript(), @r#"
    $ devpi push foo==1.0 nora/prod
       200 register foo 1.0 -> nora/prod
       200 store_releasefile nora/prod/+f/[digest]/foo-1.0-py3-none-any.whl
       200 store_releasefile nora/prod/+f/[digest]/foo-1.0.tar.gz
       200 store_doczip foo 1.0 -> nora/prod
    $ devpi push foo==1.0 nora/prod
    [apart]
    $ devpi push --no-docs foo==1.0 nora/docs
       200 register foo 1.0 -> nora/docs
       200 store_releasefile nora/docs/+f/[digest]/foo-1.0-py3-none-any.whl
       200 store_releasefile nora/docs/+f/[digest]/foo-1.0.tar.gz
    $ devpi push --only-docs foo==1.0 nora/docs
       200 register foo 1.0 -> nora/docs
       200 store_doczip foo 1.0 -> nora/docs
    $ devpi push --index root/pypi bar==1.0 nora/prod
       200 register bar 1.0 -> nora/prod
       200 store_releasefile nora/prod/+f/[digest]/bar-1.0-py3-none-any.whl
    $ devpi push --index prod foo==1.0 nora/more
       200 register foo 1.0 -> nora/more
       200 store_releasefile nora/more/+f/[digest]/foo-1.0-py3-none-any.whl
       200 store_releasefile nora/more/+f/[digest]/foo-1.0.tar.gz
       200 store_doczip foo 1.0 -> nora/more
    $ devpi list --index nora/more foo
    http://localhost:3141/nora/more/+f/[digest]/foo-1.0-py3-none-any.whl
    http://localhost:3141/nora/more/+f/[digest]/foo-1.0.tar.gz
    $ devpi getjson /nora/more/foo/1.0
    {
        "result": {
            "+links": [
                {
                    "hash_spec": "sha256=[sha256]",
                    "hashes": {
                        "sha256": "[sha256]"
                    },
                    "href": "http://localhost:3141/nora/more/+f/[digest]/foo-1.0-py3-none-any.whl",
                    "log": [
                        {
                            "dst": "nora/dev",
                            "what": "upload",
                            "when": "[time]",
                            "who": "nora"
                        },
                        {
                            "dst": "nora/prod",
                            "src": "nora/dev",
                            "what": "push",
                            "when": "[time]",
                            "who": "nora"
                        },
                        {
                            "dst": "nora/more",
                            "src": "nora/prod",
                            "what": "push",
                            "when": "[time]",
                            "who": "nora"
                        }
                    ],
                    "rel": "releasefile"
                },
                {
                    "hash_spec": "sha256=[sha256]",
                    "hashes": {
                        "sha256": "[sha256]"
                    },
                    "href": "http://localhost:3141/nora/more/+f/[digest]/foo-1.0.doc.zip",
                    "log": [
                        {
                            "dst": "nora/dev",
                            "what": "upload",
                            "when": "[time]",
                            "who": "nora"
                        },
                        {
                            "dst": "nora/prod",
                            "src": "nora/dev",
                            "what": "push",
                            "when": "[time]",
                            "who": "nora"
                        },
                        {
                            "dst": "nora/more",
                            "src": "nora/prod",
                            "what": "push",
                            "when": "[time]",
                            "who": "nora"
                        }
                    ],
                    "rel": "doczip"
                },
                {
                    "hash_spec": "sha256=[sha256]",
                    "hashes": {
                        "sha256": "[sha256]"
                    },
                    "href": "http://localhost:3141/nora/more/+f/[digest]/foo-1.0.tar.gz",
                    "log": [
                        {
                            "dst": "nora/dev",
                            "what": "upload",
                            "when": "[time]",
                            "who": "nora"
                        },
                        {
                            "dst": "nora/prod",
                            "src": "nora/dev",
                            "what": "push",
                            "when": "[time]",
                            "who": "nora"
                        },
                        {
                            "dst": "nora/more",
                            "src": "nora/prod",
                            "what": "push",
                            "when": "[time]",
                            "who": "nora"
                        }
                    ],
                    "rel": "releasefile"
                }
            ],
            "author": "",
            "author_email": "",
            "classifiers": [],
            "comment": "",
            "description": "",
            "description_content_type": "",
            "download_url": "",
            "dynamic": [],
            "home_page": "",
            "keywords": "",
            "license": "",
            "license_expression": "",
            "license_file": [],
            "maintainer": "",
            "maintainer_email": "",
            "metadata_version": "2.1",
            "name": "foo",
            "obsoletes": [],
            "obsoletes_dist": [],
            "platform": [],
            "project_urls": [],
            "provides": [],
            "provides_dist": [],
            "provides_extras": [],
            "requires": [],
            "requires_dist": [
                "bar>=1"
            ],
            "requires_external": [],
            "requires_python": "",
            "summary": "made up for a test",
            "supported_platform": [],
            "version": "1.0"
        },
        "type": "versiondata"
    }
    $ devpi push foo==1.0 nora/prod
    PUSH http://localhost:3141/nora/dev
    409 Conflict: foo-1.0-py3-none-any.whl already exists in non-volatile index
    [exit code 1]
    $ devpi push foo==1.0 nora/docs
       200 register foo 1.0 -> nora/docs
       200 store_releasefile nora/docs/+f/[digest]/foo-1.0-py3-none-any.whl
       200 store_releasefile nora/docs/+f/[digest]/foo-1.0.tar.gz
       200 store_doczip foo 1.0 -> nora/docs
    "#);
}

/// What devpi's server says to a release that is where it is pushed.
const EXISTS: &str = "\
PUSH http://localhost:3141/nora/dev
409 Conflict: foo-1.0-py3-none-any.whl already exists in non-volatile index
[exit code 1]
";

/// What ours says.
const PUSHED: &str = "   200 register foo 1.0 -> nora/prod
   200 store_releasefile nora/prod/+f/[digest]/foo-1.0-py3-none-any.whl
   200 store_releasefile nora/prod/+f/[digest]/foo-1.0.tar.gz
   200 store_doczip foo 1.0 -> nora/prod
";

/// What is not there, or not allowed.
pub(super) fn refusals(target: Target<'_>) {
    let mut session = Session::of(target, "otto");
    filled(&session);
    session.types("push foo nora");
    session.types("push foo otto/dev");
    session.types("push foo==9.9 otto/dev");
    session.types("push nothing==1.0 otto/dev");
    session.types("push foo==1.0 otto/none");
    session.types("push foo==1.0 nobody/dev");
    session.types("push foo==1.0 root/pypi");
    session.types("push --no-docs --only-docs foo==1.0 otto/dev");
    session.quietly("user -c pia password=secret");
    session.quietly("login pia --password=secret");
    session.types("push foo==1.0 otto/dev");
    assert_snapshot!(session.transcript(), @r"
    $ devpi push foo nora
    target 'nora' not of form USER/NAME or pypi:REPONAME
    [exit code 1]
    $ devpi push foo otto/dev
    The release specification needs to be of this form: name==version
    [exit code 1]
    $ devpi push foo==9.9 otto/dev
    PUSH http://localhost:3141/otto/dev
    400 Bad Request: there are no files for foo 9.9 on stage otto/dev
    [exit code 1]
    $ devpi push nothing==1.0 otto/dev
    PUSH http://localhost:3141/otto/dev
    400 Bad Request: there are no files for nothing 1.0 on stage otto/dev
    [exit code 1]
    $ devpi push foo==1.0 otto/none
    PUSH http://localhost:3141/otto/dev
    404 Not Found: The stage otto/none could not be found.
    [exit code 1]
    $ devpi push foo==1.0 nobody/dev
    PUSH http://localhost:3141/otto/dev
    404 Not Found: The stage nobody/dev could not be found.
    [exit code 1]
    $ devpi push foo==1.0 root/pypi
    PUSH http://localhost:3141/otto/dev
    401 Unauthorized: user 'otto' cannot upload to 'root/pypi'
    [exit code 1]
    $ devpi push --no-docs --only-docs foo==1.0 otto/dev
    Can't use '--no-docs' and '--only-docs' together.
    [exit code 1]
    $ devpi push foo==1.0 otto/dev
    PUSH http://localhost:3141/otto/dev
    401 Unauthorized: user 'pia' cannot upload to 'otto/dev'
    [exit code 1]
    ");
}

/// To an index elsewhere, which only the server talks to: one of devpi's.
pub(super) fn away(target: Target<'_>) {
    let mut session = Session::of(target, "quin");
    let tree = filled(&session);
    let elsewhere = DevpiServer::new().mirroring(target.upstream).start();
    let away = Target {
        url: &elsewhere.url(),
        ..target
    };
    let away = Session::of(away, "ruth");
    away.quietly("index dev volatile=False");
    let pypirc = format!(
        "[distutils]\nindex-servers = away wrong\n\n\
         [away]\nrepository = {url}/ruth/dev/\nusername = ruth\npassword = secret\n\n\
         [wrong]\nrepository = {url}/ruth/dev/\nusername = ruth\npassword = other\n",
        url = elsewhere.url()
    );
    session.devpi().scratch().file(".pypirc", pypirc);
    session.types("push foo==1.0 pypi:wrong");
    session.types("push foo==1.0 pypi:away");
    session.types("push foo==1.0 pypi:elsewhere");
    session.types("push --register-project --no-docs foo==1.0 pypi:away");
    let there = away.quietly("list foo").stdout;
    assert_eq!(there.lines().count(), 2, "{there}");
    tree.dist(&Dist::wheel("1.0").padding(10));
    session.quietly("upload ~/foo/dist/foo-1.0-py3-none-any.whl");
    session.types("push foo==1.0 pypi:away");
    assert_snapshot!(session.transcript(), @r#"
    $ devpi push foo==1.0 pypi:wrong
    using pypirc ~/.pypirc
    PUSH http://localhost:3141/quin/dev
    502 Bad Gateway
       401 upload quin/dev/+f/[digest]/foo-1.0-py3-none-any.whl <html>
        <head>
         <title>401 Unauthorized</title>
        </head>
        <body>
         <h1>401 Unauthorized</h1>
         This server could not verify that you are authorized to access the document you requested.  Either you supplied the wrong credentials (e.g., bad password), or your browser does not understand how to supply the credentials required.<br/><br/>



        </body>
       </html>
       401 upload quin/dev/+f/[digest]/foo-1.0.tar.gz <html>
        <head>
         <title>401 Unauthorized</title>
        </head>
        <body>
         <h1>401 Unauthorized</h1>
         This server could not verify that you are authorized to access the document you requested.  Either you supplied the wrong credentials (e.g., bad password), or your browser does not understand how to supply the credentials required.<br/><br/>



        </body>
       </html>
       401 docfile foo
    Failure during upload
    [exit code 1]
    $ devpi push foo==1.0 pypi:away
    using pypirc ~/.pypirc
       200 upload quin/dev/+f/[digest]/foo-1.0-py3-none-any.whl
       200 upload quin/dev/+f/[digest]/foo-1.0.tar.gz
       200 docfile foo
    $ devpi push foo==1.0 pypi:elsewhere
    using pypirc ~/.pypirc
    Error while trying to read section 'elsewhere': ["KeyError: 'elsewhere'\n"]
    [exit code 1]
    $ devpi push --register-project --no-docs foo==1.0 pypi:away
    using pypirc ~/.pypirc
       200 register foo 1.0
       200 upload quin/dev/+f/[digest]/foo-1.0-py3-none-any.whl
       200 upload quin/dev/+f/[digest]/foo-1.0.tar.gz
    $ devpi push foo==1.0 pypi:away
    using pypirc ~/.pypirc
       409 upload quin/dev/+f/[digest]/foo-1.0-py3-none-any.whl <html>
        <head>
         <title>409 foo-1.0-py3-none-any.whl already exists in non-volatile index</title>
        </head>
        <body>
         <h1>409 foo-1.0-py3-none-any.whl already exists in non-volatile index</h1>
         <br/><br/>



        </body>
       </html>
       200 upload quin/dev/+f/[digest]/foo-1.0.tar.gz
       200 docfile foo
    Failure during upload
    [exit code 1]
    "#);
}

fn filled(session: &Session<'_>) -> testkit::Tree {
    let tree = session.tree("foo", "1.0");
    tree.dist(&Dist::wheel("1.0").requires("bar>=1"));
    tree.dist(&Dist::sdist("1.0").requires("bar>=1"));
    tree.docs(&[("index.html", "<h1>foo</h1>")]);
    session.quietly("upload --from-dir ~/foo/dist");
    tree
}
