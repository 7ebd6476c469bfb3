//! What the server says and takes as JSON, and asking upstream again.

use insta::assert_snapshot;
use testkit::{Dist, Project};

use super::Target;
use super::session::Session;

/// Documents are read and patched.
pub(super) fn reads_and_patches(target: Target<'_>) {
    let mut session = Session::of(target, "rosa");
    let tree = session.tree("foo", "1.0");
    tree.dist(
        &Dist::wheel("1.0")
            .requires("bar>=1")
            .requires_python(">=3.8"),
    );
    session.quietly("upload ~/foo/dist/foo-1.0-py3-none-any.whl");
    let file = |name: &str, text: &str| {
        session.devpi().scratch().file(name, text);
    };
    file("title.json", r#"{"title": "Rosa's", "volatile": false}"#);
    file("bases.json", r#"["bases-=root/pypi", "acl_upload+=sven"]"#);
    file("wrong.json", r#"{"colour": "red"}"#);
    session.types("getjson /rosa");
    session.types("getjson /rosa/dev");
    session.types("getjson /rosa/dev?no_projects=");
    session.types("getjson /rosa/dev/foo");
    session.types("getjson /rosa/dev/bar/1.0");
    session.types("getjson /root/pypi?no_projects=");
    session.types("getjson /rosa/none");
    session.types("getjson /rosa/dev/+api");
    session.types("patchjson /rosa/dev ~/title.json");
    session.types("patchjson /rosa/dev ~/bases.json");
    session.types("patchjson /rosa/dev ~/wrong.json");
    session.types("patchjson /root/pypi ~/title.json");
    session.types("patchjson /rosa/none ~/title.json");
    assert_snapshot!(session.transcript(), @r#"
    $ devpi getjson /rosa
    {
        "result": {
            "created": "[time]",
            "indexes": {
                "dev": {
                    "acl_toxresult_upload": [
                        ":ANONYMOUS:"
                    ],
                    "acl_upload": [
                        "rosa"
                    ],
                    "bases": [
                        "root/pypi"
                    ],
                    "mirror_whitelist": [],
                    "mirror_whitelist_inheritance": "intersection",
                    "type": "stage",
                    "volatile": true
                }
            },
            "username": "rosa"
        },
        "type": "userconfig"
    }
    $ devpi getjson /rosa/dev
    {
        "result": {
            "acl_toxresult_upload": [
                ":ANONYMOUS:"
            ],
            "acl_upload": [
                "rosa"
            ],
            "bases": [
                "root/pypi"
            ],
            "mirror_whitelist": [],
            "mirror_whitelist_inheritance": "intersection",
            "projects": [
                "foo"
            ],
            "type": "stage",
            "volatile": true
        },
        "type": "indexconfig"
    }
    $ devpi getjson /rosa/dev?no_projects=
    {
        "result": {
            "acl_toxresult_upload": [
                ":ANONYMOUS:"
            ],
            "acl_upload": [
                "rosa"
            ],
            "bases": [
                "root/pypi"
            ],
            "mirror_whitelist": [],
            "mirror_whitelist_inheritance": "intersection",
            "type": "stage",
            "volatile": true
        },
        "type": "indexconfig"
    }
    $ devpi getjson /rosa/dev/foo
    {
        "result": {
            "1.0": {
                "+links": [
                    {
                        "hash_spec": "sha256=[sha256]",
                        "hashes": {
                            "sha256": "[sha256]"
                        },
                        "href": "http://localhost:3141/rosa/dev/+f/[digest]/foo-1.0-py3-none-any.whl",
                        "log": [
                            {
                                "dst": "rosa/dev",
                                "what": "upload",
                                "when": "[time]",
                                "who": "rosa"
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
                "requires_python": ">=3.8",
                "summary": "made up for a test",
                "supported_platform": [],
                "version": "1.0"
            }
        },
        "type": "projectconfig"
    }
    $ devpi getjson /rosa/dev/bar/1.0
    {
        "result": {
            "+links": [
                {
                    "hash_spec": "sha256=[sha256]",
                    "hashes": {
                        "sha256": "[sha256]"
                    },
                    "href": "http://localhost:3141/root/pypi/+f/[digest]/bar-1.0-py3-none-any.whl",
                    "rel": "releasefile"
                }
            ],
            "name": "bar",
            "version": "1.0"
        },
        "type": "versiondata"
    }
    $ devpi getjson /root/pypi?no_projects=
    {
        "result": {
            "mirror_url": "http://pypi.example/simple/",
            "mirror_web_url_fmt": "http://pypi.example/project/{name}/",
            "title": "PyPI",
            "type": "mirror",
            "volatile": false
        },
        "type": "indexconfig"
    }
    $ devpi getjson /rosa/none
    GET http://localhost:3141/rosa/none
    404 Not Found: The stage rosa/none could not be found.
    [exit code 1]
    $ devpi getjson /rosa/dev/+api
    {
        "result": {
            "authstatus": [
                "ok",
                "rosa",
                []
            ],
            "features": [
                "push-no-docs",
                "push-only-docs",
                "push-register-project",
                "server-keyvalue-parsing"
            ],
            "index": "http://localhost:3141/rosa/dev",
            "login": "http://localhost:3141/+login",
            "pypisubmit": "http://localhost:3141/rosa/dev/",
            "simpleindex": "http://localhost:3141/rosa/dev/+simple/"
        },
        "type": "apiconfig"
    }
    $ devpi patchjson /rosa/dev ~/title.json
    PATCH REQUEST sent to http://localhost:3141/rosa/dev
    {
        "result": {
            "acl_toxresult_upload": [
                ":ANONYMOUS:"
            ],
            "acl_upload": [
                "rosa"
            ],
            "bases": [
                "root/pypi"
            ],
            "mirror_whitelist": [],
            "mirror_whitelist_inheritance": "intersection",
            "title": "Rosa's",
            "type": "stage",
            "volatile": false
        },
        "type": "indexconfig"
    }
    $ devpi patchjson /rosa/dev ~/bases.json
    PATCH REQUEST sent to http://localhost:3141/rosa/dev
    {
        "result": {
            "acl_toxresult_upload": [
                ":ANONYMOUS:"
            ],
            "acl_upload": [
                "rosa",
                "sven"
            ],
            "bases": [],
            "mirror_whitelist": [],
            "mirror_whitelist_inheritance": "intersection",
            "title": "Rosa's",
            "type": "stage",
            "volatile": false
        },
        "type": "indexconfig"
    }
    $ devpi patchjson /rosa/dev ~/wrong.json
    PATCH http://localhost:3141/rosa/dev
    400 Bad Request: indexconfig got unexpected keyword arguments: colour=red
    [exit code 1]
    $ devpi patchjson /root/pypi ~/title.json
    PATCH http://localhost:3141/root/pypi
    403 Forbidden: [no permission]
    [exit code 1]
    $ devpi patchjson /rosa/none ~/title.json
    PATCH http://localhost:3141/rosa/none
    403 Forbidden: [no permission]
    [exit code 1]
    "#);
}

/// A release that is new upstream shows when somebody asks for it.
pub(super) fn refresh(target: Target<'_>) {
    let mut session = Session::of(target, "tina");
    session.types("list bar");
    let bar = Project::new("bar").wheel("1.0").wheel("1.1");
    target.upstream.put(bar.wheel("1.2"));
    session.types("list bar");
    session.types("refresh bar");
    session.types("list bar");
    session.types("refresh --index root/pypi bar foo");
    assert_snapshot!(session.transcript(), @r"
    $ devpi list bar
    http://localhost:3141/root/pypi/+f/[digest]/bar-1.1-py3-none-any.whl
    http://localhost:3141/root/pypi/+f/[digest]/bar-1.0-py3-none-any.whl
    $ devpi list bar
    http://localhost:3141/root/pypi/+f/[digest]/bar-1.1-py3-none-any.whl
    http://localhost:3141/root/pypi/+f/[digest]/bar-1.0-py3-none-any.whl
    $ devpi refresh bar
    Refreshed bar
    $ devpi list bar
    http://localhost:3141/root/pypi/+f/[digest]/bar-1.2-py3-none-any.whl
    http://localhost:3141/root/pypi/+f/[digest]/bar-1.1-py3-none-any.whl
    http://localhost:3141/root/pypi/+f/[digest]/bar-1.0-py3-none-any.whl
    $ devpi refresh --index root/pypi bar foo
    Refreshed bar
    Refreshed foo
    ");
}
