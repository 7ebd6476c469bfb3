//! A wheel larger than any memory that the server may take for it.

use serde_json::json;
use testkit::http::Request;
use testkit::{Account, Scratch, Tree, Uploader};

use crate::{alice, server};

/// Four times what is enough.
const ZEROS: u64 = 512 << 20;

/// What hashing a password takes, and some windows of the file.
const ENOUGH: u64 = 128 << 20;

#[test]
fn a_large_upload_costs_no_memory() {
    let server = server().start();
    alice(&server, &json!({}));
    let scratch = Scratch::new();
    let tree = Tree::new(&scratch, "large", "1.0");
    let wheel = tree.sparse_wheel(ZEROS);
    let account = Account {
        url: &format!("{}/alice/dev/", server.url()),
        user: "alice",
        password: "secret",
    };
    Uploader::Uv.publish(&scratch, account, &tree).succeeds();
    let page = format!("{}large/", server.index("alice/dev"));
    let json = Request::get(&page).json().send().json();
    let file = &json["files"][0];
    assert_eq!(file["size"], wheel.metadata().unwrap().len());
    let url = format!("{page}{}", file["url"].as_str().unwrap());
    let end = Request::get(&url).range("-22").send();
    assert!(end.body.starts_with(b"PK\x05\x06"), "{end:?}");
    let most = server.peak_memory();
    assert!(most < ENOUGH, "{} MiB", most >> 20);
}
