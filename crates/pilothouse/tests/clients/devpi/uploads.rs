//! `devpi upload`: of what there is, built or found, and when it is refused.

use insta::assert_snapshot;
use testkit::Dist;

use super::Target;
use super::session::Session;

/// Everything that can be uploaded, in every way to name it.
pub(super) fn successes(target: Target<'_>) {
    let mut session = Session::of(target, "hana");
    session.quietly("index -c other");
    let tree = session.tree("foo", "1.0");
    session.types_in(&tree, "upload --sdist --no-isolation");
    let wheel = tree.dist(&Dist::wheel("1.0"));
    tree.dist(&Dist::sdist("1.0"));
    tree.docs(&[("index.html", "<h1>foo</h1>")]);
    session.types("upload --dry-run --from-dir ~/foo/dist");
    session.types("upload ~/foo/dist/foo-1.0-py3-none-any.whl ~/foo/dist/foo-1.0.doc.zip");
    // Other bytes each time: what comes again as it is, is no overwrite here.
    tree.dist(&Dist::wheel("1.0").padding(5));
    tree.docs(&[("index.html", "<h1>foo</h1> by hand")]);
    session.types("upload --from-dir ~/foo/dist");
    session.types("upload --index hana/other ~/foo/dist/foo-1.0-py3-none-any.whl");
    session.types("list foo");
    tree.dist(&Dist::wheel("1.0").padding(10));
    session.types("upload ~/foo/dist/foo-1.0-py3-none-any.whl");
    std::fs::remove_file(wheel).unwrap();
    tree.dist(&Dist::wheel("1.1"));
    tree.dist(&Dist::wheel("1.2"));
    tree.docs(&[("index.html", "<h1>foo</h1> by heart")]);
    session.types("upload --from-dir --only-latest ~/foo/dist");
    session.types("list --all foo");
    session.types("getjson foo/1.0");
    assert_snapshot!(session.transcript(), @r#"
    $ devpi upload --sdist --no-isolation
    using workdir ~/devpi-[random]
    pre-build: cleaning dist
    --> .$ [clients]/devpi-client/bin/python -m build --sdist --no-isolation
    built: dist/foo-1.0.tar.gz 1kb
    file_upload of foo-1.0.tar.gz to http://localhost:3141/hana/dev/
    $ devpi upload --dry-run --from-dir ~/foo/dist
    skipped: file_upload of foo-1.0-py3-none-any.whl to http://localhost:3141/hana/dev/
    skipped: file_upload of foo-1.0.tar.gz to http://localhost:3141/hana/dev/
    using workdir ~/devpi-[random]
    skipped: doc_upload of foo-1.0.doc.zip to http://localhost:3141/hana/dev/
    $ devpi upload ~/foo/dist/foo-1.0-py3-none-any.whl ~/foo/dist/foo-1.0.doc.zip
    file_upload of foo-1.0-py3-none-any.whl to http://localhost:3141/hana/dev/
    using workdir ~/devpi-[random]
    doc_upload of foo-1.0.doc.zip to http://localhost:3141/hana/dev/
    $ devpi upload --from-dir ~/foo/dist
    file_upload of foo-1.0-py3-none-any.whl to http://localhost:3141/hana/dev/
    file_upload of foo-1.0.tar.gz to http://localhost:3141/hana/dev/
    using workdir ~/devpi-[random]
    doc_upload of foo-1.0.doc.zip to http://localhost:3141/hana/dev/
    $ devpi upload --index hana/other ~/foo/dist/foo-1.0-py3-none-any.whl
    file_upload of foo-1.0-py3-none-any.whl to http://localhost:3141/hana/other/
    $ devpi list foo
    http://localhost:3141/hana/dev/+f/[digest]/foo-1.0-py3-none-any.whl
    http://localhost:3141/hana/dev/+f/[digest]/foo-1.0.tar.gz
    $ devpi upload ~/foo/dist/foo-1.0-py3-none-any.whl
    file_upload of foo-1.0-py3-none-any.whl to http://localhost:3141/hana/dev/
    $ devpi upload --from-dir --only-latest ~/foo/dist
    file_upload of foo-1.2-py3-none-any.whl to http://localhost:3141/hana/dev/
    using workdir ~/devpi-[random]
    doc_upload of foo-1.0.doc.zip to http://localhost:3141/hana/dev/
    $ devpi list --all foo
    http://localhost:3141/hana/dev/+f/[digest]/foo-1.2-py3-none-any.whl
    http://localhost:3141/hana/dev/+f/[digest]/foo-1.0-py3-none-any.whl
    http://localhost:3141/hana/dev/+f/[digest]/foo-1.0.tar.gz
    $ devpi getjson foo/1.0
    {
        "result": {
            "+links": [
                {
                    "hash_spec": "sha256=[sha256]",
                    "hashes": {
                        "sha256": "[sha256]"
                    },
                    "href": "http://localhost:3141/hana/dev/+f/[digest]/foo-1.0-py3-none-any.whl",
                    "log": [
                        {
                            "count": 2,
                            "what": "overwrite",
                            "when": "[time]",
                            "who": null
                        },
                        {
                            "dst": "hana/dev",
                            "what": "upload",
                            "when": "[time]",
                            "who": "hana"
                        }
                    ],
                    "rel": "releasefile"
                },
                {
                    "hash_spec": "sha256=[sha256]",
                    "hashes": {
                        "sha256": "[sha256]"
                    },
                    "href": "http://localhost:3141/hana/dev/+f/[digest]/foo-1.0.doc.zip",
                    "log": [
                        {
                            "count": 2,
                            "what": "overwrite",
                            "when": "[time]",
                            "who": null
                        },
                        {
                            "dst": "hana/dev",
                            "what": "upload",
                            "when": "[time]",
                            "who": "hana"
                        }
                    ],
                    "rel": "doczip"
                },
                {
                    "hash_spec": "sha256=[sha256]",
                    "hashes": {
                        "sha256": "[sha256]"
                    },
                    "href": "http://localhost:3141/hana/dev/+f/[digest]/foo-1.0.tar.gz",
                    "log": [
                        {
                            "count": 1,
                            "what": "overwrite",
                            "when": "[time]",
                            "who": null
                        },
                        {
                            "dst": "hana/dev",
                            "what": "upload",
                            "when": "[time]",
                            "who": "hana"
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
            "requires_dist": [],
            "requires_external": [],
            "requires_python": "",
            "summary": "made up for a test",
            "supported_platform": [],
            "version": "1.0"
        },
        "type": "versiondata"
    }
    "#);
}

/// What the client refuses itself, and what the server does.
pub(super) fn refusals(target: Target<'_>) {
    let mut session = Session::of(target, "ivan");
    session.quietly("index dev volatile=False");
    let tree = session.tree("foo", "1.0");
    tree.dist(&Dist::wheel("1.0"));
    session.types("upload ~/foo/dist");
    session.types("upload ~/foo/dist/foo-2.0-py3-none-any.whl");
    session.types("upload ~/foo/dist/foo-1.0-py3-none-any.whl");
    session.types("upload ~/foo/dist/foo-1.0-py3-none-any.whl");
    tree.dist(&Dist::wheel("1.0").padding(10));
    session.types("upload ~/foo/dist/foo-1.0-py3-none-any.whl");
    tree.dist(&Dist::wheel("1.1").claims("1.2"));
    session.types("upload ~/foo/dist/foo-1.1-py3-none-any.whl");
    let docs = tree.docs(&[("index.html", "<h1>foo</h1>")]);
    std::fs::rename(docs, tree.path().join("dist/foo-7.0.doc.zip")).unwrap();
    session.types("upload ~/foo/dist/foo-7.0.doc.zip");
    session.types("upload --index root/pypi ~/foo/dist/foo-1.0-py3-none-any.whl");
    session.types("upload --index ivan/none ~/foo/dist/foo-1.0-py3-none-any.whl");
    session.types("use root/pypi");
    session.types("upload ~/foo/dist/foo-1.0-py3-none-any.whl");
    session.quietly("use ivan/dev");
    session.quietly("user -c jo password=secret");
    session.quietly("login jo --password=secret");
    session.types("upload ~/foo/dist/foo-1.0-py3-none-any.whl");
    session.quietly("logoff");
    session.types("upload ~/foo/dist/foo-1.0-py3-none-any.whl");
    session.types("list foo");
    assert_snapshot!(session.transcript(), @r"
    $ devpi upload ~/foo/dist
    ~/foo/dist: is a directory but --from-dir not specified
    [exit code 1]
    $ devpi upload ~/foo/dist/foo-2.0-py3-none-any.whl
    path does not exist: ~/foo/dist/foo-2.0-py3-none-any.whl
    [exit code 1]
    $ devpi upload ~/foo/dist/foo-1.0-py3-none-any.whl
    file_upload of foo-1.0-py3-none-any.whl to http://localhost:3141/ivan/dev/
    $ devpi upload ~/foo/dist/foo-1.0-py3-none-any.whl
    file_upload of foo-1.0-py3-none-any.whl to http://localhost:3141/ivan/dev/
    $ devpi upload ~/foo/dist/foo-1.0-py3-none-any.whl
    409 FAIL file_upload of foo-1.0-py3-none-any.whl to http://localhost:3141/ivan/dev/
    foo-1.0-py3-none-any.whl already exists in non-volatile index
    POST to http://localhost:3141/ivan/dev/ FAILED
    [exit code 1]
    $ devpi upload ~/foo/dist/foo-1.1-py3-none-any.whl
    400 FAIL file_upload of foo-1.1-py3-none-any.whl to http://localhost:3141/ivan/dev/
    filename 'foo-1.1-py3-none-any.whl' does not contain version '1.2'
    POST to http://localhost:3141/ivan/dev/ FAILED
    [exit code 1]
    $ devpi upload ~/foo/dist/foo-7.0.doc.zip
    using workdir ~/devpi-[random]
    doc_upload of foo-7.0.doc.zip to http://localhost:3141/ivan/dev/
    $ devpi upload --index root/pypi ~/foo/dist/foo-1.0-py3-none-any.whl
    404 FAIL file_upload of foo-1.0-py3-none-any.whl to http://localhost:3141/root/pypi/
    cannot submit to mirror index
    POST to http://localhost:3141/root/pypi/ FAILED
    [exit code 1]
    $ devpi upload --index ivan/none ~/foo/dist/foo-1.0-py3-none-any.whl
    GET http://localhost:3141/ivan/none/+api
    404 Not Found: The stage ivan/none could not be found.
    [exit code 1]
    $ devpi use root/pypi
    Warning: insecure http host, trusted-host will be set for pip
    current devpi index: http://localhost:3141/root/pypi (logged in as ivan)
    supported features: push-no-docs, push-only-docs, push-register-project, server-keyvalue-parsing
    ~/pip.conf: no config file exists
    ~/.config/uv/uv.toml: no config file exists
    ~/.pydistutils.cfg: no config file exists
    ~/.buildout/default.cfg: no config file exists
    always-set-cfg: no
    $ devpi upload ~/foo/dist/foo-1.0-py3-none-any.whl
    The current index http://localhost:3141/root/pypi does not support upload.
    Most likely, it is a mirror.
    [exit code 1]
    $ devpi upload ~/foo/dist/foo-1.0-py3-none-any.whl
    403 FAIL file_upload of foo-1.0-py3-none-any.whl to http://localhost:3141/ivan/dev/
    no permission to submit
    POST to http://localhost:3141/ivan/dev/ FAILED
    [exit code 1]
    $ devpi upload ~/foo/dist/foo-1.0-py3-none-any.whl
    401 FAIL file_upload of foo-1.0-py3-none-any.whl to http://localhost:3141/ivan/dev/
    Unauthorized
    POST to http://localhost:3141/ivan/dev/ FAILED
    [exit code 1]
    $ devpi list foo
    http://localhost:3141/ivan/dev/+f/[digest]/foo-1.0-py3-none-any.whl
    ");
}
