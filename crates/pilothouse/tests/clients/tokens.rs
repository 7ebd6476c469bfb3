//! API tokens in the hands of every client, and those that CI jobs get without a secret.

use serde_json::{Value, json};
use testkit::http::{Reply, Request};
use testkit::{Account, Dist, Installer, Issuer, Scratch, Server, Tree, Uploader};

use crate::{alice, server};

fn post(server: &Server, path: &str, body: &Value) -> Reply {
    Request::new("POST", &format!("{}{path}", server.url()))
        .basic("alice", "secret")
        .body(body.to_string())
        .send()
}

#[test]
fn a_token_is_the_password_of_every_publisher_and_installer() {
    let server = server().start();
    alice(&server, &json!({"acl_pkg_read": "alice"}));
    let made = post(
        &server,
        "/+tokens",
        &json!({"name": "ci", "read": true, "upload": true}),
    );
    let token = made.json()["result"]["token"].as_str().unwrap().to_owned();
    let scratch = Scratch::new();
    for uploader in Uploader::ALL {
        let name = format!("by-{uploader:?}").to_lowercase();
        let tree = if uploader == Uploader::Flit {
            Tree::of_flit(&scratch, &name, "1.0")
        } else {
            let tree = Tree::new(&scratch, &name, "1.0");
            tree.dist(&Dist::wheel("1.0"));
            tree
        };
        let account = Account {
            url: &format!("{}/alice/dev/", server.url()),
            user: "__token__",
            password: &token,
        };
        uploader.publish(&scratch, account, &tree).succeeds();
        let index = server.index("alice/dev");
        for installer in Installer::ALL {
            let with_token = index.replace("http://", &format!("http://__token__:{token}@"));
            let installed = installer.install(&Scratch::new(), &with_token, &[&name]);
            assert_eq!(installed.projects().len(), 1, "{uploader:?} {installer:?}");
        }
        let without = Installer::PipNewest.install(&Scratch::new(), &index, &[&name]);
        without.run.fails();
    }
}

