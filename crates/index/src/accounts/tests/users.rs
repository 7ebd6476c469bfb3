//! Users are made, changed and removed, by whoever may.

use serde_json::{Value, json};
use store::{Event, IndexRow};

use super::{Home, at, object, refused};
use crate::access::{Admins, Caller};

#[tokio::test]
async fn a_first_start_knows_root_with_an_empty_password() {
    let home = Home::new(Admins::Owners).await;
    let accounts = &home.accounts;
    assert!(accounts.is_password("root", "").await);
    assert!(!accounts.is_password("root", "x").await);
    accounts.set_password("root", "x", at(1)).await.unwrap();
    let home = home.restart().await;
    assert!(!home.accounts.is_password("root", "").await);
    assert!(home.accounts.is_password("root", "x").await);
    assert_eq!(home.accounts.users().len(), 1);
}

#[tokio::test]
async fn a_user_is_made_by_devpis_rules() {
    let home = Home::new(Admins::Owners).await;
    let anonymous = Caller::anonymous();
    let fields = json!({
        "password": "secret", "email": "alice@example.com", "title": "", "custom_data": {"a": 1},
        "indexes": {}, "created": "then",
    });
    let alice = home.create(&anonymous, "alice", fields).await.unwrap();
    let shown = json!({
        "username": "alice", "email": "alice@example.com", "custom_data": {"a": 1},
        "created": "2027-01-15T08:00:00Z",
    });
    assert_eq!(Value::from(alice.to_json()), shown);
    let of_passlib = "$argon2id$v=19$m=8192,t=2,p=2$CwEgBOAc49z7X6t1LgUgZA$+OqgMXRtlnHRjIo2C0QQa87GChJJ8M2aHxwGobbfuSI";
    for (name, fields, expected) in [
        (
            "alice",
            json!({ "password": "x" }),
            "409 user already exists",
        ),
        ("bob", json!({}), "400 password needs to be set"),
        (
            "b 9",
            json!({ "password": "x" }),
            "400 username 'b 9' contains characters that aren't allowed. \
             Any ascii symbol besides -.@_ is blocked.",
        ),
        (
            "bob",
            json!({ "password": "x", "age": 3, "colour": "" }),
            "400 Unknown keys in user config: age, colour",
        ),
        (
            "bob",
            json!({ "password": 3 }),
            "400 password needs to be text",
        ),
        (
            "bob",
            json!({ "password": "x", "pwhash": "x" }),
            "400 pwhash is not an argon2 hash, like `$argon2id$v=19$m=65536,t=3,p=4$…`, \
             or takes too much memory to check",
        ),
    ] {
        let found = refused(home.create(&anonymous, name, fields.clone()).await);
        assert_eq!(found, expected, "{name} {fields}");
    }
    let fields = json!({ "password": null, "pwhash": of_passlib });
    home.create(&anonymous, "bob", fields).await.unwrap();
    let accounts = &home.accounts;
    assert!(accounts.is_password("bob", "pässwörd 密码").await);
    let fields = json!({ "password": null });
    home.create(&anonymous, "locked", fields).await.unwrap();
    assert!(!accounts.is_password("locked", "").await);
    let names: Vec<_> = accounts
        .users()
        .into_iter()
        .map(|user| user.name().to_string())
        .collect();
    assert_eq!(names, ["alice", "bob", "locked", "root"]);
    assert_eq!(refused(accounts.user("carol")), "404 no user 'carol'");
}

#[tokio::test]
async fn a_user_is_changed_by_themselves_and_by_root() {
    let home = Home::with_people().await;
    let (alice, bob, root) = (
        home.caller("alice"),
        home.caller("bob"),
        home.caller("root"),
    );
    let titled = json!({ "title": "Dr", "nonsense": 1, "username": "eve", "created": "x" });
    assert!(
        home.modify(&alice, "alice", titled)
            .await
            .unwrap()
            .is_none()
    );
    let shown = || Value::from(home.accounts.user("alice").unwrap().to_json());
    let expected = json!({
        "username": "alice", "title": "Dr",
        "created": "2027-01-15T08:00:00Z", "modified": "2027-01-15T08:01:00Z",
    });
    assert_eq!(shown(), expected);
    home.modify(&root, "alice", json!({ "title": "" }))
        .await
        .unwrap();
    assert_eq!(shown().get("title"), None);
    let title = || json!({ "title": "x" });
    let password = || json!({ "password": "x" });
    for (caller, name, fields, expected) in [
        (
            &bob,
            "alice",
            title(),
            "403 no permission to modify user alice",
        ),
        (
            &bob,
            "alice",
            password(),
            "403 no permission to change password for user alice",
        ),
        (
            &Caller::anonymous(),
            "root",
            title(),
            "403 no permission to modify user root",
        ),
        (&root, "carol", title(), "404 no user 'carol'"),
        (
            &alice,
            "alice",
            json!({ "password": [] }),
            "400 password needs to be text",
        ),
    ] {
        let found = refused(home.modify(caller, name, fields).await);
        assert_eq!(found, expected, "{caller:?}");
    }
}

