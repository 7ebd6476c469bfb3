//! twine, uv, Poetry, flit and hatch: they publish, and say why not.

use insta::assert_snapshot;
use testkit::{Account, Dist, Tree, Uploader};

use super::Target;
use super::session::Session;

pub(super) fn twine(target: Target<'_>) {
    assert_snapshot!(told(target, Uploader::Twine), @r"
    # a release
    Uploading distributions to http://localhost:3141/viktor/dev/
    Uploading made-1.0-py3-none-any.whl
    # the same again
    Uploading distributions to http://localhost:3141/viktor/dev/
    Uploading made-1.0-py3-none-any.whl
    # other bytes
    Uploading distributions to http://localhost:3141/viktor/dev/
    Uploading made-1.0-py3-none-any.whl
    WARNING  Error during upload. Retry with the --verbose option for more details.
    ERROR    HTTPError: 409 Conflict from http://localhost:3141/viktor/dev/
             made-1.0-py3-none-any.whl already exists in non-volatile index
    [exit code 1]
    # a wrong password
    Uploading distributions to http://localhost:3141/viktor/dev/
    Uploading refused-1.0-py3-none-any.whl
    WARNING  Error during upload. Retry with the --verbose option for more details.
    ERROR    HTTPError: 401 Unauthorized from http://localhost:3141/viktor/dev/
             Unauthorized
    [exit code 1]
    # no permission
    Uploading distributions to http://localhost:3141/viktor/dev/
    Uploading refused-1.0-py3-none-any.whl
    WARNING  Error during upload. Retry with the --verbose option for more details.
    ERROR    HTTPError: 403 Forbidden from http://localhost:3141/viktor/dev/
             no permission to submit
    [exit code 1]
    # a mirror
    Uploading distributions to http://localhost:3141/root/pypi/
    Uploading refused-1.0-py3-none-any.whl
    WARNING  Error during upload. Retry with the --verbose option for more details.
    ERROR    HTTPError: 404 Not Found from http://localhost:3141/root/pypi/
             cannot submit to mirror index
    [exit code 1]
    # no index
    Uploading distributions to http://localhost:3141/viktor/none/
    Uploading refused-1.0-py3-none-any.whl
    WARNING  Error during upload. Retry with the --verbose option for more details.
    ERROR    HTTPError: 404 Not Found from http://localhost:3141/viktor/none/
             Not Found
    [exit code 1]
    # metadata of another version
    Uploading distributions to http://localhost:3141/viktor/dev/
    Uploading refused-1.0-py3-none-any.whl
    WARNING  Error during upload. Retry with the --verbose option for more details.
    ERROR    HTTPError: 400 Bad Request from http://localhost:3141/viktor/dev/
             filename 'refused-1.0-py3-none-any.whl' does not contain version '1.2'
    [exit code 1]
    ");
}

pub(super) fn uv(target: Target<'_>) {
    assert_snapshot!(told(target, Uploader::Uv), @r"
    # a release
    Publishing 1 file to http://localhost:3141/viktor/dev/
    Hashing made-1.0-py3-none-any.whl
    Uploading made-1.0-py3-none-any.whl
    # the same again
    Publishing 1 file to http://localhost:3141/viktor/dev/
    Hashing made-1.0-py3-none-any.whl
    Uploading made-1.0-py3-none-any.whl
    # other bytes
    Publishing 1 file to http://localhost:3141/viktor/dev/
    Hashing made-1.0-py3-none-any.whl
    Uploading made-1.0-py3-none-any.whl
    error: Failed to publish `dist/made-1.0-py3-none-any.whl` to `http://localhost:3141/viktor/dev/`
      cause: Server returned status code 409 Conflict. Server […]
    [exit code 2]
    # a wrong password
    Publishing 1 file to http://localhost:3141/viktor/dev/
    Hashing refused-1.0-py3-none-any.whl
    Uploading refused-1.0-py3-none-any.whl
    error: Failed to publish `dist/refused-1.0-py3-none-any.whl` to `http://localhost:3141/viktor/dev/`
      cause: Server returned status code 401 Unauthorized. Server […]
    [exit code 2]
    # no permission
    Publishing 1 file to http://localhost:3141/viktor/dev/
    Hashing refused-1.0-py3-none-any.whl
    Uploading refused-1.0-py3-none-any.whl
    error: Failed to publish `dist/refused-1.0-py3-none-any.whl` to `http://localhost:3141/viktor/dev/`
      cause: Server returned status code 403 Forbidden. Server […]
    [exit code 2]
    # a mirror
    Publishing 1 file to http://localhost:3141/root/pypi/
    Hashing refused-1.0-py3-none-any.whl
    Uploading refused-1.0-py3-none-any.whl
    error: Failed to publish `dist/refused-1.0-py3-none-any.whl` to `http://localhost:3141/root/pypi/`
      cause: Server returned status code 404 Not Found. Server […]
    [exit code 2]
    # no index
    Publishing 1 file to http://localhost:3141/viktor/none/
    Hashing refused-1.0-py3-none-any.whl
    Uploading refused-1.0-py3-none-any.whl
    error: Failed to publish `dist/refused-1.0-py3-none-any.whl` to `http://localhost:3141/viktor/none/`
      cause: Server returned status code 404 Not Found. Server […]
    [exit code 2]
    # metadata of another version
    Publishing 1 file to http://localhost:3141/viktor/dev/
    Hashing refused-1.0-py3-none-any.whl
    Uploading refused-1.0-py3-none-any.whl
    error: Failed to publish `dist/refused-1.0-py3-none-any.whl` to `http://localhost:3141/viktor/dev/`
      cause: Server returned status code 400 Bad Request. Server […]
    [exit code 2]
    ");
}

pub(super) fn poetry(target: Target<'_>) {
    assert_snapshot!(told(target, Uploader::Poetry), @r"
    # a release

    Publishing made (1.0) to next-door

     - Uploading made-1.0-py3-none-any.whl 0%
     - Uploading made-1.0-py3-none-any.whl 100%
    # the same again

    Publishing made (1.0) to next-door

     - Uploading made-1.0-py3-none-any.whl 0%
     - Uploading made-1.0-py3-none-any.whl 100%
    # other bytes

    Publishing made (1.0) to next-door

     - Uploading made-1.0-py3-none-any.whl 0%
     - Uploading made-1.0-py3-none-any.whl 100%
    HTTP Error 409: made-1.0-py3-none-any.whl already exists in non-volatile index
    [exit code 1]
    # a wrong password

    Publishing refused (1.0) to next-door

     - Uploading refused-1.0-py3-none-any.whl 0%
     - Uploading refused-1.0-py3-none-any.whl 100%
    HTTP Error 401: Unauthorized
    [exit code 1]
    # no permission

    Publishing refused (1.0) to next-door

     - Uploading refused-1.0-py3-none-any.whl 0%
     - Uploading refused-1.0-py3-none-any.whl 100%
    HTTP Error 403: no permission to submit
    [exit code 1]
    # a mirror

    Publishing refused (1.0) to next-door

     - Uploading refused-1.0-py3-none-any.whl 0%
     - Uploading refused-1.0-py3-none-any.whl 100%
    HTTP Error 404: cannot submit to mirror index
    [exit code 1]
    # no index

    Publishing refused (1.0) to next-door

     - Uploading refused-1.0-py3-none-any.whl 0%
     - Uploading refused-1.0-py3-none-any.whl 100%
    HTTP Error 404: Not Found
    [exit code 1]
    # metadata of another version

    Publishing refused (1.0) to next-door

     - Uploading refused-1.0-py3-none-any.whl 0%
     - Uploading refused-1.0-py3-none-any.whl 100%
    HTTP Error 400: filename 'refused-1.0-py3-none-any.whl' does not contain version '1.2'
    [exit code 1]
    ");
}

pub(super) fn flit(target: Target<'_>) {
    assert_snapshot!(told(target, Uploader::Flit), @r"
    # a release
    Unencrypted connection - credentials may be visible on the network.  W-flit.upload
    Using repository at http://localhost:3141/viktor/dev/   I-flit.upload
    Built sdist: dist/made-1.0.tar.gz                    I-flit_core.sdist
    Zip timestamps will be from SOURCE_DATE_EPOCH: 2024-01-02 03:04:05+00:00  I-flit_core.wheel
    Copying package file(s) from ~/tmp[random]/made-1.0/made  I-flit_core.wheel
    Writing metadata files                               I-flit_core.wheel
    Writing the record of files                          I-flit_core.wheel
    Built wheel: dist/made-1.0-py2.py3-none-any.whl      I-flit_core.wheel
    Uploading dist/made-1.0-py2.py3-none-any.whl...          I-flit.upload
    Package is at http://localhost:3141/viktor/dev//made    I-flit.upload
    Uploading dist/made-1.0.tar.gz...                        I-flit.upload
    Package is at http://localhost:3141/viktor/dev//made    I-flit.upload
    # the same again
    Unencrypted connection - credentials may be visible on the network.  W-flit.upload
    Using repository at http://localhost:3141/viktor/dev/   I-flit.upload
    Built sdist: dist/made-1.0.tar.gz                    I-flit_core.sdist
    Zip timestamps will be from SOURCE_DATE_EPOCH: 2024-01-02 03:04:05+00:00  I-flit_core.wheel
    Copying package file(s) from ~/tmp[random]/made-1.0/made  I-flit_core.wheel
    Writing metadata files                               I-flit_core.wheel
    Writing the record of files                          I-flit_core.wheel
    Built wheel: dist/made-1.0-py2.py3-none-any.whl      I-flit_core.wheel
    Uploading dist/made-1.0-py2.py3-none-any.whl...          I-flit.upload
    Package is at http://localhost:3141/viktor/dev//made    I-flit.upload
    Uploading dist/made-1.0.tar.gz...                        I-flit.upload
    Package is at http://localhost:3141/viktor/dev//made    I-flit.upload
    # other bytes
    Unencrypted connection - credentials may be visible on the network.  W-flit.upload
    Using repository at http://localhost:3141/viktor/dev/   I-flit.upload
    Built sdist: dist/made-1.0.tar.gz                    I-flit_core.sdist
    Zip timestamps will be from SOURCE_DATE_EPOCH: 2024-01-02 03:04:05+00:00  I-flit_core.wheel
    Copying package file(s) from ~/tmp[random]/made-1.0/made  I-flit_core.wheel
    Writing metadata files                               I-flit_core.wheel
    Writing the record of files                          I-flit_core.wheel
    Built wheel: dist/made-1.0-py2.py3-none-any.whl      I-flit_core.wheel
    Uploading dist/made-1.0-py2.py3-none-any.whl...          I-flit.upload
    requests.exceptions.HTTPError: 409 Client Error: made-1.0-py2.py3-none-any.whl already exists in non-volatile index for url: http://localhost:3141/viktor/dev/
    [exit code 1]
    # a wrong password
    Unencrypted connection - credentials may be visible on the network.  W-flit.upload
    Using repository at http://localhost:3141/viktor/dev/   I-flit.upload
    Built sdist: dist/refused-1.0.tar.gz                 I-flit_core.sdist
    Zip timestamps will be from SOURCE_DATE_EPOCH: 2024-01-02 03:04:05+00:00  I-flit_core.wheel
    Copying package file(s) from ~/tmp[random]/refused-1.0/refused  I-flit_core.wheel
    Writing metadata files                               I-flit_core.wheel
    Writing the record of files                          I-flit_core.wheel
    Built wheel: dist/refused-1.0-py2.py3-none-any.whl   I-flit_core.wheel
    Uploading dist/refused-1.0-py2.py3-none-any.whl...       I-flit.upload
    requests.exceptions.HTTPError: 401 Client Error: Unauthorized for url: http://localhost:3141/viktor/dev/
    [exit code 1]
    # no permission
    Unencrypted connection - credentials may be visible on the network.  W-flit.upload
    Using repository at http://localhost:3141/viktor/dev/   I-flit.upload
    Built sdist: dist/refused-1.0.tar.gz                 I-flit_core.sdist
    Zip timestamps will be from SOURCE_DATE_EPOCH: 2024-01-02 03:04:05+00:00  I-flit_core.wheel
    Copying package file(s) from ~/tmp[random]/refused-1.0/refused  I-flit_core.wheel
    Writing metadata files                               I-flit_core.wheel
    Writing the record of files                          I-flit_core.wheel
    Built wheel: dist/refused-1.0-py2.py3-none-any.whl   I-flit_core.wheel
    Uploading dist/refused-1.0-py2.py3-none-any.whl...       I-flit.upload
    requests.exceptions.HTTPError: 403 Client Error: no permission to submit for url: http://localhost:3141/viktor/dev/
    [exit code 1]
    # a mirror
    Unencrypted connection - credentials may be visible on the network.  W-flit.upload
    Using repository at http://localhost:3141/root/pypi/    I-flit.upload
    Built sdist: dist/refused-1.0.tar.gz                 I-flit_core.sdist
    Zip timestamps will be from SOURCE_DATE_EPOCH: 2024-01-02 03:04:05+00:00  I-flit_core.wheel
    Copying package file(s) from ~/tmp[random]/refused-1.0/refused  I-flit_core.wheel
    Writing metadata files                               I-flit_core.wheel
    Writing the record of files                          I-flit_core.wheel
    Built wheel: dist/refused-1.0-py2.py3-none-any.whl   I-flit_core.wheel
    Uploading dist/refused-1.0-py2.py3-none-any.whl...       I-flit.upload
    requests.exceptions.HTTPError: 404 Client Error: cannot submit to mirror index for url: http://localhost:3141/root/pypi/
    [exit code 1]
    # no index
    Unencrypted connection - credentials may be visible on the network.  W-flit.upload
    Using repository at http://localhost:3141/viktor/none/  I-flit.upload
    Built sdist: dist/refused-1.0.tar.gz                 I-flit_core.sdist
    Zip timestamps will be from SOURCE_DATE_EPOCH: 2024-01-02 03:04:05+00:00  I-flit_core.wheel
    Copying package file(s) from ~/tmp[random]/refused-1.0/refused  I-flit_core.wheel
    Writing metadata files                               I-flit_core.wheel
    Writing the record of files                          I-flit_core.wheel
    Built wheel: dist/refused-1.0-py2.py3-none-any.whl   I-flit_core.wheel
    Uploading dist/refused-1.0-py2.py3-none-any.whl...       I-flit.upload
    requests.exceptions.HTTPError: 404 Client Error: Not Found for url: http://localhost:3141/viktor/none/
    [exit code 1]
    ");
}

pub(super) fn hatch(target: Target<'_>) {
    assert_snapshot!(told(target, Uploader::Hatch), @r"
    # a release
    [made]
    dist/made-1.0-py3-none-any.whl ... success

    http://localhost:3141/viktor/dev/made/1.0/
    # the same again
    dist/made-1.0-py3-none-any.whl ... already exists
    # other bytes
    dist/made-1.0-py3-none-any.whl ... already exists
    # a wrong password
    dist/refused-1.0-py3-none-any.whl ... failed
    Error uploading to repository: http://localhost:3141/viktor/dev/ - Client error '401 Unauthorized' for url 'http://localhost:3141/viktor/dev/'
    For more information check: https://developer.mozilla.org/en-US/docs/Web/HTTP/Status/401
    [exit code 1]
    # no permission
    dist/refused-1.0-py3-none-any.whl ... failed
    Error uploading to repository: http://localhost:3141/viktor/dev/ - Client error '403 no permission to submit' for url 'http://localhost:3141/viktor/dev/'
    For more information check: https://developer.mozilla.org/en-US/docs/Web/HTTP/Status/403
    [exit code 1]
    # a mirror
    dist/refused-1.0-py3-none-any.whl ... failed
    Error uploading to repository: http://localhost:3141/root/pypi/ - Client error '404 cannot submit to mirror index' for url 'http://localhost:3141/root/pypi/'
    For more information check: https://developer.mozilla.org/en-US/docs/Web/HTTP/Status/404
    [exit code 1]
    # no index
    dist/refused-1.0-py3-none-any.whl ... failed
    Error uploading to repository: http://localhost:3141/viktor/none/ - Client error '404 Not Found' for url 'http://localhost:3141/viktor/none/'
    For more information check: https://developer.mozilla.org/en-US/docs/Web/HTTP/Status/404
    [exit code 1]
    # metadata of another version
    dist/refused-1.0-py3-none-any.whl ... failed
    Error uploading to repository: http://localhost:3141/viktor/dev/ - Client error '400 filename 'refused-1.0-py3-none-any.whl' does not contain version '1.2'' for url 'http://localhost:3141/viktor/dev/'
    For more information check: https://developer.mozilla.org/en-US/docs/Web/HTTP/Status/400
    [exit code 1]
    ");
}

/// Everything that can come of an upload.
fn told(target: Target<'_>, uploader: Uploader) -> String {
    let mut session = Session::of(target, "viktor");
    session.quietly("index dev volatile=False");
    session.quietly("user -c wanda password=secret");
    let index = |name: &str| format!("{}/{name}/", target.url);
    let dev = &index("viktor/dev");
    let viktor = Account {
        url: dev,
        user: "viktor",
        password: "secret",
    };
    let made = tree(&session, uploader, "made");
    session.publishes("a release", uploader, viktor, &made);
    session.publishes("the same again", uploader, viktor, &made);
    if uploader == Uploader::Flit {
        made.file("made/__init__.py", "\"\"\"Other.\"\"\"\n");
    } else {
        made.dist(&Dist::wheel("1.0").padding(10));
    }
    session.publishes("other bytes", uploader, viktor, &made);
    let account = Account {
        password: "wrong",
        ..viktor
    };
    let refused = tree(&session, uploader, "refused");
    session.publishes("a wrong password", uploader, account, &refused);
    let account = Account {
        user: "wanda",
        ..viktor
    };
    session.publishes("no permission", uploader, account, &refused);
    let account = Account {
        url: &index("root/pypi"),
        ..viktor
    };
    session.publishes("a mirror", uploader, account, &refused);
    let account = Account {
        url: &index("viktor/none"),
        ..viktor
    };
    session.publishes("no index", uploader, account, &refused);
    if uploader != Uploader::Flit {
        refused.dist(&Dist::wheel("1.0").claims("1.2"));
        session.publishes("metadata of another version", uploader, viktor, &refused);
    }
    session.transcript()
}

fn tree(session: &Session<'_>, uploader: Uploader, name: &str) -> Tree {
    if uploader == Uploader::Flit {
        return Tree::of_flit(session.devpi().scratch(), name, "1.0");
    }
    let tree = session.tree(name, "1.0");
    tree.dist(&Dist::wheel("1.0"));
    tree
}
