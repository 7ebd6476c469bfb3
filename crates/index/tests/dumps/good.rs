//! A dump with a bit of everything.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// What `devpi-server` made of `secret`.
const SECRET: &str = "$argon2id$v=19$m=1024,t=1,p=8$VqpVilHqPYdQijEG4BwjpA$AHbq4gY3Mm/o6S2BlciRX5OD1Q9iMBGKkO5BAaNUnP8";

/// Writes the files of the dump; answers its table of contents.
pub(crate) fn write(dump: &Path) -> Value {
    let file = |kind: &str, project: &str, version: &str, path: &str| {
        let at = dump.join(path);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        fs::write(&at, path).unwrap();
        let digest = hex::encode(Sha256::digest(path));
        json!({
            "type": kind, "projectname": project, "version": version, "relpath": path,
            "entrymapping": {
                "project": project, "version": version, "hash_spec": format!("sha256={digest}"),
                "hashes": {"sha256": digest}, "last_modified": "Wed, 01 Jan 2020 00:00:00 GMT",
                "url": format!("https://files.example/{path}"),
            },
            "log": [{"what": "upload", "who": "alice", "when": [2020, 1, 1, 0, 0, 0], "dst": "alice/dev"}],
        })
    };
    let mut result = file(
        "toxresult",
        "foo",
        "1.0",
        "alice/dev/foo/sha256=0/foo-1.0.tar.gz.toxresult-0",
    );
    result["for_entrypath"] = json!("alice/dev/+f/012/3456789abcdef/foo-1.0.tar.gz");
    json!({
        "dumpversion": "2",
        "pythonversion": [3, 11, 0, "final", 0],
        "devpi_server": "6.20.3",
        "users": {
            "root": {"username": "root", "pwhash": SECRET, "created": "2020-01-01T00:00:00Z"},
            "alice": {"username": "alice", "pwhash": SECRET, "email": "alice@corp.example",
                "created": "2020-01-01T00:00:00Z", "modified": "2020-01-02T00:00:00Z"},
        },
        "indexes": {
            "alice/base": {
                "indexconfig": {"type": "stage", "bases": [], "volatile": false},
                "projects": {}, "files": [],
            },
            "alice/dev": {
                "indexconfig": {"type": "stage", "bases": ["alice/base", "alice/mirror"],
                    "volatile": true, "title": "Development", "acl_upload": ["alice"],
                    "mirror_whitelist": ["*"]},
                "projects": {"foo": {
                    "1.0": {"name": "Foo", "version": "1.0", "summary": "about foo",
                        "classifiers": ["Private"], "requires_python": ">=3.8"},
                    "2.0": {"name": "foo", "version": "2.0"},
                }},
                "files": [
                    file("releasefile", "foo", "1.0", "alice/dev/foo/1.0/foo-1.0.tar.gz"),
                    file("releasefile", "foo", "2.0", "alice/dev/foo/2.0/foo-2.0-py3-none-any.whl"),
                    result,
                    file("doczip", "foo", "1.0", "alice/dev/foo-1.0.doc.zip"),
                ],
            },
            "alice/mirror": {
                "indexconfig": {"type": "mirror", "volatile": true,
                    "mirror_url": "https://pypi.example/simple/", "mirror_cache_expiry": 60},
                "projects": {"bar": {"1.0": {"name": "bar", "version": "1.0", "yanked": "broken"}}},
                "files": [file("releasefile", "bar", "1.0", "alice/mirror/bar/1.0/bar-1.0.tar.gz")],
            },
        },
    })
}