#[tokio::test]
async fn a_user_goes_with_everything_unless_it_must_stay() {
    let home = Home::with_people().await;
    let accounts = &home.accounts;
    let (alice, bob, root) = (
        home.caller("alice"),
        home.caller("bob"),
        home.caller("root"),
    );
    let remove = |caller: &Caller, name: &'static str| {
        let caller = caller.clone();
        async move { accounts.remove_user(&caller, name, at(9)).await }
    };
    let row = |name: &str, volatile: bool| IndexRow {
        owner: "alice".to_owned(),
        name: name.to_owned(),
        settings: json!({ "type": "stage", "volatile": volatile }).to_string(),
        created_at: at(0),
    };
    let told = Event::new(at(0), "index-create");
    for index in [row("dev", true), row("prod", false)] {
        accounts.db.create_index(&index, &told).await.unwrap();
    }
    for (caller, name, expected) in [
        (
            &alice,
            "alice",
            "403 user 'alice' has non-volatile index: prod",
        ),
        (&bob, "alice", "403 no permission to delete user alice"),
        (&root, "root", "403 no permission to delete user root"),
        (&root, "carol", "404 no user 'carol'"),
        (
            &Caller::anonymous(),
            "bob",
            "403 no permission to delete user bob",
        ),
    ] {
        assert_eq!(refused(remove(caller, name).await), expected);
    }
    let login = accounts.login("alice", "alice", at(0)).await.unwrap();
    let index = row("prod", true);
    accounts.db.update_index(&index, &told).await.unwrap();
    remove(&alice, "alice").await.unwrap();
    remove(&root, "bob").await.unwrap();
    assert_eq!(accounts.known("alice", login.secret.reveal(), at(1)), None);
    assert!(!accounts.is_password("alice", "alice").await);
    // Who comes by that name later has nothing of theirs.
    let fields = json!({ "password": "other" });
    home.create(&root, "alice", fields).await.unwrap();
    let home = home.restart().await;
    let secret = login.secret.reveal();
    assert_eq!(home.accounts.known("alice", secret, at(1)), None);
    assert!(home.accounts.db.indexes().await.unwrap().is_empty());
}

#[tokio::test]
async fn restricted_accounts_are_looked_after_by_those_named_alone() {
    let home = Home::new(Admins::only("root, :devs")).await;
    let accounts = &home.accounts;
    let root = home.caller("root");
    let password = || json!({ "password": "x" });
    let anonymous = Caller::anonymous();
    let refusal = "403 no permission to create user eve";
    assert_eq!(
        refused(home.create(&anonymous, "eve", password()).await),
        refusal
    );
    for name in ["alice", "bob", "carol"] {
        home.create(&root, name, password()).await.unwrap();
    }
    let (alice, bob) = (home.caller("alice"), home.caller("bob"));
    // Of the group `devs`.
    home.create(&alice, "dave", password()).await.unwrap();
    assert_eq!(refused(home.create(&bob, "eve", password()).await), refusal);
    let title = || json!({ "title": "x" });
    home.modify(&alice, "bob", title()).await.unwrap();
    home.modify(&bob, "bob", password()).await.unwrap();
    for (fields, expected) in [
        (title(), "403 no permission to modify user bob"),
        (
            json!({ "password": "x", "title": "x" }),
            "403 no permission to modify user bob",
        ),
    ] {
        assert_eq!(refused(home.modify(&bob, "bob", fields).await), expected);
    }
    for (caller, name, allowed) in [
        (&bob, "bob", false),
        (&alice, "alice", false),
        (&alice, "root", false),
        (&alice, "carol", true),
    ] {
        let removed = accounts.remove_user(caller, name, at(9)).await;
        assert_eq!(removed.is_ok(), allowed, "{name}");
    }
    for (caller, owner, allowed) in [
        (&alice, "bob", true),
        (&bob, "bob", false),
        (&root, "bob", true),
    ] {
        assert_eq!(accounts.admins().admit(caller, owner), allowed, "{owner}");
    }
}

#[tokio::test]
async fn a_user_is_imported_as_they_were() {
    let home = Home::new(Admins::Owners).await;
    let fields = json!({
        "username": "alice", "email": "alice@example.com",
        "created": "2020-02-03T04:05:06Z", "modified": "2021-02-03T04:05:06Z",
        "pwhash": "$argon2id$v=19$m=1024,t=1,p=8$VqpVilHqPYdQijEG4BwjpA$AHbq4gY3Mm/o6S2BlciRX5OD1Q9iMBGKkO5BAaNUnP8",
    });
    let (accounts, root) = (&home.accounts, home.caller("root"));
    let import = || accounts.import_user(&root, "alice", fields.as_object().unwrap(), at(0));
    let alice = import().await.unwrap();
    let hash = fields["pwhash"].as_str();
    assert_eq!(alice.password().map(store::PasswordHash::as_str), hash);
    let mut shown = object(fields.clone());
    shown.remove("pwhash");
    assert_eq!(alice.to_json(), shown);
    assert!(accounts.is_password("alice", "secret").await);
    assert_eq!(refused(import().await), "409 user already exists");
}

#[tokio::test]
async fn root_is_imported_as_they_were_and_loses_the_logins_of_before() {
    let home = Home::new(Admins::Owners).await;
    let fields = json!({
        "username": "root", "title": "The one", "created": "2020-02-03T04:05:06Z",
        "pwhash": "$argon2id$v=19$m=1024,t=1,p=8$VqpVilHqPYdQijEG4BwjpA$AHbq4gY3Mm/o6S2BlciRX5OD1Q9iMBGKkO5BAaNUnP8",
    });
    let mut shown = object(fields.clone());
    shown.remove("pwhash");
    let login = home.accounts.login("root", "", at(0)).await.unwrap();
    let imported = home
        .accounts
        .import_root(fields.as_object().unwrap(), at(1));
    imported.await.unwrap();
    let is_as_imported = async |home: &Home| {
        let accounts = &home.accounts;
        assert_eq!(accounts.known("", login.secret.reveal(), at(1)), None);
        assert_eq!(accounts.user("root").unwrap().to_json(), shown);
        assert!(accounts.is_password("root", "secret").await);
        assert!(!accounts.is_password("root", "").await);
    };
    is_as_imported(&home).await;
    is_as_imported(&home.restart().await).await;
}