#[test]
fn a_ci_job_publishes_without_a_secret() {
    let issuer = Issuer::start();
    let server = server()
        .config(&format!(
            "outside-url = \"http://localhost:3141\"\n[publisher.release]\nissuer = \"{}\"\nindex = \"alice/dev\"\nproject = \"app\"\nclaims = [\"repository=corp/app\"]\n",
            issuer.url()
        ))
        .start();
    alice(&server, &json!({"acl_pkg_read": "alice"}));
    let url = format!("{}/_/oidc/audience", server.url());
    let audience = Request::get(&url).send().json()["audience"].clone();
    assert_eq!(audience, "localhost");
    let mint = |id_token: &str| post(&server, "/_/oidc/mint-token", &json!({"token": id_token}));
    let id_token = issuer.token("localhost", &[("repository", "corp/app")]);
    let minted = mint(&id_token);
    assert_eq!(minted.status, 200, "{}", minted.text());
    let token = minted.json()["token"].as_str().unwrap().to_owned();
    let scratch = Scratch::new();
    let publish = |name: &str| {
        let tree = Tree::new(&scratch, name, "1.0");
        tree.dist(&Dist::wheel("1.0"));
        let account = Account {
            url: &format!("{}/alice/dev/", server.url()),
            user: "__token__",
            password: &token,
        };
        Uploader::Twine.publish(&scratch, account, &tree)
    };
    publish("app").succeeds();
    publish("other").fails().says(
        "no permission to submit `other` to alice/dev: this token is for project `app` alone",
    );
    let refused = |id_token: &str| {
        let refused = mint(id_token);
        assert_eq!(refused.status, 422, "{}", refused.text());
        refused.json()["errors"][0]["description"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        refused(&id_token),
        "this ID token has been exchanged before: ask the CI platform for a new one"
    );
    assert_eq!(
        refused(&issuer.token("localhost", &[("repository", "evil/app")])),
        "the ID token is valid, but no publisher here fits its claims: repository = \"evil/app\""
    );
    let elsewhere = issuer.token("pilothouse", &[("repository", "corp/app")]);
    assert_eq!(
        refused(&elsewhere),
        "the ID token is not valid: InvalidAudience"
    );
}

#[test]
fn a_new_token_that_makes_no_sense_is_refused_in_words() {
    let server = server().start();
    alice(&server, &json!({"acl_pkg_read": "alice"}));
    let bob = json!({"password": "secret"}).to_string();
    let url = format!("{}/bob", server.url());
    assert_eq!(Request::new("PUT", &url).body(bob).send().status, 201);
    let asked = |fields: Value| {
        let answer = post(&server, "/+tokens", &fields);
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        format!("{} {message}", answer.status)
    };
    assert_eq!(
        asked(json!({"name": "ci", "upload": true, "index": "alice/dev"})),
        "201 this is the only time that the token is shown"
    );
    for (fields, refusal) in [
        (
            json!({"name": "all"}),
            "400 a token needs a right: `read`, `upload`, `remove` or `everything`",
        ),
        (
            json!({"name": "all", "read": false, "index": "alice/dev"}),
            "400 a token needs a right: `read`, `upload`, `remove` or `everything`",
        ),
        (
            json!({"name": "all", "everything": true, "index": "alice/dev"}),
            "400 a token for `everything` has no other right and no limit",
        ),
        (
            json!({"name": "", "read": true}),
            "400 a token needs a name: what it is for",
        ),
        (
            json!({"name": "ci", "read": true}),
            "409 alice has a token `ci` already: revoke it, or choose another name",
        ),
        (
            json!({"name": "typo", "read": true, "index": "alice/dve"}),
            "404 there is no index `alice/dve` here",
        ),
    ] {
        assert_eq!(asked(fields), refusal);
    }
    // Whoever may not see an index hears the same as of one that is not there.
    let fields = json!({"name": "ci", "read": true, "index": "alice/dev"});
    let hidden = Request::new("POST", &format!("{}/+tokens", server.url()))
        .basic("bob", "secret")
        .body(fields.to_string())
        .send();
    assert_eq!(
        (hidden.status, hidden.reason.as_str()),
        (404, "there is no index `alice/dev` here")
    );
}

#[test]
fn the_log_of_changes_tells_which_token_did_it() {
    let server = server().start();
    alice(&server, &json!({}));
    let token = |name: &str, right: &str| {
        let made = post(&server, "/+tokens", &json!({"name": name, right: true}));
        made.json()["result"]["token"].as_str().unwrap().to_owned()
    };
    let (ci, admin) = (token("ci", "upload"), token("admin", "everything"));
    let scratch = Scratch::new();
    let tree = Tree::new(&scratch, "foo", "1.0");
    tree.dist(&Dist::wheel("1.0"));
    let account = Account {
        url: &format!("{}/alice/dev/", server.url()),
        user: "__token__",
        password: &ci,
    };
    Uploader::Twine.publish(&scratch, account, &tree).succeeds();
    let prod = Request::new("PUT", &format!("{}/alice/prod", server.url()))
        .basic("__token__", &admin)
        .body("{}");
    assert_eq!(prod.send().status, 200);
    let told = server.run(["audit", "--json"]);
    let events: Value = serde_json::from_str(&told.stdout).unwrap();
    let told: Vec<_> = events["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| {
            let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
            let detail = &event["detail"];
            [
                &event["who"],
                &event["what"],
                &detail["token"],
                &detail["by-token"],
            ]
            .map(word)
            .join(" ")
        })
        .collect();
    assert_eq!(
        told[told.len() - 4..],
        [
            "alice token-create ci -",
            "alice token-create admin -",
            "alice upload - ci",
            "alice index-create - admin",
        ]
    );
    let table = server.run(["audit", "--index", "alice/dev"]).stdout;
    assert!(table.contains("by-token=ci"), "{table}");
}
