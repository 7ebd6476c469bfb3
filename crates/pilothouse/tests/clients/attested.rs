//! Attestations that publishers send along (PEP 740), kept and offered as provenance.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use testkit::http::{self, Request};
use testkit::{Account, Dist, Installer, Run, Scratch, Server, Tree, Uploader};

use crate::{alice, server};

/// What says of a file who published it, signed by nobody: that is for readers to check.
fn attestation(filename: &str, content: &[u8]) -> Value {
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "name": filename, "digest": { "sha256": hex::encode(Sha256::digest(content)) } }],
        "predicateType": concat!("https://docs.pypi", ".org/attestations/publish/v1"),
        "predicate": null,
    });
    json!({
        "version": 1,
        "verification_material": {
            "certificate": STANDARD.encode("a certificate"),
            "transparency_entries": [],
        },
        "envelope": {
            "statement": STANDARD.encode(statement.to_string()),
            "signature": STANDARD.encode("a signature"),
        },
    })
}

/// Publishes foo 1.0 with an attestation of this content beside it, where publishers look for one.
fn published(server: &Server, by: Uploader, of: impl Fn(&[u8]) -> Value) -> Run {
    let scratch = Scratch::new();
    let tree = Tree::new(&scratch, "foo", "1.0");
    let wheel = tree.dist(&Dist::wheel("1.0"));
    let attestation = of(&fs::read(wheel).unwrap());
    tree.file(
        &format!("dist/{FOO}.publish.attestation"),
        attestation.to_string(),
    );
    let account = Account {
        url: &format!("{}/alice/dev/", server.url()),
        user: "alice",
        password: "secret",
    };
    by.publish(&scratch, account, &tree)
}

const FOO: &str = "foo-1.0-py3-none-any.whl";

#[test]
fn attestations_become_the_provenance_of_their_file() {
    for by in [Uploader::Twine, Uploader::Uv] {
        let server = server().start();
        alice(&server, &json!({}));
        published(&server, by, |content| attestation(FOO, content)).succeeds();
        let page = format!("{}foo/", server.index("alice/dev"));
        let json = Request::get(&page).json().send().json();
        assert_eq!(json["files"].as_array().unwrap().len(), 1, "{by:?}");
        let file = &json["files"][0];
        let absolute = |url: &Value| format!("{page}{}", url.as_str().unwrap());
        let content = http::get(&absolute(&file["url"])).body;
        let provenance = http::get(&absolute(&file["provenance"]));
        assert_eq!(
            provenance.header("content-type"),
            Some("application/vnd.pypi.integrity.v1+json"),
        );
        let bundle = &provenance.json()["attestation_bundles"][0];
        assert_eq!(bundle["publisher"]["user"], "alice");
        assert_eq!(
            bundle["attestations"],
            json!([attestation(FOO, &content)]),
            "{by:?}"
        );
        let html = http::get(&page);
        let link = format!(
            "data-provenance=\"{}\"",
            file["provenance"].as_str().unwrap()
        );
        assert!(html.text().contains(&link), "{}", html.text());
        for installer in Installer::ALL {
            let index = server.index("alice/dev");
            let installed = installer.install(&Scratch::new(), &index, &["foo"]);
            assert_eq!(installed.projects(), ["foo==1.0"]);
        }
    }
}

#[test]
fn an_attestation_of_another_file_is_refused_and_so_is_its_upload() {
    for by in [Uploader::Twine, Uploader::Uv] {
        let server = server().start();
        alice(&server, &json!({}));
        published(&server, by, |_| attestation(FOO, b"another file"))
            .fails()
            .says("one of them is about another file");
        let page = format!("{}foo/", server.index("alice/dev"));
        assert_eq!(http::get(&page).status, 404, "{by:?}");
    }
}
